"""python -m pytest python-worker/tests/test_compile.py -k cache."""

from pathlib import Path
from threading import Thread

import grpc
import numpy as np
import pytest

from client import compile_, execute, refused, value
from programs import ADD_INTO, doubled, unary
from tsxla_worker.contract.generated import pb, rpc
from tsxla_worker.executables.registry import Executables
from tsxla_worker.machine.logs import Logs
from tsxla_worker.measuring.metrics import Metrics
from tsxla_worker.serving.worker import Worker


def test_compile_describes_what_main_takes_and_gives(stub: rpc.WorkerServiceStub) -> None:
    made = compile_(
        stub,
        unary(
            "%0 = stablehlo.convert %arg0 : (tensor<2x3xbf16>) -> tensor<2x3xi1>", source="2x3xbf16", target="2x3xi1"
        ),
    )
    assert [(kind.element_type, list(kind.shape)) for kind in made.arguments] == [(pb.ELEMENT_TYPE_BF16, [2, 3])]
    assert [(kind.element_type, list(kind.shape)) for kind in made.results] == [(pb.ELEMENT_TYPE_BOOL, [2, 3])]


def test_the_same_module_has_the_same_executable_and_comes_from_the_worker(stub: rpc.WorkerServiceStub) -> None:
    first, second = compile_(stub, doubled()), compile_(stub, doubled())
    assert first.executable_id == second.executable_id
    assert second.from_cache


def test_engines_have_executables_of_their_own(stub: rpc.WorkerServiceStub) -> None:
    ids = {compile_(stub, doubled(), engine).executable_id for engine in (pb.ENGINE_XLA, pb.ENGINE_REFERENCE)}
    assert len(ids) == 2
    assert compile_(stub, doubled()).executable_id in ids


def test_two_clients_who_compile_one_module_at_once_get_one_executable(stub: rpc.WorkerServiceStub) -> None:
    module = doubled("7xf32")
    ids: list[str] = []
    threads = [Thread(target=lambda: ids.append(compile_(stub, module).executable_id)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ids) == 4
    assert len(set(ids)) == 1


def test_the_compiler_s_byte_counts_include_what_donation_saves(stub: rpc.WorkerServiceStub) -> None:
    made = compile_(stub, ADD_INTO)
    assert made.argument_bytes == 32
    assert made.alias_bytes == 16


def test_the_optimised_module_comes_only_when_it_is_asked_for(stub: rpc.WorkerServiceStub) -> None:
    assert compile_(stub, doubled()).optimized_hlo == ""
    assert "ENTRY" in compile_(stub, doubled(), hlo=True).optimized_hlo


# The cache on disk. Each of these makes the part of a new worker that compiles, over the cache of the running one.


def fresh(running: Worker) -> Executables:
    return Executables(running.logs, Metrics())


def test_another_worker_finds_the_executable_on_disk(stub: rpc.WorkerServiceStub, running: Worker) -> None:
    module = doubled("11xf32")
    assert not compile_(stub, module).from_cache
    assert fresh(running).compile(module, pb.ENGINE_XLA)[0].from_cache


def test_moving_a_line_of_the_front_end_does_not_spoil_the_cache(running: Worker) -> None:
    module = unary('%0 = stablehlo.sine %arg0 : tensor<4xf32> loc("models/a.ts":LINE:2)')
    assert not fresh(running).compile(module.replace("LINE", "10"), pb.ENGINE_XLA)[0].from_cache
    assert fresh(running).compile(module.replace("LINE", "11"), pb.ENGINE_XLA)[0].from_cache


def test_other_arithmetic_is_not_found_in_the_cache(running: Worker) -> None:
    fresh(running).compile(unary("%0 = stablehlo.cosine %arg0 : tensor<4xf32>"), pb.ENGINE_XLA)
    made, _ = fresh(running).compile(unary("%0 = stablehlo.tan %arg0 : tensor<4xf32>"), pb.ENGINE_XLA)
    assert not made.from_cache


@pytest.mark.parametrize("damage", ["empty", "cut", "flipped", "noise"])
def test_a_damaged_cache_entry_is_compiled_again_and_replaced(running: Worker, damage: str) -> None:
    module = doubled(f"{100 + len(damage)}x{ord(damage[0])}xf32")
    assert running.cache_dir is not None
    before = set(running.cache_dir.iterdir())
    assert not fresh(running).compile(module, pb.ENGINE_XLA)[0].from_cache
    (entry,) = set(running.cache_dir.iterdir()) - before
    whole = entry.read_bytes()
    entry.write_bytes(_damaged(whole, damage))
    assert not fresh(running).compile(module, pb.ENGINE_XLA)[0].from_cache
    assert fresh(running).compile(module, pb.ENGINE_XLA)[0].from_cache


def _damaged(whole: bytes, how: str) -> bytes:
    middle = len(whole) // 2
    flipped = whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :]
    return {"empty": b"", "cut": whole[:middle], "flipped": flipped, "noise": b"\x07" * 100}[how]


# Donation.

PERMUTED = """\
module @m {
  func.func public @main(%arg0: tensor<1024xf32> {tf.aliasing_output = 2 : i32}, %arg1: tensor<1024xf32>, %arg2: tensor<1024xf32> {tf.aliasing_output = 0 : i32}) -> (tensor<1024xf32>, tensor<1024xf32>, tensor<1024xf32>) {
    %0 = stablehlo.add %arg2, %arg1 : tensor<1024xf32>
    %1 = stablehlo.multiply %arg1, %arg1 : tensor<1024xf32>
    %2 = stablehlo.subtract %arg0, %arg1 : tensor<1024xf32>
    return %0, %1, %2 : tensor<1024xf32>, tensor<1024xf32>, tensor<1024xf32>
  }
}
"""


def test_results_take_the_memory_of_the_arguments_that_the_module_names(stub: rpc.WorkerServiceStub) -> None:
    made = compile_(stub, PERMUTED, hlo=True)
    # The call permutes arguments and results; what counts is that no pair is copied.
    assert made.alias_bytes == 2 * 4096
    assert "copy" not in made.optimized_hlo
    arrays = [np.arange(1024, dtype=np.float32) * scale for scale in (1, 2, 3)]
    found = execute(stub, PERMUTED, *arrays)
    for result, wanted in zip(found, (arrays[2] + arrays[1], arrays[1] ** 2, arrays[0] - arrays[1]), strict=True):
        np.testing.assert_array_equal(result, wanted)


def test_an_argument_can_be_given_away_without_a_result_that_takes_it(stub: rpc.WorkerServiceStub) -> None:
    module = doubled().replace("%arg0: tensor<4xf32>)", "%arg0: tensor<4xf32> {jax.buffer_donor = true})")
    np.testing.assert_array_equal(execute(stub, module, np.ones(4, np.float32))[0], np.full(4, 2))


@pytest.mark.parametrize("target", [5, -1])
def test_an_argument_that_names_a_missing_result_is_refused(stub: rpc.WorkerServiceStub, target: int) -> None:
    _, reason, _, message = refused(lambda: compile_(stub, ADD_INTO.replace("= 1 : i32", f"= {target} : i32")))
    assert reason == "MODULE_INVALID"
    assert message == f"Argument 1 of @main (state, f32[4]) is to become result {target}, which is no result."


# Refusals.


def test_a_parse_error_names_line_column_and_the_front_end_s_line(stub: rpc.WorkerServiceStub) -> None:
    module = unary('%0 = stablehlo.add %arg0, %zz : tensor<4xf32> loc("models/llama.ts":41:12)')
    code, reason, metadata, message = refused(lambda: compile_(stub, module))
    assert (code, reason) == (grpc.StatusCode.INVALID_ARGUMENT, "MODULE_INVALID")
    assert metadata == {"line": "3", "column": "31", "source": "models/llama.ts:41:12"}
    assert message == "The module is not valid (models/llama.ts:41:12): use of undeclared SSA value name."


def test_a_parse_error_follows_aliases_to_the_front_end_s_line(stub: rpc.WorkerServiceStub) -> None:
    module = unary("%0 = stablehlo.add %arg0, %zz : tensor<4xf32> loc(#loc3)") + (
        '#loc1 = loc("models/llama.ts":41:12)\n#loc2 = loc("attn.q"(#loc1))\n'
        '#loc4 = loc("models/llama.ts":99:1)\n#loc3 = loc(callsite(#loc2 at #loc4))\n'
    )
    assert refused(lambda: compile_(stub, module))[2]["source"] == "models/llama.ts:41:12"


def test_a_verification_error_names_the_front_end_s_line(stub: rpc.WorkerServiceStub) -> None:
    line = (
        "%0 = stablehlo.reshape %arg0 : (tensor<4xf32>) -> tensor<5xf32> "
        'loc(callsite("attn.q"("models/llama.ts":41:12) at "layers.3"("models/llama.ts":99:1)))'
    )
    _, reason, metadata, message = refused(lambda: compile_(stub, unary(line, target="5xf32")))
    assert (reason, metadata) == ("MODULE_INVALID", {"source": "models/llama.ts:41:12"})
    assert message.startswith(
        "The module is not valid (models/llama.ts:41:12): number of output elements (5) doesn't match"
    )


def test_an_unknown_custom_call_is_refused_by_name(stub: rpc.WorkerServiceStub) -> None:
    line = "%0 = stablehlo.custom_call @launch_missiles(%arg0) : (tensor<4xf32>) -> tensor<4xf32>"
    code, reason, metadata, message = refused(lambda: compile_(stub, unary(line)))
    assert (code, reason) == (grpc.StatusCode.INVALID_ARGUMENT, "CUSTOM_CALL_UNKNOWN")
    assert metadata["target"] == "launch_missiles"
    assert message.startswith("The worker knows no custom call named 'launch_missiles'")


def test_a_composite_runs_by_its_decomposition(stub: rpc.WorkerServiceStub) -> None:
    module = unary(
        '%0 = stablehlo.composite "tsxla.double" %arg0 {decomposition = @double} : (tensor<4xf32>) -> tensor<4xf32>'
    )
    double = "func.func private @double(%arg0: tensor<4xf32>) -> tensor<4xf32> {\n%0 = stablehlo.add %arg0, %arg0 : tensor<4xf32>\nreturn %0 : tensor<4xf32>\n}\n}\n"
    module = module.rstrip().removesuffix("}") + double
    for engine in (pb.ENGINE_XLA, pb.ENGINE_REFERENCE):
        np.testing.assert_array_equal(execute(stub, module, np.ones(4, np.float32), engine=engine)[0], np.full(4, 2))


CIRCLE = """\
func.func public @main(%arg0: tensor<4xf32>) -> tensor<4xf32> {
  %0 = func.call @other(%arg0) : (tensor<4xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}
func.func private @other(%arg0: tensor<4xf32>) -> tensor<4xf32> {
  %0 = func.call @main(%arg0) : (tensor<4xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}
"""


@pytest.mark.parametrize(
    ("module", "sentence"),
    [
        ("", "The module has no function @main."),
        ("func.func @other() { return }", "The module has no function @main."),
        ("func.func private @main() -> tensor<f32>", "@main has no body."),
        ("func.func private @main() { return }", "@main is not public."),
        (doubled("?xf32"), "Result 0 of @main has the type tensor<?xf32>; the worker takes"),
        (doubled("2xcomplex<f32>"), "the type tensor<2xcomplex<f32>>; the worker takes"),
        (
            doubled("1000000000000000000xf32"),
            "a value of type tensor<1000000000000000000xf32>, which no machine can hold",
        ),
        (doubled("1000000x1000000x1000000xf32"), "which no machine can hold"),
        (
            unary(
                "%1 = stablehlo.iota dim = 0 : tensor<9000000000000xf32>\n%0 = stablehlo.negate %arg0 : tensor<4xf32>"
            ),
            "stablehlo.iota makes a value",
        ),
        (CIRCLE, "Functions call each other in a circle: main, other."),
        (unary("%0 = arith.constant dense<1.0> : tensor<4xf32>"), "The worker does not run arith.constant"),
        (
            unary(
                '%1 = stablehlo.create_token : !stablehlo.token\n%0, %2 = "stablehlo.infeed"(%1) : (!stablehlo.token) -> (tensor<4xf32>, !stablehlo.token)'
            ),
            "The worker does not run stablehlo.infeed",
        ),
        ("module {" * 30_000 + "}" * 30_000, "The module nests 30000 deep; at most 500 is taken."),
        (
            "".join(f'#a{i + 1} = loc("x"(#a{i}))\n' for i in range(2000))
            + "#a0 = loc(unknown)\nmodule {} loc(#a2000)",
            "at most 500 is taken",
        ),
        ("module {}\0", "The module's text holds a zero byte."),
        ("ML\xefR", "The module is not valid"),
        ("module " + "x" * (65 << 20), "at most 67108864 are taken."),
    ],
)
def test_a_broken_module_is_refused_with_a_sentence(stub: rpc.WorkerServiceStub, module: str, sentence: str) -> None:
    code, reason, _, message = refused(lambda: compile_(stub, module))
    assert (code, reason) == (grpc.StatusCode.INVALID_ARGUMENT, "MODULE_INVALID")
    assert sentence in message


def test_names_may_hold_any_number_of_brackets(stub: rpc.WorkerServiceStub) -> None:
    lines = "".join(f'%v{i} = stablehlo.negate %arg0 : tensor<4xf32> loc("((<{i}")\n' for i in range(600))
    assert compile_(stub, unary(lines + "%0 = stablehlo.negate %arg0 : tensor<4xf32>")).executable_id


def test_a_module_that_xla_refuses_is_an_error_of_the_compiler(stub: rpc.WorkerServiceStub) -> None:
    line = "%0 = stablehlo.custom_call @mhlo.topk(%arg0) : (tensor<4xf32>) -> tensor<4xf32>"
    code, reason, _, message = refused(lambda: compile_(stub, unary(line)))
    assert (code, reason) == (grpc.StatusCode.INTERNAL, "COMPILE_FAILED")
    assert message.startswith("XLA did not compile the module: ")


def test_an_unknown_executable_is_named(stub: rpc.WorkerServiceStub) -> None:
    request = pb.ExecuteRequest(executable_id="x-none", arguments=[value(np.ones(1, np.float32))])
    code, reason, metadata, _ = refused(lambda: stub.Execute(request))
    assert (code, reason, metadata) == (grpc.StatusCode.NOT_FOUND, "EXECUTABLE_NOT_FOUND", {"executable_id": "x-none"})


def test_the_log_has_a_line_of_json_for_every_compilation(running: Worker, folder: Path) -> None:
    running.executables.compile(doubled("13xf32"), pb.ENGINE_XLA)
    assert isinstance(running.logs, Logs)
    assert '"event": "compiled"' in (folder / "worker.log").read_text()
