"""Up to which line a backward is right, looked for at one failing example; it tries no change of the source."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gradproof.adjoint.adjoints import Adjoint, of_outputs, of_parts, of_tensors, of_variables
from gradproof.adjoint.hook import Hook, are_equal
from gradproof.adjoint.last_right import right_up_to
from gradproof.adjoint.recorded import Backward
from gradproof.adjoint.rerun import Rerun, functions_run, hooked_in
from gradproof.adjoint.substitution import Substitution, substitutions
from gradproof.convention.convention import convention_of
from gradproof.diagnose.evidence import has_distinct_dims, sizes
from gradproof.findings import Location, RightUpTo
from gradproof.guard import Randomness, SubjectError, quiet
from gradproof.mend.budget import Budget, SpentError
from gradproof.mend.trial import Build, Trial, trial
from gradproof.mend.true_gradients import judged
from gradproof.source.hints import code_of
from gradproof.source.source import Code
from gradproof.values import Example, Outcome, Verdict

MOST_FORWARDS = 1000
RUNS = 2000  # of backward
OTHER = 1.7  # times dout: what follows it changes
LARGE, TINY = 4.0, 1e-2  # between them, an entry is an ordinary one
LEAST = 3  # at a size of 2, a half and one by the size are the same


@dataclass(frozen=True)
class Located:
    """What was found, one place for each slip, and the forwards that it took; ``wrong`` are all wrong gradients."""

    found: tuple[RightUpTo, ...] = ()
    wrong: frozenset[str] = frozenset()
    forwards: int = 0

    @property
    def lines(self) -> list[Location]:
        """Those that are wrong, and those that may be, too."""
        return [line for each in self.found for line in (each.wrong.at, *each.unsure)]

    def of(self, tensors: Iterable[str]) -> RightUpTo | None:
        """The place at which the gradients of all these tensors go wrong."""
        wanted = {*tensors}
        return next((each for each in self.found if wanted and wanted <= {*each.tensors}), None)


def locate(
    code: Code, build: Callable[[Example], Build], outcomes: Sequence[Outcome], part: type | None = None
) -> Located:
    """Look at the failing example that tells most; nothing where an axis of size 1 is in all of them.

    Where sizes are the same, what is right may be so by chance: no line is called right then.

    part: the class of the part of a composite that is wrong by itself.
    """
    chosen = _telling(outcomes)
    if chosen is None:
        return Located()
    if part is not None:
        code = replace(code_of(part, convention=convention_of(part)), forward=None, backward=None)
    with contextlib.ExitStack() as stack:
        stack.enter_context(quiet())
        random = stack.enter_context(Randomness(chosen.example.seed))
        try:
            made = trial(chosen, build(chosen.example), random, budget=Budget(RUNS))
            found = Located() if made is None or not made.counts else _located(code, made, stack)
        except (SubjectError, SpentError):
            return Located()
    if _tells_axes(chosen):
        return found
    return replace(found, found=tuple(replace(each, right=None) for each in found.found))


def _telling(outcomes: Sequence[Outcome]) -> Outcome | None:
    """The failing example with most gradients wrong, first where sizes differ, then the small ones of 3 and more."""
    failing = [outcome for outcome in outcomes if _wrong_tensors(outcome) and _least(outcome) > 1]
    known = [outcome for outcome in failing if judged(outcome)]
    return min(known, key=_rank, default=None)


def _least(outcome: Outcome) -> int:
    """The smallest size."""
    shapes = [size for array in _arrays(outcome) for size in array.shape]
    return min(sizes(outcome.example.dims).values() or shapes, default=LEAST)


def _tells_axes(outcome: Outcome) -> bool:
    """Whether all sizes differ; where no dim has a name, those of each array."""
    if outcome.example.dims:
        return has_distinct_dims(outcome.example.dims)
    shapes = [array.shape for array in _arrays(outcome) if array.ndim]
    return all(len({*shape}) == len(shape) and min(shape) > 1 for shape in shapes)


def _arrays(outcome: Outcome) -> list[np.ndarray[Any, Any]]:
    values = {**outcome.example.init, **outcome.example.inputs}.values()
    return [value for value in values if isinstance(value, np.ndarray)]


def _rank(outcome: Outcome) -> tuple[int, bool, bool, int, int]:
    arrays = _arrays(outcome)
    special = sum(_special_entries(array) for array in arrays if array.dtype.kind == "f")
    small = _least(outcome) < LEAST
    return -_wrong_tensors(outcome), not _tells_axes(outcome), small, special, sum(array.size for array in arrays)


def _special_entries(array: np.ndarray[Any, Any]) -> int:
    """How many entries may saturate what they go through, or all but vanish in it."""
    magnitude = np.abs(array)
    return int(np.count_nonzero((magnitude > LARGE) | (magnitude < TINY)))


def _wrong_tensors(outcome: Outcome) -> int:
    return sum(result.verdict is Verdict.FAIL for result in outcome.tensors)


def _located(code: Code, made: Trial, stack: contextlib.ExitStack) -> Located:
    in_forward = code.backward is not None and code.backward is code.forward

    def run() -> None:
        made.run_again()
        made.claims(anew=in_forward)

    functions, hook = functions_run(run), Hook()
    by_place = {function.place: function for function in functions}
    ends = [by_place.get(each.place) if each is not None else None for each in (code.forward, code.backward)]
    own = frozenset(function.place for function in code.all_functions)
    sites = stack.enter_context(hooked_in(functions, hook))
    rerun = Rerun(made, hook, sites, in_forward, MOST_FORWARDS, first=ends[0], last=ends[1], own=own)
    try:
        found = [right_up_to(backward, each) for backward, each in _substitutions(rerun)]
    except SpentError:
        found = []
    return Located(tuple(each for each in found if each is not None), frozenset(made.counts), rerun.forwards)


def _substitutions(rerun: Rerun) -> list[tuple[Backward, Substitution]]:
    """The places, first by the gradients of whole variables; where that leaves doubts, by those of all expressions."""
    backward = _recorded(rerun)
    if backward is None:
        return []
    sizes = _sizes(backward, backward.places)
    noted = rerun.values_of_forward()
    backward.library += [*of_tensors(rerun), *of_outputs(rerun)]
    backward.library += _both_ways(of_variables(rerun, noted, sizes, [*backward.library]))
    if not rerun.is_unmoved(backward.claims):
        return []
    found = substitutions(backward)
    if any(each.unsure for each in found):
        doubts = {number for each in found for number in (*each.unsure, each.number)}
        more = _sizes(backward, doubts)
        backward.library += _both_ways(of_variables(rerun, noted, more - sizes, [*backward.library]))
        backward.library += _both_ways(of_parts(rerun, noted, more, [*backward.library]))
        found = substitutions(backward) if rerun.is_unmoved(backward.claims) else []
    return [(backward, each) for each in found]


def _sizes(backward: Backward, numbers: Iterable[int]) -> set[int]:
    """How many entries the values of some sites have."""
    return {value.size for number in numbers for value in backward.noted[number]}


def _both_ways(adjoints: Iterable[Adjoint]) -> Iterable[Adjoint]:
    """Each, and one of several rounds also from the last one back."""
    for adjoint in adjoints:
        yield adjoint
        if len(adjoint.values) > 1:
            yield adjoint.reversed()


def _recorded(rerun: Rerun) -> Backward | None:
    """One backward with its values; None where it raises, or gives another answer than before."""
    noted = rerun.values_of_forward()
    claims = rerun.claims()
    back, order = rerun.values_of_backward()
    other, _ = rerun.values_of_backward(times=OTHER)
    if claims is None or not order:
        return None
    changed = {number: not are_equal(back[number], other.get(number, [])) for number in order}
    follows = changed if any(changed.values()) else dict.fromkeys(order, True)  # backward may take no dout
    # of a function that returns its gradients beside the loss, what moves the loss is forward's
    return Backward(rerun, back, order, {} if rerun.in_forward else noted, claims, follows)
