"""python -m pytest python-worker/tests/test_session.py."""

import queue
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from client import array, compile_, download, refused, tensor, upload, value
from programs import ADD_INTO, doubled
from tsxla_worker.contract.generated import pb, rpc

ONES = np.ones(4, np.float32)


class Client:
    """A session's other end."""

    def __init__(self, stub: rpc.WorkerServiceStub) -> None:
        self.stub = stub
        self._requests: queue.SimpleQueue[pb.SessionRequest | None] = queue.SimpleQueue()
        self.responses: Any = stub.Session(iter(self._requests.get, None))

    def send(self, **request: Any) -> None:
        self._requests.put(pb.SessionRequest(**request))

    def store(self, slot: int, argument: pb.Argument) -> None:
        self.send(store=pb.SessionStore(slot=slot, value=argument))

    def define(self, call: int, module: str, sources: list[dict[str, Any]], results: list[int | None]) -> None:
        self.send(
            define=pb.SessionDefine(
                call=call,
                executable_id=compile_(self.stub, module).executable_id,
                arguments=[pb.SessionArgument(**source) for source in sources],
                results=[pb.SessionResult(slot=slot) for slot in results],
            )
        )

    def step(self, sequence: int, call: int, *inputs: np.ndarray, fetch: tuple[int, ...] = (), repeat: int = 0) -> None:
        message = pb.SessionStep(
            sequence=sequence, call=call, inputs=[tensor(i) for i in inputs], fetch=fetch, repeat=repeat
        )
        self.send(step=message)

    def fetch(self, sequence: int, slot: int) -> None:
        self.send(fetch=pb.SessionFetch(sequence=sequence, slot=slot))

    def next(self) -> pb.SessionResponse:
        return next(self.responses)

    def slot(self, slot: int) -> list[float]:
        """Fetches a slot's contents."""
        self.fetch(999, slot)
        response = self.next()
        assert not response.HasField("error"), response.error.message
        return array(response.tensors[0]).tolist()

    def refusal(self) -> tuple[int, str, str]:
        """The sequence, the reason and the sentence of the next response, which must be an error."""
        response = self.next()
        assert response.HasField("error")
        assert not response.tensors
        return response.sequence, response.error.detail.reason, response.error.message

    def end(self) -> list[pb.SessionResponse]:
        self._requests.put(None)
        return list(self.responses)


@pytest.fixture
def session(stub: rpc.WorkerServiceStub) -> Iterator[Client]:
    client = Client(stub)
    yield client
    client.end()


# ADD_INTO(x, state) gives x + state, and x * state in state's memory.
COUNT = [{"input": 0}, {"slot": 0}]


def test_state_stays_between_steps(session: Client) -> None:
    session.store(0, value(ONES))
    session.define(1, ADD_INTO, COUNT, [None, 0])
    for number in (1, 2, 3):
        session.step(number, 1, ONES * number, fetch=(0,))
    sums = [array(session.next().tensors[0])[0] for _ in range(3)]
    assert sums == [2, 3, 5]
    assert session.slot(0) == [6, 6, 6, 6]


def test_steps_may_be_sent_before_earlier_ones_are_answered(session: Client) -> None:
    session.store(0, value(ONES))
    session.define(1, ADD_INTO, COUNT, [None, 0])
    for number in range(200):
        session.step(number, 1, ONES, fetch=(1,))
    answers = [session.next() for _ in range(200)]
    assert [answer.sequence for answer in answers] == list(range(200))
    assert all(answer.execute_seconds > 0 for answer in answers)


def test_weights_are_buffers_outside_the_session_and_survive_it(session: Client) -> None:
    weight = upload(session.stub, ONES * 2)
    session.store(0, value(ONES))
    session.define(1, ADD_INTO, [{"buffer_id": weight}, {"slot": 0}], [None, 0])
    session.step(1, 1, repeat=3)
    assert [session.next().iteration for _ in range(3)] == [0, 1, 2]
    assert session.slot(0) == [8, 8, 8, 8]
    session.end()
    assert download(session.stub, weight).tolist() == [2, 2, 2, 2]


def test_a_repeated_step_sends_the_results_of_every_run(session: Client) -> None:
    session.store(0, value(ONES))
    session.define(1, ADD_INTO, COUNT, [None, 0])
    session.step(7, 1, ONES * 2, fetch=(1, 0), repeat=3)
    answers = [session.next() for _ in range(3)]
    assert [answer.sequence for answer in answers] == [7, 7, 7]
    assert [[array(t)[0] for t in answer.tensors] for answer in answers] == [[2, 3], [4, 4], [8, 6]]


def test_feedback_goes_through_slots(session: Client) -> None:
    session.store(3, value(ONES))
    session.define(1, doubled(), [{"slot": 3}], [3])
    session.step(1, 1, repeat=5)
    for _ in range(5):
        session.next()
    assert session.slot(3) == [32, 32, 32, 32]


def test_a_session_takes_a_buffer_over(session: Client) -> None:
    id_ = upload(session.stub, ONES * 5)
    session.store(0, pb.Argument(buffer_id=id_))
    assert session.slot(0) == [5, 5, 5, 5]
    message = refused(lambda: download(session.stub, id_))[3]
    assert message == f"There is no buffer {id_!r}: a session took it over."


def test_a_slot_can_be_stored_again_and_a_call_redefined(session: Client) -> None:
    session.store(0, value(ONES))
    session.store(0, value(np.arange(3, dtype=np.int32)))
    assert session.slot(0) == [0, 1, 2]
    session.define(1, ADD_INTO, COUNT, [None, 0])
    session.define(1, doubled("3xi32"), [{"slot": 0}], [1])
    session.step(1, 1)
    assert not session.next().HasField("error")
    assert session.slot(1) == [0, 2, 4]
    assert session.slot(0) == [0, 1, 2]


def test_a_donated_slot_that_no_result_fills_is_empty(session: Client) -> None:
    session.store(0, value(ONES))
    session.define(1, ADD_INTO, COUNT, [None, None])
    session.step(1, 1, ONES)
    session.step(2, 1, ONES)
    assert not session.next().HasField("error")
    assert session.refusal() == (2, "SLOT_EMPTY", "Argument 1 (state) is slot 0, which is empty.")


def test_the_end_of_the_stream_releases_the_slots(stub: rpc.WorkerServiceStub) -> None:
    before = stub.GetInfo(pb.GetInfoRequest())
    client = Client(stub)
    client.store(0, value(np.zeros(1000, np.float32)))
    client.store(1, pb.Argument(buffer_id=upload(stub, ONES)))
    client.fetch(1, 1)
    client.next()
    during = stub.GetInfo(pb.GetInfoRequest())
    assert (during.buffers - before.buffers, during.buffer_bytes - before.buffer_bytes) == (2, 4016)
    client.end()
    assert stub.GetInfo(pb.GetInfoRequest()).buffers == before.buffers


def test_a_cancelled_session_releases_its_slots(stub: rpc.WorkerServiceStub) -> None:
    before = stub.GetInfo(pb.GetInfoRequest()).buffers
    client = Client(stub)
    client.store(0, value(ONES))
    client.define(1, doubled(), [{"slot": 0}], [0])
    client.step(1, 1, repeat=100_000)
    client.next()
    client.responses.cancel()
    for _ in range(200):
        if stub.GetInfo(pb.GetInfoRequest()).buffers == before:
            return
    pytest.fail("The session's slot is still there.")


# Refusals: each changes nothing, and the session goes on.


@pytest.mark.parametrize(
    ("request_", "refusal"),
    [
        ({"store": pb.SessionStore(slot=65536, value=value(ONES))}, (0, "REQUEST_INVALID", "A slot's number is below 65536; 65536 came.")),
        ({"store": pb.SessionStore(slot=1)}, (0, "REQUEST_INVALID", "An argument has no source.")),
        ({"fetch": pb.SessionFetch(sequence=4, slot=77)}, (4, "SLOT_EMPTY", "Slot 77 is empty.")),
        ({"step": pb.SessionStep(sequence=5, call=9)}, (5, "CALL_NOT_FOUND", "The session has no call 9.")),
        ({"step": pb.SessionStep(sequence=6, call=1)}, (6, "ARGUMENT_MISMATCH", "The call takes 1 inputs; 0 came.")),
        (
            {"step": pb.SessionStep(sequence=7, call=1, inputs=[tensor(ONES[:2])])},
            (7, "ARGUMENT_MISMATCH", "Argument 0 (x) wants f32[4]; input 0 is f32[2]."),
        ),
        (
            {"step": pb.SessionStep(sequence=8, call=1, inputs=[tensor(ONES)], fetch=[2])},
            (8, "ARGUMENT_MISMATCH", "Result 2 is asked for; the program gives 2."),
        ),
        ({}, (0, "REQUEST_INVALID", "The session's request is empty.")),
        (
            {"define": pb.SessionDefine(call=1, executable_id="x-none")},
            (0, "EXECUTABLE_NOT_FOUND", "There is no executable 'x-none'."),
        ),
    ],
)  # fmt: skip
def test_a_refused_request_changes_nothing(
    session: Client, request_: dict[str, Any], refusal: tuple[int, str, str]
) -> None:
    session.store(0, value(ONES))
    session.define(1, ADD_INTO, COUNT, [None, 0])
    session.send(**request_)
    assert session.refusal() == refusal
    session.step(1, 1, ONES * 2, fetch=(1,))
    assert array(session.next().tensors[0]).tolist() == [2, 2, 2, 2]


@pytest.mark.parametrize(
    ("sources", "results", "sentence"),
    [
        ([{"input": 0}], [None, 0], "The program takes 2 arguments; 1 came."),
        (COUNT, [None], "The program gives 2 results; 1 are wired."),
        ([{}, {"slot": 0}], [None, 0], "An argument of the call has no source."),
        ([{"buffer_id": "b-none"}, {"slot": 0}], [None, 0], "There is no buffer 'b-none': no such buffer was made, or it died long ago."),
        ([{"input": 1}, {"slot": 0}], [None, 0], "Nothing is wired to input 0."),
        ([{"input": 9}, {"slot": 0}], [None, 0], "Argument 0 is input 9 of at most 2."),
        ([{"slot": 0}, {"slot": 0}], [None, 0], "Argument 1 (state) is donated: it can't be slot 0, which is also another argument."),
        (COUNT, [0, 0], "Two results go to one slot: [0, 0]."),
        (COUNT, [None, 70000], "A slot's number is below 65536; 70000 came."),
    ],
)  # fmt: skip
def test_a_call_that_could_never_run_is_refused(
    session: Client, sources: list[dict[str, Any]], results: list[int | None], sentence: str
) -> None:
    session.define(1, ADD_INTO, sources, results)
    assert session.refusal()[2] == sentence


def test_a_weight_can_not_be_donated(session: Client) -> None:
    weight = upload(session.stub, ONES)
    session.define(1, ADD_INTO, [{"input": 0}, {"buffer_id": weight}], [None, 0])
    _, reason, message = session.refusal()
    assert reason == "ARGUMENT_MISMATCH"
    assert message.startswith(f"Argument 1 (state) is donated: it can't be buffer {weight!r}")


def test_a_call_that_empties_its_slot_is_not_repeated(session: Client) -> None:
    session.store(0, value(ONES))
    session.define(1, ADD_INTO, COUNT, [None, None])
    session.step(1, 1, ONES, repeat=2)
    assert session.refusal()[2] == "Argument 1 (state) is donated: it can't be slot 0, which no result fills again."
    assert session.slot(0) == [1, 1, 1, 1]


def test_a_weight_that_was_donated_elsewhere_is_named(session: Client) -> None:
    weight = upload(session.stub, ONES)
    session.store(0, value(ONES))
    session.define(1, ADD_INTO, [{"buffer_id": weight}, {"slot": 0}], [None, 0])
    session.step(1, 1)
    assert not session.next().HasField("error")
    made = compile_(session.stub, ADD_INTO)
    session.stub.Execute(
        pb.ExecuteRequest(executable_id=made.executable_id, arguments=[value(ONES), pb.Argument(buffer_id=weight)])
    )
    session.step(2, 1)
    sequence, reason, message = session.refusal()
    assert (sequence, reason) == (2, "BUFFER_NOT_FOUND")
    assert message == f"There is no buffer {weight!r}: it was donated to a run."
    assert session.slot(0) == [1, 1, 1, 1]


def test_a_released_weight_lives_as_long_as_the_call_that_uses_it(session: Client) -> None:
    weight = upload(session.stub, ONES * 2)
    session.store(0, value(ONES))
    session.define(1, ADD_INTO, [{"buffer_id": weight}, {"slot": 0}], [None, 0])
    session.fetch(1, 0)
    session.next()
    session.stub.Release(pb.ReleaseRequest(buffer_ids=[weight]))
    session.step(2, 1)
    assert not session.next().HasField("error")
    assert session.slot(0) == [2, 2, 2, 2]


def test_two_sessions_have_slots_of_their_own(stub: rpc.WorkerServiceStub) -> None:
    clients = [Client(stub) for _ in range(4)]
    for number, client in enumerate(clients):
        client.store(0, value(ONES * number))
        client.define(1, doubled(), [{"slot": 0}], [0])
        client.step(1, 1, repeat=20)
    for number, client in enumerate(clients):
        for _ in range(20):
            client.next()
        assert client.slot(0) == [number * 2.0**20] * 4
        client.end()


def test_a_step_that_fails_while_running_says_which_slots_it_emptied(
    session: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tsxla_worker.contract.errors import internal
    from tsxla_worker.running import execution

    real = execution.run

    def failing(executable: Any, arguments: Any) -> Any:
        real(executable, arguments)
        raise internal("EXECUTION_FAILED", "The program failed while running: it is a test.")

    session.store(0, value(ONES))
    session.store(1, value(ONES * 3))
    session.define(1, ADD_INTO, COUNT, [None, 0])
    session.fetch(1, 1)
    session.next()
    monkeypatch.setattr(execution, "run", failing)
    session.step(2, 1, ONES)
    sequence, reason, message = session.refusal()
    assert (sequence, reason) == (2, "EXECUTION_FAILED")
    assert message.endswith("it is a test. The run had consumed slots [0]: they are empty now.")
    monkeypatch.undo()
    assert session.slot(1) == [3, 3, 3, 3]
    session.fetch(3, 0)
    assert session.refusal()[1] == "SLOT_EMPTY"
