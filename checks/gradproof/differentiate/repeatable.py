"""Makes forward repeatable, and finds which arrays it reads without a gradient; it judges no gradient."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gradproof.differentiate.differentiate import Floats
from gradproof.guard import SubjectError, fingerprint
from gradproof.subject import outputs
from gradproof.subject.outputs import Form
from gradproof.subject.subject import Subject

Forward = Callable[[Mapping[str, Any]], tuple[Any, ...]]  # with some of the inputs changed

FROZEN = "forward is random or keeps a state: frozen before every call"
MOST_UNCLAIMED = 8  # arrays without a gradient that are tried, one forward each: they end in notes


def repeatable_outputs(
    subject: Subject,
    forward: Forward,
    form: Form,
    returned: tuple[Any, ...],
    inputs: Mapping[str, Any],
    wanted: Sequence[str],
) -> Floats | None:
    """The outputs of a forward that can be repeated, the subject frozen where it must be; None where nothing helps.

    returned: of the forward at ``inputs`` that was just made; wanted: those of them that may be changed.
    What only a first forward does, as building parameters, makes no difference.
    """
    first = outputs.own(outputs.flat(returned, form))
    with contextlib.suppress(SubjectError):  # another input in between: a state that it leaves behind shows
        forward({name: outputs.stirred(inputs[name]) for name in wanted})
    before = subject.drawn(), fingerprint(inputs)
    again = outputs.flat(forward({}), form)
    draws = before != (subject.drawn(), fingerprint(inputs))
    if not draws and first is not None and again is not None and outputs.same(first, again):
        return first
    subject.frozen = True
    pair = []
    for _ in range(2):
        subject.restart()
        pair.append(outputs.own(outputs.flat(forward({}), form)))
    repeats = pair[0] is not None and pair[1] is not None and outputs.same(pair[0], pair[1])
    return pair[0] if repeats else None


def uncounted(subject: Subject, forward: Forward, form: Form, flat: Floats) -> tuple[str, ...]:
    """The arrays that change the outputs ``flat`` and for which the last backward left no gradient, by name."""
    found: list[str] = []
    for name in list(subject.unclaimed())[:MOST_UNCLAIMED]:
        subject.restart()
        array = subject.unclaimed().get(name)
        if array is None or not array.flags.writeable or not array.size:
            continue
        before = array.copy()
        try:
            array[...] = outputs.stirred(before)
            moved = outputs.flat(forward({}), form)
        except SubjectError:
            moved = None
        finally:
            array[...] = before
        if moved is None or not outputs.same(moved, flat):
            found.append(name)
    return tuple(found)
