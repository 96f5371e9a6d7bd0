"""What tokens cost: by the suite's own price, else by the price list of the `genai-prices` package.

The list is the one that is installed: nothing is fetched, so the same version gives the same figures. A price that is
not known is None, never 0, and so is one that the list cannot tell: a parameter that changes the price in a way it
does not know, or tokens of a kind that it prices apart and a provider does not count.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from math import isfinite
from typing import Any, Protocol, cast
from urllib.parse import urlsplit

from seatrial.core.output import Usage
from seatrial.core.record import Json
from seatrial.core.suite import Price, TargetSpec
from seatrial.errors import Problem, nearest, safe
from seatrial.targets.hosts import is_loopback

MILLION = Decimal(1_000_000)

TIERS: Mapping[str, frozenset[str]] = {
    "service_tier": frozenset({"auto", "default", "standard", "standard_only"}),
    "speed": frozenset({"standard", "normal"}),
}
"""Parameters that choose a price, with the values that choose the usual one."""

PRICED_APART = frozenset(
    {"web_search_options", "search_parameters", "search_type", "plugins", "modalities", "audio", "inference_geo"}
    | {"serviceTier", "performanceConfig", "guardrailConfig"}
)
"""Parameters for what is not counted in the tokens of an answer, or raises their price: then no price is known."""

TOKEN_PRICES = frozenset(
    {"input_mtok", "cache_read_mtok", "cache_write_mtok", "cache_write_5m_mtok", "cache_write_1h_mtok", "output_mtok"}
    | {"output_reasoning_mtok"}
)
SEARCH_PRICES = frozenset({"web_searches_kcount", "storage_searches_kcount"})
"""Prices of tools at the provider, which only parameters in PRICED_APART and tools of its own bring in."""
SEARCHERS = ("search", "sonar", "research")
"""In the names of models that search unasked, which costs by the search."""

OWN_CAPACITY = re.compile(r"arn:(?:[^:/]*:){4}(?!(?:inference-profile|foundation-model)/)[^/]*/")
"""Names at Amazon of what is billed by the hour, like provisioned throughput, though a model's name may be in them."""

CALLED: Mapping[str, str] = {
    "bedrock": "aws",
    "gemini": "google",
    "moonshot": "moonshotai",
    "vertexai": "google",
    "voyage": "voyageai",
    "xai": "x-ai",
}
"""What the list calls providers that others know by another name."""

Media = frozenset[str]
"""The types of message parts other than text: image, audio, file."""

NO_MEDIA: Media = frozenset()
MEDIA_PRICES = {"image": ("image",), "audio": ("audio",), "file": ("audio", "image", "video", "document")}
"""Words of the prices that a part of a type may come under, beside those of plain tokens."""


class Prices(Protocol):
    """What a target's tokens cost."""

    @property
    def source(self) -> str:
        """What the prices are of, like `suite 2026-10-01`; empty where none is known."""
        ...

    def cost(self, usage: Usage, *, batch: bool = False, media: Media = NO_MEDIA) -> float | None:
        """US dollars, None where a price or a count is unknown. `media`: what else than text went in or came out."""
        ...

    def worst(self, tokens_in: int, tokens_out: int, *, media: Media = NO_MEDIA) -> float | None:
        """The most US dollars that so many tokens may cost, of whatever class they turn out to be."""
        ...


class Counts:
    """Usage with the counts in order: none is negative, none more than what it is a part of."""

    __slots__ = ("cached", "input", "output", "reasoning", "written", "written_1h")

    def __init__(self, usage: Usage) -> None:
        """Raises ValueError where the input or the output is not known."""
        if usage.input is None or usage.output is None or usage.input < 0 or usage.output < 0:
            raise ValueError("the counts of input and output are not both known")
        self.input, self.output = usage.input, usage.output
        self.cached = _within(usage.cached, self.input)
        self.written = _within(usage.cache_write, self.input - self.cached)
        self.written_1h = _within(usage.cache_write_1h, self.written)
        self.reasoning = _within(usage.reasoning, self.output)


def _within(count: int | None, most: int) -> int:
    return max(0, min(count or 0, most))


class TokenPrices:
    """The suite's price of a million tokens."""

    def __init__(self, price: Price) -> None:
        self._input, self._output = _exact(price.input), _exact(price.output)
        self._cached = _exact(price.cached, self._input)
        self._written = _exact(price.cache_write, self._input)
        self._reasoning = _exact(price.reasoning, self._output)
        self._batch = Decimal(repr(price.batch))
        self.source = suite_source(price)

    def cost(self, usage: Usage, *, batch: bool = False, media: Media = NO_MEDIA) -> float | None:
        """Each class of tokens at its own price."""
        del media
        try:
            n = Counts(usage)
        except ValueError:
            return None
        dollars = (
            (n.input - n.cached - n.written) * self._input
            + n.cached * self._cached
            + n.written * self._written
            + (n.output - n.reasoning) * self._output
            + n.reasoning * self._reasoning
        )
        return _finite(dollars * (self._batch if batch else 1) / MILLION)

    def worst(self, tokens_in: int, tokens_out: int, *, media: Media = NO_MEDIA) -> float | None:
        """All tokens at the highest price of their side."""
        del media
        dear_in, dear_out = max(self._input, self._cached, self._written), max(self._output, self._reasoning)
        return _finite((tokens_in * dear_in + tokens_out * dear_out) / MILLION)


class GpuPrices:
    """The price of a deployment of one's own, by its output tokens.

    dollars per output token = gpu_hour × gpus ÷ 3600 ÷ (tokens_per_second × utilisation). What reading the input takes
    is in the throughput already. Where that is to be measured, no price is known until the run is over.
    """

    def __init__(self, price: Price) -> None:
        speed = price.tokens_per_second
        self._each = None if speed is None or isinstance(speed, str) else gpu_token(price, speed)
        self.source = suite_source(price) if self._each is not None else ""

    def cost(self, usage: Usage, *, batch: bool = False, media: Media = NO_MEDIA) -> float | None:
        """The output tokens' share of the hour; a batch takes the GPUs as long."""
        del batch, media
        if self._each is None or usage.output is None or usage.output < 0:
            return None
        return _finite(usage.output * self._each)

    def worst(self, tokens_in: int, tokens_out: int, *, media: Media = NO_MEDIA) -> float | None:
        """What the output costs at its limit."""
        del tokens_in, media
        return None if self._each is None else _finite(tokens_out * self._each)


class ListPrices:
    """The price list's, for a model of a provider, or of whoever is at a base URL."""

    def __init__(self, model: str, params: Mapping[str, Json], *, url: str = "", provider: str = "") -> None:
        self._model, self._url, self._provider = model, url, provider
        self._context = {key: str(params[key]) for key in TIERS if _chooses(key, params.get(key))}
        apart = any(word in model.lower() for word in SEARCHERS) or OWN_CAPACITY.match(model) is not None
        self._known = not apart and not any(params.get(key) for key in PRICED_APART)

    @property
    def source(self) -> str:
        """The package with its version, where it knows the model."""
        return _list_name() if self._find() is not None else ""

    def cost(self, usage: Usage, *, batch: bool = False, media: Media = NO_MEDIA) -> float | None:
        """What the list says, at the moment of asking: some prices depend on date and hour."""
        try:
            n = Counts(usage)
        except ValueError:
            return None
        return self._at(datetime.now(UTC), n, batch, media)

    def worst(self, tokens_in: int, tokens_out: int, *, media: Media = NO_MEDIA) -> float | None:
        """The highest of every class of tokens, now and in an hour."""
        made: tuple[dict[str, int], ...] = (
            {},
            {"cached": tokens_in},
            {"cache_write": tokens_in},
            {"cache_write": tokens_in, "cache_write_1h": tokens_in},
        )
        now = datetime.now(UTC)
        found: list[float | None] = []
        for part in made:
            for reasoning in (0, tokens_out):
                n = Counts(Usage(input=tokens_in, output=tokens_out, reasoning=reasoning, **part))
                found += [self._at(now, n, False, media), self._at(now + timedelta(hours=1), n, False, media)]
        known = [dollars for dollars in found if dollars is not None]
        return max(known) if len(known) == len(found) else None

    def _find(self) -> tuple[Any, Any] | None:
        if not self._known:
            return None
        return _look_up(self._model, self._provider or None, None if self._provider else self._url)

    def _at(self, moment: datetime, n: Counts, batch: bool, media: Media) -> float | None:
        found = self._find()
        if found is None:
            return None
        provider, model = found
        context = {**self._context, **({"processing": "batch"} if batch else {})}
        if not _has_tiers(model, context):
            return None
        if not _can_tell(model.get_prices(moment, context), media):
            return None
        import genai_prices

        usage = genai_prices.Usage(
            input_tokens=n.input,
            cache_read_tokens=n.cached,
            cache_write_tokens=n.written,
            cache_write_1h_tokens=n.written_1h,
            output_tokens=n.output,
            output_reasoning_tokens=n.reasoning,
        )
        done = model.calc_price(usage, provider, genai_request_timestamp=moment, price_context=context)
        return _finite(done.total_price)


class NoPrices:
    """Nothing is known."""

    source = ""

    def cost(self, usage: Usage, *, batch: bool = False, media: Media = NO_MEDIA) -> float | None:
        """Unknown."""
        del usage, batch, media

    def worst(self, tokens_in: int, tokens_out: int, *, media: Media = NO_MEDIA) -> float | None:
        """Unknown."""
        del tokens_in, tokens_out, media


def prices_of(spec: TargetSpec, *, model: str = "", url: str = "", provider: str = "") -> Prices:
    """A target's prices: the suite's where it has some, else the list's for `model`.

    The list is asked for whoever is at the base URL `url`, or, where that is empty, for `provider` by its own name.
    """
    price = spec.price
    if price is None:
        owner = "" if url else _listed_provider(provider)
        listed = model and (owner or (url and not is_loopback(urlsplit(url).hostname or "")))
        return ListPrices(model, spec.params, url=url, provider=owner) if listed else NoPrices()
    if price.model:
        provider, _, name = price.model.partition("/")
        return ListPrices(name, spec.params, provider=provider)
    return TokenPrices(price) if price.gpu_hour is None else GpuPrices(price)


def price_problems(name: str, spec: TargetSpec) -> list[Problem]:
    """What is wrong with `price.model`: it must be in the list, or it would silently price nothing."""
    if spec.price is None or not spec.price.model:
        return []
    provider, slash, model = spec.price.model.partition("/")
    if slash and _look_up(model, provider, None) is not None:
        return []
    near = nearest(spec.price.model, _listed()) if len(spec.price.model) < 200 else None
    hint = f"did you mean {near}?" if near else "write it like openai/gpt-4o, or give input and output"
    rule = f"is not in {_list_name()}"
    return [Problem(rule, key=f"targets.{name}.price.model", value=safe(spec.price.model), hint=hint)]


def gpu_token(price: Price, tokens_per_second: float) -> Decimal:
    """US dollars per output token of one's own GPUs: gpu_hour × gpus ÷ 3600 ÷ (tokens_per_second × utilisation)."""
    hour = _exact(price.gpu_hour) * Decimal(repr(price.gpus))
    return hour / 3600 / (Decimal(repr(tokens_per_second)) * Decimal(repr(price.utilisation)))


def _exact(value: float | None, otherwise: Decimal = Decimal(0)) -> Decimal:
    """The decimal number that was written."""
    return otherwise if value is None else Decimal(repr(value))


def _finite(dollars: Decimal) -> float | None:
    """As a float; None beyond what one holds."""
    found = float(dollars)
    return found if isfinite(found) else None


def suite_source(price: Price) -> str:
    """What the suite's own price is called: with its date where it has one."""
    return f"suite {price.as_of}" if price.as_of else "suite, undated"


def _chooses(key: str, value: Json) -> bool:
    return value is not None and value not in TIERS[key]


def _has_tiers(model: Any, context: Mapping[str, str]) -> bool:
    """Whether the list has a price for each choice; one it does not know is not the usual price."""
    variants = [dict(variant.when) for variant in model.price_variants or ()]
    return all(any(when.get(key) == value for when in variants) for key, value in context.items())


def _can_tell(prices: Any, media: Media) -> bool:
    """Whether input and output are priced, and nothing that is used and not counted."""
    held = cast("dict[str, Any]", vars(prices))
    keys = {key for key, value in held.items() if value is not None}
    if not {"input_mtok", "output_mtok"} <= keys:
        return False
    others = keys - TOKEN_PRICES - SEARCH_PRICES
    used = {word for part in media for word in MEDIA_PRICES.get(part, ())}
    of_media = {key for key in others if any(word in key for words in MEDIA_PRICES.values() for word in words)}
    return not others - of_media and not any(word in key for key in of_media for word in used)


@cache
def _look_up(model: str, provider: str | None, url: str | None) -> tuple[Any, Any] | None:
    """The list's provider and model, None where it does not know them."""
    from genai_prices.data_snapshot import get_snapshot

    try:
        return get_snapshot().find_provider_model(model, None, provider, url)
    except LookupError:
        return None


def _listed_provider(name: str) -> str:
    """The list's id of a provider, empty where the list has none: a name that only looks alike is another's."""
    if not name:
        return ""
    from genai_prices.data_snapshot import get_snapshot

    known = CALLED.get(name, name)
    return known if any(provider.id == known for provider in get_snapshot().providers) else ""


@cache
def _listed() -> tuple[str, ...]:
    from genai_prices.data_snapshot import get_snapshot

    return tuple(f"{provider.id}/{model.id}" for provider in get_snapshot().providers for model in provider.models)


@cache
def _list_name() -> str:
    import genai_prices

    return f"genai-prices {genai_prices.__version__}"
