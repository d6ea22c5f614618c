"""What a softmax, a norm or a loss over classes takes off a value: sums of the value itself; it knows no gradient."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import combinations, permutations

import numpy as np

from gradproof.differentiate.differentiate import Floats
from gradproof.mend.contractions import bracketed
from gradproof.mend.slip import Slip, SlipKind

Make = Callable[[Floats, Mapping[str, Floats]], Floats]
Formula = tuple[str, Make, Slip]  # the text, how it is made, the slip
Reduce = Callable[[Floats], Floats]


def _missing(name: str, words: str) -> SlipKind:
    return SlipKind("GP113", f"slip-term-missing-{name}", f"a term is missing: {words}", ("a term missing",))


TIMES_SUM = _missing("times-sum", "{array} times a sum, by which forward couples the entries")
PLAIN_SUM = _missing("sum", "a sum, by which forward couples the entries, is not subtracted")
TWO_MEANS = _missing("means", "the mean, and {array} times a mean, are not subtracted")
PROJECTION = _missing("projection", "what lies along {array} is not taken off")
MEAN = _missing("mean", "the mean over axis {axis} is not subtracted")
TRUE_CLASS = _missing("true-class", "1 is not subtracted at the true class of each row")
TRUE_CLASS_MEAN = _missing("true-class-mean", "1 / n is not subtracted at the true class of each row")
OTHERS = _missing("other-classes", "the true class of each row gets nothing: minus the sum of the others")
SOFTMAX = SlipKind(
    "GP113",
    "slip-derivative-missing-softmax",
    "a derivative is missing: that of the softmax, which couples the entries",
    ("derivative left out", "a layer skipped", "a term missing"),
)

# of the value e and an array v of its shape: the text, the slip, and how it is made with the sum and the mean
_COUPLED: tuple[tuple[str, SlipKind, Callable[[Floats, Floats, Reduce, Reduce], Floats]], ...] = (
    ("{e} - ({e} * {v}).sum({over})", PLAIN_SUM, lambda e, v, total, _: e - total(e * v)),
    ("{e} - {v} * ({e} * {v}).sum({over})", TIMES_SUM, lambda e, v, total, _: e - v * total(e * v)),
    ("{e} - {v} * ({e} * {v}).mean({over})", TIMES_SUM, lambda e, v, _, mean: e - v * mean(e * v)),
    ("{e} - {v} * {e}.sum({over})", TIMES_SUM, lambda e, v, total, _: e - v * total(e)),
    ("{v} * ({e} - ({e} * {v}).sum({over}))", SOFTMAX, lambda e, v, total, _: v * (e - total(e * v))),
    (
        "{e} - {e}.mean({over}) - {v} * ({e} * {v}).mean({over})",
        TWO_MEANS,
        lambda e, v, _, mean: e - mean(e) - v * mean(e * v),
    ),
    (
        "{e} - {v} * ({e} * {v}).sum({over}) / ({v} ** 2).sum({over})",
        PROJECTION,
        lambda e, v, total, _: e - v * total(e * v) / total(v * v),
    ),
)
# of the value e and a 1 at the true class of each row
_CLASSES: tuple[tuple[str, SlipKind, Callable[[Floats, Floats], Floats]], ...] = (
    ("{e} - {one}", TRUE_CLASS, lambda e, one: e - one),
    (
        "{e} - {one} / len({e})",
        TRUE_CLASS_MEAN,
        lambda e, one: e - one / max(len(e), 1),
    ),
    (
        "{e} - {e}.sum(axis=1, keepdims=True) * {one}",
        OTHERS,
        lambda e, one: e - e.sum(axis=1, keepdims=True) * one if not (e * one).any() else e,
    ),
)


def couplings(own: str, names: Sequence[str], ndim: int) -> Iterator[Formula]:
    """The value less its own mean or sum along axes, alone or times an array; less what belongs to the true class."""
    e = f"({own})"
    for axes in (axes for count in range(1, ndim + 1) for axes in combinations(range(ndim), count)):
        axis = axes[0] if len(axes) == 1 else axes
        yield from _coupled(e, names, axes, f"axis={axis}, keepdims=True", axis)
        if axes == (ndim - 1,):  # of arrays of another rank, too
            yield from _coupled(e, names, (-1,), "axis=-1, keepdims=True", -1)
    for name in names:
        one = f"np.eye({e}.shape[1])[{name}]"
        for form, kind, at_class in _CLASSES:
            yield form.format(e=e, one=one), _at_labels(name, at_class), kind()


def _coupled(e: str, names: Sequence[str], axes: tuple[int, ...], over: str, axis: object) -> Iterator[Formula]:
    yield f"{e} - {e}.mean({over})", _centred(axes), MEAN(axis=str(axis))
    for name in names:
        for form, kind, function in _COUPLED:
            text = form.format(e=e, v=bracketed(name), over=over)
            yield text, _along(name, axes, function), kind(array=name)


def softmaxes(names: Sequence[str], ndim: int) -> Iterator[Formula]:
    """What a softmax hands back, of every two arrays of one shape: its output, and what came from upstream."""
    for d, v in permutations(names, 2):
        for axis in range(ndim):
            text = f"{bracketed(v)} * ({d} - ({bracketed(d)} * {bracketed(v)}).sum(axis={axis}, keepdims=True))"
            yield text, _softmax(d, v, axis), SOFTMAX(array=v)


def _softmax(d: str, v: str, axis: int) -> Make:
    def made(_: Floats, names: Mapping[str, Floats]) -> Floats:
        one, other = names[d], names[v]
        result: Floats = other * (one - (one * other).sum(axis=axis, keepdims=True))
        return result

    return made


def _centred(axes: tuple[int, ...]) -> Make:
    return lambda e, _: e - e.mean(axis=axes, keepdims=True)


def _along(name: str, axes: tuple[int, ...], function: Callable[[Floats, Floats, Reduce, Reduce], Floats]) -> Make:
    def total(values: Floats) -> Floats:
        result: Floats = values.sum(axis=axes, keepdims=True)
        return result

    def mean(values: Floats) -> Floats:
        result: Floats = values.mean(axis=axes, keepdims=True)
        return result

    def made(e: Floats, names: Mapping[str, Floats]) -> Floats:
        if names[name].shape != e.shape:
            raise ValueError(f"{name} has another shape")
        return function(e, names[name], total, mean)

    return made


def _at_labels(name: str, function: Callable[[Floats, Floats], Floats]) -> Make:
    def made(e: Floats, names: Mapping[str, Floats]) -> Floats:
        t = names[name]
        if e.ndim != 2 or t.shape != e.shape[:1] or t.dtype.kind not in "iu" or not t.size or t.min() < 0:
            raise ValueError(f"{name} holds no labels of these rows")
        return function(e, np.eye(e.shape[1])[t.astype(np.intp)])

    return made
