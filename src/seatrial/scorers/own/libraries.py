"""How the metrics of other libraries are made and asked: autoevals, DeepEval, ragas, LangChain's evaluators.

Each library is imported when a metric of it is built, never before. None of them is told to send usage data anywhere.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Awaitable, Callable, Mapping
from importlib import import_module
from typing import Any, NamedTuple, cast

from seatrial.core.record import as_dict
from seatrial.scorers.base import parse_json


class NoMetric(Exception):  # noqa: N818  # says what is missing
    """A library has no metric of a name."""


class Given(NamedTuple):
    """What a metric is given of a case and an output; `expected` is one of the accepted answers, None without any."""

    input: str
    answer: str
    expected: str | None
    context: tuple[str, ...]


class Told(NamedTuple):
    """What a metric said. `passed` is its own verdict, None where it gives none."""

    value: object
    passed: bool | None = None
    reason: str = ""
    details: object = None


class Library(NamedTuple):
    """A library: the package that holds it, how a metric is made (raises what the library raises), and asked.

    `expects`: whether a metric needs an expected answer. `fresh`: a metric keeps what it last said, so that each
    question needs one of its own.
    """

    package: str
    make: Callable[[str, Mapping[str, Any]], Any]
    ask: Callable[[Any, Given], Awaitable[Told]]
    expects: Callable[[Any], bool]
    fresh: bool = False


def _named(module: Any, name: str) -> Any:
    found = None if name.startswith("_") else getattr(module, name, None)
    if found is None:
        raise NoMetric(f"{module.__name__} has no {name}")
    return found


_WITHOUT_REFERENCE = {"ClosedQA", "ContextRelevancy", "Faithfulness", "Humor", "Moderation", "Possible", "Security"}

_OF_VALUES = {"ListContains", "NumericDiff"}
"""Metrics of autoevals that take a JSON value, not its text."""


def _make_autoevals(name: str, settings: Mapping[str, Any]) -> Any:
    return _named(import_module("autoevals"), name)(**settings)


async def _ask_autoevals(metric: Any, given: Given) -> Told:
    more = {"context": list(given.context)} if given.context else {}
    texts = given.answer, given.expected
    values = [None if x is None else parse_json(x) for x in texts] if type(metric).__name__ in _OF_VALUES else texts
    found = metric.eval(values[0], values[1], input=given.input, **more)
    why = (as_dict(found.metadata) or {}).get("rationale")
    return Told(found.score, reason=str(why or ""), details=found.metadata)


def _expects_autoevals(metric: Any) -> bool:
    name = type(metric).__name__
    return name != "ValidJSON" and name not in _WITHOUT_REFERENCE


def _make_deepeval(name: str, settings: Mapping[str, Any]) -> Any:
    os.environ.setdefault("DEEPEVAL_TELEMETRY_OPT_OUT", "1")
    return _named(import_module("deepeval.metrics"), name)(**settings)


async def _ask_deepeval(metric: Any, given: Given) -> Told:
    case = import_module("deepeval.test_case").LLMTestCase(
        input=given.input,
        actual_output=given.answer,
        expected_output=given.expected,
        context=list(given.context) or None,
        retrieval_context=list(given.context) or None,
    )
    await metric.a_measure(case, _show_indicator=False)
    if getattr(metric, "error", None):
        raise RuntimeError(str(metric.error))
    return Told(metric.score, bool(metric.is_successful()), str(metric.reason or ""), metric.score_breakdown)


def _expects_deepeval(metric: Any) -> bool:
    needed: Any = getattr(metric, "_required_params", ())
    return isinstance(needed, list | tuple) and any(
        getattr(one, "value", one) == "expected_output" for one in cast("tuple[Any, ...]", needed)
    )


def _make_ragas(name: str, settings: Mapping[str, Any]) -> Any:
    os.environ.setdefault("RAGAS_DO_NOT_TRACK", "true")
    try:
        found = _named(import_module("ragas.metrics.collections"), name)
    except (NoMetric, ModuleNotFoundError):
        found = _named(import_module("ragas.metrics"), name)
    return found(**settings) if isinstance(found, type) else found


def _columns(given: Given) -> dict[str, Any]:
    whole = {
        "user_input": given.input,
        "response": given.answer,
        "reference": given.expected,
        "retrieved_contexts": list(given.context) or None,
    }
    return {name: value for name, value in whole.items() if value is not None}


async def _ask_ragas(metric: Any, given: Given) -> Told:
    columns = _columns(given)
    if hasattr(metric, "single_turn_ascore"):
        sample = import_module("ragas.dataset_schema").SingleTurnSample(**columns)
        return Told(await metric.single_turn_ascore(sample))
    taken = inspect.signature(metric.ascore).parameters
    found = await metric.ascore(**{name: value for name, value in columns.items() if name in taken})
    return Told(getattr(found, "value", found), reason=str(getattr(found, "reason", None) or ""))


def _expects_ragas(metric: Any) -> bool:
    if hasattr(metric, "single_turn_ascore"):
        needed: Any = getattr(metric, "required_columns", {})
        return any("reference" in columns for columns in (as_dict(needed) or {}).values())
    taken = inspect.signature(metric.ascore).parameters
    return "reference" in taken and taken["reference"].default is inspect.Parameter.empty


def _make_langchain(name: str, settings: Mapping[str, Any]) -> Any:
    try:
        module = import_module("langchain_classic.evaluation")
    except ModuleNotFoundError:
        module = import_module("langchain.evaluation")
    made = module.load_evaluator(name, **settings)
    if not hasattr(made, "evaluate_strings"):
        raise NoMetric(f"the evaluator {name} does not judge single answers")
    return made


async def _ask_langchain(metric: Any, given: Given) -> Told:
    more: dict[str, Any] = {"input": given.input} if metric.requires_input else {}
    found = metric.evaluate_strings(
        prediction=given.answer, reference=given.expected if metric.requires_reference else None, **more
    )
    return Told(found.get("score"), reason=str(found.get("reasoning") or ""), details=found.get("value"))


def _expects_langchain(metric: Any) -> bool:
    return bool(metric.requires_reference)


LIBRARIES: Mapping[str, Library] = {
    "autoevals": Library("autoevals", _make_autoevals, _ask_autoevals, _expects_autoevals),
    "deepeval": Library("deepeval", _make_deepeval, _ask_deepeval, _expects_deepeval, fresh=True),
    "ragas": Library("ragas", _make_ragas, _ask_ragas, _expects_ragas, fresh=True),
    "langchain": Library("langchain-classic", _make_langchain, _ask_langchain, _expects_langchain),
}
"""By the word before the colon in a scorer's name."""
