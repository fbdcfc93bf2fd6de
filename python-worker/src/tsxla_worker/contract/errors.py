"""The error that crosses the wire: a status code, a reason for programs and a sentence for people.

Everything below the service raises `WorkerError`; `serving/call_interceptor.py` turns it into a gRPC status with a
trailing metadata entry, and a session into a `SessionError`. Any other exception is a bug of the worker and is reported
as INTERNAL.
"""

import grpc

from tsxla_worker.contract.generated import pb

# HTTP/2 peers refuse large header blocks (gRPC's own limit is 8 KiB), and the message and the detail are headers.
_MESSAGE_LIMIT = 2000
_VALUE_LIMIT = 500


class WorkerError(Exception):
    """A refused or failed request.

    Attributes:
        code: The gRPC status.
        reason: An UPPER_SNAKE_CASE constant of the proto's comments.
        message: A full sentence.
        metadata: Everything variable in the message, by name.
    """

    def __init__(self, code: grpc.StatusCode, reason: str, message: str, **metadata: object) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = clip(message, _MESSAGE_LIMIT)
        self.metadata = {name: clip(str(value), _VALUE_LIMIT) for name, value in metadata.items()}

    def detail(self) -> pb.ErrorDetail:
        """Returns the part for programs."""
        return pb.ErrorDetail(reason=self.reason, metadata=self.metadata)

    def session_error(self) -> pb.SessionError:
        """Returns the error as a session answers it."""
        number: int = self.code.value[0]
        return pb.SessionError(code=number, message=self.message, detail=self.detail())


def invalid(reason: str, message: str, **metadata: object) -> WorkerError:
    """Makes an INVALID_ARGUMENT error: the request itself is wrong."""
    return WorkerError(grpc.StatusCode.INVALID_ARGUMENT, reason, message, **metadata)


def not_found(reason: str, message: str, **metadata: object) -> WorkerError:
    """Makes a NOT_FOUND error: the request names something that isn't there."""
    return WorkerError(grpc.StatusCode.NOT_FOUND, reason, message, **metadata)


def internal(reason: str, message: str, **metadata: object) -> WorkerError:
    """Makes an INTERNAL error: the request is fine, and what should serve it failed."""
    return WorkerError(grpc.StatusCode.INTERNAL, reason, message, **metadata)


def clip(text: str, limit: int) -> str:
    """Shortens a text to what a header may hold, and makes it valid UTF-8."""
    text = text.encode("utf-8", "replace").decode("utf-8")
    encoded = text.encode("utf-8")
    if len(encoded) <= limit:
        return text
    return encoded[: limit - 3].decode("utf-8", "ignore") + "…"
