"""Known arrays of a failing example, by name: what a slip in a formula may multiply by, add or leave out.

They know no cause. Every array is flat and stands beside the entries that were measured.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from itertools import combinations

import numpy as np

from gradproof.diagnose.evidence import Floats, Sample
from gradproof.diagnose.functions import sigmoid
from gradproof.findings import OWN, own

Named = dict[str, Floats]


def known(sample: Sample, tensor: str) -> Named:
    """Arrays of the tensor's shape: the inputs and parameters, forward's output, and what is commonly made of them."""
    shape = sample.shape
    found: Named = {}
    for name, value in plain(sample).items():
        laid = laid_out(value, shape)
        if laid is not None:
            found[own(name, tensor)] = laid[sample.position]
    dependence = sample.outcome.dependence
    if dependence is not None and dependence.shapes == (shape,):
        found["out"] = np.asarray(dependence.outputs, dtype=np.float64)[sample.position]
    found |= _labels(sample)
    derived = dict(_derived(OWN, found[OWN])) if OWN in found else {}
    derived |= dict(_of_output(found["out"])) if "out" in found else {}
    derived |= _whole(sample, tensor)
    return {name: value for name, value in {**found, **derived}.items() if np.isfinite(value).all()}


def upstream(sample: Sample) -> Floats | float | None:
    """What multiplies every entry: dout where the output has the tensor's shape, or is one number; else None."""
    dependence = sample.outcome.dependence
    if dependence is None:
        return None
    dout = np.asarray(dependence.dout, dtype=np.float64)
    if dependence.shapes == (sample.shape,):
        return dout[sample.position]
    return float(dout[0]) if dout.size == 1 else None


def plain(sample: Sample) -> Mapping[str, Floats]:
    """The float arrays that the example hands to the constructor and to forward."""
    example = sample.outcome.example
    values = {**example.init, **example.inputs}
    arrays = {
        name: value for name, value in values.items() if isinstance(value, np.ndarray) and value.dtype.kind == "f"
    }
    return {name: np.asarray(value, dtype=np.float64) for name, value in arrays.items()}


def laid_out(value: Floats, shape: tuple[int, ...]) -> Floats | None:
    """The array over ``shape``, flat: along its last axes as NumPy would broadcast, else along its first."""
    if value.ndim == 0 or value.ndim > len(shape):
        return None
    if shape[len(shape) - value.ndim :] == value.shape:
        return np.broadcast_to(value, shape).reshape(-1)
    if shape[: value.ndim] == value.shape:
        return np.broadcast_to(value.reshape(value.shape + (1,) * (len(shape) - value.ndim)), shape).reshape(-1)
    return None


def _labels(sample: Sample) -> Named:
    """Integer labels as one-hot rows, where they index the tensor's last axis."""
    shape, found = sample.shape, Named()
    for name, value in sample.outcome.example.inputs.items():
        if not isinstance(value, np.ndarray) or value.dtype.kind not in "iu" or not (value.size and shape):
            continue
        if value.shape == shape[:-1] and value.min() >= 0 and value.max() < shape[-1]:
            found[f"one_hot({name})"] = np.eye(shape[-1])[value].reshape(-1)[sample.position]
            found[name] = np.repeat(value.astype(np.float64).reshape(-1), shape[-1])[sample.position]
    return found


def _derived(name: str, x: Floats) -> Iterator[tuple[str, Floats]]:
    with np.errstate(all="ignore"):
        yield f"{name}**2", x**2
        yield f"1 - {name}", 1 - x
        yield f"1 + {name}", 1 + x
        yield f"1 - {name}**2", 1 - x**2
        yield f"{name} * (1 - {name})", x * (1 - x)
        yield f"exp({name})", np.exp(x)
        yield f"sigmoid({name})", sigmoid(x)
        yield f"1 - sigmoid({name})", sigmoid(-x)
        yield f"sigmoid'({name})", sigmoid(x) * sigmoid(-x)
        yield f"{name} * sigmoid({name})", x * sigmoid(x)
        yield f"{name} * sigmoid'({name})", x * sigmoid(x) * sigmoid(-x)
        yield f"tanh({name})", np.tanh(x)
        yield f"sign({name})", np.sign(x)
        yield f"|{name}|", np.abs(x)
        yield f"cos({name})", np.cos(x)
        yield f"sin({name})", np.sin(x)


def _of_output(y: Floats) -> Iterator[tuple[str, Floats]]:
    with np.errstate(all="ignore"):
        yield "out**2", y**2
        yield "1 - out", 1 - y
        yield "1 + out", 1 + y
        yield "1 - out**2", 1 - y**2
        yield "out * (1 - out)", y * (1 - y)
        yield "exp(out)", np.exp(y)


def _whole(sample: Sample, tensor: str) -> Named:
    """Arrays that need the whole tensor: the softmax of each row, and what is around the mean of each axis."""
    value = sample.outcome.example.inputs.get(tensor)
    if not isinstance(value, np.ndarray) or value.dtype.kind != "f" or value.shape != sample.shape or value.ndim == 0:
        return {}
    x = np.asarray(value, dtype=np.float64)
    if not x.size:
        return {}
    with np.errstate(all="ignore"):
        e = np.exp(x - x.max(axis=-1, keepdims=True))
        softmax = e / e.sum(axis=-1, keepdims=True)
    return {f"softmax({OWN})": softmax.reshape(-1)[sample.position]}


def scales(sizes: Mapping[str, int]) -> Iterator[tuple[str, ...]]:
    """No dim, each dim, and each pair of dims: what a factor may be divided by."""
    yield ()
    yield from ((name,) for name in sizes)
    yield from combinations(sizes, 2)


def written(simple: Fraction, names: tuple[str, ...]) -> str:
    """Write a factor over dims as it stands before a formula: "2 * ", "1/n * ", "-", "" for 1."""
    if not names:
        return {"1": "", "-1": "-"}.get(str(simple), f"{simple} * ")
    under = names[0] if len(names) == 1 else f"({' * '.join(names)})"
    return f"{simple.numerator}/{under if simple.denominator == 1 else f'({simple.denominator} * {under})'} * "
