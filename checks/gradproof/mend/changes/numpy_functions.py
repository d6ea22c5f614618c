"""Changes of functions of NumPy: one for another, one too many, limits that are missing; they run nothing."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from gradproof.findings import Parameters
from gradproof.mend.change import Change, instead, parse, same
from gradproof.mend.change_kind import ChangeKind
from gradproof.mend.likeness import arrays_in
from gradproof.mend.several_places import everywhere
from gradproof.mend.slip import SlipKind
from gradproof.mend.slip_kinds import STANDS
from gradproof.mend.slots import Slot, is_read
from gradproof.mend.tree import Tree

_REGION = "one region of values wrong"


def _of_function(about: Parameters) -> tuple[str, ...]:
    of_gradient = {"abs": ("ignores the sign of dout",), "sign": ("ignores the scale of dout",)}
    names = {**of_gradient, "sqrt": ("wrong power",), "square": ("wrong power",), "flip": ("entries permuted",)}
    return (*names.get(str(about["function"]), ()), "a factor too many")


_TAKEN = "a {mine} is taken where a {other} belongs"
SUM_FOR_MEAN = SlipKind("GP102", "slip-sum-for-mean", _TAKEN, ("missing mean over the batch", "a dim as factor"))
MEAN_FOR_SUM = SlipKind("GP102", "slip-mean-for-sum", _TAKEN, ("extra mean over the batch", "a dim as factor"))
ANY_FOR_SUM = SlipKind(
    "GP117", "slip-any-for-sum", "it is not summed: {mine} stands where {other} belongs", ("not summed",)
)
_FUNCTIONS = {("sum", "mean"): SUM_FOR_MEAN, ("mean", "sum"): MEAN_FOR_SUM, ("any", "sum"): ANY_FOR_SUM}
MASK_TOO_MANY = SlipKind(
    "GP107", "slip-mask-too-many", "a mask is one too many: {value} belongs to every entry", (_REGION,)
)
_AS_IT_IS = "{function} is one too many: {value} belongs there as it is"
FUNCTION_TOO_MANY = SlipKind("GP117", "slip-function-too-many", _AS_IT_IS, _of_function)
OF_A_GRADIENT = SlipKind("GP111", "slip-function-of-a-gradient", _AS_IT_IS, _of_function)
LIMITS_TOO_MANY = SlipKind("GP107", "slip-limits-too-many", _AS_IT_IS, (_REGION,))
LIMITS_OF_A_GRADIENT = SlipKind(
    "GP111",
    "slip-limits-of-a-gradient",
    "{function} is one too many: {value} is a gradient, and belongs there as it is",
    ("not linear in dout", _REGION),
)
NOT_CUT_OFF = SlipKind(
    "GP107", "slip-not-cut-off", "beyond {bound}, {value} is not cut off as forward does it", (_REGION,)
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


def functions(tree: Tree) -> Iterator[Change]:
    """A function of NumPy that is taken for another, or one too many around an expression."""
    for slot in tree.slots:
        node = slot.node
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        mine = node.func.attr
        for other in _RELATIVES.get(mine, ()):
            func = ast.Attribute(same(node.func.value), other, ast.Load())
            changed = ast.Call(func, [same(a) for a in node.args], [same(k) for k in node.keywords])
            kind = _FUNCTIONS.get((mine, other), STANDS)
            yield instead(slot, changed, kind(mine=mine, other=other))
        yield from _unwrapped(slot, node, mine, tree.gradients)


def _unwrapped(slot: Slot, node: ast.Call, name: str, gradients: frozenset[str]) -> Iterator[Change]:
    """The expression without the function around it."""
    if name == "where" and len(node.args) == 3:
        for kept in node.args[1:]:
            yield instead(slot, same(kept), MASK_TOO_MANY(value=ast.unparse(kept)))
    elif name in ("minimum", "maximum", "clip") and len(node.args) > 1:
        yield _without_limits(slot, node.args[0], name, gradients)
    elif name in ("abs", "sqrt", "square", "exp", "log", "sign", "flip") and len(node.args) == 1:
        inner = node.args[0]
        takes_its_sign = name in ("abs", "sign") and arrays_in(inner) & gradients
        kind = OF_A_GRADIENT if takes_its_sign else FUNCTION_TOO_MANY
        yield instead(slot, same(inner), kind(function=name, value=ast.unparse(inner)))


def _without_limits(slot: Slot, inner: ast.expr, name: str, gradients: frozenset[str]) -> Change:
    kind = LIMITS_OF_A_GRADIENT if arrays_in(inner) & gradients else LIMITS_TOO_MANY
    return instead(slot, same(inner), kind(function=name, value=ast.unparse(inner)))


def clipped(tree: Tree) -> Iterator[Change]:
    """A value cut off at a bound that is at hand, as forward does beyond it."""
    bounds = [*tree.known, *(f"{number:g}" for number in tree.numbers)]
    for slot in tree.slots:
        if is_read(slot) and not tree.is_global(slot.node) and not isinstance(slot.parent, ast.Call | ast.Attribute):
            value = ast.unparse(slot.node)
            for bound in bounds:
                slip = NOT_CUT_OFF(bound=bound, value=value)
                yield instead(slot, parse(f"np.clip({value}, -({bound}), {bound})"), slip)


CHANGES = (
    ChangeKind(functions, place=1210),
    ChangeKind(everywhere(functions), place=1540),
    ChangeKind(clipped, place=2070),
)
