"""Names of the model in a profile: which TypeScript line an operation of XLA comes from.

A trace names operations as XLA does (`dot.7`, `add_fusion`), by module. The optimised module, as XLA prints it, says of
each operation the path of its origin (`op_name`) and, through a table of stack frames at its head, file and line.
"""

import gzip
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

type HloOf = Callable[[str], str | None]

_OPERATION = re.compile(r"^\s*(?:ROOT )?%?([\w.-]+) = .*metadata=\{(.*)\}", re.MULTILINE)
_NAME = re.compile(r'op_name="((?:[^"\\]|\\.)*)"')
_FRAME = re.compile(r"stack_frame_id=(\d+)")
_SOURCE = re.compile(r'source_file="((?:[^"\\]|\\.)*)".*?source_line=(\d+)')
_TABLES = ("FileNames", "FunctionNames", "FileLocations", "StackFrames")
# What JAX puts before the paths of a module that it did not trace.
_PREFIX = re.compile(r"^jit\([^)]*\)/(?:call_exported/|jit\([^)]*\)/)*")


@dataclass(frozen=True)
class Origin:
    """Where an operation comes from: its path in the model, and `file:line` where that is known."""

    name: str
    source: str | None


def origins(hlo: str) -> dict[str, Origin]:
    """Reads the origin of each operation of an optimised module."""
    frames = _frames(hlo)
    found: dict[str, Origin] = {}
    for operation, metadata in _OPERATION.findall(hlo):
        name = _NAME.search(metadata)
        if name is None:
            continue
        frame, source = _FRAME.search(metadata), _SOURCE.search(metadata)
        place = (
            frames.get(int(frame.group(1))) if frame else (f"{source.group(1)}:{source.group(2)}" if source else None)
        )
        found[operation] = Origin(_PREFIX.sub("", name.group(1)), place)
    return found


def rename(trace: Path, out: Path, hlo_of: HloOf) -> None:
    """Writes a trace again, with the model's names for XLA's.

    Args:
        trace: As the profiler wrote it.
        out: Where to write.
        hlo_of: Gives the optimised text of a module by its name in the trace, if it is known.
    """
    with gzip.open(trace, "rt", encoding="utf-8") as file:
        content: dict[str, Any] = json.load(file)
    known: dict[str, dict[str, Origin]] = {}
    for event in content.get("traceEvents", []):
        arguments = event.get("args", {})
        module, operation = arguments.get("hlo_module"), arguments.get("hlo_op")
        if module is None or operation is None:
            continue
        if module not in known:
            text = hlo_of(module)
            known[module] = {} if text is None else origins(text)
        origin = known[module].get(operation)
        if origin is None:
            continue
        event["name"] = origin.name
        arguments["source"] = origin.source or "unknown"
    with gzip.open(out, "wt", encoding="utf-8") as file:
        json.dump(content, file)


def _frames(hlo: str) -> dict[int, str]:
    """The innermost line of each stack frame, from the four tables at the head of the text."""
    tables: dict[str, dict[int, str]] = {}
    current: dict[int, str] | None = None
    for line in hlo.splitlines():
        if line in _TABLES:
            current = tables.setdefault(line, {})
        elif current is not None:
            number, _, rest = line.partition(" ")
            if number.isdecimal():
                current[int(number)] = rest
            elif line.strip():
                break
    files = {number: json.loads(text) for number, text in tables.get("FileNames", {}).items()}
    lines: dict[int, str] = {}
    for number, text in tables.get("FileLocations", {}).items():
        file, line = re.search(r"file_name_id=(\d+)", text), re.search(r"\bline=(\d+)", text)
        if file and line:
            lines[number] = f"{files.get(int(file.group(1)), 'unknown')}:{line.group(1)}"
    frames: dict[int, str] = {}
    for number, text in tables.get("StackFrames", {}).items():
        place = re.search(r"file_location_id=(\d+)", text)
        if place and int(place.group(1)) in lines:
            frames[number] = lines[int(place.group(1))]
    return frames
