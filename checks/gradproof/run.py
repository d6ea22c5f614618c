"""What one run has gathered of a subject: outcomes, findings, and from them its report; it draws no examples."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from gradproof.adjoint.agreement import agreed, worth_locating
from gradproof.adjoint.locate import Located
from gradproof.allowances import Allowances
from gradproof.breach import reconciled
from gradproof.codes import CODES
from gradproof.contract.contract import worth_keeping
from gradproof.deadlines import Expired, limited
from gradproof.diagnose import summary
from gradproof.diagnose.asking import EXAMPLES, worth_asking
from gradproof.diagnose.diagnose import diagnose, linked
from gradproof.diagnose.evidence import result_of
from gradproof.diagnose.link import Link
from gradproof.diagnose.together import told_once
from gradproof.failures import clearer, failures
from gradproof.findings import Finding, SubjectReport
from gradproof.mend.choosing import asks_twice, effort, in_reserve, of_any_shape, of_forward, worth_trying
from gradproof.mend.mend import Mended
from gradproof.mend.told import mended
from gradproof.source.hints import pointed
from gradproof.source.source import Code
from gradproof.values import Example, Outcome, Verdict

# So many gradients wrong are one fault of a net as a rule: an example that is small for these shows the others too.
SEVERAL = 2


@dataclass(eq=False)
class Run:
    """What one run has gathered of a subject."""

    name: str
    location: str
    seed: int
    reproduce: str
    allowed: Allowances
    ask: Callable[[Outcome], Outcome]
    look_inside: Callable[[Example], Link | None]
    code: Code
    mend: Callable[..., Mended]  # of a class of part, or of the whole
    locate: Callable[..., Located]  # of the same
    around: Callable[[Outcome, str], list[Outcome]] | None = None  # a glance at examples near a failing one
    judge: Callable[[Example], Outcome] | None = None  # a full look at one of them
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
            self.ask, self.look_inside, self.findings[:] = _as_it_is, _nothing, []
            self.mend, self.locate = _as_written, _nowhere
            self.around = None  # no call of the subject any more: nothing would end it
            self.name_failures(_nothing)
            if expired.single and expired.error is not None:
                self.stopped = f"{expired.error.stage} did not end within {expired.seconds:g} s"
                self.findings.append(_endless(self.name, expired, self.reproduce))

    def name_failures(self, shrunk: Callable[..., Outcome | None]) -> None:
        """One finding for each way to fail: in a tensor, in the form of what came back, or with an exception."""
        self.outcomes[:] = summary.withdrawn(self.outcomes)
        small: list[Outcome] = []
        for failure in failures(self.outcomes):
            shown = clearer(failure, self.outcomes)
            first = next(outcome for outcome in self.outcomes if shown(outcome))
            again = None if len(small) < SEVERAL else next((o for o in small if shown(o)), None)
            minimal = again or shrunk(fails=shown, start=first.example) or first
            near: list[Outcome] = []
            if failure.tensor is not None and failure.code is None:
                small.append(minimal)
                minimal = self._asked(minimal)
                for outcome in worth_asking([o for o in self.outcomes if failure(o)], failure.tensor):
                    self._asked(outcome)
                near = self._near(minimal, failure.tensor)
            tried = [*self.outcomes, *near]
            self.findings.append(diagnose(self.name, minimal, tried, self.reproduce, failure.tensor, failure.code))
        self.findings[:] = reconciled(self.findings, self.broken)
        part = self._look_inside()
        self._try_changes(part)
        self._find_lines(part)
        found = pointed(told_once(self.findings), self.code, self.outcomes)
        found = (*found, *self.allowed.unknown)
        self.findings[:] = [replace(f, severity="allowed") if f.code in self.allowed.where else f for f in found]

    def _near(self, minimal: Outcome, tensor: str) -> list[Outcome]:
        """Examples near the smallest: for the law, where some pass; looked at in full where too few answered."""
        results = [result_of(outcome, tensor) for outcome in self.outcomes]
        asked = [o.probe for o in [*self.outcomes, minimal] if o.probe is not None]
        answered = sum(tensor in probe.responses for probe in asked)
        told = answered >= EXAMPLES or any(probe.elementwise for probe in asked)
        mute = not told and any(probe.outputs.size > 1 for probe in asked)
        passed = any(result is not None and result.verdict is Verdict.PASS for result in results)
        if self.around is None or self.judge is None or not (passed or mute):
            return []
        near = self.around(minimal, tensor)
        self.naming_forwards += sum(outcome.forwards for outcome in near)
        for chosen in worth_asking(near, tensor) if mute else []:
            full = self.judge(chosen.example)
            self.naming_forwards += full.forwards
            near[near.index(chosen)] = self._asked(full)
        return near

    def try_promises(self, keep: Callable[..., Outcome], shrunk: Callable[..., Outcome | None]) -> None:
        """One finding for each promise that is broken in a few of the examples that ran through."""
        self.kept += [keep(example) for example in worth_keeping(self.outcomes)]
        for failure in failures(self.kept):
            first = next(outcome for outcome in self.kept if failure(outcome))
            minimal = shrunk(functools.partial(keep, code=failure.code), fails=failure, start=first.example) or first
            self.broken.append(diagnose(self.name, minimal, self.kept, self.reproduce, failure.tensor, failure.code))

    def _asked(self, outcome: Outcome) -> Outcome:
        """The outcome with what the subject answers when it is asked for the cause; in its place among the others."""
        if outcome.probe is not None:
            return outcome
        asked = self.ask(outcome)
        self.naming_forwards += 0 if asked.probe is None else asked.probe.forwards
        self.outcomes[:] = [asked if other is outcome else other for other in self.outcomes]
        return asked

    def _wrong(self) -> list[str]:
        """The tensors that have a wrong gradient, each once."""
        found = failures(self.outcomes)
        return list(dict.fromkeys(f.tensor for f in found if f.tensor is not None and f.code is None))

    def _try_changes(self, part: type | None) -> None:
        """A small change of the source that makes wrong gradients right, where there is one."""
        wrong = self._wrong()
        twice = asks_twice(self.findings)
        chosen = worth_trying(self.outcomes, wrong, twice=twice)
        if chosen:
            sides = of_forward(self.findings)
            reserve = in_reserve(self.outcomes, wrong, chosen)
            how = {"most": effort(self.findings), "sides": sides, "twice": twice}
            found = self.mend(chosen, reserve, part, **how, any_shape=of_any_shape(self.outcomes, wrong))
            self.naming_forwards += found.forwards
            self.findings[:] = mended(self.findings, found)

    def _find_lines(self, part: type | None) -> None:
        """Up to which line backward is right, where a gradient is wrong."""
        if worth_locating([*self.findings, *self.broken]):
            located = self.locate(self.outcomes, part)
            self.naming_forwards += located.forwards
            self.findings[:] = agreed(self.findings, located)

    def _look_inside(self) -> type | None:
        """One finding more for a composite: the part that is wrong, or the place where the chain breaks."""
        tensors = self._wrong()
        explained = any(CODES[finding.code].explains for finding in self.findings)  # by its lists, not by its chain
        chosen = worth_asking(self.outcomes, tensors[0]) if tensors else []
        link = self.look_inside(chosen[0].example) if chosen else None
        if not chosen or link is None or (explained and not link.proven):
            return None
        self.findings[:] = [f for f in self.findings if not (link.proven and CODES[f.code].explains)]
        self.naming_forwards += link.forwards
        self.findings.append(linked(self.name, link, chosen[0], self.reproduce))
        return link.part

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


def _as_it_is(outcome: Outcome) -> Outcome:
    return outcome


def _as_written(*_: object, **__: object) -> Mended:
    return Mended()


def _nowhere(*_: object) -> Located:
    return Located()


def _nothing(*_: object, **__: object) -> None:
    """What further calls of the subject would have shown, had there been time for them."""


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
