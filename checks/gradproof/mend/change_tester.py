"""Tries changes of the source at examples with a known answer, and keeps those that mend a wrong gradient."""

from __future__ import annotations

import functools
import itertools
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import CodeType
from typing import Any

import numpy as np

from gradproof.diagnose.evidence import Floats, sizes
from gradproof.mend.change import Change
from gradproof.mend.directional import agrees, is_derivative
from gradproof.mend.edited import edited, parses
from gradproof.mend.forward_variables import variables_of_forward
from gradproof.mend.hollow import is_hollow
from gradproof.mend.patch import compiled, patched
from gradproof.mend.slip_kinds import EPSILON_ON_ONE_SIDE, OF_FORWARD
from gradproof.mend.tree import Tree
from gradproof.mend.trial import Trial

_EPSILON = "GP108"  # the code of changes of a constant that make a gradient right that was nearly so
ENOUGH, PLENTY = 4, 6  # wrong entries that a change must make right, and a formula: fewer agree by chance


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


class ChangeTester:
    """The examples, which gradients are ``wrong`` or ``right`` at them, and what was ``found``, the best first.

    ``left`` is how many changes may still be tried. ``confirming`` are further examples, run only once something fits
    at all the others; ``fresh`` those of which nothing was judged, at which a change is confirmed.
    """

    def __init__(self, trials: Sequence[Trial], reserve: Iterator[Trial], fresh: Iterator[Trial], most: int) -> None:
        # first those where something is wrong: they turn down what does not help
        self.trials = sorted(trials, key=lambda each: not each.counts)
        counts = Counter[str]()
        for each in trials:
            counts.update(each.counts)
        self.wrong = frozenset(name for name, count in counts.items() if count >= ENOUGH)
        self._few = counts.keys() - self.wrong  # too few wrong entries to look for a change; it may mend these, too
        self.right = frozenset(name for each in trials for name in each.samples) - counts.keys()
        self.found: list[Mend] = []
        self.confirming: list[Trial] = []
        self.fresh: list[Trial] = []
        self.forward: Tree | None = None  # of which the variables may be watched
        self.left = most
        self._reserve, self._unused = reserve, fresh
        self._tried: set[object] = set()

    @functools.cached_property
    def clearest(self) -> Trial:
        """The example that tells most of a formula: all is wrong there, few sizes are 1, and it holds few numbers."""
        return min(self.trials, key=self._hidden)

    def _hidden(self, trial: Trial) -> tuple[int, int, bool, int]:
        values = [v for v in trial.outcome.example.inputs.values() if isinstance(v, np.ndarray)]
        ones = sum(size == 1 for size in sizes(trial.outcome.example.dims).values())
        few = sum(trial.counts.values()) < PLENTY
        return len(self.wrong - trial.counts.keys()), ones, few, sum(value.size for value in values)

    @property
    def forwards(self) -> int:
        """How many forwards all its examples took."""
        return sum(each.forwards for each in (*self.trials, *self.confirming, *self.fresh))

    def unmended(self) -> frozenset[str]:
        """The wrong gradients for which nothing was found yet."""
        return self.wrong - {name for mend in self.found for name in mend.tensors}

    def all_mended(self) -> bool:
        """Put what was found in order, the best first, without what hides behind another; whether it is enough."""
        masked = {mend for mend in self.found if self._is_masked(mend)}
        self.found = [mend for mend in self.found if mend not in masked]
        # where a line can be mended, it is not the line that is one too many
        self.found.sort(key=lambda mend: (-len(mend.tensors), mend.change.deletes and not mend.change.sure))
        return not self.unmended()

    def _is_masked(self, mend: Mend) -> bool:
        return any(other.change.masks(mend.change) for other in self.found)

    def try_changes(self, changes: Iterable[Change], tree: Tree, *, anew: bool, most: int | None = None) -> None:
        """Keep those with which some wrong gradient is right, and no right one wrong, at every example.

        most: how many of them are tried, if there are as many.
        """
        for change, code in itertools.islice(self._untried(changes, tree), most):
            mended = self._confirmed(tree, change, code, self._mended(tree, change, code, anew=anew))
            if mended and not change.is_idle and self._can_be_shown(tree, change, anew=anew):
                examples = len(self.trials) + len(self.confirming) + len(self.fresh)
                self.found.append(Mend(change, tree, mended, examples))

    def try_forwards(self, changes: Iterable[Change], tree: Tree) -> bool:
        """Whether one of these makes a forward whose derivative backward is; the first one is kept."""
        for change, code in self._untried(changes, tree):
            with patched(tree.function.live, code):
                fits = all(self._are_derivatives())
            if fits and (change.code == _EPSILON or not self._is_nearly_derivative):
                self.found.append(Mend(_of_forward(change), tree, self.wrong, len(self.trials)))
                return True
        return False

    def _are_derivatives(self) -> Iterator[bool]:
        """Whether backward is the derivative of forward, as both are now, at each of the examples."""
        return (is_derivative(each, np.random.default_rng(0)) for each in self._all())

    @functools.cached_property
    def _is_nearly_derivative(self) -> bool:
        """Whether backward is so close to the derivative of forward that another forward would tell nothing."""
        near = list(self._are_derivatives())
        return 2 * sum(near) > len(near)

    def _untried(self, changes: Iterable[Change], tree: Tree) -> Iterator[tuple[Change, CodeType]]:
        """Those that compile to something that was not tried yet, as many as may be tried."""
        for change in changes:
            with change.made():
                code = compiled(tree.function.live, tree.node)
            if code is None:
                continue
            key = tree.function.place, code.co_code, repr(code.co_consts), code.co_names
            if key not in self._tried:
                self._tried.add(key)
                self.left -= 1
                if self.left < 0:
                    return
                yield change, code

    def _confirmed(self, tree: Tree, change: Change, code: CodeType, mended: frozenset[str]) -> frozenset[str]:
        """Those that are right at fresh examples as well; none where one that was right is wrong there."""
        if not mended:
            return mended
        for each in self._unused:
            each.right = self.right if agrees(each, self.right) else frozenset()
            self.fresh.append(each)
        for each in self.fresh:
            with patched(tree.function.live, code, self._given(each, change)):
                if not agrees(each, mended | each.right):
                    return frozenset()
        return mended

    def _given(self, trial: Trial, change: Change) -> Mapping[str, Any]:
        """What the change needs of forward's arguments and variables, which are watched where they are asked for."""
        found = trial.given(change.needs)
        if len(found) < len(change.needs) and self.forward is not None:
            trial.unkept = variables_of_forward(trial, self.forward)
            found = trial.given(change.needs)
        return found

    def _can_be_shown(self, tree: Tree, change: Change, *, anew: bool) -> bool:
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

    def gap(self, tree: Tree, change: Change, *, anew: bool) -> Floats | None:
        """Claimed minus true at the clearest example, of all entries of what is wrong there; None where it raises."""
        with change.made():
            code = compiled(tree.function.live, tree.node)
        if code is None:
            return None
        with patched(tree.function.live, code):
            claims = self.clearest.claims(anew=anew) or {}
        parts: list[Floats] = []
        for name, sample in self.clearest.samples.items():
            if name not in self.wrong:
                continue
            if name not in claims or np.shape(claims[name]) != sample.shape:
                return None
            parts.append(np.ravel(claims[name])[sample.position] - sample.numeric)
        return np.concatenate(parts) if parts else None


def _of_forward(change: Change) -> Change:
    """A change of forward, with the slip that backward is right for another forward."""
    if change.code == _EPSILON:
        return replace(change, slip=EPSILON_ON_ONE_SIDE(line=change.text))
    return replace(change, slip=OF_FORWARD(change=change.slip.fact))
