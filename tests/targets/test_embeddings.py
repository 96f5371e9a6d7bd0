"""Embeddings: the wire format, hostile answers, and the client against the fake provider and beside OpenAI's own."""

from __future__ import annotations

import asyncio
import json
import math
from typing import Any

import pytest
from tests.targets.hostile import HOSTILE
from tests.targets.raw_server import RawServer, spec

from seatrial.core.suite import TargetSpec
from seatrial.errors import NotEvaluableError, SeatrialError, TargetConfigError, TargetDownError
from seatrial.targets.embeddings import Embedder, read
from seatrial.targets.retry import Fault
from seatrial.targets.strict import whole
from seatrial.testing import FakeProvider, Reply, Rule, Script

TEXTS = ["Where is my refund?", "where is my REFUND?", "Close my account.", "", "\ud800\0", "日本"]


def embed(base_url: str, texts: list[str], **fields: Any) -> Any:
    async def go() -> Any:
        target = Embedder(
            "e", TargetSpec.model_validate({"use": "openai:m", "base_url": base_url, "retries": 0, **fields}), {}
        )
        await target.open()
        try:
            return await target.embed(texts)
        finally:
            await target.close()

    return asyncio.run(go())


def cosine(a: Any, b: Any) -> float:
    return sum(x * y for x, y in zip(a, b, strict=True))


def test_equal_texts_get_equal_unit_vectors() -> None:
    with FakeProvider().in_thread() as fake:
        vectors = embed(fake.base_url, TEXTS)
        assert fake.calls == 1
    assert all(math.isclose(math.hypot(*vector), 1) for vector in vectors)
    assert vectors[0] == pytest.approx(vectors[1])
    assert cosine(vectors[0], vectors[1]) > cosine(vectors[0], vectors[2])


def test_many_texts_keep_their_order_over_several_requests() -> None:
    texts = [f"text {i}" for i in range(600)]
    with FakeProvider().in_thread() as fake:
        vectors = embed(fake.base_url, texts)
        assert fake.calls == 3
        assert vectors[599] == embed(fake.base_url, ["text 599"])[0]
        assert embed(fake.base_url, []) == []


def test_the_official_client_reads_the_same() -> None:
    openai = pytest.importorskip("openai")
    with FakeProvider().in_thread() as fake:
        with openai.OpenAI(base_url=fake.base_url, api_key="k", max_retries=0) as client:
            theirs = client.embeddings.create(model="m", input=TEXTS[:3], dimensions=32)
        mine = embed(fake.base_url, TEXTS[:3], params={"dimensions": 32})
        assert fake.log[0].key == fake.log[1].key
    assert [len(row.embedding) for row in theirs.data] == [32] * 3
    for vector, row in zip(mine, theirs.data, strict=True):
        assert vector == pytest.approx(row.embedding, abs=1e-6)


@pytest.mark.parametrize(
    ("fault", "error", "words"),
    [
        pytest.param("unauthorized", TargetDownError, "401", id="401"),
        pytest.param("quota", TargetDownError, "quota", id="quota"),
        pytest.param("bad_request", NotEvaluableError, "rejected", id="400"),
        pytest.param("server_error", NotEvaluableError, "server_error", id="500"),
        pytest.param("malformed_json", NotEvaluableError, "malformed", id="malformed"),
    ],
)
def test_faults_are_typed(fault: Any, error: type[SeatrialError], words: str) -> None:
    with FakeProvider(Script(default=Reply(fault=fault))).in_thread() as fake, pytest.raises(error, match=words):
        embed(fake.base_url, ["a"] * 300)


def test_passing_faults_are_retried() -> None:
    rule = Rule(sequence=[Reply(fault="server_error"), Reply(text="")])
    with FakeProvider(Script(answers=[rule])).in_thread() as fake:
        assert len(embed(fake.base_url, ["a"], retries=3)) == 1
        assert fake.calls == 2


def row(index: Any = 0, embedding: Any = (3, 4)) -> dict[str, Any]:
    return {"object": "embedding", "index": index, "embedding": embedding}


def test_vectors_come_in_the_texts_order() -> None:
    raw = json.dumps({"data": [row(1, [0, 2]), row(0, [3, 4])]}).encode()
    assert whole(raw, lambda answer: read(answer, 2)) == [(0.6, 0.8), (0.0, 1.0)]


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(None, id="null"),
        pytest.param({}, id="object"),
        pytest.param([], id="none"),
        pytest.param([row(), row(1)], id="too-many"),
        pytest.param([7], id="number"),
        pytest.param([row(1)], id="index-off"),
        pytest.param([row(-1)], id="index-negative"),
        pytest.param([row(None)], id="no-index"),
        pytest.param([row(0, "AAAA")], id="base64"),
        pytest.param([row(0, [])], id="no-dimension"),
        pytest.param([row(0, [0, 0])], id="no-direction"),
        pytest.param([row(0, ["1"])], id="text"),
        pytest.param([row(0, [True])], id="bool"),
        pytest.param([row(0, [float("nan")])], id="nan"),
        pytest.param([row(0, [float("inf")])], id="inf"),
        pytest.param([row(0, [10**400])], id="huge"),
        pytest.param([row(0, [1.0] * 70_000)], id="too-long"),
    ],
)
def test_hostile_vectors_are_faults(data: Any) -> None:
    with pytest.raises(Fault, match="malformed"):
        whole(json.dumps({"data": data}).encode(), lambda answer: read(answer, 1))


def test_vectors_of_different_lengths_are_a_fault() -> None:
    raw = json.dumps({"data": [row(0, [1]), row(1, [1, 2])]}).encode()
    with pytest.raises(Fault, match="different lengths"):
        whole(raw, lambda answer: read(answer, 2))


@pytest.mark.parametrize(("script", "code"), HOSTILE)
def test_hostile_answers(script: Any, code: str) -> None:
    async def go() -> None:
        async with RawServer([script]) as server:
            target = Embedder("e", spec(server, timeout=0.3 if code == "timeout" else 20), {})
            await target.open()
            try:
                with pytest.raises(NotEvaluableError, match=code):
                    await target.embed(["a"])
            finally:
                await target.close()

    asyncio.run(go())


def test_a_key_is_not_for_every_host() -> None:
    with pytest.raises(TargetConfigError, match="api_key_env"):
        Embedder("e", TargetSpec(use="openai:m", base_url="https://gateway.example/v1"), {"OPENAI_API_KEY": "k" * 20})
