"""python -m pytest python-worker/tests/test_execute.py. numpy judges."""

from collections.abc import Callable

import grpc
import ml_dtypes
import numpy as np
import pytest

from client import array, compile_, download, execute, refused, upload, value
from programs import ADD_INTO, doubled, identity, unary
from tsxla_worker.contract.generated import pb, rpc
from tsxla_worker.tensors.tensor_types import ELEMENT_TYPES, ElementType

ENGINES = (pb.ENGINE_XLA, pb.ENGINE_REFERENCE)
ONES = np.ones(4, np.float32)


def run(
    stub: rpc.WorkerServiceStub, module: str, *arguments: pb.Argument, fetch: tuple[int, ...] = ()
) -> list[pb.Result]:
    made = compile_(stub, module)
    request = pb.ExecuteRequest(executable_id=made.executable_id, arguments=arguments, fetch=fetch)
    return list(stub.Execute(request).results)


def handle(id_: str) -> pb.Argument:
    return pb.Argument(buffer_id=id_)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_matrix_product_is_true_f32(stub: rpc.WorkerServiceStub, engine: pb.Engine) -> None:
    random = np.random.default_rng(0)
    x, y = random.standard_normal((8, 64)).astype(np.float32), random.standard_normal((64, 16)).astype(np.float32)
    module = """func.func public @main(%arg0: tensor<8x64xf32>, %arg1: tensor<64x16xf32>) -> tensor<8x16xf32> {
      %0 = stablehlo.dot_general %arg0, %arg1, contracting_dims = [1] x [0]
        : (tensor<8x64xf32>, tensor<64x16xf32>) -> tensor<8x16xf32>
      return %0 : tensor<8x16xf32>
    }"""
    (found,) = execute(stub, module, x, y, engine=engine)
    # The sum of 64 products of numbers about 1 errs by some 64 * 2^-24; bf16 or TF32 would err by more than 2^-11.
    np.testing.assert_allclose(found, x.astype(np.float64) @ y.astype(np.float64), rtol=0, atol=2e-5)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("element", ELEMENT_TYPES, ids=lambda element: element.name)
def test_every_element_type_goes_through_a_program(
    stub: rpc.WorkerServiceStub, engine: pb.Engine, element: ElementType
) -> None:
    sent = np.array([[1, 0, 1], [1, 2, 1]], np.float32).astype(element.dtype)
    shape = f"2x3x{element.name}"
    (back,) = execute(stub, identity(shape), sent, engine=engine)
    assert back.dtype == element.dtype
    assert back.tobytes() == sent.tobytes()


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("numbers", [[-8, -1, 7, 0]])
def test_signed_four_bit_numbers_keep_their_sign(
    stub: rpc.WorkerServiceStub, engine: pb.Engine, numbers: list[int]
) -> None:
    sent = np.array(numbers).astype(ml_dtypes.int4)
    module = unary("%0 = stablehlo.convert %arg0 : (tensor<4xi4>) -> tensor<4xi32>", source="4xi4", target="4xi32")
    assert execute(stub, module, sent, engine=engine)[0].tolist() == numbers
    assert execute(stub, identity("4xi4"), sent, engine=engine)[0].astype(np.int8).tolist() == numbers


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("shape", [(), (0,), (3, 0), (1, 1), (9,), (64,)])
def test_shapes_of_every_kind_go_through(
    stub: rpc.WorkerServiceStub, engine: pb.Engine, shape: tuple[int, ...]
) -> None:
    text = "".join(f"{size}x" for size in shape)
    sent = (np.arange(np.prod(shape, dtype=int)) % 3 == 0).reshape(shape)
    (back,) = execute(stub, identity(f"{text}i1"), sent, engine=engine)
    assert back.shape == shape
    assert (back == sent).all()


UNARY: list[tuple[str, Callable[[np.ndarray], np.ndarray]]] = [
    ("exponential", np.exp),
    ("tanh", np.tanh),
    ("logistic", lambda x: 1 / (1 + np.exp(-x))),
    ("rsqrt", lambda x: 1 / np.sqrt(x)),
]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("operation", "judge"), UNARY, ids=[name for name, _ in UNARY])
def test_both_engines_agree_with_numpy(
    stub: rpc.WorkerServiceStub, engine: pb.Engine, operation: str, judge: Callable[[np.ndarray], np.ndarray]
) -> None:
    x = np.array([0.25, 1, 2, 9], np.float32)
    (found,) = execute(stub, unary(f"%0 = stablehlo.{operation} %arg0 : tensor<4xf32>"), x, engine=engine)
    np.testing.assert_allclose(found, judge(x.astype(np.float64)), rtol=1e-6)


# The reference interpreter ends its process where it has no answer.


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("%0 = chlo.erf %arg0 : tensor<4xf32> -> tensor<4xf32>", "Unsupported op: %0 = chlo.erf"),
        (
            "%1 = stablehlo.constant dense<0> : tensor<4xi32>\n%2 = stablehlo.divide %1, %1 : tensor<4xi32>\n"
            "%0 = stablehlo.convert %2 : (tensor<4xi32>) -> tensor<4xf32>",
            "an integer was divided by zero",
        ),
        (
            "%1 = stablehlo.iota dim = 0 : tensor<200000000000xf32>\n"
            "%0 = stablehlo.slice %1 [0:4] : (tensor<200000000000xf32>) -> tensor<4xf32>",
            "The reference interpreter gave up: ",
        ),
    ],
)
def test_the_worker_outlives_the_reference_interpreter(stub: rpc.WorkerServiceStub, line: str, sentence: str) -> None:
    code, reason, _, message = refused(lambda: execute(stub, unary(line), ONES, engine=pb.ENGINE_REFERENCE))
    assert (code, reason) == (grpc.StatusCode.INTERNAL, "EXECUTION_FAILED")
    assert sentence in message
    assert execute(stub, doubled(), ONES, engine=pb.ENGINE_REFERENCE)[0].tolist() == [2, 2, 2, 2]


def test_the_reference_interpreter_takes_buffers_and_donates_nothing(stub: rpc.WorkerServiceStub) -> None:
    made = compile_(stub, ADD_INTO, pb.ENGINE_REFERENCE)
    x, state = upload(stub, ONES), upload(stub, ONES * 3)
    request = pb.ExecuteRequest(executable_id=made.executable_id, arguments=[handle(x), handle(state)])
    first, second = stub.Execute(request).results
    assert download(stub, first.buffer.buffer_id).tolist() == [4, 4, 4, 4]
    assert download(stub, second.buffer.buffer_id).tolist() == [3, 3, 3, 3]
    assert download(stub, state).tolist() == [3, 3, 3, 3]


# Buffers, donation, checks.


def test_results_stay_on_the_device_unless_they_are_fetched(stub: rpc.WorkerServiceStub) -> None:
    first, second = run(stub, ADD_INTO, value(ONES), value(ONES * 3), fetch=(1,))
    assert download(stub, first.buffer.buffer_id).tolist() == [4, 4, 4, 4]
    assert array(second.tensor).tolist() == [3, 3, 3, 3]


def test_a_donated_buffer_is_gone_and_says_so(stub: rpc.WorkerServiceStub) -> None:
    x, state = upload(stub, ONES), upload(stub, ONES)
    run(stub, ADD_INTO, handle(x), handle(state), fetch=(0, 1))
    assert download(stub, x).tolist() == [1, 1, 1, 1]
    assert refused(lambda: download(stub, state))[3] == f"There is no buffer {state!r}: it was donated to a run."
    assert refused(lambda: run(stub, ADD_INTO, handle(x), handle(state)))[1] == "BUFFER_NOT_FOUND"


def test_a_call_that_is_refused_donates_nothing(stub: rpc.WorkerServiceStub) -> None:
    state, small = upload(stub, ONES), upload(stub, np.ones(3, np.float32))
    code, reason, metadata, message = refused(lambda: run(stub, ADD_INTO, handle(small), handle(state)))
    assert (code, reason) == (grpc.StatusCode.INVALID_ARGUMENT, "ARGUMENT_MISMATCH")
    assert metadata == {"index": "0", "name": "x", "found": "f32[3]", "wanted": "f32[4]"}
    assert message == f"Argument 0 (x) wants f32[4]; buffer {small!r} is f32[3]."
    assert download(stub, state).tolist() == [1, 1, 1, 1]


def test_a_donated_buffer_can_not_be_two_arguments(stub: rpc.WorkerServiceStub) -> None:
    state = upload(stub, ONES)
    _, reason, _, message = refused(lambda: run(stub, ADD_INTO, handle(state), handle(state)))
    assert reason == "ARGUMENT_MISMATCH"
    assert message == f"Buffer {state!r} is donated and can't be two arguments of one call ([0, 1])."
    assert download(stub, state).tolist() == [1, 1, 1, 1]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([value(ONES)], "The program takes 2 arguments; 1 came."),
        ([value(ONES)] * 3, "The program takes 2 arguments; 3 came."),
        ([value(ONES), value(ONES.astype(np.float64))], "Argument 1 (state) wants f32[4]; it is f64[4]."),
        ([value(ONES), value(ONES.reshape(2, 2))], "Argument 1 (state) wants f32[4]; it is f32[2, 2]."),
        ([value(ONES), pb.Argument()], "An argument has no source."),
        ([value(ONES), pb.Argument(tensor=pb.Tensor())], "0 is not an element type."),
    ],
)
def test_wrong_arguments_are_refused(stub: rpc.WorkerServiceStub, arguments: list[pb.Argument], sentence: str) -> None:
    code, _, _, message = refused(lambda: run(stub, ADD_INTO, *arguments))
    assert (code, message) == (grpc.StatusCode.INVALID_ARGUMENT, sentence)


def test_a_result_that_does_not_exist_is_not_fetched(stub: rpc.WorkerServiceStub) -> None:
    state = upload(stub, ONES)
    message = refused(lambda: run(stub, ADD_INTO, value(ONES), handle(state), fetch=(2,)))[3]
    assert message == "Result 2 is asked for; the program gives 2."
    assert download(stub, state).tolist() == [1, 1, 1, 1]


def test_a_program_that_needs_more_memory_than_there_is_fails_and_the_worker_lives(stub: rpc.WorkerServiceStub) -> None:
    # 800 GB that XLA can't optimise away: sorted.
    size = 200_000_000_000
    module = f"""func.func public @main(%arg0: tensor<f32>) -> tensor<{size}xf32> {{
      %1 = stablehlo.broadcast_in_dim %arg0, dims = [] : (tensor<f32>) -> tensor<{size}xf32>
      %0 = "stablehlo.sort"(%1) ({{
      ^bb0(%a: tensor<f32>, %b: tensor<f32>):
        %2 = stablehlo.compare LT, %a, %b : (tensor<f32>, tensor<f32>) -> tensor<i1>
        stablehlo.return %2 : tensor<i1>
      }}) : (tensor<{size}xf32>) -> tensor<{size}xf32>
      return %0 : tensor<{size}xf32>
    }}"""
    code, reason, _, message = refused(lambda: run(stub, module, value(np.array(1, np.float32))))
    assert (code, reason) == (grpc.StatusCode.INTERNAL, "EXECUTION_FAILED")
    assert "are available" in message
    assert execute(stub, doubled(), ONES)[0].tolist() == [2, 2, 2, 2]


def test_a_cancelled_call_disturbs_nobody(stub: rpc.WorkerServiceStub) -> None:
    slow = unary(
        "%0 = stablehlo.dot_general %arg0, %arg0, contracting_dims = [1] x [0]"
        " : (tensor<2048x2048xf32>, tensor<2048x2048xf32>) -> tensor<2048x2048xf32>",
        source="2048x2048xf32",
        target="2048x2048xf32",
    )
    made = compile_(stub, slow)
    matrix = upload(stub, np.eye(2048, dtype=np.float32))
    for _ in range(5):
        call = stub.Execute.future(pb.ExecuteRequest(executable_id=made.executable_id, arguments=[handle(matrix)]))
        call.cancel()
    assert execute(stub, doubled(), ONES)[0].tolist() == [2, 2, 2, 2]
    assert download(stub, matrix)[7, 7] == 1
