"""Both batch APIs on the wire: the bytes that go out, and whatever may come back."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from tests.targets.raw_server import CASE, KEY, REQUEST, Got, RawServer, completion, http, spec

from seatrial.core.case import Case
from seatrial.core.output import Output, Request
from seatrial.core.protocols import Batches, BatchStatus, TakesBatches
from seatrial.errors import TargetDownError
from seatrial.targets import build

USES = ["openai:m", "responses:m", "anthropic:m"]
MESSAGE = {
    "type": "message",
    "role": "assistant",
    "model": "m-1",
    "content": [{"type": "text", "text": "Paris"}],
    "stop_reason": "end_turn",
    "usage": {"input_tokens": 10, "output_tokens": 2},
}


def talk(
    use: str, *answers: bytes, work: Callable[[Batches], Coroutine[Any, Any, Any]], **fields: Any
) -> tuple[Any, list[Got]]:
    """What a conversation with a server of these answers gives, and what the server got."""

    async def go() -> tuple[Any, list[Got]]:
        async with RawServer(list(answers)) as server:
            more = {
                "use": use,
                "batch": {"poll": 0.01, "settle": 0},
                "params": {"max_tokens": 9},
                "timeout": 2,
                **fields,
            }
            target = build("t", spec(server, **more), Path(), {"A_KEY": KEY})
            await target.open()
            try:
                assert isinstance(target, TakesBatches)
                assert target.batches is not None
                return await work(target.batches), server.got
            finally:
                await target.close()

    return asyncio.run(go())


def offline(use: str, **fields: Any) -> Batches:
    target = build(
        "t", spec(None, use=use, batch=True, params={"max_tokens": 9}, api_key_env="K", **fields), Path(), {}
    )
    assert isinstance(target, TakesBatches)
    assert target.batches is not None
    return target.batches


def written(tmp_path: Path, batches: Batches, *ids: str) -> Path:
    entries = [batches.entry(i, REQUEST) for i in ids]
    path = tmp_path / "entries.jsonl"
    path.write_bytes(b"\n".join(entry for entry in entries if isinstance(entry, bytes)))
    return path


def test_openai_gets_a_file_of_lines_and_an_order(tmp_path: Path):
    async def work(batches: Batches) -> str:
        return await batches.submit("abc123", written(tmp_path, batches, "id-1", "id-2"))

    answers = http({"id": "file-1"}), http({"id": "batch-1"})
    batch_id, (upload, order) = talk("openai:m", *answers, work=work, api_key_env="A_KEY")
    assert batch_id == "batch-1"
    assert (upload.path, order.path) == ("/v1/files", "/v1/batches")
    assert upload.headers["authorization"] == f"Bearer {KEY}"
    boundary = upload.headers["content-type"].removeprefix("multipart/form-data; boundary=").encode()
    _, purpose, file, end = upload.raw.split(b"--" + boundary)
    assert purpose.endswith(b'name="purpose"\r\n\r\nbatch\r\n')
    assert b'filename="seatrial-abc123.jsonl"' in file
    lines = [json.loads(line) for line in file.partition(b"\r\n\r\n")[2].strip().split(b"\n")]
    body = {"model": "m", "messages": [{"role": "user", "content": CASE.input[0].text}]}
    assert lines == [
        {"custom_id": i, "method": "POST", "url": "/v1/chat/completions", "body": body} for i in ("id-1", "id-2")
    ]
    assert end == b"--\r\n"
    assert order.body == {
        "input_file_id": "file-1",
        "endpoint": "/v1/chat/completions",
        "completion_window": "24h",
        "metadata": {"seatrial": "abc123"},
    }


def test_anthropic_gets_all_requests_in_one_body(tmp_path: Path):
    async def work(batches: Batches) -> str:
        return await batches.submit("abc123", written(tmp_path, batches, "id-1", "id-2"))

    batch_id, (order,) = talk("anthropic:m", http({"id": "msgbatch_1"}), work=work, api_key_env="A_KEY")
    assert (batch_id, order.path) == ("msgbatch_1", "/v1/messages/batches")
    assert order.headers["x-api-key"] == KEY
    assert "anthropic-version" in order.headers
    assert [row["custom_id"] for row in order.body["requests"]] == ["id-1", "id-2"]
    assert order.body["requests"][0]["params"]["messages"][0]["role"] == "user"


LOST = [
    pytest.param(http({"error": {"message": "oops"}}, 500), id="server-error"),
    pytest.param(http(b"", 502), id="bad-gateway"),
    pytest.param(http({"id": "b"}, length=99), id="cut"),
    pytest.param(http(b"<html>"), id="no-json"),
    pytest.param(http({"id": "../../v1/files"}), id="an-id-that-leads-elsewhere"),
    pytest.param(http({"id": 7}), id="an-id-of-another-type"),
    pytest.param(http({}), id="no-id"),
]


@pytest.mark.parametrize("answer", LOST)
def test_a_submission_without_a_clear_answer_is_not_sent_again(tmp_path: Path, answer: bytes):
    async def work(batches: Batches) -> str:
        return await batches.submit("n", written(tmp_path, batches, "id-1"))

    batch_id, got = talk("anthropic:m", answer, work=work, retries=3)
    assert (batch_id, len(got)) == ("", 1)


@pytest.mark.parametrize(
    ("status", "word"),
    [
        pytest.param(400, "HTTP 400", id="bad-request"),
        pytest.param(401, "HTTP 401", id="key"),
        pytest.param(404, "leave `batch` out", id="no-such-api"),
        pytest.param(307, "redirect", id="redirect"),
        pytest.param(413, "HTTP 413", id="too-large"),
    ],
)
@pytest.mark.parametrize("use", USES)
def test_a_refused_submission_takes_the_target_down(tmp_path: Path, use: str, status: int, word: str):
    async def work(batches: Batches) -> str:
        return await batches.submit("n", written(tmp_path, batches, "id-1"))

    with pytest.raises(TargetDownError) as caught:
        talk(use, http({"error": {"message": f"no {KEY}"}}, status, location="/v1/x"), work=work, api_key_env="A_KEY")
    assert word in f"{caught.value.problem} {caught.value.hint}"
    assert KEY not in f"{caught.value.problem} {caught.value.hint}"


def test_a_rate_limit_on_submission_is_waited_for(tmp_path: Path):
    async def work(batches: Batches) -> str:
        return await batches.submit("n", written(tmp_path, batches, "id-1"))

    answers = http({"error": {"message": "slow"}}, 429, retry_after="0"), http({"id": "b-1"})
    batch_id, got = talk("anthropic:m", *answers, work=work, retries=1)
    assert (batch_id, len(got)) == ("b-1", 2)


COUNTS = {"total": 9, "completed": 4, "failed": 1}
STATUSES = [
    pytest.param("openai:m", {"status": "validating"}, BatchStatus(ended=False), id="validating"),
    pytest.param(
        "openai:m", {"status": "in_progress", "request_counts": COUNTS}, BatchStatus(False, 5, 9), id="in-progress"
    ),
    pytest.param("openai:m", {"status": "expired", "request_counts": COUNTS}, BatchStatus(True, 5, 9), id="expired"),
    pytest.param("openai:m", {"status": "cancelling"}, BatchStatus(ended=False), id="cancelling"),
    pytest.param(
        "openai:m",
        {"status": "failed", "errors": {"data": [{"line": 3, "message": "bad"}, {"code": "x"}]}},
        BatchStatus(True, refused="line 3: bad; x"),
        id="failed",
    ),
    pytest.param("openai:m", {"status": "failed"}, BatchStatus(True, refused="it gives no reason"), id="unsaid"),
    pytest.param(
        "openai:m",
        {"status": "a new one", "request_counts": {"total": -1, "failed": "x"}},
        BatchStatus(False),
        id="new",
    ),
    pytest.param(
        "anthropic:m",
        {"processing_status": "in_progress", "request_counts": {"processing": 3, "succeeded": 1}},
        BatchStatus(False, 1, 4),
        id="anthropic-in-progress",
    ),
    pytest.param("anthropic:m", {"processing_status": "ended"}, BatchStatus(ended=True), id="anthropic-ended"),
    pytest.param("openai:m", {"status": 3}, None, id="a-status-of-another-type"),
    pytest.param("anthropic:m", [], None, id="no-object"),
]


@pytest.mark.parametrize(("use", "said", "status"), STATUSES)
def test_what_a_provider_says_of_a_batch(use: str, said: Any, status: BatchStatus | None):
    found, _ = talk(use, http(said), work=lambda batches: batches.poll("b-1"))
    assert found == status


def test_a_look_that_fails_is_no_end_and_a_batch_that_is_not_there_is_said():
    down, _ = talk("openai:m", http({}, 503), work=lambda batches: batches.poll("b-1"))
    gone, _ = talk("openai:m", http({"error": {"message": "no"}}, 404), work=lambda batches: batches.poll("b-1"))
    assert down is None
    assert (gone.ended, gone.gone) == (True, True)


def test_a_batch_is_found_by_its_name_on_a_later_page():
    others = [{"id": f"b-{i}", "created_at": 4e9, "metadata": {"seatrial": "other"}} for i in range(2)]
    mine = [{"id": "b-9", "created_at": 4e9, "metadata": {"seatrial": "mine"}}, None, {"metadata": 3}]
    pages = http({"data": others, "has_more": True}), http({"data": mine, "has_more": False})

    async def work(batches: Batches) -> str:
        return await batches.find("mine", 2, "2026-11-22T00:00:00+00:00", ())

    found, got = talk("openai:m", *pages, work=work)
    assert found == "b-9"
    assert [request.path for request in got] == ["/v1/batches?limit=100", "/v1/batches?limit=100&after=b-1"]


def test_anthropics_batch_is_told_from_others_by_its_results():
    def batch(name: str, size: int) -> dict[str, Any]:
        counts = {"processing": 0, "succeeded": size}
        made = "2026-11-22T00:00:05Z"
        about = {"processing_status": "ended", "results_url": "http://elsewhere.test/x", "created_at": made}
        return {"id": name, "request_counts": counts, **about}

    listed = [batch("known", 2), batch("mine", 2), batch("larger", 3), batch("another", 2)]
    old = {**batch("old", 2), "created_at": "2020-01-01T00:00:00Z"}

    def line(custom_id: str) -> bytes:
        return http(json.dumps({"custom_id": custom_id, "result": {}}).encode())

    answers = [http({"data": [*listed, old], "has_more": True})]
    for name, custom_id in (("another", "x-0-zzz"), ("mine", "x-0-abc")):
        answers += [http(batch(name, 2)), http(batch(name, 2)), line(custom_id)]

    async def work(batches: Batches) -> str:
        return await batches.find("abc", 2, "2026-11-22T00:00:00+00:00", {"known"})

    found, got = talk("anthropic:m", *answers, work=work)
    assert found == "mine"
    assert {request.path.rpartition("/messages/batches")[2] for request in got[1:]} == {
        *("/another", "/another/results", "/mine", "/mine/results")
    }


def read(use: str, *answers: bytes, **fields: Any) -> list[str]:
    async def work(batches: Batches) -> list[str]:
        return [custom_id async for custom_id, _ in batches.results("b-1")]

    found, _ = talk(use, *answers, work=work, **fields)
    return found


GOOD = b'{"custom_id": "a"}\n{"custom_id": "b"}\n'
LINES = [
    pytest.param(http(GOOD), ["a", "b"], id="good"),
    pytest.param(http(b'\n\n{"custom_id": "a"}\r\n\n'), ["a"], id="blank-lines"),
    pytest.param(http(b'{"custom_id": "a"}\n{"custom_id": "b", "resp'), ["a"], id="cut-mid-line"),
    pytest.param(http(GOOD, length=900), ["a", "b"], id="cut-on-the-wire"),
    pytest.param(http(b"\xff\xfe\n[]\n3\nnull\n" + GOOD), ["a", "b"], id="lines-of-other-things"),
    pytest.param(http(b'{"custom_id": 3}\n{"custom_id": null}\n{}\n' + GOOD), ["a", "b"], id="ids-of-other-types"),
    pytest.param(http(b"[" * 100_000 + b"\n" + GOOD), ["a", "b"], id="deep"),
    pytest.param(http(GOOD + b"x" * (17 << 20)), ["a", "b"], id="an-endless-line"),
    pytest.param(http({}, 500), [], id="server-error"),
]


@pytest.mark.parametrize(("answer", "ids"), LINES)
def test_results_are_read_line_by_line_whatever_they_are(answer: bytes, ids: list[str]):
    ended = http({"processing_status": "ended", "results_url": "http://elsewhere.test/"})
    assert read("anthropic:m", ended, answer) == ids


def test_openais_results_come_from_both_files_and_from_no_other_place():
    ended = http({"status": "completed", "output_file_id": "f-1", "error_file_id": "f-2"})
    assert read("openai:m", ended, http(b'{"custom_id": "a"}'), http(b'{"custom_id": "b"}')) == ["a", "b"]
    hostile = http({"status": "completed", "output_file_id": "../../x?y", "error_file_id": ["f"]})
    assert read("openai:m", hostile, http(b'{"custom_id": "a"}')) == []


def answered(body: Any, status: Any = 200) -> dict[str, Any]:
    return {"response": {"status_code": status, "body": body}, "error": None}


ERROR = {"error": {"message": "no", "type": "invalid_request_error", "code": None}}
RESULTS = [
    pytest.param("openai:m", answered(completion("Paris")), "", id="openai-answer"),
    pytest.param("openai:m", answered(ERROR, 400), "rejected", id="openai-bad-request"),
    pytest.param("openai:m", answered(ERROR, 429), "rate_limited", id="openai-rate-limit"),
    pytest.param("openai:m", answered({"choices": []}), "malformed", id="openai-no-choice"),
    pytest.param("openai:m", answered(None), "malformed", id="openai-no-body"),
    pytest.param("openai:m", answered([1]), "malformed", id="openai-array"),
    pytest.param("openai:m", answered(ERROR), "rejected", id="openai-error-in-a-good-answer"),
    pytest.param("openai:m", {"error": {"code": "batch_expired"}}, "expired", id="openai-expired"),
    pytest.param(
        "openai:m", {"error": {"code": "batch_cancelled", "message": "x"}}, "cancelled", id="openai-cancelled"
    ),
    pytest.param("openai:m", {"error": "odd"}, "malformed", id="openai-odd-error"),
    pytest.param("openai:m", {}, "server_error", id="openai-nothing"),
    pytest.param("openai:m", answered(completion("")), "empty", id="openai-empty"),
    pytest.param("anthropic:m", {"result": {"type": "succeeded", "message": MESSAGE}}, "", id="anthropic-answer"),
    pytest.param("anthropic:m", {"result": {"type": "succeeded"}}, "malformed", id="anthropic-no-message"),
    pytest.param("anthropic:m", {"result": {"type": "expired"}}, "expired", id="anthropic-expired"),
    pytest.param("anthropic:m", {"result": {"type": "canceled"}}, "cancelled", id="anthropic-cancelled"),
    pytest.param(
        "anthropic:m",
        {"result": {"type": "errored", "error": {"type": "error", "error": {"type": "invalid_request_error"}}}},
        "rejected",
        id="anthropic-bad-request",
    ),
    pytest.param(
        "anthropic:m",
        {"result": {"type": "errored", "error": {"type": "overloaded_error", "message": "x"}}},
        "server_error",
        id="anthropic-overloaded",
    ),
    pytest.param("anthropic:m", {"result": {"type": ["x"]}}, "malformed", id="anthropic-odd-type"),
    pytest.param("anthropic:m", {}, "malformed", id="anthropic-nothing"),
]


@pytest.mark.parametrize(("use", "result", "code"), RESULTS)
def test_a_result_becomes_an_output(use: str, result: dict[str, Any], code: str):
    output = offline(use, price={"input": 2, "output": 8}).output("b-1", {"custom_id": "a", **result}, REQUEST)
    assert (output.failure.code if output.failure else "") == code
    assert output.metadata["batch"] == "b-1"
    assert output.timing.total is None
    if not code:
        assert output.text == "Paris"
        usage = output.usage
        assert usage.input is not None
        assert usage.output is not None
        assert output.cost == pytest.approx((usage.input * 2 + usage.output * 8) / 2e6)


def test_a_request_that_no_batch_can_hold_is_a_failure():
    surrogates = Case(id="c", input="\ud800 \x00")
    fine = offline("openai:m").entry("a", Request(messages=surrogates.input))
    assert isinstance(fine, bytes)
    assert b"\n" not in fine
    failed = offline("anthropic:m").entry("a", Request(messages=surrogates.input, seed=3))
    assert isinstance(failed, Output)
    assert failed.failure is not None
    assert failed.failure.code == "unsendable"


def test_the_account_is_endpoint_model_and_parameters():
    same = offline("openai:m").account
    assert same == offline("openai:m", retries=9, concurrency=2).account
    others = {offline("openai:n").account, offline("responses:m").account, offline("anthropic:m").account}
    assert len(others | {same}) == 4


@pytest.mark.parametrize(("use", "requests", "size"), [("openai:m", 50_000, 2e8), ("anthropic:m", 100_000, 2.56e8)])
def test_the_providers_own_limits_are_kept(use: str, requests: int, size: float):
    batches = offline(use)
    assert (batches.most_requests, batches.most_bytes) == (requests, size)
