"""python -m pytest python-worker/tests/test_format.py."""

import pytest

from client import refused
from programs import ADD_INTO, doubled, unary
from tsxla_worker.contract.generated import pb, rpc


def printed(stub: rpc.WorkerServiceStub, module: str, *, locations: bool = False) -> str:
    return stub.FormatModule(pb.FormatModuleRequest(module=module, locations=locations)).module


def test_what_mlir_printed_is_printed_the_same(stub: rpc.WorkerServiceStub) -> None:
    for module in (doubled(), ADD_INTO.replace(' loc("x")', "").replace(' loc("state")', "")):
        assert printed(stub, module) == module


@pytest.mark.parametrize("locations", [False, True])
def test_printing_twice_changes_nothing(stub: rpc.WorkerServiceStub, locations: bool) -> None:
    module = unary('%0 = stablehlo.add %arg0, %arg0 : tensor<4xf32> loc("attn.q"("models/a.ts":1:2))')
    once = printed(stub, module, locations=locations)
    assert printed(stub, once, locations=locations) == once
    assert once.endswith("\n")
    assert ("models/a.ts" in once) == locations


def test_large_constants_are_printed_in_full(stub: rpc.WorkerServiceStub) -> None:
    numbers = ", ".join(f"{i}.0" for i in range(5000))
    module = unary(f"%0 = stablehlo.constant dense<[{numbers}]> : tensor<5000xf32>", target="5000xf32")
    text = printed(stub, module)
    assert "elided" not in text
    assert "..." not in text
    assert printed(stub, text) == text


def test_a_broken_module_is_not_printed(stub: rpc.WorkerServiceStub) -> None:
    assert refused(lambda: printed(stub, doubled().replace("add", "ad")))[1] == "MODULE_INVALID"
