"""The package as a whole: names, laziness, no scipy.stats."""

import inspect
import subprocess
import sys

import pytest

import seatrial.stats as stats

ASSIGNED = [
    "wilson",
    "clopper_pearson",
    "jeffreys",
    "cluster_rate",
    "post_stratify",
    "mcnemar",
    "tango",
    "tango_z",
    "tango_clustered",
    "newcombe_paired",
    "miettinen_nurminen",
    "paired_cluster",
    "jackknife",
    "variance_components",
    "holm",
    "benjamini_hochberg",
    "n_paired",
    "mde_paired",
    "n_unpaired",
    "rogan_gladen",
    "ppi_mean",
    "two_phase",
    "cohen_kappa",
    "gwet_ac1",
    "krippendorff_alpha",
    "bernoulli_cs",
    "normal_mixture_bound",
    "betting_cs",
    "obrien_fleming_bounds",
    "bernoulli_cusum",
    "arl_exact",
    "e_sr",
    "bradley_terry",
    "davidson",
    "tco_draws",
    "pareto_probability",
    "vendi",
    "selective_threshold",
    "pass_at_k",
    "pass_hat_k",
    "quantile_interval",
]


def test_every_assigned_name_is_public():
    assert set(ASSIGNED) <= set(stats.__all__)
    assert stats.__all__ == sorted(stats.__all__)
    assert set(stats.__all__) <= set(dir(stats))


@pytest.mark.parametrize("name", stats.__all__)
def test_every_name_loads_and_is_documented(name):
    value = getattr(stats, name)
    assert value.__doc__
    if inspect.isfunction(value) and inspect.signature(value).parameters:
        assert value.__doc__.startswith("Return")
        assert name == "tango_bounds" or "Raises:" in value.__doc__
        assert "return" in inspect.get_annotations(value)


def test_unknown_names_are_refused():
    with pytest.raises(AttributeError, match="no attribute 'bootstrap_p_rate'"):
        _ = stats.bootstrap_p_rate


PROBE = """
import sys
import seatrial.stats as stats
assert not [m for m in sys.modules if m.startswith(("scipy", "numpy"))], "the package itself imports nothing heavy"
stats.wilson
assert "seatrial.stats.pairs" not in sys.modules, "one family does not import the others"
for name in stats.__all__:
    getattr(stats, name)
assert "scipy.stats" not in sys.modules and "scipy.optimize" not in sys.modules
"""


def test_imports_are_lazy_and_never_take_scipy_stats():
    done = subprocess.run([sys.executable, "-c", PROBE], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
