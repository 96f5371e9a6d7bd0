"""Versions whose sealed split lay open and was encrypted since: which sealed.bin holds the cases of their sealed.jsonl.

A seal's commit says of which earlier file sealed.bin has the cases, by the sha256 that the history has of it already.
So an older version can be put back, and run, without its plain text being anywhere.
"""

from __future__ import annotations

from collections.abc import Mapping

from seatrial.datasets.versions.folder import SEALED, SetFolder
from seatrial.datasets.versions.history import Commit, History

ENCRYPTS = "encrypts"
"""The key of a commit's `evolution`: the sha256 of the sealed.jsonl whose cases its sealed.bin holds."""
PLAIN = "sealed.jsonl"


def encrypted(history: History, commit: Commit) -> list[Commit]:
    """The commits whose sealed.bin holds the cases of this one's sealed.jsonl, newest first; also under a later key."""
    plain = commit.files.get(PLAIN)
    if plain is None or SEALED in commit.files:
        return []
    held = {one.splits.get("sealed") for one in history.commits if one.evolution.get(ENCRYPTS) == plain}
    return [one for one in history.ordered() if SEALED in one.files and one.splits.get("sealed") in held]


def sealed_as(folder: SetFolder, commit: Commit) -> Commit:
    """The commit that tells of the folder's sealed.bin: this one, or the one that encrypted what this one has open."""
    here = None if folder.file("sealed").exists() else folder.sha256(SEALED)
    return next((one for one in encrypted(folder.history, commit) if one.files[SEALED] == here), commit)


def files_with(commit: Commit, sealing: Commit) -> Mapping[str, str]:
    """The files of a version, its sealed split as `sealing` has it encrypted."""
    if sealing is commit:
        return commit.files
    kept = {name: found for name, found in commit.files.items() if name != PLAIN}
    return {**kept, SEALED: sealing.files[SEALED]}
