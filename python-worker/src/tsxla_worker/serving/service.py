"""The gRPC service: reads requests, calls the domain, writes responses. Nothing is decided here.

Errors are raised as they are; `call_interceptor.py` turns them into statuses.
"""

import contextlib
import itertools
import os
import threading
from collections.abc import Iterator

import grpc
import jax
import numpy as np

from tsxla_worker.checkpoints import fingerprint, load, parts
from tsxla_worker.checkpoints import open as checkpoints
from tsxla_worker.contract.errors import WorkerError, invalid
from tsxla_worker.contract.generated import pb, rpc
from tsxla_worker.executables import ahead_of_time
from tsxla_worker.executables.registry import Executable
from tsxla_worker.machine import aligned_memory
from tsxla_worker.machine.paths import closing, open_regular
from tsxla_worker.programs import modules
from tsxla_worker.running import execution
from tsxla_worker.running import session as sessions
from tsxla_worker.running.buffers import Buffer
from tsxla_worker.serving import executable_files
from tsxla_worker.serving.worker import Worker
from tsxla_worker.tensors.tensor_bytes import check_bytes, decode, encode
from tsxla_worker.tensors.tensor_types import TensorType, from_proto

_PIECE = 1 << 20
_FILE_LIMIT = 256 << 20


class WorkerService(rpc.WorkerServiceServicer):
    """Implements `tsxla.worker.v1.WorkerService`."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker

    def GetInfo(self, request: pb.GetInfoRequest, context: grpc.ServicerContext) -> pb.GetInfoResponse:
        """Describes the worker."""
        return self._worker.info()

    def Drive(self, request: pb.DriveRequest, context: grpc.ServicerContext) -> Iterator[pb.DriveResponse]:
        """Drives the group."""
        launches = self._worker.launches
        drive = launches.begin()
        # A stream that breaks between two responses calls back at once.
        if not context.add_callback(lambda: launches.end(drive)):
            launches.end(drive)
        for running in launches.beats(drive):
            yield pb.DriveResponse(launch=running)

    def FormatModule(self, request: pb.FormatModuleRequest, context: grpc.ServicerContext) -> pb.FormatModuleResponse:
        """Prints a module as MLIR does."""
        module = modules.parse(request.module)
        return pb.FormatModuleResponse(module=modules.print_module(module, with_locations=request.locations))

    def Compile(self, request: pb.CompileRequest, context: grpc.ServicerContext) -> pb.CompileResponse:
        """Compiles a module."""
        if request.HasField("topology"):
            made = ahead_of_time.compile_for(request.topology, request.module, request.argument_layouts)
            response = _ahead(made, request.return_optimized_hlo)
            if request.keep:
                response.executable_id = executable_files.keep(self._worker, made.save(request.module))
            return response
        with self._worker.launches.turn(request.launch):
            made, known = self._worker.executables.compile(request.module, request.engine)
        return _compiled(made, known, hlo=request.return_optimized_hlo)

    def SaveExecutable(
        self, request: pb.SaveExecutableRequest, context: grpc.ServicerContext
    ) -> Iterator[pb.SaveExecutableResponse]:
        """Sends an executable as a file."""
        data = executable_files.save(self._worker, request.executable_id)
        for begin in range(0, len(data), _PIECE):
            yield pb.SaveExecutableResponse(data=data[begin : begin + _PIECE])

    def LoadExecutable(
        self, request_iterator: Iterator[pb.LoadExecutableRequest], context: grpc.ServicerContext
    ) -> pb.LoadExecutableResponse:
        """Takes an executable from a file, or from what a client sends of one."""
        first = next(request_iterator, pb.LoadExecutableRequest())
        if first.WhichOneof("source") == "path":
            data = executable_files.read(self._worker.root.resolve(first.path))
        else:
            data = executable_files.join(itertools.chain([first], request_iterator))
        made, known = executable_files.load(self._worker, data)
        return pb.LoadExecutableResponse(
            executable=_compiled(made, known, hlo=False),
            module=made.text,
            program=modules.program(made.text).name,
        )

    def OpenCheckpoint(
        self, request: pb.OpenCheckpointRequest, context: grpc.ServicerContext
    ) -> pb.OpenCheckpointResponse:
        """Opens a checkpoint."""
        path = self._worker.root.resolve(request.path)
        opened = self._worker.checkpoints.open(path)
        response = checkpoints.describe(opened)
        if request.fingerprint:
            response.fingerprint = fingerprint.of(opened)
        return response

    def ReadFile(self, request: pb.ReadFileRequest, context: grpc.ServicerContext) -> Iterator[pb.ReadFileResponse]:
        """Streams a file."""
        path = self._worker.root.resolve(request.path)
        with closing(open_regular(path)) as descriptor:
            size = os.fstat(descriptor).st_size
            if size > _FILE_LIMIT:
                message = f"{path} has {size} bytes; at most {_FILE_LIMIT} are sent."
                raise WorkerError(
                    grpc.StatusCode.RESOURCE_EXHAUSTED,
                    "FILE_TOO_LARGE",
                    message,
                    file=path,
                    found=size,
                    wanted=_FILE_LIMIT,
                )
            sent = 0
            while sent < size:
                data = os.pread(descriptor, min(_PIECE, size - sent), sent)
                if not data:
                    break
                sent += len(data)
                yield pb.ReadFileResponse(data=data)

    def Load(self, request: pb.LoadRequest, context: grpc.ServicerContext) -> Iterator[pb.LoadResponse]:
        """Loads tensors."""
        with self._worker.launches.turn(request.launch):
            yield from self._load(request, context)

    def _load(self, request: pb.LoadRequest, context: grpc.ServicerContext) -> Iterator[pb.LoadResponse]:
        worker = self._worker
        checkpoint = worker.checkpoints.get(request.checkpoint_id)
        items = [
            load.item(
                checkpoint,
                worker.executables.get(item.executable_id) if item.executable_id else None,
                item.tensors,
            )
            for item in request.items
        ]
        cancelled = threading.Event()
        context.add_callback(cancelled.set)
        for progress in load.load(checkpoint, items, worker.buffers, cancelled, request.launch):
            yield pb.LoadResponse(
                items_done=progress.items_done,
                bytes_done=progress.bytes_done,
                bytes_total=progress.bytes_total,
                bytes_stored=progress.bytes_stored,
                buffers=[_buffer(buffer) for buffer in progress.buffers],
                parts=[_part(part) for part in progress.parts],
            )

    def Upload(self, request_iterator: Iterator[pb.UploadRequest], context: grpc.ServicerContext) -> pb.UploadResponse:
        """Makes a buffer of what a client sends."""
        kind: TensorType | None = None
        raw = np.empty(0, np.uint8)
        filled = launch = 0
        for request in request_iterator:
            if kind is None:
                kind, launch = from_proto(request.type), request.launch
                raw = aligned_memory.allocate(kind.bytes)
            if filled + len(request.data) > kind.bytes:
                message = f"A tensor of type {kind} takes {kind.bytes} bytes; more came."
                raise invalid("TENSOR_INVALID", message, found=filled + len(request.data), wanted=kind.bytes)
            raw[filled : filled + len(request.data)] = np.frombuffer(request.data, np.uint8)
            filled += len(request.data)
        if kind is None:
            raise invalid("TENSOR_INVALID", "The stream ended before a type came.")
        if filled != kind.bytes:
            message = f"A tensor of type {kind} takes {kind.bytes} bytes; {filled} came."
            raise invalid("TENSOR_INVALID", message, found=filled, wanted=kind.bytes)
        check_bytes(raw, kind)
        with self._worker.launches.turn(launch):
            array = jax.device_put(raw.view(kind.element.dtype).reshape(kind.shape))
            return pb.UploadResponse(buffer=_buffer(self._worker.buffers.add(array, kind, launch)))

    def Download(self, request: pb.DownloadRequest, context: grpc.ServicerContext) -> Iterator[pb.DownloadResponse]:
        """Streams a buffer's contents."""
        with self._worker.launches.turn(request.launch), execution.device:
            buffer = execution.live(self._worker.buffers.get(request.buffer_id), self._worker.buffers)
            data = memoryview(encode(buffer.array))
        for begin in range(0, max(len(data), 1), _PIECE):
            kind = buffer.type.to_proto() if begin == 0 else None
            yield pb.DownloadResponse(type=kind, data=bytes(data[begin : begin + _PIECE]))

    def Release(self, request: pb.ReleaseRequest, context: grpc.ServicerContext) -> pb.ReleaseResponse:
        """Forgets buffers."""
        buffers = self._worker.buffers
        released = buffers.release(request.buffer_ids)
        if request.of_launch:
            released += buffers.release_launch(request.of_launch)
        return pb.ReleaseResponse(released=released)

    def Execute(self, request: pb.ExecuteRequest, context: grpc.ServicerContext) -> pb.ExecuteResponse:
        """Runs a program once."""
        with self._worker.launches.turn(request.launch):
            return self._execute(request)

    def _execute(self, request: pb.ExecuteRequest) -> pb.ExecuteResponse:
        executable = self._worker.executables.get(request.executable_id)
        fetch = set(request.fetch)
        if fetch and max(fetch) >= len(executable.results):
            message = f"Result {max(fetch)} is asked for; the program gives {len(executable.results)}."
            raise invalid(
                "ARGUMENT_MISMATCH", message, index=max(fetch), found=max(fetch), wanted=len(executable.results)
            )
        given = [_argument(argument) for argument in request.arguments]
        arrays, seconds = execution.execute(executable, given, self._worker.buffers)
        self._worker.metrics.ran("execute", seconds)
        response = pb.ExecuteResponse(execute_seconds=seconds)
        for index, (array, kind) in enumerate(zip(arrays, executable.results, strict=True)):
            if index in fetch:
                response.results.add(tensor=_tensor(kind, encode(array, keep=False)))
            else:
                response.results.add(buffer=_buffer(self._worker.buffers.add(array, kind, request.launch, index)))
        return response

    def Session(
        self, request_iterator: Iterator[pb.SessionRequest], context: grpc.ServicerContext
    ) -> Iterator[pb.SessionResponse]:
        """Runs many steps."""
        session = sessions.Session(self._worker.buffers)
        self._worker.sessions.add(session)
        try:
            for request in request_iterator:
                try:
                    yield from self._session_request(session, request)
                except WorkerError as error:
                    yield pb.SessionResponse(sequence=_sequence(request), error=error.session_error())
        finally:
            self._worker.sessions.discard(session)
            session.close()

    def Profile(
        self, request_iterator: Iterator[pb.ProfileRequest], context: grpc.ServicerContext
    ) -> Iterator[pb.ProfileResponse]:
        """Records until the client has no more to say, or is gone."""
        first = next(request_iterator, None)
        if first is None:
            raise invalid("REQUEST_INVALID", "The stream ended before a folder came.")
        recording = self._worker.profiler.start(self._worker.root.confine(first.directory))
        files: list[str] = []
        try:
            yield pb.ProfileResponse(directory=str(recording.folder))
            for _ in request_iterator:
                pass
        finally:
            files += (str(path) for path in recording.stop(self._worker.executables.compiled_of))
        yield pb.ProfileResponse(directory=str(recording.folder), files=files)

    def _session_request(self, session: sessions.Session, request: pb.SessionRequest) -> Iterator[pb.SessionResponse]:
        kind = request.WhichOneof("request")
        with self._worker.launches.turn(request.launch) if kind in ("step", "fetch") else contextlib.nullcontext():
            yield from self._session_launch(session, request, kind)

    def _session_launch(
        self, session: sessions.Session, request: pb.SessionRequest, kind: str | None
    ) -> Iterator[pb.SessionResponse]:
        match kind:
            case "step":
                step = request.step
                inputs = [decode(tensor.data, from_proto(tensor.type)) for tensor in step.inputs]
                for run in session.step(step.call, inputs, step.repeat or 1, step.fetch):
                    self._worker.metrics.ran("step", run.seconds)
                    yield pb.SessionResponse(
                        sequence=step.sequence,
                        iteration=run.iteration,
                        tensors=[_tensor(kind, data) for kind, data in run.tensors],
                        execute_seconds=run.seconds,
                    )
            case "fetch":
                held, data = session.fetch(request.fetch.slot)
                yield pb.SessionResponse(sequence=request.fetch.sequence, tensors=[_tensor(held, data)])
            case "store":
                session.store(request.store.slot, _argument(request.store.value))
            case "define":
                define = request.define
                session.define(
                    define.call,
                    self._worker.executables.get(define.executable_id),
                    [_source(argument) for argument in define.arguments],
                    [result.slot if result.HasField("slot") else None for result in define.results],
                )
            case _:
                raise invalid("REQUEST_INVALID", "The session's request is empty.")


def _compiled(made: Executable, known: bool, *, hlo: bool) -> pb.CompileResponse:
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


def _ahead(made: ahead_of_time.Compiled, return_optimized_hlo: bool) -> pb.CompileResponse:
    return pb.CompileResponse(
        arguments=[parameter.type.to_proto() for parameter in made.program.parameters],
        results=[kind.to_proto() for kind in made.program.results],
        compile_seconds=made.seconds,
        argument_bytes=made.sizes.arguments,
        output_bytes=made.sizes.results,
        alias_bytes=made.sizes.aliased,
        temp_bytes=made.sizes.scratch,
        optimized_hlo=made.optimized if return_optimized_hlo else "",
        argument_layouts=made.layouts,
    )


def _sequence(request: pb.SessionRequest) -> int:
    kind = request.WhichOneof("request")
    return request.step.sequence if kind == "step" else request.fetch.sequence if kind == "fetch" else 0


def _source(argument: pb.SessionArgument) -> sessions.FromBuffer | sessions.FromSlot | sessions.FromInput:
    match argument.WhichOneof("source"):
        case "buffer_id":
            return sessions.FromBuffer(argument.buffer_id)
        case "slot":
            return sessions.FromSlot(argument.slot)
        case "input":
            return sessions.FromInput(argument.input)
        case _:
            raise invalid("REQUEST_INVALID", "An argument of the call has no source.")


def _argument(argument: pb.Argument) -> str | np.ndarray:
    match argument.WhichOneof("source"):
        case "buffer_id":
            return argument.buffer_id
        case "tensor":
            return decode(argument.tensor.data, from_proto(argument.tensor.type))
        case _:
            raise invalid("REQUEST_INVALID", "An argument has no source.")


def _tensor(kind: TensorType, data: bytes) -> pb.Tensor:
    return pb.Tensor(type=kind.to_proto(), data=data)


def _part(part: parts.Part) -> pb.TensorPart:
    return pb.TensorPart(tensor=part.tensor.name, start=part.start, stop=part.stop, bytes=part.bytes)


def _buffer(buffer: Buffer) -> pb.Buffer:
    return pb.Buffer(buffer_id=buffer.id, type=buffer.type.to_proto())
