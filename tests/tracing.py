"""A traced run by hand: arguments by name, code that uses them, and what that use proposes, as text."""

from __future__ import annotations

import numpy as np

from gradproof.trace.arrays import watched
from gradproof.trace.calls import call
from gradproof.trace.candidate import Candidate
from gradproof.trace.changes import (
    UNKNOWN,
    Become,
    Equal,
    Multiple,
    Rank,
    Small,
    Together,
    Unfit,
    What,
    Whole,
    array,
    labels,
)
from gradproof.trace.distant_causes import anything
from gradproof.trace.integers import Dim
from gradproof.trace.library import instead_of
from gradproof.trace.run import Hint, TracedRun, begin, end
from gradproof.trace.unknown import Unknown

NUMPY = instead_of(np)  # what the user's modules see


def told(change):
    """A change in a few words."""
    match change:
        case Together():
            return " and ".join(map(told, change.equations))
        case Equal():
            return f"{change.dim} = {change.size.text()}"
        case Multiple():
            return f"{change.dim} is a multiple of {change.of.text()}"
        case Rank():
            return f"{change.argument} has {change.rank} axes"
        case Small():
            return f"{', '.join(sorted(change.dims))} small"
        case Whole():
            return f"{change.dim} far too large"
        case Become():
            kind = change.kind
            what = kind.value if kind.what is What.VALUE else kind.what.name.lower()
            return f"{change.argument} is {what}{kind.rank or ''}"


def run_of(**kinds):
    """A run whose arguments are of these kinds; those that a constructor takes begin with a capital letter."""
    hints = {name: Hint(name, built=name[0].isupper(), first=place == 0) for place, name in enumerate(kinds)}
    candidate = Candidate(kinds)
    return TracedRun(candidate, candidate.sizes(falling=False), hints, call)


def values_of(run):
    """The arguments as forward is given them."""
    found = {}
    for name, kind in run.candidate.kinds.items():
        shape = [axis.at(run.sizes) for axis in run.candidate.axes(name)]
        if kind is UNKNOWN:
            found[name] = Unknown(run.hints[name])
        elif kind.what is What.LABELS:
            size = run.candidate.below(name).at(run.sizes)
            found[name] = watched(np.full(shape, size - 1), name, holds_labels=True)
        elif kind.what is What.SIZE:
            found[name] = Dim(shape[0], run.candidate.axes(name)[0])
        else:
            found[name] = watched(np.full(shape, 0.5), name, holds_labels=False)
    return found


def proposed(use, **kinds):
    """What a use of arguments of these kinds proposes, the likeliest first; None where it goes through."""
    run = run_of(**kinds)
    begin(run)
    try:
        use(**values_of(run))
    except Unfit as unfit:
        found = unfit.proposals
    except Exception:  # raised by the code itself: only what was met before can tell why
        found = anything(run)
    else:
        return None
    finally:
        end()
    return [told(proposal.change) for proposal in sorted(found, key=lambda proposal: proposal.cost)]


VECTOR, MATRIX, CUBE = array(1), array(2), array(3)
ROWS = labels(1)
