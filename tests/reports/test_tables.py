from __future__ import annotations

import re

import pytest
from rich.cells import cell_len
from tests.reports import made_reports as made

from seatrial.reports import html, markdown, terminal
from seatrial.reports.words import OVERALL

ESCAPE = "\x1b"
WIDTHS = [60, 80, 120, 140]


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", made.NAMED)
def test_every_report_fits_every_terminal_without_escape_codes(name, width):
    text = terminal(made.NAMED[name](), width=width, colour=False)
    assert ESCAPE not in text
    assert max(cell_len(line) for line in text.splitlines()) <= width
    assert text.endswith("\n")
    text.encode("utf-8")


@pytest.mark.parametrize("name", made.NAMED)
def test_colour_changes_nothing_but_colour(name):
    report = made.NAMED[name]()
    coloured = terminal(report, width=100, colour=True)
    assert ESCAPE in coloured
    bare = re.sub(r"\x1b\[[0-9;]*m", "", coloured)
    assert [line.rstrip() for line in bare.splitlines()] == terminal(report, width=100).splitlines()


def test_the_verdicts_come_first_in_words():
    lines = terminal(made.all_three(), width=120).splitlines()
    assert lines[0] == "May any of three candidates replace frigate-3?"
    assert lines[1] == "refund-support · 1,560 cases in 520 clusters · 21 Nov 2026, 10:32 UTC"
    assert lines[3] == "✓ SHIP          corvette-4 may replace frigate-3: all 7 deciding rubrics pass."
    assert lines[4].startswith("✕ BLOCK         clipper-mini must not replace frigate-3")
    assert lines[5].startswith("? INCONCLUSIVE  Whether pinnace-2 may replace frigate-3 is open")


ROWS = [
    pytest.param(
        "ship", r"resolution +1,560 +90\.1% +92\.1% +\+2\.0 \[\+0\.7, \+3\.3\] +≥ −3\.0 +✓ PASS", id="quality"
    ),
    pytest.param("block", r"no-unowed-refund +480 +0\.2% +4\.0% +up to 5\.8% +≤ 1\.0% +✕ BLOCK", id="gate"),
    pytest.param("ship", r"latency p95 +2\.41 s +1\.71 s +0\.71× \[0\.64, 0\.79\] +≤ 1\.20× +✓ PASS", id="ratio"),
    pytest.param("ship", r"cost mean +\$0\.0031 +\$0\.0019 +\[\$0\.0018, \$0\.00203\] +≤ \$0\.004 +✓ PASS", id="limit"),
    pytest.param("ship", r"tone +1,560 +82\.7% +84\.0% +\+1\.3 \[−0\.2, \+2\.8\] +· SHOWN", id="advisory-asks-nothing"),
    pytest.param(
        "inconclusive", r"policy-grounded +1,560 +87\.9% +86\.0% .*≥ −3\.0 +\? INCONCLUSIVE", id="inconclusive"
    ),
    pytest.param("not evaluable", r"resolution +0 +– +– +– +≥ −3\.0 +\? INCONCLUSIVE", id="no-data"),
    pytest.param("single arm", r"resolution +1,560 +92\.1% +\[90\.7%, 93\.4%\] +· SHOWN", id="single-arm"),
    pytest.param("three candidates", r"clipper-mini +1,560 +0 +350 ms +910 ms +unknown +none", id="unknown-cost"),
    pytest.param(
        "three candidates",
        r"pinnace-2 +1,560 +0 +780 ms +2\.03 s +at least \$1\.91, 14 outputs unknown +14 without answer",
        id="partly-known-cost",
    ),
    pytest.param("three candidates", r"2 model failures, 1 without answer", id="errors-by-kind"),
]


@pytest.mark.parametrize(("name", "row"), ROWS)
def test_rows(name, row):
    assert re.search(row, terminal(made.NAMED[name](), width=120))


def test_sentences_stand_under_the_table_for_all_but_plain_passes():
    text = " ".join(terminal(made.report(made.inconclusive()), width=120).split())
    assert "? policy-grounded: It passes 1.9 points less often than the incumbent" in text
    assert "About 1,240 further cases would settle it. Fragile: other missing results" in text
    assert "resolution: It passes" not in text
    assert "no-prompt-leak: It" not in text


def test_what_would_settle_it_is_said_once():
    said = made.inconclusive().model_copy(update={"headline": "Open: policy-grounded needs about 1,240 further cases."})
    top = terminal(made.report(said), width=140).split("──")[0]
    assert top.count("1,240") == 1


def test_a_sample_is_marked():
    assert "! On a sample of 300 of 1,560 cases (seed 7)" in " ".join(terminal(made.sampled(), width=100).split())


def test_flips_of_the_deciding_rubric_come_first():
    text = terminal(made.report(made.block()), width=100)
    flips = text[text.index("9 differences on 9 cases; 3 of the cases:") :]
    assert re.findall(r"^  (lost|gained) (\S+)", flips, re.MULTILINE)[0] == ("lost", "no-unowed-refund")
    assert "inside the 30-day window" in flips
    assert "outside the 14-day window" in flips


def flipped_twice(**more):
    both = [made.flips(1)[0].model_copy(update=changed) for changed in (
        {"rubric": "resolution"}, {"rubric": "no-unowed-refund"}, {"rubric": "policy-grounded", "direction": "gained"},
        {"rubric": "resolution", "case_id": "refund-2", "position": 2},
    )]  # fmt: skip
    return made.report(made.block().model_copy(update={"flips": tuple(both), **more}))


COUNTED = [
    pytest.param({}, "4 differences on 2 cases", id="all-at-hand"),
    pytest.param({"flips_left_out": 469}, "473 differences on at least 2 cases", id="cases-not-counted"),
    pytest.param({"flips_left_out": 469, "differing_cases": 310}, "473 differences on 310 cases", id="counted"),
]


@pytest.mark.parametrize(("more", "text"), COUNTED)
def test_differences_and_cases_are_told_apart(more, text):
    report = flipped_twice(**more)
    assert f"{text}; 2 of the cases:" in terminal(report, width=100)
    assert f"<summary>{text}; 2 of the cases:</summary>" in markdown(report)
    assert f"<h3>Where they differ <small>{text}</small></h3>" in html(report)


def test_a_case_that_flipped_on_several_rubrics_is_shown_once():
    report = flipped_twice()
    text = terminal(report, width=100)
    assert "lost no-unowed-refund, resolution · gained policy-grounded · refund-1000" in text
    assert "lost resolution · refund-2" in text
    assert text.count("refund-1000") == 1
    assert "**lost** no-unowed-refund, resolution · **gained** policy-grounded · <code>refund-1000" in markdown(report)
    page = html(report)
    assert page.count('<details class="flip') == 2
    assert page.count("label is credit, expected refund") == 4


def test_a_narrow_table_says_how_many_were_compared():
    assert re.search(r"resolution n 1,560$", terminal(made.report(made.ship()), width=60), re.MULTILINE)


def test_latency_of_a_target_is_said_to_be_over_all_cases():
    assert "── Targets, over all cases ─" in terminal(made.report(made.ship()), width=80)


def test_it_says_how_to_see_more():
    more = "The whole report with up to 19 differences: seatrial compare 20261121-103200-a1b2c3 -o report.html"
    assert terminal(made.all_three(), width=120).endswith(f"\n\n{more}\n")
    assert "The whole report: seatrial compare" in terminal(made.single_arm(), width=120)
    assert "-o report.html" not in terminal(made.all_three(), width=120, hint=False)


def test_a_hostile_name_cannot_forge_a_line():
    forged = made.ship().model_copy(update={"headline": "no.\n✓ SHIP          clipper-mini may replace all"})
    lines = terminal(made.report(forged), width=140).splitlines()
    assert not any(line.startswith("✓ SHIP          clipper") for line in lines)


def test_markup_of_the_terminal_library_is_text():
    assert "[bold]rich[/bold] :smile:" in " ".join(terminal(made.hostile(), width=140).split())


def test_every_overall_verdict_has_a_word():
    for overall, word in OVERALL.items():
        verdict = made.ship().model_copy(update={"overall": overall})
        assert f" {word} " in terminal(made.report(verdict), width=100)


def test_a_gate_without_results_says_so():
    gate = made.gate("no-leak", 0, 0, 10, 0.05).model_copy(update={"failures": None, "candidate": None})
    report = made.report(made.block().model_copy(update={"rubrics": (gate,), "flips": ()}))
    assert re.search(r"no-leak .* no results +≤ 5\.0%", terminal(report, width=100))
    assert "| no results |" in markdown(report)
    assert "<b>no results</b>" in html(report)


def test_nothing_at_all():
    text = terminal(made.report(arms=(), composition={}), width=80)
    assert text.startswith("How well does refund-support do?")
