"""Serves the counters over HTTP, at /metrics, to whoever may call the worker.

With a token a scrape carries it as calls do (`authorization: {credentials_file: …}` in Prometheus' configuration), and
wherever other machines can connect it goes over TLS with the worker's own certificate.
"""

import hmac
import ssl
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

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
        handler = type("Handler", (_Handler,), {"registry": registry, "token": token})
        try:
            self._server = _Server((listen.host, listen.port), handler)
        except OSError as error:
            raise OSError(f"{listen.text} can't be listened on for metrics: {error.strerror or error}.") from error
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


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, place: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        if ":" in place[0]:
            import socket

            self.address_family = socket.AF_INET6
        super().__init__(place, handler)


class _Handler(BaseHTTPRequestHandler):
    registry: CollectorRegistry
    token: str | None
    # A client that says nothing holds a thread no longer than this.
    timeout = 30

    def do_GET(self) -> None:
        """Answers a scrape."""
        if not self._may_read():
            self._answer(HTTPStatus.UNAUTHORIZED, b"The request carries no valid token.\n")
        elif self.path.partition("?")[0] != "/metrics":
            self._answer(HTTPStatus.NOT_FOUND, b"Only /metrics is here.\n")
        else:
            encode, kind = choose_encoder(self.headers.get("accept") or "")
            self._answer(HTTPStatus.OK, encode(self.registry), kind)

    def log_message(self, format: str, *_: object) -> None:  # noqa: A002 (the parent's name)
        """Says nothing: scrapes are no events."""

    def _may_read(self) -> bool:
        given = self.headers.get("authorization", "")
        return self.token is None or hmac.compare_digest(given.encode(), f"Bearer {self.token}".encode())

    def _answer(self, status: HTTPStatus, body: bytes, kind: str = "text/plain; charset=utf-8") -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        if status is HTTPStatus.UNAUTHORIZED:
            self.send_header("www-authenticate", "Bearer")
        self.end_headers()
        self.wfile.write(body)
