"""Signs in the source that fit a measured fault of one tensor; alone they would prove nothing, so they are not told."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from gradproof.source.origin import Place, reached, returns
from gradproof.source.slips import Slip
from gradproof.source.slots import gradient_names
from gradproof.source.source import Code, Function, own_nodes
from gradproof.source.stores import stores
from gradproof.source.syntax import is_self, last_name

_SUMS = frozenset({"sum", "mean"})


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
    found = [
        _clue(function, store.statement, f"self.{store.target.attr} is set here, and nobody reads it: write self.grads")
        for function in code.functions
        for store in stores(function)
        if isinstance(store.target, ast.Attribute) and store.target.attr in ("grad", "gradients", "gards", "grds")
    ]
    return found[:1]


def _clue(function: Function, statement: ast.stmt, sentence: str) -> Slip:
    return Slip(None, function, statement, sentence)


def _minus_power(functions: Sequence[Function]) -> Iterator[Slip]:
    for function in functions:
        calls = [node for node in own_nodes(function.node) if isinstance(node, ast.Call)]
        exponents = {id(n) for call in calls if last_name(call.func) == "exp" for n in ast.walk(call)}
        for node in own_nodes(function.node):
            if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) and isinstance(node.operand, ast.BinOp):
                power = node.operand
                if id(node) in exponents:  # exp(-x ** 2) is the bell curve, and meant
                    continue
                bare = power.col_offset == node.col_offset + 1
                if isinstance(power.op, ast.Pow) and bare and not isinstance(power.left, ast.Constant):
                    text, inner = function.segment(node), function.segment(power)
                    sentence = f"{text} is read as -({inner}), which is never above zero for an even power"
                    yield _clue(function, _statement(function, node), sentence)


def _mask_unread(code: Code) -> Iterator[Slip]:
    """A mask that forward keeps and that no method reads."""
    if code.forward is None or not code.complete:
        return
    nodes = [node for function in code.all_functions for node in ast.walk(function.node)]
    read = {n.attr for n in nodes if isinstance(n, ast.Attribute) and isinstance(n.ctx, ast.Load)}
    for store in stores(code.forward):
        target = store.target
        if isinstance(target, ast.Attribute) and target.attr not in read and isinstance(store.value, ast.Compare):
            yield _clue(code.forward, store.statement, f"self.{target.attr} is kept here, and nothing reads it")


def _sum_of(code: Code, tensor: str, place: Place, rank: int | None) -> Iterator[Slip]:
    """A sum over all axes, or over axis 1 where the batch comes first, for a tensor of one axis."""
    value = place.value
    if not isinstance(value, ast.Call) or last_name(value.func) not in _SUMS:
        return
    name = last_name(value.func)
    of_numpy = isinstance(value.func, ast.Attribute) and ast.unparse(value.func.value) == "np"
    axes = [k.value for k in value.keywords if k.arg == "axis"] + value.args[1 if of_numpy else 0 :]
    if not axes and rank:
        sentence = f"{name} without axis= makes one number of the whole array, and every entry of d{tensor} gets it"
        yield _clue(place.function, place.statement, sentence)
    elif axes and isinstance(axes[0], ast.Constant) and axes[0].value == 1 and rank == 1 and _batch_first(code):
        sentence = f"forward has the batch on axis 0 (x @ W): d{tensor} adds up over axis 0, not over axis 1"
        yield _clue(place.function, place.statement, sentence)


def _batch_first(code: Code) -> bool:
    """Whether forward multiplies its input from the left: ``x @ W``, ``np.dot(x, W)``."""
    if code.forward is None:
        return False
    inputs = [name for name in code.forward.arguments if name != "self"]
    for node in own_nodes(code.forward.node):
        left: ast.expr | None = None
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
            left = node.left
        elif isinstance(node, ast.Call) and last_name(node.func) in ("dot", "matmul") and len(node.args) == 2:
            left = node.args[0]
        if isinstance(left, ast.Name) and left.id in inputs[:1]:
            return True
    return False


def _dropped(code: Code, tensor: str) -> Iterator[Slip]:
    """A local variable that bears the gradient's name and that nothing reads."""
    for function in reached(code):
        read = {n.id for n in ast.walk(function.node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
        for store in stores(function):
            target = store.target
            if isinstance(target, ast.Name) and target.id not in read and _is_named_after(target.id, tensor):
                yield _clue(function, store.statement, f"{target.id} is computed here, and nothing reads it")


def _is_named_after(name: str, tensor: str) -> bool:
    return name.lower().replace("_", "") in gradient_names(tensor)


def _one_array(code: Code) -> Iterator[Slip]:
    for function in code.functions:
        for store in stores(function):
            value = store.value
            if is_self(store.target, "grads") and isinstance(value, ast.BinOp) and isinstance(value.op, ast.Mult):
                parts = [part for part in (value.left, value.right) if isinstance(part, ast.List)]
                if parts and any(isinstance(element, ast.Call) for element in parts[0].elts):
                    text = function.segment(value)
                    yield _clue(function, store.statement, f"{text} holds one array several times, not several arrays")


def _statement(function: Function, node: ast.expr) -> ast.stmt:
    """The innermost statement that holds a node."""
    holders = [s for s in own_nodes(function.node) if isinstance(s, ast.stmt) and any(n is node for n in ast.walk(s))]
    return holders[-1]
