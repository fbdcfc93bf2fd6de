"""A session: many steps over state that stays on the devices.

A call is wired once (`define`), so that a step only fills in slots and inputs: with 300 weights, looking each of them
up would cost as much as running a small program. A step is refused as a whole, before anything is donated, or it
runs; when the program itself fails, the slots whose memory it had consumed are empty, and the error says which.
Not here: the stream and its messages (`serving/service.py`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import jax
import numpy as np

from tsxla_worker.contract.errors import WorkerError, invalid, not_found
from tsxla_worker.executables.registry import Executable
from tsxla_worker.running import execution
from tsxla_worker.running.buffers import Buffers
from tsxla_worker.running.execution import Value
from tsxla_worker.tensors.tensor_bytes import encode
from tsxla_worker.tensors.tensor_types import TensorType, type_of

NUMBER_LIMIT = 65_536


@dataclass(frozen=True)
class FromBuffer:
    """An argument that is the same in every step."""

    id: str


@dataclass(frozen=True)
class FromSlot:
    """An argument that is what the slot holds."""

    slot: int


@dataclass(frozen=True)
class FromInput:
    """An argument that comes with each step."""

    number: int


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


@dataclass(frozen=True)
class _Call:
    executable: Executable
    template: list[Value | None]
    buffers: list[tuple[int, str]]
    slots: list[tuple[int, int]]
    inputs: list[tuple[int, int]]
    input_count: int
    results: list[int | None]
    donated_slots: list[int]


class Session:
    """One client's slots and calls."""

    def __init__(self, buffers: Buffers) -> None:
        self._buffers = buffers
        self._slots: dict[int, _Slot] = {}
        self._calls: dict[int, _Call] = {}

    def store(self, slot: int, value: str | np.ndarray) -> None:
        """Puts a buffer, whose handle ends, or a tensor into a slot."""
        _check_number("slot", slot)
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
        sources: Sequence[FromBuffer | FromSlot | FromInput],
        results: Sequence[int | None],
    ) -> None:
        """Wires a call; refuses what could never run."""
        _check_number("call", number)
        execution.check_count(executable, len(sources))
        if len(results) != len(executable.results):
            message = f"The program gives {len(executable.results)} results; {len(results)} are wired."
            raise invalid("ARGUMENT_MISMATCH", message, found=len(results), wanted=len(executable.results))
        template: list[Value | None] = [None] * len(sources)
        call = _Call(executable, template, [], [], [], 0, list(results), [])
        input_count = 0
        for index, source in enumerate(sources):
            donated = index in executable.donated
            match source:
                case FromBuffer(id_):
                    buffer = execution.live(self._buffers.get(id_), self._buffers)
                    execution.check_argument(executable, index, buffer.type, f"buffer {id_!r}")
                    if donated:
                        raise _donated(executable, index, f"buffer {id_!r}, which lies outside the session", "a slot")
                    template[index] = buffer.array
                    call.buffers.append((index, id_))
                case FromSlot(slot):
                    _check_number("slot", slot)
                    call.slots.append((index, slot))
                    if donated:
                        call.donated_slots.append(slot)
                case FromInput(n):
                    if n >= len(sources):
                        raise invalid("REQUEST_INVALID", f"Argument {index} is input {n} of at most {len(sources)}.")
                    call.inputs.append((index, n))
                    input_count = max(input_count, n + 1)
        used = [slot for _, slot in call.slots]
        for index, slot in call.slots:
            if index in executable.donated and used.count(slot) > 1:
                raise _donated(executable, index, f"slot {slot}, which is also another argument", "a slot of its own")
        kept = [slot for slot in results if slot is not None]
        for slot in kept:
            _check_number("slot", slot)
        if len(set(kept)) != len(kept):
            raise invalid("REQUEST_INVALID", f"Two results go to one slot: {sorted(kept)}.")
        missing = set(range(input_count)) - {n for _, n in call.inputs}
        if missing:
            raise invalid("REQUEST_INVALID", f"Nothing is wired to input {min(missing)}.", index=min(missing))
        self._calls[number] = _Call(
            executable, template, call.buffers, call.slots, call.inputs, input_count, call.results, call.donated_slots
        )

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

    def _check_step(self, call: _Call, inputs: Sequence[np.ndarray], repeat: int, fetch: Sequence[int]) -> None:
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
            if i >= len(executable.results):
                message = f"Result {i} is asked for; the program gives {len(executable.results)}."
                raise invalid("ARGUMENT_MISMATCH", message, index=i, found=i, wanted=len(executable.results))
        if repeat > 1:
            self._check_repeat(call)

    def _check_repeat(self, call: _Call) -> None:
        """Refuses to repeat a call that empties a slot or fills one with another type."""
        filled = {
            slot: kind for slot, kind in zip(call.results, call.executable.results, strict=True) if slot is not None
        }
        for index, slot in call.slots:
            if slot in filled:
                execution.check_argument(call.executable, index, filled[slot], f"what the run leaves in slot {slot}")
            elif index in call.executable.donated:
                raise _donated(call.executable, index, f"slot {slot}, which no result fills again", "a slot that is")

    def _run(self, call: _Call, inputs: Sequence[np.ndarray]) -> tuple[Sequence[jax.Array], float]:
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

    def _after_failure(self, call: _Call, error: WorkerError) -> WorkerError:
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


def _check_number(what: str, number: int) -> None:
    if number >= NUMBER_LIMIT:
        raise invalid("REQUEST_INVALID", f"A {what}'s number is below {NUMBER_LIMIT}; {number} came.", found=number)


def _donated(executable: Executable, index: int, found: str, wanted: str) -> WorkerError:
    name = executable.parameters[index].name
    message = f"Argument {index} ({name}) is donated: it can't be {found}."
    return invalid("ARGUMENT_MISMATCH", message, index=index, name=name, found=found, wanted=wanted)
