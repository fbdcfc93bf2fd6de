"""The stream of a session: each request is answered in order, and one that is refused ends nothing."""

import contextlib
from collections.abc import Iterator

from tsxla_worker.contract.errors import WorkerError, invalid
from tsxla_worker.contract.generated import pb
from tsxla_worker.running.session import Session
from tsxla_worker.running.session_calls import FromBuffer, FromInput, FromSlot, Source
from tsxla_worker.serving import messages
from tsxla_worker.serving.worker import Worker
from tsxla_worker.tensors.tensor_bytes import decode
from tsxla_worker.tensors.tensor_types import from_proto


def answer(worker: Worker, requests: Iterator[pb.SessionRequest]) -> Iterator[pb.SessionResponse]:
    """Opens a session and answers its requests until the stream ends."""
    session = Session(worker.buffers)
    worker.sessions.add(session)
    try:
        for request in requests:
            try:
                yield from _in_turn(worker, session, request)
            except WorkerError as error:
                yield pb.SessionResponse(sequence=_sequence(request), error=error.session_error())
    finally:
        worker.sessions.discard(session)
        session.close()


def _in_turn(worker: Worker, session: Session, request: pb.SessionRequest) -> Iterator[pb.SessionResponse]:
    kind = request.WhichOneof("request")
    # Only these two run programs over all hosts of a group.
    with worker.launches.turn(request.launch) if kind in ("step", "fetch") else contextlib.nullcontext():
        yield from _answer(worker, session, request, kind)


def _answer(
    worker: Worker, session: Session, request: pb.SessionRequest, kind: str | None
) -> Iterator[pb.SessionResponse]:
    match kind:
        case "step":
            yield from _step(worker, session, request.step)
        case "fetch":
            held, data = session.fetch(request.fetch.slot)
            yield pb.SessionResponse(sequence=request.fetch.sequence, tensors=[messages.tensor(held, data)])
        case "store":
            session.store(request.store.slot, messages.argument(request.store.value))
        case "define":
            define = request.define
            session.define(
                define.call,
                worker.executables.get(define.executable_id),
                [_source(argument) for argument in define.arguments],
                [result.slot if result.HasField("slot") else None for result in define.results],
            )
        case _:
            raise invalid("REQUEST_INVALID", "The session's request is empty.")


def _step(worker: Worker, session: Session, step: pb.SessionStep) -> Iterator[pb.SessionResponse]:
    inputs = [decode(tensor.data, from_proto(tensor.type)) for tensor in step.inputs]
    for run in session.step(step.call, inputs, step.repeat or 1, step.fetch):
        worker.metrics.ran("step", run.seconds)
        yield pb.SessionResponse(
            sequence=step.sequence,
            iteration=run.iteration,
            tensors=[messages.tensor(kind, data) for kind, data in run.tensors],
            execute_seconds=run.seconds,
        )


def _sequence(request: pb.SessionRequest) -> int:
    kind = request.WhichOneof("request")
    return request.step.sequence if kind == "step" else request.fetch.sequence if kind == "fetch" else 0


def _source(argument: pb.SessionArgument) -> Source:
    match argument.WhichOneof("source"):
        case "buffer_id":
            return FromBuffer(argument.buffer_id)
        case "slot":
            return FromSlot(argument.slot)
        case "input":
            return FromInput(argument.input)
        case _:
            raise invalid("REQUEST_INVALID", "An argument of the call has no source.")
