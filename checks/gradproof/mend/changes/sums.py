"""Changes of what is done along axes: sums, means, transposes, functions of NumPy; they run nothing."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from gradproof.mend.change import Change, instead, parse, same, short
from gradproof.mend.change_kind import ChangeKind
from gradproof.mend.likeness import arrays_in
from gradproof.mend.several_places import everywhere
from gradproof.mend.slots import Slot, is_read, is_whole
from gradproof.mend.tree import Tree
from gradproof.source.syntax import (
    called_method,
    calls,
    constant,
    elements,
    is_of_numpy,
    is_operation,
    last_name,
    targets_of,
    whole_number,
)

# functions of NumPy that are taken for each other
_FAMILIES = (
    ("sum", "mean", "max", "min"),
    ("sin", "cos"),
    ("sinh", "cosh"),
    ("exp", "log"),
    ("maximum", "minimum"),
    ("argmax", "argmin"),
    ("std", "var"),
    ("zeros_like", "ones_like"),
    ("zeros", "ones"),
    ("tril", "triu"),
    ("sqrt", "square"),
)
_RELATIVES = {name: [n for n in family if n != name] for family in _FAMILIES for name in family} | {"any": ["sum"]}
_AXES = (None, "0", "1", "-1", "2", "(0, 1)", "(0, 2)", "(0, 2, 3)", "(1, 2)", "(2, 3)", "(1, 2, 3)", "(0, 1, 2)", "-2")


def axes(tree: Tree) -> Iterator[Change]:
    """Another axis of a sum, a mean or the like, or none; an axis that is kept."""
    for slot in tree.slots:
        if calls(slot.node, "sum", "mean", "max", "min", "cumsum"):
            yield from _over_other_axes(slot, slot.node)


def _over_other_axes(slot: Slot, node: ast.Call) -> Iterator[Change]:
    name, values, axis, keeps = _reduction(node)
    for other in dict.fromkeys((axis, *_AXES)):
        for kept in (keeps, not keeps):
            if other == axis:
                what = "drops that axis" if kept else "keeps that axis"
                text = f"a {name} over {_axis_words(axis)} {what}: see keepdims"
            else:
                text = f"a {name} runs over the wrong axis: {_axis_words(axis)}, not {_axis_words(other)}"
            changed = ast.Call(same(node.func), [same(v) for v in values], _axis_keywords(other, kept=kept))
            yield instead(slot, changed, "GP116", text)


def _axis_words(axis: str | None) -> str:
    return "every axis" if axis is None else f"axis {axis}"


def _axis_keywords(axis: str | None, *, kept: bool) -> list[ast.keyword]:
    """``axis=0, keepdims=True``; without an axis, and where it is not kept, less."""
    words: list[ast.keyword] = []
    if axis is not None:
        words.append(ast.keyword("axis", parse(axis)))
    if kept:
        words.append(ast.keyword("keepdims", ast.Constant(True)))
    return words


def _reduction(node: ast.Call) -> tuple[str | None, list[ast.expr], str | None, bool]:
    """Of a call: its name, its arguments before the axis, the source of the axis, and whether it keeps it."""
    before = 1 if is_of_numpy(node.func) else 0
    words = {keyword.arg: keyword.value for keyword in node.keywords}
    axis = words.get("axis", next(iter(node.args[before:]), None))
    return last_name(node.func), node.args[:before], None if axis is None else ast.unparse(axis), "keepdims" in words


def summed(tree: Tree) -> Iterator[Change]:
    """A sum or a mean that is missing around a value."""
    for slot in tree.slots:
        number = constant(slot.node)
        is_value = slot.parent is slot.statement and slot.field == "value"
        if is_value and isinstance(number, int) and number:
            yield from _sums_of_names(slot, number, tree.known)
        elif is_whole(slot) or isinstance(slot.node, ast.BinOp | ast.Call):
            yield from _sums_over_axes(slot)


def _sums_of_names(slot: Slot, number: int, known: Sequence[str]) -> Iterator[Change]:
    """``x.sum(axis=0)`` for 1, and for any other number."""
    sign = "-" if number < 0 else ""
    for name in known:
        for axis in ("1", "0"):
            total = f"{sign}{name}.sum(axis={axis})"
            text = f"it is not summed: {number} stands where {total} belongs"
            yield instead(slot, parse(total), "GP114", text)


def _sums_over_axes(slot: Slot) -> Iterator[Change]:
    value = short(slot.node)
    for axis in ("0", "1", "-1", "(0, 1)", "(0, 2, 3)", "(0, 2)", "None"):
        for keep in ("", ", keepdims=True"):
            text = f"it is not summed: the sum over axis {axis} of {value} is missing"
            wrapped = parse(f"({ast.unparse(slot.node)}).sum(axis={axis}{keep})")
            yield instead(slot, wrapped, "GP114", text)


def parts(tree: Tree) -> Iterator[Change]:
    """One entry along an axis where the sum over it belongs: ``dh[:, -1]`` for ``dh.sum(axis=1)``."""
    for slot in tree.slots:
        node = slot.node
        if not isinstance(node, ast.Subscript) or not is_read(Slot(node, "value", None, slot.statement)):
            continue
        axes = [axis for axis, part in enumerate(elements(node.slice)) if isinstance(constant(part), int)]
        if len(axes) == 1:
            total = parse(f"({ast.unparse(node.value)}).sum(axis={axes[0]})")
            text = f"only a part is taken: {short(node)} stands where {short(total)} belongs"
            yield instead(slot, total, "GP114", text)


def spread(tree: Tree) -> Iterator[Change]:
    """What is summed, or taken at one place, handed on to every entry: a broadcast that is missing."""
    for slot in tree.slots:
        if slot.parent is slot.statement and not isinstance(slot.node, ast.Tuple | ast.Constant | ast.Compare):
            for name in tree.known:
                ones = f"np.ones({name})" if "shape" in name else f"np.ones_like({name})"
                text = f"it is not broadcast back: {short(slot.node)} must be handed to every entry"
                yield instead(slot, parse(f"({ast.unparse(slot.node)}) * {ones}"), "GP107", text)


def transposes(tree: Tree) -> Iterator[Change]:
    """A transpose that is missing or too many, and the factors of a matrix product exchanged."""
    for slot in tree.slots:
        node = slot.node
        inner = _transposed(node)
        if inner is not None:
            text = f"{short(inner)} is transposed where it must be taken as it is"
            yield instead(slot, same(inner), "GP105", text)
        elif is_whole(slot):
            text = f"a transpose is missing: {short(node)} stands where its transpose belongs"
            yield instead(slot, ast.Attribute(same(node), "T", ast.Load()), "GP105", text)
            yield instead(slot, parse(f"({ast.unparse(node)}).swapaxes(-1, -2)"), "GP105", text)
        pair = _operands(node)
        if pair is not None:
            first, second = (ast.unparse(operand) for operand in pair)
            text = f"the factors of a matrix product are exchanged: {short(pair[0])} stands before {short(pair[1])}"
            for left, right in ((second, first), (f"({second}).T", f"({first}).T")):
                yield instead(slot, parse(f"({left}) @ ({right})"), "GP105", text)


def _transposed(node: ast.expr) -> ast.expr | None:
    """What ``node`` is the transpose of; None where it is none."""
    if isinstance(node, ast.Attribute) and node.attr == "T":
        return node.value
    method = called_method(node)
    turns_axes = method is not None and method.attr in ("transpose", "swapaxes")
    return method.value if method is not None and turns_axes else None


def _operands(node: ast.expr) -> tuple[ast.expr, ast.expr] | None:
    """The two factors of ``a @ b`` and of ``np.dot(a, b)``."""
    if is_operation(node, ast.MatMult):
        return node.left, node.right
    if calls(node, "dot", "matmul", "outer") and len(node.args) == 2:
        return node.args[0], node.args[1]
    return None


def functions(tree: Tree) -> Iterator[Change]:
    """A function of NumPy that is taken for another, or one too many around an expression."""
    for slot in tree.slots:
        node = slot.node
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        mine = node.func.attr
        for other in _RELATIVES.get(mine, ()):
            func = ast.Attribute(same(node.func.value), other, ast.Load())
            changed = ast.Call(func, [same(a) for a in node.args], [_word(k) for k in node.keywords])
            means = {mine, other} == {"sum", "mean"}
            text = f"a {mine} is taken where a {other} belongs" if means else f"{mine} stands where {other} belongs"
            text = f"it is not summed: {text}" if mine == "any" else text
            yield instead(slot, changed, "GP102" if means else "GP117", text)
        yield from _unwrapped(slot, node, mine, tree.gradients)


def _word(keyword: ast.keyword) -> ast.keyword:
    return ast.keyword(keyword.arg, same(keyword.value))


def _unwrapped(slot: Slot, node: ast.Call, name: str, gradients: frozenset[str]) -> Iterator[Change]:
    """The expression without the function around it."""
    if name == "where" and len(node.args) == 3:
        for kept in node.args[1:]:
            yield instead(slot, same(kept), "GP107", f"a mask is one too many: {short(kept)} belongs to every entry")
    elif name in ("minimum", "maximum", "clip") and len(node.args) > 1:
        yield _without_limits(slot, node.args[0], name, gradients)
    elif name in ("abs", "sqrt", "square", "exp", "log", "sign", "flip") and len(node.args) == 1:
        inner = node.args[0]
        takes_its_sign = name in ("abs", "sign") and arrays_in(inner) & gradients
        text = f"{name} is one too many: {short(inner)} belongs there as it is"
        yield instead(slot, same(inner), "GP111" if takes_its_sign else "GP117", text)


def _without_limits(slot: Slot, inner: ast.expr, name: str, gradients: frozenset[str]) -> Change:
    code, what = "GP107", "belongs"
    if arrays_in(inner) & gradients:
        code, what = "GP111", "is a gradient, and belongs"
    return instead(slot, same(inner), code, f"{name} is one too many: {short(inner)} {what} there as it is")


def casts(tree: Tree) -> Iterator[Change]:
    """A cast, or a buffer of few bits, that loses digits of the gradient."""
    for slot in tree.slots:
        node = slot.node
        if not isinstance(node, ast.Call):
            continue
        method = called_method(node)
        if method is not None and method.attr == "astype":
            text = f"digits are lost: {short(node)} holds fewer of them than {short(method.value)}"
            yield instead(slot, same(method.value), "GP119", text, sure=True)
        yield from _whole_numbers(slot, node)
        yield from _like_whole_numbers(slot, node)
        yield from _of_few_bits(slot, node)


def _of_few_bits(slot: Slot, node: ast.Call) -> Iterator[Change]:
    """A buffer that says of which numbers it is made: ``np.zeros(n, dtype=np.float16)``."""
    kinds = [keyword for keyword in node.keywords if keyword.arg == "dtype"]
    if kinds:
        others = [_word(keyword) for keyword in node.keywords if keyword.arg != "dtype"]
        changed = ast.Call(same(node.func), [same(a) for a in node.args], others)
        text = f"digits are lost: a buffer of {ast.unparse(kinds[0])} holds fewer of them than the gradient has"
        yield instead(slot, changed, "GP119", text, sure=True)


def _like_whole_numbers(slot: Slot, node: ast.Call) -> Iterator[Change]:
    """A buffer that is made like an array of whole numbers, or of truth values: ``np.zeros_like(mask)``."""
    if last_name(node.func) in ("zeros_like", "ones_like", "empty_like", "full_like") and node.args:
        like = short(node.args[0])
        text = f"digits are lost: {short(node)} holds what {like} holds, whole numbers or truth values"
        changed = ast.Call(same(node.func), [same(a) for a in node.args], [ast.keyword("dtype", parse("float"))])
        yield instead(slot, changed, "GP119", text, sure=True)


def _whole_numbers(slot: Slot, node: ast.Call) -> Iterator[Change]:
    """A buffer that is made of whole numbers: ``np.array([0] * n)``, ``np.full(n, 0)``."""
    if calls(node, "array", "asarray", "full") and any(whole_number(part) is not None for part in ast.walk(node)):
        text = f"digits are lost: {short(node)} holds whole numbers, and so does what is written into it"
        changed = ast.Call(ast.Attribute(same(node), "astype", ast.Load()), [parse("float")], [])
        yield instead(slot, changed, "GP119", text, sure=True)


def rows(tree: Tree) -> Iterator[Change]:
    """One entry of each row, ``d[np.arange(n), t]``, for columns of all of them, ``d[:, t]``."""
    for statement in dict.fromkeys(slot.statement for slot in tree.slots):
        for target in targets_of(statement):
            index = target.slice if isinstance(target, ast.Subscript) else None
            if not isinstance(index, ast.Tuple) or [isinstance(e, ast.Slice) for e in index.elts] != [True, False]:
                continue
            whole, column = ast.unparse(target), ast.unparse(index.elts[1])
            text = f"{whole} takes the columns {column} of every row: one entry of each row is meant"
            slot = Slot(index, "elts", 0, statement)
            yield instead(slot, parse(f"np.arange(len({column}))"), "GP109", text, sure=True)


def clipped(tree: Tree) -> Iterator[Change]:
    """A value cut off at a bound that is at hand, as forward does beyond it."""
    bounds = [*tree.known, *(f"{number:g}" for number in tree.numbers)]
    for slot in tree.slots:
        if is_read(slot) and not tree.is_global(slot.node) and not isinstance(slot.parent, ast.Call | ast.Attribute):
            value = ast.unparse(slot.node)
            for bound in bounds:
                text = f"beyond {bound}, {value} is not cut off as forward does it"
                yield instead(slot, parse(f"np.clip({value}, -({bound}), {bound})"), "GP107", text)


CHANGES = (
    ChangeKind(casts, place=1150),
    ChangeKind(axes, place=1190),
    ChangeKind(transposes, place=1200),
    ChangeKind(functions, place=1210),
    ChangeKind(rows, place=1220),
    ChangeKind(parts, place=1230),
    ChangeKind(everywhere(axes), place=1530),
    ChangeKind(everywhere(functions), place=1540),
    ChangeKind(summed, place=2030),
    ChangeKind(clipped, place=2070),
    ChangeKind(spread, place=2080),
    ChangeKind(axes, place=3050, is_typo=True),
    ChangeKind(casts, place=4030),
)
