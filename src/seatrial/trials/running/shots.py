"""Example cases with their answers, put before a case's own turns: which ones, and how they are rendered."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from heapq import nsmallest
from itertools import chain
from pathlib import Path

import numpy as np

from seatrial.core.case import Case
from seatrial.core.identity import digest, to_bytes
from seatrial.core.message import Message
from seatrial.core.output import Request
from seatrial.core.record import Json
from seatrial.core.suite import DatasetSpec
from seatrial.datasets import read
from seatrial.errors import UsageError, safe
from seatrial.store.store import CaseFacts, Dataset, Store, chunks
from seatrial.targets import Prompt
from seatrial.verdicts.reading.cases import tabulate

AT_ONCE = 256
HEADS = ("system", "developer")


@dataclass(frozen=True, slots=True)
class Example:
    """A case that may be shown, with the text of a right answer, and the cluster that it belongs to."""

    case: Case
    answer: str
    cluster: int

    @property
    def identity(self) -> str:
        """What it shows."""
        return digest("shot", [self.case.input_hash, self.answer])


@dataclass(frozen=True, slots=True)
class Shots:
    """Examples in the order in which they are taken, each from another cluster, and each case's own cluster by its id.

    A case is shown the first `count` that are not of its own cluster, so that nearly all cases see the same ones, and
    none sees itself or a variant of itself.
    """

    examples: Sequence[Example]
    cluster_of: Mapping[str, int]

    def chosen(self, case: Case, count: int) -> list[Example]:
        """The examples for a case."""
        own = self.cluster_of.get(case.id)
        return [example for example in self.examples[: count + 1] if example.cluster != own][:count]

    def identity(self, count: int) -> Mapping[str, Json]:
        """All that decides which examples a case is shown, given the dataset."""
        return {"count": count, "examples": [example.identity for example in self.examples[: count + 1]]}


@dataclass(frozen=True, slots=True)
class Asking:
    """Asks with examples before the case: leading system messages, then each example as turns of its own, then it.

    An example's turns are the suite's prompt rendered for it, without the system messages, and its answer.
    """

    prompt: Prompt
    shots: Shots
    count: int
    turns: Mapping[str, tuple[Message, ...]]

    @classmethod
    def of(cls, prompt: Prompt, shots: Shots, count: int) -> Asking:
        """Render every example once. Raises TemplateError, and UsageError where an example has no turn before it."""
        rendered: dict[str, tuple[Message, ...]] = {}
        for example in shots.examples[: count + 1]:
            own = _split(prompt.request(example.case, {}, None).messages)[1]
            if not own:
                raise UsageError(
                    "The prompt has system messages alone, so an example has no turn to stand in.",
                    hint="put the case's input into a user message",
                )
            rendered[example.identity] = (*own, Message(role="assistant", content=example.answer))
        return cls(prompt, shots, count, rendered)

    def request(self, params: Mapping[str, Json], case: Case) -> Request:
        """What a target is asked for this case."""
        plain = self.prompt.request(case, params, None)
        head, own = _split(plain.messages)
        shown = (self.turns[example.identity] for example in self.shots.chosen(case, self.count))
        return plain.model_copy(update={"messages": (*head, *chain.from_iterable(shown), *own)})


def _split(messages: Sequence[Message]) -> tuple[Sequence[Message], Sequence[Message]]:
    """The leading system messages, and the rest."""
    at = next((i for i, message in enumerate(messages) if message.role not in HEADS), len(messages))
    return messages[:at], messages[at:]


def answer_of(case: Case) -> str | None:
    """The text of a right answer: the first accepted one, or the right choice; None where a case holds neither."""
    if case.expected is None:
        return None
    found = next(iter((*case.expected.answers, *case.expected.choice)), None)
    if found is None:
        return None
    return found if isinstance(found, str) else json.dumps(found, ensure_ascii=False)


def shots_from(store: Store, dataset: Dataset, pool: DatasetSpec | None, most: int, seed: int) -> Shots:
    """The examples that up to `most` a case may need: of a file, or of the dataset itself.

    One a cluster, in an order that the seed and their content decide. Clusters run through dataset and file alike.
    Raises UsageError where there are too few, DatasetError for a file that cannot be read.
    """
    facts = list(store.case_facts(dataset.id))
    others = [] if pool is None else list(read(pool, Path()))
    more = [
        CaseFacts(len(facts) + i, case.id, case.origin, case.seed_id, to_bytes(case.input_hash), 1.0, {})
        for i, case in enumerate(others)
    ]
    table = tabulate([*facts, *more], np.arange(len(facts) + len(more)), [])
    labels = [int(label) for label in table.cluster]
    cluster_of = {fact.key: label for fact, label in zip(facts, labels[: len(facts)], strict=True)}
    if pool is None:
        cases: Iterable[tuple[Case, int]] = zip(_all(store, dataset), labels, strict=True)
    else:
        cases = zip(others, labels[len(facts) :], strict=True)
    best: dict[int, tuple[str, Example]] = {}
    for case, cluster in cases:
        answer = answer_of(case)
        if answer is None or case.origin == "adversarial":
            continue
        example = Example(case, answer, cluster)
        rank = digest("order", [seed, example.identity])
        if cluster not in best or rank < best[cluster][0]:
            best[cluster] = rank, example
    chosen = [example for _, example in nsmallest(most + 1, best.values(), key=lambda item: item[0])]
    shown = set(cluster_of.values()) & {example.cluster for example in chosen}
    if len(chosen) < most + bool(shown):
        raise _too_few(pool, len(best), most)
    return Shots(chosen, cluster_of)


def _all(store: Store, dataset: Dataset) -> Iterable[Case]:
    for part in chunks(range(dataset.cases), AT_ONCE):
        for stored in store.cases(dataset.id, part):
            yield stored.case


def _too_few(pool: DatasetSpec | None, have: int, most: int) -> UsageError:
    where = "The suite's dataset" if pool is None else f"The file {safe(pool.path, 200)}"
    return UsageError(
        f"{where} holds examples with an answer from {have} clusters, and {most} shots need {most + 1}: "
        "none is taken from a case's own cluster, and no two from one.",
        hint="ask for fewer shots, or name a file with more answered cases by --shots-from",
    )
