"""Other examples than those of a search: the neighbours of one, and fresh ones of any dims; it judges none."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest

import numpy as np

from gradproof.case.case import Case
from gradproof.case.sizes import Chosen
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
    columns = [[(name, size) for size in _sizes(case, example, name)] for name in case.space.ranges]
    chosen = [pair for row in zip_longest(*columns) for pair in row if pair is not None]
    resized = ({**example.dims, name: size} for name, size in chosen)
    fitting = [dims for dims in resized if all(size.resolve(dims) >= 1 for size in case.space.sizes)]
    plans = [Plan(dims, styles, example.seed + 1 + i) for i, dims in enumerate(fitting[:MOST])]
    return [alike(build(case, plan, drawn), example) for plan in plans]


def fresh(case: Case, example: Example, seed: int) -> Example | None:
    """An example of other dims and ordinary values; only strategies give what they gave for ``example``.

    None where no dims fit together.
    """
    rng = np.random.default_rng(seed)
    plain: dict[str, int] = {}
    for name in case.space.order:
        listed = [v for v in case.space.listed(name) if v > 0 and case.space.possible({**plain, name: v})]
        usual = [v for v in listed if 1 < v <= max(_LARGEST, listed[0] + 1)] or listed
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


def _sizes(case: Case, example: Example, name: str) -> Iterator[int]:
    """Other sizes of one dim: across what the smallest example suggests as a border, then further off."""
    size, (least, most) = example.dims.get(name), case.space.ranges[name]
    if isinstance(size, int):
        others = dict.fromkeys((size + 1, size - 1, 2 * size, least))
        yield from (other for other in others if least <= other <= most and other not in (size, 0))
