"""A session: many steps over state that stays on the devices.

A step is refused as a whole, before anything is donated, or it runs; when the program itself fails, the slots whose
memory it had consumed are empty, and the error says which.
Not here: wiring a call (`session_calls.py`), the stream and its messages (`serving/session_stream.py`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import jax
import numpy as np

from tsxla_worker.contract.errors import WorkerError, invalid, not_found
from tsxla_worker.executables.executable import Executable
from tsxla_worker.running import execution
from tsxla_worker.running.buffers import Buffers
from tsxla_worker.running.session_calls import Call, Source, check_number, donation_refused, wire
from tsxla_worker.tensors.tensor_bytes import encode
from tsxla_worker.tensors.tensor_types import TensorType, type_of


@dataclass(frozen=True)
class Fetched:
    """What one run of a step sends."""

    iteration: int
    tensors: Sequence[tuple[TensorType, bytes]]
    seconds: float


@dataclass(frozen=True)
class _Slot:
    array: jax.Array
    type: TensorType


class Session:
    """One client's slots and calls."""

    def __init__(self, buffers: Buffers) -> None:
        self._buffers = buffers
        self._slots: dict[int, _Slot] = {}
        self._calls: dict[int, Call] = {}

    def store(self, slot: int, value: str | np.ndarray) -> None:
        """Puts a buffer, whose handle ends, or a tensor into a slot."""
        check_number("slot", slot)
        if isinstance(value, str):
            with execution.device:
                execution.live(self._buffers.get(value), self._buffers)
                taken = self._buffers.take(value, "a session took it over")
            self._slots[slot] = _Slot(taken.array, taken.type)
        else:
            self._slots[slot] = _Slot(jax.device_put(value, may_alias=False), type_of(value))

    def define(
        self,
        number: int,
        executable: Executable,
        sources: Sequence[Source],
        results: Sequence[int | None],
    ) -> None:
        """Wires a call; refuses what could never run."""
        check_number("call", number)
        self._calls[number] = wire(executable, sources, results, self._buffers)

    def step(self, number: int, inputs: Sequence[np.ndarray], repeat: int, fetch: Sequence[int]) -> Iterator[Fetched]:
        """Runs a call `repeat` times and gives after each run the results asked for."""
        call = self._calls.get(number)
        if call is None:
            raise not_found("CALL_NOT_FOUND", f"The session has no call {number}.", call=number)
        self._check_step(call, inputs, repeat, fetch)
        for iteration in range(repeat):
            results, seconds = self._run(call, inputs)
            tensors = [
                (call.executable.results[i], encode(results[i], keep=call.results[i] is not None)) for i in fetch
            ]
            yield Fetched(iteration, tensors, seconds)

    def fetch(self, slot: int) -> tuple[TensorType, bytes]:
        """Returns what a slot holds."""
        held = self._slots.get(slot)
        if held is None:
            raise not_found("SLOT_EMPTY", f"Slot {slot} is empty.", slot=slot)
        return held.type, encode(held.array)

    def totals(self) -> tuple[int, int]:
        """Returns the number of slots in use and their bytes."""
        slots = list(self._slots.values())
        return len(slots), sum(slot.type.bytes for slot in slots)

    def close(self) -> None:
        """Lets go of everything."""
        self._slots.clear()
        self._calls.clear()

    def _check_step(self, call: Call, inputs: Sequence[np.ndarray], repeat: int, fetch: Sequence[int]) -> None:
        executable = call.executable
        if len(inputs) != call.input_count:
            message = f"The call takes {call.input_count} inputs; {len(inputs)} came."
            raise invalid("ARGUMENT_MISMATCH", message, found=len(inputs), wanted=call.input_count)
        for index, n in call.inputs:
            execution.check_argument(executable, index, type_of(inputs[n]), f"input {n}")
        for index, slot in call.slots:
            held = self._slots.get(slot)
            if held is None:
                name = executable.parameters[index].name
                message = f"Argument {index} ({name}) is slot {slot}, which is empty."
                raise not_found("SLOT_EMPTY", message, index=index, name=name, slot=slot)
            if held.type is not executable.parameters[index].type:
                execution.check_argument(executable, index, held.type, f"slot {slot}")
        for i in fetch:
            execution.check_result(executable, i)
        if repeat > 1:
            self._check_repeat(call)

    def _check_repeat(self, call: Call) -> None:
        """Refuses to repeat a call that empties a slot or fills one with another type."""
        filled = {
            slot: kind for slot, kind in zip(call.results, call.executable.results, strict=True) if slot is not None
        }
        for index, slot in call.slots:
            if slot in filled:
                execution.check_argument(call.executable, index, filled[slot], f"what the run leaves in slot {slot}")
            elif index in call.executable.donated:
                raise donation_refused(
                    call.executable, index, f"slot {slot}, which no result fills again", "a slot that is"
                )

    def _run(self, call: Call, inputs: Sequence[np.ndarray]) -> tuple[Sequence[jax.Array], float]:
        arguments = call.template.copy()
        for index, slot in call.slots:
            arguments[index] = self._slots[slot].array
        for index, n in call.inputs:
            arguments[index] = inputs[n]
        try:
            with execution.device:
                results, seconds = execution.run(call.executable, arguments)  # type: ignore[arg-type]
        except WorkerError as error:
            raise self._after_failure(call, error) from error
        kinds = call.executable.results
        for slot in call.donated_slots:
            self._slots.pop(slot, None)
        for i, slot in enumerate(call.results):
            if slot is not None:
                self._slots[slot] = _Slot(results[i], kinds[i])
        return results, seconds

    def _after_failure(self, call: Call, error: WorkerError) -> WorkerError:
        """Empties the slots whose memory is gone, and says so; names a weight that was donated elsewhere."""
        for index, id_ in call.buffers:
            array = call.template[index]
            if isinstance(array, jax.Array) and array.is_deleted():
                self._buffers.release([id_])
                return self._buffers.missing(id_)
        emptied = [slot for _, slot in call.slots if slot in self._slots and self._slots[slot].array.is_deleted()]
        for slot in emptied:
            del self._slots[slot]
        if not emptied:
            return error
        message = f"{error.message} The run had consumed slots {emptied}: they are empty now."
        return WorkerError(error.code, error.reason, message, **error.metadata, slots=emptied)
