"""The sources of explanations: what they may ask of a subject, and that one ranking ends them."""

import numpy as np
import pytest

from gradproof import Case
from gradproof.checked_targets import DrawnTarget
from gradproof.explain.failing import Failing
from gradproof.explain.sources import SOURCES, explained
from gradproof.explain.target import Target


class HalfOfTheSquare:
    def forward(self, x):
        self.x = x
        return x**2

    def backward(self, dout):
        return dout * self.x


class Square(HalfOfTheSquare):
    def backward(self, dout):
        return dout * 2 * self.x


class Unreachable(Target):
    """A subject whose time is over: every call of it is an error."""

    def build(self, example):
        raise AssertionError("it was built")

    def smallest(self, judge, fails, start):
        raise AssertionError("it was shrunk")

    def near(self, outcome, tensor):
        raise AssertionError("it was varied")

    def fresh(self, example):
        raise AssertionError("it was drawn")


def seen(layer):
    """A target, and what is known of it after three examples."""
    target = DrawnTarget(Case(layer, x="n d"), examples=3, seed=0, inferred=False)
    rng = np.random.default_rng(0)
    examples = [example(target.case, rng.integers(2, 5, 2)) for _ in range(3)]
    return target, [target.judge(one) for one in examples]


def example(case, sizes):
    from gradproof.generate.arrays import Style
    from gradproof.generate.examples import Plan, build, styled

    dims = dict(zip(case.space.order, map(int, sizes), strict=True))
    return build(case, Plan(dims, dict.fromkeys(styled(case), Style.NORMAL), int(sizes[0])), {})


def test_a_wrong_layer_is_explained_by_its_numbers_a_change_and_its_lines():
    target, outcomes = seen(HalfOfTheSquare)
    found = explained(Failing("HalfOfTheSquare", "again", outcomes), target)
    (finding,) = found.findings
    assert (finding.code, finding.tensor) == ("GP102", "x")
    assert finding.edits
    assert finding.right_up_to is not None
    assert found.forwards > 0


def test_a_right_layer_has_nothing_to_explain():
    target, outcomes = seen(Square)
    assert list(explained(Failing("Square", "again", outcomes), target).findings) == []


def test_what_may_not_be_called_any_more_is_named_from_what_was_seen():
    target, outcomes = seen(HalfOfTheSquare)
    failing = Failing("HalfOfTheSquare", "again", outcomes, may_call=False)
    found = explained(failing, Unreachable(target.code, declared=True))
    (finding,) = found.findings
    assert (finding.tensor, finding.edits, finding.right_up_to, found.forwards) == ("x", (), None, 0)


def test_what_was_seen_is_left_as_it_was_and_what_was_asked_is_told_beside_it():
    target, outcomes = seen(HalfOfTheSquare)
    before = list(outcomes)
    found = explained(Failing("HalfOfTheSquare", "again", outcomes), target)
    assert all(one is other for one, other in zip(outcomes, before, strict=True))
    assert not any(outcome.dependence for outcome in outcomes)
    assert any(outcome.dependence for outcome in found.outcomes)


def test_what_was_asked_before_the_time_was_over_is_known_after_it():
    target, outcomes = seen(HalfOfTheSquare)
    asked = target.ask(outcomes[1])
    assert [target.answered(outcome) for outcome in outcomes] == [outcomes[0], asked, outcomes[2]]
    found = explained(Failing("HalfOfTheSquare", "again", outcomes, may_call=False), target)
    assert [outcome.dependence is not None for outcome in found.outcomes] == [False, True, False]
    assert found.forwards == 0


def test_a_subject_that_may_be_called_is_called():
    target, outcomes = seen(HalfOfTheSquare)
    with pytest.raises(AssertionError, match="it was"):
        explained(Failing("HalfOfTheSquare", "again", outcomes), Unreachable(target.code, declared=True))


def test_each_source_adds_to_what_the_one_before_it_found():
    target, outcomes = seen(HalfOfTheSquare)
    failing, spent = Failing("HalfOfTheSquare", "again", outcomes), [0]
    for source in SOURCES:
        failing = source.explain(failing, target)
        spent.append(failing.forwards)
    assert spent == sorted(spent)
    assert len(failing.findings) == 1
