"""A differential test: the providers' own clients and ours, at the fake provider, ask and read the same."""

from __future__ import annotations

import asyncio
import base64
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("openai")
pytest.importorskip("anthropic")
pytest.importorskip("google.genai")

from tests.targets import official
from tests.targets.official import Read, arguments

from seatrial.core.case import Case
from seatrial.core.output import Output, Request
from seatrial.core.suite import TargetSpec
from seatrial.errors import TargetDownError
from seatrial.targets import build
from seatrial.testing import FakeProvider, Fault, Reply, Rule, Script

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(8)).decode()
PDF = base64.b64encode(b"%PDF-1.7 nothing").decode()
LOOK_UP = {"type": "object", "properties": {"id": {"type": "integer"}}, "required": ["id"]}
SHAPE = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
CALLS = [{"name": "look_up", "arguments": {"id": 7, "name": "Zoë"}}, {"name": "b"}]

RULES = [
    Rule(when={"input": "plain"}, text="Paris is the capital."),
    Rule(when={"input": "odd"}, text="naïve  text\n\twith 日本 signs \u2028 and \\n \n"),
    Rule(when={"input": "one call"}, tool_calls=[{"name": "look_up", "arguments": {"id": 7}}]),
    Rule(when={"input": "two calls"}, tool_calls=CALLS),
    Rule(when={"input": "text and calls"}, text="Let me see.", tool_calls=CALLS),
    Rule(when={"input": "refuse"}, refusal="I will not do that."),
    Rule(when={"input": "long"}, text="one two three four five six seven eight nine ten"),
    Rule(when={"input": "usage"}, text="x", usage={"input": 90, "cached": 40, "output": 30, "reasoning": 20}),
    Rule(when={"input": "served"}, text="by another"),
    Rule(when={"input": "nested"}, tool_calls=[{"name": "f", "arguments": {"a": [{"b": None}, 1.5, True, "é"]}}]),
]
STATUS = {
    "bad_request": 400,
    "context_length": 400,
    "unauthorized": 401,
    "not_found": 404,
    "timeout": 408,
    "rate_limit": 429,
    "quota": 429,
    "server_error": 500,
}
RULES += [Rule(when={"input": kind}, fault=kind) for kind in STATUS]
RULES += [
    Rule(when={"input": str(status)}, fault=Fault(kind="server_error", status=status)) for status in (502, 503, 529)
]
SCRIPT = Script(
    answers=RULES, default=Reply(echo="You said: {input}"), served_model="m-2026-01-01", stream={"tokens": 2}
)

ANSWERS = ["plain", "odd", "one call", "two calls", "text and calls", "refuse", "long", "usage", "served", "nested"]
ERRORS = [*STATUS, "502", "503", "529"]

DIALECTS = {
    "openai": (official.chat, "/v1"),
    "responses": (official.responses, "/v1"),
    "anthropic": (official.messages, "/v1"),
    "gemini": (official.gemini, "/v1beta"),
}


@pytest.fixture(scope="module")
def fake():
    with FakeProvider(SCRIPT).in_thread() as running:
        yield running


def ours(fake: FakeProvider, kind: str, stream: bool, request: dict[str, Any]) -> Read:
    spec = TargetSpec.model_validate(
        {
            "use": f"{kind}:m",
            "base_url": fake.url + DIALECTS[kind][1],
            "api_key_env": "KEY",
            "stream": stream,
            "retries": 0,
            "params": request["params"],
        }
    )
    target = build("t", spec, Path(), {"KEY": official.KEY})

    async def go() -> Output:
        await target.open()
        try:
            return await target.generate(Case(id="c", input="?"), Request.model_validate(request))
        finally:
            await target.close()

    try:
        output = asyncio.run(go())
    except TargetDownError as down:
        return Read(status=int(re.search(r"HTTP (\d+)", str(down))[1]))
    if output.failure is not None and output.failure.http_status is not None:
        return Read(status=output.failure.http_status)
    usage = output.usage
    return Read(
        text=output.text,
        calls=tuple((c.name, arguments(c.arguments)) for c in output.tool_calls),
        ids=tuple(c.id for c in output.tool_calls),
        finish=output.finish_reason,
        usage=(usage.input, usage.cached or 0, usage.output, usage.reasoning or 0),
        model=output.served_model,
        refusal=output.metadata.get("refusal", ""),
        logprobs=output.logprobs,
    )


def check(
    fake: FakeProvider, kind: str, stream: bool, request: dict[str, Any], official_fields: dict[str, Any]
) -> Read:
    fake.reset()
    theirs = DIALECTS[kind][0](fake, stream, **official_fields)
    their_call = fake.log[-1]
    fake.reset()
    mine = ours(fake, kind, stream, request)
    my_call = fake.log[-1]
    assert camel(my_call.body) == camel(their_call.body)
    if my_call.body == their_call.body:
        assert my_call.key == their_call.key
    assert my_call.headers.get("anthropic-version") == their_call.headers.get("anthropic-version")
    assert keys(my_call.headers) == keys(their_call.headers) == {official.KEY}
    assert mine == theirs
    return mine


def camel(value: Any) -> Any:
    """Names in camel case: Google's client writes some of them in snake case, which its API reads alike."""
    if isinstance(value, dict):
        return {re.sub(r"_([a-z])", lambda found: found[1].upper(), key): camel(item) for key, item in value.items()}
    return [camel(item) for item in value] if isinstance(value, list) else value


def keys(headers: Mapping[str, str]) -> set[str]:
    """The keys that are shown: Anthropic reads its key from either of two headers."""
    names = ("authorization", "x-api-key", "x-goog-api-key")
    return {headers[name].removeprefix("Bearer ") for name in names if name in headers}


PLAIN = {
    "openai": lambda text, most: {"messages": [{"role": "user", "content": text}], "max_tokens": most},
    "responses": lambda text, most: {
        "input": [{"role": "user", "content": text}],
        "max_output_tokens": most,
        "store": False,
    },
    "anthropic": lambda text, most: {"messages": [{"role": "user", "content": text}], "max_tokens": most},
    "gemini": lambda text, most: {
        "contents": [{"role": "user", "parts": [{"text": text}]}],
        "max_output_tokens": most,
    },
}


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("text", ANSWERS)
@pytest.mark.parametrize("kind", DIALECTS)
def test_answers(fake, kind, text, stream):
    most = 4 if text == "long" else 100
    request = {"messages": [{"role": "user", "content": text}], "params": {"max_tokens": most}}
    read = check(fake, kind, stream, request, PLAIN[kind](text, most))
    assert read.status == 0
    assert read.text or read.calls
    assert read.model == "m-2026-01-01"
    assert read.finish == {"long": "length", "one call": "tool_calls", "two calls": "tool_calls"}.get(text, read.finish)


@pytest.mark.parametrize("text", ERRORS)
@pytest.mark.parametrize("kind", DIALECTS)
def test_errors(fake, kind, text):
    request = {"messages": [{"role": "user", "content": text}], "params": {"max_tokens": 9}}
    read = check(fake, kind, False, request, PLAIN[kind](text, 9))
    assert read == Read(status=STATUS[text] if text in STATUS else int(text))


TURNS = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "Order 7?"},
    {"role": "assistant", "content": "Which shop?"},
    {"role": "user", "content": "The blue one."},
]
TOOLS = [
    {"name": "look_up", "description": "Find an order.", "parameters": LOOK_UP},
    {"name": "refund", "parameters": LOOK_UP},
]
RESULTS = [
    {"role": "user", "content": "Orders 7 and 8?"},
    {
        "role": "assistant",
        "content": "Looking.",
        "tool_calls": [
            {"id": "call_1", "name": "look_up", "arguments": {"id": 7}},
            {"id": "call_2", "name": "look_up", "arguments": {"id": 8}},
        ],
    },
    {"role": "tool", "tool_call_id": "call_1", "content": '{"state": "sent"}'},
    {"role": "tool", "tool_call_id": "call_2", "content": "not found"},
    {"role": "user", "content": "And?"},
]
IMAGE = [{"type": "text", "text": "What is it?"}, {"type": "image", "media_type": "image/png", "data": PNG}]
LINKED = [{"type": "text", "text": "What is it?"}, {"type": "image", "url": "https://example.org/a.png"}]
FILE = [
    {"type": "text", "text": "Sum it up."},
    {"type": "file", "media_type": "application/pdf", "name": "a.pdf", "data": PDF},
]
FORMAT = {"type": "json_schema", "json_schema": {"name": "place", "strict": True, "schema": SHAPE}}


def asked(content: Any = "Hi.", params: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    messages = fields.pop("messages", None) or [{"role": "user", "content": content}]
    return {"messages": messages, "params": {"max_tokens": 50, **(params or {})}, **fields}


REQUESTS = {
    "system and turns": asked(messages=TURNS),
    "tools": asked(tools=TOOLS),
    "tool results": asked(messages=RESULTS, tools=TOOLS),
    "image": asked(IMAGE),
    "linked image": asked(LINKED),
    "file": asked(FILE),
    "structured output": asked(params={"response_format": FORMAT}),
    "service tier": asked(params={"service_tier": "auto"}),
    "no tool": asked(tools=TOOLS, params={"tool_choice": "none"}),
    "any tool": asked(tools=TOOLS, params={"tool_choice": "required"}),
    "one tool": asked(tools=TOOLS, params={"tool_choice": {"type": "function", "function": {"name": "refund"}}}),
}


def text_of(role: str, text: str, **more: Any) -> dict[str, Any]:
    return {"role": role, "content": text, **more}


CHAT_TOOLS = [{"type": "function", "function": tool} for tool in TOOLS]
DATA = f"data:image/png;base64,{PNG}"


def chat(messages: Any = None, **fields: Any) -> dict[str, Any]:
    return {"messages": messages or [text_of("user", "Hi.")], "max_tokens": 50, **fields}


def chat_call(number: int) -> dict[str, Any]:
    function = {"name": "look_up", "arguments": f'{{"id":{number + 6}}}'}
    return {"id": f"call_{number}", "type": "function", "function": function}


def chat_parts(second: dict[str, Any], text: str = "What is it?") -> dict[str, Any]:
    return chat([text_of("user", [{"type": "text", "text": text}, second])])


CHAT = {
    "system and turns": chat(TURNS),
    "tools": chat(tools=CHAT_TOOLS),
    "tool results": chat(
        [RESULTS[0], text_of("assistant", "Looking.", tool_calls=[chat_call(1), chat_call(2)]), *RESULTS[2:]],
        tools=CHAT_TOOLS,
    ),
    "image": chat_parts({"type": "image_url", "image_url": {"url": DATA}}),
    "linked image": chat_parts({"type": "image_url", "image_url": {"url": "https://example.org/a.png"}}),
    "file": chat_parts(
        {"type": "file", "file": {"filename": "a.pdf", "file_data": f"data:application/pdf;base64,{PDF}"}}, "Sum it up."
    ),
    "structured output": chat(response_format=FORMAT),
    "service tier": chat(service_tier="auto"),
    "no tool": chat(tools=CHAT_TOOLS, tool_choice="none"),
    "any tool": chat(tools=CHAT_TOOLS, tool_choice="required"),
    "one tool": chat(tools=CHAT_TOOLS, tool_choice={"type": "function", "function": {"name": "refund"}}),
}

RESPONSE_TOOLS = [{"type": "function", "strict": False, **tool} for tool in TOOLS]


def response(items: Any = None, **fields: Any) -> dict[str, Any]:
    return {"input": items or [text_of("user", "Hi.")], "max_output_tokens": 50, "store": False, **fields}


def response_parts(second: dict[str, Any], text: str = "What is it?") -> dict[str, Any]:
    return response([text_of("user", [{"type": "input_text", "text": text}, second])])


RESPONSES = {
    "system and turns": response(TURNS),
    "tools": response(tools=RESPONSE_TOOLS),
    "tool results": response(
        [
            RESULTS[0],
            text_of("assistant", "Looking."),
            {"type": "function_call", "call_id": "call_1", "name": "look_up", "arguments": '{"id":7}'},
            {"type": "function_call", "call_id": "call_2", "name": "look_up", "arguments": '{"id":8}'},
            {"type": "function_call_output", "call_id": "call_1", "output": '{"state": "sent"}'},
            {"type": "function_call_output", "call_id": "call_2", "output": "not found"},
            RESULTS[4],
        ],
        tools=RESPONSE_TOOLS,
    ),
    "image": response_parts({"type": "input_image", "detail": "auto", "image_url": DATA}),
    "linked image": response_parts({"type": "input_image", "detail": "auto", "image_url": "https://example.org/a.png"}),
    "file": response_parts(
        {"type": "input_file", "filename": "a.pdf", "file_data": f"data:application/pdf;base64,{PDF}"}, "Sum it up."
    ),
    "structured output": response(
        text={"format": {"type": "json_schema", "name": "place", "strict": True, "schema": SHAPE}}
    ),
    "service tier": response(service_tier="auto"),
    "no tool": response(tools=RESPONSE_TOOLS, tool_choice="none"),
    "any tool": response(tools=RESPONSE_TOOLS, tool_choice="required"),
    "one tool": response(tools=RESPONSE_TOOLS, tool_choice={"type": "function", "name": "refund"}),
}

MESSAGE_TOOLS = [
    {"name": "look_up", "description": "Find an order.", "input_schema": LOOK_UP},
    {"name": "refund", "input_schema": LOOK_UP},
]


def message(messages: Any = None, **fields: Any) -> dict[str, Any]:
    return {"messages": messages or [text_of("user", "Hi.")], "max_tokens": 50, **fields}


def message_parts(second: dict[str, Any], text: str = "What is it?") -> dict[str, Any]:
    return message([text_of("user", [{"type": "text", "text": text}, second])])


def based(media_type: str, data: str) -> dict[str, str]:
    return {"type": "base64", "media_type": media_type, "data": data}


MESSAGES = {
    "system and turns": message(TURNS[1:], system="Be brief."),
    "tools": message(tools=MESSAGE_TOOLS),
    "tool results": message(
        [
            RESULTS[0],
            text_of(
                "assistant",
                [
                    {"type": "text", "text": "Looking."},
                    {"type": "tool_use", "id": "call_1", "name": "look_up", "input": {"id": 7}},
                    {"type": "tool_use", "id": "call_2", "name": "look_up", "input": {"id": 8}},
                ],
            ),
            text_of(
                "user",
                [
                    {"type": "tool_result", "tool_use_id": "call_1", "content": '{"state": "sent"}'},
                    {"type": "tool_result", "tool_use_id": "call_2", "content": "not found"},
                ],
            ),
            RESULTS[4],
        ],
        tools=MESSAGE_TOOLS,
    ),
    "image": message_parts({"type": "image", "source": based("image/png", PNG)}),
    "linked image": message_parts({"type": "image", "source": {"type": "url", "url": "https://example.org/a.png"}}),
    "file": message_parts(
        {"type": "document", "title": "a.pdf", "source": based("application/pdf", PDF)}, "Sum it up."
    ),
    "structured output": message(output_config={"format": {"type": "json_schema", "schema": SHAPE}}),
    "service tier": message(service_tier="auto"),
    "no tool": message(tools=MESSAGE_TOOLS, tool_choice={"type": "none"}),
    "any tool": message(tools=MESSAGE_TOOLS, tool_choice={"type": "any"}),
    "one tool": message(tools=MESSAGE_TOOLS, tool_choice={"type": "tool", "name": "refund"}),
}

GEMINI_TOOLS = [
    {
        "function_declarations": [
            {"name": "look_up", "description": "Find an order.", "parameters_json_schema": LOOK_UP},
            {"name": "refund", "parameters_json_schema": LOOK_UP},
        ]
    }
]


def content(role: str, *parts: Any) -> dict[str, Any]:
    return {"role": role, "parts": [{"text": part} if isinstance(part, str) else part for part in parts]}


def gemini(*contents: Any, **fields: Any) -> dict[str, Any]:
    manual = {"automatic_function_calling": {"disable": True}} if "tools" in fields else {}
    return {"contents": list(contents or [content("user", "Hi.")]), "max_output_tokens": 50, **manual, **fields}


def calling(mode: str, **more: Any) -> dict[str, Any]:
    return {"function_calling_config": {"mode": mode, **more}}


def function_call(number: int) -> dict[str, Any]:
    return {"function_call": {"id": f"call_{number}", "name": "look_up", "args": {"id": number + 6}}}


def function_response(number: int, said: dict[str, Any]) -> dict[str, Any]:
    return {"function_response": {"id": f"call_{number}", "name": "look_up", "response": said}}


GEMINI = {
    "system and turns": gemini(
        content("user", "Order 7?"),
        content("model", "Which shop?"),
        content("user", "The blue one."),
        system_instruction={"parts": [{"text": "Be brief."}]},
    ),
    "tools": gemini(tools=GEMINI_TOOLS),
    "tool results": gemini(
        content("user", "Orders 7 and 8?"),
        content("model", "Looking.", function_call(1), function_call(2)),
        content("user", function_response(1, {"state": "sent"}), function_response(2, {"output": "not found"})),
        content("user", "And?"),
        tools=GEMINI_TOOLS,
    ),
    "image": gemini(content("user", "What is it?", {"inline_data": {"mime_type": "image/png", "data": PNG}})),
    "linked image": gemini(content("user", "What is it?", {"file_data": {"file_uri": "https://example.org/a.png"}})),
    "file": gemini(content("user", "Sum it up.", {"inline_data": {"mime_type": "application/pdf", "data": PDF}})),
    "structured output": gemini(response_mime_type="application/json", response_json_schema=SHAPE),
    "no tool": gemini(tools=GEMINI_TOOLS, tool_config=calling("NONE")),
    "any tool": gemini(tools=GEMINI_TOOLS, tool_config=calling("ANY")),
    "one tool": gemini(tools=GEMINI_TOOLS, tool_config=calling("ANY", allowed_function_names=["refund"])),
}

OFFICIAL = {"openai": CHAT, "responses": RESPONSES, "anthropic": MESSAGES, "gemini": GEMINI}


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind, rows in OFFICIAL.items() for name in rows])
def test_requests(fake, kind, name):
    assert check(fake, kind, False, REQUESTS[name], OFFICIAL[kind][name]).text.startswith("You said: ")


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize(
    ("kind", "params", "fields"),
    [
        pytest.param("openai", {"logprobs": True}, {"logprobs": True}, id="openai"),
        pytest.param("responses", {"logprobs": True}, {"include": ["message.output_text.logprobs"]}, id="responses"),
        pytest.param("gemini", {"logprobs": True}, {"response_logprobs": True}, id="gemini"),
    ],
)
def test_logprobs(fake, kind, params, fields, stream):
    request = {"messages": [{"role": "user", "content": "plain"}], "params": {"max_tokens": 100, **params}}
    assert check(fake, kind, stream, request, PLAIN[kind]("plain", 100) | fields).logprobs == (-0.1,) * 5


@pytest.mark.parametrize(
    ("kind", "params", "fields"),
    [
        *(
            pytest.param(
                kind, {"temperature": 0, "top_p": 0.9}, {"temperature": 0, "top_p": 0.9}, id=f"{kind}-sampling"
            )
            for kind in ("openai", "responses", "gemini")
        ),
        pytest.param("openai", {"stop": ["\n"], "seed": 7}, {"stop": ["\n"], "seed": 7}, id="openai"),
        pytest.param("anthropic", {"stop": ["\n", "END"]}, {"stop_sequences": ["\n", "END"]}, id="anthropic"),
        pytest.param("gemini", {"stop": "\n", "seed": 7}, {"stop_sequences": ["\n"], "seed": 7}, id="gemini"),
        pytest.param("responses", {"reasoning_effort": "low"}, {"reasoning": {"effort": "low"}}, id="responses"),
        pytest.param(
            "anthropic",
            {"thinking": {"type": "enabled", "budget_tokens": 1024}},
            {"thinking": {"type": "enabled", "budget_tokens": 1024}},
            id="anthropic-own",
        ),
        pytest.param(
            "gemini",
            {"topK": 3, "thinkingConfig": {"thinkingBudget": 9}},
            {"top_k": 3, "thinking_config": {"thinking_budget": 9}},
            id="gemini-own",
        ),
    ],
)
def test_own_parameters(fake, kind, params, fields):
    request = {"messages": [{"role": "user", "content": "plain"}], "params": {"max_tokens": 100, **params}}
    check(fake, kind, False, request, PLAIN[kind]("plain", 100) | fields)
