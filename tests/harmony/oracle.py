"""openai-harmony's word on conversations, for comparison.

    python tests/harmony/oracle.py fixture          writes fixtures/
    python tests/harmony/oracle.py stream N SEED    writes N conversations with their tokens to stdout, one JSON a line
    python tests/harmony/oracle.py time FILE        how long it takes for the text of a file and the fixture, in ms

TIKTOKEN_ENCODINGS_BASE must name a folder with o200k_base.tiktoken, or openai-harmony would download it. Conversations
go to the Rust core as JSON: its Python classes would drop a `None` in a schema.
"""

import hashlib
import json
import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from conversations import Json, any_character, conversation, text
from documented import COMPLETIONS, MALFORMED, conversations
from openai_harmony import (
    HarmonyEncodingName,
    HarmonyError,
    Role,
    StreamableParser,
    ToolNamespaceConfig,
    load_harmony_encoding,
)

FIXTURES = Path(__file__).parent / "fixtures"
_STARTED = time.perf_counter()
ENCODING = load_harmony_encoding(HarmonyEncodingName.HARMONY_GPT_OSS)
LOADED_MS = (time.perf_counter() - _STARTED) * 1000
CORE: Any = ENCODING._inner
BUILTIN: Json = {
    "browser": ToolNamespaceConfig.browser().model_dump(),
    "python": ToolNamespaceConfig.python().model_dump(),
}


def digest(given: Any) -> str:
    """Sixteen hexadecimal digits of its JSON's SHA-256."""
    written = json.dumps(given, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(written.encode()).hexdigest()[:16]


def renderings(messages: list[Json]) -> dict[str, list[int]]:
    """The tokens of a conversation in each way to render it."""
    whole = json.dumps({"messages": messages})
    drop, keep = {"auto_drop_analysis": True}, {"auto_drop_analysis": False}
    return {
        "completion": CORE.render_conversation_for_completion(whole, "assistant", drop),
        "keeping": CORE.render_conversation(whole, keep),
        "training": CORE.render_conversation_for_training(whole, drop),
    }


def trace(tokens: list[int], role: str | None = None) -> Json | None:
    """What the streaming parser knows after each token, and the messages; None where it refuses a token."""
    parser = StreamableParser(ENCODING, None if role is None else Role(role))
    steps: list[list[str | None]] = []
    try:
        for token in tokens:
            parser._inner.process(token)
            state = parser._inner
            in_content = parser.state_data["state"] == "Content"
            known = [state.current_role, state.current_channel, state.current_recipient, state.current_content_type]
            steps.append([*(known if in_content else [None] * 4), state.last_content_delta if in_content else None])
        parser._inner.process_eos()
    except HarmonyError:
        return None
    return {"steps": steps, "messages": json.loads(parser._inner.messages)}


def cases(count: int, seed: int, first: int = 0) -> Iterator[Json]:
    """Conversations with what openai-harmony makes of each."""
    for index in range(first, first + count):
        r = random.Random(f"{seed}:{index}")
        messages = conversation(r, BUILTIN)
        tokens = renderings(messages)
        plain = text(r, 40) + any_character(r, 20)
        named = any("name" in message and message["role"] != "tool" for message in messages)
        yield {
            "messages": messages,
            "tokens": tokens,
            # Messages with names of users are rendered in a way that its parser does not know.
            "trace": None if named else trace(tokens["keeping"]),
            "text": plain,
            "ids": CORE.encode(plain, []),
        }


def compact(case: Json) -> Json:
    """The same with hashes for tokens."""
    tokens = case["tokens"]
    return {
        "messages": case["messages"],
        "tokens": {name: [len(ids), digest(ids)] for name, ids in tokens.items()},
        "trace": None if case["trace"] is None else digest(case["trace"]),
        "text": case["text"],
        "ids": digest(case["ids"]),
    }


def without_builtin(messages: list[Json]) -> list[Json]:
    """The texts of the two tools of the models are long, and known by their names."""
    copy = json.loads(json.dumps(messages))
    for message in copy:
        for part in message["content"] if isinstance(message["content"], list) else []:
            for name in BUILTIN:
                if name in (part.get("tools") or {}):
                    part["tools"][name] = name
    return copy


def write_fixture() -> None:
    """Few hundred conversations, those that are short."""
    made: list[Json] = []
    for case in cases(1000, 20251124):
        short = {**compact(case), "messages": without_builtin(case["messages"])}
        if len(json.dumps(short)) < 1800:
            made.append(short)
    FIXTURES.mkdir(exist_ok=True)
    lines = ",\n".join(json.dumps(each, ensure_ascii=True, separators=(",", ":")) for each in made[:250])
    (FIXTURES / "conversations.json").write_text(f"[\n{lines}\n]\n")


def spelled(parts: list[str | int]) -> list[int]:
    """The ids of a text with special tokens, and ids that stand between."""
    return [each for part in parts for each in ([part] if isinstance(part, int) else all_special(part))]


def all_special(written: str) -> list[int]:
    """The ids of a text with special tokens."""
    return ENCODING.encode(written, allowed_special="all")


def write_documented() -> None:
    """The documented cases, tokens and all."""
    rendered = [
        {"name": name, "messages": without_builtin(messages), "tokens": renderings(messages)}
        for name, messages in conversations(BUILTIN).items()
    ]
    parsed = [
        {"name": name, "role": role, "ids": spelled(parts), "trace": trace(spelled(parts), role)}
        for name, (parts, role) in COMPLETIONS.items()
    ]
    lenient: list[Json] = []
    for name, written in MALFORMED.items():
        ids = all_special(written)
        found = json.loads(CORE.parse_messages_from_completion_tokens(ids, "assistant", False))
        lenient.append({"name": name, "ids": ids, "messages": found})
        assert trace(ids, "assistant") is None
    made = {"rendered": rendered, "parsed": parsed, "lenient": lenient}
    lines = ",\n".join(
        f'"{kind}": [\n' + ",\n".join(json.dumps(each, separators=(",", ":")) for each in cases) + "\n]"
        for kind, cases in made.items()
    )
    (FIXTURES / "documented.json").write_text(f"{{\n{lines}\n}}\n")


def with_builtin(messages: list[Json]) -> list[Json]:
    """The texts of the two tools in place of their names."""
    for message in messages:
        for part in message["content"] if isinstance(message["content"], list) else []:
            for name, tools in (part.get("tools") or {}).items():
                if isinstance(tools, str):
                    part["tools"][name] = BUILTIN[name]
    return messages


def times(file: Path) -> dict[str, float]:
    """What the peer of `npm run bench -- harmony` takes. Parsing gives what a reader wants of each token: its text."""
    found = {"load": LOADED_MS}
    started = time.perf_counter()

    def note(name: str) -> None:
        nonlocal started
        found[name] = (time.perf_counter() - started) * 1000
        started = time.perf_counter()

    written = file.read_text()
    cases = json.loads((FIXTURES / "conversations.json").read_text())
    wholes = [json.dumps({"messages": with_builtin(case["messages"])}) for case in cases]
    started = time.perf_counter()
    CORE.encode(written, [])
    note("encode")
    rendered = [CORE.render_conversation(whole, {"auto_drop_analysis": False}) for whole in wholes]
    note("render")
    for tokens in rendered:
        parser = StreamableParser(ENCODING, None)._inner
        try:
            for token in tokens:
                parser.process(token)
                _ = parser.last_content_delta
        except HarmonyError:
            continue
    note("parse")
    return found


def main() -> None:
    """Reads the command line."""
    match sys.argv[1:]:
        case ["fixture"]:
            write_fixture()
            write_documented()
        case ["stream", count, seed]:
            for case in cases(int(count), int(seed)):
                made = {**case, "messages": without_builtin(case["messages"])}
                sys.stdout.write(json.dumps(made, separators=(",", ":")) + "\n")
        case ["time", file]:
            print(json.dumps(times(Path(file))))
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main()
