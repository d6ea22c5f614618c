"""What is told of an exception beside its traceback: its message, the shapes that met, what to do; it runs nothing."""

from __future__ import annotations

from collections.abc import Sequence

from gradproof.diagnose.evidence import has_distinct_dims, sizes
from gradproof.generate.hyperparameters import moved
from gradproof.values import LayerError, Outcome

# What shapes, indices and keys cause: in backward they come from what forward made, where forward ran.
_OF_SHAPES = frozenset({"ValueError", "IndexError", "AxisError", "LinAlgError", "KeyError", "UnboundLocalError"})
_OF_TYPES = "TypeError"  # so is this in a function, which is given dout and what forward handed over, and no more
_REFUSALS = ("raise", "assert")  # how a line begins on which the author refuses what came
ADVICE = {
    "AttributeError": "set the attribute in the constructor, or correct its name",
    "NameError": "define the name before it is used, or import it",
    "RecursionError": "look for a method that calls itself without an end",
    "UnboundLocalError": "assign the variable on every way that leads to this line",
    "KeyError": "store it under that key in forward, or correct the key",
}
_FITS = "forward ran at these sizes: make the line fit them; look for a .T, an axis or keepdims=True that is missing"
_BUILTIN = "a function stands there without a call: call it, or write the name that is meant (input is Python's own)"
_AGAIN = (
    "the same call came back before: look for what it leaves behind, as a list that grows or an array that is replaced"
)


def remarks_of(error: LayerError) -> tuple[tuple[str, str], ...]:
    """The first line of the message, and the arrays on the line that raised."""
    message = error.message.strip().splitlines()[:1]
    arrays = ", ".join(f"{name} {shape}" for name, shape in error.operands)
    return (*(("message", line) for line in message), *((("shapes there", arrays),) if arrays else ()))


def advice(error: LayerError) -> str | None:
    """What to do about an exception that is the layer's own; None where nothing general can be said."""
    if error.again:
        return _AGAIN
    if "builtin_function_or_method" in error.message:
        return _BUILTIN
    return ADVICE.get(error.kind, _FITS if is_of_backward(error) else None)


def is_everywhere(error: LayerError, minimal: Outcome, tried: Sequence[Outcome]) -> bool:
    """Whether backward raises wherever forward runs with these hyper-parameters, at sizes that tell the axes apart.

    Then no other sizes avoid it. A key may be missing in a dict that was made up for the layer.
    """
    given = [*minimal.example.init.values(), *minimal.example.inputs.values()]
    made_up = error.kind == "KeyError" and any(isinstance(value, dict) for value in given)
    with_same = [o for o in tried if moved(o.example) == moved(minimal.example)]
    return is_of_backward(error) and not made_up and all(o.error is not None for o in _telling([*with_same, minimal]))


def is_of_backward(error: LayerError) -> bool:
    """Whether backward raised at a line of its own what comes of the shapes that forward has settled.

    A call that is refused because of its arguments, by Python or by the author, tells of the arguments.
    """
    refused = error.text.startswith(_REFUSALS) or not error.line
    return error.stage == "backward" and (error.kind in _OF_SHAPES or error.kind == _OF_TYPES) and not refused


def _telling(tried: Sequence[Outcome]) -> list[Outcome]:
    """The examples that came as far as backward at sizes that tell most: all different, else all above 1, else any."""
    came = [outcome for outcome in tried if _came_to_backward(outcome) and _least(outcome) != 0]
    distinct = [outcome for outcome in came if has_distinct_dims(outcome.example.dims)]
    above = [outcome for outcome in came if _least(outcome) > 1]
    return distinct or above or came


def _came_to_backward(outcome: Outcome) -> bool:
    if outcome.tensors or outcome.defects:
        return True
    return outcome.error is not None and outcome.error.stage == "backward"


def _least(outcome: Outcome) -> int:
    """The least of the example's sizes."""
    return min(sizes(outcome.example.dims).values(), default=2)
