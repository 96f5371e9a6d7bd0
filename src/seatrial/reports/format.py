"""How numbers are written: points with a sign, percentages, p-values, dollars, seconds, thousands separators.

Minus is the true minus sign (U+2212). What is not known, or not a finite number, is an en dash. Percentages never
round to 0.0% or 100.0% what is not exactly none or all, nor points to 0.0 what is not zero.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TypeGuard

from seatrial.verdicts.records import Estimate

UNKNOWN = "–"

ROUNDING = 1e-12
"""What a weighted mean of ones may lack to one, and one of zeros have."""

MOST_DIGITS = 5
"""Decimals of points at most: what is closer to zero, or to a margin, is rounding noise."""


def _known(value: float | None) -> TypeGuard[float]:
    return value is not None and math.isfinite(value)


def _signs(text: str) -> str:
    return text.replace("-", "−")


def count(value: int) -> str:
    """1560 → 1,560."""
    return _signs(f"{value:,}")


def plural(value: int, noun: str, several: str = "") -> str:
    """1 → `1 case`, 1560 → `1,560 cases`."""
    return f"{count(value)} {noun if value == 1 else several or noun + 's'}"


def percent(share: float | None, digits: int = 1) -> str:
    """A share in [0, 1]: .912 → 91.2%."""
    if not _known(share):
        return UNKNOWN
    text = f"{share * 100:.{digits}f}"
    if float(text) == 0 and share > ROUNDING:
        return f"<{10**-digits:.{digits}f}%"
    if float(text) == 100 and share < 1 - ROUNDING:
        return f">{100 - 10**-digits:.{digits}f}%"
    return _signs(f"{text}%")


def points(share: float | None, digits: int = 1, *, sign: bool = True, against: float | None = None) -> str:
    """A difference of shares in percentage points: .0218 → +2.2, −.0002 → −0.02; a zero has no sign.

    There are as many more digits, up to 5 in all, as it takes not to read as zero, nor as `against`. Whole points
    (`digits` 0) stay whole.
    """
    if not _known(share):
        return UNKNOWN
    others = [v * 100 for v in (0.0, against) if v is not None and v != share]
    text = ""
    for tried in range(digits, MOST_DIGITS + 1 if digits else 1):
        text = f"{share * 100:.{tried}f}"
        if all(float(text) != float(f"{other:.{tried}f}") for other in others):
            break
    if float(text) == 0:
        return f"{0:.{digits}f}"
    return _signs(f"+{text}" if sign and share > 0 else text)


def points_interval(estimate: Estimate | None, against: float | None = None) -> str:
    """The interval in points, a bound that is not known being open: [+0.9, +3.5]. No bound reads as `against`."""
    if estimate is None or (estimate.low is None and estimate.high is None):
        return ""
    return f"[{points(estimate.low, against=against)}, {points(estimate.high, against=against)}]"


def percent_interval(estimate: Estimate | None) -> str:
    """The interval of a rate: [88.1%, 93.0%]."""
    if estimate is None or (estimate.low is None and estimate.high is None):
        return ""
    return f"[{percent(estimate.low)}, {percent(estimate.high)}]"


def level(share: float) -> str:
    """A confidence level: .9 → 90%, .975 → 97.5%."""
    return f"{share * 100:.6g}%"


def ratio(value: float | None) -> str:
    """.5714 → 0.57×."""
    return f"{_signs(f'{value:.2f}')}×" if _known(value) else UNKNOWN


def p_value(value: float | None) -> str:
    """.0312 → 0.031, .00004 → <0.001."""
    if not _known(value):
        return UNKNOWN
    return "<0.001" if value < 0.001 else f"{value:.3f}" if value < 0.1 else f"{value:.2f}"


def dollars(value: float | None) -> str:
    """12.3 → $12.30, .00042 → $0.00042, None → unknown."""
    if not _known(value):
        return "unknown"
    if value == 0 or abs(value) >= 1:
        return _signs(f"${value:,.2f}")
    return f"${_significant(value)}"


def money(value: float | None) -> str:
    """An amount of dollars that may be below zero: 228125 → $228,125, −31000.4 → −$31,000, 8.5 → $8.50."""
    if not _known(value):
        return "unknown"
    text = f"{abs(value):,.{0 if abs(value) >= 99.995 else 2}f}"
    return f"${text}" if value >= 0 or not float(text.replace(",", "")) else f"−${text}"


def chance(share: float | None) -> str:
    """A probability in whole per cent that never reads as never, or always: .974 → 97%, .9996 → >99%."""
    if not _known(share):
        return UNKNOWN
    if share < 0.005 or share > 0.995:
        return "<1%" if share < 0.5 else ">99%"
    return f"{100 * share:.0f}%"


def amount(value: float) -> str:
    """A count that need not be whole: 10000 → 10,000, 1428.571 → 1,428.6."""
    return _signs(f"{value:,.0f}" if value == round(value) or abs(value) >= 1e4 else f"{value:,.1f}")


def cost(known: float | None, unknown: int) -> str:
    """What is known, and of how many outputs it is not."""
    if unknown == 0 or not _known(known):
        return dollars(known)
    return f"at least {dollars(known)}, {plural(unknown, 'output')} unknown"


def seconds(value: float | None, like: float | None = None) -> str:
    """.0123 → 12 ms, 1.9 → 1.90 s, 75 → 75.0 s, 400 → 6 min 40 s; on the scale of `like` where that is given."""
    if not _known(value):
        return UNKNOWN
    scale = abs(value if like is None else like)
    if 0 < scale < 0.001:
        return "<1 ms"
    if scale < 0.9995:
        return _signs(f"{value * 1000:.0f} ms")
    if scale < 9.995:
        return _signs(f"{value:.2f} s")
    if scale < 119.95:
        return _signs(f"{value:.1f} s")
    minutes, rest = divmod(round(value), 60)
    return f"{count(minutes)} min {rest} s"


def _significant(value: float) -> str:
    """Three significant digits, without an exponent where one can do without."""
    if value == 0:
        return "0"
    if abs(value) >= 1e15 or abs(value) < 1e-9:
        return _signs(f"{value:.2e}")
    digits = max(0, 2 - math.floor(math.log10(abs(value))))
    text = f"{value:,.{digits}f}"
    return _signs(text.rstrip("0").rstrip(".") if "." in text else text)


def quantity(value: float | None, unit: str) -> str:
    """A measure in its unit: seconds and dollars in their own way, others with three significant digits."""
    if not _known(value):
        return UNKNOWN
    if unit in {"s", "seconds"}:
        return seconds(value)
    if unit == "USD":
        return dollars(value)
    return f"{_significant(value)} {unit}".strip()


def quantity_interval(estimate: Estimate | None, unit: str) -> str:
    """The interval of a measure."""
    if estimate is None or (estimate.low is None and estimate.high is None):
        return ""
    return f"[{quantity(estimate.low, unit)}, {quantity(estimate.high, unit)}]"


def bracketed(value: float | None, low: float | None, high: float | None, unit: str) -> str:
    """A measure and its interval on one scale, the unit said once where all three have it: `244 ms [242, 247]`."""
    timed = unit in {"s", "seconds"} and _known(value)
    said, ends = quantity(value, unit), [seconds(end, value) if timed else quantity(end, unit) for end in (low, high)]
    tail = said[said.rfind(" ") :] if " " in said else ""
    if tail and all(end == UNKNOWN or end.endswith(tail) for end in ends):
        ends = [end.removesuffix(tail) for end in ends]
    return f"{said} [{', '.join(ends)}]"


def listed(names: Sequence[str]) -> str:
    """`a, b and c`."""
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1] if names else "")))


def span(first: str, last: str) -> str:
    """From one ISO time to another; what both have in common is said once."""
    start, end = moment(first), moment(last)
    day, comma, clock = end.partition(", ")
    if start == end:
        return end
    if comma and start.startswith(f"{day}, "):
        return f"{start.removesuffix(' UTC')} to {clock}"
    return f"{start} to {end}"


def moment(iso: str) -> str:
    """An ISO time as `21 Nov 2026, 10:32 UTC`; what is none is returned as it is."""
    try:
        at = datetime.fromisoformat(iso)
        at = at if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        return iso
    return f"{at.day} {at:%b %Y}, {at:%H:%M}{'' if at.tzinfo is None else ' UTC'}"
