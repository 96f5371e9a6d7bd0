"""The folder of a set: the one class that knows its files.

build.jsonl, test.jsonl   open cases by split, one a line, sorted by id
sealed.jsonl              the cases to be sealed, until `seal` encrypts them
sealed.bin                the sealed split, encrypted
set.yaml                  what people edit
set.lock                  what the folder's files are: the commit they belong to
versions.jsonl            every commit and tag, one a line
ledger.jsonl              who was shown the sealed split
labels/                   what people say of cases
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cached_property
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any, cast, get_args

from seatrial.core.case import Case
from seatrial.core.files import write_whole
from seatrial.core.identity import SCHEME, canonical, digest, encode, to_bytes
from seatrial.core.suite import DatasetSpec, Split
from seatrial.datasets.reading.reader import read
from seatrial.datasets.versions.config import SetConfig, config_text, read_config
from seatrial.datasets.versions.history import Commit, History, Shares, commit_of, read_history
from seatrial.errors import DatasetError, Problem, nearest, safe

SPLITS: tuple[Split, ...] = get_args(Split)
CONFIG, LOCK, HISTORY, LEDGER, LABELS, SEALED = (
    "set.yaml", "set.lock", "versions.jsonl", "ledger.jsonl", "labels", "sealed.bin",
)  # fmt: skip
MARK = re.compile(rb"^(<{7} |={7}\r?$|>{7} |\|{7} )", re.MULTILINE)


class SetFolder:
    """A set of cases as files. Nothing is read before it is asked for; settings, lock and history are kept."""

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)

    @property
    def name(self) -> str:
        """What the set is called: as set.yaml says, else its folder's name."""
        return self.config.name or self.path.absolute().name

    def file(self, split: Split) -> Path:
        """Where the open cases of a split are."""
        return self.path / f"{split}.jsonl"

    def shown(self, file: Path) -> str:
        """A file of the set as messages name it."""
        return str(self.path / file.name)

    @property
    def exists(self) -> bool:
        """Whether the folder holds a set at all."""
        return is_set(self.path)

    def must_exist(self) -> None:
        """Raise DatasetError where the folder is not a set."""
        if self.exists:
            return
        if not self.path.is_dir():
            folder = self.path.parent
            near = nearest(self.path.name, [item.name for item in folder.iterdir()]) if folder.is_dir() else None
            hint = f"did you mean {near!r}?" if near else "`seatrial dataset sample` makes a set from a pool"
            raise DatasetError(f"There is no set at {safe(str(self.path), 200)}.", hint=hint)
        raise DatasetError(
            f"{safe(str(self.path), 200)} is not the folder of a set: it holds no build.jsonl or test.jsonl.",
            hint="`seatrial dataset sample` makes one from a pool",
        )

    @property
    def sealed_file(self) -> Path:
        """Where the encrypted split is, or would be."""
        return self.path / SEALED

    @property
    def is_sealed(self) -> bool:
        """Whether the sealed split is encrypted."""
        return self.sealed_file.is_file()

    def cases(self, split: Split) -> Iterator[Case]:
        """The cases of a split, in the order of its file; none where it has no file.

        A sealed split is opened with the key, and MissingSecretError is raised where that is not set. Raises
        DatasetError, at the end, with every fault of the file at its line.
        """
        if split == "sealed" and self.is_sealed:
            if self.file(split).exists():
                raise DatasetError(
                    f"The set {safe(str(self.path), 200)} has both sealed.bin and sealed.jsonl.",
                    hint="seal the new cases too with `seatrial dataset seal`, or delete sealed.jsonl",
                )
            from seatrial.datasets.sealing.seal import unsealed_cases

            yield from unsealed_cases(self)
            return
        file = self.file(split)
        if not file.exists() or (file.is_file() and _blank(file)):
            return
        marks = conflict_marks(file)
        if marks:
            raise DatasetError(f"{self.shown(file)} holds an unresolved merge.", problems=marks)
        yield from read(DatasetSpec(path=self.shown(file), format="jsonl"), Path())

    def write(self, split: Split, cases: Iterable[Case]) -> None:
        """Replace a split's file, whole or not at all: one case a line, sorted by id.

        Raises DatasetError for two cases of one id, and where the split is sealed.
        """
        if split == "sealed" and self.is_sealed:
            raise DatasetError(
                f"The sealed split of {safe(str(self.path), 200)} is encrypted.",
                hint="it is replaced by `seatrial dataset seal` only",
            )
        content = split_bytes(cases, self.shown(self.file(split)))
        write_whole(self.file(split), lambda out: out.write(content), f"The split {split}")

    def remove(self, split: Split) -> None:
        """Delete a split's open file."""
        self.file(split).unlink(missing_ok=True)

    @cached_property
    def config(self) -> SetConfig:
        """What set.yaml says. Raises DatasetError with every fault at its line."""
        return read_config(self.path / CONFIG, self.shown(self.path / CONFIG))

    def write_config(self, config: SetConfig) -> None:
        """Replace set.yaml; what people wrote there, comments too, stays where it says the same."""
        file = self.path / CONFIG
        before = _bytes(file).decode("utf-8-sig", "replace") if file.exists() else ""
        text = config_text(config, before).encode("utf-8")
        write_whole(self.path / CONFIG, lambda out: out.write(text), "The settings of the set")
        self.refresh()

    @cached_property
    def lock(self) -> Commit | None:
        """The commit that the files belong to; None before the first. Raises DatasetError for a broken lock."""
        file = self.path / LOCK
        if not file.exists():
            return None
        return commit_of(_bytes(file), self.shown(file))

    def write_lock(self, commit: Commit) -> None:
        """Replace set.lock. What it says of the ledger stays; where there was no lock, it is what the ledger says."""
        from seatrial.datasets.sealing.ledger import STATE, lock_state, read

        state = lock_state(self)
        if state is None and (found := read(self)).entries:
            state = found.state()
        content = commit.lock_text({} if state is None else {STATE: state}).encode("utf-8")
        write_whole(self.path / LOCK, lambda out: out.write(content), "The lock of the set")
        self.refresh()

    @cached_property
    def history(self) -> History:
        """Every commit and tag. Raises DatasetError with every line that is broken or altered."""
        file = self.path / HISTORY
        if not file.exists():
            return History((), ())
        marks = conflict_marks(file)
        if marks:
            raise DatasetError(f"{self.shown(file)} holds an unresolved merge.", problems=marks)
        return read_history(_bytes(file), self.shown(file))

    def append_history(self, line: dict[str, Any]) -> None:
        """Add one canonical line to versions.jsonl, whole or not at all."""
        file = self.path / HISTORY
        before = _bytes(file) if file.exists() else b""
        ended = before if not before or before.endswith(b"\n") else before + b"\n"
        content = ended + canonical(line).encode("ascii") + b"\n"
        write_whole(file, lambda out: out.write(content), "The history of the set")
        self.refresh()

    def refresh(self) -> None:
        """Forget what was read of settings, lock and history."""
        for name in ("config", "lock", "history"):
            vars(self).pop(name, None)

    def sha256(self, name: str) -> str | None:
        """The sha256 of a file of the folder in hex; None where it is absent."""
        file = self.path / name
        return sha256(_bytes(file)).hexdigest() if file.is_file() else None


def is_set(path: Path) -> bool:
    """Whether a path is the folder of a set."""
    names = (LOCK, CONFIG, SEALED, *(f"{split}.jsonl" for split in SPLITS))
    try:
        return path.is_dir() and any((path / name).is_file() for name in names)
    except (OSError, ValueError):  # a name that no file can have
        return False


def split_hash(case_hashes: Iterable[str], shares: Shares) -> str:
    """Identity of ordered cases with their traffic shares: what the store calls such a dataset."""
    running = sha256()
    for one in case_hashes:
        running.update(to_bytes(one))
    running.update(to_bytes(digest("shares", shares)))
    return f"dataset:{SCHEME}:{running.hexdigest()}"


def split_bytes(cases: Iterable[Case], name: str) -> bytes:
    """The content of a split's file. Raises DatasetError for two cases of one id."""
    ordered = sorted(cases, key=_order)
    twice = sorted({a.id for a, b in pairwise(ordered) if a.id == b.id})
    if twice:
        problems = [
            Problem("two cases have this id", name, None, "id", one, "give every case its own") for one in twice
        ]
        raise DatasetError(f"{safe(name, 200)} was not written.", problems=problems)
    return b"".join(case_line(case) for case in ordered)


def _order(case: Case) -> bytes:
    return case.id.encode("utf-8", "surrogatepass")


def case_line(case: Case) -> bytes:
    """A case as one line of a split: its set fields, keys sorted."""
    return encode(_sorted(case.recorded)) + b"\n"


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        fields = cast("dict[str, Any]", value)
        return {key: _sorted(fields[key]) for key in sorted(fields)}
    if isinstance(value, list | tuple):
        return [_sorted(item) for item in cast("list[Any]", value)]
    return value


def conflict_marks(file: Path) -> list[Problem]:
    """The lines that git left in a file where two branches disagreed."""
    content = _bytes(file)
    hint = "keep the lines of both sides, delete the marks, then commit"
    return [
        Problem(
            "is a mark of a merge that is not resolved", str(file), content.count(b"\n", 0, at.start()) + 1, hint=hint
        )
        for at in MARK.finditer(content)
    ]


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as cause:
        why = cause.strerror or type(cause).__name__
        raise DatasetError(f"{safe(str(file), 200)} cannot be read: {why}.", hint="check its permissions") from cause


def _blank(file: Path) -> bool:
    with file.open("rb") as stream:
        return not stream.read(4096).strip() and not stream.read(1)
