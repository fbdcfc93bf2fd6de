"""The peer of bridge.bench.ts: a worker that can also be driven from inside its own process.

It serves as every worker does. For each line on standard input, such as `{"call": 0, "steps": 16, "fetch": [0]}`, it
runs that call of the one open session from here, without a message in between: the same executable, the same weights,
the same slots. It answers with the seconds of each step. What is fetched becomes a numpy array.
Arguments: SOCKET ROOT TOKEN_FILE.
"""

import json
import os
import sys
import time
from pathlib import Path

import jax
import numpy as np

from tsxla_worker.machine.logs import Logs
from tsxla_worker.running.session import Session, _Slot
from tsxla_worker.serving import address, server, worker
from tsxla_worker.tensors.tensor_types import TensorType


def steps(session: Session, number: int, count: int, fetch: list[int]) -> list[float]:
    """Runs a call with zeros for inputs, slots in and out, and nothing of the bridge: around the interface."""
    call = session._calls[number]
    slots = session._slots
    kinds = call.executable.results
    inputs = {index: _input(call.executable.parameters[index].type) for index, _ in call.inputs}
    state = {slot: slots.pop(slot).array for _, slot in call.slots}
    seconds = []
    for _ in range(count):
        started = time.perf_counter()
        arguments = call.template.copy()
        for index, slot in call.slots:
            arguments[index] = state[slot]
        for index, array in inputs.items():
            arguments[index] = array
        results = call.executable.run(arguments)
        jax.block_until_ready(results)
        for index in fetch:
            np.array(results[index])
        state = {slot: results[i] for i, slot in enumerate(call.results) if slot is not None}
        seconds.append(time.perf_counter() - started)
    for i, slot in enumerate(call.results):
        if slot is not None:
            slots[slot] = _Slot(state[slot], kinds[i])
    return seconds


def _input(kind: TensorType) -> np.ndarray:
    # A length of one is in range for every program here; a start of one too.
    return np.ones(kind.shape, kind.element.dtype)


def main(socket: str, root: str, token_file: str) -> None:
    """Serves, and answers lines until there are no more."""
    made = worker.start(Path(root), None, Logs(Path(os.devnull)))
    serving = server.Server(
        made,
        address.parse(f"unix:{socket}"),
        server.Security(Path(token_file).read_text(encoding="utf-8").strip(), None, None),
    )
    serving.start()
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        (session,) = made.sessions
        print(json.dumps(steps(session, asked["call"], asked["steps"], asked["fetch"])), flush=True)
    serving.stop(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
