"""What the numbers tell: each way to fail is made small, asked about, and named by the rules; it tries no change."""

from __future__ import annotations

from dataclasses import replace

from gradproof.diagnose.asking import EXAMPLES, worth_asking
from gradproof.diagnose.diagnose import diagnose
from gradproof.diagnose.evidence import result_of
from gradproof.explain.failing import Failing
from gradproof.explain.failures import Failure, clearer, failures
from gradproof.explain.target import Target
from gradproof.findings import Finding
from gradproof.values import Outcome, Verdict

# So many gradients wrong are one fault of a net as a rule: an example that is small for these shows the others too.
SEVERAL = 2


def explain(failing: Failing, target: Target) -> Failing:
    """One finding for each way to fail: in a tensor, in the form of what came back, or with an exception."""
    asking = _Asking(failing, target)
    findings = [asking.finding(failure) for failure in failures(failing.outcomes)]
    forwards = failing.forwards + asking.forwards
    return replace(failing, outcomes=tuple(asking.outcomes), findings=findings, forwards=forwards)


class _Asking:
    """Asks the subject about its failures, one after the other, as long as it may be called."""

    def __init__(self, failing: Failing, target: Target) -> None:
        self.failing, self.target = failing, target
        self.outcomes = [target.answered(outcome) for outcome in failing.outcomes]
        self.small: list[Outcome] = []  # the smallest examples of the gradients that are wrong
        self.forwards = 0

    def finding(self, failure: Failure) -> Finding:
        """What is wrong there, by the rules."""
        minimal = self._smallest(failure)
        tensor, near = failure.tensor, list[Outcome]()
        if tensor is not None and failure.code is None:
            self.small.append(minimal)
            minimal = self._asked(minimal)
            for outcome in worth_asking([o for o in self.outcomes if failure(o)], tensor):
                self._asked(outcome)
            near = self._near(minimal, tensor)
        tried = [*self.outcomes, *near]
        return diagnose(self.failing.subject, minimal, tried, self.failing.reproduce, tensor, failure.code)

    def _smallest(self, failure: Failure) -> Outcome:
        shown = clearer(failure, self.outcomes)
        first = next(outcome for outcome in self.outcomes if shown(outcome))
        is_enough = len(self.small) >= SEVERAL
        again = next((outcome for outcome in self.small if shown(outcome)), None) if is_enough else None
        if again is not None or not self.failing.may_call:
            return again or first
        return self.target.smallest(self.target.judge, shown, first.example) or first

    def _asked(self, outcome: Outcome) -> Outcome:
        """The outcome with what the subject answers when it is asked for the cause; in its place among the others."""
        if outcome.dependence is not None or not self.failing.may_call:
            return outcome
        asked = self.target.ask(outcome)
        self.forwards += 0 if asked.dependence is None else asked.dependence.forwards
        self.outcomes = [asked if other is outcome else other for other in self.outcomes]
        return asked

    def _near(self, minimal: Outcome, tensor: str) -> list[Outcome]:
        """Examples near the smallest: for the law, where some pass; looked at in full where too few answered."""
        lacks_answers = self._lacks_answers(minimal, tensor)
        if not self.failing.may_call or not (lacks_answers or self._passed(tensor)):
            return []
        near = self.target.near(minimal, tensor)
        self.forwards += sum(outcome.forwards for outcome in near)
        for chosen in worth_asking(near, tensor) if lacks_answers else []:
            full = self.target.judge(chosen.example)
            self.forwards += full.forwards
            near[near.index(chosen)] = self._asked(full)
        return near

    def _passed(self, tensor: str) -> bool:
        """Whether its gradient is right at some example."""
        results = [result_of(outcome, tensor) for outcome in self.outcomes]
        return any(result is not None and result.verdict is Verdict.PASS for result in results)

    def _lacks_answers(self, minimal: Outcome, tensor: str) -> bool:
        """Whether too few examples said what the gradient depends on, though there is more than one output to tell."""
        asked = [o.dependence for o in [*self.outcomes, minimal] if o.dependence is not None]
        answered = sum(tensor in dependence.jacobians for dependence in asked)
        if answered >= EXAMPLES or any(dependence.elementwise for dependence in asked):
            return False
        return any(dependence.outputs.size > 1 for dependence in asked)
