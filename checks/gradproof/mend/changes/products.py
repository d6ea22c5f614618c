"""Changes of the factors and terms of an expression: one left out, one too many, another; they run nothing."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping

from gradproof.mend.change import Change, instead, parse, same, short
from gradproof.mend.change_kind import ChangeKind
from gradproof.mend.likeness import arrays_in
from gradproof.mend.slots import Slot, counts_entries, inherits, is_indexing, is_read, takes_factor
from gradproof.mend.tree import Tree
from gradproof.source.syntax import calls, constant, is_operation, is_product, is_sum

# derivatives of activations, as formulas of what forward kept: what a backward multiplies dout by
_SLOPES = (
    "1 - {0} ** 2",
    "{0} * (1 - {0})",
    "{0} > 0",
    "1 - {0}",
    "{0} ** 2",
    "np.exp({0})",
    "np.sign({0})",
    "np.exp(-{0})",
)
_ROOTS = {
    "np.sqrt({0})": "the power is wrong: a square root is missing around {0}",
    "({0}) ** 2": "the power is wrong: {0} must be squared",
}
_WRAPS = {**_ROOTS, "1 / ({0})": "the power is wrong: {0} stands where 1 / {0} belongs"}


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
            yield instead(slot, same(node.left), *_factor("one too many", node.right, tree.sizes, divides=True))
        elif is_operation(node, ast.Pow):
            text = f"the power is wrong: {short(node)} stands where {short(node.left)} belongs"
            yield instead(slot, same(node.left), "GP117", text)


def _without_factor(slot: Slot, node: ast.BinOp, sizes: frozenset[str]) -> Iterator[Change]:
    for kept, lost in ((node.left, node.right), (node.right, node.left)):
        words = _step(slot, kept) if is_indexing(slot) else _factor("one too many", lost, sizes)
        yield instead(slot, same(kept), *words)


def _without_term(slot: Slot, node: ast.BinOp, sizes: frozenset[str]) -> Iterator[Change]:
    words = ("GP113", f"the term {short(node.right)} is one too many")
    if is_indexing(slot) or ast.unparse(node.left) in sizes:
        words = _step(slot, node.left)
    yield instead(slot, same(node.left), *words)
    if isinstance(node.op, ast.Add):
        yield instead(slot, same(node.right), "GP113", f"the term {short(node.left)} is one too many")


def _step(slot: Slot, right: ast.expr) -> tuple[str, str]:
    """The words for an index, or for the end of a loop or a slice."""
    what = f"{short(slot.node)} stands where {short(right)} belongs"
    if isinstance(slot.parent, ast.Subscript | ast.Tuple):
        return "GP109", f"another entry is taken: {what}"
    return "GP114", f"a step or an entry is left out, or taken too often: {what}"


def squares(tree: Tree) -> Iterator[Change]:
    """The square of a name that is added or taken away: ``1 - y ** 2`` for ``1 - y``."""
    for slot in tree.slots:
        is_size = ast.unparse(slot.node) in tree.sizes
        if is_sum(slot.parent) and is_read(slot) and not is_indexing(slot) and not is_size:
            squared = ast.BinOp(same(slot.node), ast.Pow(), ast.Constant(2))
            text = f"the power is wrong: {short(slot.node)} stands where {short(squared)} belongs"
            yield instead(slot, squared, "GP117", text)


def complements(tree: Tree) -> Iterator[Change]:
    """``1 - a`` for ``a`` as a factor, and the reverse: what is kept of the old for what is taken of the new."""
    for slot in tree.slots:
        is_factor = is_product(slot.parent) and not is_indexing(slot)
        other = _complement(slot, tree) if is_factor else None
        if other is not None:
            yield instead(slot, other, "GP117", f"{short(slot.node)} stands where {short(other)} belongs")


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
                    yield instead(slot, changed, *_factor("missing", parse(other), tree.sizes))


def unweighted(tree: Tree) -> Iterator[Change]:
    """A term without dout beside one that has it: dout times both, as it is written there."""
    for slot in tree.slots:
        if not is_sum(slot.parent) or is_indexing(slot):
            continue
        other = slot.parent.right if slot.field == "left" else slot.parent.left
        if arrays_in(slot.node).isdisjoint(tree.gradients):
            for factor in _named_with(tree.dout, other):
                changed = ast.BinOp(parse(factor), ast.Mult(), same(slot.node))
                text = f"{tree.dout} is not used here: the factor {factor} is missing"
                yield instead(slot, changed, "GP111", text, sure=True)


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
            yield instead(slot, twice, "GP102", f"the number {number} is missing as a factor")


def _times_and_over(slot: Slot, factor: str, tree: Tree) -> Iterator[Change]:
    node = parse(factor)
    words = _factor("missing", node, tree.sizes)
    if factor == tree.dout:
        words = ("GP111", f"{factor} is not used here: the factor {factor} is missing")
    yield instead(slot, ast.BinOp(same(slot.node), ast.Mult(), node), *words)
    words = _factor("missing", node, tree.sizes, divides=True)
    yield instead(slot, ast.BinOp(same(slot.node), ast.Div(), parse(factor)), *words)


def _factor(state: str, node: ast.expr, sizes: frozenset[str], *, divides: bool = False) -> tuple[str, str]:
    """The code and the words for a factor, which may be a size."""
    text = ast.unparse(node)
    what = "the division by" if divides else "the factor"
    if constant(node) is not None:
        return "GP102", f"the number {text} is {state} as a {'divisor' if divides else 'factor'}"
    if text in sizes or any(part in text for part in (".shape[", "len(", ".size")):
        return "GP102", f"the size {text} is {state}: {what} {text}"
    return "GP117", f"{what} {short(node)} is {state}"


def _sizes(tree: Tree) -> Iterator[str]:
    """The sizes of dout and of the first array that is kept, as a mean or a scale has them."""
    arrays = [name for name in tree.known if name not in tree.sizes]
    kept = [name for name in arrays if name.startswith("self.")]
    for name in [*arrays[:1], *kept[:1]]:
        yield from (f"len({name})", f"{name}.size", f"{name}.shape[1]", f"{name}.shape[-1]")
        yield from (f"np.sqrt({name}.shape[-1])", f"({name}.shape[2] * {name}.shape[3])")


def slopes(tree: Tree) -> Iterator[Change]:
    """A branch of np.where, which may be one number, times a derivative in terms of what forward kept."""
    for slot in tree.slots:
        is_branch = calls(slot.parent, "where") and bool(slot.index)
        for name in tree.kept if is_branch else ():
            for formula in _SLOPES:
                yield _times_slope(slot, name, formula)


def _times_slope(slot: Slot, name: str, formula: str) -> Change:
    factor = formula.format(name)
    code, text = "GP117", f"a derivative is missing: the factor ({factor})"
    if "sign" in formula:
        code, text = "GP103", f"the sign of {name} is lost: the factor {factor} is missing"
    return instead(slot, ast.BinOp(same(slot.node), ast.Mult(), parse(f"({factor})")), code, text)


def sigmoids(tree: Tree) -> Iterator[Change]:
    """The derivative of tanh for that of the sigmoid, and the reverse: ``1 - y ** 2`` for ``y * (1 - y)``."""
    for slot in tree.slots:
        yield from _tanh_for_sigmoid(slot)
        squared = _squared(slot.node)
        if squared is not None:
            other = f"{squared} * (1 - {squared})"
            words = f"1 - {squared} ** 2, tanh's derivative, stands where {other}, that of a sigmoid, belongs"
            yield instead(slot, parse(other), "GP117", words)


def _tanh_for_sigmoid(slot: Slot) -> Iterator[Change]:
    factors = [ast.unparse(factor) for factor in _factors(slot.node)]
    for i, name in enumerate(factors):
        complement = f"1 - {name}"
        if complement in factors:
            other = f"1 - {name} ** 2"
            rest = [f"({text})" for k, text in enumerate(factors) if k not in (i, factors.index(complement))]
            words = f"{name} * (1 - {name}), a sigmoid's derivative, stands where {other}, that of tanh, belongs"
            yield instead(slot, parse(" * ".join([*rest, f"({other})"])), "GP117", words)


def _factors(node: ast.expr) -> Iterator[ast.expr]:
    if is_product(node):
        yield from _factors(node.left)
        yield from _factors(node.right)
    else:
        yield node


def _squared(node: ast.expr) -> str | None:
    """``y`` where the node is ``1 - y ** 2``."""
    if not is_operation(node, ast.Sub) or not is_operation(node.right, ast.Pow):
        return None
    is_slope_of_tanh = constant(node.left) == 1 and constant(node.right.right) == 2
    return ast.unparse(node.right.left) if is_slope_of_tanh else None


def roots(tree: Tree) -> Iterator[Change]:
    """The root or the square of an expression."""
    yield from _wrapped(tree, _ROOTS)


def wraps(tree: Tree) -> Iterator[Change]:
    """The root, the square or the inverse of an expression."""
    yield from _wrapped(tree, _WRAPS)


def _wrapped(tree: Tree, forms: Mapping[str, str]) -> Iterator[Change]:
    for slot in tree.slots:
        if counts_entries(slot.node) or ast.unparse(slot.node) in tree.sizes:
            continue
        is_value = isinstance(slot.node, ast.BinOp | ast.Call) or takes_factor(slot)
        if is_value and not is_indexing(slot):
            for form, words in forms.items():
                changed = parse(form.format(ast.unparse(slot.node)))
                yield instead(slot, changed, "GP117", words.format(short(slot.node)))


CHANGES = (
    ChangeKind(sigmoids, place=1120),
    ChangeKind(too_many, place=1250),
    ChangeKind(squares, place=1260),
    ChangeKind(complements, place=1270),
    ChangeKind(unweighted, place=1280),
    ChangeKind(too_many_handed_on, place=1290),
    ChangeKind(masked, place=1560),
    ChangeKind(left_out, place=2040),
    ChangeKind(slopes, place=2050),
    ChangeKind(wraps, place=2060),
    ChangeKind(roots, place=3040),
)
