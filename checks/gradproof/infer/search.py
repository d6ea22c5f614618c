"""The search: candidates in the order of their costs, each run traced, and plainly where that went through."""

from __future__ import annotations

import heapq
import math
import time
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from gradproof.infer.applying import Applying
from gradproof.infer.attempt import Attempt
from gradproof.infer.confirm import FEWER, Confirmed, Confirming
from gradproof.infer.elsewhere import elsewhere
from gradproof.infer.own_faults import is_own_fault
from gradproof.trace.candidate import Candidate
from gradproof.trace.changes import Proposal, What
from gradproof.trace.dims import argument_of
from gradproof.trace.polynomials import ONE
from gradproof.trace.run import Hint
from gradproof.trace.traced import Trace, Tracer

RUNS = 160  # traced runs; nearly all that is found is found within 20
CALLS = 120_000  # calls of NumPy in all of them: a few seconds
ATTEMPTS = 60  # plain runs
FURTHER = 0.7  # how much dearer than the first whose forward ran a candidate may be
LIKELY = 0.5  # the cost up to which an exception that no arguments avoid ends the search
SECONDS = 60.0  # the safety net, where a call takes far longer than what it calls tells; what it cut off is told
_NEVER_AVOIDED = frozenset({"NotImplementedError", "ImportError", "ModuleNotFoundError"})  # by other arguments
_FINAL = _NEVER_AVOIDED | {"AttributeError", "NameError", "RecursionError"}  # kinds that may end a search


@dataclass(frozen=True, eq=False)
class Found:
    """What a search came to.

    candidate: the best, the likeliest where no forward ran; runs: whether its forward ran; clean: forward and backward
    did all that they should; seen: its plain runs; cut_off: whether the clock ended the search.
    """

    candidate: Candidate | None
    runs: bool = False
    clean: bool = False
    seen: tuple[Attempt, ...] = ()
    cut_off: bool = False


class _Queue:
    """Candidates in the order of their costs, the deepest first among equals; none twice, unless it became cheaper."""

    def __init__(self, starts: Iterable[Candidate]) -> None:
        self.entries: list[tuple[float, int, int, Candidate]] = []
        self.cheapest: dict[object, float] = {}
        self.done: set[object] = set()
        self.added = 0
        for start in starts:
            self.add(start)

    def add_changed(self, candidate: Candidate, proposals: Iterable[Proposal], applying: Applying) -> None:
        """Add what a candidate becomes by each of the proposals, where it can be applied."""
        for proposal in proposals:
            other = applying.applied(candidate, proposal)
            if other is not None:
                self.add(other)

    def add(self, candidate: Candidate) -> None:
        key = candidate.key()
        if key in self.done or candidate.cost >= self.cheapest.get(key, math.inf):
            return
        self.cheapest[key] = candidate.cost
        self.added += 1
        heapq.heappush(self.entries, (round(candidate.cost, 2), -candidate.steps, self.added, candidate))

    def pop(self) -> Candidate | None:
        """The next one that was not tried; None where there is none."""
        while self.entries:
            candidate = heapq.heappop(self.entries)[-1]
            if candidate.key() not in self.done:
                self.done.add(candidate.key())
                return candidate
        return None


@dataclass(eq=False)
class Search:
    """One search, from one candidate or several; a second one continues its counts.

    cut_off: whether the clock ended it; the counts are limits as a rule.
    """

    tracer: Tracer
    confirming: Confirming
    hints: dict[str, Hint]
    subject: Any  # the class, function or pair of functions
    runs: int = 0
    calls: int = 0
    cut_off: bool = False
    began: float = field(default_factory=time.perf_counter)

    def find(self, starts: Iterable[Candidate], most: int = RUNS) -> Found:
        """The first candidate that is clean, or else the first whose forward ran, or the likeliest."""
        applying, queue = Applying(self.hints), _Queue(starts)
        best: Confirmed | None = None
        likeliest: Candidate | None = None
        last = self.runs + most
        while self.runs < last and not self._is_spent():
            candidate = queue.pop()
            if candidate is None or _is_too_dear(candidate, best):
                break
            trace, confirmed = self._try(candidate)
            if confirmed is None:
                fault = self._own_fault(candidate, trace)
                if fault is not None:
                    return Found(self.confirming.completed(candidate), seen=(fault,))
                likeliest = _likelier(likeliest, candidate)
                queue.add_changed(candidate, trace.proposals or [], applying)
                continue
            if self._ends_search(confirmed, best):
                return Found(confirmed.candidate, True, True, tuple(confirmed.attempts))
            if self._is_better(confirmed, best):
                best = confirmed
            queue.add_changed(confirmed.candidate, confirmed.proposals, applying)
        return self._not_clean(best, likeliest)

    def _ends_search(self, confirmed: Confirmed, best: Confirmed | None) -> bool:
        """Whether forward and backward did all that they should, and nothing was bent for backward's sake."""
        return confirmed.clean and (best is None or not self._is_bent(confirmed.candidate, best))

    def _is_better(self, confirmed: Confirmed, best: Confirmed | None) -> bool:
        """Whether forward ran, as the first, or as the first whose output depends on what it is given."""
        return confirmed.settled and (best is None or self._moves_first(confirmed, best))

    def _not_clean(self, best: Confirmed | None, likeliest: Candidate | None) -> Found:
        """The best whose forward ran; or the likeliest of the candidates, of which none ran, with its plain run."""
        if best is not None:
            return Found(best.candidate, True, False, tuple(best.attempts), self.cut_off)
        if likeliest is None:
            return Found(None, cut_off=self.cut_off)
        candidate = self.confirming.completed(likeliest)
        seen = self.confirming.plain(candidate)
        return Found(candidate, seen=() if seen is None else (seen,), cut_off=self.cut_off)

    def _own_fault(self, candidate: Candidate, trace: Trace) -> Attempt | None:
        """The plain run of a likely candidate that raises what no other arguments avoid."""
        if trace.raised not in _FINAL or candidate.cost > LIKELY:
            return None
        seen = self.confirming.plain(candidate)
        if seen is None or seen.error is None:
            return None
        is_final = seen.error.kind in _NEVER_AVOIDED or is_own_fault(seen.error, self.subject)
        return seen if is_final else None

    def _try(self, candidate: Candidate) -> tuple[Trace, Confirmed | None]:
        """Traced at rising sizes, at falling ones where that went through, and then plainly."""
        trace = self._traced(candidate, falling=False)
        if trace.cut_off:  # a loop over entries: with few of them it comes to what follows
            trace = self._traced(candidate, falling=True, few=True)
        elif trace.proposals is None:
            candidate = replace(candidate, small=candidate.small | trace.run.windows(trace.run.evidence.spans))
            trace = self._traced(candidate, falling=True)  # what fits by accident at rising sizes does not at these
        if trace.proposals is not None:
            return trace, None
        return trace, self.confirming.confirm(candidate, trace)

    def _traced(self, candidate: Candidate, *, falling: bool, few: bool = False) -> Trace:
        trace = self.tracer.run(candidate, falling=falling, few=few)
        self.runs += 1
        self.calls += trace.run.calls
        if trace.raised:
            more: list[Proposal] = [*(trace.proposals or []), *elsewhere(candidate, self.hints)]
            trace = replace(trace, proposals=more)
        return trace

    def _is_bent(self, candidate: Candidate, best: Confirmed) -> bool:
        """Whether a backward bent what forward had settled: fewer free dims, which hide bugs; a number as an array.

        Or what forward is about, or a weight, that is no tensor any more, though backward has a gradient for it.
        """
        settled = best.candidate
        loses = self._loses_tensors(candidate, best) or self._makes_arrays(candidate, settled)
        dims = [dim for dim in settled.dims() if not self._is_open(candidate, settled, dim)]
        return loses or len(candidate.dims()) < len(dims)

    def _is_open(self, candidate: Candidate, settled: Candidate, dim: str) -> bool:
        """Whether forward leaves a dim open: of a column, or of a shape of which it does not say how long it is."""
        argument = argument_of(dim)
        own, other = settled.kinds[argument], candidate.kinds[argument]
        is_another_length = own.what is other.what is What.SIZES and own.rank != other.rank
        return is_another_length or self._is_column(candidate, dim)

    def _is_column(self, candidate: Candidate, dim: str) -> bool:
        """Whether a target is one column here, where another prediction than a column was never met."""
        return self.hints[argument_of(dim)].target and candidate.size(dim) == ONE

    def _loses_tensors(self, candidate: Candidate, best: Confirmed) -> bool:
        kinds, defects = best.candidate.kinds, [defect for seen in best.attempts for defect in seen.defects]
        if any(defect.code in FEWER for defect in defects):
            return False
        tensors = [name for name, kind in kinds.items() if kind.what is What.ARRAY and self._has_gradient(name)]
        return any(candidate.kinds[name].what is not What.ARRAY for name in tensors)

    def _has_gradient(self, name: str) -> bool:
        return self.hints[name].weight or self.hints[name].first

    def _makes_arrays(self, candidate: Candidate, settled: Candidate) -> bool:
        numbers = [name for name, kind in settled.kinds.items() if kind.what is What.VALUE and self.hints[name].scalar]
        return any(candidate.kinds[name].is_array for name in numbers)

    def _moves_first(self, confirmed: Confirmed, best: Confirmed) -> bool:
        """Whether it is the first whose output depends on what forward is given."""
        is_kept = not self._makes_arrays(confirmed.candidate, best.candidate)
        return is_kept and _is_constant(best) and not _is_constant(confirmed)

    def _is_spent(self) -> bool:
        self.cut_off = self.cut_off or time.perf_counter() - self.began > SECONDS
        return self.calls > CALLS or self.confirming.attempts > ATTEMPTS or self.cut_off


def _is_too_dear(candidate: Candidate, best: Confirmed | None) -> bool:
    """Whether a candidate costs too much more than the first whose forward ran to be tried as well."""
    return best is not None and candidate.cost > best.candidate.cost + FURTHER


def _is_constant(confirmed: Confirmed) -> bool:
    return bool(confirmed.attempts) and all(seen.constant for seen in confirmed.attempts)


def _likelier(one: Candidate | None, two: Candidate) -> Candidate:
    """Of two that do not run, the one that knows more of its arguments, then the deeper one."""
    if one is None:
        return two
    return min(one, two, key=lambda each: (_unknowns(each), -each.steps))


def _unknowns(candidate: Candidate) -> int:
    return sum(kind.what is What.UNKNOWN for kind in candidate.kinds.values())
