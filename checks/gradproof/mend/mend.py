"""The search for a small change of the source after which the gradients are right, at every example tried.

A change explains a fault by being tried: no rule has to know the formula. One that does not mend every example that was
tried explains nothing.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from gradproof.deadlines import Expired, reached
from gradproof.findings import Location
from gradproof.guard import Randomness, SubjectError, quiet
from gradproof.mend.budget import Budget, SpentError
from gradproof.mend.change_kind import Changes
from gradproof.mend.change_tester import ChangeTester, Mend
from gradproof.mend.fresh import fresh_trial
from gradproof.mend.patch import compiled, patched
from gradproof.mend.search_order import SearchOrder
from gradproof.mend.targets import Trees
from gradproof.mend.trial import Build, Trial, trial
from gradproof.source.origin import Place
from gradproof.values import Example, Outcome

MOST_FIRST = 3  # changes with which a second slip is looked for


@dataclass(frozen=True)
class Mended:
    """What the search found, the best first, and the forwards that it took.

    ``any_shape`` names the tensors of which it mends the values, and leaves the shape as it is; ``wrong`` those that
    were to be mended. raising: whether they were tried where backward raises. cut_off: the seconds of the subject, or
    of one call, after which the clock ended the search; None as a rule, for its work is counted.
    """

    mends: tuple[Mend, ...] = ()
    forwards: int = 0
    any_shape: frozenset[str] = frozenset()
    wrong: frozenset[str] = frozenset()
    raising: bool = False
    cut_off: float | None = None

    def of(self, tensor: str | None) -> list[Mend]:
        """The mends for the gradient of one tensor, the best first; of None, all."""
        return [mend for mend in self.mends if tensor is None or tensor in mend.tensors]


def search(
    trees: Trees,
    outcomes: Sequence[Outcome],
    reserve: Sequence[Outcome],
    fresh: Iterator[Example],
    build: Callable[[Example], Build],
    place: Callable[[str], Place | None],
    *,
    most: int,
    lines: Sequence[Location] = (),
    sides: Sequence[Changes] = (),
    twice: bool = False,
    any_shape: frozenset[str] = frozenset(),
) -> Mended:
    """Try changes of what backward alone runs, the likeliest slips first, then of what forward keeps.

    reserve: further outcomes, at which a change that helps at the others is tried, too. fresh: examples that were not
    judged, at which it is confirmed. place: where the gradient of a tensor is computed. most: changes that are tried.
    lines: those that are seen to be wrong: what stands on them is changed first.
    sides: kinds of change of forward, tried where nothing else helps. twice: a second backward after one forward must
    be right, too. any_shape: the tensors whose gradient need not have their shape.
    """
    with contextlib.ExitStack() as stack:
        stack.enter_context(quiet())
        how = {"budget": Budget(), "twice": twice, "any_shape": any_shape}
        cut_off: float | None = None
        testers: list[ChangeTester] = []

        def tried(kinds: Sequence[Changes], examples: Iterator[Example]) -> list[Mend]:
            trials, more = (_trials(some, build, stack, **how) for some in (outcomes, reserve))
            tester = ChangeTester(list(trials), more, _fresh_trials(examples, build, stack, **how), most)
            testers.append(tester)
            _run(tester, trees, kinds, place, lines)
            return tester.found

        found: list[Mend] = []
        fresh, *others = itertools.tee(fresh, 1 + MOST_FIRST)
        copies = iter(others)
        try:
            found += tried(sides, fresh)
            found = _with_second(found, testers[0].wrong, lambda: tried((), next(copies)))
        except (Expired, SpentError) as ended:
            found = found or testers[0].found if testers else found
            cut_off = reached() if isinstance(ended, Expired) else None
        wrong = testers[0].wrong if testers else frozenset[str]()
        raising = any(each.outcome.error is not None for tester in testers for each in tester.trials)
        return Mended(tuple(found), sum(each.forwards for each in testers), any_shape, wrong, raising, cut_off)


def _run(
    tester: ChangeTester,
    trees: Trees,
    kinds: Sequence[Changes],
    place: Callable[[str], Place | None],
    lines: Sequence[Location],
) -> None:
    """Try changes in their order, until the work is used up."""
    if not tester.wrong:
        return
    wrong = [found for found in map(place, tester.wrong) if found is not None]
    right = [found for found in map(place, tester.right) if found is not None]
    with contextlib.suppress(SpentError):
        own = trees.at(lines) or trees.feeding(wrong, right)
        SearchOrder(tester, own, trees.feeding(wrong), trees, kinds).run()


def _with_second(found: list[Mend], wrong: frozenset[str], search_again: Callable[[], list[Mend]]) -> list[Mend]:
    """What was found, and what mends the rest with one of these changes in its place.

    One of two slips may hide behind the other; an earlier line is the likelier to feed both gradients.
    """
    rest = wrong.difference(*(mend.tensors for mend in found))
    if not rest:
        return found
    for first in _first_ones(found):
        more = _search_with(first, search_again)
        second = [replace(mend, after=(first,)) for mend in more if mend.tensors & rest]
        if second:
            return [first, *(mend for mend in found if mend is not first), *second]
    return found


def _first_ones(found: Sequence[Mend]) -> list[Mend]:
    """The best change of each of the first lines, without those that need what forward does not keep."""
    best = {mend.change.statement: mend for mend in reversed(found) if not mend.change.needs}
    return sorted(best.values(), key=lambda mend: mend.change.statement.lineno)[:MOST_FIRST]


def _search_with(first: Mend, search_again: Callable[[], list[Mend]]) -> list[Mend]:
    """What is found in other statements once a change is made."""
    live = first.tree.function.live
    with first.change.made():
        code = compiled(live, first.tree.node)
        if code is None:
            return []
        with patched(live, code):
            more = search_again()
    return [mend for mend in more if mend.change.statements.isdisjoint(first.change.statements)]


def _fresh_trials(
    examples: Iterator[Example], build: Callable[[Example], Build], stack: contextlib.ExitStack, **how: Any
) -> Iterator[Trial]:
    for example in examples:
        with contextlib.suppress(SubjectError):
            random = stack.enter_context(Randomness(example.seed))
            made = fresh_trial(example, build(example)(random, widen=True), **how)
            if made is not None:
                yield made


def _trials(
    outcomes: Sequence[Outcome], build: Callable[[Example], Build], stack: contextlib.ExitStack, **how: Any
) -> Iterator[Trial]:
    for outcome in outcomes:
        with contextlib.suppress(SubjectError):
            random = stack.enter_context(Randomness(outcome.example.seed))
            made = trial(outcome, build(outcome.example), random, **how)
            if made is not None:
                yield made
