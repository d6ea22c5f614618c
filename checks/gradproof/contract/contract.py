"""The contract of a layer at one example: every promise is tried, each by itself; it draws no examples.

The promises are those of every module in ``promises/``, in the order of their places. One that cannot be tried because
the layer raises, or returns no arrays, is left out: others report that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from gradproof.assembled import assembled
from gradproof.codes import CODES
from gradproof.compare.tally import is_unread
from gradproof.contract.promise import Promise
from gradproof.contract.session import Build, MalformedError, Scene
from gradproof.guard import Randomness, SubjectError, quiet
from gradproof.values import Defect, Example, Outcome, Reason

EXAMPLES = 3  # on which the contract is tried: what it holds for does not hang on values, and seldom on shapes

PROMISES = assembled("gradproof.contract.promises", Promise, "PROMISES")


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
        for promise in PROMISES:
            for defect in _tried(promise, scene) if asked is None or asked & promise.codes.keys() else ():
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


def _tried(promise: Promise, scene: Scene) -> Iterator[Defect]:
    try:
        yield from promise.broken(scene)
    except (SubjectError, MalformedError):
        return
