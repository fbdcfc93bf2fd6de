"""Which part of a tensor is read: what a host's devices need, in runs that numpy's slices agree with."""

from pathlib import Path
from typing import Any, cast

import jax
import ml_dtypes
import numpy as np
import pytest
from jax.sharding import Sharding

from tsxla_worker.checkpoints import fingerprint, parts
from tsxla_worker.checkpoints.checkpoint import Checkpoint, StoredTensor, stamp
from tsxla_worker.checkpoints.parts import Part
from tsxla_worker.tensors.tensor_types import type_of

PAGE = 4096


def stored(array: np.ndarray, file: Path = Path("x")) -> StoredTensor:
    return StoredTensor("t", type_of(array), "F32", array.shape, file, 0, array.nbytes)


class Given:
    """A sharding that says only where its devices' parts lie, as one host of several sees it."""

    def __init__(self, *indices: tuple[slice, ...]) -> None:
        self._indices = indices

    def addressable_devices_indices_map(self, _shape: tuple[int, ...]) -> dict[int, tuple[slice, ...]]:
        return dict(enumerate(self._indices))


def given(*indices: tuple[slice, ...]) -> Sharding:
    return cast("Sharding", Given(*indices))


def read(array: np.ndarray, part: Part) -> np.ndarray:
    """Does with bytes in memory what a load does with a file."""
    raw = array.tobytes()
    data = b"".join(raw[at : at + size] for at, size in part.runs())
    return np.frombuffer(data, array.dtype).reshape(part.type.shape)


def random_boxes(shape: tuple[int, ...], random: np.random.Generator) -> tuple[tuple[int, ...], tuple[int, ...]]:
    ends = [sorted(random.choice(size + 1, 2, replace=False).tolist()) for size in shape]
    return tuple(begin for begin, _ in ends), tuple(end for _, end in ends)


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.parametrize("dtype", [np.uint8, np.float32, ml_dtypes.bfloat16])
def test_the_runs_of_any_box_are_the_bytes_of_numpy_s_slice(seed: int, dtype: Any) -> None:
    random = np.random.default_rng(seed)
    shape = tuple(random.integers(1, 7, size=random.integers(1, 5)).tolist())
    array = np.arange(np.prod(shape)).reshape(shape).astype(dtype)
    start, stop = random_boxes(shape, random)
    part = Part(stored(array), start, stop)
    wanted = array[tuple(slice(*pair) for pair in zip(start, stop, strict=True))]
    np.testing.assert_array_equal(read(array, part), wanted)
    assert part.bytes == wanted.nbytes


def test_a_scalar_is_read_whole() -> None:
    array = np.array(7, np.float32)
    part = parts.wanted(stored(array), given(()))
    assert part.is_whole
    assert read(array, part) == 7


def test_a_host_reads_the_rows_of_its_devices() -> None:
    tensor = stored(np.zeros((64, 1024), np.float32))
    part = parts.wanted(tensor, given((slice(32, 48), slice(None)), (slice(48, 64), slice(None))))
    assert (part.start, part.stop) == ((32, 0), (64, 1024))
    assert list(part.runs()) == [(32 * PAGE, 32 * PAGE)]


def test_long_runs_are_read_apart_and_short_ones_as_whole_rows() -> None:
    halves = (slice(None), slice(0, 1024))
    long = parts.wanted(stored(np.zeros((3, 2048), np.float32)), given(halves))
    assert list(long.runs()) == [(0, PAGE), (2 * PAGE, PAGE), (4 * PAGE, PAGE)]
    short = parts.wanted(stored(np.zeros((3, 1536), np.float32)), given((slice(None), slice(0, 768))))
    assert short.is_whole


def test_widening_keeps_what_is_cut_further_out() -> None:
    tensor = stored(np.zeros((8, 6, 100), np.float32))
    part = parts.wanted(tensor, given((slice(2, 4), slice(None), slice(0, 50))))
    assert (part.start, part.stop) == ((2, 0, 0), (4, 6, 100))


def test_without_a_sharding_everything_is_read() -> None:
    assert parts.wanted(stored(np.zeros((4, 4), np.float32)), None).is_whole


def test_devices_get_their_parts_of_what_was_read() -> None:
    array = np.arange(24, dtype=np.float32).reshape(4, 6)
    sharding = jax.sharding.SingleDeviceSharding(jax.devices()[0])
    part = parts.wanted(stored(array), sharding)
    np.testing.assert_array_equal(np.asarray(parts.spread(part, array, sharding)), array)
    inner = Part(stored(array), (1, 0), (3, 6))
    assert inner.within((slice(2, 3), slice(None))) == (slice(1, 2), slice(0, 6))


def checkpoint(folder: Path, data: bytes) -> Checkpoint:
    folder.mkdir()
    file = folder / "weights"
    file.write_bytes(data)
    tensor = stored(np.frombuffer(data, np.float32), file)
    return Checkpoint("c", "safetensors", folder, {"t": tensor}, {}, (), {file: stamp(file)})


@pytest.mark.parametrize("at", [0, 20 * PAGE, 40 * PAGE - 1])
def test_a_fingerprint_is_of_the_weights_and_not_of_where_they_are(tmp_path: Path, at: int) -> None:
    data = bytearray(np.random.default_rng(0).bytes(40 * PAGE))
    same = [fingerprint.of(checkpoint(tmp_path / name, bytes(data))) for name in ("a", "b")]
    assert same[0] == same[1]
    data[at] ^= 1
    assert fingerprint.of(checkpoint(tmp_path / "c", bytes(data))) != same[0]
