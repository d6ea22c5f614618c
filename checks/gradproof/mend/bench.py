"""Tries changes of the source at examples with a known answer, until every wrong gradient has one that mends it."""

from __future__ import annotations

import ast
import functools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import CodeType
from typing import Any

import numpy as np

from gradproof.diagnose.evidence import Floats, sizes
from gradproof.mend.atoms import Atoms
from gradproof.mend.change import Change
from gradproof.mend.edited import edited, parses
from gradproof.mend.fit import fits
from gradproof.mend.hollow import is_hollow
from gradproof.mend.kinds import FORWARD_TYPOS, KEPT, KEPT_FIRST, TIERS, Kind
from gradproof.mend.levers import Lever, lever
from gradproof.mend.patch import compiled, patched
from gradproof.mend.seen import seen
from gradproof.mend.slots import Slot, is_read, makes_room, takes_factor
from gradproof.mend.solved import compound, counted, simple
from gradproof.mend.targets import Trees
from gradproof.mend.tree import Tree
from gradproof.mend.trial import Trial

MOST_SOLVED = 200  # formulas that fit at one example, whatever was tried before
MOST_FITS = 60  # numbers that are fitted, whatever was tried before
MOST_SIDES = 200  # changes of forward, each of which is measured anew
MOST_FORWARD = 60  # changes of what forward keeps: each of them costs forwards
ENOUGH, PLENTY = 4, 6  # wrong entries that a change must make right, and a formula: fewer agree by chance


Grammar = Callable[[Lever], Iterable[Change]]


@dataclass(frozen=True, eq=False)
class Mend:
    """A change that was tried: with it, the gradients of ``tensors`` are right at all ``examples`` examples.

    after: the change of another slip, which has to be made as well.
    """

    change: Change
    tree: Tree
    tensors: frozenset[str]
    examples: int
    after: tuple[Mend, ...] = ()


class Bench:
    """The examples, which gradients are ``wrong`` or ``right`` at them, and what was ``found``, the best first."""

    def __init__(
        self,
        trials: Sequence[Trial],
        reserve: Iterator[Trial],
        fresh: Iterator[Trial],
        most: int,
        sides: Sequence[Kind],
    ) -> None:
        # first those where something is wrong: they turn down what does not help
        self.trials = sorted(trials, key=lambda each: not each.counts)
        names = {name for each in trials for name in each.counts}
        counts = {name: sum(each.counts.get(name, 0) for each in trials) for name in names}
        self.wrong = frozenset(name for name in names if counts[name] >= ENOUGH)
        self._few = frozenset(names) - self.wrong  # too few wrong entries to look for a change; it may mend these, too
        self.right = frozenset(name for each in trials for name in each.samples) - names
        self.found: list[Mend] = []
        self.confirming: list[Trial] = []  # further examples, run only once something fits at all the others
        self.fresh: list[Trial] = []  # of which nothing was judged, at which a change is confirmed
        self._reserve, self._unused = reserve, fresh
        self._seen: set[object] = set()
        self._forward: Tree | None = None
        self._left = most  # changes that may still be tried
        self._sides = sides  # kinds of change of forward, tried where none of backward helps

    @functools.cached_property
    def clear(self) -> Trial:
        """The example that tells most of a formula: all is wrong there, few sizes are 1, and it holds few numbers."""
        return min(self.trials, key=self._hidden)

    def _hidden(self, trial: Trial) -> tuple[int, int, bool, int]:
        values = [v for v in trial.outcome.example.inputs.values() if isinstance(v, np.ndarray)]
        ones = sum(size == 1 for size in sizes(trial.outcome.example.dims).values())
        few = sum(trial.counts.values()) < PLENTY
        return len(self.wrong - trial.counts.keys()), ones, few, sum(value.size for value in values)

    def work(self, own: Trees, near: Trees, trees: Trees) -> None:
        """Tier after tier, until a change is found for every wrong gradient, or the work is used up.

        ``own`` holds the statements that feed no right gradient, ``near`` those that feed a wrong one.
        """
        self._forward = next(iter(trees.forward), None)
        try:
            self._work(own, near, trees)
        finally:
            self._done()

    def _work(self, own: Trees, near: Trees, trees: Trees) -> None:
        for kind in KEPT_FIRST:
            for tree in trees.kept:
                self._try(kind(tree), tree, anew=True)
        beside, rest = near.without(own), trees.without(near)
        slips, others = TIERS
        steps = (slips, own), (slips, beside), (others, own), (slips, rest), (others, beside), (others, rest)
        for kinds, part in steps:
            for kind in kinds:
                for tree in part.backward:
                    self._try(kind(tree), tree, anew=trees.in_forward)
            if self._done():
                if all(mend.change.renames for mend in self.found):
                    self._solve((simple,), own, near, trees, again=True)
                return
            if kinds is slips and part is beside:
                self._solve((counted, simple, compound), own, near, trees)
                if self._done() and any(mend.tensors >= self.wrong for mend in self.found):
                    return
                # one slip of forward that explains all is likelier than several of backward
                self._try_sides([kind for kind in self._sides if kind in FORWARD_TYPOS], trees)
                if self._done():
                    return
        self._left = max(self._left, MOST_FITS)
        for tree in trees.backward:
            gap = functools.partial(self._gap, tree, anew=trees.in_forward)
            self._try(fits(tree, gap), tree, anew=trees.in_forward)
        if not self._done():
            self._try_forward(trees)
        if not self.found:
            self._try_sides(self._sides, trees)

    def _solve(
        self, grammars: Sequence[Grammar], own: Trees, near: Trees, trees: Trees, *, again: bool = False
    ) -> None:
        """Look for a formula that makes right what is wrong: the simplest at every expression, then the rest.

        again: for what has been mended already, too.
        """
        for each in self.trials:
            each.unkept = seen(each, trees.forward[0]) if trees.forward else {}
        parts = own.backward, near.without(own).backward, trees.without(near).returning().backward
        places = [(tree, slot) for part in parts for tree in part for slot in _levers(tree)]
        levers: dict[int, Lever | None] = {}
        left, self._left = self._left, MOST_SOLVED
        for formulas in grammars:
            for number, (tree, slot) in enumerate(places):
                wanted = self.wrong if again else self._unmended()
                if not wanted:
                    break
                if formulas is counted and not _is_term(slot):
                    continue
                if number not in levers:
                    levers[number] = self._lever(tree, slot, wanted, anew=trees.in_forward)
                found = levers[number]
                if found is not None:
                    self._try(formulas(found), tree, anew=trees.in_forward)
        self._left = left

    def _lever(self, tree: Tree, slot: Slot, wanted: frozenset[str], *, anew: bool) -> Lever | None:
        """The lever at a place, where it can make right what is ``wanted``; None else."""
        found = lever(tree, slot, self.clear, wanted, _atoms(tree.atoms), anew=anew)
        return found if found is not None and found.suffices else None

    def _unmended(self) -> frozenset[str]:
        return self.wrong - {name for mend in self.found for name in mend.tensors}

    def _try_forward(self, trees: Trees) -> None:
        self._left = MOST_FORWARD
        for kind in KEPT:
            for tree in trees.kept:
                self._try(kind(tree), tree, anew=True)
        self._done()

    def _try_sides(self, kinds: Sequence[Kind], trees: Trees) -> None:
        """Look for a forward whose derivative backward is."""
        left, self._left = self._left, MOST_SIDES
        for kind in kinds:
            for tree in trees.forward:
                for change, code in self._changed(kind(tree), tree):
                    with patched(tree.function.live, code):
                        fits = all(each.is_derivative(np.random.default_rng(0)) for each in self._all())
                    if fits:
                        name, told = "GP110", f"your backward is right for another forward: {change.likely}"
                        if change.code == "GP108":
                            name, told = "GP108", f"an epsilon is in one of forward and backward alone: {change.text}"
                        found = replace(change, code=name, likely=told)
                        self.found.append(Mend(found, tree, self.wrong, len(self.trials)))
                        return
        self._left = left

    def _done(self) -> bool:
        masked = [mend.change for mend in self.found]
        self.found = [m for m in self.found if not any(other.masks(m.change) for other in masked)]
        # where a line can be mended, it is not the line that is one too many
        self.found.sort(key=lambda mend: (-len(mend.tensors), mend.change.deletes and not mend.change.sure))
        return self.wrong <= frozenset(name for mend in self.found for name in mend.tensors)

    def _changed(self, changes: Iterable[Change], tree: Tree) -> Iterator[tuple[Change, CodeType]]:
        """Those that compile to something that was not tried yet, as many as may be tried."""
        for change in changes:
            with change.made():
                code = compiled(tree.function.live, tree.node)
            if code is None:
                continue
            key = tree.function.place, code.co_code, repr(code.co_consts), code.co_names
            if key not in self._seen:
                self._seen.add(key)
                self._left -= 1
                if self._left < 0:
                    return
                yield change, code

    def _try(self, changes: Iterable[Change], tree: Tree, *, anew: bool) -> None:
        for change, code in self._changed(changes, tree):
            mended = self._confirmed(tree, change, code, self._mended(tree, change, code, anew=anew))
            if mended and not change.is_idle and self._can_be_told(tree, change, anew=anew):
                examples = len(self.trials) + len(self.confirming) + len(self.fresh)
                self.found.append(Mend(change, tree, mended, examples))

    def _confirmed(self, tree: Tree, change: Change, code: CodeType, mended: frozenset[str]) -> frozenset[str]:
        """Those that are right at fresh examples as well; none where one that was right is wrong there."""
        if not mended:
            return mended
        for each in self._unused:
            each.right = self.right if each.agrees(self.right) else frozenset()
            self.fresh.append(each)
        for each in self.fresh:
            with patched(tree.function.live, code, self._given(each, change)):
                if not each.agrees(mended | each.right):
                    return frozenset()
        return mended

    def _given(self, trial: Trial, change: Change) -> Mapping[str, Any]:
        """What the change needs of forward's arguments and variables, which are watched where they are asked for."""
        found = trial.given(change.needs)
        if len(found) < len(change.needs) and self._forward is not None:
            trial.unkept = seen(trial, self._forward)
            found = trial.given(change.needs)
        return found

    def _can_be_told(self, tree: Tree, change: Change, *, anew: bool) -> bool:
        """Whether it is the change that it looks like, and Python as it will stand there."""
        if not all(parses(each.text) for each in edited(change, tree.function.file)):
            return False
        return not is_hollow(tree, change, [*self.trials, *self.confirming], anew=anew)

    def _mended(self, tree: Tree, change: Change, code: CodeType, *, anew: bool) -> frozenset[str]:
        """The wrong gradients that are right then at every example; none where a right one became wrong."""
        left = self.wrong | self._few
        for each in self._all():
            with patched(tree.function.live, code, self._given(each, change)):
                right = each.now_right(anew=anew)
            if right is None or not each.right <= right:
                return frozenset()
            left &= right
            if not left & self.wrong:
                return frozenset()
        return left

    def _all(self) -> Iterator[Trial]:
        """The examples, and those in reserve: what fits at a few by chance is turned down there."""
        yield from self.trials
        self.confirming += self._reserve
        yield from self.confirming

    def _gap(self, tree: Tree, change: Change, *, anew: bool) -> Floats | None:
        """Claimed minus true at the clearest example, of all entries of what is wrong there."""
        with change.made():
            code = compiled(tree.function.live, tree.node)
        if code is None:
            return None
        with patched(tree.function.live, code):
            claims = self.clear.claims(anew=anew)
        parts: list[Floats] = []
        for name, sample in self.clear.samples.items():
            if name in self.wrong:
                if claims is None or name not in claims or np.shape(claims[name]) != sample.shape:
                    return None
                parts.append(np.ravel(claims[name])[sample.position] - sample.numeric)
        return np.concatenate(parts) if parts else None


def _is_term(slot: Slot) -> bool:
    return isinstance(slot.parent, ast.BinOp) and isinstance(slot.parent.op, ast.Add | ast.Sub)


@functools.lru_cache(maxsize=8)
def _atoms(texts: tuple[str, ...]) -> Atoms:
    return Atoms(texts)


def _levers(tree: Tree) -> list[Slot]:
    """The expressions at which a formula is looked for: whole values first, then their terms and factors."""
    named = [slot for slot in tree.slots if is_read(slot) and isinstance(slot.parent, ast.BinOp)]
    slots = [slot for slot in tree.slots if slot in named or (takes_factor(slot) and not makes_room(slot.node))]
    return sorted(slots, key=lambda slot: slot.parent is not slot.statement)
