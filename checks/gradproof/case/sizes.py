"""Which sizes the named dims of a case may take together, and the corner shapes; it knows no arguments, no values."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from gradproof.case.shapes import Size

Chosen = dict[str, int | tuple[int, ...]]

_PREFERRED = (2, 3, 5, 4, 7, 6)  # small, mutually different, and not multiples of each other at first
_STARRED = ((2,), (), (2, 3))  # the axes behind a star in the corner shapes
_MOST_UNIT_CORNERS = 5
_MOST_LISTED = 64  # sizes beyond that many per dim are not tried one by one


@dataclass(frozen=True)
class Space:
    """Every joint choice of sizes: the ranges (least, most) of the dims, where each of ``sizes`` must be at least 1.

    ``axes`` gives for each starred name the least and most number of its axes. ``batch`` is the dim (plain or starred)
    that counts examples, where there is one.
    """

    ranges: Mapping[str, tuple[int, int]]
    sizes: tuple[Size, ...] = ()
    axes: Mapping[str, tuple[int, int]] = field(default_factory=dict[str, tuple[int, int]])
    batch: str | None = None

    @property
    def order(self) -> tuple[str, ...]:
        """The plain dims in the order in which they are chosen: those under a difference first, then the batch."""
        differences = [size for size in self.sizes if size.is_difference]
        tight = {name for size in differences for name in size.names}
        return tuple(sorted(self.ranges, key=lambda name: (name not in tight, name != self.batch)))

    def fits(self, dims: Chosen) -> bool:
        """Whether every size is at least 1."""
        return all(size.resolve(dims) >= 1 for size in self.sizes)

    def possible(self, chosen: Mapping[str, int]) -> bool:
        """Whether no size is condemned to stay below 1 by what has been chosen so far."""
        return all(self.most(size, chosen) >= 1 for size in self.sizes)

    def most(self, size: Size, chosen: Mapping[str, int]) -> int:
        """The largest value of ``size``; a sum of products of positive dims takes it at an end of each range."""
        ends = [{chosen[name]} if name in chosen else set(self.ranges[name]) for name in size.names]
        return max(size.resolve(dict(zip(size.names, corner, strict=True))) for corner in itertools.product(*ends))

    def listed(self, name: str) -> list[int]:
        """The sizes of one dim in rising order; of a wide range its low end and the largest."""
        least, most = self.ranges[name]
        return [*range(least, min(most, least + _MOST_LISTED) + 1), *([most] if most > least + _MOST_LISTED else [])]

    def complete(self, chosen: Mapping[str, int], preferred: Sequence[int], *, distinct: bool) -> dict[str, int] | None:
        """The first joint choice that extends ``chosen``, trying ``preferred`` first; None where there is none.

        With ``distinct``, a size that another dim has already taken comes last.
        """
        rest = [name for name in self.order if name not in chosen]
        if not self.possible(chosen):
            return None
        if not rest:
            return dict(chosen)
        values = self.listed(rest[0])
        taken = set(chosen.values()) if distinct else set[int]()
        order = sorted(values, key=lambda v: (v in taken, preferred.index(v) if v in preferred else len(preferred), v))
        for value in order:
            found = self.complete({**chosen, rest[0]: value}, preferred, distinct=distinct)
            if found is not None:
                return found
        return None


def corners(space: Space) -> list[Chosen]:
    """The shapes that are always tried; the smallest bugs hide in them.

    All dims different (batch >= 2), batch 1, each dim 1 in turn, all equal, all 1, more and fewer starred axes, and
    last an empty batch, where the range of the batch begins at 1.
    """
    found: list[Chosen] = []
    for corner in _corners(space):
        if corner not in found:
            found.append(corner)
    return found


def _corners(space: Space) -> Iterator[Chosen]:
    different = space.complete({}, _PREFERRED, distinct=True)
    if different is None:
        return
    stars = _star_choices(space)
    has_starred_batch = space.batch in space.axes
    for star in stars:
        yield {**different, **star}
    for name in _unit_order(space):
        narrow = space.complete({name: 1}, _PREFERRED, distinct=True)
        if narrow is not None:
            yield {**narrow, **stars[0]}
    if has_starred_batch and _allows(space, (1,)):
        yield {**different, **_stars(space, (1,))}
    yield from _equal(space, stars[0])
    if has_starred_batch and _allows(space, (0,)):
        yield {**different, **_stars(space, (0,))}
    else:
        yield from _empty_batch(space, {**different, **stars[0]})


def _equal(space: Space, star: Chosen) -> Iterator[Chosen]:
    """All dims equal, and all 1; ``star``: the starred axes where they cannot be one axis of that size."""
    for value in (3, 1):
        equal = space.complete({}, (value,), distinct=False)
        if equal is not None:
            yield {**equal, **(_stars(space, (value,)) if _allows(space, (value,)) else star)}


def _empty_batch(space: Space, chosen: Chosen) -> Iterator[Chosen]:
    """The choice with an empty batch, where the range of the batch begins at 1, and no other size becomes 0 by it."""
    if space.batch is None or space.ranges.get(space.batch, (0, 0))[0] != 1:
        return
    empty: Chosen = {**chosen, space.batch: 0}
    others = [size for size in space.sizes if size.names != (space.batch,)]
    if all(size.resolve(empty) >= 1 for size in others):
        yield empty


def _unit_order(space: Space) -> list[str]:
    """The dims that can be 1, the batch first, bounded in number."""
    able = [name for name, (least, most) in space.ranges.items() if least <= 1 <= most]
    return sorted(able, key=lambda name: name != space.batch)[:_MOST_UNIT_CORNERS]


def _star_choices(space: Space) -> list[Chosen]:
    if not space.axes:
        return [{}]
    choices = [_stars(space, star) for star in _STARRED if _allows(space, star)]
    return choices or [{name: tuple(_PREFERRED[:least]) for name, (least, _) in space.axes.items()}]


def _stars(space: Space, star: tuple[int, ...]) -> Chosen:
    return dict.fromkeys(space.axes, star)


def _allows(space: Space, star: tuple[int, ...]) -> bool:
    return all(least <= len(star) <= most for least, most in space.axes.values())
