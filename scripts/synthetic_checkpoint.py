"""Writes a GPT-OSS checkpoint of any size with random weights: the released files in all but what they know.

    npm run checkpoint:synthetic -- --config 20b --out DIR           Hugging Face's layout: 13.8 GB, 3 shards
    npm run checkpoint:synthetic -- --config 120b --out DIR --gguf   one GGUF with the same numbers
    npm run checkpoint:synthetic -- --config FILE.json --out DIR     sizes of any GPT-OSS config.json
    npm run checkpoint:synthetic -- --config 20b --dry-run           tensors, bytes and files; writes nothing
    npm run checkpoint:synthetic -- --remove DIR                     removes what this wrote there, and nothing else

Names, shapes, dtypes and the cut into shards are those of openai/gpt-oss-20b and -120b. Weights are random but well
conditioned: every part of the model is heard in the logits, and nothing vanishes or explodes over its layers (see
`tensors`). The same seed gives the same numbers in both layouts.

Weights are cut from a few pools of random numbers at random places, so the disk is what limits the speed, and no more
than the pools is held in memory. A file appears under its name when it is whole; the same command goes on where an
interrupted one stopped.

Not here: tiny checkpoints that are the same bits on every machine (../tests/parity/random_gpt_oss.py).
"""

import argparse
import contextlib
import errno
import fcntl
import hashlib
import io
import json
import math
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

type Bytes = NDArray[np.uint8]
type Config = Mapping[str, Any]

# ---------------------------------------------------------------------------------------------------------------------
# Public API
# ---------------------------------------------------------------------------------------------------------------------


class RefusalError(Exception):
    """What cannot be done, and what to do about it."""


@dataclass(frozen=True)
class Normal:
    """Normally distributed bf16."""

    deviation: float
    mean: float = 0.0


@dataclass(frozen=True)
class Codes:
    """FP4 codes in pairs, 16 bytes for a block of 32; all codes are as likely."""


@dataclass(frozen=True)
class Scales:
    """One E8M0 byte for a block of `Codes`, three or four neighbouring powers of two."""

    deviation: float
    """Of the numbers that codes and scales make."""


@dataclass(frozen=True)
class Tensor:
    """A tensor under its Hugging Face name."""

    key: str
    shape: tuple[int, ...]
    fill: Normal | Codes | Scales

    @property
    def dtype(self) -> Literal["BF16", "U8"]:
        """As safetensors calls it."""
        return "BF16" if isinstance(self.fill, Normal) else "U8"

    @property
    def size(self) -> int:
        """In bytes."""
        return math.prod(self.shape) * (2 if self.dtype == "BF16" else 1)

    @property
    def parameters(self) -> int:
        """Numbers of the model in it: a byte of codes holds two, a scale is none of its own."""
        return math.prod(self.shape) * {Normal: 1, Codes: 2, Scales: 0}[type(self.fill)]

    @property
    def rows(self) -> tuple[int, int]:
        """How many rows, and how many units in each: numbers, or blocks of 32."""
        *outer, last = self.shape[:-1] if isinstance(self.fill, Codes) else self.shape
        return math.prod(outer), last


@dataclass(frozen=True)
class Part:
    """Bytes that stand together in a file."""

    label: str
    """A tensor's name, dtype and shape; empty for all else."""
    size: int
    chunks: Callable[[], Iterable[Bytes]]


@dataclass(frozen=True)
class File:
    """A file that is not written yet."""

    name: str
    parts: tuple[Part, ...]

    @cached_property
    def size(self) -> int:
        """In bytes."""
        return sum(part.size for part in self.parts)


def released(layers: int, experts: int) -> Config:
    """config.json of the released models, key by key."""
    return {
        "architectures": ["GptOssForCausalLM"],
        "attention_bias": True,
        "attention_dropout": 0.0,
        "eos_token_id": 200002,
        "experts_per_token": 4,
        "head_dim": 64,
        "hidden_act": "silu",
        "hidden_size": 2880,
        "initial_context_length": 4096,
        "initializer_range": 0.02,
        "intermediate_size": 2880,
        "layer_types": ["sliding_attention", "full_attention"] * (layers // 2),
        "max_position_embeddings": 131072,
        "model_type": "gpt_oss",
        "num_attention_heads": 64,
        "num_experts_per_tok": 4,
        "num_hidden_layers": layers,
        "num_key_value_heads": 8,
        "num_local_experts": experts,
        "output_router_logits": False,
        "pad_token_id": 199999,
        "quantization_config": QUANTIZATION,
        "rms_norm_eps": 1e-05,
        "rope_scaling": {
            "beta_fast": 32.0,
            "beta_slow": 1.0,
            "factor": 32.0,
            "original_max_position_embeddings": 4096,
            "rope_type": "yarn",
            "truncate": False,
        },
        "rope_theta": 150000,
        "router_aux_loss_coef": 0.9,
        "sliding_window": 128,
        "swiglu_limit": 7.0,
        "tie_word_embeddings": False,
        "transformers_version": "4.55.0.dev0",
        "use_cache": True,
        "vocab_size": 201088,
    }


def read_config(name: str) -> Config:
    """The config that `20b`, `120b` or a file says, as it will stand in the checkpoint.

    Raises:
        RefusalError: when it is no GPT-OSS with Hugging Face's keys, or its experts cannot be MXFP4.
    """
    if name in RELEASED:
        return released(*RELEASED[name])
    try:
        config = json.loads(Path(name).read_text(encoding="utf-8"))
    except OSError as error:
        raise RefusalError(
            f"--config {name}: {error.strerror}; wanted {', '.join(RELEASED)} or a config.json"
        ) from error
    except ValueError as error:
        raise RefusalError(f"--config {name}: not JSON: {error}") from error
    if not isinstance(config, dict) or config.get("model_type") != "gpt_oss":
        raise RefusalError(f'--config {name}: wanted a Hugging Face config.json with "model_type": "gpt_oss"')
    for key in SIZES:
        if type(config.get(key)) is not int or config[key] < 1:
            raise RefusalError(f"--config {name}: {key} is {json.dumps(config.get(key))}; wanted a positive number")
    for key in ("hidden_size", "intermediate_size"):
        if config[key] % BLOCK:
            raise RefusalError(
                f"--config {name}: {key} is {config[key]}; wanted a multiple of {BLOCK}, a block of MXFP4"
            )
    if config.get("tie_word_embeddings"):
        raise RefusalError(f"--config {name}: tie_word_embeddings is true; GPT-OSS has an lm_head of its own")
    return config | {"quantization_config": QUANTIZATION}


def tensors(config: Config) -> list[Tensor]:
    """All tensors, in the order of the released index: layers by their names, so 10 comes before 2.

    The deviations: RMSNorm makes the input of every matrix 1, so a matrix [out, in] of deviation gain / sqrt(in) gives
    values of deviation `gain`. Attention scores and router logits have one of about 2 (rope's concentration squared is
    1.8), as sinks of 1 can be heard then; gates of 2, so that the limit of 7 is met now and then. What a layer adds is
    about a quarter of the embedding, so 24 or 36 of them double or triple the residual stream. Logits have 2.
    """
    layers, experts, hidden, mlp, heads, kv_heads, head_dim, vocab = (config[key] for key in SIZES)
    wide, narrow = heads * head_dim, kv_heads * head_dim
    made: list[Tensor] = []

    def add(key: str, shape: tuple[int, ...], fill: Normal | Codes | Scales) -> None:
        made.append(Tensor(key, shape, fill))

    def matrix(rows: int, columns: int, gain: float) -> tuple[tuple[int, int], Normal]:
        return (rows, columns), Normal(gain / math.sqrt(columns))

    def expert_matrix(key: str, rows: int, columns: int, gain: float) -> None:
        add(f"{key}_bias", (experts, rows), Normal(0.1 * gain))
        add(f"{key}_blocks", (experts, rows, columns // BLOCK, BLOCK // 2), Codes())
        add(f"{key}_scales", (experts, rows, columns // BLOCK), Scales(gain / math.sqrt(columns)))

    for layer in sorted(range(layers), key=str):
        at = f"model.layers.{layer}"
        add(f"{at}.input_layernorm.weight", (hidden,), NEAR_ONE)
        add(f"{at}.self_attn.o_proj.bias", (hidden,), Normal(0.02))
        add(f"{at}.self_attn.o_proj.weight", *matrix(hidden, wide, 0.5))
        add(f"{at}.self_attn.q_proj.bias", (wide,), Normal(0.2))
        add(f"{at}.self_attn.k_proj.bias", (narrow,), Normal(0.2))
        add(f"{at}.self_attn.v_proj.bias", (narrow,), Normal(0.1))
        add(f"{at}.self_attn.q_proj.weight", *matrix(wide, hidden, 1.0))
        add(f"{at}.self_attn.k_proj.weight", *matrix(narrow, hidden, 1.0))
        add(f"{at}.self_attn.v_proj.weight", *matrix(narrow, hidden, 1.0))
        add(f"{at}.self_attn.sinks", (heads,), Normal(1.0))
        add(f"{at}.mlp.router.bias", (experts,), Normal(0.5))
        add(f"{at}.mlp.router.weight", *matrix(experts, hidden, 1.8))
        expert_matrix(f"{at}.mlp.experts.gate_up_proj", 2 * mlp, hidden, 2.0)
        expert_matrix(f"{at}.mlp.experts.down_proj", hidden, mlp, 0.15)
        add(f"{at}.post_attention_layernorm.weight", (hidden,), NEAR_ONE)
    add(EMBEDDING, (vocab, hidden), Normal(1.0))
    add("model.norm.weight", (hidden,), NEAR_ONE)
    add("lm_head.weight", *matrix(vocab, hidden, 2.0))
    return made


class Pools:
    """Random numbers made once, and tensors cut from them.

    A tensor is cut in chunks of whole rows. Each chunk begins at another place of a row, so that two rows are the same
    only in tensors with more chunks than a row has units: in some of the 120B's experts.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def chunks(self, tensor: Tensor) -> Iterator[Bytes]:
        """The tensor's bytes in order, as safetensors holds them."""
        for span in self._spans(tensor):
            match tensor.fill:
                case Normal() as fill:
                    pool = self._vectors if tensor.key == EMBEDDING else self._normal
                    yield to_bf16(pool[span], fill)
                case Codes():
                    yield self._codes[span]
                case Scales():
                    yield scale_bytes(tensor.fill.deviation)[self._levels[span]]

    def ggml_chunks(self, codes: Tensor, scales: Tensor, rows: slice) -> Iterator[Bytes]:
        """The same blocks as GGML holds them, each with its scale before it; `rows` picks among those of a chunk."""
        table = scale_bytes(scales.fill.deviation) if isinstance(scales.fill, Scales) else np.empty(0, np.uint8)
        _, columns = scales.rows
        for span, levels in zip(self._spans(codes), self._spans(scales), strict=True):
            chosen = self._ggml_codes[span].reshape(-1, columns, BLOCK // 2)[rows]
            packed = np.empty((*chosen.shape[:-1], 1 + BLOCK // 2), np.uint8)
            packed[..., 0] = table[self._levels[levels].reshape(-1, columns)[rows]]
            packed[..., 1:] = chosen
            yield packed

    def _spans(self, tensor: Tensor) -> Iterator[slice]:
        """Places in a pool for one chunk after the other; chunks have an even number of rows."""
        rows, width = tensor.rows
        step = 2 * max(1, CHUNK // (2 * width))
        random = self._random(tensor.key)
        places = random.permutation(width)
        for number, first in enumerate(range(0, rows, step)):
            length = min(step, rows - first) * width
            place = int(places[number % width])
            start = place + width * int(random.integers((POOL - length - place) // width + 1))
            yield slice(start, start + length)

    def _random(self, name: str) -> np.random.Generator:
        return np.random.default_rng(int.from_bytes(hashlib.sha256(f"{self._seed}/{name}".encode()).digest()))

    @cached_property
    def _normal(self) -> NDArray[np.float32]:
        return self._random("normal").standard_normal(POOL, np.float32)

    @cached_property
    def _vectors(self) -> NDArray[np.float32]:
        """The embedding's own: a row of a matrix that is some token's vector too would answer it alone."""
        return self._random("vectors").standard_normal(POOL, np.float32)

    @cached_property
    def _codes(self) -> Bytes:
        return self._random("codes").integers(0, 256, (POOL, BLOCK // 2), np.uint8)

    @cached_property
    def _levels(self) -> Bytes:
        return self._random("levels").integers(0, 256, POOL, np.uint8)

    @cached_property
    def _ggml_codes(self) -> Bytes:
        """`_codes` with elements 0 … 15 in the low nibbles and 16 … 31 in the high ones."""
        low, high = self._codes[:, : BLOCK // 4], self._codes[:, BLOCK // 4 :]
        packed = np.empty_like(self._codes)
        packed[:, 0::2] = low & 15 | high << 4
        packed[:, 1::2] = low >> 4 | high & 240
        return packed


def plan_folder(config: Config, seed: int, shard_bytes: int) -> list[File]:
    """The files of Hugging Face's layout; those that make it a checkpoint come last."""
    pools = Pools(seed)
    shards: list[list[Tensor]] = [[]]
    held = 0
    for tensor in tensors(config):
        if shards[-1] and held + tensor.size > shard_bytes:
            shards.append([])
            held = 0
        shards[-1].append(tensor)
        held += tensor.size
    # The released shards count from 0, and `of` says the last number.
    names = [f"model-{n:05}-of-{len(shards) - 1:05}.safetensors" for n in range(len(shards))]
    single = len(shards) == 1
    if single:
        names = ["model.safetensors"]
    files = [safetensors(name, shard, pools) for name, shard in zip(names, shards, strict=True)]
    tokenizer = Tokenizer(config)
    files.append(text("tokenizer.json", json.dumps(tokenizer.json(), ensure_ascii=False)))
    files.append(text("tokenizer_config.json", indented(tokenizer.config_json())))
    ends = {"bos_token_id": tokenizer.bos, "do_sample": True, "eos_token_id": tokenizer.ends}
    ends |= {"pad_token_id": tokenizer.pad, "transformers_version": config.get("transformers_version")}
    files.append(text("generation_config.json", indented({k: v for k, v in ends.items() if v not in (None, [])})))
    if not single:
        total = sum(tensor.size for shard in shards for tensor in shard)
        places = {tensor.key: name for name, shard in zip(names, shards, strict=True) for tensor in shard}
        index = {"metadata": {"total_size": total}, "weight_map": places}
        files.append(text("model.safetensors.index.json", json.dumps(index)))
    files.append(text("config.json", indented(config)))
    return files


def plan_gguf(config: Config, seed: int, name: str) -> list[File]:
    """One GGUF as llama.cpp's converter writes it: experts MXFP4, matrices BF16, the router and all vectors F32.

    Raises:
        RefusalError: when GGUF's gpt-oss has no words for the model.
    """
    import gguf

    refuse_gguf(config)
    rope = {**config, **(config.get("rope_scaling") or {}), **(config.get("rope_parameters") or {})}
    writer = gguf.GGUFWriter(None, "gpt-oss")
    writer.add_name(f"synthetic {name}")
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_context_length(require(config, "max_position_embeddings"))
    writer.add_embedding_length(config["hidden_size"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_head_count_kv(config["num_key_value_heads"])
    writer.add_rope_freq_base(require(rope, "rope_theta"))
    writer.add_rope_scaling_type(gguf.RopeScalingType.YARN)
    writer.add_rope_scaling_factor(require(rope, "factor"))
    writer.add_rope_scaling_orig_ctx_len(require(rope, "original_max_position_embeddings"))
    writer.add_rope_scaling_yarn_beta_fast(require(rope, "beta_fast"))
    writer.add_rope_scaling_yarn_beta_slow(require(rope, "beta_slow"))
    writer.add_layer_norm_rms_eps(require(config, "rms_norm_eps"))
    writer.add_expert_count(config["num_local_experts"])
    writer.add_expert_used_count(require(config, "num_experts_per_tok"))
    writer.add_key_length(config["head_dim"])
    writer.add_value_length(config["head_dim"])
    writer.add_sliding_window(require(config, "sliding_window"))
    writer.add_expert_feed_forward_length(config["intermediate_size"])
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_MXFP4_MOE)
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
    Tokenizer(config).add_to(writer)

    parts: list[Part] = []
    for part, kind, shape in gguf_tensors(config, Pools(seed)):
        writer.add_tensor_info(part.label, shape, np.dtype(np.float32), part.size, gguf.GGMLQuantizationType[kind])
        padding = -part.size % gguf.GGUF_DEFAULT_ALIGNMENT
        parts.append(Part(f"{part.label} {kind} {list(shape)}", part.size, part.chunks))
        parts += [constant(bytes(padding))] * (padding > 0)

    # The writer opens files by their names; here the header goes to memory, so that its size is known beforehand.
    header: Any = io.BytesIO()
    writer.fout, writer.state = [header], gguf.gguf_writer.WriterState.EMPTY
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    header.write(bytes(-header.tell() % gguf.GGUF_DEFAULT_ALIGNMENT))
    return [File(f"{name}-mxfp4.gguf", (constant(header.getvalue()), *parts))]


def write(folder: Path, files: list[File], settings: Mapping[str, Any]) -> None:
    """Writes what is missing of the files, each under its name only when it is whole.

    Raises:
        RefusalError: when the folder holds anything else, another run is at work in it, or the disk is too small.
    """
    created = not folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RefusalError(f"{folder} cannot be made: {error.strerror}") from error
    try:
        with claimed(folder):
            check_own(folder, settings)
            for file in files:
                partial(folder / file.name).unlink(missing_ok=True)
            missing = [file for file in files if size_of(folder / file.name) != file.size]
            check_space(folder, missing)
            marker = {"about": ABOUT, "settings": settings, "files": {file.name: file.size for file in files}}
            if not (folder / MARKER).exists():
                write_file(folder, text(MARKER, indented(marker)), lambda _: None)
            progress = Progress(sum(file.size for file in missing))
            for file in missing:
                write_file(folder, file, progress.add)
            progress.end()
    except RefusalError:
        if created:
            with contextlib.suppress(OSError):
                folder.rmdir()
        raise


def remove(folder: Path) -> list[str]:
    """Removes the files that the marker names, the marker, and the folder when nothing else is in it.

    Returns:
        The names that are left.

    Raises:
        RefusalError: when this script did not write the folder, or a run is at work in it.
    """
    if not folder.is_dir():
        raise RefusalError(f"{folder} is not a folder; nothing was removed")
    with claimed(folder):
        names = read_marker(folder)["files"]
        for name in [*names, MARKER]:
            try:
                partial(folder / name).unlink(missing_ok=True)
                (folder / name).unlink(missing_ok=True)
            except OSError as error:
                raise RefusalError(f"{folder / name} cannot be removed: {error.strerror}") from error
        left = sorted(path.name for path in folder.iterdir())
    if not left:
        folder.rmdir()
    return left


def main(arguments: list[str] | None = None) -> int:
    """The command line; see the module's first lines."""
    parser = argparse.ArgumentParser(
        prog="npm run checkpoint:synthetic --", description="Writes a GPT-OSS checkpoint with random weights."
    )
    parser.add_argument("--config", metavar="20b|120b|FILE.json", help="a released model, or a config.json of GPT-OSS")
    parser.add_argument(
        "--out", metavar="DIR", type=Path, help="the folder to write into: new, empty, or begun by this"
    )
    parser.add_argument("--seed", type=int, default=0, help="another one gives other weights (default: 0)")
    parser.add_argument("--gguf", action="store_true", help="one GGUF instead of safetensors, with the same numbers")
    parser.add_argument("--dry-run", action="store_true", help="print tensors, bytes and files; write nothing")
    parser.add_argument("--remove", metavar="DIR", type=Path, help="remove the checkpoint that this wrote to DIR")
    parser.add_argument("--shard-bytes", type=int, default=SHARD_BYTES, help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if (given.remove is None) == (given.config is None):
        parser.error("give --config, or --remove DIR")
    if given.config is not None and given.out is None and not given.dry_run:
        parser.error("give --out DIR, or --dry-run")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        if given.remove is not None:
            left = remove(given.remove)
            print(f"removed the checkpoint in {given.remove}" + (f"; not its own, and left: {left}" if left else ""))
        else:
            make(given)
    except RefusalError as refusal:
        print(f"synthetic checkpoint: {refusal}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ninterrupted; the same command goes on from here, --remove DIR undoes it", file=sys.stderr)
        return 130
    return 0


# ---------------------------------------------------------------------------------------------------------------------
# Implementation
# ---------------------------------------------------------------------------------------------------------------------

RELEASED: Mapping[str, tuple[int, int]] = {"20b": (24, 32), "120b": (36, 128)}
SIZES = (
    "num_hidden_layers", "num_local_experts", "hidden_size", "intermediate_size",
    "num_attention_heads", "num_key_value_heads", "head_dim", "vocab_size",
)  # fmt: skip
QUANTIZATION: Mapping[str, Any] = {
    "modules_to_not_convert": [
        "model.layers.*.self_attn",
        "model.layers.*.mlp.router",
        "model.embed_tokens",
        "lm_head",
    ],
    "quant_method": "mxfp4",
}
SHARD_BYTES = 4_800_000_000
"""Cuts both released models where they are cut; it limits the tensors, to which a header of some kilobytes comes."""
BLOCK = 32
FP4_DEVIATION = 2.926
"""Of a value of FP4 when all codes are as likely."""
EMBEDDING = "model.embed_tokens.weight"
NEAR_ONE = Normal(0.1, mean=1.0)
POOL = 1 << 21
"""Units in a pool: 8 MB of normal numbers, 32 MB of blocks."""
CHUNK = 1 << 18
"""Units cut at once."""
MARKER = ".synthetic-checkpoint.json"
ABOUT = "Written by scripts/synthetic_checkpoint.py. The files named here are removed by its --remove."
VERSION = 1
"""Of the numbers that a seed stands for."""
SPARE = 16 << 20
"""Bytes of a disk that are left free."""


def make(given: argparse.Namespace) -> None:
    """Plans the files, and writes or lists them."""
    config = read_config(given.config)
    name = f"gpt-oss-{given.config}" if given.config in RELEASED else "gpt-oss"
    files = plan_gguf(config, given.seed, name) if given.gguf else plan_folder(config, given.seed, given.shard_bytes)
    parameters = sum(tensor.parameters for tensor in tensors(config))
    if given.dry_run:
        list_files(files, parameters)
        return
    settings = {
        "version": VERSION,
        "layout": "gguf" if given.gguf else "safetensors",
        "seed": given.seed,
        "shard_bytes": given.shard_bytes,
        "config_sha256": hashlib.sha256(indented(config).encode()).hexdigest(),
    }
    write(given.out, files, settings)
    print(f"{given.out}: {parameters:,} parameters in {gigabytes(sum(file.size for file in files))}")
    print(f"remove it with: npm run checkpoint:synthetic -- --remove {given.out}")


def list_files(files: list[File], parameters: int) -> None:
    """What --dry-run prints."""
    total = 0
    for file in files:
        print(f"{file.name}  {file.size:,} bytes")
        for part in file.parts:
            if part.label:
                print(f"  {part.label}  {part.size:,}")
                total += part.size
    print(f"files: {len(files)}, {sum(file.size for file in files):,} bytes")
    print(f"tensors: {total:,} bytes ({gigabytes(total)})")
    print(f"parameters: {parameters:,}")


def to_bf16(values: NDArray[np.float32], fill: Normal) -> Bytes:
    """The numbers with another deviation and mean, rounded to nearest even."""
    bits = (values * np.float32(fill.deviation) + np.float32(fill.mean)).view(np.uint32)
    bits += np.uint32(0x7FFF) + (bits >> np.uint32(16) & np.uint32(1))
    return (bits >> np.uint32(16)).astype("<u2").view(np.uint8)


def scale_bytes(deviation: float) -> Bytes:
    """256 scales, as likely, with which uniform codes have this deviation.

    The exponents spread over three octaves, and which of them are rounded up is chosen so that the mean square fits.
    """
    spread = np.linspace(-1.5, 1.5, 256)
    goal = math.log2(deviation / FP4_DEVIATION)
    shifts = goal + np.linspace(-2, 2, 1025)
    exponents = np.floor(shifts[:, None] + spread)
    misses = np.abs(np.log2(np.mean(4.0**exponents, axis=1)) / 2 - goal)
    scales = exponents[np.argmin(misses)] + 127
    # The released scales lie far inside; a model's width would have to be 2^60 for these to leave it.
    assert 64 < scales.min() <= scales.max() < 160, scales
    return scales.astype(np.uint8)


def safetensors(name: str, shard: list[Tensor], pools: Pools) -> File:
    """A file laid out as the safetensors library does: the wider dtype first, then by name."""
    ordered = sorted(shard, key=lambda tensor: (tensor.dtype == "U8", tensor.key))
    header: dict[str, Any] = {}
    end = 0
    for tensor in ordered:
        start, end = end, end + tensor.size
        header[tensor.key] = {"dtype": tensor.dtype, "shape": list(tensor.shape), "data_offsets": [start, end]}
    spelled = json.dumps(header, separators=(",", ":")).encode()
    spelled += b" " * (-len(spelled) % 8)
    parts = [
        Part(
            f"{tensor.key} {tensor.dtype} {list(tensor.shape)}", tensor.size, lambda tensor=tensor: pools.chunks(tensor)
        )
        for tensor in ordered
    ]
    return File(name, (constant(len(spelled).to_bytes(8, "little") + spelled), *parts))


def gguf_tensors(config: Config, pools: Pools) -> Iterator[tuple[Part, str, tuple[int, ...]]]:
    """The tensors under their GGUF names with type and shape; gate and up are the even and the odd rows."""
    import gguf

    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.GPT_OSS, config["num_hidden_layers"])

    def name(key: str, ending: str) -> str:
        found = names.get_name(key)
        if found is None:
            raise KeyError(f"GGUF's gpt-oss architecture has no name for {key}")
        return f"{found}{ending}"

    every, even, odd = slice(None), slice(0, None, 2), slice(1, None, 2)
    made = tensors(config)
    scales = {tensor.key: tensor for tensor in made if isinstance(tensor.fill, Scales)}
    for tensor in made:
        stem, _, ending = tensor.key.rpartition("_" if ".experts." in tensor.key else ".")
        split = [(stem, every)]
        if "gate_up" in stem:
            split = [(stem.replace("gate_up", part), rows) for part, rows in (("gate", even), ("up", odd))]
        for key, rows in split:
            if ending == "blocks":
                experts, (all_rows, columns) = tensor.shape[0], tensor.rows
                shape = (experts, all_rows // experts // len(split), columns * BLOCK)
                size = math.prod(shape) // BLOCK * (1 + BLOCK // 2)
                whole = scales[f"{stem}_scales"]
                yield (
                    Part(name(key, ".weight"), size, lambda t=tensor, s=whole, r=rows: pools.ggml_chunks(t, s, r)),
                    "MXFP4",
                    shape,
                )
            elif ending != "scales":
                sinks = ending == "sinks"
                target = name(tensor.key if sinks else key, ".weight" if sinks else f".{ending}")
                wide = ending == "weight" and len(tensor.shape) == 2 and ".router." not in tensor.key
                shape = (*tensor.shape[:-1], tensor.shape[-1] // len(split))
                size = math.prod(shape) * (2 if wide else 4)
                chunks = pools.chunks if wide else lambda t, r=rows: f32_chunks(pools.chunks(t), r)
                yield Part(target, size, lambda t=tensor, c=chunks: c(t)), "BF16" if wide else "F32", shape


def f32_chunks(chunks: Iterable[Bytes], columns: slice) -> Iterator[Bytes]:
    """bf16 as F32. Rows have an even length where half of the columns are asked for."""
    for chunk in chunks:
        yield (chunk.view("<u2")[columns].astype("<u4") << np.uint32(16)).view(np.uint8)


def refuse_gguf(config: Config) -> None:
    """GGUF's gpt-oss says neither layer types nor the limit nor truncation."""
    rope = config.get("rope_parameters") or config.get("rope_scaling") or {}
    alternating = (["sliding_attention", "full_attention"] * config["num_hidden_layers"])[: config["num_hidden_layers"]]
    wanted = (
        ("layer_types", config.get("layer_types", alternating), alternating),
        ("swiglu_limit", config.get("swiglu_limit", 7.0), 7.0),
        ("rope_scaling.rope_type", rope.get("rope_type"), "yarn"),
        ("rope_scaling.truncate", rope.get("truncate", False), False),
    )
    for key, found, only in wanted:
        if found != only:
            raise RefusalError(
                f"--gguf: {key} is {json.dumps(found)}, and GGUF's gpt-oss can only say {json.dumps(only)}"
            )


def require(config: Config, key: str) -> Any:
    """A value of the config that is not one of its sizes."""
    if config.get(key) is None:
        raise RefusalError(f"--gguf: the config has no {key}")
    return config[key]


def text(name: str, content: str) -> File:
    """A file with these characters."""
    return File(name, (constant(content.encode()),))


def constant(content: bytes) -> Part:
    """Bytes that are at hand."""
    return Part("", len(content), lambda: [np.frombuffer(content, np.uint8)])


def indented(value: Mapping[str, Any]) -> str:
    """JSON as transformers writes it."""
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def gigabytes(size: int) -> str:
    """With three digits that count."""
    return f"{size / 1e9:.2f} GB" if size >= 1e7 else f"{size / 1e6:.2f} MB"


# Tokenizer

HARMONY = {
    199998: "<|startoftext|>", 199999: "<|endoftext|>", 200002: "<|return|>", 200003: "<|constrain|>",
    200005: "<|channel|>", 200006: "<|start|>", 200007: "<|end|>", 200008: "<|message|>", 200012: "<|call|>",
    200018: "<|endofprompt|>",
}  # fmt: skip
HARMONY_SIZE = 201088


class Tokenizer:
    """Encodes any text byte by byte and decodes any id: what is no byte and not special is a word without meaning.

    Of the released vocabulary's size it has the special tokens of Harmony in their places; of another, those of the
    config.
    """

    def __init__(self, config: Config) -> None:
        size = config["vocab_size"]
        if size == HARMONY_SIZE:
            self.special = {
                token_id: HARMONY.get(token_id, f"<|reserved_{token_id}|>") for token_id in range(min(HARMONY), size)
            }
            self.bos, self.pad, self.ends = 199998, 199999, [200002, 199999, 200012]
        else:
            ends = config.get("eos_token_id")
            self.ends = [token_id for token_id in (ends if isinstance(ends, list) else [ends]) if token_id is not None]
            self.bos, self.pad = config.get("bos_token_id"), config.get("pad_token_id")
            self.special = {token_id: f"<|reserved_{token_id}|>" for token_id in self.ends}
            for token_id, name in (
                (self.bos, "startoftext"),
                (self.pad, "endoftext"),
                (next(iter(self.ends), None), "return"),
            ):
                if token_id is not None:
                    self.special[token_id] = f"<|{name}|>"
        ordinary = iter([*byte_characters(), "".join(MERGE), *(word(n) for n in range(max(0, size - 257)))])
        if size < 257 + len(self.special) or any(token_id >= size for token_id in self.special):
            least = max(257 + len(self.special), *(token_id + 1 for token_id in self.special), 0)
            raise RefusalError(f"vocab_size is {size}; a tokenizer with the config's special tokens needs {least}")
        self.tokens = [self.special.get(token_id) or next(ordinary) for token_id in range(size)]

    def config_json(self) -> dict[str, Any]:
        """tokenizer_config.json."""
        ids = (("bos_token", self.bos), ("eos_token", next(iter(self.ends), None)), ("pad_token", self.pad))
        return {
            **{key: self.special[token_id] for key, token_id in ids if token_id is not None},
            "clean_up_tokenization_spaces": False,
            "tokenizer_class": "PreTrainedTokenizerFast",
        }

    def json(self) -> dict[str, Any]:
        """tokenizer.json."""
        level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
        flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
        return {
            "version": "1.0",
            "truncation": None,
            "padding": None,
            "added_tokens": [
                {"id": token_id, "content": token, **flags} for token_id, token in sorted(self.special.items())
            ],
            "normalizer": None,
            "pre_tokenizer": level,
            "post_processor": None,
            "decoder": level,
            "model": {
                "type": "BPE",
                "dropout": None,
                "unk_token": None,
                "continuing_subword_prefix": None,
                "end_of_word_suffix": None,
                "fuse_unk": False,
                "byte_fallback": False,
                "ignore_merges": False,
                "vocab": {token: token_id for token_id, token in enumerate(self.tokens)},
                "merges": [MERGE],
            },
        }

    def add_to(self, writer: Any) -> None:
        """The same as GGUF keys."""
        import gguf

        kinds = (gguf.TokenType.NORMAL, gguf.TokenType.CONTROL)
        writer.add_tokenizer_model("gpt2")
        writer.add_tokenizer_pre("gpt-4o")
        writer.add_token_list(self.tokens)
        writer.add_token_types([kinds[token_id in self.special] for token_id in range(len(self.tokens))])
        writer.add_token_merges([" ".join(MERGE)])
        writer.add_add_bos_token(False)
        if self.bos is not None:
            writer.add_bos_token_id(self.bos)
        if self.ends:
            writer.add_eos_token_id(self.ends[0])
        if self.pad is not None:
            writer.add_pad_token_id(self.pad)


MERGE = ("t", "h")
"""GGUF has no empty lists, so there is one merge."""


def word(number: int) -> str:
    """A space and three syllables, another for each number below a million."""
    syllables = [consonant + vowel for consonant in "bcdfghjklmnpqrstvwxz" for vowel in "aeiou"]
    return "Ġ" + "".join(syllables[number // 100**place % 100] for place in range(3))


def byte_characters() -> list[str]:
    """GPT-2's printable character for each byte."""
    shown = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    hidden = [byte for byte in range(256) if byte not in shown]
    return [chr(byte) if byte in shown else chr(256 + hidden.index(byte)) for byte in range(256)]


# Disk


def partial(path: Path) -> Path:
    """The name of a file that is not whole."""
    return path.with_name(f"{path.name}.partial")


def size_of(path: Path) -> int:
    """In bytes; -1 when there is no such file."""
    return path.stat().st_size if path.is_file() else -1


@contextlib.contextmanager
def claimed(folder: Path) -> Iterator[None]:
    """Keeps other runs out of a folder; the system gives it up when the process ends in whatever way."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise RefusalError(f"{folder} cannot be opened as a folder: {error.strerror}") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise RefusalError(f"another run is at work in {folder}") from error
    finally:
        os.close(descriptor)


def read_marker(folder: Path) -> dict[str, Any]:
    """What this script left in a folder of its own; names lead nowhere else."""
    try:
        marker = json.loads((folder / MARKER).read_text(encoding="utf-8"))
        outside = [name for name in marker["files"] if name == ".." or Path(name).name != name]
    except FileNotFoundError as error:
        raise RefusalError(f"{folder} has no {MARKER}, so it was not written by this; it is left as it is") from error
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise RefusalError(f"{folder / MARKER} cannot be read, so {folder} is left as it is") from error
    if outside:
        raise RefusalError(f"{folder / MARKER} names {outside[0]!r}, which is not in the folder; nothing was touched")
    return marker


def check_own(folder: Path, settings: Mapping[str, Any]) -> None:
    """A folder is empty, or was begun with the same settings."""
    if not (folder / MARKER).exists():
        found = sorted(path.name for path in folder.iterdir() if path.name != partial(folder / MARKER).name)
        if found:
            raise RefusalError(
                f"{folder} is not empty (it has {found[0]}) and was not begun by this; give another --out"
            )
        return
    begun = read_marker(folder).get("settings", {})
    different = [key for key in settings if begun.get(key) != settings[key]]
    if different:
        raise RefusalError(
            f"{folder} was begun with another {', '.join(different)}; give another --out, or remove it first: "
            f"npm run checkpoint:synthetic -- --remove {folder}"
        )


def check_space(folder: Path, missing: list[File]) -> None:
    """Files of the wrong size are overwritten, so their bytes are free."""
    needed = sum(file.size - max(0, size_of(folder / file.name)) for file in missing) + SPARE
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise RefusalError(
            f"{folder} needs {gigabytes(needed)} and its disk has {gigabytes(free)} free: "
            f"free {gigabytes(needed - free)}, or give an --out on another disk"
        )


def write_file(folder: Path, file: File, done: Callable[[int], None]) -> None:
    """Writes beside the name, and gives the name to what is whole and on the disk."""
    path = folder / file.name
    try:
        path.unlink(missing_ok=True)
        with partial(path).open("wb") as out:
            for part in file.parts:
                for chunk in part.chunks():
                    out.write(chunk.data)
                    done(chunk.nbytes)
            assert out.tell() == file.size, f"{file.name}: {out.tell()} bytes for {file.size}"
            out.flush()
            os.fsync(out.fileno())
        partial(path).replace(path)
    except BaseException as error:
        partial(path).unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise RefusalError(
                f"the disk of {folder} became full in {file.name}, which needs {gigabytes(file.size)}; files before it "
                "are kept: free some space and run the same command again"
            ) from error
        if isinstance(error, OSError):
            raise RefusalError(f"{path} cannot be written: {error.strerror}") from error
        raise


class Progress:
    """Bytes and speed on stderr: one line that changes on a terminal, elsewhere one every ten seconds."""

    def __init__(self, total: int) -> None:
        self._total, self._done = total, 0
        self._terminal = sys.stderr.isatty()
        self._begun = self._shown = time.monotonic()

    def add(self, size: int) -> None:
        """That so many bytes are written."""
        self._done += size
        now = time.monotonic()
        if now - self._shown > (0.2 if self._terminal else 10):
            self._shown = now
            speed = self._done / (now - self._begun)
            left = (self._total - self._done) / speed
            self._print(
                f"{gigabytes(self._done)} of {gigabytes(self._total)}, {speed / 1e9:.2f} GB/s, {left:.0f} s left"
            )

    def end(self) -> None:
        """That all is on the disk."""
        seconds = time.monotonic() - self._begun
        if self._total:
            self._print(f"{gigabytes(self._total)} in {seconds:.1f} s, {self._total / seconds / 1e9:.2f} GB/s")
            sys.stderr.write("\n" * self._terminal)
        else:
            self._print("all files were there\n" if self._terminal else "all files were there")

    def _print(self, line: str) -> None:
        sys.stderr.write(f"\r{line:60}" if self._terminal else f"{line}\n")
        sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
