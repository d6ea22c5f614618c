"""Changes of the order in which things are done, returned or unpacked; they run nothing."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import combinations, pairwise

from gradproof.mend.change import Change, instead, parse, same, short
from gradproof.mend.slots import Slot, blocks_of, inherits
from gradproof.mend.tree import Tree
from gradproof.source.stores import is_attribute, last_name

_PLAIN = ast.Assign | ast.AugAssign | ast.Expr


def orders(tree: Tree) -> Iterator[Change]:
    """Two neighbouring statements, two results, or the ends of a loop exchanged."""
    for owner, name, body in blocks_of(tree.node):
        for (i, first), (k, second) in pairwise(enumerate(body)):
            plain = all(isinstance(s, _PLAIN) and not inherits(s) for s in (first, second))
            if plain and not _overwrites(first, second):
                slots = Slot(owner, name, i, first), Slot(owner, name, k, second)
                text = f"two lines are in the wrong order: what line {second.lineno} does must come first"
                yield Change(slots, (second, first), "GP121", text)
        for statement in body:
            yield from _unpacked(statement)
    for slot in tree.slots:
        node = slot.node
        if isinstance(node, ast.Tuple | ast.List) and slot.field == "value" and 1 < len(node.elts) <= 6:
            yield from _permuted(slot, node)
        if slot.field == "iter" and (isinstance(node, ast.Name) or is_attribute(node)):
            text = f"{ast.unparse(node)} is gone through in the wrong order: backward begins with the last"
            yield instead(slot, ast.Call(parse("reversed"), [same(node)], []), "GP121", text, sure=True)
        if slot.field == "iter" and isinstance(node, ast.Call) and last_name(node.func) in ("range", "reversed"):
            reverse = last_name(node.func) == "range"
            changed = ast.Call(parse("reversed"), [same(node)], []) if reverse else same(node.args[0])
            how = "from the last to the first" if reverse else "from the first to the last"
            yield instead(slot, changed, "GP113", f"the loop carries on in the wrong order: it must go {how}")


def _overwrites(first: ast.stmt, second: ast.stmt) -> bool:
    """Whether the first, were it behind the second, would leave nothing of what that does: that is to take it away."""
    if not isinstance(first, ast.Assign) or not isinstance(second, ast.Assign | ast.AugAssign):
        return False
    targets = second.targets if isinstance(second, ast.Assign) else [second.target]
    mine, theirs = ({ast.unparse(target) for target in some} for some in (first.targets, targets))
    read = {ast.unparse(node) for node in ast.walk(first.value) if isinstance(node, ast.expr)}
    return theirs <= mine and not theirs & read


def _unpacked(statement: ast.stmt) -> Iterator[Change]:
    """``W, x = cache`` for ``x, W = cache``."""
    target = statement.targets[0] if isinstance(statement, ast.Assign) else None
    if not isinstance(target, ast.Tuple) or isinstance(getattr(statement, "value", None), ast.Tuple):
        return
    for i, k in combinations(range(min(len(target.elts), 6)), 2):
        one, other = target.elts[i], target.elts[k]
        slots = Slot(target, "elts", i, statement), Slot(target, "elts", k, statement)
        text = (
            f"{ast.unparse(one)} and {ast.unparse(other)} are unpacked in the wrong order: one is taken for the other"
        )
        yield Change(slots, (other, one), "GP117", text)


def _permuted(slot: Slot, node: ast.Tuple | ast.List) -> Iterator[Change]:
    for i, k in combinations(range(len(node.elts)), 2):
        elements = [same(element) for element in node.elts]
        elements[i], elements[k] = elements[k], elements[i]
        changed = ast.Tuple(elements, ast.Load()) if isinstance(node, ast.Tuple) else ast.List(elements, ast.Load())
        text = f"two gradients are exchanged: {short(node.elts[i])} and {short(node.elts[k])}"
        yield instead(slot, changed, "GP106", text)


def too_late(tree: Tree) -> Iterator[Change]:
    """What forward keeps of a name after it has changed it, kept before."""
    for owner, name, body in blocks_of(tree.node):
        for (i, first), (k, second) in pairwise(enumerate(body)):
            if isinstance(first, _PLAIN) and isinstance(second, ast.Assign) and is_attribute(second.targets[0]):
                slots = Slot(owner, name, i, first), Slot(owner, name, k, second)
                text = f"{ast.unparse(second)} keeps it too late: what backward needs is what it was one line before"
                yield Change(slots, (second, first), "GP112", text, sure=True)


def exchanged(tree: Tree) -> Iterator[Change]:
    """The values of two statements exchanged."""
    values = [s for s in tree.slots if s.field == "value" and isinstance(s.statement, ast.Assign)]
    whole = [s for s in values if s.parent is s.statement]
    for one, other in combinations(whole, 2):
        if ast.dump(one.node) != ast.dump(other.node):
            first, second = (
                ast.unparse(s.statement.targets[0]) for s in (one, other) if isinstance(s.statement, ast.Assign)
            )
            text = f"two gradients are exchanged: {first} gets what belongs to {second}"
            yield Change((one, other), (same(other.node), same(one.node)), "GP106", text)


def moved(tree: Tree) -> Iterator[Change]:
    """A statement behind a loop that belongs inside, at its end."""
    for owner, name, body in blocks_of(tree.node):
        for (i, loop), (k, after) in pairwise(enumerate(body)):
            if isinstance(loop, ast.For) and isinstance(after, _PLAIN):
                longer = ast.For(loop.target, loop.iter, [*loop.body, after], loop.orelse)
                slots = Slot(owner, name, k, after), Slot(owner, name, i, loop)
                text = "this line stands behind the loop, and belongs inside: only the last step counts"
                yield Change(slots, (ast.Pass(), longer), "GP114", text)


def too_early(tree: Tree) -> Iterator[Change]:
    """An attribute that is changed before it is read: ``self.W -= ...`` before ``return dout @ self.W.T``."""
    for owner, name, body in blocks_of(tree.node):
        for (i, first), (k, second) in combinations(enumerate(body), 2):
            changed = _changed(first)
            if changed is None or changed not in _read(second):
                continue
            text = f"{changed} is changed before line {second.lineno} reads it: that must be computed first"
            slots = Slot(owner, name, k, second), Slot(owner, name, i, first)
            if isinstance(second, ast.Return) and second.value is not None:
                result = "result" if len(tree.inputs) != 1 else f"d{tree.inputs[0]}"
                early = ast.Assign([ast.Name(result, ast.Store())], second.value)
                before = ast.If(ast.Constant(True), [early, first], [])
                yield Change(slots[::-1], (before, ast.Return(ast.Name(result, ast.Load()))), "GP121", text, sure=True)
            elif isinstance(second, _PLAIN):
                both = ast.If(ast.Constant(True), [second, first], [])
                yield Change(slots, (both, ast.Pass()), "GP121", text, sure=True)


def _changed(statement: ast.stmt) -> str | None:
    """The attribute that a statement changes by what it was before; None for no such."""
    target: ast.expr | None = statement.target if isinstance(statement, ast.AugAssign) else None
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        target = statement.targets[0]
    whole = target.value if isinstance(target, ast.Subscript) else target
    if whole is None or not is_attribute(whole):
        return None
    told = ast.unparse(whole)
    return told if isinstance(statement, ast.AugAssign) or told in _read(statement) else None


def _read(statement: ast.stmt) -> set[str]:
    """The attributes that a statement reads the value of."""
    nodes = [n for n in ast.walk(statement) if is_attribute(n) and isinstance(n.ctx, ast.Load)]
    return {ast.unparse(node) for node in nodes}
