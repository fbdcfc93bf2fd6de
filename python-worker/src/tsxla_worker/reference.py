"""Runs a module by StableHLO's reference interpreter: the judge of what a module means.

The interpreter takes and gives MLIR attributes. numpy can read those of common types; for the others (bf16, f8, f4,
4-bit integers) the interpreter itself casts the result to integers of the same bits first.
It keeps every value in memory at once, so a module is measured before it runs.
"""

import numpy as np
from jaxlib.mlir import ir
from jaxlib.mlir.dialects import stablehlo

from tsxla_worker import memory
from tsxla_worker.errors import clip, internal, invalid
from tsxla_worker.modules import Program
from tsxla_worker.tensors import TensorType

VALUE_LIMIT = 1 << 30


def check(program: Program) -> None:
    """Refuses a module whose values would not fit in memory."""
    available = memory.available_bytes() or 1 << 33
    for found, wanted in ((program.largest_value, VALUE_LIMIT), (program.all_values, available // 2)):
        if found > wanted:
            raise invalid(
                "MODULE_INVALID",
                f"The reference interpreter would hold {found} bytes; it is allowed {wanted}.",
                found=found,
                wanted=wanted,
            )


def run(program: Program, arguments: list[np.ndarray]) -> list[np.ndarray]:
    """Evaluates `@main` on arrays."""
    context = program.module.context
    try:
        with context, ir.Location.unknown():
            given = [
                _to_attribute(array, parameter.type)
                for array, parameter in zip(arguments, program.parameters, strict=True)
            ]
            results = stablehlo.eval_module(program.module, given)
            return [_to_array(attribute, kind) for attribute, kind in zip(results, program.results, strict=True)]
    except Exception as error:
        raise internal(
            "EXECUTION_FAILED", f"The reference interpreter refused the module: {clip(str(error), 1500)}"
        ) from error


def _to_attribute(array: np.ndarray, kind: TensorType) -> ir.Attribute:
    element = ir.Type.parse(kind.element.name)
    if array.size == 0:
        return ir.Attribute.parse(f"dense<> : {ir.RankedTensorType.get(kind.shape, element)}")
    return ir.DenseElementsAttr.get(np.ascontiguousarray(array), type=element, shape=list(kind.shape))


def _to_array(attribute: ir.Attribute, kind: TensorType) -> np.ndarray:
    name, dtype = kind.element.name, kind.element.dtype
    if kind.size == 0:
        return np.zeros(kind.shape, dtype)
    if name in {"i4", "ui4"}:
        return np.array(_cast(attribute, kind, [("convert", "i8")])).astype(dtype)
    if name == "f4E2M1FN":
        casts = [("bitcast_convert", "ui4"), ("convert", "ui8")]
        return np.array(_cast(attribute, kind, casts)).astype(np.uint8).view(dtype).reshape(kind.shape)
    if dtype.kind == "V" or name == "bf16" or name.startswith("f8"):
        casts = [("bitcast_convert", f"ui{8 * dtype.itemsize}")]
        return np.array(_cast(attribute, kind, casts)).view(dtype).reshape(kind.shape)
    return np.array(attribute).reshape(kind.shape)


def _cast(attribute: ir.Attribute, kind: TensorType, casts: list[tuple[str, str]]) -> ir.Attribute:
    """Lets the interpreter cast a value by a chain of operations."""
    shape = "".join(f"{size}x" for size in kind.shape)
    source, lines, value = kind.element.name, [], "%arg0"
    for step, (operation, target) in enumerate(casts):
        types = f"(tensor<{shape}{source}>) -> tensor<{shape}{target}>"
        lines.append(f"%{step} = stablehlo.{operation} {value} : {types}")
        source, value = target, f"%{step}"
    text = (
        f"func.func public @main(%arg0: tensor<{shape}{kind.element.name}>) -> tensor<{shape}{source}> {{\n"
        + "\n".join(lines)
        + f"\nreturn {value} : tensor<{shape}{source}>\n}}"
    )
    return stablehlo.eval_module(ir.Module.parse(text), [attribute])[0]
