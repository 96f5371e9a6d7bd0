"""How a function of the user's takes a case and an output: as they are, or by the names of its parameters."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal, NamedTuple, get_origin

from seatrial.core.case import Case
from seatrial.core.output import Output
from seatrial.core.record import Json, as_dict, as_list
from seatrial.errors import BrokenPluginError, Problem, nearest, safe
from seatrial.scorers.answers.numeric import MARKERS, final_number, to_decimal
from seatrial.scorers.base import answers
from seatrial.scorers.structured.reading import read_json

Role = Literal["answer", "expected", "input", "context"]
Form = Literal["natural", "text", "object", "array", "number"]

NAMES: Mapping[Role, frozenset[str]] = {
    "answer": frozenset(
        {"actual", "actual_output", "answer", "completion", "output", "predicted", "prediction", "response"}
    ),
    "expected": frozenset(
        {"expected", "expected_output", "gold", "ground_truth", "ideal", "label", "reference", "target", "truth"}
    ),
    "input": frozenset({"input", "prompt", "query", "question"}),
    "context": frozenset({"context", "contexts", "documents", "retrieval_context"}),
}
_FORMS: Mapping[str, Form] = {
    "str": "text", "dict": "object", "Dict": "object", "Mapping": "object", "list": "array", "List": "array",
    "Sequence": "array", "float": "number", "int": "number",
}  # fmt: skip


class NoSuchForm(Exception):  # noqa: N818  # not a fault of the function: the answer has not what it takes
    """The answer does not hold what the function takes."""


class Signature(NamedTuple):
    """`roles`: by parameter, what is passed to it; empty where the function takes (case, output) as they are.

    `settings`: by name, whether the setting must be given; `**` stands for any.
    """

    roles: Mapping[str, Role]
    forms: Mapping[str, Form]
    settings: Mapping[str, bool]

    def parameter(self, role: Role) -> str:
        """The parameter of a role; empty where there is none."""
        return next((name for name, of in self.roles.items() if of == role), "")


PLAIN = Signature({}, {}, {})
"""Of a function that takes (case, output) and nothing else."""


def signature_of(function: Callable[..., Any], reference: str, given: Mapping[str, Json]) -> Signature:
    """How a function is called with these settings. Raises BrokenPluginError where it cannot be."""
    try:
        found = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        raise BrokenPluginError(
            f"{safe(reference)} has no signature that can be read.", hint="wrap it in a function of (case, output)"
        ) from None
    roles = _roles(found, given)
    if roles:
        forms: dict[str, Form] = {p.name: _form(p.annotation) for p in found if p.name in roles}
        return Signature(roles, forms, _settings([p for p in found if p.name not in roles]))
    positional = [p for p in found if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    if len(positional) < 2 and not any(p.kind is p.VAR_POSITIONAL for p in found):
        raise BrokenPluginError(
            f"{safe(reference)} takes {len(positional)} positional arguments.",
            hint="it must take (case, output), or parameters that name an answer and what is expected",
        )
    return Signature({}, {}, _settings([p for p in found if p not in positional[:2]]))


def _roles(parameters: list[inspect.Parameter], given: Mapping[str, Json]) -> dict[str, Role]:
    """The role of each parameter, where there is an answer and what is expected among the first three."""
    named = [p for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD or p.kind is p.KEYWORD_ONLY]
    if not named or named[0].name == "case":
        return {}
    roles: dict[str, Role] = {}
    for role, names in NAMES.items():
        candidates = named if role in ("input", "context") else named[:3]
        name = next((p.name for p in candidates if p.name in names and p.name not in given), "")
        if name:
            roles[name] = role
    return roles if {"answer", "expected"} <= set(roles.values()) else {}


def _settings(parameters: list[inspect.Parameter]) -> dict[str, bool]:
    rest = [p for p in parameters if p.kind is not p.VAR_POSITIONAL]
    return {("**" if p.kind is p.VAR_KEYWORD else p.name): p.default is p.empty for p in rest}


def _form(annotation: Any) -> Form:
    if annotation is inspect.Parameter.empty:
        return "natural"
    if not isinstance(annotation, str):
        annotation = getattr(get_origin(annotation) or annotation, "__name__", "")
    return _FORMS.get(annotation.partition("[")[0].rpartition(".")[2].strip(), "natural")


def references(signature: Signature, case: Case) -> list[Json]:
    """The expected answers that the function can take, in its form."""
    form = signature.forms.get(signature.parameter("expected"), "natural")
    given = () if case.expected is None else case.expected.answers
    return [value for answer, text in zip(given, answers(case), strict=True) for value in _wanted(answer, text, form)]


def _wanted(answer: Json, text: str, form: Form) -> Iterator[Json]:
    if form == "natural":
        yield answer
    elif form == "text":
        yield text
    else:
        try:
            yield _read(text, form, answer)
        except NoSuchForm:
            return


def arguments(signature: Signature, case: Case, output: Output, expected: Json) -> dict[str, Any]:
    """What is passed for one expected answer. Raises NoSuchForm where the answer does not hold what is taken."""
    made: dict[str, Any] = {}
    for name, role in signature.roles.items():
        if role == "expected":
            made[name] = expected
        elif role == "input":
            made[name] = case.text
        elif role == "context":
            made[name] = [document.text for document in (output.context or case.context)]
        else:
            made[name] = _answer(output.text, signature.forms[name], expected)
    return made


def _answer(text: str, form: Form, expected: Json) -> Json:
    if form == "natural":
        form = "object" if as_dict(expected) is not None else "array" if as_list(expected) is not None else "text"
    return _read(text, form)


def _read(text: str, form: Form, value: Json = None) -> Json:
    if form == "text":
        return text
    if form == "number":
        number = to_decimal(value) if to_decimal(value) is not None else final_number(text, MARKERS).value
        if number is None:
            raise NoSuchForm("the answer holds no number")
        return float(number)
    read = read_json(text, "embedded", "object" if form == "object" else "array")
    if read.why:
        raise NoSuchForm(read.why)
    return read.value


def misfits(given: Mapping[str, Json], settings: Mapping[str, bool]) -> list[Problem]:
    """What is wrong with the settings given."""
    problems = [
        Problem(rule="is required", key=name)
        for name, required in settings.items()
        if required and name != "**" and name not in given
    ]
    if "**" in settings:
        return problems
    for name in given:
        if name not in settings:
            near = nearest(name, [*settings, "threshold"])
            hint = f"did you mean {near!r}?" if near else ""
            problems.append(Problem(rule="is no parameter of the function", key=name, hint=hint))
    return problems
