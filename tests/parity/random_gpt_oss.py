"""Tiny GPT-OSS checkpoints with random weights, the same bits on every machine, in every layout that is published.

Each entry of CONFIGS is one combination of sizes and switches. Its experts are chosen as MXFP4 and all other weights
are exact in bf16, so the layouts of one entry hold the same numbers:

    mxfp4      Hugging Face, experts as `…_blocks` and `…_scales`; what openai/gpt-oss-20b publishes
    bf16, f32  Hugging Face, experts dequantised and transposed; what transformers saves after training
    original   OpenAI's own keys (`block.N.attn.qkv.weight`, `….mlp1_weight.blocks`) and config.json; its `original/`
    GGUF       architecture gpt-oss, experts as GGML's MXFP4, as llama.cpp's converter writes it

Needs numpy and gguf only, so that it runs in the worker's environment as well as in the oracle's:

    python tests/parity/random_gpt_oss.py --list
    python tests/parity/random_gpt_oss.py released OUT_DIR                    # OUT_DIR/config.json, model.safetensors
    python tests/parity/random_gpt_oss.py all OUT_DIR --layout original       # OUT_DIR/NAME/… for every name
    python tests/parity/random_gpt_oss.py released OUT_DIR --shards 3
    python tests/parity/random_gpt_oss.py released OUT_DIR --gguf BF16        # OUT_DIR/released-BF16.gguf

With `all`, an entry that a layout has no words for is left out. Every command prints `NAME PATH SHA256` for each
checkpoint, the hash being `fingerprint`: of the numbers, so the same for all layouts; it is in the fixtures too.

Sources: Hugging Face keys and shapes, transformers `models/gpt_oss` and `integrations/mxfp4.py`; OpenAI's,
openai/gpt-oss `gpt_oss/torch/{model,weights}.py`; GGUF names, keys and block order, llama.cpp `conversion/gpt_oss.py`,
`conversion/base.py` and `ggml/src/ggml-common.h`.
"""

import argparse
import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import gguf
import numpy as np
from checkpoint_files import write_checkpoint, write_json
from random_bits import Array, Bytes, Dtype, Floats, raw_bits, round_to, to_bytes, uniform
from random_tokenizer import Tokenizer

type Tensors = dict[str, tuple[Array, Dtype]]
Layout = Literal["mxfp4", "bf16", "f32", "original"]

# ---------------------------------------------------------------------------------------------------------------------
# Public API
# ---------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Config:
    """One model: sizes, switches, and how it is stored when nothing else is asked for."""

    about: str
    layers: int
    experts: int
    chosen: int
    """Experts per token."""
    hidden: int
    mlp: int
    """Width inside an expert."""
    heads: int
    kv_heads: int
    head_dim: int
    vocab: int
    window: int
    factor: float
    """YaRN's; at 1 the rope is a plain one."""
    original_context: int
    beta_fast: float = 32.0
    beta_slow: float = 1.0
    truncate: bool = False
    theta: float = 150000.0
    eps: float = 1e-5
    limit: float = 7.0
    """Of SwiGLU's two inputs."""
    full_layers: frozenset[int] | None = None
    """Layers without a window, when not every second one from layer 1 on."""
    sinks: tuple[float, ...] = ()
    """Put in place of the first random sinks, in every layer."""
    ties: bool = False
    """Experts 2n and 2n+1 have the same router row, with one nonzero weight, so their logits are equal in any order of
    summation."""
    rope_parameters: bool = False
    """Whether config.json spells the rope as transformers 5 does."""
    shards: int = 1
    lengths: tuple[int, ...] = (300,)
    """Prompt lengths of the fixtures."""
    gguf_types: tuple[str, ...] = ()
    """Quantised GGUF forms that have fixtures of their own."""
    prompt: int = 0
    """Which random prompt: the first without a near tie between the two largest logits of any position, or between the
    last expert that is chosen and the first that is not."""

    @property
    def context(self) -> int:
        """At least as long as the prompts."""
        return max(512, round(self.original_context * self.factor))

    @property
    def layer_types(self) -> list[str]:
        """As in config.json."""
        full = {*range(1, self.layers, 2)} if self.full_layers is None else self.full_layers
        return ["full_attention" if layer in full else "sliding_attention" for layer in range(self.layers)]


CONFIGS: Mapping[str, Config] = {
    "released": Config(
        about="the released models in small: 4 of 32 experts, expert width = hidden size = 32 * odd, 8 heads for a KV "
        "head of size 64, window 128, YaRN 32 without truncation",
        layers=4, experts=32, chosen=4, hidden=96, mlp=96, heads=8, kv_heads=1, head_dim=64, vocab=401,
        window=128, factor=32.0, original_context=256, lengths=(127, 128, 129, 300),
        prompt=1,
    ),
    "window-8": Config(
        about="a head for each KV head; a window of 8; an odd number of layers; YaRN 8 truncated, whose ramp would "
        "start below 0 and is held at 0; expert width 32 * 5, wider than the model",
        layers=3, experts=8, chosen=2, hidden=64, mlp=160, heads=4, kv_heads=4, head_dim=32, vocab=331,
        window=8, factor=8.0, original_context=64, truncate=True,
        prompt=1,
    ),
    "one-of-two": Config(
        about="1 of 2 experts, so every weight is 1; the narrowest expert (32); 3 heads per KV head; epsilon 1e-3; "
        "beta_fast and beta_slow unlike the released ones",
        layers=2, experts=2, chosen=1, hidden=128, mlp=32, heads=6, kv_heads=2, head_dim=32, vocab=300,
        window=8, factor=32.0, original_context=128, beta_fast=8.0, beta_slow=0.5, eps=1e-3,
        prompt=2,
    ),
    "all-experts": Config(
        about="all 4 of 4 experts; prompts beyond the original context times the factor; also the base of the Q8_0 "
        "GGUF fixture",
        layers=2, experts=4, chosen=4, hidden=96, mlp=64, heads=4, kv_heads=2, head_dim=64, vocab=515,
        window=128, factor=8.0, original_context=32, beta_fast=4.0, gguf_types=("Q8_0",),
        prompt=1,
    ),
    "layer-types": Config(
        about="layer_types other than alternating: two full layers, a sliding one, a full one; 3 of 16 experts; the "
        "rope in transformers 5's spelling; epsilon 1e-6",
        layers=4, experts=16, chosen=3, hidden=64, mlp=96, heads=8, kv_heads=2, head_dim=32, vocab=333,
        window=16, factor=32.0, original_context=64, beta_fast=8.0, eps=1e-6, full_layers=frozenset({0, 1, 3}),
        rope_parameters=True,
        prompt=1,
    ),
    "tight-limit": Config(
        about="swiglu_limit 1.5; three shards; hidden size 32 * 5; prompts within the original context (512)",
        layers=2, experts=8, chosen=2, hidden=160, mlp=64, heads=3, kv_heads=1, head_dim=64, vocab=389,
        window=8, factor=8.0, original_context=512, limit=1.5, shards=3,
        prompt=1,
    ),
    "plain-rope": Config(
        about="YaRN with factor 1, a plain rope; theta 10000; hidden size 32; 1 of 4 experts; the newer spelling",
        layers=3, experts=4, chosen=1, hidden=32, mlp=64, heads=2, kv_heads=2, head_dim=64, vocab=270,
        window=128, factor=1.0, original_context=512, theta=10000.0, rope_parameters=True, lengths=(129, 300),
    ),
    "huge-sinks": Config(
        about="sinks of 30 (the head gives nearly nothing), -30 (as if there were none) and 8 among random ones",
        layers=2, experts=8, chosen=4, hidden=96, mlp=32, heads=4, kv_heads=1, head_dim=32, vocab=331,
        window=128, factor=32.0, original_context=256, sinks=(30.0, -30.0, 8.0),
    ),
    "ties": Config(
        about="experts in pairs with exactly equal router logits and 3 chosen, so a pair is always cut in two: the "
        "lower index wins",
        layers=2, experts=8, chosen=3, hidden=64, mlp=64, heads=4, kv_heads=2, head_dim=32, vocab=331,
        window=8, factor=8.0, original_context=64, beta_fast=8.0, ties=True,
        prompt=1,
    ),
    "truncated": Config(
        about="the released shape with truncation on: the ramp's ends are rounded outwards; the widest vocabulary",
        layers=2, experts=32, chosen=4, hidden=128, mlp=96, heads=8, kv_heads=1, head_dim=64, vocab=601,
        window=128, factor=32.0, original_context=256, truncate=True,
        prompt=1,
    ),
}  # fmt: skip


def config_json(name: str, layout: Layout = "mxfp4") -> dict[str, Any]:
    """config.json as it stands in the folder.

    Raises:
        ValueError: when the original key set has no words for the model.
    """
    config = CONFIGS[name]
    if layout == "original":
        refuse_original(name)
        return {
            "num_hidden_layers": config.layers,
            "num_experts": config.experts,
            "experts_per_token": config.chosen,
            "vocab_size": config.vocab,
            "hidden_size": config.hidden,
            "intermediate_size": config.mlp,
            "swiglu_limit": config.limit,
            "head_dim": config.head_dim,
            "num_attention_heads": config.heads,
            "num_key_value_heads": config.kv_heads,
            "sliding_window": config.window,
            "initial_context_length": config.original_context,
            "rope_theta": config.theta,
            "rope_scaling_factor": config.factor,
            "rope_ntk_alpha": config.beta_slow,
            "rope_ntk_beta": config.beta_fast,
        }
    yarn = {
        "rope_type": "yarn",
        "factor": config.factor,
        "beta_fast": config.beta_fast,
        "beta_slow": config.beta_slow,
        "truncate": config.truncate,
        "original_max_position_embeddings": config.original_context,
    }
    spelled = (
        {"rope_parameters": {"rope_theta": config.theta, **yarn}, "swiglu_alpha": ALPHA}
        if config.rope_parameters
        else {"rope_theta": config.theta, "rope_scaling": yarn}
    )
    return {
        "architectures": ["GptOssForCausalLM"],
        "attention_bias": True,
        "attention_dropout": 0.0,
        "bos_token_id": BOS,
        "eos_token_id": EOS,
        "experts_per_token": config.chosen,
        "head_dim": config.head_dim,
        "hidden_act": "silu",
        "hidden_size": config.hidden,
        "initial_context_length": config.original_context,
        "initializer_range": 0.02,
        "intermediate_size": config.mlp,
        "layer_types": config.layer_types,
        "max_position_embeddings": config.context,
        "model_type": "gpt_oss",
        "num_attention_heads": config.heads,
        "num_experts_per_tok": config.chosen,
        "num_hidden_layers": config.layers,
        "num_key_value_heads": config.kv_heads,
        "num_local_experts": config.experts,
        "output_router_logits": False,
        "pad_token_id": PAD,
        **({"quantization_config": QUANTIZATION} if layout == "mxfp4" else {}),
        "rms_norm_eps": config.eps,
        **spelled,
        "router_aux_loss_coef": 0.9,
        "sliding_window": config.window,
        "swiglu_limit": config.limit,
        "tie_word_embeddings": False,
        "torch_dtype": "float32" if layout == "f32" else "bfloat16",
        "use_cache": True,
        "vocab_size": config.vocab,
    }


def weights(name: str) -> Tensors:
    """The tensors of a checkpoint under their Hugging Face names, experts in MXFP4.

    Scales keep the model well conditioned and every part of it audible: attention scores and router logits have a
    standard deviation of about 2, sinks of 1, logits of 2; gates have 2.5, so that the limit of 7 is met; norm weights
    are near 1 but not 1; the embedding is small (0.3), so that epsilon is heard.
    """
    config = CONFIGS[name]
    wide, narrow = config.heads * config.head_dim, config.kv_heads * config.head_dim
    made: Tensors = {}

    def add(key: str, shape: tuple[int, ...], deviation: float, mean: float = 0.0) -> None:
        values = uniform(f"gpt-oss/{name}/{key}", shape) * np.float32(math.sqrt(3) * deviation) + np.float32(mean)
        made[key] = (round_to(values, "BF16"), "BF16")

    def linear(key: str, rows: int, columns: int, gain: float) -> None:
        add(f"{key}.weight", (rows, columns), gain / math.sqrt(columns))
        add(f"{key}.bias", (rows,), 0.25)

    def expert_matrix(key: str, rows: int, columns: int, gain: float) -> None:
        shape = (config.experts, rows, columns)
        codes, scales = random_mxfp4(f"gpt-oss/{name}/{key}", shape, gain / math.sqrt(columns))
        made[f"{key}_blocks"] = (pack_pairs(codes), "U8")
        made[f"{key}_scales"] = (scales, "U8")
        add(f"{key}_bias", (config.experts, rows), 0.25)

    add("model.embed_tokens.weight", (config.vocab, config.hidden), 0.3)
    for layer in range(config.layers):
        at = f"model.layers.{layer}"
        add(f"{at}.input_layernorm.weight", (config.hidden,), 0.15, mean=1.0)
        linear(f"{at}.self_attn.q_proj", wide, config.hidden, 1.1)
        linear(f"{at}.self_attn.k_proj", narrow, config.hidden, 1.1)
        linear(f"{at}.self_attn.v_proj", narrow, config.hidden, 1.5)
        linear(f"{at}.self_attn.o_proj", config.hidden, wide, 2.0)
        add(f"{at}.self_attn.sinks", (config.heads,), 1.0)
        made[f"{at}.self_attn.sinks"][0][: len(config.sinks)] = config.sinks
        add(f"{at}.post_attention_layernorm.weight", (config.hidden,), 0.15, mean=1.0)
        linear(f"{at}.mlp.router", config.experts, config.hidden, 1.5)
        if config.ties:
            made |= tied_router(config, at)
        expert_matrix(f"{at}.mlp.experts.gate_up_proj", 2 * config.mlp, config.hidden, 2.5)
        expert_matrix(f"{at}.mlp.experts.down_proj", config.hidden, config.mlp, 0.4)
    add("model.norm.weight", (config.hidden,), 0.15, mean=1.0)
    add("lm_head.weight", (config.vocab, config.hidden), 2 / math.sqrt(config.hidden))
    return made


def token_ids(name: str, length: int) -> list[int]:
    """A prompt for a checkpoint: the beginning-of-text token, the last id of the vocabulary, then anything."""
    config = CONFIGS[name]
    ids = (raw_bits(f"gpt-oss/{name}/tokens/{config.prompt}", length) % np.uint64(config.vocab)).tolist()
    return [BOS, config.vocab - 1, *ids][:length]


def fingerprint(name: str) -> str:
    """sha256 over the tensors of the layout `mxfp4` in the order of their names: name, dtype, shape, bytes."""
    total = hashlib.sha256()
    for key, (values, dtype) in sorted(weights(name).items()):
        total.update(f"{key} {dtype} {list(values.shape)}\n".encode())
        total.update(to_bytes(values, dtype))
    return total.hexdigest()


def tensors_in(name: str, layout: Layout) -> Tensors:
    """The tensors as a layout names, joins and turns them."""
    if layout == "original":
        return original(weights(name))
    return weights(name) if layout == "mxfp4" else dequantised(weights(name), "F32" if layout == "f32" else "BF16")


def write_folder(name: str, folder: Path, layout: Layout = "mxfp4", shards: int | None = None) -> Path:
    """Writes the checkpoint as safetensors, with a tokenizer that encodes any text.

    Raises:
        ValueError: when the original key set has no words for the model.
    """
    config = CONFIGS[name]
    said, tensors = config_json(name, layout), tensors_in(name, layout)
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / "config.json", said)
    write_json(folder / "tokenizer.json", tokenizer(config).json())
    write_json(folder / "tokenizer_config.json", tokenizer(config).config_json())
    if layout == "original":
        kinds = {"blocks": "FP4", "scales": "UE8"}
        write_json(folder / "dtypes.json", {key: kinds.get(key.split(".")[-1], "BF16") for key in tensors})
    else:
        ends = {"bos_token_id": BOS, "eos_token_id": [EOS, PAD], "pad_token_id": PAD}
        write_json(folder / "generation_config.json", ends)
    count = shards or config.shards
    # OpenAI's own shards are called `model--00001-of-00007.safetensors`.
    write_checkpoint(folder, tensors, count, stem="model--" if layout == "original" else "model-")
    return folder


def write_gguf(name: str, file: Path, kind: str) -> Path:
    """Writes a gpt-oss GGUF: experts in MXFP4; embedding, head, q, k, v and o in `kind`; the rest in F32.

    As llama.cpp's converter does: gate and up are told apart (the even and the odd rows), each block of 32 is its scale
    and then 16 bytes with the first 16 elements in the low nibbles, q and k keep their row order, and neither the
    vocabulary's size nor the rope's is written.

    Raises:
        ValueError: when GGUF has no words for the model.
    """
    config = CONFIGS[name]
    refuse_gguf(name)
    file.parent.mkdir(parents=True, exist_ok=True)
    writer = gguf.GGUFWriter(file, "gpt-oss")
    writer.add_name(f"random {name}")
    writer.add_block_count(config.layers)
    writer.add_context_length(config.context)
    writer.add_embedding_length(config.hidden)
    writer.add_feed_forward_length(config.mlp)
    writer.add_head_count(config.heads)
    writer.add_head_count_kv(config.kv_heads)
    writer.add_rope_scaling_type(gguf.RopeScalingType.YARN)
    writer.add_rope_scaling_factor(config.factor)
    writer.add_rope_scaling_orig_ctx_len(config.original_context)
    if (config.beta_fast, config.beta_slow) != (32.0, 1.0):
        # Earlier converters left these out, today's writes them always; so both kinds of file occur here.
        writer.add_rope_scaling_yarn_beta_fast(config.beta_fast)
        writer.add_rope_scaling_yarn_beta_slow(config.beta_slow)
    writer.add_rope_freq_base(config.theta)
    writer.add_layer_norm_rms_eps(config.eps)
    writer.add_expert_count(config.experts)
    writer.add_expert_used_count(config.chosen)
    writer.add_key_length(config.head_dim)
    writer.add_value_length(config.head_dim)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_MXFP4_MOE)
    writer.add_sliding_window(config.window)
    writer.add_expert_feed_forward_length(config.mlp)
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
    tokenizer(config).add_to(writer)
    writer.add_pad_token_id(PAD)
    for key, (values, dtype) in gguf_tensors(name).items():
        if dtype == "U8":
            writer.add_tensor(key, values, raw_dtype=gguf.GGMLQuantizationType.MXFP4)
        else:
            held = gguf.GGMLQuantizationType[gguf_kind(key, kind)]
            writer.add_tensor(key, gguf.quants.quantize(values, held), raw_dtype=held)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return file


def requantised(name: str, kind: str) -> Tensors:
    """The layout `mxfp4` with what a GGUF of this kind rounds, as F32: the numbers that are in that file."""
    tensors = weights(name)
    held = gguf.GGMLQuantizationType[kind]
    attention = tuple(f"self_attn.{part}_proj.weight" for part in "qkvo")
    for key, (values, _) in tensors.items():
        if key.endswith((*attention, "embed_tokens.weight", "lm_head.weight")):
            tensors[key] = (gguf.quants.dequantize(gguf.quants.quantize(values, held), held), "F32")
    return tensors


def main() -> None:
    """The command line; see the module's first lines."""
    parser = argparse.ArgumentParser(description="Writes tiny random GPT-OSS checkpoints.")
    parser.add_argument("name", nargs="?", choices=[*CONFIGS, "all"])
    parser.add_argument("out", nargs="?", type=Path, help="the folder to write into")
    parser.add_argument("--layout", choices=get_args(Layout), default="mxfp4")
    parser.add_argument("--shards", type=int, help="so many files; default: what the entry says, mostly 1")
    parser.add_argument("--gguf", metavar="TYPE", choices=GGUF_KINDS, help=f"GGUF instead: {', '.join(GGUF_KINDS)}")
    parser.add_argument("--list", action="store_true", help="print the names and what each is for")
    arguments = parser.parse_args()
    if arguments.list:
        for name, config in CONFIGS.items():
            print(f"{name:12} {config.about}")
        return
    if arguments.name is None or arguments.out is None:
        parser.error("needs NAME and OUT_DIR, or --list")
    every = arguments.name == "all"
    for name in CONFIGS if every else [arguments.name]:
        try:
            if arguments.gguf:
                path = write_gguf(name, arguments.out / f"{name}-{arguments.gguf}.gguf", arguments.gguf)
            else:
                folder = arguments.out / name if every else arguments.out
                path = write_folder(name, folder, arguments.layout, arguments.shards)
        except ValueError as refusal:
            if not every:
                parser.error(str(refusal))
            continue
        print(name, path, fingerprint(name))


# ---------------------------------------------------------------------------------------------------------------------
# Implementation
# ---------------------------------------------------------------------------------------------------------------------

GGUF_KINDS = ("F32", "BF16", "Q8_0")
ALPHA = 1.702
SPECIAL = (
    "<|startoftext|>", "<|endoftext|>", "<|return|>", "<|constrain|>", "<|channel|>", "<|start|>", "<|end|>",
    "<|message|>", "<|call|>",
)  # fmt: skip
BOS, PAD, EOS = 0, 1, 2
QUANTIZATION: Mapping[str, Any] = {
    "modules_to_not_convert": [
        "model.layers.*.self_attn",
        "model.layers.*.mlp.router",
        "model.embed_tokens",
        "lm_head",
    ],
    "quant_method": "mxfp4",
}
BLOCK = 32
FP4 = np.array([0, 0.5, 1, 1.5, 2, 3, 4, 6, -0.0, -0.5, -1, -1.5, -2, -3, -4, -6], np.float32)
FP4_DEVIATION = 2.926
"""Of a value of FP4 when all codes are as likely."""
SCALES_DEVIATION = 1.323
"""Of 1/2, 1 and 2, about 0."""


def tokenizer(config: Config) -> Tokenizer:
    """The tokenizer of the checkpoint's size, with Harmony's special tokens."""
    return Tokenizer(size=config.vocab, special=SPECIAL, bos=BOS, eos=EOS)


def random_mxfp4(name: str, shape: tuple[int, ...], deviation: float) -> tuple[Bytes, Bytes]:
    """FP4 codes [..., blocks, 32] and scales [..., blocks]; all codes are as likely, scales differ by factors of 2.

    One block in 64 is all zeros, of both signs, under any finite scale at all, as zeros may be.
    """
    *outer, columns = shape
    places = (*outer, columns // BLOCK)
    words = raw_bits(f"{name}/codes", math.prod(shape) // 16)
    pairs = words.astype("<u8").view(np.uint8)
    codes = np.stack([pairs & 15, pairs >> 4], axis=-1).reshape(*places, BLOCK)
    exponent = 127 + round(math.log2(deviation / (FP4_DEVIATION * SCALES_DEVIATION)))
    bits = raw_bits(f"{name}/scales", math.prod(places)).reshape(places)
    scales = exponent - 1 + (bits >> np.uint64(40)) % np.uint64(3)
    zero = bits % np.uint64(64) == 0
    scales = np.where(zero, (bits >> np.uint64(8)) % np.uint64(255), scales).astype(np.uint8)
    return np.where(zero[..., None], codes & 8, codes).astype(np.uint8), scales


def pack_pairs(codes: Bytes) -> Bytes:
    """Codes [..., 32] as safetensors hold them, [..., 16]: the even element in the low nibble, the odd in the high."""
    return codes[..., 0::2] | codes[..., 1::2] << 4


def unpack_pairs(blocks: Bytes) -> Bytes:
    """The inverse of `pack_pairs`."""
    return np.stack([blocks & 15, blocks >> 4], axis=-1).reshape(*blocks.shape[:-1], BLOCK)


def pack_ggml(blocks: Bytes, scales: Bytes) -> Bytes:
    """GGML's blocks, flat along the row: the scale, then 16 bytes with elements 0 … 15 low and 16 … 31 high."""
    codes = unpack_pairs(blocks)
    packed = np.concatenate([scales[..., None], codes[..., :16] | codes[..., 16:] << 4], axis=-1)
    return packed.reshape(*packed.shape[:-2], -1)


def mxfp4_values(blocks: Bytes, scales: Bytes) -> Floats:
    """The numbers [..., columns], exact in bf16 for the scales that occur here."""
    values = np.ldexp(FP4[unpack_pairs(blocks)], scales[..., None].astype(np.int32) - 127)
    return values.astype(np.float32).reshape(*blocks.shape[:-2], -1)


def tied_router(config: Config, at: str) -> Tensors:
    """A router whose rows 2n and 2n+1 are the same and have one nonzero weight."""
    weight = np.zeros((config.experts, config.hidden), np.float32)
    for expert in range(config.experts):
        weight[expert, 7 * (expert // 2) + 1] = 1.5
    bias = np.repeat(np.array([0.25, -0.25, 0.125, 0.0], np.float32), 2)
    return {f"{at}.mlp.router.weight": (weight, "BF16"), f"{at}.mlp.router.bias": (bias, "BF16")}


def dequantised(tensors: Tensors, dtype: Dtype) -> Tensors:
    """Experts as numbers, transposed to [expert, in, out]; gate and up stay interleaved. All of it in `dtype`."""
    made: Tensors = {}
    for key, (values, _) in tensors.items():
        if key.endswith("_blocks"):
            rows = mxfp4_values(values, tensors[key.replace("_blocks", "_scales")][0])
            made[key.removesuffix("_blocks")] = (np.ascontiguousarray(rows.swapaxes(-1, -2)), dtype)
        elif not key.endswith("_scales"):
            made[key] = (values, dtype)
    return made


ORIGINAL_NAMES: Mapping[str, str] = {
    "input_layernorm.weight": "attn.norm.scale",
    "self_attn.sinks": "attn.sinks",
    "self_attn.o_proj.weight": "attn.out.weight",
    "self_attn.o_proj.bias": "attn.out.bias",
    "post_attention_layernorm.weight": "mlp.norm.scale",
    "mlp.router.weight": "mlp.gate.weight",
    "mlp.router.bias": "mlp.gate.bias",
    "mlp.experts.gate_up_proj_blocks": "mlp.mlp1_weight.blocks",
    "mlp.experts.gate_up_proj_scales": "mlp.mlp1_weight.scales",
    "mlp.experts.gate_up_proj_bias": "mlp.mlp1_bias",
    "mlp.experts.down_proj_blocks": "mlp.mlp2_weight.blocks",
    "mlp.experts.down_proj_scales": "mlp.mlp2_weight.scales",
    "mlp.experts.down_proj_bias": "mlp.mlp2_bias",
    "model.embed_tokens.weight": "embedding.weight",
    "lm_head.weight": "unembedding.weight",
    "model.norm.weight": "norm.scale",
}


def original(tensors: Tensors) -> Tensors:
    """OpenAI's names; q, k and v are one matrix and one bias."""
    made: Tensors = {}
    for key, (values, dtype) in tensors.items():
        if not key.startswith("model.layers."):
            made[ORIGINAL_NAMES[key]] = (values, dtype)
            continue
        _, _, layer, rest = key.split(".", 3)
        at = f"block.{layer}."
        if rest in ("self_attn.q_proj.weight", "self_attn.q_proj.bias"):
            parts = [tensors[key.replace("q_proj", f"{part}_proj")][0] for part in "qkv"]
            made[f"{at}attn.qkv.{rest.split('.')[-1]}"] = (np.concatenate(parts), dtype)
        elif ".k_proj." not in rest and ".v_proj." not in rest:
            made[at + ORIGINAL_NAMES[rest]] = (values, dtype)
    return made


def refuse_original(name: str) -> None:
    """The original keys say neither layer types nor epsilon nor truncation, and its program asserts on the ramp."""
    config = CONFIGS[name]
    if config.full_layers is not None or config.eps != 1e-5 or config.truncate:
        raise ValueError(f"'{name}' has layer types, an epsilon or truncation that the original key set cannot express")
    if config.factor > 1:
        half = config.head_dim // 2
        low, high = (
            half * math.log(config.original_context / (beta * 2 * math.pi)) / math.log(config.theta)
            for beta in (config.beta_fast, config.beta_slow)
        )
        assert 0 < low < high < half - 1, f"'{name}': the reference program refuses this ramp: {low} … {high}"


def refuse_gguf(name: str) -> None:
    """GGUF's gpt-oss says neither the limit nor truncation nor, from the converter, which layers slide."""
    config = CONFIGS[name]
    if config.full_layers is not None or config.limit != 7.0 or config.truncate:
        raise ValueError(f"'{name}' has layer types, a limit or truncation that GGUF's gpt-oss cannot express")


def gguf_kind(key: str, kind: str) -> str:
    """The converter keeps vectors, norms, biases and the router in F32."""
    shared = key in ("token_embd.weight", "output.weight")
    attention = key.endswith((*(f".attn_{part}.weight" for part in ("q", "k", "v", "output")),))
    return kind if shared or attention else "F32"


def gguf_tensors(name: str) -> Tensors:
    """The tensors under their GGUF names; those of dtype U8 are MXFP4 blocks [expert, row, bytes]."""
    config = CONFIGS[name]
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.GPT_OSS, config.layers)
    tensors = weights(name)
    made: Tensors = {}

    def put(key: str, ending: str, values: Array, dtype: Dtype) -> None:
        target = names.get_name(key)
        if target is None:
            raise KeyError(f"GGUF's gpt-oss architecture has no name for {key}")
        made[f"{target}{ending}"] = (np.ascontiguousarray(values), dtype)

    for key, (values, dtype) in tensors.items():
        base, _, ending = key.rpartition(".")
        if key.endswith("_blocks"):
            packed = pack_ggml(values, tensors[key.replace("_blocks", "_scales")][0])
            stem = key.removesuffix("_blocks")
            if "gate_up" in key:
                put(stem.replace("gate_up", "gate"), ".weight", packed[:, 0::2], "U8")
                put(stem.replace("gate_up", "up"), ".weight", packed[:, 1::2], "U8")
            else:
                put(stem, ".weight", packed, "U8")
        elif key.endswith("gate_up_proj_bias"):
            put(f"{base}.gate_proj", ".bias", values[:, 0::2], dtype)
            put(f"{base}.up_proj", ".bias", values[:, 1::2], dtype)
        elif key.endswith("down_proj_bias"):
            put(f"{base}.down_proj", ".bias", values, dtype)
        elif key.endswith("sinks"):
            put(key, ".weight", values, dtype)
        elif not key.endswith("_scales"):
            put(base, f".{ending}", values, dtype)
    return made


if __name__ == "__main__":
    main()
