"""Other examples than those of a search: the neighbours of one, and fresh ones of any dims; it judges none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import zip_longest

import numpy as np

from gradproof.case.case import Case
from gradproof.case.sizes import Chosen, Space
from gradproof.generate.arrays import Style
from gradproof.generate.examples import Plan, alike, build, strategies_of, styled
from gradproof.values import Example

# examples: four sizes for each of three dims; a layer that a student writes seldom has more
MOST = 12
_LARGEST = 5  # size of a dim in a fresh example, where the case allows it: larger ones tell no more


def neighbours(case: Case, example: Example) -> list[Example]:
    """The example with one dim at its least, one smaller, one larger or doubled, as far as the case allows it.

    One size for each dim first, then the next one, ``MOST`` in all.
    """
    values = {**example.init, **example.inputs}
    drawn = {name: values[name] for name in strategies_of(case)}
    styles = {name: allowed[0] for name, allowed in styled(case).items()}
    resized = [{**example.dims, name: size} for name, size in _other_sizes(case, example)]
    fitting = [dims for dims in resized if case.space.fits(dims)]
    plans = [Plan(dims, styles, example.seed + 1 + i) for i, dims in enumerate(fitting[:MOST])]
    return [alike(build(case, plan, drawn), example) for plan in plans]


def _other_sizes(case: Case, example: Example) -> Iterator[tuple[str, int]]:
    """Yield each dim with another size: one for each dim first, then the next one."""
    columns = [list(_sizes(case, example, name)) for name in case.space.ranges]
    for row in zip_longest(*columns):
        for name, size in zip(case.space.ranges, row, strict=True):
            if size is not None:
                yield name, size


def fresh(case: Case, example: Example, seed: int) -> Example | None:
    """An example of other dims and ordinary values; only strategies give what they gave for ``example``.

    None where no dims fit together.
    """
    rng = np.random.default_rng(seed)
    plain: dict[str, int] = {}
    for name in case.space.order:
        usual = _usual_sizes(case.space, name, plain)
        if not usual:
            return None
        plain[name] = usual[int(rng.integers(len(usual)))]
    dims: Chosen = {**plain}
    for name, (least, most) in case.space.axes.items():
        axes = int(rng.integers(least, min(most, least + 2) + 1))
        dims[name] = tuple(int(size) for size in rng.integers(1, 4, axes))
    values = {**example.init, **example.inputs}
    drawn = {name: values[name] for name in strategies_of(case)}
    # no ties, beside which a slope means little
    return build(case, Plan(dims, dict.fromkeys(styled(case), Style.NORMAL), seed), drawn)


def _usual_sizes(space: Space, name: str, chosen: Mapping[str, int]) -> list[int]:
    """The sizes of a dim that fit what is chosen already: neither 1 nor large, where there are others."""
    listed = [size for size in space.listed(name) if size > 0 and space.possible({**chosen, name: size})]
    return [size for size in listed if 1 < size <= max(_LARGEST, listed[0] + 1)] or listed


def _sizes(case: Case, example: Example, name: str) -> Iterator[int]:
    """Other sizes of one dim: across what the smallest example suggests as a border, then further off."""
    size, (least, most) = example.dims.get(name), case.space.ranges[name]
    if isinstance(size, int):
        others = dict.fromkeys((size + 1, size - 1, 2 * size, least))
        yield from (other for other in others if least <= other <= most and other not in (size, 0))
