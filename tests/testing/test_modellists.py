"""The official clients read the fake provider's lists of models, page by page, and what it says of one model."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from seatrial.testing import FakeProvider, Script

NAMES = tuple(f"model-{i}" for i in range(130))


@pytest.fixture
def fake() -> Generator[FakeProvider, None, None]:
    with FakeProvider(Script(models=NAMES, api_keys=("k",))).in_thread() as served:
        yield served


def test_openais_client(fake: FakeProvider) -> None:
    openai = pytest.importorskip("openai")
    with openai.OpenAI(base_url=fake.base_url, api_key="k", max_retries=0) as client:
        assert [model.id for model in client.models.list()] == list(NAMES)
        assert client.models.retrieve("model-7").id == "model-7"
        with pytest.raises(openai.NotFoundError):
            client.models.retrieve("nobody")
    stranger = openai.OpenAI(base_url=fake.base_url, api_key="x", max_retries=0)
    with stranger, pytest.raises(openai.AuthenticationError):
        stranger.models.list()


def test_anthropics_client(fake: FakeProvider) -> None:
    anthropic = pytest.importorskip("anthropic")
    with anthropic.Anthropic(base_url=fake.url, api_key="k", max_retries=0) as client:
        assert [model.id for model in client.models.list(limit=50)] == list(NAMES)
        assert client.models.retrieve("model-7").id == "model-7"
        with pytest.raises(anthropic.NotFoundError):
            client.models.retrieve("nobody")


def test_googles_client(fake: FakeProvider) -> None:
    genai = pytest.importorskip("google.genai")
    client = genai.Client(api_key="k", http_options={"base_url": fake.url})
    try:
        assert [model.name for model in client.models.list(config={"page_size": 50})] == [f"models/{n}" for n in NAMES]
        assert client.models.get(model="model-7").name == "models/model-7"
    finally:
        client.close()
