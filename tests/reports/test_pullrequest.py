from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from tests.reports import made_reports as made

from seatrial.reports import markdown
from seatrial.reports.pullrequest import LONGEST_COMMENT, code, fenced, prose

PARSER = MarkdownIt("commonmark", {"html": True}).enable("table")
OUR_TAGS = re.compile(r"</?(details|summary|code|b|sub)>")


def tokens(text: str) -> list:
    found = []
    for token in PARSER.parse(text):
        found.append(token)
        found += token.children or []
    return found


@pytest.mark.parametrize("name", made.NAMED)
def test_every_report_is_markdown_with_no_tag_link_or_image_but_ours(name):
    text = markdown(made.NAMED[name]())
    text.encode("utf-8")
    assert len(text) <= LONGEST_COMMENT
    for token in tokens(text):
        assert token.type not in {"link_open", "image", "code_block", "html_block_open", "em_open", "s_open"}
        if token.type in {"html_inline", "html_block"}:
            for tag in re.findall(r"<[^>]*>", token.content):
                assert OUR_TAGS.fullmatch(tag), tag


@pytest.mark.parametrize("name", made.NAMED)
def test_table_rows_have_as_many_cells_as_their_head(name):
    lines = markdown(made.NAMED[name]()).splitlines()
    width = None
    for before, line in zip(["", *lines], lines, strict=False):
        if not line.startswith("|") or "```" in line:
            continue
        cells = len(re.findall(r"(?<!\\)\|", line))
        width = cells if not before.startswith("|") else width
        assert cells == width, line


def test_details_are_closed():
    for name in made.NAMED:
        text = re.sub(r"^(`{3,})text\n.*?^\1$", "", markdown(made.NAMED[name]()), flags=re.MULTILINE | re.DOTALL)
        assert text.count("<details>") == text.count("</details>")


def test_snippets():
    text = markdown(made.report(made.block()))
    assert text.startswith("## May clipper-mini replace frigate-3?\n")
    assert "| ❌ **BLOCK** | <code>clipper-mini</code> | clipper-mini must not replace frigate-3: blocked by" in text
    assert "| no-unowed-refund | gate | 480 | 0.2% fail | 4.0% fail | fails up to 5.8% | ≤ 1.0% | ❌ BLOCK |" in text
    assert "| resolution | quality | 1,560 | 90.1% | 94.4% | +4.2 [+2.9, +5.6] | ≥ −3.0 | ✅ PASS |" in text
    assert "<summary>9 differences on 9 cases; 5 of the cases:</summary>" in text
    assert f"suite <code>suite:st1:{made.HASH[:40]}" in text.replace("&#58;", ":")
    assert "> **Note.** On a sample of 300 of 1,560 cases" in markdown(made.sampled())


INERT = [
    "<script>alert(1)</script>",
    "&lt;b&gt;",
    "a | b",
    "`code` ``` ~~~",
    "**bold** *em* _em_ __b__",
    "[link](javascript:alert(1)) ![image](http://x/y.png)",
    "<http://x> https://example.org www.example.org a@example.org",
    "@team please, fixes #12",
    "$x^2$ :smile: ~~gone~~",
    "\\`escaped\\`",
    "line\nbreak",
]


@pytest.mark.parametrize("text", INERT)
@pytest.mark.parametrize("write", [prose, code])
def test_foreign_text_is_inert_and_reads_as_it_was(write, text):
    plain = MarkdownIt("gfm-like", {"html": True, "linkify": False}).enable("table")
    inline = next(
        t for t in plain.parse(f"| a |\n|---|\n| x {write(text)} |") if t.type == "inline" and "x" in t.content
    )
    kinds = {child.type for child in inline.children}
    assert kinds <= {"text", "text_special", "html_inline"}
    shown = "".join(c.content for c in inline.children if c.type != "html_inline").replace("\u2060", "")
    assert shown == f"x {text}".replace("\n", " ⏎ ")


@pytest.mark.parametrize("bare", ["https://", "www.", "@team", "#12"])
def test_bare_links_and_mentions_are_broken_up(bare):
    assert bare not in prose(f"see {bare}x")


@given(st.text(st.sampled_from("`~\nab <|>")))
def test_a_fence_cannot_be_closed_from_inside(text):
    found = PARSER.parse(f"{fenced(text)}\n\nafter")
    assert [t.type for t in found] == ["fence", "paragraph_open", "inline", "paragraph_close"]
    assert found[0].content == text + "\n"


def test_too_long_for_a_comment_drops_flips_then_tables():
    many = [made.block().model_copy(update={"candidate": f"model-{i}"}) for i in range(40)]
    text = markdown(made.report(*many))
    assert len(text) <= LONGEST_COMMENT
    assert "Shortened" in text
    assert text.count("**BLOCK**") == 40
    hopeless = [v.model_copy(update={"headline": "|" * 4000}) for v in many]
    worst = markdown(made.report(*hopeless, warnings=("<" * 4000,) * 50))
    assert len(worst) <= LONGEST_COMMENT
    assert worst.count("**BLOCK**") == 40
