"""Starts a worker: `python -m tsxla_worker --listen unix:PATH --root DIR`.

When it serves it prints one JSON line, `{"event": "ready", "address": …, "process_id": …}`, to stdout, and to
`--ready-file`; with `--metrics` it says where those are, too. Exit codes: 0 after a stop that was asked for, 1 when it
could not start, 2 for a wrong command line; 6 when the other hosts of its group were lost or did not come, 7 when it
was stuck in a launch (`hosts/group.py`).
"""

import importlib.util
import json
import os
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

_PARENT = os.getppid()  # before anything slow, see machine/lifetime.py

from tsxla_worker.machine import lifetime, memory  # noqa: E402
from tsxla_worker.machine.logs import Logs  # noqa: E402
from tsxla_worker.serving import address, command_line  # noqa: E402

if TYPE_CHECKING:
    from tsxla_worker.serving.metrics_server import MetricsServer
    from tsxla_worker.serving.server import Server

# What is in flight gets this long; a client that waits in an open session would use all of it.
_GRACE_SECONDS = 2.0
_ORPHAN_GRACE_SECONDS = 0.5


def main() -> None:
    """Runs until a signal, or the end of the parent, stops it."""
    chosen = command_line.parse()
    logs = Logs(chosen.log_file)
    stop = threading.Event()
    reasons: list[str] = []

    def ask(reason: str) -> None:
        reasons.append(reason)
        stop.set()

    lifetime.on_signals(ask)
    if chosen.parent_pipe:
        lifetime.end_with_parent(_PARENT, ask)
    try:
        server, metrics = _start(chosen, logs)
    except (OSError, ValueError) as error:
        logs.failure("start_failed", error)
        print(f"tsxla_worker: {error}", file=sys.stderr)
        _exit(_exit_code(error))
    said = {"event": "ready", "address": server.address, "process_id": os.getpid()}
    ready = json.dumps(said if metrics is None else said | {"metrics": metrics.address})
    logs.info("ready", address=server.address, root=chosen.root, cache_dir=chosen.cache_dir)
    if chosen.ready_file is not None:
        _write(chosen.ready_file, ready + "\n")
    print(ready, flush=True)
    if chosen.coordinator is not None:
        # gloo tells on standard output whom it has met, and that is not for whoever reads the ready line.
        os.dup2(2, 1)
    stop.wait()
    logs.info("stopping", reason=reasons[0])
    server.stop(_ORPHAN_GRACE_SECONDS if reasons[0].startswith("parent") else _GRACE_SECONDS)
    logs.info("stopped")
    _exit(0)


def _exit_code(error: Exception) -> int:
    # The package's code that imports JAX is not loaded when the start failed before that.
    group = sys.modules.get("tsxla_worker.hosts.group")
    return group.PEER_LOST_EXIT if group is not None and isinstance(error, group.NotMetError) else 1


def _start(chosen: command_line.Options, logs: Logs) -> "tuple[Server, MetricsServer | None]":
    # What is wrong with the files of the command line should not take JAX's import to say.
    if chosen.listen.path is not None:
        address.clear_stale_socket(chosen.listen.path)
    token = command_line.read_token(chosen.token_file) if chosen.token_file else None
    certificate = chosen.tls_cert.read_bytes() if chosen.tls_cert else None
    key = chosen.tls_key.read_bytes() if chosen.tls_key else None
    memory.share_arenas()
    # XLA and gRPC read these when they are imported.
    flags = os.environ.get("XLA_FLAGS", "")
    os.environ["XLA_FLAGS"] = f"{flags} --xla_force_host_platform_device_count={chosen.devices}".strip()
    _find_cuda_tools()
    if not _has_accelerator():
        # A compiler for TPUs may be installed where there is none; JAX would look for one, and take a while.
        os.environ.setdefault("JAX_PLATFORMS", "cpu")
    os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    from tsxla_worker.hosts import group
    from tsxla_worker.serving import server, worker
    from tsxla_worker.serving.metrics_server import MetricsServer

    security = server.Security(token, certificate, key)
    wanted = None if chosen.coordinator is None else group.Wanted(chosen.coordinator, chosen.hosts, chosen.host)
    held = worker.start(chosen.root, chosen.cache_dir, logs, wanted, chosen.executable_key)
    made = server.Server(held, chosen.listen, security)
    metrics = None
    if chosen.metrics is not None:
        tls = (chosen.tls_cert, chosen.tls_key) if chosen.tls_cert and chosen.tls_key else None
        # On the same machine nobody needs a certificate.
        metrics = MetricsServer(held.metrics.registry, chosen.metrics, token, None if chosen.metrics.local else tls)
        metrics.start()
    made.start()
    return made, metrics


def _find_cuda_tools() -> None:
    """Tells XLA where the assembler and the libraries are that it calls when it compiles for GPUs."""
    found = importlib.util.find_spec("nvidia")
    for folder in found.submodule_search_locations or [] if found else []:
        tools = Path(folder) / "cu13"
        if (tools / "bin/ptxas").exists():
            os.environ["PATH"] = f"{tools / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"
            os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} --xla_gpu_cuda_data_dir={tools}"


def _has_accelerator() -> bool:
    return any(Path(device).exists() for device in ("/dev/accel0", "/dev/vfio/0", "/dev/nvidia0", "/dev/dxg"))


def _write(path: Path, text: str) -> None:
    """Writes a file so that no reader sees half of it."""
    scratch = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    scratch.write_text(text, encoding="utf-8")
    scratch.replace(path)


def _exit(code: int) -> NoReturn:
    """Ends the process without waiting for threads that sit in a compilation."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
