"""Changes of an activation's derivative: one that is missing, tanh's for a sigmoid's; they run nothing."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from gradproof.mend.change import Change, instead, parse, same
from gradproof.mend.change_kind import ChangeKind
from gradproof.mend.slip import SlipKind
from gradproof.mend.slip_kinds import (
    DERIVATIVE_MISSING,
    SIGN_LOST,
)
from gradproof.mend.slots import Slot
from gradproof.mend.tree import Tree
from gradproof.source.syntax import calls, constant, is_operation, is_product

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
_SLOPE = ("the wrong operand", "wrong power")
SLOPE_OF_TANH = SlipKind(
    "GP117",
    "slip-slope-of-tanh",
    "{mine}, tanh's derivative, stands where {other}, that of a sigmoid, belongs",
    _SLOPE,
)
SLOPE_OF_SIGMOID = SlipKind(
    "GP117",
    "slip-slope-of-sigmoid",
    "{mine}, a sigmoid's derivative, stands where {other}, that of tanh, belongs",
    _SLOPE,
)


def slopes(tree: Tree) -> Iterator[Change]:
    """A branch of np.where, which may be one number, times a derivative in terms of what forward kept."""
    for slot in tree.slots:
        is_branch = calls(slot.parent, "where") and bool(slot.index)
        for name in tree.kept if is_branch else ():
            for formula in _SLOPES:
                yield _times_slope(slot, name, formula)


def _times_slope(slot: Slot, name: str, formula: str) -> Change:
    factor = formula.format(name)
    is_sign = "sign" in formula
    slip = SIGN_LOST(name=name, factor=factor) if is_sign else DERIVATIVE_MISSING(factor=factor)
    return instead(slot, ast.BinOp(same(slot.node), ast.Mult(), parse(f"({factor})")), slip)


def sigmoids(tree: Tree) -> Iterator[Change]:
    """The derivative of tanh for that of the sigmoid, and the reverse: ``1 - y ** 2`` for ``y * (1 - y)``."""
    for slot in tree.slots:
        yield from _tanh_for_sigmoid(slot)
        squared = _squared(slot.node)
        if squared is not None:
            other = f"{squared} * (1 - {squared})"
            yield instead(slot, parse(other), SLOPE_OF_TANH(mine=f"1 - {squared} ** 2", other=other))


def _tanh_for_sigmoid(slot: Slot) -> Iterator[Change]:
    factors = [ast.unparse(factor) for factor in _factors(slot.node)]
    for i, name in enumerate(factors):
        complement = f"1 - {name}"
        if complement in factors:
            other = f"1 - {name} ** 2"
            rest = [f"({text})" for k, text in enumerate(factors) if k not in (i, factors.index(complement))]
            slip = SLOPE_OF_SIGMOID(mine=f"{name} * (1 - {name})", other=other)
            yield instead(slot, parse(" * ".join([*rest, f"({other})"])), slip)


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


CHANGES = (
    ChangeKind(sigmoids, place=1120),
    ChangeKind(slopes, place=2050),
)
