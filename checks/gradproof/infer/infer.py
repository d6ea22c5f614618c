"""Finds the Case of a subject that declares none: it tries what the names suggest until something runs; no verdicts."""

from __future__ import annotations

import heapq
import itertools
import time
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any, cast

from gradproof.case.case import Case
from gradproof.errors import UsageError
from gradproof.infer.arguments import Target, another_layer, target_of
from gradproof.infer.attempt import BACKWARD, Attempt, attempt, built
from gradproof.infer.complaints import OWN_FAULTS, is_own_fault
from gradproof.infer.dim_names import readable
from gradproof.infer.doubts import CONSTANT, chosen, doubts, unused
from gradproof.infer.guesses import Candidate, Domain, Kind
from gradproof.infer.inference import Inference
from gradproof.infer.openings import openings
from gradproof.infer.operations import infer_operation
from gradproof.infer.repairs import Options, repairs, switched_on
from gradproof.infer.sentences import hint_for, limits, nothing_for, told
from gradproof.nodes.conventions import operation_of
from gradproof.values import LayerError

SOON = 1.0  # seconds: after it, what ran is taken, though not all of it was as it should be; after half of it, as it is
LATEST = 4.0  # seconds: after it, the search ends
MOST = 160  # attempts
FURTHER = 40  # attempts after the first candidate that ran, but left something to be desired
ALTERNATIVES = 12  # attempts for other kinds of targets, once one is found
WIDEST = 5  # the widest window that is looked for
_SEED = 1729  # of the values in an attempt


def infer(subject: Any) -> Inference:
    """Find the Case of a class, of a pair (forward, backward) of functions, or of one loss function."""
    began = time.perf_counter()
    operation = operation_of(subject[0] if isinstance(subject, tuple) else subject)
    found = None if operation is None else infer_operation(operation)
    if found is not None:
        return found
    try:
        target = target_of(subject)
    except (ValueError, TypeError):
        name = getattr(subject, "__name__", str(subject))
        return Inference(None, problem=f"the signature of {name} cannot be read: declare its Case")
    other = another_layer(subject) if target.wants_layer else None
    search = _Search(target, target.options(None if other is None else built(other)), began)
    try:
        search.run()
    except UsageError as error:
        return Inference(None, problem=str(error))
    return search.inference()


@dataclass(eq=False)
class _Search:
    """A search in progress: candidates in the order of how far they depart from what the names suggest."""

    target: Target
    options: Options
    began: float
    attempts: int = 0
    forwards: int = 0
    found: Candidate | None = None
    others: list[Candidate] = field(default_factory=list[Candidate])
    ran: Candidate | None = None  # it came to its end, but with a defect or an input without effect
    ran_at: int = 0
    halfway: Candidate | None = None  # the first whose forward ran and whose backward did not
    idle: set[object] = field(default_factory=set[object])  # keys of those whose output is their input
    constant: set[object] = field(default_factory=set[object])  # keys of those whose output is the same for all data
    refused: dict[str, LayerError] = field(default_factory=dict[str, LayerError])  # below the least size of a dim
    plausible: tuple[tuple[float, ...], Candidate, Attempt] | None = None  # the likeliest that did not

    def run(self) -> None:
        """Search, then look for other kinds of targets that run as well."""
        missing = [name for name, guesses in self.options.items() if not guesses]
        if missing:
            return
        start = Candidate({name: guesses[0] for name, guesses in self.options.items()})
        domain = Domain.UNIT if self.target.takes_probabilities else Domain.REAL
        start = replace(start, departures=0.0, domain=domain)
        self.found = self._first(openings(start, self.target.called))
        if self.found is not None:
            self.found = self._wide_enough(self._freer(self.found))
            self._alternatives(self.found)

    def _first(self, starts: Iterable[Candidate], most: int = MOST) -> Candidate | None:
        """The first candidate that is clean at both sets of sizes."""
        order = itertools.count()
        queue = [(c.departures, -c.steps, next(order), c) for c in starts]
        seen = {c.key() for *_, c in queue}
        last = self.attempts + most
        while queue and self.attempts < last and not self._is_late():
            candidate = heapq.heappop(queue)[-1]
            attempts = self._try(candidate)
            if attempts is None:
                continue
            unclean = [a for a in attempts if not a.clean]
            worst = next((a for a in unclean if a.error is not None), unclean[0] if unclean else None)
            if worst is None:
                if self.halfway is None or candidate.has_weights_of(self.halfway):
                    return candidate
                continue
            self._remember(candidate, attempts, worst)
            if worst.error is not None and is_own_fault(worst.error) and self._is_final(candidate, worst):
                return None
            for other in repairs(candidate, self.options, worst):
                if (key := other.key()) not in seen:
                    seen.add(key)
                    heapq.heappush(queue, (other.departures, -other.steps, next(order), other))
        return None

    def _freer(self, found: Candidate) -> Candidate:
        """Without those equations that a repair added and that nothing needs: equal dims hide bugs."""
        tried: set[object] = set()
        while self._spent() < SOON / 2:
            new = [freer for freer in found.freer() if freer.key() not in tried]
            for freer in new:
                tried.add(freer.key())
                attempts = self._try(freer) if self._spent() < SOON / 2 else None
                if attempts is not None and all(a.clean for a in attempts):
                    found = freer
                    break
            else:
                break
        return found

    def _wide_enough(self, found: Candidate) -> Candidate:
        """With the least sizes at which it runs, of the axes over which a window may slide."""
        for dim in found.windowed():
            begin = found.ranges().get(dim, (1, 1))[0]
            for size in range(begin, WIDEST + 1):
                seen = attempt(self._case(found), falling=False, seed=_SEED, fixed={dim: size})
                self.attempts, self.forwards = self.attempts + 1, self.forwards + seen.forwards
                if seen.error is None and size > begin:
                    found = replace(found, least={**found.least, dim: size})
                if seen.error is None or is_own_fault(seen.error) or self._is_late():
                    break
                self.refused[dim] = seen.error
        return found

    def _try(self, candidate: Candidate) -> list[Attempt] | None:
        """One attempt at rising sizes and, where forward and backward ran, one at falling sizes; None for no Case."""
        try:
            case = self._case(candidate)
        except UsageError:
            if candidate.steps == 0:
                raise
            return None
        found: list[Attempt] = []
        for falling in (False, True):
            found.append(attempt(case, falling=falling, seed=_SEED))
            self.attempts += 1
            self.forwards += found[-1].forwards
            if found[-1].idle:
                self.idle.add(candidate.key())
            if not found[-1].ran:
                break
        if all(a.constant for a in found):
            self.constant.add(candidate.key())
        return found

    def _is_final(self, candidate: Candidate, worst: Attempt) -> bool:
        """Whether no other candidate could do better than one that raised for a reason that is no matter of shapes."""
        kept = worst.reached == BACKWARD and any(switched_on(candidate, self.options))
        return candidate.departures < 1 and not kept

    def _remember(self, candidate: Candidate, attempts: list[Attempt], worst: Attempt) -> None:
        whole = len(attempts) == 2 and all(a.ran for a in attempts)
        if whole and (self.ran is None or self._unlikely(candidate) < self._unlikely(self.ran)):
            self.ran, self.ran_at = candidate, self.attempts if self.ran is None else self.ran_at
        if self.halfway is None and worst.reached == BACKWARD:
            self.halfway = candidate
        # of those that raise, a backward that no arguments mend; the one nearest to the names; that which came farthest
        mendable = worst.reached != BACKWARD or worst.error is None or worst.error.kind not in OWN_FAULTS
        rank = (mendable, round(candidate.departures), -worst.reached, -candidate.steps)
        if worst.error is not None and (self.plausible is None or rank < self.plausible[0]):
            self.plausible = rank, candidate, worst

    def _unlikely(self, candidate: Candidate) -> tuple[bool, float]:
        return candidate.key() in self.constant, candidate.departures

    def _spent(self) -> float:
        return time.perf_counter() - self.began

    def _is_late(self) -> bool:
        spent = self._spent()
        return spent > LATEST or (self.ran is not None and (spent > SOON or self.attempts > self.ran_at + FURTHER))

    def _alternatives(self, found: Candidate) -> None:
        """Other kinds of targets: labels, one-hot rows and values may all run, and need not agree."""
        kinds = {Kind.LABELS, Kind.ONE_HOT, Kind.CONSTANT}
        targets = [name for name in self.target.called if found.guesses[name].kind in kinds]
        for name in targets[:1]:
            tried = {found.guesses[name].kind}
            for guess in self.options[name]:
                if guess.kind in kinds - tried:
                    other = self._first([found.changed(name, guess)], most=ALTERNATIVES)
                    if other is not None and other.guesses[name].kind not in tried:
                        tried.add(other.guesses[name].kind)
                        self.others.append(other)

    def _case(self, candidate: Candidate, *, named: bool = False) -> Case:
        if named:
            candidate = replace(candidate, bound=readable(candidate.dims(), dict(candidate.bound)))
        functions = [f for f in (self.target.subject, self.target.backward) if f is not None]
        return Case(*functions, dims=candidate.ranges() or None, **cast(Any, candidate.specs()))

    def inference(self) -> Inference:
        """What was found, or what stood in the way."""
        seconds, spent = time.perf_counter() - self.began, self.forwards
        best = self.found or self.ran
        if best is not None:
            others = tuple(self._case(other, named=True) for other in self.others)
            case = self._case(best, named=True)
            idle = unused(best, self.target) if best.key() in self.idle else ()
            constant = (CONSTANT,) if best.key() in self.constant else ()
            doubted, left_out = (*constant, *doubts(best), *idle), limits(best, self.refused)
            return Inference(case, others, None, doubted, left_out, chosen(best), None, seconds, spent)
        hint = hint_for(self.target)
        if self.plausible is None:
            empty = [name for name, guesses in self.options.items() if not guesses]
            why = nothing_for(empty) if empty else "no signature runs"
            return Inference(None, problem=f"{why}.{hint}", seconds=seconds, forwards=spent)
        _, candidate, worst = self.plausible
        problem = f"no signature was found that runs: {told(worst, self._case(candidate, named=True))}.{hint}"
        return Inference(None, problem=problem, error=worst.error, seconds=seconds, forwards=spent)
