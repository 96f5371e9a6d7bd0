"""Metrics of other libraries that ask a model, run to a score: the library itself against a scripted provider."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from seatrial.core.case import Case
from seatrial.core.output import Output
from seatrial.core.score import Score
from seatrial.scorers import build, judge
from seatrial.testing import Asked, FakeProvider, Reply
from seatrial.testing.script import CalledTool

MODULES = {"langchain": "langchain_openai"}
ANSWER = "Paris is the capital. It rains."


def autoevals(asked: Asked) -> Reply:
    """The choice of a classifier: C is `the same details`."""
    named = asked.body["tools"][0]["function"]["name"]
    choice = "C" if "Paris" in asked.text else "D"
    return Reply(tool_calls=(CalledTool(name=named, arguments={"reasons": "the same city", "choice": choice}),))


def deepeval(asked: Asked) -> str:
    """The steps of an answer's relevancy: two statements, of which one is relevant."""
    if "Reasons why the score" in asked.text:
        return json.dumps({"reason": "half of it is about rain"})
    if "list of statements, determine" in asked.text:
        return json.dumps({"verdicts": [{"verdict": "yes"}, {"verdict": "no", "reason": "rain"}]})
    return json.dumps({"statements": ["Paris is the capital.", "It rains."]})


def ragas(asked: Asked) -> Reply:
    """The steps of faithfulness: two statements, of which the context supports one."""
    statements = ["Paris is the capital.", "It rains."]
    judged = [{"statement": s, "reason": "as said", "verdict": int("Paris" in s)} for s in statements]
    wanted = {"statements": judged if "verdict" in json.dumps(asked.body) and "NLI" in asked.text else statements}
    tools = asked.body.get("tools")
    if tools:
        return Reply(tool_calls=(CalledTool(name=tools[0]["function"]["name"], arguments=wanted),))
    return Reply(text=json.dumps(wanted))


def langchain(asked: Asked) -> str:
    """A verdict on a criterion, in the last line."""
    return "It says what was asked.\nY" if "Paris" in asked.text else "It does not.\nN"


CLIENTS = {
    "autoevals": """
def make():
    import openai
    return {"client": openai.OpenAI(**at), "model": "gpt-4o"}
""",
    "deepeval": """
def make():
    from deepeval.models import GPTModel
    return {"model": GPTModel(model="gpt-4o-mini", **at)}
""",
    "ragas": """
def make():
    from openai import AsyncOpenAI
    from ragas.llms import llm_factory
    return {"llm": llm_factory("gpt-4o-mini", client=AsyncOpenAI(**at))}
""",
    "langchain": """
def make():
    from langchain_openai import ChatOpenAI
    return {"llm": ChatOpenAI(model="gpt-4o-mini", **at)}
""",
}
ANSWERS: dict[str, Callable[[Asked], Any]] = {
    "autoevals": autoevals,
    "deepeval": deepeval,
    "ragas": ragas,
    "langchain": langchain,
}
METRICS = [
    pytest.param("autoevals:Factuality", {}, 1.0, True, "the same city", id="autoevals"),
    pytest.param("deepeval:AnswerRelevancyMetric", {"threshold": 0.6}, 0.5, False, "about rain", id="deepeval"),
    pytest.param("ragas:Faithfulness", {}, 0.5, True, "Faithfulness 0.500", id="ragas"),
    pytest.param("langchain:labeled_criteria", {"criteria": "correctness"}, 1.0, True, "was asked", id="langchain"),
]


@pytest.fixture
def ask(tmp_path: Path) -> Iterator[Callable[..., tuple[Score, int]]]:
    """Build a metric with its library's own client for a fake provider, and judge one answer by it.

    Libraries leave their connections to the garbage collector: so each request closes its own.
    """

    def run(name: str, settings: dict[str, Any], answer: Callable[[Asked], Any]) -> tuple[Score, int]:
        library = name.partition(":")[0]
        with FakeProvider(answer=answer).in_thread() as provider:
            module = f"client_of_{library}_{provider.base_url.rpartition(':')[2].partition('/')[0]}"
            to = {"base_url": provider.base_url, "api_key": "none", "default_headers": {"Connection": "close"}}
            (tmp_path / f"{module}.py").write_text(f"at = {to!r}\n{CLIENTS[library]}")
            scorer = build(name, {**settings, "arguments": f"{module}:make"}, tmp_path)
            case = Case.model_validate(
                {"id": "1", "input": "What is the capital?", "expected": "Paris", "context": ["Paris is the capital."]}
            )
            return asyncio.run(judge(scorer, case.view(), Output.of(ANSWER))), provider.calls

    return run


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("name", "settings", "value", "passed", "says"), METRICS)
def test_a_metric_that_asks_a_model_gives_its_score(ask, name, settings, value, passed, says):
    library = name.partition(":")[0]
    pytest.importorskip(MODULES.get(library, library), reason=f"{library} is not installed here")
    found, calls = ask(name, settings, ANSWERS[library])
    assert (found.status, found.passed) == ("scored", passed), found
    assert found.value == pytest.approx(value)
    assert says in found.reason
    assert calls >= 1


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", [param.values[0] for param in METRICS])
def test_a_model_that_answers_no_verdict_gives_no_score(ask, name):
    library = name.partition(":")[0]
    pytest.importorskip(MODULES.get(library, library), reason=f"{library} is not installed here")
    settings = {"criteria": "correctness"} if library == "langchain" else {}
    found, calls = ask(name, settings, lambda _: "I would rather not.")
    assert (found.status, found.passed) == ("judge_error", None), found
    assert calls >= 1
