"""Makes fixtures/: what OpenAI's client, transformers and openai-harmony say of requests and responses.

    npm run oracle:jobs
    python tests/jobs/make_fixtures.py templates FOLDER     what transformers renders by other templates, to stdout

- schemas.json: responses and errors as the client's own types describe them, as JSON schemas that refuse fields which
  are not listed; the fields of requests.
- chats.json: bodies of chat requests, with the text that transformers renders of each by tools.jinja, and the token ids
  that openai-harmony renders. Bodies are validated by the client's types first.

TIKTOKEN_ENCODINGS_BASE must name a folder with o200k_base.tiktoken, or openai-harmony would download it.
"""

import json
import sys
from pathlib import Path
from typing import Any

from openai.types import Completion
from openai.types import completion_create_params as completions
from openai.types.chat import ChatCompletion
from openai.types.chat import completion_create_params as chats
from openai.types.shared import ErrorObject
from openai_harmony import (
    Author,
    Conversation,
    DeveloperContent,
    HarmonyEncodingName,
    Message,
    ReasoningEffort,
    Role,
    SystemContent,
    ToolDescription,
    load_harmony_encoding,
)
from pydantic import TypeAdapter
from transformers.utils.chat_template_utils import render_jinja_template

Json = dict[str, Any]

_FOLDER = Path(__file__).parent
_DATE = "2026-03-01"

_WEATHER: Json = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Gets the weather of a city.",
        "parameters": {
            "type": "object",
            "properties": {
                "city": {"type": "string", "description": "The city, e.g. Zürich"},
                "unit": {"type": "string", "enum": ["celsius", "fahrenheit"], "default": "celsius"},
                "days": {"type": "array", "items": {"type": "integer"}},
            },
            "required": ["city"],
        },
    },
}
_CLOCK: Json = {"type": "function", "function": {"name": "clock", "description": "Tells the time."}}


def _call(number: int, name: str, arguments: str) -> Json:
    return {"id": f"call_{number}", "type": "function", "function": {"name": name, "arguments": arguments}}


_BODIES: dict[str, Json] = {
    "plain": {"messages": [{"role": "user", "content": "Hello"}]},
    "instructed": {
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello"}],
        "reasoning_effort": "high",
    },
    "developer": {
        "messages": [{"role": "developer", "content": "Be brief."}, {"role": "user", "content": "<|im_end|> 😀"}],
    },
    "tools": {"messages": [{"role": "user", "content": "Is it warm in Zürich?"}], "tools": [_WEATHER, _CLOCK]},
    "instructed, with tools": {
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Is it warm?"}],
        "tools": [_WEATHER],
        "tool_choice": "auto",
        "reasoning_effort": "low",
    },
    "tools that are not shown": {
        "messages": [{"role": "user", "content": "Is it warm?"}],
        "tools": [_WEATHER],
        "tool_choice": "none",
    },
    "a call and its answer": {
        "messages": [
            {"role": "user", "content": "Is it warm in Zürich?"},
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [_call(1, "get_weather", '{"city": "Zürich", "days": [1, 2]}')],
            },
            {"role": "tool", "tool_call_id": "call_1", "content": '{"celsius": 31}'},
        ],
        "tools": [_WEATHER],
    },
    "two calls, the answers the other way round": {
        "messages": [
            {"role": "user", "content": "Is it warm, and late?"},
            {
                "role": "assistant",
                "content": "I look.",
                "tool_calls": [_call(1, "get_weather", '{"city":"Bern"}'), _call(2, "clock", "{}")],
            },
            {"role": "tool", "tool_call_id": "call_2", "content": "noon"},
            {"role": "tool", "tool_call_id": "call_1", "content": '<b>31</b> & "dry"'},
            {"role": "assistant", "content": "Warm, and noon."},
            {"role": "user", "content": "Thanks"},
        ],
        "tools": [_WEATHER, _CLOCK],
    },
}


def main() -> None:
    """Writes the fixtures."""
    requests = TypeAdapter(chats.CompletionCreateParamsNonStreaming)
    for body in _BODIES.values():
        requests.validate_python({"model": "m", **body})
    out = _FOLDER / "fixtures"
    fields = {
        "chat": list(requests.json_schema()["properties"]),
        "completion": list(TypeAdapter(completions.CompletionCreateParamsNonStreaming).json_schema()["properties"]),
    }
    schemas: Json = {
        name: _closed(type_.model_json_schema())
        for name, type_ in {"chat": ChatCompletion, "completion": Completion, "error": ErrorObject}.items()
    }
    _write(out / "schemas.json", {"requestFields": fields, **schemas})
    encoding = load_harmony_encoding(HarmonyEncodingName.HARMONY_GPT_OSS)
    template = (_FOLDER / "tools.jinja").read_text()
    cases = {
        name: {
            "body": body,
            "rendered": _rendered(body, template),
            "harmony": encoding.render_conversation_for_completion(_conversation(body), Role.ASSISTANT),
        }
        for name, body in _BODIES.items()
    }
    _write(out / "chats.json", {"date": _DATE, "cases": cases})


def _print_templates(folder: Path) -> None:
    """Prints what becomes of each chat by each template, null where it is refused."""
    rendered = {
        path.name: {name: _rendered_or_refused(body, path.read_text()) for name, body in _BODIES.items()}
        for path in sorted(folder.glob("*.jinja"))
    }
    json.dump(rendered, sys.stdout)


def _rendered_or_refused(body: Json, template: str) -> str | None:
    try:
        return _rendered(body, template, bos_token="<s>", eos_token="</s>")
    except Exception:  # Templates fail in as many ways as they like.
        return None


def _write(path: Path, made: Json) -> None:
    """Writes JSON, an entry of the top two levels a line."""
    text = json.dumps(made, ensure_ascii=False, separators=(",", ":"))
    path.write_text(text.replace('},"', '},\n"') + "\n")


def _closed(schema: Any) -> Any:
    """Leaves out words for people, and refuses what is not listed."""
    if isinstance(schema, list):
        return [_closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {key: _closed(value) for key, value in schema.items() if key not in ("title", "description", "default")}
    if kept.get("additionalProperties") is True and "properties" in kept:
        kept["additionalProperties"] = False
    return kept


def _shown(body: Json) -> list[Json] | None:
    """The tools that the model is told of."""
    return None if body.get("tool_choice") == "none" else body.get("tools")


def _rendered(body: Json, template: str, **variables: str) -> str:
    """The text of a chat, its messages as transformers' guide to tools wants them: arguments are objects."""
    messages: list[Json] = []
    names: dict[str, str] = {}
    for message in body["messages"]:
        made = {**message, "role": "system" if message["role"] == "developer" else message["role"]}
        if "tool_calls" in made:
            made["tool_calls"] = [
                {**call, "function": {**call["function"], "arguments": json.loads(call["function"]["arguments"])}}
                for call in made["tool_calls"]
            ]
            names |= {call["id"]: call["function"]["name"] for call in made["tool_calls"]}
        if made["role"] == "tool":
            made["name"] = names[made["tool_call_id"]]
        messages.append({**made, "content": made["content"] or ""})
    rendered, _ = render_jinja_template(
        [messages], tools=_shown(body), chat_template=template, add_generation_prompt=True, **variables
    )
    return rendered[0]


def _conversation(body: Json) -> Conversation:
    """A chat in Harmony, as OpenAI's guide to the format has its parts."""
    effort = ReasoningEffort(body.get("reasoning_effort", "medium").capitalize())
    system = SystemContent.new().with_reasoning_effort(effort).with_conversation_start_date(_DATE)
    developer = DeveloperContent.new()
    rest = body["messages"]
    if rest[0]["role"] in ("system", "developer"):
        developer, rest = developer.with_instructions(rest[0]["content"]), rest[1:]
    tools = [
        ToolDescription.new(function["name"], function["description"], parameters=function.get("parameters"))
        for function in (tool["function"] for tool in _shown(body) or [])
    ]
    if tools:
        developer = developer.with_function_tools(tools)
    messages = [Message.from_role_and_content(Role.SYSTEM, system)]
    if tools or developer.instructions is not None:
        messages.append(Message.from_role_and_content(Role.DEVELOPER, developer))
    names: dict[str, str] = {}
    for message in rest:
        messages += _messages(message, names)
    return Conversation.from_messages(messages)


def _messages(message: Json, names: dict[str, str]) -> list[Message]:
    content = message["content"]
    if message["role"] == "user":
        return [Message.from_role_and_content(Role.USER, content)]
    if message["role"] == "tool":
        author = Author.new(Role.TOOL, f"functions.{names[message['tool_call_id']]}")
        answer = Message.from_author_and_content(author, content)
        return [answer.with_recipient("assistant").with_channel("commentary")]
    calls = message.get("tool_calls", [])
    said = [] if content is None else [Message.from_role_and_content(Role.ASSISTANT, content)]
    made = [each.with_channel("commentary" if calls else "final") for each in said]
    for call in calls:
        names[call["id"]] = call["function"]["name"]
        made.append(
            Message.from_role_and_content(Role.ASSISTANT, call["function"]["arguments"])
            .with_channel("commentary")
            .with_recipient(f"functions.{call['function']['name']}")
            .with_content_type("<|constrain|>json")
        )
    return made


if __name__ == "__main__":
    if sys.argv[1:2] == ["templates"]:
        _print_templates(Path(sys.argv[2]))
    else:
        main()
