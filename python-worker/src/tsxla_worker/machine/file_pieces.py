"""A file in pieces, for clients that read the small files beside a checkpoint."""

import os
from collections.abc import Iterator
from pathlib import Path

import grpc

from tsxla_worker.contract.errors import WorkerError
from tsxla_worker.machine.paths import closing, open_regular

_LIMIT = 256 << 20
_PIECE = 1 << 20


def read(path: Path) -> Iterator[bytes]:
    """Gives what a file holds; refuses a large one with FILE_TOO_LARGE. A file that shrinks meanwhile ends early."""
    with closing(open_regular(path)) as descriptor:
        size = os.fstat(descriptor).st_size
        if size > _LIMIT:
            raise WorkerError(
                grpc.StatusCode.RESOURCE_EXHAUSTED,
                "FILE_TOO_LARGE",
                f"{path} has {size} bytes; at most {_LIMIT} are sent.",
                file=path,
                found=size,
                wanted=_LIMIT,
            )
        sent = 0
        while sent < size:
            data = os.pread(descriptor, min(_PIECE, size - sent), sent)
            if not data:
                break
            sent += len(data)
            yield data
