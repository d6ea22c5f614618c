"""States for which hyper-parameters and parameters a subject fails: only away from its author's own values.

It knows examples; no gradient and no cause.
"""

from __future__ import annotations

from collections.abc import Sequence

from gradproof.findings import Fact
from gradproof.generate.hyperparameters import moved, text
from gradproof.values import Example

ENOUGH = 2  # examples at the author's own values that pass: one may do so by chance


def departure(failing: Sequence[Example], passing: Sequence[Example]) -> Fact | None:
    """The law, where the author's own values of something hide the failure; None where they do not."""
    for name in failing[0].varied if failing else ():
        away = [example for example in passing if name in example.varied and example.varied[name].is_moved]
        own = [example for example in passing if name in example.varied and not example.varied[name].is_moved]
        if len(own) >= ENOUGH and all(name in example.varied and example.varied[name].is_moved for example in failing):
            values = {text(example.varied[name].value) for example in failing}
            if away and len(values) == 1 and values.isdisjoint(text(e.varied[name].value) for e in away):
                return Fact("fails-at-one-value", {"name": name, "value": values.pop()})
            about = {"name": name, "value": text(failing[0].varied[name].own)}
            return Fact("fails-only-away-from" if away else "fails-away-from", about)
    return _any_of(failing, passing) or _made(failing, passing)


def _any_of(failing: Sequence[Example], passing: Sequence[Example]) -> Fact | None:
    """Where it is now this, now that hyper-parameter that has to be away."""
    there = {name for example in failing for name in moved(example)}
    names = [name for name in (failing[0].varied if failing else ()) if name in there]
    own = [example for example in passing if example.varied and not moved(example)]
    if not names or len(own) < ENOUGH or not all(moved(example) for example in failing):
        return None
    defaults = tuple(f"{name} = {text(failing[0].varied[name].own)}" for name in names)
    return Fact("fails-away-from-defaults", {"defaults": defaults})


def _made(failing: Sequence[Example], passing: Sequence[Example]) -> Fact | None:
    own = [example for example in passing if not example.made]
    if len(own) >= ENOUGH and failing and all(example.made for example in failing):
        names = tuple(name for name in failing[0].made if all(name in example.made for example in failing))
        if names:
            return Fact("fails-away-from-made", {"parameters": names})
    return None
