"""Reads the header of a safetensors file.

The same rules as the reference implementation: eight bytes of length, a JSON object that begins with `{`, and tensors
that fill the rest of the file without gaps or overlaps. Nothing is believed before it is compared with the file.

Format: https://github.com/huggingface/safetensors#format.
Not here: several files that make one checkpoint (`safetensors_folder.py`).
"""

import json
import math
import os
from pathlib import Path
from typing import cast

from tsxla_worker.checkpoints.checkpoint import StoredTensor, damaged
from tsxla_worker.contract.errors import WorkerError
from tsxla_worker.tensors.tensor_types import BY_NAME, TensorType

_HEADER_LIMIT = 100_000_000  # the reference implementation's
_SIZE_LIMIT = 1 << 62

# The names of element types. Those without one here are listed and can't be loaded.
_ELEMENTS = {
    "BOOL": "i1",
    "I8": "i8",
    "I16": "i16",
    "I32": "i32",
    "I64": "i64",
    "U8": "ui8",
    "U16": "ui16",
    "U32": "ui32",
    "U64": "ui64",
    "F16": "f16",
    "BF16": "bf16",
    "F32": "f32",
    "F64": "f64",
    "F8_E5M2": "f8E5M2",
    "F8_E4M3": "f8E4M3FN",
    "F8_E8M0": "f8E8M0FNU",
}
_OTHER_BITS = {"F4": 4, "F6_E2M3": 6, "F6_E3M2": 6, "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8, "C64": 64}


def read(path: Path, descriptor: int) -> tuple[list[StoredTensor], dict[str, str]]:
    """Reads the header; fails with CHECKPOINT_INVALID."""
    size = os.fstat(descriptor).st_size
    length = int.from_bytes(_read(path, descriptor, 0, 8), "little")
    if length > _HEADER_LIMIT or 8 + length > size:
        most = min(_HEADER_LIMIT, max(size - 8, 0))
        message = f"its header claims {length} bytes; at most {most} are possible."
        raise damaged(path, message, found=length, wanted=most)
    header = _parse(path, _read(path, descriptor, 8, length))
    metadata = _metadata(path, header.pop("__metadata__", {}))
    begin = 8 + length
    tensors = [_tensor(path, name, entry, begin, size) for name, entry in header.items()]
    _check_filled(path, tensors, begin, size)
    return tensors, metadata


def _parse(path: Path, raw: bytes) -> dict[str, object]:
    if raw[:1] != b"{":
        raise damaged(path, f"its header begins with {raw[:1]!r} and not with an opening brace.")
    try:
        header = json.loads(raw.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_no_constant)
        json.dumps(header, ensure_ascii=False).encode("utf-8")  # refuses halves of surrogate pairs
    except (ValueError, RecursionError) as error:
        raise damaged(path, f"its header is not JSON: {error}.") from error
    if not isinstance(header, dict):
        raise damaged(path, "its header is not a JSON object.")
    return cast("dict[str, object]", header)


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    result = dict(pairs)
    if len(result) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"{twice!r} stands there twice")
    return result


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is not a number of JSON")


def _metadata(path: Path, found: object) -> dict[str, str]:
    if not isinstance(found, dict):
        raise damaged(path, "its __metadata__ is not an object.")
    entries = cast("dict[str, object]", found)
    for key, value in entries.items():
        if not isinstance(value, str):
            raise damaged(path, f"its __metadata__ has a value for {key!r} that is not a string.")
    return cast("dict[str, str]", found)


def _tensor(path: Path, name: str, entry: object, begin: int, size: int) -> StoredTensor:
    if not isinstance(entry, dict) or set(cast("dict[str, object]", entry)) != {"dtype", "shape", "data_offsets"}:
        raise damaged(path, f"{name} has not exactly dtype, shape and data_offsets.", tensor=name)
    fields = cast("dict[str, object]", entry)
    dtype, shape, offsets = fields["dtype"], _counts(fields["shape"]), _counts(fields["data_offsets"])
    if shape is None or offsets is None or len(offsets) != 2:
        raise damaged(path, f"{name} has a shape or offsets that are no list of counts.", tensor=name)
    first, last = offsets
    if last < first or begin + last > size:
        message = f"{name} lies at bytes {first} to {last} of {size - begin}."
        raise damaged(path, message, tensor=name, found=f"{first}..{last}", wanted=f"within {size - begin}")
    if not isinstance(dtype, str) or (dtype not in _ELEMENTS and dtype not in _OTHER_BITS):
        raise damaged(path, f"{name} has the unknown dtype {dtype!r}.", tensor=name, found=dtype)
    element = BY_NAME[_ELEMENTS[dtype]] if dtype in _ELEMENTS else None
    bits = math.prod(shape) * (element.bytes * 8 if element else _OTHER_BITS[dtype])
    if bits != 8 * (last - first):
        message = f"{name} is {dtype} {list(shape)}, which takes {bits / 8:g} bytes, but has {last - first}."
        raise damaged(path, message, tensor=name, found=last - first, wanted=f"{bits / 8:g}")
    received = TensorType(element, shape) if element else TensorType(BY_NAME["ui8"], (last - first,))
    return StoredTensor(name, received, dtype, shape, path, begin + first, last - first, element is not None)


def _counts(found: object) -> tuple[int, ...] | None:
    if not isinstance(found, list):
        return None
    numbers = cast("list[object]", found)
    good = all(type(number) is int and 0 <= number < _SIZE_LIMIT for number in numbers)
    return tuple(cast("list[int]", numbers)) if good else None


def _check_filled(path: Path, tensors: list[StoredTensor], begin: int, size: int) -> None:
    """Refuses gaps, overlaps and bytes that belong to nobody."""
    end = begin
    for tensor in sorted(tensors, key=lambda tensor: (tensor.offset, tensor.bytes)):
        if tensor.offset != end:
            message = f"{tensor.name} begins at byte {tensor.offset - begin} of the data; {end - begin} is next."
            raise damaged(path, message, tensor=tensor.name, found=tensor.offset - begin, wanted=end - begin)
        end += tensor.bytes
    if end != size:
        message = f"its tensors end at byte {end}, but the file has {size}."
        raise damaged(path, message, found=size, wanted=end)


def _read(path: Path, descriptor: int, offset: int, count: int) -> bytes:
    raw = os.pread(descriptor, count, offset)
    if len(raw) != count:
        raise _short(path, offset + len(raw), offset + count)
    return raw


def _short(path: Path, found: int, wanted: int) -> WorkerError:
    return damaged(path, f"it ends at byte {found}, before its header does.", found=found, wanted=wanted)
