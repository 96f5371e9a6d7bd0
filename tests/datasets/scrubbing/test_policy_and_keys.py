"""Policies, keys and the encrypted mapping: what is refused, and with which words."""

from __future__ import annotations

import io
import stat

import pytest
from conftest_scrub import KEY

from seatrial.datasets.scrubbing import hipaa, keys, mapping
from seatrial.datasets.scrubbing.policy import load, of, preset
from seatrial.errors import ConfigError, MissingSecretError
from seatrial.scorers.safety import personal


@pytest.mark.parametrize(
    ("given", "key", "rule"),
    [
        pytest.param({"polcy": "basic"}, "polcy", "is not a key", id="unknown"),
        pytest.param({"policy": "hippa"}, "", "No scrubbing policy", id="preset"),
        pytest.param({"blobs": "ignore"}, "blobs", "must be", id="blobs"),
        pytest.param({"regions": ["Germany"]}, "regions", "ISO 3166", id="region"),
        pytest.param({"kinds": ["e-mail"]}, "kinds", "knows no kind", id="kind"),
        pytest.param({"patterns": [{"kind": "x", "pattern": "("}]}, "patterns[0].pattern", "RE2", id="pattern"),
        pytest.param({"patterns": [{"kind": "x", "pattern": "a*"}]}, "patterns[0].pattern", "empty text", id="empty"),
        pytest.param(
            {"patterns": [{"kind": "x", "pattern": r"(a)\1"}]}, "patterns[0].pattern", "RE2", id="backreference"
        ),
        pytest.param({"patterns": [{"kind": "X!", "pattern": "a"}]}, "patterns[0].kind", "must match", id="kind-name"),
        pytest.param({"allow": {"patterns": ["["]}}, "allow.patterns", "RE2", id="allow"),
        pytest.param({"max_chars": 0}, "max_chars", "at least 1", id="bound"),
        pytest.param({"replace_from": 2}, "replace_from", "at most 1", id="confidence"),
    ],
)
def test_faulty_policies(given, key, rule):
    with pytest.raises(ConfigError) as caught:
        of(given)
    assert rule in str(caught.value)
    assert not key or any(p.key.startswith(key) for p in caught.value.problems)


def test_a_policy_file_names_lines(tmp_path):
    path = tmp_path / "scrub.yaml"
    path.write_text("policy: basic\nregions: [DE]\npatterns:\n  - kind: a\n    pattern: '('\nblobs: maybe\n")
    with pytest.raises(ConfigError) as caught:
        load(str(path))
    assert {p.line for p in caught.value.problems} == {5, 6}


@pytest.mark.parametrize("text", ["a: [", "- 1", "", "policy: {"])
def test_no_policy_at_all(tmp_path, text):
    path = tmp_path / "scrub.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError):
        load(str(path))
    with pytest.raises(ConfigError, match="cannot be read"):
        load(str(tmp_path / "none.yaml"))


def test_a_file_extends_its_preset(tmp_path):
    path = tmp_path / "scrub.yaml"
    path.write_text(
        "policy: hipaa\npatterns: [{kind: bed, pattern: 'bed [0-9]+'}]\nfields: {ward_no: account_number}\n"
    )
    made = load(str(path))
    assert len(made.patterns) == len(hipaa.PATTERNS) + 1
    assert made.times == "year"
    assert {"wardno", "mrn"} <= {*made.keys}
    assert made.hash != preset("hipaa").hash
    assert preset("basic").hash == of({}).hash


def test_hipaa_answers_for_all_18():
    assert [one.letter for one in hipaa.IDENTIFIERS] == list("ABCDEFGHIJKLMNOPQR")
    known = {*personal.KINDS, *personal.GROUPS, *(p.kind for p in hipaa.PATTERNS), *hipaa.POLICY.keys.values()}
    assert all(kind in known for one in hipaa.IDENTIFIERS for kind in one.kinds)
    assert all(one.done and one.missed for one in hipaa.IDENTIFIERS)


def test_the_key_is_made_once_for_its_owner_alone(tmp_path):
    first = keys.scrub_key(tmp_path, {})
    assert keys.scrub_key(tmp_path, {}) == first
    assert len(first) == 64
    path = tmp_path / keys.FILE
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert (path.parent / ".gitignore").read_text() == "*\n"
    assert sorted(p.name for p in path.parent.iterdir()) == [".gitignore", "scrub.key"]
    assert keys.scrub_key(tmp_path, {keys.SCRUB_KEY: "x" * 16}) == b"x" * 16
    with pytest.raises(ConfigError, match="16 bytes"):
        keys.scrub_key(tmp_path, {keys.SCRUB_KEY: "short"})


def test_the_mapping_key():
    assert keys.mapping_key({keys.MAPPING_KEY: "ab" * 32}) == b"\xab" * 32
    with pytest.raises(MissingSecretError):
        keys.mapping_key({})
    with pytest.raises(ConfigError, match="32 bytes"):
        keys.mapping_key({keys.MAPPING_KEY: "abcd"})


def written() -> bytes:
    out = io.BytesIO()
    writer = mapping.Writer(out, b"m" * 32)
    writer.add("s1", [("email", "a@\ud800b.de", "x@example.com")])
    writer.add("s2", [("card", "4111", "4000")])
    writer.close()
    return out.getvalue()


def test_the_mapping_opens_with_its_key_alone(tmp_path):
    path = tmp_path / "map"
    path.write_bytes(written())
    assert [*mapping.read(path, b"m" * 32)] == [
        ("s1", [("email", "a@\ud800b.de", "x@example.com")]),
        ("s2", [("card", "4111", "4000")]),
    ]
    with pytest.raises(ConfigError):
        [*mapping.read(path, b"n" * 32)]


@pytest.mark.parametrize(
    "alter",
    [
        pytest.param(lambda lines: lines[:-1], id="cut"),
        pytest.param(lambda lines: [lines[0], lines[2], lines[1], lines[3]], id="reordered"),
        pytest.param(lambda lines: [lines[0], lines[1], lines[3]], id="removed"),
        pytest.param(lambda lines: [*lines[:3], lines[2], lines[3]], id="copied"),
        pytest.param(lambda lines: [written().splitlines()[0], *lines[1:]], id="another-file"),
        pytest.param(lambda lines: [lines[0], lines[1][:-8] + b"AAAAAAA=", *lines[2:]], id="altered"),
        pytest.param(lambda _: [b""], id="empty"),
        pytest.param(lambda _: [b"[]"], id="none"),
    ],
)
def test_an_altered_mapping_is_refused(tmp_path, alter):
    path = tmp_path / "map"
    path.write_bytes(b"\n".join(alter(written().splitlines())) + b"\n")
    with pytest.raises(ConfigError, match="cannot be opened"):
        [*mapping.read(path, b"m" * 32)]


def test_keys_are_not_shown():
    assert KEY.decode() not in repr(preset("basic"))
