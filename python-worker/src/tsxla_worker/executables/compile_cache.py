"""The store behind JAX's compile cache: files that are whole or absent.

JAX's own store writes in place and never replaces, so a worker that is killed while it writes, or a bit that flips,
would spoil an entry for good. Here an entry is written beside its place and renamed, carries its SHA-256, and is
removed when that does not match: then it is simply compiled again.

The folder is as trusted as the worker itself: whoever can write there can make the worker run machine code.
"""

import contextlib
import hashlib
import os
import secrets
from pathlib import Path

from tsxla_worker.machine.logs import Logs

_DIGEST = 32


class CompileCache:
    """A folder of compiled programs."""

    def __init__(self, folder: Path, logs: Logs) -> None:
        self.folder = folder
        self._logs = logs
        folder.mkdir(parents=True, exist_ok=True)

    def get(self, key: str) -> bytes | None:
        """Returns an entry that is whole, or None."""
        path = self._path(key)
        try:
            content = path.read_bytes()
        except OSError:
            return None
        value = content[_DIGEST:]
        if hashlib.sha256(value).digest() == content[:_DIGEST]:
            return value
        self._logs.warning("compile_cache_entry_damaged", file=path)
        with contextlib.suppress(OSError):
            path.unlink()
        return None

    def put(self, key: str, value: bytes) -> None:
        """Keeps an entry; a full disk is logged and not an error."""
        path = self._path(key)
        scratch = path.with_suffix(f".{os.getpid()}-{secrets.token_hex(4)}.tmp")
        try:
            scratch.write_bytes(hashlib.sha256(value).digest() + value)
            scratch.replace(path)
        except OSError as error:
            self._logs.warning("compile_cache_not_written", file=path, error=str(error))
            with contextlib.suppress(OSError):
                scratch.unlink()

    def _path(self, key: str) -> Path:
        return self.folder / f"{hashlib.sha256(key.encode()).hexdigest()}.xla"
