"""`dataset stratify --fit judge`: cost first, a cap that holds, and cases that a classifier learns from."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.datasets.versions.conftest import run as run  # the fixture
from tests.datasets.versions.sets import Run, write_lines

from seatrial.testing import FakeProvider
from seatrial.testing.judges import scripted_judge

VALUES = {"refund": "wants money back", "delivery": "asks where a parcel is"}
TALK = {"refund": "I want my money back for order {n}, it broke.", "delivery": "Where is parcel {n}, it never came?"}
DECLARED = {"stratum": "intent", "use": "judge", "judge": "small", "values": VALUES}
PRICE = {"input": 1.0, "output": 4.0}
STRATIFY = ("dataset", "stratify", "pool.jsonl", "--into", "set", "--stratum", "intent", "--fit", "judge")
COMMAND = (*STRATIFY, "-o", "named.jsonl", "--cases", "60")


def word(_: str, sheet: Any) -> str:
    said = sheet.materials["conversation"]
    return "refund" if "money" in said else "delivery" if "parcel" in said else "unknown"


@pytest.fixture
def endpoint() -> Iterator[FakeProvider]:
    with FakeProvider(answer=scripted_judge(word)).in_thread() as provider:
        yield provider


@pytest.fixture
def prepared(tmp_path: Path, endpoint: FakeProvider, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    topics = [*TALK, "delivery"]
    pool = [{"id": f"c{n:03}", "input": TALK[topics[n % 3]].format(n=n)} for n in range(150)]
    write_lines(tmp_path / "pool.jsonl", [*pool, {"id": "odd", "input": "Hello."}])
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "set.yaml").write_text(json.dumps({"stratifiers": [DECLARED]}))
    write_suite(tmp_path, endpoint.base_url)
    return tmp_path


def write_suite(folder: Path, url: str, **judge: Any) -> None:
    target = {"use": "openai:small", "base_url": url, "retries": 0}
    priced = {"price": PRICE, "params": {"max_tokens": 200}}
    suite = {
        "name": "s", "dataset": {"path": "pool.jsonl"}, "targets": {"t": target},
        "judges": {"small": {**target, **priced, **judge}},
        "rubrics": [{"name": "right", "scorer": "exact"}],
    }  # fmt: skip
    (folder / "seatrial.yaml").write_text(json.dumps(suite))


def lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


def test_a_judge_names_cases_and_a_classifier_learns_from_them(
    run: Run, prepared: Path, endpoint: FakeProvider
) -> None:
    told = run(*COMMAND)
    assert told.code == 0, told.err
    assert told.err.startswith("60 cases for small (openai:small): at most ")
    assert "$" in told.err, "the price is told first"
    assert "60 of 60 named by small; 60 calls, 0 reused" in told.out
    named = lines(prepared / "named.jsonl")
    assert [one["id"] for one in named] == sorted(one["id"] for one in named)
    assert all(one["strata"]["intent"] == word("", _Sheet(one["input"][0]["content"])) for one in named)
    assert len(endpoint.log) == 60
    fit = run("dataset", "stratify", "named.jsonl", "--into", "set", "--stratum", "intent", "--fit", "classifier")
    assert fit.code == 0, fit.err
    drawn = run("dataset", "sample", "pool.jsonl", "--into", "set", "--size", "30", "--by", "intent", "--json")
    assert drawn.code == 0, drawn.err
    strata = [one["strata"]["intent"] for file in (prepared / "set").glob("*.jsonl") for one in lines(file)]
    assert {"refund", "delivery"} <= set(strata)


class _Sheet:
    def __init__(self, text: str) -> None:
        self.materials = {"conversation": text}


def test_the_same_command_again_asks_nothing(run: Run, prepared: Path, endpoint: FakeProvider) -> None:
    assert run(*COMMAND).code == 0
    first, asked = (prepared / "named.jsonl").read_bytes(), len(endpoint.log)
    pool = lines(prepared / "pool.jsonl")
    write_lines(prepared / "pool.jsonl", pool[::-1])
    again = run(*COMMAND, "--json")
    assert again.json["reused"] == 60
    assert (again.json["calls"], len(endpoint.log)) == (0, asked)
    assert (prepared / "named.jsonl").read_bytes() == first, "whatever the order of the pool"


def test_a_dry_run_tells_the_cost_and_sends_nothing(run: Run, prepared: Path, endpoint: FakeProvider) -> None:
    told = run(*COMMAND, "--dry-run", "--json").json
    assert (told["cases"], told["use"]) == (60, "openai:small")
    assert told["tokens_most"] >= 60 * 200
    assert told["dollars_most"] >= 60 * 200 * PRICE["output"] / 1e6
    assert not endpoint.log
    assert not (prepared / "named.jsonl").exists()


def test_the_cap_holds_and_a_larger_one_goes_on(run: Run, prepared: Path, endpoint: FakeProvider) -> None:
    whole = run(*COMMAND, "--dry-run", "--json").json["dollars_most"]
    told = run(*COMMAND, "--json", "--budget", str(whole / 40))
    found = json.loads(told.out)
    assert told.code == 4
    assert 0 < found["calls"] < 60
    assert found["dollars"] <= whole / 40
    assert found["unasked"] == 60 - sum(found["named"].values()) > 0
    assert len(lines(prepared / "named.jsonl")) == sum(found["named"].values())
    on = run(*COMMAND, "--json", "--budget", str(whole)).json
    assert (on["unasked"], on["reused"]) == (0, found["calls"])
    assert len(endpoint.log) == 60


def test_the_suites_cap_of_judging_holds_where_none_is_given(run: Run, prepared: Path) -> None:
    suite = json.loads((prepared / "seatrial.yaml").read_text())
    (prepared / "seatrial.yaml").write_text(json.dumps({**suite, "judging": {"budget": {"requests": 7}}}))
    told = run(*COMMAND, "--json")
    assert (told.code, json.loads(told.out)["calls"], json.loads(told.out)["unasked"]) == (4, 7, 53)


def _undeclared(folder: Path, _: FakeProvider) -> None:
    (folder / "set" / "set.yaml").unlink()


def _rules(folder: Path, _: FakeProvider) -> None:
    rules = {"stratum": "intent", "use": "rules", "rules": [{"name": "x", "contains": "x"}]}
    (folder / "set" / "set.yaml").write_text(json.dumps({"stratifiers": [rules]}))


def _misspelt(folder: Path, _: FakeProvider) -> None:
    (folder / "set" / "set.yaml").write_text(json.dumps({"stratifiers": [{**DECLARED, "judge": "smal"}]}))


def _bad_pool(folder: Path, _: FakeProvider) -> None:
    (folder / "pool.jsonl").write_text('{"id": "a", "input": "x"}\n{broken\n')


def _no_bound(folder: Path, endpoint: FakeProvider) -> None:
    write_suite(folder, endpoint.base_url, params={})


FAULTS: dict[str, Any] = {
    "no judge is declared": (_undeclared, (), 2, "declares no judge for the stratum 'intent'"),
    "rules are declared": (_rules, (), 2, "declares no judge for the stratum 'intent'"),
    "the suite has another judge": (_misspelt, (), 2, "did you mean 'small'?"),
    "a pool with faults": (_bad_pool, (), 2, "is not JSON"),
    "a cap that cannot be kept": (_no_bound, ("--budget", "1"), 2, "has no bound"),
}


@pytest.mark.parametrize(("harm", "more", "code", "said"), FAULTS.values(), ids=FAULTS.keys())
def test_what_cannot_be_asked_is_refused_before_anything_is_sent(
    harm: Any, more: tuple[str, ...], code: int, said: str, run: Run, prepared: Path, endpoint: FakeProvider
) -> None:
    harm(prepared, endpoint)
    told = run(*COMMAND, *more)
    assert told.code == code
    assert said in told.err
    assert not endpoint.log
    assert not (prepared / "named.jsonl").exists()


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        pytest.param(lambda _: "no form at all", "no usable verdict", id="no usable verdict"),
        pytest.param(scripted_judge({"*": "maybe"}), "no usable verdict", id="a word that is none"),
    ],
)
def test_a_judge_of_no_use_names_nothing(answer: Any, said: str, run: Run, prepared: Path) -> None:
    with FakeProvider(answer=answer).in_thread() as provider:
        write_suite(prepared, provider.base_url)
        told = run(*COMMAND)
    assert told.code == 4
    assert said in told.err
    assert not (prepared / "named.jsonl").exists()


def test_a_missing_file_for_the_named_cases_is_a_usage_error(run: Run, prepared: Path) -> None:
    told = run(*STRATIFY)
    assert told.code == 2
    assert "-o" in told.err
