"""The true gradients of the values that forward computes on its way, by central differences; it knows no backward."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from gradproof.adjoint.hook import Floats, Key
from gradproof.adjoint.instrument import Kind, Site
from gradproof.adjoint.rerun import Noted, Rerun
from gradproof.diagnose.evidence import EPS

STEP = 1e-5  # of a central difference, relative to the largest entry or to 1
ERROR = 1e-7  # relative to the largest entry: what one step is good to, with a margin
CONSISTENT = 1e-5  # relative: how far a slope along all entries may be from their sum; beside a kink it is further
MOST_ROUNDS = 12  # times that a site is passed in one forward
VARIABLES = (Kind.ARGUMENT, Kind.VALUE, Kind.STATE, Kind.RETURNED)


@dataclass(frozen=True, eq=False)
class Adjoint:
    """What is true: the gradients by the values of ``name``, one for each time that forward came by.

    ``variable``: it has all paths from a variable of forward to the output, not only one. ``bounds``: of each entry.
    """

    name: str
    values: tuple[Floats, ...]
    bounds: tuple[Floats, ...]
    variable: bool = True
    site: Site | None = None
    given: bool = False  # it is dout itself

    @property
    def rounds(self) -> list[tuple[Floats, Floats]]:
        """The values, each with its bound."""
        return list(zip(self.values, self.bounds, strict=True))

    def is_named(self, own: Collection[tuple[str, int]]) -> bool:
        """Whether its name says which variable it is: a tensor, or a variable of one of the ``own`` functions."""
        if self.given:
            return False
        if self.site is None:
            return True
        named = self.site.kind is not Kind.RETURNED
        return named and self.site.function.place in own

    def reversed(self) -> Adjoint:
        """From the last round back."""
        return Adjoint(self.name, self.values[::-1], self.bounds[::-1], self.variable, self.site)


def of_tensors(rerun: Rerun) -> list[Adjoint]:
    """Those that the check has measured in full, with its certified bounds."""
    found: list[Adjoint] = []
    for name, sample in rerun.trial.samples.items():
        if sample.position.size == int(np.prod(sample.shape)):
            numeric, bound = sample.numeric.reshape(sample.shape), sample.bound.reshape(sample.shape)
            found.append(Adjoint(name, (numeric,), (bound,)))
    return found


def of_outputs(rerun: Rerun) -> Iterator[Adjoint]:
    """Those of what forward returns: dout."""
    trial = rerun.trial
    for part, shape in zip(trial.form.split(trial.dout), trial.form.shapes, strict=True):
        exact = np.zeros(shape)
        yield Adjoint("the output", (part.reshape(shape),), (exact,), given=True)


def of_variables(
    rerun: Rerun, noted: Noted, wanted: Collection[int], known: Iterable[Adjoint] = ()
) -> Iterator[Adjoint]:
    """Those of the variables of forward that have as many entries as one of the ``wanted`` sizes, the small ones first.

    What would take more forwards than are left is left out. known: those that one of them may have as well.
    """
    return _measured(rerun, noted, wanted, VARIABLES, known)


def of_parts(rerun: Rerun, noted: Noted, wanted: Collection[int], known: Iterable[Adjoint] = ()) -> Iterator[Adjoint]:
    """Those of expressions within a line, and of a variable at one of its uses."""
    return _measured(rerun, noted, wanted, (Kind.PART,), known)


def _measured(
    rerun: Rerun, noted: Noted, wanted: Collection[int], kinds: Sequence[Kind], known: Iterable[Adjoint]
) -> Iterator[Adjoint]:
    slopes = list(itertools.chain.from_iterable(each.values for each in known))
    for number, values in sorted(noted.items(), key=lambda each: _cost(each[1])):
        site = rerun.sites[number]
        is_wanted = site.kind in kinds and not {value.size for value in values}.isdisjoint(wanted)
        if not (is_wanted and _can_be_measured(rerun, values)) or _is_tensor(rerun, site):
            continue
        rounds = list(_of_rounds(rerun, number, values, slopes))
        slopes += [slope for slope, _ in rounds]
        if len(rounds) == len(values) and _move_anything(rounds):
            yield _of_site(rerun, site, rounds)


def _can_be_measured(rerun: Rerun, values: Sequence[Floats]) -> bool:
    """Whether the gradients of some values take no more forwards than are left."""
    return len(values) <= MOST_ROUNDS and _cost(values) <= rerun.most - rerun.forwards


def _move_anything(rounds: Sequence[tuple[Floats, Floats]]) -> bool:
    return any(slope.any() for slope, _ in rounds)


def _of_site(rerun: Rerun, site: Site, rounds: Sequence[tuple[Floats, Floats]]) -> Adjoint:
    slopes, bounds = tuple(slope for slope, _ in rounds), tuple(bound for _, bound in rounds)
    is_variable = site.kind is not Kind.PART
    return Adjoint(_name(site), slopes, bounds, is_variable, site, given=_is_dout(rerun, slopes, bounds))


def _is_dout(rerun: Rerun, slopes: Sequence[Floats], bounds: Sequence[Floats]) -> bool:
    """Whether they are those of an output, under whatever name: they are given."""
    given = [each.values[0] for each in of_outputs(rerun) if each.values[0].shape == slopes[0].shape]
    return len(slopes) == 1 and any(bool((np.abs(slopes[0] - dout) <= 3 * bounds[0]).all()) for dout in given)


def _cost(values: Sequence[Floats]) -> int:
    """The forwards that it takes to measure the gradients of some values."""
    return sum(2 * value.size + 2 for value in values)


def _of_rounds(
    rerun: Rerun, number: int, values: Iterable[Floats], known: Sequence[Floats]
) -> Iterator[tuple[Floats, Floats]]:
    for passed, value in enumerate(values):
        found = _slopes(rerun, (number, passed), value, known)
        if found is None:
            return
        yield found


def _is_tensor(rerun: Rerun, site: Site) -> bool:
    """Whether it is an argument of forward that is a tensor of the subject: that one is known."""
    of_forward = site.function is rerun.first
    return of_forward and site.kind is Kind.ARGUMENT and site.name in rerun.trial.samples


def _name(site: Site) -> str:
    if site.kind is Kind.RETURNED and not site.name:
        return "the output"
    return site.name or ast.unparse(site.node)


def _slopes(rerun: Rerun, key: Key, value: Floats, known: Sequence[Floats]) -> tuple[Floats, Floats] | None:
    """The slope of the outputs by each entry, and its bound; zeros where they do not move; None beside a kink.

    Where those of another value, which are ``known``, give the slope along a random direction, they are its own:
    others would agree there by chance once in ten million times.
    """
    step = STEP * max(1.0, float(np.abs(value).max(initial=0.0)))
    way = np.random.default_rng(value.size).standard_normal(value.shape)
    dout = rerun.trial.dout
    ends = [rerun.outputs((key, sign * step * way)) for sign in (1.0, -1.0)]
    if not np.isfinite(ends).all():
        return None
    if np.array_equal(ends, [rerun.trial.outputs] * len(ends)):
        return np.zeros(value.shape), np.zeros(value.shape)
    along = float(dout @ (ends[0] - ends[1])) / (2 * step)
    noise = 4 * EPS * float(np.abs(rerun.trial.outputs) @ np.abs(dout)) / step
    alike = [each for each in known if each.shape == value.shape and _gives(each, way, along, noise)]
    if alike:
        return alike[0], _bounds(alike[0], noise)
    slopes = _entry_by_entry(rerun, key, value.shape, step)
    parts = slopes * way
    if not abs(along - float(parts.sum())) <= CONSISTENT * float(np.abs(parts).sum()) + noise * value.size:
        return None
    return slopes, _bounds(slopes, noise)


def _entry_by_entry(rerun: Rerun, key: Key, shape: tuple[int, ...], step: float) -> Floats:
    found, dout = np.zeros(shape), rerun.trial.dout
    for entry in np.ndindex(shape):
        moved = np.zeros(shape)
        moved[entry] = step
        up, down = (rerun.outputs((key, sign * moved)) for sign in (1.0, -1.0))
        found[entry] = float(dout @ (up - down)) / (2 * step)
    return found


def _gives(slopes: Floats, way: Floats, along: float, noise: float) -> bool:
    """Whether they add up to the slope that was measured along a direction."""
    parts = slopes * way
    return abs(along - float(parts.sum())) <= noise + ERROR * float(np.abs(parts).sum())


def _bounds(slopes: Floats, noise: float) -> Floats:
    return np.full(slopes.shape, noise + ERROR * float(np.abs(slopes).max(initial=0.0)))
