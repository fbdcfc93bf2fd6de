"""The folder of a checkpoint: written, gone on with, and removed, by one run at a time."""

import contextlib
import fcntl
import os
import shutil
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Any

from synthetic_checkpoint.errors import RefusalError
from synthetic_checkpoint.files import File
from synthetic_checkpoint.marker import MARKER, check_own, leave_marker, read_marker
from synthetic_checkpoint.progress import Progress, gigabytes
from synthetic_checkpoint.whole_files import partial, size_of, write_file

# ---------------------------------------------------------------------------------------------------------------------
# Public API
# ---------------------------------------------------------------------------------------------------------------------


def write(folder: Path, files: list[File], settings: Mapping[str, Any]) -> None:
    """Writes what is missing of the files, each under its name only when it is whole.

    Raises:
        RefusalError: when the folder holds anything else, another run is at work in it, or the disk is too small.
    """
    created = not folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RefusalError(f"{folder} cannot be made: {error.strerror}") from error
    try:
        with claimed(folder):
            check_own(folder, settings)
            for file in files:
                partial(folder / file.name).unlink(missing_ok=True)
            missing = [file for file in files if size_of(folder / file.name) != file.size]
            check_space(folder, missing)
            leave_marker(folder, settings, files)
            progress = Progress(sum(file.size for file in missing))
            for file in missing:
                write_file(folder, file, progress.add)
            progress.end()
    except RefusalError:
        if created:
            with contextlib.suppress(OSError):
                folder.rmdir()
        raise


def remove(folder: Path) -> list[str]:
    """Removes the files that the marker names, the marker, and the folder when nothing else is in it.

    Returns:
        The names that are left.

    Raises:
        RefusalError: when this script did not write the folder, or a run is at work in it.
    """
    if not folder.is_dir():
        raise RefusalError(f"{folder} is not a folder; nothing was removed")
    with claimed(folder):
        names = read_marker(folder)["files"]
        for name in [*names, MARKER]:
            try:
                partial(folder / name).unlink(missing_ok=True)
                (folder / name).unlink(missing_ok=True)
            except OSError as error:
                raise RefusalError(f"{folder / name} cannot be removed: {error.strerror}") from error
        left = sorted(path.name for path in folder.iterdir())
    if not left:
        folder.rmdir()
    return left


# ---------------------------------------------------------------------------------------------------------------------
# Implementation
# ---------------------------------------------------------------------------------------------------------------------

SPARE = 16 << 20
"""Bytes of a disk that are left free."""


@contextlib.contextmanager
def claimed(folder: Path) -> Generator[None]:
    """Keeps other runs out of a folder; the system gives it up when the process ends in whatever way."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise RefusalError(f"{folder} cannot be opened as a folder: {error.strerror}") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise RefusalError(f"another run is at work in {folder}") from error
    finally:
        os.close(descriptor)


def check_space(folder: Path, missing: list[File]) -> None:
    """Files of the wrong size are overwritten, so their bytes are free."""
    needed = sum(file.size - max(0, size_of(folder / file.name)) for file in missing) + SPARE
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise RefusalError(
            f"{folder} needs {gigabytes(needed)} and its disk has {gigabytes(free)} free: "
            f"free {gigabytes(needed - free)}, or give an --out on another disk"
        )
