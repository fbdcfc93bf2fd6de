"""Launches: the order in which the hosts of a group do what their client asks.

A program over several hosts runs when every host calls it, and two programs in different orders on two hosts wait for
each other for ever. So each request has a number, the same on all hosts, and takes its turn. A request may come before
its predecessor, since calls travel on streams of their own; one whose predecessor does not come is refused, and all
after it: the hosts are no longer in step, and only a new drive of the group is.
"""

import contextlib
import threading
import time
from collections.abc import Callable, Generator

import grpc

from tsxla_worker.contract.errors import WorkerError, invalid
from tsxla_worker.hosts import group as groups
from tsxla_worker.hosts.group import Group
from tsxla_worker.machine.logs import Logs

GAP_SECONDS = 10.0
HUNG_SECONDS = 10.0
_BEAT_SECONDS = 1.0


class Drive:
    """One client's time with the group."""

    def __init__(self) -> None:
        self.ended = False
        self.next = 1
        self.waiting: set[int] = set()
        self.running = 0
        self.idle_since = time.monotonic()
        self.gap: WorkerError | None = None


class Launches:
    """Whose turn it is."""

    def __init__(self, group: Group, logs: Logs, release: Callable[[], None]) -> None:
        """Makes the order of one worker.

        Args:
            group: The group that the worker is of.
            logs: Where it is told when the process has to end.
            release: Lets go of what a client's launches have made.
        """
        self._group = group
        self._logs = logs
        self._release = release
        self._changed = threading.Condition()
        self._drive: Drive | None = None

    def begin(self) -> Drive:
        """Gives the group to a client; refuses while another has it, or a launch of the last one still runs."""
        if not self._group.formed:
            message = "This worker is on its own; only hosts of a group are driven."
            raise _precondition("GROUP_NOT_FORMED", message)
        with self._changed:
            held = self._drive
            if held is not None and not (held.ended and held.running == 0):
                what = f"launch {held.running} of the last client still runs" if held.ended else "another client has it"
                raise _precondition("GROUP_BUSY", f"Host {self._group.index} of the group is taken: {what}.")
            self._drive = Drive()
            return self._drive

    def end(self, drive: Drive) -> None:
        """Takes the group back from a client; ends the process when it is stuck in a launch."""
        with self._changed:
            if drive.ended:
                return
            drive.ended = True
            self._changed.notify_all()
            if not drive.running:
                self._release()
                return
        threading.Thread(target=self._watch, args=(drive,), name="hung-launch", daemon=True).start()

    def beats(self, drive: Drive) -> Generator[int]:
        """Gives, every second, the launch that runs, until the drive ends."""
        while not drive.ended:
            yield drive.running
            with self._changed:
                self._changed.wait_for(lambda: drive.ended, _BEAT_SECONDS)

    @contextlib.contextmanager
    def turn(self, number: int) -> Generator[None]:
        """Waits until all launches before this one are done, and is this one until the block ends."""
        if not self._group.formed:
            if number:
                raise invalid("REQUEST_INVALID", f"Launch {number} came to a worker on its own.", found=number)
            yield
            return
        drive = self._wait(number)
        try:
            yield
        finally:
            with self._changed:
                drive.running = 0
                drive.idle_since = time.monotonic()
                drive.next = number + 1
                if drive.ended:
                    self._release()
                self._changed.notify_all()

    @property
    def current(self) -> int:
        """The launch that runs; 0 when none does."""
        return self._drive.running if self._drive else 0

    def _wait(self, number: int) -> Drive:
        with self._changed:
            drive = self._drive
            if drive is None or drive.ended or number == 0:
                raise _precondition(
                    "GROUP_NOT_DRIVEN",
                    f"This worker is host {self._group.index} of a group of {self._group.hosts}; "
                    "a client reaches all of them together, and drives them.",
                )
            if number < drive.next or number in drive.waiting or number == drive.running:
                raise _invalid_launch(number, drive.next, "was used before")
            drive.waiting.add(number)
            self._changed.notify_all()
            try:
                came = time.monotonic()
                while number != drive.next or drive.running:
                    if drive.ended:
                        raise _precondition("GROUP_NOT_DRIVEN", f"The client left before launch {number} began.")
                    if drive.gap is not None:
                        raise drive.gap
                    is_idle = not drive.running and drive.next not in drive.waiting
                    if is_idle and time.monotonic() - max(came, drive.idle_since) > GAP_SECONDS:
                        drive.gap = _invalid_launch(number, drive.next, "came without its predecessor")
                        self._changed.notify_all()
                        raise drive.gap
                    self._changed.wait(1)
            finally:
                drive.waiting.discard(number)
            drive.running = number
            return drive

    def _watch(self, drive: Drive) -> None:
        deadline = time.monotonic() + HUNG_SECONDS
        with self._changed:
            while drive.running and time.monotonic() < deadline:
                self._changed.wait(0.5)
            stuck = drive.running
        if stuck:
            self._logs.warning("hung", launch=stuck, seconds=HUNG_SECONDS, meaning="its peers have left the launch")
            groups.end(groups.HUNG_EXIT)


def _invalid_launch(found: int, wanted: int, what: str) -> WorkerError:
    message = f"Launch {found} {what}; launch {wanted} is next."
    return _precondition("LAUNCH_INVALID", message, found=found, wanted=wanted)


def _precondition(reason: str, message: str, **metadata: object) -> WorkerError:
    return WorkerError(grpc.StatusCode.FAILED_PRECONDITION, reason, message, **metadata)
