"""Around every call: domain errors become statuses, bugs become INTERNAL and a stack in the log.

Calls are logged and counted.
"""

import time
from collections.abc import Callable, Iterator
from typing import Any

import grpc

from tsxla_worker.contract.errors import WorkerError, clip, internal
from tsxla_worker.machine.logs import Logs
from tsxla_worker.measuring.metrics import Metrics

_DETAIL = "tsxla-error-bin"

type Handler = grpc.RpcMethodHandler[Any, Any]


class Calls(grpc.ServerInterceptor):
    """Wraps the handlers of the worker's service."""

    def __init__(self, logs: Logs, metrics: Metrics) -> None:
        self._logs = logs
        self._metrics = metrics

    def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Handler | None],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler | None:
        """Returns the handler with this module's behaviour around it."""
        handler: Any = continuation(handler_call_details)
        method = handler_call_details.method
        if handler is None or not method.startswith("/tsxla."):
            return handler
        if handler.response_streaming:
            return remade(handler, self._streaming(method, handler.stream_stream or handler.unary_stream))
        return remade(handler, self._single(method, handler.stream_unary or handler.unary_unary))

    def _single(self, method: str, behaviour: Callable[..., Any]) -> Callable[..., Any]:
        def call(request: Any, context: grpc.ServicerContext) -> Any:
            start = time.perf_counter()
            try:
                response = behaviour(request, context)
            except Exception as error:
                raise self._failed(method, start, error, context) from error
            self._ended(method, "OK", start)
            return response

        return call

    def _streaming(self, method: str, behaviour: Callable[..., Iterator[Any]]) -> Callable[..., Iterator[Any]]:
        def call(request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
            start = time.perf_counter()
            try:
                yield from behaviour(request, context)
            except Exception as error:
                raise self._failed(method, start, error, context) from error
            self._ended(method, "OK", start)

        return call

    def _ended(self, method: str, code: str, start: float, **fields: object) -> None:
        self._metrics.call(method, code, time.perf_counter() - start)
        self._logs.info("call", method=method, code=code, ms=_ms(start), **fields)

    def _failed(self, method: str, start: float, error: Exception, context: grpc.ServicerContext) -> Exception:
        if not context.is_active():
            self._ended(method, "CANCELLED", start)
            return error
        if isinstance(error, WorkerError):
            known = error
            self._ended(method, known.code.name, start, reason=known.reason, message=known.message)
        else:
            self._logs.failure("call_failed", error, method=method, ms=_ms(start))
            self._metrics.call(method, "INTERNAL", time.perf_counter() - start)
            found = f"{type(error).__name__}: {clip(str(error), 500)}"
            known = internal("WORKER_BUG", f"The worker failed unexpectedly ({found}); its log has the stack.")
        return aborted(context, known)


def aborted(context: grpc.ServicerContext, error: WorkerError) -> Exception:
    """Ends a call with an error and returns the exception that gRPC wants to see raised."""
    context.set_trailing_metadata(((_DETAIL, error.detail().SerializeToString()),))
    try:
        context.abort(error.code, error.message)
    except Exception as raised:
        return raised


def remade(handler: Any, behaviour: Callable[..., Any]) -> Handler:
    """Makes a handler like another, with other behaviour."""
    make = {
        (False, False): grpc.unary_unary_rpc_method_handler,
        (False, True): grpc.unary_stream_rpc_method_handler,
        (True, False): grpc.stream_unary_rpc_method_handler,
        (True, True): grpc.stream_stream_rpc_method_handler,
    }[(handler.request_streaming, handler.response_streaming)]
    return make(behaviour, handler.request_deserializer, handler.response_serializer)


def _ms(start: float) -> float:
    return round((time.perf_counter() - start) * 1000, 3)
