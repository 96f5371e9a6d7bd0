"""The example that comes with Seatrial: a refund-support agent, its cases and four simulated models.

`REFUND` is its folder, `copy_refund` copies it as the start of a suite of one's own. `docs/example.md` describes it.
"""

from __future__ import annotations

from pathlib import Path

from seatrial.errors import UsageError, safe

REFUND = Path(__file__).parent / "refund"
"""The folder that holds the example's suite."""

FILES = ("seatrial.yaml", "cases.jsonl", "models.py", "README.md")


def copy_refund(folder: Path) -> list[Path]:
    """Copy the example into a folder, which is made where it is missing; gives the files written.

    Raises UsageError, and writes nothing, when one of the files is there already or the folder cannot be written.
    """
    try:
        there = [name for name in FILES if (folder / name).exists()]
        if not there:
            folder.mkdir(parents=True, exist_ok=True)
            for name in FILES:
                (folder / name).write_bytes((REFUND / name).read_bytes())
    except (OSError, ValueError) as cause:
        why = safe(getattr(cause, "strerror", None) or str(cause))
        raise UsageError(
            f"The example cannot be written to {safe(str(folder))}: {why}.", hint="name a folder that you may write to"
        ) from cause
    if there:
        raise UsageError(
            f"{safe(str(folder))} already holds {' and '.join(there)}; nothing was written.",
            hint="name a new folder, like `seatrial init refund`",
        )
    return [folder / name for name in FILES]
