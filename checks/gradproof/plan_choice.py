"""Which of the ways to call backward is right, where its names leave that open: each is tried on a few examples.

It is asked once for a subject, before the search, and its answer holds for all examples. It accuses nobody.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from gradproof.compare.judge_example import Build
from gradproof.compare.spot_check import spot_check
from gradproof.convention.calling import Plan
from gradproof.findings import SubjectReport
from gradproof.guard import Randomness, SubjectError, quiet
from gradproof.values import Example, Outcome, Reason, Verdict

Called = Callable[[Example, Plan | None], Build]  # (an example, how backward is called) -> what builds the subject


@dataclass(frozen=True)
class Choice:
    """How backward is called: the plans to judge with, the best first, what is said of it, and what it took.

    plans: empty where there was nothing to choose. A further plan is judged with where the one before it fails.
    cut_off: the seconds after which the clock ended the choice.
    """

    plans: tuple[Plan, ...] = ()
    note: str = ""
    forwards: int = 0
    cut_off: float | None = None

    def added_to(self, report: SubjectReport, plan: Plan | None) -> SubjectReport:
        """The report of a check with this plan, with what the choice took and says."""
        if self.cut_off is not None:
            note = f"backward is called as its names say: to try other ways was cut off after {self.cut_off:g} s"
            return replace(report, notes=(*report.notes, note))
        if not self.plans or plan is None:
            return report
        if plan.untold:
            return replace(report, forwards=report.forwards + self.forwards)
        note = f"backward is called with {plan.description}: {self.note}"
        return replace(report, forwards=report.forwards + self.forwards, notes=(*report.notes, note))


def choose(examples: Sequence[Example], called: Called, *, declared: bool = True) -> Choice:
    """Try every way to call backward at these examples.

    Exactly one that is right everywhere is the one; of several, the likeliest comes first; where none is, the likeliest
    of those that run is alone. What is only guessed is then no ground for an accusation: the plan asks what it means.
    """
    plans = _plans(examples, called)
    is_open = len(plans) > 1 or any(plan.guessed for plan in plans)
    if not is_open:
        return Choice()
    tried: dict[Plan, list[Outcome]] = {}
    for plan in plans:
        tried[plan] = [spot_check(example, called(example, plan), declared=declared) for example in examples]
    return _chosen(tried)


def _chosen(tried: Mapping[Plan, Sequence[Outcome]]) -> Choice:
    """The choice among ways to call backward, the likeliest first, by what each came to at a few examples."""
    forwards = sum(outcome.forwards for outcome in itertools.chain.from_iterable(tried.values()))
    judged = {plan: _count_of_judged(outcomes) for plan, outcomes in tried.items()}
    most = max(judged.values())
    right = tuple(plan for plan, outcomes in tried.items() if _is_right(outcomes, most))
    if len(right) == 1:
        return Choice(right, f"of {len(tried)} ways that its names allow, the only one that is right", forwards)
    if right:
        likelier = f"of {len(tried)} ways that its names allow, the likeliest of {len(right)} that are right"
        return Choice(right, likelier, forwards)
    likeliest = next(plan for plan, count in judged.items() if count == most)
    if likeliest.guessed:
        return Choice((likeliest.without_guesses,), "", forwards)
    note = f"of {len(tried)} ways that its names allow, none is right, and this is the likeliest"
    return Choice((likeliest,), note, forwards)


def _count_of_judged(outcomes: Sequence[Outcome]) -> int:
    """At how many examples a gradient comes back."""
    return sum(bool(outcome.tensors) for outcome in outcomes)


def _plans(examples: Sequence[Example], called: Called) -> Sequence[Plan]:
    """The ways to call backward after the first forward that comes back."""
    for example in examples:
        with quiet(), Randomness(example.seed) as random:
            try:
                subject = called(example, None)(random, widen=True)
                subject.wanted = example.wanted
                subject.forward({name: _own(value) for name, value in example.inputs.items()})
                return subject.plans()
            except SubjectError:
                continue
    return ()


def _own(value: object) -> object:
    return value.copy() if isinstance(value, np.ndarray) else value


def _is_right(outcomes: Sequence[Outcome], most: int) -> bool:
    """Whether no gradient is wrong anywhere, where ``most`` is at how many examples a gradient comes back at all.

    An example at which nothing could be examined, as where a ReLU returns its input, tells nothing.
    """
    results = [result for outcome in outcomes for result in outcome.tensors]
    is_wrong = any(result.verdict is Verdict.FAIL for result in results)
    is_judged = any(result.verdict is Verdict.PASS for result in results)
    came = sum(bool(outcome.tensors) or outcome.unjudged is Reason.NOT_EXAMINED for outcome in outcomes)
    return is_judged and not is_wrong and came >= most


def likeliest(reports: Sequence[SubjectReport]) -> SubjectReport:
    """Of the reports of several ways to call a backward, none of which is right, that with the most right gradients.

    Of equals it is the first, which the names make the likeliest.
    """
    return min(reports, key=_not_right)


def _not_right(report: SubjectReport) -> int:
    return sum(tensor.verdict is not Verdict.PASS for tensor in report.tensors)
