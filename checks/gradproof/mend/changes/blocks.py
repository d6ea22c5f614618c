"""Changes of whole statements: one too many, one forgotten, one kept without a copy; they run nothing."""

from __future__ import annotations

import ast
import copy
import itertools
from collections import Counter
from collections.abc import Iterator

from gradproof.findings import Parameters
from gradproof.mend.change import Change, block, instead, parse, same
from gradproof.mend.change_kind import ChangeKind
from gradproof.mend.likeness import reads
from gradproof.mend.slip import Slip, SlipKind
from gradproof.mend.slots import Slot, blocks_of, inherits, makes_room, statement_slots, written
from gradproof.mend.tree import Tree
from gradproof.source.syntax import calls, elements, is_attribute, whole_number

_PARTS = ("one row wrong", "one column wrong", "one channel wrong")


def _of_overwritten(about: Parameters) -> tuple[str, ...]:
    is_part = "[" in str(about["target"])
    return ("overwritten, not added", *_PARTS, "one entry wrong") if is_part else ("overwritten, not added",)


NO_COPY = SlipKind(
    "GP118",
    "slip-no-copy",
    "{name} is written to after this line: without a copy, what it was here is lost",
    ("mutates",),
)
ONE_OBJECT = SlipKind(
    "GP118",
    "slip-one-object",
    "every entry of the list is the one object {name}, which remembers its last call alone",
    ("stale cache",),
)
_LINE = "this line is one too many: {target} was right before it"
_TOO_MANY = ("a term too many", "a factor too many")
LINE_WITH_TERM = SlipKind("GP113", "slip-line-too-many", _LINE, _TOO_MANY)
LINE_WITH_FACTOR = SlipKind("GP117", "slip-line-with-factor-too-many", _LINE, _TOO_MANY)
BEGINS_ANEW = SlipKind(  # nothing else could be mended by taking such a line away
    "GP115", "slip-begins-anew", "{target} begins anew here: what it held before is lost", ("overwritten, not added",)
)
LINE_OVERWRITES = SlipKind(
    "GP115", "slip-line-overwrites", "this line overwrites {target}, which was right before it", _of_overwritten
)
_BRANCH = ("one region of values wrong", "one shape wrong")
BRANCH_OF = SlipKind(
    "GP107", "slip-branch", "the branch for {test} is not needed: {what} belongs to all cases", _BRANCH
)
BRANCH_OF_NONE = SlipKind(
    "GP107", "slip-branch-of-no-case", "the branch for {test} is not needed: what it does belongs to no case", _BRANCH
)
DONE_ALWAYS = SlipKind(
    "GP107",
    "slip-done-always",
    "what is done in all cases belongs to the case of line {line} alone: {test}",
    ("one region of values wrong", "a term too many"),
)
BOUND_ANEW = SlipKind(
    "GP104",
    "slip-bound-anew",
    "{name} is bound to a new array here: the array that it named before is never written",
    ("never written",),
)
INDEX_FORGOTTEN = SlipKind(
    "GP107",
    "slip-index-forgotten",
    "{target} is forgotten: what this line does for index {index} is missing for index {other}",
    _PARTS,
)
LINE_FORGOTTEN = SlipKind(
    "GP114",
    "slip-line-forgotten",
    "a line is forgotten: what this one does for index {index} is missing for index {other}",
    ("a term missing", "a branch dropped"),
)


def copies(tree: Tree) -> Iterator[Change]:
    """What is kept as it is, and written to later, kept as a copy."""
    for slot in tree.slots:
        is_whole = slot.parent is slot.statement and slot.field == "value"
        is_appended = calls(slot.parent, "append")
        is_element = isinstance(slot.parent, ast.Tuple) and slot.field == "elts"
        names_an_array = isinstance(slot.node, ast.Name | ast.Subscript) or is_attribute(slot.node)
        if not names_an_array or not (is_whole or is_appended or is_element):
            continue
        name = ast.unparse(slot.node)
        copied = ast.Call(ast.Attribute(same(slot.node), "copy", ast.Load()), [], [])
        yield instead(slot, copied, NO_COPY(name=name), sure=True)
        if is_appended:  # of an object that has no copy of its own
            yield instead(slot, parse(f"__import__('copy').deepcopy({name})"), ONE_OBJECT(name=name), sure=True)


def lines(tree: Tree) -> Iterator[Change]:
    """A line that is one too many, where its target is written in other lines too."""
    slots = list(statement_slots(tree.node))
    if any(inherits(slot.statement) for slot in slots):  # without the line, the base class has done it
        return
    times_written = Counter(ast.unparse(target) for slot in slots for target in written(slot.statement))
    for slot in slots:
        for target in written(slot.statement):
            slip = _needless(slot.statement, target, elsewhere=times_written[ast.unparse(target)] > 1)
            if slip is not None:
                yield Change((slot,), (ast.Pass(),), slip, sure=slip.kind is BEGINS_ANEW)


def _needless(statement: ast.stmt, target: ast.expr, *, elsewhere: bool) -> Slip | None:
    """The slip of a line that is one too many; None where it is needed.

    elsewhere: other lines write to the target, too.
    """
    name = ast.unparse(target)
    if isinstance(statement, ast.AugAssign):
        is_factor = isinstance(statement.op, ast.Mult | ast.Div)
        return (LINE_WITH_FACTOR if is_factor else LINE_WITH_TERM)(target=name)
    if not elsewhere and not isinstance(target, ast.Subscript):
        return None
    if isinstance(statement, ast.Assign):
        if elsewhere and makes_room(statement.value):
            return BEGINS_ANEW(target=name)
        if reads(statement.value, name):
            return LINE_WITH_TERM(target=name)
    return LINE_OVERWRITES(target=name)


def unconditional(tree: Tree) -> Iterator[Change]:
    """What is done in one case alone, done in all; or what is done in the other."""
    for slot in tree.slots:
        node = slot.node
        if isinstance(node, ast.IfExp):
            for kept in (node.body, node.orelse):
                yield instead(slot, same(kept), BRANCH_OF(test=ast.unparse(node.test), what=ast.unparse(kept)))
    for slot in statement_slots(tree.node):
        branch = slot.statement
        if isinstance(branch, ast.If) and not any(hasattr(line, "body") for line in (*branch.body, *branch.orelse)):
            test = ast.unparse(branch.test)
            yield Change((slot,), (block(*branch.body),), BRANCH_OF(test=test, what="what it does"))
            otherwise = block(*branch.orelse) if branch.orelse else ast.Pass()
            yield Change((slot,), (otherwise,), BRANCH_OF_NONE(test=test))


def guarded(tree: Tree) -> Iterator[Change]:
    """Lines before a branch, which belong into it: the last one, the last two, and so on."""
    for owner, name, body in blocks_of(tree.node):
        for place, branch in enumerate(body):
            before = itertools.takewhile(lambda line: isinstance(line, ast.Assign | ast.AugAssign), body[:place][::-1])
            lines = [Slot(owner, name, place - back, line) for back, line in enumerate(before, 1)]
            if isinstance(branch, ast.If) and not branch.orelse:
                slip = DONE_ALWAYS(test=ast.unparse(branch.test), line=str(branch.lineno))
                for count in range(1, len(lines) + 1):
                    slots = tuple(reversed(lines[:count]))
                    nodes = tuple(ast.If(same(branch.test), [slot.statement], []) for slot in slots)
                    yield Change(slots, nodes, slip)


def rebound(tree: Tree) -> Iterator[Change]:
    """A name for an array in grads that is bound to a new one: ``db = ...`` for ``db[...] = ...``."""
    first: dict[str, ast.stmt] = {}
    for slot in statement_slots(tree.node):
        statement = slot.statement
        if not isinstance(statement, ast.Assign):
            continue
        targets = [part for target in statement.targets for part in elements(target)]
        for target in targets:
            if not isinstance(target, ast.Name):
                continue
            if target.id in first and len(targets) == 1:
                was_in_grads = "grads" in ast.unparse(first[target.id])
                yield _written_into(slot, target.id, statement.value, sure=was_in_grads)
            first.setdefault(target.id, statement)


def _written_into(slot: Slot, name: str, value: ast.expr, *, sure: bool) -> Change:
    """``db[...] = value`` for ``db = value``."""
    whole = ast.Subscript(ast.Name(name, ast.Load()), ast.Constant(...), ast.Store())
    return Change((slot,), (ast.Assign([whole], same(value)),), BOUND_ANEW(name=name), sure=sure)


def repeated(tree: Tree) -> Iterator[Change]:
    """A line for one index that is missing for the next one: ``dx[:, 3] *= y[:, 3]`` behind ``dx[:, 2] *= y[:, 2]``."""
    for slot in statement_slots(tree.node):
        statement = slot.statement
        if isinstance(statement, ast.Expr) and "np.add.at(" in ast.unparse(statement):
            yield from _added_again(slot)
        targets = written(statement) if isinstance(statement, ast.AugAssign | ast.Assign) else []
        if not targets or not isinstance(targets[0], ast.Subscript):
            continue
        for number, other in _neighbours(statement):
            again = _renumbered(statement, number, other)
            target = ast.unparse(written(again)[0])
            only_overwrites = isinstance(statement, ast.Assign) and target == ast.unparse(targets[0])
            if not only_overwrites:
                slip = INDEX_FORGOTTEN(target=target, index=str(number), other=str(other))
                yield Change((slot,), (block(statement, again),), slip)


def _added_again(slot: Slot) -> Iterator[Change]:
    """``np.add.at(dW, index[:, 0], da)`` beside the same for ``index[:, 1]``."""
    for number, other in _neighbours(slot.statement):
        again = _renumbered(slot.statement, number, other)
        slip = LINE_FORGOTTEN(index=str(number), other=str(other))
        yield Change((slot,), (block(slot.statement, again),), slip)


def _neighbours(statement: ast.stmt) -> list[tuple[int, int]]:
    """Each whole number in a statement with the next one, and with the one before."""
    found = [whole_number(node) for node in ast.walk(statement)]
    numbers = {number for number in found if number is not None}
    return [(number, other) for number in numbers for other in (number + 1, number - 1)]


def _renumbered(statement: ast.stmt, number: int, other: int) -> ast.stmt:
    copied = copy.deepcopy(statement)
    for node in ast.walk(copied):
        if isinstance(node, ast.Constant) and whole_number(node) == number:
            node.value = other
    return copied


CHANGES = (
    ChangeKind(copies, place=1010),
    ChangeKind(lines, place=1030),
    ChangeKind(rebound, place=1040),
    ChangeKind(repeated, place=1080),
    ChangeKind(unconditional, place=1130),
    ChangeKind(guarded, place=1135),
    ChangeKind(copies, place=4010),
)
