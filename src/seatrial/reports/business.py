"""The business case and the ranking in words and rows, the same for every rendering."""

from __future__ import annotations

from dataclasses import dataclass

from seatrial.reports import format as f
from seatrial.reports.words import OVERALL, Fact, name
from seatrial.verdicts.records import Economics, Estimate, Money, Ranking, Standing, Verdict

DAYS_A_MONTH = 365 / 12


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the ledger: dollars a day, a month and a year, the month's interval, and whether it is a sum."""

    label: str
    day: str
    month: str
    year: str
    interval: str = ""
    total: bool = False


def ledger(case: Economics, incumbent: str, candidate: str) -> list[Entry]:
    """What running each of the two costs, and what the switch saves, in dollars; below zero it costs."""
    old, new = case.price_incumbent, case.price_candidate
    rows = [_entry(f"{name(incumbent)}, price", old), _entry(f"{name(candidate)}, price", new)]
    rows.append(_entry("saved on price", case.price_saving, total=True))
    extra, units = case.extra_cost, case.extra_units
    if extra is not None and extra.value is not None and units is not None and units.value is not None:
        found = Estimate(
            value=-extra.value,
            low=None if extra.high is None else -extra.high,
            high=None if extra.low is None else -extra.low,
            method=extra.method,
        )
        label = f"saved on failures: {_count(units.value)} {name(case.unit)}s a month"
        rows.append(_entry(label, found.value, found))
    rows.append(_entry("saved in all", case.monthly.value if case.monthly else None, case.monthly, total=True))
    return rows


def _count(units: float) -> str:
    """`1,500 more`, `20 fewer`."""
    return f"{f.count(round(abs(units)))} {'more' if units >= 0 else 'fewer'} failed"


def _entry(label: str, month: float | None, found: Estimate | None = None, *, total: bool = False) -> Entry:
    if month is None:
        return Entry(label, "", "unknown", "", total=total)
    interval = "" if found is None else f"[{f.money(found.low)}, {f.money(found.high)}]"
    return Entry(label, f.money(month / DAYS_A_MONTH), f.money(month), f.money(12 * month), interval, total)


def facts(case: Economics) -> list[Fact]:
    """What else belongs to the decision, each figure with its label."""
    found: list[Fact] = []
    if case.break_even is not None:
        found.append(Fact("Break-even", break_even(case)))
    if case.loss_if_shipped is not None:
        found.append(Fact("Expected loss if shipped", f.money(case.loss_if_shipped)))
    if case.loss_if_kept is not None:
        found.append(Fact("Expected saving forgone if not", f.money(case.loss_if_kept)))
    if case.more_worth is not None:
        asking = "" if case.more_cost is None else f", asking costs {f.money(case.more_cost)}"
        worth = f.money(case.more_worth) if case.more_worth >= 0.005 else "nothing, they would not turn it"
        found.append(Fact(f"Worth of {f.count(case.more)} further cases", worth + asking))
    if case.migration is not None:
        weeks = "" if case.migration_weeks is None else f", {_span(case.migration_weeks, '{:g}')} weeks"
        found.append(Fact("Migration, once", f"{_dollars(case.migration)}{weeks}"))
    return [*found, *_delay(case), *_evaluation(case)]


def break_even(case: Economics) -> str:
    """How many more failures the price saving pays for."""
    share = case.break_even or 0.0
    return f"{f.points(abs(share), sign=False)} points {'more' if share >= 0 else 'fewer'} failures"


def saved(case: Economics) -> list[Fact]:
    """The saving in a line, for a summary; nothing where it is unknown."""
    if case.saving is None or case.saving.value is None:
        return []
    verb = "Saves" if case.saving.value >= 0 else "Loses"
    value = f"{f.money(abs(case.saving.value))} ({f.chance(case.p_pays)} likely to pay)"
    return [Fact(f"{verb} in {case.months:g} months", value)]


def _delay(case: Economics) -> list[Fact]:
    if case.delay is None or not case.delay_weeks:
        return []
    week = f"{f.money(case.delay / case.delay_weeks)} a week"
    found = [Fact(f"A wrong switch found {case.delay_weeks:g} weeks late", f"{f.money(case.delay)}, {week}")]
    expected = case.delay_expected
    return found if expected is None else [*found, Fact("… times the risk that it is wrong", f.money(expected))]


def _evaluation(case: Economics) -> list[Fact]:
    back = case.evaluation
    if back is None:
        return []
    cost = f"{_dollars(back.setup)} once, {_dollars(back.upkeep)} a month"
    days = "not by these failures" if back.days is None else f"in {_span(back.days, '{:.0f}')} days"
    return [Fact("Evaluating", cost), Fact("… earned back", days)]


def _span(found: Money, pattern: str) -> str:
    low, high = pattern.format(found.low), pattern.format(found.high)
    return low if low == high else f"{low}–{high}"


def _dollars(found: Money) -> str:
    return f.money(found.low) if found.low == found.high else f"{f.money(found.low)}–{f.money(found.high)}"


def worth(verdict: Verdict) -> str:
    """The business case in a sentence; beside a block, that it does not lift it."""
    case = verdict.economics
    if case is None:
        return ""
    blocked = " It is blocked all the same: money does not make up for that."
    return case.sentence + blocked * (verdict.overall == "block")


def basis(case: Economics) -> str:
    """On what the figures rest."""
    work = f"{f.amount(case.units)} {name(case.unit)}s a month, {f.money(case.failure_cost)} for one that fails"
    failed = f"one fails when {' or '.join(map(name, case.failed_by))} fails" if case.failed_by else ""
    prices = "; ".join(name(source) for source in case.price_sources)
    drawn = f"Intervals and probabilities: {f.count(case.draws)} draws of both failure rates." if case.draws else ""
    return " ".join(
        part for part in (f"{'; '.join(p for p in (work, failed) if p)}.", f"Prices: {prices}.", drawn) if part
    )


# several candidates ---------------------------------------------------------------------------------------------------


def ranks(standing: Standing) -> str:
    """`1`, `2–3`: the ranks that cannot be ruled out."""
    low, high = standing.rank_low, standing.rank_high
    if low is None or high is None:
        return f.UNKNOWN
    return str(low) if low == high else f"{low}–{high}"


def front(standing: Standing) -> str:
    """How probable it is that no other is as good in all and better in one; a dash for what a gate has blocked."""
    return f.chance(standing.p_front)


def role(standing: Standing) -> str:
    """The verdict of a candidate, or that it is the incumbent."""
    return "incumbent" if standing.overall is None else OVERALL[standing.overall].lower()


def rank_rows(ranking: Ranking) -> list[tuple[Standing, list[str]]]:
    """Each target's rank, pass rate, price and time as text, with intervals."""
    return [
        (
            s,
            [
                ranks(s),
                f"{f.percent(s.quality.estimate.value)} {f.percent_interval(s.quality.estimate)}".strip(),
                f.dollars(s.cost.value) if s.cost else "unknown",
                f.seconds(s.latency.value) if s.latency else "unknown",
                front(s),
            ],
        )
        for s in ranking.standings
    ]


def rank_basis(ranking: Ranking) -> str:
    """What is ranked, on how much, and how."""
    rubrics = ranking.rubrics
    what = (
        f"A case counts as passed when it passes {'all of ' if len(rubrics) > 1 else ''}{', '.join(map(name, rubrics))}"
    )
    level = next((f.level(d.difference.level) for d in ranking.differences), "")
    how = f" Ranks hold at {level} for all targets at once" * bool(level)
    return (
        f"{what}; {f.plural(ranking.cases, 'case')} that all targets answered.{how}{'.' if how else ''} "
        f"Front of {f.listed(ranking.objectives)}: in how many of {f.count(ranking.draws)} draws of whole clusters no "
        "other target is at least as good in all and better in one."
    )
