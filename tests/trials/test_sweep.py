"""A settings sweep from a suite to its tables, against a real provider: what is asked, reused, refused and found."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from tests.trials.project import Project, question

import seatrial
from seatrial.errors import BudgetError, ConfigError, UsageError
from seatrial.reports.sweeps import sweep_json, sweep_markdown, sweep_text
from seatrial.testing import FakeProvider, Script
from seatrial.trials.running.sweep import parse_over

CASES = [question(i, expected=f"question {i}") for i in range(60)]
RULES = [
    {"when": {"system": {"contains": "terse"}, "model": "nova", "input": {"regex": "[0-3]$"}}, "text": "wrong"},
    {"when": {"system": {"contains": "verbose"}, "model": "mini", "input": {"regex": "[0-3]$"}}, "text": "wrong"},
]


def two(project: Project, fake: FakeProvider, cases: Any = CASES, **changes: Any) -> None:
    """Two models, and prompts to choose from."""
    for name in ("terse", "verbose"):
        (project.folder / f"{name}.txt").write_text(f"Be {name}.")
    price = {"input": 1, "output": 2}
    project.suite["targets"] = {
        name: {"use": f"openai:{name}", "params": {"max_tokens": 40}, "price": price} for name in ("nova", "mini")
    }
    project.at(fake.base_url)
    prompt = [{"role": "system", "content": "Answer."}, "input"]
    project.write(cases, **{"incumbent": "nova", "prompt": prompt, "policy": {"min_cases": 10}, **changes})


def sweep(project: Project, **choices: Any) -> Any:
    return seatrial.sweep(project.folder / "seatrial.yaml", **choices)


def prompts(project: Project) -> list[str]:
    return [str(project.folder / f"{name}.txt") for name in ("terse", "verbose")]


def moved(report: Any, factor: str) -> Any:
    return next(m for m in report.rubrics[0].movements if m.factor == factor)


def test_each_setting_is_asked_once_and_what_moves_is_found(project: Project) -> None:
    with FakeProvider(Script(answers=RULES)).in_thread() as fake:
        two(project, fake)
        over = {"temperature": [0, 0.7], "prompt": prompts(project)}
        report = sweep(project, over=over)
        assert fake.calls == 2 * 2 * 2 * 60
        bodies = Counter(
            (call.body["model"], call.body["temperature"], call.body["messages"][0]["content"]) for call in fake.log
        )
        assert set(bodies.values()) == {60}
        again = sweep(project, over=over)
        assert fake.calls == 480, "a second sweep asks nothing"
    assert len(bodies) == 8
    assert [s.values["temperature"] for s in report.settings] == [0, 0, 0.7, 0.7]
    assert moved(report, "temperature").largest == 0
    assert moved(report, "prompt").largest == pytest.approx(0.4)
    assert moved(report, "prompt").low > 0.1
    (swap,) = report.rubrics[0].swaps
    assert swap.shown
    assert {swap.first_leads.rpartition("/")[2], swap.second_leads.rpartition("/")[2]} == {"terse.txt", "verbose.txt"}
    assert [r.movements for r in again.rubrics] == [r.movements for r in report.rubrics]


def test_settings_share_what_an_ordinary_run_has_asked(project: Project, fake: FakeProvider) -> None:
    two(project, fake)
    for target in project.suite["targets"].values():
        target["params"]["temperature"] = 0
    project.write(CASES)
    project.run()
    sweep(project, over={"temperature": [0, 1]})
    assert fake.calls == 2 * 60 + 2 * 60


def test_a_misspelt_parameter_is_named_once(project: Project, fake: FakeProvider) -> None:
    two(project, fake)
    project.write(CASES)
    report = sweep(project, over={"temprature": [0, 1]})
    said = [text for text in report.warnings if "did you mean 'temperature'?" in text]
    assert len(said) == len(set(said)) == len(project.suite["targets"])


def test_a_parameter_takes_the_place_of_its_other_name(project: Project, fake: FakeProvider) -> None:
    two(project, fake)
    sweep(project, over={"max_completion_tokens": [10, 20]})
    assert all("max_tokens" not in call.body for call in fake.log)
    assert Counter(call.body["max_completion_tokens"] for call in fake.log) == {10: 120, 20: 120}


def test_shots_are_turns_before_the_case_and_never_of_its_own_cluster(project: Project, fake: FakeProvider) -> None:
    cases = [question(i, expected=f"answer {i}", seed_id=f"seed-{i // 3}") for i in range(30)]
    two(project, fake, [*cases, {"id": "bare", "input": "no answer"}])
    sweep(project, over={"shots": [0, 3]}, targets=["nova"])
    shown: Counter[str] = Counter()
    for call in fake.log:
        head, *turns, last = call.body["messages"]
        assert (head["role"], last["role"]) == ("system", "user")
        asked = last["content"].partition(" ")[2]
        own = int(asked) // 3 if asked.isdigit() else -1
        pairs = list(zip(turns[::2], turns[1::2], strict=True))
        assert len(pairs) in (0, 3)
        numbers = [int(user["content"].partition(" ")[2]) for user, _ in pairs]
        assert [(u["role"], a["role"], a["content"]) for u, a in pairs] == [
            ("user", "assistant", f"answer {n}") for n in numbers
        ]
        assert own not in {n // 3 for n in numbers}
        assert len({n // 3 for n in numbers}) == len(numbers), "one a cluster"
        shown.update(map(str, numbers))
    assert fake.calls == 62
    assert len(shown) == 4, "all but the cases of three clusters see the same three"


def test_shots_of_a_file_leave_out_what_the_case_is_a_variant_of(project: Project, fake: FakeProvider) -> None:
    two(project, fake, [question(i, seed_id=f"s{i}") for i in range(12)])
    pool = project.folder / "pool.jsonl"
    rows = [
        {"input": "question 3", "expected": "the case itself"},
        {"input": "other words", "expected": "a variant", "seed_id": "s4"},
        {"input": "2 + 2", "expected": 4},
    ]
    pool.write_text("".join(json.dumps(row) + "\n" for row in rows))
    sweep(project, over={"shots": [0, 2]}, shots_from=pool, targets=["nova"])
    seen = {}
    for call in fake.log:
        *turns, last = call.body["messages"][1:]
        if turns:
            seen[last["content"]] = {turn["content"] for turn in turns if turn["role"] == "assistant"}
    assert len(seen) == 12
    assert all(len(answers) == 2 for answers in seen.values())
    assert "the case itself" not in seen["question 3"]
    assert "a variant" not in seen["question 4"]
    assert "4" in seen["question 3"] | seen["question 4"]


def test_shots_are_the_same_by_seed_and_other_ones_are_asked_anew(project: Project, fake: FakeProvider) -> None:
    two(project, fake)
    choices = {"over": {"shots": [0, 2]}, "targets": ["nova"]}
    sweep(project, **choices)
    sweep(project, **choices)
    assert fake.calls == 120
    project.write(CASES, seed=5)
    sweep(project, **choices)
    assert fake.calls == 180, "without shots nothing changed"


def test_a_setting_that_a_model_does_not_take_is_named_and_not_compared(project: Project) -> None:
    with FakeProvider(Script(rejects={"mini": ("temperature",)})).in_thread() as fake:
        two(project, fake)
        project.suite["targets"]["mini"]["unsupported"] = "drop"
        project.write(CASES)
        report = sweep(project, over={"temperature": [0, 1]})
    assert moved(report, "temperature").differences == 1
    assert "temperature was left out for mini" in report.warnings[0]
    assert any("nova and mini were not asked alike (temperature) under every setting" in w for w in report.warnings)


def test_faults_of_any_setting_are_told_before_anything_is_asked(project: Project, fake: FakeProvider) -> None:
    two(project, fake)
    (project.folder / "verbose.txt").write_text("{{ nobody }}")
    with pytest.raises(ConfigError, match=r"verbose\.txt cannot be run"):
        sweep(project, over={"prompt": prompts(project)})
    assert fake.calls == 0


def test_an_estimate_counts_requests_and_dollars_by_setting(project: Project, fake: FakeProvider) -> None:
    two(project, fake)
    over = {"temperature": [0, 1], "shots": [0, 2]}
    told = seatrial.estimate_sweep(project.folder / "seatrial.yaml", over=over)
    assert (told.requests, told.reused, len(told.settings), fake.calls) == (480, 0, 4, 0)
    plain, shown = (told.settings[at].forecast for at in (0, 1))
    assert shown.dollars > plain.dollars > 0, "examples are paid for"
    assert told.dollars == pytest.approx(sum(s.forecast.dollars for s in told.settings))
    sweep(project, over=over)
    assert seatrial.estimate_sweep(project.folder / "seatrial.yaml", over=over).requests == 0


def test_a_budget_bounds_the_whole_sweep(project: Project, fake: FakeProvider) -> None:
    two(project, fake, budget={"tokens": 1600})
    with pytest.raises(BudgetError):
        sweep(project, over={"temperature": [0, 1]})
    with project.store() as store, store.reading() as connection:
        used = connection.exec_driver_sql("SELECT sum(input_tokens + output_tokens) FROM outputs").scalar()
    assert 0 < used <= 800, "a setting has its share"


def test_a_message_is_chosen_by_its_role(project: Project, fake: FakeProvider) -> None:
    prompt = [{"role": "system", "content": "S"}, {"role": "user", "content": "{{ input }}"}]
    two(project, fake, CASES[:4], prompt=prompt)
    with pytest.raises(UsageError, match="has 2 templates"):
        sweep(project, over={"prompt": prompts(project)})
    sweep(project, over={"prompt.system": prompts(project)}, targets=["nova"])
    assert {call.body["messages"][0]["content"] for call in fake.log} == {"Be terse.", "Be verbose."}


REFUSED = [
    pytest.param({}, "Nothing is swept", id="nothing"),
    pytest.param({"temperature": [0]}, "1 settings", id="one-setting"),
    pytest.param({"temperature": [0, 0.0]}, "twice", id="twice"),
    pytest.param({"temperature": []}, "no value", id="empty"),
    pytest.param({"temperature": [0.0, float("nan")]}, "not finite", id="nan"),
    pytest.param({"x": list(range(99))}, "99 settings", id="too-many"),
    pytest.param({"shots": [0, -1]}, "whole numbers", id="negative-shots"),
    pytest.param({"shots": [0, True]}, "whole numbers", id="boolean-shots"),
    pytest.param({"shots": [0, 64]}, "64 shots need 65", id="too-many-shots"),
    pytest.param({"prompt": ["gone.txt", "x.txt"]}, "cannot be read", id="no-file"),
    pytest.param({"prompt": [1, 2]}, "names files", id="no-name"),
    pytest.param({"prompt": ["\0", "x"]}, "cannot be read", id="null-byte"),
    pytest.param({"\ud800": [1, 2]}, "no name of a setting", id="surrogate"),
    pytest.param({"model": ["a", "b"]}, "is set by Seatrial", id="reserved"),
]


@pytest.mark.parametrize(("over", "said"), REFUSED)
def test_what_cannot_be_swept_is_refused(project: Project, fake: FakeProvider, over: Any, said: str) -> None:
    two(project, fake)
    with pytest.raises(ConfigError) as caught:
        sweep(project, over=over)
    assert said in str(caught.value)
    assert fake.calls == 0


def test_what_is_recorded_cannot_be_swept(project: Project) -> None:
    (project.folder / "r.jsonl").write_text('{"input": "question 0", "output": "x"}\n')
    project.write(CASES[:1], targets={"old": {"use": "replay:r.jsonl"}})
    with pytest.raises(UsageError, match="asked nothing"):
        sweep(project, over={"temperature": [0, 1]})


OVERS = [
    pytest.param(["temperature=0,0.7"], {"temperature": [0, 0.7]}, id="numbers"),
    pytest.param(["p=a.txt, b.txt", "x=true,null"], {"p": ["a.txt", "b.txt"], "x": [True, None]}, id="texts"),
    pytest.param(['stop=[["a,b"], "c"]'], {"stop": [["a,b"], "c"]}, id="list"),
]


@pytest.mark.parametrize(("texts", "values"), OVERS)
def test_what_is_written_on_a_command_line(texts: list[str], values: Any) -> None:
    assert parse_over(texts) == values


@pytest.mark.parametrize("text", ["", "x", "=1", "x=", "x=[1", "x=" + "[" * 5000, "x=[" + "[" * 300 + "]" * 301])
def test_what_is_no_setting_on_a_command_line(text: str) -> None:
    with pytest.raises(UsageError):
        parse_over([text])


def test_the_command_writes_its_tables(project: Project, fake: FakeProvider) -> None:
    two(project, fake)
    over = ("--over", "temperature=0,1", "--over", "prompt=terse.txt,verbose.txt")
    told = project.call("sweep", *over, "--dry-run")
    assert (told.returncode, fake.calls) == (0, 0)
    assert "together" in told.stdout
    assert "480" in told.stdout
    done = project.call("sweep", *over, "-o", "found.md", "-o", "found.json")
    assert done.returncode == 0, done.stderr
    assert "setting 4 of 4: temperature 1, prompt verbose.txt" in done.stderr
    assert "what moves" in done.stdout
    assert "| temperature | 0.0 |" in (project.folder / "found.md").read_text()
    assert json.loads((project.folder / "found.json").read_text())["format"] == "seatrial.sweep/1"
    assert json.loads(project.call("sweep", *over, "--json").stdout)["factors"] == ["temperature", "prompt"]
    odd = project.call("sweep", *over, "-o", "found.html")
    assert (odd.returncode, "end the name in one of .json, .md, .txt" in odd.stderr) == (2, True)


def test_hostile_names_stay_in_their_place(project: Project, fake: FakeProvider) -> None:
    two(project, fake, CASES[:12])
    report = sweep(project, over={"stop": ["| x |\n# y <b>", "\u202e\x1b[31m"]}, targets=["nova"])
    for text in (sweep_text(report, width=100), sweep_markdown(report)):
        assert "\x1b" not in text
        assert "\u202e" not in text
    assert "\n# y" not in sweep_markdown(report)
    assert "<b>" not in sweep_markdown(report)
    assert json.loads(sweep_json(report))["settings"][1]["values"]["stop"] == "\u202e\x1b[31m"


def test_a_folder_is_no_prompt(project: Project, fake: FakeProvider, tmp_path: Path) -> None:
    two(project, fake, CASES[:4])
    (tmp_path / "big.txt").write_bytes(b"x" * (2**20 + 1))
    (tmp_path / "latin.txt").write_bytes(b"\xff\xfe\xfa")
    for name, said in ((".", "Is a directory"), ("big.txt", "1 MiB"), ("latin.txt", "UTF-8")):
        with pytest.raises(UsageError, match=said):
            sweep(project, over={"prompt": [str(tmp_path / name), prompts(project)[0]]})
