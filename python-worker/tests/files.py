"""Checkpoint files for the tests, written by other people's writers."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import gguf
import numpy as np
import pytest
import safetensors.numpy

from tsxla_worker.checkpoints.index import Checkpoint
from tsxla_worker.checkpoints.open import Checkpoints
from tsxla_worker.errors import WorkerError

SMALL = {
    "a.weight": np.arange(6, dtype=np.float32).reshape(2, 3),
    "b": np.array([True, False]),
    "c": np.array(-7, np.int64),
}


def write_safetensors(path: Path, tensors: dict[str, np.ndarray], metadata: dict[str, str] | None = None) -> Path:
    safetensors.numpy.save_file(tensors, path, metadata)
    return path


def raw_safetensors(path: Path, header: bytes, data: bytes = b"", length: int | None = None) -> Path:
    """Writes a file whose header may be wrong."""
    path.write_bytes((len(header) if length is None else length).to_bytes(8, "little") + header + data)
    return path


def write_gguf(path: Path, fill: Callable[[gguf.GGUFWriter], None]) -> Path:
    writer = gguf.GGUFWriter(path, "llama")
    fill(writer)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def open_(path: Path) -> Checkpoint:
    """Opens a checkpoint anew."""
    return Checkpoints().open(path)


def damage(path: Path) -> WorkerError:
    """Opens a checkpoint that must be refused as damaged."""
    with pytest.raises(WorkerError) as caught:
        open_(path)
    assert caught.value.reason == "CHECKPOINT_INVALID"
    assert caught.value.metadata["file"]
    return caught.value


@contextmanager
def survives() -> Iterator[None]:
    """Whatever is inside may succeed or be refused as damaged, and nothing else."""
    try:
        yield
    except WorkerError as error:
        assert error.reason == "CHECKPOINT_INVALID"
        error.detail()


def mutations(whole: bytes, header: int) -> Iterator[bytes]:
    """The file cut off at every byte of its header and a few of its data, and with every bit of its header flipped."""
    for end in [*range(header + 1), *range(header, len(whole), 7)]:
        yield whole[:end]
    for at in range(header):
        for bit in range(8):
            yield whole[:at] + bytes([whole[at] ^ (1 << bit)]) + whole[at + 1 :]
