"""python -m pytest python-worker/tests/test_image.py. The Dockerfile of deploy/worker, without Docker."""

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from processes import Started
from test_lifetime import certificate
from tsxla_worker.serving import command_line

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy/worker"


def instructions() -> list[tuple[str, str]]:
    """Each instruction and its words, lines that end in a backslash joined."""
    text = re.sub(r"\\\n", " ", (FOLDER / "Dockerfile").read_text())
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [(word, rest.strip()) for word, _, rest in (line.partition(" ") for line in lines)]


def words(instruction: str) -> list[str]:
    """The words of the last instruction of that name, which is a JSON list."""
    rest = next(rest for word, rest in reversed(instructions()) if word == instruction)
    return json.loads(rest[rest.index("[") :])


def test_all_that_is_copied_is_in_the_checkout_and_in_the_context() -> None:
    seen = (FOLDER / "Dockerfile.dockerignore").read_text().splitlines()
    assert seen[0] == "*"
    copies = [rest for word, rest in instructions() if word == "COPY" and "--from=" not in rest]
    copied = [source for rest in copies for source in rest.split()[:-1]]
    assert copied != []
    for source in copied:
        assert (ROOT / source).exists(), source
        assert f"!{source}" in seen, source


def test_the_base_is_one_version_and_the_user_has_no_rights() -> None:
    given = dict(instructions())
    python = next(rest for word, rest in instructions() if word == "ARG" and rest.startswith("PYTHON="))
    assert re.fullmatch(r"PYTHON=3\.1[23]\.\d+-slim-\w+", python)
    assert all(rest.startswith("python:${PYTHON}") for word, rest in instructions() if word == "FROM")
    assert given["USER"] == "10001:10001"
    # Nothing is done after the user is set that would need rights.
    names = [word for word, _ in instructions()]
    assert not {"RUN", "COPY", "USER"} & set(names[names.index("USER") + 1 :])


def test_what_is_installed_is_what_the_worker_imports_in_the_versions_of_the_lock() -> None:
    (install,) = [rest for word, rest in instructions() if word == "RUN" and "runtime.txt" in rest]
    script = shlex.split(install.split("&&")[0].replace("> runtime.txt", ""))
    made = subprocess.run(script, cwd=ROOT / "python-worker", check=True, capture_output=True, text=True).stdout
    names = set(re.findall(r"^([\w-]+)==", made, re.MULTILINE))
    assert {"jax", "jaxlib", "numpy", "grpcio", "grpcio-health-checking", "protobuf", "prometheus_client"} <= names
    assert not {"ruff", "pytest", "grpcio-tools"} & names
    lock = (ROOT / "python-worker/requirements.lock").read_text().splitlines()
    assert all(line in lock for line in made.splitlines() if "==" in line)
    imported = {
        match
        for source in (ROOT / "python-worker/src").rglob("*.py")
        for match in re.findall(r"^(?:from|import) (\w+)", source.read_text(), re.MULTILINE)
    }
    packages = {"grpc": "grpcio", "grpc_health": "grpcio-health-checking", "google": "protobuf"}
    own = {"tsxla_worker", "tsxla", *sys.stdlib_module_names}
    assert {packages.get(name, name) for name in imported - own} <= names


def test_the_stubs_are_those_of_set_up(place: Path) -> None:
    (build,) = [rest for word, rest in instructions() if word == "RUN" and "grpc_tools.protoc" in rest]
    command = shlex.split(build.split("&&")[1])
    assert command[0] == "/opt/tools/bin/python"
    out = [word.replace("=generated", f"={place}").replace("=proto", f"={ROOT / 'proto'}") for word in command[1:]]
    subprocess.run([sys.executable, *out], check=True)
    for name in ("worker_pb2.py", "worker_pb2_grpc.py"):
        ours = ROOT / "python-worker/generated/tsxla/worker/v1" / name
        assert (place / "tsxla/worker/v1" / name).read_text() == ours.read_text()


def test_its_arguments_are_the_workers_and_without_secrets_it_does_not_start(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    entry, arguments = words("ENTRYPOINT"), words("CMD")
    assert entry[:3] == ["python", "-m", "tsxla_worker"]
    fixed = [str(tmp_path) if word == "/models" else word for word in entry[3:]]
    chosen = command_line.parse([*fixed, *arguments])
    assert (chosen.listen.text, chosen.listen.local) == ("0.0.0.0:50051", False)
    assert str(chosen.token_file).startswith("/run/secrets/")
    with pytest.raises(SystemExit):
        command_line.parse([*fixed, *arguments[:2]])
    assert "that needs --token-file, --tls-cert and --tls-key" in capsys.readouterr().err


def check(ready: Path, **environment: str) -> tuple[int, str]:
    """Runs the image's health check."""
    command = words("HEALTHCHECK")
    assert command[:2] == ["python", "/app/health.py"]
    assert command[2] == words("ENTRYPOINT")[words("ENTRYPOINT").index("--ready-file") + 1]
    ended = subprocess.run(
        [sys.executable, str(FOLDER / "health.py"), str(ready)],
        check=False,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )
    return ended.returncode, ended.stderr


def test_the_health_check_tells_a_worker_that_serves_from_one_that_does_not(
    start: Callable[..., Started], place: Path
) -> None:
    ready = place / "ready.json"
    assert check(ready)[0] == 1
    worker = start("--listen", f"unix:{place}/w.sock", "--ready-file", str(ready))
    assert check(ready) == (0, "")
    worker.process.terminate()
    worker.process.wait(10)
    code, said = check(ready)
    assert (code, said.startswith("the worker does not answer: ")) == (1, True)


def test_the_health_check_speaks_tls_where_the_worker_does(start: Callable[..., Started], place: Path) -> None:
    cert, key = certificate(place)
    (place / "token").write_text("t")
    tls = ("--token-file", str(place / "token"), "--tls-cert", cert, "--tls-key", key)
    start("--listen", "0.0.0.0:0", *tls, "--ready-file", str(place / "ready.json"))
    assert check(place / "ready.json", TSXLA_HEALTH_CERT=cert) == (0, "")
    assert check(place / "ready.json", TSXLA_HEALTH_CERT=cert, TSXLA_HEALTH_NAME="other")[0] == 1
