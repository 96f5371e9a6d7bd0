"""A small version of the certification: a few cells, few repetitions, wide limits."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
REPS = 200


def certify(folder, only, first):
    if not (ROOT / "bench" / "certify").is_dir():
        pytest.skip("bench/certify is not part of this checkout")
    command = [sys.executable, "-m", "bench.certify", "--reps", str(REPS), "--jobs", "1"]
    command += ["--only", only, "--first", str(first), "--out", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, env={**os.environ, "PYTHONHASHSEED": "0"})
    return json.loads((folder / "results.json").read_text("utf-8"))


def by_method(rows):
    return {(row["cell"], row["method"]): row["value"] for row in rows}


def test_shipping_at_the_margin(tmp_path):
    rows = certify(tmp_path, "false_ship", 4)
    ours = [row["value"] for row in rows if row["method"] == "Tango at the effective size"]
    assert len(ours) == 4
    assert max(ours) <= 0.06 + 3 * 0.0154
    peers = [row["value"] for row in rows if row["method"].startswith("“no significant")]
    assert max(peers) > 0.2
    assert all(row["value"] <= 0.06 + 3 * 0.0154 for row in rows if "without a warning" in row["method"])


@pytest.mark.parametrize(("only", "cells"), [("clustered_pairs", 2), ("clustered_rate", 4), ("live_ab", 1)])
def test_cells_keep_their_promise_within_simulation_error(tmp_path, only, cells):
    rows = certify(tmp_path, only, cells)
    for row in rows:
        if row["low"] is not None:
            assert row["value"] >= row["low"] - 4 * row["se"] - 0.005, row
        if row["high"] is not None and only == "live_ab":
            assert row["value"] <= row["high"] + 4 * row["se"], row
    assert any(row["peer"] for row in rows)


def test_the_same_seed_gives_the_same_tables(tmp_path):
    first = certify(tmp_path / "a", "many_rubrics", 1)
    second = certify(tmp_path / "b", "many_rubrics", 1)
    assert first == second
    page = (tmp_path / "a" / "README.md").read_text("utf-8")
    charts = list((tmp_path / "a").glob("*.svg"))
    assert len(charts) == 1
    assert charts[0].name in page
    assert "±" in page
    assert charts[0].read_text("utf-8").startswith("<svg")
