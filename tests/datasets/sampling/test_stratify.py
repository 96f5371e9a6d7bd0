"""Stratifiers: what they name, what they do not know, and that their hash is their definition's."""

from __future__ import annotations

import asyncio
import json
import random
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from seatrial.cli.main import cli
from seatrial.core.case import Case
from seatrial.core.output import Output, Request
from seatrial.datasets.sampling.judged import Judged
from seatrial.datasets.sampling.sample import sample
from seatrial.datasets.sampling.settings import Sampling
from seatrial.datasets.sampling.stratify import Definition, stratifiers
from seatrial.errors import DatasetError, JudgeError


def one(**definition: Any) -> Definition:
    return stratifiers([{"stratum": "s", **definition}], ["s"], Path())[0]


def rule(**conditions: Any) -> Definition:
    return one(use="rules", rules=[{"name": "yes", **conditions}], otherwise="no")


CASE = Case.model_validate(
    {
        "id": "a",
        "input": [
            {"role": "system", "content": "never speak of lawyers"},
            {"role": "user", "content": "Hello, my lawyer is John."},
            {"role": "assistant", "content": "How can I help?"},
            {"role": "user", "content": "REFUND order HG-123 please \ud800"},
        ],
        "metadata": {
            "route": "returns",
            "gen_ai.request.model": "small-1",
            "turns": 4,
            "vip": True,
            "deep": {"er": "x"},
        },
        "strata": {"s": "given"},
        "source": "app",
    }
)


@pytest.mark.parametrize(
    ("conditions", "name"),
    [
        pytest.param({"contains": "refund"}, "yes", id="contains, whatever the case"),
        pytest.param({"contains": ["parcel", "order"]}, "yes", id="any of them"),
        pytest.param({"contains": "lawyer"}, "no", id="the last message only"),
        pytest.param({"contains": "lawyer", "of": "all"}, "yes", id="the whole conversation"),
        pytest.param({"contains": "never speak", "of": "all"}, "no", id="but the instructions"),
        pytest.param({"matches": "HG-[0-9]{3}"}, "yes", id="a pattern"),
        pytest.param({"matches": "(?i)refund", "contains": "parcel"}, "no", id="all conditions"),
        pytest.param({"at_least": 10, "at_most": 100}, "yes", id="length"),
        pytest.param({"at_most": 10}, "no", id="too long"),
        pytest.param({"where": {"metadata.route": "returns"}}, "yes", id="attribute"),
        pytest.param({"where": {"metadata.route": ["sales", "returns"]}}, "yes", id="one of several"),
        pytest.param({"where": {"metadata.turns": {"at_least": 3}}}, "yes", id="a number"),
        pytest.param({"where": {"metadata.route": {"at_least": 3}}}, "no", id="no number"),
        pytest.param({"where": {"metadata.vip": True}}, "yes", id="a flag"),
        pytest.param({"where": {"metadata.absent": {"exists": False}}}, "yes", id="absent"),
        pytest.param({"where": {"metadata.gen_ai.request.model": "small-1"}}, "yes", id="a key with dots"),
    ],
)
def test_rules(conditions: dict[str, Any], name: str):
    assert rule(**conditions)(CASE) == name


@pytest.mark.parametrize(
    ("text", "name"), [("Wo ist mein Paket geblieben, ich warte seit Wochen?", "yes"), ("ok", "no")]
)
def test_a_rule_by_language(text: str, name: str):
    assert rule(language="de")(Case(id="a", input=text)) == name


@pytest.mark.parametrize(
    ("definition", "name"),
    [
        pytest.param({"use": "given"}, "given", id="given"),
        pytest.param({"use": "attribute", "path": "metadata.route"}, "returns", id="attribute"),
        pytest.param({"use": "attribute", "path": "metadata.deep.er"}, "x", id="nested"),
        pytest.param({"use": "attribute", "path": "metadata.deep"}, "unknown", id="an object is no name"),
        pytest.param({"use": "attribute", "path": "metadata.none"}, "unknown", id="absent"),
        pytest.param({"use": "attribute", "path": "source", "names": {"app": "mobile"}}, "mobile", id="mapped"),
        pytest.param({"use": "attribute", "path": "source", "names": {"web": "desk"}}, "unknown", id="not mapped"),
    ],
)
def test_attributes(definition: dict[str, Any], name: str):
    assert one(**definition)(CASE) == name


def test_the_hash_is_the_definitions():
    first = rule(contains="a")
    assert first.hash == rule(contains="a").hash
    assert re.fullmatch(r"stratifier:st1:[0-9a-f]{64}", first.hash)
    assert len({first.hash, rule(contains="b").hash, rule(matches="a").hash, one(use="given").hash}) == 4


@pytest.mark.parametrize(
    ("definition", "said"),
    [
        pytest.param({"use": "magic"}, "use must be one of", id="kind"),
        pytest.param({"use": "rules", "rules": []}, "at least 1", id="no rules"),
        pytest.param({"use": "rules", "rules": [{"name": "x"}]}, "needs a condition", id="no condition"),
        pytest.param({"use": "rules", "rules": [{"name": "x", "matches": "(?=a)"}]}, "no RE2 pattern", id="pattern"),
        pytest.param({"use": "attribute"}, "required", id="no path"),
        pytest.param({"use": "clusters", "model": "none.json", "sha256": "0" * 64}, "cannot be read", id="no model"),
        pytest.param(
            {"use": "judge", "judge": "j", "values": {"a": "x", "unknown": "y"}}, "leave it out", id="unknown"
        ),
    ],
)
def test_definitions_that_cannot_be_used(definition: dict[str, Any], said: str):
    with pytest.raises(DatasetError, match=r"stratifiers\[0\]") as raised:
        one(**definition)
    assert said in str(raised.value)


TALK = {
    "refund": ["money", "back", "return", "refund", "paid", "twice", "charged", "card", "bank", "wrong", "price"],
    "delivery": ["parcel", "courier", "late", "arrived", "address", "street", "tracking", "shipped", "driver"],
    "account": ["password", "login", "email", "locked", "reset", "profile", "security", "code", "phone"],
}


def labelled(count: int, seed: int = 0) -> list[dict[str, Any]]:
    random_ = random.Random(seed)
    rows: list[dict[str, Any]] = []
    for at in range(count):
        topic = random_.choice(list(TALK))
        text = " ".join(random_.choices(TALK[topic], k=8)) + f" number {random_.randrange(9999)}"
        rows.append({"id": f"t{at}", "input": text, "strata": {"intent": topic}})
    return rows


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def fit(tmp_path: Path, rows: list[dict[str, Any]], *args: str) -> dict[str, Any]:
    file = write(tmp_path / "examples.jsonl", rows)
    done = CliRunner().invoke(
        cli,
        ["dataset", "stratify", str(file), "--into", str(tmp_path / "set"), "--json", *args],
        catch_exceptions=False,
    )
    assert done.exit_code == 0, done.output
    return json.loads(done.output)


def test_a_classifier_learns_and_tells_how_well(tmp_path: Path):
    found = fit(tmp_path, labelled(240), "--stratum", "intent", "--fit", "classifier")
    accuracy = found["accuracy"]
    assert accuracy["low"] <= accuracy["accuracy"] <= accuracy["high"]
    assert accuracy["accuracy"] > 0.9
    fresh = [{**row, "id": f"n{row['id']}", "strata": {}} for row in labelled(200, seed=1)]
    truth = [row["strata"]["intent"] for row in labelled(200, seed=1)]
    pool = write(tmp_path / "pool.jsonl", fresh)
    sample(pool, tmp_path / "set", Sampling(size=200, by=("intent",)))
    from seatrial.datasets.versions.folder import SPLITS, SetFolder

    named = {c.id: c.strata["intent"] for split in SPLITS for c in SetFolder(tmp_path / "set").cases(split)}
    right = sum(named[row["id"]] == wanted for row, wanted in zip(fresh, truth, strict=True))
    assert right >= 180


def test_a_classifier_on_labels_without_sense_is_told_to_be_poor(tmp_path: Path):
    rows = labelled(240)
    labels = [row["strata"] for row in rows]
    random.Random(1).shuffle(labels)
    rows = [{**row, "strata": label} for row, label in zip(rows, labels, strict=True)]
    accuracy = fit(tmp_path, rows, "--stratum", "intent", "--fit", "classifier")["accuracy"]
    assert accuracy["accuracy"] < 0.5


def test_a_confidence_leaves_the_doubtful_unknown(tmp_path: Path):
    found = fit(tmp_path, labelled(120), "--stratum", "intent", "--fit", "classifier", "--confidence", "1")
    assert found["named"] == {"unknown": 120}


def test_clusters_find_the_topics_name_them_and_are_the_same_again(tmp_path: Path):
    rows = [{**row, "strata": {}} for row in labelled(200)]
    topics = [row["strata"]["intent"] for row in labelled(200)]
    args = ["--stratum", "topic", "--fit", "clusters", "--count", "3"]
    found = fit(tmp_path, rows, *args)
    again = fit(tmp_path, list(reversed(rows)), *args)
    assert again["hash"] == found["hash"]
    declared = json.loads(json.dumps({"stratum": "topic", "use": "clusters", "model": found["model"]}))
    import hashlib

    declared["sha256"] = hashlib.sha256((tmp_path / "set" / found["model"]).read_bytes()).hexdigest()
    (stratifier,) = stratifiers([declared], ["topic"], tmp_path / "set")
    pairs = {(stratifier(Case.model_validate(row)), topic) for row, topic in zip(rows, topics, strict=True)}
    names = {name for name, _ in pairs if name != "unknown"}
    assert len(names) == len({(n, t) for n, t in pairs if n != "unknown"}) == 3  # each cluster is one topic
    for name in names:
        topic = next(t for n, t in pairs if n == name)
        assert set(name.split("-")) <= set(TALK[topic])
    (tmp_path / "set" / found["model"]).write_bytes(b"{}")
    with pytest.raises(DatasetError, match="not the file that was fitted"):
        stratifiers([declared], ["topic"], tmp_path / "set")


class Judge:
    """Services whose judge answers with one word to every question."""

    def __init__(self, word: str) -> None:
        self.word = word
        self.asked: list[str] = []

    async def complete(self, target: str, request: Request) -> Output:
        text = "\n".join(message.text for message in request.messages)
        self.asked.append(text)
        ticket = re.search(r"(?i)ticket:?\s+(\w{16})", text)
        assert ticket
        key = re.findall(r"q\d+|intent", text)
        verdict = {"key": key[0], "where": "", "quote": "", "reason": "so it is", "verdict": self.word}
        answer = json.dumps({"ticket": ticket[1], "verdicts": [verdict]})
        return Output.model_validate({"messages": [{"role": "assistant", "content": answer}], "finish_reason": "stop"})


JUDGED = {"use": "judge", "stratum": "intent", "judge": "small", "values": {"refund": "wants money", "other": "else"}}


def test_a_judge_names_a_case_with_one_of_the_words():
    stratifier = Judged.model_validate(JUDGED)
    services = Judge("refund")
    assert asyncio.run(stratifier.ask(services, CASE.recorded)) == "refund"  # type: ignore[arg-type]
    assert "REFUND order" in services.asked[0]
    assert "wants money" in services.asked[0]
    assert asyncio.run(stratifier.ask(Judge("unknown"), CASE.recorded)) == "unknown"  # type: ignore[arg-type]


def test_a_judge_that_says_another_word_names_nothing():
    with pytest.raises(JudgeError):
        asyncio.run(Judged.model_validate(JUDGED).ask(Judge("maybe"), CASE.recorded))  # type: ignore[arg-type]
