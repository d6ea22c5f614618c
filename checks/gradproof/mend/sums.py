"""Changes of what is done along axes: sums, means, transposes, functions of NumPy; they run nothing."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from gradproof.mend.change import Change, instead, parse, same, short
from gradproof.mend.likeness import arrays_in
from gradproof.mend.slots import Slot, is_read, is_whole
from gradproof.mend.tree import Tree
from gradproof.source.stores import constant, last_name

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
        node = slot.node
        if not isinstance(node, ast.Call) or last_name(node.func) not in ("sum", "mean", "max", "min", "cumsum"):
            continue
        name, values, axis, keeps = _reduction(node)
        has = "every axis" if axis is None else f"axis {ast.unparse(axis)}"
        mine = None if axis is None else ast.unparse(axis)
        for other in dict.fromkeys((mine, *_AXES)):
            for kept in (keeps, not keeps):
                words = [] if other is None else [ast.keyword("axis", parse(other))]
                words += [ast.keyword("keepdims", ast.Constant(True))] if kept else []
                right = "every axis" if other is None else f"axis {other}"
                text = f"a {name} runs over the wrong axis: {has}, not {right}"
                if has == right:
                    text = f"a {name} over {has} {'drops that axis' if kept else 'keeps that axis'}: see keepdims"
                yield instead(slot, ast.Call(same(node.func), [same(v) for v in values], words), "GP116", text)


def _reduction(node: ast.Call) -> tuple[str | None, list[ast.expr], ast.expr | None, bool]:
    """Of a call: its name, its arguments before the axis, the axis, and whether it keeps it."""
    of_numpy = isinstance(node.func, ast.Attribute) and ast.unparse(node.func.value) == "np"
    values, rest = node.args[: int(of_numpy)], node.args[int(of_numpy) :]
    words = {keyword.arg: keyword.value for keyword in node.keywords}
    return last_name(node.func), values, words.get("axis", rest[0] if rest else None), "keepdims" in words


def summed(tree: Tree) -> Iterator[Change]:
    """A sum or a mean that is missing around a value."""
    for slot in tree.slots:
        number = constant(slot.node)
        if slot.parent is slot.statement and slot.field == "value" and isinstance(number, int) and number:
            for name in tree.known:
                for axis in ("1", "0"):
                    total = f"{'-' if number < 0 else ''}{name}.sum(axis={axis})"
                    yield instead(
                        slot, parse(total), "GP114", f"it is not summed: {number} stands where {total} belongs"
                    )
        elif is_whole(slot) or isinstance(slot.node, ast.BinOp | ast.Call):
            value = short(slot.node)
            for axis in ("0", "1", "-1", "(0, 1)", "(0, 2, 3)", "(0, 2)", "None"):
                for keep in ("", ", keepdims=True"):
                    text = f"it is not summed: the sum over axis {axis} of {value} is missing"
                    wrapped = parse(f"({ast.unparse(slot.node)}).sum(axis={axis}{keep})")
                    yield instead(slot, wrapped, "GP114", text)


def parts(tree: Tree) -> Iterator[Change]:
    """One entry along an axis where the sum over it belongs: ``dh[:, -1]`` for ``dh.sum(axis=1)``."""
    for slot in tree.slots:
        index = slot.node.slice if isinstance(slot.node, ast.Subscript) else None
        numbers = index.elts if isinstance(index, ast.Tuple) else [index] if index is not None else []
        axes = [axis for axis, number in enumerate(numbers) if isinstance(constant(number), int)]
        named = index is not None and is_read(Slot(slot.node, "value", None, slot.statement))
        if isinstance(slot.node, ast.Subscript) and named and len(axes) == 1:
            total = parse(f"({ast.unparse(slot.node.value)}).sum(axis={axes[0]})")
            text = f"only a part is taken: {short(slot.node)} stands where {short(total)} belongs"
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
    called = node.func if isinstance(node, ast.Call) else None
    moved = isinstance(called, ast.Attribute) and called.attr in ("transpose", "swapaxes") and last_name(called) != "np"
    return called.value if moved and isinstance(called, ast.Attribute) else None


def _operands(node: ast.expr) -> tuple[ast.expr, ast.expr] | None:
    """The two factors of ``a @ b`` and of ``np.dot(a, b)``."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
        return node.left, node.right
    if isinstance(node, ast.Call) and last_name(node.func) in ("dot", "matmul", "outer") and len(node.args) == 2:
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
        is_gradient = arrays_in(node.args[0]) & gradients
        what = "is a gradient, and belongs" if is_gradient else "belongs"
        text = f"{name} is one too many: {short(node.args[0])} {what} there as it is"
        yield instead(slot, same(node.args[0]), "GP111" if is_gradient else "GP107", text)
    elif name in ("abs", "sqrt", "square", "exp", "log", "sign", "flip") and len(node.args) == 1:
        text = f"{name} is one too many: {short(node.args[0])} belongs there as it is"
        of_gradient = name in ("abs", "sign") and arrays_in(node.args[0]) & gradients
        yield instead(slot, same(node.args[0]), "GP111" if of_gradient else "GP117", text)


def casts(tree: Tree) -> Iterator[Change]:
    """A cast, or a buffer of few bits, that loses digits of the gradient."""
    for slot in tree.slots:
        node = slot.node
        if not isinstance(node, ast.Call):
            continue
        if isinstance(node.func, ast.Attribute) and node.func.attr == "astype":
            text = f"digits are lost: {short(node)} holds fewer of them than {short(node.func.value)}"
            yield instead(slot, same(node.func.value), "GP119", text, sure=True)
        yield from _whole_numbers(slot, node)
        yield from _like_whole_numbers(slot, node)
        kept = [keyword for keyword in node.keywords if keyword.arg != "dtype"]
        if len(kept) < len(node.keywords):
            told = next(ast.unparse(keyword) for keyword in node.keywords if keyword.arg == "dtype")
            changed = ast.Call(same(node.func), [same(a) for a in node.args], [_word(k) for k in kept])
            text = f"digits are lost: a buffer of {told} holds fewer of them than the gradient has"
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
    if last_name(node.func) in ("array", "asarray", "full"):
        numbers = [n for n in ast.walk(node) if isinstance(n, ast.Constant) and type(n.value) is int]
        text = f"digits are lost: {short(node)} holds whole numbers, and so does what is written into it"
        changed = ast.Call(ast.Attribute(same(node), "astype", ast.Load()), [parse("float")], [])
        if numbers:
            yield instead(slot, changed, "GP119", text, sure=True)


def rows(tree: Tree) -> Iterator[Change]:
    """One entry of each row, ``d[np.arange(n), t]``, for columns of all of them, ``d[:, t]``."""
    for statement in dict.fromkeys(slot.statement for slot in tree.slots):
        targets = [statement.target] if isinstance(statement, ast.AugAssign) else getattr(statement, "targets", [])
        for target in targets:
            index = target.slice if isinstance(target, ast.Subscript) else None
            if not isinstance(index, ast.Tuple) or [isinstance(e, ast.Slice) for e in index.elts] != [True, False]:
                continue
            told, column = ast.unparse(target), ast.unparse(index.elts[1])
            text = f"{told} takes the columns {column} of every row: one entry of each row is meant"
            slot = Slot(index, "elts", 0, statement)
            yield instead(slot, parse(f"np.arange(len({column}))"), "GP109", text, sure=True)


def clipped(tree: Tree) -> Iterator[Change]:
    """A value cut off at a bound that is at hand, as forward does beyond it."""
    bounds = [*(name for name in tree.known), *(f"{number:g}" for number in tree.numbers)]
    for slot in tree.slots:
        if is_read(slot) and not tree.is_global(slot.node) and not isinstance(slot.parent, ast.Call | ast.Attribute):
            value = ast.unparse(slot.node)
            for bound in bounds:
                text = f"beyond {bound}, {value} is not cut off as forward does it"
                yield instead(slot, parse(f"np.clip({value}, -({bound}), {bound})"), "GP107", text)
