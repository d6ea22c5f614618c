"""In which order changes are tried: slips, formulas, slips of forward, numbers, what forward keeps; it judges none."""

from __future__ import annotations

import ast
import functools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from gradproof.mend.change import Change
from gradproof.mend.change_kind import Changes
from gradproof.mend.change_tester import ChangeTester
from gradproof.mend.expressions import Expressions
from gradproof.mend.forward_variables import variables_of_forward
from gradproof.mend.kinds import FORWARD_TYPOS, KEPT, KEPT_FIRST, TIERS
from gradproof.mend.mistyped import mistyped_numbers
from gradproof.mend.sensitivity import Sensitivity, sensitivity_at
from gradproof.mend.slots import Slot, is_read, makes_room, takes_factor
from gradproof.mend.solved import compound, counted, simple
from gradproof.mend.targets import Trees
from gradproof.mend.tree import Tree
from gradproof.source.syntax import is_sum

MOST_SOLVED = 200  # formulas that fit at one example, whatever was tried before
MOST_FITS = 60  # numbers that are fitted, whatever was tried before
MOST_FORWARD = 200  # changes of forward, each of which is measured anew
MOST_KEPT = 60  # changes of what forward keeps: each of them costs forwards

Grammar = Callable[[Sensitivity], Iterable[Change]]


@dataclass(eq=False)
class SearchOrder:
    """Which changes are tried where, and when.

    ``own`` holds the statements on lines that are seen to be wrong, else those that feed a wrong gradient and no right
    one; ``near`` those that feed a wrong one, ``trees`` all. ``of_forward`` are kinds of change of forward, tried where
    none of backward helps.
    """

    tester: ChangeTester
    own: Trees
    near: Trees
    trees: Trees
    of_forward: Sequence[Changes]
    _sensitivities: dict[int, Sensitivity | None] = field(init=False, default_factory=dict[int, "Sensitivity | None"])

    def run(self) -> None:
        """Tier after tier, until a change is found for every wrong gradient, or the work is used up."""
        self.tester.forward = next(iter(self.trees.forward), None)
        try:
            self._run()
        finally:
            self.tester.all_mended()  # so that the best comes first

    def _run(self) -> None:
        for kind in KEPT_FIRST:
            self._try_kept(kind)
        beside, rest = self.near.without(self.own), self.trees.without(self.near)
        slips, others = TIERS
        if self._mends_all(slips, self.own) or self._mends_all(slips, beside):
            return
        if self._solves_all() or self._explains_by_typo():
            return
        for kinds, part in ((others, self.own), (slips, rest), (others, beside), (others, rest)):
            if self._mends_all(kinds, part):
                return
        self._fit_numbers()
        if not self.tester.all_mended():
            self._try_all_kept()
        if not self.tester.found:
            self._try_forward(self.of_forward)

    def _mends_all(self, kinds: Sequence[Changes], part: Trees) -> bool:
        """Try some kinds of change in a part of backward; whether every wrong gradient is mended then."""
        for kind in kinds:
            for tree in part.backward:
                half = max(self.tester.left, 0) // 2  # of names, there are most: they leave work for the others
                self.tester.try_changes(kind(tree), tree, anew=self.trees.in_forward, most=half)
        if not self.tester.all_mended():
            return False
        if all(mend.change.renames for mend in self.tester.found):  # a formula may be what was meant
            self._solve((simple,), again=True)
        return True

    def _solves_all(self) -> bool:
        """Whether every wrong gradient is mended by formulas, one of which mends all that is wrong."""
        self._solve((counted, simple, compound))
        wrong = self.tester.wrong
        return self.tester.all_mended() and any(mend.tensors >= wrong for mend in self.tester.found)

    def _explains_by_typo(self) -> bool:
        """One slip of forward that explains all is likelier than several of backward."""
        self._try_forward([kind for kind in self.of_forward if kind in FORWARD_TYPOS])
        return self.tester.all_mended()

    def _fit_numbers(self) -> None:
        self.tester.left = max(self.tester.left, MOST_FITS)
        anew = self.trees.in_forward
        for tree in self.trees.backward:
            gap = functools.partial(self.tester.gap, tree, anew=anew)
            self.tester.try_changes(mistyped_numbers(tree, gap), tree, anew=anew)

    def _try_kept(self, kind: Changes) -> None:
        """Try one kind of change of what forward keeps."""
        for tree in self.trees.kept:
            self.tester.try_changes(kind(tree), tree, anew=True)

    def _try_all_kept(self) -> None:
        self.tester.left = MOST_KEPT
        for kind in KEPT:
            self._try_kept(kind)
        self.tester.all_mended()

    def _try_forward(self, kinds: Sequence[Changes]) -> None:
        """Look for a forward whose derivative backward is."""
        left, self.tester.left = self.tester.left, MOST_FORWARD
        for kind in kinds:
            for tree in self.trees.forward:
                if self.tester.try_forwards(kind(tree), tree):
                    return
        self.tester.left = left

    def _solve(self, grammars: Sequence[Grammar], *, again: bool = False) -> None:
        """Look for a formula that makes right what is wrong: the simplest at every expression, then the rest.

        again: for what has been mended already, too.
        """
        for each in self.tester.trials:
            each.unkept = variables_of_forward(each, self.trees.forward[0]) if self.trees.forward else {}
        places = self._places()
        self._sensitivities.clear()
        left, self.tester.left = self.tester.left, MOST_SOLVED
        for formulas in grammars:
            for number, (tree, slot) in enumerate(places):
                wanted = self.tester.wrong if again else self.tester.unmended()
                if not wanted:
                    break
                if formulas is not counted or is_sum(slot.parent):  # else a number looks like a factor
                    self._solve_at(number, tree, slot, formulas, wanted)
        self.tester.left = left

    def _places(self) -> list[tuple[Tree, Slot]]:
        """The expressions at which a formula is looked for; further away, only in what is returned."""
        beside, rest = self.near.without(self.own), self.trees.without(self.near).returning()
        trees = (*self.own.backward, *beside.backward, *rest.backward)
        return [(tree, slot) for tree in trees for slot in _solvable(tree)]

    def _solve_at(self, number: int, tree: Tree, slot: Slot, formulas: Grammar, wanted: frozenset[str]) -> None:
        anew = self.trees.in_forward
        if number not in self._sensitivities:
            found = sensitivity_at(tree, slot, self.tester.clearest, wanted, _expressions(tree.expressions), anew=anew)
            self._sensitivities[number] = found if found is not None and found.suffices else None
        known = self._sensitivities[number]
        if known is not None:
            self.tester.try_changes(formulas(known), tree, anew=anew)


@functools.lru_cache(maxsize=8)
def _expressions(texts: tuple[str, ...]) -> Expressions:
    return Expressions(texts)


def _solvable(tree: Tree) -> list[Slot]:
    """The expressions at which a formula is looked for: whole values first, then their terms and factors."""
    slots = [slot for slot in tree.slots if _is_operand(slot) or (takes_factor(slot) and not makes_room(slot.node))]
    return sorted(slots, key=lambda slot: slot.parent is not slot.statement)


def _is_operand(slot: Slot) -> bool:
    return is_read(slot) and isinstance(slot.parent, ast.BinOp)
