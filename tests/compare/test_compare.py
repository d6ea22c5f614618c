"""Verdicts on single directions: functions of one variable with a claimed slope."""

from __future__ import annotations

import numpy as np
import pytest

from elementwise import relu, sigmoid
from gradproof.compare.compare import judge
from gradproof.compare.directions import Answer, Directions, Suspicion
from gradproof.differentiate.differentiate import Noise, Rung
from gradproof.differentiate.noise import Steps

EPS = 2.0**-52


def verdict(function, x: float, claim: float, steps: Steps = Steps.NONE):
    """Judge the claim that the function has this slope at x."""
    here = float(function(x))
    size = EPS * (abs(here) + (abs(x) or 1.0) * abs(claim))
    noise = Noise(np.array([size]), np.array([size]), np.array([2 * EPS * abs(claim)]))
    scale = np.array([abs(claim)])
    directions = Directions(np.array([claim]), scale, scale, np.array([2.0**-7 * min(1.0, abs(x) or 1.0)]), noise)

    def sample(step, who):
        above, below = x + step, x - step
        up, down = np.array([function(v) for v in above]), np.array([function(v) for v in below])
        gap = np.abs((up - here) + (down - here)) / step
        return Rung((up - down - claim * (above - below)) / (2 * step), gap, (up == here) & (down == here))

    quiet = np.zeros(1)
    return judge(directions, sample, lambda: Suspicion(noise, np.array([size]), quiet, steps))


SMOOTH = [
    pytest.param(np.sin, 0.7, np.cos(0.7), id="sin"),
    pytest.param(np.exp, 1.3, np.exp(1.3), id="exp"),
    pytest.param(np.log, 1e-3, 1e3, id="log"),
    pytest.param(lambda x: 3 * x, 0.4, 3.0, id="linear"),
    pytest.param(lambda x: x**3, 2.0, 12.0, id="cube"),
    pytest.param(sigmoid, -3.0, sigmoid(-3.0) * sigmoid(3.0), id="sigmoid"),
    pytest.param(lambda x: np.sin(1e3 * x), 0.3, 1e3 * np.cos(300.0), id="fast oscillation"),
    pytest.param(lambda x: 1e300 * x, 1.0, 1e300, id="huge slope"),
    pytest.param(lambda x: 1e-300 * x, 1.0, 1e-300, id="tiny slope"),
]


@pytest.mark.parametrize(("function", "x", "slope"), SMOOTH)
def test_the_right_slope_agrees(function, x, slope):
    judged = verdict(function, x, slope)
    assert judged.outcome[0] == Answer.AGREE
    assert judged.rho[0] <= 1e-4 * abs(slope)


@pytest.mark.parametrize("share", [-1.0, 0.5, 1e-3, 1e-6])
@pytest.mark.parametrize(("function", "x", "slope"), SMOOTH)
def test_a_wrong_slope_is_accused_with_a_measurement_that_covers_the_truth(function, x, slope, share):
    judged = verdict(function, x, slope * (1 + share))
    assert judged.outcome[0] == Answer.DISAGREE
    assert abs(judged.numeric[0] - slope) <= 4 * judged.bound[0]


@pytest.mark.parametrize(("function", "x", "slope"), SMOOTH)
def test_an_agreement_certifies_no_error_that_is_there(function, x, slope):
    wrong = slope * (1 + 1e-9)
    judged = verdict(function, x, wrong)
    assert judged.outcome[0] != Answer.AGREE or judged.rho[0] >= 0.5 * abs(wrong - slope)


def test_a_linear_function_costs_two_forwards_and_a_curve_at_most_eight():
    assert verdict(lambda x: 3 * x, 0.4, 3.0).forwards[0] == 2
    assert verdict(np.sin, 0.7, np.cos(0.7)).forwards[0] <= 8


def huber(x):
    return 0.5 * x * x if abs(x) < 1 else abs(x) - 0.5


def elu(x):
    return x if x > 0 else np.expm1(x)


@pytest.mark.parametrize(
    ("function", "x", "claim", "expected"),
    [
        pytest.param(relu, 0.0, 0.0, Answer.KINK, id="relu at its tie, 0"),
        pytest.param(relu, 0.0, 1.0, Answer.KINK, id="relu at its tie, 1"),
        pytest.param(relu, 0.0, 0.5, Answer.KINK, id="relu at its tie, between"),
        pytest.param(relu, 0.0, 1.5, Answer.KINK_OUTSIDE, id="relu at its tie, above"),
        pytest.param(relu, 0.0, -0.5, Answer.KINK_OUTSIDE, id="relu at its tie, below"),
        pytest.param(abs, 0.0, 0.0, Answer.KINK, id="abs at its tie, between"),
        pytest.param(abs, 0.0, -1.0, Answer.KINK, id="abs at its tie, -1"),
        pytest.param(abs, 0.0, 3.0, Answer.KINK_OUTSIDE, id="abs at its tie, outside"),
        pytest.param(relu, 1e-6, 1.0, Answer.AGREE, id="relu just right of it"),
        pytest.param(relu, -1e-6, 0.0, Answer.AGREE, id="relu just left of it"),
        pytest.param(relu, 1e-6, 1.5, Answer.DISAGREE, id="relu just right of it, wrong"),
        pytest.param(relu, 1e-6, 0.0, Answer.DISAGREE, id="relu just right of it, the other branch"),
        pytest.param(relu, 1e-6, 0.5, Answer.DISAGREE, id="relu just right of it, between the branches"),
        pytest.param(relu, -1e-6, 1.0, Answer.DISAGREE, id="relu just left of it, the other branch"),
        pytest.param(elu, 0.0, 1.0, Answer.AGREE, id="elu at its joint"),
        pytest.param(elu, 0.0, 0.99, Answer.DISAGREE, id="elu at its joint, wrong"),
        pytest.param(huber, 1.0, 1.0, Answer.AGREE, id="huber at its joint"),
        pytest.param(huber, 1.0, 0.98, Answer.DISAGREE, id="huber at its joint, wrong"),
        pytest.param(relu, -2.0, 1.0, Answer.DISAGREE, id="dead relu, 1"),
        pytest.param(relu, -2.0, 0.0, Answer.AGREE, id="dead relu, 0"),
        pytest.param(np.floor, 2.0, 1.0, Answer.JUMP, id="floor at its jump"),
        pytest.param(np.sign, 0.0, 1.0, Answer.JUMP, id="sign at its jump"),
        pytest.param(np.sqrt, 0.0, 1.0, Answer.NON_FINITE, id="sqrt at the end of its domain"),
    ],
)
def test_kinks_and_joints_and_jumps_are_told_apart(function, x, claim, expected):
    assert Answer(verdict(function, x, claim).outcome[0]) is expected


def test_nothing_that_moves_in_steps_is_accused():
    judged = verdict(lambda x: np.round(x, 4), 0.31234, 1.0, Steps.STAIRCASE)
    assert judged.outcome[0] in (Answer.QUANTISED, Answer.JUMP)


def test_a_slope_below_round_off_is_not_judged():
    judged = verdict(lambda x: 1.0 + 1e-14 * x, 0.7, 2e-14)
    assert judged.outcome[0] == Answer.BELOW_RESOLUTION


def test_right_and_wrong_claims_side_by_side_do_not_mix():
    noise = Noise(np.full(3, 1e-16), np.full(3, 1e-16), np.zeros(3))
    claims = np.array([2.0, 3.0, 4.0])
    directions = Directions(claims, claims, claims, np.full(3, 2.0**-7), noise)
    slopes = np.array([2.0, 3.5, 4.0])

    def sample(step, who):
        return Rung(slopes[who] - claims[who] + step**2, 0 * step, np.zeros(who.size, bool))

    judged = judge(directions, sample, lambda: Suspicion(noise, np.zeros(3), np.zeros(3), Steps.NONE))
    assert judged.outcome.tolist() == [Answer.AGREE, Answer.DISAGREE, Answer.AGREE]
    assert judged.numeric == pytest.approx(slopes, rel=1e-12)
