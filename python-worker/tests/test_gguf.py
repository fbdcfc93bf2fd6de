"""python -m pytest python-worker/tests/test_gguf.py. gguf-py writes the files and reads them beside us."""

import struct
import time
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest

from files import damage, mutations, open_, survives, write_gguf
from tsxla_worker.checkpoints import gguf as reader
from tsxla_worker.checkpoints.ggml_types import GGML_TYPES, LOADABLE

RANDOM = np.random.default_rng(0)
PACKED = {
    "Q8_0": gguf.GGMLQuantizationType.Q8_0,
    "Q4_0": gguf.GGMLQuantizationType.Q4_0,
    "Q4_1": gguf.GGMLQuantizationType.Q4_1,
    "Q5_0": gguf.GGMLQuantizationType.Q5_0,
    "Q5_1": gguf.GGMLQuantizationType.Q5_1,
}
# gguf-py unpacks these and does not pack them.
UNPACKED = {
    "Q4_K": gguf.GGMLQuantizationType.Q4_K,
    "Q5_K": gguf.GGMLQuantizationType.Q5_K,
    "Q6_K": gguf.GGMLQuantizationType.Q6_K,
}


def fill(writer: gguf.GGUFWriter) -> None:
    writer.add_string("general.name", "a tiny model")
    writer.add_uint32("llama.block_count", 2)
    writer.add_uint64("large", 2**63 + 1)
    writer.add_int8("small", -5)
    writer.add_float32("eps", 0.5)
    writer.add_bool("flag", True)
    writer.add_array("tokens", ["a", "ü", ""])
    writer.add_array("scores", [0.5, -1.5])
    writer.add_array("kinds", [1, 2, 3])
    writer.add_tensor("plain", RANDOM.standard_normal((3, 5)).astype(np.float32))
    writer.add_tensor("half", RANDOM.standard_normal(7).astype(np.float16))
    writer.add_tensor("ids", np.arange(4, dtype=np.int32))
    for name, kind in PACKED.items():
        rows = RANDOM.standard_normal((2, 3, 64)).astype(np.float32)
        writer.add_tensor(name, gguf.quantize(rows, kind), raw_dtype=kind)
    for name, kind in UNPACKED.items():
        raw = RANDOM.integers(0, 120, (2, 3, gguf.GGML_QUANT_SIZES[kind][1]), np.uint8)
        writer.add_tensor(name, raw, raw_dtype=kind)
    bf16 = gguf.quantize(RANDOM.standard_normal((2, 32)).astype(np.float32), gguf.GGMLQuantizationType.BF16)
    writer.add_tensor("brain", bf16, raw_dtype=gguf.GGMLQuantizationType.BF16)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_gguf(tmp_path_factory.mktemp("gguf") / "small.gguf", fill)


def test_tensors_are_where_gguf_py_finds_them(small: Path) -> None:
    found, judge = open_(small), gguf.GGUFReader(small)
    assert found.container == "gguf"
    assert sorted(tensor.name for tensor in judge.tensors) == list(found.tensors)
    whole = small.read_bytes()
    for wanted in judge.tensors:
        tensor = found.tensors[wanted.name]
        assert tensor.format == wanted.tensor_type.name
        assert tensor.shape == tuple(int(size) for size in reversed(wanted.shape))
        assert whole[tensor.offset : tensor.offset + tensor.bytes] == wanted.data.tobytes()
        assert tensor.type.bytes == tensor.bytes


def test_packed_tensors_are_raw_blocks_that_gguf_py_unpacks(small: Path) -> None:
    whole = small.read_bytes()
    for name, kind in (PACKED | UNPACKED).items():
        tensor = open_(small).tensors[name]
        block, size = gguf.GGML_QUANT_SIZES[kind]
        assert tensor.loadable
        assert tensor.type.shape == (2, 3, max(64 // block, 1), size)
        raw = np.frombuffer(whole, np.uint8, tensor.bytes, tensor.offset).reshape(2, 3, -1)
        assert gguf.dequantize(raw, kind).shape == tensor.shape


def test_metadata_has_every_kind_of_value(small: Path) -> None:
    found: Any = open_(small).metadata
    assert found["general.architecture"] == "llama"
    assert (found["llama.block_count"], found["large"], found["small"]) == (2, 2**63 + 1, -5)
    assert (found["eps"], found["flag"], found["tokens"]) == (0.5, True, ["a", "ü", ""])
    assert found["scores"].tolist() == [0.5, -1.5]
    assert found["kinds"].tolist() == [1, 2, 3]


def test_the_table_of_types_is_gguf_py_s() -> None:
    wanted = {kind.value: (kind.name, *sizes) for kind, sizes in gguf.GGML_QUANT_SIZES.items()}
    assert {number: (kind.name, kind.block, kind.bytes) for number, kind in GGML_TYPES.items()} == wanted
    assert {kind.name for kind in GGML_TYPES.values()} >= LOADABLE


def test_a_vocabulary_is_read_in_a_fraction_of_a_second(tmp_path: Path) -> None:
    path = write_gguf(tmp_path / "v.gguf", lambda writer: writer.add_array("t", [f"token {i}" for i in range(100_000)]))
    start = time.perf_counter()
    found: Any = open_(path).metadata["t"]
    assert time.perf_counter() - start < 1
    assert found[77_777] == "token 77777"


def test_strings_that_are_not_utf_8_lose_only_the_wrong_bytes(tmp_path: Path) -> None:
    path = write_gguf(tmp_path / "u.gguf", lambda writer: writer.add_string("key", "caf\u00e9!"))
    path.write_bytes(path.read_bytes().replace("caf\u00e9!".encode(), b"caf\xff\xfe!"))
    assert open_(path).metadata["key"] == "caf\ufffd\ufffd!"


# Files that are wrong. A header by hand: magic, version, counts, values, tensors.


def by_hand(*parts: bytes, tensors: int = 0, values: int = 0, version: int = 3, magic: bytes = b"GGUF") -> bytes:
    return magic + struct.pack("<IQQ", version, tensors, values) + b"".join(parts)


def text(content: bytes) -> bytes:
    return struct.pack("<Q", len(content)) + content


def info(name: bytes, sizes: tuple[int, ...] = (4,), kind: int = 0, offset: int = 0) -> bytes:
    return text(name) + struct.pack(f"<I{len(sizes)}QIQ", len(sizes), *sizes, kind, offset)


HUGE = 10**18
VALUE = text(b"k") + struct.pack("<IB", 0, 1)
PADDING = b"\0" * 200
BROKEN = [
    (b"GGU", "its header goes on to byte 4, but the file has 3."),
    (by_hand(magic=b"GGML"), "it does not begin with the letters GGUF."),
    (by_hand(version=1), "its GGUF version is 1; 2 and 3 are read."),
    (by_hand(version=3 << 24), "its GGUF version is 50331648"),
    (by_hand(values=HUGE), "it claims 1000000000000000000 values, but only 0 bytes follow."),
    (by_hand(tensors=HUGE), "it claims 1000000000000000000 tensors, but only 0 bytes follow."),
    (by_hand(text(b"k"), struct.pack("<IIQ", 9, 8, HUGE), PADDING, values=1), "it claims 1000000000000000000 strings of 'k'"),
    (by_hand(text(b"k"), struct.pack("<IIQ", 9, 4, HUGE), PADDING, values=1), "it claims 1000000000000000000 elements of 'k'"),
    (by_hand(text(b"k"), struct.pack("<IIQ", 9, 7, HUGE), PADDING, values=1), "it claims 1000000000000000000 elements of 'k'"),
    (by_hand(text(b"k"), struct.pack("<IIQ", 9, 9, 1), PADDING, values=1), "the array 'k' has elements of kind 9, which is not read."),
    (by_hand(text(b"k"), struct.pack("<IIQQ", 9, 10, 1, 2**63), values=1), "the array 'k' holds an integer above 2^63 - 1."),
    (by_hand(text(b"k"), struct.pack("<IQ", 8, HUGE), PADDING, values=1), "a string claims 1000000000000000000 bytes."),
    (by_hand(struct.pack("<Q", 99), PADDING[:20], values=1), "its header goes on to byte 131, but the file has 52."),
    (by_hand(text(b"k"), struct.pack("<IB", 13, 0), PADDING, values=1), "the value of 'k' has the unknown kind 13."),
    (by_hand(text(b"k"), struct.pack("<IB", 7, 2), PADDING, values=1), "a boolean of 'k' is 2."),
    (by_hand(text(b""), struct.pack("<IB", 0, 2), PADDING, values=1), "a key is empty."),
    (by_hand(text(b"\xff"), struct.pack("<IB", 0, 2), PADDING, values=1), "a key is not UTF-8"),
    (by_hand(VALUE, VALUE, PADDING, values=2), "the key 'k' stands there twice."),
    (by_hand(text(b"general.alignment"), struct.pack("<II", 4, 24), values=1), "general.alignment is 24, which is no power of two."),
    (by_hand(text(b"general.alignment"), struct.pack("<II", 4, 0), values=1), "general.alignment is 0, which is no power of two."),
    (by_hand(text(b"general.alignment"), struct.pack("<I", 8), text(b"x"), values=1), "general.alignment is 'x'"),
    (by_hand(text(b"split.count"), struct.pack("<IH", 2, 3), values=1), "it is one part of a split GGUF"),
    (by_hand(info(b"t", kind=99), PADDING, tensors=1), "t has the unknown type 99."),
    (by_hand(info(b"t", kind=4), PADDING, tensors=1), "t has the unknown type 4."),
    (by_hand(info(b"t", offset=5), PADDING, tensors=1), "t begins at 5, which is no multiple of 32."),
    (by_hand(info(b"t", offset=2**63), PADDING, tensors=1), "t ends at byte"),
    (by_hand(info(b"t", sizes=(2**63, 2**63)), PADDING, tensors=1), "t ends at byte"),
    (by_hand(info(b"t", sizes=(33,), kind=8), PADDING, tensors=1), "t has rows of 33 elements, which Q8_0 can't hold in blocks of 32."),
    (by_hand(info(b"t", sizes=(), kind=8), PADDING, tensors=1), "t has rows of 1 elements"),
    (by_hand(info(b"t", sizes=(1,) * 9), PADDING, tensors=1), "t has 9 axes; at most 8 are taken."),
    (by_hand(text(b"t"), struct.pack("<I", 2**32 - 1), PADDING, tensors=1), "t has 4294967295 axes"),
    (by_hand(info(b"t"), info(b"t", offset=32), PADDING, tensors=2), "two tensors are named t."),
    (by_hand(info(b"t", sizes=(9,)), info(b"u", offset=32), PADDING, tensors=2), "u begins at byte 128, inside t."),
    (by_hand(info(b"t"), tensors=1), "t ends at byte"),
]  # fmt: skip


@pytest.mark.parametrize(("content", "sentence"), BROKEN, ids=[sentence for _, sentence in BROKEN])
def test_a_broken_file_is_refused_with_a_sentence(tmp_path: Path, content: bytes, sentence: str) -> None:
    path = tmp_path / "x.gguf"
    path.write_bytes(content)
    start = time.perf_counter()
    assert sentence in damage(path).message
    assert time.perf_counter() - start < 0.5


def test_no_cut_and_no_flipped_bit_does_more_than_spoil_the_file(tmp_path: Path, small: Path) -> None:
    path = tmp_path / "x.gguf"
    path.write_bytes(small.read_bytes())
    begin = min(tensor.offset for tensor in open_(small).tensors.values())
    for descriptor, size in mutations(path, begin):
        with survives():
            tensors, _ = reader.read(path, descriptor)
            for tensor in tensors:
                assert tensor.offset + tensor.bytes <= size
                assert tensor.type.bytes == tensor.bytes


def test_a_tensor_without_elements_takes_no_bytes(tmp_path: Path) -> None:
    path = tmp_path / "x.gguf"
    path.write_bytes(by_hand(info(b"t", sizes=(0, 3)), PADDING, tensors=1))
    assert open_(path).tensors["t"].shape == (3, 0)
