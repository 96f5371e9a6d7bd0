"""Near-duplicates: what is one, what is not, and that the order of inputs does not matter."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.core.case import Case
from seatrial.datasets.sampling import duplicates, minhash
from seatrial.datasets.sampling.duplicates import Duplicates, find

LONG = "I ordered the blue kettle three weeks ago, it never came, and nobody at your desk answers my letters about it"


def cases(*texts: str) -> list[Case]:
    return [Case(id=str(i), input=text) for i, text in enumerate(texts)]


def joined(a: str, b: str, settings: Duplicates | None = None) -> bool:
    return find(cases(a, b), settings).different == 1


@pytest.mark.parametrize(
    ("a", "b", "settings", "same"),
    [
        pytest.param("Hi", "Hi", Duplicates(), True, id="equal"),
        pytest.param("Where  is it?\n", "where is IT?", Duplicates(jaccard=1), True, id="normalised"),
        pytest.param("ｗｈｅｒｅ is it", "where is it", Duplicates(jaccard=1), True, id="compatible forms"),
        pytest.param(LONG, LONG + ", please", Duplicates(), True, id="nearly equal"),
        pytest.param(LONG, LONG + ", please", Duplicates(jaccard=1), False, id="nearly equal, switched off"),
        pytest.param(
            LONG, "Is my tent part of the recall that the papers wrote about?", Duplicates(), False, id="other"
        ),
        pytest.param("What is 12+5?", "What is 13+4?", Duplicates(), False, id="short, other numbers"),
        pytest.param("What is 12+5?", "What is 13+4?", Duplicates(numbers=True), True, id="numbers masked"),
        pytest.param("ask Anna", "ask Omar", Duplicates(names=True), True, id="names masked"),
        pytest.param("ask Anna", "ask Omar", Duplicates(), False, id="names kept"),
        pytest.param("", "", Duplicates(), True, id="empty and equal"),
        pytest.param("\ud800", "\ud801", Duplicates(), False, id="lone surrogates"),
        pytest.param("\0", "\0\0", Duplicates(), False, id="null bytes"),
        pytest.param("ab", "abc", Duplicates(), False, id="shorter than a shingle"),
        pytest.param("x" * 1_000_000, "x" * 999_999, Duplicates(), True, id="a megabyte"),
    ],
)
def test_two_inputs(a: str, b: str, settings: Duplicates, *, same: bool):
    assert joined(a, b, settings) is same


def test_instructions_do_not_make_requests_alike():
    system = "You are a support desk. " * 40
    talk = [
        Case(id=str(i), input=({"role": "system", "content": system}, {"role": "user", "content": text}))
        for i, text in enumerate(["where is my parcel", "cancel my contract"])
    ]
    assert find(talk).different == 2


def test_the_same_question_about_another_picture_is_another_case():
    def asked(name: str, data: str) -> Case:
        parts = [{"type": "text", "text": "what is this?"}, {"type": "image", "media_type": "image/png", "data": data}]
        return Case.model_validate({"id": name, "input": [{"role": "user", "content": parts}]})

    assert find([asked("a", "AAAA"), asked("b", "BBBB"), asked("c", "AAAA")]).different == 2


def test_counts_say_how_each_was_found():
    found = find(cases("Hello you", "Hello you", "hello  you", LONG, LONG + ", please", "something else entirely"))
    assert (found.equal, found.normalised, found.near, found.largest, found.different) == (1, 1, 1, 3, 3)


def groups(texts: list[str], places: list[int]) -> set[frozenset[str]]:
    of = find(cases(*texts)).of
    return {frozenset(str(places[i]) for i in np.flatnonzero(of == c)) for c in np.unique(of).tolist()}


@given(st.integers(0, 2**16))
def test_the_order_of_inputs_does_not_matter(seed: int):
    rng = random.Random(seed)
    words = [f"word{i}" for i in range(60)]
    texts = [" ".join(rng.choices(words, k=25)) for _ in range(12)]
    texts += [text.replace("word1", "word2") for text in rng.choices(texts, k=8)]
    places = list(range(len(texts)))
    rng.shuffle(places)
    assert groups(texts, list(range(len(texts)))) == groups([texts[i] for i in places], places)


def test_most_pairs_at_the_threshold_are_found():
    rng = random.Random(3)
    words = [f"w{i}" for i in range(5000)]
    first = [" ".join(rng.choices(words, k=60)) for _ in range(150)]
    pairs = []
    for text in first:
        parts = text.split()
        for _ in range(3):
            parts[rng.randrange(60)] = "zz"
        other = " ".join(parts)
        if minhash.jaccard(minhash.Shingles(text), minhash.Shingles(other)) >= 0.8:
            pairs.append((text, other))
    of = find(cases(*(text for pair in pairs for text in pair)), Duplicates(cosine=1)).of
    assert len(pairs) > 50
    assert np.mean(of[::2] == of[1::2]) >= 0.95


@pytest.mark.parametrize("text", ["short text", LONG, LONG * 5])
def test_signatures_estimate_the_overlap(text: str):
    other = text[: int(len(text) * 0.8)]
    both = minhash.signatures([text, other], 5)
    truth = minhash.jaccard(minhash.Shingles(text), minhash.Shingles(other))
    assert np.mean(both.bytes[0] == both.bytes[1]) == pytest.approx(truth, abs=0.2)
    again = minhash.signatures([other, "something before", text], 5)
    assert (again.bytes[2] == both.bytes[0]).all()  # no matter what it is computed beside
    assert (again.bands[0] == both.bands[1]).all()


alphabets = st.sampled_from(["ab", "abcd efgh", "äöü ab", "aя漢\u0fff\u1000", "a\0", "\ud800\udfffa", "😀a"])
similar = alphabets.flatmap(lambda letters: st.tuples(st.text(letters), st.text(letters), st.text("ab漢")))


@given(similar)
def test_the_overlap_is_that_of_the_runs_of_characters(parts: tuple[str, str, str]):
    def runs(text: str) -> set[str]:
        return {text[i : i + minhash.SHINGLE] for i in range(len(text) - minhash.SHINGLE + 1)} or {text}

    first, second = parts[0] + parts[1], parts[0] + parts[2] + parts[1]
    common, all_of_them = runs(first) & runs(second), runs(first) | runs(second)
    found = minhash.jaccard(minhash.Shingles(first), minhash.Shingles(second))
    assert found == len(common) / len(all_of_them)


def test_how_many_pairs_wait_to_be_measured_changes_nothing(monkeypatch: pytest.MonkeyPatch):
    random_of = random.Random(3)
    parts = [f"{word} is what I wrote to you about {when}" for word in ("a tent", "my bill", "it") for when in "abcdef"]
    texts = [". ".join(random_of.sample(parts, 4)) for _ in range(400)]
    measured: list[tuple[int, int]] = []
    call = duplicates._Alike.__call__

    def counted(alike: duplicates._Alike, i: int, j: int) -> bool:
        measured.append((i, j))
        return call(alike, i, j)

    monkeypatch.setattr(duplicates._Alike, "__call__", counted)
    at_once = find(cases(*texts))
    assert len(measured) == len(set(measured)) > 50  # each pair once
    monkeypatch.setattr(duplicates, "WAITING", 3)
    in_parts = find(cases(*texts))
    assert in_parts[1:] == at_once[1:]
    assert at_once.near > 20
    assert np.array_equal(in_parts.of, at_once.of)
