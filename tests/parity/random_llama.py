"""Tiny Llama checkpoints with random weights, the same bits on every machine.

Each entry of CONFIGS is one way in which checkpoints in the wild differ: tied or not, biases, every kind of rope
scaling, head counts, stored dtypes, shards, old and new spellings in config.json. `make_fixtures.py` asks
transformers for the logits of these checkpoints; the tests ask tsxla for the same and compare.

Needs numpy and gguf only, so that it runs in the worker's environment as well as in the oracle's:

    python tests/parity/random_llama.py --list
    python tests/parity/random_llama.py llama3 OUT_DIR                 # OUT_DIR/config.json, model.safetensors, …
    python tests/parity/random_llama.py all OUT_DIR                    # OUT_DIR/NAME/… for every name
    python tests/parity/random_llama.py untied OUT_DIR --gguf Q8_0     # OUT_DIR/untied-Q8_0.gguf

Every command prints `NAME PATH SHA256` for each checkpoint, the hash being `fingerprint` of its tensors; it is in
the fixtures too, so a difference in the weights is told apart from a difference in the arithmetic.

Sources: config keys and rope kinds, transformers `models/llama` and `modeling_rope_utils.py`; GGUF names, row order
and keys, llama.cpp `conversion/llama.py` and `conversion/base.py`.
"""

import argparse
import hashlib
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gguf
import numpy as np
from checkpoint_files import write_checkpoint, write_json
from llama_configs import CONFIGS, Config
from random_bits import Dtype, Floats, raw_bits, round_to, to_bytes, uniform
from random_tokenizer import Tokenizer

# ---------------------------------------------------------------------------------------------------------------------
# Public API
# ---------------------------------------------------------------------------------------------------------------------


def config_json(config: Config) -> dict[str, Any]:
    """config.json as it stands in the folder."""
    names = {"F32": "float32", "BF16": "bfloat16", "F16": "float16"}
    full = {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "vocab_size": config.vocab,
        "hidden_size": config.hidden,
        "intermediate_size": config.mlp,
        "num_hidden_layers": config.layers,
        "num_attention_heads": config.heads,
        "num_key_value_heads": config.kv_heads,
        "head_dim": config.head_dim,
        "hidden_act": "silu",
        "max_position_embeddings": config.context,
        "rms_norm_eps": config.eps,
        "attention_bias": config.attention_bias,
        "mlp_bias": config.mlp_bias,
        "tie_word_embeddings": config.tied,
        "bos_token_id": BOS,
        "eos_token_id": EOS,
        "torch_dtype": names[config.dtype],
        **config.rope,
    }
    return {key: value for key, value in full.items() if key not in config.omit}


def weights(name: str) -> dict[str, tuple[Floats, Dtype]]:
    """The tensors of a checkpoint under their Hugging Face names, each with the dtype that holds it exactly.

    Scales keep the model well conditioned and every part of it audible: attention scores and logits have a standard
    deviation of about 1 to 4, and norm weights are near 1 but not 1.
    """
    config = CONFIGS[name]
    wide, narrow = config.heads * config.head_dim, config.kv_heads * config.head_dim
    made: dict[str, tuple[Floats, Dtype]] = {}

    def add(key: str, shape: tuple[int, ...], deviation: float, mean: float = 0.0, dtype: Dtype | None = None) -> None:
        held: Dtype = dtype or config.dtype
        values = uniform(f"{name}/{key}", shape) * np.float32(math.sqrt(3) * deviation) + np.float32(mean)
        made[key] = (round_to(values, held), held)

    def linear(key: str, rows: int, columns: int, gain: float, bias: bool) -> None:
        add(f"{key}.weight", (rows, columns), gain / math.sqrt(columns))
        if bias:
            add(f"{key}.bias", (rows,), 0.25)

    def norm(key: str) -> None:
        add(key, (config.hidden,), 0.15, mean=1.0, dtype=config.norm_dtype)

    add("model.embed_tokens.weight", (config.vocab, config.hidden), 2 / math.sqrt(config.hidden) if config.tied else 1)
    for layer in range(config.layers):
        at = f"model.layers.{layer}"
        norm(f"{at}.input_layernorm.weight")
        linear(f"{at}.self_attn.q_proj", wide, config.hidden, 1.4, config.attention_bias)
        linear(f"{at}.self_attn.k_proj", narrow, config.hidden, 1.4, config.attention_bias)
        linear(f"{at}.self_attn.v_proj", narrow, config.hidden, 1.5, config.attention_bias)
        linear(f"{at}.self_attn.o_proj", config.hidden, wide, 2.0, config.attention_bias)
        norm(f"{at}.post_attention_layernorm.weight")
        linear(f"{at}.mlp.gate_proj", config.mlp, config.hidden, 1.2, config.mlp_bias)
        linear(f"{at}.mlp.up_proj", config.mlp, config.hidden, 1.2, config.mlp_bias)
        linear(f"{at}.mlp.down_proj", config.hidden, config.mlp, 1.2, config.mlp_bias)
    norm("model.norm.weight")
    if not config.tied:
        linear("lm_head", config.vocab, config.hidden, 2.0, bias=False)
    return made


def token_ids(name: str, length: int) -> list[int]:
    """A prompt for a checkpoint: the beginning-of-text token, the last id of the vocabulary, then anything."""
    config = CONFIGS[name]
    ids = (raw_bits(f"{name}/tokens/{config.prompt}", length) % np.uint64(config.vocab)).tolist()
    return [BOS, config.vocab - 1, *ids][:length]


def fingerprint(name: str) -> str:
    """sha256 over the stored tensors in the order of their names: name, dtype, shape, bytes (little-endian)."""
    total = hashlib.sha256()
    for key, (values, dtype) in sorted(weights(name).items()):
        total.update(f"{key} {dtype} {list(values.shape)}\n".encode())
        total.update(to_bytes(values, dtype))
    return total.hexdigest()


def write_folder(name: str, folder: Path) -> Path:
    """Writes the checkpoint in the Hugging Face layout, with a tokenizer that encodes any text."""
    config = CONFIGS[name]
    folder.mkdir(parents=True, exist_ok=True)
    tensors = weights(name)
    write_json(folder / "config.json", config_json(config))
    write_json(folder / "tokenizer.json", tokenizer(config).json())
    write_json(folder / "tokenizer_config.json", tokenizer(config).config_json())
    write_checkpoint(folder, tensors, config.shards)
    return folder


def write_gguf(name: str, file: Path, kind: str) -> Path:
    """Writes the checkpoint as a llama-architecture GGUF with its matrices in `kind`.

    As llama.cpp's converter does: the rows of q and k (and of their biases) are permuted within each head, norms and
    biases are F32, a tied head is left out, and Llama 3's rope becomes `rope_freqs.weight`. With Q4_0 and Q4_1 the
    embedding and the head are Q8_0, as in the files that llama.cpp's quantiser makes.

    Raises:
        ValueError: when GGUF has no words for the checkpoint's rope, or a row is not a whole number of blocks.
    """
    config = CONFIGS[name]
    rope = rope_of(config)
    refuse_rope(name, rope)
    file.parent.mkdir(parents=True, exist_ok=True)
    writer = gguf.GGUFWriter(file, "llama")
    writer.add_name(f"random {name}")
    writer.add_file_type(gguf.LlamaFileType["ALL_F32" if kind == "F32" else f"MOSTLY_{kind}"])
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
    writer.add_vocab_size(config.vocab)
    writer.add_context_length(config.context)
    writer.add_embedding_length(config.hidden)
    writer.add_block_count(config.layers)
    writer.add_feed_forward_length(config.mlp)
    writer.add_head_count(config.heads)
    writer.add_head_count_kv(config.kv_heads)
    writer.add_key_length(config.head_dim)
    writer.add_value_length(config.head_dim)
    writer.add_rope_dimension_count(config.head_dim)
    writer.add_rope_freq_base(rope.get("rope_theta", DEFAULT_THETA))
    writer.add_layer_norm_rms_eps(config.eps)
    if rope["rope_type"] == "linear":
        writer.add_rope_scaling_type(gguf.RopeScalingType.LINEAR)
        writer.add_rope_scaling_factor(rope["factor"])
    if rope["rope_type"] == "yarn":
        writer.add_rope_scaling_type(gguf.RopeScalingType.YARN)
        writer.add_rope_scaling_factor(rope["factor"])
        writer.add_rope_scaling_orig_ctx_len(rope["original_max_position_embeddings"])
    tokenizer(config).add_to(writer)

    for key, (values, _) in gguf_tensors(name).items():
        matrix = values.ndim == 2
        shared = kind in ("Q4_0", "Q4_1") and key in ("token_embd.weight", "output.weight")
        held = gguf.GGMLQuantizationType["F32" if not matrix else "Q8_0" if shared else kind]
        block, _ = gguf.GGML_QUANT_SIZES[held]
        if values.shape[-1] % block:
            raise ValueError(
                f"{key} of '{name}' has rows of {values.shape[-1]}, {held.name} needs a multiple of {block}"
            )
        writer.add_tensor(key, gguf.quants.quantize(values, held), raw_dtype=held)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return file


def main() -> None:
    """The command line; see the module's first lines."""
    parser = argparse.ArgumentParser(description="Writes tiny random Llama checkpoints.")
    parser.add_argument("name", nargs="?", choices=[*CONFIGS, "all"])
    parser.add_argument("out", nargs="?", type=Path, help="the folder to write into")
    parser.add_argument("--gguf", metavar="TYPE", choices=GGUF_KINDS, help=f"GGUF instead: {', '.join(GGUF_KINDS)}")
    parser.add_argument("--list", action="store_true", help="print the names and what each is for")
    arguments = parser.parse_args()
    if arguments.list:
        for name, config in CONFIGS.items():
            print(f"{name:22} {config.about}")
        return
    if arguments.name is None or arguments.out is None:
        parser.error("needs NAME and OUT_DIR, or --list")
    for name in CONFIGS if arguments.name == "all" else [arguments.name]:
        if arguments.gguf:
            try:
                path = write_gguf(name, arguments.out / f"{name}-{arguments.gguf}.gguf", arguments.gguf)
            except ValueError as refusal:
                if arguments.name != "all":
                    parser.error(str(refusal))
                continue
        else:
            path = write_folder(name, arguments.out / name if arguments.name == "all" else arguments.out)
        print(name, path, fingerprint(name))


# ---------------------------------------------------------------------------------------------------------------------
# Implementation
# ---------------------------------------------------------------------------------------------------------------------

GGUF_KINDS = ("F32", "F16", "BF16", "Q8_0", "Q4_0", "Q4_1")
DEFAULT_THETA = 10000.0
SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
BOS, EOS = 0, 2


def tokenizer(config: Config) -> Tokenizer:
    """The tokenizer of the checkpoint's size, with SmolLM's special tokens."""
    return Tokenizer(size=config.vocab, special=SPECIAL, bos=BOS, eos=EOS)


def rope_of(config: Config) -> dict[str, Any]:
    """The rope keys of either spelling as one record, with `rope_type`."""
    inner = config.rope.get("rope_parameters") or config.rope.get("rope_scaling") or {}
    outer = {key: config.rope[key] for key in ("rope_theta", "original_max_position_embeddings") if key in config.rope}
    return {"rope_type": inner.get("type", "default"), **outer, **inner}


def refuse_rope(name: str, rope: Mapping[str, Any]) -> None:
    """GGUF's llama architecture can say linear, YaRN with its defaults, and Llama 3 through a tensor of factors."""
    plain_yarn = {"rope_type", "type", "rope_theta", "factor", "original_max_position_embeddings"}
    if rope["rope_type"] in ("dynamic", "longrope"):
        raise ValueError(f"'{name}' has {rope['rope_type']} rope, which GGUF's llama architecture cannot express")
    if rope["rope_type"] == "yarn" and (set(rope) - plain_yarn or "original_max_position_embeddings" not in rope):
        raise ValueError(
            f"'{name}' has YaRN with more than its factor and original length, on which GGUF readers differ"
        )


def gguf_tensors(name: str) -> dict[str, tuple[Floats, Dtype]]:
    """The tensors under their GGUF names, q and k in llama.cpp's row order."""
    config = CONFIGS[name]
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, config.layers)
    renamed: dict[str, tuple[Floats, Dtype]] = {}
    for key, (values, dtype) in weights(name).items():
        target = names.get_name(key, try_suffixes=(".weight", ".bias"))
        if target is None:
            raise KeyError(f"GGUF's llama architecture has no name for {key}")
        heads = {"q_proj": config.heads, "k_proj": config.kv_heads}.get(key.split(".")[-2])
        renamed[target] = (interleave_halves(values, heads) if heads else values, dtype)
    rope = rope_of(config)
    if rope["rope_type"] == "llama3":
        renamed["rope_freqs.weight"] = (llama3_factors(rope, config.head_dim), "F32")
    return renamed


def interleave_halves(rows: Floats, heads: int) -> Floats:
    """Within each head, from `first half, second half` (Hugging Face) to `pairs` (llama.cpp)."""
    return np.ascontiguousarray(
        rows.reshape(heads, 2, rows.shape[0] // heads // 2, *rows.shape[1:]).swapaxes(1, 2).reshape(rows.shape)
    )


def llama3_factors(rope: Mapping[str, Any], head_dim: int) -> Floats:
    """What each frequency is divided by."""
    factor, low, high = rope["factor"], rope["low_freq_factor"], rope["high_freq_factor"]
    original = rope["original_max_position_embeddings"]
    factors: list[float] = []
    for i in range(0, head_dim, 2):
        wavelength = 2 * math.pi * rope["rope_theta"] ** (i / head_dim)
        if wavelength < original / high:
            factors.append(1.0)
        elif wavelength > original / low:
            factors.append(factor)
        else:
            smooth = (original / wavelength - low) / (high - low)
            factors.append(1 / ((1 - smooth) / factor + smooth))
    return np.array(factors, np.float32)


if __name__ == "__main__":
    main()
