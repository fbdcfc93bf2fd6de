"""What a worker holds: buffers, executables, checkpoints, sessions, and what it can say of itself."""

import os
import platform
from dataclasses import dataclass, field
from pathlib import Path

import jax
import jaxlib

from tsxla_worker import __version__, jax_private
from tsxla_worker.checkpoints.open import Checkpoints
from tsxla_worker.contract.generated import pb
from tsxla_worker.executables.compile_cache import CompileCache
from tsxla_worker.executables.registry import Executables
from tsxla_worker.hosts import group
from tsxla_worker.hosts.group import Group
from tsxla_worker.hosts.launch_order import Launches
from tsxla_worker.machine import memory
from tsxla_worker.machine.logs import Logs
from tsxla_worker.machine.paths import Root
from tsxla_worker.measuring.metrics import Metrics
from tsxla_worker.measuring.profiler import Profiler
from tsxla_worker.running.buffers import Buffers
from tsxla_worker.running.session import Session
from tsxla_worker.saved_executables.file_format import Saved
from tsxla_worker.saved_executables.signing_key import ExecutableKey


@dataclass
class Worker:
    """The state behind the service."""

    root: Root
    logs: Logs
    cache_dir: Path | None
    metrics: Metrics
    executables: Executables
    executable_key: ExecutableKey
    kept: dict[str, Saved] = field(default_factory=dict[str, Saved])
    """Programs for devices that are not here, until they are saved, by their handles."""
    buffers: Buffers = field(default_factory=Buffers)
    checkpoints: Checkpoints = field(default_factory=Checkpoints)
    sessions: set[Session] = field(default_factory=set[Session])
    profiler: Profiler = field(default_factory=Profiler)
    group: Group = field(default_factory=Group)
    launches: Launches = field(init=False)

    def __post_init__(self) -> None:
        self.launches = Launches(self.group, self.logs, self.buffers.clear)

    def info(self) -> pb.GetInfoResponse:
        """Describes the worker."""
        totals = [self.buffers.totals(), *(session.totals() for session in list(self.sessions))]
        return pb.GetInfoResponse(
            worker_version=__version__,
            jax_version=jax.__version__,
            jaxlib_version=jaxlib.__version__,
            python_version=platform.python_version(),
            platform=jax_private.platform(),
            devices=_devices(),
            process_id=os.getpid(),
            resident_bytes=memory.resident_bytes(),
            peak_resident_bytes=memory.peak_resident_bytes(),
            buffers=sum(count for count, _ in totals),
            buffer_bytes=sum(size for _, size in totals),
            root=str(self.root.folder),
            cache_dir=str(self.cache_dir or ""),
            host_index=self.group.index,
            host_count=self.group.hosts,
            group_id=self.group.id,
        )


def start(
    root: Path,
    cache_dir: Path | None,
    logs: Logs,
    wanted: group.Wanted | None = None,
    executable_key: Path | None = None,
) -> Worker:
    """Makes a worker, with others when a group is wanted; initialises JAX's devices."""
    jax_private.intercept_compilation()
    # Without this JAX narrows 64-bit tensors. Nothing is traced here, so no program changes its types by it.
    jax.config.update("jax_enable_x64", True)
    if cache_dir is not None:
        jax_private.use_cache_store(CompileCache(cache_dir, logs), str(cache_dir))
    joined = Group() if wanted is None else group.join(wanted)
    if joined.formed:
        jax_private.write_cache_on_every_host()
    jax.local_devices()
    metrics = Metrics()
    key = ExecutableKey(executable_key, cache_dir)
    made = Worker(Root(root), logs, cache_dir, metrics, Executables(logs, metrics), key, group=joined)
    metrics.watch(made.info, made.executables.count, lambda: len(made.sessions))
    return made


def _devices() -> list[pb.Device]:
    """Describes the devices of this host; a CPU does not say how much memory is its own."""
    return [
        pb.Device(id=found.id, kind=found.device_kind, memory_bytes=(found.memory_stats() or {}).get("bytes_limit", 0))
        for found in jax.local_devices()
    ]
