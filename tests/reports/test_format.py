from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.reports import format as f
from seatrial.verdicts.records import Estimate

CASES = [
    pytest.param(f.bracketed, (0.244, 0.242, 0.247, "s"), "244 ms [242, 247]", id="interval-says-the-unit-once"),
    pytest.param(
        f.bracketed, (1.06, 0.996, 1.2, "s"), "1.06 s [1.00, 1.20]", id="interval-on-the-scale-of-its-measure"
    ),
    pytest.param(f.bracketed, (1.2, 1.1, None, "s"), "1.20 s [1.10, –]", id="interval-with-an-open-end"),
    pytest.param(f.bracketed, (0.5, 0.4, 0.6, "USD"), "$0.5 [$0.4, $0.6]", id="interval-of-dollars"),
    pytest.param(f.bracketed, (3.0, 2.0, 4.0, ""), "3 [2, 4]", id="interval-without-a-unit"),
    pytest.param(f.bracketed, (None, None, None, "s"), "– [–, –]", id="interval-unknown"),
    pytest.param(
        f.span, ("2026-11-21T10:32:01Z", "2026-11-21T10:32:59Z"), "21 Nov 2026, 10:32 UTC", id="span-a-minute"
    ),
    pytest.param(
        f.span, ("2026-11-21T10:32:00Z", "2026-11-21T11:07:00Z"), "21 Nov 2026, 10:32 to 11:07 UTC", id="span-one-day"
    ),
    pytest.param(
        f.span,
        ("2026-11-21T23:59:00Z", "2026-11-22T00:01:00Z"),
        "21 Nov 2026, 23:59 UTC to 22 Nov 2026, 00:01 UTC",
        id="span-over-midnight",
    ),
    pytest.param(f.span, ("nonsense", "never"), "nonsense to never", id="span-of-what-is-no-time"),
    pytest.param(f.listed, (["a", "b", "c"],), "a, b and c", id="listed"),
    pytest.param(f.listed, ([],), "", id="listed-none"),
    pytest.param(f.points, (0.0218,), "+2.2", id="points-up"),
    pytest.param(f.points, (-0.0218,), "−2.2", id="points-down-with-a-true-minus"),
    pytest.param(f.points, (-0.0004,), "−0.04", id="points-that-are-not-zero-do-not-read-as-zero"),
    pytest.param(f.points, (0.00049,), "+0.05", id="points-below-half-a-tenth"),
    pytest.param(f.points, (-0.000002,), "−0.0002", id="points-tiny"),
    pytest.param(f.points, (-1e-17,), "0.0", id="points-rounding-noise-is-zero-without-a-minus"),
    pytest.param(f.points, (-0.0,), "0.0", id="points-minus-zero"),
    pytest.param(f.points, (-0.0004, 0), "0", id="whole-points-stay-whole"),
    pytest.param(f.points, (None,), "–", id="points-unknown"),
    pytest.param(f.points, (math.nan,), "–", id="points-nan"),
    pytest.param(f.points, (-0.624, 0), "−62", id="points-whole"),
    pytest.param(f.percent, (0.912,), "91.2%", id="percent"),
    pytest.param(f.percent, (1.0,), "100.0%", id="percent-all"),
    pytest.param(f.percent, (0.9999,), ">99.9%", id="percent-almost-all-is-not-all"),
    pytest.param(f.percent, (0.0,), "0.0%", id="percent-none"),
    pytest.param(f.percent, (0.0001,), "<0.1%", id="percent-hardly-any-is-not-none"),
    pytest.param(f.percent, (0.001, 0), "<1%", id="percent-whole-hardly-any"),
    pytest.param(f.level, (0.9,), "90%", id="level"),
    pytest.param(f.level, (0.975,), "97.5%", id="level-with-a-half"),
    pytest.param(f.ratio, (0.5714,), "0.57×", id="ratio"),
    pytest.param(f.p_value, (0.0312,), "0.031", id="p"),
    pytest.param(f.p_value, (0.00004,), "<0.001", id="p-tiny"),
    pytest.param(f.p_value, (1.0,), "1.00", id="p-one"),
    pytest.param(f.dollars, (12.3,), "$12.30", id="dollars"),
    pytest.param(f.dollars, (1234.5,), "$1,234.50", id="dollars-thousands"),
    pytest.param(f.dollars, (0.00042,), "$0.00042", id="dollars-tiny"),
    pytest.param(f.dollars, (0.0,), "$0.00", id="dollars-free"),
    pytest.param(f.dollars, (None,), "unknown", id="dollars-unknown-is-not-free"),
    pytest.param(f.cost, (1.91, 14), "at least $1.91, 14 outputs unknown", id="cost-partly-known"),
    pytest.param(f.cost, (None, 1560), "unknown", id="cost-unknown"),
    pytest.param(f.seconds, (0.0123,), "12 ms", id="milliseconds"),
    pytest.param(f.seconds, (0.0002,), "<1 ms", id="below-a-millisecond"),
    pytest.param(f.seconds, (0.9996,), "1.00 s", id="no-1000-ms"),
    pytest.param(f.seconds, (9.996,), "10.0 s", id="no-10.00-s"),
    pytest.param(f.seconds, (75,), "75.0 s", id="seconds"),
    pytest.param(f.seconds, (119.97,), "2 min 0 s", id="no-120.0-s"),
    pytest.param(f.seconds, (179.7,), "3 min 0 s", id="no-60-seconds"),
    pytest.param(f.seconds, (0,), "0 ms", id="no-time"),
    pytest.param(f.count, (1560,), "1,560", id="thousands"),
    pytest.param(f.count, (2**63,), "9,223,372,036,854,775,808", id="two-to-the-63"),
    pytest.param(f.plural, (1, "case"), "1 case", id="one-case"),
    pytest.param(f.plural, (0, "case"), "0 cases", id="no-cases"),
    pytest.param(f.quantity, (1.5, "s"), "1.50 s", id="quantity-seconds"),
    pytest.param(f.quantity, (1234.56, "tokens"), "1,235 tokens", id="quantity-tokens"),
    pytest.param(f.quantity, (0.1, ""), "0.1", id="quantity-without-unit"),
    pytest.param(f.quantity, (1e20, "tokens"), "1.00e+20 tokens", id="quantity-huge"),
    pytest.param(f.quantity, (-2.5, "°C"), "−2.5 °C", id="quantity-negative"),
    pytest.param(f.moment, ("2026-11-21T10:32:00+02:00",), "21 Nov 2026, 08:32 UTC", id="moment-to-utc"),
    pytest.param(f.moment, ("2026-11-21T10:32:00",), "21 Nov 2026, 10:32", id="moment-without-zone"),
    pytest.param(f.moment, ("last tuesday",), "last tuesday", id="moment-that-is-none"),
    pytest.param(f.moment, ("0001-01-01T00:00:00+14:00",), "0001-01-01T00:00:00+14:00", id="moment-before-time"),
]


@pytest.mark.parametrize(("write", "arguments", "expected"), CASES)
def test_numbers(write, arguments, expected):
    assert write(*arguments) == expected


def test_intervals():
    both = Estimate(value=0.02, low=0.007, high=0.033, method="m")
    assert f.points_interval(both) == "[+0.7, +3.3]"
    assert f.percent_interval(both) == "[0.7%, 3.3%]"
    assert f.quantity_interval(both, "s") == "[7 ms, 33 ms]"
    assert f.points_interval(None) == f.points_interval(Estimate(value=1, method="m")) == ""
    assert f.points_interval(Estimate(value=0, low=-0.1, method="m")) == "[−10.0, –]"
    near = Estimate(value=0, low=-0.0302, high=-0.0001, method="m")
    assert f.points_interval(near) == "[−3.0, −0.01]"
    assert f.points_interval(near, -0.03) == "[−3.02, −0.01]"
    assert f.points_interval(near, -0.0302) == "[−3.0, −0.01]"


@given(st.floats(-1, 1))
def test_points_have_the_sign_of_the_number(share):
    text = f.points(share)
    if abs(share) > 1e-7:
        assert text[0] == ("−" if share < 0 else "+")
    else:
        assert float(text.replace("−", "-")) == pytest.approx(0, abs=2e-5)


@given(st.floats(0, 1))
def test_a_percentage_never_hides_a_failure(share):
    assert (f.percent(share) == "100.0%") == (share >= 1 - f.ROUNDING)
    assert (f.percent(share) == "0.0%") == (share <= f.ROUNDING)


def test_a_weighted_mean_of_ones_is_all():
    weights = [0.1] * 3 + [0.7 / 3] * 3
    share = sum(weights) / 1.0000000000000002
    assert share != 1
    assert f.percent(share) == "100.0%"


@given(st.one_of(st.none(), st.floats()))
def test_no_number_breaks_a_format(value):
    for write in (f.percent, f.points, f.ratio, f.p_value, f.dollars, f.seconds):
        assert "-" not in write(value).replace("e-", "")
    assert f.quantity(value, "tokens")
