"""How transformers goes on with prompts, greedily: the answers that tsxla's are compared with.

    python scripts/verify-real/record.py MODEL < request.json > answers.json

`verify-real --record transformers` runs it. MODEL is a Hugging Face folder or a .gguf file; the request names the
prompts, how many tokens, the dtype to compute in and the device. Needs what tests/parity/oracle-requirements.txt lists.
Weights in MXFP4 are unpacked into the dtype: gpt-oss-20b takes 42 GB in bfloat16, 84 GB in float32.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import torch
import transformers

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests/parity"))


def main() -> None:
    """Reads a request, answers it."""
    parser = argparse.ArgumentParser(description="Greedy answers by transformers.")
    parser.add_argument("model", type=Path)
    path: Path = parser.parse_args().model
    request = json.load(sys.stdin)
    tokenizer, model = load(path, request["dtype"], request["device"])
    answers = [continued(model, tokenizer, prompt, request["maxTokens"]) for prompt in request["prompts"]]
    where = f"{request['dtype']} on {request['device']}, eager attention"
    by = f"transformers {transformers.__version__}, torch {torch.__version__}, {where}"
    json.dump({"recordedBy": by, "answers": answers}, sys.stdout, ensure_ascii=False)


def load(path: Path, dtype: str, device: str) -> tuple[Any, Any]:
    """Tokenizer and model; fails unless each tensor was used and each parameter filled."""
    options: dict[str, Any] = {"dtype": getattr(torch, dtype), "attn_implementation": "eager"}
    folder = path
    if path.suffix == ".gguf":
        # Its conversion of SmolLM's tokenizer lacks a step, which the fixtures of tests/parity put back.
        from make_fixtures import corrected_tokenizer

        folder, options["gguf_file"] = path.parent, path.name
        tokenizer: Any = corrected_tokenizer(path)
    else:
        tokenizer = transformers.AutoTokenizer.from_pretrained(path)
    loaded: Any = transformers.AutoModelForCausalLM.from_pretrained(folder, output_loading_info=True, **options)
    model, info = loaded
    wrong = {key: value for key, value in info.items() if value and key.endswith(("_keys", "_msgs"))}
    if wrong:
        raise SystemExit(f"{path}: {wrong}")
    return tokenizer, model.eval().to(device)


def continued(model: Any, tokenizer: Any, prompt: str, count: int) -> dict[str, Any]:
    """At most `count` tokens, the last one being what ended the text, if something did."""
    ids: list[int] = tokenizer(prompt)["input_ids"]
    given = torch.tensor([ids], device=model.device)
    ends = model.generation_config.eos_token_id
    result = model.generate(
        given,
        attention_mask=torch.ones_like(given),
        do_sample=False,
        max_new_tokens=count,
        eos_token_id=ends,
        pad_token_id=ends[0] if isinstance(ends, list) else ends,
        return_dict_in_generate=True,
        output_logits=True,
    )
    answer: list[int] = result.sequences[0, len(ids) :].tolist()
    best = torch.stack(result.logits)[:, 0].float().topk(2)
    if best.indices[:, 0].tolist() != answer:
        raise SystemExit("generate() changed the logits before it chose")
    gaps = [float(f"{gap:.4g}") for gap in (best.values[:, 0] - best.values[:, 1]).tolist()]
    all_ends = {*ends} if isinstance(ends, list) else {ends}
    text = tokenizer.decode(answer[:-1] if answer[-1] in all_ends else answer)
    print(f"{prompt!r} → {text!r}", file=sys.stderr, flush=True)
    return {"prompt": prompt, "promptIds": ids, "text": text, "answerIds": answer, "gaps": gaps}


if __name__ == "__main__":
    main()
