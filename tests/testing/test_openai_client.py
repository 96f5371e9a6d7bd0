"""The official client, which nobody here wrote, reads what the fake provider says."""

import pytest

from seatrial.testing import FakeProvider, Fault, Reply, Rule, Script

openai = pytest.importorskip("openai")

CALLS = [{"name": "look_up", "arguments": {"id": 7, "name": "Zoë"}}, {"name": "b"}]
LATER = [Reply(fault="rate_limit"), Reply(fault="reset"), Reply(text="at last")]

SCRIPT = Script(
    models=("m",),
    answers=[
        Rule(when={"input": "tools"}, tool_calls=CALLS),
        Rule(when={"input": "refuse"}, refusal="I will not."),
        Rule(when={"input": "odd"}, text="naïve  text\n\twith 日本 signs \n"),
        Rule(when={"input": "later"}, sequence=LATER),
        *(Rule(when={"input": kind}, fault=kind) for kind in ("quota", "unauthorized", "not_found", "bad_request")),
        Rule(when={"input": "server_error"}, fault="server_error"),
        Rule(when={"input": "truncated"}, fault="truncated"),
        Rule(when={"input": "hang"}, fault="hang"),
        Rule(when={"input": "stream_error"}, fault=Fault(kind="stream_error")),
    ],
)


@pytest.fixture(scope="module")
def fake():
    with FakeProvider(SCRIPT).in_thread() as running:
        yield running


@pytest.fixture
def ask(fake):
    with openai.OpenAI(base_url=fake.base_url, api_key="k", max_retries=0) as client:

        def create(text, *, retries=0, timeout=10.0, **fields):
            messages = [{"role": "system", "content": "s"}, {"role": "user", "content": text}]
            with_options = client.with_options(max_retries=retries, timeout=timeout)
            return with_options.chat.completions.create(model="m", messages=messages, **fields)

        create.client = client
        yield create


def test_models(ask):
    assert [model.id for model in ask.client.models.list()] == ["m"]
    assert ask.client.models.retrieve("m").id == "m"
    with pytest.raises(openai.NotFoundError):
        ask.client.models.retrieve("n")


def test_chat(ask):
    got = ask("odd", logprobs=True, n=2)
    assert [choice.message.content for choice in got.choices] == ["naïve  text\n\twith 日本 signs \n"] * 2
    assert "".join(token.token for token in got.choices[0].logprobs.content) == got.choices[0].message.content
    assert (got.choices[0].finish_reason, got.model, got.usage.prompt_tokens) == ("stop", "m", 8)


def test_tools_and_refusal(ask):
    choice = ask("tools").choices[0]
    assert [(c.function.name, c.function.arguments) for c in choice.message.tool_calls] == [
        ("look_up", '{"id":7,"name":"Zoë"}'),
        ("b", "{}"),
    ]
    assert (choice.finish_reason, choice.message.content) == ("tool_calls", None)
    assert len({c.id for c in choice.message.tool_calls}) == 2
    assert ask("refuse").choices[0].message.refusal == "I will not."


@pytest.mark.parametrize("text", ["odd", "tools", "refuse", "plain echo"])
def test_a_stream_adds_up_to_the_whole_answer(ask, text):
    whole = ask(text)
    with ask.client.chat.completions.stream(
        model="m",
        messages=[{"role": "system", "content": "s"}, {"role": "user", "content": text}],
        stream_options={"include_usage": True},
    ) as stream:
        streamed = stream.get_final_completion()
    assert (streamed.choices[0].message.content or None) == whole.choices[0].message.content
    assert streamed.choices[0].message.refusal == whole.choices[0].message.refusal
    calls, expected = (
        [(c.function.name, c.function.arguments) for c in got.choices[0].message.tool_calls or []]
        for got in (streamed, whole)
    )
    assert calls == expected
    assert streamed.choices[0].finish_reason == whole.choices[0].finish_reason
    assert streamed.usage == whole.usage


ERRORS = [
    pytest.param("quota", openai.RateLimitError, "insufficient_quota", id="quota"),
    pytest.param("unauthorized", openai.AuthenticationError, "invalid_api_key", id="unauthorized"),
    pytest.param("not_found", openai.NotFoundError, "model_not_found", id="not-found"),
    pytest.param("bad_request", openai.BadRequestError, None, id="bad-request"),
    pytest.param("server_error", openai.InternalServerError, None, id="server-error"),
]


@pytest.mark.parametrize(("text", "error", "code"), ERRORS)
def test_errors(ask, text, error, code):
    with pytest.raises(error) as caught:
        ask(text)
    assert caught.value.code == code


def test_connection_errors(ask):
    with pytest.raises(openai.APIConnectionError):
        ask("truncated")
    with pytest.raises(openai.APITimeoutError):
        ask("hang", timeout=0.1)
    with pytest.raises(openai.APIError, match="had an error"):
        list(ask("stream_error", stream=True))


def test_retries_reach_the_answer(ask, fake):
    assert ask("later", retries=2).choices[0].message.content == "at last"
    messages = [{"role": "system", "content": "s"}, {"role": "user", "content": "later"}]
    assert fake.calls_for(messages) == 3
