"""Profiles: what the worker runs, as JAX's profiler records it, one recording at a time.

A recording holds an `.xplane.pb` for XProf, the same as `.trace.json.gz` for Perfetto, and a third,
`tsxla.trace.json.gz`, in which operations have the names of the model and its TypeScript lines (`profile_names.py`).
"""

import os
import threading
import time
from pathlib import Path

import grpc
import jax

from tsxla_worker.contract.errors import WorkerError, clip, internal, invalid
from tsxla_worker.measuring.profile_names import HloOf, rename


class Profiler:
    """Records for whoever asks first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def start(self, parent: Path) -> "Recording":
        """Begins a recording in a new folder below `parent`, which is made when it is not there."""
        if not self._lock.acquire(blocking=False):
            raise WorkerError(
                grpc.StatusCode.FAILED_PRECONDITION,
                "PROFILE_UNDER_WAY",
                "A profile is being recorded already; a worker records one at a time.",
            )
        try:
            return Recording(_new_folder(parent), self._lock)
        except BaseException:
            self._lock.release()
            raise


class Recording:
    """A profile under way."""

    def __init__(self, folder: Path, lock: threading.Lock) -> None:
        self.folder = folder
        self._lock = lock
        options = jax.profiler.ProfileOptions()
        # The worker's own Python says nothing about the program, and costs.
        options.python_tracer_level = 0
        try:
            jax.profiler.start_trace(str(folder), profiler_options=options)
        except Exception as error:
            raise _failed(error) from error

    def stop(self, hlo_of: HloOf) -> list[Path]:
        """Ends it and returns its files."""
        try:
            jax.profiler.stop_trace()
        except Exception as error:
            raise _failed(error) from error
        finally:
            self._lock.release()
        for trace in self.folder.rglob("*.trace.json.gz"):
            rename(trace, trace.with_name("tsxla.trace.json.gz"), hlo_of)
        return sorted(path for path in self.folder.rglob("*") if path.is_file())


def _new_folder(parent: Path) -> Path:
    stamp = time.strftime("%Y%m%dT%H%M%S", time.gmtime())
    for n in range(1, 1000):
        folder = parent / f"{stamp}-{os.getpid()}-{n}"
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            if parent.is_dir():
                continue
            raise invalid("PATH_INVALID", f"{parent} is no folder.", path=parent) from None
        except OSError as error:
            raise invalid("PATH_INVALID", f"{folder} can't be made: {error.strerror}.", path=folder) from error
        return folder
    raise invalid("PATH_INVALID", f"{parent} has too many profiles of this second.", path=parent)


def _failed(error: Exception) -> WorkerError:
    return internal("PROFILE_FAILED", f"The profiler failed: {clip(str(error), 500)}")
