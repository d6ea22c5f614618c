"""Signs in the source that fit a measured fault of one tensor; alone they would prove nothing, so they are not told."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from gradproof.source.gradient_places import gradient_names
from gradproof.source.origin import Place, reached, returns
from gradproof.source.slips import Slip
from gradproof.source.source import Code, Function, own_nodes
from gradproof.source.stores import stores
from gradproof.source.syntax import (
    calls,
    is_negated,
    is_of_numpy,
    is_operation,
    is_product,
    is_self,
    last_name,
    variables_read,
    whole_number,
)

_SUMS = frozenset({"sum", "mean"})
_NEARLY_GRADS = frozenset({"grad", "gradients", "gards", "grds"})  # names that are taken for grads


def of_gradient(code: Code, tensor: str, place: Place | None, *, parameter: bool, rank: int | None) -> list[Slip]:
    """What fits a wrong gradient of ``tensor``, which is computed at ``place`` and has ``rank`` axes."""
    found = [*_minus_power(code.functions), *_mask_unread(code)]
    if place is not None:
        found += _sum_of(code, tensor, place, rank)
    if parameter:
        found += [*_dropped(code, tensor), *_one_array(code)]
    return found


def of_missing(code: Code) -> list[Slip]:
    """What fits a backward that returned nothing."""
    back = code.backward
    if back is None or returns(back) or any(isinstance(n, ast.Yield | ast.YieldFrom) for n in own_nodes(back.node)):
        return []
    last = back.node.body[-1]
    return [_clue(back, last, f"{back.node.name} ends without a return: what it computed is lost")]


def of_missing_grads(code: Code) -> list[Slip]:
    """What fits a layer without ``self.grads``: the line where it has another name."""
    for function in code.functions:
        for store in stores(function):
            if isinstance(store.target, ast.Attribute) and store.target.attr in _NEARLY_GRADS:
                text = f"self.{store.target.attr} is set here, and nobody reads it: write self.grads"
                return [_clue(function, store.statement, text)]
    return []


def _clue(function: Function, statement: ast.stmt, sentence: str) -> Slip:
    return Slip(None, function, statement, sentence)


def _minus_power(functions: Sequence[Function]) -> Iterator[Slip]:
    """``-a ** 2``, which is ``-(a ** 2)``; not of an exponent, for exp(-x ** 2) is the bell curve, and meant."""
    for function in functions:
        exponents = _exponents(function)
        for node in own_nodes(function.node):
            power = node.operand if is_negated(node) and id(node) not in exponents else None
            if is_operation(power, ast.Pow) and whole_number(power.right) and not isinstance(power.left, ast.Constant):
                is_bracketed = power.col_offset != node.col_offset + 1
                if not is_bracketed:
                    text, inner = function.segment(node), function.segment(power)
                    sentence = f"{text} is read as -({inner}), which is never above zero for an even power"
                    yield _clue(function, _statement(function, node), sentence)


def _exponents(function: Function) -> set[int]:
    """The ids of all nodes within a call of exp."""
    found: set[int] = set()
    for node in own_nodes(function.node):
        if calls(node, "exp"):
            found.update(map(id, ast.walk(node)))
    return found


def _mask_unread(code: Code) -> Iterator[Slip]:
    """A mask that forward keeps and that no method reads."""
    if code.forward is None or not code.complete:
        return
    read = {name for function in code.all_functions for name in _attributes_read(function)}
    for store in stores(code.forward):
        target = store.target
        is_mask = isinstance(store.value, ast.Compare)
        if is_mask and isinstance(target, ast.Attribute) and target.attr not in read:
            yield _clue(code.forward, store.statement, f"self.{target.attr} is kept here, and nothing reads it")


def _attributes_read(function: Function) -> Iterator[str]:
    for node in ast.walk(function.node):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
            yield node.attr


def _sum_of(code: Code, tensor: str, place: Place, rank: int | None) -> Iterator[Slip]:
    """A sum over all axes, or over axis 1 where the batch comes first, for a tensor of one axis."""
    if not calls(place.value, *_SUMS):
        return
    axis = _axis(place.value)
    if axis is None and rank:
        name = last_name(place.value.func)
        sentence = f"{name} without axis= makes one number of the whole array, and every entry of d{tensor} gets it"
        yield _clue(place.function, place.statement, sentence)
    is_along_rows = isinstance(axis, ast.Constant) and axis.value == 1
    if is_along_rows and rank == 1 and _batch_first(code):
        sentence = f"forward has the batch on axis 0 (x @ W): d{tensor} adds up over axis 0, not over axis 1"
        yield _clue(place.function, place.statement, sentence)


def _axis(call: ast.Call) -> ast.expr | None:
    """The axis of a sum, as an argument with its name or by its place; None where there is none."""
    before = 1 if is_of_numpy(call.func) else 0
    named = [keyword.value for keyword in call.keywords if keyword.arg == "axis"]
    return next(iter([*named, *call.args[before:]]), None)


def _batch_first(code: Code) -> bool:
    """Whether forward multiplies its input from the left: ``x @ W``, ``np.dot(x, W)``."""
    if code.forward is None:
        return False
    factors = [_left_factor(node) for node in own_nodes(code.forward.node)]
    return any(isinstance(left, ast.Name) and left.id in code.inputs[:1] for left in factors)


def _left_factor(node: ast.AST) -> ast.expr | None:
    """``a`` of ``a @ b`` and of ``np.dot(a, b)``; None of anything else."""
    if is_operation(node, ast.MatMult):
        return node.left
    return node.args[0] if calls(node, "dot", "matmul") and len(node.args) == 2 else None


def _dropped(code: Code, tensor: str) -> Iterator[Slip]:
    """A local variable that bears the gradient's name and that nothing reads."""
    for function in reached(code):
        read = variables_read(function.node)
        for store in stores(function):
            target = store.target
            if isinstance(target, ast.Name) and target.id not in read and _is_named_after(target.id, tensor):
                yield _clue(function, store.statement, f"{target.id} is computed here, and nothing reads it")


def _is_named_after(name: str, tensor: str) -> bool:
    return name.lower().replace("_", "") in gradient_names(tensor)


def _one_array(code: Code) -> Iterator[Slip]:
    """``self.grads = [np.zeros(n)] * 2``."""
    for function in code.functions:
        for store in stores(function):
            if is_self(store.target, "grads") and is_product(store.value) and _repeats_an_array(store.value):
                text = function.segment(store.value)
                yield _clue(function, store.statement, f"{text} holds one array several times, not several arrays")


def _repeats_an_array(product: ast.BinOp) -> bool:
    """Whether a list, of what some call makes, is multiplied."""
    lists = [part for part in (product.left, product.right) if isinstance(part, ast.List)]
    return bool(lists) and any(isinstance(element, ast.Call) for element in lists[0].elts)


def _statement(function: Function, node: ast.expr) -> ast.stmt:
    """The innermost statement that holds a node."""
    statements = [inner for inner in own_nodes(function.node) if isinstance(inner, ast.stmt)]
    return next(statement for statement in reversed(statements) if _holds(statement, node))


def _holds(statement: ast.stmt, node: ast.expr) -> bool:
    return any(inner is node for inner in ast.walk(statement))
