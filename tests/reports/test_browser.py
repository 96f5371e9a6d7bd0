from __future__ import annotations

import json
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from tests.reports import made_reports as made

from seatrial.reports import write

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(shutil.which("chromium") is None, reason="chromium is not installed"),
    pytest.mark.skipif(find_spec("playwright") is None, reason="playwright is not installed"),
]
NAMES = ["three candidates", "single arm", "not evaluable", "twelve rubrics", "business", "hostile", "200 big flips"]


@pytest.fixture(scope="module")
def found(tmp_path_factory) -> dict[str, dict]:
    folder = tmp_path_factory.mktemp("pages")
    paths = [str(write(made.NAMED[name](), folder / f"{name.replace(' ', '-')}.html")) for name in NAMES]
    program = Path(__file__).with_name("browse.py")
    done = subprocess.run([sys.executable, str(program), *paths], capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("name", NAMES)
def test_no_error_no_request_and_nothing_too_wide(found, name, width, scheme):
    seen = found[f"{name.replace(' ', '-')} {width} {scheme}"]
    assert seen["faults"] == []
    assert seen["requests"] == []
    assert seen["overflow"] <= 0
    assert seen["wide"] == []
    assert seen["rubrics"] > 0


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("name", NAMES)
def test_labels_of_axes_do_not_touch_and_small_charts_are_wide(found, name, width):
    seen = found[f"{name.replace(' ', '-')} {width} light"]
    assert seen["touching"] == 0
    assert seen["charts"]
    assert min(seen["charts"]) > 0.38


@pytest.mark.parametrize("name", ["three candidates", "single arm", "twelve rubrics"])
def test_the_table_of_counts_is_not_cut_on_a_desk(found, name):
    assert found[f"{name.replace(' ', '-')} 1280 light"]["cut"] == 0


def test_the_scheme_changes_the_paper(found):
    light, dark = (found[f"single-arm 1280 {scheme}"]["paper"] for scheme in ("light", "dark"))
    assert light == "rgb(251, 251, 249)"
    assert dark == "rgb(14, 21, 28)"


def test_filters_work_without_a_script(found):
    seen = found["three-candidates 1280 light"]
    flips = [flip for verdict in made.all_three().verdicts for flip in verdict.flips]
    first = made.ship().flips
    lost, gained = (sum(flip.direction == way for flip in first) for way in ("lost", "gained"))
    assert seen["flips"] == len(flips)
    assert seen["gained"] == len(flips) - lost
    assert seen["lost"] == len(flips) - gained
