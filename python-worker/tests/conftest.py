"""One worker in this process for all contract tests, reached over a socket like any other."""

import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import grpc
import pytest

from tsxla_worker.contract.generated import rpc
from tsxla_worker.machine.logs import Logs
from tsxla_worker.serving import address, server, worker

sys.path.insert(0, str(Path(__file__).parent))

from processes import COMMAND, PARENT, Started

OPTIONS = (("grpc.max_receive_message_length", 256 << 20), ("grpc.max_send_message_length", 256 << 20))


@pytest.fixture(scope="session")
def folder() -> Iterator[Path]:
    """A short-lived folder with a short path: the worker's root."""
    with tempfile.TemporaryDirectory(prefix="tsxla-") as name:
        yield Path(name)


@pytest.fixture(scope="session")
def running(folder: Path) -> Iterator[worker.Worker]:
    """The worker behind the service."""
    logs = Logs(folder / "worker.log")
    made = worker.start(folder, folder / "cache", logs)
    serving = server.Server(made, address.parse(f"unix:{folder}/w.sock"), server.Security())
    serving.start()
    yield made
    serving.stop(1)
    made.executables.close()


@pytest.fixture(scope="session")
def stub(running: worker.Worker, folder: Path) -> Iterator[rpc.WorkerServiceStub]:
    """A client."""
    with grpc.insecure_channel(f"unix:{folder}/w.sock", options=OPTIONS) as channel:
        yield rpc.WorkerServiceStub(channel)


@pytest.fixture
def place() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="tsxla-") as name:
        yield Path(name)


@pytest.fixture
def start(place: Path) -> Iterator[Callable[..., Started]]:
    made: list[Started] = []

    def begin(*options: str, parent: bool = False) -> Started:
        command = [*COMMAND, "--root", str(place), "--log-file", str(place / "log"), *options]
        made.append(Started([sys.executable, "-c", PARENT, *command] if parent else command))
        return made[-1]

    yield begin
    for each in made:
        each.process.kill()
        each.process.communicate()
