"""Runs a command on a terminal of its own: `terminal.py STEPS COMMAND…`.

STEPS is JSON: texts to wait for and keys to press, in turn. Prints what the terminal showed, and the exit code.
"""

import json
import os
import pty
import select
import sys
import time

LIMIT_SECONDS = 120.0


def main() -> None:
    """Waits, presses keys, and prints."""
    steps = json.loads(sys.argv[1])
    child, terminal = pty.fork()
    if child == 0:
        os.environ.pop("CI", None)
        os.execvp(sys.argv[2], sys.argv[2:])
    shown = ""
    looked = 0
    deadline = time.monotonic() + LIMIT_SECONDS
    while time.monotonic() < deadline:
        while steps and (at := shown.find(steps[0][0], looked)) >= 0:
            wanted, keys = steps.pop(0)
            looked = at + len(wanted)
            os.write(terminal, keys.encode())
        ready, _, _ = select.select([terminal], [], [], 0.1)
        if not ready:
            continue
        try:
            data = os.read(terminal, 65536)
        except OSError:
            break
        if not data:
            break
        shown += data.decode(errors="replace")
    else:
        os.kill(child, 9)
    _, status = os.waitpid(child, 0)
    print(json.dumps({"shown": shown, "code": os.waitstatus_to_exitcode(status), "left": steps}))


main()
