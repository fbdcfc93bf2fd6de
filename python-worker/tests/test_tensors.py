"""python -m pytest python-worker/tests/test_tensors.py."""

import grpc
import jax.numpy as jnp
import numpy as np
import pytest

from client import download, refused, tensor, upload
from tsxla_worker.contract.generated import pb, rpc
from tsxla_worker.tensors.tensor_types import BY_NUMBER, ELEMENT_TYPES, ElementType

BYTE_LIMITS = {"i1": 2, "f4E2M1FN": 16, "ui4": 16}


def some(element: ElementType, *shape: int) -> np.ndarray:
    """Random bits of a type."""
    count = int(np.prod(shape)) * element.bytes
    raw = np.random.default_rng(0).integers(0, BYTE_LIMITS.get(element.name, 256), count).astype(np.uint8)
    if element.name == "i4":
        raw = (raw.astype(np.int8) >> 4).view(np.uint8)
    return raw.view(element.dtype).reshape(shape)


def test_every_element_type_of_the_contract_is_known() -> None:
    wanted = {number for number in pb.ElementType.values() if number != pb.ELEMENT_TYPE_UNSPECIFIED}
    assert set(BY_NUMBER) == wanted


@pytest.mark.parametrize("element", ELEMENT_TYPES, ids=lambda element: element.name)
def test_a_tensor_comes_back_bit_for_bit(stub: rpc.WorkerServiceStub, element: ElementType) -> None:
    for shape in ((), (3,), (2, 3, 5), (0,), (4, 0, 2)):
        sent = some(element, *shape)
        back = download(stub, upload(stub, sent))
        assert back.dtype == element.dtype
        assert back.shape == shape
        assert back.tobytes() == sent.tobytes()


def test_a_tensor_may_come_in_pieces_of_any_size(stub: rpc.WorkerServiceStub) -> None:
    sent = np.arange(1000, dtype=np.float32)
    assert (download(stub, upload(stub, sent, piece=13)) == sent).all()


def test_a_large_tensor_is_sent_in_pieces_of_a_mebibyte(stub: rpc.WorkerServiceStub) -> None:
    id_ = upload(stub, np.zeros(700_000, np.float32))
    pieces = [len(piece.data) for piece in stub.Download(pb.DownloadRequest(buffer_id=id_))]
    assert pieces == [1 << 20, 1 << 20, 2_800_000 - (2 << 20)]


@pytest.mark.parametrize(
    ("kind", "data", "sentence"),
    [
        (pb.TensorType(element_type=pb.ELEMENT_TYPE_F32, shape=[2]), b"1234567", "takes 8 bytes; 7 came"),
        (pb.TensorType(element_type=pb.ELEMENT_TYPE_F32, shape=[2]), b"123456789", "takes 8 bytes; more came"),
        (pb.TensorType(shape=[2]), b"12", "0 is not an element type"),
        (pb.TensorType(element_type=pb.ELEMENT_TYPE_I8, shape=[-1]), b"", "The shape [-1] has a negative size"),
        (
            pb.TensorType(element_type=pb.ELEMENT_TYPE_BOOL, shape=[2]),
            b"\1\2",
            "Element 1 of a tensor of type i1[2] has the byte 2",
        ),
        (pb.TensorType(element_type=pb.ELEMENT_TYPE_U4, shape=[1]), b"\x10", "has the byte 16, which is no ui4"),
        (pb.TensorType(element_type=pb.ELEMENT_TYPE_I4, shape=[1]), b"\x10", "has the byte 16, which is no i4"),
    ],
)
def test_bytes_that_are_no_such_tensor_are_refused(
    stub: rpc.WorkerServiceStub, kind: pb.TensorType, data: bytes, sentence: str
) -> None:
    before = stub.GetInfo(pb.GetInfoRequest()).buffers
    code, reason, _, message = refused(lambda: stub.Upload(iter([pb.UploadRequest(type=kind, data=data)])))
    assert (code, reason) == (grpc.StatusCode.INVALID_ARGUMENT, "TENSOR_INVALID")
    assert sentence in message
    assert stub.GetInfo(pb.GetInfoRequest()).buffers == before


def test_an_upload_without_a_type_is_refused(stub: rpc.WorkerServiceStub) -> None:
    assert refused(lambda: stub.Upload(iter([])))[3] == "The stream ended before a type came."


def test_a_tensor_larger_than_memory_is_refused_before_it_is_allocated(stub: rpc.WorkerServiceStub) -> None:
    kind = pb.TensorType(element_type=pb.ELEMENT_TYPE_F32, shape=[10**9, 10**9])
    code, reason, _, _ = refused(lambda: stub.Upload(iter([pb.UploadRequest(type=kind)])))
    assert (code, reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "MEMORY_EXHAUSTED")


def test_a_released_buffer_is_gone_and_a_second_release_is_no_error(stub: rpc.WorkerServiceStub) -> None:
    id_ = upload(stub, np.ones(3, np.float32))
    assert stub.Release(pb.ReleaseRequest(buffer_ids=[id_, "b-nonsense"])).released == 1
    assert stub.Release(pb.ReleaseRequest(buffer_ids=[id_])).released == 0
    code, reason, metadata, message = refused(lambda: download(stub, id_))
    assert (code, reason) == (grpc.StatusCode.NOT_FOUND, "BUFFER_NOT_FOUND")
    assert metadata["buffer_id"] == id_
    assert message == f"There is no buffer {id_!r}: it was released."


def test_info_counts_buffers_and_their_bytes(stub: rpc.WorkerServiceStub) -> None:
    before = stub.GetInfo(pb.GetInfoRequest())
    id_ = upload(stub, np.ones((3, 5), np.float32))
    after = stub.GetInfo(pb.GetInfoRequest())
    assert (after.buffers - before.buffers, after.buffer_bytes - before.buffer_bytes) == (1, 60)
    stub.Release(pb.ReleaseRequest(buffer_ids=[id_]))
    assert stub.GetInfo(pb.GetInfoRequest()).buffers == before.buffers
    assert after.platform == "cpu"
    assert after.devices[0].kind == "cpu"
    assert 0 < after.resident_bytes <= after.peak_resident_bytes


def test_sixty_four_bit_numbers_keep_their_bits() -> None:
    assert jnp.asarray(np.float64(1) / 3).dtype == np.float64


def test_the_wire_form_is_little_endian_and_row_major() -> None:
    assert tensor(np.array([[1, 2], [3, 4]], np.int16).T).data == bytes([1, 0, 3, 0, 2, 0, 4, 0])
