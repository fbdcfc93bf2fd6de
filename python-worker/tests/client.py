"""What the tests say to a worker, in few words."""

from collections.abc import Callable, Iterable
from typing import Any

import grpc
import numpy as np
import pytest

from tsxla_worker.contract.generated import pb, rpc
from tsxla_worker.tensors.tensor_bytes import decode
from tsxla_worker.tensors.tensor_types import from_proto, type_of


def tensor(array: np.ndarray) -> pb.Tensor:
    """Makes a tensor that travels of an array."""
    return pb.Tensor(type=type_of(array).to_proto(), data=np.ascontiguousarray(array).tobytes())


def value(array: np.ndarray) -> pb.Argument:
    """An argument by value."""
    return pb.Argument(tensor=tensor(array))


def array(message: pb.Tensor) -> np.ndarray:
    """Makes an array of a tensor that travelled."""
    return decode(message.data, from_proto(message.type))


def compile_(
    stub: rpc.WorkerServiceStub, module: str, engine: pb.Engine | None = None, *, hlo: bool = False
) -> pb.CompileResponse:
    return stub.Compile(pb.CompileRequest(module=module, engine=engine, return_optimized_hlo=hlo))


def execute(
    stub: rpc.WorkerServiceStub, module: str, *arguments: np.ndarray, engine: pb.Engine = pb.ENGINE_XLA
) -> list[np.ndarray]:
    """Compiles a module, runs it and fetches every result."""
    made = compile_(stub, module, engine=engine)
    request = pb.ExecuteRequest(
        executable_id=made.executable_id, arguments=[value(a) for a in arguments], fetch=range(len(made.results))
    )
    return [array(result.tensor) for result in stub.Execute(request).results]


def upload(stub: rpc.WorkerServiceStub, source: np.ndarray, piece: int = 4 << 20) -> str:
    message = tensor(source)
    requests = [pb.UploadRequest(type=message.type)]
    requests += [pb.UploadRequest(data=message.data[at : at + piece]) for at in range(0, len(message.data), piece)]
    return stub.Upload(iter(requests)).buffer.buffer_id


def download(stub: rpc.WorkerServiceStub, buffer_id: str) -> np.ndarray:
    pieces = list(stub.Download(pb.DownloadRequest(buffer_id=buffer_id)))
    return decode(b"".join(piece.data for piece in pieces), from_proto(pieces[0].type))


def load(stub: rpc.WorkerServiceStub, checkpoint_id: str, items: Iterable[pb.LoadItem]) -> list[pb.LoadResponse]:
    return list(stub.Load(pb.LoadRequest(checkpoint_id=checkpoint_id, items=items)))


def refused(call: Callable[[], object]) -> tuple[grpc.StatusCode, str, dict[str, str], str]:
    """Returns the status, the reason, the metadata and the sentence of a call that must fail."""
    with pytest.raises(grpc.RpcError) as caught:
        call()
    error: Any = caught.value
    detail = pb.ErrorDetail.FromString(dict(error.trailing_metadata())["tsxla-error-bin"])
    return error.code(), detail.reason, dict(detail.metadata), error.details()
