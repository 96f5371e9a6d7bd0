from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.errors import ScorerConfigError

BOMB = '<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]><l>&b;</l>'


@pytest.mark.parametrize(
    ("text", "note"),
    [
        pytest.param("Run:\n\n```py\nprint(1)\n", "never closed", id="open fence at the end"),
        pytest.param("```md\n```py\nx\n```\n```", "never closed", id="a fence in a fence of the same length"),
        pytest.param("````md\n```py\nx\n```\n````", "", id="a fence in a longer fence"),
        pytest.param("> ```\n> x\n> ```\ny", "", id="a fence in a quote"),
        pytest.param("1. ```\n   x\n   ```\n2. b", "", id="a fence in a list"),
        pytest.param("~~~\nx\n```\n", "never closed", id="a fence closed with the other mark"),
        pytest.param("\r\n```\r\nx\r\n```\r\n", "", id="line ends of Windows"),
        pytest.param("|a|b|\n|-|-|\n|1|2|3|", "3 cells", id="a cell too many"),
        pytest.param("|a|b|\n|-|-|\n|1|", "1 cells", id="a cell too few"),
        pytest.param("|a|b|\n|-|-|\n|`x\\|y`|2|", "", id="an escaped pipe"),
        pytest.param("a|b\n-|-|-\n1|2", "delimiter row", id="delimiter row too long"),
        pytest.param("|a|b|\n|1|2|", "no table", id="no delimiter row"),
        pytest.param("|a|b|\n|-|-|\n|1|2|\n\n|3|4|", "no table", id="a row after a gap"),
        pytest.param("- |a|b|\n  |-|-|\n  |1|2|\n", "", id="a table in a list"),
        pytest.param("either a | b", "", id="a pipe in prose"),
        pytest.param("x <br> y<br/>", "", id="line breaks are let pass"),
        pytest.param("x <b>y</b>", "raw HTML: b", id="a raw tag"),
        pytest.param("Dear <name>,", "raw HTML: name", id="a placeholder that vanishes"),
        pytest.param("<!-- x -->", "raw HTML: comment", id="a comment"),
        pytest.param("`<b>` and\n\n```html\n<script>\n```", "", id="HTML in code is none"),
        pytest.param("<https://example.com>", "", id="an autolink is no HTML"),
        pytest.param("see [a](http://x y)", "link", id="a space in a target"),
        pytest.param("see [a][b]", "link", id="an undefined reference"),
        pytest.param("see [a]()", "nowhere", id="an empty target"),
        pytest.param("as shown [1], arr[i][j]", "", id="brackets that are no links"),
        pytest.param("**Note: mind the gap", "emphasis", id="strong never closed"),
        pytest.param("\\*\\*x 2**3, **kwargs, a ** b", "", id="asterisks that are meant"),
        pytest.param("use `foo", "backtick", id="code span never closed"),
        pytest.param("- a\n  - b\n    - c **x**\n      1. d\n", "", id="nested lists"),
    ],
)
def test_markdown_checks(judged, text, note):
    score = judged("markdown", {}, text)
    assert (score.status, score.passed) == ("scored", not note), score
    assert note in " ".join(e.note for e in score.evidence)
    assert all(text[e.start : e.end].startswith(e.quote) for e in score.evidence)


@pytest.mark.parametrize(
    ("settings", "text", "passed"),
    [
        ({"require": ["table", "heading"]}, "# a\n\n|a|b|\n|-|-|", True),
        ({"require": "code_block"}, "    indented", False),
        ({"forbid": "list"}, "1. a", False),
        ({"allow": ["list", "strong"]}, "- **a**", True),
        ({"allow": ["list"]}, "- **a**", False),
        ({"max_heading_level": 2}, "## a\n\n### b", False),
        ({"max_heading_level": 2}, "## a", True),
        ({"allowed_html": []}, "a<br>b", False),
        ({"allowed_html": ["b", "comment"]}, "<b>a</b><!-- c -->", True),
        ({"checks": ["bare_code"]}, "def f(x):\n    return x;\nprint(f(1))", False),
        ({"checks": ["bare_code"]}, "Dear all,\nthis is a letter.\nBye", True),
        ({"checks": []}, "```", True),
    ],
)
def test_markdown_elements(judged, settings, text, passed):
    assert judged("markdown", settings, text).passed is passed


@given(st.integers(0, 4))
def test_each_fault_more_scores_no_higher(judged, faults):
    pieces = ["see [a](x y)", "**open", "<b>", "```\nopen"]
    values = [judged("markdown", {}, "\n\n".join(["ok", *pieces[4 - n :]])).value for n in range(faults + 1)]
    assert values == sorted(values, reverse=True)


@pytest.mark.parametrize(
    ("settings", "text", "value"),
    [
        pytest.param({}, '\n <?xml version="1.0" encoding="utf-16"?><a>é</a>\n', 1, id="declared encoding is ignored"),
        pytest.param({}, "<a>é<b></a>", 0, id="crossing"),
        pytest.param({}, "<a/><b/>", 0, id="two roots"),
        pytest.param({}, "<x:a/>", 0, id="unbound prefix"),
        pytest.param({}, "<a>&lt;&#233;</a>", 1, id="entities of XML itself"),
        pytest.param({}, "<a>&nbsp;</a>", 0, id="an entity of HTML"),
        pytest.param({}, BOMB, 0, id="entity bomb"),
        pytest.param({}, '<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>', 0, id="external"),
        pytest.param({}, "<a>" * 101 + "</a>" * 101, 0, id="too deep"),
        pytest.param({"max_depth": 200}, "<a>" * 101 + "</a>" * 101, 1, id="deep allowed"),
        pytest.param({}, "just text", 0, id="text"),
        pytest.param({}, "```xml\n<a/>\n```", 0, id="a fence is not asked for"),
        pytest.param({"fenced": True}, "```xml\n<a/>\n```", 1, id="a fence"),
        pytest.param({"require": ["//c", "a/*/c", "a/b/c/@id", "//@id"]}, '<a><b><c id="1"/></b></a>', 1, id="paths"),
        pytest.param({"require": ["a/b/@id", "b"]}, '<a><b><c id="1"/></b></a>', 0, id="paths that are not there"),
        pytest.param({"require": "a/b"}, '<n:a xmlns:n="u"><n:b/></n:a>', 1, id="prefixes do not count"),
        pytest.param({"root": "order", "require": ["order/x"]}, "<order/>", 0.5, id="half"),
    ],
)
def test_xml(judged, settings, text, value):
    score = judged("xml_valid", settings, text)
    assert (score.status, score.value, score.passed) == ("scored", value, value == 1), score


NAMES = st.sampled_from("abcd")
TREES = st.recursive(
    NAMES.map(lambda name: (name, ())),
    lambda inner: st.tuples(NAMES, st.lists(inner, max_size=3).map(tuple)),
    max_leaves=8,
)


def xml(tree) -> str:
    name, children = tree
    return f"<{name}>{''.join(map(xml, children))}</{name}>"


def without(tree, at: int):
    """The tree without its child number `at`, where it has so many."""
    name, children = tree
    return name, tuple(child for place, child in enumerate(children) if place != at)


@given(TREES, st.sets(NAMES, min_size=1), st.sets(NAMES), st.integers(0, 2))
def test_xml_with_less_in_it_or_more_asked_of_it_scores_no_higher(judged, tree, asked, more, at):
    def value(of, wanted):
        return judged("xml_valid", {"require": [f"//{name}" for name in sorted(wanted)]}, xml(of)).value

    assert value(without(tree, at), asked) <= value(tree, asked)
    found = sum(f"<{name}>" in xml(tree) for name in asked)
    assert value(tree, asked) == pytest.approx(found / len(asked))
    kept, lost = value(tree, asked) * len(asked), value(tree, asked | more) * len(asked | more)
    assert lost >= kept - 1e-9  # what was found stays found, whatever else is asked


@given(TREES, st.data())
def test_xml_that_is_damaged_is_worth_nothing_and_a_lower_limit_of_depth_never_helps(judged, tree, data):
    text = xml(tree)
    tags = [at for at, c in enumerate(text) if c == "<"]
    at = data.draw(st.sampled_from(tags))
    assert judged("xml_valid", {}, text).value == 1
    assert judged("xml_valid", {}, text[:at] + text[text.index(">", at) + 1 :]).value == 0
    low, high = sorted((data.draw(st.integers(1, 6)), data.draw(st.integers(1, 6))))
    assert judged("xml_valid", {"max_depth": low}, text).value <= judged("xml_valid", {"max_depth": high}, text).value


def test_xml_shows_where_in_characters(judged):
    span = judged("xml_valid", {}, "\n<ä>é</b>").evidence[0]
    assert (span.start, span.quote) == (7, "b>")


@pytest.mark.parametrize("path", ["a//b", "/a", "a/", "@x/y", ""])
def test_bad_paths_are_refused(judged, path):
    with pytest.raises(ScorerConfigError):
        judged("xml_valid", {"require": path}, "<a/>")


@pytest.mark.parametrize(
    ("settings", "text", "note"),
    [
        pytest.param({}, "<p>a<div>b</div>", "", id="a block ends a paragraph"),
        pytest.param({}, "<table><tr><td>1<td>2<tr><td>3</table>", "", id="cells need no end"),
        pytest.param({}, "<ul><li>a<ul><li>b</ul></ul>", "", id="nested lists"),
        pytest.param({}, "<br/><img src=x>", "", id="void elements"),
        pytest.param({}, "<svg><path d=''/><foo/></svg>", "", id="foreign elements"),
        pytest.param({}, "<my-x>y</my-x>", "", id="a custom element"),
        pytest.param({}, "<b><i>x</b></i>", "still open", id="misnested"),
        pytest.param({}, "<div>x", "never closed", id="unclosed"),
        pytest.param({}, "<b>a</b></b>", "closes nothing", id="one end too many"),
        pytest.param({}, "<div/>", "does not close itself", id="self-closed div"),
        pytest.param({}, "<p id=a></p><p id=a>", "twice", id="an id twice"),
        pytest.param({}, "<p class=a class=b>", "twice", id="an attribute twice"),
        pytest.param({}, "<SCRIPT>alert(1)</SCRIPT>", "not allowed", id="script"),
        pytest.param({}, "<img src=x onerror=alert(1)>", "runs a script", id="handler"),
        pytest.param({}, "<a href='java\nscript:x'>x</a>", "runs a script", id="javascript address"),
        pytest.param({"scripts": True}, "<p onclick='x'>y", "", id="handler allowed"),
        pytest.param({}, "<foo>x</foo>", "no HTML element", id="unknown"),
        pytest.param({}, "a < b and c > d", "no element", id="comparison"),
        pytest.param({}, "<p>x<!-- y", "never closed", id="open comment"),
        pytest.param({}, "<p>x<b", "cut off", id="cut off"),
        pytest.param({}, "<p></ x>", "malformed", id="malformed"),
        pytest.param({"only": True}, "Here: <p>x</p>", "around", id="words around"),
        pytest.param({"required": "table"}, "<p>x</p>", "has no <table>", id="required"),
        pytest.param({"allowed": ["p"]}, "<p><b>x</b></p>", "not allowed", id="whitelist"),
        pytest.param({"fenced": True, "only": True}, "```html\n<p>x</p>\n```", "", id="a fence"),
    ],
)
def test_html(judged, settings, text, note):
    score = judged("html_valid", settings, text)
    assert (score.status, score.passed) == ("scored", not note), score
    assert note in " ".join(e.note for e in score.evidence)
    assert all(text[e.start : e.end] == e.quote for e in score.evidence)


FAULTS = {
    "nesting": ["<b><i>x</b></i>", "<div>open</div></div>", "<div/>"],
    "elements": ["<foo>x</foo>", "<iframe></iframe>"],
    "attributes": ["<p class=a class=b>x</p>"],
    "ids": ["<p id=one>x</p><p id=one>y</p>"],
    "scripts": ["<p onclick='x()'>x</p>", "<a href='javascript:x()'>x</a>"],
}
PIECES = [(rule, piece) for rule, pieces in FAULTS.items() for piece in pieces]


@given(st.lists(st.sampled_from(PIECES), max_size=8), st.lists(st.sampled_from(PIECES), max_size=8), st.integers(0, 8))
def test_html_with_more_faults_scores_no_higher(judged, some, more, at):
    def value(pieces, **settings):
        return judged("html_valid", settings, "<p>fine</p>" + "".join(piece for _, piece in pieces)).value

    both = [*some[:at], *more, *some[at:]]
    assert value(both) <= value(some) <= value([]) == 1
    assert value(some) == pytest.approx(1 - len({rule for rule, _ in some}) / 6)
    assert value(some, required=["table"]) <= value(some, required=["p"])
    assert value(both, allowed=["p", "b", "i"]) <= value(both)


MB = 1_000_000


@pytest.mark.parametrize("name", ["markdown", "xml_valid", "html_valid"])
@pytest.mark.parametrize(
    "piece",
    ["</", "<a", "<!--", "<![", "<?", "<p>", "&", "[", "[a](", "`", "**a", "|a|b|\n|-|-|\n", "- ", "\0", "\ud800<"],
)
def test_adversarial_text_ends(judged, name, piece):
    score = judged(name, {}, (piece * MB)[:400_000])
    assert score.status == "scored"
    assert len(score.evidence) <= 100
