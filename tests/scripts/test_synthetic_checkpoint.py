"""Tests of scripts/synthetic_checkpoint: `npm run pytest -- tests/scripts`."""

# ruff: noqa: D103 - a test's name is its documentation

import errno
import hashlib
import json
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest
from safetensors import safe_open

sys.path.insert(0, str(Path(__file__).parents[2] / "scripts"))
sys.path.insert(0, str(Path(__file__).parents[1] / "parity"))

import random_gpt_oss as tiny
from synthetic_checkpoint.command_line import main
from synthetic_checkpoint.config import read_config
from synthetic_checkpoint.files import indented
from synthetic_checkpoint.folder import claimed
from synthetic_checkpoint.hugging_face import SHARD_BYTES, plan_folder
from synthetic_checkpoint.marker import MARKER
from synthetic_checkpoint.pools import Pools
from synthetic_checkpoint.tensors import Tensor, tensors
from synthetic_checkpoint.tokenizer import Tokenizer, byte_characters

BYTES = {"BF16": 2, "U8": 1}
EXPRESSIBLE_IN_GGUF = [
    name for name in tiny.CONFIGS if name not in ("window-8", "layer-types", "tight-limit", "truncated")
]


@pytest.fixture
def config_file(tmp_path: Path) -> Path:
    return write_config(tmp_path, "released")


def write_config(folder: Path, name: str, **changes: Any) -> Path:
    file = folder / f"{name}.json"
    file.write_text(json.dumps(tiny.config_json(name) | changes), encoding="utf-8")
    return file


def run(*arguments: object) -> int:
    return main([str(argument) for argument in arguments])


def stored(folder: Path) -> dict[str, tuple[str, list[int]]]:
    """Dtype and shape of every tensor, as the safetensors library reads them."""
    found: dict[str, tuple[str, list[int]]] = {}
    for file in sorted(folder.glob("*.safetensors")):
        with safe_open(file, framework="numpy") as opened:
            for key in opened.keys():  # noqa: SIM118 - not a mapping
                part = opened.get_slice(key)
                assert key not in found
                found[key] = (part.get_dtype(), part.get_shape())
    return found


def raw(folder: Path, key: str) -> np.ndarray:
    """A tensor's numbers or bytes, read by hand."""
    for file in folder.glob("*.safetensors"):
        content = np.memmap(file, np.uint8, "r")
        length = int(content[:8].view("<u8")[0])
        header = json.loads(content[8 : 8 + length].tobytes())
        if key in header:
            start, end = header[key]["data_offsets"]
            values = content[8 + length + start : 8 + length + end]
            if header[key]["dtype"] == "BF16":
                values = (values.view("<u2").astype("<u4") << 16).view("<f4")
            return values.reshape(header[key]["shape"])
    raise KeyError(key)


def digest(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


# Layout


@pytest.mark.parametrize("name", tiny.CONFIGS)
def test_keys_shapes_and_dtypes_are_those_of_the_parity_checkpoints(tmp_path: Path, name: str) -> None:
    assert run("--config", write_config(tmp_path, name), "--out", tmp_path / "out") == 0
    expected = {key: (dtype, list(values.shape)) for key, (values, dtype) in tiny.weights(name).items()}
    assert stored(tmp_path / "out") == expected


def test_config_json_is_kept_and_says_mxfp4(tmp_path: Path) -> None:
    config = tiny.config_json("released", "bf16")
    assert "quantization_config" not in config
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert run("--config", tmp_path / "config.json", "--out", tmp_path / "out") == 0
    written = json.loads((tmp_path / "out/config.json").read_text())
    assert written == config | {"quantization_config": tiny.QUANTIZATION}


def test_shards_are_cut_at_the_limit(tmp_path: Path, config_file: Path) -> None:
    limit = 500_000
    assert run("--config", config_file, "--out", tmp_path / "out", "--shard-bytes", limit) == 0
    index = json.loads((tmp_path / "out/model.safetensors.index.json").read_text())
    found = stored(tmp_path / "out")
    size = {key: BYTES[dtype] * int(np.prod(shape)) for key, (dtype, shape) in found.items()}
    held: dict[str, int] = {}
    for key, file in index["weight_map"].items():
        held[file] = held.get(file, 0) + size[key]
    assert len(held) > 3
    assert max(held.values()) <= limit
    assert set(held) == {path.name for path in (tmp_path / "out").glob("*.safetensors")}
    # As the released shards: numbered from 0, the last number after `of`.
    assert sorted(held) == [f"model-{n:05}-of-{len(held) - 1:05}.safetensors" for n in range(len(held))]
    assert index["metadata"]["total_size"] == sum(size.values())
    assert set(index["weight_map"]) == set(found)
    assert index["weight_map"]["lm_head.weight"] == max(held)


def test_a_tensor_above_the_limit_has_a_shard_of_its_own(tmp_path: Path, config_file: Path) -> None:
    assert run("--config", config_file, "--out", tmp_path / "out", "--shard-bytes", 1) == 0
    assert len(list((tmp_path / "out").glob("*.safetensors"))) == len(tiny.weights("released"))


@pytest.mark.parametrize(
    ("config", "parameters", "tensor_bytes", "shards"),
    [("20b", "20,914,757,184", "13,761,264,768", 3), ("120b", "116,829,156,672", "65,248,815,744", 15)],
)
def test_a_dry_run_counts_the_released_models(
    config: str,
    parameters: str,
    tensor_bytes: str,
    shards: int,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    assert run("--config", config, "--out", tmp_path / "out", "--dry-run") == 0
    printed = capsys.readouterr().out
    assert f"parameters: {parameters}\n" in printed
    assert f"tensors: {tensor_bytes} bytes" in printed
    assert printed.count("\nmodel-") == shards - 1
    assert "  model.layers.7.mlp.experts.down_proj_scales U8 [" in printed
    assert list(tmp_path.iterdir()) == []


def test_the_20b_is_the_released_one_to_the_byte_but_for_its_weights() -> None:
    """Sizes and sha256 as the released repository's file list gives them."""
    files = {file.name: file for file in plan_folder(read_config("20b"), 0, SHARD_BYTES)}
    assert files["model-00000-of-00002.safetensors"].size == 4_792_272_488
    assert files["model-00001-of-00002.safetensors"].size == 4_798_702_184
    assert files["model-00002-of-00002.safetensors"].size == 4_170_342_232
    hashes = {
        name: hashlib.sha256(b"".join(chunk.tobytes() for part in file.parts for chunk in part.chunks())).hexdigest()
        for name, file in files.items()
        if name in ("generation_config.json", "model.safetensors.index.json")
    }
    assert hashes == {
        "generation_config.json": "f9970ada892d2d1f72e3ed0a6535ccebadd11897318794ca671d8c7014c957da",
        "model.safetensors.index.json": "0e085b977c4c9942f85938828e8c989ed7d5cdabf852e4da6a67c116cd502cd1",
    }


def test_the_120b_has_the_released_config() -> None:
    text = indented(read_config("120b"))
    expected = "933aeb666a3fd851133ddd7686414f369bc564c4185fb5704416550879f10566"
    assert hashlib.sha256(text.encode()).hexdigest() == expected


# Numbers


def test_weights_have_the_deviations_that_keep_activations_in_range(tmp_path: Path) -> None:
    file = write_config(tmp_path, "released", hidden_size=1024, intermediate_size=1024)
    assert run("--config", file, "--out", tmp_path / "out") == 0

    def of(key: str) -> np.ndarray:
        return raw(tmp_path / "out", key)

    near = pytest.approx
    assert of("model.embed_tokens.weight").std() == near(1, rel=0.02)
    assert of("lm_head.weight").std() * 32 == near(2, rel=0.02)
    assert of("model.layers.2.self_attn.q_proj.weight").std() * 32 == near(1, rel=0.02)
    norm = of("model.norm.weight")
    assert norm.mean() == near(1, abs=0.02)
    assert norm.std() == near(0.1, rel=0.1)
    blocks = of("model.layers.1.mlp.experts.gate_up_proj_blocks")
    scales = of("model.layers.1.mlp.experts.gate_up_proj_scales")
    assert tiny.mxfp4_values(blocks, scales).std() * 32 == near(2, rel=0.02)
    # Every code of FP4, and neighbouring scales in which bf16 holds all numbers exactly.
    assert set(np.unique(blocks & 15)) == set(np.unique(blocks >> 4)) == set(range(16))
    assert 3 <= len(np.unique(scales)) <= 4
    assert 100 < scales.min() <= scales.max() < 127


def test_no_two_rows_of_a_matrix_are_the_same() -> None:
    """In the 20B's largest tensors, which are cut from pools many times smaller."""
    pools = Pools(0)
    made = {tensor.key: tensor for tensor in tensors(read_config("20b"))}
    for key in ("lm_head.weight", "model.layers.3.mlp.experts.gate_up_proj_blocks"):
        seen: set[bytes] = set()
        for chunk in pools.chunks(made[key]):
            rows = chunk.reshape(-1, made[key].size // made[key].rows[0])
            seen.update(row[:16].tobytes() for row in rows)
        assert len(seen) == made[key].rows[0]


def test_no_token_is_a_row_of_the_head() -> None:
    """Such a token's logit for that row would be 2 * sqrt(2880) = 107, and all others have a deviation of 2."""
    pools = Pools(0)
    made = {tensor.key: tensor for tensor in tensors(read_config("20b"))}

    def signs(key: str) -> set[bytes]:
        """Of each row's first 64 numbers: no two independent rows have the same."""
        rows = (chunk.view("<u2").reshape(-1, 2880)[:, :64] >> 15 for chunk in pools.chunks(made[key]))
        return {packed.tobytes() for some in rows for packed in np.packbits(some.astype(np.uint8), axis=1)}

    tokens, head = signs("model.embed_tokens.weight"), signs("lm_head.weight")
    assert len(tokens) == len(head) == 201088
    assert not tokens & head


def test_chunks_are_small_whatever_the_tensor() -> None:
    tensor = next(t for t in tensors(read_config("120b")) if t.key.endswith("gate_up_proj_blocks"))
    sizes = [chunk.nbytes for chunk in Pools(0).chunks(tensor)]
    assert sum(sizes) == tensor.size == 128 * 5760 * 90 * 16
    assert max(sizes) <= 4 << 20


def test_the_seed_decides_the_bytes(tmp_path: Path, config_file: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        assert run("--config", config_file, "--out", tmp_path / name, "--seed", seed) == 0
    a, b, c = (digest(tmp_path / name) for name in "abc")
    assert a == b
    assert a["model.safetensors"] != c["model.safetensors"]
    assert a["config.json"] == c["config.json"]


# GGUF


@pytest.mark.parametrize("name", EXPRESSIBLE_IN_GGUF)
def test_gguf_has_the_keys_names_shapes_and_types_of_the_parity_checkpoints(tmp_path: Path, name: str) -> None:
    assert run("--config", write_config(tmp_path, name), "--out", tmp_path / "out", "--gguf") == 0
    mine = gguf.GGUFReader(tmp_path / "out/gpt-oss-mxfp4.gguf")
    theirs = gguf.GGUFReader(tiny.write_gguf(name, tmp_path / "theirs.gguf", "BF16"))

    def layout(reader: gguf.GGUFReader) -> dict[str, tuple[list[int], str]]:
        return {t.name: (t.shape.tolist(), t.tensor_type.name) for t in reader.tensors}

    def values(reader: gguf.GGUFReader) -> dict[str, Any]:
        own = ("GGUF.", "general.name", "tokenizer.")
        return {key: field.contents() for key, field in reader.fields.items() if not key.startswith(own)}

    assert layout(mine) == layout(theirs)
    # Files of 2025 lack the two betas; the parity checkpoints have both kinds.
    betas = {key: value for key, value in values(mine).items() if "yarn_beta" in key}
    assert values(mine) == values(theirs) | betas
    assert set(theirs.fields) - set(mine.fields) == set()


def test_gguf_holds_the_numbers_of_the_folder(tmp_path: Path, config_file: Path) -> None:
    assert run("--config", config_file, "--out", tmp_path / "folder", "--seed", 3) == 0
    assert run("--config", config_file, "--out", tmp_path / "gguf", "--seed", 3, "--gguf") == 0
    read = gguf.GGUFReader(tmp_path / "gguf/gpt-oss-mxfp4.gguf").tensors
    found = {t.name: gguf.quants.dequantize(t.data, t.tensor_type) for t in read}

    def of(key: str) -> np.ndarray:
        return raw(tmp_path / "folder", key)

    at = "model.layers.2.mlp.experts"
    gate_up = tiny.mxfp4_values(of(f"{at}.gate_up_proj_blocks"), of(f"{at}.gate_up_proj_scales"))
    down = tiny.mxfp4_values(of(f"{at}.down_proj_blocks"), of(f"{at}.down_proj_scales"))
    for name, expected in {
        "blk.2.ffn_gate_exps.weight": gate_up[:, 0::2],
        "blk.2.ffn_up_exps.weight": gate_up[:, 1::2],
        "blk.2.ffn_down_exps.weight": down,
        "blk.2.ffn_gate_exps.bias": of(f"{at}.gate_up_proj_bias")[:, 0::2],
        "blk.2.ffn_up_exps.bias": of(f"{at}.gate_up_proj_bias")[:, 1::2],
        "blk.2.ffn_gate_inp.weight": of("model.layers.2.mlp.router.weight"),
        "blk.2.attn_sinks.weight": of("model.layers.2.self_attn.sinks"),
        "blk.2.attn_q.weight": of("model.layers.2.self_attn.q_proj.weight"),
        "blk.2.post_attention_norm.weight": of("model.layers.2.post_attention_layernorm.weight"),
        "token_embd.weight": of("model.embed_tokens.weight"),
        "output.weight": of("lm_head.weight"),
    }.items():
        np.testing.assert_array_equal(found[name], expected, err_msg=name)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("layer-types", "GGUF's gpt-oss can only say"),
        ("tight-limit", "swiglu_limit is 1.5"),
        ("truncated", "truncate is true"),
    ],
)
def test_gguf_refuses_what_it_has_no_words_for(
    tmp_path: Path, name: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--config", write_config(tmp_path, name), "--out", tmp_path / "out", "--gguf") == 1
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


# Tokenizer


@pytest.mark.parametrize("name", ["20b", "released"])
def test_every_id_has_a_text_of_its_own_and_every_byte_an_id(name: str) -> None:
    config = read_config(name) if name == "20b" else tiny.config_json(name)
    tokenizer = Tokenizer(config).json()
    ids = tokenizer["model"]["vocab"]
    assert sorted(ids.values()) == list(range(config["vocab_size"]))
    assert set(byte_characters()) <= set(ids)
    special = {token["id"]: token["content"] for token in tokenizer["added_tokens"]}
    assert special[config["eos_token_id"]] == "<|return|>"
    assert special[config["pad_token_id"]] == "<|endoftext|>"
    assert all(ids[content] == place for place, content in special.items())


def test_a_vocabulary_too_small_for_bytes_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write_config(tmp_path, "released", vocab_size=200)
    assert run("--config", file, "--out", tmp_path / "out") == 1
    assert "vocab_size is 200; a tokenizer with the config's special tokens needs 260" in capsys.readouterr().err


# Refused configs


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"hidden_size": 100}, "hidden_size is 100; wanted a multiple of 32, a block of MXFP4"),
        ({"num_local_experts": None}, "num_local_experts is null; wanted a positive number"),
        ({"model_type": "llama"}, 'wanted a Hugging Face config.json with "model_type": "gpt_oss"'),
        ({"tie_word_embeddings": True}, "tie_word_embeddings is true"),
    ],
)
def test_a_config_of_another_kind_is_refused(
    tmp_path: Path, changes: dict[str, Any], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--config", write_config(tmp_path, "released", **changes), "--out", tmp_path / "out") == 1
    assert message in capsys.readouterr().err


def test_a_config_that_is_not_there_is_refused_with_the_names_that_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--config", "21b", "--dry-run") == 1
    assert "--config 21b: No such file or directory; wanted 20b, 120b or a config.json" in capsys.readouterr().err


# Folders and disks


def test_remove_takes_what_was_written_and_the_folder(tmp_path: Path, config_file: Path) -> None:
    assert run("--config", config_file, "--out", tmp_path / "out", "--shard-bytes", 500_000) == 0
    assert run("--remove", tmp_path / "out") == 0
    assert not (tmp_path / "out").exists()


def test_remove_leaves_what_somebody_else_put_there(
    tmp_path: Path, config_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--config", config_file, "--out", tmp_path / "out") == 0
    (tmp_path / "out/notes.txt").write_text("mine")
    assert run("--remove", tmp_path / "out") == 0
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["notes.txt"]
    assert "not its own, and left: ['notes.txt']" in capsys.readouterr().out


def test_remove_refuses_a_folder_without_a_marker(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "config.json").write_text("{}")
    assert run("--remove", tmp_path) == 1
    assert "was not written by this; it is left as it is" in capsys.readouterr().err
    assert (tmp_path / "config.json").exists()


@pytest.mark.parametrize("name", ["../precious.txt", "..", "sub/file", "/etc/hostname"])
def test_remove_refuses_a_marker_that_leads_out_of_the_folder(
    tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "precious.txt").write_text("mine")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / MARKER).write_text(json.dumps({"files": {name: 4}}))
    assert run("--remove", tmp_path / "out") == 1
    assert "which is not in the folder; nothing was touched" in capsys.readouterr().err
    assert (tmp_path / "precious.txt").exists()


def test_a_folder_with_something_else_in_it_is_refused(
    tmp_path: Path, config_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out/thesis.tex").write_text("mine")
    assert run("--config", config_file, "--out", tmp_path / "out") == 1
    assert "is not empty (it has thesis.tex) and was not begun by this" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["thesis.tex"]


def test_a_folder_begun_with_other_settings_is_refused(
    tmp_path: Path, config_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--config", config_file, "--out", tmp_path / "out") == 0
    before = digest(tmp_path / "out")
    assert run("--config", config_file, "--out", tmp_path / "out", "--seed", 9, "--gguf") == 1
    assert "was begun with another layout, seed; give another --out, or remove it first" in capsys.readouterr().err
    assert digest(tmp_path / "out") == before


def failing_within(key: str, error: BaseException) -> Callable[..., Iterator[Any]]:
    """`Pools.chunks` that ends the run within the tensor of this name."""
    chunks = Pools.chunks

    def until(pools: Pools, tensor: Tensor) -> Iterator[Any]:
        for chunk in chunks(pools, tensor):
            yield chunk
            if tensor.key == key:
                raise error

    return until


def test_an_interrupted_run_goes_on_where_it_stopped(
    tmp_path: Path, config_file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ("--config", config_file, "--out", tmp_path / "out", "--shard-bytes", 500_000)
    with monkeypatch.context() as patched:
        interrupted = failing_within("model.layers.2.self_attn.q_proj.weight", KeyboardInterrupt())
        patched.setattr(Pools, "chunks", interrupted)
        assert run(*command) == 130
    assert "interrupted; the same command goes on from here" in capsys.readouterr().err
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert "config.json" not in names
    whole = {path.name: path.stat().st_ino for path in (tmp_path / "out").glob("*.safetensors")}
    assert whole
    # What a killed process leaves.
    planned = json.loads((tmp_path / "out" / MARKER).read_text())["files"]
    leftover = tmp_path / "out" / f"{next(name for name in planned if name not in names)}.partial"
    leftover.write_bytes(b"half")

    assert run(*command) == 0
    assert not leftover.exists()
    assert {name: (tmp_path / "out" / name).stat().st_ino for name in whole} == whole
    assert run("--config", config_file, "--out", tmp_path / "fresh", "--shard-bytes", 500_000) == 0
    assert digest(tmp_path / "out") == digest(tmp_path / "fresh")


def test_a_file_of_the_wrong_size_is_written_again(tmp_path: Path, config_file: Path) -> None:
    assert run("--config", config_file, "--out", tmp_path / "out") == 0
    before = digest(tmp_path / "out")
    with (tmp_path / "out/model.safetensors").open("r+b") as file:
        file.truncate(1000)
    assert run("--config", config_file, "--out", tmp_path / "out") == 0
    assert digest(tmp_path / "out") == before


def test_a_disk_that_is_too_small_is_refused_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(100 << 30, 92 << 30, 8 * 10**9))
    assert run("--config", "20b", "--out", tmp_path / "out") == 1
    assert capsys.readouterr().err == (
        f"synthetic checkpoint: {tmp_path}/out needs 13.78 GB and its disk has 8.00 GB free: "
        "free 5.78 GB, or give an --out on another disk\n"
    )
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_becomes_full_leaves_whole_files_and_says_what_to_do(
    tmp_path: Path, config_file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ("--config", config_file, "--out", tmp_path / "out", "--shard-bytes", 500_000)
    with monkeypatch.context() as patched:
        full = failing_within("lm_head.weight", OSError(errno.ENOSPC, "No space left on device"))
        patched.setattr(Pools, "chunks", full)
        assert run(*command) == 1
    message = capsys.readouterr().err
    assert f"the disk of {tmp_path}/out became full in model-" in message
    assert "files before it are kept: free some space and run the same command again" in message
    assert list((tmp_path / "out").glob("*.partial")) == []
    assert run(*command) == 0
    assert run("--remove", tmp_path / "out") == 0
    assert not (tmp_path / "out").exists()


def test_two_runs_in_one_folder_do_not_mix(
    tmp_path: Path, config_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--config", config_file, "--out", tmp_path / "out") == 0
    with claimed(tmp_path / "out"):
        assert run("--config", config_file, "--out", tmp_path / "out") == 1
        assert run("--remove", tmp_path / "out") == 1
    assert capsys.readouterr().err.count(f"another run is at work in {tmp_path}/out") == 2
    assert (tmp_path / "out/config.json").exists()
