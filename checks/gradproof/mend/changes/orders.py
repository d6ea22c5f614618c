"""Changes of the order in which things are done, returned or unpacked; they run nothing."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from itertools import combinations, pairwise

from gradproof.mend.change import Change, block, instead, parse, same
from gradproof.mend.change_kind import ChangeKind
from gradproof.mend.slip import SlipKind
from gradproof.mend.slots import Slot, blocks_of, inherits, written
from gradproof.mend.tree import Tree
from gradproof.source.syntax import calls, is_attribute, targets_of

LINES_EXCHANGED = SlipKind(
    "GP121",
    "slip-lines-exchanged",
    "two lines are in the wrong order: what line {line} does must come first",
    ("layers in the wrong order",),
)
NOT_REVERSED = SlipKind(
    "GP121",
    "slip-not-reversed",
    "{name} is gone through in the wrong order: backward begins with the last",
    ("layers in the wrong order",),
)
_LOOP = "the loop carries on in the wrong order: it must go"
LOOP_FORWARDS = SlipKind(
    "GP113", "slip-loop-forwards", f"{_LOOP} from the last to the first", ("not carried through time",)
)
LOOP_BACKWARDS = SlipKind(
    "GP113", "slip-loop-backwards", f"{_LOOP} from the first to the last", ("not carried through time",)
)
UNPACKED = SlipKind(
    "GP117",
    "slip-unpacked",
    "{one} and {other} are unpacked in the wrong order: one is taken for the other",
    ("the wrong operand", "gradients swapped"),
)
EXCHANGED = SlipKind(
    "GP106", "slip-exchanged", "two gradients are exchanged: {one} and {other}", ("gradients swapped",)
)
GETS_THE_OTHERS = SlipKind(
    "GP106",
    "slip-exchanged-values",
    "two gradients are exchanged: {one} gets what belongs to {other}",
    ("gradients swapped",),
)
KEPT_TOO_LATE = SlipKind(
    "GP112",
    "slip-kept-too-late",
    "{line} keeps it too late: what backward needs is what it was one line before",
    ("pre-activation used for post-activation", "post-activation used for pre-activation", "the wrong operand"),
)
BEHIND_THE_LOOP = SlipKind(
    "GP114",
    "slip-behind-the-loop",
    "this line stands behind the loop, and belongs inside: only the last step counts",
    ("not summed", "a term missing"),
)
CHANGED_TOO_EARLY = SlipKind(
    "GP121",
    "slip-changed-too-early",
    "{name} is changed before line {line} reads it: that must be computed first",
    ("the wrong operand", "layers in the wrong order", "mutates"),
)
MOST_RESULTS = 6  # of which every two are exchanged

_PLAIN = ast.Assign | ast.AugAssign | ast.Expr


def orders(tree: Tree) -> Iterator[Change]:
    """Two neighbouring statements, two results, or the ends of a loop exchanged."""
    for owner, name, body in blocks_of(tree.node):
        yield from _lines_exchanged(owner, name, body)
        for statement in body:
            yield from _unpacked(statement)
    for slot in tree.slots:
        if slot.field == "value" and isinstance(slot.node, ast.Tuple | ast.List):
            yield from _permuted(slot, slot.node)
        if slot.field == "iter":
            yield from _turned_round(slot)


def _lines_exchanged(owner: ast.AST, name: str, body: Sequence[ast.stmt]) -> Iterator[Change]:
    for (i, first), (k, second) in pairwise(enumerate(body)):
        if _is_plain(first) and _is_plain(second) and not _overwrites(first, second):
            slots = Slot(owner, name, i, first), Slot(owner, name, k, second)
            yield Change(slots, (second, first), LINES_EXCHANGED(line=str(second.lineno)))


def _is_plain(statement: ast.stmt) -> bool:
    return isinstance(statement, _PLAIN) and not inherits(statement)


def _turned_round(slot: Slot) -> Iterator[Change]:
    """What a loop goes through, in the other order."""
    node = slot.node
    if isinstance(node, ast.Name) or is_attribute(node):
        slip = NOT_REVERSED(name=ast.unparse(node))
        yield instead(slot, ast.Call(parse("reversed"), [same(node)], []), slip, sure=True)
    elif calls(node, "range"):
        yield instead(slot, ast.Call(parse("reversed"), [same(node)], []), LOOP_FORWARDS())
    elif calls(node, "reversed"):
        yield instead(slot, same(node.args[0]), LOOP_BACKWARDS())


def _overwrites(first: ast.stmt, second: ast.stmt) -> bool:
    """Whether the first, were it behind the second, would leave nothing of what that does: that is to take it away."""
    if not isinstance(first, ast.Assign) or not isinstance(second, ast.Assign | ast.AugAssign):
        return False
    mine = {ast.unparse(target) for target in targets_of(first)}
    theirs = {ast.unparse(target) for target in targets_of(second)}
    read = {ast.unparse(node) for node in ast.walk(first.value) if isinstance(node, ast.expr)}
    return theirs <= mine and not theirs & read


def _unpacked(statement: ast.stmt) -> Iterator[Change]:
    """``W, x = cache`` for ``x, W = cache``."""
    target = statement.targets[0] if isinstance(statement, ast.Assign) else None
    if not isinstance(target, ast.Tuple) or isinstance(getattr(statement, "value", None), ast.Tuple):
        return
    for i, k in combinations(range(min(len(target.elts), MOST_RESULTS)), 2):
        one, other = target.elts[i], target.elts[k]
        slots = Slot(target, "elts", i, statement), Slot(target, "elts", k, statement)
        yield Change(slots, (other, one), UNPACKED(one=ast.unparse(one), other=ast.unparse(other)))


def _permuted(slot: Slot, node: ast.Tuple | ast.List) -> Iterator[Change]:
    if len(node.elts) > MOST_RESULTS:
        return
    for i, k in combinations(range(len(node.elts)), 2):
        elements = [same(element) for element in node.elts]
        elements[i], elements[k] = elements[k], elements[i]
        changed = ast.Tuple(elements, ast.Load()) if isinstance(node, ast.Tuple) else ast.List(elements, ast.Load())
        yield instead(slot, changed, EXCHANGED(one=ast.unparse(node.elts[i]), other=ast.unparse(node.elts[k])))


def too_late(tree: Tree) -> Iterator[Change]:
    """What forward keeps of a name after it has changed it, kept before."""
    for owner, name, body in blocks_of(tree.node):
        for (i, first), (k, second) in pairwise(enumerate(body)):
            if isinstance(first, _PLAIN) and isinstance(second, ast.Assign) and is_attribute(second.targets[0]):
                slots = Slot(owner, name, i, first), Slot(owner, name, k, second)
                yield Change(slots, (second, first), KEPT_TOO_LATE(line=ast.unparse(second)), sure=True)


def exchanged(tree: Tree) -> Iterator[Change]:
    """The values of two statements exchanged."""
    values = [slot for slot in tree.slots if slot.field == "value" and slot.parent is slot.statement]
    assigned = [(slot, slot.statement) for slot in values if isinstance(slot.statement, ast.Assign)]
    for (one, first), (other, second) in combinations(assigned, 2):
        if ast.dump(first.value) != ast.dump(second.value):
            mine, theirs = ast.unparse(first.targets[0]), ast.unparse(second.targets[0])
            exchanged_values = same(second.value), same(first.value)
            yield Change((one, other), exchanged_values, GETS_THE_OTHERS(one=mine, other=theirs))


def moved(tree: Tree) -> Iterator[Change]:
    """A statement behind a loop that belongs inside, at its end."""
    for owner, name, body in blocks_of(tree.node):
        for (i, loop), (k, after) in pairwise(enumerate(body)):
            if isinstance(loop, ast.For) and isinstance(after, _PLAIN):
                longer = ast.For(loop.target, loop.iter, [*loop.body, after], loop.orelse)
                slots = Slot(owner, name, k, after), Slot(owner, name, i, loop)
                yield Change(slots, (ast.Pass(), longer), BEHIND_THE_LOOP())


def too_early(tree: Tree) -> Iterator[Change]:
    """An attribute that is changed before it is read: ``self.W -= ...`` before ``return dout @ self.W.T``."""
    for owner, name, body in blocks_of(tree.node):
        for (i, first), (k, second) in combinations(enumerate(body), 2):
            changed = _changed(first)
            if changed is None or changed not in _read(second):
                continue
            slip = CHANGED_TOO_EARLY(name=changed, line=str(second.lineno))
            slots = Slot(owner, name, k, second), Slot(owner, name, i, first)
            if isinstance(second, ast.Return) and second.value is not None:
                result = "result" if len(tree.inputs) != 1 else f"d{tree.inputs[0]}"
                early = ast.Assign([ast.Name(result, ast.Store())], second.value)
                before = block(early, first)
                yield Change(slots[::-1], (before, ast.Return(ast.Name(result, ast.Load()))), slip, sure=True)
            elif isinstance(second, _PLAIN):
                both = block(second, first)
                yield Change(slots, (both, ast.Pass()), slip, sure=True)


def _changed(statement: ast.stmt) -> str | None:
    """The attribute that a statement changes by what it was before; None for no such."""
    target = next(iter(written(statement)), None)
    whole = target.value if isinstance(target, ast.Subscript) else target
    if isinstance(statement, ast.AnnAssign) or not is_attribute(whole):
        return None
    name = ast.unparse(whole)
    return name if isinstance(statement, ast.AugAssign) or name in _read(statement) else None


def _read(statement: ast.stmt) -> set[str]:
    """The attributes that a statement reads the value of."""
    nodes = [n for n in ast.walk(statement) if is_attribute(n) and isinstance(n.ctx, ast.Load)]
    return {ast.unparse(node) for node in nodes}


CHANGES = (
    ChangeKind(too_early, place=1020),
    ChangeKind(orders, place=1310),
    ChangeKind(exchanged, place=1320),
    ChangeKind(moved, place=1330),
    ChangeKind(too_late, place=4020),
)
