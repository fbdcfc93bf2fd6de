"""Several hosts as one JAX program: joining them, and what becomes of a host whose peer is lost.

JAX starts a coordinator in host 0, which all hosts reach at one address; then `jax.devices()` lists the devices of all,
host by host, and a program over them runs when every host calls it. On CPUs the collectives are gloo's.
Not here: the order in which hosts run programs (`launch_order.py`), arrays that lie on several hosts
(`tensors/across_hosts.py`).
"""

import ctypes
import os
import secrets
import signal
from dataclasses import dataclass

import jax

from tsxla_worker import jax_private

HEARTBEAT_SECONDS = 20
"""How long a host may be silent before JAX ends the others. A client that drives the group notices sooner."""

PEER_LOST_EXIT = int(signal.SIGABRT)
"""The exit code of a host that lost the others: JAX has ended it, or they did not come."""

HUNG_EXIT = 7
"""The exit code of a host that ended itself, since it was stuck in a launch that the others had left."""

_ID_KEY = "tsxla/group"
_ID_TIMEOUT_MS = 60_000


class NotMetError(OSError):
    """The hosts of a group did not come together."""


@dataclass(frozen=True)
class Wanted:
    """The group that the command line names.

    Attributes:
        coordinator: `HOST:PORT`, where host 0 listens for the others.
        hosts: How many there are.
        index: Which of them this is.
        timeout_seconds: How long to wait for the others.
    """

    coordinator: str
    hosts: int
    index: int
    timeout_seconds: int = 300


@dataclass(frozen=True)
class Group:
    """The hosts that run in step.

    Attributes:
        index: Which of them this is.
        hosts: How many there are; 1 for a worker on its own.
        id: The same for all of them.
    """

    index: int = 0
    hosts: int = 1
    id: str = ""

    @property
    def formed(self) -> bool:
        """Whether there are other hosts."""
        return self.hosts > 1


def join(wanted: Wanted) -> Group:
    """Waits for the other hosts; call it before JAX looks for devices.

    Raises:
        NotMetError: Not all came within the time, or the coordinator can't be reached.
    """
    _end_quietly_on_abort()
    # It would take SIGTERM for itself, to tell of machines that are about to go.
    jax.config.update("jax_enable_preemption_service", False)
    jax.config.update("jax_cpu_collectives_implementation", "gloo")
    try:
        jax.distributed.initialize(
            wanted.coordinator,
            wanted.hosts,
            wanted.index,
            initialization_timeout=wanted.timeout_seconds,
            heartbeat_timeout_seconds=HEARTBEAT_SECONDS,
            # Without this JAX listens on every network, whatever address it was given.
            coordinator_bind_address=wanted.coordinator if _is_loopback(wanted.coordinator) else None,
        )
    except (RuntimeError, ValueError) as error:
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise NotMetError(
            f"Host {wanted.index} of {wanted.hosts} did not meet the others at {wanted.coordinator}: {first}"
        ) from error
    store = jax_private.group_store()
    if wanted.index == 0:
        store.key_value_set(_ID_KEY, secrets.token_hex(12))
    return Group(wanted.index, wanted.hosts, store.blocking_key_value_get(_ID_KEY, _ID_TIMEOUT_MS))


def _is_loopback(address: str) -> bool:
    host = address.rpartition(":")[0]
    return host in ("localhost", "[::1]") or host.startswith("127.")


def _end_quietly_on_abort() -> None:
    """Makes an abort an ordinary exit with code 6, and no core is dumped.

    JAX aborts a process when a peer is lost, from a thread of its own and without asking: its callback for this can't
    be set from Python (jaxlib 0.12 throws std::bad_cast when it calls one). What JAX says stands in the log.
    """
    libc = ctypes.CDLL(None)
    libc.signal.argtypes = [ctypes.c_int, ctypes.c_void_p]
    libc.signal.restype = ctypes.c_void_p
    # The handler's one argument, the signal's number, is the code that _exit takes.
    libc.signal(signal.SIGABRT, ctypes.cast(libc._exit, ctypes.c_void_p))


def end(code: int) -> None:
    """Ends the process at once: threads that sit in a collective can't be waited for."""
    os._exit(code)
