"""python -m pytest python-worker/tests/test_load.py."""

import json
import os
import threading
import time
from pathlib import Path

import gguf
import grpc
import numpy as np
import pytest

from client import compile_, download, load, refused
from files import SMALL, raw_safetensors, write_gguf, write_safetensors
from programs import doubled, identity, unary
from tsxla_worker.checkpoints import load as loading
from tsxla_worker.contract.generated import pb, rpc

MATRIX = np.random.default_rng(0).standard_normal((64, 32)).astype(np.float32)
SLOW = unary(
    """%c0 = stablehlo.constant dense<0> : tensor<i32>
    %n = stablehlo.constant dense<30> : tensor<i32>
    %one = stablehlo.constant dense<1> : tensor<i32>
    %r:2 = stablehlo.while(%i = %c0, %x = %arg0) : tensor<i32>, tensor<700x700xf32>
    cond {
      %p = stablehlo.compare LT, %i, %n : (tensor<i32>, tensor<i32>) -> tensor<i1>
      stablehlo.return %p : tensor<i1>
    } do {
      %j = stablehlo.add %i, %one : tensor<i32>
      %y = stablehlo.dot_general %x, %x, contracting_dims = [1] x [0] : (tensor<700x700xf32>, tensor<700x700xf32>) -> tensor<700x700xf32>
      stablehlo.return %j, %y : tensor<i32>, tensor<700x700xf32>
    }
    %0 = stablehlo.negate %r#1 : tensor<700x700xf32>""",
    source="700x700xf32",
    target="700x700xf32",
)


def opened(stub: rpc.WorkerServiceStub, path: Path) -> pb.OpenCheckpointResponse:
    return stub.OpenCheckpoint(pb.OpenCheckpointRequest(path=str(path)))


@pytest.fixture(scope="module")
def packed(folder: Path) -> Path:
    def fill(writer: gguf.GGUFWriter) -> None:
        kind = gguf.GGMLQuantizationType.Q4_1
        writer.add_tensor("w", gguf.quantize(MATRIX, kind), raw_dtype=kind)
        kind = gguf.GGMLQuantizationType.IQ4_NL
        writer.add_tensor("other", np.zeros((64, 18), np.uint8), raw_dtype=kind)
        writer.add_array("tokens", ["a", "b"])
        writer.add_array("empty", [""])

    return write_gguf(folder / "packed.gguf", fill)


@pytest.fixture(scope="module")
def slow(folder: Path) -> Path:
    return write_safetensors(folder / "slow.safetensors", {f"w{i}": np.eye(700, dtype=np.float32) for i in range(6)})


def test_the_index_travels_whole(stub: rpc.WorkerServiceStub, folder: Path, packed: Path) -> None:
    found = opened(stub, packed)
    assert (found.container, found.directory) == ("gguf", str(folder))
    assert "worker.log" in found.files
    tensor = {tensor.name: tensor for tensor in found.tensors}["w"]
    assert (tensor.format, list(tensor.shape), tensor.bytes) == ("Q4_1", [64, 32], 64 * 20)
    assert tensor.type == pb.TensorType(element_type=pb.ELEMENT_TYPE_U8, shape=[64, 1, 20])
    assert tensor.file == "packed.gguf"
    assert list(found.metadata["tokens"].strings.values) == ["a", "b"]


def test_the_same_path_unchanged_has_the_same_id(stub: rpc.WorkerServiceStub, folder: Path) -> None:
    path = write_safetensors(folder / "same.safetensors", SMALL)
    first = opened(stub, path)
    assert opened(stub, Path("same.safetensors")).checkpoint_id == first.checkpoint_id
    os.utime(path, (1, 1))
    assert opened(stub, path).checkpoint_id != first.checkpoint_id


def test_tensors_come_as_they_are_without_a_program(stub: rpc.WorkerServiceStub, folder: Path) -> None:
    index = opened(stub, write_safetensors(folder / "plain.safetensors", SMALL))
    last = load(stub, index.checkpoint_id, [pb.LoadItem(tensors=[name]) for name in SMALL])[-1]
    assert (last.items_done, last.bytes_done, last.bytes_total) == (3, 34, 34)
    for buffer, wanted in zip(last.buffers, SMALL.values(), strict=True):
        assert download(stub, buffer.buffer_id).tolist() == wanted.tolist()


def test_a_program_gets_the_raw_blocks(stub: rpc.WorkerServiceStub, packed: Path) -> None:
    kind = "64x1x20xui8"
    made = compile_(stub, unary(f"%0 = stablehlo.add %arg0, %arg0 : tensor<{kind}>", source=kind, target=kind))
    index = opened(stub, packed)
    item = pb.LoadItem(executable_id=made.executable_id, tensors=["w"])
    (buffer,) = load(stub, index.checkpoint_id, [item])[-1].buffers
    wanted = gguf.quantize(MATRIX, gguf.GGMLQuantizationType.Q4_1).reshape(64, 1, 20)
    assert (download(stub, buffer.buffer_id) == wanted * 2).all()


def test_results_of_several_items_come_in_order(stub: rpc.WorkerServiceStub, folder: Path) -> None:
    tensors = {f"t{i}": np.full(4, i, np.float32) for i in range(50)}
    index = opened(stub, write_safetensors(folder / "many.safetensors", tensors))
    made = compile_(stub, doubled())
    items = [pb.LoadItem(executable_id=made.executable_id, tensors=[name]) for name in reversed(tensors)]
    buffers = load(stub, index.checkpoint_id, items)[-1].buffers
    assert [download(stub, buffer.buffer_id)[0] for buffer in buffers] == [2 * i for i in reversed(range(50))]


@pytest.mark.parametrize("donates", [False, True])
def test_a_program_that_returns_its_argument_gives_memory_of_its_own(
    stub: rpc.WorkerServiceStub, folder: Path, donates: bool
) -> None:
    tensors = {f"t{i}": np.full((64, 64), i, np.float32) for i in range(8)}
    index = opened(stub, write_safetensors(folder / f"own{donates}.safetensors", tensors))
    module = identity("64x64xf32")
    if donates:
        module = module.replace("%arg0: tensor<64x64xf32>)", "%arg0: tensor<64x64xf32> {tf.aliasing_output = 0 : i32})")
    made = compile_(stub, module)
    items = [pb.LoadItem(executable_id=made.executable_id, tensors=[name]) for name in tensors]
    buffers = load(stub, index.checkpoint_id, items)[-1].buffers
    assert [download(stub, buffer.buffer_id)[5, 5] for buffer in buffers] == list(range(8))


def test_a_load_of_nothing_is_done(stub: rpc.WorkerServiceStub, packed: Path) -> None:
    (last,) = load(stub, opened(stub, packed).checkpoint_id, [])
    assert (last.items_done, len(last.buffers)) == (0, 0)


# Refusals.


def test_what_can_not_be_loaded_is_refused_before_anything_is_read(stub: rpc.WorkerServiceStub, packed: Path) -> None:
    id_ = opened(stub, packed).checkpoint_id
    made = compile_(stub, doubled()).executable_id
    before = stub.GetInfo(pb.GetInfoRequest()).buffers
    cases: list[tuple[pb.LoadItem, str, str]] = [
        (pb.LoadItem(tensors=["x"]), "TENSOR_NOT_FOUND", "The checkpoint has no tensor 'x'."),
        (pb.LoadItem(tensors=["other"]), "FORMAT_UNSUPPORTED", "other is stored as IQ4_NL, which the worker lists but can't load."),
        (pb.LoadItem(tensors=["w", "w"]), "ARGUMENT_MISMATCH", "An item without a program takes one tensor; 2 came."),
        (pb.LoadItem(executable_id=made, tensors=["w"]), "ARGUMENT_MISMATCH", "Argument 0 (arg0) wants f32[4]; tensor w is ui8[64, 1, 20]."),
        (pb.LoadItem(executable_id=made), "ARGUMENT_MISMATCH", "The program takes 1 arguments; 0 came."),
        (pb.LoadItem(executable_id="x-none"), "EXECUTABLE_NOT_FOUND", "There is no executable 'x-none'."),
    ]  # fmt: skip
    for item, reason, message in cases:
        found = refused(lambda item=item: load(stub, id_, [pb.LoadItem(tensors=["w"]), item]))
        assert (found[1], found[3]) == (reason, message)
    assert stub.GetInfo(pb.GetInfoRequest()).buffers == before


def test_an_unknown_checkpoint_is_named(stub: rpc.WorkerServiceStub) -> None:
    code, reason, _, _ = refused(lambda: load(stub, "c-none", []))
    assert (code, reason) == (grpc.StatusCode.NOT_FOUND, "CHECKPOINT_NOT_FOUND")


def test_a_file_that_changed_since_it_was_opened_is_refused(stub: rpc.WorkerServiceStub, folder: Path) -> None:
    path = write_safetensors(folder / "changing.safetensors", SMALL)
    id_ = opened(stub, path).checkpoint_id
    path.write_bytes(path.read_bytes()[:-1])
    _, reason, metadata, message = refused(lambda: load(stub, id_, [pb.LoadItem(tensors=["c"])]))
    assert (reason, metadata["file"]) == ("CHECKPOINT_INVALID", str(path))
    assert message.endswith("it has changed since it was opened; open it again.")


def test_a_boolean_that_is_neither_is_refused(stub: rpc.WorkerServiceStub, folder: Path) -> None:
    head = json.dumps({"b": {"dtype": "BOOL", "shape": [2], "data_offsets": [0, 2]}}).encode()
    id_ = opened(stub, raw_safetensors(folder / "bool.safetensors", head, b"\1\2")).checkpoint_id
    assert refused(lambda: load(stub, id_, [pb.LoadItem(tensors=["b"])]))[1] == "TENSOR_INVALID"


# Progress, cancellation, two at once.


def test_progress_goes_out_at_least_every_quarter_of_a_second(stub: rpc.WorkerServiceStub, slow: Path) -> None:
    index = opened(stub, slow)
    made = compile_(stub, SLOW)
    items = [pb.LoadItem(executable_id=made.executable_id, tensors=[tensor.name]) for tensor in index.tensors]
    times, seen = [time.monotonic()], list[pb.LoadResponse]()
    for response in stub.Load(pb.LoadRequest(checkpoint_id=index.checkpoint_id, items=items)):
        times.append(time.monotonic())
        seen.append(response)
    # A busy machine may deliver late; three times the promise tells a stall from that.
    assert max(np.diff(times)) < 0.75
    assert [response.items_done for response in seen] == sorted(response.items_done for response in seen)
    assert seen[-1].bytes_done == seen[-1].bytes_total == 6 * 700 * 700 * 4
    assert not any(response.buffers for response in seen[:-1])
    stub.Release(pb.ReleaseRequest(buffer_ids=[buffer.buffer_id for buffer in seen[-1].buffers]))


def test_a_cancelled_load_leaves_nothing(stub: rpc.WorkerServiceStub, slow: Path) -> None:
    before = stub.GetInfo(pb.GetInfoRequest()).buffers
    index = opened(stub, slow)
    made = compile_(stub, SLOW)
    items = [pb.LoadItem(executable_id=made.executable_id, tensors=[tensor.name]) for tensor in index.tensors] * 20
    call = stub.Load(pb.LoadRequest(checkpoint_id=index.checkpoint_id, items=items))
    next(call)
    call.cancel()
    deadline = time.monotonic() + 10
    while any(thread.name == "load" for thread in threading.enumerate()) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not any(thread.name == "load" for thread in threading.enumerate())
    assert stub.GetInfo(pb.GetInfoRequest()).buffers == before


def test_buffers_that_the_client_never_got_are_released(
    stub: rpc.WorkerServiceStub, running: object, slow: Path
) -> None:
    from tsxla_worker.checkpoints.open import Checkpoints
    from tsxla_worker.running.buffers import Buffers

    checkpoint, buffers = Checkpoints().open(slow), Buffers()
    items = [loading.item(checkpoint, None, ["w0"])]
    answers = loading.load(checkpoint, items, buffers, threading.Event())
    while not next(answers).buffers:
        pass
    assert buffers.totals()[0] == 1
    answers.close()  # type: ignore[attr-defined]
    assert buffers.totals()[0] == 0


def test_two_loads_at_once_do_not_disturb_each_other(stub: rpc.WorkerServiceStub, folder: Path) -> None:
    tensors = {f"t{i}": np.full((64, 64), i, np.float32) for i in range(40)}
    index = opened(stub, write_safetensors(folder / "both.safetensors", tensors))
    made = compile_(stub, doubled("64x64xf32"))
    found: dict[int, list[float]] = {}

    def one(number: int) -> None:
        names = list(tensors)[:: 1 if number else -1]
        items = [pb.LoadItem(executable_id=made.executable_id if number else "", tensors=[name]) for name in names]
        buffers = load(stub, index.checkpoint_id, items)[-1].buffers
        found[number] = [float(download(stub, buffer.buffer_id)[3, 3]) for buffer in buffers]

    threads = [threading.Thread(target=one, args=(number,)) for number in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found[0] == [float(i) for i in reversed(range(40))]
    assert found[1] == [2.0 * i for i in range(40)]
