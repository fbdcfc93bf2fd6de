"""Structured logs: one JSON object a line with `time`, `level`, `event` and the event's fields.

To a file when one is given, else to stderr. A log that can't be written never fails what it reports.
"""

import contextlib
import json
import sys
import threading
import traceback
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO


class Logs:
    """Writes events."""

    def __init__(self, file: Path | None = None) -> None:
        self._lock = threading.Lock()
        self._stream: TextIO = sys.stderr if file is None else file.open("a", encoding="utf-8")

    def info(self, event: str, **fields: object) -> None:
        """Writes what happened."""
        self._write("info", event, fields)

    def warning(self, event: str, **fields: object) -> None:
        """Writes what should be looked at."""
        self._write("warning", event, fields)

    def failure(self, event: str, error: BaseException, **fields: object) -> None:
        """Writes an exception that nobody expected, with its stack."""
        stack = "".join(traceback.format_exception(error))
        self._write("error", event, {**fields, "error": repr(error), "stack": stack})

    def _write(self, level: str, event: str, fields: dict[str, object]) -> None:
        time = datetime.now(UTC).isoformat(timespec="milliseconds")
        line = json.dumps({"time": time, "level": level, "event": event, **fields}, default=str)
        with self._lock, contextlib.suppress(OSError, ValueError):
            self._stream.write(line + "\n")
            self._stream.flush()
