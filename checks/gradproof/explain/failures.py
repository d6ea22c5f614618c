"""The ways in which a subject was seen to fail, as predicates on outcomes; it words no finding."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass

from gradproof.diagnose.evidence import has_distinct_dims
from gradproof.values import Outcome, TensorResult, Verdict


@dataclass(frozen=True)
class Failure:
    """One way to fail, as a predicate on outcomes. ``severity``: of defects of that code."""

    tensor: str | None = None
    code: str | None = None
    stage: str | None = None
    severity: str | None = None
    finite: bool = True  # whether the number that is wrong is one

    def __call__(self, outcome: Outcome) -> bool:
        """Say whether the outcome fails so."""
        if self.stage is not None:
            return outcome.error is not None and outcome.error.stage == self.stage
        if self.code is not None:
            wanted = self.code, self.tensor, self.severity
            return any((d.code, d.tensor, d.severity) == wanted for d in outcome.defects)
        return any(
            t.name == self.tensor and t.verdict is Verdict.FAIL and _is_finite(t) is self.finite
            for t in outcome.tensors
        )


def clearer(failure: Failure, outcomes: Sequence[Outcome]) -> Callable[[Outcome], bool]:
    """What the smallest example must show: a matter of shapes at sizes that tell the axes apart, where it can.

    (3,) for (1, 3) says which axis is lost, (1,) for (1, 1) does not.
    """

    def tells(outcome: Outcome) -> bool:
        return failure(outcome) and has_distinct_dims(outcome.example.dims)

    of_shapes = failure.code == "GP201" or failure.stage == "backward"
    return tells if of_shapes and any(map(tells, outcomes)) else failure


def _is_finite(result: TensorResult) -> bool:
    return not result.wrong or math.isfinite(result.wrong[0].analytic)


def failures(outcomes: Sequence[Outcome]) -> list[Failure]:
    """Every way to fail that was seen, in the order of first appearance; what is not finite last.

    A defect that is a warning at some sizes, and an error at others, is an error.
    """
    errors = {(d.code, d.tensor) for outcome in outcomes for d in outcome.defects if d.severity == "error"}
    seen = dict.fromkeys(failure for outcome in outcomes for failure in _of_outcome(outcome, errors))
    return sorted(seen, key=lambda failure: not failure.finite)


def _of_outcome(outcome: Outcome, errors: Collection[tuple[str, str | None]]) -> Iterator[Failure]:
    """The ways in which one example fails; ``errors`` are the defects that are one at some example."""
    if outcome.error is not None and outcome.error.absence is None:
        yield Failure(stage=outcome.error.stage)
    for defect in outcome.defects:
        severity = "error" if (defect.code, defect.tensor) in errors else defect.severity
        yield Failure(tensor=defect.tensor, code=defect.code, severity=severity)
    for result in outcome.tensors:
        if result.verdict is Verdict.FAIL:
            yield Failure(tensor=result.name, finite=_is_finite(result))
