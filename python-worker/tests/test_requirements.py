"""What an installed package's environment holds: what the worker needs, and nothing that only development does.

Example run: npm run pytest -- python-worker/tests/test_requirements.py
"""

import re
from importlib.metadata import requires
from pathlib import Path

from packaging.requirements import Requirement

_FOLDER = Path(__file__).parents[1]


def _pins(text: str) -> dict[str, str]:
    lines = (line for line in text.splitlines() if line and not line.startswith("#"))
    return {_name(line.split("==")[0]): line for line in lines}


def _name(written: str) -> str:
    return re.sub(r"[-_.]+", "-", written).lower()


def test_the_run_lock_is_what_the_worker_runs_on_with_all_that_this_needs() -> None:
    """The first section of requirements.txt, closed under what its packages require."""
    runtime = (_FOLDER / "requirements.txt").read_text().split("\n\n")[0]
    lock = _pins((_FOLDER / "requirements.lock").read_text())
    wanted: set[str] = set()
    waiting = list(_pins(runtime))
    while waiting:
        name = waiting.pop()
        if name in wanted:
            continue
        wanted.add(name)
        for written in requires(name) or []:
            requirement = Requirement(written)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                waiting.append(_name(requirement.name))
    found = _pins((_FOLDER / "requirements-run.lock").read_text())
    assert found == {name: lock[name] for name in wanted}
