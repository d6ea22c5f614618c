"""Changes of the order in which entries stand: axes exchanged, a reshape for what a helper does; they run nothing."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Callable, Iterator
from itertools import combinations, permutations

from gradproof.mend.change import Change, instead, parse, same
from gradproof.mend.change_kind import ChangeKind
from gradproof.mend.slip import SlipKind
from gradproof.mend.slip_kinds import STANDS
from gradproof.mend.slots import Slot, is_read, is_whole
from gradproof.mend.tree import Tree
from gradproof.source.syntax import called_method, calls, constant, is_attribute

_ORDER = "the entries are in another order than in forward"
_PERMUTED = ("entries permuted", "transpose")
OTHER_ORDER = SlipKind(
    "GP109", "slip-order-of-entries", f"{_ORDER}: {{mine}} stands where {{other}} belongs", _PERMUTED
)
TAKEN_BY_ORDER = SlipKind(
    "GP109", "slip-taken-by-an-order", f"{_ORDER}: {{value}} takes by {{order}} what has to go back by it", _PERMUTED
)
TURNED_ROUND = SlipKind("GP109", "slip-turned-round", f"{_ORDER}: {{value}} belongs there as it is", _PERMUTED)
NOT_TURNED_ROUND = SlipKind(
    "GP109", "slip-not-turned-round", f"{_ORDER}: {{value}} belongs there turned round", _PERMUTED
)
OTHER_AXES = SlipKind(
    "GP109",
    "slip-order-of-axes",
    "the axes are in another order than in forward: {mine} stands where {other} belongs",
    _PERMUTED,
)
CARRIED_ROUND = SlipKind(
    "GP107",
    "slip-carried-round",
    "np.roll carries what stands at one end round to the other, where nothing comes from",
    ("one row wrong", "one column wrong", "one channel wrong", "a term too many"),
)
LETTERS = SlipKind(
    "GP116",
    "slip-letters-of-einsum",
    "the letters of einsum are wrong: {mine} stands where {other} belongs",
    ("sum over the wrong axis", "transpose", "entries permuted", "the wrong operand"),
)
MOST_AXES = 5  # of an array whose axes are put in another order


def joined(tree: Tree) -> Iterator[Change]:
    """A helper that other lines hand what they have to, in the place of another helper or of a reshape."""
    helpers = sorted({ast.unparse(call.func) for f in (tree.node, *tree.others) for call in _calls_of_one(f)})
    for slot in tree.slots:
        node = slot.node
        inner = _taken(node)
        for name in helpers if inner is not None or is_read(slot) else ():
            value = node if inner is None else inner
            changed = ast.Call(parse(name), [same(value)], [])
            mine, other = ast.unparse(node), ast.unparse(changed)
            if inner is None:
                yield Change((slot,), (changed,), STANDS(mine=mine, other=other), plain=True)
            else:
                yield instead(slot, changed, OTHER_ORDER(mine=mine, other=other), sure=True)


def _calls_of_one(function: ast.AST) -> Iterator[ast.Call]:
    """The calls of the user's own functions with one argument."""
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and len(node.args) == 1 and not node.keywords and _is_own(node.func):
            yield node


def _is_own(function: ast.expr) -> bool:
    return is_attribute(function) or (isinstance(function, ast.Name) and not hasattr(builtins, function.id))


def _taken(node: ast.expr) -> ast.expr | None:
    """What a helper or a reshape is given; None where the expression is neither."""
    method = called_method(node)
    if method is not None and method.attr in _ARRANGES:
        return method.value
    is_helper = any(call is node for call in _calls_of_one(node))
    return node.args[0] if isinstance(node, ast.Call) and is_helper else None


_ARRANGES = frozenset({"reshape", "transpose", "swapaxes"})


def rolled(tree: Tree) -> Iterator[Change]:
    """A step along an axis without what np.roll carries round from the other end."""
    for slot in tree.slots:
        node = slot.node
        if not isinstance(node, ast.Call) or ast.unparse(node.func) != "np.roll" or len(node.args) < 2:
            continue
        value, step, *more = map(ast.unparse, node.args)
        words = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
        axis = words.get("axis", next(iter(more), "0"))
        if step in ("1", "-1") and axis in _BEFORE:
            whole = _stepped(f"({value})", _BEFORE[axis], back=step == "-1")
            yield instead(slot, parse(f"np.concatenate([{whole}], axis={axis})"), CARRIED_ROUND(), sure=True)


def _stepped(value: str, before: str, *, back: bool) -> str:
    """The two parts of an array that moves by one entry: what moves, and zeros at the end that is left.

    before: the slices of the axes before the one along which it moves.
    """
    if back:
        return f"{value}[{before}1:], 0 * {value}[{before}:1]"
    return f"0 * {value}[{before}-1:], {value}[{before}:-1]"


_BEFORE = {"0": "", "1": ":, ", "-1": "..., ", "2": ":, :, "}


def put_back(tree: Tree) -> Iterator[Change]:
    """Entries that are taken by an order once more, where they must go back to where they came from."""
    for slot in tree.slots:
        for order, whole in _orders_undone(slot.node):
            yield instead(slot, parse(whole), TAKEN_BY_ORDER(value=ast.unparse(slot.node), order=order), sure=True)


def _orders_undone(node: ast.expr) -> Iterator[tuple[str, str]]:
    """The order by which an expression takes entries, and the expression that takes them back, as source."""
    if isinstance(node, ast.Subscript) and (isinstance(node.slice, ast.Name) or is_attribute(node.slice)):
        order = ast.unparse(node.slice)
        yield order, f"{ast.unparse(node.value)}[np.argsort({order})]"
    elif calls(node, "take_along_axis") and len(node.args) > 1:
        value, order, *more = map(ast.unparse, (*node.args, *(keyword.value for keyword in node.keywords)))
        axis = next(iter(more), "-1")
        yield order, f"np.take_along_axis({value}, np.argsort({order}, axis={axis}), axis={axis})"


def flipped(tree: Tree) -> Iterator[Change]:
    """The entries along an axis from the last to the first, or no longer so."""
    for slot in tree.slots:
        node = slot.node
        if slot.field == "iter":
            continue
        if isinstance(node, ast.Subscript) and "::-1" in ast.unparse(node.slice):
            yield instead(slot, same(node.value), TURNED_ROUND(value=ast.unparse(node.value)), sure=True)
        elif _may_be_turned(slot):
            slip = NOT_TURNED_ROUND(value=ast.unparse(node))
            for index in _TURNED:
                yield instead(slot, parse(f"({ast.unparse(node)})[{index}]"), slip, sure=True)


def _may_be_turned(slot: Slot) -> bool:
    """Whether an array stands here, as a whole value or as an operand."""
    if isinstance(slot.node, ast.Tuple | ast.Constant):
        return False
    return is_whole(slot) or isinstance(slot.parent, ast.BinOp) or slot.parent is slot.statement


_TURNED = ("::-1", ":, ::-1", "..., ::-1", "::-1, ::-1", "..., ::-1, ::-1")


def letters(tree: Tree) -> Iterator[Change]:
    """Another letter at one place of what einsum is what."""
    for slot in tree.slots:
        written = constant(slot.node)
        if not calls(slot.parent, "einsum") or slot.index != 0 or not isinstance(written, str):
            continue
        for place, mine in enumerate(written):
            for other in sorted({*filter(str.isalpha, written)} - {mine}) if mine.isalpha() else ():
                changed = written[:place] + other + written[place + 1 :]
                yield instead(slot, ast.Constant(changed), LETTERS(mine=repr(written), other=repr(changed)), sure=True)


def arranged(tree: Tree) -> Iterator[Change]:
    """The axes in another order: of a transpose, or before or after a reshape."""
    for slot in tree.slots:
        node, method = slot.node, called_method(slot.node)
        if not isinstance(node, ast.Call) or method is None or method.attr not in _ARRANGES:
            continue
        value, given = ast.unparse(method.value), [ast.unparse(argument) for argument in node.args]
        for text in _ORDERS[method.attr](value, given):
            slip = OTHER_AXES(mine=ast.unparse(node), other=ast.unparse(parse(text)))
            yield instead(slot, parse(text), slip, sure=True)


def _transposes(value: str, given: list[str]) -> Iterator[str]:
    if 2 < len(given) <= MOST_AXES:
        yield from (f"({value}).transpose({', '.join(order)})" for order in permutations(given) if list(order) != given)


def _reshapes(value: str, given: list[str]) -> Iterator[str]:
    form = ", ".join(given)
    yield from (f"({value}).swapaxes({i}, {k}).reshape({form})" for i, k in combinations(range(4), 2))
    yield from (f"({value}).transpose({order}).reshape({form})" for order in _MOVED)
    for i, k in combinations(range(min(len(given), MOST_AXES)), 2):
        order = list(given)
        order[i], order[k] = order[k], order[i]
        yield f"({value}).reshape({', '.join(order)}).swapaxes({i}, {k})"


# the axis of the channels, or of the heads, from one end to the other
_MOVED = ("0, 2, 3, 1", "0, 3, 1, 2", "1, 2, 3, 0", "3, 0, 1, 2", "1, 2, 0", "2, 0, 1")


def _swaps(value: str, given: list[str]) -> Iterator[str]:
    yield from (f"({value}).swapaxes({i}, {k})" for i, k in combinations(range(4), 2))


_ORDERS: dict[str, Callable[[str, list[str]], Iterator[str]]] = {
    "transpose": _transposes,
    "reshape": _reshapes,
    "swapaxes": _swaps,
}


CHANGES = (
    ChangeKind(letters, place=1240),
    ChangeKind(joined, place=1430),
    ChangeKind(arranged, place=1440),
    ChangeKind(flipped, place=1450),
    ChangeKind(rolled, place=1460),
    ChangeKind(put_back, place=1470),
)
