"""From a set, a pool or a trial to the units that people judge. What tells of a model stays behind."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

from seatrial.core.case import Case, Document
from seatrial.core.identity import digest, encode, short
from seatrial.core.message import BlobPart, Message, ToolCall
from seatrial.core.output import Output
from seatrial.core.record import Json, as_dict, as_list
from seatrial.core.suite import DatasetSpec, RubricSpec, Split, Suite
from seatrial.datasets.labelling import journal, outcome
from seatrial.datasets.labelling.final import finals
from seatrial.datasets.labelling.units import Section, Task, Unit, sampled
from seatrial.datasets.reading.reader import read
from seatrial.datasets.versions.folder import LABELS, SetFolder
from seatrial.errors import NoDataError, UsageError, nearest, safe
from seatrial.store.sealed import is_stand_in
from seatrial.store.store import RunRow, Store, chunks

ANSWER = "answer"
"""Where an imported case keeps what the model said in production: `metadata.answer`."""
NOT_APPLICABLE = "not_applicable"
ASKED_ALL_THE_SAME = "`--rejected` asks about them all the same"


class Chosen(NamedTuple):
    """Which cases are labelled: of these splits (all open ones where none is named), so many, drawn by a seed.

    `rejected`: references and verdicts are asked for cases that curation rejected, too.
    """

    splits: tuple[Split, ...] = ()
    sample: int | None = None
    seed: int = 0
    rejected: bool = False


def labels_folder(path: Path) -> Path:
    """Where the journals of a set or a pool are."""
    return path / LABELS if path.is_dir() else path.with_name(f"{path.stem}.{LABELS}")


Rejected = frozenset[tuple[str, str]]
"""Cases by id and the hash of the input that was read; it is empty where nobody knows."""


def rejected(path: Path) -> Rejected:
    """The cases of a set or a pool that curation rejected: by what holds of all that people said."""
    found = finals(journal.read(labels_folder(path), "curate"))
    said = [(key, final.entry) for key, final in found.items() if final.entry is not None]
    return frozenset((key, entry.version) for key, entry in said if (entry.value or {}).get("decision") == "reject")


def _is_rejected(case: Case, known: Rejected) -> bool:
    return (case.id, case.input_hash) in known or (case.id, "") in known


def splits_of(folder: SetFolder, asked: Sequence[Split] = ()) -> tuple[Split, ...]:
    """The splits that people may read: a sealed one is opened by runs only. Raises UsageError where it is asked for."""
    if folder.is_sealed and "sealed" in asked:
        raise UsageError(
            f"The sealed split of {safe(str(folder.path), 200)} is not shown to people.",
            hint="label cases before they are sealed, with `seatrial dataset seal` afterwards",
        )
    known: tuple[Split, ...] = ("build", "test") if folder.is_sealed else ("build", "test", "sealed")
    return tuple(split for split in known if not asked or split in asked)


def cases_of(path: Path, asked: Sequence[Split] = ()) -> Iterator[Case]:
    """The cases of a set's open splits, or of a pool. Raises DatasetError with every fault."""
    if not path.is_dir():
        if asked:
            raise UsageError("A pool has no splits.", hint="leave --split out")
        return read(DatasetSpec(path=path.name, format="jsonl"), path.absolute().parent)
    folder = SetFolder(path)
    folder.must_exist()
    return (case for split in splits_of(folder, asked) for case in folder.cases(split))


def curate(path: Path, chosen: Chosen) -> Task:
    """Is this case to stay? One unit a case."""
    cases = sampled(cases_of(path, chosen.splits), chosen.sample, chosen.seed, lambda case: case.id)
    question = "does this case belong in the set?"
    units = tuple(
        Unit(case.id, case.id, case.id, question, partial(_to_curate, case), version=case.input_hash) for case in cases
    )
    return _task("curate", units, path)


def outcomes(path: Path, chosen: Chosen, answers: Mapping[str, Output] | None = None) -> Task:
    """What would be right? One unit a case, starting from a model's answer: by input hash, else the case's own.

    A case that curation rejected has none, unless `chosen.rejected`; a sample is drawn before, so it stays the same.
    """
    cases = sampled(cases_of(path, chosen.splits), chosen.sample, chosen.seed, lambda case: case.id)
    gone = Rejected() if chosen.rejected or not cases else rejected(path)
    units = tuple(
        _to_write(case, (answers or {}).get(case.input_hash)) for case in cases if not _is_rejected(case, gone)
    )
    if cases and not units:
        raise NoDataError(f"Curation rejected every case of {safe(str(path), 200)}.", hint=ASKED_ALL_THE_SAME)
    return _task("outcome", units, path)


def _task(mode: Any, units: tuple[Unit, ...], path: Path) -> Task:
    if not units:
        raise NoDataError(f"{safe(str(path), 200)} holds no case to label.", hint="check the file and --split")
    return Task(mode, units, labels_folder(path), path.name)


def _to_write(case: Case, answer: Output | None) -> Unit:
    found = answer or own_answer(case)
    text, calls = (found.text, found.tool_calls) if found else ("", ())
    start = outcome.accepted(text, calls) if text or calls else None
    said = Section("A model's answer", _answer_text(text, calls)) if start else None
    return Unit(
        case.id,
        case.id,
        case.id,
        "what would be the right outcome?",
        partial(_to_answer, case, said),
        version=case.input_hash,
        start=start,
        before=outcome.written(case.expected),
        tools=case.tools,
    )


def own_answer(case: Case) -> Output | None:
    """What the model said in production, where the case keeps it: text, or an object with `messages`.

    Which model it was stays behind.
    """
    held = case.metadata.get(ANSWER)
    messages = as_list((as_dict(held) or {}).get("messages"))
    if messages is not None:
        try:
            return Output.model_validate({"messages": messages})
        except ValidationError:
            held = messages
    if not held:
        return None
    return Output.of(held if isinstance(held, str) else encode(held).decode("utf-8", "replace"))


# what is read --------------------------------------------------------------------------------------------------------


def _to_curate(case: Case) -> list[Section]:
    found = asked(case)
    answer = own_answer(case)
    if answer is not None:
        found.append(Section("What was answered", _answer_text(answer.text, answer.tool_calls)))
    if case.expected is not None:
        found.append(Section("Reference", pretty(case.expected.plain())))
    about = [f"{name}={value}" for name, value in case.strata.items()]
    return [*found, Section("Strata", " ".join(about))] if about else found


def _to_answer(case: Case, said: Section | None) -> list[Section]:
    found = asked(case)
    if case.expected is not None:
        found.append(Section("Reference so far", pretty(case.expected.plain())))
    return [*found, said] if said is not None else found


def asked(case: Case) -> list[Section]:
    """A case's messages, context, tools and criteria."""
    found = [Section("Context" + _numbered(i, case.context), _document(d)) for i, d in enumerate(case.context)]
    found += [Section(_speaker(message), _said(message)) for message in case.input]
    if case.tools:
        found.append(Section("Tools offered", "\n".join(_tool(t.name, t.description) for t in case.tools)))
    return [*found, *(Section("Criterion", text) for text in case.criteria)]


def _numbered(index: int, documents: Sequence[Document]) -> str:
    return f" {index + 1} of {len(documents)}" if len(documents) > 1 else ""


def _document(document: Document) -> str:
    source = document.source or document.id
    return f"[{source}]\n{document.text}" if source else document.text


def _tool(name: str, about: str) -> str:
    return f"{name}: {about}" if about else name


def _speaker(message: Message) -> str:
    words = {"user": "User", "assistant": "Assistant", "system": "System", "developer": "Developer", "tool": "Tool"}
    return words[message.role]


def _said(message: Message) -> str:
    blobs = [] if isinstance(message.content, str) else [p for p in message.content if isinstance(p, BlobPart)]
    parts = [message.text, *(f"[{p.type} {p.name or p.media_type} sha256 {p.sha256[:12]}]" for p in blobs)]
    return "\n".join([*(part for part in parts if part), *map(_call, message.tool_calls)])


def _call(call: ToolCall) -> str:
    arguments = as_dict(call.arguments)
    if arguments is None:
        return f"→ {call.name}({call.arguments!r})"
    inner = ", ".join(f"{name}={pretty(value)}" for name, value in arguments.items())
    return f"→ {call.name}({inner})"


def _answer_text(text: str, calls: Sequence[ToolCall]) -> str:
    return "\n".join([*([text] if text else []), *map(_call, calls)])


def pretty(value: Json) -> str:
    """A JSON value for people."""
    import json

    return json.dumps(value, ensure_ascii=False, indent=2 if isinstance(value, dict | list) else None, default=str)


def answered(output: Output) -> list[Section]:
    """An answer as people read it: its turns, what it retrieved and did; nothing that names the model."""
    found = [Section("Retrieved" + _numbered(i, output.context), _document(d)) for i, d in enumerate(output.context)]
    steps = [f"{step.kind} {step.name}".strip() + (f": {step.error}" if step.error else "") for step in output.steps]
    if steps:
        found.append(Section("Steps", "\n".join(steps)))
    turns = output.messages
    found += [Section("Answer" if m.role == "assistant" else _speaker(m), _said(m)) for m in turns]
    if output.state is not None:
        found.append(Section("Final state", pretty(dict(output.state))))
    return found


# a trial's answers ---------------------------------------------------------------------------------------------------


class Answer(NamedTuple):
    """One answer to one case, by one arm that nobody names; `judged` are the rubrics that apply to it."""

    position: int
    output_id: int
    judged: frozenset[str]


def verdicts(
    store: Store, trial_id: str, rubrics: Sequence[str], folder: Path, chosen: Chosen, base: Path | None = None
) -> Task:
    """Is this answer right, rubric by rubric? One unit an answer and rubric; equal answers to a case are one.

    Limits measure, so nobody judges them; neither what is no answer at all, nor where a rubric does not apply. Answers
    to a case that curation rejected are not judged, unless `chosen.rejected`; `base` is the folder that the suite's
    paths start from, the current one where it is None.
    """
    trial = store.trial(trial_id)
    suite = Suite.model_validate(trial.suite)
    specs = _rubrics(suite, rubrics)
    runs = store.runs(trial.id)
    found = [answer for run in runs for answer in _answers(store, run, suite)]
    positions = sorted({answer.position for answer in found})
    taken = set(sampled(positions, chosen.sample, chosen.seed, str))
    versions = as_dict(runs[0].definition.get("rubrics")) or {} if runs else {}
    gone = Rejected() if chosen.rejected else rejected((base or Path()) / suite.dataset.path)
    asked = [answer for answer in found if answer.position in taken]
    units = tuple(_units(store, trial.dataset_id, asked, specs, versions, gone))
    if not units and gone:
        raise NoDataError(f"Curation rejected the cases of the trial {trial.id}.", hint=ASKED_ALL_THE_SAME)
    if not units:
        raise NoDataError(f"The trial {trial.id} holds no answer that people could judge.")
    return Task("verdict", units, folder, trial.name)


def _rubrics(suite: Suite, asked: Sequence[str]) -> list[RubricSpec]:
    """The rubrics that people judge. Raises UsageError for one that is not there, or is a limit."""
    known = {rubric.name: rubric for rubric in suite.rubrics if rubric.kind != "limit"}
    for name in asked:
        if name not in known:
            near = nearest(name, known)
            limit = any(rubric.name == name for rubric in suite.rubrics)
            why = "is a limit, which measures" if limit else "is no rubric of the suite"
            hint = f"did you mean {near!r}?" if near else f"people can judge {', '.join(known) or 'none'}"
            raise UsageError(f"{safe(name)} {why}.", hint=hint)
    return [rubric for name, rubric in known.items() if not asked or name in asked]


def _answers(store: Store, run: RunRow, suite: Suite) -> Iterator[Answer]:
    names = [rubric.name for rubric in suite.rubrics]
    for chunk in chunks(store.run_items(run.id)):
        scores = store.load_scores({i for item in chunk for i in array("q", item.score_ids) if i > 0})
        for item in chunk:
            held = array("q", item.score_ids)
            judged = {
                n for n, i in zip(names, held, strict=False) if i in scores and scores[i].status != NOT_APPLICABLE
            }
            if item.output_id > 0 and judged:
                yield Answer(item.position, item.output_id, frozenset(judged))


def _units(
    store: Store,
    dataset_id: int,
    answers: Sequence[Answer],
    specs: Sequence[RubricSpec],
    versions: Mapping[str, Json],
    gone: Rejected,
) -> Iterator[Unit]:
    by_case: dict[int, list[Answer]] = {}
    for answer in answers:
        by_case.setdefault(answer.position, []).append(answer)
    for chunk in chunks(sorted(by_case)):
        outputs = store.load_outputs({a.output_id for position in chunk for a in by_case[position]})
        for position, case in store.cases(dataset_id, chunk):
            if _is_rejected(case, gone):
                continue
            yield from units_of(case, by_case[position], outputs, specs, versions)


def units_of(
    case: Case,
    answers: Iterable[Answer],
    outputs: Mapping[int, Output],
    specs: Sequence[RubricSpec],
    versions: Mapping[str, Json],
) -> Iterator[Unit]:
    """The units of one case: answers that read alike are judged once, and the verdict holds for all of them.

    A sealed case has none: the store holds no word of it that a person could read.
    """
    if is_stand_in(case.recorded):
        return
    alike: dict[str, dict[str, frozenset[str]]] = {}
    reads: dict[str, Output] = {}
    for answer in answers:
        output = outputs.get(answer.output_id)
        if output is None or output.failure is not None:
            continue
        seen = digest("answer", [case.view_hash, *(list(section) for section in answered(output))])
        alike.setdefault(seen, {})[output.hash] = answer.judged
        reads[seen] = output
    for seen, held in alike.items():
        for spec in specs:
            hashes = tuple(sorted(output for output, judged in held.items() if spec.name in judged))
            if hashes:
                yield Unit(
                    short(digest("unit", [seen, spec.name]), 16),
                    case.id,
                    case.id,
                    _question(spec),
                    partial(_to_judge, case, reads[seen]),
                    heading=seen,
                    rubric=spec.name,
                    version=str(versions.get(spec.name, "")),
                    outputs=hashes,
                )


def _question(spec: RubricSpec) -> str:
    about = next((str(spec.settings[key]) for key in ("criterion", "criteria", "prompt") if key in spec.settings), "")
    return f"{spec.name}{f' ({about})' if about else ''}: does this answer pass?"


def _to_judge(case: Case, output: Output) -> list[Section]:
    found = asked(case)
    if case.expected is not None:
        found.append(Section("Reference", pretty(case.expected.plain())))
    return [*found, *answered(output)]


def first_answers(store: Store, trial_id: str, seed: int) -> dict[str, Output]:
    """One answer a case, of an arm drawn for each case by the seed: by the hash of the case's input."""
    trial = store.trial(trial_id)
    suite = Suite.model_validate(trial.suite)
    by_case: dict[int, list[int]] = {}
    for run in store.runs(trial.id):
        for answer in _answers(store, run, suite):
            by_case.setdefault(answer.position, []).append(answer.output_id)
    found: dict[str, Output] = {}
    for chunk in chunks(sorted(by_case)):
        outputs = store.load_outputs({i for position in chunk for i in by_case[position]})
        for position, case in store.cases(trial.dataset_id, chunk):
            usable = [outputs[i] for i in by_case[position] if i in outputs and outputs[i].failure is None]
            drawn = sampled(usable, 1, seed, lambda output: output.hash)
            if drawn:
                found.setdefault(case.input_hash, drawn[0])
    return found
