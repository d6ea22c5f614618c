"""Backward with true values in the places of its own, by turns: the earliest place from which all comes right.

A value that is right corrects nothing in its own place; behind the first wrong one, any place corrects as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from gradproof.adjoint.candidates import Candidate, candidates
from gradproof.adjoint.hook import Floats, are_equal
from gradproof.adjoint.instrument import Kind
from gradproof.adjoint.recorded import Backward, fits

MOVED = 0.01  # by how much a value is moved to see what depends on it, relative to its largest entry
MOST_SLIPS = 3  # places that are looked for, each with true values in those before


@dataclass(frozen=True, eq=False)
class Substitution:
    """Where backward goes wrong: with ``candidate`` in the place of a site's values, ``tensors`` are right.

    ``unsure`` are the sites on which it depends and which nothing shows to be right; ``doubtful`` those that correct
    as well, whose values are true gradients of something. ``left`` is what stays wrong.
    """

    number: int
    candidate: Candidate
    tensors: frozenset[str]
    left: frozenset[str]
    doubtful: frozenset[int] = frozenset()
    unsure: tuple[int, ...] = ()


def substitutions(backward: Backward) -> list[Substitution]:
    """The places at which backward goes wrong, the first one first; [] where none corrects anything."""
    found: list[Substitution] = []
    while len(found) < MOST_SLIPS:
        first = _first_wrong(backward)
        if first is None:
            break
        unsure = dict.fromkeys((*_before(backward, first), *_unsure(backward, first.number)))
        found.append(replace(first, unsure=tuple(unsure)))
        given = backward.with_instead(first.number, first.candidate.values)
        claims = backward.rerun.claims(given)
        if not first.left or claims is None:
            break
        backward = replace(backward, given=given, claims=claims)
    return found


def _before(backward: Backward, substitution: Substitution) -> list[int]:
    """The doubtful places that run before the one that was chosen."""
    places = backward.places
    return [number for number in places[: places.index(substitution.number)] if number in substitution.doubtful]


def _first_wrong(backward: Backward) -> Substitution | None:
    """The earliest place at which a true value makes most of the wrong gradients right, and no right one wrong.

    A value that is the true gradient of a variable already comes last: where another one corrects, it may be handed on
    wrongly. One that is meant to be the gradient of the other variable is no such value. What does not follow dout is
    rather multiplied by it later; where backward ignores dout, the last line is the one that should not.
    """
    found = _ranked(backward)
    if not found:
        return None
    best = min(found, key=lambda each: (*each[0], not is_meant(backward, each[1])))[1]
    if best.candidate.of_dout:
        best = _innermost(backward, best, [each for _, each in found])
    elif not is_meant(backward, best):
        best = _handed_on(backward, best)
    others = [each.number for _, each in found if not each.candidate.of_dout]
    return replace(best, doubtful=frozenset(others) - {best.number})


Rank = tuple[int, bool, bool, int]  # what stays wrong, is it known to be right, does it follow dout, its position


def _ranked(backward: Backward) -> list[tuple[Rank, Substitution]]:
    """What corrects at each place, with its rank, up to the first place of which nothing is left to be said."""
    found: list[tuple[Rank, Substitution]] = []
    for position, number in enumerate(backward.places):
        if number in backward.given:
            continue
        is_known = backward.is_known(number)
        for each in _substitutions_at(backward, number):
            of_dout = each.candidate.of_dout
            is_right_already = is_known and not is_meant(backward, each)
            rank = len(each.left), is_right_already, of_dout, -position if of_dout else position
            found.append((rank, each))
        if any(rank[:3] == (0, False, False) for rank, _ in found):
            break
    return found


def _handed_on(backward: Backward, first: Substitution) -> Substitution:
    """The line that returns a value as it is, where there is one: what is wrong may be that it does."""
    values, places = backward.values(first.number), backward.places
    for number in places[places.index(first.number) + 1 :]:
        if backward.bare(number) and are_equal(backward.values(number), values):
            substituted = (each for each in _substitutions_at(backward, number) if each.tensors >= first.tensors)
            returned = next((each for each in substituted if is_meant(backward, each)), None)
            if returned is not None:
                return returned
    return first


def _innermost(backward: Backward, last: Substitution, found: Sequence[Substitution]) -> Substitution:
    """Where a value that ignores dout comes from: the first function that makes it though it is given dout."""
    values = backward.values(last.number)
    same = [each for each in found if are_equal(backward.values(each.number), values)]
    given = [each for each in same if each.tensors == last.tensors and is_given_dout(backward, each.number)]
    return next(iter(given), last)


def is_given_dout(backward: Backward, number: int) -> bool:
    """Whether the function in which a place lies has an argument that follows dout."""
    function = backward.site(number).function
    arguments = [each for each in backward.arguments if backward.site(each).function is function]
    return any(backward.follows_dout[each] for each in arguments)


def _substitutions_at(backward: Backward, number: int) -> Iterator[Substitution]:
    """What makes gradients right at one place, and none wrong."""
    wrong = backward.wrong(backward.claims) or frozenset()
    for candidate in candidates(backward, number):
        left = backward.wrong(backward.rerun.claims(backward.with_instead(number, candidate.values)))
        if left is not None and left < wrong:
            yield Substitution(number, candidate, wrong - left, left)


def is_meant(backward: Backward, substitution: Substitution) -> bool:
    """Whether a value is meant to be the gradient that it should be: by its name, or as what backward returns."""
    site, of = backward.site(substitution.number), substitution.candidate.of
    if fits(site.name, of):
        return True
    is_last = site.kind is Kind.RETURNED and site.function is backward.rerun.last
    is_only_one = substitution.tensors == frozenset({of})
    return (
        is_last
        and is_only_one
        and np.array_equal(backward.values(substitution.number)[0], backward.claims.get(of, np.nan))
    )


def _unsure(backward: Backward, substituted_at: int) -> tuple[int, ...]:
    """The sites on which a place's value depends, and which neither a match nor a right gradient shows to be right."""
    right = frozenset(backward.rerun.trial.samples) - (backward.wrong(backward.claims) or frozenset())
    found: list[int] = []
    for number in (*_inner_arguments(backward, substituted_at), *backward.places):
        if number == substituted_at or number in backward.given or _is_shown(backward, number):
            continue
        gradients, sites = _reached(backward, number)
        if substituted_at in sites and not gradients & right and not _moves_output(backward, number):
            found.append(number)
    return tuple(found)


def _inner_arguments(backward: Backward, substituted_at: int) -> list[int]:
    """The arguments of the function in which a place lies; not those of backward itself, which are given."""
    function = backward.site(substituted_at).function
    if function is backward.rerun.last:
        return []
    return [number for number in backward.arguments if backward.site(number).function is function]


def _is_shown(backward: Backward, number: int) -> bool:
    """Whether a site's value is known to be right: a true gradient, a value of forward, a parameter."""
    is_argument = backward.site(number).kind is Kind.ARGUMENT
    if any(is_argument or not each.given for each in backward.matches(number, variable=True)):
        return True
    if backward.is_of_forward(number):
        return True
    if is_argument:  # a number handed over may be anybody's by chance
        return not backward.follows_dout[number] and backward.is_parameter(number)
    return bool(backward.matches(number, variable=False))


def _reached(backward: Backward, number: int) -> tuple[frozenset[str], frozenset[int]]:
    """The gradients and the sites that change with a site's value; all sites where it cannot be moved."""
    random = np.random.default_rng(number)
    moved = [_moved(value, random) for value in backward.values(number)]
    claims, noted = backward.rerun.claims_noted(backward.with_instead(number, moved))
    if claims is None:
        return frozenset(), frozenset(backward.order)
    before = backward.claims
    gradients = frozenset(name for name, claim in claims.items() if not np.array_equal(claim, before.get(name, np.nan)))
    sites = frozenset(n for n, values in noted.items() if not are_equal(values, backward.noted.get(n, [])))
    return gradients, sites


def _moves_output(backward: Backward, number: int) -> bool:
    """Of a function that returns its gradients beside the loss: whether the loss changes with a site's value.

    Then it is a value of forward, by which the gradients are judged.
    """
    if not backward.rerun.in_forward:
        return False
    random = np.random.default_rng(number)
    moved = backward.with_instead(number, [_moved(value, random) for value in backward.values(number)])
    return backward.rerun.claims(moved) is None and backward.rerun.claims_noted(moved)[0] is not None


def _moved(value: Floats, random: np.random.Generator) -> Floats:
    return value + MOVED * (float(np.abs(value).max(initial=0.0)) or 1.0) * random.standard_normal(value.shape)
