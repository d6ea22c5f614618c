"""Changes of the factors and terms of an expression: one left out, one too many, another; they run nothing."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping

from gradproof.mend.change import Change, instead, parse, same, short
from gradproof.mend.likeness import arrays_in
from gradproof.mend.slots import Slot, counts_entries, inherits, is_indexing, is_read, takes_factor
from gradproof.mend.tree import Tree
from gradproof.source.stores import constant, last_name

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
        if not isinstance(node, ast.BinOp):
            continue
        if isinstance(node.op, ast.Mult):
            for kept, lost in ((node.left, node.right), (node.right, node.left)):
                words = _step(slot, kept) if is_indexing(slot) else _factor("one too many", lost, tree.sizes)
                yield instead(slot, same(kept), *words)
        elif isinstance(node.op, ast.Div):
            yield instead(slot, same(node.left), *_factor("one too many", node.right, tree.sizes, divides=True))
        elif isinstance(node.op, ast.Add | ast.Sub):
            words = ("GP113", f"the term {short(node.right)} is one too many")
            counts = is_indexing(slot) or ast.unparse(node.left) in tree.sizes
            yield instead(slot, same(node.left), *(_step(slot, node.left) if counts else words))
            if isinstance(node.op, ast.Add):
                yield instead(slot, same(node.right), "GP113", f"the term {short(node.left)} is one too many")
        elif isinstance(node.op, ast.Pow):
            text = f"the power is wrong: {short(node)} stands where {short(node.left)} belongs"
            yield instead(slot, same(node.left), "GP117", text)


def _step(slot: Slot, right: ast.expr) -> tuple[str, str]:
    """The words for an index, or for the end of a loop or a slice."""
    what = f"{short(slot.node)} stands where {short(right)} belongs"
    if isinstance(slot.parent, ast.Subscript | ast.Tuple):
        return "GP109", f"another entry is taken: {what}"
    return "GP114", f"a step or an entry is left out, or taken too often: {what}"


def squares(tree: Tree) -> Iterator[Change]:
    """The square of a name that is added or taken away: ``1 - y ** 2`` for ``1 - y``."""
    for slot in tree.slots:
        added = isinstance(slot.parent, ast.BinOp) and isinstance(slot.parent.op, ast.Add | ast.Sub)
        if added and is_read(slot) and not is_indexing(slot) and ast.unparse(slot.node) not in tree.sizes:
            squared = ast.BinOp(same(slot.node), ast.Pow(), ast.Constant(2))
            text = f"the power is wrong: {short(slot.node)} stands where {short(squared)} belongs"
            yield instead(slot, squared, "GP117", text)


def complements(tree: Tree) -> Iterator[Change]:
    """``1 - a`` for ``a`` as a factor, and the reverse: what is kept of the old for what is taken of the new."""
    for slot in tree.slots:
        node, mine = slot.node, ast.unparse(slot.node)
        factor = isinstance(slot.parent, ast.BinOp) and isinstance(slot.parent.op, ast.Mult)
        if not factor or is_indexing(slot) or mine == tree.dout or mine in tree.sizes:
            continue
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub) and constant(node.left) == 1:
            other: ast.expr = same(node.right)
        elif is_read(slot) and not tree.is_global(node):
            other = ast.BinOp(ast.Constant(1), ast.Sub(), same(node))
        else:
            continue
        yield instead(slot, other, "GP117", f"{short(node)} stands where {short(other)} belongs")


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
        parent = slot.parent
        if not isinstance(parent, ast.BinOp) or not isinstance(parent.op, ast.Add | ast.Sub) or is_indexing(slot):
            continue
        other = parent.right if slot.field == "left" else parent.left
        if arrays_in(slot.node) & tree.gradients or tree.dout not in arrays_in(other):
            continue
        for node in ast.walk(other):
            factor = ast.unparse(node)
            if isinstance(node, ast.Name | ast.Subscript) and tree.dout in arrays_in(node):
                words = ("GP111", f"{tree.dout} is not used here: the factor {factor} is missing")
                changed = ast.BinOp(parse(factor), ast.Mult(), same(slot.node))
                yield instead(slot, changed, *words, sure=True)


def left_out(tree: Tree) -> Iterator[Change]:
    """An expression times or over a name at hand, a size or a number."""
    wide = [f"{name}[:, None]" for name in tree.known if name not in tree.sizes and "[" not in name]
    for slot in tree.slots:
        if not takes_factor(slot):
            continue
        for factor in [*tree.known, *_sizes(tree), *wide]:
            for operator, divides in ((ast.Mult(), False), (ast.Div(), True)):
                node = parse(factor)
                words = _factor("missing", node, tree.sizes, divides=divides)
                if factor == tree.dout and not divides:
                    words = ("GP111", f"{factor} is not used here: the factor {factor} is missing")
                yield instead(slot, ast.BinOp(same(slot.node), operator, node), *words)
        for number in ("2", "0.5"):
            twice = ast.BinOp(parse(number), ast.Mult(), same(slot.node))
            yield instead(slot, twice, "GP102", f"the number {number} is missing as a factor")


def _factor(state: str, node: ast.expr, sizes: frozenset[str], *, divides: bool = False) -> tuple[str, str]:
    """The code and the words for a factor, which may be a size."""
    told = ast.unparse(node)
    what = "the division by" if divides else "the factor"
    if constant(node) is not None:
        return "GP102", f"the number {told} is {state} as a {'divisor' if divides else 'factor'}"
    if told in sizes or any(part in told for part in (".shape[", "len(", ".size")):
        return "GP102", f"the size {told} is {state}: {what} {told}"
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
        if isinstance(slot.parent, ast.Call) and last_name(slot.parent.func) == "where" and slot.index:
            for name in tree.kept:
                for formula in _SLOPES:
                    factor = formula.format(name)
                    changed = ast.BinOp(same(slot.node), ast.Mult(), parse(f"({factor})"))
                    text = f"a derivative is missing: the factor ({factor})"
                    if "sign" in formula:
                        text = f"the sign of {name} is lost: the factor {factor} is missing"
                    yield instead(slot, changed, "GP103" if "sign" in formula else "GP117", text)


def sigmoids(tree: Tree) -> Iterator[Change]:
    """The derivative of tanh for that of the sigmoid, and the reverse: ``1 - y ** 2`` for ``y * (1 - y)``."""
    for slot in tree.slots:
        factors = list(_factors(slot.node))
        told = [ast.unparse(factor) for factor in factors]
        for i, name in enumerate(told):
            other = f"1 - {name} ** 2"
            if f"1 - {name}" in told:
                rest = [f for k, f in enumerate(told) if k not in (i, told.index(f"1 - {name}"))]
                words = f"{name} * (1 - {name}), a sigmoid's derivative, stands where {other}, that of tanh, belongs"
                yield instead(slot, parse(" * ".join([*map(_bracketed, rest), f"({other})"])), "GP117", words)
        squared = _squared(slot.node) if isinstance(slot.node, ast.BinOp) else None
        if squared is not None:
            other = f"{squared} * (1 - {squared})"
            words = f"1 - {squared} ** 2, tanh's derivative, stands where {other}, that of a sigmoid, belongs"
            yield instead(slot, parse(other), "GP117", words)


def _factors(node: ast.expr) -> Iterator[ast.expr]:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        yield from _factors(node.left)
        yield from _factors(node.right)
    else:
        yield node


def _bracketed(text: str) -> str:
    return f"({text})"


def _squared(node: ast.BinOp) -> str | None:
    """``y`` where the node is ``1 - y ** 2``."""
    power = node.right
    if not isinstance(power, ast.BinOp) or not isinstance(power.op, ast.Pow) or not isinstance(node.op, ast.Sub):
        return None
    return ast.unparse(power.left) if (constant(node.left), constant(power.right)) == (1, 2) else None


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
        if (isinstance(slot.node, ast.BinOp | ast.Call) or takes_factor(slot)) and not is_indexing(slot):
            for form, words in forms.items():
                changed = parse(form.format(ast.unparse(slot.node)))
                yield instead(slot, changed, "GP117", words.format(short(slot.node)))
