# ruff: noqa: RUF001 -- letters of many scripts
"""The cases that openai-harmony documents and tests, which its fixture is made of.

Source: openai/harmony 0.0.8, README.md, docs/format.md, tests/test_harmony.py, src/tests.rs.
"""

from typing import Any

Json = dict[str, Any]

IDENTITY = "You are ChatGPT, a large language model trained by OpenAI."


def system(builtin: Json | None = None, **changes: Any) -> Json:
    """A system message with openai-harmony's defaults."""
    content: Json = {
        "type": "system_content",
        "model_identity": IDENTITY,
        "knowledge_cutoff": "2024-06",
        "reasoning_effort": "Medium",
        "channel_config": {"valid_channels": ["analysis", "commentary", "final"], "channel_required": True},
        **changes,
    }
    return {"role": "system", "content": [content if builtin is None else {**content, "tools": builtin}]}


def channels(*valid: str) -> Json:
    """Required channels."""
    return {"channel_config": {"valid_channels": list(valid), "channel_required": True}}


def developer(instructions: str | None = None, *tools: Json) -> Json:
    """A developer message with functions."""
    content: Json = {"type": "developer_content"}
    if instructions is not None:
        content["instructions"] = instructions
    if tools:
        content["tools"] = {"functions": {"name": "functions", "tools": list(tools)}}
    return {"role": "developer", "content": [content]}


def tool(name: str, description: str, parameters: Json | None = None) -> Json:
    """A function."""
    return {"name": name, "description": description, **({} if parameters is None else {"parameters": parameters})}


def says(role: str, content: str, **header: str) -> Json:
    """A message of plain text."""
    return {"role": role, "content": content, **header}


CITY = {"type": "string", "description": "The city and state, e.g. San Francisco, CA"}
CITIES = {
    "type": "array",
    "items": {"type": "string"},
    "description": 'List of city and state, e.g. ["San Francisco, CA", "New York, NY"]',
}
UNIT = {"type": "string", "enum": ["celsius", "fahrenheit"], "default": "celsius"}


def arguments(*required: str, **properties: Any) -> Json:
    """An object."""
    return {"type": "object", "properties": properties, "required": list(required)}


LOCATION = tool("get_location", "Gets the location of the user.")
CURRENT = tool(
    "get_current_weather",
    "Gets the current weather in the provided location.",
    arguments("location", location=CITY, format=UNIT),
)
MULTIPLE = tool(
    "get_multiple_weathers",
    "Gets the current weather in the provided list of locations.",
    arguments("locations", locations=CITIES, format=UNIT),
)
KITCHEN_SINK = tool(
    "kitchensink",
    "A function with various complex schemas.",
    {
        "description": "params object",
        "type": "object",
        "properties": {
            "string": {
                "type": "string",
                "title": "STRING",
                "description": "A string",
                "examples": ["hello", "world"],
            },
            "string_nullable": {
                "type": "string",
                "nullable": True,
                "description": "A nullable string",
                "default": "the default",
            },
            "string_enum": {"type": "string", "enum": ["a", "b", "c"]},
            "oneof_string_or_number": {
                "oneOf": [
                    {"type": "string", "default": "default_string_in_oneof"},
                    {"type": "number", "description": "numbers can happen too"},
                ],
                "description": "a oneof",
                "default": 20,
            },
        },
    },
)
LOOKUP = tool(
    "lookup_weather",
    "Use this tool to lookup the weather in a given location. Call it with the parameter 'location', can be any "
    "textual description of a location.",
    arguments("location", location={"type": "string"}),
)
JUNE = {"conversation_start_date": "2025-06-28"}
CAPITAL = says("user", "What is the capital of the largest country in the world?")
ROBOT = "Answer the user's questions like a robot."


def conversations(builtin: Json) -> dict[str, list[Json]]:
    """By what each shows."""
    browser, python = {"browser": builtin["browser"]}, {"python": builtin["python"]}
    thought = 'User asks: "What is the weather in Tokyo?" We need to use get_weather tool.'
    found = {
        "a simple conversation": [system(), says("user", "What is 2 + 2?")],
        "two channels only": [system(**channels("analysis", "final")), says("user", "What is 2 + 2?")],
        "dates": [
            system(conversation_start_date="2021-01-01", knowledge_cutoff="2021-01", **channels("analysis", "final")),
            says("user", "What is 42 * pi?"),
        ],
        "functions with parameters": [
            system(reasoning_effort="High", **JUNE),
            developer("Always respond in riddles", LOCATION, CURRENT, MULTIPLE, KITCHEN_SINK),
            says("user", "What is the weather like in SF?"),
        ],
        "functions and a friendly tone": [
            system(reasoning_effort="High", **JUNE),
            developer("Use a friendly tone.", LOCATION, CURRENT, MULTIPLE),
            says("user", "What is the weather like in SF?"),
            says("assistant", "Need to use function get_weather.", channel="analysis"),
            says(
                "assistant",
                '{"location":"San Francisco"}',
                channel="commentary",
                recipient="functions.get_weather",
                content_type="<|constrain|>json",
            ),
            says(
                "tool",
                '{"sunny": true, "temperature": 20}',
                name="functions.get_weather",
                recipient="assistant",
                channel="commentary",
            ),
        ],
        "the README's tool call": [
            system(reasoning_effort="High", **JUNE),
            developer("Always respond in riddles", CURRENT),
            says("user", "What is the weather in Tokyo?"),
            says("assistant", thought, channel="analysis"),
            says(
                "assistant",
                '{"location": "Tokyo"}',
                channel="commentary",
                recipient="functions.get_weather",
                content_type="<|constrain|> json",
            ),
            says(
                "tool",
                '{ "temperature": 20, "sunny": true }',
                name="functions.lookup_weather",
                recipient="assistant",
                channel="commentary",
            ),
        ],
        "no tools": [system(**JUNE)],
        "the browser": [system(browser, **JUNE)],
        "the browser and a function": [system(browser, **JUNE), developer(None, LOOKUP)],
        "the browser and python": [system({**browser, **python}, **JUNE)],
        "thoughts before an answer": [
            says("user", "What is 2 + 2?"),
            says("assistant", "User asks: “What is 2 + 2?” Simple arithmetic. Provide answer.", channel="analysis"),
            says("assistant", "2 + 2 equals 4.", channel="final"),
            says("user", "What about 9 / 2?"),
        ],
        "thoughts before a call": [
            says("user", "What is the weather in SF?"),
            says("assistant", "We need to use lookup_weather tool.", channel="analysis"),
            says(
                "assistant",
                '{"location": "San Francisco"}',
                channel="commentary",
                recipient="functions.lookup_weather",
                content_type="<|constrain|>json",
            ),
            says("tool", '{"temperature": 20, "description": "sunny"}', name="functions.lookup_weather"),
        ],
        "thoughts between two answers": [
            says("user", "What is 2 + 2?"),
            says("assistant", "thinking 2+2", channel="analysis"),
            says("assistant", "4", channel="final"),
            says("user", "What is 3 + 5?"),
            says("assistant", "thinking 3+5", channel="analysis"),
            says("assistant", "8", channel="final"),
        ],
        "a structured answer, as text": [
            {
                "role": "developer",
                "content": "# Instructions\n\nYou are a helpful shopping assistant\n\n# Response Formats\n\n"
                "## shopping_list\n\n// What to buy.\n"
                '{"properties":{"items":{"type":"array","description":"entries on the shopping list",'
                '"items":{"type":"string"}}},"type":"object"}',
            },
            says("user", "I need to buy coffee, soda and eggs"),
        ],
        "nothing": [],
    }
    for effort in ("Low", "Medium", "High"):
        found[f"{effort} effort"] = [system(reasoning_effort=effort), CAPITAL]
        found[f"{effort} effort and instructions"] = [system(reasoning_effort=effort), developer(ROBOT), CAPITAL]
    return found


HELLO = "<|start|>assistant<|message|>"

# By what each shows: the text with special tokens spelled, or ids after it; and the role that the prompt ended with.
COMPLETIONS: dict[str, tuple[list[str | int], str | None]] = {
    "thoughts and an answer": (
        [
            '<|channel|>analysis<|message|>User asks: "What is 2 + 2?" Simple arithmetic. Provide answer.<|end|>'
            "<|start|>assistant<|channel|>final<|message|>2 + 2 = 4.<|return|>"
        ],
        "assistant",
    ),
    "a call whose recipient follows the channel": (
        [
            "<|channel|>analysis<|message|>We need to use lookup_weather tool.<|end|>"
            '<|start|>assistant<|channel|>analysis to=lookup_weather code<|message|>{"location": "Tokyo"}'
        ],
        "assistant",
    ),
    "a call whose recipient follows the role": (
        [
            "<|start|>assistant to=functions.get_weather<|channel|>commentary json<|message|>"
            '{"location": "Tokyo"}<|call|>'
        ],
        None,
    ),
    "a type next to the channel": (
        [
            "<|start|>assistant to=functions.get_weather<|channel|>commentary<|constrain|>json<|message|>"
            '{"location": "Tokyo"}<|end|>'
        ],
        None,
    ),
    "a type next to the recipient": (
        [
            "<|start|>assistant<|channel|>commentary to=functions.get_weather<|constrain|>json<|message|>"
            '{"latitude":48.8566,"longitude":2.3522}<|call|>'
        ],
        None,
    ),
    "a type after a space": (
        [
            "<|channel|>analysis<|message|>Need to use function get_weather.<|end|><|start|>assistant<|channel|>"
            'commentary to=functions.get_weather <|constrain|>json<|message|>{"location":"San Francisco"}<|call|>'
        ],
        "assistant",
    ),
    "a preamble": (
        [
            "<|channel|>analysis<|message|>long thoughts<|end|><|start|>assistant<|channel|>commentary<|message|>"
            "**Action plan**:\n1. Generate an HTML file\n---\nWill start<|end|><|start|>assistant<|channel|>commentary "
            'to=functions.generate_file<|constrain|>json<|message|>{"path": "index.html"}<|call|>'
        ],
        "assistant",
    ),
    "a tool's answer": (
        ['<|start|>browser.search to=assistant<|channel|>commentary<|message|>{"result": "https://openai.com/"}'],
        None,
    ),
    "a role that is said again": (["assistant<|channel|>final<|message|>Hello<|return|>"], "assistant"),
    "bytes that are no character": ([HELLO, 9552, 9552, "worked<|end|>"], None),
    "bytes that are no character before letters": ([HELLO, 9552, "XY<|end|>"], None),
    "bytes that are no character, at the end of a message": ([HELLO, 9552, 9552, f"<|end|>{HELLO}Hi<|end|>"], None),
    "bytes that are no character, and no end": ([HELLO, 9552, " interesting story"], None),
    "a character of several tokens": ([f"{HELLO}💖<|end|>"], None),
    "an id that is none, at the end": ([f"{HELLO}Practice", 4294967295], None),
    "many scripts": (
        [
            f"{HELLO}Hello Müller, Γειά σου, Привет, שלום, مرحبا, नमस्ते, こんにちは, 안녕하세요, 你好. nai\u0308ve "
            "Some emojis: 😊👋🏾👨‍👩‍👧‍👦🇺🇸.<|end|>"
        ],
        None,
    ),
}

# Those that openai-harmony refuses unless told to be lenient.
MALFORMED: dict[str, str] = {
    "text alone": "I must refuse<|end|><|start|>assistant<|channel|>final<|message|>I'm sorry.<|return|>",
    "a channel and text": "<|channel|>analysis I must refuse<|end|><|start|>assistant<|channel|>final<|message|>"
    "No.<|return|>",
    "text alone before a call": "... Let's use the tool.<|end|><|start|>assistant to=functions.get_weather<|channel|>"
    'commentary json<|message|>{"location": "Tokyo"}<|call|>',
    "a channel and a word": "<|channel|>commentary Hello<|end|>",
}
