"""Names of the model in a profile: which TypeScript line an operation of XLA comes from.

A trace names operations as XLA does (`dot.7`, `add_fusion`), by module. The optimised module, as XLA prints it, says of
each operation the path of its origin (`op_name`) and, through a table of stack frames at its head, file and line.
"""

import gzip
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

type HloOf = Callable[[str], "OptimizedModule | None"]

_COMPUTATION = re.compile(r"^(?:ENTRY )?%?([\w.-]+)(?: \(.*\))? .*\{$")
_OPERATION = re.compile(r"^ *(?:ROOT )?%?([\w.-]+) = \S+ ([\w-]+)\((.*)$")
_OPERAND = re.compile(r"%([\w.-]+)")
_METADATA = re.compile(r"metadata=\{((?:[^{}\"]|\"(?:[^\"\\]|\\.)*\")*)\}")
_CALLS = re.compile(r"calls=%?([\w.-]+)")
_NAME = re.compile(r'op_name="((?:[^"\\]|\\.)*)"')
_FRAME = re.compile(r"stack_frame_id=(\d+)")
_SOURCE = re.compile(r'source_file="((?:[^"\\]|\\.)*)".*?source_line=(\d+)')
_TABLES = ("FileNames", "FunctionNames", "FileLocations", "StackFrames")
# What JAX puts before the paths of a module that it did not trace.
_PREFIX = re.compile(r"^jit\([^)]*\)/(?:call_exported(?:/|$)|jit\([^)]*\)/)*")
# Operations that only pass their operand on.
_VIEWS = frozenset({"bitcast", "copy", "reshape", "transpose", "convert", "broadcast"})


@dataclass(frozen=True)
class OptimizedModule:
    """An optimised module as XLA prints it, and the names of its arguments."""

    text: str
    arguments: Sequence[str]


@dataclass(frozen=True)
class Origin:
    """Where an operation comes from: its path in the model, and `file:line` where that is known."""

    name: str
    source: str | None


@dataclass(frozen=True)
class _Operation:
    kind: str
    operands: list[str]
    number: int | None
    calls: str | None
    origin: Origin | None


def origins(compiled: OptimizedModule) -> dict[str, Origin]:
    """Finds the origin of each operation of an optimised module.

    Some of XLA's rewrites drop it, those of products among them. Such an operation is that of what it calls, else is
    named after the argument that it reads, else after the first operation that uses it.
    """
    frames = _frames(compiled.text)
    operations, computations = _operations(compiled.text, frames)
    users: dict[str, str] = {}
    for name, operation in operations.items():
        for operand in operation.operands:
            users.setdefault(operand, name)

    def argument_of(name: str, depth: int = 0) -> str | None:
        operation = operations.get(name)
        if operation is None or depth > 8:
            return None
        if operation.kind == "parameter" and operation.number is not None:
            return compiled.arguments[operation.number] if operation.number < len(compiled.arguments) else None
        return (
            argument_of(operation.operands[0], depth + 1) if operation.kind in _VIEWS and operation.operands else None
        )

    def guessed(name: str, operation: _Operation) -> Origin | None:
        for inner in reversed(computations.get(operation.calls or "", [])):
            if (found := operations[inner].origin) is not None:
                return found
        for operand in operation.operands:
            if (argument := argument_of(operand)) is not None and argument.startswith("weights."):
                return Origin(f"{operation.kind} with {argument.removeprefix('weights.')}", None)
        user = users.get(name)
        for _ in range(8):
            if user is None:
                return None
            if (found := operations[user].origin) is not None:
                return Origin(f"{operation.kind} for {found.name}", found.source)
            user = users.get(user)
        return None

    pairs = ((name, operation.origin or guessed(name, operation)) for name, operation in operations.items())
    return {name: origin for name, origin in pairs if origin is not None}


def rename(trace: Path, out: Path, hlo_of: HloOf) -> None:
    """Writes a trace again, with the model's names for XLA's.

    Args:
        trace: As the profiler wrote it.
        out: Where to write.
        hlo_of: Gives what is compiled of a module by its name in the trace, if it is known.
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
            compiled = hlo_of(module)
            known[module] = {} if compiled is None else origins(compiled)
        origin = known[module].get(operation)
        if origin is None:
            continue
        event["name"] = origin.name
        arguments["source"] = origin.source or "unknown"
    with gzip.open(out, "wt", encoding="utf-8") as file:
        json.dump(content, file)


def _operations(text: str, frames: dict[int, str]) -> tuple[dict[str, _Operation], dict[str, list[str]]]:
    """All operations by name, and the names of each computation's. Only the entry's parameters have numbers."""
    operations: dict[str, _Operation] = {}
    computations: dict[str, list[str]] = {}
    current: list[str] = []
    is_entry = False
    for line in text.splitlines():
        head = _COMPUTATION.match(line)
        if head is not None and not line.startswith((" ", "HloModule")):
            current = computations.setdefault(head.group(1), [])
            is_entry = line.startswith("ENTRY")
            continue
        match = _OPERATION.match(line)
        if match is None:
            continue
        name, kind, rest = match.groups()
        inside = rest.split(")", 1)[0]
        number = int(inside) if is_entry and kind == "parameter" and inside.isdecimal() else None
        calls, metadata = _CALLS.search(rest), _METADATA.search(rest)
        origin = None if metadata is None else _origin(metadata.group(1), frames)
        operations[name] = _Operation(kind, _OPERAND.findall(inside), number, calls and calls.group(1), origin)
        current.append(name)
    return operations, computations


def _origin(metadata: str, frames: dict[int, str]) -> Origin | None:
    name = _NAME.search(metadata)
    path = "" if name is None else _PREFIX.sub("", name.group(1))
    # Arguments are named after JAX's own, which says nothing.
    if path == "" or path.startswith("arguments["):
        return None
    frame, source = _FRAME.search(metadata), _SOURCE.search(metadata)
    if frame is not None:
        return Origin(path, frames.get(int(frame.group(1))))
    return Origin(path, f"{source.group(1)}:{source.group(2)}" if source else None)


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
