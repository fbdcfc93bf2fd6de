"""Running a program: the checks before, the device to itself, and what remains after a failure.

Everything that can be refused is refused before anything is donated.
"""

import threading
import time
from collections.abc import Sequence

import jax
import numpy as np

from tsxla_worker.contract.errors import WorkerError, clip, internal, invalid
from tsxla_worker.executables.executable import Executable
from tsxla_worker.running.buffers import Buffer, Buffers
from tsxla_worker.tensors.tensor_bytes import encode
from tsxla_worker.tensors.tensor_types import TensorType, type_of

type Value = jax.Array | np.ndarray

# One program at a time: two on the same processors only slow each other, and a buffer can't be donated under a reader.
device = threading.RLock()


def check_count(executable: Executable, found: int) -> None:
    """Refuses a call with too few or too many arguments."""
    wanted = len(executable.parameters)
    if found != wanted:
        message = f"The program takes {wanted} arguments; {found} came."
        raise invalid("ARGUMENT_MISMATCH", message, found=found, wanted=wanted)


def check_argument(executable: Executable, index: int, found: TensorType, what: str = "") -> None:
    """Refuses an argument of another type than the program wants."""
    parameter = executable.parameters[index]
    if found != parameter.type:
        raise invalid(
            "ARGUMENT_MISMATCH",
            f"Argument {index} ({parameter.name}) wants {parameter.type}; {what or 'it'} is {found}.",
            index=index,
            name=parameter.name,
            found=found,
            wanted=parameter.type,
        )


def check_result(executable: Executable, index: int) -> None:
    """Refuses to send a result that the program does not give."""
    wanted = len(executable.results)
    if index >= wanted:
        message = f"Result {index} is asked for; the program gives {wanted}."
        raise invalid("ARGUMENT_MISMATCH", message, index=index, found=index, wanted=wanted)


def run(executable: Executable, arguments: Sequence[Value]) -> tuple[Sequence[jax.Array], float]:
    """Runs a program and waits for its results; the caller holds `device`.

    Returns:
        The results, and the seconds from the call until they were ready.
    """
    start = time.perf_counter()
    try:
        results = executable.run(arguments)
        jax.block_until_ready(results)
    except WorkerError:
        raise
    except Exception as error:
        raise internal("EXECUTION_FAILED", f"The program failed while running: {clip(str(error), 1500)}") from error
    return results, time.perf_counter() - start


def execute(
    executable: Executable, given: Sequence[str | np.ndarray], buffers: Buffers
) -> tuple[Sequence[jax.Array], float]:
    """Runs a program on buffers (by id) and tensors; donated buffers die, also when it fails while running."""
    check_count(executable, len(given))
    with device:
        arguments: list[Value] = []
        used: dict[str, list[int]] = {}
        for index, argument in enumerate(given):
            if isinstance(argument, str):
                buffer = live(buffers.get(argument), buffers)
                check_argument(executable, index, buffer.type, f"buffer {argument!r}")
                used.setdefault(argument, []).append(index)
                arguments.append(buffer.array)
            else:
                check_argument(executable, index, type_of(argument))
                arguments.append(argument)
        donated = [id_ for id_, places in used.items() if executable.donated.intersection(places)]
        for id_ in donated:
            if len(used[id_]) > 1:
                index = used[id_][1]
                raise invalid(
                    "ARGUMENT_MISMATCH",
                    f"Buffer {id_!r} is donated and can't be two arguments of one call ({used[id_]}).",
                    index=index,
                    name=executable.parameters[index].name,
                    found=id_,
                    wanted="another buffer",
                )
        for id_ in donated:
            buffers.take(id_, "it was donated to a run")
        return run(executable, arguments)


def read(id_: str, buffers: Buffers) -> tuple[TensorType, bytes]:
    """Copies a buffer's elements out."""
    with device:
        buffer = live(buffers.get(id_), buffers)
        return buffer.type, encode(buffer.array)


def live(buffer: Buffer, buffers: Buffers) -> Buffer:
    """Refuses a buffer whose memory a run has consumed under another name."""
    if buffer.array.is_deleted():
        buffers.release([buffer.id])
        raise buffers.missing(buffer.id)
    return buffer
