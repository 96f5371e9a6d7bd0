"""`set.yaml`: what people edit of a set."""

from __future__ import annotations

from collections.abc import Mapping
from io import StringIO
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, ValidationError
from ruamel.yaml import YAML

from seatrial.core.identity import digest
from seatrial.core.record import Filled, Json, Record, Text, as_dict
from seatrial.core.suite import Name
from seatrial.datasets.reading.faults import Fault, Steps, dotted, shown, translate
from seatrial.datasets.reading.yamltree import parse
from seatrial.errors import DatasetError, Problem, safe

MAX_FILE = 1 << 20
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class MatchMargins(Record):
    """How far a set may be from traffic and still look like it.

    `share_points`: the largest difference of a stratum's share, in percentage points. `total_variation`: the largest
    total variation distance of a whole stratum. `auc`: the largest out-of-fold AUC of a classifier that tells the set
    from traffic; 0.5 is chance. `least`: fewer cases on either side decide nothing.
    """

    share_points: float = Field(default=10.0, gt=0, le=100)
    total_variation: float = Field(default=0.15, gt=0, le=1)
    auc: float = Field(default=0.65, gt=0.5, le=1)
    least: int = Field(default=50, ge=10)


class SetConfig(Record):
    """What people edit of a set.

    `stratifiers` say how cases get their strata, `shares` what share of production traffic each value of a stratum
    has, `sampling` how the cases were drawn, `match` when the set no longer looks like traffic. `anchors` are ids of
    cases that a refresh always keeps. `sealing` holds settings of the sealed split.
    """

    name: Name | None = None
    description: Text = ""
    stratifiers: tuple[Json, ...] = ()
    shares: Mapping[str, Mapping[str, Share]] = Field(default_factory=dict)
    sampling: Mapping[str, Json] = Field(default_factory=dict)
    match: MatchMargins = MatchMargins()
    anchors: tuple[Filled, ...] = ()
    sealing: Mapping[str, Json] = Field(default_factory=dict)

    @property
    def stratifier(self) -> str:
        """Identity of how strata are assigned; empty where nothing is said."""
        return digest("stratifier", list(self.stratifiers)) if self.stratifiers else ""


def read_config(file: Path, name: str) -> SetConfig:
    """The settings in a set.yaml; the defaults where it is absent or empty. Raises DatasetError with every fault."""
    try:
        raw = file.read_bytes()[: MAX_FILE + 1]
        text = raw.decode("utf-8-sig")
    except FileNotFoundError:
        return SetConfig()
    except (OSError, ValueError) as cause:
        raise DatasetError(
            f"{safe(name, 200)} cannot be read: {safe(str(cause), 120)}.", hint="save it as UTF-8"
        ) from None
    if len(raw) > MAX_FILE:
        raise DatasetError(
            f"{safe(name, 200)} is larger than 1 MiB.", hint="cases belong in build.jsonl and test.jsonl"
        )
    if not any(line.strip() and not line.lstrip().startswith("#") for line in text.splitlines()):
        return SetConfig()
    tree = parse(text)
    faults = list(tree.faults)
    found = as_dict(tree.data)
    if found is None and not faults:
        faults.append(Fault((), "must be keys and values, like `name: refunds`", shown(tree.data)))
    config, broken = _checked(found) if found is not None else (None, [])
    told: dict[Steps, Fault] = {}
    for fault in (*faults, *broken):
        told.setdefault(fault.path, fault)
    if told or config is None:
        problems = [Problem(f.rule, name, tree.line(f.path), dotted(f.path), f.value, f.hint) for f in told.values()]
        raise DatasetError(f"The settings of the set, {safe(name, 200)}, cannot be used.", problems=problems)
    return config


def _checked(found: dict[str, Any]) -> tuple[SetConfig | None, list[Fault]]:
    try:
        config = SetConfig.model_validate(found)
    except ValidationError as error:
        return None, translate(error, SetConfig, found)
    faults: list[Fault] = []
    for stratum, shares in config.shares.items():
        total = sum(shares.values())
        if shares and abs(total - 1) > 1e-6:
            faults.append(Fault(("shares", stratum), "must sum to 1", f"{total:.6g}", "shares are parts, not percent"))
    return config, faults


def config_text(config: SetConfig, before: str = "") -> str:
    """The settings as YAML. What `before` has stays as it was written, comments too, where it says the same."""
    plain = config.model_dump(mode="json", exclude_defaults=True)
    yaml: Any = YAML(typ="rt", pure=True)
    yaml.allow_unicode = True
    yaml.width = 120
    told: Any = yaml.load(before) if before.strip() else None
    if not isinstance(told, dict):
        told = yaml.map()
    for key in set(as_dict(told) or {}) - set(plain):
        del told[key]
    said = read_text(before)
    for key, value in plain.items():
        if key not in told or said.get(key) != value:
            told[key] = value
    out = StringIO()
    yaml.dump(told, out)
    return out.getvalue() if plain else ""


def read_text(text: str) -> dict[str, Any]:
    """The settings in a text as plain values; none where it cannot be read."""
    found = as_dict(parse(text).data) if text.strip() else None
    config = _checked(found)[0] if found is not None else None
    return config.model_dump(mode="json", exclude_defaults=True) if config is not None else {}
