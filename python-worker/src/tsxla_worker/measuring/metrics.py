"""What a worker counts, for Prometheus.

Counters and histograms are fed where things happen; gauges are read off the worker when somebody asks.
Not here: serving them (`serving/metrics_server.py`).
"""

from collections.abc import Callable, Iterator

import jax
from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from tsxla_worker.contract.generated import pb
from tsxla_worker.machine import memory

type Count = Callable[[], int]

# A decode step takes 0.2 ms to 100 ms, a prefill seconds, a compilation of a large model minutes.
_CALL_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800)
_RUN_SECONDS = (0.0001, 0.00025, *_CALL_SECONDS[:14])
_COMPILE_SECONDS = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600)


class Metrics:
    """The counters of one worker."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._calls = Counter("tsxla_calls", "Calls that have ended.", ["method", "code"], registry=self.registry)
        self._call_seconds = Histogram(
            "tsxla_call_seconds",
            "From a call's arrival to its end; of a session, as long as it was open.",
            ["method"],
            buckets=_CALL_SECONDS,
            registry=self.registry,
        )
        self._compiles = Counter(
            "tsxla_compiles",
            "Programs asked for, by where they came from: `xla`, the persistent `cache`, or `memory`.",
            ["source"],
            registry=self.registry,
        )
        self._compile_seconds = Histogram(
            "tsxla_compile_seconds",
            "From a text to a program that can run, of those that were not in memory.",
            ["source"],
            buckets=_COMPILE_SECONDS,
            registry=self.registry,
        )
        run_seconds = Histogram(
            "tsxla_run_seconds",
            "From the start of a program until its results were ready; `step` in a session, `execute` outside of one.",
            ["kind"],
            buckets=_RUN_SECONDS,
            registry=self.registry,
        )
        # From the first scrape on a series is there, so that its rate is known from the first event on.
        for source in ("xla", "cache", "memory"):
            self._compiles.labels(source)
        # Looking a label up takes as long as counting, and a step may take less than a millisecond.
        self._runs = {kind: run_seconds.labels(kind) for kind in ("step", "execute")}
        ProcessCollector(registry=self.registry)

    def watch(self, info: Callable[[], pb.GetInfoResponse], executables: Count, sessions: Count) -> None:
        """Adds what is read off a worker at each scrape.

        Args:
            info: Describes the worker.
            executables: Counts the programs that are kept.
            sessions: Counts the sessions that are open.
        """
        self.registry.register(_State(info, executables, sessions))

    def call(self, method: str, code: str, seconds: float) -> None:
        """Counts a call; `method` is its path, whose last part is kept."""
        name = method.rpartition("/")[2]
        self._calls.labels(name, code).inc()
        self._call_seconds.labels(name).observe(seconds)

    def compiled(self, source: str, seconds: float | None = None) -> None:
        """Counts a compilation."""
        self._compiles.labels(source).inc()
        if seconds is not None:
            self._compile_seconds.labels(source).observe(seconds)

    def ran(self, kind: str, seconds: float) -> None:
        """Counts a run."""
        self._runs[kind].observe(seconds)


class _State(Collector):
    """What a worker holds at the moment."""

    def __init__(self, info: Callable[[], pb.GetInfoResponse], executables: Count, sessions: Count) -> None:
        self._info = info
        self._executables = executables
        self._sessions = sessions

    def collect(self) -> Iterator[Metric]:
        """Reads it."""
        info = self._info()
        versions = InfoMetricFamily("tsxla_worker", "What the worker is.")
        versions.add_metric(
            [],
            {
                "version": info.worker_version,
                "jax": info.jax_version,
                "jaxlib": info.jaxlib_version,
                "python": info.python_version,
                "platform": info.platform,
            },
        )
        yield versions
        yield GaugeMetricFamily("tsxla_buffers", "Tensors on the devices, slots of sessions included.", info.buffers)
        yield GaugeMetricFamily("tsxla_buffer_bytes", "Their bytes.", info.buffer_bytes)
        yield GaugeMetricFamily("tsxla_executables", "Programs that are kept.", self._executables())
        yield GaugeMetricFamily("tsxla_sessions", "Sessions that are open.", self._sessions())
        yield GaugeMetricFamily("tsxla_resident_bytes", "Memory of the host that is occupied.", info.resident_bytes)
        yield GaugeMetricFamily("tsxla_peak_resident_bytes", "The most it has been.", info.peak_resident_bytes)
        available = memory.available_bytes()
        if available is not None:
            yield GaugeMetricFamily("tsxla_available_bytes", "Memory of the host that can still be had.", available)
        yield from _device_memory()


def _device_memory() -> Iterator[Metric]:
    """Of devices that tell; a CPU's is the host's."""
    labels = ["device", "kind"]
    used = GaugeMetricFamily("tsxla_device_memory_bytes", "Memory of a device that is in use.", labels=labels)
    peak = GaugeMetricFamily("tsxla_device_peak_memory_bytes", "The most it has been.", labels=labels)
    limit = GaugeMetricFamily("tsxla_device_memory_limit_bytes", "How much there is.", labels=labels)
    for device in jax.local_devices():
        stats = device.memory_stats() or {}
        for family, key in ((used, "bytes_in_use"), (peak, "peak_bytes_in_use"), (limit, "bytes_limit")):
            if key in stats:
                family.add_metric([str(device.id), device.device_kind], stats[key])
    yield from (family for family in (used, peak, limit) if family.samples)
