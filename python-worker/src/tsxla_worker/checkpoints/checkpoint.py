"""What a checkpoint holds, whatever its container.

Readers make these values after they have checked every offset, size and count against the file.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tsxla_worker.contract.errors import WorkerError, invalid
from tsxla_worker.tensors.tensor_types import TensorType

type MetadataValue = int | float | bool | str | list[str] | np.ndarray


@dataclass(frozen=True)
class StoredTensor:
    """One tensor of a checkpoint.

    Attributes:
        name: Its key.
        type: What a program receives; raw blocks for packed formats.
        format: How the elements are stored, by the container's name.
        shape: The shape of the elements, outermost first.
        file: Where it lies.
        offset: Its first byte there.
        bytes: How many bytes it takes there.
        loadable: Whether programs can receive it.
    """

    name: str
    type: TensorType
    format: str
    shape: tuple[int, ...]
    file: Path
    offset: int
    bytes: int
    loadable: bool = True


@dataclass(frozen=True)
class Checkpoint:
    """An open checkpoint.

    Attributes:
        id: Its handle, made of its path and its files' identity.
        container: `gguf` or `safetensors`.
        directory: The absolute folder that holds it.
        tensors: By name, sorted.
        metadata: The header's values.
        files: The other files in the folder, relative to it.
        stamps: What each file looked like when it was opened.
    """

    id: str
    container: str
    directory: Path
    tensors: Mapping[str, StoredTensor]
    metadata: Mapping[str, MetadataValue]
    files: tuple[str, ...]
    stamps: Mapping[Path, tuple[int, int, int]]


def stamp(file: Path | int) -> tuple[int, int, int]:
    """Returns what changes when a file does: its inode, size and time of modification."""
    status = os.stat(file)  # noqa: PTH116 (takes a descriptor as well)
    return status.st_ino, status.st_size, status.st_mtime_ns


def damaged(file: Path, message: str, **metadata: object) -> WorkerError:
    """Makes the error for a file that is not what it claims to be."""
    return invalid("CHECKPOINT_INVALID", f"{file}: {message}", file=file, **metadata)
