"""Ladders, extrapolation to step zero, and the gap that tells a kink from a curve."""

from __future__ import annotations

import numpy as np
import pytest

from gradproof.differentiate.differentiate import RUNGS, Ladder, Noise, Rung, extrapolate, kink_width, top_step

EVERYONE = np.arange(1)


def ladder_of(residual, gap, rungs: int) -> Ladder:
    """One direction, sampled at the first rungs' steps; ``residual`` and ``gap`` are functions of the step."""
    ladder = Ladder(1)
    for depth in RUNGS[:rungs]:
        steps = np.array([2.0**depth / 128])
        ladder.descend(lambda h, directions: Rung(residual(h), gap(h), np.zeros(1, bool)), steps, EVERYONE)
    return ladder


def nothing(h):
    return np.zeros_like(h)


def test_three_rungs_remove_the_first_two_terms_of_truncation():
    found = extrapolate(ladder_of(lambda h: 0.25 + 3 * h**2 - 5 * h**4, nothing, 3), np.ones(1))
    assert abs(found.order6[0] - 0.25) < 1e-15
    assert abs(found.order4[0] - 0.25) > 1e-12
    assert abs(found.order2[0] - 0.25) > 1e-9
    assert found.best[0] == found.order6[0]


def test_the_settled_bound_covers_the_terms_that_are_left():
    found = extrapolate(ladder_of(lambda h: 0.25 + 3 * h**2 - 5 * h**4 + 7e6 * h**6, nothing, 3), np.ones(1))
    missed = abs(found.order6[0] - 0.25)
    assert 1e-12 < missed < found.settled[0]


def test_two_rungs_have_no_third_order_and_no_bound():
    found = extrapolate(ladder_of(lambda h: 1 + h**2, nothing, 2), np.ones(1))
    assert np.isnan(found.order6[0])
    assert np.isnan(found.settled[0])
    assert found.best[0] == found.order4[0] == pytest.approx(1.0, abs=1e-15)


@pytest.mark.parametrize(("width", "rungs"), [(0.0, 2), (0.0, 3), (0.7, 2), (0.7, 3)])
def test_the_gap_at_step_zero_is_the_distance_between_the_one_sided_slopes(width, rungs):
    measured = kink_width(ladder_of(nothing, lambda h: width + 4 * h, rungs))
    assert measured[0] == pytest.approx(width, abs=1e-14)


def test_one_rung_tells_nothing_of_a_kink():
    assert np.isnan(kink_width(ladder_of(nothing, nothing, 1))[0])


def test_a_sample_that_is_not_finite_counts_as_not_sampled():
    ladder = Ladder(3)
    rung = Rung(np.array([np.inf, 1.0]), np.array([0.0, 0.0]), np.array([True, True]))
    ladder.descend(lambda steps, directions: rung, np.full(3, 0.5), np.array([0, 2]))
    assert np.isnan(ladder.residuals[0]).tolist() == [True, True, False]
    assert ladder.still[0].tolist() == [True, False, True]


def test_round_off_of_a_slope_grows_as_the_step_falls_and_that_of_the_claim_does_not():
    noise = Noise(np.array([1e-16]), np.array([1e-15]), np.array([1e-14]))
    assert noise.of_slope(np.array([1e-3])) == pytest.approx(1e-14 + 4.6e-13)
    assert noise.of_slope(np.array([1e-6])) == pytest.approx(1e-14 + 4.6e-10)
    assert noise.of_gap(np.array([1e-3])) == pytest.approx(4.6e-12)


@pytest.mark.parametrize(
    "values",
    [
        pytest.param([1.0, -2.0, 0.5], id="ordinary"),
        pytest.param([0.0, 0.0], id="zeros"),
        pytest.param([], id="empty"),
        pytest.param([1e-150, -3e-150], id="tiny"),
        pytest.param([1e300, 2e300], id="huge"),
        pytest.param([1.0, np.inf], id="infinite"),
    ],
)
def test_the_first_step_is_a_power_of_two(values):
    with np.errstate(over="ignore"):
        step = top_step(np.array(values))
    assert np.isfinite(step)
    assert np.frexp(step)[0] == 0.5


def test_the_first_step_stays_below_a_quarter_of_tiny_inputs():
    assert top_step(np.array([1e-150, -1e-150])) < 0.25e-150
