"""How much memory the process and the machine have: resident, peak, available."""

import contextlib
import ctypes
import resource
import sys
from pathlib import Path

_M_ARENA_MAX = -8  # in glibc's malloc.h


def resident_bytes() -> int:
    """Returns the memory that the process occupies now; where the system does not say, the peak."""
    return _status("VmRSS") or peak_resident_bytes()


def peak_resident_bytes() -> int:
    """Returns the most memory that the process has occupied."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return _status("VmHWM") or (peak if sys.platform == "darwin" else peak * 1024)


def share_arenas() -> None:
    """Lets the threads of the process share two arenas of glibc's allocator; call it before there are threads.

    By default each thread gets an arena of its own, which keeps what the thread frees: loading and compiling
    SmolLM2-135M left 70 MB of 1 GB behind that way. Weights are larger than what arenas hold.
    """
    with contextlib.suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 2)


def available_bytes() -> int | None:
    """Returns the memory that can still be had without swapping; None where the system does not say.

    The smaller of what the machine and what the process's control group leave. A container's limit is what kills a
    process there, and allocation itself never fails.
    """
    machine = _field(Path("/proc/meminfo"), "MemAvailable")
    group = _group_available()
    known = [bytes_ for bytes_ in (machine, group) if bytes_ is not None]
    return min(known) if known else None


def _group_available() -> int | None:
    for limit_file, usage_file, stat_file, cache_key in (
        ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current", "/sys/fs/cgroup/memory.stat", "inactive_file"),
        (
            "/sys/fs/cgroup/memory/memory.limit_in_bytes",
            "/sys/fs/cgroup/memory/memory.usage_in_bytes",
            "/sys/fs/cgroup/memory/memory.stat",
            "total_inactive_file",
        ),
    ):
        try:
            limit = int(Path(limit_file).read_text())
            used = int(Path(usage_file).read_text())
            # Pages of files count as used, but the kernel takes them back before it kills.
            pages = [
                line.split()[1] for line in Path(stat_file).read_text().splitlines() if line.startswith(cache_key + " ")
            ]
            return max(0, limit - used + int(pages[0] if pages else 0))
        except (OSError, ValueError):
            continue
    return None


def _status(name: str) -> int:
    return _field(Path("/proc/self/status"), name) or 0


def _field(path: Path, name: str) -> int | None:
    try:
        for line in path.read_text().splitlines():
            if line.startswith(name + ":"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError, IndexError):
        pass
    return None
