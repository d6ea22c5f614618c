"""A subject as what explains its failures may ask it: build, judge, ask, shrink, vary; it explains nothing itself."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator

from gradproof.compare.judge_example import Build, ask, judge_example
from gradproof.contract.contract import keep
from gradproof.diagnose.chain import weak_link
from gradproof.diagnose.link import Link
from gradproof.source.source import Code
from gradproof.values import Example, Outcome

Judge = Callable[[Example], Outcome]


class Target(ABC):
    """One subject, at examples that are drawn for it, or at those that were handed in.

    code: its source. declared: whether somebody said which of its inputs have a gradient. It remembers what it was
    asked: where the time is over, that is known without a further call.
    """

    def __init__(self, code: Code, *, declared: bool) -> None:
        self.code, self.declared = code, declared
        self._asked: list[tuple[Outcome, Outcome]] = []  # an outcome, and the same with what was asked

    @abstractmethod
    def build(self, example: Example) -> Build:
        """What builds the subject for an example."""

    def judge(self, example: Example) -> Outcome:
        """Every tensor of the example, judged."""
        return judge_example(example, self.build(example), declared=self.declared)

    def keep(self, example: Example, code: str | None = None) -> Outcome:
        """The promises of the contract, tried at the example: all, or that of one code."""
        return keep(example, self.build, declared=self.declared, code=code)

    def ask(self, outcome: Outcome) -> Outcome:
        """The outcome, with what the gradients depend on."""
        answer = ask(outcome, self.build(outcome.example), declared=self.declared)
        self._asked.append((outcome, answer))
        return answer

    def answered(self, outcome: Outcome) -> Outcome:
        """The outcome as it was when the subject had been asked about it; as it is, where it was not."""
        return next((answer for about, answer in self._asked if about is outcome), outcome)

    def weak_link(self, example: Example) -> Link | None:
        """The part of a composite that is wrong, or the place where its chain breaks."""
        return weak_link(example, self.build(example))

    def smallest(self, judge: Judge, fails: Callable[[Outcome], bool], start: Example) -> Outcome | None:
        """The smallest example that still fails; None where there is none beside ``start``."""
        return None

    def near(self, outcome: Outcome, tensor: str) -> list[Outcome]:
        """What one tensor shows at examples near this one; [] where no other can be drawn."""
        return []

    def fresh(self, example: Example) -> Iterator[Example]:
        """Examples that were not judged: other dims, values and hyper-parameters."""
        return iter(())
