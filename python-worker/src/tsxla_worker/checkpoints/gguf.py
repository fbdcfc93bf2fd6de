"""Reads the header of a GGUF file, versions 2 and 3, little-endian.

Nothing in the header is believed: a count is compared with the bytes that are left before anything is read for it,
so that a claim of 10^18 strings is refused at once. gguf-py reads the same files but trusts counts, and takes seconds
for a vocabulary; it judges this reader in the tests.
GGUF writes shapes innermost first; here they are outermost first. Packed types become raw blocks
(`U8[..., blocks, bytes of a block]`).

Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md.
Not here: files split into parts, arrays of arrays (no known file has any), unpacking.
"""

import math
import os
import struct
from pathlib import Path

import numpy as np

from tsxla_worker.checkpoints.checkpoint import MetadataValue, StoredTensor, damaged
from tsxla_worker.checkpoints.ggml_types import GGML_TYPES, GgmlType
from tsxla_worker.contract.errors import WorkerError
from tsxla_worker.tensors.tensor_types import BY_NAME, TensorType

_SCALARS = {0: "<u1", 1: "<i1", 2: "<u2", 3: "<i2", 4: "<u4", 5: "<i4", 6: "<f4", 10: "<u8", 11: "<i8", 12: "<f8"}
_BOOL, _STRING, _ARRAY = 7, 8, 9
# The least that an entry takes: a key's length and first byte, a type and a value; a name, sizes, a type, an offset.
_SMALLEST_VALUE, _SMALLEST_TENSOR = 8 + 1 + 4 + 1, 8 + 1 + 4 + 4 + 8
_STRING_LIMIT = 256 << 20
_READ = 4 << 20
_MAX_RANK = 8
_MAX_ALIGNMENT = 1 << 20


def read(path: Path, descriptor: int) -> tuple[list[StoredTensor], dict[str, MetadataValue]]:
    """Reads the header; fails with CHECKPOINT_INVALID."""
    header = _Header(path, descriptor)
    if header.take(4) != b"GGUF":
        raise damaged(path, "it does not begin with the letters GGUF.")
    version = header.integer("<I")
    if version not in {2, 3}:
        raise damaged(path, f"its GGUF version is {version}; 2 and 3 are read.", found=version, wanted="2 or 3")
    tensor_count, value_count = header.integer("<Q"), header.integer("<Q")
    header.expect(value_count, _SMALLEST_VALUE, "values")
    header.expect(tensor_count, _SMALLEST_TENSOR, "tensors")
    metadata: dict[str, MetadataValue] = {}
    for _ in range(value_count):
        key = header.name("a key")
        if key in metadata:
            raise damaged(path, f"the key {key!r} stands there twice.", found=key)
        metadata[key] = header.value(key, header.integer("<I"))
    if metadata.get("split.count", 0) not in {0, 1}:
        raise damaged(path, "it is one part of a split GGUF; join the parts with llama-gguf-split --merge.")
    return _tensors(header, tensor_count, _alignment(path, metadata)), metadata


def _alignment(path: Path, metadata: dict[str, MetadataValue]) -> int:
    alignment = metadata.get("general.alignment", 32)
    good = isinstance(alignment, int) and 0 < alignment <= _MAX_ALIGNMENT and alignment & (alignment - 1) == 0
    if not isinstance(alignment, int) or not good:
        raise damaged(path, f"general.alignment is {alignment!r}, which is no power of two.", found=alignment)
    return alignment


def _tensors(header: "_Header", count: int, alignment: int) -> list[StoredTensor]:
    path = header.path
    entries: list[tuple[str, tuple[int, ...], GgmlType, int]] = []
    for _ in range(count):
        name = header.name("a tensor's name")
        rank = header.integer("<I")
        if rank > _MAX_RANK:
            raise damaged(path, f"{name} has {rank} axes; at most {_MAX_RANK} are taken.", tensor=name, found=rank)
        sizes = tuple(header.integer("<Q") for _ in range(rank))
        number, offset = header.integer("<I"), header.integer("<Q")
        kind = GGML_TYPES.get(number)
        if kind is None:
            raise damaged(path, f"{name} has the unknown type {number}.", tensor=name, found=number)
        if offset % alignment:
            message = f"{name} begins at {offset}, which is no multiple of {alignment}."
            raise damaged(path, message, tensor=name, found=offset, wanted=alignment)
        entries.append((name, sizes[::-1], kind, offset))
    start = -(-header.position // alignment) * alignment
    tensors = [_tensor(header, entry, start) for entry in entries]
    _check_apart(path, tensors)
    return tensors


def _tensor(header: "_Header", entry: tuple[str, tuple[int, ...], GgmlType, int], start: int) -> StoredTensor:
    path = header.path
    name, shape, kind, offset = entry
    row = shape[-1] if shape else 1
    if row % kind.block:
        message = f"{name} has rows of {row} elements, which {kind.name} can't hold in blocks of {kind.block}."
        raise damaged(path, message, tensor=name, found=row, wanted=f"a multiple of {kind.block}")
    size = math.prod(shape) // kind.block * kind.bytes
    if start + offset + size > header.size:
        message = f"{name} ends at byte {start + offset + size}, but the file has {header.size}."
        raise damaged(path, message, tensor=name, found=header.size, wanted=start + offset + size)
    if kind.element is not None:
        received = TensorType(kind.element, shape)
    else:
        received = TensorType(BY_NAME["ui8"], (*shape[:-1], row // kind.block, kind.bytes))
    return StoredTensor(name, received, kind.name, shape, path, start + offset, size, kind.loadable)


def _check_apart(path: Path, tensors: list[StoredTensor]) -> None:
    """Refuses tensors that share a name or bytes."""
    names: set[str] = set()
    for tensor in tensors:
        if tensor.name in names:
            raise damaged(path, f"two tensors are named {tensor.name}.", tensor=tensor.name)
        names.add(tensor.name)
    end, before = 0, ""
    for tensor in sorted(tensors, key=lambda tensor: (tensor.offset, tensor.bytes)):
        if tensor.bytes and tensor.offset < end:
            message = f"{tensor.name} begins at byte {tensor.offset}, inside {before}."
            raise damaged(path, message, tensor=tensor.name, found=tensor.offset, wanted=end)
        if tensor.bytes:
            end, before = tensor.offset + tensor.bytes, tensor.name


class _Header:
    """Reads forward through a file in large pieces, never past its end."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self.size = os.fstat(descriptor).st_size
        self.position = 0
        self._descriptor = descriptor
        self._buffer = b""
        self._start = 0  # the file offset of the buffer's first byte

    def expect(self, count: int, least: int, what: str) -> None:
        """Refuses a count that the rest of the file can't hold."""
        left = self.size - self.position
        if count * least > left:
            message = f"it claims {count} {what}, but only {left} bytes follow."
            raise damaged(self.path, message, found=left, wanted=count * least)

    def take(self, count: int) -> bytes:
        """Returns the next bytes."""
        begin = self.position - self._start
        if begin + count > len(self._buffer):
            self._fill(count)
            begin = 0
        self.position += count
        return self._buffer[begin : begin + count]

    def integer(self, code: str) -> int:
        """Returns the next integer."""
        return struct.unpack(code, self.take(struct.calcsize(code)))[0]

    def text(self) -> bytes:
        """Returns the next string's bytes."""
        length = self.integer("<Q")
        if length > _STRING_LIMIT:
            raise damaged(self.path, f"a string claims {length} bytes.", found=length, wanted=_STRING_LIMIT)
        return self.take(length)

    def name(self, what: str) -> str:
        """Returns the next string, which must be UTF-8 and not empty."""
        raw = self.text()
        try:
            name = raw.decode("utf-8")
        except UnicodeDecodeError:
            raise damaged(self.path, f"{what} is not UTF-8: {raw[:64]!r}.") from None
        if not name:
            raise damaged(self.path, f"{what} is empty.")
        return name

    def value(self, key: str, kind: int) -> MetadataValue:
        """Returns the next value of a kind."""
        if kind in _SCALARS:
            return np.frombuffer(self.take(np.dtype(_SCALARS[kind]).itemsize), _SCALARS[kind])[0].item()
        if kind == _BOOL:
            return bool(self._booleans(key, 1)[0])
        if kind == _STRING:
            return self.text().decode("utf-8", "replace")
        if kind == _ARRAY:
            return self._array(key)
        raise damaged(self.path, f"the value of {key!r} has the unknown kind {kind}.", found=kind)

    def _array(self, key: str) -> MetadataValue:
        kind, count = self.integer("<I"), self.integer("<Q")
        if kind in _SCALARS:
            dtype = np.dtype(_SCALARS[kind])
            self.expect(count, dtype.itemsize, f"elements of {key!r}")
            values = np.frombuffer(self.take(count * dtype.itemsize), dtype)
            if dtype == np.uint64 and count and int(values.max()) >= 1 << 63:
                raise damaged(self.path, f"the array {key!r} holds an integer above 2^63 - 1.", found=int(values.max()))
            return values
        if kind == _BOOL:
            self.expect(count, 1, f"elements of {key!r}")
            return self._booleans(key, count)
        if kind == _STRING:
            self.expect(count, 8, f"strings of {key!r}")
            return [self.text().decode("utf-8", "replace") for _ in range(count)]
        raise damaged(self.path, f"the array {key!r} has elements of kind {kind}, which is not read.", found=kind)

    def _booleans(self, key: str, count: int) -> np.ndarray:
        raw = np.frombuffer(self.take(count), np.uint8)
        if count and int(raw.max()) > 1:
            raise damaged(self.path, f"a boolean of {key!r} is {int(raw.max())}.", found=int(raw.max()))
        return raw.astype(np.bool_)

    def _fill(self, count: int) -> None:
        if self.position + count > self.size:
            raise self._ends(count)
        wanted = min(max(count, _READ), self.size - self.position)
        pieces: list[bytes] = []
        at = self.position
        while wanted > 0:
            piece = os.pread(self._descriptor, wanted, at)
            if not piece:
                break
            pieces.append(piece)
            at, wanted = at + len(piece), wanted - len(piece)
        self._buffer, self._start = b"".join(pieces), self.position
        if len(self._buffer) < count:
            raise self._ends(count)

    def _ends(self, count: int) -> WorkerError:
        message = f"its header goes on to byte {self.position + count}, but the file has {self.size}."
        return damaged(self.path, message, found=self.size, wanted=self.position + count)
