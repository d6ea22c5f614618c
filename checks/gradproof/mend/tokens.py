"""Changes of one comparison, name or number: slips of the pen, and mix-ups; they run nothing."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import combinations

from gradproof.mend.change import Change, instead, parse, same, short
from gradproof.mend.renamed import names_in, renamed
from gradproof.mend.slots import Slot, is_divisor, is_indexing, is_read
from gradproof.mend.tree import Tree
from gradproof.source.stores import constant, is_attribute, last_name

MOST_SIZES = 5  # sizes of which products are formed

_COMPARED: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Gt: (ast.Lt, ast.GtE, ast.LtE),
    ast.Lt: (ast.Gt, ast.LtE, ast.GtE),
    ast.GtE: (ast.LtE, ast.Gt, ast.Lt),
    ast.LtE: (ast.GtE, ast.Lt, ast.Gt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
}
_WORDS: dict[type[ast.cmpop], str] = {
    ast.Gt: ">",
    ast.Lt: "<",
    ast.GtE: ">=",
    ast.LtE: "<=",
    ast.Eq: "==",
    ast.NotEq: "!=",
}


def comparisons(tree: Tree) -> Iterator[Change]:
    """Another comparison, and the opposite of a mask."""
    for slot in tree.slots:
        node = slot.node
        if isinstance(node, ast.Compare) and len(node.ops) == 1:
            mine = _WORDS.get(type(node.ops[0]))
            for other in _COMPARED.get(type(node.ops[0]), ()):
                compared = ast.Compare(same(node.left), [other()], [same(node.comparators[0])])
                text = f"the mask is not the one of forward: {mine} stands where {_WORDS[other]} belongs"
                yield instead(slot, compared, "GP107", text)
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Invert | ast.Not):
            yield instead(slot, same(node.operand), "GP107", f"the mask {short(node.operand)} is inverted")
        elif _is_mask(slot):
            changed = ast.UnaryOp(ast.Invert(), same(node))
            yield instead(slot, changed, "GP107", f"the mask {short(node)} is inverted")


def names(tree: Tree) -> Iterator[Change]:
    """Another name that is at hand."""
    variables = [node for node in ast.walk(tree.node) if isinstance(node, ast.Name)]
    read = {node.id for node in variables if isinstance(node.ctx, ast.Load)}
    unread = {node.id for node in variables} - read
    for slot in tree.slots:
        mine = ast.unparse(slot.node)
        if is_read(slot) and not tree.is_global(slot.node) and not tree.is_last_dout(mine):
            counted = isinstance(slot.parent, ast.Call) and last_name(slot.parent.func) == "range"
            for other in sorted(tree.sizes) if counted else tree.known:
                if other != mine:
                    both = {mine, other} <= tree.sizes
                    text = f"{'the size ' if both else ''}{mine} stands where {other} belongs"
                    text += ", which nothing reads" if other in unread else ""
                    yield Change((slot,), (parse(other),), "GP102" if both else "GP117", text, renames=not both)


def unkept(tree: Tree) -> Iterator[Change]:
    """An argument of forward that is not at hand: what was kept in its place is another array."""
    for slot in tree.slots:
        mine = ast.unparse(slot.node)
        if is_read(slot) and not tree.is_global(slot.node) and not tree.is_last_dout(mine):
            for argument in tree.unkept:
                text = f"{mine} stands where {argument} belongs"
                yield Change((slot,), (parse(argument),), "GP117", text, needs=(argument,), renames=True)


def replaced(tree: Tree) -> Iterator[Change]:
    """A name that is at hand for what is computed here."""
    for slot in tree.slots:
        computed = isinstance(slot.node, ast.BinOp | ast.Call | ast.Subscript)
        if computed and not is_indexing(slot) and slot.field != "func" and tree.dout not in ast.unparse(slot.node):
            for other in tree.known:
                text = f"{short(slot.node)} stands where {other} belongs"
                yield instead(slot, parse(other), "GP117", text)


def scaled(tree: Tree) -> Iterator[Change]:
    """A name times, or over, a number of forward: ``y / 1.7159`` where forward keeps ``y = 1.7159 * np.tanh(x)``."""
    for slot in tree.slots:
        mine = ast.unparse(slot.node)
        if is_read(slot) and not is_indexing(slot) and not tree.is_global(slot.node) and mine != tree.dout:
            for number in (number for number in tree.numbers if 2 * number % 1):  # no half, and no whole number
                for text in (f"({mine} / {number:.10g})", f"({mine} * {number:.10g})"):
                    words = f"{mine} stands where {text[1:-1]} belongs"
                    yield instead(slot, parse(text), "GP117", words)


def numbers(tree: Tree) -> Iterator[Change]:
    """Another number: as an index, in a power, as a factor; those of forward first."""
    for slot in tree.slots:
        value = constant(slot.node)
        negative = isinstance(slot.parent, ast.UnaryOp)  # the number in -0.5 is changed together with its minus
        if negative or isinstance(value, bool) or not isinstance(value, int | float) or _is_word(slot):
            continue
        if _is_size(slot):
            for axis in range(4):
                other = ast.unparse(slot.parent).replace(f"[{value}]", f"[{axis}]")
                text = f"another size is taken: {ast.unparse(slot.parent)} stands where {other} belongs"
                yield instead(slot, ast.Constant(axis), "GP102", text)
        elif isinstance(value, int) and is_indexing(slot):
            for index in (value - 1, value + 1, -value - 1):
                looped = isinstance(slot.parent, ast.Call)
                what = "a step or an entry is left out, or taken too often" if looped else "another entry is taken"
                text = f"{what}: {value} stands where {index} belongs"
                yield instead(slot, parse(repr(index)), "GP114" if looped else "GP109", text)
        elif isinstance(slot.parent, ast.BinOp) and isinstance(slot.parent.op, ast.Pow) and slot.field == "right":
            for power in (1, 2, 3, 0.5, 1.5, -0.5, -1, -1.5, -2):
                text = f"the power is wrong: {value:g} stands where {power:g} belongs"
                yield instead(slot, parse(repr(power)), "GP117", text)
        else:
            compared = isinstance(slot.parent, ast.Compare)
            others = (*tree.numbers, value + 1, value - 1, value * 2, value / 2, -value)
            for number in dict.fromkeys(number for number in others if not _is_idle(slot, number)):
                code, what = ("GP107", "the mask is not the one of forward:") if compared else ("GP102", "the number")
                text = f"{what} {value:g} stands where {number:g} belongs"
                yield instead(slot, parse(repr(number)), code, text)


def _is_idle(slot: Slot, number: float) -> bool:
    """Whether nobody would write a number here: a term of 0, a factor of 0 or 1."""
    if not isinstance(slot.parent, ast.BinOp):
        return False
    return number == 0 or (number == 1 and isinstance(slot.parent.op, ast.Mult | ast.Div | ast.FloorDiv))


def counts(tree: Tree) -> Iterator[Change]:
    """Another number of entries: the products of the sizes at hand, and those that forward forms."""
    sizes = sorted(tree.sizes)[:MOST_SIZES]
    products = [" * ".join(some) for count in (1, 2, 3) for some in combinations(sizes, count)]
    products += [text for text in tree.atoms if " * " in text and tree.is_count(parse(text))]
    for slot in tree.slots:
        if (is_divisor(slot) or slot.parent is slot.statement) and tree.is_count(slot.node):
            mine = ast.unparse(slot.node)
            for other in dict.fromkeys([*products, *_of_one_array(slot.node), *_of_groups(slot.node, tree)]):
                text = f"the size {mine} stands where {other} belongs"
                yield instead(slot, parse(other), "GP102", text)


def _of_one_array(node: ast.expr) -> list[str]:
    """The products of two sizes of the array that a size is taken of: ``x.shape[2] * x.shape[3]``."""
    array = ast.unparse(node.value) if isinstance(node, ast.Subscript) else ""
    return [f"{array}[{i}] * {array}[{k}]" for i, k in combinations(range(4), 2)] if array.endswith(".shape") else []


def _of_groups(node: ast.expr, tree: Tree) -> Iterator[str]:
    """The entries of one group: a count with a size divided as elsewhere, ``c // g * h`` for ``h``."""
    known = {"self", "np", "len", *tree.known}
    divided = [
        n
        for function in (tree.node, *tree.others)
        for n in ast.walk(function)
        if isinstance(n, ast.BinOp) and isinstance(n.op, ast.FloorDiv) and {*names_in(n)} <= known
    ]
    mine, names = ast.unparse(node), [*names_in(node)]
    for part in {ast.unparse(n): n for n in divided}.values():
        whole, told = ast.unparse(part.left), ast.unparse(part)
        yield ast.unparse(renamed(node, {whole: f"({told})"})) if whole in names else f"{told} * {mine}"
    yield from (f"{mine} // {number:g}" for number in tree.numbers if number > 1 and number % 1 == 0)
    for array in (name for name in tree.known if name.isidentifier() and name not in tree.sizes):
        yield from (f"{array}.shape[2]", f"np.prod({array}.shape[2:])")


def ends(tree: Tree) -> Iterator[Change]:
    """The end of a loop, or of a slice, one further or one less."""
    for slot in tree.slots:
        looped = isinstance(slot.parent, ast.Call) and last_name(slot.parent.func) == "range"
        if (looped or isinstance(slot.parent, ast.Slice)) and constant(slot.node) is None:
            mine = ast.unparse(slot.node)
            for other in (f"{mine} + 1", f"{mine} - 1"):
                what = "a step or an entry is left out, or taken too often" if looped else "other entries are taken"
                text = f"{what}: {short(slot.node)} stands where {short(parse(other))} belongs"
                yield instead(slot, parse(other), "GP114" if looped else "GP109", text)


def slices(tree: Tree) -> Iterator[Change]:
    """What is cut off at one end, cut off at the other or at both: of all axes that are cut alike."""
    for slot in tree.slots:
        index = slot.node.slice if isinstance(slot.node, ast.Subscript) else None
        cuts = index.elts if isinstance(index, ast.Tuple) else [index]
        told = [ast.unparse(cut) for cut in cuts if isinstance(cut, ast.Slice) and (cut.lower or cut.upper)]
        nodes = ast.walk(index) if index is not None and told else ()
        names = {ast.unparse(n) for n in nodes if isinstance(n, ast.Name) or is_attribute(n) or _counts(n)}
        names |= {str(int(name) - 1) for name in names if name.isdigit() and int(name) > 1}
        for name in sorted(names):
            for other in (f"{name}:-{name}", f"{name}:", f":-{name}"):
                changed = ast.unparse(slot.node)
                for cut in dict.fromkeys(told):
                    changed = changed.replace(cut, other)
                text = f"other entries are cut off: [{told[0]}] stands where [{other}] belongs"
                yield instead(slot, parse(changed), "GP109", text)
        for start in (*tree.known, "1") if told and all(cut.startswith(":") for cut in told) else ():
            changed = ast.unparse(slot.node)
            for cut in dict.fromkeys(told):
                changed = changed.replace(cut, f"{start}:{start} + {cut[1:]}")
            text = f"other entries are cut off: [{told[0]}] stands where [{start}:{start} + {told[0][1:]}] belongs"
            yield instead(slot, parse(changed), "GP109", text)


def _is_mask(slot: Slot) -> bool:
    """Whether an array chooses entries here: ``dout[mask]``, ``np.where(mask, ...)``."""
    if isinstance(slot.parent, ast.Call) and last_name(slot.parent.func) == "where":
        return slot.index == 0 and slot.field == "args"
    return slot.field == "slice" and is_read(slot)


def _counts(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and type(node.value) is int and node.value > 0


def _is_word(slot: Slot) -> bool:
    return isinstance(slot.parent, ast.keyword) and slot.parent.arg in ("axis", "keepdims", "dtype")


def _is_size(slot: Slot) -> bool:
    """Whether the number chooses a size: ``x.shape[1]``."""
    parent = slot.parent
    return (
        isinstance(parent, ast.Subscript) and isinstance(parent.value, ast.Attribute) and parent.value.attr == "shape"
    )
