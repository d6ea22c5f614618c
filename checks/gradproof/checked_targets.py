"""The two kinds of subject that a check has: a Case at drawn examples, and one object at one input."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence

from gradproof.case.case import Case
from gradproof.compare.judge_example import Build
from gradproof.compare.spot_check import spot_check
from gradproof.explain.target import Judge, Target
from gradproof.generate.generate import shrink
from gradproof.generate.vary import fresh, neighbours
from gradproof.infer.variations import variations
from gradproof.prepare import Preparation
from gradproof.source.hints import code_of
from gradproof.source.source import Code
from gradproof.subject.subject import subject_of
from gradproof.values import Example, Outcome

SPOT_CHECKS = 180  # forwards for the neighbours of one failing example; one spot check takes about ten
FRESH = 6  # examples beside those of the search at which a change is confirmed: about five forwards each
_FRESH_SEEDS = 1_000_000  # where their seeds begin: no search comes there


class DrawnTarget(Target):
    """A Case at examples that are drawn for it. inferred: nobody declared it, so that all hyper-parameters may vary."""

    def __init__(self, case: Case, *, examples: int, seed: int, inferred: bool) -> None:
        super().__init__(code_of(case.subject, case.backward, case.convention), declared=True)
        self.case, self._examples, self._seed = case, examples, seed
        self.preparation = Preparation(self.build, variations(case, inferred=inferred))

    def build(self, example: Example) -> Build:
        """The Case, built with the example's values."""
        return functools.partial(subject_of, self.case, example)

    def judge(self, example: Example) -> Outcome:
        """The example with all that the layer makes itself given values."""
        return super().judge(self.preparation.fitted(example))

    def judge_drawn(self, before: Sequence[Outcome], example: Example) -> Outcome:
        """Judge an example of the search, which follows those ``before``."""
        return self.preparation.judged(example, len(before), self.judge)

    def keep(self, example: Example, code: str | None = None) -> Outcome:
        """The promises at the same example."""
        return super().keep(self.preparation.fitted(example), code)

    def smallest(self, judge: Judge, fails: Callable[[Outcome], bool], start: Example) -> Outcome | None:
        """Shrunk by Hypothesis: dims first, then values."""
        return shrink(self.case, judge, fails, seed=self._seed, examples=self._examples, start=start)

    def near(self, outcome: Outcome, tensor: str) -> list[Outcome]:
        """A spot check of each neighbour of the example, as long as the forwards last."""
        found: list[Outcome] = []
        for example in map(self.preparation.fitted, neighbours(self.case, outcome.example)):
            if sum(o.forwards for o in found) < SPOT_CHECKS:
                found.append(spot_check(example, self.build(example), tensor))
        return found

    def fresh(self, example: Example) -> Iterator[Example]:
        """A few that the search does not draw."""
        for number in range(FRESH):
            drawn = fresh(self.case, example, _FRESH_SEEDS + FRESH * self.case.settings.seed + number)
            if drawn is not None:
                yield self.preparation.fresh(drawn, number)


class ObjectTarget(Target):
    """One object at one input, as small as it was given. whole: what builds its subject; first: its first example."""

    def __init__(self, code: Code, whole: Build, first: Example) -> None:
        super().__init__(code, declared=False)
        preparation = Preparation(lambda _: whole)
        preparation.own(first)
        self._build = functools.partial(whole, numbers=preparation.numbers)

    def build(self, example: Example) -> Build:
        """The object as it was handed in, whatever the example."""
        return self._build
