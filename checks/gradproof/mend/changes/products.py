"""Changes of the factors and terms of an expression: one left out, one too many, another; they run nothing."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping

from gradproof.mend.change import Change, instead, parse, same
from gradproof.mend.change_kind import ChangeKind
from gradproof.mend.likeness import arrays_in
from gradproof.mend.slip import Slip, SlipKind
from gradproof.mend.slip_kinds import (
    ANOTHER_ENTRY,
    DIVISION_MISSING,
    DIVISION_TOO_MANY,
    FACTOR_MISSING,
    FACTOR_TOO_MANY,
    LEFT_OUT,
    NUMBER_MISSING,
    NUMBER_TOO_MANY,
    POWER,
    SIZE_MISSING,
    SIZE_TOO_MANY,
    STANDS,
    TERM_TOO_MANY,
)
from gradproof.mend.slots import Slot, counts_entries, inherits, is_indexing, is_read, takes_factor
from gradproof.mend.tree import Tree
from gradproof.source.syntax import constant, is_operation, is_product, is_sum

_Lost = tuple[SlipKind, SlipKind, SlipKind, SlipKind]  # of a number, a size, any other factor, any other divisor
_MISSING = (NUMBER_MISSING, SIZE_MISSING, FACTOR_MISSING, DIVISION_MISSING)
_TOO_MANY = (NUMBER_TOO_MANY, SIZE_TOO_MANY, FACTOR_TOO_MANY, DIVISION_TOO_MANY)
_POWER = ("wrong power",)
ROOT_MISSING = SlipKind(
    "GP117", "slip-root-missing", "the power is wrong: a square root is missing around {value}", _POWER
)
SQUARE_MISSING = SlipKind("GP117", "slip-square-missing", "the power is wrong: {value} must be squared", _POWER)
INVERSE_MISSING = SlipKind(
    "GP117", "slip-inverse-missing", "the power is wrong: {value} stands where 1 / {value} belongs", _POWER
)
_ROOTS = {"np.sqrt({0})": ROOT_MISSING, "({0}) ** 2": SQUARE_MISSING}
_WRAPS = {**_ROOTS, "1 / ({0})": INVERSE_MISSING}
NOT_USED = SlipKind(
    "GP111",
    "slip-dout-not-used",
    "{dout} is not used here: the factor {factor} is missing",
    ("ignores dout", "a factor left out"),
)


def too_many(tree: Tree) -> Iterator[Change]:
    """An expression without one of its factors or terms; not in what an override hands on, for it would undo that."""
    yield from _without(tree, (slot for slot in tree.slots if not inherits(slot.statement)))


def too_many_handed_on(tree: Tree) -> Iterator[Change]:
    """The same in what an override hands on to its base class: where nothing else helps, that is what is wrong."""
    yield from _without(tree, (slot for slot in tree.slots if inherits(slot.statement)))


def _without(tree: Tree, slots: Iterable[Slot]) -> Iterator[Change]:
    for slot in slots:
        node = slot.node
        if is_product(node):
            yield from _without_factor(slot, node, tree.sizes)
        elif is_sum(node):
            yield from _without_term(slot, node, tree.sizes)
        elif is_operation(node, ast.Div):
            yield instead(slot, same(node.left), _lost(_TOO_MANY, node.right, tree.sizes, divides=True))
        elif is_operation(node, ast.Pow):
            yield instead(slot, same(node.left), POWER(mine=ast.unparse(node), other=ast.unparse(node.left)))


def _without_factor(slot: Slot, node: ast.BinOp, sizes: frozenset[str]) -> Iterator[Change]:
    for kept, lost in ((node.left, node.right), (node.right, node.left)):
        slip = _step(slot, kept) if is_indexing(slot) else _lost(_TOO_MANY, lost, sizes)
        yield instead(slot, same(kept), slip)


def _without_term(slot: Slot, node: ast.BinOp, sizes: frozenset[str]) -> Iterator[Change]:
    counts = is_indexing(slot) or ast.unparse(node.left) in sizes
    slip = _step(slot, node.left) if counts else TERM_TOO_MANY(term=ast.unparse(node.right))
    yield instead(slot, same(node.left), slip)
    if isinstance(node.op, ast.Add):
        yield instead(slot, same(node.right), TERM_TOO_MANY(term=ast.unparse(node.left)))


def _step(slot: Slot, right: ast.expr) -> Slip:
    """The slip of an index, or of the end of a loop or a slice."""
    kind = ANOTHER_ENTRY if isinstance(slot.parent, ast.Subscript | ast.Tuple) else LEFT_OUT
    return kind(mine=ast.unparse(slot.node), other=ast.unparse(right))


def squares(tree: Tree) -> Iterator[Change]:
    """The square of a name that is added or taken away: ``1 - y ** 2`` for ``1 - y``."""
    for slot in tree.slots:
        is_size = ast.unparse(slot.node) in tree.sizes
        if is_sum(slot.parent) and is_read(slot) and not is_indexing(slot) and not is_size:
            squared = ast.BinOp(same(slot.node), ast.Pow(), ast.Constant(2))
            yield instead(slot, squared, POWER(mine=ast.unparse(slot.node), other=ast.unparse(squared)))


def complements(tree: Tree) -> Iterator[Change]:
    """``1 - a`` for ``a`` as a factor, and the reverse: what is kept of the old for what is taken of the new."""
    for slot in tree.slots:
        is_factor = is_product(slot.parent) and not is_indexing(slot)
        other = _complement(slot, tree) if is_factor else None
        if other is not None:
            yield instead(slot, other, STANDS(mine=ast.unparse(slot.node), other=ast.unparse(other)))


def _complement(slot: Slot, tree: Tree) -> ast.expr | None:
    """``a`` of ``1 - a``, and ``1 - a`` of the name ``a``; None of dout, of a size, and of anything else."""
    node, mine = slot.node, ast.unparse(slot.node)
    if mine == tree.dout or mine in tree.sizes:
        return None
    if is_operation(node, ast.Sub) and constant(node.left) == 1:
        return same(node.right)
    if is_read(slot) and not tree.is_global(node):
        return ast.BinOp(ast.Constant(1), ast.Sub(), same(node))
    return None


def masked(tree: Tree) -> Iterator[Change]:
    """A name times another one: where the first is its mask, that comes to the other one alone."""
    for slot in tree.slots:
        mine = ast.unparse(slot.node)
        if is_read(slot) and not is_indexing(slot) and not tree.is_global(slot.node):
            for other in tree.known:
                if other not in (mine, tree.dout) and other not in tree.sizes:
                    changed = ast.BinOp(same(slot.node), ast.Mult(), parse(other))
                    yield instead(slot, changed, _lost(_MISSING, parse(other), tree.sizes))


def unweighted(tree: Tree) -> Iterator[Change]:
    """A term without dout beside one that has it: dout times both, as it is written there."""
    for slot in tree.slots:
        if not is_sum(slot.parent) or is_indexing(slot):
            continue
        other = slot.parent.right if slot.field == "left" else slot.parent.left
        if arrays_in(slot.node).isdisjoint(tree.gradients):
            for factor in _named_with(tree.dout, other):
                changed = ast.BinOp(parse(factor), ast.Mult(), same(slot.node))
                yield instead(slot, changed, NOT_USED(dout=tree.dout, factor=factor), sure=True)


def _named_with(name: str, node: ast.expr) -> Iterator[str]:
    """The variables and entries in an expression in which a name occurs: ``dout`` and ``dout[:, 0]``."""
    for part in ast.walk(node):
        if isinstance(part, ast.Name | ast.Subscript) and name in arrays_in(part):
            yield ast.unparse(part)


def left_out(tree: Tree) -> Iterator[Change]:
    """An expression times or over a name at hand, a size or a number."""
    columns = [f"{name}[:, None]" for name in tree.known if name not in tree.sizes and "[" not in name]
    factors = [*tree.known, *_sizes(tree), *columns]
    for slot in tree.slots:
        if not takes_factor(slot):
            continue
        for factor in factors:
            yield from _times_and_over(slot, factor, tree)
        for number in ("2", "0.5"):
            twice = ast.BinOp(parse(number), ast.Mult(), same(slot.node))
            yield instead(slot, twice, NUMBER_MISSING(number=number, role="factor"))


def _times_and_over(slot: Slot, factor: str, tree: Tree) -> Iterator[Change]:
    node = parse(factor)
    is_dout = factor == tree.dout
    slip = NOT_USED(dout=factor, factor=factor) if is_dout else _lost(_MISSING, node, tree.sizes)
    yield instead(slot, ast.BinOp(same(slot.node), ast.Mult(), node), slip)
    yield instead(
        slot, ast.BinOp(same(slot.node), ast.Div(), parse(factor)), _lost(_MISSING, node, tree.sizes, divides=True)
    )


def _lost(kinds: _Lost, node: ast.expr, sizes: frozenset[str], *, divides: bool = False) -> Slip:
    """The slip of a factor, or a divisor, that is missing or one too many; it may be a number or a size."""
    number, size, factor, division = kinds
    if constant(node) is not None:
        return number(number=ast.unparse(node), role="divisor" if divides else "factor")
    if _is_size(node, sizes):
        return size(size=ast.unparse(node), role="division by" if divides else "factor")
    return division(divisor=ast.unparse(node)) if divides else factor(factor=ast.unparse(node))


def _is_size(node: ast.expr, sizes: frozenset[str]) -> bool:
    text = ast.unparse(node)
    return text in sizes or any(part in text for part in (".shape[", "len(", ".size"))


def _sizes(tree: Tree) -> Iterator[str]:
    """The sizes of dout and of the first array that is kept, as a mean or a scale has them."""
    arrays = [name for name in tree.known if name not in tree.sizes]
    kept = [name for name in arrays if name.startswith("self.")]
    for name in [*arrays[:1], *kept[:1]]:
        yield from (f"len({name})", f"{name}.size", f"{name}.shape[1]", f"{name}.shape[-1]")
        yield from (f"np.sqrt({name}.shape[-1])", f"({name}.shape[2] * {name}.shape[3])")


def roots(tree: Tree) -> Iterator[Change]:
    """The root or the square of an expression."""
    yield from _wrapped(tree, _ROOTS)


def wraps(tree: Tree) -> Iterator[Change]:
    """The root, the square or the inverse of an expression."""
    yield from _wrapped(tree, _WRAPS)


def _wrapped(tree: Tree, forms: Mapping[str, SlipKind]) -> Iterator[Change]:
    for slot in tree.slots:
        if counts_entries(slot.node) or ast.unparse(slot.node) in tree.sizes:
            continue
        is_value = isinstance(slot.node, ast.BinOp | ast.Call) or takes_factor(slot)
        if is_value and not is_indexing(slot):
            for form, kind in forms.items():
                changed = parse(form.format(ast.unparse(slot.node)))
                yield instead(slot, changed, kind(value=ast.unparse(slot.node)))


CHANGES = (
    ChangeKind(too_many, place=1250),
    ChangeKind(squares, place=1260),
    ChangeKind(complements, place=1270),
    ChangeKind(unweighted, place=1280),
    ChangeKind(too_many_handed_on, place=1290),
    ChangeKind(masked, place=1560),
    ChangeKind(left_out, place=2040),
    ChangeKind(wraps, place=2060),
    ChangeKind(roots, place=3040),
)
