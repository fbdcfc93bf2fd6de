"""The key under which a worker signs the executables that it saves, and believes those that it loads.

Whoever holds it can make the worker run machine code. That is already so for whoever can write to the compile cache, so
without a file of its own the key lives there: made once, readable by its owner alone.
"""

import os
import secrets
from pathlib import Path

import grpc

from tsxla_worker.contract.errors import WorkerError

_NAME = "executables.key"
_BYTES = 32


class ExecutableKey:
    """A key that is read, or made, when it is first wanted."""

    def __init__(self, file: Path | None, cache_dir: Path | None) -> None:
        self._key = None if file is None else read(file)
        self._made = None if cache_dir is None else cache_dir / _NAME

    def get(self) -> bytes:
        """Returns the key; refuses with EXECUTABLE_KEY_MISSING where the worker has no place for one."""
        if self._key is None:
            if self._made is None:
                raise WorkerError(
                    grpc.StatusCode.FAILED_PRECONDITION,
                    "EXECUTABLE_KEY_MISSING",
                    "The worker has no key to sign executables with: start it with --executable-key FILE"
                    " or --cache-dir DIR.",
                )
            self._key = _read_or_make(self._made)
        return self._key


def read(file: Path) -> bytes:
    """Reads a key; refuses one that is easily guessed."""
    key = file.read_bytes().strip()
    if len(key) < _BYTES:
        raise ValueError(f"The key file {file} holds {len(key)} bytes; at least {_BYTES} are wanted.")
    return key


def _read_or_make(file: Path) -> bytes:
    # Written beside its place and linked, so that of two workers that start at once both have the first one's.
    scratch = file.with_name(f"{file.name}.{os.getpid()}-{secrets.token_hex(4)}.tmp")
    if not file.exists():
        with os.fdopen(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as made:
            made.write(secrets.token_hex(_BYTES).encode())
        try:
            os.link(scratch, file)
        except FileExistsError:
            pass
        finally:
            scratch.unlink()
    return read(file)
