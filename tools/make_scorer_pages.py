"""Write the scorers' pages, the tables of docs/scorers.md and docs/scorers/elsewhere.md, or check that they are fresh.

`python tools/make_scorer_pages.py` writes; `--check` only compares and exits with 1 where a file differs.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "src")]


def generated() -> dict[Path, str]:
    """Every generated file's content, by its path."""
    from scorer_pages import elsewhere, pages

    from seatrial.scorers import BUILTIN

    folder, overview = ROOT / "docs/scorers", ROOT / "docs/scorers.md"
    results = pages.read_results(ROOT / "bench/results/labelled.json")
    files = {folder / f"{name}.md": pages.page(name, results.get(name)) for name in BUILTIN}
    files[folder / "elsewhere.md"] = elsewhere.page()
    files[overview] = pages.overview(overview.read_text("utf-8"))
    return files


def main() -> int:
    """Write or check every generated file; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing, exit with 1 where a file differs")
    check = parser.parse_args().check
    files = generated()
    stale = [path for path, text in files.items() if not path.exists() or path.read_text("utf-8") != text]
    left = [path for path in (ROOT / "docs/scorers").glob("*.md") if path not in files]
    for path in stale:
        if not check:
            path.parent.mkdir(exist_ok=True)
            path.write_text(files[path], "utf-8")
        sys.stdout.write(f"{'differs' if check else 'written'}: {path.relative_to(ROOT)}\n")
    for path in left:
        if not check:
            path.unlink()
        sys.stdout.write(f"{'of no scorer' if check else 'removed'}: {path.relative_to(ROOT)}\n")
    return int(check and bool(stale or left))


if __name__ == "__main__":
    sys.exit(main())
