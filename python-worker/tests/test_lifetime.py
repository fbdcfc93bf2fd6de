"""python -m pytest python-worker/tests/test_lifetime.py. Real processes: how workers start and end, who may call."""

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from client import compile_, refused
from processes import COMMAND, ENVIRONMENT, Started
from programs import doubled
from tsxla_worker.contract.generated import pb, rpc


def health(channel: grpc.Channel) -> Any:
    """The health service's one call."""
    stub: Any = health_pb2_grpc.HealthStub(channel)
    return stub.Check


def gone(pid: int, seconds: float) -> bool:
    """Waits for a process to end that is not our child."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except (ProcessLookupError, FileNotFoundError):
            return True
        time.sleep(0.02)
    return False


def refuse(*options: str) -> tuple[int, str]:
    """Starts a worker that must not start."""
    ended = subprocess.run(
        [*COMMAND, *options], capture_output=True, text=True, env=ENVIRONMENT, timeout=60, check=False
    )
    assert ended.stdout == ""
    return ended.returncode, ended.stderr


def test_a_worker_says_where_it_serves_and_ends_on_sigterm(start: Callable[..., Started], place: Path) -> None:
    worker = start("--listen", f"unix:{place}/w", "--ready-file", str(place / "ready"))
    assert worker.ready == json.loads((place / "ready").read_text())
    assert worker.ready["process_id"] == worker.process.pid
    assert (place / "w").stat().st_mode & 0o777 == 0o600
    with grpc.insecure_channel(worker.ready["address"]) as channel:
        check = health(channel)
        for service in ("", "tsxla.worker.v1.WorkerService"):
            assert (
                check(health_pb2.HealthCheckRequest(service=service)).status == health_pb2.HealthCheckResponse.SERVING
            )
        info = rpc.WorkerServiceStub(channel).GetInfo(pb.GetInfoRequest())
        assert (info.process_id, info.root) == (worker.process.pid, str(place))
    began = time.monotonic()
    worker.process.send_signal(signal.SIGTERM)
    assert worker.process.wait(10) == 0
    assert time.monotonic() - began < 5
    assert not (place / "w").exists()
    events = [json.loads(line)["event"] for line in (place / "log").read_text().splitlines()]
    assert (events[0], events[-2:]) == ("ready", ["stopping", "stopped"])


def test_an_open_session_does_not_keep_a_worker_alive(start: Callable[..., Started], place: Path) -> None:
    worker = start("--listen", f"unix:{place}/w")
    with grpc.insecure_channel(worker.ready["address"]) as channel:
        requests: Iterator[pb.SessionRequest] = iter(lambda: time.sleep(0.05) or pb.SessionRequest(), None)
        responses: Any = rpc.WorkerServiceStub(channel).Session(requests)
        next(responses)
        worker.process.send_signal(signal.SIGTERM)
        assert worker.process.wait(8) == 0
        responses.cancel()


def test_a_worker_picks_a_port_and_serves_several_devices(start: Callable[..., Started], place: Path) -> None:
    worker = start("--listen", "127.0.0.1:0", "--devices", "3", "--cache-dir", str(place / "c"))
    host, _, port = worker.ready["address"].rpartition(":")
    assert host == "127.0.0.1"
    assert int(port) > 0
    info = worker.stub(place).GetInfo(pb.GetInfoRequest())
    assert [device.id for device in info.devices] == [0, 1, 2]
    assert info.cache_dir == str(place / "c")


def test_a_second_start_finds_what_the_first_compiled(start: Callable[..., Started], place: Path) -> None:
    options = ("--listen", f"unix:{place}/w", "--cache-dir", str(place / "cache"))
    first = start(*options)
    assert not compile_(first.stub(place), doubled()).from_cache
    first.process.send_signal(signal.SIGTERM)
    first.process.wait(10)
    assert compile_(start(*options).stub(place), doubled()).from_cache


def test_a_worker_ends_when_its_standard_input_ends(start: Callable[..., Started], place: Path) -> None:
    worker = start("--listen", f"unix:{place}/w", "--parent-pipe")
    assert worker.process.stdin is not None
    worker.process.stdin.close()
    assert worker.process.wait(8) == 0
    worker.process.stdin = None


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_worker_is_gone_when_its_parent_is(
    start: Callable[..., Started], place: Path, number: signal.Signals
) -> None:
    worker = start("--listen", f"unix:{place}/w", "--parent-pipe", parent=True)
    pid = worker.ready["process_id"]
    assert pid != worker.process.pid
    os.kill(worker.process.pid, number)
    assert gone(pid, 8)


def test_without_the_flag_a_worker_outlives_its_input(start: Callable[..., Started], place: Path) -> None:
    worker = start("--listen", f"unix:{place}/w")
    assert worker.process.stdin is not None
    worker.process.stdin.close()
    worker.process.stdin = None
    assert worker.stub(place).GetInfo(pb.GetInfoRequest()).process_id == worker.process.pid


def test_a_killed_worker_s_socket_does_not_stop_the_next(start: Callable[..., Started], place: Path) -> None:
    first = start("--listen", f"unix:{place}/w")
    first.process.kill()
    first.process.wait()
    assert (place / "w").exists()
    second = start("--listen", f"unix:{place}/w")
    assert second.stub(place).GetInfo(pb.GetInfoRequest()).process_id == second.process.pid


def test_a_socket_on_which_somebody_answers_is_left_alone(place: Path) -> None:
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(place / "w"))
        other.listen()
        code, said = refuse("--listen", f"unix:{place}/w")
        assert (code, (place / "w").exists()) == (1, True)
        assert f"Another process listens on {place}/w." in said


def test_what_is_no_socket_is_left_alone(place: Path) -> None:
    (place / "w").write_text("precious")
    code, said = refuse("--listen", f"unix:{place}/w")
    assert (code, (place / "w").read_text()) == (1, "precious")
    assert "exists and is not a socket" in said


def test_a_port_that_is_taken_is_an_error(place: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        code, said = refuse("--listen", f"127.0.0.1:{other.getsockname()[1]}")
        assert code == 1
        assert "can't be listened on" in said


def test_calls_without_the_token_are_refused(start: Callable[..., Started], place: Path) -> None:
    (place / "token").write_text("s3cret\n")
    worker = start("--listen", f"unix:{place}/w", "--token-file", str(place / "token"))
    stub: Any = worker.stub(place)
    for metadata in (
        (),
        (("authorization", "Bearer wrong"),),
        (("authorization", "s3cret"),),
        (("authorization", "Bearer s3cret "),),
    ):
        calls: list[Callable[[], object]] = [
            lambda metadata=metadata: stub.GetInfo(pb.GetInfoRequest(), metadata=metadata),
            lambda metadata=metadata: list(stub.ReadFile(pb.ReadFileRequest(path="token"), metadata=metadata)),
            lambda metadata=metadata: stub.Upload(iter([pb.UploadRequest()]), metadata=metadata),
            lambda metadata=metadata: list(stub.Session(iter([pb.SessionRequest()]), metadata=metadata)),
        ]
        for call in calls:
            code, reason, _, message = refused(call)
            assert (code, reason) == (grpc.StatusCode.UNAUTHENTICATED, "TOKEN_INVALID")
            assert "s3cret" not in message
    right = (("authorization", "Bearer s3cret"),)
    assert stub.GetInfo(pb.GetInfoRequest(), metadata=right).process_id == worker.process.pid
    with grpc.insecure_channel(worker.ready["address"]) as channel:
        assert health(channel)(health_pb2.HealthCheckRequest()).status
    assert "s3cret" not in (place / "log").read_text()


def certificate(place: Path) -> tuple[str, str]:
    key, cert = str(place / "key.pem"), str(place / "cert.pem")
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    try:
        subprocess.run(
            [*command, "-keyout", key, "-out", cert, "-days", "2", *subject], check=True, capture_output=True
        )
    except FileNotFoundError:
        pytest.skip("openssl makes the certificate, and this machine has none")
    return cert, key


def test_a_worker_on_the_network_speaks_tls(start: Callable[..., Started], place: Path) -> None:
    cert, key = certificate(place)
    (place / "token").write_text("t")
    tls = ("--token-file", str(place / "token"), "--tls-cert", cert, "--tls-key", key)
    worker = start("--listen", "0.0.0.0:0", *tls)
    port = worker.ready["address"].rpartition(":")[2]
    credentials = grpc.ssl_channel_credentials(Path(cert).read_bytes())
    with grpc.secure_channel(f"localhost:{port}", credentials) as channel:
        stub: Any = rpc.WorkerServiceStub(channel)
        info = stub.GetInfo(pb.GetInfoRequest(), metadata=(("authorization", "Bearer t"),))
        assert info.process_id == worker.process.pid
    with grpc.insecure_channel(f"localhost:{port}") as channel, pytest.raises(grpc.RpcError):
        rpc.WorkerServiceStub(channel).GetInfo(pb.GetInfoRequest(), timeout=5)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--listen", "0.0.0.0:1"], "can be reached from other machines: that needs --token-file, --tls-cert and --tls-key"),
        (["--listen", "[::]:1"], "can be reached from other machines"),
        (["--listen", "example.org:1"], "can be reached from other machines"),
        (["--listen", "nonsense"], "'nonsense' is not an address: unix:PATH or HOST:PORT"),
        (["--listen", "localhost:99999"], "is not an address"),
        (["--listen", "unix:/tmp/" + "x" * 200], "The socket's path is longer than"),
        (["--root", "/nowhere"], "--root /nowhere is not a folder"),
        (["--tls-cert", "x"], "--tls-cert and --tls-key go together"),
        (["--devices", "0"], "--devices takes a number from 1 to 1024"),
        (["--num-processes", "2"], "--coordinator goes together with --num-processes of 2 or more"),
        (["--coordinator", "a:1"], "--coordinator goes together with --num-processes of 2 or more"),
        (["--coordinator", "a", "--num-processes", "2"], "--coordinator a is not HOST:PORT"),
        (["--coordinator", "a:1", "--num-processes", "2", "--process-id", "2"], "hosts count from 0 to N - 1"),
    ],
)  # fmt: skip
def test_a_wrong_command_line_is_refused_with_a_sentence(options: list[str], sentence: str) -> None:
    code, said = refuse(*options)
    assert code == 2
    assert sentence in said


def test_an_empty_token_is_refused(place: Path) -> None:
    (place / "token").write_text(" \n")
    code, said = refuse("--listen", f"unix:{place}/w", "--token-file", str(place / "token"))
    assert code == 1
    assert "is empty" in said


def test_a_long_compilation_does_not_keep_others_waiting(start: Callable[..., Started], place: Path) -> None:
    worker = start("--listen", f"unix:{place}/w")
    stub: Any = worker.stub(place)
    lines = "\n".join(
        f"%v{i + 1} = stablehlo.{'sine' if i % 2 else 'cosine'} %v{i} : tensor<64xf32>" for i in range(1500)
    )
    module = (
        f"func.func public @main(%v0: tensor<64xf32>) -> tensor<64xf32> {{\n{lines}\nreturn %v1500 : tensor<64xf32>\n}}"
    )
    stub.GetInfo(pb.GetInfoRequest())
    compiling = stub.Compile.future(pb.CompileRequest(module=module))
    waits: list[float] = []
    while not compiling.done():
        began = time.monotonic()
        stub.GetInfo(pb.GetInfoRequest())
        waits.append(time.monotonic() - began)
        time.sleep(0.02)
    assert compiling.result().executable_id
    assert max(waits) < 2
