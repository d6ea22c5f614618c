"""One backward as it ran: the values at its places, in their order, held against true gradients; it changes nothing."""

from __future__ import annotations

import ast
import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gradproof.adjoint.adjoints import Adjoint
from gradproof.adjoint.hook import Floats
from gradproof.adjoint.instrument import Kind, Site
from gradproof.adjoint.rerun import Claims, Noted, Rerun
from gradproof.compare.directions import MARGIN
from gradproof.convention.gradnames import STRICT, plain, stems
from gradproof.diagnose.evidence import Sample
from gradproof.mend.slots import makes_room

CORRECTED = 1e-5  # relative to the largest entry: a wrong gradient is further off, a corrected one nearer
SAME = 1e-6  # relative to the largest entry: two values that are one
_LEAVES = np.full(1, np.nan)  # for a hook: the value stays
_SHAPES = frozenset({"reshape", "transpose", "copy", "astype", "ravel", "squeeze"})


@dataclass(eq=False)
class Backward:
    """The values of one backward by site, in the ``order`` in which the sites were first passed, and its ``claims``.

    ``of_forward``: the values of the run of forward before it. ``follows_dout``: whether a site's values change with
    dout. ``library``: what is known to be true. ``given``: values that were put in the places of others for the claims.
    """

    rerun: Rerun
    noted: Noted
    order: Sequence[int]
    of_forward: Noted
    claims: Claims
    follows_dout: Mapping[int, bool]
    library: list[Adjoint] = field(default_factory=list[Adjoint])
    given: Mapping[int, Sequence[Floats]] = field(default_factory=dict[int, Sequence[Floats]])

    @property
    def places(self) -> list[int]:
        """The sites at which another value can be put in, in the order in which they run."""
        kinds = (Kind.VALUE, Kind.RETURNED, Kind.STATE)
        found = [number for number in self.order if self.site(number).kind in kinds and number not in self.shared]
        return [number for number in found if not self._begins(number) and not self._hands_on(number)]

    @functools.cached_property
    def shared(self) -> frozenset[int]:
        """The sites of functions that forward runs, too: there they are right, whatever they are."""
        places = {self.site(number).function.place for number in self.of_forward}
        return frozenset(number for number in self.order if self.site(number).function.place in places)

    @functools.cached_property
    def arguments(self) -> list[int]:
        """The sites of arguments, in the order in which they run."""
        return [number for number in self.order if self.site(number).kind is Kind.ARGUMENT]

    def site(self, number: int) -> Site:
        """A site by its number."""
        return self.rerun.sites[number]

    def _begins(self, number: int) -> bool:
        """Whether it makes an array that later lines write into."""
        site = self.site(number)
        return site.kind is Kind.VALUE and makes_room(site.node)

    def _hands_on(self, number: int) -> bool:
        """Whether it only hands on a variable that another line has made, and not as what backward returns."""
        site = self.site(number)
        if site.kind is Kind.RETURNED and site.function is self.rerun.last:
            return False
        name = self.bare(number)
        before = [self.site(each) for each in self.order[: self.order.index(number)]] if name else []
        made = [each for each in before if each.name == name and each.kind is not Kind.ARGUMENT]
        return any(each.function is site.function for each in made)

    def bare(self, number: int) -> str:
        """The variable that a site takes as it is, perhaps in another shape; "" where it computes something."""
        site = self.site(number)
        return "" if site.kind is Kind.STATE else _bare(site.node)

    def wrong(self, claims: Claims | None) -> frozenset[str] | None:
        """The tensors whose gradient is wrong; None where backward raised."""
        if claims is None:
            return None
        samples = self.rerun.trial.samples
        return frozenset(name for name, sample in samples.items() if not _is_right(sample, claims.get(name)))

    def with_instead(self, number: int, values: Sequence[Floats]) -> dict[int, Sequence[Floats]]:
        """What is given, and these values for one site; of a variable written into round by round, its last state."""
        rounds = len(self.noted[number])
        if self.site(number).kind is Kind.STATE:
            values = [*[_LEAVES] * (rounds - 1), values[-1]]
        return {**self.given, number: list(values) * (rounds // len(values))}

    def values(self, number: int) -> list[Floats]:
        """The values of a site that can be replaced: one where it has the same one each time, as in a second call."""
        values = self.noted[number]
        is_one = self.site(number).kind is Kind.STATE or all(np.array_equal(value, values[0]) for value in values)
        return values[-1:] if is_one else values

    @property
    def variables(self) -> list[Adjoint]:
        """The true gradients of whole variables."""
        return [each for each in self.library if each.variable]

    def matches(self, number: int, *, variable: bool) -> list[Adjoint]:
        """The true gradients that a site has: those of variables, or of expressions within a line of forward."""
        values = self.values(number)
        return [each for each in self.library if each.variable is variable and are_same(values, each)]

    def is_known(self, number: int) -> bool:
        """Whether each of its values is what it may be on its own, so that what is wrong is how it is used.

        That is the true gradient of some variable, perhaps of another one each time, or a value of forward. dout itself
        says nothing: where a factor is left out, it is what is left.
        """
        values = self.values(number)
        if not self.follows_dout[number] and any(_are_near(found, values) for found in self.of_forward.values()):
            return True
        return all(map(self._is_gradient, values))

    def _is_gradient(self, value: Floats) -> bool:
        """Whether it is the true gradient of some variable, at some round, which is not dout itself."""
        rounds = [pair for each in self.variables if not each.given for pair in each.rounds]
        return any(is_same(value, true, bound) for true, bound in rounds)

    def is_parameter(self, number: int) -> bool:
        """Whether it is a parameter of the subject, handed over."""
        arrays = list(self.rerun.trial.subject.parameters().values())
        return all(_is_one_of(value, arrays) for value in self.noted[number])

    def is_of_forward(self, number: int) -> bool:
        """Whether it is a value of forward under its own name there."""
        mine = self.noted[number]
        name = _plain(self.site(number).name)
        same = [other for other in self.of_forward if name and _plain(self.site(other).name) == name]
        return any(_are_near(self.of_forward[other], mine) for other in same)


def fits(name: str, variable: str) -> bool:
    """Whether a name of backward is built from that of a variable of forward: ``dh`` or ``grad_h`` from ``h``."""
    word = plain(_plain(variable))
    return bool(word) and word in stems(_plain(name), STRICT)


def are_same(values: Sequence[Floats], adjoint: Adjoint) -> bool:
    """Whether values are the true gradients, each time that they were computed."""
    return len(values) == len(adjoint.values) and all(map(is_same, values, adjoint.values, adjoint.bounds))


def is_same(value: Floats, true: Floats, bound: Floats) -> bool:
    """Whether a value is the true one, within its bound."""
    if value.shape != true.shape:
        return False
    slack = MARGIN * bound + SAME * float(np.abs(true).max(initial=0.0))
    return bool((np.abs(value - true) <= slack).all())


def _is_one_of(value: Floats, arrays: Sequence[Any]) -> bool:
    return any(np.array_equal(value, array) for array in arrays)


def _plain(name: str) -> str:
    return name.removeprefix("self.").strip("_")


def _are_near(values: Sequence[Floats], others: Sequence[Floats]) -> bool:
    exact = [np.zeros(value.shape) for value in values]
    return len(values) == len(others) and all(map(is_same, others, values, exact))


def _is_right(sample: Sample, claim: Any) -> bool:
    if claim is None or np.shape(claim) != sample.shape:
        return False
    off = np.abs(np.asarray(claim).reshape(-1)[sample.position] - sample.numeric)
    slack = np.maximum(MARGIN * sample.bound, CORRECTED * float(np.abs(sample.numeric).max(initial=CORRECTED)))
    return bool((off <= slack).all())


def _bare(node: ast.expr) -> str:
    """The variable that an expression is, perhaps in another shape; "" for anything else."""
    while True:
        if isinstance(node, ast.Attribute) and node.attr == "T":
            node = node.value
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _SHAPES:
            node = node.func.value
        else:
            return node.id if isinstance(node, ast.Name) else ""
