"""Where in the front end's source an error belongs.

MLIR reports a broken operation either by the location that it carries (the front end's file, line and column, perhaps
under names and calls) or, when the text did not even parse, by a place in the text. In the second case the operation's
own `loc(…)` stands at the end of that line, spelled out or as an alias, and is read from there.
"""

import re
from dataclasses import dataclass

from jaxlib.mlir import ir

_FILE = re.compile(r'"((?:[^"\\]|\\.)*)":(\d+):(\d+)')
_NAME = re.compile(r'^loc\("((?:[^"\\]|\\.)*)"[()]')
_TRAILING = re.compile(r"loc\((.*)\)\s*[{(]?\s*$")
_ALIAS = re.compile(r"#[\w$.-]+")
# What MLIR calls a text that came without a file name.
_TEXT = "-"


@dataclass(frozen=True)
class Place:
    """Where something is wrong: in the text, in the front end's source, or both."""

    line: int | None = None
    column: int | None = None
    source: str | None = None

    def __str__(self) -> str:
        """Says where, to go behind a sentence."""
        if self.source is not None:
            return f" ({self.source})"
        return "" if self.line is None else f" (line {self.line}, column {self.column})"

    def metadata(self) -> dict[str, object]:
        """Returns what is known, under the names that the contract gives it."""
        known = {"line": self.line, "column": self.column, "source": self.source}
        return {name: value for name, value in known.items() if value is not None}


def find(location: ir.Location, text: str) -> Place:
    """Finds the place that an operation's or a diagnostic's location means.

    As printed, a location names its own file before the calls and parts around it, so the first file is the one.
    """
    file = _FILE.search(str(location))
    if file is None:
        return Place()
    name, line, column = file.groups()
    if name != _TEXT:
        return Place(source=f"{name}:{line}:{column}")
    return Place(line=int(line), column=int(column), source=_source_of_line(text, int(line)))


def name_of(location: ir.Location) -> str | None:
    """Returns the name that a location gives, such as an argument's."""
    match = _NAME.match(str(location))
    return match.group(1) if match else None


def _source_of_line(text: str, line: int) -> str | None:
    lines = text.splitlines()
    if not 0 < line <= len(lines):
        return None
    match = _TRAILING.search(lines[line - 1])
    body = match.group(1) if match else ""
    for _ in range(64):
        file = _FILE.search(body)
        alias = _ALIAS.search(body)
        if file and (not alias or file.start() < alias.start()):
            return None if file.group(1) == _TEXT else f"{file.group(1)}:{file.group(2)}:{file.group(3)}"
        if not alias:
            return None
        definition = re.search(rf"^{re.escape(alias.group(0))} = loc\((.*)\)\s*$", text, re.MULTILINE)
        body = definition.group(1) if definition else ""
    return None
