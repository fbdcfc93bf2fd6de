"""Tensors on the devices, by handle.

A handle of a host in a group is made of its launch's number, so that all hosts name a buffer alike.
A handle dies by release, by donation to a run, or when a session takes the buffer over; asking for a dead one says
which of these it was. Memory goes back when nothing refers to the array any more: a call that a session declared
keeps the weights it uses.
"""

import itertools
import threading
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass

import jax

from tsxla_worker.contract.errors import WorkerError, not_found
from tsxla_worker.tensors.tensor_types import TensorType

# How many dead handles are remembered for the sake of the message.
_REMEMBERED = 100_000


@dataclass(frozen=True)
class Buffer:
    """A tensor on the devices and its handle."""

    id: str
    array: jax.Array
    type: TensorType


class Buffers:
    """All buffers that have a handle."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._live: dict[str, Buffer] = {}
        self._dead: OrderedDict[str, str] = OrderedDict()
        self._numbers = itertools.count(1)

    def add(self, array: jax.Array, kind: TensorType, launch: int = 0, index: int = 0) -> Buffer:
        """Gives an array a handle: that of the launch's result at `index`, or the next one."""
        id_ = f"l-{launch}-{index}" if launch else f"b-{next(self._numbers)}"
        buffer = Buffer(id_, array, kind)
        with self._lock:
            self._live[buffer.id] = buffer
        return buffer

    def get(self, id_: str) -> Buffer:
        """Returns a live buffer."""
        buffer = self._live.get(id_)
        if buffer is None:
            raise self.missing(id_)
        return buffer

    def take(self, id_: str, fate: str) -> Buffer:
        """Ends a handle and returns its buffer; `fate` says how, as in "it was donated to a run"."""
        with self._lock:
            buffer = self._live.pop(id_, None)
            if buffer is None:
                raise self.missing(id_)
            self._bury(id_, fate)
            return buffer

    def release(self, ids: Iterable[str]) -> int:
        """Forgets handles and returns how many were alive."""
        with self._lock:
            known = [id_ for id_ in ids if self._live.pop(id_, None) is not None]
            for id_ in known:
                self._bury(id_, "it was released")
            return len(known)

    def release_launch(self, launch: int) -> int:
        """Forgets all that a launch of a group made and returns how many were alive."""
        with self._lock:
            made = [id_ for id_ in self._live if id_.startswith(f"l-{launch}-")]
        return self.release(made)

    def clear(self) -> None:
        """Forgets every handle, also what became of dead ones."""
        with self._lock:
            self._live.clear()
            self._dead.clear()

    def totals(self) -> tuple[int, int]:
        """Returns the number of buffers and their bytes."""
        with self._lock:
            return len(self._live), sum(buffer.type.bytes for buffer in self._live.values())

    def missing(self, id_: str) -> WorkerError:
        """Makes the error that says what became of a handle."""
        fate = self._dead.get(id_, "no such buffer was made, or it died long ago")
        return not_found("BUFFER_NOT_FOUND", f"There is no buffer {id_!r}: {fate}.", buffer_id=id_, fate=fate)

    def _bury(self, id_: str, fate: str) -> None:
        self._dead[id_] = fate
        if len(self._dead) > _REMEMBERED:
            self._dead.popitem(last=False)
