"""The token that every call carries, and when connections must be encrypted.

Health checks carry none: what probes a worker often can't send metadata, and the answer says only that it is alive.
"""

import hmac
from collections.abc import Callable
from typing import Any, NoReturn

import grpc

from tsxla_worker.contract.errors import WorkerError
from tsxla_worker.serving.call_interceptor import Handler, aborted, remade

_OPEN_PREFIX = "/grpc.health.v1.Health/"


class TokenCheck(grpc.ServerInterceptor):
    """Refuses calls without `authorization: Bearer TOKEN`."""

    def __init__(self, token: str) -> None:
        self._expected = f"Bearer {token}".encode()

    def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Handler | None],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler | None:
        """Returns the real handler, or one that refuses."""
        handler: Any = continuation(handler_call_details)
        if handler is None or handler_call_details.method.startswith(_OPEN_PREFIX):
            return handler
        found = dict(handler_call_details.invocation_metadata or ()).get("authorization", "")
        given = found if isinstance(found, bytes) else found.encode()
        if hmac.compare_digest(given, self._expected):
            return handler
        return remade(handler, _refuse)


def _refuse(_request: object, context: grpc.ServicerContext) -> NoReturn:
    error = WorkerError(
        grpc.StatusCode.UNAUTHENTICATED,
        "TOKEN_INVALID",
        "The call carries no valid token: send the metadata `authorization: Bearer TOKEN`.",
    )
    raise aborted(context, error)
