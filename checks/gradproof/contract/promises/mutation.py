"""Promises about what a call leaves alone: inputs, parameters and dout; it knows no gradient."""

from __future__ import annotations

from collections.abc import Iterator

from gradproof.contract.change import moved
from gradproof.contract.promise import Promise
from gradproof.contract.session import Returned, Scene
from gradproof.values import Defect

_INPUT = (
    "write to a new array: x = x * 2 instead of x *= 2, or begin with x = x.copy()",
    "x is the output of the layer before, which keeps it for its own backward",
)
_DOUT = (
    "write to a new array: dx = dout.copy(); dx[mask] = 0, or dx = dout * (x > 0)",
    "where a value goes to two layers, a net hands the same dout to both: the second one gets what the first left",
)
_PARAMETERS = (
    "leave the update to the optimizer: compute with params, and write only to grads",
    "an optimizer updates the parameters, once for each step; a call that also does so moves them twice",
)


def mutations(scene: Scene) -> Iterator[Defect]:
    """Run forward and backward, and compare everything that they were given with what it was before."""
    session = scene.session()
    parameters = session.parameters()
    output = session.forward(scene.inputs)
    built_lazily = set(session.parameters().live) != set(parameters.live)
    yield from _changed("GP501", "forward", session.given, _INPUT)
    yield from () if built_lazily else _changed("GP502", "forward", parameters, _PARAMETERS)
    session.given, parameters = Returned.of(session.given.live), session.parameters()
    session.backward(scene.douts(output))
    yield from _changed("GP510", "backward", session.douts, _DOUT, severity="warning")
    yield from _changed("GP511", "backward", session.given, _INPUT)
    yield from _changed("GP512", "backward", parameters, _PARAMETERS)


def _changed(
    code: str, call: str, arrays: Returned, advice: tuple[str, str], severity: str = "error"
) -> Iterator[Defect]:
    for name, before, after in arrays.changed():
        lines = (("seen", f"{moved(name, before, after)}: {call} wrote to it"), ("why it matters", advice[1]))
        yield Defect(code, f"{call} changes {name}", name, (*lines, ("what to do", advice[0])), severity)


CODES = ("GP501", "GP502", "GP510", "GP511", "GP512")
PROMISES = (Promise(mutations, 100, dict.fromkeys(CODES, ("mutates",))),)
