"""The kinds of small change that are tried, the likeliest slips first; it tries none."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import combinations

from gradproof.mend import (
    additions,
    arrangements,
    blocks,
    brackets,
    epsilons,
    indices,
    orders,
    products,
    running,
    siblings,
    signs,
    sums,
    tokens,
)
from gradproof.mend.change import Change
from gradproof.mend.slots import Slot
from gradproof.mend.tree import Tree

MOST_ALIKE = 7  # places of which every two are changed

Kind = Callable[[Tree], Iterable[Change]]


def everywhere(kind: Kind) -> Kind:
    """The changes of one kind, made at every place where it would mend the same slip: one is often made twice."""

    def changes(tree: Tree) -> Iterator[Change]:
        alike: dict[tuple[str, int], list[Change]] = {}
        met: Counter[tuple[str, Slot]] = Counter()
        for change in kind(tree):
            place = change.likely, change.slots[0]
            alike.setdefault((change.likely, met[place]), []).append(change)  # a slip may have several ways to mend it
            met[place] += 1
        for several in alike.values():
            if len(several) > 1:
                first = several[0]
                slots, nodes = tuple(each.slots[0] for each in several), tuple(each.nodes[0] for each in several)
                yield Change(slots, nodes, first.code, first.likely, alike=True, renames=first.renames)

    return changes


def in_pairs(kind: Kind) -> Kind:
    """The changes of one kind, made at every two places where it would mend the same slip."""

    def changes(tree: Tree) -> Iterator[Change]:
        alike: dict[tuple[str, str], list[Change]] = {}
        for change in kind(tree):
            alike.setdefault((change.code, _added_there(change)), []).append(change)
        for several in alike.values():
            for one, other in combinations(several[:MOST_ALIKE], 2):
                if len(several) > 2:  # two that are all are made everywhere
                    yield replace(one, slots=one.slots + other.slots, nodes=one.nodes + other.nodes, alike=True)

    return changes


def _added_there(change: Change) -> str:
    """What a change puts there at the end: of an epsilon, which it is."""
    node = change.nodes[0]
    return ast.unparse(node.right) if isinstance(node, ast.BinOp) else ast.unparse(node)


# Of what backward alone runs: what an earlier tier mends is not looked for in a later one.
TIERS: tuple[tuple[Kind, ...], ...] = (
    (
        blocks.copies,
        orders.too_early,
        blocks.lines,
        blocks.rebound,
        additions.additions,
        additions.summed_in_loop,
        additions.collected,
        blocks.repeated,
        additions.unread,
        signs.signs,
        signs.pairs,
        products.sigmoids,
        blocks.unconditional,
        tokens.comparisons,
        sums.casts,
        epsilons.epsilons,
        tokens.names,
        tokens.unkept,
        sums.axes,
        sums.transposes,
        sums.functions,
        sums.rows,
        sums.parts,
        arrangements.letters,
        products.too_many,
        products.squares,
        products.complements,
        products.unweighted,
        products.too_many_handed_on,
        everywhere(tokens.names),
        orders.orders,
        orders.exchanged,
        orders.moved,
        tokens.numbers,
        tokens.counts,
        brackets.brackets,
        indices.slices,
        indices.ends,
        siblings.windows,
        siblings.adjoints,
        siblings.mirrored,
        siblings.branches,
        arrangements.joined,
        arrangements.arranged,
        arrangements.flipped,
        arrangements.rolled,
        arrangements.put_back,
        running.turned,
        running.left_out,
        everywhere(signs.signs),
        everywhere(epsilons.epsilons),
        in_pairs(epsilons.epsilons),
        everywhere(sums.axes),
        everywhere(sums.functions),
        everywhere(tokens.numbers),
        products.masked,
    ),
    (
        tokens.replaced,
        tokens.scaled,
        sums.summed,
        products.left_out,
        products.slopes,
        products.wraps,
        sums.clipped,
        sums.spread,
    ),
)
# Of forward, where no change of backward helps: whether backward is then the derivative has to be measured anew.
FORWARD: tuple[Kind, ...] = (
    epsilons.epsilons,
    brackets.brackets,
    signs.signs,
    products.roots,
    sums.axes,
)
# Those that look like no derivative left out in backward: where something is known, that would be the likelier slip.
FORWARD_TYPOS: tuple[Kind, ...] = (epsilons.epsilons, brackets.brackets, sums.axes)
# Of what forward keeps for backward: the output must stay as it is. What is sure, and few, comes before all else.
KEPT_FIRST: tuple[Kind, ...] = (blocks.copies, orders.too_late, sums.casts)
KEPT: tuple[Kind, ...] = (epsilons.epsilons, tokens.names, tokens.comparisons, signs.signs)
