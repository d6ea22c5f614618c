"""What one run has gathered of a subject: outcomes, findings, and from them its report; it draws no examples."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from gradproof.allowances import Allowances
from gradproof.contract.contract import worth_keeping
from gradproof.deadlines import Expired, limited
from gradproof.diagnose import summary
from gradproof.diagnose.diagnose import diagnose
from gradproof.explain.failing import Failing
from gradproof.explain.failures import failures
from gradproof.explain.sources import explained
from gradproof.explain.target import Target
from gradproof.findings import Finding, SubjectReport
from gradproof.values import Outcome, Verdict


@dataclass(eq=False)
class Run:
    """What one run has gathered of a subject."""

    name: str
    location: str
    seed: int
    reproduce: str
    allowed: Allowances
    target: Target
    naming_forwards: int = 0
    outcomes: list[Outcome] = field(default_factory=list[Outcome])
    kept: list[Outcome] = field(default_factory=list[Outcome])  # of the contract, on a few of the examples
    findings: list[Finding] = field(default_factory=list[Finding])
    broken: list[Finding] = field(default_factory=list[Finding])  # promises of the contract
    stopped: str | None = None  # why the run ended before its time
    began: float = field(default_factory=time.perf_counter)

    def in_time(self, seconds: float, work: Callable[[], None]) -> None:
        """Do ``work``, or as much of it as ``seconds`` allow; what is cut off is told, and what was seen is named."""
        try:
            with limited(seconds):
                work()
        except Expired as expired:
            self.stopped = f"the time limit of {expired.seconds:g} s was reached after {len(self.outcomes)} examples"
            self.explain(may_call=False)  # nothing would end a further call of the subject
            if expired.single and expired.error is not None:
                self.stopped = f"{expired.error.stage} did not end within {expired.seconds:g} s"
                self.findings.append(_endless(self.name, expired, self.reproduce))

    def try_promises(self) -> None:
        """One finding for each promise that is broken in a few of the examples that ran through."""
        self.kept += [self.target.keep(example) for example in worth_keeping(self.outcomes)]
        for failure in failures(self.kept):
            first = next(outcome for outcome in self.kept if failure(outcome))
            keep = functools.partial(self.target.keep, code=failure.code)
            minimal = self.target.smallest(keep, failure, first.example) or first
            self.broken.append(diagnose(self.name, minimal, self.kept, self.reproduce, failure.tensor, failure.code))

    def explain(self, *, may_call: bool = True) -> None:
        """Say why it fails; where the subject may not be called any more, from what was seen."""
        self.outcomes = summary.withdrawn(self.outcomes)
        failing = Failing(self.name, self.reproduce, self.outcomes, tuple(self.broken), may_call=may_call)
        failing = explained(failing, self.target)
        self.outcomes = list(failing.outcomes)
        self.naming_forwards += failing.forwards
        found = (*failing.findings, *self.allowed.unknown)
        self.findings[:] = [replace(f, severity="allowed") if f.code in self.allowed.where else f for f in found]

    def report(self, interrupted: str | None = None) -> SubjectReport:
        """Add up."""
        tensors = summary.summarise(self.outcomes)
        verdict, reason = summary.verdict(tensors, self.findings, self.outcomes)
        interrupted = interrupted or self.stopped or summary.missed(self.outcomes)
        if interrupted is not None and verdict is not Verdict.FAIL:
            verdict, reason = Verdict.INCONCLUSIVE, interrupted
        silenced = [finding for finding in self.findings if finding.severity == "allowed"]
        allowed = tuple(
            f"{finding.code} for {finding.tensor or finding.subject} is allowed ({self.allowed.where[finding.code]})"
            for finding in silenced
        )
        return SubjectReport(
            name=self.name,
            location=self.location,
            verdict=verdict,
            tensors=tensors,
            findings=tuple(self.findings),
            examples=len(self.outcomes),
            forwards=sum(outcome.forwards for outcome in [*self.outcomes, *self.kept]),
            naming_forwards=self.naming_forwards,
            seed=self.seed,
            seconds=time.perf_counter() - self.began,
            reason=reason,
            dims=summary.dims_tried(self.outcomes),
            notes=(*summary.notes(self.outcomes, tensors), *allowed),
        )


def _endless(subject: str, expired: Expired, reproduce: str) -> Finding:
    error = expired.error
    stage, where = ("a call", None) if error is None else (error.stage, error.traceback)
    advice = "look for a loop that never ends, a wait, or far more work than these small shapes need"
    return Finding(
        "GP304",
        subject,
        f"{stage} did not end within {expired.seconds:g} s",
        severity="warning",
        advice=f"{advice}; --timeout gives it more time",
        dims=expired.dims or {},
        reproduce=reproduce,
        traceback=where,
    )
