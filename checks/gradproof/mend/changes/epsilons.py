"""Changes of an epsilon: one that forward has and backward lacks, or the reverse; they run nothing."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence

from gradproof.mend.change import Change, instead, parse, same
from gradproof.mend.change_kind import ChangeKind
from gradproof.mend.several_places import everywhere, in_pairs
from gradproof.mend.slip import SlipKind
from gradproof.mend.slots import Slot, is_divisor
from gradproof.mend.tree import Tree
from gradproof.source.syntax import called_method, calls, is_operation

_NAMES = ("epsilon left out",)
EPSILON_MISSING = SlipKind(
    "GP108", "slip-epsilon-missing", "an epsilon is left out: forward has {value} + {epsilon}", _NAMES
)
EPSILON_TOO_MANY = SlipKind(
    "GP108", "slip-epsilon-too-many", "an epsilon is one too many: forward has {value} without {epsilon}", _NAMES
)
EPSILON_UNDER_ROOT = SlipKind(
    "GP108",
    "slip-epsilon-under-the-root",
    "an epsilon is left out: forward has {epsilon} under the root of the variance",
    _NAMES,
)
_SMALL = 0.2  # a number that keeps a root or a quotient from zero is smaller
_EPSILON = re.compile("eps|delta|tiny|smooth", re.IGNORECASE)  # parts of the names of such numbers


def epsilons(tree: Tree) -> Iterator[Change]:
    """An epsilon that forward adds under a root, in a logarithm or to a divisor; or one that it does not add."""
    known = _epsilons_at_hand(tree)
    for slot in tree.slots:
        node = slot.node
        if _needs_epsilon(slot):
            for epsilon in known:
                slip = EPSILON_MISSING(value=ast.unparse(node), epsilon=epsilon)
                yield instead(slot, ast.BinOp(same(node), ast.Add(), parse(epsilon)), slip)
        if isinstance(node, ast.Call):
            yield from _under_the_root(slot, node, known)
        if is_operation(node, ast.Add) and ast.unparse(node.right) in known:
            slip = EPSILON_TOO_MANY(value=ast.unparse(node.left), epsilon=ast.unparse(node.right))
            yield instead(slot, same(node.left), slip)


def _epsilons_at_hand(tree: Tree) -> list[str]:
    """The names that are built from a word for it, and the small numbers of forward."""
    names = [name for name in tree.known if _EPSILON.search(name)]
    return names + [repr(number) for number in tree.numbers if 0 < abs(number) < _SMALL]


def _under_the_root(slot: Slot, node: ast.Call, known: Sequence[str]) -> Iterator[Change]:
    """``np.sqrt(x.var() + eps)`` for ``x.std()``."""
    method = called_method(node)
    if method is None or method.attr != "std":
        return
    variance = ast.Call(ast.Attribute(same(method.value), "var", ast.Load()), node.args, node.keywords)
    for epsilon in known:
        whole = f"np.sqrt({ast.unparse(variance)} + {epsilon})"
        yield instead(slot, parse(whole), EPSILON_UNDER_ROOT(epsilon=epsilon))


def _needs_epsilon(slot: Slot) -> bool:
    """Under a root, in a logarithm, in a power or below a fraction; or beside a root; or what is given a name."""
    parent, node = slot.parent, slot.node
    if isinstance(parent, ast.Assign) and isinstance(node, ast.BinOp | ast.Call):
        return isinstance(parent.targets[0], ast.Name)
    if isinstance(parent, ast.Tuple) and isinstance(slot.statement, ast.Assign):
        return parent is slot.statement.value
    if isinstance(parent, ast.Call) and slot.field == "args":
        return calls(parent, "sqrt", "log", "maximum")
    is_base_of_power = is_operation(parent, ast.Pow) and slot.field == "left"
    return is_divisor(slot) or is_base_of_power or calls(node, "sqrt", "std", "norm")


CHANGES = (
    ChangeKind(epsilons, place=1160),
    ChangeKind(everywhere(epsilons), place=1510),
    ChangeKind(in_pairs(epsilons), place=1520),
    ChangeKind(epsilons, place=3010, is_typo=True),
    ChangeKind(epsilons, place=5010),
)
