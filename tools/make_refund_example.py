"""Write the refund example's cases, and the tables of its documentation, or check that they are up to date.

`python tools/make_refund_example.py` writes; `--check` only compares and exits with 1 where a file differs.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "src")]
EXAMPLE = ROOT / "src/seatrial/examples/refund"
CASES = EXAMPLE / "cases.jsonl"


def main() -> int:
    """Write or check every generated file; the exit code."""
    from refund_example import cases, tables

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing, exit with 1 where a file differs")
    check = parser.parse_args().check
    stale = _put(CASES, cases.lines(), check)
    for page in (ROOT / "docs/example.md", EXAMPLE / "README.md"):
        stale |= _put(page, tables.filled(page.read_text("utf-8"), EXAMPLE).encode(), check)
    return int(check and stale)


def _put(path: Path, content: bytes, check: bool) -> bool:
    """Write the file unless it is as it should be; whether it was not."""
    if path.exists() and path.read_bytes() == content:
        return False
    if not check:
        path.write_bytes(content)
    sys.stdout.write(f"{'differs' if check else 'written'}: {path.relative_to(ROOT)}\n")
    return True


if __name__ == "__main__":
    sys.exit(main())
