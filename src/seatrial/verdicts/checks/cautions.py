"""What to know before believing a verdict: what failed, what was left out, what was named and is not there."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from seatrial.core.record import as_dict
from seatrial.errors import nearest, safe
from seatrial.store.modellists import served_before, served_in
from seatrial.store.store import Store
from seatrial.targets.params import misspelt
from seatrial.verdicts.artefacts.sentences import count
from seatrial.verdicts.reading.arms import FAILED
from seatrial.verdicts.reading.cases import Stratum
from seatrial.verdicts.reading.frame import INFRA_ERROR, JUDGE_ERROR, Frame
from seatrial.verdicts.reading.latency import untimed
from seatrial.verdicts.records import ArmSummary

MOST_FAILURES = 0.50
"""An arm of whose outputs more than this share are model failures is said to be broken."""
SHOWN_NAMES = 5
LONGEST_REASON = 300
REASONS = 200
"""So many reasons are looked at, spread over all, to say what most of them are."""

_CURES = {
    "failed": ("The scorer failed on", "mend the scorer, then run again with --retry-errors"),
    "silent": ("The judge gave no answer for", "mend its endpoint, then run again with --retry-errors"),
    "unusable": (
        "The judge gave no usable verdict on",
        "look at the judge's model, which does not answer in the form that it is asked for",
    ),
    "undecided": (
        "The judge was undecided on",
        "asked again it says the same; give it what it needs to decide, or make the question plainer",
    ),
    "spent": (
        "The budget of judging was spent before",
        "raise judging.budget, then run the same command again: what is judged costs nothing",
    ),
}
_TOLD = (
    ("spent", re.compile(r"BudgetError|budget\b.{0,20} is spent")),
    ("unusable", re.compile(r"gave no usable verdict")),
    ("silent", re.compile(r"TargetDownError|^JudgeError: The judge .{0,80} gave no answer")),
    ("undecided", re.compile(r"undecided|could not decide|\bopen\b.{0,40}jur|jur.{0,40}\b(?:split|tie)")),
)


# of a rubric ----------------------------------------------------------------------------------------------------------


def rubric_warnings(store: Store, frame: Frame, index: int, arms: Sequence[str]) -> list[str]:
    """What rubric number `index` left out or could not judge; `arms` are those of the verdict."""
    found = [_left_out(frame, index), _disputed(frame, index), _unsaid(frame, index)]
    batched = untimed(frame, frame.suite.rubrics[index], arms)
    judged = [name for name in arms if name not in batched]
    found += [_untimed(frame, index, name) for name in batched]
    return [text for text in (*found, _scorer_failed(store, frame, index, judged) if judged else "") if text]


def _untimed(frame: Frame, index: int, name: str) -> str:
    """How many answers of an arm have no time because they came by batch."""
    gone = int(np.count_nonzero(frame.arms[name].status[index] == JUDGE_ERROR))
    if not gone:
        return ""
    verb = "is" if gone == 1 else "are"
    return f"{name} is asked by batch, and such answers have no latency: {count(gone, 'result')} {verb} missing."


def _left_out(frame: Frame, index: int) -> str:
    left, taken = frame.left_out(index)
    if not left:
        return ""
    verb, them = ("is", "it") if left == 1 else ("are", "them")
    return f"{left:,} of {count(taken, 'case')} {verb} left out: the scorer does not apply to {them}."


def _disputed(frame: Frame, index: int) -> str:
    disputed = frame.disputed(index)
    if not disputed:
        return ""
    cases = count(disputed, "case")
    return f"The scorer called {cases} not applicable for one arm and judged another's: that arm's are missing."


def _unsaid(frame: Frame, index: int) -> str:
    unsaid = frame.unsaid(index)
    if not unsaid or frame.suite.rubrics[index].kind == "limit":
        return ""
    return f"The scorer left open whether {count(unsaid, 'result')} passed: they count as missing."


def _scorer_failed(store: Store, frame: Frame, index: int, arms: Sequence[str]) -> str:
    """How often the scorer gave no verdict, with one of its reasons and what to do about that."""
    parts = [frame.arms[name].score_id[index][frame.arms[name].status[index] == JUDGE_ERROR] for name in arms]
    ids = np.concatenate(parts)
    if not len(ids):
        return ""
    looked = [int(one) for one in ids[:: max(1, len(ids) // REASONS)]]
    given = [score.reason.partition("\\n")[0].strip() for score in store.load_scores(looked).values()]
    causes = Counter(map(_cause, given))
    cause = max(_CURES, key=lambda one: causes[one])
    reason = next((text for text in given if _cause(text) == cause), "")
    said = f", for example: {reason[:LONGEST_REASON]}" if reason else ""
    end = "" if said.endswith((".", "!", "?")) else "."
    what, cure = _CURES[cause]
    return f"{what} {count(len(ids), 'answer')}{said}{end} These results are missing: {cure}."


def _cause(reason: str) -> str:
    """Which of the causes below a reason speaks of."""
    return next((cause for cause, told in _TOLD if told.search(reason)), "failed")


# of a trial -----------------------------------------------------------------------------------------------------------


def trial_warnings(frame: Frame, arms: Iterable[ArmSummary]) -> list[str]:
    """What went wrong in the arms, and which strata are named that no case has."""
    failed = (text for arm in arms for text in (_mostly_failed(arm), _unanswered(frame, arm.target)))
    twice = (_twice(name, arm.run.counts) for name, arm in frame.arms.items())
    return [
        text
        for text in (*failed, *twice, *misspelt_parameters(frame), *_unknown_strata(frame), *_exposed(frame))
        if text
    ]


def _twice(name: str, counts: Mapping[str, Any]) -> str:
    """How many answers of an arm were paid and not kept, as another process had kept its own first."""
    twice, dollars = counts.get("twice"), counts.get("twice_dollars")
    if not isinstance(twice, int) or twice < 1:
        return ""
    were = "was" if twice == 1 else "were"
    money = f" for ${dollars:,.4f} more than its outputs cost" if isinstance(dollars, float) and dollars > 0 else ""
    said = f"{name}: {count(twice, 'case')} {were} answered twice beside another process{money}"
    return f"{said}: run a suite once at a time."


def misspelt_parameters(frame: Frame) -> list[str]:
    """Parameters of targets that were sent as they stand, and are nearly the name of another."""
    return [
        f"{safe(name)} is sent the parameter {safe(key)}, which no known provider has: did you mean {near!r}?"
        for name, spec in frame.suite.targets.items()
        if name in frame.arms and not spec.use.startswith("python:")
        for key in spec.params
        if (near := misspelt(key))
    ]


def _exposed(frame: Frame) -> list[str]:
    """Which models have seen the sealed split in more runs than its set allows."""
    about = as_dict(frame.trial.environment.get("exposure")) or {}
    most, models = about.get("max_exposures"), as_dict(about.get("models")) or {}
    if not isinstance(most, int):
        return []
    return [
        f"{safe(name)} has seen the sealed split in {seen:,} runs, more than the {most:,} that its set allows: what is "
        "chosen on a split again and again is fitted to it. Seal fresh cases."
        for name, seen in models.items()
        if isinstance(seen, int) and seen > most
    ]


def drift_warnings(store: Store, frame: Frame) -> list[str]:
    """Arms whose outputs came from several served models or fingerprints, or from another model than earlier ones."""
    found: list[str] = []
    for name, arm in frame.arms.items():
        served = [one for one in served_in(store, arm.run.id) if one.model or one.fingerprint]
        models = Counter[str]()
        for one in served:
            models[one.model] += one.outputs
        models.pop("", None)
        if len(models) > 1:
            found.append(f"{name} was served by {len(models)} models: {_counted(models)}. They are compared as one.")
        elif len(served) > 1:
            prints = Counter({one.fingerprint or "none": one.outputs for one in served})
            found.append(
                f"{name} has {len(prints)} fingerprints: {_counted(prints)}. Its provider changed something meanwhile."
            )
        before = Counter({one.model: one.outputs for one in served_before(store, arm.run.id)})
        if others := [model for model in before if model not in models]:
            now = _counted(models)
            found.append(f"{name} is served by {now} now; the same requests were served by {_named(others)} before.")
    return found


def _counted(counts: Counter[str]) -> str:
    """Names with their counts where there are several, the most frequent first."""
    if len(counts) == 1:
        return _named(list(counts))
    shown = [f"{safe(name)} ({number:,})" for name, number in counts.most_common(SHOWN_NAMES)]
    return ", ".join(shown) + (", …" if len(counts) > SHOWN_NAMES else "")


def _named(names: Sequence[str]) -> str:
    return ", ".join(map(safe, names[:SHOWN_NAMES])) + (", …" if len(names) > SHOWN_NAMES else "")


def _mostly_failed(arm: ArmSummary) -> str:
    failed = arm.statuses.get(FAILED, 0)
    if failed <= MOST_FAILURES * arm.outputs:
        return ""
    how_many = "All" if failed == arm.outputs else f"{failed:,} of"
    outputs = count(arm.outputs, "output")
    return (
        f"{how_many} {outputs} of {arm.target} are model failures (empty, filtered or cut): check prompt and settings."
    )


def _unanswered(frame: Frame, name: str) -> str:
    gone = int(np.count_nonzero((frame.arms[name].status == INFRA_ERROR).any(axis=0)))
    if not gone:
        return ""
    series = frame.arms[name].run.series
    again = "--retry-errors" if series == "main" else f"--series {series} --retry-errors"
    return f"Nobody answered for {count(gone, 'output')} of {name}, missing in every count: run again with {again}."


def uncounted(frame: Frame) -> list[str]:
    """Which cases decide nothing on quality rubrics because of where they come from."""
    made, cases = frame.cases.of_origin("synthetic"), frame.cases
    idle = int(np.count_nonzero(made & ~cases.counted(frame.suite.policy.synthetic)))
    known = int(np.count_nonzero(cases.of_origin("benchmark")))
    kinds = {rubric.kind for rubric in frame.suite.rubrics}
    found: list[str] = []
    if idle and kinds & {"quality", "limit"}:
        verb, them = ("does", "it") if idle == 1 else ("do", "them")
        found.append(
            f"{count(idle, 'synthetic case')} {verb} not count on quality rubrics and limits: `synthetic` in the "
            f"policy lets {them} in."
        )
    if known and kinds - {"advisory"}:
        found.append(f"{count(known, 'benchmark case')} decided nothing: public benchmarks are for advisory rubrics.")
    return found


def _unknown_strata(frame: Frame) -> list[str]:
    """Names in `where` and `policy.slices` that no case of the trial has; nothing is said of a trial without cases."""
    if not len(frame.cases):
        return []
    held = {name: _held(stratum) for name, stratum in frame.cases.strata.items()}
    held = {name: values for name, values in held.items() if values}
    found = [
        f"Policy slices name the stratum {name!r}, which no case has{_near(name, held)}"
        for name in frame.suite.policy.slices
        if name not in held
    ]
    for rubric in frame.suite.rubrics:
        for name, wanted in rubric.where.items():
            values = (wanted,) if isinstance(wanted, str) else tuple(wanted)
            found += [f"Rubric {rubric.name}: {text}" for text in _unknown_values(name, values, held)]
    return found


def _unknown_values(name: str, wanted: Sequence[str], held: Mapping[str, Sequence[str]]) -> list[str]:
    if name not in held:
        return [f"its where names the stratum {name!r}, which no case has{_near(name, held)}"]
    values = held[name]
    return [
        f"its where asks for {name} {value!r}, which no case has{_near(value, values)}"
        for value in wanted
        if value not in values
    ]


def _held(stratum: Stratum) -> tuple[str, ...]:
    """The values that the cases of the trial have."""
    codes: list[int] = np.unique(stratum.codes[stratum.codes >= 0]).tolist()
    return tuple(stratum.values[code] for code in codes)


def _near(name: str, known: Iterable[str]) -> str:
    names = list(known)
    if near := nearest(name, names):
        return f"; did you mean {near!r}?"
    if not names:
        return "; the cases have no strata."
    return f"; there is {', '.join(names[:SHOWN_NAMES])}{', …' if len(names) > SHOWN_NAMES else ''}."
