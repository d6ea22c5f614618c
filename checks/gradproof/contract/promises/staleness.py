"""Promises about two forwards in a row: backward belongs to the later one, and earlier results stay as they were."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from gradproof.contract.change import beside, moved
from gradproof.contract.promise import Promise
from gradproof.contract.session import MalformedError, Returned, Scene, Session, differing
from gradproof.contract.states import collects, keeps_state
from gradproof.guard import SubjectError
from gradproof.subject import outputs
from gradproof.values import Defect

_STALE = (
    ("why it matters", "a net runs forward for every batch: the gradients then belong to an older one"),
    ("what to do", "let every forward set all that backward reads: self.x = x, not only the first time, no append"),
)
_BUFFER = (
    ("why it matters", "a net that runs the layer twice, or keeps its results, finds the later ones in their place"),
    ("what to do", "return a new array from each call, or a copy of the layer's own"),
)


def backward_after_another(scene: Scene) -> Iterator[Defect]:
    """Forward elsewhere, with its backward or without, forward here, backward: as of a layer that only was here."""
    reference = scene.session()
    before = reference.drawn()
    output = reference.forward(scene.inputs)
    # a layer that draws is compared only where it draws the same: a mask may differ where no output shows it
    start = None if reference.drawn() == before else before
    right = reference.backward(scene.douts(output))
    known: set[str | None] = set()
    for inputs, words in earlier_inputs(scene):
        for whole in (False, True):
            for defect in _after(scene, inputs, words, output, right, start, whole=whole):
                if defect.tensor not in known:
                    yield defect
                known.add(defect.tensor)
            if None in known:  # it raised
                return


def _after(
    scene: Scene,
    inputs: Mapping[str, Any],
    words: str,
    output: Returned,
    right: Returned,
    start: tuple[object, ...] | None,
    *,
    whole: bool,
) -> Iterator[Defect]:
    """``whole``: the earlier forward is followed by its backward, as each batch of a training is."""
    session = scene.session()
    try:
        earlier = session.forward(inputs)
        if whole:
            session.backward(scene.douts(earlier))
    except (SubjectError, MalformedError):
        return  # no input of the layer's, or no batch size that it takes
    scene.random.rewind()
    if start is not None and session.drawn() != start:
        return
    try:
        again = session.forward(scene.inputs)
    except SubjectError as raised:
        if not keeps_state(session.subject):
            yield _raises("forward", words, raised, "warning")
        return
    if differing(list(output.then), output, again):
        return  # random, or a state: another output has another gradient
    try:
        found = session.backward(scene.douts(output))
    except SubjectError as raised:
        yield _raises("backward", words, raised, _severity(session))
        return
    wrong = differing(list(right.then), right, found)
    if wrong:
        severity = _severity(session)
        yield from _belonging(wrong, right, found, _gradient_at(scene, inputs), words, severity)


def _severity(session: Session) -> str:
    """A layer that collects its forwards may mean the backward of an earlier one."""
    return "warning" if collects(session) else "error"


def _belonging(
    wrong: Sequence[str], right: Returned, found: Returned, past: Mapping[str, Any], words: str, severity: str
) -> Iterator[Defect]:
    for name in wrong:
        seen = beside(f"d{name}", ("on a new layer", right.then[name]), (f"after {words} before it", found.then[name]))
        whose = name in past and np.array_equal(past[name], found.then[name])
        kept = "the gradient of that earlier forward" if whose else "forward kept something of the earlier one"
        headline = f"the gradient of {name} belongs to an earlier forward"
        yield Defect("GP508", headline, name, (("seen", f"{seen}: {kept}"), *_STALE), severity)


def _gradient_at(scene: Scene, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
    session = scene.session()
    return session.backward(scene.douts(session.forward(inputs))).then


def _raises(call: str, words: str, raised: SubjectError, severity: str) -> Defect:
    first = f"{raised.error.kind}: {raised.error.message}".splitlines()[0]
    seen = ("seen", f"after {words} it raises {first}; a new layer does not")
    why = ("why it matters", "the last batch of an epoch is often a smaller one: training ends there")
    lines = (seen, why, _STALE[1])
    return Defect("GP508", f"{call} raises after {words}", None, lines, severity)


def buffers(scene: Scene) -> Iterator[Defect]:
    """The results of one forward and backward are left alone by the next ones."""
    session = scene.session()
    try:
        output = session.forward(stirred(scene))
        gradients = session.backward(scene.douts(output))
    except (SubjectError, MalformedError):
        return
    returned = gradients.only(session.given.live)
    earlier_inputs = session.given
    session.backward(scene.douts(session.forward(scene.inputs)))
    if next(earlier_inputs.changed(), None) is not None:
        return  # an output that lies in its input: a call that writes to its input is told as such
    for call, earlier, prefix in (("forward", output, ""), ("backward", returned, "d")):
        for name, before, after in earlier.changed():
            seen = f"{moved(prefix + name, before, after)}: the next {call} wrote its own result there"
            headline = f"the next {call} overwrites what {call} returned"
            yield Defect("GP517", headline, None, (("seen", seen), *_BUFFER), "warning")
            break


def stirred(scene: Scene) -> Mapping[str, Any]:
    """The inputs with other values, of the same shapes and domains."""
    return {n: outputs.stirred(v) if n in scene.wanted else v for n, v in scene.inputs.items()}


def earlier_inputs(scene: Scene) -> Iterator[tuple[Mapping[str, Any], str]]:
    """What a forward before may have been given: another input, one of other signs, a smaller batch, a larger one."""
    inputs = stirred(scene)
    yield inputs, "another input"
    # the values are those of the example, so that they are in its domain; a mask of theirs is another one
    turned = {n: np.flip(v) if n in scene.wanted else v for n, v in scene.inputs.items()}
    yield turned, "the same values in another order"
    given = {n: np.flip(v) if isinstance(v, np.ndarray) else v for n, v in scene.inputs.items()}
    if given.keys() != {*scene.wanted}:  # a mask or labels that are kept from before are others, too
        yield given, "the same values in another order"
    rows = _first_length(scene.inputs)
    if rows > 1:
        yield _with_rows(inputs, rows, range(rows - 1)), "a smaller batch"
    if rows:
        yield _with_rows(inputs, rows, [*range(rows), 0]), "a larger batch"


def _first_length(inputs: Mapping[str, Any]) -> int:
    """How many rows the first array with axes has; 0 where there is none."""
    return next((len(value) for value in inputs.values() if isinstance(value, np.ndarray) and value.ndim), 0)


def _with_rows(inputs: Mapping[str, Any], rows: int, chosen: Sequence[int]) -> Mapping[str, Any]:
    """These rows of every array that has as many as the batch."""
    return {name: value[list(chosen)] if _has_rows(value, rows) else value for name, value in inputs.items()}


def _has_rows(value: Any, rows: int) -> bool:
    return isinstance(value, np.ndarray) and value.ndim > 0 and len(value) == rows


PROMISES = (
    Promise(backward_after_another, 140, {"GP508": ("stale cache",)}),
    Promise(buffers, 150, {"GP517": ()}),
)
