import json
import math
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.errors import ConfigError
from seatrial.testing import Fault, Latency, Reply, Rule, Script, When
from seatrial.testing.answers import Answers, choose_fault, draw, seconds
from seatrial.testing.dialects.base import Asked, input_key, tokens
from seatrial.testing.script import fill

FULL = """\
# a script that uses every key
seed: 7
models: [fast, slow]
api_keys: [secret]
fingerprint: fp_1
served_model: fast-2026-01-01
latency: {lognormal: {median: 0.3, sigma: 0.5}}
stream: {first_token: 0.1, between: {uniform: [0.01, 0.02]}, tokens: 2}
answers:
  - when: {input: {contains: refund}, system: {regex: '^You are'}, model: fast}
    text: Yes.
    usage: {input: 10, cached: 4, output: 3, reasoning: 1}
    logprobs: [-0.5]
  - when: {input: {sha256: 0123abcd}}
    tool_calls: [{name: look, arguments: {id: 7, day: 2026-01-02}}]
  - when: {input: exact text}
    sequence: [{fault: {kind: rate_limit, retry_after: 1}}, {fault: reset}, {text: third}]
  - when: {model: slow}
    refusal: I will not.
    usage: false
    latency: 2
default: {echo: "You said {input}"}
faults:
  - {kind: rate_limit, probability: 0.1, retry_after: 2, retry_form: date, attempts: 2}
  - {kind: server_error, status: 503, probability: 0.05}
capacity: {rps: 100, rpm: 5000, tpm: 90000, burst_seconds: 2, concurrency: 8, retry_after: none, per_key: true}
variants:
  worse: {default: {text: Hm.}, fingerprint: fp_2}
switch: {to: worse, after: 100}
"""


def test_every_key_is_read_and_survives_a_round_trip(tmp_path):
    path = tmp_path / "fake.yaml"
    path.write_text(FULL, "utf-8")
    script = Script.load(path)
    assert script.answers[1].tool_calls[0].arguments == {"id": 7, "day": "2026-01-02"}
    assert script.answers[2].sequence[1].fault == Fault(kind="reset")
    assert script.behaviour("worse").fingerprint == "fp_2"
    assert script.behaviour("worse").answers == script.answers
    assert Script.model_validate(json.loads(json.dumps(script.portable()))) == script
    as_json = tmp_path / "fake.json"
    as_json.write_text(json.dumps(script.portable()))
    assert Script.load(as_json) == script


def test_an_answers_file_follows_the_rules(tmp_path):
    rows = [{"input": f"q{i}", "text": f"a{i}"} for i in range(2000)]
    rows += [{"input": "q1", "model": "x", "text": "never: the first row fits"}, {"input": "\ud800", "text": "odd"}]
    (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n\n")
    path = tmp_path / "fake.yaml"
    path.write_text("answers: [{when: {input: q7}, text: mine}]\nanswers_file: rows.jsonl\n")
    answers = Answers(Script.load(path))
    asked = {text: answers.reply(Asked("x", "k", text), 1).text for text in ("q0", "q7", "q1999", "q1", "\ud800")}
    assert asked == {"q0": "a0", "q7": "mine", "q1999": "a1999", "q1": "a1", "\ud800": "odd"}


BAD = [
    pytest.param("answerz: []", 1, "answerz", "did you mean answers?", id="unknown-key"),
    pytest.param("seed: 1\ncapacity:\n  rpz: 3", 3, "capacity.rpz", "did you mean rps?", id="unknown-nested-key"),
    pytest.param("answers:\n- when:\n    input: {containz: x}", 3, "answers.0.when.input.containz", "contains", id="m"),
    pytest.param("variants:\n  w:\n    defaultt: {}", 3, "variants.w.defaultt", "did you mean default?", id="variant"),
    pytest.param("seed: seven", 1, "seed", "(got seven)", id="wrong-type"),
    pytest.param("latency: -1", 1, "latency.constant", "greater than or equal to 0", id="negative-latency"),
    pytest.param("latency: {uniform: [2, 1]}", 1, "latency", "lower end first", id="reversed-uniform"),
    pytest.param("latency: {}", 1, "latency", "exactly one of", id="no-distribution"),
    pytest.param("answers:\n- when: {input: {regex: '('}}", 2, "answers.0.when.input", "RE2", id="bad-pattern"),
    pytest.param("answers:\n- when: {input: {regex: '(?=x)'}}", 2, "answers.0.when.input", "RE2", id="lookahead"),
    pytest.param("answers:\n- when: {input: {sha256: xyz}}", 2, "answers.0.when.input.sha256", "pattern", id="sha"),
    pytest.param("answers:\n- {text: a, echo: b}", 2, "answers.0", "either text or echo", id="text-and-echo"),
    pytest.param("answers:\n- {text: a, sequence: [{text: b}]}", 2, "answers.0", "sequence", id="text-and-sequence"),
    pytest.param("faults:\n- resett", 2, "faults.0.kind", "(got resett)", id="unknown-fault"),
    pytest.param("faults:\n- {kind: reset, retry_after: 1}", 2, "faults.0", "does not belong", id="foreign-setting"),
    pytest.param("faults:\n- {kind: server_error, status: 200}", 2, "faults.0", "status 200", id="foreign-status"),
    pytest.param("faults:\n- {kind: reset, status: 500}", 2, "faults.0", "does not belong", id="status-of-reset"),
    pytest.param("faults:\n- stalll", 2, "faults.0.kind", "did you mean stall?", id="nearest-fault"),
    pytest.param("models: m", 1, "models", "must be a list", id="text-for-list"),
    pytest.param("capacity: 3", 1, "capacity", "must be a mapping", id="number-for-mapping"),
    pytest.param("faults: [reset, hang]", 1, "", "sum to more than 1", id="probabilities"),
    pytest.param("switch: {to: other, after: 1}", 1, "", "leads to 'other'", id="switch-nowhere"),
    pytest.param("answers_file: 3", 1, "answers_file", "JSONL", id="answers-file-number"),
    pytest.param("answers:\n- text: !!binary aGk=", 2, "answers.0.text", "a value that JSON has", id="binary"),
    pytest.param("default: {tool_calls: [{name: x, arguments: {1: a}}]}", 1, "arguments", "quotes", id="number-key"),
    pytest.param("latency: .nan", 1, "latency", "a value that JSON has", id="nan"),
    pytest.param("- a\n- b", None, "", "must be a mapping", id="list"),
    pytest.param("", None, "", "must be a mapping", id="nothing"),
    pytest.param("seed: 1\nseed: 2", 2, "", "duplicate", id="duplicate-key"),
    pytest.param("a: [1\nb: 2", 2, "", "is not YAML", id="not-yaml"),
    pytest.param("a: \x07", None, "", "is not YAML", id="control-character"),
    pytest.param("a: " + "[" * 5000, None, "", "nested too deep", id="deep"),
]


@pytest.mark.parametrize(("text", "line", "key", "said"), BAD)
def test_a_bad_script_names_file_line_key_and_rule(tmp_path, text, line, key, said):
    path = tmp_path / "fake.yaml"
    path.write_text(text, "utf-8")
    with pytest.raises(ConfigError) as caught:
        Script.load(path)
    first = caught.value.problems[0]
    assert first.file == "fake.yaml"
    if key or line is None:
        assert first.line == line
    assert key in first.key
    assert said in str(caught.value)
    assert caught.value.hint


def test_all_problems_are_named_at_once_with_those_of_the_answers_file(tmp_path):
    (tmp_path / "rows.jsonl").write_text(
        '{"input": "a", "text": "b"}\n{"text": "b"}\nnot json\n{"input": "a", "x": 1}\n[]'
    )
    path = tmp_path / "fake.json"
    path.write_text('{"seed": "x",\n "modelz": [],\n "answers_file": "rows.jsonl"}')
    with pytest.raises(ConfigError) as caught:
        Script.load(path)
    places = {(p.file, p.line) for p in caught.value.problems}
    assert places == {("fake.json", 1), ("fake.json", 2), *(("rows.jsonl", line) for line in (2, 3, 4, 5))}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        pytest.param("absent.yaml", None, id="absent"),
        pytest.param("latin.yaml", b"default: {text: \xe9}", id="not-utf8"),
        pytest.param("broken.json", b"{", id="not-json"),
        pytest.param("nul\0.yaml", None, id="null-byte-in-name"),
    ],
)
def test_unreadable_files_are_a_sentence(tmp_path, name, content):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(ConfigError, match=r"cannot be (read|used)"):
        Script.load(tmp_path / name)


@given(st.text(st.characters(exclude_categories=())))
def test_tokens_join_to_the_text(text):
    assert "".join(tokens(text)) == text


@given(st.text(max_size=20), st.text(max_size=20))
def test_exact_contains_and_hash_agree(text, other):
    def fits(test: object, subject: str) -> bool:
        rules = Answers(Script(answers=(Rule(when=When(input=test), text="hit"),)))
        return rules.reply(Asked("m", "k", subject), 1).text == "hit"

    assert fits({"exact": text}, text)
    assert fits({"exact": text}, other) == (text == other)
    assert fits({"contains": text}, other + text + other)
    assert fits({"contains": text}, other) == (text in other)
    digest = sha256(text.encode()).hexdigest()
    assert fits({"sha256": digest}, text)
    assert fits({"sha256": digest[:8]}, text)
    assert fits({"sha256": digest}, other) == (text == other)


def test_rules_are_tried_in_the_order_they_are_written():
    rules = [
        Rule(when=When(input={"regex": "^q[0-9]+$"}, model="a"), text="pattern, a"),
        Rule(when=When(input="q1"), text="exact"),
        Rule(when=When(input={"contains": "q"}, system={"contains": "polite"}), text="polite"),
        Rule(text="anything"),
    ]
    answers = Answers(Script(answers=rules))
    table = {
        ("a", "q1", ""): "pattern, a",
        ("b", "q1", ""): "exact",
        ("b", "q2", "be polite"): "polite",
        ("b", "q2", ""): "anything",
        ("a", "\ud800", ""): "anything",
    }
    for (model, text, system), expected in table.items():
        assert answers.reply(Asked(model, "k", text, system), 1).text == expected


def test_a_sequence_goes_call_by_call_and_its_last_repeats():
    answers = Answers(Script(answers=[Rule(sequence=[Reply(text="1"), Reply(text="2")])]))
    assert [answers.reply(Asked("m", "k", "x"), call).text for call in (1, 2, 3, 9)] == ["1", "2", "2", "2"]


def test_echo_replaces_once_and_leaves_other_braces():
    values = {"input": "{model} {x}", "system": "s", "model": "m", "call": "3"}
    assert fill("{input}|{model}|{call}|{other}|{", values) == "{model} {x}|m|3|{other}|{"


@given(st.floats(0, 1, exclude_min=True, exclude_max=True))
def test_latency_quantiles_stay_in_their_range(u):
    assert seconds(Latency(constant=0.25), u) == 0.25
    assert 1 <= seconds(Latency(uniform=(1, 3)), u) <= 3
    assert 0 <= seconds(Latency(lognormal={"median": 0.3, "sigma": 1}), u) <= 86_400


def test_latency_has_the_distribution_it_names():
    law = Latency(lognormal={"median": 0.3, "sigma": 0.5})
    logs = [math.log(seconds(law, draw("latency", at)) / 0.3) for at in range(20_000)]
    mean = sum(logs) / len(logs)
    deviation = (sum((x - mean) ** 2 for x in logs) / len(logs)) ** 0.5
    assert abs(mean) < 0.02
    assert abs(deviation - 0.5) < 0.02


def test_faults_come_with_their_probabilities_and_at_most_one():
    faults = (Fault(kind="rate_limit", probability=0.1), Fault(kind="hang", probability=0.01))
    drawn = [choose_fault(faults, 1, False, draw("fault", at)) for at in range(20_000)]
    kinds = [fault.kind if fault else "" for fault in drawn]
    assert abs(kinds.count("rate_limit") / 20_000 - 0.1) < 0.01
    assert abs(kinds.count("hang") / 20_000 - 0.01) < 0.003


def test_a_fault_of_the_first_attempts_spares_the_later_ones():
    fault = Fault(kind="reset", attempts=2)
    assert [choose_fault((fault,), at, False, 0.5) for at in (1, 2, 3)] == [fault, fault, None]


KEYS = [
    pytest.param("hi", [{"role": "user", "content": "hi"}], True, id="text-is-one-user-message"),
    pytest.param("hi", [{"role": "user", "content": [{"type": "text", "text": "hi"}]}], True, id="one-text-part"),
    pytest.param("hi", [{"content": "hi", "role": "user", "name": None, "tool_calls": []}], True, id="absent-fields"),
    pytest.param("hi", [{"role": "system", "content": "hi"}], False, id="role"),
    pytest.param("hi", [{"role": "user", "content": "hi "}], False, id="space"),
    pytest.param("é", [{"role": "user", "content": "e\u0301"}], False, id="no-unicode-normalisation"),
    pytest.param("\ud800", [{"role": "user", "content": "\ud800"}], True, id="lone-surrogate"),
    pytest.param("hi", [{"role": "user", "content": "hi", "n": 2**70}], False, id="huge-integer"),
]


@pytest.mark.parametrize(("text", "messages", "same"), KEYS)
def test_input_keys(text, messages, same):
    assert (input_key(text) == input_key(messages)) == same
