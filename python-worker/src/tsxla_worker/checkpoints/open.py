"""Opens checkpoints: tells containers apart, keeps what was read, and describes it on the wire.

A checkpoint's handle is made of its path and of what its files look like, so that opening it again, unchanged, gives
the same handle and reads nothing.
"""

import hashlib
import threading
from pathlib import Path

import numpy as np

from tsxla_worker.checkpoints import gguf, safetensors, safetensors_folder
from tsxla_worker.checkpoints.checkpoint import Checkpoint, MetadataValue, StoredTensor, damaged, stamp
from tsxla_worker.contract.errors import not_found
from tsxla_worker.contract.generated import pb
from tsxla_worker.machine.paths import closing, open_regular

_FILES_LIMIT = 1000
_TENSOR_SUFFIXES = (".safetensors", ".gguf")


class Checkpoints:
    """All open checkpoints."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_id: dict[str, Checkpoint] = {}
        self._latest: dict[Path, Checkpoint] = {}

    def get(self, id_: str) -> Checkpoint:
        """Returns an open checkpoint."""
        found = self._by_id.get(id_)
        if found is None:
            raise not_found("CHECKPOINT_NOT_FOUND", f"There is no open checkpoint {id_!r}.", checkpoint_id=id_)
        return found

    def open(self, path: Path) -> Checkpoint:
        """Opens a file or a folder below the root."""
        latest = self._latest.get(path)
        if latest is not None and _unchanged(latest):
            return latest
        opened = _read(path)
        with self._lock:
            self._by_id[opened.id] = self._latest[path] = opened
        return opened


def describe(checkpoint: Checkpoint) -> pb.OpenCheckpointResponse:
    """Returns the index as it travels."""
    response = pb.OpenCheckpointResponse(
        checkpoint_id=checkpoint.id,
        container=checkpoint.container,
        files=checkpoint.files,
        directory=str(checkpoint.directory),
    )
    for tensor in checkpoint.tensors.values():
        response.tensors.add(
            name=tensor.name,
            type=tensor.type.to_proto(),
            format=tensor.format,
            shape=tensor.shape,
            bytes=tensor.bytes,
            file=tensor.file.name,
            offset=tensor.offset,
        )
    for key, value in checkpoint.metadata.items():
        _set_value(response.metadata[key], value)
    return response


def _set_value(message: pb.MetadataValue, value: MetadataValue) -> None:
    match value:
        case bool():
            message.bool = value
        case int() if value < 1 << 63:
            message.int = value
        case int():
            message.uint = value
        case float():
            message.float = value
        case str():
            message.string = value
        case list():
            message.strings.values.extend(value)
            message.strings.SetInParent()
        case np.ndarray() if value.dtype.kind == "f":
            message.floats.values.extend(value.tolist())
            message.floats.SetInParent()
        case _:
            message.ints.values.extend(value.astype(np.int64).tolist())
            message.ints.SetInParent()


def _read(path: Path) -> Checkpoint:
    if path.is_dir():
        directory, container = path, "safetensors"
        tensors, metadata = safetensors_folder.read(path)
    else:
        directory = path.parent
        with closing(open_regular(path)) as descriptor:
            container, tensors, metadata = _read_file(path, descriptor)
    tensors.sort(key=lambda tensor: tensor.name)
    belonging = {path, *(tensor.file for tensor in tensors), *safetensors_folder.index_of(path)}
    stamps = {file: stamp(file) for file in belonging}
    identity = repr((str(path), sorted((str(file), seen) for file, seen in stamps.items())))
    return Checkpoint(
        f"c-{hashlib.sha256(identity.encode('utf-8', 'surrogateescape')).hexdigest()[:24]}",
        container,
        directory,
        {tensor.name: tensor for tensor in tensors},
        metadata,
        _other_files(directory),
        stamps,
    )


def _read_file(path: Path, descriptor: int) -> tuple[str, list[StoredTensor], dict[str, MetadataValue]]:
    if path.suffix == ".gguf":
        return "gguf", *gguf.read(path, descriptor)
    if path.suffix == ".safetensors":
        tensors, metadata = safetensors.read(path, descriptor)
        return "safetensors", tensors, {**metadata}
    raise damaged(path, "a checkpoint is a .gguf file, a .safetensors file or a folder.", found=path.suffix)


def _other_files(directory: Path) -> tuple[str, ...]:
    names = sorted(
        entry.name
        for entry in directory.iterdir()
        if not entry.name.endswith(_TENSOR_SUFFIXES) and entry.is_file() and _is_text(entry.name)
    )
    return tuple(names[:_FILES_LIMIT])


def _is_text(name: str) -> bool:
    """Whether a file's name can travel: a name on disk may be any bytes."""
    return name.isprintable() and not any("\ud800" <= letter <= "\udfff" for letter in name)


def _unchanged(checkpoint: Checkpoint) -> bool:
    try:
        return all(stamp(file) == seen for file, seen in checkpoint.stamps.items())
    except OSError:
        return False
