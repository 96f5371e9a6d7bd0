"""Near-duplicates among any number of inputs, in memory linear in their number: under 200 bytes each.

Two inputs say the same when they are equal; when they are equal once normalised (compatible forms, case, white space,
and what the settings mask); when their character shingles overlap by `jaccard`; or when they nearly do and the hashing
embedder puts them within `cosine`. Whatever is linked by such pairs is one cluster.
"""

from __future__ import annotations

import re
import unicodedata
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Annotated, Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from seatrial.core.case import Case
from seatrial.core.identity import canonical
from seatrial.core.message import without_bytes
from seatrial.core.record import Record
from seatrial.datasets.sampling import minhash
from seatrial.datasets.sampling.keys import text_key

Ints = NDArray[np.int64]
CHUNK = 256
"""Texts whose signatures are made at once."""
NEARLY = 0.1
"""Pairs that fall short of the Jaccard threshold by no more than this are measured again, by their embeddings."""
SLACK = 0.08
"""Pairs whose estimate falls short by more than this, two standard errors, are not measured."""
BLOCK = 1 << 14
WAITING = 1_000_000
"""So many pairs wait at most to be measured."""
UNSAID = ("system", "developer")
_NUMBER = re.compile(r"\d+(?:[.,:/-]\d+)*")
_WORD = re.compile(r"[^\W\d_]+")


class Duplicates(Record):
    """When two inputs count as one.

    `jaccard`: of runs of five characters; 1 leaves only what is equal once normalised. `cosine`: of hashed character
    n-grams, for pairs that the first barely misses; 1 switches it off. `numbers`, `names`: read every number, every
    capitalised word, as the same one: for logs made from templates.
    """

    jaccard: Annotated[float, Field(gt=0.3, le=1)] = 0.8
    cosine: Annotated[float, Field(gt=0.5, le=1)] = 0.95
    numbers: bool = False
    names: bool = False

    def normalised(self, text: str) -> str:
        """What is compared of a text."""
        if self.names:
            text = _WORD.sub(lambda found: "Aa" if found[0].istitle() else found[0], text)
        if self.numbers:
            text = _NUMBER.sub("0", text)
        if not text.isascii():
            text = unicodedata.normalize("NFKC", text)
        return " ".join(text.casefold().split())


class Clusters(NamedTuple):
    """Which inputs say the same.

    `of`: for each input a number that its cluster shares. The counts are of inputs that joined another: `equal` as
    they are, `normalised` once normalised, `near` by likeness. `largest`: the size of the largest cluster.
    """

    of: Ints
    equal: int
    normalised: int
    near: int
    largest: int

    @property
    def different(self) -> int:
        """How many clusters there are."""
        return len(np.unique(self.of))


def find(cases: Iterable[Case], settings: Duplicates | None = None) -> Clusters:
    """The clusters of cases that fit in memory."""
    settings = settings or Duplicates()
    finder = Finder(settings)
    texts: list[str] = []
    for case in cases:
        messages = cast("list[dict[str, Any]]", case.recorded["input"])
        texts.append(finder.add(messages))
    return finder.clusters(texts.__getitem__)


def said(messages: Sequence[Mapping[str, Any]]) -> str:
    """The text of a conversation without its instructions, which logs share; blobs by their hash or address."""
    parts: list[str] = []
    for message in messages:
        if message.get("role") in UNSAID:
            continue
        content, calls = message.get("content") or "", message.get("tool_calls")
        if isinstance(content, str):
            parts.append(content)
        else:
            parts += map(_part, content)
        if calls:
            parts += [f"{call.get('name')} {canonical(call.get('arguments'))}" for call in calls]
    return "\n".join(parts)


def _part(part: Mapping[str, Any]) -> str:
    if part.get("type") == "text":
        return str(part.get("text") or "")
    return str(part.get("sha256") or part.get("url") or text_key(str(part.get("data") or "")))


class Finder:
    """Takes inputs one by one, keeps their signatures, then tells their clusters."""

    def __init__(self, settings: Duplicates) -> None:
        self.settings = settings
        self._rows = minhash.rows_per_band(settings.jaccard)
        self._exact = array("Q")
        self._normal = array("Q")
        self._bands = bytearray()
        self._bytes = bytearray()
        self._waiting: list[str] = []

    def add(self, messages: list[dict[str, Any]], exact: int | None = None) -> str:
        """Take an input, as plain messages, and its key where it is known; gives its normalised text."""
        if exact is None:
            exact = text_key(canonical(without_bytes(messages)))
        text = self.settings.normalised(said(messages))
        self._exact.append(exact)
        self._normal.append(text_key(text) if text else exact)
        if self.settings.jaccard < 1:
            self._waiting.append(text)
            if len(self._waiting) == CHUNK:
                self._sign()
        return text

    def _sign(self) -> None:
        if self._waiting:
            found = minhash.signatures(self._waiting, self._rows)
            self._bands += found.bands.tobytes()
            self._bytes += found.bytes.tobytes()
            self._waiting.clear()

    def clusters(self, text_at: Callable[[int], str]) -> Clusters:
        """The clusters of all inputs taken, the same whatever their order; the signatures are let go of, so once only.

        `text_at` gives a normalised text again.
        """
        self._sign()
        exact = np.frombuffer(self._exact, dtype=np.uint64)
        normal = np.frombuffer(self._normal, dtype=np.uint64)
        order = np.lexsort((exact, normal))
        joined = Joined(len(exact))
        equal = _join_equal(joined, order, exact)
        normalised = _join_equal(joined, order, normal)
        near = 0
        if self.settings.jaccard < 1:
            first = order[np.flatnonzero(np.concatenate([[True], np.diff(normal[order]) > 0]))] if len(order) else order
            near = self._join_near(joined, first, text_at)
        self._bands, self._bytes = bytearray(), bytearray()  # most of the memory, which nothing needs any more
        of = joined.roots()
        sizes = np.bincount(of) if len(of) else np.zeros(1, dtype=np.int64)
        return Clusters(of, equal, normalised, near, int(sizes.max()))

    def _join_near(self, joined: Joined, firsts: Ints, text_at: Callable[[int], str]) -> int:
        """Join what is alike; `firsts` holds one of each normalised text, in an order that only content decides."""
        bands = np.frombuffer(self._bands, dtype=np.uint32).reshape(-1, minhash.BANDED // self._rows)
        marks = np.frombuffer(self._bytes, dtype=np.uint8).reshape(-1, minhash.BINS)
        alike = _Alike(self.settings, text_at)
        waiting: list[Ints] = []
        near = held = 0
        for band in range(bands.shape[1]):
            keys = bands[firsts, band]
            for a, b in _pairs(firsts[np.argsort(keys, kind="stable")], bands[:, band]):
                found = _worth(joined.roots(), a, b, marks, alike.least_matches)
                held += len(found)
                waiting.append(found)
                if held > WAITING:
                    near += _join_alike(joined, waiting, alike)
                    waiting, held = [], 0
        return near + _join_alike(joined, waiting, alike)


def _pairs(ordered: Ints, keys: NDArray[np.uint32]) -> Iterator[tuple[Ints, Ints]]:
    """In every bucket, each member with the first one, and with the one before it."""
    sorted_keys = keys[ordered]
    starts = np.concatenate([[True], sorted_keys[1:] != sorted_keys[:-1]]) if len(ordered) else np.empty(0, bool)
    head = np.maximum.accumulate(np.where(starts, np.arange(len(ordered)), 0))
    members = np.flatnonzero(~starts)
    yield ordered[head[members]], ordered[members]
    later = members[head[members] < members - 1]
    yield ordered[later - 1], ordered[later]


def _worth(of: Ints, a: Ints, b: Ints, marks: NDArray[np.uint8], least: int) -> Ints:
    """The pairs worth measuring, each as one number: those of two clusters whose estimate is high enough."""
    found: list[Ints] = [np.empty(0, dtype=np.int64)]
    for start in range(0, len(a), BLOCK):
        left, right = a[start : start + BLOCK], b[start : start + BLOCK]
        kept = of[left] != of[right]
        left, right = left[kept], right[kept]
        kept = np.count_nonzero(marks[left] == marks[right], axis=1) >= least
        left, right = left[kept], right[kept]
        found.append(np.minimum(left, right) << 32 | np.maximum(left, right))
    return np.concatenate(found)


def _join_alike(joined: Joined, pairs: Sequence[Ints], alike: _Alike) -> int:
    """Join the pairs that are alike, each measured once; gives how many joined. Their order decides nothing."""
    near = 0
    for pair in np.unique(np.concatenate(pairs)).tolist() if pairs else ():
        i, j = pair >> 32, pair & 0xFFFFFFFF
        if joined.root(i) != joined.root(j) and alike(i, j):
            joined.join(i, j)
            near += 1
    return near


class _Alike:
    """Whether two texts are alike, measured on the texts themselves."""

    def __init__(self, settings: Duplicates, text_at: Callable[[int], str]) -> None:
        self._settings = settings
        self._text = lru_cache(maxsize=256)(text_at)
        self._shingles = lru_cache(maxsize=256)(self._shingles_of)
        self._vector = lru_cache(maxsize=256)(self._vector_of)
        floor = settings.jaccard - NEARLY if settings.cosine < 1 else settings.jaccard
        self._floor = floor
        self.least_matches = max(1, int(minhash.BINS * (floor - SLACK)))

    def __call__(self, i: int, j: int) -> bool:
        overlap = minhash.jaccard(self._shingles(i), self._shingles(j))
        if overlap >= self._settings.jaccard:
            return True
        return overlap >= self._floor and float(self._vector(i) @ self._vector(j)) >= self._settings.cosine

    def _shingles_of(self, i: int) -> minhash.Shingles:
        return minhash.Shingles(self._text(i))

    def _vector_of(self, i: int) -> NDArray[np.float64]:
        from seatrial.targets.hashing import unit

        return unit(self._text(i))


def _join_equal(joined: Joined, order: Ints, keys: NDArray[np.uint64]) -> int:
    """Join neighbours of equal key; `order` sorts the keys. Gives how many joined."""
    if len(order) < 2:
        return 0
    sorted_keys = keys[order]
    same = np.flatnonzero(sorted_keys[1:] == sorted_keys[:-1])
    count = 0
    for i, j in zip(order[same].tolist(), order[same + 1].tolist(), strict=True):
        count += joined.join(i, j)
    return count


class Joined:
    """Union-find over places (Tarjan 1975): path halving, and the smaller place becomes the root."""

    def __init__(self, size: int) -> None:
        self._parent = array("q", range(size))

    def root(self, i: int) -> int:
        """The root of a place's cluster."""
        parent = self._parent
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    def join(self, i: int, j: int) -> bool:
        """Make two clusters one; whether they were two."""
        i, j = self.root(i), self.root(j)
        if i == j:
            return False
        self._parent[max(i, j)] = min(i, j)
        return True

    def roots(self) -> Ints:
        """Every place's root."""
        parent = np.frombuffer(self._parent, dtype=np.int64).copy()
        while True:
            up = parent[parent]
            if (up == parent).all():
                return parent
            parent = up
