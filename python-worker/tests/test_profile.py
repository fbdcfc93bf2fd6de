"""python -m pytest python-worker/tests/test_profile.py. What a recording holds, and who may make one where."""

import gzip
import json
import time
from collections.abc import Iterator
from pathlib import Path
from queue import Queue

import grpc
import numpy as np
import pytest

from client import execute, refused
from tsxla_worker.contract.generated import pb, rpc
from tsxla_worker.measuring.profile_names import OptimizedModule, Origin, origins

# Large enough that XLA runs it as operations of their own; the locations are a front end's.
PROGRAM = """module @prefill {
  func.func public @main(%arg0: tensor<256x256xf32>) -> tensor<256x256xf32> {
    %0 = call @layers(%arg0) : (tensor<256x256xf32>) -> tensor<256x256xf32> loc("layers.3"("models/mine.ts":20:7))
    return %0 : tensor<256x256xf32>
  }
  func.func private @layers(%arg0: tensor<256x256xf32>) -> tensor<256x256xf32> {
    %0 = stablehlo.dot_general %arg0, %arg0, contracting_dims = [1] x [0] : (tensor<256x256xf32>, tensor<256x256xf32>) -> tensor<256x256xf32> loc("attn.dot"("models/mine.ts":41:12))
    %1 = stablehlo.sine %0 : tensor<256x256xf32> loc("attn.sin"("models/mine.ts":42:12))
    return %1 : tensor<256x256xf32>
  }
}
"""


class Recorder:
    """A profile under way."""

    def __init__(self, stub: rpc.WorkerServiceStub, directory: str) -> None:
        self._requests: Queue[pb.ProfileRequest | None] = Queue()
        self._requests.put(pb.ProfileRequest(directory=directory))
        self.responses = stub.Profile(self._sent())
        self.first = next(self.responses)

    def _sent(self) -> Iterator[pb.ProfileRequest]:
        while (request := self._requests.get()) is not None:
            yield request

    def stop(self) -> list[Path]:
        self._requests.put(None)
        (last,) = list(self.responses)
        return [Path(file) for file in last.files]


def test_a_recording_names_the_models_operations_and_their_lines(stub: rpc.WorkerServiceStub, folder: Path) -> None:
    recorder = Recorder(stub, "profiles")
    x = np.eye(256, dtype=np.float32)
    for _ in range(3):
        execute(stub, PROGRAM, x)
    files = recorder.stop()
    assert {"".join(file.suffixes[-3:]).removeprefix(".tsxla") for file in files} >= {".xplane.pb", ".trace.json.gz"}
    assert all(file.is_relative_to(folder / "profiles") for file in files)
    (named,) = [file for file in files if file.name == "tsxla.trace.json.gz"]
    events = json.loads(gzip.decompress(named.read_bytes()))["traceEvents"]
    found = {event["name"]: event["args"]["source"] for event in events if "source" in event.get("args", {})}
    assert found["layers.3/attn.dot"] == "models/mine.ts:41"
    assert found["layers.3/attn.sin"] == "models/mine.ts:42"
    # XProf reads names and files from the other file.
    (plane,) = [file for file in files if file.name.endswith(".xplane.pb")]
    assert b"layers.3/attn.dot" in plane.read_bytes()
    assert b"models/mine.ts" in plane.read_bytes()


def test_one_is_recorded_at_a_time_and_a_client_that_is_lost_ends_its_own(stub: rpc.WorkerServiceStub) -> None:
    first = Recorder(stub, "profiles")
    code, reason, _, _ = refused(lambda: Recorder(stub, "profiles"))
    assert (code, reason) == (grpc.StatusCode.FAILED_PRECONDITION, "PROFILE_UNDER_WAY")
    first.responses.cancel()
    for _ in range(100):
        try:
            second = Recorder(stub, "profiles")
            break
        except grpc.RpcError:
            time.sleep(0.1)
    else:
        pytest.fail("the recording of a client that is gone goes on")
    assert second.first.directory != first.first.directory
    assert second.stop()


@pytest.mark.parametrize(
    ("directory", "expected"),
    [
        ("../outside", (grpc.StatusCode.PERMISSION_DENIED, "PATH_OUTSIDE_ROOT")),
        ("", (grpc.StatusCode.INVALID_ARGUMENT, "PATH_INVALID")),
        ("worker.log", (grpc.StatusCode.INVALID_ARGUMENT, "PATH_INVALID")),
        ("worker.log/below", (grpc.StatusCode.INVALID_ARGUMENT, "PATH_INVALID")),
    ],
)
def test_a_folder_that_will_not_do_is_refused_and_leaves_room_for_others(
    stub: rpc.WorkerServiceStub, folder: Path, directory: str, expected: tuple[grpc.StatusCode, str]
) -> None:
    (folder / "worker.log").touch()
    assert refused(lambda: Recorder(stub, directory))[:2] == expected
    assert Recorder(stub, "profiles").stop()


TEXT = """HloModule jit_x

FileNames
1 "models/a.ts"

FunctionNames
1 "f"

FileLocations
1 {file_name_id=1 function_name_id=1 line=7 end_line=7 column=2 end_column=2}

StackFrames
1 {file_location_id=1 parent_frame_id=1}

%fused (p: f32[2]) -> f32[2] {
  %p = f32[2]{0} parameter(0)
  ROOT %sine.9 = f32[2]{0} sine(%p), metadata={op_name="jit(x)/call_exported/layers.0/attn.sin" stack_frame_id=1}
}

ENTRY %main (a: f32[2], w: f32[2]) -> f32[2] {
  %a.1 = f32[2]{0} parameter(0), metadata={op_name="arguments[0]"}
  %w.1 = f32[2]{0} parameter(1), metadata={op_name="arguments[1]"}
  %view = f32[2]{0} bitcast(%w.1)
  %dot.1 = f32[2]{0} dot(%a.1, %view), lhs_contracting_dims={0}
  %dot.2 = f32[2]{0} dot(%a.1, %dot.1), metadata={op_name="jit(x)/call_exported/mlp.dot" stack_frame_id=1}, cost=1
  %fusion = f32[2]{0} fusion(%dot.2), kind=kLoop, calls=%fused
  %dot.3 = f32[2]{0} dot(%fusion, %a.1), lhs_contracting_dims={0}
  ROOT %add.2 = f32[2]{0} add(%dot.3, %a.1), metadata={op_name="mlp.add" source_file="b.ts" source_line=9}
}
"""


def test_origins_are_read_and_guessed_where_xla_has_dropped_them() -> None:
    found = origins(OptimizedModule(TEXT, ["tokens", "weights.layers.0.mlp.up"]))
    assert {name: found[name] for name in ("dot.1", "dot.2", "dot.3", "fusion", "add.2", "sine.9")} == {
        "dot.1": Origin("dot with layers.0.mlp.up", None),
        "dot.2": Origin("mlp.dot", "models/a.ts:7"),
        "dot.3": Origin("dot for mlp.add", "b.ts:9"),
        "fusion": Origin("layers.0/attn.sin", "models/a.ts:7"),
        "add.2": Origin("mlp.add", "b.ts:9"),
        "sine.9": Origin("layers.0/attn.sin", "models/a.ts:7"),
    }
