"""Gets tensors of a checkpoint onto the devices, each through a program.

A tensor's bytes are read by `pread` into memory that XLA on CPU takes over without another copy (it asks for 64-byte
alignment). Reading rather than mapping costs nothing here, because what is mapped has to be faulted in page by page,
and a file that is cut off while it is read gives an error and not a SIGBUS that ends the worker.
A thread does the work, so that progress goes out while a program runs.
"""

import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import grpc
import jax
import numpy as np
from jaxtyping import Shaped

from tsxla_worker import calling, host_memory
from tsxla_worker.buffers import Buffer, Buffers
from tsxla_worker.checkpoints.index import Checkpoint, StoredTensor, damaged, stamp
from tsxla_worker.errors import WorkerError, invalid, not_found
from tsxla_worker.executables import Executable
from tsxla_worker.paths import closing, open_regular
from tsxla_worker.tensors import check_bytes, type_of

_PROGRESS_SECONDS = 0.2
_PIECE = 32 << 20


@dataclass(frozen=True)
class Item:
    """A call of a program on tensors; without a program, one tensor as it is."""

    executable: Executable | None
    tensors: Sequence[StoredTensor]


@dataclass(frozen=True)
class Progress:
    """How far a load is, and at the end its buffers."""

    items_done: int
    bytes_done: int
    bytes_total: int
    buffers: Sequence[Buffer] = ()


def item(checkpoint: Checkpoint, executable: Executable | None, names: Sequence[str]) -> Item:
    """Makes an item of names; refuses what could never run."""
    tensors: list[StoredTensor] = []
    for name in names:
        tensor = checkpoint.tensors.get(name)
        if tensor is None:
            raise not_found("TENSOR_NOT_FOUND", f"The checkpoint has no tensor {name!r}.", tensor=name)
        if not tensor.loadable:
            message = f"{name} is stored as {tensor.format}, which the worker lists but can't load."
            raise invalid("FORMAT_UNSUPPORTED", message, tensor=name, found=tensor.format)
        tensors.append(tensor)
    if executable is None:
        if len(tensors) != 1:
            message = f"An item without a program takes one tensor; {len(tensors)} came."
            raise invalid("ARGUMENT_MISMATCH", message, found=len(tensors), wanted=1)
    else:
        calling.check_count(executable, len(tensors))
        for index, tensor in enumerate(tensors):
            calling.check_argument(executable, index, tensor.type, f"tensor {tensor.name}")
    return Item(executable, tensors)


def load(
    checkpoint: Checkpoint, items: Sequence[Item], buffers: Buffers, cancelled: threading.Event
) -> Iterator[Progress]:
    """Loads items in order; gives progress, and buffers with the last one.

    When the caller stops listening, or sets `cancelled`, everything made so far is let go.
    """
    job = _Job(checkpoint, items, cancelled)
    thread = threading.Thread(target=job.run, name="load", daemon=True)
    thread.start()
    try:
        while True:
            job.finished.wait(_PROGRESS_SECONDS)
            if job.finished.is_set():
                break
            yield job.progress()
    finally:
        if not job.finished.is_set():
            cancelled.set()
    thread.join()
    if job.error is not None:
        raise job.error
    made = [buffers.add(array, type_of(array)) for array in job.results]
    job.results.clear()
    try:
        yield Progress(len(items), job.bytes_done, job.bytes_total, made)
    except GeneratorExit:
        buffers.release(buffer.id for buffer in made)
        raise


class _Job:
    """The work of one load, on its own thread."""

    def __init__(self, checkpoint: Checkpoint, items: Sequence[Item], cancelled: threading.Event) -> None:
        self.finished = threading.Event()
        self.error: BaseException | None = None
        self.results: list[jax.Array] = []
        self.items_done = 0
        self.bytes_done = 0
        self.bytes_total = sum(tensor.bytes for item in items for tensor in item.tensors)
        self._checkpoint = checkpoint
        self._items = items
        self._cancelled = cancelled
        self._staging = np.empty(0, np.uint8)

    def progress(self) -> Progress:
        """Returns how far it is."""
        return Progress(self.items_done, self.bytes_done, self.bytes_total)

    def run(self) -> None:
        """Does everything; leaves either results or an error."""
        try:
            with ExitStack() as stack:
                files = self._open_files(stack)
                self._staging = self._stage()
                for item in self._items:
                    self.results.extend(self._run_item(item, files))
                    self.items_done += 1
        except BaseException as error:
            self.results.clear()
            self.error = error
        finally:
            self.finished.set()

    def _open_files(self, stack: ExitStack) -> Mapping[Path, int]:
        paths = {tensor.file for item in self._items for tensor in item.tensors}
        files = {path: stack.enter_context(closing(open_regular(path))) for path in paths}
        for path, descriptor in files.items():
            if stamp(descriptor) != self._checkpoint.stamps[path]:
                raise damaged(path, "it has changed since it was opened; open it again.")
        return files

    def _run_item(self, item: Item, files: Mapping[Path, int]) -> Sequence[jax.Array]:
        if item.executable is None:
            (tensor,) = item.tensors
            # The device may keep this very memory.
            return [jax.device_put(self._read(tensor, files[tensor.file], host_memory.allocate(tensor.bytes)))]
        arrays: list[np.ndarray] = []
        begin = 0
        for tensor in item.tensors:
            arrays.append(self._read(tensor, files[tensor.file], self._staging[begin : begin + tensor.bytes]))
            begin += host_memory.padded(tensor.bytes)
        with calling.device:
            return calling.run(item.executable, arrays)[0]

    def _stage(self) -> np.ndarray:
        """Allocates what the arguments of the largest item take. Every run reads it anew: fresh pages cost more."""
        sizes = [
            sum(host_memory.padded(tensor.bytes) for tensor in item.tensors) for item in self._items if item.executable
        ]
        return host_memory.allocate(max(sizes, default=0))

    def _read(self, tensor: StoredTensor, descriptor: int, raw: np.ndarray) -> Shaped[np.ndarray, "..."]:
        done = 0
        while done < tensor.bytes:
            if self._cancelled.is_set():
                raise _CancelledError
            count = os.preadv(descriptor, [memoryview(raw[done : done + _PIECE])], tensor.offset + done)
            if count == 0:
                message = f"it ends inside {tensor.name}; it has been cut off since it was opened."
                raise damaged(tensor.file, message, tensor=tensor.name, found=done, wanted=tensor.bytes)
            done += count
            self.bytes_done += count
        check_bytes(raw, tensor.type)
        return raw.view(tensor.type.element.dtype).reshape(tensor.type.shape)


class _CancelledError(WorkerError):
    """Ends a load whose client has gone."""

    def __init__(self) -> None:
        super().__init__(grpc.StatusCode.CANCELLED, "CANCELLED", "The load was cancelled.")
