"""`seatrial lint`: for every code about suites, splits and past trials a project that has it, and one that has not."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import ROOT
from tests.datasets.linting.test_lint_cases import QUESTION, codes, talk
from tests.trials.project import Project

from seatrial.cli import main
from seatrial.core.case import Case
from seatrial.core.vault import ENVIRONMENT, new_key
from seatrial.datasets.linting.finding import RULES, Finding
from seatrial.datasets.sealing.ledger import Entry, Shown
from seatrial.datasets.sealing.seal import seal
from seatrial.datasets.versions.committing import commit
from seatrial.datasets.versions.folder import LEDGER, SetFolder
from seatrial.errors import DatasetError, SuiteError
from seatrial.examples import REFUND
from seatrial.trials.linting.history import correlations
from seatrial.trials.linting.lint import Linted, lint
from seatrial.trials.linting.telling import lint_text

Row = Mapping[str, Any]
NOWHERE = {"base_url": "http://127.0.0.1:9/v1"}
TARGETS = {"today": {"use": "openai:a", **NOWHERE}, "new": {"use": "openai:b", **NOWHERE}}
EXACT = {"name": "right", "scorer": "exact"}
SAFE = {"name": "safe", "scorer": "exact", "kind": "gate", "limit_points": 5, "cases": "probes"}
ALWAYS = {"name": "any", "scorer": "regex", "with": {"pattern": "[a-z{.]"}}
TODAY = date(2026, 6, 1)


def cases(number: int, **fields: Any) -> list[Row]:
    return [{"id": f"c{at}", "input": talk(at), "expected": f"yes {at}", **fields} for at in range(number)]


def probes(number: int) -> list[Row]:
    return [
        {"id": f"p{at}", "input": talk(5000 + at), "expected": f"no {at}", "origin": "adversarial"}
        for at in range(number)
    ]


def linted(project: Project, given: Sequence[Row], rubrics: Sequence[Row] = (EXACT,), **more: Any) -> Linted:
    suite = {"targets": TARGETS, "incumbent": "today", "rubrics": list(rubrics)}
    project.write(given, **{**suite, **{key: value for key, value in more.items() if key != "asked"}})
    return lint(project.folder / "seatrial.yaml", today=TODAY, **more.get("asked", {}))


def found(project: Project, given: Sequence[Row], rubrics: Sequence[Row] = (EXACT,), **more: Any) -> dict[str, Finding]:
    return codes(linted(project, given, rubrics, **more).findings)


RUBRICS: list[Any] = [
    # code, (cases, rubrics) that have it, (cases, rubrics) that barely have not
    (
        "L401",
        (cases(40), [{"name": "b", "scorer": "bleu"}, {"name": "r", "scorer": "rouge_l"}]),
        (cases(40), [{"name": "b", "scorer": "bleu"}, EXACT]),
    ),
    ("L402", (cases(40), [EXACT]), (cases(40), [EXACT, {"name": "b", "scorer": "bleu"}])),
    ("L403", (cases(40), [EXACT, ALWAYS]), (cases(40), [EXACT, {**ALWAYS, "with": {"pattern": "yes"}}])),
    (
        "L404",
        (cases(40), [EXACT, {"name": "n", "scorer": "regex", "with": {"pattern": "never seen"}}]),
        (cases(40), [EXACT, {"name": "n", "scorer": "regex", "with": {"pattern": "yes 7"}}]),
    ),
    ("L405", (cases(40), [EXACT, SAFE]), ([*cases(40), *probes(1)], [EXACT, SAFE])),
    ("L405", (cases(80), [EXACT, {**SAFE, "cases": "all"}]), (cases(80), [EXACT, {**SAFE, "cases": "traffic"}])),
    ("L407", (cases(230), [EXACT]), (cases(310), [EXACT])),
    ("L407", (cases(29), [{**EXACT, "margin_points": 90}]), (cases(30), [{**EXACT, "margin_points": 90}])),
    ("L408", ([*cases(40), *probes(58)], [EXACT, SAFE]), ([*cases(40), *probes(59)], [EXACT, SAFE])),
    (
        "L409",
        ([*cases(94), *({"id": f"n{at}", "input": talk(900 + at)} for at in range(6))], [EXACT]),
        ([*cases(95), *({"id": f"n{at}", "input": talk(900 + at)} for at in range(5))], [EXACT]),
    ),
    (
        "L409",
        (cases(40), [EXACT, {**ALWAYS, "where": {"intent": "x"}}]),
        (cases(40, strata={"intent": "x"}), [EXACT, {**ALWAYS, "where": {"intent": "x"}}]),
    ),
    ("L410", ([*cases(40), *probes(2)], [EXACT]), ([*cases(40), *probes(2)], [EXACT, SAFE])),
]


@pytest.mark.parametrize(
    ("code", "has", "near"), [pytest.param(*row, id=f"{row[0]}-{at}") for at, row in enumerate(RUBRICS)]
)
def test_rubrics(project: Project, code: str, has: Any, near: Any) -> None:
    told = found(project, *has)
    assert code in told, told
    assert code not in found(project, *near)


# dates, quarantine, prompt, stage -------------------------------------------------------------------------------------


def test_dates_come_from_targets_and_policy(project: Project) -> None:
    dated = cases(40, created_at="2026-03-01", published_at="2026-01-01")
    after = {name: {**spec, "cutoff": "2026-02-01"} for name, spec in TARGETS.items()}
    before = {name: {**spec, "cutoff": "2025-12-01"} for name, spec in TARGETS.items()}
    old, young = {"max_age": {"dataset": "30d"}}, {"max_age": {"dataset": "30w"}}
    assert {"L601", "L602"} <= found(project, dated, targets=after, policy=old).keys()
    assert not {"L601", "L602", "L603", "L604"} & found(project, dated, targets=before, policy=young).keys()
    assert "L604" in found(project, dated)


@pytest.mark.parametrize(("expires", "gone"), [("2026-05-31", True), ("2026-06-01", False)])
def test_a_quarantine_that_has_expired(project: Project, expires: str, gone: bool) -> None:
    entry = [{"case": "c1", "rubric": "right", "reason": "disputed", "expires": expires}]
    (project.folder / "quarantine.yaml").write_text(json.dumps(entry))
    told = found(project, cases(40))
    assert ("L605" in told) is gone
    assert not gone or told["L605"].cases == ("c1",)


def test_an_example_in_the_suites_prompt(project: Project) -> None:
    shown = [{"role": "system", "content": f"For example: {talk(3)}"}, "input"]
    assert found(project, cases(40), prompt=shown)["L103"].cases == ("c3",)
    assert "L103" not in found(project, cases(40), prompt=[{"role": "system", "content": talk(77)}, "input"])


@pytest.mark.parametrize(
    ("number", "attacks", "stage", "fits"),
    [
        pytest.param(150, 50, "starter", True, id="starter"),
        pytest.param(149, 50, "starter", False, id="not-starter"),
        pytest.param(150, 50, "private", False, id="not-private"),
        pytest.param(10, 0, None, True, id="nothing-asked"),
    ],
)
def test_the_stage_asked_for(project: Project, number: int, attacks: int, stage: str | None, fits: bool) -> None:
    told = linted(project, [*cases(number), *probes(attacks)], asked={"stage": stage})
    assert ("L701" in codes(told.findings)) is not fits
    assert told.stage.name == ("starter" if number + attacks >= 200 else "")


def test_traffic_from_a_pool(project: Project) -> None:
    pool = project.folder / "pool.jsonl"
    pool.write_text(
        "".join(json.dumps({"id": f"{at}", "input": "a", "strata": {"i": "xy"[at % 2]}}) + "\n" for at in range(40))
    )
    given = cases(40, strata={"i": "x"})
    assert found(project, given, asked={"against": pool})["L301"].numbers["missing"] == {"y": 0.5}
    both = [
        *cases(40, strata={"i": "x"}),
        *({**one, "id": f"y{one['id']}", "input": f"y {one['input']}", "strata": {"i": "y"}} for one in cases(9)),
    ]
    assert "L301" not in found(project, both, asked={"against": pool})
    with pytest.raises(DatasetError):
        lint(project.folder / "seatrial.yaml", against=project.folder / "none.jsonl")


def test_stated_shares_are_traffic(project: Project) -> None:
    given = cases(40, strata={"i": "x"})
    shares = {"path": "cases.jsonl", "shares": {"i": {"x": 0.97, "y": 0.03}}}
    told = found(project, given, dataset=shares)
    assert told["L301"].severity == "warning"
    assert "L305" not in told


# sets with splits -----------------------------------------------------------------------------------------------------


def a_set(project: Project, *, committed: bool = True, **splits: Sequence[Row]) -> Path:
    folder = SetFolder(project.folder / "set")
    folder.path.mkdir()
    for split, given in splits.items():
        folder.write(split, [Case.model_validate(one) for one in given])  # pyright: ignore[reportArgumentType]
    if committed:
        commit(folder.path, "first", allow_unlabelled=True)
    return folder.path


def of_set(project: Project) -> dict[str, Finding]:
    return found(project, [], dataset={"path": "set"})


def other(given: Sequence[Row], name: str) -> list[Row]:
    return [{**one, "id": f"{name}{one['id']}", "input": f"{talk(8000 + at)} {name}"} for at, one in enumerate(given)]


def test_splits_that_share_cases(project: Project) -> None:
    a_set(
        project,
        test=cases(40),
        build=[*other(cases(20), "b"), {"id": "again", "input": talk(3) + ".", "expected": "x"}],
    )
    told = of_set(project)
    assert set(told["L201"].cases) == {"c3", "again"}
    assert "L205" not in told


def test_splits_that_share_nothing_and_a_set_without_a_version(project: Project) -> None:
    a_set(project, committed=False, test=cases(40), build=other(cases(20), "b"))
    told = of_set(project)
    assert "L201" not in told
    assert "has no version yet" in told["L205"].text


@pytest.mark.parametrize(
    ("sealed", "severity"),
    [pytest.param([], "note", id="none"), pytest.param(other(cases(20), "s"), "warning", id="open")],
)
def test_a_sealed_split_that_is_not_there_or_lies_open(project: Project, sealed: list[Row], severity: str) -> None:
    a_set(project, test=cases(40), **({"sealed": sealed} if sealed else {}))
    assert of_set(project)["L202"].severity == severity


def exposed(folder: Path, times: int) -> None:
    entries: list[Entry] = []
    for number in range(1, times + 1):
        previous = (entries[-1].hash,) if entries else ()
        shown = (Shown(name="m", model="m"),)
        told = {"number": number, "at": "2026-01-01", "who": "a", "trial": f"t{number}", "set": "set", "cases": 20}
        entries.append(Entry.model_validate({**told, "version": "v", "shown": shown, "previous": previous}))
    (folder / LEDGER).write_bytes(b"".join(entry.line for entry in entries))


@pytest.mark.parametrize(("times", "severity"), [(9, "note"), (10, "warning")])
def test_a_sealed_split_is_counted_and_never_opened(
    project: Project, monkeypatch: pytest.MonkeyPatch, times: int, severity: str
) -> None:
    folder = a_set(project, test=cases(40), sealed=other(cases(20), "s"))
    monkeypatch.setenv(ENVIRONMENT, new_key())
    seal(folder)
    monkeypatch.delenv(ENVIRONMENT)
    exposed(folder, times)
    told = linted(project, [], dataset={"path": "set"})
    by_code = codes(told.findings)
    assert not {"L202", "L205"} & by_code.keys()
    assert (by_code["L203"].severity, by_code["L203"].numbers) == (severity, {"exposures": times})
    assert told.splits == {"test": 40, "sealed (closed)": 20}
    lines = (folder / LEDGER).read_bytes().splitlines(keepends=True)
    (folder / LEDGER).write_bytes(b"".join(lines[1:]))
    assert codes(linted(project, [], dataset={"path": "set"}).findings)["L203"].severity == "error"


def test_no_ledger_no_exposures(project: Project) -> None:
    a_set(project, test=cases(40))
    assert "L203" not in of_set(project)


# past trials ----------------------------------------------------------------------------------------------------------


def recorded(project: Project, passes: Sequence[Sequence[bool]], **more: Any) -> dict[str, Finding]:
    """A trial of recordings, one a row of `passes`, and what lint says then."""
    targets: dict[str, Any] = {}
    given = cases(len(passes[0]))
    for number, row in enumerate(passes):
        lines = [
            {"input": case["input"], "output": case["expected"] if right else "wrong"}
            for case, right in zip(given, row, strict=True)
        ]
        (project.folder / f"out{number}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
        targets[f"m{number}"] = {"use": f"replay:out{number}.jsonl"}
    project.write(given, **{"targets": targets, "incumbent": "m0", "rubrics": [EXACT], **more})
    project.run()
    return codes(lint(project.folder / "seatrial.yaml", today=TODAY).findings)


def ladder(systems: int, items: int, odd: int = 0) -> list[list[bool]]:
    """Better systems pass more; the first `odd` cases are passed by the worse half only."""
    return [
        [(s < systems // 2) if i < odd else (s + i) % systems >= systems - 1 - s for i in range(items)]
        for s in range(systems)
    ]


def test_too_few_systems_say_nothing(project: Project) -> None:
    told = recorded(project, [[True] * 40, [True] * 39 + [False]])
    assert told["L504"].numbers == {"systems": 2}
    assert not {"L501", "L502", "L503"} & told.keys()


def test_cases_that_never_or_always_fail(project: Project) -> None:
    passes = [[True, False, s == 0, *((s + i) % 3 > 0 for i in range(37))] for s in range(3)]
    told = recorded(project, passes)
    assert told["L501"].cases == ("c0",)
    assert told["L501"].numbers == {"share": {"right": 0.025}}
    assert told["L502"].cases == ("c1",)
    assert "c2" not in told["L501"].cases, "one of three passes it"
    assert "L504" in told, "three systems give no correlation"


def test_a_case_that_better_systems_fail(project: Project) -> None:
    told = recorded(project, ladder(8, 40, odd=1))
    assert told["L503"].cases == ("c0",)
    assert told["L503"].severity == "warning"
    assert told["L503"].numbers["high"] < 0
    assert "L504" not in told


def test_no_case_that_better_systems_fail(project: Project) -> None:
    assert "L503" not in recorded(project, ladder(8, 40))


def test_an_edited_case_is_judged_anew(project: Project) -> None:
    passes = [[True, False, *((s + i) % 3 > 0 for i in range(38))] for s in range(3)]
    assert "L502" in recorded(project, passes)
    given = [dict(one) for one in cases(40)]
    given[1]["expected"] = "another reference"
    project.write(given)
    assert "L502" not in codes(lint(project.folder / "seatrial.yaml", today=TODAY).findings)


@pytest.mark.parametrize(
    ("failures", "warned"), [pytest.param(0, True, id="none-fails"), pytest.param(9, False, id="3%-fail")]
)
def test_a_margin_above_what_fails_today(project: Project, failures: int, warned: bool) -> None:
    first = [at >= failures for at in range(300)]
    told = recorded(project, [first, [True] * 300])
    assert ("L406" in told) is warned


def test_item_rest_correlation_is_that_of_numpy() -> None:
    import numpy as np

    table = np.random.default_rng(3).integers(0, 2, (9, 30)).astype(float)
    rest = (table.sum(axis=1, keepdims=True) - table) / 29
    items = {item.row: item for item in correlations(table)}
    for row in (0, 7, 29):
        expected = float(np.corrcoef(rest[:, row], table[:, row])[0, 1])
        assert items[row].r == pytest.approx(expected)
        assert items[row].low < expected < items[row].high


# the command ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    def run(*arguments: str) -> tuple[int, str, str]:
        code = main.invoke(["lint", *arguments])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def test_the_embedded_example_passes_at_the_full_stage(tmp_path: Path, call: Callable[..., Any]) -> None:
    code, out, _ = call(
        str(REFUND / "seatrial.yaml"), "--stage", "full", "--exit-code", "--json", "--store", str(tmp_path / "s.db")
    )
    told = json.loads(out)
    assert code == 0
    assert told["fit"] is True
    assert told["counts"]["error"] == told["counts"]["warning"] == 0
    assert [part["state"] for part in told["parts"]] == ["present"] * 6
    assert told["stage"]["name"] == "full"
    assert min(told["stage"]["classes"].values()) >= 20
    assert not (tmp_path / "s.db").exists(), "nothing is written"


def test_exit_codes(project: Project, call: Callable[..., Any]) -> None:
    linted(project, cases(40))
    suite = str(project.folder / "seatrial.yaml")
    assert call(suite, "--stage", "full")[0] == 0
    assert call(suite, "--stage", "full", "--exit-code")[0] == 4
    assert call(suite, "--exit-code")[0] == 0
    assert call(str(project.folder / "none.yaml"))[0] == 2
    assert call(suite, "--stage", "huge")[0] == 2
    (project.folder / "cases.jsonl").write_text('{"id": 1}\n')
    code, out, _ = call(suite, "--json")
    assert (code, json.loads(out)["error"]["exit_code"]) == (2, 2)


@pytest.mark.parametrize("width", [60, 80, 100])
def test_the_text_keeps_to_its_width_and_shows_no_controls(project: Project, width: int) -> None:
    hostile = [{**one, "id": f"{one['id']}\x1b[31m\u202e" + "i" * 300, "strata": {"k\n": "v\x00"}} for one in cases(30)]
    told = linted(project, [*hostile, {"id": "bare \ud800", "input": QUESTION}])
    text = lint_text(told, width=width)
    assert max(map(len, text.splitlines())) <= width
    assert not {"\x1b", "\u202e", "\x00", "\ud800"} & set(text)
    assert "L104 warning  unlabelled" in text
    assert "○ starter" in text
    assert "\x1b[" in lint_text(told, width=width, colour=True)
    assert json.loads(told.json_text())["fit"] is True


def test_python_raises_what_the_suite_does(tmp_path: Path) -> None:
    with pytest.raises(SuiteError):
        lint(tmp_path / "seatrial.yaml")


def test_real_questions_give_no_false_alarm(project: Project, shared_data: Callable[[str], Path]) -> None:
    """GSM8K's 1,319 questions and four recorded models: hard cases and easy ones, no contradiction and no leak."""
    (project.folder / "gsm8k.jsonl").write_bytes(shared_data("gsm8k_model_solutions.jsonl").read_bytes())
    models = ("6b_finetuning", "6b_verification", "175b_finetuning", "175b_verification")
    replay = {
        name: {"use": "replay:gsm8k.jsonl", "fields": {"input": "question", "output": f"{name}.solution"}}
        for name in models
    }
    dataset = {"path": "gsm8k.jsonl", "fields": {"input": "question", "expected": "ground_truth"}}
    rubrics = [{"name": "right", "scorer": "numeric"}]
    project.write([], targets=replay, incumbent=models[1], dataset=dataset, rubrics=rubrics)
    project.run()
    told = lint(project.folder / "seatrial.yaml")
    by_code = codes(told.findings)
    assert not {"L101", "L102", "L103", "L104", "L403", "L404", "L407", "L409"} & by_code.keys()
    assert by_code["L501"].numbers == {"share": {"right": round(156 / 1319, 4)}}
    assert by_code["L502"].count == 432
    assert by_code["L106"].severity == "note"
    assert [part.state for part in told.parts] == ["weak", "present", "missing", "missing", "weak", "weak"]


def test_every_code_is_documented() -> None:
    page = (ROOT / "docs" / "lint.md").read_text(encoding="utf-8")
    for code, rule in RULES.items():
        assert f"| {code} | {rule.title} | {rule.severity} | " in page
        assert f" | {rule.fix} |" in page
