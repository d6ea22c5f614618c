"""Adding up: a large tensor passes on what its directions showed, and on no less than half of them."""

from __future__ import annotations

import numpy as np
import pytest

from gradproof.compare.directions import Answer, Judged
from gradproof.compare.tally import by_direction
from gradproof.differentiate.problem import Tensor
from gradproof.values import Reason, Role, Verdict

AGREE, DISAGREE, KINK, UNSETTLED = Answer.AGREE, Answer.DISAGREE, Answer.KINK, Answer.UNSETTLED


def judged(*outcomes: Answer) -> Judged:
    ones = np.ones(len(outcomes))
    return Judged(np.array(outcomes, dtype=np.intp), ones, ones, 1e-9 * ones, ones, 2 * np.ones(len(outcomes), np.intp))


@pytest.mark.parametrize(
    ("outcomes", "verdict", "entries"),
    [
        pytest.param((AGREE, AGREE, AGREE, AGREE), Verdict.PASS, 300, id="all agree"),
        pytest.param((AGREE, AGREE, KINK, UNSETTLED), Verdict.PASS, 300, id="half agree"),
        pytest.param((AGREE, UNSETTLED, UNSETTLED, UNSETTLED), Verdict.INCONCLUSIVE, 0, id="one of four agrees"),
        pytest.param((UNSETTLED,) * 4, Verdict.INCONCLUSIVE, 0, id="none has an answer"),
        pytest.param((AGREE, DISAGREE, AGREE, AGREE), Verdict.FAIL, 300, id="one disagrees"),
    ],
)
def test_a_large_tensor_is_judged_by_at_least_half_of_its_directions(outcomes, verdict, entries):
    tensor = Tensor("x", Role.INPUT, np.ones(300), np.ones(300))
    result = by_direction(tensor, [judged(*outcomes)], (), 0, 1.0)
    assert (result.verdict, result.judged) == (verdict, entries)
    assert (Reason.UNSETTLED in result.unjudged) == (verdict is Verdict.INCONCLUSIVE)
    assert result.method == f"{outcomes.count(AGREE)} of 4 signed random directions agree"
