"""Gets tensors of a checkpoint onto the devices, each through a program.

A tensor's bytes are read by `pread` into memory that XLA on CPU takes over without another copy (it asks for 64-byte
alignment). Where a program takes a tensor in parts, one for each device, this host reads those of its own devices.
Reading rather than mapping costs nothing here, because what is mapped has to be faulted in page by page, and a file
that is cut off while it is read gives an error and not a SIGBUS that ends the worker.
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

from tsxla_worker.checkpoints import parts
from tsxla_worker.checkpoints.checkpoint import Checkpoint, StoredTensor, damaged, stamp
from tsxla_worker.checkpoints.parts import Part
from tsxla_worker.contract.errors import WorkerError, invalid, not_found
from tsxla_worker.executables.executable import Executable
from tsxla_worker.machine import aligned_memory
from tsxla_worker.machine.paths import closing, open_regular
from tsxla_worker.running import execution
from tsxla_worker.running.buffers import Buffer, Buffers
from tsxla_worker.tensors.tensor_bytes import check_bytes
from tsxla_worker.tensors.tensor_types import type_of

_PROGRESS_SECONDS = 0.2
_PIECE = 32 << 20


@dataclass(frozen=True)
class Item:
    """A call of a program on tensors; without a program, one tensor as it is."""

    executable: Executable | None
    parts: Sequence[Part]


@dataclass(frozen=True)
class Progress:
    """How far a load is, and at the end its buffers."""

    items_done: int
    bytes_done: int
    bytes_total: int
    bytes_stored: int
    buffers: Sequence[Buffer] = ()
    parts: Sequence[Part] = ()


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
        execution.check_count(executable, len(tensors))
        for index, tensor in enumerate(tensors):
            execution.check_argument(executable, index, tensor.type, f"tensor {tensor.name}")
    placed = executable.placed if executable else None
    shardings = [None] * len(tensors) if placed is None else placed.arguments
    return Item(executable, [parts.wanted(*pair) for pair in zip(tensors, shardings, strict=True)])


def load(
    checkpoint: Checkpoint,
    items: Sequence[Item],
    buffers: Buffers,
    cancelled: threading.Event,
    launch: int = 0,
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
            # What it runs now may be waited for by other hosts; nothing else runs before.
            thread.join()
    thread.join()
    if job.error is not None:
        raise job.error
    if cancelled.is_set():
        raise _CancelledError
    made = [buffers.add(array, type_of(array), launch, n) for n, array in enumerate(job.results)]
    job.results.clear()
    read = [part for item in items for part in item.parts]
    try:
        yield Progress(len(items), job.bytes_done, job.bytes_total, job.bytes_stored, made, read)
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
        self.bytes_total = sum(part.bytes for item in items for part in item.parts)
        self.bytes_stored = sum(part.tensor.bytes for item in items for part in item.parts)
        self._checkpoint = checkpoint
        self._items = items
        self._cancelled = cancelled
        self._staging = np.empty(0, np.uint8)

    def progress(self) -> Progress:
        """Returns how far it is."""
        return Progress(self.items_done, self.bytes_done, self.bytes_total, self.bytes_stored)

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
        paths = {part.tensor.file for item in self._items for part in item.parts}
        files = {path: stack.enter_context(closing(open_regular(path))) for path in paths}
        for path, descriptor in files.items():
            if stamp(descriptor) != self._checkpoint.stamps[path]:
                raise damaged(path, "it has changed since it was opened; open it again.")
        return files

    def _run_item(self, item: Item, files: Mapping[Path, int]) -> Sequence[jax.Array]:
        if item.executable is None:
            (part,) = item.parts
            # The device may keep this very memory.
            return [jax.device_put(self._read(part, files[part.tensor.file], aligned_memory.allocate(part.bytes)))]
        arrays: list[execution.Value] = []
        begin = 0
        for n, part in enumerate(item.parts):
            data = self._read(part, files[part.tensor.file], self._staging[begin : begin + part.bytes])
            placed = item.executable.placed
            arrays.append(data if placed is None else parts.spread(part, data, placed.arguments[n]))
            begin += aligned_memory.padded(part.bytes)
        with execution.device:
            return execution.run(item.executable, arrays)[0]

    def _stage(self) -> np.ndarray:
        """Allocates what the arguments of the largest item take. Every run reads it anew: fresh pages cost more."""
        sizes = [
            sum(aligned_memory.padded(part.bytes) for part in item.parts) for item in self._items if item.executable
        ]
        return aligned_memory.allocate(max(sizes, default=0))

    def _read(self, part: Part, descriptor: int, raw: np.ndarray) -> Shaped[np.ndarray, "..."]:
        begin = 0
        for offset, size in part.runs():
            self._read_run(part.tensor, descriptor, offset, raw[begin : begin + size])
            begin += size
        check_bytes(raw, part.type)
        return raw.view(part.type.element.dtype).reshape(part.type.shape)

    def _read_run(self, tensor: StoredTensor, descriptor: int, offset: int, raw: np.ndarray) -> None:
        done = 0
        while done < len(raw):
            if self._cancelled.is_set():
                raise _CancelledError
            count = os.preadv(
                descriptor, [memoryview(raw[done : min(done + _PIECE, len(raw))])], tensor.offset + offset + done
            )
            if count == 0:
                message = f"it ends inside {tensor.name}; it has been cut off since it was opened."
                raise damaged(tensor.file, message, tensor=tensor.name, found=offset + done, wanted=tensor.bytes)
            done += count
            self.bytes_done += count


class _CancelledError(WorkerError):
    """Ends a load whose client has gone."""

    def __init__(self) -> None:
        super().__init__(grpc.StatusCode.CANCELLED, "CANCELLED", "The load was cancelled.")
