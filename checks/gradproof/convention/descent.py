"""An optimizer of our own for layers that are handed one: plain gradient descent, whatever its method is called.

``W = opt.update(W, dW)``, ``opt.step(W, dW)``, ``W += opt(dW)``, ``opt.update(params, grads)`` move weights by the rate
times the gradient, so that the gradient can be read from how far they move. How the result is used says whether an
update is in place; it knows no layer.
"""

from __future__ import annotations

import dis
import functools
import itertools
import re
import sys
from collections.abc import Mapping, Sequence
from types import CodeType, FrameType, FunctionType, MethodType
from typing import Any

import numpy as np

from gradproof.convention import leaves
from gradproof.convention.gradnames import pairs, stems

RATES = frozenset({"lr", "learning_rate", "learningrate", "learn_rate", "eta", "step_size"})
RATE = 1.0  # the weights then move by the gradient itself: no digit is lost by a division

_OPTIMIZER = re.compile(
    r"(\w+_)?(optimi[sz]ers?|optims?|opts?|updater|update_rule|solver)(_?[a-z]{1,2}\d?)?", re.IGNORECASE
)
_RUNNING = re.compile(r"update|step|apply|get_|calc|compute|next", re.IGNORECASE)  # how methods of an optimizer begin
_SIGNS: Mapping[str, int] = {"+": -1, "+=": -1, "-": 1, "-=": 1}  # what is added to a weight is the step, not the slope


def is_optimizer(name: str) -> bool:
    """Whether an argument or attribute of this name is an optimizer: ``optimizer``, ``W_opt``, ``opt_b``."""
    return _OPTIMIZER.fullmatch(name.strip("_")) is not None


def optimizers_in(thing: object) -> list[leaves.Path]:
    """Where an object holds optimizers: ours, and its author's, which have a name that says so and a method to run."""
    return [path for path, value in leaves.objects(thing).items() if path and _runs(path, value)]


def _runs(path: leaves.Path, value: object) -> bool:
    if isinstance(value, Descent):
        return True
    is_named = any(isinstance(step.key, str) and is_optimizer(step.key) for step in path)
    methods = [name for base in type(value).__mro__[:-1] for name in vars(base)]
    return is_named and any(name == "__call__" or _RUNNING.match(name) for name in methods)


class Descent:
    """Plain gradient descent at ``rate``. Every name is a method of it, but for those of a learning rate.

    Two arrays are a weight and its gradient, two lists or dicts several of them, one array a gradient whose step is
    asked for. Without arrays nothing happens: ``optimizer()`` and ``optimizer.clone()`` give the optimizer itself.
    """

    def __init__(self, rate: float = RATE) -> None:
        self.rate = rate

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name == "rate":
            raise AttributeError(name)
        return self.rate if name.lower() in RATES else _Method(self)

    def __call__(self, *values: Any, **named: Any) -> Any:
        """One update, or one step, of what is given."""
        return _run(self, values, named, sys._getframe(1))  # pyright: ignore[reportPrivateUsage]


class _Method:
    """A method of a Descent, which an object may hold."""

    def __init__(self, owner: Descent) -> None:
        self.owner = owner

    def __call__(self, *values: Any, **named: Any) -> Any:
        return _run(self.owner, values, named, sys._getframe(1))  # pyright: ignore[reportPrivateUsage]


def _run(owner: Descent, values: Sequence[Any], named: Mapping[str, Any], frame: FrameType) -> Any:
    """One call of the optimizer by the code of ``frame``."""
    everything = [*values, *named.values()]
    groups = [value for value in everything if isinstance(value, (list, tuple, dict))]
    layers = list(filter(_is_object, everything))
    if layers:
        _move_held(owner, layers[0], [group for group in groups if isinstance(group, dict)])
        return owner
    if len(groups) >= 2:
        return _moved_groups(owner, groups[0], groups[1], discarded=_is_discarded(frame))
    return _run_on_arrays(owner, [*(("", value) for value in values), *named.items()], frame)


def _are_halves(given: Sequence[Any]) -> bool:
    """Whether they may be weights and, behind them, their gradients."""
    return len(given) >= 4 and len(given) % 2 == 0


def _run_on_arrays(owner: Descent, given: Sequence[tuple[str, Any]], frame: FrameType) -> Any:
    """One call with arrays, or with numbers where there are none. given: the values, each with its keyword or ""."""
    arrays = [each for each in given if _is_float(each[1])]
    taken = arrays or [each for each in given if isinstance(each[1], float)]
    is_kept = not _is_discarded(frame)
    if is_kept and _are_halves(taken):
        return _moved_halves(owner, taken)
    if len(taken) >= 2:
        return _moved_pair(owner, taken[0], taken[1], frame)
    if is_kept and arrays:
        return _sign(frame) * owner.rate * arrays[0][1]
    return owner


def _moved_halves(owner: Descent, given: Sequence[tuple[str, Any]]) -> tuple[Any, ...]:
    """Several weights, and behind them their gradients in the same order, each with its keyword."""
    half = len(given) // 2
    both = zip(given[:half], given[half:], strict=True)
    return tuple(_moved(owner, weight, gradient, discarded=False) for (_, weight), (_, gradient) in both)


def _moved_pair(owner: Descent, first: tuple[str, Any], second: tuple[str, Any], frame: FrameType) -> Any:
    """A weight and its gradient: the weight after the step, or the step where the code adds it to a weight itself."""
    weight, gradient = _in_order(first, second, frame)
    after = _following(frame)[:1]
    if after and after[0] in _SIGNS:
        return _sign(frame) * owner.rate * np.asarray(gradient)
    return _moved(owner, weight, gradient, discarded=_is_discarded(frame))


def _moved(owner: Descent, weight: Any, gradient: Any, *, discarded: bool) -> Any:
    step = owner.rate * np.asarray(gradient)
    if discarded and isinstance(weight, np.ndarray):
        weight -= step.reshape(weight.shape) if step.size == weight.size else step
        return None
    return weight - step


def _moved_groups(owner: Descent, weights: Any, gradients: Any, *, discarded: bool) -> Any:
    """Several weights at once: lists side by side, dicts by their keys."""
    if isinstance(weights, dict) and isinstance(gradients, dict):
        keys = {key: _gradient_key(key, gradients) for key in weights}
        moved: Any = {
            k: _moved(owner, weights[k], gradients[g], discarded=discarded) for k, g in keys.items() if g is not None
        }
    else:
        both = zip(_values(weights), _values(gradients), strict=False)
        moved = [_moved(owner, weight, gradient, discarded=discarded) for weight, gradient in both]
    return None if discarded else moved


def _move_held(owner: Descent, layer: Any, gradients: Sequence[dict[Any, Any]]) -> None:
    """The weights that a layer holds, by the names of their gradients in a dict; without one, it keeps them itself."""
    for group in gradients:
        named: dict[leaves.Path, Any] = {
            (leaves.Step(key, False),): gradient for key, gradient in group.items() if _is_float(gradient)
        }
        held = {path: value for path, value in leaves.leaves(layer).items() if _is_float(value)}
        for path, gradient in pairs(held, named).items():
            leaves.put(layer, path, _moved(owner, held[path], named[gradient], discarded=False))


def _values(group: Any) -> list[Any]:
    return list(group.values()) if isinstance(group, dict) else list(group)


def _gradient_key(key: Any, gradients: Mapping[Any, Any]) -> Any:
    """The key under which the gradient of ``key`` stands: the same, or ``dW`` for ``W``."""
    if key in gradients:
        return key
    return next((other for other in gradients if str(key).lower() in stems(other)), None)


def _in_order(first: tuple[str, Any], second: tuple[str, Any], frame: FrameType) -> tuple[Any, Any]:
    """The weight and its gradient, whichever comes first: by their keywords, else by what the calling object holds."""
    (first_name, one), (second_name, other) = first, second
    are_named = first_name and second_name
    if are_named and _is_paired(second_name, first_name):
        return other, one
    owner = next(iter(frame.f_locals.values()), None)
    held = {id(value): path for path, value in reversed(leaves.leaves(owner).items()) if isinstance(value, np.ndarray)}
    path, other_path = held.get(id(one)), held.get(id(other))
    return (other, one) if _is_weight_second(path, other_path, list(held.values())) else (one, other)


def _is_weight_second(first: leaves.Path | None, second: leaves.Path | None, held: Sequence[leaves.Path]) -> bool:
    """Whether the second of two values is the weight, by where the calling object holds each; None where it does not.

    held: where it holds arrays.
    """
    if second is None:
        return False
    if first is None:
        return not pairs(held, [second])  # else the second is the gradient of another array
    return bool(pairs([second], [first]))


def _is_paired(weight: str, gradient: str) -> bool:
    return weight.lower() in stems(gradient) or "" in stems(gradient)


def _is_object(value: Any) -> bool:
    """Whether it is something of the author's, as a layer that is handed over as a whole."""
    plain = (np.ndarray, type, FunctionType, MethodType, Descent)
    return hasattr(value, "__dict__") and not isinstance(value, plain)


def _is_float(value: Any) -> bool:
    return isinstance(value, (np.ndarray, np.floating)) and value.dtype.kind == "f"


def _following(frame: FrameType) -> tuple[str, ...]:
    """The instructions behind the call that a frame is at: operators by their signs, variables by their names."""
    return _program(frame.f_code).get(frame.f_lasti, ())


def _is_discarded(frame: FrameType) -> bool:
    """Whether the code makes no use of what the call gives: the update is to be in place."""
    return _following(frame)[:1] == ("POP_TOP",)


def _sign(frame: FrameType) -> int:
    """-1 where what the call gives is added to a weight, 1 where it is taken off, or nothing is seen of it."""
    after = _following(frame)
    if after[:1] and after[0].startswith("STORE "):
        loaded = after[0].replace("STORE", "LOAD")
        after = after[after.index(loaded) :] if loaded in after else ()
    return next((_SIGNS[word] for word in after if word in _SIGNS), 1)


@functools.lru_cache(maxsize=64)
def _program(code: CodeType) -> Mapping[int, tuple[str, ...]]:
    """For the place of each instruction, those behind it in words."""
    found = list(dis.get_instructions(code))
    words = [_words(instruction) for instruction in found]
    program: dict[int, tuple[str, ...]] = {}
    for i, instruction in enumerate(found):
        behind = words[i + 1 : i + 1 + _AHEAD]
        program[instruction.offset] = tuple(itertools.chain.from_iterable(behind))
    return program


_AHEAD = 60  # instructions behind a call in which its result is looked for


def _words(instruction: dis.Instruction) -> Sequence[str]:
    if instruction.opname == "BINARY_OP":
        return [instruction.argrepr]
    kinds = re.findall("STORE_FAST|LOAD_FAST", instruction.opname)  # newer versions of Python do two at once
    names = instruction.argval if isinstance(instruction.argval, tuple) else (instruction.argval,)
    if not kinds or len(kinds) != len(names):
        return [instruction.opname]
    return [f"{kind.removesuffix('_FAST')} {name}" for kind, name in zip(kinds, names, strict=True)]
