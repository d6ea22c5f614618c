"""One small change of a syntax tree, with the slip that it would mend; it knows no gradient."""

from __future__ import annotations

import ast
import copy
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from gradproof.mend.slip import Slip
from gradproof.mend.slip_kinds import IN_A_BRANCH, IN_A_LINE
from gradproof.mend.slots import Slot
from gradproof.source.syntax import calls, constant, is_product, targets_of

Piece = TypeVar("Piece", ast.expr, ast.keyword)


@dataclass(frozen=True, eq=False)
class Change:
    """One small change of a function: which nodes stand in which slots instead, and the slip that it would mend.

    ``sure`` says that nothing but that slip could be mended so: it is then the cause, whatever else the numbers look
    like. ``needs`` are arguments and variables of forward that are not at hand there: forward would have to keep them.
    ``alike`` says that one slip was made at each of the slots. ``renames`` says that another name is put in a name's
    place: arrays that are made of each other may stand for each other, so that another change may say the same.
    ``plain`` says that the slip tells less than what the numbers show.
    """

    slots: tuple[Slot, ...]
    nodes: tuple[ast.AST, ...]
    slip: Slip
    sure: bool = False
    needs: tuple[str, ...] = ()
    alike: bool = False
    renames: bool = False
    plain: bool = False

    def __post_init__(self) -> None:
        for node in self.nodes:
            if not hasattr(node, "lineno"):
                ast.fix_missing_locations(ast.copy_location(node, self.statement))

    @property
    def code(self) -> str:
        """The code of the cause that the slip is."""
        return self.slip.code

    @property
    def statement(self) -> ast.stmt:
        """The statement that is changed, as its author wrote it while the change is not made."""
        return self.slots[0].statement

    @property
    def statements(self) -> frozenset[ast.stmt]:
        """All statements that are changed."""
        return frozenset(slot.statement for slot in self.slots)

    @property
    def place(self) -> list[tuple[ast.AST, str, int | None]]:
        """Where it is made: two changes of one place are two ways to write one thing there."""
        return [(slot.parent, slot.field, slot.index) for slot in self.slots]

    @property
    def confined(self) -> Slip:
        """The slip with the region of values, or the column, that it is confined to."""
        if all(_is_in_branch(slot) for slot in self.slots):
            return IN_A_BRANCH(slip=self.slip.fact)
        part = _part(self.statement)
        if part is None or self.slip.mentions(part):
            return self.slip
        return IN_A_LINE(slip=self.slip.fact, part=part)

    @property
    def is_of_loop(self) -> bool:
        """Whether a loop goes through something else: with fewer rounds, less of what is wrong is done."""
        return isinstance(self.statement, ast.For) and self.code == "GP117"

    @property
    def deletes(self) -> bool:
        """Whether it takes a line away, and does nothing else."""
        return len(self.nodes) == 1 and isinstance(self.nodes[0], ast.Pass)

    @property
    def is_idle(self) -> bool:
        """Whether the statement would assign a thing to itself: nobody writes that."""
        with self.made():
            now = self.statement
            if not isinstance(now, ast.Assign):
                return False
            return ast.unparse(now.targets[0]).removesuffix("[...]") == ast.unparse(now.value)

    def masks(self, other: Change) -> bool:
        """Whether this is ``a * b`` where the other one is ``b`` for ``a``: as both mend it, a is but a mask of b."""
        node, theirs = self.nodes[0], other.nodes[0]
        if self.place != other.place or not is_product(node):
            return False
        keeps_mine = ast.unparse(node.left) == ast.unparse(self.slots[0].node)
        return keeps_mine and ast.unparse(node.right) == ast.unparse(theirs)

    @contextmanager
    def made(self) -> Generator[None]:
        """The tree with the change in it, and without it afterwards."""
        before = [slot.node for slot in self.slots]
        try:
            for slot, node in zip(self.slots, self.nodes, strict=True):
                slot.put(node)
            yield
        finally:
            for slot, node in zip(self.slots, before, strict=True):
                slot.put(node)

    @property
    def text(self) -> str:
        """The first line of the statement as it is after the change."""
        with self.made():
            return ast.unparse(self.statement).splitlines()[0]


def _is_in_branch(slot: Slot) -> bool:
    """Whether a slot lies in what np.where takes for some entries, and not for the others."""
    for node in ast.walk(slot.statement):
        if calls(node, "where") and len(node.args) == 3:
            is_branch = slot.parent is node and bool(slot.index)
            if is_branch or any(_holds(branch, slot.parent) for branch in node.args[1:]):
                return True
    return False


def _holds(whole: ast.expr, part: ast.AST) -> bool:
    return any(node is part for node in ast.walk(whole))


def _part(statement: ast.stmt) -> str | None:
    """The one row or column that a statement writes, ``dx[:, 3]``; None for any other."""
    targets = targets_of(statement)
    index = targets[0].slice if targets and isinstance(targets[0], ast.Subscript) else None
    if not isinstance(index, ast.Tuple):
        return None
    takes_one = any(isinstance(constant(part), int) for part in index.elts)
    takes_several = any(isinstance(part, ast.Slice) for part in index.elts)
    return ast.unparse(targets[0]) if takes_one and takes_several else None


def instead(slot: Slot, node: ast.expr, slip: Slip, *, sure: bool = False) -> Change:
    """The change that puts one expression in the place of another."""
    return Change((slot,), (node,), slip, sure)


def parse(text: str) -> ast.expr:
    """One expression from its source."""
    return ast.parse(text, mode="eval").body


def same(node: Piece) -> Piece:
    """A copy of an expression, or of a keyword, to stand at another place."""
    return copy.deepcopy(node)


def block(*statements: ast.stmt) -> ast.If:
    """Several statements, to stand where one stood."""
    return ast.If(ast.Constant(True), list(statements), [])
