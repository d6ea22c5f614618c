"""One kind of change made at several places at once, for a slip that was made at each; it tries none."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations

from gradproof.mend.change import Change
from gradproof.mend.change_kind import Changes
from gradproof.mend.slip import Slip
from gradproof.mend.slots import Slot
from gradproof.mend.tree import Tree

MOST_ALIKE = 7  # places of which every two are changed


def everywhere(kind: Changes) -> Changes:
    """The changes of one kind, made at every place where it would mend the same slip: one is often made twice."""

    def changes(tree: Tree) -> Iterator[Change]:
        alike: dict[tuple[Slip, int], list[Change]] = {}
        met: Counter[tuple[Slip, Slot]] = Counter()
        for change in kind(tree):
            place = change.slip, change.slots[0]
            alike.setdefault((change.slip, met[place]), []).append(change)  # a slip may have several ways to mend it
            met[place] += 1
        for several in alike.values():
            if len(several) > 1:
                first = several[0]
                slots, nodes = tuple(each.slots[0] for each in several), tuple(each.nodes[0] for each in several)
                yield Change(slots, nodes, first.slip, alike=True, renames=first.renames)

    return changes


def in_pairs(kind: Changes) -> Changes:
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
