"""The contract of a layer at one example: every promise is tried, each by itself; it draws no examples.

A promise that cannot be tried because the layer raises, or returns no arrays, is left out: others report that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from gradproof.codes import CODES
from gradproof.compare.tally import is_unread
from gradproof.contract.aliasing import aliases
from gradproof.contract.layout import layouts
from gradproof.contract.linearity import linear
from gradproof.contract.listing import lists
from gradproof.contract.mutation import mutations
from gradproof.contract.narrow import narrow, wide
from gradproof.contract.nodes_in_use import adds_up, graphs, one_node_twice
from gradproof.contract.reach import members, updates
from gradproof.contract.repetition import backward_again, backward_first, forward_again
from gradproof.contract.session import Build, MalformedError, Scene
from gradproof.contract.staleness import backward_after_another, buffers
from gradproof.guard import Randomness, SubjectError, quiet
from gradproof.values import Defect, Example, Outcome, Reason

EXAMPLES = 3  # on which the contract is tried: what it holds for does not hang on values, and seldom on shapes

# each with the codes that it may give
PROMISES: Mapping[Callable[[Scene], Iterator[Defect]], frozenset[str]] = {
    mutations: frozenset({"GP501", "GP502", "GP510", "GP511", "GP512"}),
    forward_again: frozenset({"GP503"}),
    backward_again: frozenset({"GP513", "GP514", "GP515"}),
    backward_first: frozenset({"GP506"}),
    backward_after_another: frozenset({"GP508"}),
    buffers: frozenset({"GP517"}),
    linear: frozenset({"GP509"}),
    layouts: frozenset({"GP504"}),
    narrow: frozenset({"GP505", "GP507"}),
    wide: frozenset({"GP507"}),
    aliases: frozenset({"GP516"}),
    lists: frozenset({"GP518", "GP519"}),
    updates: frozenset({"GP520"}),
    members: frozenset({"GP521"}),
    adds_up: frozenset({"GP701"}),
    one_node_twice: frozenset({"GP702"}),
    graphs: frozenset({"GP701", "GP703"}),
}


def keep(
    example: Example, build: Callable[[Example], Build], *, declared: bool = True, code: str | None = None
) -> Outcome:
    """Try every promise at one example, or that of ``code``; the outcome has the broken ones as its defects."""
    with quiet(), Randomness(example.seed) as random:
        scene = Scene(example, build, random, declared)
        if not _runs(scene):
            return Outcome(example, unjudged=Reason.NOT_EXAMINED, forwards=scene.forwards)
        defects: dict[tuple[str, str | None], Defect] = {}
        asked = None if code is None else {code, *CODES[code].follows}
        for promise, codes in PROMISES.items():
            for defect in _tried(promise, scene) if asked is None or asked & codes else ():
                defects.setdefault((defect.code, defect.tensor), defect)
        broken = {code for code, _ in defects}
        own = [defect for defect in defects.values() if broken.isdisjoint(CODES[defect.code].follows)]
        return Outcome(example, defects=tuple(own), forwards=scene.forwards)


def worth_keeping(outcomes: Sequence[Outcome]) -> list[Example]:
    """The examples on which the contract is tried: of those that ran through, the first ones with no dim below 2.

    A gradient that is missing, or of which nothing can be compared, is a fault before all promises.
    """
    ran = [outcome.example for outcome in outcomes if _ran_through(outcome) and _smallest(outcome.example) > 0]
    return sorted(ran, key=lambda example: min(_smallest(example), 2), reverse=True)[:EXAMPLES]


def _ran_through(outcome: Outcome) -> bool:
    """Whether every gradient of an example was compared."""
    is_compared = bool(outcome.tensors) and not any(is_unread(result) for result in outcome.tensors)
    return is_compared and outcome.error is None


def _smallest(example: Example) -> int:
    sizes = [size for value in example.dims.values() for size in (value if isinstance(value, tuple) else (value,))]
    return min(sizes, default=2)


def _runs(scene: Scene) -> bool:
    """Say whether forward and backward run through once, with finite outputs."""
    try:
        session = scene.session()
        output = session.forward(scene.inputs)
        session.backward(scene.douts(output))
    except (SubjectError, MalformedError):
        return False
    return all(np.isfinite(array).all() for array in output.then.values())


def _tried(promise: Callable[[Scene], Iterator[Defect]], scene: Scene) -> Iterator[Defect]:
    try:
        yield from promise(scene)
    except (SubjectError, MalformedError):
        return
