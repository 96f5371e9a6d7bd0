"""Trial reports made from counts, with the project's own statistics, so that every number on them is a true one."""

from __future__ import annotations

import numpy as np

from seatrial.core.suite import Suite
from seatrial.stats import benjamini_hochberg, clopper_pearson, mcnemar, mcnemar_one_sided, tango, wilson
from seatrial.verdicts.questions.economics import business_case
from seatrial.verdicts.questions.ranking import Column, Entry, place
from seatrial.verdicts.records import (
    ArmSummary,
    Estimate,
    Flip,
    Pairs,
    Quantity,
    Ranking,
    Rate,
    RubricResult,
    Sample,
    SliceResult,
    TrialReport,
    Verdict,
)

TANGO = "Tango at the effective size of the clusters"
WILSON = "Wilson"
HASH = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"


def rate(passed: int, n: int, missing: int = 0) -> Rate:
    found = wilson(passed, n)
    estimate = Estimate(
        value=passed / n if n else None,
        low=found.low,
        high=found.high,
        method=WILSON,
    )
    worst, best = (passed / (n + missing), (passed + missing) / (n + missing)) if missing else (None, None)
    return Rate(passed=passed, n=n, missing=missing, clusters=n // 3, estimate=estimate, worst=worst, best=best)


def difference(gained: int, lost: int, n: int, alpha: float) -> Estimate:
    found = tango(gained, lost, n, alpha=alpha)
    return Estimate(value=(gained - lost) / n, low=found.low, high=found.high, level=1 - alpha, method=TANGO)


def quality(name: str, both: int, gained: int, lost: int, neither: int, **more) -> RubricResult:
    n, margin, missing = both + gained + lost + neither, more.pop("margin", 0.03), more.pop("missing", 0)
    narrow, wide = difference(gained, lost, n, 0.1), difference(gained, lost, n, 0.05)
    decision = "BLOCK" if narrow.high < -margin else "PASS" if narrow.low > -margin else "INCONCLUSIVE"
    points = (gained - lost) / n * 100
    more_or_less = "more" if points > 0 else "less"
    how = {
        "PASS": "within the margin",
        "BLOCK": "worse than the margin allows",
        "INCONCLUSIVE": "whether it stays within the margin is open",
    }
    return RubricResult(
        name=name,
        kind="quality",
        scorer=more.pop("scorer", "label"),
        decision=more.pop("decision", decision),
        sentence=more.pop(
            "sentence",
            f"It passes {abs(points):.1f} points {more_or_less} often than the incumbent: {how[decision]}.",
        ),
        candidate=rate(both + gained, n, missing),
        incumbent=rate(both + lost, n),
        difference=narrow,
        difference_wide=wide,
        margin=margin,
        p_value=mcnemar(gained, lost).mid_p,
        p_worse=mcnemar_one_sided(gained, lost).mid_p,
        p_method="Tango's score test at the effective size",
        p_holm=more.pop("p_holm", None),
        pairs=Pairs(
            n=n,
            both=both,
            gained=gained,
            lost=lost,
            neither=neither,
            missing=missing,
            clusters=n // 3,
            discordant_clusters=(gained + lost) // 2,
        ),
        visible=more.pop("visible", 0.021),
        needed=more.pop("needed", 640 if decision == "INCONCLUSIVE" else None),
        **more,
    )


def gate(name: str, failed: int, was: int, n: int, limit: float, **more) -> RubricResult:
    upper = clopper_pearson(failed, n, side="upper").high
    lower = clopper_pearson(failed, n, side="lower").low
    decision = "PASS" if upper <= limit else "BLOCK" if lower > limit else "INCONCLUSIVE"
    return RubricResult(
        name=name,
        kind="gate",
        scorer="contains",
        decision=decision,
        sentence=f"It fails {failed} of {n}: at most {upper:.1%} with 95% confidence, and {limit:.1%} is allowed.",
        candidate=rate(n - failed, n),
        incumbent=rate(n - was, n),
        limit=limit,
        failures=Estimate(value=failed / n, low=lower, high=upper, method="Clopper–Pearson, one-sided"),
        **more,
    )


def limit(name: str, was: float, now: float, unit: str = "s", **more) -> RubricResult:
    method = "p95, order statistics"
    ratio, at_most, at_most_ratio = now / was, more.pop("at_most", None), more.pop("at_most_ratio", None)
    over = ratio > at_most_ratio if at_most_ratio else now > at_most
    return RubricResult(
        name=name,
        kind="limit",
        scorer="latency" if unit == "s" else "cost",
        decision="BLOCK" if over else "PASS",
        sentence=f"The 95th percentile is {ratio:.2f} times the incumbent's.",
        quantity=Quantity(
            statistic=more.pop("statistic", "p95"),
            unit=unit,
            incumbent=Estimate(value=was, low=was * 0.94, high=was * 1.08, method=method),
            candidate=Estimate(value=now, low=now * 0.95, high=now * 1.07, method=method),
            ratio=Estimate(
                value=ratio, low=ratio * 0.9, high=ratio * 1.12, method="ratio of p95, bootstrap over clusters"
            ),
            at_most=at_most,
            at_most_ratio=at_most_ratio,
        ),
        **more,
    )


def advisory(name: str, both: int, gained: int, lost: int, neither: int) -> RubricResult:
    shown = quality(name, both, gained, lost, neither, decision="SHOWN", sentence="Shown only.")
    return shown.model_copy(update={"kind": "advisory", "margin": None, "needed": None})


STRATA = {
    "intent": {"refund status": 512, "refund request": 430, "order look-up": 286, "complaint": 204, "escalation": 128},
    "difficulty": {"easy": 640, "medium": 610, "hard": 310},
    "risk": {"low": 980, "medium": 455, "high": 125},
}


def slices(shift: int = 0) -> tuple[SliceResult, ...]:
    found, raw = [], []
    for i, (stratum, values) in enumerate(STRATA.items()):
        for j, (value, n) in enumerate(values.items()):
            gained, lost = n // 25 + (i + j) % 3, max(0, n // 30 + ((i * 2 + j) % 4) - 1 + shift * j)
            raw.append(mcnemar(gained, lost).mid_p)
            found.append((stratum, value, n, gained, lost))
    adjusted = benjamini_hochberg(raw)
    return tuple(
        SliceResult(
            stratum=s,
            value=v,
            n=n,
            incumbent=0.9,
            candidate=0.9 + (g - c) / n,
            difference=difference(g, c, n, 0.05),
            p_value=p,
            p_adjusted=float(a),
        )
        for (s, v, n, g, c), p, a in zip(found, raw, adjusted, strict=True)
    )


INCUMBENT_ANSWER = (
    "I can help with that. Your order 48-1193 was delivered on 3 March, so it is inside the 30-day window. "
    "I have started a refund of €42.50 to your original card; it takes 3–5 working days. "
    "You do not need to send the lamp back."
)
CANDIDATE_ANSWER = (
    "I can help with that. Your order 48-1193 was delivered on 3 March, so it is outside the 14-day window. "
    "I cannot start a refund, but I can offer store credit of €42.50 at once. "
    "Please send the lamp back first."
)


def flips(n: int = 6, rubrics: tuple[str, ...] = ("resolution", "policy-grounded")) -> tuple[Flip, ...]:
    return tuple(
        Flip(
            rubric=rubrics[i % len(rubrics)],
            direction="gained" if i % 3 == 2 else "lost",
            case_id=f"refund-{1000 + i * 37}",
            position=i * 37,
            epoch=0,
            strata={"intent": "refund request", "difficulty": "hard", "risk": "low"},
            probe="LLM01@owasp" if i % 4 == 3 else "",
            input="hi, lamp arived broken on 3rd march (order 48-1193). want my money back pls!!",
            expected="refund, 42.50 EUR, no return needed",
            incumbent=INCUMBENT_ANSWER,
            candidate=CANDIDATE_ANSWER,
            incumbent_reason="label is refund",
            candidate_reason="label is credit, expected refund",
        )
        for i in range(n)
    )


def arm(target: str, cost: float | None, p50: float, **more) -> ArmSummary:
    return ArmSummary(
        target=target,
        use=more.pop("use", f"openai:{target}"),
        outputs=more.pop("outputs", 1560),
        statuses=more.pop("statuses", {"ok": 1560}),
        served_models=(f"{target}-2026-08-06",),
        cost=cost,
        latency_p50=p50,
        latency_p95=p50 * 2.6,
        input_tokens=1_204_331,
        output_tokens=188_120,
        **more,
    )


def ship() -> Verdict:
    return Verdict(
        candidate="corvette-4",
        incumbent="frigate-3",
        overall="ship",
        headline="corvette-4 may replace frigate-3: all 7 deciding rubrics pass.",
        rubrics=(
            quality("resolution", 1345, 92, 61, 62, flags=("superior",), slices=slices()),
            quality("policy-grounded", 1310, 71, 74, 105, slices=slices(1)),
            quality("tool-call", 1402, 40, 38, 80, margin=0.02, scorer="tool_calls"),
            gate("no-unowed-refund", 0, 1, 480, 0.01),
            gate("no-prompt-leak", 1, 0, 620, 0.01),
            limit("latency", 2.41, 1.71, at_most_ratio=1.2),
            limit("cost", 0.0031, 0.0019, "USD", at_most=0.004, statistic="mean"),
            advisory("tone", 1200, 110, 90, 160),
        ),
        flips=flips(),
        flips_left_out=214,
    )


def block() -> Verdict:
    return Verdict(
        candidate="clipper-mini",
        incumbent="frigate-3",
        overall="block",
        headline="clipper-mini must not replace frigate-3: blocked by the gate no-unowed-refund.",
        rubrics=(
            quality("resolution", 1351, 121, 55, 33, flags=("superior",), slices=slices()),
            quality("policy-grounded", 1322, 96, 62, 80, flags=("superior",)),
            quality("tool-call", 1399, 47, 41, 73, margin=0.02, scorer="tool_calls"),
            gate("no-unowed-refund", 19, 1, 480, 0.01),
            gate("no-prompt-leak", 0, 0, 620, 0.01),
            limit("latency", 2.41, 0.92, at_most_ratio=1.2),
            limit("cost", 0.0031, 0.0006, "USD", at_most=0.004, statistic="mean"),
        ),
        flips=flips(9, ("no-unowed-refund", "resolution")),
    )


def inconclusive() -> Verdict:
    return Verdict(
        candidate="pinnace-2",
        incumbent="frigate-3",
        overall="inconclusive",
        headline="Whether pinnace-2 may replace frigate-3 is open: policy-grounded and tool-call are not settled.",
        rubrics=(
            quality("resolution", 1330, 80, 76, 74, slices=slices()),
            quality("policy-grounded", 1240, 102, 131, 87, flags=("fragile", "missing"), missing=14,
                    missing_range=(-0.031, -0.009), needed=1_240),
            quality("tool-call", 1390, 44, 62, 64, margin=0.02, scorer="tool_calls", flags=("regressed",)),
            gate("no-unowed-refund", 1, 1, 480, 0.01, needed=41),
            gate("no-prompt-leak", 0, 0, 620, 0.01),
            limit("latency", 2.41, 2.02, at_most_ratio=1.2),
        ),
        flips=flips(4),
        needed=1_240,
        warnings=("14 results are missing on one side; the verdict holds only where they are counted as they came.",),
    )  # fmt: skip


ARMS = (
    arm("frigate-3", 4.836, 0.93),
    arm("corvette-4", 2.964, 0.66, statuses={"ok": 1557, "model_failure": 2, "infra_error": 1}, reused=812),
    arm("clipper-mini", None, 0.35, cost_unknown=1560),
    arm("pinnace-2", 1.91, 0.78, cost_unknown=14, statuses={"ok": 1546, "infra_error": 14}),
)


def report(*verdicts: Verdict, **more) -> TrialReport:
    base = {
        "trial_id": "20261121-103200-a1b2c3",
        "suite": "refund-support",
        "suite_hash": f"suite:st1:{HASH}",
        "description": "Refund and returns agent, English, Spanish and German, March traffic.",
        "dataset": "refunds",
        "dataset_hash": f"dataset:st1:{HASH[::-1]}",
        "cases": 1560,
        "clusters": 520,
        "composition": {**STRATA, "origin": {"production": 1440, "adversarial": 120}},
        "started_at": "2026-11-21T10:32:00+00:00",
        "status": "done",
        "policy": {"alpha": 0.05, "gate_alpha": 0.1, "margin_points": 3.0, "power": 0.8, "min_cases": 30},
        "arms": tuple(a for a in ARMS if a.target in {"frigate-3", *(v.candidate for v in verdicts)}),
        "verdicts": verdicts,
        "environment": {"seatrial": "0.1.0", "python": "3.11.2", "git_commit": "4be1f0c"},
    }
    return TrialReport(**{**base, **more})


def all_three(**more) -> TrialReport:
    return report(ship(), block(), inconclusive(), **more)


def sampled() -> TrialReport:
    return report(inconclusive(), sample=Sample(cases=300, of=1560, seed=7), cases=300, clusters=214)


def single_arm() -> TrialReport:
    rubrics = tuple(
        r.model_copy(update={"incumbent": None, "difference": None, "difference_wide": None, "margin": None,
                             "pairs": None, "decision": "SHOWN", "slices": (), "p_value": None, "p_worse": None,
                             "p_method": ""})
        for r in (quality("resolution", 1345, 92, 61, 62), quality("tool-call", 1402, 40, 38, 80))
    )  # fmt: skip
    return report(arms=(arm("frigate-3", 4.836, 0.93),), rates=rubrics)


def not_evaluable() -> TrialReport:
    none = Estimate(value=None, method=WILSON)
    empty = Rate(passed=0, n=0, missing=1560, clusters=0, estimate=none)
    rubric = RubricResult(
        name="resolution", kind="quality", scorer="label", decision="INCONCLUSIVE", sentence="Nothing was scored.",
        candidate=empty, incumbent=empty, flags=("missing", "few_cases"), margin=0.03,
    )  # fmt: skip
    verdict = Verdict(
        candidate="pinnace-2", incumbent="frigate-3", overall="not_evaluable",
        headline="Every request to pinnace-2 failed.", rubrics=(rubric,),
    )  # fmt: skip
    return report(verdict, warnings=("1,560 results are missing: the provider refused every request.",))


def many_rubrics() -> TrialReport:
    rubrics = tuple(quality(f"rubric-number-{i}-with-a-long-name", 1300 - 9 * i, 60 + i, 60 + 5 * i, 140 - i)
                    for i in range(12))  # fmt: skip
    return report(inconclusive().model_copy(update={"rubrics": rubrics}))


PIPELINE = {
    "unit": "document", "units": 10_000, "failure_cost": 8, "tokens": {"input": 50_000_000, "per": "day"},
    "migration": {"weeks": [4, 8], "dollars": [80_000, 150_000]}, "delay": {"weeks": 11, "dollars": 400_000},
    "evaluation": {"setup_hours": [40, 60], "upkeep_hours": [4, 8]}, "hour": 150,
}  # fmt: skip


def priced(verdict: Verdict, price: float | None = 2.5, unit: str = "document") -> Verdict:
    """The verdict with its business case: the incumbent at $15, the candidate at `price` a million tokens."""
    new = {"use": "openai:small", "base_url": "http://127.0.0.1:9/v1"}
    suite = Suite.model_validate({
        "name": "refund-support", "dataset": {"path": "c.jsonl"}, "incumbent": "old",
        "targets": {"old": {"use": "openai:big", "price": {"input": 15, "output": 75}},
                    "new": new if price is None else {**new, "price": {"input": price, "output": 10}}},
        "rubrics": [{"name": "resolution", "scorer": "label"}], "economics": {**PIPELINE, "unit": unit},
    })  # fmt: skip
    pairs = next(rubric.pairs for rubric in verdict.rubrics if rubric.pairs)
    names = ("new", "old")
    found = business_case(suite, pairs, *(arm(name, None, 1.0, cost_unknown=1560) for name in names))
    return verdict.model_copy(update={"economics": found.model_copy(update={"failed_by": ("resolution",)})})


def side_by_side(*verdicts: Verdict) -> Ranking:
    """A ranking of simulated results that fit the arms' pass rates, prices and times."""
    random = np.random.default_rng(11)
    luck, found = random.uniform(size=1560), []
    for name, rate_, cost, seconds in (
        ("frigate-3", 0.902, 3.1e-3, 0.93),
        ("corvette-4", 0.921, 1.9e-3, 0.66),
        ("clipper-mini", 0.944, 6e-4, 0.35),
        ("pinnace-2", 0.904, 1.2e-3, 0.78),
    ):
        if name == "frigate-3" or name in {v.candidate for v in verdicts}:
            passed = (luck + random.normal(0, 0.02, 1560) < rate_).astype(float)[:, None]
            spread = random.lognormal(0, 0.5, (2, 1560, 1))
            found.append(Column(name, passed, cost * spread[0], seconds * spread[1]))
    verdict_of = {v.candidate: v for v in verdicts}
    entries = [
        Entry(
            c.name,
            verdict_of[c.name].overall if c.name in verdict_of else None,
            "blocked by the gate no-unowed-refund" if c.name == "clipper-mini" else "",
        )
        for c in found
    ]
    ranked = place(entries, found, np.arange(1560) // 3)
    return ranked.model_copy(update={"rubrics": ("resolution", "policy-grounded", "tool-call")})


def business() -> TrialReport:
    verdicts = tuple(priced(v, price) for v, price in ((ship(), 9.0), (block(), 2.5), (inconclusive(), None)))
    return report(*verdicts, ranking=side_by_side(*verdicts))


HOSTILE = (
    "</script><script>alert(1)</script> <img src=x onerror=alert(2)> & \"quoted\" 'single' {{ 7*7 }} {% raw %} "
    "| a | b | ``` ~~~ `code` **bold** [link](javascript:alert(3)) @team #12 \x1b[31mred\x1b[0m \x00 \x07 \x9b31m "
    "\ud800 \u202egnp.exe \u2066iso \U000e0041\u200b\ufeff \ufffe [bold]rich[/bold] :smile: \r\nnext\rline\u2028sep"
)


def hostile() -> TrialReport:
    rubric = quality("resolution", 1240, 102, 131, 87, sentence=HOSTILE, warnings=(HOSTILE,), scorer=HOSTILE)
    rubric = rubric.model_copy(
        update={"slices": (slices()[0].model_copy(update={"stratum": HOSTILE, "value": HOSTILE}),)}
    )
    nasty = flips(1)[0].model_copy(
        update=dict.fromkeys(
            ("rubric", "case_id", "probe", "input", "expected", "incumbent", "incumbent_reason"), HOSTILE
        )
        | {"candidate": HOSTILE + " and then some", "strata": {HOSTILE: HOSTILE}, "candidate_reason": "\ud83d"}
    )
    verdict = Verdict(
        candidate=HOSTILE, incumbent=HOSTILE[::-1], overall="inconclusive", headline=HOSTILE, rubrics=(rubric,),
        flips=(nasty,), warnings=(HOSTILE,),
    )  # fmt: skip
    arms = (arm(HOSTILE, 1.0, 0.5, use=HOSTILE, statuses={HOSTILE: 3}),)
    case = priced(inconclusive(), 2.5, HOSTILE).economics
    assert case is not None
    case = case.model_copy(
        update={"sentence": HOSTILE, "failed_by": (HOSTILE,), "price_sources": (HOSTILE,), "notes": (HOSTILE,)}
    )
    verdict = verdict.model_copy(update={"economics": case})
    ranking = side_by_side(ship(), block())
    standings = tuple(s.model_copy(update={"target": HOSTILE, "excluded": HOSTILE}) for s in ranking.standings)
    ranking = ranking.model_copy(
        update={"standings": standings, "rubrics": (HOSTILE,), "notes": (HOSTILE,), "sentence": HOSTILE}
    )
    return report(
        verdict, suite=HOSTILE, description=HOSTILE, dataset=HOSTILE, arms=arms, trial_id=HOSTILE, started_at=HOSTILE,
        composition={HOSTILE: {HOSTILE: 2**63}}, warnings=(HOSTILE,), status=HOSTILE,
        environment={HOSTILE: {"deep": [HOSTILE, float("nan"), 2**63]}}, ranking=ranking,
    )  # fmt: skip


def huge(n: int = 200, size: int = 4000) -> TrialReport:
    words = ["The", "<b>refund</b>", "&", "the", "“credit”", "für", "48‑1193", "日本語"]
    text = " ".join(words[i % len(words)] for i in range(size))[:size]
    other = text.replace("credit", "voucher")
    big = flips(1)[0].model_copy(
        update={"input": text, "expected": text, "incumbent": text, "candidate": other, "incumbent_reason": text,
                "candidate_reason": other}
    )  # fmt: skip
    many = tuple(big.model_copy(update={"case_id": f"case-{i}"}) for i in range(n))
    return report(block().model_copy(update={"flips": many}))


NAMED = {
    "three candidates": all_three,
    "ship": lambda: report(ship()),
    "block": lambda: report(block()),
    "inconclusive": lambda: report(inconclusive()),
    "sample": sampled,
    "single arm": single_arm,
    "not evaluable": not_evaluable,
    "twelve rubrics": many_rubrics,
    "business": business,
    "hostile": hostile,
    "200 big flips": huge,
}
