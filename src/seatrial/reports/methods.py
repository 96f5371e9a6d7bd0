"""What the methods named on the numbers are, for a report's appendix."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Method:
    """A statistical method: how it is recognised in a number's `method`, what it is, and where it comes from."""

    pattern: str
    title: str
    text: str
    source: str


METHODS = (
    Method(
        r"jackknife",
        "Delete-one-cluster jackknife",
        "A number over all labels (F1, MCC, balanced accuracy …) has no formula for its error. Each cluster is left "
        "out in turn; how much the number moves gives its standard error, used with the t distribution of one degree "
        "of freedom fewer than there are clusters.",
        "Quenouille 1956; Tukey 1958; Miller 1974",
    ),
    Method(
        r"unseen traffic",
        "Bounds for traffic without a case",
        "Where a stratum has production traffic and no case, the interval is widened to hold whatever the difference "
        "is there; what it is in the rest is found as for any other rubric.",
        "Manski 1989",
    ),
    Method(
        r"unpaired.*miettinen",
        "Miettinen–Nurminen interval, unpaired",
        "The arms answered different cases, so their pass rates are compared as those of two samples: all differences "
        "that a score test does not reject. With cases in clusters, or weighted, it is taken at the effective size. It "
        "shows less than as many pairs would.",
        "Miettinen and Nurminen, Statistics in Medicine 1985; Rao and Scott 1992",
    ),
    Method(
        r"pass[\^@]\d",
        "pass^k and pass@k",
        "The chance that k tries at a case all pass, and that at least one does, estimated without bias from all tries "
        "made; the interval is Wilson's over cases at the effective size of their clusters, never over tries.",
        "Yao et al. 2024; Chen et al. 2021",
    ),
    Method(
        r"tango.*weight",
        "Tango score interval, weighted to traffic",
        "Each case counts by its weight and the traffic share of its strata (post-stratification, or raking where "
        "several strata have shares). The weighted shares of won and lost pairs are taken at the effective size: that "
        "of the clusters and of the weights, never above Kish's.",
        "Tango 1998; Rao and Scott 1992; Kish 1965; Deming and Stephan 1940",
    ),
    Method(
        r"tango.*test",
        "Tango's score test",
        "The test that belongs to the Tango interval: how often a difference like the one found, or a larger one, "
        "would come of equal arms. With cases in clusters it is taken at the effective sample size.",
        "Tango, Statistics in Medicine 1998",
    ),
    Method(
        r"tango.*(clust|effective)|(clust|effective).*tango",
        "Tango score interval at the effective sample size",
        "The counts of won, lost and all pairs are divided by the design effect of the clusters, the small-sample t "
        "correction included, before the Tango interval is taken. Cases from one seed count as less than as many "
        "independent ones.",
        "Tango 1998; Korn and Graubard 1998",
    ),
    Method(
        r"tango",
        "Tango score interval",
        "The interval of the difference of two pass rates on the same cases: all differences that a score test on "
        "the won and lost pairs does not reject. It never has zero width, even when no pair differs.",
        "Tango, Statistics in Medicine 1998",
    ),
    Method(
        r"wilson.*(clust|effective)|(clust|effective).*wilson",
        "Wilson interval at the effective sample size",
        "The Wilson interval of a pass rate, taken at the number of independent cases that carries as much "
        "information as the clusters do.",
        "Wilson 1927; Korn and Graubard 1998",
    ),
    Method(
        r"wilson",
        "Wilson score interval",
        "The interval of a pass rate: all rates that a score test does not reject. It stays within 0 and 100% and "
        "holds its level near both ends.",
        "Wilson, JASA 1927; Brown, Cai and DasGupta 2001",
    ),
    Method(
        r"clopper",
        "Clopper–Pearson interval",
        "The exact binomial bound on a failure rate. It covers the truth at least as often as it says, which is what "
        "a gate needs. With cases in clusters it is taken at the effective size; without failures, at the number of "
        "seeds.",
        "Clopper and Pearson, Biometrika 1934",
    ),
    Method(
        r"mcnemar|mid-?p",
        "Mid-p McNemar test",
        "A test on the pairs in which one arm passes and the other fails, against the binomial distribution with one "
        "half, counting half of the observed outcome's probability.",
        "McNemar 1947; Fagerland, Lydersen and Laake 2013",
    ),
    Method(
        r"newcombe",
        "Newcombe interval",
        "The interval of a difference of two rates, built from their two Wilson intervals.",
        "Newcombe, Statistics in Medicine 1998",
    ),
    Method(
        r"bootstrap|resampl",
        "Bootstrap over clusters",
        "Whole clusters are drawn again with replacement, from a fixed seed, and the interval is read from the "
        "statistic's distribution over the draws.",
        "Efron and Tibshirani 1993; Davison and Hinkley 1997",
    ),
    Method(
        r"order|quantile|woodruff",
        "Order-statistic interval of a percentile",
        "The interval of a percentile lies between two of the sorted measurements, chosen by the binomial "
        "distribution; it assumes no shape. With cases in clusters the effective size is used.",
        "Woodruff 1952; Hahn and Meeker 1991",
    ),
    Method(
        r"robust|delta method",
        "Cluster-robust t interval",
        "The standard error of a mean, of a mean difference or of a ratio of means (on the log scale) is taken over "
        "clusters, with the t distribution of one degree of freedom fewer than there are clusters.",
        "Liang and Zeger 1986; Miller 2024",
    ),
    Method(
        r"\bt\b|student",
        "Student's t interval",
        "The interval of a mean from its standard error and the t distribution.",
        "Student 1908",
    ),
    Method(
        r"^mean\b",
        "Mean",
        "The average of the measures; where all are equal there is nothing to bound.",
        "no estimate",
    ),
)

HOLM = Method(
    "",
    "Holm adjustment",
    "A block asks whether any rubric is worse than its margin, so those p-values are adjusted for their number. A "
    "ship needs every rubric to hold, which needs no adjustment (intersection–union test).",
    "Holm 1979; Berger 1982",
)

BENJAMINI_HOCHBERG = Method(
    "",
    "Benjamini–Hochberg adjustment",
    "Slices are exploratory. Their p-values are adjusted so that, of the slices called different, the expected share "
    "of false calls stays below the level.",
    "Benjamini and Hochberg 1995",
)

MISSING = Method(
    "",
    "Bounds for missing results",
    "A result that nobody could give is neither a pass nor a fail. The difference is also computed with every missing "
    "result counted against the candidate, and for it; the truth lies between.",
    "Manski 1989",
)


BUSINESS = Method(
    "",
    "Draws of both failure rates",
    "What failures cost is drawn many times from a Dirichlet distribution around the paired counts (half a case of "
    "each kind as the prior, at the effective size where cases share clusters), both arms together, so that what they "
    "share cancels. Probabilities, expected losses and the worth of further cases are read from these draws.",
    "Jeffreys 1946; Raiffa and Schlaifer 1961",
)

RANKS = Method(
    "",
    "Simultaneous ranks and the Pareto front",
    "Every pair of targets is compared on the same cases, at a level that holds for all pairs at once (Bonferroni); a "
    "rank is ruled out only by a difference shown so. The front is drawn again over whole clusters.",
    "Mogstad, Romano, Shaikh and Wilhelm 2024; Efron and Tibshirani 1993",
)


def describe(name: str) -> Method | None:
    """The method that a number's `method` names; None when it is not known here."""
    return next((m for m in METHODS if re.search(m.pattern, name, re.IGNORECASE)), None)
