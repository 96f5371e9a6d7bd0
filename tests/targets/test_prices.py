"""Prices: dollars worked out by hand, and everything that makes one unknown."""

from __future__ import annotations

import math
import subprocess
import sys
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import genai_prices
import numpy as np
import pytest
from genai_prices.data_snapshot import get_snapshot
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from seatrial.core.output import Usage
from seatrial.core.suite import Price, TargetSpec
from seatrial.errors import TargetConfigError
from seatrial.targets import build
from seatrial.targets.prices import GpuPrices, ListPrices, NoPrices, Prices, TokenPrices, gpu_token, prices_of
from seatrial.verdicts.reading import money

OPENAI = "https://api.openai.com/v1"
ANTHROPIC = "https://api.anthropic.com/v1"
GOOGLE = "https://generativelanguage.googleapis.com/v1beta"
GROQ = "https://api.groq.com/openai/v1"
DEEPSEEK = "https://api.deepseek.com/v1"
MISTRAL = "https://api.mistral.ai/v1"

SONNET, PRO = (ANTHROPIC, "claude-sonnet-4-5"), (GOOGLE, "gemini-2.5-pro")
ONE_OF_EACH = {"input": 10_000, "cached": 4_000, "cache_write": 1_000, "output": 500}

BY_HAND = [
    # 800 × 2.50 + 200 × 1.25 + 100 × 10, a million
    pytest.param(OPENAI, "gpt-4o", {"input": 1000, "cached": 200, "output": 100}, False, 0.00325, id="gpt-4o"),
    # 1000 × 0.15 + 100 × 0.60
    pytest.param(OPENAI, "gpt-4o-mini-2024-07-18", {"input": 1000, "output": 100}, False, 0.00021, id="gpt-4o-mini"),
    # batch: 1000 × 1.25 + 100 × 5
    pytest.param(OPENAI, "gpt-4o", {"input": 1000, "output": 100}, True, 0.00175, id="gpt-4o-batch"),
    # reasoning is output: 100 × 1.25 + 2000 × 10
    pytest.param(OPENAI, "gpt-5", {"input": 100, "output": 2000, "reasoning": 1900}, False, 0.020125, id="gpt-5"),
    # 5000 × 3 + 4000 × 0.30 + 1000 × 3.75 + 500 × 15
    pytest.param(*SONNET, ONE_OF_EACH, False, 0.02745, id="claude"),
    # 5000 × 3 + 4000 × 0.30 + 1000 × 6 + 500 × 15
    pytest.param(*SONNET, {**ONE_OF_EACH, "cache_write_1h": 1000}, False, 0.0297, id="claude-kept-an-hour"),
    # half of all
    pytest.param(*SONNET, ONE_OF_EACH, True, 0.013725, id="claude-batch"),
    # 200,000 tokens are not above 200,000: 200000 × 3 + 1000 × 15
    pytest.param(*SONNET, {"input": 200_000, "output": 1000}, False, 0.615, id="claude-at-the-tier"),
    # above it every token costs more: 200001 × 6 + 1000 × 22.50
    pytest.param(*SONNET, {"input": 200_001, "output": 1000}, False, 1.222506, id="claude-above-the-tier"),
    # 300000 in, of which 100000 cached: 200000 × 2.50 + 100000 × 0.25 + 2000 × 15
    pytest.param(
        *PRO, {"input": 300_000, "cached": 100_000, "output": 2000, "reasoning": 1500}, False, 0.555, id="gemini-tier"
    ),
    # 1000 × 0.30 + 1000 × 2.50
    pytest.param(GOOGLE, "gemini-2.5-flash", {"input": 1000, "output": 1000}, False, 0.0028, id="gemini-flash"),
    # 1000 × 0.59 + 1000 × 0.79
    pytest.param(GROQ, "llama-3.3-70b-versatile", {"input": 1000, "output": 1000}, False, 0.00138, id="groq-llama"),
    # 1000 × 2 + 1000 × 6
    pytest.param(MISTRAL, "mistral-large-2411", {"input": 1000, "output": 1000}, False, 0.008, id="mistral-large"),
    # 1000 × 15 + 100 × 75
    pytest.param(ANTHROPIC, "claude-opus-4-1", {"input": 1000, "output": 100}, False, 0.0225, id="claude-opus"),
]


@pytest.mark.parametrize(("url", "model", "usage", "batch", "dollars"), BY_HAND)
def test_listed_models_by_hand(url: str, model: str, usage: dict[str, int], batch: bool, dollars: float):
    prices = ListPrices(model, {}, url=url)
    assert prices.cost(Usage(**usage), batch=batch) == pytest.approx(dollars, rel=1e-12)
    assert prices.source == f"genai-prices {genai_prices.__version__}"


SUITE = {"input": 2, "output": 8}

SUITE_BY_HAND = [
    pytest.param(SUITE, {"input": 1000, "output": 100}, False, 0.0028, id="plain"),
    pytest.param(SUITE, {"input": 1000, "cached": 500, "output": 100}, False, 0.0028, id="cached-as-input"),
    pytest.param({**SUITE, "cached": 0.2}, {"input": 1000, "cached": 500, "output": 100}, False, 0.0019, id="cached"),
    pytest.param(
        {**SUITE, "cached": 0}, {"input": 1000, "cached": 500, "output": 100}, False, 0.0018, id="cached-free"
    ),
    pytest.param(
        {**SUITE, "cache_write": 2.5}, {"input": 1000, "cache_write": 400, "output": 0}, False, 0.0022, id="written"
    ),
    pytest.param(
        {**SUITE, "reasoning": 4}, {"input": 0, "output": 100, "reasoning": 60}, False, 0.00056, id="reasoning"
    ),
    pytest.param(SUITE, {"input": 1000, "output": 100}, True, 0.0014, id="batch-is-half"),
    pytest.param({**SUITE, "batch": 0.75}, {"input": 1000, "output": 100}, True, 0.0021, id="batch-as-said"),
    pytest.param(
        SUITE, {"input": 10, "cached": 99, "output": 1, "reasoning": 50}, False, 0.000028, id="parts-too-large"
    ),
]


@pytest.mark.parametrize(("price", "usage", "batch", "dollars"), SUITE_BY_HAND)
def test_the_suites_prices_by_hand(price: dict[str, Any], usage: dict[str, int], batch: bool, dollars: float):
    prices = TokenPrices(Price(**price, as_of="2026-10-01"))
    assert prices.cost(Usage(**usage), batch=batch) == pytest.approx(dollars, rel=1e-12)
    assert prices.source == "suite 2026-10-01"


def test_ones_own_gpus_by_hand():
    price = Price(gpu_hour=2.5, gpus=4, tokens_per_second=1800, utilisation=0.6)
    # 10 dollars an hour for 1800 × 0.6 × 3600 = 3,888,000 tokens
    assert float(gpu_token(price, 1800)) == pytest.approx(10 / 3_888_000, rel=1e-12)
    prices = GpuPrices(price)
    assert prices.cost(Usage(input=10**6, output=1_000_000)) == pytest.approx(2.572016460905, rel=1e-9)
    assert prices.cost(Usage(output=500)) == pytest.approx(0.00128600823, rel=1e-9), "the input need not be known"
    assert prices.source == "suite, undated"


UNKNOWN = [
    pytest.param(ListPrices("gpt-99", {}, url=OPENAI), {}, id="model-not-listed"),
    pytest.param(ListPrices("gpt-4o", {}, url="http://127.0.0.1:8080/v1"), {}, id="host-not-listed"),
    pytest.param(ListPrices("claude-sonnet-4-5", {}, url=OPENAI), {}, id="another-providers-model"),
    pytest.param(ListPrices("gpt-4o", {"service_tier": "weird"}, url=OPENAI), {}, id="tier-not-listed"),
    pytest.param(ListPrices("gpt-4o", {"web_search_options": {"x": 1}}, url=OPENAI), {}, id="searches-not-counted"),
    pytest.param(ListPrices("sonar", {}, url="https://api.perplexity.ai"), {}, id="priced-by-the-request"),
    pytest.param(ListPrices("gpt-4o-search-preview", {}, url=OPENAI), {}, id="searches-unasked"),
    pytest.param(ListPrices("claude-opus-4-1", {}, url=ANTHROPIC), {"batch": True}, id="no-batch-price-listed"),
    pytest.param(
        ListPrices("gemini-2.5-flash", {}, url=GOOGLE), {"media": frozenset({"audio"})}, id="audio-not-counted"
    ),
    pytest.param(GpuPrices(Price(gpu_hour=1, tokens_per_second="measured")), {}, id="not-yet-measured"),
    pytest.param(NoPrices(), {}, id="none"),
    pytest.param(prices_of(TargetSpec(use="python:m:f")), {}, id="function"),
]


@pytest.mark.parametrize(("prices", "how"), UNKNOWN)
def test_what_is_not_known_is_none_and_never_zero(prices: Prices, how: dict[str, Any]):
    assert prices.cost(Usage(input=1000, output=100), **how) is None
    assert how.get("batch") or prices.worst(1000, 100, media=how.get("media", frozenset())) is None


@pytest.mark.parametrize(
    "usage",
    [
        pytest.param({}, id="nothing"),
        pytest.param({"input": 5}, id="no-output"),
        pytest.param({"output": 5}, id="no-input"),
        pytest.param({"input": -5, "output": 5}, id="negative"),
    ],
)
@pytest.mark.parametrize(
    "prices", [TokenPrices(Price(**SUITE)), ListPrices("gpt-4o", {}, url=OPENAI)], ids=["suite", "list"]
)
def test_unknown_counts_cost_an_unknown_sum(usage: dict[str, int], prices: Prices):
    assert prices.cost(Usage(**usage)) is None


def test_choices_have_their_price():
    usage = Usage(input=1000, output=100)
    assert ListPrices("gpt-5", {"service_tier": "flex"}, url=OPENAI).cost(usage) == pytest.approx(0.001125)
    assert ListPrices("gpt-5", {"service_tier": "priority"}, url=OPENAI).cost(usage) == pytest.approx(0.0045)
    assert ListPrices("gpt-5", {"service_tier": "auto"}, url=OPENAI).cost(usage) == pytest.approx(0.00225)
    assert ListPrices("gemini-2.5-flash", {}, url=GOOGLE).cost(usage, media=frozenset({"image"})) is not None


PRICES: list[Any] = [
    pytest.param(TokenPrices(Price(**SUITE, cached=3, cache_write=2.5, reasoning=20)), id="suite"),
    pytest.param(ListPrices("gpt-4o", {}, url=OPENAI), id="openai"),
    pytest.param(ListPrices("claude-sonnet-4-5", {}, url=ANTHROPIC), id="anthropic"),
    pytest.param(ListPrices("gemini-2.5-pro", {}, url=GOOGLE), id="google"),
    pytest.param(ListPrices("deepseek-chat", {}, url=DEEPSEEK), id="deepseek"),
    pytest.param(GpuPrices(Price(gpu_hour=3, tokens_per_second=900)), id="gpus"),
]


@pytest.mark.parametrize("prices", PRICES)
@given(
    bounds=st.tuples(st.integers(0, 400_000), st.integers(0, 50_000)),
    shares=st.tuples(*[st.floats(0, 1)] * 6),
)
def test_nothing_within_the_bounds_costs_more_than_the_worst(
    prices: Prices, bounds: tuple[int, int], shares: tuple[float, ...]
):
    most_in, most_out = bounds
    read, written = int(most_in * shares[0]), int(most_out * shares[1])
    cached = int(read * shares[2])
    stored = int((read - cached) * shares[3])
    usage = Usage(
        input=read,
        cached=cached,
        cache_write=stored,
        cache_write_1h=int(stored * shares[4]),
        output=written,
        reasoning=int(written * shares[5]),
    )
    cost, worst = prices.cost(usage), prices.worst(most_in, most_out)
    assert cost is not None
    assert worst is not None
    assert 0 <= cost <= worst


def test_every_listed_model_has_a_worst_that_holds_or_none():
    """For each model of the list, over tiers and classes: no listed price falls with volume."""
    seen = 0
    for provider in get_snapshot().providers:
        for model in provider.models:
            prices = ListPrices(model.id, {}, provider=provider.id)
            worst = prices.worst(300_000, 1000)
            for usage in (
                Usage(input=300_000, output=1000),
                Usage(input=1000, output=1000),
                Usage(input=300_000, cached=300_000, output=0),
            ):
                cost = prices.cost(usage)
                assert (cost is None) == (worst is None), (provider.id, model.id)
                assert cost is None or worst is None or cost <= worst, (provider.id, model.id)
            seen += worst is not None
    assert seen > 1000


def test_figures_equal_the_packages_own():
    now = datetime.now(UTC)
    usage = {"input_tokens": 250_000, "cache_read_tokens": 50_000, "output_tokens": 3000}
    for url, model in (SONNET, PRO, (OPENAI, "gpt-4o")):
        theirs = genai_prices.calc_price(
            genai_prices.Usage(**usage), model, provider_api_url=url, genai_request_timestamp=now
        )
        ours = ListPrices(model, {}, url=url).cost(Usage(input=250_000, cached=50_000, output=3000))
        assert ours == float(theirs.total_price)


@pytest.mark.parametrize("count", [2**63, 10**30, 10**400])
def test_absurd_counts_stay_numbers_or_unknown(count: int):
    for prices in (TokenPrices(Price(**SUITE)), ListPrices("gpt-4o", {}, url=OPENAI)):
        cost = prices.cost(Usage(input=count, output=count))
        assert cost is None or math.isfinite(cost)


@pytest.mark.parametrize(
    ("price", "said"),
    [
        pytest.param({}, "needs input and output, or gpu_hour, or model", id="nothing"),
        pytest.param({"input": 1}, "both", id="half"),
        pytest.param({"input": 1, "output": 1, "gpu_hour": 1, "tokens_per_second": 1}, "only one", id="two-ways"),
        pytest.param({"gpu_hour": 1}, "tokens_per_second", id="no-throughput"),
        pytest.param({"gpu_hour": 1, "tokens_per_second": 0}, "greater than 0", id="no-speed"),
        pytest.param({"gpu_hour": 1, "tokens_per_second": 5, "utilisation": 0}, "greater than 0", id="never-busy"),
        pytest.param({"gpu_hour": 1, "tokens_per_second": 5, "utilisation": 60}, "less than or equal", id="percent"),
        pytest.param({"gpu_hour": 1, "tokens_per_second": 5, "cached": 1}, "belongs beside input", id="stray-cached"),
        pytest.param({"input": 1, "output": 1, "gpus": 2}, "belongs beside gpu_hour", id="stray-gpus"),
        pytest.param({"input": math.nan, "output": 1}, "finite", id="nan"),
        pytest.param({"input": math.inf, "output": 1}, "finite", id="infinite"),
        pytest.param({"input": -1, "output": 1}, "greater than or equal", id="negative"),
        pytest.param({"input": 1, "output": 1, "as_of": "yesterday"}, "ISO 8601", id="no-date"),
    ],
)
def test_prices_that_make_no_sense_are_refused(price: dict[str, Any], said: str):
    with pytest.raises(ValidationError, match=said):
        Price(**price)


def test_a_gateway_may_be_priced_as_a_listed_model(tmp_path: Path):
    spec = TargetSpec(use="openai:x", base_url="http://127.0.0.1:1/v1", price=Price(model="openai/gpt-4o"))
    assert prices_of(spec).cost(Usage(input=1000, output=100)) == pytest.approx(0.0035)
    wrong = spec.model_copy(update={"price": Price(model="openai/gpt-4oo0")})
    with pytest.raises(TargetConfigError, match=r"price\.model.*is not in genai-prices.*did you mean openai/gpt-4o"):
        build("t", wrong, tmp_path, {})


def test_the_list_is_read_only_where_used_and_never_fetched():
    code = (
        "import sys, threading, socket\n"
        "def no(*a, **k): raise AssertionError('network')\n"
        "socket.socket.connect = no; socket.getaddrinfo = no\n"
        "import seatrial, seatrial.targets.prices as p\n"
        "assert 'genai_prices' not in sys.modules\n"
        "from seatrial.core.output import Usage\n"
        "found = p.ListPrices('gpt-4o', {}, url='https://api.openai.com/v1')\n"
        "assert found.cost(Usage(input=1000, output=100)) == 0.0035\n"
        "assert threading.enumerate() == [threading.main_thread()], threading.enumerate()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@given(st.integers(0, 10**9), st.integers(0, 10**9))
def test_dollars_are_exact_to_the_last_digit(read: int, written: int):
    cost = TokenPrices(Price(input=0.15, output=0.6)).cost(Usage(input=read, output=written))
    assert cost == float((read * Decimal("0.15") + written * Decimal("0.6")) / 1_000_000)


def test_a_measured_throughput_prices_the_busy_seconds():
    """Two answers at once for ten seconds, 3,600 tokens: 10 s of 2 GPUs at 3.60 an hour, busy half of the time."""
    price = Price(gpu_hour=3.6, gpus=2, tokens_per_second="measured", utilisation=0.5)
    rows = [("2026-01-01T00:00:10+00:00", 10.0, 1800), ("2026-01-01T00:00:10+00:00", 5.0, 1800)]
    found = money._measured(price, [*rows, ("2026-01-01T00:00:10+00:00", None, 5)])
    assert found.dollars == pytest.approx(0.04)
    assert found.unknown == 1
    assert "360 tokens a second measured" in found.sources[0]
    assert money.busy(np.array([0.0, 1.0, 10.0]), np.array([2.0, 3.0, 11.0])) == 4.0
