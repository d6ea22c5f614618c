"""Runs a candidate plainly, forward and backward, and says what backward may still choose; it searches nothing.

What forward has settled stays. A backward that raises, or that returns what does not fit, moves only what forward left
open: the ranks of its arguments, which of them are data, and flags with a default.
"""

from __future__ import annotations

import math
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from gradproof.case.case import Case
from gradproof.errors import UsageError
from gradproof.infer.attempt import Attempt, attempt
from gradproof.infer.declare import Declaring
from gradproof.infer.dim_names import BATCH
from gradproof.infer.elsewhere import elsewhere
from gradproof.infer.hyperparameters import number_for
from gradproof.infer.own_faults import is_own_fault
from gradproof.infer.windows import with_windows
from gradproof.infer.without_a_gradient import as_constant, as_labels
from gradproof.trace.candidate import Candidate
from gradproof.trace.changes import Axes, Become, Equal, Proposal, Rank, Small, What, array, value
from gradproof.trace.dims import argument_of
from gradproof.trace.polynomials import ONE, Polynomial
from gradproof.trace.run import Hint, TracedRun
from gradproof.trace.traced import Trace
from gradproof.values import Defect

SEED = 1729  # of the values in an attempt
_WIDEST = 4  # the largest least size of a dim that is looked for
FEWER = frozenset({"GP203", "GP204"})  # codes: fewer gradients than arguments


@dataclass(frozen=True, eq=False)
class Confirmed:
    """What a plain run showed of a candidate, which may have been completed by it.

    clean: forward and backward did all that they should; settled: forward ran; attempts: what was seen; proposals: what
    to try where it is not clean.
    """

    candidate: Candidate
    clean: bool
    settled: bool
    attempts: list[Attempt]
    proposals: list[Proposal]
    why: str = ""


class Confirming:
    """Confirms the candidates of one target; counts the forwards that it takes."""

    def __init__(self, declaring: Declaring, hints: Mapping[str, Hint], subject: Any) -> None:
        self._declaring, self._hints, self._subject = declaring, hints, subject
        self.forwards = self.attempts = 0

    def confirm(self, candidate: Candidate, trace: Trace) -> Confirmed:
        """Run what went through traced: ``trace`` is that run."""
        run, output = trace.run, trace.output
        candidate = self.completed(candidate)
        left = run.left_over()
        if left:
            return Confirmed(candidate, False, False, [], left + _without_room(left), "what slices leave over")
        windows = run.windows(run.evidence.spans)
        if run.evidence.below and not windows <= candidate.small:
            return Confirmed(candidate, False, False, [], [Proposal(0.0, Small(windows))], "a size is below 1")
        candidate = with_windows(candidate, run, windows, output)
        try:
            case = self._declaring.case(candidate, trial=True)
        except UsageError as error:
            return Confirmed(candidate, False, False, [], [], str(error))
        seen = self._attempts(case)
        are_clean = all(each.clean for each in seen)
        settled = all(_has_run_forward(each) for each in seen)
        proposals = [*_other_ranks(candidate, run), *self._without_batch(candidate, output)]
        clean = are_clean and not proposals
        if not are_clean:
            proposals += self._open(candidate, seen, settled=settled, trace=trace)
        return Confirmed(candidate, clean, settled, seen, proposals)

    def _attempts(self, case: Case) -> list[Attempt]:
        """Runs at rising sizes, and at falling ones where these come back."""
        seen: list[Attempt] = []
        for falling in (False, True):
            seen.append(self._attempt(case, falling=falling))
            if not seen[-1].ran:
                break
        return seen

    def _attempt(self, case: Case, *, falling: bool = False, fixed: Mapping[str, int] | None = None) -> Attempt:
        seen = attempt(case, falling=falling, seed=SEED, fixed=fixed)
        self.attempts, self.forwards = self.attempts + 1, self.forwards + seen.forwards
        return seen

    def completed(self, candidate: Candidate) -> Candidate:
        """What forward does not use at all is a number for the constructor, and an array for forward."""
        unused = [argument for argument, kind in candidate.kinds.items() if kind.what is What.UNKNOWN]
        if not unused:
            return candidate
        given = {a: value(number_for(a, constructor=True)) if self._hints[a].built else array(2) for a in unused}
        return replace(candidate, kinds={**candidate.kinds, **given}, cost=candidate.cost + 0.1)

    def _without_batch(self, candidate: Candidate, output: tuple[Polynomial, ...]) -> list[Proposal]:
        """A parameter that has the axis which runs from the input to the output: the input has one more, the batch."""
        first = next(iter(self._hints))
        axes = candidate.axes(first) if candidate.kinds[first].is_array else []
        if not axes or not output or axes[0] != output[0]:
            return []
        batch = axes[0].lone_dim
        holding = [] if batch is None else self._parameters_with(candidate, batch)
        if not holding:
            return []
        if len(axes) == 1 and not self._hints[holding[0]].built:
            return []
        fewer = [Proposal(0.1, Rank(argument, candidate.kinds[argument].rank - 1)) for argument in holding]
        return [Proposal(0.02, Rank(first, len(axes) + 1)), *fewer]

    def _parameters_with(self, candidate: Candidate, name: str) -> list[str]:
        """The parameters that have an axis in which this dim occurs."""
        arrays = [argument for argument, kind in candidate.kinds.items() if kind.is_array]
        own = [argument for argument in arrays if self._is_parameter(argument)]
        return [argument for argument in own if any(name in axis.dims for axis in candidate.axes(argument))]

    def _is_parameter(self, argument: str) -> bool:
        """Whether the constructor takes it, or its name says so in more than one letter."""
        hint = self._hints[argument]
        return hint.built or (hint.weight and len(argument) > 1)

    def _open(self, candidate: Candidate, seen: list[Attempt], *, settled: bool, trace: Trace) -> list[Proposal]:
        """What to try next; where forward has settled the shapes, only what it left open."""
        worst = next((each for each in seen if not each.clean), seen[-1])
        others = elsewhere(candidate, self._hints)
        allowed = [each for each in others if not settled or self._is_left_open(each)]
        found = [each.dearer(0.2) for each in allowed]
        found += self._shapes_of_gradients(candidate, worst, trace)
        found += self._data(candidate, worst)
        if settled and worst.error is not None:
            found += [*self._flags(candidate), *self._columns(candidate, trace.output)]
        if not settled:
            found += _other_values(candidate)
        return found

    def _is_left_open(self, proposal: Proposal) -> bool:
        """Whether a change is one of what forward leaves open: the rank of an input, or a target that becomes a column.

        One with more columns meets a prediction of one column by broadcasting alone.
        """
        match proposal.change:
            case Rank(argument=argument):
                return not self._hints[argument].built
            case Equal(dim=dim, size=size):
                return size == ONE and self._hints[argument_of(dim)].target
            case _:
                return False

    def _flags(self, candidate: Candidate) -> list[Proposal]:
        """Flags of forward that are off by default: backward may need what they keep."""
        off = [name for name, hint in self._hints.items() if hint.switch and candidate.kinds[name].what is What.DEFAULT]
        return [Proposal(0.05, Become(name, value(True))) for name in off]

    def _columns(self, candidate: Candidate, output: tuple[Polynomial, ...]) -> list[Proposal]:
        """A bias along the samples, where those stand last, as a column instead: a parameter has no axis of samples."""
        first = next(iter(self._hints))
        data = candidate.axes(first) if candidate.kinds[first].is_array else []
        if len(output) != 2 or output[1] not in data or output[0] in data:
            return []
        vectors = [name for name, kind in candidate.kinds.items() if kind.key() == array(1).key()]
        weights = [name for name in vectors if self._hints[name].weight]
        along = [name for name in weights if candidate.axes(name)[0] == output[1]]
        return [Proposal(0.02, Axes(name, (output[0], ONE))) for name in along]

    def _shapes_of_gradients(self, candidate: Candidate, worst: Attempt, trace: Trace) -> list[Proposal]:
        """A gradient of another size: the argument may have its shape. One of the same size says nothing.

        Nor does one number for a bias along an axis of the output: that is a sum over all axes, a fault of backward's.
        """
        names = self._declaring.names(candidate)
        sizes = {dim: size for dim, name in names.items() if isinstance(size := worst.dims.get(name), int)}
        reader = TracedRun(candidate, sizes, self._hints, trace.run.call)
        found: list[Proposal] = []
        for tensor, shape in _shapes_of(worst.defects, candidate.kinds):
            if self._is_sum_over_all(tensor, shape, candidate.axes(tensor), trace.output):
                continue
            if _has_other_size(candidate, tensor, shape, sizes):
                axes = tuple(ONE if size == 1 else reader.stands_for(size) for size in shape)
                found.append(Proposal(0.02, Axes(tensor, axes)))
        return found

    def _is_sum_over_all(
        self, tensor: str, shape: tuple[int, ...], own: Sequence[Polynomial], output: tuple[Polynomial, ...]
    ) -> bool:
        """Whether one number came back for a weight along axes of the output."""
        along_output = len(output) > 1 and all(axis in output for axis in own)
        return self._hints[tensor].weight and along_output and math.prod(shape) == 1

    def _data(self, candidate: Candidate, worst: Attempt) -> list[Proposal]:
        """Which arguments of forward are data without a gradient, or labels."""
        kinds = {argument: kind for argument, kind in candidate.kinds.items() if self._is_beside(argument)}
        floats = [argument for argument, kind in kinds.items() if kind.what is What.ARRAY]
        found: list[Proposal] = []
        if any(defect.code in FEWER for defect in worst.defects):
            last = enumerate(reversed(floats))
            found += [Proposal(0.03 + 0.02 * place, as_constant(candidate, argument)) for place, argument in last]
        for argument in floats:
            cost = 0.1 if self._hints[argument].target else 0.5
            found.append(Proposal(cost, as_constant(candidate, argument)))
        for argument, kind in kinds.items():
            found += as_labels(argument, kind, self._hints[argument])
        return found

    def _is_beside(self, argument: str) -> bool:
        """Whether forward takes it beside what it is about."""
        return not (self._hints[argument].built or self._hints[argument].first)

    def plain(self, candidate: Candidate) -> Attempt | None:
        """One plain run of a candidate that did not go through; None where it makes no Case."""
        candidate = self.completed(candidate)
        if not candidate.fits():
            return None
        try:
            case = self._declaring.case(candidate, trial=True)
        except UsageError:
            return None
        self.attempts += 1
        return attempt(case, falling=False, seed=SEED)

    def _smallest(self, case: Case, dim: str, begin: int) -> tuple[int | None, Attempt | None]:
        """The smallest size of a dim with which forward runs, and what was raised at the one below it, if anything.

        None, and nothing raised, where the layer is at fault whatever the size.
        """
        refused: Attempt | None = None
        for size in range(begin, _WIDEST):
            seen = self._attempt(case, fixed={dim: size})
            if seen.error is None or seen.error.stage == "backward":
                return size, refused
            if is_own_fault(seen.error, self._subject):
                return None, None
            refused = seen
        return None, refused

    def roomy(self, candidate: Candidate) -> tuple[Candidate, dict[str, Attempt]]:
        """With the least size of each dim at which it runs, and what was raised below it."""
        names = self._declaring.names(candidate)
        least, refused = dict(candidate.least), dict[str, Attempt]()
        case = self._declaring.case(candidate)
        for name in candidate.dims():
            begin = least.get(name, 1)
            if names[name] == BATCH or names[name] not in case.space.ranges:
                continue
            smallest, last_refused = self._smallest(case, names[name], begin)
            if smallest is not None and smallest > begin:
                least[name] = smallest
            if last_refused is not None:
                refused[name] = last_refused
        return replace(candidate, least=least), {name: seen for name, seen in refused.items() if name in least}


def _has_run_forward(seen: Attempt) -> bool:
    return seen.error is None or seen.error.stage == "backward"


def _has_other_size(candidate: Candidate, tensor: str, shape: tuple[int, ...], sizes: Mapping[str, int]) -> bool:
    """Whether what has this shape has not as many entries as a tensor; False where the tensor's size is not known."""
    own = candidate.axes(tensor)
    is_known = candidate.kinds[tensor].is_array and all(name in sizes for axis in own for name in axis.dims)
    return is_known and math.prod(shape) != math.prod([axis.at(sizes) for axis in own])


def _other_ranks(candidate: Candidate, run: TracedRun) -> list[Proposal]:
    """Of arguments whose operation gave one dim twice, which broadcasting by accident does."""
    found: list[Proposal] = []
    for roots in run.evidence.outer[:2]:
        arrays = [argument for argument in roots if candidate.kinds[argument].is_array]
        found += [Proposal(0.3, Rank(a, candidate.kinds[a].rank + more)) for a in sorted(arrays) for more in (1, -1)]
    return found


def _without_room(left: list[Proposal]) -> list[Proposal]:
    """The first axis as exactly what the slice takes."""
    change = left[0].change
    if not isinstance(change, Equal):
        return []
    terms = tuple((m, factor) for m, factor in change.size.terms if not (m and m[-1].endswith("'")))
    return [Proposal(0.3, Equal(change.dim, Polynomial(terms)))] if terms != change.size.terms else []


def _other_values(candidate: Candidate) -> list[Proposal]:
    numbers = {a: k.value for a, k in candidate.kinds.items() if k.what is What.VALUE and type(k.value) in (int, float)}
    return [Proposal(0.4, Become(a, value(v))) for a, own in numbers.items() for v in (2, 0.5) if v != own]


def _shapes_of(defects: Iterable[Defect], known: Container[str]) -> Iterator[tuple[str, tuple[int, ...]]]:
    """The shapes of gradients that defects tell of, each with its argument, where that is known."""
    for defect in defects:
        if defect.tensor is not None and defect.shape is not None and defect.tensor in known:
            yield defect.tensor, defect.shape
