"""Workers in processes of their own."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import grpc

from tsxla_worker.contract.generated import rpc

SOURCES = str(Path(__file__).parents[1] / "src")
COMMAND = [sys.executable, "-m", "tsxla_worker"]
ENVIRONMENT = {**os.environ, "PYTHONPATH": SOURCES}
PARENT = """
import subprocess, sys, time
worker = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
print(worker.stdout.readline(), end="", flush=True)
time.sleep(600)
"""


class Started:
    """A worker in a process of its own, or in a child's."""

    def __init__(self, command: list[str]) -> None:
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, self.process.communicate(timeout=10)
        self.ready: dict[str, Any] = json.loads(line)

    def stub(self, folder: Path) -> rpc.WorkerServiceStub:
        assert folder
        return rpc.WorkerServiceStub(grpc.insecure_channel(self.ready["address"]))
