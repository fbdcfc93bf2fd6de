"""Around every call: domain errors become statuses, bugs become INTERNAL and a stack in the log, calls are logged."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import grpc

from tsxla_worker.errors import WorkerError, clip, internal
from tsxla_worker.logs import Logs

_DETAIL = "tsxla-error-bin"


class Calls(grpc.ServerInterceptor):
    """Wraps the handlers of the worker's service."""

    def __init__(self, logs: Logs) -> None:
        self._logs = logs

    def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], grpc.RpcMethodHandler | None],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler | None:
        """Returns the handler with this module's behaviour around it."""
        handler: Any = continuation(handler_call_details)
        method = handler_call_details.method
        if handler is None or not method.startswith("/tsxla."):
            return handler
        if handler.response_streaming:
            wrapped = self._streaming(method, handler.stream_stream or handler.unary_stream)
            make = (
                grpc.stream_stream_rpc_method_handler
                if handler.request_streaming
                else grpc.unary_stream_rpc_method_handler
            )
        else:
            wrapped = self._single(method, handler.stream_unary or handler.unary_unary)
            make = (
                grpc.stream_unary_rpc_method_handler
                if handler.request_streaming
                else grpc.unary_unary_rpc_method_handler
            )
        return make(wrapped, handler.request_deserializer, handler.response_serializer)

    def _single(self, method: str, behaviour: Callable[..., Any]) -> Callable[..., Any]:
        def call(request: Any, context: grpc.ServicerContext) -> Any:
            start = time.perf_counter()
            try:
                response = behaviour(request, context)
            except Exception as error:
                self._fail(method, start, error, context)
            self._logs.info("call", method=method, code="OK", ms=_ms(start))
            return response

        return call

    def _streaming(self, method: str, behaviour: Callable[..., Iterator[Any]]) -> Callable[..., Iterator[Any]]:
        def call(request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
            start = time.perf_counter()
            try:
                yield from behaviour(request, context)
            except Exception as error:
                self._fail(method, start, error, context)
            self._logs.info("call", method=method, code="OK", ms=_ms(start))

        return call

    def _fail(self, method: str, start: float, error: Exception, context: grpc.ServicerContext) -> None:
        if not context.is_active():
            self._logs.info("call", method=method, code="CANCELLED", ms=_ms(start))
            context.abort(grpc.StatusCode.CANCELLED, "The client cancelled the call.")
        if isinstance(error, WorkerError):
            known = error
            self._logs.info(
                "call", method=method, code=known.code.name, ms=_ms(start), reason=known.reason, message=known.message
            )
        else:
            self._logs.failure("call_failed", error, method=method, ms=_ms(start))
            message = f"The worker failed unexpectedly ({type(error).__name__}: {clip(str(error), 500)}); its log has the stack."
            known = internal("WORKER_BUG", message)
        context.set_trailing_metadata(((_DETAIL, known.detail().SerializeToString()),))
        context.abort(known.code, known.message)


def _ms(start: float) -> float:
    return round((time.perf_counter() - start) * 1000, 3)
