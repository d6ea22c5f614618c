"""The places of a syntax tree in which an expression stands, and what kind of place each is; it changes nothing."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from gradproof.source.source import SCOPES, FunctionNode
from gradproof.source.syntax import calls, is_attribute, is_operation, last_name, targets_of

_COUNTERS = frozenset({"range", "len", "enumerate", "reversed"})
_FORMS = frozenset({"shape", "size", "ndim", "T", "dtype"})
_MAKERS = frozenset({"range", "len", "zeros", "zeros_like", "reshape"})


@dataclass(frozen=True, eq=False)
class Slot:
    """A place in a tree that holds one node: ``parent.field``, or its entry ``index``."""

    parent: ast.AST
    field: str
    index: int | None
    statement: ast.stmt

    @property
    def node(self) -> ast.expr:
        """What stands there."""
        held = getattr(self.parent, self.field)
        node: ast.expr = held if self.index is None else held[self.index]
        return node

    @property
    def place(self) -> tuple[int, str, int | None]:
        """Where it is, to be compared: the identity of the parent, its field and the index there."""
        return id(self.parent), self.field, self.index

    def put(self, node: ast.AST) -> None:
        """Let another node stand there."""
        if self.index is None:
            setattr(self.parent, self.field, node)
        else:
            getattr(self.parent, self.field)[self.index] = node


def slots_of(function: FunctionNode) -> Iterator[Slot]:
    """Every slot of a function that holds an expression, in the order of the source."""
    for statement in statements(function):
        for name, held in ast.iter_fields(statement):
            if name == "value" and _unpacks(statement):
                continue
            if name not in ("body", "orelse", "finalbody", "handlers", "targets", "target"):
                yield from _below(statement, name, held, statement)
            elif name in ("targets", "target"):
                yield from _indices(held, statement)


def _unpacks(statement: ast.stmt) -> bool:
    """Whether a statement only takes apart what was kept: ``x, W = cache``."""
    first = statement.targets[0] if isinstance(statement, ast.Assign) else None
    whole = isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Name | ast.Attribute)
    return isinstance(first, ast.Tuple) and whole


def _indices(target: object, statement: ast.stmt) -> Iterator[Slot]:
    """What stands in the brackets of a target: ``dx[:, 1:] = ...``."""
    for node in target if isinstance(target, list) else [target]:
        if isinstance(node, ast.Subscript):
            yield from _below(node, "slice", node.slice, statement)


def _below(parent: ast.AST, name: str, held: object, statement: ast.stmt) -> Iterator[Slot]:
    several: list[object] = held if isinstance(held, list) else []
    placed = enumerate(several) if isinstance(held, list) else ((None, held),)
    for index, node in placed:
        if isinstance(node, ast.expr) and not isinstance(node, ast.Lambda):
            yield Slot(parent, name, index, statement)
        if isinstance(node, ast.AST) and not isinstance(node, (*SCOPES, ast.expr_context)):
            for inner, value in ast.iter_fields(node):
                yield from _below(node, inner, value, statement)


def statements(function: FunctionNode) -> Iterator[ast.stmt]:
    """Every statement of a function, in the order of the source, without those of functions inside it."""
    for _, _, body in blocks_of(function):
        yield from body


def statement_slots(function: FunctionNode) -> Iterator[Slot]:
    """The slot of every statement, in the order of the source, without those of functions inside it."""
    for owner, name, body in blocks_of(function):
        for index, statement in enumerate(body):
            yield Slot(owner, name, index, statement)


def blocks_of(node: ast.AST) -> Iterator[tuple[ast.AST, str, list[ast.stmt]]]:
    """Every block of statements below a node, with its owner and its name there."""
    for name in ("body", "orelse", "finalbody"):
        body = getattr(node, name, None)
        if isinstance(body, list) and body and isinstance(body[0], ast.stmt):
            yield node, name, body
            for statement in body:
                if not isinstance(statement, SCOPES):
                    yield from blocks_of(statement)


def written(statement: ast.stmt) -> list[ast.expr]:
    """What a plain statement writes to; nothing where it assigns one value to several targets."""
    targets = targets_of(statement)
    return targets if len(targets) == 1 else []


def is_read(slot: Slot) -> bool:
    """Whether a variable or an attribute of ``self`` is read here, as a value."""
    node, parent = slot.node, slot.parent
    if (isinstance(parent, ast.Call) and slot.field == "func") or is_attribute(parent):
        return False
    return is_attribute(node) or (isinstance(node, ast.Name) and node.id not in ("self", "np"))


def is_indexing(slot: Slot) -> bool:
    """Whether what stands here chooses entries or counts steps: an index, an end of a slice, a range."""
    parent = slot.parent
    if isinstance(parent, ast.Slice) or (isinstance(parent, ast.Subscript) and slot.field == "slice"):
        return True
    if calls(parent, "range"):
        return True
    may_lie_within = isinstance(parent, ast.Tuple | ast.UnaryOp | ast.BinOp)
    return may_lie_within and any(part is parent for part in _in_brackets(slot.statement))


def _in_brackets(statement: ast.stmt) -> Iterator[ast.AST]:
    """Everything that stands in the brackets of an index."""
    for node in ast.walk(statement):
        if isinstance(node, ast.Subscript):
            yield from ast.walk(node.slice)


def counts_entries(node: ast.expr) -> bool:
    """Whether an expression is made of sizes alone; a name that ends in shape holds some."""
    if isinstance(node, ast.BinOp):
        return counts_entries(node.left) and counts_entries(node.right)
    if isinstance(node, ast.Subscript):
        return counts_entries(node.value)
    if isinstance(node, ast.Call):
        return last_name(node.func) == "len"
    if isinstance(node, ast.Attribute) and node.attr == "size":
        return True
    return isinstance(node, ast.Attribute | ast.Name) and (last_name(node) or "").endswith("shape")


def is_divisor(slot: Slot) -> bool:
    """Whether something is divided by what stands here."""
    return is_operation(slot.parent, ast.Div) and slot.field == "right"


def makes_room(node: ast.expr) -> bool:
    """Whether an expression only makes room for what is written later: zeros, a number."""
    return isinstance(node, ast.Constant) or (isinstance(node, ast.Call) and "zeros" in ast.unparse(node.func))


def inherits(statement: ast.stmt) -> bool:
    """Whether what a base class does is done here: another order undoes what was overridden."""
    return any(isinstance(node, ast.Name) and node.id == "super" for node in ast.walk(statement))


def is_whole(slot: Slot) -> bool:
    """Whether an array may stand here: a name, or the value of a statement; signs deeper inside come to the same."""
    node, parent = slot.node, slot.parent
    is_counted = calls(parent, *_COUNTERS)
    is_of_form = isinstance(parent, ast.Attribute) and parent.attr in _FORMS
    if is_counted or is_of_form or isinstance(parent, ast.Compare) or is_indexing(slot):
        return False
    is_whole_value = parent is slot.statement and not isinstance(node, ast.Tuple | ast.List | ast.Constant)
    return is_read(slot) or is_whole_value or isinstance(node, ast.Subscript)


def _is_factor(node: ast.expr) -> bool:
    """Whether an expression may be an array, and none that is made of others by writing them in a row."""
    if isinstance(node, ast.Name):
        return node.id not in ("self", "np")
    return not isinstance(node, ast.Constant | ast.Tuple | ast.List | ast.Slice | ast.Compare | ast.Starred | ast.Dict)


def takes_factor(slot: Slot) -> bool:
    """Where a factor makes a difference that no other place makes: whole values, and terms and factors within."""
    node, parent = slot.node, slot.parent
    if not _is_factor(node) or is_indexing(slot):
        return False
    if parent is slot.statement:
        return not isinstance(parent, ast.Expr | ast.For | ast.If | ast.While) and not counts_entries(node)
    if isinstance(parent, ast.BinOp):
        return not isinstance(parent.op, ast.Mult)  # a factor of a factor is one of the product
    if isinstance(parent, ast.Call):
        return slot.field == "args" and last_name(parent.func) not in _MAKERS
    if isinstance(parent, ast.Attribute):
        return not is_attribute(parent)
    return isinstance(parent, ast.Tuple | ast.List | ast.UnaryOp | ast.Subscript)
