"""Tables in Markdown and charts in SVG, from the rows of the simulations."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from html import escape
from pathlib import Path

from bench.certify.record import Row

COLOURS = ("#0b6e4f", "#2e5aac", "#7a4fa3")
PEER_COLOURS = ("#c8553d", "#d98e04", "#8a8a8a", "#a34b6b", "#4d7ea8")
LEFT, WIDTH, LINE, TOP = 360, 940, 20, 46


def slug(section: str) -> str:
    """A file name for a section."""
    return re.sub(r"[^a-z0-9]+", "-", section.lower()).strip("-")[:60].strip("-")


def table(rows: list[Row]) -> str:
    """One Markdown table: cells down, methods across."""
    methods, cells = _ordered(rows)
    at = {(row.cell, row.method): row for row in rows}
    lines = ["| cell | " + " | ".join(methods) + " | asked |", "|---" * (len(methods) + 2) + "|"]
    for cell in cells:
        shown = [_number(at.get((cell, method))) for method in methods]
        lines.append(f"| {cell} | " + " | ".join(shown) + f" | {_asked(at, cell, methods)} |")
    return "\n".join(lines)


def _ordered(rows: list[Row]) -> tuple[list[str], list[str]]:
    methods = list(dict.fromkeys(row.method for row in rows if not row.peer))
    methods += list(dict.fromkeys(row.method for row in rows if row.peer))
    return methods, list(dict.fromkeys(row.cell for row in rows))


def _number(row: Row | None) -> str:
    if row is None:
        return ""
    percent = not row.section.startswith(("CUSUM", "e-SR"))
    if row.se == 0:  # summed over all outcomes
        text = f"{100 * row.value:.2f}"
    else:
        text = f"{100 * row.value:.1f} ± {100 * row.se:.1f}" if percent else f"{row.value:.3f} ± {row.se:.3f}"
    return text if row.ok else f"**{text} ✗**"


def _asked(at: dict[tuple[str, str], Row], cell: str, methods: list[str]) -> str:
    parts: list[str] = []
    for method in methods:
        row = at.get((cell, method))
        if row is None or (row.low is None and row.high is None and not row.note):
            continue
        scale = 1 if row.section.startswith(("CUSUM", "e-SR")) else 100
        low = f"≥ {scale * row.low:g}" if row.low is not None else ""
        high = f"≤ {scale * row.high:g}" if row.high is not None else ""
        text = " and ".join(part for part in (low, high) if part)
        parts.append(f"{text} ({row.note})" if row.note and text else text or row.note)
    return "; ".join(dict.fromkeys(parts))


def chart(section: str, rows: list[Row]) -> str:
    """Dots on a line per cell: filled for ours, hollow for the peers' methods."""
    methods, cells = _ordered(rows)
    values = [row.value for row in rows]
    low, high = _range(values)
    height = TOP + LINE * len(cells) + 34 + 18 * len(methods)
    colour = _colours(rows, methods)

    def x(value: float) -> float:
        return LEFT + (WIDTH - LEFT - 30) * (min(high, max(low, value)) - low) / (high - low)

    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
        f'font-family="system-ui, sans-serif" font-size="12" aria-label="{escape(section)}">'
    )
    title = f'<text x="10" y="18" font-size="14" font-weight="600" fill="#1a1a1a">{escape(section)}</text>'
    out = [head, f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>', title]
    foot = TOP + LINE * len(cells)
    out.extend(_grid(_tick(section, value), x(value), foot) for value in _ticks(low, high))
    for i, cell in enumerate(cells):
        y = TOP + LINE * i + 10
        out.append(f'<text x="{LEFT - 10}" y="{y + 4}" text-anchor="end" fill="#1a1a1a">{escape(cell)}</text>')
        out.extend(_marks([row for row in rows if row.cell == cell], y, x, colour))
    for i, method in enumerate(methods):
        y = TOP + LINE * len(cells) + 28 + 18 * i
        fill = colour[method] if not _is_peer(rows, method) else "#ffffff"
        out.append(
            f'<circle cx="{LEFT}" cy="{y - 4}" r="5" fill="{fill}" stroke="{colour[method]}" '
            f'stroke-width="2"/><text x="{LEFT + 12}" y="{y}" fill="#1a1a1a">{escape(method)}</text>'
        )
    return "\n".join([*out, "</svg>", ""])


def _marks(rows: list[Row], y: float, x: Callable[[float], float], colour: dict[str, str]) -> list[str]:
    out: list[str] = []
    asked = [(r.low, r.high) for r in rows if r.low is not None or r.high is not None]
    for low, high in dict.fromkeys(asked):
        left, right = x(-9e9 if low is None else low), x(9e9 if high is None else high)
        out.append(
            f'<rect x="{left:.1f}" y="{y - 7}" width="{max(1.0, right - left):.1f}" height="14" '
            'fill="#0b6e4f" opacity="0.08"/>'
        )
    return out + [_dot(row, y, x, colour[row.method]) for row in sorted(rows, key=lambda row: not row.peer)]


def _dot(row: Row, y: float, x: Callable[[float], float], colour: str) -> str:
    left, right = x(row.value - 2 * row.se), x(row.value + 2 * row.se)
    fill = "#ffffff" if row.peer else colour
    return (
        f'<line x1="{left:.1f}" x2="{right:.1f}" y1="{y}" y2="{y}" stroke="{colour}" stroke-width="2"/>'
        f'<circle cx="{x(row.value):.1f}" cy="{y}" r="5" fill="{fill}" stroke="{colour}" stroke-width="2"/>'
    )


def _is_peer(rows: list[Row], method: str) -> bool:
    return next(row.peer for row in rows if row.method == method)


def _colours(rows: list[Row], methods: list[str]) -> dict[str, str]:
    ours = [m for m in methods if not _is_peer(rows, m)]
    peers = [m for m in methods if _is_peer(rows, m)]
    named = {m: COLOURS[i % len(COLOURS)] for i, m in enumerate(ours)}
    return {**named, **{m: PEER_COLOURS[i % len(PEER_COLOURS)] for i, m in enumerate(peers)}}


def _range(values: list[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    pad = max(0.01, (high - low) * 0.05)
    return max(0.0, low - pad), high + pad


def _grid(label: str, x: float, foot: float) -> str:
    return (
        f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{TOP - 8}" y2="{foot}" stroke="#e4e4e4"/>'
        f'<text x="{x:.1f}" y="{TOP - 12}" text-anchor="middle" fill="#555">{label}</text>'
    )


def _ticks(low: float, high: float) -> list[float]:
    step = next(step for step in (0.01, 0.02, 0.05, 0.1, 0.2) if (high - low) / step <= 6 or step == 0.2)
    first = math.ceil(low / step - 1e-9)
    return [i * step for i in range(first, math.floor(high / step + 1e-9) + 1)]


def _tick(section: str, value: float) -> str:
    return f"{value:.2f}" if section.startswith(("CUSUM", "e-SR")) else f"{100 * value:.0f}%"


def write(rows: list[Row], folder: Path, *, reps: int, seed: int, seconds: float) -> None:
    """Write README.md with all tables, and one chart a section."""
    folder.mkdir(parents=True, exist_ok=True)
    sections = list(dict.fromkeys(row.section for row in rows))
    failed = [row for row in rows if not row.ok]
    text = [HEAD.format(reps=reps, seed=seed, minutes=seconds / 60, cells=len({(r.section, r.cell) for r in rows}))]
    text.append(f"## Where a requirement is not met\n\n{_failures(failed)}\n")
    for section in sections:
        mine = [row for row in rows if row.section == section]
        name = f"{slug(section)}.svg"
        (folder / name).write_text(chart(section, mine), encoding="utf-8")
        text.append(f"## {section}\n\n![{section}]({name})\n\n{table(mine)}\n")
    (folder / "README.md").write_text("\n".join(text), encoding="utf-8")


def _failures(failed: list[Row]) -> str:
    if not failed:
        return "Nowhere: every cell below is within what is asked of it."
    return "\n".join(
        f"- {row.section}: {row.cell}: {row.method} gives {_number(row).strip('*').removesuffix(' ✗')}"
        + (", wider than it need be" if row.low is not None and row.value > row.low else "")
        for row in failed
    )


HEAD = """# Certification

What the statistics promise, checked by simulation: {reps:,} repetitions a cell, {cells} cells, seed {seed},
{minutes:.0f} minutes on two cores. `make certify` repeats it; the numbers come out the same.

Numbers are per cent with their standard error, unless said otherwise. Where cases are independent nothing is
drawn: the coverage is summed over all outcomes, exact to the digits shown. Coverage: how often a 95% interval
holds the truth; at least 92.5 is asked anywhere, and 93 to 97 where at least 10 failures and 10 discordant
clusters (seeds with a failure, or with a case that one arm wins) are expected. Error rates: nominal 5, at
most 6. **✗** marks a number outside. Columns with “(peers)” are what other tools do, in the same worlds;
nothing is asked of them.

The warning of `clustered_tango` is `piled_up`: the losses sit, in effect, in fewer than 10 clusters, or in
fewer than 30 when wins are fewer than a fifth of the losses. Asked of it: ships at the margin without that
warning stay at or below 6% everywhere.
"""
