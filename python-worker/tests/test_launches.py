"""The order of launches: who comes first waits, who leaves a gap is refused, and a client's end frees the group."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from tsxla_worker.contract.errors import WorkerError
from tsxla_worker.hosts import launch_order
from tsxla_worker.hosts.group import Group
from tsxla_worker.hosts.launch_order import Launches
from tsxla_worker.machine.logs import Logs


@pytest.fixture
def released() -> list[bool]:
    return []


@pytest.fixture
def order(released: list[bool]) -> Launches:
    return Launches(Group(1, 2, "g"), Logs(None), lambda: released.append(True))


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as made:
        yield made


def launch(order: Launches, number: int, seen: list[int]) -> None:
    with order.turn(number):
        seen.append(number)


def reason(future: "Future[None]") -> str:
    with pytest.raises(WorkerError) as caught:
        future.result(timeout=30)
    return caught.value.reason


def test_launches_that_come_in_any_order_run_in_the_order_of_their_numbers(
    order: Launches, pool: ThreadPoolExecutor
) -> None:
    order.begin()
    seen: list[int] = []
    late = [pool.submit(launch, order, number, seen) for number in (4, 2, 3)]
    time.sleep(0.05)
    assert seen == []
    launch(order, 1, seen)
    for each in late:
        each.result(timeout=10)
    assert seen == [1, 2, 3, 4]


def test_a_launch_that_fails_has_had_its_turn(order: Launches) -> None:
    order.begin()
    with pytest.raises(ZeroDivisionError), order.turn(1):
        _ = 1 / 0
    seen: list[int] = []
    launch(order, 2, seen)
    assert seen == [2]


def test_a_launch_whose_predecessor_does_not_come_is_refused_and_all_after_it(
    order: Launches, pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launch_order, "GAP_SECONDS", 0.1)
    order.begin()
    launch(order, 1, [])
    assert reason(pool.submit(launch, order, 3, [])) == "LAUNCH_INVALID"
    assert reason(pool.submit(launch, order, 4, [])) == "LAUNCH_INVALID"


def test_waiting_behind_a_launch_that_runs_is_no_gap(
    order: Launches, pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launch_order, "GAP_SECONDS", 1.0)
    order.begin()
    go_on = threading.Event()
    seen: list[int] = []

    def slow() -> None:
        with order.turn(1):
            go_on.wait(10)

    first, third = pool.submit(slow), pool.submit(launch, order, 3, seen)
    time.sleep(1.5)
    assert not third.done()
    go_on.set()
    first.result(timeout=10)
    launch(order, 2, seen)
    third.result(timeout=10)
    assert seen == [2, 3]


@pytest.mark.parametrize("number", [1, 2])
def test_a_number_is_used_once(order: Launches, number: int) -> None:
    order.begin()
    launch(order, 1, [])
    launch(order, 2, [])
    with pytest.raises(WorkerError, match=f"Launch {number} was used before; launch 3 is next."), order.turn(number):
        pass


def test_launches_need_a_drive_and_a_number(order: Launches) -> None:
    with pytest.raises(WorkerError, match="host 1 of a group of 2"), order.turn(1):
        pass
    order.begin()
    with pytest.raises(WorkerError, match="host 1 of a group of 2"), order.turn(0):
        pass


def test_one_client_drives_at_a_time_and_its_end_releases_what_it_made(order: Launches, released: list[bool]) -> None:
    first = order.begin()
    with pytest.raises(WorkerError, match="another client has it"):
        order.begin()
    launch(order, 1, [])
    order.end(first)
    assert released == [True]
    order.begin()
    seen: list[int] = []
    launch(order, 1, seen)
    assert seen == [1]


def test_a_launch_that_outlives_its_client_holds_the_group_until_it_is_done(
    order: Launches, pool: ThreadPoolExecutor, released: list[bool]
) -> None:
    drive = order.begin()
    begun, go_on = threading.Event(), threading.Event()

    def slow() -> None:
        with order.turn(1):
            begun.set()
            go_on.wait(10)

    running = pool.submit(slow)
    begun.wait(10)
    waiting = pool.submit(launch, order, 2, [])
    order.end(drive)
    assert reason(waiting) == "GROUP_NOT_DRIVEN"
    with pytest.raises(WorkerError, match="launch 1 of the last client still runs"):
        order.begin()
    assert released == []
    go_on.set()
    running.result(timeout=10)
    assert released == [True]
    order.begin()


def test_a_launch_that_never_ends_ends_the_process(
    order: Launches, pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended: Future[int] = Future()
    monkeypatch.setattr(launch_order, "HUNG_SECONDS", 0.1)
    monkeypatch.setattr("tsxla_worker.hosts.group.end", ended.set_result)
    drive = order.begin()
    begun, go_on = threading.Event(), threading.Event()

    def stuck() -> None:
        with order.turn(1):
            begun.set()
            go_on.wait(10)

    running = pool.submit(stuck)
    begun.wait(10)
    order.end(drive)
    assert ended.result(timeout=10) == 7
    go_on.set()
    running.result(timeout=10)


def test_a_worker_on_its_own_takes_no_numbers_and_no_drive() -> None:
    alone = Launches(Group(), Logs(None), lambda: None)
    with alone.turn(0):
        pass
    with pytest.raises(WorkerError, match="on its own"), alone.turn(1):
        pass
    with pytest.raises(WorkerError, match="on its own"):
        alone.begin()
