"""Slips that the syntax shows by itself, whatever the code is for; it knows no gradient and looks at no number.

Each is something that nobody writes on purpose: a layer that is right has none of them.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeGuard

import numpy as np

from gradproof.source.source import Code, Function, own_nodes
from gradproof.source.stores import base, stores
from gradproof.source.syntax import called_method, is_attribute, is_operation, is_sum, variables

# methods of an array that leave it as it is and return another
_PURE = frozenset({"reshape", "transpose", "astype", "flatten", "ravel", "swapaxes", "squeeze"})
_DYNAMIC = ("setattr(", "getattr(", "hasattr(", "__dict__", "vars(")  # ways to attributes that the syntax does not show
# functions of NumPy that return a new array, each with how many positional arguments come before ``out``
_PURE_FUNCTIONS = {
    "clip": 3,
    "concatenate": 2,
    "dot": 2,
    "expand_dims": 2,
    "outer": 2,
    "reshape": 3,
    "squeeze": 2,
    "stack": 2,
    "sum": 3,
    "swapaxes": 3,
    "transpose": 2,
    "where": 3,
}


@dataclass(frozen=True, eq=False)
class Slip:
    """One slip: its code, where it stands, and what the syntax means, in a sentence."""

    code: str | None  # None: a sign that is told only beside a measured fault
    function: Function
    statement: ast.stmt
    sentence: str


def slips_in(function: Function) -> list[Slip]:
    """Every slip of one function, in the order of the source."""
    found = [slip for rule in _RULES for slip in rule(function)]
    return sorted(found, key=lambda slip: slip.statement.lineno)


def never_stored(code: Code) -> list[Slip]:
    """What backward reads of ``self`` and nothing ever stores; nothing where a method could not be read.

    An attribute that other code of the same file assigns (``net.training = True``) is stored there.
    """
    if code.backward is None or _may_store_unseen(code):
        return []
    values = _stored_values(code)
    known = code.given | _stored_outside(code.backward)
    found: dict[str, Slip] = {}
    for statement, node in _statements(code.backward):
        if is_attribute(node) and node.attr not in known and node.attr not in found:
            sentence = _why_not_stored(code, node, values)
            if sentence is not None:
                found[node.attr] = Slip("GP606", code.backward, statement, sentence)
    return list(found.values())


def _may_store_unseen(code: Code) -> bool:
    """Whether attributes may be stored in a way that the syntax of the methods does not show."""
    if not code.complete or code.given & {"__getattr__", "__getattribute__", "__slots__"}:
        return True
    texts = [ast.unparse(function.node) for function in code.all_functions]
    return any(way in text for text in texts for way in _DYNAMIC)


def _stored_outside(function: Function) -> set[str]:
    """The attributes that the file of a function stores in other objects than ``self``."""
    nodes = [node for node in ast.walk(function.module) if _is_stored(node)]
    return {node.attr for node in nodes if not is_attribute(node)}


def _why_not_stored(code: Code, node: ast.Attribute, values: Mapping[str, set[str]]) -> str | None:
    """What is wrong with an attribute that is read, in a sentence; None where it is stored, or asked for."""
    if node.attr not in values:
        return f"self.{node.attr} is read here, and no method of {code.name} stores it"
    texts = [ast.unparse(function.node) for function in code.all_functions]
    is_asked_for = any(_asks(text, node.attr) for text in texts)
    if values[node.attr] == {"None"} and not is_asked_for:
        return f"self.{node.attr} is read here, and nothing but None is ever stored in it"
    return None


def _stored_values(code: Code) -> dict[str, set[str]]:
    """For each attribute of ``self`` that a method stores, the source of what is stored; "?" where it is no value."""
    values: dict[str, set[str]] = {name: set() for function in code.all_functions for name in _stored_in_self(function)}
    for function in code.all_functions:
        for store in stores(function):
            target = store.target
            if is_attribute(target) and target.attr in values:
                values[target.attr].add("?" if store.part is not None else ast.unparse(store.value))
    return {attribute: sources or {"?"} for attribute, sources in values.items()}


def _stored_in_self(function: Function) -> Iterator[str]:
    """The attributes of ``self`` that a function stores."""
    for node in ast.walk(function.node):
        if is_attribute(node) and _is_stored(node):
            yield node.attr


def _is_stored(node: ast.AST) -> TypeGuard[ast.Attribute]:
    return isinstance(node, ast.Attribute) and not isinstance(node.ctx, ast.Load)


def _asks(text: str, attribute: str) -> bool:
    """Whether a function asks if the attribute is there before it is used."""
    return re.search(rf"(if|while|and|or|not) self\.{attribute}\b|self\.{attribute} is ", text) is not None


def _division_by_one(function: Function) -> Iterator[Slip]:
    for statement, node in _statements(function):
        left = node.left if is_sum(node) else None
        if not is_sum(node) or not is_operation(left, ast.Div) or not _is_one(left.right):
            continue
        is_bracketed = (left.lineno, left.col_offset) != (node.lineno, node.col_offset)
        if not is_bracketed:
            sign = "+" if isinstance(node.op, ast.Add) else "-"
            first, rest = function.segment(left), function.segment(node.right)
            over = function.segment(left.left)
            sentence = (
                f"{first} {sign} {rest} is read as ({first}) {sign} {rest}; "
                f"for one fraction write {over} / (1 {sign} {rest})"
            )
            yield Slip("GP601", function, statement, sentence)


def _is_one(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and not isinstance(node.value, bool) and node.value == 1


def _compared(function: Function) -> Iterator[Slip]:
    for statement, node in _statements(function):
        if node is statement and isinstance(node, ast.Expr) and isinstance(node.value, ast.Compare):
            compare = node.value
            if len(compare.ops) == 1 and isinstance(compare.ops[0], ast.Eq):
                left = function.segment(compare.left)
                sentence = f"== compares and drops the answer: {left} keeps its value; to assign, write ="
                yield Slip("GP602", function, statement, sentence)


def _return_in_loop(function: Function) -> Iterator[Slip]:
    for statement, node in _statements(function):
        if node is not statement or not isinstance(node, ast.For) or not isinstance(node.body[-1], ast.Return):
            continue
        goes_on = any(isinstance(inner, ast.Continue | ast.Break | ast.Yield) for inner in own_nodes(node))
        gathered = {_gathers(inner) for inner in node.body[:-1]} - {None}
        if not goes_on and not gathered.isdisjoint(variables(node.body[-1])):
            sentence = "this return stands inside the loop: the loop ends in its first round"
            yield Slip("GP603", function, node.body[-1], sentence)


def _gathers(statement: ast.stmt) -> str | None:
    """The name into which a statement of a loop gathers: ``total += ...``, ``dx[i] = ...``, ``parts.append(...)``."""
    if isinstance(statement, ast.AugAssign):
        return base(statement.target)
    if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Subscript):
        return base(statement.targets[0])
    method = called_method(statement.value) if isinstance(statement, ast.Expr) else None
    is_growing = method is not None and method.attr in ("append", "insert")
    return base(method.value) if method is not None and is_growing else None


def _discarded(function: Function) -> Iterator[Slip]:
    for statement, node in _statements(function):
        if node is statement and isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            called = node.value.func
            if isinstance(called, ast.Attribute) and _is_pure(function, node.value, called):
                text = f"{function.segment(called)} returns a new array, and nothing keeps it: assign what it returns"
                yield Slip("GP604", function, statement, text)


def _is_pure(function: Function, call: ast.Call, called: ast.Attribute) -> bool:
    """Whether a call does nothing but return a new array."""
    may_write = any(keyword.arg in ("out", None) for keyword in call.keywords)
    if may_write:
        return False
    if isinstance(called.value, ast.Name) and function.names.get(called.value.id) is np:
        return _is_pure_function(called.attr, len(call.args))
    return called.attr in _PURE


def _is_pure_function(name: str, given: int) -> bool:
    known = getattr(np, name, None)
    return given <= (known.nin if isinstance(known, np.ufunc) else _PURE_FUNCTIONS.get(name, -1))


def _sign_after_equals(function: Function) -> Iterator[Slip]:
    for statement, node in _statements(function):
        if node is not statement or not isinstance(node, ast.Assign) or not isinstance(node.value, ast.UnaryOp):
            continue
        sign = "+" if isinstance(node.value.op, ast.UAdd) else "-"
        if isinstance(node.value.op, ast.UAdd | ast.USub) and re.search(rf"\s=\{sign}\s", function.text(node)):
            what, wish = ("assigns and adds nothing", "add") if sign == "+" else ("assigns the negative", "subtract")
            sentence = f"={sign} {what}: to {wish}, write {sign}="
            yield Slip("GP605", function, statement, sentence)


def _statements(function: Function) -> Iterator[tuple[ast.stmt, ast.AST]]:
    """Every node of a function with the innermost statement that it belongs to; a statement belongs to itself."""
    statement: ast.stmt | None = None
    for node in own_nodes(function.node):
        statement = node if isinstance(node, ast.stmt) else statement
        if statement is not None:
            yield statement, node


_RULES: tuple[Callable[[Function], Iterator[Slip]], ...] = (
    _division_by_one,
    _compared,
    _return_in_loop,
    _discarded,
    _sign_after_equals,
)
