"""Between the contract's messages and the worker's values."""

from collections.abc import Iterator

import numpy as np

from tsxla_worker.checkpoints.load import Progress
from tsxla_worker.checkpoints.parts import Part
from tsxla_worker.contract.errors import invalid
from tsxla_worker.contract.generated import pb
from tsxla_worker.executables import ahead_of_time
from tsxla_worker.executables.executable import Executable
from tsxla_worker.running.buffers import Buffer
from tsxla_worker.tensors.tensor_bytes import decode
from tsxla_worker.tensors.tensor_types import TensorType, from_proto

_PIECE = 1 << 20


def pieces(data: bytes) -> Iterator[bytes]:
    """Splits what is sent over several messages; gives at least one piece."""
    view = memoryview(data)
    for begin in range(0, max(len(view), 1), _PIECE):
        yield bytes(view[begin : begin + _PIECE])


def compiled(made: Executable, known: bool, *, hlo: bool) -> pb.CompileResponse:
    """Describes an executable; `known` says that an earlier call had made it, `hlo` asks for the optimised module."""
    return pb.CompileResponse(
        executable_id=made.id,
        arguments=[parameter.type.to_proto() for parameter in made.parameters],
        results=[kind.to_proto() for kind in made.results],
        from_cache=known or made.from_cache,
        compile_seconds=made.seconds,
        argument_bytes=made.sizes.arguments,
        output_bytes=made.sizes.results,
        alias_bytes=made.sizes.aliased,
        temp_bytes=made.sizes.scratch,
        optimized_hlo=made.optimized() if hlo else "",
    )


def compiled_ahead(made: ahead_of_time.Compiled, *, hlo: bool) -> pb.CompileResponse:
    """Describes what was compiled for devices that are not here."""
    return pb.CompileResponse(
        arguments=[parameter.type.to_proto() for parameter in made.program.parameters],
        results=[kind.to_proto() for kind in made.program.results],
        compile_seconds=made.seconds,
        argument_bytes=made.sizes.arguments,
        output_bytes=made.sizes.results,
        alias_bytes=made.sizes.aliased,
        temp_bytes=made.sizes.scratch,
        optimized_hlo=made.optimized if hlo else "",
        argument_layouts=made.layouts,
    )


def argument(message: pb.Argument) -> str | np.ndarray:
    """Reads an argument: a buffer's handle or a tensor."""
    match message.WhichOneof("source"):
        case "buffer_id":
            return message.buffer_id
        case "tensor":
            return decode(message.tensor.data, from_proto(message.tensor.type))
        case _:
            raise invalid("REQUEST_INVALID", "An argument has no source.")


def tensor(kind: TensorType, data: bytes) -> pb.Tensor:
    """Makes a tensor that travels."""
    return pb.Tensor(type=kind.to_proto(), data=data)


def buffer(made: Buffer) -> pb.Buffer:
    """Describes a buffer."""
    return pb.Buffer(buffer_id=made.id, type=made.type.to_proto())


def progress(found: Progress) -> pb.LoadResponse:
    """Says how far a load is."""
    return pb.LoadResponse(
        items_done=found.items_done,
        bytes_done=found.bytes_done,
        bytes_total=found.bytes_total,
        bytes_stored=found.bytes_stored,
        buffers=[buffer(made) for made in found.buffers],
        parts=[_part(part) for part in found.parts],
    )


def _part(part: Part) -> pb.TensorPart:
    return pb.TensorPart(tensor=part.tensor.name, start=part.start, stop=part.stop, bytes=part.bytes)
