"""When a worker ends: on SIGTERM or SIGINT, and when whoever started it is gone.

A worker started with `--parent-pipe` lives as long as the other end of its standard input. On Linux it also asks the
kernel to be ended with the thread that started it (PDEATHSIG), which works where the pipe was left to somebody else.
"""

import ctypes
import os
import signal
import sys
import threading
from collections.abc import Callable

_PR_SET_PDEATHSIG = 1


def on_signals(stop: Callable[[str], None]) -> None:
    """Calls `stop` with the reason on SIGTERM and SIGINT; SIGHUP is ignored, so that a lost terminal ends nothing."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda received, _frame: stop(signal.Signals(received).name))
    signal.signal(signal.SIGHUP, signal.SIG_IGN)


def end_with_parent(parent: int, stop: Callable[[str], None]) -> None:
    """Ends the worker when its parent is gone.

    Args:
        parent: The parent's process id, taken as the first thing the process did.
        stop: What ends the worker; it gets the reason.
    """
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
        # The parent may have died before the call; then no signal comes, but somebody else is the parent now.
        if os.getppid() != parent:
            stop("parent gone")
            return
    threading.Thread(target=_watch_pipe, args=(stop,), name="parent-pipe", daemon=True).start()


def _watch_pipe(stop: Callable[[str], None]) -> None:
    while True:
        try:
            if not os.read(0, 4096):
                break
        except InterruptedError:
            continue
        except OSError:
            break
    stop("parent pipe closed")
