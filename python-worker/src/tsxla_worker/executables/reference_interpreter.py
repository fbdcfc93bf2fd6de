"""Runs modules by StableHLO's reference interpreter: the judge of what a module means.

The interpreter lives in a process of its own (`interpreter_process.py`), one for the worker, because it ends its
process where it has no answer; that becomes an error here, and the next run starts a new one. Its memory is bounded, so
that a module that asks for too much ends there and not the worker.

It does not know: `rng`, `rng_bit_generator`, `cholesky`, `triangular_solve`, custom calls, CHLO, collectives outside
of one device, dynamic shapes. It knows composites (by their decomposition), and all element types of the contract.
"""

import contextlib
import os
import resource
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, cast

import jax
import numpy as np

from tsxla_worker.contract.errors import clip, internal
from tsxla_worker.executables.interpreter_process import receive, send
from tsxla_worker.machine import memory
from tsxla_worker.tensors.tensor_bytes import decode, encode
from tsxla_worker.tensors.tensor_types import TensorType

_SOURCES = str(Path(__file__).resolve().parents[2])


class Reference:
    """The interpreter's process, started when it is first needed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._errors: BinaryIO | None = None

    def run(
        self,
        text: str,
        arguments: Sequence[jax.Array | np.ndarray],
        kinds: Sequence[TensorType],
        results: Sequence[TensorType],
    ) -> list[np.ndarray]:
        """Evaluates `@main` on arrays; fails with EXECUTION_FAILED and the interpreter's own words."""
        given = [(kind.element.name, kind.shape, encode(array)) for array, kind in zip(arguments, kinds, strict=True)]
        wanted = [(kind.element.name, kind.shape) for kind in results]
        with self._lock:
            answer = self._ask((text, given, wanted))
        if isinstance(answer, str):
            raise internal("EXECUTION_FAILED", f"The reference interpreter gave up: {clip(answer, 1500)}")
        return [decode(data, kind) for data, kind in zip(answer, results, strict=True)]

    def close(self) -> None:
        """Ends the process."""
        with self._lock:
            process = self._process
            if process is not None and process.stdin is not None:
                process.stdin.close()
                self._last_words(process)

    def _ask(self, request: object) -> list[bytes] | str:
        if self._process is None or self._process.poll() is not None:
            self._start()
        process = self._process
        assert process is not None
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            send(cast("BinaryIO", process.stdin), request)
            answer = receive(cast("BinaryIO", process.stdout))
        except BrokenPipeError:
            answer = None
        return cast("list[bytes]", answer) if answer is not None else self._last_words(process)

    def _start(self) -> None:
        self._errors = cast("BinaryIO", tempfile.TemporaryFile())  # noqa: SIM115 (as long as the process)
        path = os.pathsep.join([_SOURCES, os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tsxla_worker.executables.interpreter_process"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env={**os.environ, "PYTHONPATH": path},
            start_new_session=True,
        )
        if sys.platform == "linux":
            limit = (memory.available_bytes() or 1 << 33) // 2
            resource.prlimit(self._process.pid, resource.RLIMIT_DATA, (limit, limit))

    def _last_words(self, process: subprocess.Popen[bytes]) -> str:
        """Says how the process ended."""
        assert self._errors is not None
        assert process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()
        with process, self._errors:
            code = process.wait()
            self._errors.seek(max(0, self._errors.seek(0, os.SEEK_END) - 4000))
            words = self._errors.read().decode("utf-8", "replace").strip()
        self._process = self._errors = None
        for line in reversed(words.splitlines()):
            if "LLVM ERROR:" in line:
                return line.partition("LLVM ERROR:")[2].strip()
        if code == -8:
            return "an integer was divided by zero"
        return f"it ended with code {code}: {words[-500:] or 'no message'}"
