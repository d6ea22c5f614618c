"""What is made of one array by a formula of one name: its square, its inverse, a derivative; it knows no gradient."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gradproof.differentiate.differentiate import Floats
from gradproof.mend.contractions import bracketed


@dataclass(frozen=True)
class Form:
    """A formula of one array: ``text`` with {0} for its name, and the function.

    ``slope``: some activation's derivative. ``masks``: 1 where a value counts, 0 elsewhere.
    """

    text: str
    function: Callable[[Floats], Floats]
    slope: bool = False
    masks: bool = False

    def of(self, name: str) -> str:
        """The formula with a name in it."""
        return self.text.format(bracketed(name))


def _column(a: Floats) -> Floats:
    """One number for each row; where the array is no vector, nothing that fits."""
    return a[:, None] if a.ndim == 1 else np.full(1, np.nan)


def _of_rows(a: Floats) -> Floats:
    return a.sum(axis=1, keepdims=True) if a.ndim == 2 else np.full(1, np.nan)


def _symmetric(a: Floats) -> Floats:
    result: Floats = np.asarray((a + a.T) / 2, dtype=np.float64)
    return result


def _summed(ndim: int, *axes: int) -> Callable[[Floats], Floats]:
    """The sum over axes of an array with so many; of any other array, nothing that fits."""

    def total(a: Floats) -> Floats:
        return a.sum(axis=axes) if a.ndim == ndim else np.full(1, np.nan)

    return total


def _root(a: Floats) -> Floats:
    result: Floats = np.sqrt(a)
    return result


# the two that stand in products and fractions with others
SIDES = (Form("{0}", lambda a: a), Form("1 - {0}", lambda a: 1 - a, slope=True))
FORMS = (
    *SIDES,
    Form("{0}[:, None]", _column),
    Form("{0} ** 2", lambda a: a**2),
    Form("1 - {0} ** 2", lambda a: 1 - a**2, slope=True),
    Form("{0} * (1 - {0})", lambda a: a * (1 - a), slope=True),
    Form("{0} > 0", lambda a: np.where(a > 0, 1.0, 0.0), masks=True),
    Form("{0} <= 0", lambda a: np.where(a > 0, 0.0, 1.0), masks=True),
    Form("1 / {0}", lambda a: 1 / a),
    Form("1 / {0} ** 2", lambda a: (1 / a) ** 2),
    Form("np.sqrt({0})", _root),
    Form("1 / np.sqrt({0})", lambda a: 1 / _root(a)),
    Form("np.exp({0})", lambda a: np.exp(a), slope=True),
    Form("np.exp(-{0})", lambda a: np.exp(-a), slope=True),
    Form("np.sign({0})", lambda a: np.where(a > 0, 1.0, np.where(a < 0, -1.0, 0.0))),
)
# those of an array that is multiplied by
FACTORS = (
    *FORMS,
    Form("1 / (1 + np.exp(-{0}))", lambda a: 1 / (1 + np.exp(-a)), slope=True),
    Form("1 - np.tanh({0}) ** 2", lambda a: 1 - np.tanh(a) ** 2, slope=True),
    Form("{0}.sum(axis=1, keepdims=True)", _of_rows),
    Form("np.log({0})", lambda a: np.log(a), slope=True),
    Form("np.cos({0})", lambda a: np.cos(a), slope=True),
)
# those of an array that stands alone
WHOLE = (
    *FORMS,
    Form("np.tanh({0})", lambda a: np.tanh(a)),
    Form("np.tanh({0}) ** 2", lambda a: np.tanh(a) ** 2),
    Form("1 - np.tanh({0}) ** 2", lambda a: 1 - np.tanh(a) ** 2),
    Form("np.log({0})", lambda a: np.log(a)),
    Form("1 / (1 + np.exp(-{0}))", lambda a: 1 / (1 + np.exp(-a))),
    Form("np.cos({0})", lambda a: np.cos(a)),
    Form("np.sin({0})", lambda a: np.sin(a)),
    Form("({0} + {0}.T) / 2", _symmetric),
    Form("{0}.sum(axis=0)", _summed(2, 0)),
    Form("{0}.sum(axis=1)", _summed(2, 1)),
    Form("{0}.sum(axis=(0, 1))", _summed(3, 0, 1)),
    Form("{0}.sum(axis=(0, 2, 3))", _summed(4, 0, 2, 3)),
)
