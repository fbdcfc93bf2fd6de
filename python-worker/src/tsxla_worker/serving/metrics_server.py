"""Serves the counters over HTTP, at /metrics, to whoever may call the worker.

With a token a scrape carries it as calls do (`authorization: {credentials_file: …}` in Prometheus' configuration), and
wherever other machines can connect it goes over TLS with the worker's own certificate. What is sent is
prometheus_client's own WSGI application; the token, TLS and a time limit are added here.
"""

import contextlib
import hmac
import socket
import ssl
import threading
from collections.abc import Iterable
from http import HTTPStatus
from pathlib import Path
from wsgiref.simple_server import WSGIRequestHandler
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import ThreadingWSGIServer, make_wsgi_app

from tsxla_worker.serving.address import Address


class MetricsServer:
    """Answers GET /metrics until it is stopped."""

    def __init__(
        self,
        registry: CollectorRegistry,
        listen: Address,
        token: str | None,
        tls: tuple[Path, Path] | None,
    ) -> None:
        try:
            self._server = _Server((listen.host, listen.port))
        except OSError as error:
            raise OSError(f"{listen.text} can't be listened on for metrics: {error.strerror or error}.") from error
        # Small answers on one machine: compressing them would cost more than it saves.
        self._server.set_app(_guarded(make_wsgi_app(registry, disable_compression=True), token))
        if tls is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        scheme = "http" if tls is None else "https"
        host = f"[{listen.host}]" if ":" in listen.host else listen.host
        self.address = f"{scheme}://{host}:{self._server.server_address[1]}/metrics"

    def start(self) -> None:
        """Begins to answer."""
        threading.Thread(target=self._server.serve_forever, name="metrics", daemon=True).start()

    def stop(self) -> None:
        """Answers no more."""
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingWSGIServer):
    def __init__(self, place: tuple[str, int]) -> None:
        if ":" in place[0]:
            self.address_family = socket.AF_INET6
        super().__init__(place, _Handler)


class _Handler(WSGIRequestHandler):
    # A client that says nothing holds a thread no longer than this.
    timeout = 30

    def handle(self) -> None:
        """Answers one request; a client that sends none in time is no error."""
        with contextlib.suppress(TimeoutError):
            super().handle()

    def log_message(self, format: str, *_: object) -> None:  # noqa: A002 (the parent's name)
        """Says nothing: scrapes are no events."""


def _guarded(metrics: WSGIApplication, token: str | None) -> WSGIApplication:
    """Makes of an application one that answers at /metrics alone, and only to clients that carry the token."""
    wanted = f"Bearer {token}".encode()

    def answer(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        if token is not None and not hmac.compare_digest(environ.get("HTTP_AUTHORIZATION", "").encode(), wanted):
            sentence = b"The request carries no valid token.\n"
            return _refused(start, HTTPStatus.UNAUTHORIZED, sentence, ("WWW-Authenticate", "Bearer"))
        if environ["PATH_INFO"] != "/metrics":
            return _refused(start, HTTPStatus.NOT_FOUND, b"Only /metrics is here.\n")
        return metrics(environ, start)

    return answer


def _refused(start: StartResponse, status: HTTPStatus, sentence: bytes, *headers: tuple[str, str]) -> Iterable[bytes]:
    start(f"{status.value} {status.phrase}", [("Content-Type", "text/plain; charset=utf-8"), *headers])
    return [sentence]
