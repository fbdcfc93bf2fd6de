"""python -m pytest python-worker/tests/test_metrics.py. Real workers, scraped over HTTP; read by Prometheus' own parser."""

import socket
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from client import compile_, execute, refused, value
from processes import COMMAND, ENVIRONMENT, Started
from programs import doubled
from tsxla_worker.contract.generated import pb
from tsxla_worker.serving.address import parse
from tsxla_worker.serving.metrics_server import MetricsServer

type Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def scrape(url: str, token: str | None = None) -> Samples:
    """Reads all samples by name and labels."""
    headers = {} if token is None else {"authorization": f"Bearer {token}"}
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=10) as answer:
        assert answer.headers["content-type"].startswith("text/plain; version=")
        text = answer.read().decode()
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def at(samples: Samples, name: str, **labels: str) -> float:
    return samples[name, frozenset(labels.items())]


def test_a_scrape_tells_calls_compilations_runs_buffers_and_memory(start: Callable[..., Started], place: Path) -> None:
    worker = start("--metrics", "127.0.0.1:0", "--cache-dir", str(place / "cache"))
    stub, url = worker.stub(place), worker.ready["metrics"]
    before = scrape(url)
    assert at(before, "tsxla_compiles_total", source="xla") == 0
    assert at(before, "tsxla_buffers") == 0
    x = np.arange(3, dtype=np.float32)
    for _ in range(2):
        assert execute(stub, doubled("3xf32"), x)[0].tolist() == [0, 2, 4]
    made = compile_(stub, doubled("3xf32"))
    kept = stub.Execute(pb.ExecuteRequest(executable_id=made.executable_id, arguments=[value(x)]))
    assert kept.results[0].buffer.buffer_id
    assert refused(lambda: compile_(stub, "no module"))[1] == "MODULE_INVALID"
    define = pb.SessionDefine(
        executable_id=made.executable_id, arguments=[pb.SessionArgument(input=0)], results=[pb.SessionResult(slot=0)]
    )
    step = pb.SessionStep(sequence=1, inputs=[value(x).tensor], repeat=5, fetch=[0])
    requests = [pb.SessionRequest(define=define), pb.SessionRequest(step=step)]
    assert len(list(stub.Session(iter(requests)))) == 5
    after = scrape(url)
    assert at(after, "tsxla_compiles_total", source="xla") == 1
    assert at(after, "tsxla_compiles_total", source="memory") == 2
    assert at(after, "tsxla_compile_seconds_count", source="xla") == 1
    assert 0 < at(after, "tsxla_compile_seconds_sum", source="xla") < 60
    assert at(after, "tsxla_calls_total", method="Compile", code="OK") == 3
    assert at(after, "tsxla_calls_total", method="Compile", code="INVALID_ARGUMENT") == 1
    assert at(after, "tsxla_calls_total", method="Execute", code="OK") == 3
    assert at(after, "tsxla_call_seconds_count", method="Execute") == 3
    assert at(after, "tsxla_run_seconds_count", kind="execute") == 3
    assert at(after, "tsxla_run_seconds_count", kind="step") == 5
    assert at(after, "tsxla_executables") == 1
    # The session has ended, and its slot with it.
    assert (at(after, "tsxla_buffers"), at(after, "tsxla_buffer_bytes"), at(after, "tsxla_sessions")) == (1, 12, 0)
    assert at(after, "tsxla_resident_bytes") > 50e6
    assert at(after, "tsxla_peak_resident_bytes") >= at(after, "tsxla_resident_bytes") * 0.99
    assert at(after, "process_resident_memory_bytes") > 50e6
    info = stub.GetInfo(pb.GetInfoRequest())
    labels = {"version": info.worker_version, "jax": info.jax_version, "jaxlib": info.jaxlib_version}
    assert at(after, "tsxla_worker_info", **labels, python=info.python_version, platform="cpu") == 1


def test_a_program_of_the_persistent_cache_is_counted_as_such(start: Callable[..., Started], place: Path) -> None:
    for source in ("xla", "cache"):
        worker = start("--metrics", "127.0.0.1:0", "--cache-dir", str(place / "cache"))
        compile_(worker.stub(place), doubled("5xf32"))
        assert at(scrape(worker.ready["metrics"]), "tsxla_compiles_total", source=source) == 1
        worker.process.terminate()
        worker.process.wait(10)


def test_a_scrape_carries_the_token_and_finds_nothing_elsewhere(start: Callable[..., Started], place: Path) -> None:
    token = place / "token"
    token.write_text("secret\n")
    url = start("--metrics", "127.0.0.1:0", "--token-file", str(token)).ready["metrics"]
    assert at(scrape(url, "secret"), "tsxla_buffers") == 0
    for given in (None, "wrong"):
        with pytest.raises(urllib.error.HTTPError, match="401"):
            scrape(url, given)
    with pytest.raises(urllib.error.HTTPError, match="404"):
        scrape(url.replace("/metrics", "/"), "secret")


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("0.0.0.0:0", "0.0.0.0:0 can be reached from other machines"),
        ("unix:/tmp/m.sock", "Prometheus reads from HOST:PORT"),
        ("nowhere", "'nowhere' is not an address"),
    ],
)
def test_an_address_that_will_not_do_is_refused(address: str, sentence: str) -> None:
    ended = subprocess.run(
        [*COMMAND, "--metrics", address], check=False, env=ENVIRONMENT, capture_output=True, text=True, timeout=60
    )
    assert ended.returncode == 2
    assert sentence in " ".join(ended.stderr.split())


def test_a_port_that_is_taken_is_an_error_before_the_worker_serves(start: Callable[..., Started]) -> None:
    taken = start("--metrics", "127.0.0.1:0").ready["metrics"].split("/")[2]
    ended = subprocess.run(
        [*COMMAND, "--metrics", taken], check=False, env=ENVIRONMENT, capture_output=True, text=True, timeout=60
    )
    assert (ended.returncode, ended.stdout) == (1, "")
    assert f"{taken} can't be listened on for metrics" in ended.stderr


def test_a_client_that_sends_nothing_is_let_go_without_a_word(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tsxla_worker.serving.metrics_server._Handler.timeout", 0.1)
    server = MetricsServer(CollectorRegistry(), parse("127.0.0.1:0"), None, None)
    server.start()
    host, port = server.address.split("/")[2].split(":")
    with socket.create_connection((host, int(port)), timeout=10) as silent:
        assert silent.recv(1) == b""
    assert scrape(server.address) == {}
    server.stop()
    assert capfd.readouterr().err == ""
