"""The generated gRPC code, imported in one place.

Set-up writes it to `python-worker/generated/`, outside the package, because it is built and not committed. The folder
is put on the path here unless the caller has done so.
"""

import sys
from pathlib import Path

_GENERATED = Path(__file__).resolve().parents[3] / "generated"
if _GENERATED.is_dir() and str(_GENERATED) not in sys.path:
    sys.path.append(str(_GENERATED))

try:
    from tsxla.worker.v1 import worker_pb2 as pb
    from tsxla.worker.v1 import worker_pb2_grpc as rpc
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(f"The gRPC code is missing in {_GENERATED}: `npm run setup` builds it.") from error

__all__ = ["pb", "rpc"]
