"""The calls of a session: a program, and where each of its arguments comes from and each of its results goes.

A call is wired once, so that a step only fills in slots and inputs: with 300 weights, looking each of them up would
cost as much as running a small program. What could never run is refused here.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from tsxla_worker.contract.errors import WorkerError, invalid
from tsxla_worker.executables.executable import Executable
from tsxla_worker.running import execution
from tsxla_worker.running.buffers import Buffers
from tsxla_worker.running.execution import Value

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


type Source = FromBuffer | FromSlot | FromInput


@dataclass(frozen=True)
class Call:
    """A program that a session runs.

    Attributes:
        executable: The program.
        template: Its arguments: the arrays of buffers; None where a slot or an input goes.
        buffers: The arguments that are buffers: index and handle.
        slots: The arguments that are slots: index and slot.
        inputs: The arguments that come with each step: index and number of the input.
        input_count: How many inputs come with each step.
        results: The slot of each result; None where it is not kept.
        donated_slots: The slots that a run empties.
    """

    executable: Executable
    template: list[Value | None]
    buffers: list[tuple[int, str]]
    slots: list[tuple[int, int]]
    inputs: list[tuple[int, int]]
    input_count: int
    results: list[int | None]
    donated_slots: list[int]


def wire(executable: Executable, sources: Sequence[Source], results: Sequence[int | None], buffers: Buffers) -> Call:
    """Makes a call; refuses what could never run."""
    execution.check_count(executable, len(sources))
    if len(results) != len(executable.results):
        message = f"The program gives {len(executable.results)} results; {len(results)} are wired."
        raise invalid("ARGUMENT_MISMATCH", message, found=len(results), wanted=len(executable.results))
    template: list[Value | None] = [None] * len(sources)
    handles: list[tuple[int, str]] = []
    slots: list[tuple[int, int]] = []
    inputs: list[tuple[int, int]] = []
    for index, source in enumerate(sources):
        match source:
            case FromBuffer(id_):
                buffer = execution.live(buffers.get(id_), buffers)
                execution.check_argument(executable, index, buffer.type, f"buffer {id_!r}")
                if index in executable.donated:
                    found = f"buffer {id_!r}, which lies outside the session"
                    raise donation_refused(executable, index, found, "a slot")
                template[index] = buffer.array
                handles.append((index, id_))
            case FromSlot(slot):
                check_number("slot", slot)
                slots.append((index, slot))
            case FromInput(n):
                if n >= len(sources):
                    raise invalid("REQUEST_INVALID", f"Argument {index} is input {n} of at most {len(sources)}.")
                inputs.append((index, n))
    _check_slots(executable, slots)
    _check_results(results)
    return Call(
        executable,
        template,
        handles,
        slots,
        inputs,
        _count_inputs(inputs),
        list(results),
        [slot for index, slot in slots if index in executable.donated],
    )


def check_number(what: str, number: int) -> None:
    """Refuses a number of a slot or a call that is too large."""
    if number >= NUMBER_LIMIT:
        raise invalid("REQUEST_INVALID", f"A {what}'s number is below {NUMBER_LIMIT}; {number} came.", found=number)


def donation_refused(executable: Executable, index: int, found: str, wanted: str) -> WorkerError:
    """Makes the error for a donated argument that a run may not consume."""
    name = executable.parameters[index].name
    message = f"Argument {index} ({name}) is donated: it can't be {found}."
    return invalid("ARGUMENT_MISMATCH", message, index=index, name=name, found=found, wanted=wanted)


def _check_slots(executable: Executable, slots: Sequence[tuple[int, int]]) -> None:
    used = [slot for _, slot in slots]
    for index, slot in slots:
        if index in executable.donated and used.count(slot) > 1:
            found = f"slot {slot}, which is also another argument"
            raise donation_refused(executable, index, found, "a slot of its own")


def _check_results(results: Sequence[int | None]) -> None:
    kept = [slot for slot in results if slot is not None]
    for slot in kept:
        check_number("slot", slot)
    if len(set(kept)) != len(kept):
        raise invalid("REQUEST_INVALID", f"Two results go to one slot: {sorted(kept)}.")


def _count_inputs(inputs: Sequence[tuple[int, int]]) -> int:
    """Counts the inputs of a step; refuses numbers with a gap."""
    numbers = {n for _, n in inputs}
    count = max(numbers, default=-1) + 1
    missing = set(range(count)) - numbers
    if missing:
        raise invalid("REQUEST_INVALID", f"Nothing is wired to input {min(missing)}.", index=min(missing))
    return count
