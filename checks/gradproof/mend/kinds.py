"""The kinds of small change that are tried, the likeliest slips first; it tries none."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from gradproof.mend import blocks, products, sums, tokens
from gradproof.mend.change import Change
from gradproof.mend.tree import Tree

Kind = Callable[[Tree], Iterable[Change]]

# Of what backward alone runs: what an earlier tier mends is not looked for in a later one.
TIERS: tuple[tuple[Kind, ...], ...] = (
    (
        blocks.copies,
        blocks.lines,
        blocks.additions,
        blocks.collected,
        blocks.repeated,
        tokens.signs,
        tokens.comparisons,
        sums.casts,
        products.epsilons,
        tokens.names,
        sums.axes,
        sums.transposes,
        sums.functions,
        sums.rows,
        products.too_many,
        blocks.orders,
        blocks.exchanged,
        blocks.moved,
        tokens.numbers,
        tokens.brackets,
        tokens.slices,
    ),
    (
        products.activated,
        tokens.replaced,
        products.products,
        sums.summed,
        products.left_out,
        products.slopes,
        products.wraps,
        products.terms,
        sums.clipped,
        sums.spread,
    ),
    (products.couplings,),
)
# Of what forward keeps for backward: the output must stay as it is. What is sure, and few, comes before all else.
KEPT_FIRST: tuple[Kind, ...] = (blocks.copies, blocks.too_late)
KEPT: tuple[Kind, ...] = (tokens.names, tokens.comparisons, tokens.signs)
