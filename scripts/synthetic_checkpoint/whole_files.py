"""Files that have their name only when they are whole and on the disk."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

from synthetic_checkpoint.errors import RefusalError
from synthetic_checkpoint.files import File
from synthetic_checkpoint.progress import gigabytes


def write_file(folder: Path, file: File, done: Callable[[int], None]) -> None:
    """Writes beside the name, and gives the name to what is whole and on the disk."""
    path = folder / file.name
    try:
        path.unlink(missing_ok=True)
        with partial(path).open("wb") as out:
            for part in file.parts:
                for chunk in part.chunks():
                    out.write(chunk.data)
                    done(chunk.nbytes)
            assert out.tell() == file.size, f"{file.name}: {out.tell()} bytes for {file.size}"
            out.flush()
            os.fsync(out.fileno())
        partial(path).replace(path)
    except BaseException as error:
        partial(path).unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise RefusalError(
                f"the disk of {folder} became full in {file.name}, which needs {gigabytes(file.size)}; files before it "
                "are kept: free some space and run the same command again"
            ) from error
        if isinstance(error, OSError):
            raise RefusalError(f"{path} cannot be written: {error.strerror}") from error
        raise


def partial(path: Path) -> Path:
    """The name of a file that is not whole."""
    return path.with_name(f"{path.name}.partial")


def size_of(path: Path) -> int:
    """In bytes; -1 when there is no such file."""
    return path.stat().st_size if path.is_file() else -1
