"""Runs a candidate once, constructor and forward, on values that watch what happens to them; it searches nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradproof import deadlines
from gradproof.case.nested import part_name
from gradproof.guard import Randomness, message, quiet
from gradproof.standins.spaces import namespaces
from gradproof.standins.standins import StandIns
from gradproof.trace.arrays import watched
from gradproof.trace.calls import call
from gradproof.trace.candidate import Candidate, can_be_made
from gradproof.trace.changes import Become, Enough, Kind, Proposal, Unfit, What, value
from gradproof.trace.distant_causes import anything
from gradproof.trace.integers import Dim, Shape, SizesOwner
from gradproof.trace.library import BUILTINS, instead_of
from gradproof.trace.polynomials import Polynomial
from gradproof.trace.run import Hint, TracedRun, begin, end
from gradproof.trace.unknown import Unknown
from gradproof.trace.watching import plain

SMALLEST, LARGEST = 0.1, 0.9  # of the entries of float arrays: probabilities, and no logarithm of a negative number


@dataclass(frozen=True, eq=False)
class Trace:
    """What one traced run showed: proposals, None where it went through; why not; and all that was met."""

    run: TracedRun
    proposals: list[Proposal] | None
    why: str = ""
    raised: str = ""  # the kind of an exception of the user's own code, or of code that is not traced
    output: tuple[Polynomial, ...] = ()  # the shape of what forward returned first
    cut_off: bool = False  # whether it ended after too many calls, before forward did


class Tracer:
    """Runs candidates of one subject.

    start: builds and calls the subject, given the values of all arguments by name; owner: the class or function whose
    modules see stand-ins; hints: what is known of each argument, forward's first; usual: the usual value of a key.
    """

    def __init__(
        self,
        start: Callable[[Mapping[str, Any]], Any],
        owner: Any,
        hints: Mapping[str, Hint],
        usual: Callable[[str], Any],
    ) -> None:
        self._start, self._hints, self._usual = start, hints, usual
        spaces = namespaces(owner)
        self._modules = frozenset(str(space.get("__name__")) for space in spaces)
        self._stand_ins = StandIns(spaces, instead_of, BUILTINS)
        self.runs = 0

    def run(self, candidate: Candidate, *, falling: bool, few: bool = False) -> Trace:
        """One run, at sizes that rise in the order of the dims, or fall; with few entries, at small ones."""
        self.runs += 1
        sizes = candidate.sizes(falling=falling, few=few)
        run = TracedRun(candidate, sizes, self._hints, call)
        run.modules = self._modules
        values = self._values(run)
        if values is None:
            return Trace(run, [], "a size is below 1, or an array would be far too large")
        try:
            returned = self._forward(run, values)
        except Unfit as unfit:
            return Trace(run, unfit.proposals, unfit.why)
        except Enough:
            return Trace(run, None, cut_off=True)
        except KeyError as error:
            missing = self._missing_key(candidate, error)
            return Trace(run, missing, f"KeyError: {message(error)}") if missing else _failed(run, error)
        except (KeyboardInterrupt, deadlines.Expired):
            raise
        except BaseException as error:  # also SystemExit, and whatever else is no Exception
            return _failed(run, error)
        if 0 in _first_sizes(returned):  # what came of nothing settles no shapes
            return Trace(run, anything(run), "the output is empty")
        return Trace(run, None, output=tuple(run.stands_for(size) for size in _first_sizes(returned)))

    def _forward(self, run: TracedRun, values: Mapping[str, Any]) -> Any:
        before = deadlines.enter()
        begin(run)
        try:
            with quiet(), Randomness(0), self._stand_ins:
                return self._start(values)
        finally:
            end()
            deadlines.leave(before)

    def _values(self, run: TracedRun) -> dict[str, Any] | None:
        """The watched arguments; None where a size is below 1, or an array of them would be far too large."""
        rng = np.random.default_rng(0)
        begin(run)  # sizes are made here that remember what they are
        try:
            kinds = run.candidate.kinds
            asked = [argument for argument, kind in kinds.items() if kind.what is not What.DEFAULT]
            shapes = {argument: run.shape(argument) for argument in asked}
            if not all(can_be_made(kinds[argument], shape) for argument, shape in shapes.items()):
                return None
            found = {argument: self._value(run, argument, shapes[argument], rng) for argument in asked}
            return _with_dicts(found, kinds)
        finally:
            end()

    def _value(self, run: TracedRun, argument: str, shape: list[int], rng: np.random.Generator) -> Any:
        kind, candidate = run.kind(argument), run.candidate
        polynomials = candidate.axes(argument)
        match kind.what:
            case What.UNKNOWN:
                return Unknown(self._hints[argument])
            case What.LABELS:
                below = max(candidate.below(argument).at(run.sizes), 1)
                return watched(rng.integers(0, below, shape), argument, holds_labels=True)
            case What.ONE_HOT:
                rows = np.eye(shape[-1])[rng.integers(0, shape[-1], shape[:-1])]
                return watched(rows, argument, holds_labels=False)
            case What.PROBABILITIES | What.ARRAY | What.CONSTANT:
                values = rng.uniform(SMALLEST, LARGEST, shape)
                if kind.what is What.PROBABILITIES:
                    values /= values.sum(axis=-1, keepdims=True)
                return watched(values, argument, holds_labels=False)
            case What.SIZE:
                return Dim(shape[0], polynomials[0])
            case What.SIZES:
                found = Shape(map(Dim, shape, polynomials))
                found.owner = SizesOwner(argument, len(shape))
                return found
            case _:
                return dict(kind.value) if isinstance(kind.value, dict) else kind.value

    def _missing_key(self, candidate: Candidate, error: KeyError) -> list[Proposal]:
        """A dict that lacks a key which is read."""
        key = error.args[0] if error.args else None
        if type(key) is Unknown:
            words = [(0.1 * place, value(word)) for place, word in enumerate(key.hint.words)]
            return [Proposal(cost, Become(key.hint.name, kind)) for cost, kind in words]
        if not isinstance(key, str):
            return []
        dicts = {a: k.value for a, k in candidate.kinds.items() if isinstance(k.value, dict) and key not in k.value}
        return [
            Proposal(0.0, Become(argument, value({**held, key: self._usual(key)}))) for argument, held in dicts.items()
        ]


def _failed(run: TracedRun, error: BaseException) -> Trace:
    """What a run says that raised an exception of the user's own code, or of code that is not traced."""
    kind = type(error).__name__
    return Trace(run, anything(run), f"{kind}: {message(error)}", kind)


def _first_sizes(returned: Any) -> tuple[int, ...]:
    """The shape of what forward returned first; () where that is no array."""
    first = returned[0] if isinstance(returned, (tuple, list)) and returned else returned
    return np.shape(plain(first)) if isinstance(first, np.ndarray) else ()


def _with_dicts(values: Mapping[str, Any], kinds: Mapping[str, Kind]) -> dict[str, Any]:
    """The values with those that are parts of a dict put into it."""
    found = dict(values)
    for argument, kind in kinds.items():
        if kind.what is What.PARTS:
            found[argument] = {key: found.pop(part_name(argument, key)) for key in kind.value}
    return found
