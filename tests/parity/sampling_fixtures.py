"""Sampling for make_fixtures.py: what every combination of options leaves of a distribution, by transformers.

Its logits processors run in the order of its `generate`: bias, repetition penalty, least number of tokens, allowed
tokens, temperature, top-k, top-p, min-p. It has no presence and no frequency penalty; these are numpy's, in f32, by
OpenAI's formula, where vLLM has them: after the repetition penalty. Scores are f32 until the temperature, as logits
are, and f64 from there on, as tsxla's are. Nothing hangs on rounding: a run fails where a token is nearer than 1e-6 to
a border.
"""

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import torch
from digest import made, under, write_json, write_tensors
from random_bits import raw_bits
from transformers.generation.logits_process import (
    LogitsProcessorList,
    MinNewTokensLengthLogitsProcessor,
    MinPLogitsWarper,
    PrefixConstrainedLogitsProcessor,
    RepetitionPenaltyLogitsProcessor,
    SequenceBiasLogitsProcessor,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

# ---------------------------------------------------------------------------------------------------------------------
# Public API
# ---------------------------------------------------------------------------------------------------------------------

VOCABULARY = 48
ROWS = 8
ANSWER_TOKENS = 40
LEAST_ANSWER_GAP = 1e-3
"""Between the two largest scores of every token: ten times what rounding moves."""
MARGIN = 1e-6
"""How near a token may be to where a set ends."""

SWITCHES: dict[str, list[dict[str, Any]]] = {
    "temperature": [{}, {"temperature": 0.7}, {"temperature": 1.6}],
    "topK": [{}, {"topK": 20}, {"topK": 7}],
    "topP": [{}, {"topP": 0.9}, {"topP": 0.55}],
    "minP": [{}, {"minP": 0.04}, {"minP": 0.3}],
    "said": [
        {},
        {"presencePenalty": 1.1},
        {"frequencyPenalty": 0.7, "presencePenalty": -0.4},
        {"frequencyPenalty": -1.3},
    ],
    "repetition": [{}, {"repetitionPenalty": 1.3}, {"repetitionPenalty": 0.6}],
    "bias": [{}, {"logitBias": {"3": 4.5, "11": -100.0, "40": 0.1}}, {"logitBias": {"0": -2.25, "47": 7.0}}],
    "restricted": [{}, {"allowed": [*range(2, 44)]}, {"forbidden": [5, 9]}],
}
"""Each option off and on; of the ways of being on, one after the other."""


def write(out: Path) -> None:
    """`sampling.json` and `sampling.safetensors`."""
    logits = random_logits()
    cases: list[dict[str, Any]] = []
    tensors: dict[str, list[np.ndarray]] = {"adjusted": [], "kept": [], "probabilities": []}
    for n, on in enumerate(itertools.product([False, True], repeat=len(SWITCHES))):
        options: dict[str, Any] = {}
        for at, (values, chosen) in enumerate(zip(SWITCHES.values(), on, strict=True)):
            options |= values[1 + (n + at) % (len(values) - 1)] if chosen else values[0]
        case = {
            "row": n % ROWS,
            "prompt": ids(f"prompt {n}", 12),
            "answer": ids(f"answer {n}", 9),
            "options": options,
        }
        for key, value in judged(logits[case["row"]], case).items():
            tensors[key].append(value)
        cases.append(case)
    write_tensors(
        out / "sampling.safetensors",
        {"logits": logits} | under("cases", {key: np.stack(value) for key, value in tensors.items()}),
    )
    arithmetic = {"arithmetic": "f32, and f64 from the temperature on"}
    write_json(out / "sampling.json", {"made": made("--only sampling") | arithmetic, "cases": cases})
    print(f"{len(cases)} combinations of sampling options", flush=True)


ANSWERS: dict[str, tuple[str, dict[str, Any]]] = {
    "repetition": ("capital", {"repetitionPenalty": 1.3}),
    "favoured": ("arithmetic", {"repetitionPenalty": 0.9}),
    "bias": ("sea", {"logitBias": {"28": -100.0, "260": 3.5, "281": -4.0}}),
    "bias and repetition": ("non-ascii", {"repetitionPenalty": 1.15, "logitBias": {"29": -3.0, "198": 5.0}}),
    "least": ("capital", {"minTokens": 16}),
    "all": ("long", {"repetitionPenalty": 1.2, "logitBias": {"30": -100.0, "3161": 2.0}, "minTokens": 6}),
}
"""A prompt's name, and options that transformers' `generate` has too."""


def answers(model: Any, eos: Any, prompts: dict[str, list[int]]) -> dict[str, Any]:
    """What `generate` says, greedily: its own processors in its own loop; the three likeliest in each place."""
    cases: dict[str, Any] = {}
    for name, (prompt, options) in ANSWERS.items():
        ids = torch.tensor([prompts[prompt]])
        bias = {(int(token),): value for token, value in options.get("logitBias", {}).items()}
        result = model.generate(
            ids,
            attention_mask=torch.ones_like(ids),
            do_sample=False,
            max_new_tokens=ANSWER_TOKENS,
            eos_token_id=eos,
            pad_token_id=eos,
            repetition_penalty=float(options.get("repetitionPenalty", 1.0)),
            sequence_bias=bias or None,
            min_new_tokens=options.get("minTokens"),
            return_dict_in_generate=True,
            output_logits=True,
            output_scores=True,
        )
        answer = result.sequences[0, ids.shape[1] :].tolist()
        raw, scores = torch.stack(result.logits)[:, 0].double(), torch.stack(result.scores)[:, 0]
        gap = scores.topk(2).values.diff().abs().min().item()
        if gap < LEAST_ANSWER_GAP:
            raise SystemExit(f"sampling {name}: a near tie, {gap:.1e}; change the options")
        logprobs = raw.log_softmax(-1)
        top = logprobs.topk(3)
        cases[name] = {
            "prompt_ids": prompts[prompt],
            "options": options,
            "answer_ids": answer,
            "logprobs": [round(value, 5) for value in logprobs.gather(1, torch.tensor(answer)[:, None])[:, 0].tolist()],
            "top_ids": top.indices.tolist(),
            "top_logprobs": [[round(value, 5) for value in row] for row in top.values.tolist()],
            "unmoved": int((raw.argmax(-1) == torch.tensor(answer)).sum()),
        }
        print(name, len(answer), cases[name]["unmoved"], f"{gap:.1e}", flush=True)
    return {"max_tokens": ANSWER_TOKENS, "cases": cases}


# ---------------------------------------------------------------------------------------------------------------------
# Implementation
# ---------------------------------------------------------------------------------------------------------------------


def random_logits() -> np.ndarray:
    """f32 [ROWS, VOCABULARY], of a bell's shape and three wide."""
    bits = raw_bits("sampling logits", 2 * ROWS * VOCABULARY).astype(np.float64)
    u, v = (bits / 2**64).reshape(2, -1)
    bell = np.sqrt(-2 * np.log1p(-u)) * np.cos(2 * np.pi * v)
    return (3 * bell).astype(np.float32).reshape(ROWS, VOCABULARY)


def ids(name: str, count: int) -> list[int]:
    """Token ids, some of them more than once."""
    return [int(bits % 30) + 6 for bits in raw_bits(f"sampling {name}", count)]


def judged(logits: np.ndarray, case: dict[str, Any]) -> dict[str, np.ndarray]:
    """What transformers makes of one row of logits."""
    options, prompt, answer = case["options"], case["prompt"], case["answer"]
    before = torch.tensor([prompt + answer])
    early = LogitsProcessorList()
    if "logitBias" in options:
        early.append(SequenceBiasLogitsProcessor({(int(token),): bias for token, bias in options["logitBias"].items()}))
    if "repetitionPenalty" in options:
        early.append(RepetitionPenaltyLogitsProcessor(options["repetitionPenalty"]))
    scores = early(before, torch.from_numpy(logits.copy())[None])
    adjusted = penalized(scores[0].numpy(), answer, options)

    late = LogitsProcessorList()
    if "forbidden" in options:
        late.append(MinNewTokensLengthLogitsProcessor(len(prompt), len(answer) + 1, options["forbidden"], device="cpu"))
    if "allowed" in options:
        late.append(PrefixConstrainedLogitsProcessor(lambda _batch, _ids: options["allowed"], num_beams=1))
    late.append(TemperatureLogitsWarper(float(options.get("temperature", 1.0))))
    if "topK" in options:
        late.append(TopKLogitsWarper(options["topK"]))
    scores = late(before, torch.from_numpy(adjusted.copy())[None].double())
    if "topP" in options:
        mass = scores.sort(descending=False).values.softmax(-1).cumsum(-1)
        check_margin(case, mass - (1 - options["topP"]))
        scores = TopPLogitsWarper(options["topP"])(before, scores)
    if "minP" in options:
        share = scores.softmax(-1)
        check_margin(case, share - options["minP"] * share.max())
        scores = MinPLogitsWarper(options["minP"])(before, scores)
    return {
        "adjusted": adjusted,
        "kept": torch.isfinite(scores)[0].numpy().astype(np.uint8),
        "probabilities": scores.softmax(-1)[0].float().numpy(),
    }


def penalized(scores: np.ndarray, answer: list[int], options: dict[str, Any]) -> np.ndarray:
    """`mu[j] - c[j] * alpha_frequency - float(c[j] > 0) * alpha_presence`, by OpenAI's documentation, in f32."""
    counts = np.bincount(answer, minlength=VOCABULARY).astype(np.float32)
    frequency = np.float32(options.get("frequencyPenalty", 0.0))
    presence = np.float32(options.get("presencePenalty", 0.0))
    return scores - counts * frequency - (counts > 0).astype(np.float32) * presence


def check_margin(case: dict[str, Any], distance: torch.Tensor) -> None:
    """Ends the run where rounding could decide who is left."""
    nearest = distance.abs().min().item()
    if nearest < MARGIN:
        raise SystemExit(f"sampling {case['options']}: a token is {nearest:.1e} from a border; change the random bits")
