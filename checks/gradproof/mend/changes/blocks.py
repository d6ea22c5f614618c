"""Changes of whole statements: one too many, one forgotten, one kept without a copy; they run nothing."""

from __future__ import annotations

import ast
import copy
from collections import Counter
from collections.abc import Iterator

from gradproof.mend.change import Change, block, instead, parse, same, short
from gradproof.mend.change_kind import ChangeKind
from gradproof.mend.likeness import reads
from gradproof.mend.slots import Slot, inherits, makes_room, statement_slots, written
from gradproof.mend.tree import Tree
from gradproof.source.syntax import calls, elements, is_attribute, whole_number


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
        text = f"{name} is written to after this line: without a copy, what it was here is lost"
        yield instead(slot, copied, "GP118", text, sure=True)
        if is_appended:  # of an object that has no copy of its own
            text = f"every entry of the list is the one object {name}, which remembers its last call alone"
            yield instead(slot, parse(f"__import__('copy').deepcopy({name})"), "GP118", text, sure=True)


def lines(tree: Tree) -> Iterator[Change]:
    """A line that is one too many, where its target is written in other lines too."""
    slots = list(statement_slots(tree.node))
    if any(inherits(slot.statement) for slot in slots):  # without the line, the base class has done it
        return
    times_written = Counter(ast.unparse(target) for slot in slots for target in written(slot.statement))
    for slot in slots:
        for target in written(slot.statement):
            words = _needless(slot.statement, target, elsewhere=times_written[ast.unparse(target)] > 1)
            if words is not None:
                code, text, is_sure = words
                yield Change((slot,), (ast.Pass(),), code, text, sure=is_sure)


def _needless(statement: ast.stmt, target: ast.expr, *, elsewhere: bool) -> tuple[str, str, bool] | None:
    """The code and the words for a line that is one too many, and whether it is so for sure; None where it is needed.

    elsewhere: other lines write to the target, too.
    """
    name = ast.unparse(target)
    right_before = f"this line is one too many: {name} was right before it"
    if isinstance(statement, ast.AugAssign):
        is_factor = isinstance(statement.op, ast.Mult | ast.Div)
        return "GP117" if is_factor else "GP113", right_before, False
    if not elsewhere and not isinstance(target, ast.Subscript):
        return None
    if isinstance(statement, ast.Assign):
        if elsewhere and makes_room(statement.value):
            return "GP115", f"{name} begins anew here: what it held before is lost", True
        if reads(statement.value, name):
            return "GP113", right_before, False
    return "GP115", f"this line overwrites {name}, which was right before it", False


def unconditional(tree: Tree) -> Iterator[Change]:
    """What is done in one case alone, done in all; or what is done in the other."""
    for slot in tree.slots:
        node = slot.node
        if isinstance(node, ast.IfExp):
            for kept in (node.body, node.orelse):
                text = f"the branch for {short(node.test)} is not needed: {short(kept)} belongs to all cases"
                yield instead(slot, same(kept), "GP107", text)
    for slot in statement_slots(tree.node):
        branch = slot.statement
        if isinstance(branch, ast.If) and not any(hasattr(line, "body") for line in (*branch.body, *branch.orelse)):
            text = f"the branch for {short(branch.test)} is not needed: what it does belongs to all cases"
            yield Change((slot,), (block(*branch.body),), "GP107", text)
            text = f"the branch for {short(branch.test)} is not needed: what it does belongs to no case"
            yield Change((slot,), (block(*branch.orelse) if branch.orelse else ast.Pass(),), "GP107", text)


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
    text = f"{name} is bound to a new array here: the array that it named before is never written"
    return Change((slot,), (ast.Assign([whole], same(value)),), "GP104", text, sure=sure)


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
                text = f"{target} is forgotten: what this line does for index {number} is missing for index {other}"
                yield Change((slot,), (block(statement, again),), "GP107", text)


def _added_again(slot: Slot) -> Iterator[Change]:
    """``np.add.at(dW, index[:, 0], da)`` beside the same for ``index[:, 1]``."""
    for number, other in _neighbours(slot.statement):
        again = _renumbered(slot.statement, number, other)
        text = f"a line is forgotten: what this one does for index {number} is missing for index {other}"
        yield Change((slot,), (block(slot.statement, again),), "GP114", text)


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
    ChangeKind(copies, place=4010),
)
