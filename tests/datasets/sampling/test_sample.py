"""`seatrial dataset sample`: the real command over real files, and the laws that hold of what it writes."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seatrial.cli.main import cli
from seatrial.datasets.sampling.sample import sample
from seatrial.datasets.sampling.settings import Sampling
from seatrial.datasets.versions.folder import SPLITS, SetFolder
from seatrial.errors import DatasetError, UsageError

WORDS = [f"word{i}" for i in range(3000)]


def record(rng: random.Random, at: int, intent: str, **more: Any) -> dict[str, Any]:
    day = f"2026-{1 + at // 28 % 12:02d}-{1 + at % 28:02d}"
    text = f"{intent} " + " ".join(rng.choices(WORDS, k=15))
    return {"id": f"c{at}", "input": text, "strata": {"intent": intent}, "created_at": day, **more}


def pool_of(path: Path, counts: dict[str, int], seed: int = 0) -> list[dict[str, Any]]:
    rng = random.Random(seed)
    intents = [intent for intent, count in counts.items() for _ in range(count)]
    rng.shuffle(intents)
    rows = [record(rng, at, intent) for at, intent in enumerate(intents)]
    write(path, rows)
    return rows


def write(path: Path, rows: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def content(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir()) if file.is_file()}


def cases(folder: Path) -> list[Any]:
    return [case for split in SPLITS for case in SetFolder(folder).cases(split)]


def test_the_command_draws_what_was_asked_and_says_so(tmp_path: Path):
    pool_of(tmp_path / "pool.jsonl", {"refund": 600, "delivery": 300, "legal": 12})
    args = ["dataset", "sample", str(tmp_path / "pool.jsonl"), "--into", str(tmp_path / "set"), "--size", "200"]
    done = CliRunner().invoke(cli, [*args, "--by", "intent", "--allocation", "floored:20", "--json"])
    assert done.exit_code == 0, done.output
    found = json.loads(done.output)
    rows = {row["strata"]["intent"]: row for row in found["strata"]}
    assert found["taken"] == 200
    assert rows["legal"]["taken"] == rows["legal"]["available"] == 12
    assert rows["legal"]["short"] == 8
    assert {name: split["cases"] for name, split in found["splits"].items()} == {"build": 40, "test": 120, "sealed": 40}
    folder = SetFolder(tmp_path / "set")
    assert folder.config.shares["intent"]["legal"] == pytest.approx(12 / 912)
    assert sum(folder.config.shares["intent"].values()) == pytest.approx(1, abs=1e-8)
    drawn = cases(tmp_path / "set")
    total: Counter[str] = Counter()
    for case in drawn:
        total[case.strata["intent"]] += case.weight
    for intent, share in folder.config.shares["intent"].items():
        assert total[intent] / 200 == pytest.approx(share, rel=1e-4)  # the cases' own weights are those of traffic
    text = CliRunner().invoke(cli, [*args, "--by", "intent"])
    assert text.exit_code == 0
    assert "sealed" in text.output
    assert "short: " not in text.output
    text = CliRunner().invoke(cli, [*args[:-1], "250", "--by", "intent", "--allocation", "equal"])
    row = next(line for line in text.output.splitlines() if line.startswith("legal"))
    assert row.split()[-1] == "71"  # 250 / 3 - 12, in whole cases
    assert (
        "short: the pool lacks different cases that the allocation wants of 1 stratum, 71 in all; the others give more"
        in text.output
    )


@pytest.mark.parametrize("how", ["proportional", "floored:5", "equal"])
def test_same_seed_same_bytes_whatever_the_order_and_after_a_second_time(tmp_path: Path, how: str):
    rows = pool_of(tmp_path / "a.jsonl", {"refund": 120, "delivery": 60, "legal": 9})
    rows += [{**row, "id": f"again-{row['id']}"} for row in rows[:40]]
    allocation, _, floor = how.partition(":")
    asked = Sampling(size=60, by=("intent",), allocation=allocation, floor=int(floor or 0))  # type: ignore[arg-type]
    random.Random(4).shuffle(rows)
    write(tmp_path / "pool.jsonl", rows)
    sample(tmp_path / "pool.jsonl", tmp_path / "set", asked)
    first = content(tmp_path / "set")
    sample(tmp_path / "pool.jsonl", tmp_path / "set", asked)
    assert content(tmp_path / "set") == first
    random.Random(5).shuffle(rows)
    write(tmp_path / "pool.jsonl", rows)
    sample(tmp_path / "pool.jsonl", tmp_path / "other", asked)
    assert content(tmp_path / "other") == first
    sample(tmp_path / "pool.jsonl", tmp_path / "other", asked.model_copy(update={"seed": 1}))
    assert content(tmp_path / "other") != first


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.integers(0, 25), min_size=1, max_size=5).filter(any),
    st.integers(1, 90),
    st.sampled_from(["proportional", "equal"]),
    st.integers(0, 1000),
)
def test_never_more_than_there_is_and_the_total_is_kept(
    tmp_path: Path, counts: list[int], size: int, how: str, seed: int
):
    pool_of(tmp_path / "pool.jsonl", {f"i{at}": count for at, count in enumerate(counts)}, seed)
    asked = Sampling(size=size, by=("intent",), allocation=how, seed=seed)  # type: ignore[arg-type]
    found = sample(tmp_path / "pool.jsonl", tmp_path / "set", asked)
    assert found.taken == min(size, sum(counts)) == sum(row.taken for row in found.strata)
    assert all(row.taken <= row.available <= row.traffic for row in found.strata)
    assert all(abs(row.taken - row.quota) < 1 for row in found.strata)
    assert sum(split.cases for split in found.splits.values()) == found.taken


def test_near_duplicates_give_one_case_and_lie_in_one_split(tmp_path: Path):
    rng = random.Random(2)
    rows = [record(rng, at, "refund") for at in range(60)]
    text = rows[0]["input"]
    rows += [
        {"id": f"copy{i}", "input": f"{'Hello! ' * (i % 2)}{text}", "strata": {"intent": "refund"}} for i in range(140)
    ]
    write(tmp_path / "pool.jsonl", rows)
    found = sample(tmp_path / "pool.jsonl", tmp_path / "set", Sampling(size=50, by=("intent",)))
    drawn = cases(tmp_path / "set")
    heavy = [case for case in drawn if text in case.text]
    assert found.duplicates.largest == 141
    assert len(heavy) == 1  # it stands for 141 of 200 records
    assert heavy[0].weight / sum(case.weight for case in drawn) == pytest.approx(141 / 200, rel=1e-4)
    assert heavy[0].seed_id.startswith("seed-")


def test_a_session_and_a_seed_are_never_split(tmp_path: Path):
    rng = random.Random(3)
    rows = [record(rng, at, "refund", session_id=f"s{at % 40}") for at in range(200)]
    rows += [record(rng, 200 + at, "legal", seed_id=f"seed{at % 10}") for at in range(60)]
    write(tmp_path / "pool.jsonl", rows)
    sample(tmp_path / "pool.jsonl", tmp_path / "set", Sampling(size=200, by=("intent",)))
    where: dict[str, set[str]] = {}
    for split in SPLITS:
        for case in SetFolder(tmp_path / "set").cases(split):
            assert case.seed_id
            where.setdefault(case.seed_id, set()).add(split)
            if case.session_id:
                where.setdefault(f"session {case.session_id}", set()).add(split)
    assert len(where) > 40
    assert all(len(found) == 1 for found in where.values())


def test_anchors_are_kept_in_their_split_and_count(tmp_path: Path):
    rows = pool_of(tmp_path / "pool.jsonl", {"refund": 300, "delivery": 100})
    kept = [{**row, "id": f"old-{row['id']}"} for row in rows[:30]]
    write(tmp_path / "build.jsonl", kept)
    found = sample(
        tmp_path / "pool.jsonl",
        tmp_path / "set",
        Sampling(size=200, by=("intent",)),
        anchors=[tmp_path / "build.jsonl"],
    )
    drawn = {case.id: case for case in cases(tmp_path / "set")}
    build = {case.id for case in SetFolder(tmp_path / "set").cases("build")}
    assert found.taken == len(drawn) == 200
    assert {row["id"] for row in kept} <= build
    assert not {row["id"] for row in rows[:30]} & set(drawn)  # their doubles in the pool are not drawn again


def test_two_strata_are_crossed(tmp_path: Path):
    rng = random.Random(6)
    rows = [record(rng, at, rng.choice(["refund", "legal"]), metadata={"hard": at % 4 == 0}) for at in range(400)]
    write(tmp_path / "pool.jsonl", rows)
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "set.yaml").write_text(
        "stratifiers:\n- {stratum: level, use: attribute, path: metadata.hard, names: {'true': hard, 'false': easy}}\n"
    )
    found = sample(
        tmp_path / "pool.jsonl", tmp_path / "set", Sampling(size=100, by=("intent", "level"), allocation="equal")
    )
    assert [row.taken for row in found.strata] == [25] * 4
    total = sum(c.weight for c in cases(tmp_path / "set"))
    hard = sum(c.weight for c in cases(tmp_path / "set") if c.strata["level"] == "hard")
    assert hard / total == pytest.approx(0.25, rel=1e-4)


def test_the_unknown_are_a_stratum_and_are_told(tmp_path: Path):
    rng = random.Random(8)
    rows = [record(rng, at, "refund") for at in range(90)] + [
        {**record(rng, 90 + at, "x"), "strata": {}} for at in range(10)
    ]
    write(tmp_path / "pool.jsonl", rows)
    found = sample(tmp_path / "pool.jsonl", tmp_path / "set", Sampling(size=20, by=("intent",)))
    assert found.unknown == {"intent": 0.1}
    assert any("unknown intent: 10.0%" in line for line in found.lines())


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        pytest.param("{", "is not JSON", id="not JSON"),
        pytest.param("[1]", "must be an object", id="no object"),
        pytest.param('{"input": "x"}', "must be text that is not empty", id="no id"),
        pytest.param('{"id": "a"}', "must be text or a list of messages", id="no input"),
        pytest.param('{"id": "a", "input": [1]}', "each with a role", id="no message"),
        pytest.param('{"id": "a", "input": [{"role": "user", "content": 3}]}', "content is text", id="content"),
        pytest.param('{"id": "a", "input": "x", "strata": []}', "must be an object", id="strata"),
        pytest.param('{"id": "a", "input": "x", "created_at": "May"}', "ISO 8601", id="time"),
        pytest.param('{"id": "a", "input": "x", "created_at": "0001-01-01T00:00:00+14:00"}', "ISO 8601", id="year 0"),
        pytest.param('{"id": "a", "input": "x", "metadata": ' + '{"a":' * 5000 + "1" + "}" * 5001, "deep", id="deep"),
        pytest.param('{"id": "ok0", "input": "x"}', "has the id of line 1", id="an id twice"),
        pytest.param('{"id": "a", "input": "x", "weight": -1}', "greater than 0", id="not a case"),
    ],
)
def test_bad_lines_are_named_and_nothing_is_written(tmp_path: Path, line: str, rule: str):
    good = "".join(json.dumps({"id": f"ok{i}", "input": f"question {i}"}) + "\n" for i in range(3))
    (tmp_path / "pool.jsonl").write_text(good + "\n" + line + "\n")
    with pytest.raises(DatasetError) as raised:
        sample(tmp_path / "pool.jsonl", tmp_path / "set", Sampling(size=10))
    assert [(p.line, rule in p.rule) for p in raised.value.problems] == [(5, True)]
    assert not (tmp_path / "set").exists()


def test_hostile_text_is_drawn_as_it_is(tmp_path: Path):
    texts = ["\ud800", "\0", "x" * 1_000_000, "a\u2028b", "é" * 50, ""]
    rows = [{"id": f"h{i}", "input": text, "metadata": {"n": 2**63, "f": float("nan")}} for i, text in enumerate(texts)]
    write(tmp_path / "pool.jsonl", rows)
    found = sample(tmp_path / "pool.jsonl", tmp_path / "set", Sampling(size=10))
    assert found.taken == len(texts)
    assert sorted(case.text for case in cases(tmp_path / "set")) == sorted(texts)


def test_the_first_and_the_last_moment_there_are_can_be_drawn(tmp_path: Path):
    ends = ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z")
    write(tmp_path / "pool.jsonl", [{"id": end[:4], "input": f"at {end}", "created_at": end} for end in ends])
    found = sample(tmp_path / "pool.jsonl", tmp_path / "set", Sampling(size=2, split={"test": 1.0}))
    assert [(row.first, row.last) for row in found.splits.values() if row.cases] == [("0001-01-01", "9999-12-31")]


def test_a_message_of_tool_calls_alone_needs_no_content(tmp_path: Path):
    call = {"role": "assistant", "content": None, "tool_calls": [{"name": "look_up", "arguments": {"order": 7}}]}
    rows = [{"id": f"t{i}", "input": [{"role": "user", "content": "x" * i}, call]} for i in range(3)]
    write(tmp_path / "pool.jsonl", rows)
    assert sample(tmp_path / "pool.jsonl", tmp_path / "set", Sampling(size=10)).records == 3


@pytest.mark.parametrize(
    ("args", "said"),
    [
        pytest.param(
            ["--split", "build=.5,test=.6"],
            "error: The set cannot be drawn so: the shares of --split must sum to 1, not 1.1. [",
            id="shares",
        ),
        pytest.param(["--split", "build=-1,test=2"], "split.build: must be at least 0", id="a negative share"),
        pytest.param(["--split", "train=1"], "split", id="a split there is not"),
        pytest.param(["--allocation", "even"], "allocation", id="allocation"),
        pytest.param(["--allocation", "floored:90"], "more than the size", id="floors"),
        pytest.param(["--allocation", "neyman"], "past pass rates", id="neyman without rates"),
        pytest.param(["--by", "intent,intent"], "twice", id="a stratum twice"),
        pytest.param(["--past", "missing.json"], "cannot be read", id="no rates"),
    ],
)
def test_settings_that_cannot_be_met_are_refused(tmp_path: Path, args: list[str], said: str):
    pool_of(tmp_path / "pool.jsonl", {"refund": 100, "delivery": 100})
    base = ["dataset", "sample", str(tmp_path / "pool.jsonl"), "--into", str(tmp_path / "set"), "--size", "100"]
    done = subprocess.run(
        [sys.executable, "-m", "seatrial", *base, "--by", "intent", *args], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert said in done.stderr
    assert "Value error" not in done.stderr
    assert not (tmp_path / "set").exists()


def test_neyman_draws_where_the_rates_are_uncertain(tmp_path: Path):
    pool_of(tmp_path / "pool.jsonl", {"refund": 400, "delivery": 400})
    asked = Sampling(size=80, by=("intent",), allocation="neyman", past={"refund": 0.5, "delivery": 0.9})
    found = sample(tmp_path / "pool.jsonl", tmp_path / "set", asked)
    assert {row.strata["intent"]: row.taken for row in found.strata} == {"refund": 50, "delivery": 30}


def test_a_committed_set_is_not_drawn_over(tmp_path: Path):
    from seatrial.datasets.versions import committing

    pool_of(tmp_path / "pool.jsonl", {"refund": 50})
    sample(tmp_path / "pool.jsonl", tmp_path / "set", Sampling(size=10))
    committing.commit(tmp_path / "set", "first", author="someone")
    with pytest.raises(UsageError, match="was committed"):
        sample(tmp_path / "pool.jsonl", tmp_path / "set", Sampling(size=20))
    assert sample(tmp_path / "pool.jsonl", tmp_path / "set", Sampling(size=20), replace=True).taken == 20


def test_killed_at_any_moment_and_run_again_it_writes_the_same_set(tmp_path: Path):
    rows = pool_of(tmp_path / "pool.jsonl", {"refund": 12_000, "delivery": 6_000, "legal": 400})
    write(tmp_path / "pool.jsonl", rows + [{**row, "id": f"again-{row['id']}"} for row in rows[:1600]])

    def command(into: str) -> list[str]:
        base = [sys.executable, "-m", "seatrial", "dataset", "sample", str(tmp_path / "pool.jsonl")]
        return [*base, "--into", str(tmp_path / into), "--size", "3000", "--by", "intent"]

    started = time.monotonic()
    subprocess.run(command("whole"), check=True, capture_output=True)
    lasted = time.monotonic() - started
    rng = random.Random(9)
    killed = 0
    for _ in range(10):
        process = subprocess.Popen(command("killed"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            process.wait(timeout=rng.random() * lasted)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            killed += 1
    subprocess.run(command("killed"), check=True, capture_output=True)
    assert killed
    assert content_without_parts(tmp_path / "killed") == content(tmp_path / "whole")


def content_without_parts(folder: Path) -> dict[str, bytes]:
    """The set's files; what a killed writer left beside them has a name of its own and is no part of the set."""
    return {name: raw for name, raw in content(folder).items() if not name.endswith(".part")}


def test_real_questions(tmp_path: Path, shared_data: Callable[[str], Path]):
    """GSM8K: word problems whose length makes the strata."""
    rows: dict[str, dict[str, Any]] = {}
    for line in shared_data("gsm8k_model_solutions.jsonl").read_text().splitlines():
        question = json.loads(line)["question"]
        rows.setdefault(question, {"id": f"q{len(rows)}", "input": question})
    write(tmp_path / "pool.jsonl", list(rows.values()))
    (tmp_path / "set").mkdir()
    rules = "[{name: short, at_most: 180}, {name: long, at_least: 320}]"
    (tmp_path / "set" / "set.yaml").write_text(
        f"stratifiers:\n- {{stratum: length, use: rules, rules: {rules}, otherwise: middle}}\n"
    )
    found = sample(tmp_path / "pool.jsonl", tmp_path / "set", Sampling(size=90, by=("length",), allocation="equal"))
    assert [row.taken for row in found.strata] == [30, 30, 30]
    assert found.duplicates.clusters >= 0.97 * len(rows)
    for case in cases(tmp_path / "set"):
        length = len(case.text)
        assert case.strata["length"] == ("short" if length <= 180 else "long" if length >= 320 else "middle")
