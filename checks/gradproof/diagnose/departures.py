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
    if not failing:
        return None
    for name in failing[0].varied:
        found = _of_one(name, failing, passing)
        if found is not None:
            return found
    return _of_any(failing, passing) or _of_made(failing, passing)


def _of_one(name: str, failing: Sequence[Example], passing: Sequence[Example]) -> Fact | None:
    """Where one hyper-parameter has to be away from its author's own value, or has to have one other value."""
    _, failing_away = _own_and_away(name, failing)
    own, away = _own_and_away(name, passing)
    if len(own) < ENOUGH or len(failing_away) < len(failing):
        return None
    fails, passes = _values(name, failing), _values(name, away)
    if away and len(fails) == 1 and fails.isdisjoint(passes):
        return Fact("fails-at-one-value", {"name": name, "value": fails.pop()})
    about = {"name": name, "value": text(failing[0].varied[name].own)}
    return Fact("fails-only-away-from" if away else "fails-away-from", about)


def _own_and_away(name: str, examples: Sequence[Example]) -> tuple[list[Example], list[Example]]:
    """The examples at the author's own value of ``name``, and those at another one."""
    varied = [example for example in examples if name in example.varied]
    own = [example for example in varied if not example.varied[name].is_moved]
    away = [example for example in varied if example.varied[name].is_moved]
    return own, away


def _values(name: str, examples: Sequence[Example]) -> set[str]:
    return {text(example.varied[name].value) for example in examples}


def _of_any(failing: Sequence[Example], passing: Sequence[Example]) -> Fact | None:
    """Where it is now this, now that hyper-parameter that has to be away."""
    own = [example for example in passing if example.varied and not moved(example)]
    away = [moved(example) for example in failing]
    if len(own) < ENOUGH or not all(away):
        return None
    names = set[str]().union(*away)
    defaults = tuple(f"{name} = {text(one.own)}" for name, one in failing[0].varied.items() if name in names)
    return Fact("fails-away-from-defaults", {"defaults": defaults}) if defaults else None


def _of_made(failing: Sequence[Example], passing: Sequence[Example]) -> Fact | None:
    """Where parameters that the layer makes itself have to be away from the values that it gives them."""
    own = [example for example in passing if not example.made]
    if len(own) < ENOUGH:
        return None
    common = set(failing[0].made).intersection(*(example.made for example in failing))
    names = tuple(name for name in failing[0].made if name in common)
    return Fact("fails-away-from-made", {"parameters": names}) if names else None
