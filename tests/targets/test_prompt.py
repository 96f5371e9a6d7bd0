"""Prompt templates."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.core.case import Case
from seatrial.core.suite import PromptMessage
from seatrial.errors import TemplateError
from seatrial.targets import Prompt

CASE = Case.model_validate(
    {
        "id": "c1",
        "input": [
            {"role": "system", "content": "Be kind."},
            {"role": "user", "content": "first"},
            {"role": "assistant", "content": "yes?"},
            {"role": "user", "content": "second {{ 7*7 }} <b>"},
        ],
        "context": [
            {"text": "doc one", "id": "d1", "source": "wiki", "score": 0.5, "metadata": {"page": 3}},
            "doc two",
        ],
        "tools": [{"name": "f", "description": "does f", "parameters": {"type": "object"}}],
        "expected": "SECRET-ANSWER",
        "criteria": "SECRET-CRITERIA",
        "strata": {"intent": "SECRET-LABEL"},
        "metadata": {"note": "SECRET-NOTE"},
        "probe": {"category": "LLM01@owasp", "canary": "SECRET-CANARY"},
    }
)


def user(content: str) -> PromptMessage:
    return PromptMessage(role="user", content=content)


def rendered(content: str, case: Case = CASE, **variables: Any) -> str:
    return Prompt([user(content)], variables).request(case, {}).messages[0].text


def test_the_word_input_is_the_cases_messages_verbatim() -> None:
    request = Prompt(["input"]).request(CASE, {"temperature": 0}, seed=3)
    assert request.messages == CASE.input
    assert request.tools == CASE.tools
    assert request.context == CASE.context
    assert request.params == {"temperature": 0}
    assert request.seed == 3


def test_templates_and_input_mix_in_order() -> None:
    request = Prompt([PromptMessage(role="system", content="S"), "input", user("{{ input }}")]).request(CASE, {})
    assert [m.role for m in request.messages] == ["system", "system", "user", "assistant", "user", "user"]
    assert request.messages[-1].text == "second {{ 7*7 }} <b>"


@pytest.mark.parametrize(
    ("content", "text"),
    [
        pytest.param(
            "{{ messages|length }} {{ messages[1].content }} {{ messages[0]['role'] }}", "4 first system", id="messages"
        ),
        pytest.param(
            "{% for d in context %}[{{ d.text }}|{{ d.id }}|{{ d.source }}]{% endfor %}",
            "[doc one|d1|wiki][doc two||]",
            id="context",
        ),
        pytest.param("{{ context[0].metadata.page }}", "3", id="metadata-of-a-document"),
        pytest.param("{{ tools[0].name }} {{ tools[0].parameters.type }}", "f object", id="tools"),
        pytest.param("{{ shop }} {{ list|join(',') }}", "Kiosk 1,2", id="variables"),
        pytest.param("{% set x = 2 %}{{ x * 3 }} {{ 'ab' * 2 }} {{ 2 ** 3 }}", "6 abab 8", id="expressions"),
        pytest.param("{% raw %}{{ x }}{% endraw %}", "{{ x }}", id="raw"),
        pytest.param("\ud800 \0 é", "\ud800 \0 é", id="odd-text"),
        pytest.param("", "", id="empty"),
    ],
)
def test_what_a_template_sees(content: str, text: str) -> None:
    assert rendered(content, shop="Kiosk", list=[1, 2]) == text


@pytest.mark.parametrize("name", ["expected", "criteria", "probe", "metadata", "strata", "case", "id", "origin"])
def test_what_a_template_never_sees(name: str) -> None:
    with pytest.raises(TemplateError, match="no template sees this name"):
        Prompt([user("{{ " + name + " }}")])


def test_nothing_secret_is_within_reach() -> None:
    text = rendered("{{ input }}{{ messages }}{{ context }}{{ tools }}")
    assert "SECRET" not in text


@pytest.mark.parametrize(
    "content",
    [
        pytest.param("{{ context[9].text }}", id="undefined-item"),
        pytest.param("{{ context[0].nope }}", id="undefined-field"),
        pytest.param("{{ ''.__class__.__mro__ }}", id="class-walk"),
        pytest.param("{{ messages.append(1) }}", id="mutation"),
        pytest.param("{% for i in range(10**6) %}x{% endfor %}", id="huge-range"),
        pytest.param("{{ 'x' * 10000000 }}", id="huge-text"),
        pytest.param("{{ 9 ** 99999 }}", id="huge-power"),
        pytest.param("{% for i in range(2000) %}{{ 'x' * 1000 }}{% endfor %}", id="over-the-cap"),
        pytest.param("{{ 1 / 0 }}", id="division"),
        pytest.param("{{ input + 1 }}", id="type-error"),
        pytest.param("{% include 'other' %}", id="include"),
    ],
)
def test_what_cannot_be_rendered_names_case_and_line(content: str) -> None:
    prompt = Prompt([user("one\ntwo\n" + content)])
    with pytest.raises(TemplateError, match="for case 'c1'") as caught:
        prompt.request(CASE, {})
    assert caught.value.problems[0].file == "prompt[0].content"
    assert caught.value.problems[0].line == (None if "2000" in content else 3)
    assert caught.value.exit_code == 2


def test_the_cap_is_one_mebibyte_of_utf_8() -> None:
    assert len(rendered("{{ big }}", big="é" * (1 << 19))) == 1 << 19
    with pytest.raises(TemplateError, match="renders to more"):
        rendered("{{ big }}", big="é" * (1 << 19) + "x")


@pytest.mark.parametrize(
    ("content", "line"),
    [
        pytest.param("a\n{{ x", 2, id="unclosed"),
        pytest.param("a\nb\n{% if %}", 3, id="no-condition"),
        pytest.param("{{ input|nope }}", 1, id="unknown-filter"),
        pytest.param("{{ input|random }}", 1, id="chance"),
        pytest.param("{{ " + "(" * 3000 + "}}", None, id="deep"),
    ],
)
def test_syntax_errors_name_their_line(content: str, line: int | None) -> None:
    with pytest.raises(TemplateError) as caught:
        Prompt([user("fine"), user(content)])
    assert caught.value.problems[0].file == "prompt[1].content"
    assert caught.value.problems[0].line == line


def test_all_faults_of_a_prompt_come_at_once() -> None:
    with pytest.raises(TemplateError) as caught:
        Prompt([user("{{ inptu }}"), user("{{"), user("{{ lipsum() }}")], {"context": 1, "tools": 2})
    problems = caught.value.problems
    assert [p.key or p.file for p in problems] == [
        "variables.context",
        "variables.tools",
        "prompt[0].content",
        "prompt[1].content",
        "prompt[2].content",
    ]
    assert "did you mean input?" in str(caught.value)


@pytest.mark.parametrize(
    ("params", "seed", "expected"),
    [
        pytest.param({"seed": 5, "top_p": 1}, None, (5, {"top_p": 1}), id="from-parameters"),
        pytest.param({"seed": 5}, 9, (5, {}), id="parameters-win"),
        pytest.param({"top_p": 1}, 9, (9, {"top_p": 1}), id="argument"),
        pytest.param({}, None, (None, {}), id="none"),
        pytest.param({"seed": True}, None, (None, {"seed": True}), id="no-number-stays"),
        pytest.param({"seed": "x"}, 2, (2, {"seed": "x"}), id="text-stays"),
    ],
)
def test_seed(params: dict[str, Any], seed: int | None, expected: Any) -> None:
    request = Prompt(["input"]).request(CASE, params, seed)
    assert (request.seed, request.params) == expected


@given(st.text())
def test_a_cases_text_is_never_a_template(text: str) -> None:
    case = Case(id="c", input=text)
    assert rendered("{{ input }}", case) == text
    assert Prompt(["input"]).request(case, {}).messages[0].text == text


def test_rendering_twice_gives_the_same() -> None:
    prompt = Prompt(
        [user("{% set ns = namespace(n=0) %}{% for d in context %}{% set ns.n = ns.n + 1 %}{% endfor %}{{ ns.n }}")]
    )
    assert [prompt.request(CASE, {}).messages[0].text for _ in range(2)] == ["2", "2"]
