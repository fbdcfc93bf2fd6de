"""The gRPC server around a worker: ports, limits, health, a graceful end."""

import contextlib
import os
from concurrent import futures
from dataclasses import dataclass
from pathlib import Path

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from tsxla_worker.contract.generated import rpc
from tsxla_worker.serving import address
from tsxla_worker.serving.auth import TokenCheck
from tsxla_worker.serving.call_interceptor import Calls
from tsxla_worker.serving.service import WorkerService
from tsxla_worker.serving.worker import Worker

_SERVICE = "tsxla.worker.v1.WorkerService"
# A thread a call, and a session is one call for as long as it lives; threads are made when they are needed.
_THREADS = 256
_MESSAGE_LIMIT = 256 << 20

_OPTIONS = (
    ("grpc.max_receive_message_length", _MESSAGE_LIMIT),
    ("grpc.max_send_message_length", _MESSAGE_LIMIT),
    # A second server on a port is an error, not half of the calls.
    ("grpc.so_reuseport", 0),
    # Clients may ping as they like, also while a compilation says nothing for minutes.
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.min_ping_interval_without_data_ms", 1000),
    ("grpc.http2.min_recv_ping_interval_without_data_ms", 1000),
    ("grpc.http2.max_ping_strikes", 0),
)


@dataclass(frozen=True)
class Security:
    """Who may call, and over what."""

    token: str | None = None
    certificate: bytes | None = None
    key: bytes | None = None


class Server:
    """A worker that answers calls."""

    def __init__(self, worker: Worker, listen: address.Address, security: Security) -> None:
        interceptors: list[grpc.ServerInterceptor] = [Calls(worker.logs, worker.metrics)]
        if security.token is not None:
            interceptors.insert(0, TokenCheck(security.token))
        self._socket: Path | None = listen.path
        self._health = health.HealthServicer()
        self._server = grpc.server(
            futures.ThreadPoolExecutor(_THREADS, thread_name_prefix="call"), interceptors=interceptors, options=_OPTIONS
        )
        rpc.add_WorkerServiceServicer_to_server(WorkerService(worker), self._server)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        port = self._bind(listen, security)
        self.address = listen.text if listen.path is not None else f"{listen.text.rpartition(':')[0]}:{port}"

    def start(self) -> None:
        """Begins to answer."""
        self._server.start()
        if self._socket is not None:
            self._socket.chmod(0o600)
        for service in ("", _SERVICE):
            self._health.set(service, health_pb2.HealthCheckResponse.SERVING)

    def stop(self, seconds: float) -> None:
        """Takes no more calls, waits for those in flight, and cancels what is left."""
        self._health.enter_graceful_shutdown()
        self._server.stop(seconds).wait(seconds + 1)
        if self._socket is not None:
            with contextlib.suppress(OSError):
                os.unlink(self._socket)  # noqa: PTH108

    def _bind(self, listen: address.Address, security: Security) -> int:
        try:
            if security.certificate is None or security.key is None:
                return self._server.add_insecure_port(listen.text)
            pairs = [(security.key, security.certificate)]
            return self._server.add_secure_port(listen.text, grpc.ssl_server_credentials(pairs))
        except RuntimeError as error:
            raise OSError(f"{listen.text} can't be listened on: {error}.") from error
