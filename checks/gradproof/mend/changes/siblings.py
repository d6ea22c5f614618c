"""Changes that bring a line in step with another that does the same for another input, or forward; they run nothing."""

from __future__ import annotations

import ast
import math
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from itertools import combinations
from typing import TypeGuard

from gradproof.mend.change import Change, instead, same
from gradproof.mend.change_kind import ChangeKind
from gradproof.mend.renamed import names_in, renamed
from gradproof.mend.slip import SlipKind
from gradproof.mend.slip_kinds import OTHER_ENTRIES
from gradproof.mend.slots import Slot
from gradproof.mend.terms import terms
from gradproof.mend.tree import Tree
from gradproof.mend.wording import stands_for
from gradproof.source.syntax import constant, elements, is_attribute, targets_of, variables, whole_number

MISSING_FOR_OTHER = SlipKind(
    "GP114",
    "slip-missing-for-the-other",
    "what this line does with {one} is missing for {other}",
    ("a term missing", "a branch dropped"),
)
ENTRIES_LEFT_OUT = SlipKind(
    "GP109",
    "slip-entries-left-out",
    "entries are left out: forward's go back to {places}",
    ("one row wrong", "one column wrong", "one channel wrong", "one entry wrong", "a term missing", "not summed"),
)
TAKEN_ELSEWHERE = SlipKind(
    "GP109",
    "slip-entries-elsewhere",
    "other entries are taken: forward's go back to {places}",
    ("entries permuted", "the wrong operand"),
)
DOZEN = 12


def mirrored(tree: Tree) -> Iterator[Change]:
    """A line as the one of the other input is, with the names of the two exchanged: ``db`` as ``da``."""
    lines = [(name, value) for name, value in _lines(tree) if name != tree.dout]
    names = {id(value): name for name, value in lines}
    for slot in tree.slots:
        mine = names.get(id(slot.node))
        if mine is not None:
            for other, value in lines:
                yield from _as_other(slot, mine, other, value, tree.known)


def _as_other(slot: Slot, mine: str, other: str, value: ast.expr, known: tuple[str, ...]) -> Iterator[Change]:
    """A line as another one; nothing where that is of no counterpart, or where they come to the same."""
    pair = _difference(mine, other)
    if pair is None or type(value) is not type(slot.node):
        return
    whole = _exchanged(value, *pair, known)
    if terms(whole) != terms(slot.node):
        yield instead(slot, whole, stands_for(slot.node, whole))


def _lines(tree: Tree) -> Iterator[tuple[str, ast.expr]]:
    """What is computed under a name, or returned for an input, with the name."""
    for node in ast.walk(tree.node):
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and not isinstance(node.value, ast.Constant):
            yield ast.unparse(node.targets[0]), node.value
        returned = node.value if isinstance(node, ast.Return) else None
        if isinstance(returned, ast.Tuple) and len(returned.elts) == len(tree.inputs):
            yield from zip((f"d{name}" for name in tree.inputs), returned.elts, strict=True)


def _difference(mine: str, other: str) -> tuple[str, str] | None:
    """Where two names differ, ("a", "b") of "da" and "db"; None where one is no counterpart of the other."""
    start = _alike(mine, other)
    end = _alike(mine[start:][::-1], other[start:][::-1])
    one, two = mine[start : len(mine) - end], other[start : len(other) - end]
    return (one, two) if start and one.isalnum() and two.isalnum() else None


def _alike(one: str, other: str) -> int:
    """How many characters two texts begin with alike."""
    pairs = zip(one, other, strict=False)
    return next((i for i, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))


def _exchanged(value: ast.expr, mine: str, other: str, known: tuple[str, ...]) -> ast.expr:
    """The expression with every name, or index, that tells one of the two replaced by its counterpart."""
    whole = same(value)
    are_numbers = mine.isdigit() and other.isdigit()
    numbers = {other: mine, mine: other} if are_numbers else {}
    names = {*known, *(name.removeprefix("self.") for name in known)}
    for node in ast.walk(whole):
        number = whole_number(node)
        if isinstance(node, ast.Constant) and number is not None:
            node.value = int(numbers.get(str(number), number))
        elif isinstance(node, ast.Name):
            node.id = _counterpart(node.id, mine, other, names)
        elif is_attribute(node):
            node.attr = _counterpart(node.attr, mine, other, names)
    return whole


def _counterpart(name: str, mine: str, other: str, known: Set[str]) -> str:
    """The name with one of the two in the place of the other, as far as it is known; else the name itself."""
    for old, new in ((mine, other), (other, mine)):
        places = [i for i in range(len(name)) if name.startswith(old, i)]
        changed = [name[:i] + new + name[i + len(old) :] for i in places]
        for counterpart in changed:
            if counterpart in known:
                return counterpart
    return name


def branches(tree: Tree) -> Iterator[Change]:
    """A line that is there for one of two arrays which forward makes alike, done for the other one, too."""
    pairs = [pair for function in tree.others for pair in _made_alike(function, tree.known)]
    lines = {ast.unparse(value) for _, value in _lines(tree)}
    for slot in tree.slots:
        is_value = slot.field == "value" and slot.parent is slot.statement
        if is_value and isinstance(slot.statement, ast.Assign | ast.AugAssign):
            for pair in pairs:
                other = renamed(slot.node, pair)
                if ast.unparse(other) not in (ast.unparse(slot.node), *lines):
                    yield _done_for_both(slot, pair, other)


def _done_for_both(slot: Slot, pair: Mapping[str, str], other: ast.expr) -> Change:
    here = {*names_in(slot.node)}
    mine = [name for name in pair if name in here]
    there = [pair[name] for name in mine]
    slip = MISSING_FOR_OTHER(one=" and ".join(mine), other=" and ".join(there))
    return instead(slot, ast.BinOp(same(slot.node), ast.Add(), other), slip, sure=True)


def _made_alike(function: ast.AST, known: tuple[str, ...]) -> Iterator[dict[str, str]]:
    """Names to be exchanged, of every two arrays that are computed in the same way from different ones."""
    made = [(name, [name, *names_in(value)], _form(value)) for name, value in _assigned(function)]
    for (one, mine, form), (other, theirs, its) in combinations(made, 2):
        is_made_alike = one != other and form == its and len(mine) == len(theirs)
        pairs = _differing_names(mine, theirs) if is_made_alike else {}
        if len(pairs) > 1 and {*pairs, *pairs.values()} <= {*known}:
            yield {b: a for a, b in pairs.items()} | pairs


def _differing_names(mine: Sequence[str], theirs: Sequence[str]) -> dict[str, str]:
    """The names of one expression with those that stand in their places in another one."""
    return {a: b for a, b in zip(mine, theirs, strict=True) if a != b}


def _assigned(function: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """Every name that is assigned, with its value; of several in one line, each with its own."""
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            target, value = node.targets[0], node.value
            if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and len(target.elts) == len(value.elts):
                yield from zip(map(ast.unparse, target.elts), value.elts, strict=True)
            elif not isinstance(target, ast.Tuple):
                yield ast.unparse(target), value


def _form(node: ast.expr) -> str:
    """An expression without its names."""
    return ast.dump(renamed(node, dict.fromkeys(names_in(node), "_")))


@dataclass(frozen=True, eq=False)
class Way:
    """A statement that takes entries from one place to another: the part that it writes to, and the one it reads."""

    into: ast.Subscript
    out_of: ast.Subscript

    @property
    def indices(self) -> tuple[str, str]:
        """The two indices, to be compared."""
        return ast.dump(self.into.slice), ast.dump(self.out_of.slice)


def adjoints(tree: Tree) -> Iterator[Change]:
    """What forward takes to another place, taken back: ``dx[:, :-1] += d[:, 1:]`` for ``y[:, 1:] += x[:, :-1]``."""
    ways = [way for function in tree.others for way in _ways(function)]
    for statement in dict.fromkeys(slot.statement for slot in tree.slots):
        here = _way(statement)
        if here is not None:
            for way in ways:
                yield from _taken_back(statement, here, way)


def _ways(function: ast.AST) -> Iterator[Way]:
    """What each line of a function takes from one place to another."""
    for node in ast.walk(function):
        way = _way(node) if isinstance(node, ast.Assign | ast.AugAssign) else None
        if way is not None:
            yield way


def _taken_back(statement: ast.stmt, here: Way, of_forward: Way) -> Iterator[Change]:
    """What forward writes to read, and what it reads written to; nothing where that is done."""
    back = Way(of_forward.out_of, of_forward.into)
    if here.indices == back.indices:
        return
    slots = Slot(here.into, "slice", None, statement), Slot(here.out_of, "slice", None, statement)
    places = " from ".join(f"[{ast.unparse(node.slice).strip('()')}]" for node in (back.into, back.out_of))
    takes_fewer = 0 < _taken(here.out_of.slice) < _taken(back.out_of.slice)
    slip = (ENTRIES_LEFT_OUT if takes_fewer else TAKEN_ELSEWHERE)(places=places)
    changed = same(back.into.slice), same(back.out_of.slice)
    yield Change(slots, changed, slip, sure=True)


def _way(statement: ast.stmt) -> Way | None:
    """The part that a statement writes to, and the one that it reads; None where either is whole, or there are more."""
    value = getattr(statement, "value", None)
    read = [node for node in ast.walk(value) if _is_part(node)] if isinstance(value, ast.expr) else []
    written_to = [target for target in targets_of(statement) if _is_part(target)]
    if len(written_to) != 1 or len(read) != 1:
        return None
    return Way(written_to[0], read[0])


def _taken(index: ast.expr) -> int:
    """How many of a dozen entries the slices of an index take; 0 where a bound is no number."""
    return math.prod(_entries(part) for part in elements(index) if isinstance(part, ast.Slice))


def _entries(part: ast.Slice) -> int:
    numbers: list[int | None] = []
    for bound in (part.lower, part.upper, part.step):
        number = None if bound is None else constant(bound)
        if bound is not None and not isinstance(number, int):
            return 0
        numbers.append(number if isinstance(number, int) else None)
    return len(range(*slice(*numbers).indices(DOZEN)))


def _is_part(node: ast.AST) -> TypeGuard[ast.Subscript]:
    return isinstance(node, ast.Subscript) and _cuts(node.slice)


def windows(tree: Tree) -> Iterator[Change]:
    """The entries that are taken in another line, or in forward, in the place of those that are taken here."""
    indices = {ast.unparse(index): index for index in _indices(tree)}
    for slot in tree.slots:
        if not isinstance(slot.parent, ast.Subscript) or slot.field != "slice" or not _cuts(slot.node):
            continue
        mine = ast.unparse(slot.node)
        for other, index in indices.items():
            if other != mine and _axes(index) == _axes(slot.node):
                slip = OTHER_ENTRIES(mine=f"[{mine.strip('()')}]", other=f"[{other.strip('()')}]")
                yield instead(slot, same(index), slip, sure=True)


def _indices(tree: Tree) -> Iterator[ast.expr]:
    """The indices that cut, of the function and of forward, in names that are at hand."""
    known = {"np", "self", "len", *tree.known}
    for function in (tree.node, *tree.others):
        for node in ast.walk(function):
            if _is_part(node) and known.issuperset(variables(node.slice)):
                yield node.slice


def _cuts(index: ast.expr) -> bool:
    """Whether an index takes some entries of an axis, from one to another."""
    return any(isinstance(part, ast.Slice) and (part.lower or part.upper or part.step) for part in elements(index))


def _axes(index: ast.expr) -> list[bool]:
    """For each axis, whether several entries are taken of it."""
    return [isinstance(part, ast.Slice) for part in elements(index)]


CHANGES = (
    ChangeKind(windows, place=1390),
    ChangeKind(adjoints, place=1400),
    ChangeKind(mirrored, place=1410),
    ChangeKind(branches, place=1420),
)
