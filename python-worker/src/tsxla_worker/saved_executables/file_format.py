"""The file that holds a compiled program: a header, the program's text, and XLA's own serialisation of it.

    magic "TSXLAEXE" · format version · three sizes · header (JSON) · text · payload · SHA-256 · HMAC-SHA-256

What is inside is machine code, so a file is believed for its signature alone: the HMAC under the worker's key
(`signing_key.py`). The SHA-256 before it tells a damaged file from one that somebody else signed. Nothing is
unpickled: the header is JSON, the text is parsed like any client's, and the payload goes to XLA after all checks.
"""

import hashlib
import hmac
import json
import struct
from dataclasses import dataclass
from typing import Any

import grpc

from tsxla_worker.contract.errors import WorkerError, invalid

MAGIC = b"TSXLAEXE"
VERSION = 1
LIMIT = 4 << 30
"""The most bytes that a file may have."""

_PREFIX = struct.Struct("<8sIIQQ")
_DIGEST = 32
_HEADER_LIMIT = 1 << 20

type Header = dict[str, Any]


@dataclass(frozen=True)
class Saved:
    """What a file holds.

    Attributes:
        header: What the program is, and what it was compiled by and for (`compatibility.py`).
        text: The program's StableHLO.
        payload: XLA's serialisation.
    """

    header: Header
    text: str
    payload: bytes


def write(saved: Saved, key: bytes) -> bytes:
    """Makes a file's bytes. The same program, payload and key give the same bytes."""
    header = json.dumps(saved.header, sort_keys=True, separators=(",", ":")).encode()
    text = saved.text.encode("utf-8", "surrogatepass")
    prefix = _PREFIX.pack(MAGIC, VERSION, len(header), len(text), len(saved.payload))
    body = b"".join([prefix, header, text, saved.payload])
    body += hashlib.sha256(body).digest()
    return body + hmac.digest(key, body, "sha256")


def read(data: bytes, key: bytes) -> Saved:
    """Reads a file's bytes; refuses with EXECUTABLE_INVALID what is none or damaged, and what another key signed."""
    if data[: len(MAGIC)] != MAGIC:
        raise _refused("It is no saved executable: it does not begin with TSXLAEXE", found=data[:8].hex())
    if len(data) < _PREFIX.size:
        raise _cut_off(len(data), _PREFIX.size)
    _, version, header, text, payload = _PREFIX.unpack_from(data)
    if version != VERSION:
        raise _refused(f"Its format is {version}, and this worker reads {VERSION}", found=version, wanted=VERSION)
    wanted = _PREFIX.size + header + text + payload + 2 * _DIGEST
    if header > _HEADER_LIMIT or len(data) > wanted:
        raise _refused(f"It has {len(data)} bytes where its own sizes make {wanted}", found=len(data), wanted=wanted)
    if len(data) < wanted:
        raise _cut_off(len(data), wanted)
    if hashlib.sha256(memoryview(data)[: -2 * _DIGEST]).digest() != data[-2 * _DIGEST : -_DIGEST]:
        raise _refused("It is damaged: its bytes do not match their SHA-256")
    if not hmac.compare_digest(hmac.digest(key, memoryview(data)[:-_DIGEST], "sha256"), data[-_DIGEST:]):
        raise WorkerError(
            grpc.StatusCode.PERMISSION_DENIED,
            "EXECUTABLE_UNTRUSTED",
            "The executable was signed with another key than this worker's, and what is in it would run as this worker."
            " Compile it again with this worker, or start the worker with the key that signed it (--executable-key).",
        )
    at = _PREFIX.size
    try:
        return Saved(
            json.loads(data[at : at + header]),
            data[at + header : at + header + text].decode("utf-8", "surrogatepass"),
            data[at + header + text : -2 * _DIGEST],
        )
    except ValueError as error:
        raise _refused("Its header is no JSON, or its text no UTF-8") from error


def _cut_off(found: int, wanted: int) -> WorkerError:
    return _refused(f"It is cut off: {found} bytes are there, {wanted} are wanted", found=found, wanted=wanted)


def _refused(why: str, **metadata: object) -> WorkerError:
    message = (
        f"The executable can't be loaded. {why}. Compile it again with `tsxla compile --save` or `tsxla exec --save`."
    )
    return invalid("EXECUTABLE_INVALID", message, **metadata)
