"""Pure functions on numbers: rates, paired comparison, power, sequential, calibration, drift, ranking, economics.

Names are loaded when first used, so that one family does not import all others.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from seatrial.stats.agreement import (
        cohen_kappa,
        gwet_ac1,
        krippendorff_alpha,
        observed_agreement,
        ratings_from_table,
    )
    from seatrial.stats.arms import miettinen_nurminen, miettinen_nurminen_z, newcombe_unpaired
    from seatrial.stats.charts import arl_ewma, arl_normal_cusum, arl_shewhart, arl_siegmund
    from seatrial.stats.clusters import (
        ClusteredMean,
        ClusteredTango,
        clustered_tango,
        paired_cluster,
        tango_clustered,
        tango_clustered_p,
    )
    from seatrial.stats.contamination import (
        DifferenceInDifferences,
        canary_exposure,
        difference_in_differences,
        lsh_probability,
        min_k,
        min_k_plus_plus,
    )
    from seatrial.stats.drift import (
        CusumDesign,
        DriftPath,
        arl_exact,
        bernoulli_cusum,
        cusum_path,
        e_sr,
        ewma_path,
    )
    from seatrial.stats.economics import (
        CostPlan,
        TcoDraws,
        break_even_rate,
        evsi,
        pareto_probability,
        payback_periods,
        tco_draws,
        total_cost,
    )
    from seatrial.stats.judges import (
        Ppi,
        RoganGladen,
        TwoPhase,
        calibration_split,
        effective_voters,
        majority_accuracy,
        ppi_mean,
        rogan_gladen,
        two_phase,
    )
    from seatrial.stats.multiplicity import benjamini_hochberg, benjamini_yekutieli, holm, hommel
    from seatrial.stats.pairs import (
        McNemar,
        mcnemar,
        mcnemar_one_sided,
        newcombe_paired,
        tango,
        tango_bounds,
        tango_p,
        tango_z,
    )
    from seatrial.stats.passk import pass_at_k, pass_hat_k
    from seatrial.stats.power import (
        design_effect,
        mde_paired,
        mde_unpaired,
        n_graded,
        n_noninferior,
        n_paired,
        n_unpaired,
        n_zero_failures,
        power_paired,
        power_unpaired,
    )
    from seatrial.stats.quantiles import Ranks, quantile_interval, quantile_ranks
    from seatrial.stats.ranking import (
        Ranking,
        RankingDraws,
        bootstrap_ratings,
        bradley_terry,
        davidson,
        elo,
        elo_expected,
        rao_kupper,
    )
    from seatrial.stats.rates import (
        ClusterRate,
        Interval,
        PostStratified,
        clopper_pearson,
        cluster_clopper_pearson,
        cluster_rate,
        combine_strata,
        jeffreys,
        manski_bounds,
        post_stratify,
        wilson,
    )
    from seatrial.stats.sequential import (
        AbDifference,
        BettingCs,
        ab_difference,
        bernoulli_cs,
        betting_cs,
        crossing_probability,
        normal_mixture_bound,
        obrien_fleming_bounds,
        sub_bernoulli_cs,
    )
    from seatrial.stats.sets import (
        Regression,
        Selective,
        brier,
        calibration_error,
        conformal_rank,
        regression_estimate,
        selective_threshold,
        vendi,
    )
    from seatrial.stats.variance import (
        Jackknife,
        VarianceComponents,
        bootstrap_t,
        cluster_bootstrap,
        jackknife,
        tango_without_each,
        variance_components,
    )

_FAMILIES = {
    "agreement": (
        "cohen_kappa", "gwet_ac1", "krippendorff_alpha", "observed_agreement", "ratings_from_table",
    ),
    "arms": (
        "miettinen_nurminen", "miettinen_nurminen_z", "newcombe_unpaired",
    ),
    "charts": (
        "arl_ewma", "arl_normal_cusum", "arl_shewhart", "arl_siegmund",
    ),
    "clusters": (
        "ClusteredMean", "ClusteredTango", "clustered_tango", "paired_cluster", "tango_clustered",
        "tango_clustered_p",
    ),
    "contamination": (
        "DifferenceInDifferences", "canary_exposure", "difference_in_differences", "lsh_probability", "min_k",
        "min_k_plus_plus",
    ),
    "drift": (
        "CusumDesign", "DriftPath", "arl_exact", "bernoulli_cusum", "cusum_path", "e_sr", "ewma_path",
    ),
    "economics": (
        "CostPlan", "TcoDraws", "break_even_rate", "evsi", "pareto_probability", "payback_periods",
        "tco_draws", "total_cost",
    ),
    "judges": (
        "Ppi", "RoganGladen", "TwoPhase", "calibration_split", "effective_voters", "majority_accuracy",
        "ppi_mean", "rogan_gladen", "two_phase",
    ),
    "multiplicity": (
        "benjamini_hochberg", "benjamini_yekutieli", "holm", "hommel",
    ),
    "pairs": (
        "McNemar", "mcnemar", "mcnemar_one_sided", "newcombe_paired", "tango", "tango_bounds", "tango_p",
        "tango_z",
    ),
    "passk": (
        "pass_at_k", "pass_hat_k",
    ),
    "power": (
        "design_effect", "mde_paired", "mde_unpaired", "n_graded", "n_noninferior", "n_paired", "n_unpaired",
        "n_zero_failures", "power_paired", "power_unpaired",
    ),
    "quantiles": (
        "Ranks", "quantile_interval", "quantile_ranks",
    ),
    "ranking": (
        "Ranking", "RankingDraws", "bootstrap_ratings", "bradley_terry", "davidson", "elo", "elo_expected",
        "rao_kupper",
    ),
    "rates": (
        "ClusterRate", "Interval", "PostStratified", "clopper_pearson", "cluster_clopper_pearson",
        "cluster_rate", "combine_strata", "jeffreys", "manski_bounds", "post_stratify", "wilson",
    ),
    "sequential": (
        "AbDifference", "BettingCs", "ab_difference", "bernoulli_cs", "betting_cs", "crossing_probability",
        "normal_mixture_bound", "obrien_fleming_bounds", "sub_bernoulli_cs",
    ),
    "sets": (
        "Regression", "Selective", "brier", "calibration_error", "conformal_rank", "regression_estimate",
        "selective_threshold", "vendi",
    ),
    "variance": (
        "Jackknife", "VarianceComponents", "bootstrap_t", "cluster_bootstrap", "jackknife",
        "tango_without_each", "variance_components",
    ),
}  # fmt: skip
_HOME = {name: family for family, names in _FAMILIES.items() for name in names}

__all__ = [  # one list in plain alphabetical order
    "AbDifference", "BettingCs", "ClusterRate", "ClusteredMean", "ClusteredTango", "CostPlan", "CusumDesign",
    "DifferenceInDifferences", "DriftPath", "Interval", "Jackknife", "McNemar", "PostStratified", "Ppi",
    "Ranking", "RankingDraws", "Ranks", "Regression", "RoganGladen", "Selective", "TcoDraws", "TwoPhase",
    "VarianceComponents", "ab_difference", "arl_ewma", "arl_exact", "arl_normal_cusum", "arl_shewhart",
    "arl_siegmund", "benjamini_hochberg", "benjamini_yekutieli", "bernoulli_cs", "bernoulli_cusum",
    "betting_cs", "bootstrap_ratings", "bootstrap_t", "bradley_terry", "break_even_rate", "brier",
    "calibration_error", "calibration_split", "canary_exposure", "clopper_pearson", "cluster_bootstrap",
    "cluster_clopper_pearson", "cluster_rate", "clustered_tango", "cohen_kappa", "combine_strata",
    "conformal_rank", "crossing_probability", "cusum_path", "davidson", "design_effect",
    "difference_in_differences", "e_sr", "effective_voters", "elo", "elo_expected", "evsi", "ewma_path",
    "gwet_ac1", "holm", "hommel", "jackknife", "jeffreys", "krippendorff_alpha", "lsh_probability",
    "majority_accuracy", "manski_bounds", "mcnemar", "mcnemar_one_sided", "mde_paired", "mde_unpaired",
    "miettinen_nurminen", "miettinen_nurminen_z", "min_k", "min_k_plus_plus", "n_graded", "n_noninferior",
    "n_paired", "n_unpaired", "n_zero_failures", "newcombe_paired", "newcombe_unpaired",
    "normal_mixture_bound", "obrien_fleming_bounds", "observed_agreement", "paired_cluster",
    "pareto_probability", "pass_at_k", "pass_hat_k", "payback_periods", "post_stratify", "power_paired",
    "power_unpaired", "ppi_mean", "quantile_interval", "quantile_ranks", "rao_kupper", "ratings_from_table",
    "regression_estimate", "rogan_gladen", "selective_threshold", "sub_bernoulli_cs", "tango", "tango_bounds",
    "tango_clustered", "tango_clustered_p", "tango_p", "tango_without_each", "tango_z", "tco_draws",
    "total_cost", "two_phase", "variance_components", "vendi", "wilson",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    """Load a public name from its family when it is first used."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names too."""
    return sorted({*globals(), *__all__})
