"""Checkpoint files for the tests, written by other people's writers."""

import os
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import gguf
import numpy as np
import pytest
import safetensors.numpy

from tsxla_worker.checkpoints.checkpoint import Checkpoint
from tsxla_worker.checkpoints.open import Checkpoints
from tsxla_worker.contract.errors import WorkerError

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
def survives() -> Generator[None]:
    """Whatever is inside may succeed or be refused as damaged, and nothing else."""
    try:
        yield
    except WorkerError as error:
        if error.reason != "CHECKPOINT_INVALID":
            raise
        error.detail()


def mutations(path: Path, header: int) -> Iterator[tuple[int, int]]:
    """Cuts a file off at every byte of its header and a few of its data, and flips every bit of its header.

    Gives each time a descriptor of the broken file and its size.
    """
    whole = path.read_bytes()
    descriptor = os.open(path, os.O_RDWR)
    try:
        for at in range(header):
            for bit in range(8):
                os.pwrite(descriptor, bytes([whole[at] ^ (1 << bit)]), at)
                yield descriptor, len(whole)
            os.pwrite(descriptor, whole[at : at + 1], at)
        for end in sorted({*range(header + 1), *range(header, len(whole), 7)}, reverse=True):
            os.ftruncate(descriptor, end)
            yield descriptor, end
    finally:
        os.close(descriptor)
