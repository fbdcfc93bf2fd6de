# ruff: noqa: RUF001 -- letters of many scripts
"""Makes conversations at random, as openai-harmony reads them in JSON: a seed gives the same ones again.

They hold what real ones hold and what is awkward: texts in many scripts, spellings of special tokens, every keyword of
JSON Schema that openai-harmony prints, headers in every form. Left out is what JavaScript cannot say: a lone surrogate
in JSON, `1.0` that is not `1`, keys of an object that look like array indices.
"""

import random
from collections.abc import Callable
from typing import Any

Json = dict[str, Any]

WORDS = [
    "the",
    "of",
    "and",
    "weather",
    "Tokyo",
    "function",
    "camelCase",
    "HTTPServer",
    "don't",
    "I'LL",
    "we've",
    "naïve",
    "Müller",
    "Привет",
    "мир",
    "Γειά",
    "σου",
    "שלום",
    "مرحبا",
    "नमस्ते",
    "こんにちは",
    "你好世界",
    "안녕하세요",
    "ภาษาไทย",
    "12345",
    "3.14159",
    "1,000,000",
    "Ⅷ",
    "½",
    "٣٤",
    "x86_64",
    "foo_bar()",
    "https://example.com/a?b=c",
    "<|start|>",
    "<|end|>",
    "<|message|>",
    "<|channel|>final",
    "<|constrain|>json",
    "<|return|>",
    "<|call|>",
    "<|reserved_200017|>",
    "<|endoftext|>",
    "to=functions.f",
    "assistant",
    "user",
    "system",
    "😊👋🏾👨\u200d👩\u200d👧\u200d👦🇺🇸",
    "💖",
    "é",
    "\ufeffbom",
    "\xa0",
    "\x85",
    "\u2028",
    "\u3000",
    "\u200b",
    "z̵a̷l̸g̴o",
    '{"a":[1,2]}',
    "//",
    "#",
    "##",
    "```",
    "<b>",
    "&amp;",
    "\\n",
    "%s",
    "$HOME",
    "~/.x",
    "-->",
]
SPACES = [" "] * 30 + ["\n", "\n\n", "\t", "  ", "    ", "\r\n", "", " \n ", "\x0b", "\x00"]
NAMES = ["get_weather", "lookup", "search", "a", "updateRecord", "f2", "send-mail", "Größe", "x_y_z"]


def text(r: random.Random, longest: int = 30) -> str:
    """Words between spaces of all kinds."""
    count = r.randint(0, longest) if r.random() < 0.9 else r.randint(0, 4 * longest)
    return "".join(r.choice(WORDS) + r.choice(SPACES) for _ in range(count))


def any_character(r: random.Random, count: int) -> str:
    """Characters of all planes."""
    planes = [(0x20, 0x7F), (0x80, 0x800), (0x800, 0xD800), (0xE000, 0x10000), (0x10000, 0x30000), (0x9, 0xE)]
    return "".join(chr(r.randint(low, high - 1)) for low, high in (r.choice(planes) for _ in range(count)))


def number(r: random.Random) -> int | float:
    """Whole numbers, and others that no JSON writer takes for whole."""
    if r.random() < 0.5:
        return r.choice([0, 1, -1, 20, -7, 2**31, -(2**53), 2**53 - 1])
    return r.choice([0.1, -2.5, 1e-7, 1.5e-6, 0.00001, 12345.678, 5e-324, 1.7976931348623157e-10, 3.0000000000000004])


def value(r: random.Random, depth: int = 2) -> Any:
    """Any JSON."""
    kinds: list[Callable[[], Any]] = [
        lambda: None,
        lambda: r.random() < 0.5,
        lambda: number(r),
        lambda: text(r, 3),
        lambda: r.choice(["celsius", "a", 'quote " and \\ slash', "line\nbreak", "\x01\x7f\x1f"]),
    ]
    if depth > 0:
        kinds += [
            lambda: [value(r, depth - 1) for _ in range(r.randint(0, 3))],
            lambda: {key(r): value(r, depth - 1) for _ in range(r.randint(0, 3))},
        ]
    return r.choice(kinds)()


def key(r: random.Random) -> str:
    """The name of a property."""
    return r.choice([*NAMES, "location", "format", "$ref", "with space", "__proto__x", "constructor", "ключ"])


def maybe(r: random.Random, chance: float, found: Json, name: str, make: Callable[[], Any]) -> None:
    """Sets a key now and then."""
    if r.random() < chance:
        found[name] = make()


def schema(r: random.Random, depth: int = 3) -> Any:
    """JSON Schema, with what openai-harmony knows of it and what it does not."""
    if r.random() < 0.03:
        return value(r, 1)
    kinds = ["string", "number", "integer", "boolean", "null", "enum", "types", "unknown"]
    if depth > 0:
        kinds += ["object"] * 4 + ["array"] * 2 + ["oneOf"] * 2 + ["anyOf"]
    found: Json = {}
    match r.choice(kinds):
        case "enum":
            found["type"] = r.choice(["string", "string", "number"])
            found["enum"] = [r.choice(["celsius", "a", "b", 'q"uote']) for _ in range(r.randint(0, 3))]
            maybe(r, 0.2, found, "enum", lambda: [1, None, "c"])
        case "types":
            options = ["string", "number", "integer", "null", "boolean", 5]
            found["type"] = [r.choice(options) for _ in range(r.randint(0, 3))]
        case "unknown":
            maybe(r, 0.5, found, "type", lambda: r.choice(["date", "", 7, None]))
        case "object":
            found["type"] = "object"
            properties = {key(r): schema(r, depth - 1) for _ in range(r.randint(0, 4))}
            maybe(r, 0.9, found, "properties", lambda: properties)
            maybe(r, 0.6, found, "required", lambda: [n for n in properties if r.random() < 0.5] + r.choice([[], [3]]))
        case "array":
            found["type"] = "array"
            maybe(r, 0.8, found, "items", lambda: schema(r, depth - 1))
        case "oneOf":
            found["oneOf"] = [schema(r, depth - 1) for _ in range(r.randint(0, 3))]
            maybe(r, 0.1, found, "oneOf", lambda: r.choice([None, "no list"]))
            maybe(r, 0.1, found, "type", lambda: "string")
            maybe(r, 0.2, found, "enum", lambda: ["a"])
        case "anyOf":
            found["anyOf"] = [schema(r, depth - 1)]
        case plain:
            found["type"] = plain
    said = r.choice([lambda: text(r, 4), lambda: "a description", lambda: "second\nline"])()
    maybe(r, 0.4, found, "description", lambda: said if r.random() < 0.95 else 7)
    maybe(r, 0.15, found, "title", lambda: r.choice([text(r, 2), 3]))
    maybe(r, 0.25, found, "default", lambda: r.choice([value(r), "celsius"]))
    maybe(r, 0.15, found, "nullable", lambda: r.choice([True, True, False, "true"]))
    maybe(r, 0.15, found, "examples", lambda: r.choice([[], [text(r, 2), 4, "e"], "none"]))
    if "oneOf" in found and isinstance(found["oneOf"], list) and found["oneOf"] and r.random() < 0.2:
        first = found["oneOf"][0]
        if isinstance(first, dict):
            first["description"] = found["description"] = said
    return found


def lines(r: random.Random) -> str:
    """A description of several lines."""
    return r.choice(["Gets it.", "", "One.\nTwo.\n", "One.\r\nTwo.\r", "\n\nlate", text(r, 10)])


def namespace(r: random.Random, name: str) -> Json:
    """Tools under a name."""
    tools: list[Json] = []
    for _ in range(r.randint(0, 4)):
        tool: Json = {"name": r.choice(NAMES), "description": lines(r)}
        maybe(r, 0.8, tool, "parameters", lambda: schema(r) if r.random() < 0.95 else None)
        tools.append(tool)
    found: Json = {"name": name, "tools": tools}
    maybe(r, 0.4, found, "description", lambda: lines(r))
    return found


def system(r: random.Random, builtin: Json) -> Json:
    """What a system message says: the defaults of openai-harmony, and changes to them."""
    found: Json = {
        "type": "system_content",
        "model_identity": "You are ChatGPT, a large language model trained by OpenAI.",
        "knowledge_cutoff": "2024-06",
        "reasoning_effort": r.choice(["Low", "Medium", "High"]),
        "channel_config": {"valid_channels": ["analysis", "commentary", "final"], "channel_required": True},
    }
    maybe(r, 0.2, found, "model_identity", lambda: r.choice([None, text(r, 6)]))
    maybe(r, 0.1, found, "knowledge_cutoff", lambda: r.choice([None, "2021-01"]))
    maybe(r, 0.1, found, "reasoning_effort", lambda: None)
    maybe(r, 0.7, found, "conversation_start_date", lambda: r.choice(["2025-06-28", "2021-01-01", None]))
    valid = r.choice([[], ["analysis", "final"], ["final"]])
    required = r.random() < 0.5
    config = {"valid_channels": valid, "channel_required": required}
    maybe(r, 0.2, found, "channel_config", lambda: r.choice([None, config]))
    if r.random() < 0.4:
        chosen = [name for name in ("browser", "python") if r.random() < 0.6]
        found["tools"] = {name: builtin[name] for name in chosen}
        if r.random() < 0.3:
            found["tools"]["memory"] = namespace(r, "memory")
    return found


def developer(r: random.Random) -> Json:
    """What a developer message says."""
    found: Json = {"type": "developer_content"}
    maybe(r, 0.8, found, "instructions", lambda: text(r, 20))
    if r.random() < 0.7:
        found["tools"] = {"functions": namespace(r, "functions")}
        for name in ("zeta", "Alpha", "ä", "\U0001f600", "\uffee"):
            if r.random() < 0.08:
                found["tools"][name] = namespace(r, name)
    return found


def said(r: random.Random) -> str:
    """What somebody says."""
    return text(r) if r.random() < 0.85 else any_character(r, r.randint(0, 40))


def call(r: random.Random) -> list[Json]:
    """A tool call and its answer."""
    tool = r.choice(["functions.get_weather", "functions.f2", "browser.search", "python"])
    asks: Json = {"role": "assistant", "recipient": tool, "content": said(r)}
    asks["channel"] = r.choice(["commentary", "analysis"])
    maybe(r, 0.7, asks, "content_type", lambda: r.choice(["<|constrain|>json", "json", "code"]))
    answers: Json = {"role": "tool", "name": tool, "content": said(r)}
    maybe(r, 0.8, answers, "recipient", lambda: "assistant")
    maybe(r, 0.8, answers, "channel", lambda: "commentary")
    return [asks, answers]


def turn(r: random.Random) -> list[Json]:
    """A question, thoughts, calls, and mostly an answer."""
    asks: Json = {"role": "user", "content": said(r)}
    maybe(r, 0.05, asks, "name", lambda: r.choice(["ada", "bob the second"]))
    if r.random() < 0.1:
        asks["content"] = [{"type": "text", "text": said(r)} for _ in range(r.randint(0, 3))]
    messages = [asks]
    for _ in range(r.choice([0, 1, 1, 2])):
        messages.append({"role": "assistant", "channel": "analysis", "content": said(r)})
        if r.random() < 0.2:
            messages.append({"role": "assistant", "channel": "commentary", "content": said(r)})
        if r.random() < 0.4:
            messages += call(r)
    if r.random() < 0.85:
        answer: Json = {"role": "assistant", "content": said(r)}
        maybe(r, 0.95, answer, "channel", lambda: "final")
        maybe(r, 0.05, answer, "recipient", lambda: r.choice(["all", "user"]))
        messages.append(answer)
    return messages


def conversation(r: random.Random, builtin: Json) -> list[Json]:
    """A conversation: messages as openai-harmony's JSON has them."""
    messages: list[Json] = []
    if r.random() < 0.8:
        messages.append({"role": "system", "content": [system(r, builtin)]})
    elif r.random() < 0.5:
        messages.append({"role": "system", "content": text(r)})
    if r.random() < 0.7:
        parts = [developer(r)]
        if r.random() < 0.1:
            parts.append({"type": "text", "text": text(r, 5)})
        messages.append({"role": "developer", "content": parts})
    for _ in range(r.choice([0, 1, 1, 2, 3])):
        messages += turn(r)
    return messages
