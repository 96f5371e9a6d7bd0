"""The page on the fake provider says what is so."""

import re
from pathlib import Path
from typing import get_args

import pytest

from seatrial.testing import Behaviour, Capacity, Reply, Rule, Script, Stats, UsageCounts
from seatrial.testing.script import BatchScript, FaultKind

PAGE = (Path(__file__).parents[2] / "docs" / "fake-provider.md").read_text("utf-8")


def test_the_script_on_the_page_loads(tmp_path):
    (tmp_path / "answers.jsonl").write_text('{"input": "a", "text": "b"}')
    path = tmp_path / "fake.yaml"
    path.write_text(re.search(r"```yaml\n(.*?)```", PAGE, re.DOTALL)[1], "utf-8")
    script = Script.load(path)
    assert script.answers[-1].text == "b"
    assert script.switch.to in script.variants


def test_the_example_prints_what_it_says(capsys):
    code = re.search(r"```python\n(.*?)```", PAGE, re.DOTALL)[1]
    exec(compile(code, "fake-provider.md", "exec"), {"__name__": "__main__"})
    assert capsys.readouterr().out.splitlines() == re.findall(r"^ *#> (.*)$", code, re.MULTILINE)


WORDS = [*get_args(FaultKind), *Script.model_fields, *Behaviour.model_fields, *Reply.model_fields, *Rule.model_fields]
WORDS += [*BatchScript.model_fields, *Capacity.model_fields, *UsageCounts.model_fields, *Stats.__dataclass_fields__]


@pytest.mark.parametrize("word", sorted(set(WORDS)))
def test_every_key_fault_and_counter_is_documented(word):
    assert re.search(rf"\b{word}\b", PAGE)
