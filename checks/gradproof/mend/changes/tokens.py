"""Changes of one comparison, name or number: slips of the pen, and mix-ups; they run nothing."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence, Set
from itertools import combinations

from gradproof.mend.change import Change, instead, parse, same
from gradproof.mend.change_kind import ChangeKind
from gradproof.mend.contractions import bracketed
from gradproof.mend.renamed import names_in, renamed
from gradproof.mend.several_places import everywhere
from gradproof.mend.slip import SlipKind
from gradproof.mend.slip_kinds import ANOTHER_ENTRY, LEFT_OUT, NOT_FORWARDS_MASK, POWER, SIZE_STANDS, STANDS
from gradproof.mend.slots import Slot, is_divisor, is_indexing, is_read
from gradproof.mend.tree import Tree
from gradproof.source.syntax import calls, constant, is_number, is_operation, variables, variables_read

INVERTED = SlipKind("GP107", "slip-mask-inverted", "the mask {mask} is inverted", ("one region of values wrong",))
_UNREAD = "{mine} stands where {other} belongs, which nothing reads"
UNREAD = SlipKind("GP117", "slip-unread-operand", _UNREAD, ("the wrong operand", "a layer skipped"))
UNREAD_SIZE = SlipKind("GP102", "slip-unread-size", f"the size {_UNREAD}", ("a dim as factor",))
ANOTHER_SIZE = SlipKind(
    "GP102", "slip-another-size", "another size is taken: {mine} stands where {other} belongs", ("a dim as factor",)
)
NUMBER_STANDS = SlipKind(
    "GP102",
    "slip-another-number",
    "the number {mine} stands where {other} belongs",
    ("constant mistyped", "constant factor"),
)
OTHER_COUNT = SlipKind(
    "GP117",
    "slip-another-count",
    "{mine} stands where {other} belongs: so many entries are taken here",
    ("the wrong operand", "a dim as factor"),
)
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
    whole = _whole_numbers(tree)
    for slot in tree.slots:
        node, mine = slot.node, ast.unparse(slot.node)
        if isinstance(node, ast.Compare) and len(node.ops) == 1:
            sign = _WORDS.get(type(node.ops[0]), "")
            for other in _COMPARED.get(type(node.ops[0]), ()):
                compared = ast.Compare(same(node.left), [other()], [same(node.comparators[0])])
                turned = sign[:1] != _WORDS[other][:1]
                yield instead(slot, compared, NOT_FORWARDS_MASK(mine=sign, other=_WORDS[other]), sure=turned)
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Invert | ast.Not):
            yield instead(slot, same(node.operand), INVERTED(mask=ast.unparse(node.operand)))
        elif _is_mask(slot) and mine not in whole:
            yield instead(slot, ast.UnaryOp(ast.Invert(), same(node)), INVERTED(mask=ast.unparse(node)))


def _whole_numbers(tree: Tree) -> set[str]:
    """The names of sizes, of what loops count, and of what is computed from these alone."""
    found = {*tree.sizes}
    for node in ast.walk(tree.node):
        if isinstance(node, ast.For) and "range(" in ast.unparse(node.iter):
            found.update(variables(node.target))
    for node in ast.walk(tree.node):
        if isinstance(node, ast.Assign) and found.issuperset(names_in(node.value)):
            for target in node.targets:
                found.update(variables(target))
    return found


def names(tree: Tree) -> Iterator[Change]:
    """Another name that is at hand."""
    unread = {*variables(tree.node)} - variables_read(tree.node)
    for slot in tree.slots:
        if not _may_be_another(slot, tree):
            continue
        mine = ast.unparse(slot.node)
        ends_a_loop = calls(slot.parent, "range")
        for other in sorted(tree.sizes) if ends_a_loop else tree.known:
            if other != mine:
                yield _other_name(slot, other, tree.sizes, unread)


def _may_be_another(slot: Slot, tree: Tree) -> bool:
    """Whether a name is read here in the place of which another one may be meant."""
    is_last_dout = tree.is_last_dout(ast.unparse(slot.node))
    return is_read(slot) and not tree.is_global(slot.node) and not is_last_dout


def _other_name(slot: Slot, other: str, sizes: Set[str], unread: Set[str]) -> Change:
    mine = ast.unparse(slot.node)
    are_sizes = {mine, other} <= sizes
    kinds = (SIZE_STANDS, UNREAD_SIZE) if are_sizes else (STANDS, UNREAD)
    slip = kinds[other in unread](mine=mine, other=other)
    return Change((slot,), (parse(other),), slip, renames=not are_sizes)


def unkept(tree: Tree) -> Iterator[Change]:
    """An argument of forward that is not at hand: what was kept in its place is another array."""
    for slot in tree.slots:
        if _may_be_another(slot, tree):
            for argument in tree.unkept:
                slip = STANDS(mine=ast.unparse(slot.node), other=argument)
                yield Change((slot,), (parse(argument),), slip, needs=(argument,), renames=True)


def replaced(tree: Tree) -> Iterator[Change]:
    """A name that is at hand for what is computed here."""
    for slot in tree.slots:
        computed = isinstance(slot.node, ast.BinOp | ast.Call | ast.Subscript)
        if computed and not is_indexing(slot) and slot.field != "func" and tree.dout not in ast.unparse(slot.node):
            for other in tree.known:
                yield instead(slot, parse(other), STANDS(mine=ast.unparse(slot.node), other=other))


def scaled(tree: Tree) -> Iterator[Change]:
    """A name times, or over, a number of forward: ``y / 1.7159`` where forward keeps ``y = 1.7159 * np.tanh(x)``."""
    broken = [number for number in tree.numbers if 2 * number % 1]  # no half, and no whole number
    for slot in tree.slots:
        mine = ast.unparse(slot.node)
        if is_read(slot) and not is_indexing(slot) and not tree.is_global(slot.node) and mine != tree.dout:
            for number in broken:
                for scaled_name in (f"{mine} / {number:.10g}", f"{mine} * {number:.10g}"):
                    yield instead(slot, parse(f"({scaled_name})"), STANDS(mine=mine, other=scaled_name))


def numbers(tree: Tree) -> Iterator[Change]:
    """Another number: as an index, in a power, as a factor; those of forward first."""
    for slot in tree.slots:
        value = constant(slot.node)
        after_minus = isinstance(slot.parent, ast.UnaryOp)  # -0.5 is changed together with its minus
        if after_minus or not is_number(value) or _is_word(slot):
            continue
        if _is_size(slot):
            yield from _other_axes(slot, value)
        elif isinstance(value, int) and is_indexing(slot):
            yield from _other_entries(slot, value)
        elif is_operation(slot.parent, ast.Pow) and slot.field == "right":
            yield from _other_powers(slot, value)
        else:
            yield from _other_numbers(slot, value, tree.numbers)


def _other_axes(slot: Slot, value: float) -> Iterator[Change]:
    """``x.shape[0]`` for ``x.shape[1]``."""
    size = ast.unparse(slot.parent)
    for axis in range(4):
        other = size.replace(f"[{value}]", f"[{axis}]")
        yield instead(slot, ast.Constant(axis), ANOTHER_SIZE(mine=size, other=other))


def _other_entries(slot: Slot, value: int) -> Iterator[Change]:
    """The index, or the end of a loop, one further, one less, or counted from the other end."""
    kind = LEFT_OUT if isinstance(slot.parent, ast.Call) else ANOTHER_ENTRY
    for index in (value - 1, value + 1, -value - 1):
        yield instead(slot, parse(repr(index)), kind(mine=str(value), other=str(index)))


def _other_powers(slot: Slot, value: float) -> Iterator[Change]:
    for power in dict.fromkeys((1, 2, 3, 0.5, 1.5, -0.5, -1, -1.5, -2, -3, 2 * value, value - 1 or 1)):
        yield instead(slot, parse(repr(power)), POWER(mine=f"{value:g}", other=f"{power:g}"))


def _other_numbers(slot: Slot, value: float, of_forward: Sequence[float]) -> Iterator[Change]:
    """The numbers of forward, the next ones, the double, the half and the negative."""
    near = (value + 1, value - 1, value * 2, value / 2, -value)
    # a keyword's is that of a diagonal, or a width: it is the next one, if any
    others = near if isinstance(slot.parent, ast.keyword) else (*of_forward, *near)
    kind = NOT_FORWARDS_MASK if isinstance(slot.parent, ast.Compare) else NUMBER_STANDS
    for number in dict.fromkeys(others):
        if not _is_idle(slot, number):
            yield instead(slot, parse(repr(number)), kind(mine=f"{value:g}", other=f"{number:g}"))


def _is_idle(slot: Slot, number: float) -> bool:
    """Whether nobody would write a number here: a term of 0, a factor of 0 or 1."""
    if not isinstance(slot.parent, ast.BinOp):
        return False
    return number == 0 or (number == 1 and isinstance(slot.parent.op, ast.Mult | ast.Div | ast.FloorDiv))


def counts(tree: Tree) -> Iterator[Change]:
    """Another number of entries: the products of the sizes at hand, and those that forward forms."""
    products = _products_of_sizes(tree)
    for slot in tree.slots:
        mine = ast.unparse(slot.node)
        if is_divisor(slot) and is_read(slot):
            for other in _of_slices(slot.statement):
                yield instead(slot, parse(other), OTHER_COUNT(mine=mine, other=other))
        is_whole_value = is_divisor(slot) or slot.parent is slot.statement
        if is_whole_value and tree.is_count(slot.node):
            for other in dict.fromkeys([*products, *_of_one_array(slot.node), *_of_groups(slot.node, tree)]):
                yield instead(slot, parse(other), SIZE_STANDS(mine=mine, other=other))


def _products_of_sizes(tree: Tree) -> list[str]:
    """The sizes at hand, the products of two and three of them, and those that forward forms."""
    sizes = [name for name in tree.known if name in tree.sizes][:MOST_SIZES]  # in the author's order
    products = [" * ".join(some) for count in (1, 2, 3) for some in combinations(sizes, count)]
    return products + [text for text in tree.expressions if " * " in text and tree.is_count(parse(text))]


def _of_one_array(node: ast.expr) -> list[str]:
    """The products of two sizes of the array that a size is taken of: ``x.shape[2] * x.shape[3]``."""
    array = ast.unparse(node.value) if isinstance(node, ast.Subscript) else ""
    return [f"{array}[{i}] * {array}[{k}]" for i, k in combinations(range(4), 2)] if array.endswith(".shape") else []


def _of_slices(statement: ast.stmt) -> Iterator[str]:
    """How many entries the slices of a statement take: ``(t + 1 - lo)`` of ``dx[:, lo:t + 1]``."""
    for node in ast.walk(statement):
        if isinstance(node, ast.Slice) and node.lower is not None and node.upper is not None:
            yield f"({ast.unparse(node.upper)} - {bracketed(ast.unparse(node.lower))})"


def _of_groups(node: ast.expr, tree: Tree) -> Iterator[str]:
    """The entries of one group: a count with a size divided as elsewhere, ``c // g * h`` for ``h``."""
    mine, names = ast.unparse(node), {*names_in(node)}
    for text, quotient in _divided_sizes(tree).items():
        whole = ast.unparse(quotient.left)
        if whole in names:
            yield ast.unparse(renamed(node, {whole: f"({text})"}))
        else:
            yield f"{text} * {mine}"
    yield from (f"{mine} // {number:g}" for number in tree.numbers if number > 1 and number % 1 == 0)
    for name in tree.known:
        if name.isidentifier() and name not in tree.sizes:
            yield from (f"{name}.shape[2]", f"np.prod({name}.shape[2:])")


def _divided_sizes(tree: Tree) -> dict[str, ast.BinOp]:
    """The whole quotients in the function and in forward, of names that are at hand, by their source."""
    known = {"self", "np", "len", *tree.known}
    found: dict[str, ast.BinOp] = {}
    for function in (tree.node, *tree.others):
        for node in ast.walk(function):
            if is_operation(node, ast.FloorDiv) and known.issuperset(names_in(node)):
                found[ast.unparse(node)] = node
    return found


def _is_mask(slot: Slot) -> bool:
    """Whether an array chooses entries here: ``dout[mask]``, ``np.where(mask, ...)``."""
    if calls(slot.parent, "where"):
        return slot.index == 0 and slot.field == "args"
    return slot.field == "slice" and is_read(slot)


def _is_word(slot: Slot) -> bool:
    return isinstance(slot.parent, ast.keyword) and slot.parent.arg in ("axis", "keepdims", "dtype")


def _is_size(slot: Slot) -> bool:
    """Whether the number chooses a size: ``x.shape[1]``."""
    parent = slot.parent
    return (
        isinstance(parent, ast.Subscript) and isinstance(parent.value, ast.Attribute) and parent.value.attr == "shape"
    )


CHANGES = (
    ChangeKind(comparisons, place=1140),
    ChangeKind(names, place=1170),
    ChangeKind(unkept, place=1180),
    ChangeKind(everywhere(names), place=1300),
    ChangeKind(numbers, place=1340),
    ChangeKind(counts, place=1350),
    ChangeKind(everywhere(numbers), place=1550),
    ChangeKind(everywhere(counts), place=1570),
    ChangeKind(replaced, place=2010),
    ChangeKind(scaled, place=2020),
    ChangeKind(names, place=5020),
    ChangeKind(comparisons, place=5030),
)
