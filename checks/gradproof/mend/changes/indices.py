"""Changes of where entries are taken, or where a loop ends; they run nothing."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator, Mapping, Sequence

from gradproof.mend.change import Change, instead, parse
from gradproof.mend.change_kind import ChangeKind
from gradproof.mend.slip import Slip, SlipKind
from gradproof.mend.slip_kinds import ANOTHER_ENTRY, LEFT_OUT, OTHER_ENTRIES
from gradproof.mend.slots import Slot, is_indexing, statements
from gradproof.mend.tree import Tree
from gradproof.source.syntax import (
    calls,
    constant,
    cuts_off,
    elements,
    is_attribute,
    is_negated,
    variables,
    whole_number,
)

CUT_OFF = SlipKind(
    "GP109",
    "slip-entries-cut-off",
    "other entries are cut off: [{mine}] stands where [{other}] belongs",
    ("entries permuted",),
)
EMPTY_AT_ZERO = SlipKind(
    "GP109",
    "slip-empty-at-zero",
    "at {bound} = 0 nothing is taken, for -0 is the beginning and not the end: [{mine}] stands where [{other}] belongs",
    ("one shape wrong",),
)


def ends(tree: Tree) -> Iterator[Change]:
    """The end of a loop, or of a slice, one further or one less."""
    for slot in tree.slots:
        looped = calls(slot.parent, "range")
        if (looped or isinstance(slot.parent, ast.Slice)) and constant(slot.node) is None:
            mine = ast.unparse(slot.node)
            for other in (f"{mine} + 1", f"{mine} - 1"):
                kind = LEFT_OUT if looped else OTHER_ENTRIES
                yield instead(slot, parse(other), kind(mine=ast.unparse(slot.node), other=ast.unparse(parse(other))))


def counters(tree: Tree) -> Iterator[Change]:
    """What a loop counts, for an index that is computed: ``p[j]`` for ``p[y[i]]``."""
    counted = [name for loop in statements(tree.node) if isinstance(loop, ast.For) for name in variables(loop.target)]
    for slot in tree.slots:
        if isinstance(slot.node, ast.Subscript | ast.BinOp) and is_indexing(slot):
            mine = ast.unparse(slot.node)
            for name in dict.fromkeys(counted):
                yield instead(slot, parse(name), ANOTHER_ENTRY(mine=mine, other=name))


def slices(tree: Tree) -> Iterator[Change]:
    """What is cut off at one end, cut off at the other or at both: of all axes that are cut alike."""
    for slot in tree.slots:
        if not isinstance(slot.node, ast.Subscript):
            continue
        cuts = [ast.unparse(part) for part in elements(slot.node.slice) if cuts_off(part)]
        if cuts:
            yield from _whole_at_zero(slot)
            yield from _other_ends(slot, _bounds(slot.node.slice), cuts)
            yield from _later_starts(slot, (*tree.known, "1"), cuts)


def _whole_at_zero(slot: Slot) -> Iterator[Change]:
    """``x[k:-k or None]`` for ``x[k:-k]``, of all axes: the one is right for k = 0 as well."""
    changed = copy.deepcopy(slot.node)
    found: list[Slip] = []
    for part in ast.walk(changed):
        if isinstance(part, ast.Slice) and is_negated(part.upper) and constant(part.upper.operand) is None:
            mine, end = ast.unparse(part), part.upper
            part.upper = ast.BoolOp(ast.Or(), [end, ast.Constant(None)])
            found.append(EMPTY_AT_ZERO(bound=ast.unparse(end.operand), mine=mine, other=ast.unparse(part)))
    if found:
        yield instead(slot, parse(ast.unparse(changed)), found[0], sure=True)


def _other_ends(slot: Slot, bounds: Sequence[str], cuts: Sequence[str]) -> Iterator[Change]:
    """``x[k:-k]``, ``x[k:]`` or ``x[:-k]`` for one of the others."""
    for bound in bounds:
        for other in (f"{bound}:-{bound}", f"{bound}:", f":-{bound}"):
            yield _cut_otherwise(slot, dict.fromkeys(cuts, other))


def _later_starts(slot: Slot, starts: Sequence[str], cuts: Sequence[str]) -> Iterator[Change]:
    """``x[a:a + k]`` for ``x[:k]``."""
    if all(cut.startswith(":") for cut in cuts):
        for start in starts:
            yield _cut_otherwise(slot, {cut: f"{start}:{start} + {cut[1:]}" for cut in cuts})


def _cut_otherwise(slot: Slot, others: Mapping[str, str]) -> Change:
    """Each slice replaced by another one, as source."""
    changed = ast.unparse(slot.node)
    for cut, other in others.items():
        changed = changed.replace(cut, other)
    first, instead_of_first = next(iter(others.items()))
    return instead(slot, parse(changed), CUT_OFF(mine=first, other=instead_of_first))


def _bounds(index: ast.expr) -> list[str]:
    """The names and the numbers from 1 on in an index, and one less than each of these numbers."""
    found: set[str] = set()
    for node in ast.walk(index):
        number = whole_number(node) or 0
        if isinstance(node, ast.Name) or is_attribute(node) or number > 0:
            found.add(ast.unparse(node))
        if number > 1:
            found.add(str(number - 1))
    return sorted(found)


CHANGES = (
    ChangeKind(counters, place=1345),
    ChangeKind(slices, place=1370),
    ChangeKind(ends, place=1380),
)
