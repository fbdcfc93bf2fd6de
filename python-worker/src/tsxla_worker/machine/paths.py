"""Paths that clients may name: everything below one root, and nothing else.

A path is joined to the root and normalised by its letters (`..` and `.` disappear) before it is compared. Symbolic
links below the root are followed, also to where they leave it: whoever can write below the root is trusted, and a
checkpoint is commonly a link into a package or a cache. What a client can't do is to name a path outside.
"""

import contextlib
import os
import stat
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

import grpc

from tsxla_worker.contract.errors import WorkerError, invalid, not_found


@dataclass(frozen=True)
class Root:
    """The folder to which paths are confined, absolute."""

    folder: Path

    def resolve(self, path: str) -> Path:
        """Returns the absolute path of an existing file or folder below the root."""
        full = self.confine(path)
        try:
            full.stat()
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise not_found("PATH_NOT_FOUND", f"{full} can't be opened: {reason}.", path=full) from error
        return full

    def confine(self, path: str) -> Path:
        """Returns the absolute path of what may not be there yet, below the root."""
        if not path or "\0" in path:
            raise invalid("PATH_INVALID", "The path is empty or holds a zero byte.", path=path.replace("\0", "\\0"))
        folder = str(self.folder)
        full = os.path.normpath(os.path.join(folder, path))  # noqa: PTH118 (pathlib does not normalise `..`)
        if full != folder and not full.startswith(folder.rstrip("/") + "/"):
            raise WorkerError(
                grpc.StatusCode.PERMISSION_DENIED,
                "PATH_OUTSIDE_ROOT",
                f"{full} lies outside {folder}, the folder to which this worker is confined (--root).",
                path=full,
                root=folder,
            )
        return Path(full)


def open_regular(path: Path) -> int:
    """Opens a regular file for reading and returns its descriptor; a pipe or a device is refused, not waited for."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise not_found("PATH_NOT_FOUND", f"{path} can't be opened: {error.strerror}.", path=path) from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise not_found("PATH_NOT_FOUND", f"{path} is not a file.", path=path)
    return descriptor


@contextlib.contextmanager
def closing(descriptor: int) -> Generator[int]:
    """Closes a descriptor at the end of a block."""
    try:
        yield descriptor
    finally:
        os.close(descriptor)
