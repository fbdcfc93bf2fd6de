"""Asks the worker beside it whether it serves: `python health.py READY_FILE`, for the image's HEALTHCHECK.

READY_FILE is what the worker wrote with `--ready-file`. Exit codes: 0 it serves, 1 it does not.

A worker that other machines can reach speaks TLS. Its certificate is then believed for this one connection, under the
name `$TSXLA_HEALTH_NAME` (localhost): a certificate names the host that clients use, and this is not one of them.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc


def main() -> int:
    """Asks once."""
    try:
        address = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))["address"]
        with channel(address) as open_channel:
            stub: Any = health_pb2_grpc.HealthStub(open_channel)
            answer = stub.Check(health_pb2.HealthCheckRequest(service="tsxla.worker.v1.WorkerService"), timeout=5)
    except (OSError, ValueError, KeyError, IndexError, grpc.RpcError) as error:
        print(f"the worker does not answer: {error}", file=sys.stderr)
        return 1
    if answer.status != health_pb2.HealthCheckResponse.SERVING:
        print(f"the worker is {health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status)}", file=sys.stderr)
        return 1
    return 0


def channel(address: str) -> grpc.Channel:
    """A connection to an address as the worker says it."""
    host, _, port = address.rpartition(":")
    if address.startswith("unix:") or host in {"localhost", "127.0.0.1", "[::1]", "::1"}:
        return grpc.insecure_channel(address)
    certificate = Path(os.environ.get("TSXLA_HEALTH_CERT", "/run/secrets/tls.crt")).read_bytes()
    name = os.environ.get("TSXLA_HEALTH_NAME", "localhost")
    return grpc.secure_channel(
        f"localhost:{port}",
        grpc.ssl_channel_credentials(certificate),
        options=[("grpc.ssl_target_name_override", name), ("grpc.default_authority", name)],
    )


if __name__ == "__main__":
    sys.exit(main())
