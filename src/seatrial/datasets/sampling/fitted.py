"""Stratifiers that are fitted to cases: clusters of what is alike, and a classifier trained on labelled examples.

Both read a case by its hashed character n-grams. What was fitted is a file beside set.yaml, named there with its
sha256, so that the definition identifies it.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections import Counter
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, Self, cast

import numpy as np
from pydantic import Field

from seatrial.core.case import Case
from seatrial.core.files import write_whole
from seatrial.core.identity import canonical, loads
from seatrial.core.record import Filled, Record, as_dict
from seatrial.datasets.sampling.allocate import Floats, Ints, generator
from seatrial.datasets.sampling.duplicates import find
from seatrial.datasets.sampling.stratify import UNKNOWN, Definition, Row, last_text
from seatrial.errors import DatasetError, safe

FORMAT = "seatrial.stratifier/1"
MOST_FITTED = 5000
ROUNDS = 100
STEPS = 400
RIDGE = 1e-4
FOLDS = 5
RARE = 0.01
"""The share of the cases fitted to that is farther from its centre than what still belongs."""
_WORD = re.compile(r"[^\W\d_]{3,}")


class Model(NamedTuple):
    """A linear reading of vectors: the names of what is told apart, and a row of numbers for each.

    Clusters: their centres and, as the last row, the mean that is taken off first; `least` is the cosine below which
    nothing is near. Classes: a weight a dimension and, as the last column, the offset.
    """

    names: tuple[str, ...]
    weights: Floats
    least: float

    def text(self) -> bytes:
        """The model's file."""
        raw = b64encode(self.weights.astype("<f4").tobytes()).decode("ascii")
        plain = {
            "format": FORMAT,
            "names": list(self.names),
            "least": round(self.least, 6),
            "columns": self.weights.shape[1],
            "weights": raw,
        }
        return canonical(plain).encode("ascii") + b"\n"


class Fitted(Definition):
    """What the two have in common: the model's file, beside set.yaml, and its sha256."""

    model: Filled
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]

    def opened(self, folder: Path) -> Self:
        """The stratifier with its model read. Raises ValueError where the file is not the one that was fitted."""
        file = folder / self.model
        try:
            raw = file.read_bytes()
        except OSError as cause:
            raise ValueError(f"model {safe(self.model)} cannot be read: {cause.strerror}") from None
        if sha256(raw).hexdigest() != self.sha256:
            raise ValueError(f"model {safe(self.model)} is not the file that was fitted: its sha256 differs; fit again")
        vars(self)["_model"] = _read(raw)
        return self

    @property
    def fitted(self) -> Model:
        """The model. Raises ValueError before `opened`."""
        if "_model" not in vars(self):
            raise ValueError("the stratifier's model was not opened")
        return cast("Model", vars(self)["_model"])


class Clusters(Fitted):
    """The nearest of the clusters that were found; unknown where none is near. Names are the clusters' own words."""

    use: Literal["clusters"]

    def name(self, row: Row) -> str:
        """The cluster of a case."""
        model = self.fitted
        centres, mean = model.weights[:-1], model.weights[-1]
        seen = _centred(vector_of(row)[None, :], mean)[0]
        nearness = centres @ seen
        best = int(nearness.argmax())
        return model.names[best] if nearness[best] >= model.least else UNKNOWN


class Classifier(Fitted):
    """The likeliest class; unknown where its probability is below `confidence`."""

    use: Literal["classifier"]
    confidence: Annotated[float, Field(ge=0, le=1)] = 0.5

    def name(self, row: Row) -> str:
        """The class of a case."""
        odds = probabilities(self.fitted.weights, vector_of(row)[None, :])[0]
        best = int(odds.argmax())
        return self.fitted.names[best] if odds[best] >= self.confidence else UNKNOWN


def _read(raw: bytes) -> Model:
    found = as_dict(loads(raw))
    if found is None or found.get("format") != FORMAT:
        raise ValueError(f"the model is no {FORMAT} file")
    names = tuple(cast("list[str]", found["names"]))
    weights = np.frombuffer(b64decode(found["weights"]), dtype="<f4").astype(np.float64)
    return Model(names, weights.reshape(-1, found["columns"]), found["least"])


def vector_of(row: Row) -> Floats:
    """The unit vector of a case's last message of the user."""
    from seatrial.targets.hashing import vector

    return np.array(vector(last_text(row)))


# clusters ---------------------------------------------------------------------------------------------------------


def fit_clusters(cases: Sequence[Case], *, count: int | None = None, seed: int = 0) -> Model:
    """Spherical k-means over the vectors of cases, at most `MOST_FITTED` of them, chosen and started by the seed.

    `count`: how many clusters; else about √(n/50), between 2 and 40. Vectors are centred first, so that what all share
    does not count. Names are the two words most distinctive of each. Source: Dhillon and Modha 2001; seeding as in
    Arthur and Vassilvitskii 2007. Raises DatasetError with fewer cases than clusters.
    """
    ordered: list[Case] = sorted(cases, key=lambda case: case.input_hash)
    random = generator(seed, "clusters")
    if len(ordered) > MOST_FITTED:
        places = cast("list[int]", np.sort(random.choice(len(ordered), MOST_FITTED, replace=False)).tolist())
        ordered = [ordered[i] for i in places]
    wanted = count or int(np.clip(round((len(ordered) / 50) ** 0.5), 2, 40))
    if len(ordered) < wanted:
        raise DatasetError(f"{len(ordered):,} cases cannot form {wanted} clusters.", hint="give more cases")
    vectors = np.stack([vector_of(case.recorded) for case in ordered])
    mean = vectors.mean(axis=0)
    centred = _centred(vectors, mean)
    centres, of = _kmeans(centred, wanted, random)
    names = cluster_names([last_text(case.recorded) for case in ordered], of, wanted)
    nearness = (centred * centres[of]).sum(axis=1)
    return Model(names, np.vstack([centres, mean]), float(np.quantile(nearness, RARE)))


def _centred(vectors: Floats, mean: Floats) -> Floats:
    moved = vectors - mean
    length = np.linalg.norm(moved, axis=1, keepdims=True)
    return np.divide(moved, length, out=np.zeros_like(moved), where=length > 0)


def _kmeans(vectors: Floats, count: int, random: np.random.Generator) -> tuple[Floats, Ints]:
    centres = _started(vectors, count, random)
    of = np.full(len(vectors), -1)
    for _ in range(ROUNDS):
        nearest = (vectors @ centres.T).argmax(axis=1)
        if (nearest == of).all():
            break
        of = nearest
        for at in range(count):
            inside = vectors[of == at]
            if len(inside):
                centres[at] = inside.sum(axis=0)
        centres /= np.maximum(np.linalg.norm(centres, axis=1, keepdims=True), 1e-12)
    return centres, of


def _started(vectors: Floats, count: int, random: np.random.Generator) -> Floats:
    """Starting centres, each far from the others by chance."""
    chosen = [int(random.integers(len(vectors)))]
    for _ in range(count - 1):
        apart = np.clip(1 - (vectors @ vectors[chosen].T).max(axis=1), 0, None)
        total = apart.sum()
        chosen.append(int(random.choice(len(vectors), p=apart / total)) if total > 0 else chosen[-1])
    return vectors[chosen].copy()


def cluster_names(texts: Sequence[str], of: Ints, count: int) -> tuple[str, ...]:
    """The two words of each cluster that are common in it and rare elsewhere; a number sets equal names apart."""
    words = [set(_WORD.findall(text.casefold())) for text in texts]
    everywhere = Counter(word for held in words for word in held)
    names: list[str] = []
    for at in range(count):
        inside = [held for held, cluster in zip(words, of.tolist(), strict=True) if cluster == at]
        here = Counter(word for held in inside for word in held)
        others = max(1, len(words) - len(inside))
        edge = {word: n / len(inside) - (everywhere[word] - n) / others for word, n in here.items()}
        best = sorted(here, key=lambda word: (-edge[word], word))[:2]
        name = "-".join(best) or "other"
        names.append(name if name not in names else f"{name}-{at}")
    return tuple(names)


# classifier -------------------------------------------------------------------------------------------------------


class Accuracy(Record):
    """How often a classifier was right on examples held out, whole clusters at a time, with its 95% interval.

    `named`: the share of them that reached the confidence; `right_when_named`: how often those were right.
    """

    accuracy: float
    low: float
    high: float
    examples: int
    named: float
    right_when_named: float | None
    classes: Mapping[str, int]


def fit_classifier(
    cases: Sequence[Case], stratum: str, *, confidence: float = 0.5, seed: int = 0
) -> tuple[Model, Accuracy]:
    """Multinomial logistic regression on hashed n-grams, from cases whose strata hold the answer.

    The accuracy is out of fold, in five folds of whole clusters of near-duplicates; its interval counts clusters.
    Raises DatasetError where fewer than two classes, or fewer than ten examples in all, are labelled.
    """
    labelled = sorted((case for case in cases if case.strata.get(stratum, UNKNOWN) != UNKNOWN), key=lambda c: c.hash)
    names = tuple(sorted({case.strata[stratum] for case in labelled}))
    if len(names) < 2 or len(labelled) < 2 * FOLDS:
        raise DatasetError(
            f"{len(labelled):,} examples of {len(names)} values of {safe(stratum)!r} cannot train a classifier.",
            hint=f"label at least {2 * FOLDS} cases of two values or more, in strata.{stratum}",
        )
    places = {name: at for at, name in enumerate(names)}
    wanted = np.array([places[case.strata[stratum]] for case in labelled])
    vectors = np.stack([vector_of(case.recorded) for case in labelled])
    clusters = find(labelled).of
    odds = _out_of_fold(vectors, wanted, clusters, len(names), seed)
    counts = {name: int((wanted == at).sum()) for name, at in places.items()}
    model = Model(names, trained(vectors, wanted, len(names)), 0.0)
    return model, _accuracy(odds, wanted, clusters, confidence, counts)


def _out_of_fold(vectors: Floats, wanted: Ints, clusters: Ints, classes: int, seed: int) -> Floats:
    _, of = np.unique(clusters, return_inverse=True)
    fold = generator(seed, "folds").permutation(int(of.max()) + 1)[of] % FOLDS
    odds = np.zeros((len(wanted), classes))
    for one in range(FOLDS):
        out = fold == one
        if out.any() and not out.all():
            odds[out] = probabilities(trained(vectors[~out], wanted[~out], classes), vectors[out])
    return odds


def _accuracy(odds: Floats, wanted: Ints, clusters: Ints, confidence: float, counts: Mapping[str, int]) -> Accuracy:
    from seatrial.stats import cluster_rate

    right = (odds.argmax(axis=1) == wanted).astype(np.float64)
    named = odds.max(axis=1) >= confidence
    found = cluster_rate(right, clusters)
    return Accuracy(
        accuracy=float(right.mean()), low=float(found.interval.low), high=float(found.interval.high),
        examples=len(wanted), named=float(named.mean()),
        right_when_named=float(right[named].mean()) if named.any() else None, classes=counts,
    )  # fmt: skip


def trained(vectors: Floats, wanted: Ints, classes: int) -> Floats:
    """Weights (a row a class, the last column its offset) that minimise the ridge-penalised log loss.

    Accelerated gradient steps of the length that the loss's curvature allows: no randomness (Nesterov 1983).
    """
    x = np.hstack([vectors, np.ones((len(vectors), 1))])
    target = np.eye(classes)[wanted]
    step = 1.0 / (0.5 * float(np.linalg.norm(x, 2)) ** 2 / len(x) + RIDGE)
    weights = ahead = np.zeros((classes, x.shape[1]))
    pace = 1.0
    for _ in range(STEPS):
        slope = (_softmax(x @ ahead.T) - target).T @ x / len(x) + RIDGE * ahead
        moved = ahead - step * slope
        faster = (1 + (1 + 4 * pace * pace) ** 0.5) / 2
        ahead = moved + (pace - 1) / faster * (moved - weights)
        weights, pace = moved, faster
    return weights


def probabilities(weights: Floats, vectors: Floats) -> Floats:
    """The probability of each class, a row a vector."""
    return _softmax(vectors @ weights[:, :-1].T + weights[:, -1])


def _softmax(scores: Floats) -> Floats:
    raised = np.exp(scores - scores.max(axis=1, keepdims=True))
    return raised / raised.sum(axis=1, keepdims=True)


# keeping ----------------------------------------------------------------------------------------------------------


def keep(
    model: Model, folder: Path, stratum: str, use: Literal["clusters", "classifier"], **more: Any
) -> dict[str, Any]:
    """Write the model beside set.yaml; gives the definition that belongs into its `stratifiers`."""
    raw = model.text()
    name = re.sub(r"[^\w.-]", "_", stratum)[:60]
    file = f"stratifiers/{name}.json"
    write_whole(folder / file, lambda out: out.write(raw), "The stratifier's model")
    return {"stratum": stratum, "use": use, "model": file, "sha256": sha256(raw).hexdigest(), **more}
