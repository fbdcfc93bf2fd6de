"""python -m pytest python-worker/tests/test_safetensors.py. The safetensors package writes the files."""

import json
from pathlib import Path

import numpy as np
import pytest

from files import SMALL, damage, mutations, open_, raw_safetensors, survives, write_safetensors
from tsxla_worker.checkpoints import safetensors as reader


def header(**tensors: object) -> bytes:
    return json.dumps(tensors).encode()


def entry(dtype: object = "F32", shape: object = (2,), offsets: object = (0, 8)) -> dict[str, object]:
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets}


def test_a_file_s_tensors_are_listed_with_type_and_place(tmp_path: Path) -> None:
    path = write_safetensors(tmp_path / "x.safetensors", SMALL, {"format": "pt"})
    found = open_(path)
    assert found.container == "safetensors"
    assert found.metadata == {"format": "pt"}
    assert [(name, str(tensor.type)) for name, tensor in found.tensors.items()] == [
        ("a.weight", "f32[2, 3]"),
        ("b", "i1[2]"),
        ("c", "i64[]"),
    ]
    whole = path.read_bytes()
    for name, tensor in found.tensors.items():
        assert whole[tensor.offset : tensor.offset + tensor.bytes] == np.ascontiguousarray(SMALL[name]).tobytes()


def test_types_that_can_not_be_loaded_are_listed_by_name(tmp_path: Path) -> None:
    path = raw_safetensors(tmp_path / "x.safetensors", header(a=entry("F4", (4,), (0, 2))), b"12")
    tensor = open_(path).tensors["a"]
    assert (tensor.format, tensor.shape, tensor.loadable) == ("F4", (4,), False)


def test_a_file_without_tensors_is_a_checkpoint(tmp_path: Path) -> None:
    assert not open_(raw_safetensors(tmp_path / "x.safetensors", b"{}")).tensors


BROKEN = [
    (header(a=entry()), b"1234567", None, "a lies at bytes 0 to 8 of 7."),
    (header(a=entry()), b"123456789", None, "its tensors end at byte"),
    (header(a=entry(offsets=(8, 0))), b"12345678", None, "a lies at bytes 8 to 0 of 8."),
    (header(a=entry(offsets=(4, 12))), b"123456789012", None, "a begins at byte 4 of the data; 0 is next."),
    (header(a=entry(), b=entry(offsets=(4, 12))), b"1" * 12, None, "b begins at byte 4 of the data; 8 is next."),
    (header(a=entry(shape=(3,))), b"12345678", None, "a is F32 [3], which takes 12 bytes, but has 8."),
    (header(a=entry(shape=(2**61, 8))), b"12345678", None, "a is F32 [2305843009213693952, 8], which takes"),
    (header(a=entry("F33")), b"12345678", None, "a has the unknown dtype 'F33'."),
    (header(a=entry(7)), b"12345678", None, "a has the unknown dtype 7."),
    (header(a=entry(["F32"])), b"12345678", None, "a has the unknown dtype ['F32']."),
    (header(a=entry("F4", (3,), (0, 2))), b"12", None, "a is F4 [3], which takes 1.5 bytes, but has 2."),
    (header(a=entry(shape=(-2,))), b"12345678", None, "a has a shape or offsets that are no list of counts."),
    (header(a=entry(shape=(2.0,))), b"12345678", None, "a has a shape or offsets that are no list of counts."),
    (header(a=entry(shape=(True, 2))), b"12345678", None, "a has a shape or offsets that are no list of counts."),
    (header(a=entry(offsets=(0, 8, 8))), b"12345678", None, "a has a shape or offsets that are no list of counts."),
    (header(a={"dtype": "F32"}), b"", None, "a has not exactly dtype, shape and data_offsets."),
    (header(a=[]), b"", None, "a has not exactly dtype, shape and data_offsets."),
    (header(__metadata__={"k": 1}), b"", None, "its __metadata__ has a value for 'k' that is not a string."),
    (header(__metadata__=[]), b"", None, "its __metadata__ is not an object."),
    (b"[]", b"", None, "its header begins with b'['"),
    (b"", b"", None, "its header begins with b''"),
    (b"{", b"", None, "its header is not JSON"),
    (b'{"a": 1, "a": 2}', b"", None, "'a' stands there twice."),
    (b'{"a": NaN}', b"", None, "NaN is not a number of JSON."),
    (b'{"\\ud800": 1}', b"", None, "its header is not JSON"),
    (b'{"a": ' + b"9" * 5000 + b"}", b"", None, "its header is not JSON"),
    (b'{"a":' * 100_000, b"", None, "its header is not JSON"),
    (b"{\xff}", b"", None, "its header is not JSON"),
    (b"{}", b"", 10**18, "its header claims 1000000000000000000 bytes; at most 2 are possible."),
    (b"{}", b"", 3, "its header claims 3 bytes; at most 2 are possible."),
]


@pytest.mark.parametrize(("head", "data", "length", "sentence"), BROKEN, ids=[sentence for *_, sentence in BROKEN])
def test_a_broken_file_is_refused_with_a_sentence(
    tmp_path: Path, head: bytes, data: bytes, length: int | None, sentence: str
) -> None:
    assert sentence in damage(raw_safetensors(tmp_path / "x.safetensors", head, data, length)).message


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    path.write_bytes(b"")
    assert "it ends at byte 0, before its header does" in damage(path).message


def test_no_cut_and_no_flipped_bit_does_more_than_spoil_the_file(tmp_path: Path) -> None:
    path = write_safetensors(tmp_path / "x.safetensors", SMALL, {"format": "pt"})
    begin = 8 + int.from_bytes(path.read_bytes()[:8], "little")
    for descriptor, size in mutations(path, begin):
        with survives():
            tensors, _ = reader.read(path, descriptor)
            for tensor in tensors:
                assert tensor.offset + tensor.bytes <= size
                assert not tensor.loadable or tensor.type.bytes == tensor.bytes
