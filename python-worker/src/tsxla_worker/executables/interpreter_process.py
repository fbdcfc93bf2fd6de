"""The process in which StableHLO's reference interpreter runs.

    python -m tsxla_worker.executables.interpreter_process

The interpreter ends its process where it has no answer: at an operation that it does not know, at an integer divided
by zero. So it gets a process of its own (`reference_interpreter.py` holds the other end), which imports no JAX and
starts in a fifth of a second. It reads requests from stdin and writes answers to stdout until stdin ends.

A request is a pickled `(text, [(element, shape, bytes)], [(element, shape)])`, an answer a pickled list of bytes or a
string that says what went wrong; each behind its length in eight bytes.
"""

import os
import pickle
import sys
from collections import OrderedDict
from typing import BinaryIO

import numpy as np
from jaxlib.mlir import ir
from jaxlib.mlir._mlir_libs import _jax_mlir_ext  # pyright: ignore[reportPrivateUsage]
from jaxlib.mlir.dialects import chlo, sdy, stablehlo

type Typed = tuple[str, tuple[int, ...]]
type Valued = tuple[str, tuple[int, ...], bytes]

_KEPT_MODULES = 16
# Types that numpy can't read out of an attribute, and the casts to what it can.
_CASTS = {
    "bf16": [("bitcast_convert", "ui16")],
    "f8E5M2": [("bitcast_convert", "ui8")],
    "f8E4M3FN": [("bitcast_convert", "ui8")],
    "f8E8M0FNU": [("bitcast_convert", "ui8")],
    "f4E2M1FN": [("bitcast_convert", "ui4"), ("convert", "ui8")],
    "i4": [("convert", "i8")],
    "ui4": [("convert", "ui8")],
}


def receive(stream: BinaryIO) -> object | None:
    """Reads a message; None at the end of the stream."""
    head = stream.read(8)
    if len(head) < 8:
        return None
    body = stream.read(int.from_bytes(head, "little"))
    return pickle.loads(body)


def send(stream: BinaryIO, message: object) -> None:
    """Writes a message."""
    body = pickle.dumps(message, protocol=5)
    stream.write(len(body).to_bytes(8, "little"))
    stream.write(body)
    stream.flush()


def main() -> None:
    """Answers requests until stdin ends."""
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what libraries print must not come between
    modules: OrderedDict[str, ir.Module] = OrderedDict()
    while (request := receive(requests)) is not None:
        text, arguments, results = request  # type: ignore[misc]
        try:
            module = modules.pop(text, None) or ir.Module.parse(text, _context())
            modules[text] = module
            if len(modules) > _KEPT_MODULES:
                modules.popitem(last=False)
            answer: list[bytes] | str = _evaluate(module, arguments, results)
        except Exception as error:
            answer = str(error)
        send(answers, answer)


def _evaluate(
    module: ir.Module, arguments: list[tuple[str, tuple[int, ...], bytes]], results: list[Typed]
) -> list[bytes]:
    with module.context, ir.Location.unknown():
        given = [_to_attribute(*argument) for argument in arguments]
        found = stablehlo.eval_module(module, given)
        return [_to_bytes(attribute, *kind) for attribute, kind in zip(found, results, strict=True)]


def _to_attribute(element: str, shape: tuple[int, ...], data: bytes) -> ir.Attribute:
    kind = ir.RankedTensorType.get(shape, ir.Type.parse(element))
    if not data:
        return ir.Attribute.parse(f"dense<> : {kind}")
    width = len(data) // int(np.prod(shape, dtype=np.int64))
    array = np.frombuffer(data, f"<u{width}").reshape(shape)
    return ir.DenseElementsAttr.get(array, type=kind.element_type, shape=list(shape))


def _to_bytes(attribute: ir.Attribute, element: str, shape: tuple[int, ...]) -> bytes:
    if 0 in shape:
        return b""
    if element in _CASTS:
        attribute = _cast(attribute, element, shape)
    return np.ascontiguousarray(np.array(attribute)).tobytes()


def _cast(attribute: ir.Attribute, element: str, shape: tuple[int, ...]) -> ir.Attribute:
    """Lets the interpreter itself cast a value to integers of the same bits."""
    sizes = "".join(f"{size}x" for size in shape)
    source, value, lines = element, "%arg0", list[str]()
    for step, (operation, target) in enumerate(_CASTS[element]):
        lines.append(f"%{step} = stablehlo.{operation} {value} : (tensor<{sizes}{source}>) -> tensor<{sizes}{target}>")
        source, value = target, f"%{step}"
    body = "\n".join([*lines, f"return {value} : tensor<{sizes}{source}>"])
    text = f"func.func public @main(%arg0: tensor<{sizes}{element}>) -> tensor<{sizes}{source}> {{\n{body}\n}}"
    return stablehlo.eval_module(ir.Module.parse(text), [attribute])[0]


def _context() -> ir.Context:
    registry = ir.DialectRegistry()
    _jax_mlir_ext.register_dialects(registry)
    context = ir.Context()
    context.append_dialect_registry(registry)
    context.load_all_available_dialects()
    for dialect in (stablehlo, chlo, sdy):
        dialect.register_dialect(context)
    return context


if __name__ == "__main__":
    main()
    sys.exit(0)
