"""Changes of whole statements: assigned for added, one too many, kept without a copy; they run nothing."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator

from gradproof.mend.change import Change, instead, parse, same, short
from gradproof.mend.slots import Slot, blocks_of, inherits, makes_room
from gradproof.mend.tree import Tree
from gradproof.source.stores import is_attribute, last_name

_PLAIN = ast.Assign | ast.AugAssign | ast.Expr


def copies(tree: Tree) -> Iterator[Change]:
    """What is kept as it is, and written to later, kept as a copy."""
    for slot in tree.slots:
        whole = slot.parent is slot.statement and slot.field == "value"
        kept = isinstance(slot.parent, ast.Call) and last_name(slot.parent.func) == "append"
        element = isinstance(slot.parent, ast.Tuple) and slot.field == "elts"
        if (whole or kept or element) and (isinstance(slot.node, ast.Name | ast.Subscript) or is_attribute(slot.node)):
            name = ast.unparse(slot.node)
            copied = ast.Call(ast.Attribute(same(slot.node), "copy", ast.Load()), [], [])
            text = f"{name} is written to after this line: without a copy, what it was here is lost"
            yield instead(slot, copied, "GP118", text, sure=True)
            if kept:  # of an object that has no copy of its own
                text = f"every entry of the list is the one object {name}, which remembers its last call alone"
                yield instead(slot, parse(f"__import__('copy').deepcopy({name})"), "GP118", text, sure=True)


def lines(tree: Tree) -> Iterator[Change]:
    """A line that is one too many, where its target is written in other lines too."""
    targets = [ast.unparse(t) for s in _statements(tree) for t in _written(s.statement)]
    if any(inherits(s.statement) for s in _statements(tree)):  # without the line, the base class has done it
        return
    for slot in _statements(tree):
        for target in _written(slot.statement):
            name = ast.unparse(target)
            if isinstance(slot.statement, ast.AugAssign):
                text = f"this line is one too many: {name} was right before it"
                factor = isinstance(slot.statement.op, ast.Mult | ast.Div)
                yield Change((slot,), (ast.Pass(),), "GP117" if factor else "GP113", text)
            elif targets.count(name) > 1 or isinstance(target, ast.Subscript):
                value = slot.statement.value if isinstance(slot.statement, ast.Assign) else None
                if value is not None and targets.count(name) > 1 and makes_room(value):
                    text = f"{name} begins anew here: what it held before is lost"
                    yield Change((slot,), (ast.Pass(),), "GP115", text, sure=True)
                elif value is not None and _reads(value, name):
                    text = f"this line is one too many: {name} was right before it"
                    yield Change((slot,), (ast.Pass(),), "GP113", text)
                else:
                    text = f"this line overwrites {name}, which was right before it"
                    yield Change((slot,), (ast.Pass(),), "GP115", text)


def _written(statement: ast.stmt) -> list[ast.expr]:
    """What a plain statement writes to."""
    if isinstance(statement, ast.AugAssign | ast.AnnAssign):
        return [statement.target]
    return statement.targets if isinstance(statement, ast.Assign) and len(statement.targets) == 1 else []


def _is_carried(slot: Slot, name: str) -> bool:
    """Whether a loop goes on with what is assigned here: other lines of it read the name."""
    loop = slot.parent
    others = [s for s in loop.body if s is not slot.statement] if isinstance(loop, ast.For | ast.While) else []
    return any(_reads(node, name) for s in others for node in ast.iter_child_nodes(s) if isinstance(node, ast.expr))


def _hands_on(slot: Slot, name: str) -> bool:
    """Whether a loop assigns a name in another of its lines, too, for its next round."""
    loop = slot.parent
    others = [s for s in loop.body if s is not slot.statement] if isinstance(loop, ast.For | ast.While) else []
    return any(ast.unparse(target) == name for s in others for target in _written(s))


def _reads(value: ast.expr, name: str) -> bool:
    return any(ast.unparse(node) == name for node in ast.walk(value) if isinstance(node, ast.expr))


def additions(tree: Tree) -> Iterator[Change]:
    """``=`` that overwrites what is there, for ``+=``; and the reverse."""
    for slot in _statements(tree):
        statement = slot.statement
        for target in _written(statement):
            value = statement.value if isinstance(statement, ast.Assign | ast.AugAssign) else None
            if value is not None and isinstance(target, ast.Subscript) and _is_index(target.slice):
                yield _added_at(slot, statement, target, value)
            if value is None or makes_room(value):
                continue
            what = ast.unparse(target)
            if isinstance(statement, ast.Assign) and isinstance(target, ast.Subscript | ast.Name | ast.Attribute):
                before = f"what the round before left in {what}" if _hands_on(slot, what) else "what stood there before"
                text = f"{what} is assigned where it should be added to: {before} is overwritten"
                added = ast.AugAssign(_stored(target), ast.Add(), same(value))
                sure = not _is_carried(slot, what) and what not in tree.function.arguments
                yield Change((slot,), (added,), "GP115", text, sure=sure)
            elif isinstance(statement, ast.AugAssign) and isinstance(statement.op, ast.Add):
                text = f"{what} is added to where it should be assigned: what stood there before stays in it"
                yield Change((slot,), (ast.Assign([_stored(target)], same(value)),), "GP513", text)


def unconditional(tree: Tree) -> Iterator[Change]:
    """What is done in one case alone, done in all; or what is done in the other."""
    for slot in tree.slots:
        node = slot.node
        if isinstance(node, ast.IfExp):
            for kept in (node.body, node.orelse):
                text = f"the branch for {short(node.test)} is not needed: {short(kept)} belongs to all cases"
                yield instead(slot, same(kept), "GP107", text)
    for slot in _statements(tree):
        branch = slot.statement
        if isinstance(branch, ast.If) and not any(hasattr(line, "body") for line in (*branch.body, *branch.orelse)):
            text = f"the branch for {short(branch.test)} is not needed: what it does belongs to all cases"
            yield Change((slot,), (ast.If(ast.Constant(True), branch.body, []),), "GP107", text)
            text = f"the branch for {short(branch.test)} is not needed: what it does belongs to no case"
            rest = ast.If(ast.Constant(True), branch.orelse, []) if branch.orelse else ast.Pass()
            yield Change((slot,), (rest,), "GP107", text)


def rebound(tree: Tree) -> Iterator[Change]:
    """A name for an array in grads that is bound to a new one: ``db = ...`` for ``db[...] = ...``."""
    first: dict[str, ast.stmt] = {}
    for slot in _statements(tree):
        statement = slot.statement
        targets = statement.targets if isinstance(statement, ast.Assign) else []
        inner = [t for target in targets for t in (target.elts if isinstance(target, ast.Tuple) else [target])]
        for name in (t for t in inner if isinstance(t, ast.Name)):
            if name.id in first and len(inner) == 1 and isinstance(statement, ast.Assign):
                whole = ast.Subscript(ast.Name(name.id, ast.Load()), ast.Constant(...), ast.Store())
                text = f"{name.id} is bound to a new array here: the array that it named before is never written"
                changed = ast.Assign([whole], same(statement.value))
                yield Change((slot,), (changed,), "GP104", text, sure="grads" in ast.unparse(first[name.id]))
            first.setdefault(name.id, statement)


def summed_in_loop(tree: Tree) -> Iterator[Change]:
    """A name that is assigned in each round of a loop, and nowhere before it, added up from 0."""
    for owner, name, body in blocks_of(tree.node):
        for i, loop in enumerate(body):
            if not isinstance(loop, ast.For):
                continue
            for k, inner in enumerate(loop.body):
                target = inner.targets[0] if isinstance(inner, ast.Assign) and len(inner.targets) == 1 else None
                if isinstance(inner, ast.Assign) and isinstance(target, ast.Name) and not makes_room(inner.value):
                    added = ast.AugAssign(ast.Name(target.id, ast.Store()), ast.Add(), same(inner.value))
                    zero = ast.Assign([ast.Name(target.id, ast.Store())], ast.Constant(0))
                    slots = Slot(loop, "body", k, inner), Slot(owner, name, i, loop)
                    text = f"{target.id} is assigned where it should be added to: each round overwrites the one before"
                    sure = not _is_carried(slots[0], target.id)
                    yield Change(slots, (added, ast.If(ast.Constant(True), [zero, loop], [])), "GP115", text, sure=sure)


def collected(tree: Tree) -> Iterator[Change]:
    """Several lines that assign to one name, added up: each but the last is lost."""
    for owner, name, body in blocks_of(tree.node):
        lines: dict[str, list[tuple[Slot, ast.Assign]]] = {}
        for i, statement in enumerate(body):
            if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
                told = ast.unparse(statement.targets[0])
                lines.setdefault(told, []).append((Slot(owner, name, i, statement), statement))
        for told, ((_, first), *others) in lines.items():
            if len(others) > 1 and not makes_room(first.value) and not isinstance(first.targets[0], ast.Tuple):
                added = [ast.AugAssign(_stored(s.targets[0]), ast.Add(), same(s.value)) for _, s in others]
                text = f"{told} is assigned in several lines where it should be added up: only the last one counts"
                yield Change(tuple(slot for slot, _ in others), tuple(added), "GP115", text, sure=True)


def unread(tree: Tree) -> Iterator[Change]:
    """What a loop leaves in a name for its next round, where no line reads it: added to what the round computes."""
    variables = [node for node in ast.walk(tree.node) if isinstance(node, ast.Name)]
    read = {node.id for node in variables if isinstance(node.ctx, ast.Load)}
    for loop in (node for node in ast.walk(tree.node) if isinstance(node, ast.For)):
        left = {t.id for line in loop.body for t in _written(line) if isinstance(t, ast.Name)} - read
        for i, line in enumerate(loop.body):
            targets = {ast.unparse(target) for target in _written(line)}
            for name in sorted(left - targets):
                if isinstance(line, ast.Assign):
                    changed = ast.Assign(line.targets, ast.BinOp(same(line.value), ast.Add(), parse(name)))
                    text = f"nothing reads {name}, which each round leaves for the next: + {name} is missing"
                    yield Change((Slot(loop, "body", i, line),), (changed,), "GP113", text, sure=True)


def repeated(tree: Tree) -> Iterator[Change]:
    """A line for one index that is missing for the next one: ``dx[:, 3] *= y[:, 3]`` behind ``dx[:, 2] *= y[:, 2]``."""
    for slot in _statements(tree):
        if isinstance(slot.statement, ast.Expr) and "np.add.at(" in ast.unparse(slot.statement):
            yield from _added_again(slot)
        if not isinstance(slot.statement, ast.AugAssign | ast.Assign) or not _written(slot.statement):
            continue
        numbers = _whole_numbers(slot.statement)
        target = _written(slot.statement)[0]
        for number in numbers if isinstance(target, ast.Subscript) else ():
            for other in (number + 1, number - 1):
                again = ast.If(ast.Constant(True), [slot.statement, _renumbered(slot.statement, number, other)], [])
                told = ast.unparse(_written(again.body[1])[0])
                if told == ast.unparse(target) and isinstance(slot.statement, ast.Assign):
                    continue  # it would only overwrite what this line does
                text = f"{told} is forgotten: what this line does for index {number} is missing for index {other}"
                yield Change((slot,), (again,), "GP107", text)


def _added_again(slot: Slot) -> Iterator[Change]:
    """``np.add.at(dW, index[:, 0], da)`` beside the same for ``index[:, 1]``."""
    for number in _whole_numbers(slot.statement):
        for other in (number + 1, number - 1):
            again = ast.If(ast.Constant(True), [slot.statement, _renumbered(slot.statement, number, other)], [])
            text = f"a line is forgotten: what this one does for index {number} is missing for index {other}"
            yield Change((slot,), (again,), "GP114", text)


def _whole_numbers(node: ast.AST) -> set[int]:
    return {n.value for n in ast.walk(node) if isinstance(n, ast.Constant) and type(n.value) is int}


def _renumbered(statement: ast.stmt, number: int, other: int) -> ast.stmt:
    copied = copy.deepcopy(statement)
    for node in ast.walk(copied):
        if isinstance(node, ast.Constant) and type(node.value) is int and node.value == number:
            node.value = other
    return copied


def _added_at(slot: Slot, statement: ast.stmt, target: ast.Subscript, value: ast.expr) -> Change:
    name = "subtract" if isinstance(statement, ast.AugAssign) and isinstance(statement.op, ast.Sub) else "add"
    index = same(target.slice)
    if any(isinstance(node, ast.Slice) for node in ast.walk(index)):  # a slice stands in brackets only
        index = ast.Subscript(parse("np.s_"), index, ast.Load())
    call = ast.Call(parse(f"np.{name}.at"), [same(target.value), index, same(value)], [])
    text = f"{ast.unparse(target)} counts an index that occurs twice once: it must be added up, as np.{name}.at does"
    return Change((slot,), (ast.Expr(call),), "GP115", text, sure=True)


def _is_index(node: ast.expr) -> bool:
    return any(isinstance(n, ast.Name) or is_attribute(n) for n in ast.walk(node))


def _stored(target: ast.expr) -> ast.Name | ast.Attribute | ast.Subscript:
    copied = same(target)
    if not isinstance(copied, ast.Name | ast.Attribute | ast.Subscript):
        raise TypeError(f"expected a target that can be added to, got {ast.unparse(target)}")
    copied.ctx = ast.Store()
    return copied


def _statements(tree: Tree) -> Iterator[Slot]:
    for owner, name, body in blocks_of(tree.node):
        for i, statement in enumerate(body):
            yield Slot(owner, name, i, statement)
