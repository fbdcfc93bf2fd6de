"""The command line, as values."""

import argparse
from dataclasses import dataclass
from pathlib import Path

from tsxla_worker import __version__
from tsxla_worker.serving import address


@dataclass(frozen=True)
class Options:
    """What a worker was started with."""

    listen: address.Address
    root: Path
    token_file: Path | None
    tls_cert: Path | None
    tls_key: Path | None
    cache_dir: Path | None
    executable_key: Path | None
    log_file: Path | None
    ready_file: Path | None
    parent_pipe: bool
    devices: int
    metrics: address.Address | None
    coordinator: str | None
    hosts: int
    host: int


def parse(arguments: list[str] | None = None) -> Options:
    """Reads the command line; ends the process with code 2 and a sentence when it is wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m tsxla_worker",
        description="Owns this machine's devices for tsxla: compiles StableHLO, places tensors, runs programs.",
    )
    add = parser.add_argument
    add("--listen", default="127.0.0.1:0", metavar="ADDRESS", help="unix:PATH or HOST:PORT; port 0 picks one")
    add("--root", type=Path, default=Path(), metavar="DIR", help="the folder to which paths are confined (here)")
    add("--token-file", type=Path, metavar="FILE", help="calls must carry the token in this file")
    add("--tls-cert", type=Path, metavar="FILE", help="the certificate chain, PEM")
    add("--tls-key", type=Path, metavar="FILE", help="its private key, PEM")
    add("--cache-dir", type=Path, metavar="DIR", help="keeps compiled programs between runs")
    add("--executable-key", type=Path, metavar="FILE", help="signs saved executables (a key of its own in --cache-dir)")
    add("--log-file", type=Path, metavar="FILE", help="appends JSON lines here instead of to stderr")
    add("--ready-file", type=Path, metavar="FILE", help="writes the line that stdout gets when serving here as well")
    add("--parent-pipe", action="store_true", help="ends when standard input reaches its end")
    add("--devices", type=int, default=1, metavar="N", help="virtual devices on a CPU (1)")
    add("--metrics", metavar="ADDRESS", help="HOST:PORT where /metrics is served for Prometheus; port 0 picks one")
    add("--coordinator", metavar="HOST:PORT", help="where the hosts of a group meet: host 0 listens there")
    add("--num-processes", type=int, default=1, metavar="N", help="how many hosts the group has (1)")
    add("--process-id", type=int, default=0, metavar="I", help="which of them this is, from 0 (0)")
    add("--version", action="version", version=__version__)
    found = parser.parse_args(arguments)
    try:
        listen = address.parse(found.listen)
        metrics = address.parse(found.metrics) if found.metrics else None
    except ValueError as error:
        parser.error(str(error))
    if (found.tls_cert is None) != (found.tls_key is None):
        parser.error("--tls-cert and --tls-key go together.")
    for place in (listen, metrics):
        if place is not None and not place.local and (found.tls_cert is None or found.token_file is None):
            parser.error(
                f"{place.text} can be reached from other machines: that needs --token-file, --tls-cert and --tls-key."
            )
    if metrics is not None and metrics.path is not None:
        parser.error(f"--metrics {found.metrics} is a socket; Prometheus reads from HOST:PORT.")
    if not found.root.is_dir():
        parser.error(f"--root {found.root} is not a folder.")
    if not 1 <= found.devices <= 1024:
        parser.error("--devices takes a number from 1 to 1024.")
    _check_group(parser, found)
    return Options(
        listen=listen,
        root=found.root.absolute(),
        token_file=found.token_file,
        tls_cert=found.tls_cert,
        tls_key=found.tls_key,
        cache_dir=found.cache_dir.absolute() if found.cache_dir else None,
        executable_key=found.executable_key,
        log_file=found.log_file,
        ready_file=found.ready_file,
        parent_pipe=found.parent_pipe,
        devices=found.devices,
        metrics=metrics,
        coordinator=found.coordinator,
        hosts=found.num_processes,
        host=found.process_id,
    )


def _check_group(parser: argparse.ArgumentParser, found: argparse.Namespace) -> None:
    if found.num_processes < 1 or not 0 <= found.process_id < found.num_processes:
        parser.error(
            f"--process-id {found.process_id} of --num-processes {found.num_processes}: hosts count from 0 to N - 1."
        )
    if (found.coordinator is None) != (found.num_processes == 1):
        parser.error("--coordinator goes together with --num-processes of 2 or more.")
    if found.coordinator is not None:
        name, colon, port = found.coordinator.rpartition(":")
        if not (name and colon and port.isdecimal() and 0 < int(port) < 1 << 16):
            parser.error(f"--coordinator {found.coordinator} is not HOST:PORT.")


def read_token(file: Path) -> str:
    """Reads a token: the file's text without the white space around it; refuses an empty one."""
    token = file.read_text(encoding="utf-8").strip()
    if not token:
        raise ValueError(f"The token file {file} is empty.")
    return token
