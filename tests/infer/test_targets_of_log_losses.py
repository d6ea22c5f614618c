"""What a loss that takes logarithms is given as its target, where nothing is declared: rows of probabilities."""

import numpy as np
import pytest

from elementwise import report_of
from gradproof import Case, GradientFault, Settings, Verdict, check, probabilities
from gradproof.generate.arrays import Style
from gradproof.generate.examples import Plan, build, carry
from gradproof.infer.infer import infer

FEW = Settings(examples=2)


def softmax(x):
    exponentials = np.exp(x - x.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)


class CrossEntropy:
    """``p - t`` over n: right where each row of t adds up to one, and for no other rows."""

    def forward(self, x, t):
        self.p, self.t = softmax(x), t
        return -np.sum(t * np.log(self.p)) / len(x)

    def backward(self, dout=1.0):
        return dout * (self.p - self.t) / len(self.t)


class SummedForTheMean(CrossEntropy):
    def backward(self, dout=1.0):
        return dout * (self.p - self.t)


class Added(CrossEntropy):
    def backward(self, dout=1.0):
        return dout * (self.p + self.t) / len(self.t)


class SquaredTargets(CrossEntropy):
    """Right for one-hot rows alone."""

    def backward(self, dout=1.0):
        return dout * (self.p - self.t**2) / len(self.t)


class TargetsFirst(CrossEntropy):
    """Under names that say little, and of the sum."""

    def forward(self, labels, scores):
        self.p, self.t = softmax(scores), labels
        return -np.sum(labels * np.log(self.p))

    def backward(self):
        return self.p - self.t


class TargetsFirstTurnedRound(TargetsFirst):
    def backward(self):
        return self.t - self.p


class Divergence(CrossEntropy):
    """Of two distributions: no logarithm of a target that is 0 is taken."""

    def forward(self, logits, target):
        self.p, self.t = softmax(logits), target
        return np.sum(target * (np.log(target) - np.log(self.p))) / len(logits)


class DivergenceSummed(Divergence):
    def backward(self, dout=1.0):
        return dout * (self.p - self.t)


class Bits:
    """Binary: each target is a chance by itself, and no row adds up to one."""

    def forward(self, y_pred, y_true):
        self.p, self.t = y_pred, y_true
        return -np.mean(y_true * np.log(y_pred) + (1 - y_true) * np.log(1 - y_pred))

    def backward(self):
        return (self.p - self.t) / (self.p * (1 - self.p)) / self.t.size


class BitsTurnedRound(Bits):
    def backward(self):
        return -super().backward()


def verdict_of(loss):
    case = infer(loss).case
    assert case is not None
    return report_of(case.under(FEW)).verdict


@pytest.mark.parametrize("loss", [CrossEntropy, TargetsFirst, Divergence])
def test_what_meets_the_logarithm_of_a_softmax_is_a_distribution(loss):
    assert 'probabilities("n", "c")' in infer(loss).declaration
    assert verdict_of(loss) is Verdict.PASS


WRONG = [SummedForTheMean, Added, SquaredTargets, TargetsFirstTurnedRound, DivergenceSummed]


@pytest.mark.parametrize("loss", WRONG)
def test_a_wrong_gradient_is_wrong_for_distributions_too(loss):
    assert verdict_of(loss) is Verdict.FAIL


def test_targets_of_two_logarithms_are_chances_by_themselves():
    assert "y_true=constant(floats(" in infer(Bits).declaration
    assert verdict_of(Bits) is Verdict.PASS
    assert verdict_of(BitsTurnedRound) is Verdict.FAIL


def test_rows_of_probabilities_add_up_to_one_at_all_sizes():
    case = Case(CrossEntropy, x="n c", t=probabilities("n", "c"))
    example = build(case, Plan({"n": 3, "c": 4}, {"x": Style.NORMAL}, 0), {})
    for shown in (example, carry(case, example, {"n": 2, "c": 3}, from_end=True)):
        rows = shown.inputs["t"]
        assert rows.shape == shown.inputs["x"].shape
        assert np.all(rows > 0)
        np.testing.assert_allclose(rows.sum(axis=1), 1)


def test_rows_of_probabilities_are_written_as_they_are_declared():
    assert Case(CrossEntropy, x="n c", t=probabilities("n", "c")).declaration() == (
        'Case(CrossEntropy, x="n c", t=probabilities("n", "c"))'
    )


class WithEpsilon:
    """Right for one-hot rows but for the epsilon, which is what is wrong; of other rows, more would be."""

    def forward(self, A, Y):
        self.Y, ones = Y, np.ones((A.shape[1], 1))
        e = np.exp(A - A.max(axis=1, keepdims=True))
        self.softmax = e / (e @ ones)
        return ((-Y * np.log(self.softmax + 1e-12)) @ ones).sum() / len(A)

    def backward(self):
        return (self.softmax - self.Y) / len(self.Y)


def test_of_a_loss_that_lacks_its_epsilon_nothing_else_is_wrong():
    with pytest.raises(GradientFault) as raised:
        check(WithEpsilon, settings=Settings(examples=8))
    assert {f.code for f in raised.value.report.findings if f.severity == "error"} == {"GP108"}
