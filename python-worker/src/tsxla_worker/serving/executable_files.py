"""Executables as files, for requests: which may be saved, how bytes come in, and what is not even read."""

import hashlib
import itertools
import os
from collections.abc import Iterator
from pathlib import Path

import grpc

from tsxla_worker.contract.errors import WorkerError, invalid
from tsxla_worker.contract.generated import pb
from tsxla_worker.executables.executable import Executable
from tsxla_worker.machine.paths import closing, open_regular
from tsxla_worker.saved_executables import file_format
from tsxla_worker.saved_executables.file_format import Saved
from tsxla_worker.serving.worker import Worker


def keep(worker: Worker, saved: Saved) -> str:
    """Keeps a program for devices that are not here, for `save`, and returns its handle."""
    digest = hashlib.sha256(saved.payload + saved.text.encode("utf-8", "surrogatepass")).hexdigest()
    id_ = f"a-{digest[:24]}"
    worker.kept[id_] = saved
    return id_


def save(worker: Worker, id_: str) -> bytes:
    """Makes a file of an executable."""
    _alone(worker)
    key = worker.executable_key.get()
    kept = worker.kept.get(id_)
    return file_format.write(worker.executables.save(id_) if kept is None else kept, key)


def load(worker: Worker, data: bytes) -> tuple[Executable, bool]:
    """Takes an executable of a file's bytes; and whether an earlier call had done so."""
    _alone(worker)
    saved = file_format.read(data, worker.executable_key.get())
    return worker.executables.load(saved, hashlib.sha256(data).hexdigest())


def receive(worker: Worker, requests: Iterator[pb.LoadExecutableRequest]) -> bytes:
    """Takes a file's bytes: those of a path below the root, or what a client sends."""
    first = next(requests, pb.LoadExecutableRequest())
    if first.WhichOneof("source") == "path":
        return _read(worker.root.resolve(first.path))
    return _join(itertools.chain([first], requests))


def _read(path: Path) -> bytes:
    with closing(open_regular(path)) as descriptor:
        size = os.fstat(descriptor).st_size
        if size > file_format.LIMIT:
            raise _too_large(size)
        # Looked at first: a checkpoint that was named by mistake need not be read.
        head = os.pread(descriptor, len(file_format.MAGIC), 0)
        if head != file_format.MAGIC:
            return head
        with os.fdopen(os.dup(descriptor), "rb") as file:
            return file.read()


def _join(pieces: Iterator[pb.LoadExecutableRequest]) -> bytes:
    data = bytearray()
    for piece in pieces:
        if piece.WhichOneof("source") == "path":
            raise invalid("REQUEST_INVALID", "A path came among the bytes of an executable.")
        data += piece.data
        if len(data) > file_format.LIMIT:
            raise _too_large(len(data))
    return bytes(data)


def _too_large(found: int) -> WorkerError:
    return WorkerError(
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        "FILE_TOO_LARGE",
        f"The executable has {found} bytes or more; at most {file_format.LIMIT} are taken.",
        found=found,
        wanted=file_format.LIMIT,
    )


def _alone(worker: Worker) -> None:
    if worker.group.hosts == 1:
        return
    raise WorkerError(
        grpc.StatusCode.FAILED_PRECONDITION,
        "EXECUTABLE_GROUP",
        f"Executables are saved and loaded by a worker on its own; this is a host of a group of {worker.group.hosts},"
        " which compiles, or takes programs from its compile cache.",
        hosts=worker.group.hosts,
    )
