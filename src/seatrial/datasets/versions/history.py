"""Commits and tags of a set: a chain of hashes in versions.jsonl, one line each."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, Literal, NamedTuple

from pydantic import Field, ValidationError

from seatrial.core.identity import digest, loads, short
from seatrial.core.record import Filled, Json, Moment, Record, Text, as_dict
from seatrial.datasets.reading.faults import dotted, translate
from seatrial.errors import DatasetError, Problem, nearest, safe

FORMAT = "seatrial.set/1"
LEAST_PREFIX = 4
HEAD = "HEAD"
BESIDE = ("commit", "ledger")
"""What stands with an entry and is no part of it: its identity, and in the lock the ledger's length and end."""
Shares = Mapping[str, Mapping[str, float]]


class Commit(Record):
    """One version of a set, with how it came to be.

    `version` covers the ordered cases of all splits and the traffic shares. `parents` are the commits it follows: one,
    none for the first, several where branches were merged; `leaves` are commits it knowingly does not follow. `parent`
    is the first parent's version. `files` has the sha256 of each file. `config` is what set.yaml said.
    """

    format: Literal["seatrial.set/1"] = FORMAT
    version: Filled
    name: Text
    parent: Text | None = None
    parents: tuple[Text, ...] = ()
    leaves: tuple[Text, ...] = ()
    author: Text = ""
    date: Moment
    message: Text
    cases: Mapping[str, int]
    splits: Mapping[str, str]
    shares: Mapping[str, Mapping[str, float]] = Field(default_factory=dict)
    stratifier: Text = ""
    canary: Text = ""
    files: Mapping[str, str] = Field(default_factory=dict)
    config: Mapping[str, Json] = Field(default_factory=dict)
    evolution: Mapping[str, Json] = Field(default_factory=dict)

    @cached_property
    def entry(self) -> dict[str, Any]:
        """All it says, as plain values; what a line of the history and the lock hold."""
        return {**self.model_dump(), "commit": self.id}

    @cached_property
    def id(self) -> str:
        """Identity of the whole entry, its parents included: what makes the chain."""
        return digest("commit", self.model_dump())

    def lock_text(self, beside: Mapping[str, Any]) -> str:
        """The lock: the entry as JSON, a key a line, and what stands beside it."""
        return json.dumps({**self.entry, **beside}, indent=2, sort_keys=True) + "\n"


class Tag(Record):
    """A name for a version. The last line of a name is the one that counts."""

    tag: Filled
    version: Filled
    commit: Filled
    author: Text = ""
    date: Moment


class History(NamedTuple):
    """Commits in the order of their lines, and tags."""

    commits: tuple[Commit, ...]
    tags: tuple[Tag, ...]

    def by_id(self) -> dict[str, Commit]:
        """Commits by their identity."""
        return {commit.id: commit for commit in self.commits}

    def heads(self) -> list[Commit]:
        """Commits that no other one follows, or knowingly leaves."""
        taken = {one for commit in self.commits for one in (*commit.parents, *commit.leaves)}
        return [commit for commit in self.commits if commit.id not in taken]

    def ancestors(self, commit: Commit) -> set[str]:
        """Identities of all that a commit follows, itself included."""
        known, seen, open_ = self.by_id(), set[str](), [commit.id]
        while open_:
            one = open_.pop()
            if one not in seen:
                seen.add(one)
                open_ += known[one].parents if one in known else ()
        return seen

    def ordered(self) -> list[Commit]:
        """Newest first, and every commit before those it follows."""
        known, seen, out = self.by_id(), set[str](), list[Commit]()
        for head in self.commits:
            stack: list[tuple[Commit, Iterator[str]]] = [(head, iter(head.parents))]
            while stack:
                commit, parents = stack[-1]
                following = next((known[p] for p in parents if p in known and p not in seen), None)
                if following is not None:
                    stack.append((following, iter(following.parents)))
                    continue
                stack.pop()
                if commit.id not in seen:
                    seen.add(commit.id)
                    out.append(commit)
        return out[::-1]

    def names(self) -> dict[str, str]:
        """The commit that each tag names now."""
        return {tag.tag: tag.commit for tag in self.tags}

    def tags_of(self, commit: Commit) -> list[str]:
        """The tags that name a commit."""
        return [tag for tag, named in self.names().items() if named == commit.id]

    def find(self, wanted: str, lock: Commit | None = None) -> Commit:
        """The commit that a tag, a version, a commit, the start of one's digits, or HEAD names.

        Raises DatasetError where none or several fit.
        """
        if wanted == HEAD and lock is not None:
            return lock
        known = self.by_id()
        if (tagged := self.names().get(wanted)) is not None and tagged in known:
            return known[tagged]
        exact = [c for c in self.commits if wanted in (c.version, c.id)]
        if exact:
            return exact[-1]
        digits = wanted.rsplit(":", 1)[-1]
        fits = [c for c in self.commits if len(digits) >= LEAST_PREFIX and _starts(c, wanted, digits)]
        if len({c.version for c in fits}) == 1:
            return fits[-1]
        if fits:
            said = ", ".join(short(c.version) for c in fits)
            raise DatasetError(f"{safe(wanted)!r} fits several versions: {said}.", hint="give more of its digits")
        raise _unknown(wanted, [*self.names(), *(short(c.version) for c in self.commits)])


def _starts(commit: Commit, wanted: str, digits: str) -> bool:
    kind = wanted.split(":", 1)[0] if ":" in wanted else ""
    return any(
        one.rsplit(":", 1)[-1].startswith(digits) and (not kind or one.startswith(f"{kind}:"))
        for one in (commit.version, commit.id)
    )


def _unknown(wanted: str, known: Sequence[str]) -> DatasetError:
    near = nearest(wanted, known)
    hint = f"did you mean {near!r}?" if near else "`seatrial dataset log` lists versions and tags"
    if not known:
        hint = "commit the set first: `seatrial dataset commit -m …`"
    return DatasetError(f"The set has no version {safe(wanted)!r}.", hint=hint)


def commit_of(content: bytes, name: str) -> Commit:
    """The commit in a lock. Raises DatasetError where it is none, or was altered."""
    try:
        raw = loads(content)
    except ValueError:
        raw = None
    found, problems = _commit(raw, name, None)
    if found is None:
        raise DatasetError(
            f"The lock {safe(name, 200)} cannot be used.",
            problems=problems,
            hint="`seatrial dataset commit` writes it anew; `seatrial dataset checkout` restores it",
        )
    return found


def read_history(content: bytes, name: str) -> History:
    """The commits and tags of a versions.jsonl. Raises DatasetError with every line that is broken or was altered."""
    commits: dict[str, tuple[int, Commit]] = {}
    tags: dict[Tag, int] = {}
    problems: list[Problem] = []
    for number, line in enumerate(content.split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            raw = loads(line)
        except ValueError as cause:
            problems.append(Problem(f"is not JSON: {safe(str(cause))}", name, number))
            continue
        if "tag" in (as_dict(raw) or {}):
            try:
                tags[_tag(raw)] = number
            except ValidationError as error:
                problems += [
                    Problem(f.rule, name, number, dotted(f.path), f.value, f.hint) for f in translate(error, Tag, raw)
                ]
            continue
        commit, faults = _commit(raw, name, number)
        problems += faults
        if commit is not None:
            commits[commit.id] = (number, commit)
    problems += _chain(commits, name) + _stray(tags, commits, name) if not problems else []
    if problems:
        raise DatasetError(
            f"The history {safe(name, 200)} is broken.",
            problems=problems,
            hint="restore the lines from git: nothing edits them",
        )
    return History(tuple(c for _, c in commits.values()), tuple(tags))


def _tag(raw: Any) -> Tag:
    return Tag.model_validate(raw)


def _commit(raw: Any, name: str, line: int | None) -> tuple[Commit | None, list[Problem]]:
    found = as_dict(raw)
    if found is None:
        return None, [Problem("must be a JSON object", name, line)]
    claimed = found.get("commit")
    plain = {key: value for key, value in found.items() if key not in BESIDE}
    try:
        commit = Commit.model_validate(plain)
    except ValidationError as error:
        return None, [
            Problem(f.rule, name, line, dotted(f.path), f.value, f.hint) for f in translate(error, Commit, plain)
        ]
    if claimed != commit.id:
        rule = "does not fit what the entry says: it was altered"
        return None, [Problem(rule, name, line, "commit", str(claimed), "restore the line from git")]
    return commit, []


def _chain(commits: Mapping[str, tuple[int, Commit]], name: str) -> list[Problem]:
    """Commits whose parents are not there."""
    return [
        Problem("follows a commit that is not there: its line was removed", name, line, "parents", parent)
        for line, commit in commits.values()
        for parent in commit.parents
        if parent not in commits
    ]


def _stray(tags: Mapping[Tag, int], commits: Mapping[str, tuple[int, Commit]], name: str) -> list[Problem]:
    return [
        Problem("names a commit that is not there", name, line, "tag", tag.tag)
        for tag, line in tags.items()
        if tag.commit not in commits or commits[tag.commit][1].version != tag.version
    ]
