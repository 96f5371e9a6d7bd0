import asyncio
import json
import socket
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import aiohttp
import pytest

from seatrial.errors import UsageError
from seatrial.testing import Capacity, FakeProvider, Fault, Latency, Reply, Rule, Script, Switch
from seatrial.testing.capacity import Limits


def body(got: bytes) -> dict:
    return json.loads(got.partition(b"\r\n\r\n")[2])


def said(got: bytes) -> str:
    return body(got)["choices"][0]["message"]["content"]


def test_same_script_same_bytes(talk, make_chat):
    script = Script(
        seed=3,
        faults=[Fault(kind="rate_limit", probability=0.3), Fault(kind="malformed_json", probability=0.2)],
        default=Reply(echo="{model} {call} {input}"),
    )

    def run(script: Script) -> list[bytes]:
        with FakeProvider(script).in_thread() as fake:
            return [talk(fake.port, make_chat(f"q{i % 20}", stream=i % 3 == 0)) for i in range(60)]

    first = run(script)
    assert first == run(script)
    assert first != run(script.model_copy(update={"seed": 4}))


def test_faults_do_not_depend_on_the_order_of_requests(talk, make_chat):
    script = Script(seed=1, faults=[Fault(kind="server_error", probability=0.5)])

    def run(order: list[int]) -> dict[int, list[bytes]]:
        seen: dict[int, list[bytes]] = {}
        with FakeProvider(script).in_thread() as fake:
            for i in order:
                seen.setdefault(i, []).append(talk(fake.port, make_chat(f"q{i}")))
        return seen

    order = list(range(20)) * 2
    assert run(order) == run(sorted(order))


def test_counters(talk, make_chat):
    rule = Rule(when={"input": "twice"}, sequence=[Reply(fault="server_error"), Reply(text="ok")])
    with FakeProvider(Script(answers=[rule])).in_thread() as fake:
        for text in ("twice", "twice", "twice", "once"):
            talk(fake.port, make_chat(text))
        talk(fake.port, make_chat("once", model="other"))
        stats = fake.stats
        assert (stats.calls, stats.served, stats.again, stats.inputs) == (5, 4, 1, 3)
        assert stats.by_status == {"500": 1, "200": 4}
        assert stats.by_model == {"m": 4, "other": 1}
        assert stats.by_fault == {"server_error": 1}
        assert (fake.calls, fake.calls_for("twice"), fake.calls_for("once"), fake.calls_for("never")) == (5, 3, 2, 0)
        assert fake.calls_for([{"role": "user", "content": "once"}], model="other") == 1
        assert fake.per_input("twice").again == 1
        assert [call.attempt for call in fake.log] == [1, 2, 3, 1, 1]
        assert fake.log[0].body["messages"][0]["content"] == "twice"
        fake.reset()
        assert fake.stats.calls == 0
        assert body(talk(fake.port, make_chat("twice")))["error"]  # attempts start anew


def test_the_log_is_bounded(talk, make_chat):
    with FakeProvider(log_size=3).in_thread() as fake:
        for i in range(5):
            talk(fake.port, make_chat(str(i)))
        assert [call.number for call in fake.log] == [3, 4, 5]
        assert fake.calls == 5


BAD_BODIES = [
    pytest.param(b"", None, id="empty"),
    pytest.param(b"{", None, id="not-json"),
    pytest.param(b"\xff", None, id="not-utf8"),
    pytest.param(b"[" * 100_000, None, id="deep"),
    pytest.param(b"[]", None, id="array"),
    pytest.param(b"null", None, id="null"),
    pytest.param(b"{}", "model", id="no-model"),
    pytest.param(b'{"model": 7}', "model", id="model-number"),
    pytest.param(b'{"model": "m"}', "messages", id="no-messages"),
    pytest.param(b'{"model": "m", "messages": []}', "messages", id="no-message"),
    pytest.param(b'{"model": "m", "messages": "hi"}', "messages", id="messages-text"),
    pytest.param(b'{"model": "m", "messages": [1]}', "messages[0]", id="message-number"),
    pytest.param(b'{"model": "m", "messages": [{"role": 1}]}', "messages[0]", id="role-number"),
    pytest.param(b'{"model": "m", "messages": [{"role": "user"}], "n": 0}', "n", id="n-zero"),
    pytest.param(b'{"model": "m", "messages": [{"role": "user"}], "n": 1e9}', "n", id="n-float"),
    pytest.param(b'{"model": "m", "messages": [{"role": "user"}], "max_tokens": true}', "max_tokens", id="bool"),
]


@pytest.mark.parametrize(("raw", "param"), BAD_BODIES)
def test_a_request_that_makes_no_sense_is_400(talk, make_request, raw, param):
    with FakeProvider().in_thread() as fake:
        got = talk(fake.port, make_request(raw, headers="connection: close\r\n"))
        assert got.startswith(b"HTTP/1.1 400 ")
        assert body(got)["error"]["param"] == param
        assert fake.stats.by_status == {"400": 1}


ODD = [
    pytest.param('"\\ud800\\u0000"', "\ud800\0", id="lone-surrogate-and-null"),
    pytest.param('[{"type":"text","text":"a"},{"type":"image_url"},{"text":"b"}]', "a\nb", id="parts"),
    pytest.param("null", "", id="null"),
    pytest.param("17", "", id="number"),
]


@pytest.mark.parametrize(("content", "expected"), ODD)
def test_odd_content_is_echoed_or_empty(talk, make_request, content, expected):
    raw = b'{"model":"m\\udfff","seed":9223372036854775808,"x":NaN,"messages":[{"role":"user","content":%b}]}'
    with FakeProvider().in_thread() as fake:
        got = talk(fake.port, make_request(raw % content.encode(), headers="connection: close\r\n"))
        control = talk(fake.port, make_request(b"", path="/_fake/log", method="GET", headers="connection: close\r\n"))
    assert said(got) == expected
    assert body(got)["model"] == "m\udfff"
    assert control.startswith(b"HTTP/1.1 200 ")


def test_keys_and_models(talk, make_chat, make_request):
    script = Script(models=["m"], api_keys=["good"])
    close = "connection: close\r\n"
    with FakeProvider(script).in_thread() as fake:
        assert talk(fake.port, make_chat()).startswith(b"HTTP/1.1 401 ")
        assert talk(fake.port, make_chat(headers=close + "authorization: Bearer bad\r\n")).startswith(b"HTTP/1.1 401 ")
        good = close + "authorization: Bearer good\r\n"
        assert talk(fake.port, make_chat(headers=good)).startswith(b"HTTP/1.1 200 ")
        assert talk(fake.port, make_chat(headers=close + "x-api-key: good\r\n")).startswith(b"HTTP/1.1 200 ")
        assert talk(fake.port, make_chat(model="n", headers=good)).startswith(b"HTTP/1.1 404 ")
        models = make_request(b"", path="/v1/models", method="GET", headers=good)
        assert [m["id"] for m in body(talk(fake.port, models))["data"]] == ["m"]
        assert fake.stats.by_status == {"401": 2, "200": 2, "404": 1}


def test_usage_and_the_output_limit(talk, make_chat):
    rules = [
        Rule(when={"input": "said"}, text="a", usage={"input": 9, "cached": 5, "output": 8, "reasoning": 7}),
        Rule(when={"input": "silent"}, text="a", usage=False),
        Rule(when={"input": "long"}, text="one two, three"),
    ]
    with FakeProvider(Script(answers=rules)).in_thread() as fake:
        scripted = body(talk(fake.port, make_chat("said")))["usage"]
        assert (scripted["prompt_tokens"], scripted["completion_tokens"], scripted["total_tokens"]) == (9, 8, 17)
        assert scripted["prompt_tokens_details"]["cached_tokens"] == 5
        assert scripted["completion_tokens_details"]["reasoning_tokens"] == 7
        assert "usage" not in body(talk(fake.port, make_chat("silent")))
        counted = body(talk(fake.port, make_chat("long")))
        assert (counted["usage"]["prompt_tokens"], counted["usage"]["completion_tokens"]) == (4, 4)
        cut = body(talk(fake.port, make_chat("long", max_tokens=2)))
        assert cut["choices"][0]["message"]["content"] == "one two"
        assert cut["choices"][0]["finish_reason"] == "length"


def test_a_switch_changes_the_answers_and_no_sign_of_it(talk, make_chat):
    script = Script(
        answers=[Rule(when={"input": "kept"}, text="as ever")],
        default=Reply(text="good"),
        variants={"worse": {"default": {"text": "bad"}}, "marked": {"fingerprint": "fp_new"}},
        switch=Switch(to="worse", after=2),
    )
    with FakeProvider(script).in_thread() as fake:
        answers = [body(talk(fake.port, make_chat(str(i)))) for i in range(4)]
        assert [a["choices"][0]["message"]["content"] for a in answers] == ["good", "good", "bad", "bad"]
        assert {(a["model"], a["system_fingerprint"]) for a in answers} == {("m", "fp_fake")}
        assert said(talk(fake.port, make_chat("kept"))) == "as ever"
        assert [call.variant for call in fake.log] == ["", "", "worse", "worse", "worse"]
        fake.switch("marked")
        marked = body(talk(fake.port, make_chat("5")))
        assert (marked["choices"][0]["message"]["content"], marked["system_fingerprint"]) == ("good", "fp_new")
        fake.switch()
        assert body(talk(fake.port, make_chat("6")))["system_fingerprint"] == "fp_fake"
        with pytest.raises(UsageError, match="did you mean 'worse'"):
            fake.switch("worsee")


def test_control_endpoints(talk, make_chat, make_request):
    def control(path: str, raw: object = b"", method: str = "POST", headers: str = "") -> bytes:
        return talk(fake.port, make_request(raw, path=path, method=method, headers=f"connection: close\r\n{headers}"))

    with FakeProvider(Script(variants={"v": {"default": {"text": "v"}}})).in_thread() as fake:
        talk(fake.port, make_chat("a", headers="connection: close\r\nauthorization: Bearer hidden\r\n"))
        stats = body(control("/_fake/stats?inputs", method="GET"))
        assert (stats["calls"], stats["by_status"], stats["per_input"][0]["served"]) == (1, {"200": 1}, 1)
        assert "per_input" not in body(control("/_fake/stats", method="GET"))
        assert b"hidden" not in control("/_fake/log", method="GET")
        assert body(control("/_fake/switch", {"to": "v"})) == {"variant": "v"}
        assert said(talk(fake.port, make_chat("a"))) == "v"
        control("/_fake/reset")
        assert fake.stats.calls == 0
        assert control("/_fake/script", {"default": {"text": "new"}}).startswith(b"HTTP/1.1 200 ")
        assert said(talk(fake.port, make_chat("a"))) == "new"
        for path, raw in [
            ("/_fake/script", {"answers_file": "/etc/passwd"}),
            ("/_fake/script", {"seed": "x"}),
            ("/_fake/script", b"["),
            ("/_fake/switch", {"to": 3}),
            ("/_fake/switch", {"to": "nowhere"}),
            ("/_fake/switch", b"[]"),
        ]:
            got = control(path, raw)
            assert got.startswith(b"HTTP/1.1 400 ")
            assert body(got)["error"]["message"]
        assert said(talk(fake.port, make_chat("a"))) == "new"
        assert control("/_fake/reset", headers="origin: http://evil.example\r\n").startswith(b"HTTP/1.1 403 ")


def test_a_python_function_answers_first(talk, make_chat):
    calls = count(1)

    def answer(asked):
        if asked.text == "boom":
            raise RuntimeError("the caller's own mistake")
        return None if asked.text == "rules" else f"{next(calls)} {asked.model} {asked.text}"

    with FakeProvider(Script(default=Reply(text="from the rules")), answer=answer).in_thread() as fake:
        assert said(talk(fake.port, make_chat("a"))) == "1 m a"
        assert said(talk(fake.port, make_chat("rules"))) == "from the rules"
        assert talk(fake.port, make_chat("boom")).startswith(b"HTTP/1.1 500 ")
        with pytest.raises(UsageError), fake.in_process():
            pass


def bucket_run(capacity: Capacity, asks: list[tuple[float, int]]) -> list[float | None]:
    limits = Limits(capacity, 0.0)
    return [limits.admit(tokens, now) for now, tokens in asks]


CAPACITIES = [
    pytest.param({"rps": 2}, [(0, 1), (0, 1), (0, 1), (0.5, 1), (0.5, 1)], [None, None, 0.5, None, 0.5], id="rps"),
    pytest.param({"rpm": 60}, [(0, 1), (0, 1), (1, 1)], [None, 1.0, None], id="rpm"),
    pytest.param({"rpm": 6}, [(0, 1), (5, 1), (10, 1)], [None, 5.0, None], id="slow-rpm-holds-one"),
    pytest.param({"rps": 2, "burst_seconds": 2}, [(0, 1)] * 5, [None] * 4 + [0.5], id="burst"),
    pytest.param({"tpm": 600}, [(0, 6), (0, 6), (0.2, 6)], [None, 0.2, None], id="tpm"),
    pytest.param({"tpm": 600}, [(0, 100), (1, 1), (9.2, 1)], [None, 8.1, None], id="tpm-larger-than-the-bucket"),
    pytest.param({"concurrency": 2}, [(0, 1)] * 3, [None, None, 0.0], id="concurrency"),
    pytest.param({}, [(0, 10**9)] * 3, [None] * 3, id="unlimited"),
]


@pytest.mark.parametrize(("capacity", "asks", "expected"), CAPACITIES)
def test_capacity(capacity, asks, expected):
    assert bucket_run(Capacity(**capacity), asks) == pytest.approx(expected)


def test_beyond_capacity_is_429_and_counted(talk, make_chat):
    now = [0.0]
    script = Script(capacity=Capacity(rps=1, per_key=True), answers=[Rule(sequence=[Reply(text="1"), Reply(text="2")])])
    headers = "connection: close\r\nauthorization: Bearer {}\r\n"
    with FakeProvider(script, clock=lambda: now[0]).in_thread() as fake:
        assert said(talk(fake.port, make_chat(headers=headers.format("a")))) == "1"
        refused = talk(fake.port, make_chat(headers=headers.format("a")))
        assert refused.startswith(b"HTTP/1.1 429 ")
        assert b"retry-after: 1\r\n" in refused
        assert b"retry-after-ms: 1000\r\n" in refused
        assert said(talk(fake.port, make_chat(headers=headers.format("b")))) == "2"
        now[0] = 1.0
        assert said(talk(fake.port, make_chat(headers=headers.format("a")))) == "2"
        assert (fake.stats.refused, fake.stats.served, fake.stats.by_fault) == (1, 3, {"capacity": 1})


def test_concurrency_seen_and_enforced(talk, make_chat):
    script = Script(latency=Latency(constant=0.2), capacity=Capacity(concurrency=3, retry_after="none"))
    with FakeProvider(script).in_thread() as fake, ThreadPoolExecutor(5) as pool:
        got = list(pool.map(lambda i: talk(fake.port, make_chat(str(i))), range(5)))
        assert sorted(g[9:12] for g in got) == [b"200", b"200", b"200", b"429", b"429"]
        assert not any(b"retry-after" in g for g in got)
        assert (fake.stats.max_in_flight, fake.stats.in_flight) == (3, 0)


def test_a_client_that_leaves_frees_its_place(talk, make_chat):
    script = Script(latency=Latency(constant=60), capacity=Capacity(concurrency=1))
    with FakeProvider(script).in_thread() as fake:
        assert talk(fake.port, make_chat("a"), silence=0.05) == b"<silence>"
        assert talk(fake.port, make_chat("b"), silence=0.05) == b"<silence>"
        assert (fake.stats.refused, fake.stats.max_in_flight) == (0, 1)


def test_a_stream_is_paced(talk, make_chat):
    script = Script(stream={"first_token": 0.0, "between": {"uniform": [0.001, 0.002]}, "tokens": 2})
    with FakeProvider(script).in_thread() as fake:
        paced = talk(fake.port, make_chat("one two three four five", stream=True))
        fake.load(Script(stream={"tokens": 2}))
        assert talk(fake.port, make_chat("one two three four five", stream=True)) == paced
    assert paced.count(b'"delta":{"content":') == 3


def test_sixty_four_connections_get_their_own_answers():
    async def run() -> FakeProvider:
        async with FakeProvider() as fake, aiohttp.ClientSession() as session:

            async def ask(i: int) -> None:
                body = {"model": "m", "messages": [{"role": "user", "content": f"q{i}"}]}
                async with session.post(f"{fake.base_url}/chat/completions", json=body) as answer:
                    assert (await answer.json())["choices"][0]["message"]["content"] == f"q{i}"

            await asyncio.gather(*(ask(i) for i in range(500)))
            return fake

    stats = asyncio.run(run()).stats
    assert (stats.calls, stats.served, stats.again) == (500, 500, 0)


def test_a_port_in_use_is_a_usage_error():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match="cannot serve"), FakeProvider(port=port).in_thread():
            pass
        with pytest.raises(UsageError, match="cannot serve"), FakeProvider(port=port).in_process():
            pass
    with pytest.raises(UsageError, match="cannot serve"), FakeProvider(port=99_999).in_thread():
        pass
