"""Metrics of other libraries: against the libraries where they are installed, and against doubles of their shape."""

from __future__ import annotations

import asyncio
import math
import sys
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from seatrial.core.case import Case
from seatrial.core.output import Output
from seatrial.errors import BrokenPluginError, ScorerConfigError
from seatrial.scorers import build, judge, scorer_hash
from seatrial.scorers.own import wrappers


def score(name, text, expected=None, settings=None, folder=Path(), **case):
    scorer = build(name, settings or {}, folder)
    record = Case(id="1", input="question", expected=expected, **case).view()
    return asyncio.run(judge(scorer, record, Output.of(text)))


# the libraries themselves ---------------------------------------------------------------------------------------------

REAL = [
    pytest.param("autoevals:ExactMatch", "Paris", "Paris", {}, 1.0, True, id="autoevals-exact"),
    pytest.param("autoevals:Levenshtein", "Pariss", "Paris", {"threshold": 0.9}, 5 / 6, False, id="autoevals-edit"),
    pytest.param("autoevals:NumericDiff", "5", "5", {}, 1.0, True, id="autoevals-number"),
    pytest.param("autoevals:JSONDiff", '{"a": 1}', '{"a": 1}', {}, 1.0, True, id="autoevals-json"),
    pytest.param("autoevals:ValidJSON", '{"a": 1', None, {}, 0.0, False, id="autoevals-without-reference"),
    pytest.param("deepeval:ExactMatchMetric", "Paris", "Paris", {}, 1.0, True, id="deepeval-exact"),
    pytest.param("deepeval:ExactMatchMetric", "Rome", "Paris", {}, 0.0, False, id="deepeval-other"),
    pytest.param("deepeval:PatternMatchMetric", "x1", None, {"pattern": "x[0-9]"}, 1.0, True, id="deepeval-setting"),
    pytest.param("ragas:ExactMatch", "Paris", "Paris", {}, 1.0, True, id="ragas-exact"),
    pytest.param("ragas:NonLLMStringSimilarity", "Pariss", "Paris", {}, 5 / 6, True, id="ragas-edit"),
    pytest.param("ragas:BleuScore", "the cat sat on the mat", "the cat sat on the mat", {}, 1.0, True, id="ragas-bleu"),
    pytest.param("langchain:exact_match", "Paris", "Paris", {}, 1.0, True, id="langchain-exact"),
    pytest.param("langchain:json_equality", '{"a":1}', '{"a": 1}', {}, 1.0, True, id="langchain-json"),
    pytest.param("langchain:json_validity", "{", None, {}, 0.0, False, id="langchain-without-reference"),
    pytest.param("langchain:string_distance", "Paris", "Paris", {"lower_is_better": True}, 1.0, True, id="a-distance"),
]
MODULES = {"langchain": "langchain_classic"}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("name", "text", "expected", "settings", "value", "passed"), REAL)
def test_the_library_itself(name, text, expected, settings, value, passed):
    library = name.partition(":")[0]
    pytest.importorskip(MODULES.get(library, library), reason=f"{library} is not installed here")
    found = score(name, text, expected, settings)
    assert (found.status, found.passed) == ("scored", passed), found
    assert found.value == pytest.approx(value)
    if expected is not None:
        assert score(name, text, None, settings).status == "not_applicable"


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("library", ["autoevals", "deepeval", "langchain", "ragas"])
def test_a_name_that_the_library_has_not(library):
    pytest.importorskip(MODULES.get(library, library), reason=f"{library} is not installed here")
    with pytest.raises(ScorerConfigError, match="Nope"):
        build(f"{library}:Nope", {}, Path())


# doubles of their shape -----------------------------------------------------------------------------------------------


class Exact:
    """Like a scorer of autoevals."""

    def __init__(self, answer=None):
        self.answer = answer

    def eval(self, output, expected=None, **kwargs):
        if isinstance(self.answer, Exception):
            raise self.answer
        value = float(output == expected) if self.answer is None else self.answer
        return SimpleNamespace(score=value, metadata={"rationale": f"asked {kwargs['input']}", "n": 1})


class Bias:
    """Like a metric of DeepEval, which keeps what it said last."""

    _required_params = [SimpleNamespace(value="input"), SimpleNamespace(value="expected_output")]  # noqa: RUF012
    score, reason, score_breakdown, error = None, None, None, None

    def __init__(self, threshold=0.5):
        assert self.score is None
        self.threshold = threshold

    async def a_measure(self, case, _show_indicator=True):
        await asyncio.sleep(0)
        self.score = len(case.actual_output) / 10
        self.reason = f"{case.input} {case.retrieval_context}"

    def is_successful(self):
        return self.score >= self.threshold


class Overlap:
    """Like a collection metric of ragas."""

    async def ascore(self, response, reference):
        return SimpleNamespace(value=float(response in reference), reason="within")


class Distance:
    """Like a string evaluator of LangChain."""

    requires_reference, requires_input = True, False

    def evaluate_strings(self, *, prediction, reference=None):
        return {"score": float(prediction != reference)}


@pytest.fixture
def doubles(monkeypatch):
    """Modules of the four libraries' names, at version 9."""

    def module(name, **parts):
        made = ModuleType(name)
        vars(made).update(parts)
        monkeypatch.setitem(sys.modules, name, made)

    def load_evaluator(name, **settings):
        if name == "pairwise":
            return object()
        raise_for = {"distance": None}
        if name not in raise_for:
            raise ValueError(f"Unknown evaluator type: {name}")
        return Distance(**settings)

    module("autoevals", Exact=Exact)
    module("deepeval")
    module("deepeval.metrics", Bias=Bias)
    module("deepeval.test_case", LLMTestCase=SimpleNamespace)
    module("ragas")
    module("ragas.metrics")
    module("ragas.metrics.collections", Overlap=Overlap)
    module("langchain_classic")
    module("langchain_classic.evaluation", load_evaluator=load_evaluator)
    monkeypatch.setattr(wrappers, "version", lambda package: "9")


@pytest.mark.usefixtures("doubles")
def test_what_metrics_are_given_and_say():
    found = score("autoevals:Exact", "a", "a")
    assert (found.value, found.passed, found.reason) == (1, True, "Exact 1.000: asked question")
    assert found.evidence[0].found == {"rationale": "asked question", "n": 1}
    biased = score("deepeval:Bias", "abc", "x", {"threshold": 0.2}, context=["c"])
    assert (biased.value, biased.passed, biased.reason) == (0.3, True, "Bias 0.300: question ['c']")
    assert score("deepeval:Bias", "abc", "x", {"threshold": 0.4}).passed is False
    assert score("ragas:Overlap", "a", "abc").passed
    assert score("langchain:distance", "a", "a", {"lower_is_better": True}).value == 1
    assert score("langchain:distance", "a", "b", {"lower_is_better": True}).value == 0
    for name in ("autoevals:Exact", "deepeval:Bias", "ragas:Overlap", "langchain:distance"):
        assert score(name, "a").status == "not_applicable"


@pytest.mark.usefixtures("doubles")
def test_any_accepted_answer_will_do():
    assert score("autoevals:Exact", "b", {"answers": ["a", "b"]}).passed
    assert score("autoevals:Exact", "c", {"answers": ["a", "b"]}).value == 0


@pytest.mark.usefixtures("doubles")
@pytest.mark.parametrize("answer", [math.nan, math.inf, 1.2, -0.1, "high", 10**400])
def test_what_is_no_score_is_a_judge_error(answer):
    found = score("autoevals:Exact", "a", "a", {"arguments": "own_arguments:make"}, folder=write_arguments(answer))
    assert (found.status, found.value, found.passed) == ("judge_error", None, None)


def write_arguments(answer) -> Path:
    module = ModuleType("own_arguments")
    vars(module).update(make=lambda: {"answer": answer}, __file__=__file__)
    sys.modules["own_arguments"] = module
    return Path()


@pytest.mark.usefixtures("doubles")
def test_what_a_metric_raises_is_a_judge_error():
    folder = write_arguments(ConnectionError("503"))
    found = score("autoevals:Exact", "a", "a", {"arguments": "own_arguments:make"}, folder=folder)
    assert (found.status, found.reason) == ("judge_error", "ConnectionError: 503")
    assert score("autoevals:Exact", "a", "a", {"answer": None}).passed


@pytest.mark.usefixtures("doubles")
def test_scores_of_one_scorer_at_once_do_not_mix():
    scorer = build("deepeval:Bias", {}, Path())
    case = Case(id="1", input="q", expected="x").view()

    async def all_at_once():
        return await asyncio.gather(*(judge(scorer, case, Output.of("x" * n)) for n in range(1, 10)))

    assert [found.value for found in asyncio.run(all_at_once())] == [n / 10 for n in range(1, 10)]


@pytest.mark.usefixtures("doubles")
def test_the_version_and_the_settings_are_its_identity(monkeypatch):
    hashes = {scorer_hash(build("autoevals:Exact", settings, Path())) for settings in ({}, {"threshold": 0.9})}
    hashes.add(scorer_hash(build("langchain:distance", {}, Path())))
    hashes.add(scorer_hash(build("langchain:distance", {"lower_is_better": True}, Path())))
    monkeypatch.setattr(wrappers, "version", lambda package: "10")
    hashes.add(scorer_hash(build("autoevals:Exact", {}, Path())))
    assert len(hashes) == 5


@pytest.mark.usefixtures("doubles")
@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("autoevals:Nope", {}),
        ("autoevals:", {}),
        ("autoevals:__name__", {}),
        ("autoevals:Exact", {"nope": 1}),
        ("autoevals:Exact", {"threshold": 2}),
        ("autoevals:Exact", {"lower_is_better": "yes"}),
        ("autoevals:Exact", {"arguments": 5}),
        ("langchain:nope", {}),
        ("langchain:pairwise", {}),
    ],
)
def test_what_cannot_be_built(name, settings):
    with pytest.raises(ScorerConfigError):
        build(name, settings, Path())


@pytest.mark.parametrize("library", ["autoevals", "deepeval", "langchain", "ragas"])
def test_a_missing_library_names_its_extra(monkeypatch, library):
    def absent(package):
        raise PackageNotFoundError(package)

    monkeypatch.setattr(wrappers, "version", absent)
    with pytest.raises(BrokenPluginError, match="not installed") as caught:
        build(f"{library}:Any", {}, Path())
    assert f"seatrial[{library}]" in caught.value.hint


@pytest.mark.usefixtures("doubles")
def test_a_library_that_cannot_be_imported(monkeypatch):
    monkeypatch.setitem(sys.modules, "autoevals", None)
    with pytest.raises(BrokenPluginError, match="cannot be imported"):
        build("autoevals:Exact", {}, Path())
