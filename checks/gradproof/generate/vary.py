"""The neighbours of an example: one dim a time made smaller or larger, with fresh values; it judges none."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest

from gradproof.case.case import Case
from gradproof.generate.examples import Plan, alike, build, strategies_of, styled
from gradproof.values import Example

# examples: four sizes for each of three dims; a layer that a student writes seldom has more
MOST = 12


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


def _sizes(case: Case, example: Example, name: str) -> Iterator[int]:
    """Other sizes of one dim: across what the smallest example suggests as a border, then further off."""
    size, (least, most) = example.dims.get(name), case.space.ranges[name]
    if isinstance(size, int):
        others = dict.fromkeys((size + 1, size - 1, 2 * size, least))
        yield from (other for other in others if least <= other <= most and other not in (size, 0))
