"""python -m pytest python-worker/tests/test_paths.py."""

import os
from pathlib import Path

import grpc
import numpy as np
import pytest

from client import refused
from files import write_safetensors
from tsxla_worker.contract.generated import pb, rpc


def read(stub: rpc.WorkerServiceStub, path: str) -> bytes:
    return b"".join(piece.data for piece in stub.ReadFile(pb.ReadFileRequest(path=path)))


def test_a_file_is_streamed_in_pieces(stub: rpc.WorkerServiceStub, folder: Path) -> None:
    content = os.urandom((2 << 20) + 5)
    (folder / "big.bin").write_bytes(content)
    pieces = [piece.data for piece in stub.ReadFile(pb.ReadFileRequest(path="big.bin"))]
    assert [len(piece) for piece in pieces] == [1 << 20, 1 << 20, 5]
    assert b"".join(pieces) == content
    assert read(stub, str(folder / "big.bin")) == content


def test_an_empty_file_is_no_error(stub: rpc.WorkerServiceStub, folder: Path) -> None:
    (folder / "empty").touch()
    assert read(stub, "empty") == b""


@pytest.mark.parametrize("path", ["../x", "/etc/passwd", "a/../../x", "/", "sub/../../../etc/passwd"])
def test_a_path_outside_the_root_is_refused_whether_it_exists_or_not(stub: rpc.WorkerServiceStub, path: str) -> None:
    for call in (
        lambda: read(stub, path),
        lambda: stub.OpenCheckpoint(pb.OpenCheckpointRequest(path=path)),
    ):
        code, reason, _, message = refused(call)
        assert (code, reason) == (grpc.StatusCode.PERMISSION_DENIED, "PATH_OUTSIDE_ROOT")
        assert "the folder to which this worker is confined (--root)" in message


def test_a_root_is_not_its_neighbour_with_a_longer_name(stub: rpc.WorkerServiceStub, folder: Path) -> None:
    assert refused(lambda: read(stub, f"{folder}-other/x"))[1] == "PATH_OUTSIDE_ROOT"


@pytest.mark.parametrize("path", ["none", "sub/none", "x" * 5000, "."])
def test_a_path_without_a_file_is_not_found(stub: rpc.WorkerServiceStub, path: str) -> None:
    code, reason, _, _ = refused(lambda: read(stub, path))
    assert (code, reason) == (grpc.StatusCode.NOT_FOUND, "PATH_NOT_FOUND")


@pytest.mark.parametrize("path", ["", "a\0b"])
def test_a_path_that_is_none_is_invalid(stub: rpc.WorkerServiceStub, path: str) -> None:
    assert refused(lambda: read(stub, path))[1] == "PATH_INVALID"


def test_a_pipe_is_refused_and_not_waited_for(stub: rpc.WorkerServiceStub, folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    assert refused(lambda: read(stub, "pipe"))[3].endswith("pipe is not a file.")
    assert stub.OpenCheckpoint(pb.OpenCheckpointRequest(path=str(write_safetensors(folder / "p.safetensors", {}))))


def test_a_file_that_is_too_large_is_refused(stub: rpc.WorkerServiceStub, folder: Path) -> None:
    with (folder / "huge").open("wb") as file:
        file.truncate((256 << 20) + 1)
    code, reason, metadata, _ = refused(lambda: read(stub, "huge"))
    assert (code, reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "FILE_TOO_LARGE")
    assert metadata["found"] == str((256 << 20) + 1)


def test_a_link_inside_the_root_is_followed_to_where_it_leads(
    stub: rpc.WorkerServiceStub, folder: Path, tmp_path: Path
) -> None:
    (folder / "links").mkdir()
    target = write_safetensors(tmp_path / "elsewhere.safetensors", {"a": np.ones(2, np.float32)})
    (folder / "links/model.safetensors").symlink_to(target)
    found = stub.OpenCheckpoint(pb.OpenCheckpointRequest(path="links/model.safetensors"))
    assert found.directory == str(folder / "links")
    assert [tensor.name for tensor in found.tensors] == ["a"]


def test_a_dangling_link_is_not_found(stub: rpc.WorkerServiceStub, folder: Path) -> None:
    (folder / "dangling.gguf").symlink_to("/nowhere")
    call = lambda: stub.OpenCheckpoint(pb.OpenCheckpointRequest(path="dangling.gguf"))  # noqa: E731
    assert refused(call)[1] == "PATH_NOT_FOUND"
