"""Starts workers for a Node process and ends them with it.

Runs inside the one Python interpreter that pythonia gives a Node process, so it uses the standard library only and
never waits: the interpreter answers one call at a time. Arguments and results are JSON texts.

A worker holds the read end of a pipe whose write end is here. When this process ends, however it ends, the worker
reads the end of its pipe and ends too; at an orderly end it is also waited for, and killed when it doesn't go.
"""

import atexit
import json
import os
import shutil
import signal
import subprocess
import threading
import time
from pathlib import Path

# Ctrl-C reaches the whole terminal group. Node decides what it means; when Node goes, so do we.
signal.signal(signal.SIGINT, signal.SIG_IGN)


class _Worker:
    def __init__(self, spec: dict) -> None:
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(spec["pythonPath"])}
        # Node's own channel to this process is no business of the worker's.
        environment.pop("NODE_CHANNEL_FD", None)
        environment.pop("NODE_CHANNEL_SERIALIZATION_MODE", None)
        self.folder: str = spec["folder"]
        self.log = Path(spec["logFile"]).open("ab", buffering=0)  # noqa: SIM115
        self.ready: dict | None = None
        self.process = subprocess.Popen(
            spec["command"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.log,
            env=environment,
            # Not in the terminal's group: a worker outlives Ctrl-C until its client has said goodbye.
            start_new_session=True,
        )
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        """Waits for the ready line; what else is printed goes to the log, so that the pipe never fills."""
        assert self.process.stdout
        for line in self.process.stdout:
            if self.ready is None and line.startswith(b"{"):
                try:
                    self.ready = json.loads(line)
                    continue
                except ValueError:
                    pass
            self.log.write(line)

    def hang_up(self) -> None:
        assert self.process.stdin
        self.process.stdin.close()


_workers: dict[int, _Worker] = {}


def start(spec: str) -> str:
    """Starts a worker. `error` in the answer says what is wrong with the environment."""
    wanted = json.loads(spec)
    python = wanted["command"][0]
    if not os.access(python, os.X_OK):
        return json.dumps({"error": f"there is no Python at {python}"})
    try:
        worker = _Worker(wanted)
    except OSError as error:
        return json.dumps({"error": str(error)})
    _workers[worker.process.pid] = worker
    return json.dumps({"processId": worker.process.pid})


def status(pid: int) -> str:
    """Tells whether a worker is ready and how it ended, if it did."""
    worker = _workers[pid]
    code = worker.process.poll()
    if code is None:
        return json.dumps({"ready": worker.ready, "ended": None})
    name = signal.Signals(-code).name if code < 0 else None
    return json.dumps({"ready": worker.ready, "ended": {"exitCode": max(code, 0), "signal": name}})


def hang_up(pid: int) -> None:
    """Asks a worker to end, by closing its pipe."""
    _workers[pid].hang_up()


def kill(pid: int) -> None:
    """Ends a worker at once."""
    _workers[pid].process.kill()


def forget(pid: int) -> None:
    """Lets go of a worker that has ended."""
    worker = _workers.pop(pid)
    worker.log.close()


@atexit.register
def _end_all() -> None:
    for worker in _workers.values():
        worker.hang_up()
    deadline = time.monotonic() + 3
    for worker in _workers.values():
        try:
            worker.process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            worker.process.kill()
        shutil.rmtree(worker.folder, ignore_errors=True)
