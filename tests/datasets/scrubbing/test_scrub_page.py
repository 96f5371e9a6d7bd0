"""The page on scrubbing says what the preset says."""

from __future__ import annotations

from pathlib import Path

from seatrial.datasets.scrubbing import hipaa

PAGE = Path(__file__).resolve().parents[3] / "docs/scrubbing.md"


def test_the_page_lists_all_18_identifiers():
    page = PAGE.read_text("utf-8")
    rows = [f"| {one.letter} | {one.name} | {one.done} | {one.missed} |" for one in hipaa.IDENTIFIERS]
    assert [row for row in rows if row not in page] == []
