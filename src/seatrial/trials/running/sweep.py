"""A settings sweep: the suite under every combination of a few settings, each a trial, and what they say together.

What was asked before is reused by content, so a sweep that is run again asks nothing.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from seatrial.core.identity import canonical
from seatrial.core.plugins import find
from seatrial.core.record import Json, Record, Text, as_list, too_deep
from seatrial.core.suite import PromptMessage, Suite
from seatrial.errors import ConfigError, UsageError, safe
from seatrial.runs.forecast import Forecast, Planned, forecast
from seatrial.runs.progress import Progress
from seatrial.runs.runner import Parts
from seatrial.store.store import Dataset, Store
from seatrial.targets import BUILTIN, Prompt
from seatrial.targets.catalogue import adapter_of
from seatrial.targets.params import common_name
from seatrial.trials.running.shots import Asking, Shots, shots_from
from seatrial.trials.suite.suitefile import LoadedSuite
from seatrial.trials.trial import Asked, build, dataset_of, execute_suite, load_chosen, store_path, with_choices
from seatrial.verdicts.artefacts.sentences import listed
from seatrial.verdicts.checks.cautions import misspelt_parameters
from seatrial.verdicts.checks.parity import left_out, parity, refusal
from seatrial.verdicts.engine.outcomes import Floats
from seatrial.verdicts.questions.sweep import Grid, SweepReport, SweptSetting, decompose, label
from seatrial.verdicts.reading.frame import Frame, load

MOST_SETTINGS = 48
"""A grid of more settings is refused: each is a trial."""
MOST_SHOTS = 64
LARGEST_FILE = 1 << 20
SHOTS = "shots"
PROMPT = "prompt"
EXAMPLES = "sweep.shots"
"""The suite's variable that holds the identity of the examples: a name that no template can spell."""
PARAMETER = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,79}")

Show = Callable[[str, Progress], None]
"""Shows the progress of one setting: which of how many and its words, and how far it is."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting of the grid: values by name, the same in words, and the suite under it."""

    values: Mapping[str, Json]
    shown: Mapping[str, str]
    loaded: LoadedSuite

    @property
    def label(self) -> str:
        """In words."""
        return label(self.shown)

    @property
    def shots(self) -> int:
        """How many examples stand before each case."""
        return self.values.get(SHOTS, 0)


class SettingForecast(Record):
    """What one setting would take."""

    label: Text
    forecast: Forecast


class SweepForecast(Record):
    """What a sweep would take, by setting and in all; requests that settings share are counted for each of them.

    The sums are of what is known; `dollars_unknown` counts the targets of which it is not, over all settings.
    """

    settings: tuple[SettingForecast, ...]
    requests: int
    reused: int
    dollars: float | None
    dollars_unknown: int
    dollars_worst: float | None
    dollars_worst_unknown: int


# the public calls -----------------------------------------------------------------------------------------------------


def sweep(
    suite: str | Path = "seatrial.yaml",
    *,
    over: Mapping[str, Sequence[Json]],
    shots_from: str | Path | None = None,
    store: str | Path | None = None,
    show: Show | None = None,
    asked: Asked | None = None,
    **choices: Any,
) -> SweepReport:
    """Run a suite under every combination of settings, and say how much the model moves pass rates and how much these.

    `over`: values by name. `prompt` (or `prompt.ROLE`): files whose template stands in the place of the suite's;
    `shots`: numbers of example cases, taken from `shots_from` (a dataset file with answers) or, never from a case's own
    cluster, from the suite's dataset; any other name is a parameter of all targets. Choices are `run`'s; a budget
    bounds the whole sweep. Raises the errors of `seatrial.errors`.
    """
    chosen = with_choices(asked or Asked(), choices)
    loaded, settings = _planned(suite, over, chosen)
    with Store(store_path(loaded.folder, Path(store) if store else None)) as opened:
        dataset, parts = _prepared(opened, loaded, settings, shots_from)
        share = _share(loaded.suite, chosen, len(settings))
        trials: list[str] = []
        for at, (setting, part) in enumerate(zip(settings, parts, strict=True), 1):
            head = f"setting {at} of {len(settings)}: {setting.label}"
            shown = partial(show, head) if show is not None else _silent
            note, about = f"{chosen.note} [sweep: {setting.label}]".strip(), {**share.about, "sweep": setting.label}
            noted = replace(share, note=note, about=about)
            trials.append(execute_suite(opened, setting.loaded, part, noted, shown))
        return _report(opened, dataset, settings, trials)


def estimate_sweep(
    suite: str | Path = "seatrial.yaml",
    *,
    over: Mapping[str, Sequence[Json]],
    shots_from: str | Path | None = None,
    store: str | Path | None = None,
    asked: Asked | None = None,
    **choices: Any,
) -> SweepForecast:
    """What `sweep` with the same choices would send and cost, by setting. No request is sent, no trial is made."""
    chosen = with_choices(asked or Asked(), choices)
    loaded, settings = _planned(suite, over, chosen)
    with Store(store_path(loaded.folder, Path(store) if store else None)) as opened:
        dataset, parts = _prepared(opened, loaded, settings, shots_from)
        series = chosen.series or ("fresh-" if chosen.fresh else "main")
        planned = Planned(dataset, chosen.epochs, chosen.limit, series, chosen.retry_errors)
        found = [
            SettingForecast(
                label=setting.label,
                forecast=forecast(opened, setting.loaded.suite, planned, dict(part.targets), dict(part.ask)),
            )
            for setting, part in zip(settings, parts, strict=True)
        ]
    return _summed(found)


def _summed(found: Sequence[SettingForecast]) -> SweepForecast:
    each = [one.forecast for one in found]
    dollars = [f.dollars for f in each if f.dollars is not None]
    worst = [f.dollars_worst for f in each if f.dollars_worst is not None]
    return SweepForecast(
        settings=tuple(found),
        requests=sum(f.requests for f in each),
        reused=sum(f.reused for f in each),
        dollars=math.fsum(dollars) if dollars else None,
        dollars_unknown=sum(f.dollars_unknown for f in each),
        dollars_worst=math.fsum(worst) if worst else None,
        dollars_worst_unknown=sum(f.dollars_worst_unknown for f in each),
    )


def parse_over(texts: Sequence[str]) -> dict[str, list[Json]]:
    """`NAME=VALUE,VALUE` as it is written on a command line: values are JSON where they are, else text.

    `NAME=[…]` is a JSON list of values, for such as hold commas. Raises UsageError.
    """
    found: dict[str, list[Json]] = {}
    for text in texts:
        name, equals, listing = text.partition("=")
        name = name.strip()
        if not equals or not name or not listing.strip():
            hint = "write a name and its values, like --over temperature=0,0.7"
            raise UsageError(f"--over {safe(text)!r} cannot be read.", hint=hint)
        if name in found:
            raise UsageError(f"--over {safe(name)} is given twice.", hint="give all its values in one")
        found[name] = _values(name, listing.strip())
    return found


def _values(name: str, listing: str) -> list[Json]:
    if not listing.startswith("["):
        return [_json(part.strip()) for part in listing.split(",")]
    whole = as_list(_json(listing))
    if whole is None or too_deep(whole):
        raise UsageError(f"--over {safe(name)} begins with [ and is no JSON list.", hint="write it like [1, 2]")
    return whole


def _json(text: str) -> Json:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


# the grid -------------------------------------------------------------------------------------------------------------


def _planned(suite: str | Path, over: Mapping[str, Sequence[Json]], asked: Asked) -> tuple[LoadedSuite, list[Setting]]:
    """The suite, and its settings in the order of the grid. Raises UsageError."""
    loaded = load_chosen(suite, asked)
    _check_suite(loaded.suite)
    _check_values(over)
    size = math.prod(len(values) for values in over.values())
    if not 2 <= size <= MOST_SETTINGS:
        hint = "leave values out" if size > 1 else "give a setting two values or more"
        raise UsageError(f"The grid has {size} settings, and from 2 to {MOST_SETTINGS} are run.", hint=hint)
    return loaded, [
        _setting(loaded, dict(zip(over, values, strict=True))) for values in product(*(over[name] for name in over))
    ]


def _check_suite(suite: Suite) -> None:
    if not any(rubric.kind == "quality" and not rubric.aggregate for rubric in suite.rubrics):
        raise UsageError("The suite has no quality rubric whose pass rate could be taken apart.")
    for name, spec in suite.targets.items():
        reads: frozenset[str] | None = getattr(find("target", adapter_of(spec), BUILTIN), "reads", None)
        if reads is not None and "params" not in reads:
            raise UsageError(
                f"Target {name!r} ({safe(spec.use)}) is asked nothing, so no setting changes it.",
                hint="name the others with --target",
            )


def _check_values(over: Mapping[str, Sequence[Json]]) -> None:
    if not over:
        raise UsageError("Nothing is swept over.", hint="add --over temperature=0,0.7")
    for name, values in over.items():
        if not PARAMETER.fullmatch(name):
            raise UsageError(f"{safe(name)!r} is no name of a setting.", hint="give prompt, shots or a parameter")
        texts = [_shown(value) for value in values]
        twice = next((text for at, text in enumerate(texts) if text in texts[:at]), None)
        if not texts or twice is not None:
            rule = "has no value" if not texts else f"has the value {safe(twice)} twice"
            raise UsageError(f"The setting {name} {rule}.", hint="give it different values")
        if name == SHOTS and not all(type(value) is int and 0 <= value <= MOST_SHOTS for value in values):
            raise UsageError(f"shots are whole numbers from 0 to {MOST_SHOTS}, not {safe(', '.join(texts))}.")


def _shown(value: Json) -> str:
    """A value in words; numbers that are equal read alike."""
    if isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        value = int(value)
    return canonical(value)


def _setting(loaded: LoadedSuite, values: Mapping[str, Json]) -> Setting:
    suite = loaded.suite
    targets = dict(suite.targets)
    prompt = suite.prompt
    for name, value in values.items():
        if name == PROMPT or name.startswith(f"{PROMPT}."):
            prompt = _prompt(prompt, name.partition(".")[2], value)
        elif name != SHOTS:
            for target, spec in targets.items():
                others = {key: kept for key, kept in spec.params.items() if common_name(key) != common_name(name)}
                targets[target] = spec.model_copy(update={"params": {**others, name: value}})
    policy = suite.policy.model_copy(update={"early_stopping": None})  # every cell of the grid is whole
    under = _changed(suite, {"targets": targets, "prompt": prompt, "policy": policy})
    return Setting(values, {name: _shown(value) for name, value in values.items()}, loaded._replace(suite=under))


def _changed(suite: Suite, update: Mapping[str, Any]) -> Suite:
    """A copy with its own identity."""
    made = suite.model_copy(update=update)
    vars(made).pop("hash", None)
    return made


def _prompt(prompt: Sequence[Any], role: str, file: Json) -> tuple[Any, ...]:
    """The prompt with a file's text in the place of its only template (of a role), or as its only message."""
    text = _text(file)
    at = [i for i, item in enumerate(prompt) if item != "input" and (not role or item.role == role)]
    if len(at) == 1:
        own = PromptMessage(role=prompt[at[0]].role, content=text)
        return (*prompt[: at[0]], own, *prompt[at[0] + 1 :])
    if at or role:
        how_many = f"{len(at)} templates" if at else "no template"
        of_role = f" of the role {safe(role)}" if role else ""
        raise UsageError(
            f"The suite's prompt has {how_many}{of_role}, and a file stands in the place of one.",
            hint="name the message by its role, like --over prompt.system=a.txt,b.txt",
        )
    return (PromptMessage(role="user", content=text),)


def _text(file: Json) -> str:
    if not isinstance(file, str):
        raise UsageError(f"{PROMPT} names files, and {safe(_shown(file))} is none.")
    try:
        with Path(file).open("rb") as stream:
            raw = stream.read(LARGEST_FILE + 1)
        if len(raw) > LARGEST_FILE:
            raise ValueError("it is larger than 1 MiB")
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        reason = "it is not UTF-8 text"
    except (OSError, ValueError) as cause:
        reason = (cause.strerror if isinstance(cause, OSError) else "") or str(cause)
    raise UsageError(f"The prompt {safe(file, 200)} cannot be read: {safe(reason)}.", hint="check the path")


# what is asked --------------------------------------------------------------------------------------------------------


def _prepared(
    store: Store, loaded: LoadedSuite, settings: list[Setting], pool: str | Path | None
) -> tuple[Dataset, list[Parts]]:
    """The dataset and each setting's parts, all built before anything is sent; `settings` learn their examples."""
    most = max(setting.shots for setting in settings)
    if pool is not None and not most:
        raise UsageError("There are no shots to take from a file.", hint="add --over shots=0,3")
    if most and "sealed" in loaded.suite.dataset.splits:
        raise UsageError("A sealed split is run without examples: its cases are shown to nobody beside the targets.")
    dataset = dataset_of(store, loaded)
    shots = None
    if most:
        spec = loaded.suite.dataset
        own = None if pool is None else spec.model_copy(update={"path": str(Path(pool).absolute()), "format": None})
        shots = shots_from(store, dataset, own, most, loaded.suite.seed)
    parts: list[Parts] = []
    if shots is not None:
        settings[:] = [_with_examples(setting, shots) if setting.shots else setting for setting in settings]
    for setting in settings:
        try:
            parts.append(_parts(setting, shots))
        except ConfigError as fault:
            said = f"The setting {safe(setting.label, 200)} cannot be run: {fault.problem}"
            raise UsageError(said, hint=fault.hint, problems=fault.problems) from fault
    return dataset, parts


def _with_examples(setting: Setting, shots: Shots) -> Setting:
    """The setting whose suite says which examples it shows, so that no run is taken for another's."""
    suite = setting.loaded.suite
    told = {**suite.variables, EXAMPLES: shots.identity(setting.shots)}
    return replace(setting, loaded=setting.loaded._replace(suite=_changed(suite, {"variables": told})))


def _parts(setting: Setting, shots: Shots | None) -> Parts:
    parts, suite = build(setting.loaded), setting.loaded.suite
    if shots is None or not setting.shots:
        return parts
    asking = Asking.of(Prompt(suite.prompt, suite.variables), shots, setting.shots)
    return replace(parts, ask={name: partial(asking.request, spec.params) for name, spec in suite.targets.items()})


def _share(suite: Suite, asked: Asked, settings: int) -> Asked:
    """What is asked of one setting: an equal share of the budget, so that the sweep as a whole keeps it."""
    dollars, tokens = asked.budget, asked.budget_tokens
    if dollars is None and tokens is None and suite.budget is not None:
        dollars, tokens = suite.budget.dollars, suite.budget.tokens
    if tokens is not None and tokens < settings:
        raise UsageError(f"A budget of {tokens} tokens leaves nothing for each of {settings} settings.")
    return replace(
        asked,
        budget=None if dollars is None else dollars / settings,
        budget_tokens=None if tokens is None else tokens // settings,
    )


# what was found -------------------------------------------------------------------------------------------------------


def _report(store: Store, dataset: Dataset, settings: Sequence[Setting], trials: Sequence[str]) -> SweepReport:
    frames = [load(store, trial_id) for trial_id in trials]
    suite = settings[0].loaded.suite
    shown = [setting.shown for setting in settings]
    unmoved, warnings = _unmoved(store, frames, settings)
    misspelt = (text for frame in frames for text in misspelt_parameters(frame))
    quality = {at: rubric for at, rubric in enumerate(suite.rubrics) if rubric.kind == "quality"}
    rubrics = [at for at, rubric in quality.items() if not rubric.aggregate]
    if len(rubrics) < len(quality):
        names = listed([rubric.name for rubric in quality.values() if rubric.aggregate])
        warnings.append(f"{names} takes one number over all labels, which is not taken apart case by case.")
    return SweepReport(
        suite=suite.name,
        dataset=dataset.name,
        cases=len(frames[0].cases),
        clusters=len(np.unique(frames[0].cases.cluster)),
        epochs=frames[0].epochs,
        targets=tuple(suite.targets),
        factors=tuple(shown[0]),
        settings=tuple(
            SweptSetting(label=s.label, values=s.values, shown=s.shown, trial_id=trial_id)
            for s, trial_id in zip(settings, trials, strict=True)
        ),
        level=1 - suite.policy.alpha,
        rubrics=tuple(
            decompose(suite.rubrics[at].name, _grid(frames, at, shown, unmoved), suite.policy.alpha) for at in rubrics
        ),
        warnings=(*dict.fromkeys(misspelt), *warnings, *_unequal(store, frames, settings)),
    )


def _grid(
    frames: Sequence[Frame],
    index: int,
    shown: Sequence[Mapping[str, str]],
    unmoved: frozenset[tuple[str, str]],
) -> Grid:
    """One rubric's results, every setting's over the same cases: those that it takes under any of them."""
    cases, targets = frames[0].cases, tuple(frames[0].suite.targets)
    kept = np.logical_or.reduce([frame.population(index) for frame in frames])
    results: dict[tuple[str, int], Floats] = {}
    weight: Floats | None = None
    for at, frame in enumerate(frames):
        for target in targets:
            outcomes = frame.outcomes(index, target, None)
            assert outcomes.rows is not None, "outcomes of a frame know their rows"
            whole = np.full((len(cases), frame.epochs), np.nan)
            whole[outcomes.rows] = outcomes.candidate
            results[target, at] = whole[kept]
            if outcomes.weight is not None:
                weight = np.ones(len(cases)) if weight is None else weight
                weight[outcomes.rows] = outcomes.weight
    graded = frames[0].suite.rubrics[index].graded
    return Grid(targets, shown, results, cases.cluster[kept], unmoved, None if weight is None else weight[kept], graded)


def _unmoved(
    store: Store, frames: Sequence[Frame], settings: Sequence[Setting]
) -> tuple[frozenset[tuple[str, str]], list[str]]:
    """Which parameters were left out for which targets, so that sweeping over them changed nothing there."""
    found: dict[str, set[str]] = {}
    for frame in frames:
        for target, arm in frame.arms.items():
            gone = {common_name(key) for key in left_out(store, arm).counts}
            for factor in settings[0].values:
                if common_name(factor) in gone:
                    found.setdefault(factor, set()).add(target)
    said = [
        f"{factor} was left out for {listed(sorted(targets))}, at least sometimes: what it moves there is not told."
        for factor, targets in found.items()
    ]
    return frozenset((factor, target) for factor, targets in found.items() for target in targets), said


def _unequal(store: Store, frames: Sequence[Frame], settings: Sequence[Setting]) -> list[str]:
    """Targets that were not asked alike under some setting: what the model moves is then more than the model."""
    found: dict[str, list[str]] = {}
    for frame, setting in zip(frames, settings, strict=True):
        first, *others = frame.arms
        base = frame.suite.incumbent or first
        dropped = {name: left_out(store, arm) for name, arm in frame.arms.items()}
        for other in (name for name in (first, *others) if name != base):
            if refusal(found_one := parity(store, frame, base, other, dropped), other, base):
                what = listed([d.what for d in found_one.differences if not d.allowed])
                found.setdefault(f"{base} and {other} were not asked alike ({what})", []).append(setting.label)
    total = len(settings)
    return [
        f"{said} under {'every setting' if len(where) == total else listed(where)}: what the model is said to move is "
        "partly that."
        for said, where in found.items()
    ]


def _silent(_progress: Progress) -> None:
    return None
