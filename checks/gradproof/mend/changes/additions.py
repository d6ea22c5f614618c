"""Changes of what is added up: assigned for added, a round or a line that overwrites another; they run nothing."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from gradproof.mend.change import Change, block, parse, same
from gradproof.mend.change_kind import ChangeKind
from gradproof.mend.likeness import reads
from gradproof.mend.slip import SlipKind
from gradproof.mend.slots import Slot, blocks_of, makes_room, statement_slots, written
from gradproof.mend.tree import Tree
from gradproof.source.syntax import is_attribute, variables_read

_ADDED = "overwritten, not added"
_ASSIGNED = "{target} is assigned where it should be added to"
OVERWRITTEN = SlipKind("GP115", "slip-assigned", f"{_ASSIGNED}: what stood there before is overwritten", (_ADDED,))
ROUND_OVERWRITTEN = SlipKind(
    "GP115",
    "slip-assigned-in-a-loop",
    f"{_ASSIGNED}: what the round before left in {{target}} is overwritten",
    (_ADDED, "not carried through time"),
)
EACH_ROUND = SlipKind(
    "GP115", "slip-assigned-each-round", f"{_ASSIGNED}: each round overwrites the one before", (_ADDED,)
)
LAST_COUNTS = SlipKind(
    "GP115",
    "slip-assigned-in-several-lines",
    "{target} is assigned in several lines where it should be added up: only the last one counts",
    (_ADDED, "a branch dropped"),
)
COUNTED_ONCE = SlipKind(
    "GP115",
    "slip-index-counted-once",
    "{target} counts an index that occurs twice once: it must be added up, as {function} does",
    (_ADDED,),
)
ADDED = SlipKind(
    "GP513",
    "slip-added",
    "{target} is added to where it should be assigned: what stood there before stays in it",
    ("accumulates", "a term too many"),
)
NOTHING_READS = SlipKind(
    "GP113",
    "slip-not-read",
    "nothing reads {variable}, which each round leaves for the next: + {variable} is missing",
    ("a term missing", "a branch dropped", "not carried through time"),
)


def additions(tree: Tree) -> Iterator[Change]:
    """``=`` that overwrites what is there, for ``+=``; and the reverse."""
    for slot in statement_slots(tree.node):
        statement = slot.statement
        for target in written(statement):
            if isinstance(statement, ast.Assign):
                yield from _added(slot, target, statement.value, tree.function.arguments)
            elif isinstance(statement, ast.AugAssign):
                yield from _assigned(slot, target, statement)


def _added(slot: Slot, target: ast.expr, value: ast.expr, arguments: tuple[str, ...]) -> Iterator[Change]:
    """``target += value`` for ``target = value``; sure where no loop, and no caller, needs what is assigned."""
    if isinstance(target, ast.Subscript) and _is_index(target.slice):
        yield _added_at(slot, "add", target, value)
    if makes_room(value) or not isinstance(target, ast.Subscript | ast.Name | ast.Attribute):
        return
    what = ast.unparse(target)
    slip = (ROUND_OVERWRITTEN if _hands_on(slot, what) else OVERWRITTEN)(target=what)
    added = ast.AugAssign(_stored(target), ast.Add(), same(value))
    is_sure = not _is_carried(slot, what) and what not in arguments
    yield Change((slot,), (added,), slip, sure=is_sure)


def _assigned(slot: Slot, target: ast.expr, statement: ast.AugAssign) -> Iterator[Change]:
    """``target = value`` for ``target += value``."""
    if isinstance(target, ast.Subscript) and _is_index(target.slice):
        name = "subtract" if isinstance(statement.op, ast.Sub) else "add"
        yield _added_at(slot, name, target, statement.value)
    if isinstance(statement.op, ast.Add) and not makes_room(statement.value):
        what = ast.unparse(target)
        assigned = ast.Assign([_stored(target)], same(statement.value))
        yield Change((slot,), (assigned,), ADDED(target=what))


def _is_carried(slot: Slot, name: str) -> bool:
    """Whether a loop goes on with what is assigned here: other lines of it read the name."""
    others = [node for line in _other_lines(slot) for node in ast.iter_child_nodes(line)]
    return any(reads(node, name) for node in others if isinstance(node, ast.expr))


def _hands_on(slot: Slot, name: str) -> bool:
    """Whether a loop assigns a name in another of its lines, too, for its next round."""
    targets = [target for line in _other_lines(slot) for target in written(line)]
    return any(ast.unparse(target) == name for target in targets)


def _other_lines(slot: Slot) -> list[ast.stmt]:
    """The lines of a loop without the one in the slot; none where that stands in no loop."""
    loop = slot.parent
    if not isinstance(loop, ast.For | ast.While):
        return []
    return [line for line in loop.body if line is not slot.statement]


def _added_at(slot: Slot, name: str, target: ast.Subscript, value: ast.expr) -> Change:
    """``np.add.at(dW, t, dout)`` for ``dW[t] = dout``, and for ``+=``; name: that of the function, add or subtract."""
    index = same(target.slice)
    if any(isinstance(node, ast.Slice) for node in ast.walk(index)):  # a slice stands in brackets only
        index = ast.Subscript(parse("np.s_"), index, ast.Load())
    call = ast.Call(parse(f"np.{name}.at"), [same(target.value), index, same(value)], [])
    slip = COUNTED_ONCE(target=ast.unparse(target), function=f"np.{name}.at")
    return Change((slot,), (ast.Expr(call),), slip, sure=True)


def _is_index(node: ast.expr) -> bool:
    return any(isinstance(n, ast.Name) or is_attribute(n) for n in ast.walk(node))


def _stored(target: ast.expr) -> ast.Name | ast.Attribute | ast.Subscript:
    copied = same(target)
    if not isinstance(copied, ast.Name | ast.Attribute | ast.Subscript):
        raise TypeError(f"expected a target that can be added to, got {ast.unparse(target)}")
    copied.ctx = ast.Store()
    return copied


def summed_in_loop(tree: Tree) -> Iterator[Change]:
    """A name that is assigned in each round of a loop, and nowhere before it, added up from 0."""
    for slot in statement_slots(tree.node):
        loop = slot.statement
        if not isinstance(loop, ast.For):
            continue
        for index, line in enumerate(loop.body):
            targets = written(line) if isinstance(line, ast.Assign) else []
            name = targets[0].id if targets and isinstance(targets[0], ast.Name) else ""
            if isinstance(line, ast.Assign) and name and not makes_room(line.value):
                yield _summed_from_0(slot, loop, Slot(loop, "body", index, line), name, line.value)


def _summed_from_0(outer: Slot, loop: ast.For, inner: Slot, name: str, value: ast.expr) -> Change:
    """``name += value`` in the loop, and ``name = 0`` before it."""
    added = ast.AugAssign(ast.Name(name, ast.Store()), ast.Add(), same(value))
    zero = ast.Assign([ast.Name(name, ast.Store())], ast.Constant(0))
    is_sure = not _is_carried(inner, name)
    return Change((inner, outer), (added, block(zero, loop)), EACH_ROUND(target=name), sure=is_sure)


def collected(tree: Tree) -> Iterator[Change]:
    """Several lines that assign to one name, added up: each but the last is lost."""
    for owner, name, body in blocks_of(tree.node):
        lines: dict[str, list[tuple[Slot, ast.Assign]]] = {}
        for index, statement in enumerate(body):
            if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
                target = ast.unparse(statement.targets[0])
                lines.setdefault(target, []).append((Slot(owner, name, index, statement), statement))
        for target, several in lines.items():
            first, *others = several
            if len(others) > 1 and _can_be_added_to(first[1]):
                yield _added_up(target, others)


def _can_be_added_to(line: ast.Assign) -> bool:
    return not makes_room(line.value) and not isinstance(line.targets[0], ast.Tuple)


def _added_up(target: str, lines: list[tuple[Slot, ast.Assign]]) -> Change:
    added = [ast.AugAssign(_stored(line.targets[0]), ast.Add(), same(line.value)) for _, line in lines]
    return Change(tuple(slot for slot, _ in lines), tuple(added), LAST_COUNTS(target=target), sure=True)


def unread(tree: Tree) -> Iterator[Change]:
    """What a loop leaves in a name for its next round, where no line reads it: added to what the round computes."""
    read = variables_read(tree.node)
    for loop in ast.walk(tree.node):
        if isinstance(loop, ast.For):
            targets = [target for line in loop.body for target in written(line)]
            left = {target.id for target in targets if isinstance(target, ast.Name)} - read
            yield from _with_what_is_left(loop, left)


def _with_what_is_left(loop: ast.For, left: set[str]) -> Iterator[Change]:
    """Each line that assigns something, with each name of ``left`` added."""
    for index, line in enumerate(loop.body):
        if not isinstance(line, ast.Assign):
            continue
        for name in sorted(left.difference(map(ast.unparse, written(line)))):
            changed = ast.Assign(line.targets, ast.BinOp(same(line.value), ast.Add(), parse(name)))
            yield Change((Slot(loop, "body", index, line),), (changed,), NOTHING_READS(variable=name), sure=True)


CHANGES = (
    ChangeKind(additions, place=1050),
    ChangeKind(summed_in_loop, place=1060),
    ChangeKind(collected, place=1070),
    ChangeKind(unread, place=1090),
)
