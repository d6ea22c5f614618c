"""The candidates that a search begins with, where one argument tells of another; it runs none of them."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from gradproof.infer.guesses import BATCH, Candidate, Guess, Kind
from gradproof.infer.hyperparameters import PIXELS
from gradproof.infer.roles import Role, role_of

_UNTIED = 0.2  # cost of the shape of an input having nothing to do with the shape that the constructor was given
_DIVISIBLE = 0.05  # cost of an axis being a multiple of the number of groups, where a prime number would do
_GROUPS = 2
_SHAPES = (("d",), ("h", "w", "c"), ("2*h", "2*w", "c"), ("d", "e"))  # of one example, the likeliest first
_SQUARED = {**PIXELS, "c": PIXELS["h"]}  # whichever axis holds the channels, a kernel fits into the two others
_HALVED = {"h": (2, 4), "w": (2, 4)}
_WINDOWS = ("conv", "filter", "kernel", "pool", "stride")  # shapes of these are no input's


def openings(start: Candidate, called: Collection[str]) -> Iterator[Candidate]:
    """``start`` and what belongs before or beside it; ``called`` are the arguments of forward."""
    tied = list(_tied(start, called))
    yield replace(start, departures=start.departures + _UNTIED) if tied else start
    yield from tied
    yield from _divisible(start, called)


def _tied(start: Candidate, called: Collection[str]) -> Iterator[Candidate]:
    """The input has the shape that the constructor was given, behind a batch or, as one example, without one."""
    given = [name for name in start.guesses if name not in called and _is_shape(name, start.guesses[name])]
    fed = [name for name in called if start.guesses[name].kind is Kind.FLOATS]
    if not given or len(fed) != 1:
        return
    step = itertools.count()
    for lead, axes in itertools.product(((BATCH,), ()), _SHAPES):
        ranges = {} if len(axes) < 3 else _HALVED if axes[0] != "h" else _SQUARED
        whole = Guess(Kind.SIZES, axes, ranges=ranges).owned_by(given[0])
        for others in _results(start, whole, axes, given[1:]):
            guesses = {**start.guesses, given[0]: whole, **others}
            guesses[fed[0]] = replace(guesses[fed[0]], axes=(*lead, *whole.axes), ranges={})
            yield replace(start, guesses=guesses, departures=start.departures + next(step) / 1000)


def _results(start: Candidate, whole: Guess, axes: Sequence[str], names: Sequence[str]) -> Iterator[dict[str, Guess]]:
    """Further shapes that the constructor is given: of as many axes, or what a window leaves or adds."""
    plain = tuple(axis[-1] for axis in axes)
    yield {name: Guess(Kind.SIZES, plain).owned_by(name) for name in names}
    kernels = [g.value for name, g in start.guesses.items() if role_of(name, constructor=True) is Role.KERNEL]
    if len(names) == 1 and axes == _SHAPES[1] and kernels and type(kernels[0]) is int:
        channels = Guess(Kind.SIZES, ("c",)).owned_by(names[0])
        for sign in "-+":
            sides = tuple(f"{axis}{sign}{kernels[0] - 1}" for axis in whole.axes[:2])
            yield {names[0]: replace(channels, axes=(*sides, *channels.axes))}


def _is_shape(name: str, guess: Guess) -> bool:
    windows = any(word in name.lower() for word in _WINDOWS)
    return guess.kind is Kind.SIZES and role_of(name, constructor=True) is Role.SHAPE and not windows


def _divisible(start: Candidate, called: Collection[str]) -> Iterator[Candidate]:
    """Widths that heads or groups divide: of what the constructor was told, or else of the inputs."""
    counts = [name for name, guess in start.guesses.items() if guess.kind is Kind.LITERAL and guess.value == _GROUPS]
    if not any(role_of(name, constructor=name not in called) is Role.GROUPS for name in counts):
        return
    sizes = [name for name, guess in start.guesses.items() if guess.kind is Kind.SIZE]
    inputs = [name for name in called if start.guesses[name].kind is Kind.FLOATS and len(start.guesses[name].axes) > 1]
    for names in (sizes[:1], sizes[1:] and sizes, [*sizes, *inputs]):
        changed: Mapping[str, Guess] = {name: _multiple(start.guesses[name]) for name in names}
        if changed:
            yield replace(start, guesses={**start.guesses, **changed}, departures=start.departures + _DIVISIBLE)


def _multiple(guess: Guess) -> Guess:
    """Its channels, or else its last axis, as a multiple of the number of groups."""
    place = 1 if len(guess.axes) == 4 else len(guess.axes) - 1
    return replace(guess, axes=tuple(f"{_GROUPS}*{axis}" if i == place else axis for i, axis in enumerate(guess.axes)))
