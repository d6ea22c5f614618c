"""Promises about a call made twice, or too early: forward again, backward again, backward before any forward."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gradproof.contract.change import beside
from gradproof.contract.promise import Promise
from gradproof.contract.session import Array, MalformedError, Returned, Scene, Session, differing, same
from gradproof.contract.states import clears_grads, collects, keeps_state, layer_of
from gradproof.guard import SubjectError
from gradproof.subject.subject import fixed_dout
from gradproof.values import Defect


def forward_again(scene: Scene) -> Iterator[Defect]:
    """The same input gives the same output, where forward draws nothing and keeps no state."""
    session = scene.session()
    before = session.drawn()
    first = session.forward(scene.inputs)
    if before != session.drawn() or keeps_state(session.subject):
        return
    second = session.forward(scene.inputs)
    for name in differing(list(first.then), first, second):
        seen = beside(name, ("the first time", first.then[name]), ("the second time", second.then[name]))
        lines = (
            ("seen", f"{seen}, for the same input"),
            ("why it matters", "what a net computes then depends on what it computed before"),
            ("what to do", "let forward begin from nothing: look for +=, append, or an update of self in forward; "
             "a layer that keeps a state on purpose says so: # gradproof: allow GP503"),
        )  # fmt: skip
        yield Defect("GP503", "forward gives another output for the same input", None, lines, "warning")
        return


def backward_again(scene: Scene) -> Iterator[Defect]:
    """A second backward after one forward gives the gradients of the first, and does not add to them."""
    session = scene.session()
    output = session.forward(scene.inputs)
    douts = scene.douts(output)
    is_loss = fixed_dout(session.subject, [a.shape for a in output.live.values()]) is not None
    start = _kept(session)
    before = session.drawn()
    first = session.backward(douts)
    if before != session.drawn():
        return
    try:
        second = session.backward(douts, clear=False)
    except SubjectError as raised:
        yield _only_once(f"{raised.error.kind}: {raised.error.message}".splitlines()[0])
        return
    differs = bool(differing(list(first.then), first, second))
    # a net calls the loss at its end once after each forward
    severity = "warning" if is_loss or (differs and _is_one_of_many(scene)) else "error"
    yield from _kept_anew(session, start, first, second, severity)
    returned = [name for name in first.then if name in session.given.live]
    for name in differing(returned, first, second):
        yield _differs(name, first, second, severity)


def _kept_anew(session: Session, start: Returned, first: Returned, second: Returned, severity: str) -> Iterator[Defect]:
    """The gradients that the layer keeps: those that the second backward made anew, and those that it added to."""
    kept = [name for name in first.then if name not in session.given.live]
    for name in differing(kept, first, second):
        if not _is_sum(first.then[name], second.then[name], start.then.get(name)):
            yield _differs(name, first, second, severity)
        elif not clears_grads(layer_of(session.subject)):
            anew = next((other for other in kept if _is_made_anew(first.then[other], second.then[other])), None)
            if "overwrites" in session.subject.promises:
                yield _accumulates(name, first, second)
            elif anew is not None:
                yield _half_accumulates(name, anew, first, second)


def _is_made_anew(first: Array, second: Array) -> bool:
    """Whether the second backward gave what the first one did, and not nothing."""
    return bool(first.any()) and same(first, second)


def _is_one_of_many(scene: Scene) -> bool:
    """Whether the layer collects its forwards, so that the second backward in a row may be that of an earlier one."""
    session = scene.session()
    session.forward(scene.inputs)
    return collects(session)


def _kept(session: Session) -> Returned:
    """The gradients that the layer holds before any backward."""
    found, _ = session.subject.gradients()
    return Returned.of({name: array for name, array in found.items() if isinstance(array, np.ndarray)})


def _is_sum(first: np.ndarray, second: np.ndarray, start: np.ndarray | None) -> bool:
    return first.shape == second.shape and same(second, first + first) and (start is None or bool(first.any()))


def _accumulates(name: str, first: Returned, second: Returned) -> Defect:
    seen = beside(f"d{name}", ("after one backward", first.then[name]), ("after two", second.then[name]))
    lines = (
        ("seen", f"{seen}: twice as much"),
        ("why it matters", "the optimizer of the book never sets grads to zero: each step adds all steps before it"),
        ("what to do", "set the gradient, do not add to it: grads[i][...] = ..., not +=; "
         "a layer that adds up within one backward sets its gradients to zero when backward begins"),
    )  # fmt: skip
    return Defect("GP513", f"backward adds to the gradient of {name}", name, lines)


def _half_accumulates(name: str, other: str, first: Returned, second: Returned) -> Defect:
    seen = beside(f"d{name}", ("after one backward", first.then[name]), ("after two", second.then[name]))
    lines = (
        ("seen", f"{seen}: twice as much, while d{other} stays what it is"),
        ("why it matters", f"whoever clears no gradient between two steps gets a right d{other} and a wrong d{name}"),
        ("what to do", f"treat both alike: set d{name} as d{other} is set, or set it to zero when backward begins"),
    )
    return Defect("GP513", f"backward adds to the gradient of {name}, and sets that of {other}", name, lines, "warning")


def _differs(name: str, first: Returned, second: Returned, severity: str) -> Defect:
    seen = beside(f"d{name}", ("the first time", first.then[name]), ("the second time", second.then[name]))
    lines = (
        ("seen", f"{seen}, for the same dout after one forward"),
        ("why it matters", "backward changed what forward had kept: a net that calls it twice gets two answers"),
        ("what to do", "let backward only read what forward kept: look for -=, *=, pop or an index that moves"),
    )
    return Defect("GP514", f"a second backward gives another gradient of {name}", name, lines, severity)


def _only_once(message: str) -> Defect:
    lines = (
        ("seen", f"the second backward after one forward raises {message}"),
        ("why it matters", "backward used up what forward had kept"),
        ("what to do", "read what forward kept without removing it: self.cache[-1], not self.cache.pop()"),
    )
    return Defect("GP515", "backward works only once after each forward", None, lines, "warning")


def backward_first(scene: Scene) -> Iterator[Defect]:
    """Backward before any forward raises, for there is nothing that it could be the gradient of."""
    reference = scene.session()
    if not scene.declared or not hasattr(reference.subject, "layer"):
        return  # an object may have been used before, and a pair of functions is given its cache
    douts = scene.douts(reference.forward(scene.inputs))
    right = reference.backward(douts)
    early = scene.session()
    early.given = reference.given
    try:
        found = early.backward(douts)
    except (SubjectError, MalformedError):
        return
    wrong = differing([name for name in right.then if name in found.then], right, found)
    if not wrong:
        return
    seen = beside(f"d{wrong[0]}", ("after forward", right.then[wrong[0]]), ("before any", found.then[wrong[0]]))
    lines = (
        ("seen", seen),
        ("why it matters", "a net that forgets a forward trains on numbers that mean nothing, and nobody notices"),
        ("what to do", "set what forward keeps to None in the constructor: backward then raises"),
    )
    yield Defect("GP506", "backward before any forward returns a gradient instead of an error", None, lines, "warning")


PROMISES = (
    Promise(forward_again, 110, {"GP503": ()}),
    Promise(backward_again, 120, {"GP513": ("accumulates",), "GP514": ("mutates",), "GP515": ()}),
    Promise(backward_first, 130, {"GP506": ()}),
)
