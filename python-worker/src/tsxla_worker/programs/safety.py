"""Refuses modules that are valid and yet would crash the worker, hang it or fill the machine.

To let programs call a kernel of the worker's own, add its name to `CUSTOM_CALLS`.
"""

from jaxlib.mlir import ir
from jaxlib.mlir.dialects import func

from tsxla_worker.contract.errors import WorkerError, invalid
from tsxla_worker.programs import source_locations
from tsxla_worker.tensors.tensor_types import BY_NAME

# What `stablehlo.custom_call` may name: markers that XLA's partitioner consumes, and the operations that StableHLO
# borrows from MHLO.
CUSTOM_CALLS = frozenset(
    {
        "Sharding",
        "SPMDFullToShardShape",
        "SPMDShardToFullShape",
        "mhlo.acos",
        "mhlo.acosh",
        "mhlo.asin",
        "mhlo.asinh",
        "mhlo.atanh",
        "mhlo.cosh",
        "mhlo.erf",
        "mhlo.sinh",
        "mhlo.tan",
        "mhlo.topk",
    }
)
_DIALECTS = ("stablehlo.", "chlo.", "sdy.", "func.", "builtin.")
# These wait for a host that isn't there.
_WAITING = frozenset({"stablehlo.infeed", "stablehlo.outfeed", "stablehlo.send", "stablehlo.recv"})
# The most bytes that one value may have: beyond any machine, far below where byte counts overflow.
_VALUE_LIMIT = 1 << 43
# The attribute by which an operation calls a function.
_CALLS = {"func.call": "callee", "stablehlo.composite": "decomposition"}


def check(module: ir.Module, main: func.FuncOp) -> None:
    """Refuses a module with MODULE_INVALID or CUSTOM_CALL_UNKNOWN."""
    checks = _Checks()
    for argument in main.arguments:
        checks.check_size(argument.type, "@main takes", argument.location)
    module.operation.walk(checks.visit, ir.WalkOrder.PRE_ORDER)
    if checks.refusal is not None:
        raise checks.refusal
    _check_recursion(checks.calls)


class _Checks:
    """Looks at every operation; what it finds waits in `refusal`, since MLIR swallows exceptions."""

    def __init__(self) -> None:
        self.refusal: WorkerError | None = None
        self.calls: dict[str, set[str]] = {}
        self._sized: set[ir.Type] = set()
        self._function = ""

    def visit(self, operation: ir.Operation) -> ir.WalkResult:
        """Looks at one operation."""
        name = operation.name
        if name == "func.func":
            self._function = ir.StringAttr(operation.attributes["sym_name"]).value
        elif name in _CALLS:
            callee = ir.FlatSymbolRefAttr(operation.attributes[_CALLS[name]]).value
            self.calls.setdefault(self._function, set()).add(callee)
        elif name == "stablehlo.custom_call":
            target = ir.StringAttr(operation.attributes["call_target_name"]).value
            if target not in CUSTOM_CALLS:
                message = f"The worker knows no custom call named {target!r}"
                self._refuse("CUSTOM_CALL_UNKNOWN", message, operation.location, target=target)
        elif name in _WAITING or not name.startswith(_DIALECTS):
            self._refuse("MODULE_INVALID", f"The worker does not run {name}", operation.location, found=name)
        for result in operation.results:
            self.check_size(result.type, f"{name} makes", operation.location)
        return ir.WalkResult.ADVANCE if self.refusal is None else ir.WalkResult.INTERRUPT

    def check_size(self, kind: ir.Type, what: str, location: ir.Location) -> None:
        """Refuses a value that no machine can hold."""
        if kind in self._sized:
            return
        self._sized.add(kind)
        if _bytes(kind) > _VALUE_LIMIT:
            message = f"{what} a value of type {kind}, which no machine can hold"
            self._refuse("MODULE_INVALID", message, location, found=kind)

    def _refuse(self, reason: str, message: str, location: ir.Location, **metadata: object) -> None:
        if self.refusal is None:
            place = source_locations.find(location, "")
            self.refusal = invalid(reason, f"{message}{place}.", **metadata, **place.metadata())


def _bytes(kind: ir.Type) -> int:
    if not isinstance(kind, ir.RankedTensorType) or not kind.has_static_shape:
        return 0
    size = 1
    for extent in kind.shape:
        size *= extent
    element = BY_NAME.get(str(kind.element_type))
    return size * (element.bytes if element else 16)


def _check_recursion(calls: dict[str, set[str]]) -> None:
    """Refuses functions that call themselves: XLA would inline them for ever."""
    remaining = dict(calls)
    while remaining:
        leaves = [caller for caller, callees in remaining.items() if not callees & remaining.keys()]
        if not leaves:
            circle = ", ".join(sorted(remaining))
            raise invalid("MODULE_INVALID", f"Functions call each other in a circle: {circle}.", found=circle)
        for caller in leaves:
            del remaining[caller]
