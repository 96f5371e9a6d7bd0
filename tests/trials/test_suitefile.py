"""The suite file: what it may say, what each mistake is told, and the schema that editors get."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from seatrial import scorers
from seatrial.core.suite import PromptMessage, Suite
from seatrial.datasets.reading.yamltree import parse
from seatrial.errors import SuiteError
from seatrial.trials.suite.suitefile import json_schema, load

ROOT = Path(__file__).resolve().parents[2]
BASE = """\
name: x
dataset: {path: a.jsonl}
targets:
  today: {use: "openai:gpt-4o"}
  next:
    use: openai:gpt-5
    concurrency: 4
incumbent: today
prompt: input
rubrics:
  - name: right
    scorer: exact
  - {name: safe, scorer: refusal, kind: gate, limit_points: 1}
policy: {alpha: 0.05}
"""


def loaded(folder: Path, text: str | bytes, name: str = "seatrial.yaml") -> Suite:
    (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass"))
    suite, where, path, line = load(folder / name)
    assert line(()) >= 1
    assert (where, path) == (folder, folder / name)
    return suite


def plain(text: str) -> object:
    """The values of a YAML text, as editors see them."""
    tree = parse(text)
    assert not tree.faults
    return tree.data


def told(folder: Path, text: str | bytes) -> str:
    """The faults of a suite that cannot be used, its folder left out."""
    with pytest.raises(SuiteError) as caught:
        loaded(folder, text)
    assert caught.value.exit_code == 2
    for problem in caught.value.problems:
        assert problem.line
        assert problem.file == str(folder / "seatrial.yaml")
    message = "\n".join([caught.value.problem, caught.value.hint, *map(str, caught.value.problems)])
    message.encode("utf-8")
    for noise in ("Input should", "pydantic", "Value error", "https:", "ruamel", "Traceback"):
        assert noise not in message
    return message.replace(f"{folder}/", "")


def changed(old: str, new: str) -> str:
    assert old in BASE
    return BASE.replace(old, new)


def test_a_suite_is_read(tmp_path):
    suite = loaded(tmp_path, BASE)
    assert suite.candidates == ("next",)
    assert suite.targets["next"].concurrency == 4
    assert suite.prompt == ("input",)
    assert suite.rubrics[1].limit_points == 1


PARSING = {
    "no-is-text": ("[no, yes, on, 012, 1e3, 2026-03-01]", ["no", "yes", "on", 12, 1000.0, "2026-03-01"]),
    "true-is-not": ("[true, False, ~, 0x1f, -0o17]", [True, False, None, 31, -15]),
    "huge": ("123456789012345678901234567890", 123456789012345678901234567890),
    "pairs-are-joined": (r'"\ud83d\ude00 \u00e9"', "😀 é"),
    "keys-are-text": ("{1: a, true: b, 2026-03-01: c}", {"1": "a", "true": "b", "2026-03-01": "c"}),
    "anchors": (
        "{a: &a {x: 1}, b: *a, c: {<<: *a, x: 2, y: 3}}",
        {"a": {"x": 1}, "b": {"x": 1}, "c": {"x": 2, "y": 3}},
    ),
    "merge-lists": ("{a: &a {x: 1}, b: &b {x: 2, y: 2}, c: {<<: [*a, *b]}}", None),
    "anchor-twice": ("[&a 1, &a 2, *a]", [1, 2, 2]),
}


@pytest.mark.parametrize(("written", "value"), PARSING.values(), ids=PARSING)
def test_yaml_means_this(tmp_path, written, value):
    suite = loaded(tmp_path, BASE + f"variables: {{v: {written}}}\n")
    if value is None:
        assert suite.variables["v"]["c"] == {"x": 1, "y": 2}
    else:
        assert suite.variables["v"] == value
        assert json.dumps(suite.variables["v"]) == json.dumps(value), "1 is not true"


def test_json_is_a_suite_too(tmp_path):
    data = plain(BASE)
    for indent in (None, 2, "\t"):
        assert loaded(tmp_path, json.dumps(data, indent=indent), "suite.json") == loaded(tmp_path, BASE)
    assert loaded(tmp_path, b"\xef\xbb\xbf" + BASE.replace("\n", "\r\n").encode()) == loaded(tmp_path, BASE)


PROMPTS = {
    "text": ('prompt: "Say {{ input }}"', (PromptMessage(role="user", content="Say {{ input }}"),)),
    "input": ("prompt: input", ("input",)),
    "file": ("prompt: {file: p/ask.txt}", (PromptMessage(role="user", content="Ask: {{ input }}\n"),)),
    "messages": (
        "prompt: [{role: system, content: {file: p/ask.txt}}, input]",
        (PromptMessage(role="system", content="Ask: {{ input }}\n"), "input"),
    ),
}


@pytest.mark.parametrize(("written", "prompt"), PROMPTS.values(), ids=PROMPTS)
def test_prompts_have_short_forms(tmp_path, written, prompt):
    (tmp_path / "p").mkdir()
    (tmp_path / "p/ask.txt").write_text("Ask: {{ input }}\n")
    text = changed("prompt: input", written)
    assert loaded(tmp_path, text).prompt == prompt
    assert not list(Draft202012Validator(json_schema()).iter_errors(plain(text)))


def test_a_prompt_file_is_part_of_the_suites_identity(tmp_path):
    hashes = set()
    for text in ("one", "two"):
        (tmp_path / "p.txt").write_text(text)
        hashes.add(loaded(tmp_path, changed("prompt: input", "prompt: {file: p.txt}")).hash)
    assert len(hashes) == 2


WHOLE = {
    "empty": ("", "seatrial.yaml:1: is empty"),
    "comment": ("# nothing\n", "is empty"),
    "list": ("- a\n", "must be keys and values, like `name: refunds` (got a list of 1)"),
    "text": ("hello", "must be keys and values, like `name: refunds` (got hello)"),
    "null": ("null", "must be keys and values"),
    "two-documents": ("name: x\n---\nname: y\n", "seatrial.yaml:2: starts a second document"),
    "directive": ("# hi\n%YAML 1.1\n---\nname: no\n", "seatrial.yaml:2: starts with a YAML directive"),
    "tab": ("name: x\ntargets:\n\ta: b\n", "seatrial.yaml:3: is indented with a tab; indent with spaces"),
    "colon": ("name: x\ndescription: now: then\n", "seatrial.yaml:2: has a second colon"),
    "indent": ("rubrics:\n  - name: x\n    scorer: y\n   kind: z\n", "is indented wrongly"),
    "open-quote": ("name: 'x\n", "opens a quote that is never closed"),
    "open-bracket": ("name: [a, b\nx: y\n", "opens a bracket that is never closed, or lacks a comma"),
    "at-sign": ("name: @x\n", "starts a value with a character that YAML keeps"),
    "alias": ("name: *x\n", "names an anchor that is not defined"),
    "template": (
        "prompt: {{ input }}\n",
        "has a list or an object as a key; a value that starts with { is put in quotes",
    ),
    "empty-key": (": x\n", "has an empty key"),
    "null-byte": ("name: a\x00b\n", "holds a character that YAML does not allow (got U+0000)"),
    "latin-1": ("name: x\ndescription: café\n".encode("latin-1"), "is not UTF-8 text (line 2)"),
    "utf-16": ("name: x".encode("utf-16"), "is not UTF-8 text"),
    "binary": (bytes(range(256)), "is not UTF-8 text"),
    "too-large": ("#" * (1024 * 1024 + 1), "is larger than 1024 KiB"),
    "deep": ("a: " + "[" * 400 + "]" * 400, "nested deeper than 50 levels"),
    "deep-block": ("".join("  " * i + "a:\n" for i in range(60)), "nested deeper than 50 levels"),
    "endless": ("a: &a [*a]\n", "nested deeper than 50 levels"),
    "endless-merge": ("a: &a {<<: *a}\n", "nested deeper than 50 levels"),
    "laughs": (
        "a: &a [x,x,x,x,x,x,x,x,x]\n"
        + "".join(f"{b}: &{b} [{','.join([f'*{a}'] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)),
        "has over 50,000 values",
    ),
    "other-tool": (
        "providers: [x]\nprompts: [y]\ntests: []\n",
        "providers: is not a key that belongs here; did you mean 'targets'?",
    ),
}


@pytest.mark.parametrize(("text", "words"), WHOLE.values(), ids=WHOLE)
def test_a_text_that_is_no_suite_is_told(tmp_path, text, words):
    assert words in told(tmp_path, text)


RUBRIC = "    scorer: exact\n"
FAULTS = {
    "no-name": ("name: x\n", "", "seatrial.yaml:1: name: is required"),
    "name-number": ("name: x", "name: 123", 'seatrial.yaml:1: name: must be text (got 123); put it in quotes: "123"'),
    "name-as-written": ("name: x", "name: 1.10", '(got 1.10); put it in quotes: "1.10"'),
    "name-boolean": ("name: x", "name: true", 'must be text (got true); put it in quotes: "true"'),
    "name-space": ("name: x", "name: a b", "name: must be a name of letters, digits"),
    "name-long": ("name: x", "name: " + "x" * 81, "name: must be at most 80 characters long"),
    "name-nothing": ("name: x", "name:", "name: must be text (got nothing); give it a value, or delete the key"),
    "description": ("name: x", "name: x\ndescription: 5", "seatrial.yaml:2: description: must be text (got 5)"),
    "unknown-key": ("policy:", "polcy:", "polcy: is not a key that belongs here; did you mean 'policy'?"),
    "unknown-inner-key": (
        "concurrency: 4",
        "concurency: 4",
        "targets.next.concurency: is not a key that belongs here; did you mean 'concurrency'?",
    ),
    "settings": (
        RUBRIC,
        RUBRIC + "    settings: {}\n",
        "rubrics[0].settings: is not a key that belongs here; did you mean 'with'?",
    ),
    "twice": ("policy:", "name: y\npolicy:", "seatrial.yaml:1: name: is given twice, again on line 14"),
    "tag": ("name: x", "name: !secret x", "name: has the tag !secret"),
    "python-tag": ("name: x", "name: !!python/object:os.system x", "name: has the tag !!python/object:os.system"),
    "not-finite": ("alpha: 0.05", "alpha: .inf", "policy.alpha: must be a finite number (got .inf)"),
    "half-pair": ("name: x", 'name: x\ndescription: "\\ud800"', "description: holds half of a surrogate pair"),
    "merge-text": ("policy: {alpha: 0.05}", "policy: {<<: x}", "policy: merges something that is not an object"),
    "no-dataset": ("dataset: {path: a.jsonl}\n", "", "dataset: is required"),
    "dataset-text": (
        "dataset: {path: a.jsonl}",
        "dataset: a.jsonl",
        "dataset: must be an object of keys and values (got a.jsonl)",
    ),
    "empty-path": ("path: a.jsonl", 'path: ""', "dataset.path: must not be empty"),
    "format": (
        "path: a.jsonl",
        "path: a, format: jsnl",
        "dataset.format: must be 'jsonl', 'json', 'csv' or 'parquet' (got jsnl); did you mean",
    ),
    "mapping-place": (
        "path: a.jsonl",
        "path: a, fields: {inpt: q}",
        "dataset.fields.inpt: is not a field of a case; did you mean 'input'?",
    ),
    "mapping-list": ("path: a.jsonl", "path: a, fields: {input: [q]}", "dataset.fields.input: must be text"),
    "shares": (
        "path: a.jsonl",
        "path: a, shares: {intent: {a: 0.5, b: 0.4}}",
        "dataset.shares.intent: must sum to 1 (got 0.9)",
    ),
    "shares-percent": (
        "path: a.jsonl",
        "path: a, shares: {intent: {a: 50, b: 50}}",
        "dataset.shares.intent.a: must be at most 1 (got 50)",
    ),
    "default-place": (
        "path: a.jsonl",
        "path: a, defaults: {orgin: manual}",
        "dataset.defaults.orgin: is not a field of a case",
    ),
    "no-targets": ("targets:\n", "targets: {}\nvariables:\n", "targets: must not be empty"),
    "target-list": ("  today:", "  - today:", "is indented wrongly"),
    "target-text": (
        '{use: "openai:gpt-4o"}',
        "gpt-4o",
        "targets.today: must be an object of keys and values (got gpt-4o)",
    ),
    "target-name": ("  today:", "  to day:", 'targets["to day"]: must be a name of letters'),
    "no-use": ("    use: openai:gpt-5\n", "", "targets.next.use: is required"),
    "use": (
        "use: openai:gpt-5",
        "use: gpt-5",
        "targets.next.use: must be written provider/model or adapter:object, like openai/gpt-4o-mini (got gpt-5)",
    ),
    "concurrency": (
        "concurrency: 4",
        "concurrency: 1.5",
        "seatrial.yaml:7: targets.next.concurrency: must be a whole number (got 1.5)",
    ),
    "concurrency-zero": ("concurrency: 4", "concurrency: 0", "targets.next.concurrency: must be at least 1 (got 0)"),
    "quoted-number": (
        "concurrency: 4",
        'rpm: "60"',
        "targets.next.rpm: must be a number (got 60); take the quotes away",
    ),
    "boolean-number": ("concurrency: 4", "timeout: true", "targets.next.timeout: must be a number (got true)"),
    "no-as-boolean": (
        "concurrency: 4",
        "stream: no",
        "targets.next.stream: must be true or false (got no); write false",
    ),
    "number-as-boolean": ("concurrency: 4", "stream: 1", "targets.next.stream: must be true or false (got 1)"),
    "dots-in-names": (
        "  next:\n",
        "  gpt-4.1:\n    retries: many\n",
        'seatrial.yaml:6: targets["gpt-4.1"].retries: must be a whole number (got many)',
    ),
    "price": ("concurrency: 4", "price: {input: 1}", "targets.next.price: needs input and output both"),
    "date": (
        "concurrency: 4",
        "price: {input: 1, output: 1, as_of: May}",
        "price.as_of: must be an ISO 8601 date or time",
    ),
    "headers": ("concurrency: 4", "headers: {x: 5}", "targets.next.headers.x: must be text (got 5)"),
    "incumbent": (
        "incumbent: today",
        "incumbent: tody",
        "seatrial.yaml:8: incumbent: names no target (got tody); did you mean 'today'?",
    ),
    "no-incumbent": (
        "incumbent: today\n",
        "",
        "seatrial.yaml:3: targets: several targets need an incumbent; add `incumbent: today`",
    ),
    "prompt-number": (
        "prompt: input",
        "prompt: 5",
        "prompt: must be text, {file: NAME}, or a list of messages (got 5)",
    ),
    "prompt-empty": ("prompt: input", "prompt: []", "prompt: must not be empty"),
    "prompt-item": (
        "prompt: input",
        "prompt: [inptu]",
        "prompt[0]: must be an object of keys and values or 'input' (got inptu)",
    ),
    "prompt-role": (
        "prompt: input",
        "prompt: [{role: usr, content: x}]",
        "prompt[0].role: must be 'system', 'developer'",
    ),
    "prompt-content": ("prompt: input", "prompt: [{role: user}]", "seatrial.yaml:9: prompt[0].content: is required"),
    "prompt-no-file": (
        "prompt: input",
        "prompt: {file: p.txt}",
        "prompt.file: is not a file beside the suite (got p.txt)",
    ),
    "prompt-outside": (
        "prompt: input",
        "prompt: {file: ../p.txt}",
        "prompt.file: leaves the suite's folder (got ../p.txt)",
    ),
    "prompt-absolute": (
        "prompt: input",
        "prompt: [{role: user, content: {file: /etc/passwd}}]",
        "prompt[0].content.file: leaves the suite's folder",
    ),
    "prompt-latin-1": (
        "prompt: input",
        "prompt: {file: latin.txt}",
        "prompt.file: The file latin.txt is not UTF-8 text (line 1)",
    ),
    "prompt-file-list": ("prompt: input", "prompt: {file: [a]}", "prompt: must be {file: NAME} with no other key"),
    "no-rubrics": ("rubrics:\n", "rubrics: []\nvariables: {}\nx:\n", "rubrics: must not be empty"),
    "no-scorer": (RUBRIC, "    kind: quality\n", "rubrics[0].scorer: is required"),
    "empty-scorer": ("scorer: exact", 'scorer: ""', "seatrial.yaml:12: rubrics[0].scorer: must not be empty"),
    "same-names": (
        "name: safe",
        "name: right",
        "seatrial.yaml:13: rubrics[1].name: is the name of a rubric above (got right)",
    ),
    "kind": (
        "kind: gate",
        "kind: gaet",
        "rubrics[1].kind: must be 'quality', 'gate', 'limit' or 'advisory' (got gaet); did you mean 'gate'?",
    ),
    "gate-without-limit": (", limit_points: 1", "", "rubrics[1]: a gate needs limit_points"),
    "margin-on-gate": (
        "limit_points: 1",
        "limit_points: 1, margin_points: 2",
        "rubrics[1]: margin_points belongs to kind quality",
    ),
    "limit-without-bound": (
        "kind: gate, limit_points: 1",
        "kind: limit",
        "rubrics[1]: a limit needs either at_most or at_most_ratio",
    ),
    "statistic": ("limit_points: 1", "limit_points: 1, statistic: p96", "rubrics[1].statistic: must be 'mean'"),
    "where": (
        "limit_points: 1",
        "limit_points: 1, where: {intent: 5}",
        "rubrics[1].where.intent: must be text or a list (got 5)",
    ),
    "where-list": (
        "limit_points: 1",
        "limit_points: 1, where: {intent: [5]}",
        "rubrics[1].where.intent[0]: must be text (got 5)",
    ),
    "percent-key": (
        RUBRIC,
        RUBRIC + "    margin_percent: 3\n",
        "rubrics[0].margin_percent: must be percentage points, not percent (got 3); write margin_points: 3, and",
    ),
    "percent-sign": (
        "limit_points: 1",
        "limit_points: 1.5%",
        "rubrics[1].limit_points: must be percentage points, not percent (got 1.5%); write limit_points: 1.5",
    ),
    "percent-word": (
        RUBRIC,
        RUBRIC + "    margin_points: 3 percent\n",
        "rubrics[0].margin_points: must be percentage points, not percent",
    ),
    "percent-policy": ("alpha: 0.05", "margin: 3%", "policy.margin: must be percentage points, not percent (got 3%)"),
    "margin": (
        RUBRIC,
        RUBRIC + "    margin: 3\n",
        "rubrics[0].margin: is not a key that belongs here; did you mean 'margin_points'?",
    ),
    "margin-zero": (
        RUBRIC,
        RUBRIC + "    margin_points: 0\n",
        "rubrics[0].margin_points: must be greater than 0 (got 0)",
    ),
    "margin-huge": (
        RUBRIC,
        RUBRIC + "    margin_points: 101\n",
        "rubrics[0].margin_points: must be at most 100 (got 101)",
    ),
    "alpha": ("alpha: 0.05", "alpha: 5", "policy.alpha: must be less than 0.5 (got 5)"),
    "slices": ("alpha: 0.05", "slices: intent", "policy.slices: must be a list (got intent)"),
    "policy-nothing": (
        "policy: {alpha: 0.05}",
        "policy:",
        "policy: must be an object of keys and values (got nothing)",
    ),
    "seed": ("policy:", "seed: -1\npolicy:", "seed: must be at least 0 (got -1)"),
    "terminal-codes": ("kind: gate", r'kind: "\e[31mgate\n"', r"(got \x1b[31mgate\n)"),
}


@pytest.mark.parametrize(("old", "new", "words"), FAULTS.values(), ids=FAULTS)
def test_a_fault_is_told_at_its_line(tmp_path, old, new, words):
    (tmp_path / "latin.txt").write_bytes("café".encode("latin-1"))
    assert words in told(tmp_path, changed(old, new))


def test_all_faults_are_told_at_once_in_the_order_of_lines(tmp_path):
    text = """\
name: 5
name: 6
dataset: {path: "", fields: {inpt: a}, shares: {b: {c: 2}}}
targets: {a: {use: x}, b: {use: "x:y", rpm: -1}}
incumbent: c
prompt: {file: nope.txt}
rubrics:
  - {name: r, scorer: s, kind: gate}
  - {name: r, scorer: "", margin_points: 3%}
variables: {x: .nan}
policy: {alhpa: 1}
"""
    with pytest.raises(SuiteError, match="has 14 faults") as caught:
        loaded(tmp_path, text)
    keys = [problem.key for problem in caught.value.problems]
    assert keys[0] == "name"
    assert sorted(keys) == sorted(
        [
            "name",
            "dataset.path",
            "dataset.fields.inpt",
            "dataset.shares.b.c",
            "targets.a.use",
            "targets.b.rpm",
            "incumbent",
            "prompt.file",
            "rubrics[0]",
            "rubrics[1].name",
            "rubrics[1].scorer",
            "rubrics[1].margin_points",
            "variables.x",
            "policy.alhpa",
        ]
    )
    places = [problem.line for problem in caught.value.problems]
    assert places == sorted(places)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        pytest.param("seatrail.yaml", "did you mean 'seatrial.yaml'?", id="near"),
        pytest.param("no/such/folder/x.yaml", "There is no suite file", id="far"),
        pytest.param(".", "is a folder", id="folder"),
        pytest.param("a\x00b", "cannot be", id="null-byte"),
        pytest.param("x" * 5000, "cannot be read", id="long"),
    ],
)
def test_a_file_that_cannot_be_read_is_told(tmp_path, name, words):
    (tmp_path / "seatrial.yaml").write_text(BASE)
    with pytest.raises(SuiteError) as caught:
        load(tmp_path / name)
    assert words in str(caught.value)


def test_another_tools_configuration_is_told_what_is_missing(tmp_path, shared_data):
    text = shared_data("promptfooconfig_article_A2.yaml").read_text()
    message = told(tmp_path, text)
    assert "tests: is not a key that belongs here; did you mean 'dataset'?" in message
    assert "rubrics: is required" in message


@given(st.text(st.characters(codec="utf-8"), max_size=80))
def test_any_text_is_read_or_told(tmp_path_factory, text):
    told(tmp_path_factory.mktemp("any"), text)


DAMAGE = ["", "\n", ": ", "- ", "[", "{", "}", "'", "#", "!", "&a ", "*a", "5", "true", "\t", "~"]


@given(st.data())
def test_any_damage_is_told_or_harmless(tmp_path_factory, data):
    at = data.draw(st.integers(0, len(BASE)))
    end = min(len(BASE), at + data.draw(st.integers(0, 12)))
    new = data.draw(st.sampled_from(DAMAGE))
    folder = tmp_path_factory.mktemp("damage")
    (folder / "seatrial.yaml").write_text(BASE[:at] + new + BASE[end:])
    error = None
    try:
        load(folder / "seatrial.yaml")
    except SuiteError as fault:
        error = fault
    assert error is None or error.problems


BLOCKS = [
    pytest.param(block, id=f"{page.name}:{number}")
    for page in (ROOT / "docs/suite-file.md", ROOT / "docs/datasets.md")
    for number, block in enumerate(re.findall(r"```yaml\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL), 1)
]


def test_the_pages_hold_examples():
    assert len(BLOCKS) == 5


@pytest.mark.parametrize("block", BLOCKS)
def test_the_documented_suites_load_and_fit_the_schema(tmp_path, block):
    suite = loaded(tmp_path, block)
    Draft202012Validator(json_schema()).validate(plain(block))
    for rubric in suite.rubrics:
        scorers.build(rubric.scorer, rubric.settings, tmp_path)


def test_every_key_is_documented():
    page = (ROOT / "docs/suite-file.md").read_text(encoding="utf-8")
    schema = json_schema()
    models = [schema, *(schema["$defs"][name] for name in ("DatasetSpec", "TargetSpec", "RubricSpec", "Policy"))]
    keys = {key for model in models for key in model["properties"]}
    assert [key for key in sorted(keys) if f"`{key}`" not in page] == []


def test_the_schema_is_a_schema():
    schema = json_schema()
    Draft202012Validator.check_schema(schema)
    assert schema["title"] == "Seatrial suite"
    assert json.loads(json.dumps(schema)) == schema
    Draft202012Validator(schema).validate(plain(BASE))


BROKEN = """no-name name-number name-space name-long name-nothing description unknown-key unknown-inner-key settings
no-dataset dataset-text empty-path format mapping-list shares-percent no-targets target-text target-name no-use use
concurrency concurrency-zero quoted-number boolean-number no-as-boolean price headers prompt-number prompt-empty
prompt-item prompt-role prompt-content no-rubrics no-scorer empty-scorer kind gate-without-limit margin-on-gate
limit-without-bound statistic where percent-key percent-sign margin-zero margin-huge alpha slices policy-nothing seed"""


@pytest.mark.parametrize("key", BROKEN.split())
def test_the_schema_refuses_what_the_loader_refuses(key):
    old, new, _ = FAULTS[key]
    data = plain(changed(old, new))
    assert list(Draft202012Validator(json_schema()).iter_errors(data))
