"""The gRPC service: reads requests, calls the domain, writes responses. Nothing is decided here.

Errors are raised as they are; `call_interceptor.py` turns them into statuses. Streams of requests have modules of their
own: `session_stream.py`, `upload_stream.py`, `profile_stream.py`, `executable_files.py`.
"""

import threading
from collections.abc import Iterator

import grpc
import jax

from tsxla_worker.checkpoints import fingerprint, load
from tsxla_worker.checkpoints import open as checkpoints
from tsxla_worker.contract.generated import pb, rpc
from tsxla_worker.executables import ahead_of_time
from tsxla_worker.machine import file_pieces
from tsxla_worker.programs import modules
from tsxla_worker.running import execution
from tsxla_worker.serving import executable_files, messages, profile_stream, session_stream, upload_stream
from tsxla_worker.serving.worker import Worker
from tsxla_worker.tensors.tensor_bytes import encode


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
            response = messages.compiled_ahead(made, hlo=request.return_optimized_hlo)
            if request.keep:
                response.executable_id = executable_files.keep(self._worker, made.save(request.module))
            return response
        with self._worker.launches.turn(request.launch):
            made, known = self._worker.executables.compile(request.module, request.engine)
        return messages.compiled(made, known, hlo=request.return_optimized_hlo)

    def SaveExecutable(
        self, request: pb.SaveExecutableRequest, context: grpc.ServicerContext
    ) -> Iterator[pb.SaveExecutableResponse]:
        """Sends an executable as a file."""
        for piece in messages.pieces(executable_files.save(self._worker, request.executable_id)):
            yield pb.SaveExecutableResponse(data=piece)

    def LoadExecutable(
        self, request_iterator: Iterator[pb.LoadExecutableRequest], context: grpc.ServicerContext
    ) -> pb.LoadExecutableResponse:
        """Takes an executable from a file, or from what a client sends of one."""
        made, known = executable_files.load(self._worker, executable_files.receive(self._worker, request_iterator))
        return pb.LoadExecutableResponse(
            executable=messages.compiled(made, known, hlo=False),
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
        for piece in file_pieces.read(self._worker.root.resolve(request.path)):
            yield pb.ReadFileResponse(data=piece)

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
            yield messages.progress(progress)

    def Upload(self, request_iterator: Iterator[pb.UploadRequest], context: grpc.ServicerContext) -> pb.UploadResponse:
        """Makes a buffer of what a client sends."""
        upload = upload_stream.receive(request_iterator)
        with self._worker.launches.turn(upload.launch):
            made = self._worker.buffers.add(jax.device_put(upload.array), upload.type, upload.launch)
            return pb.UploadResponse(buffer=messages.buffer(made))

    def Download(self, request: pb.DownloadRequest, context: grpc.ServicerContext) -> Iterator[pb.DownloadResponse]:
        """Streams a buffer's contents; the first response has its type."""
        with self._worker.launches.turn(request.launch):
            kind, data = execution.read(request.buffer_id, self._worker.buffers)
        for at, piece in enumerate(messages.pieces(data)):
            yield pb.DownloadResponse(type=kind.to_proto() if at == 0 else None, data=piece)

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
        for index in sorted(fetch, reverse=True):
            execution.check_result(executable, index)
        given = [messages.argument(argument) for argument in request.arguments]
        arrays, seconds = execution.execute(executable, given, self._worker.buffers)
        self._worker.metrics.ran("execute", seconds)
        response = pb.ExecuteResponse(execute_seconds=seconds)
        for index, (array, kind) in enumerate(zip(arrays, executable.results, strict=True)):
            if index in fetch:
                response.results.add(tensor=messages.tensor(kind, encode(array, keep=False)))
            else:
                made = self._worker.buffers.add(array, kind, request.launch, index)
                response.results.add(buffer=messages.buffer(made))
        return response

    def Session(
        self, request_iterator: Iterator[pb.SessionRequest], context: grpc.ServicerContext
    ) -> Iterator[pb.SessionResponse]:
        """Runs many steps."""
        yield from session_stream.answer(self._worker, request_iterator)

    def Profile(
        self, request_iterator: Iterator[pb.ProfileRequest], context: grpc.ServicerContext
    ) -> Iterator[pb.ProfileResponse]:
        """Records until the client has no more to say, or is gone."""
        yield from profile_stream.record(self._worker, request_iterator)
