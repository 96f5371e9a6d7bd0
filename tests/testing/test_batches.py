"""The fake provider's batch APIs, seen by the providers' own clients."""

from __future__ import annotations

import io
import json
import time
from typing import Any

import anthropic
import openai
import pytest

from seatrial.testing import FakeProvider, Fault, Script
from seatrial.testing.script import BatchScript

ENDPOINTS = ["/v1/chat/completions", "/v1/responses"]


def lines(count: int, endpoint: str = ENDPOINTS[0]) -> bytes:
    def body(i: int) -> dict[str, Any]:
        text = f"question {i}"
        if endpoint == "/v1/responses":
            return {"model": "m", "input": text}
        return {"model": "m", "messages": [{"role": "user", "content": text}]}

    rows = [{"custom_id": f"id-{i}", "method": "POST", "url": endpoint, "body": body(i)} for i in range(count)]
    return "\n".join(map(json.dumps, rows)).encode()


def served(**batches: Any):
    return FakeProvider(Script(batches=BatchScript(**batches))).in_thread()


def openai_client(fake: FakeProvider) -> openai.OpenAI:
    return openai.OpenAI(api_key="sk-test", base_url=fake.base_url, max_retries=0)


def anthropic_client(fake: FakeProvider) -> anthropic.Anthropic:
    return anthropic.Anthropic(api_key="sk-test", base_url=fake.url, max_retries=0)


def made(client: openai.OpenAI, raw: bytes, endpoint: Any = ENDPOINTS[0]) -> Any:
    file = client.files.create(file=("asked.jsonl", io.BytesIO(raw)), purpose="batch")
    assert client.files.content(file.id).read() == raw
    return client.batches.create(
        input_file_id=file.id, endpoint=endpoint, completion_window="24h", metadata={"name": "mine"}
    )


def results(client: openai.OpenAI, file_id: str | None) -> dict[str, Any]:
    assert file_id is not None
    rows = [json.loads(line) for line in client.files.content(file_id).text.splitlines()]
    return {row["custom_id"]: row for row in rows}


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_openais_client_makes_watches_and_reads_a_batch(endpoint: str):
    with served(validating=0.1, running=0.2, finalizing=0.1) as fake, openai_client(fake) as client:
        batch = made(client, lines(20, endpoint), endpoint)
        assert (batch.status, batch.metadata, batch.endpoint) == ("validating", {"name": "mine"}, endpoint)
        seen = [batch.status]
        while batch.status not in ("completed", "failed"):
            time.sleep(0.01)
            batch = client.batches.retrieve(batch.id)
            if batch.status != seen[-1]:
                seen.append(batch.status)
        assert seen == ["validating", "in_progress", "finalizing", "completed"]
        assert batch.request_counts is not None
        assert (batch.request_counts.total, batch.request_counts.completed) == (20, 20)
        found = results(client, batch.output_file_id)
        assert set(found) == {f"id-{i}" for i in range(20)}
        assert list(found) != [f"id-{i}" for i in range(20)], "the results are to come in another order"
        body = found["id-7"]["response"]["body"]
        said = body["choices"][0]["message"] if endpoint == ENDPOINTS[0] else body["output"][0]["content"][0]
        assert said.get("content", said.get("text")) == "question 7"
        assert (fake.stats.batches, fake.calls_for("question 7")) == (1, 1)


def test_openais_client_lists_page_by_page_and_cancels():
    with served(running=60) as fake, openai_client(fake) as client:
        ids = [made(client, lines(2)).id for _ in range(5)]
        assert [batch.id for batch in client.batches.list(limit=2)] == ids[::-1]
        client.batches.cancel(ids[0])
        assert client.batches.retrieve(ids[0]).status == "cancelled"
        with pytest.raises(openai.NotFoundError):
            client.batches.retrieve("batch_unknown")


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        pytest.param(b"", "1 to 50000", id="empty"),
        pytest.param(lines(2) + b"\n" + lines(1), "custom_id", id="twice-the-same-id"),
        pytest.param(lines(2, "/v1/responses"), "url", id="another-endpoint"),
        pytest.param(lines(1).replace(b'"m"', b'"other"') + b"\n" + lines(2).split(b"\n")[1], "one model", id="models"),
    ],
)
def test_a_file_that_is_no_batch_fails_validation(raw: bytes, words: str):
    with served() as fake, openai_client(fake) as client:
        batch = made(client, raw)
        assert batch.status == "failed"
        assert batch.errors is not None
        assert words in str(batch.errors.data)
        assert fake.calls == 0


def test_requests_of_openais_batch_fail_one_by_one():
    script = Script(faults=(Fault(kind="server_error", probability=0.3),), batches=BatchScript(expire=0.2))
    with FakeProvider(script).in_thread() as fake, openai_client(fake) as client:
        batch = made(client, lines(200))
        assert batch.status == "expired"
        good, bad = results(client, batch.output_file_id), results(client, batch.error_file_id)
        assert len(good) + len(bad) == 200
        late = [row for row in bad.values() if row["error"] and row["error"]["code"] == "batch_expired"]
        failed = [row for row in bad.values() if row["response"] and row["response"]["status_code"] == 500]
        assert (len(late) + len(failed), len(late) > 10, len(failed) > 10) == (len(bad), True, True)


def message_requests(count: int) -> list[Any]:
    return [
        {
            "custom_id": f"id-{i}",
            "params": {"model": "m", "max_tokens": 20, "messages": [{"role": "user", "content": f"question {i}"}]},
        }
        for i in range(count)
    ]


def test_anthropics_client_makes_watches_and_reads_a_batch():
    with served(running=0.2) as fake, anthropic_client(fake) as client:
        batch = client.messages.batches.create(requests=message_requests(20))
        assert (batch.processing_status, batch.request_counts.processing) == ("in_progress", 20)
        with pytest.raises(anthropic.AnthropicError):
            client.messages.batches.results(batch.id)
        while batch.processing_status != "ended":
            time.sleep(0.01)
            batch = client.messages.batches.retrieve(batch.id)
        assert (batch.request_counts.succeeded, batch.request_counts.processing) == (20, 0)
        found = {row.custom_id: row.result for row in client.messages.batches.results(batch.id)}
        assert set(found) == {f"id-{i}" for i in range(20)}
        result: Any = found["id-7"]
        assert (result.type, result.message.content[0].text) == ("succeeded", "question 7")
        assert (fake.stats.batches, fake.calls_for("question 7")) == (1, 1)


def test_anthropics_client_lists_page_by_page_cancels_and_sees_failures():
    script = Script(faults=(Fault(kind="bad_request", probability=0.3),), batches=BatchScript(expire=0.2))
    with FakeProvider(script).in_thread() as fake, anthropic_client(fake) as client:
        ids = [client.messages.batches.create(requests=message_requests(100)).id for _ in range(3)]
        assert [batch.id for batch in client.messages.batches.list(limit=2)] == ids[::-1]
        kinds = [row.result.type for row in client.messages.batches.results(ids[0])]
        counts = client.messages.batches.retrieve(ids[0]).request_counts
        assert (kinds.count("errored"), kinds.count("expired")) == (counts.errored, counts.expired)
        assert min(counts.errored, counts.expired, counts.succeeded) > 5
        client.messages.batches.cancel(ids[1])
        with pytest.raises(anthropic.BadRequestError, match="custom_id"):
            client.messages.batches.create(requests=[*message_requests(2), *message_requests(1)])


def test_keys_are_asked_for():
    with FakeProvider(Script(api_keys=("sk-other",))).in_thread() as fake:
        with openai_client(fake) as client, pytest.raises(openai.AuthenticationError):
            client.batches.list()
        with anthropic_client(fake) as client, pytest.raises(anthropic.AuthenticationError):
            client.messages.batches.list()
