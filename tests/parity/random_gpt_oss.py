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
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, get_args

import gguf
import numpy as np
from checkpoint_files import write_checkpoint, write_json
from gpt_oss_configs import CONFIGS, Config
from gpt_oss_weights import BOS, Tensors, fingerprint, weights
from mxfp4_blocks import mxfp4_values, pack_ggml
from random_bits import Array, Dtype
from random_tokenizer import Tokenizer

Layout = Literal["mxfp4", "bf16", "f32", "original"]

# ---------------------------------------------------------------------------------------------------------------------
# Public API
# ---------------------------------------------------------------------------------------------------------------------


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
PAD, EOS = 1, 2
QUANTIZATION: Mapping[str, Any] = {
    "modules_to_not_convert": [
        "model.layers.*.self_attn",
        "model.layers.*.mlp.router",
        "model.embed_tokens",
        "lm_head",
    ],
    "quant_method": "mxfp4",
}


def tokenizer(config: Config) -> Tokenizer:
    """The tokenizer of the checkpoint's size, with Harmony's special tokens."""
    return Tokenizer(size=config.vocab, special=SPECIAL, bos=BOS, eos=EOS)


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
