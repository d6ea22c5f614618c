"""Shapes that the author wrote as annotations: jaxtyping's, or strings in Annotated; it imports neither."""

from __future__ import annotations

import re
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gradproof.case.shapes import Size, parse
from gradproof.errors import UsageError
from gradproof.trace.changes import Kind, What, array
from gradproof.trace.polynomials import Polynomial, dim, number

_INTEGERS = re.compile(r"u?int\d*|integer")
ANNOTATED = "annotated"  # the owner of all dims that annotations name
_MARKS = re.compile(r"[#?]|\w+=")  # jaxtyping: broadcast, varying, documented; the size behind them is what counts


@dataclass(frozen=True, eq=False)
class Annotation:
    """What an annotation leaves no choice about: the kind of an argument, and its sizes."""

    kind: Kind
    sizes: tuple[Polynomial, ...]


def annotated(hint: Any) -> Annotation | None:
    """What an annotation says; None where it names no shape.

    ``Float[Array, "n d"]`` and ``Annotated[np.ndarray, "n d"]`` are arrays of floats, ``Int[Array, "n"]`` labels.
    The dims keep their names, so that those of two arguments are one.
    """
    text = _shape_text(hint)
    if text is None:
        return None
    try:
        shape = parse(_MARKS.sub("", text))
    except UsageError:
        return None
    if shape.starred is not None or any(name.startswith("_") for name in shape.names):
        return None
    whole = any(_INTEGERS.fullmatch(str(dtype)) for dtype in getattr(hint, "dtypes", ()))
    sizes = tuple(_polynomial(size) for size in shape.sizes)
    return Annotation(Kind(What.LABELS, len(sizes)) if whole else array(len(sizes)), sizes)


def _polynomial(size: Size) -> Polynomial:
    found = Polynomial()
    for term in size.terms:
        product = number(term.coefficient)
        for name in term.names:
            product = product.times(dim(f"{ANNOTATED}.{name}"))
        found = found.plus(product)
    return found


def _shape_text(hint: Any) -> str | None:
    """The string of shapes in an annotation."""
    told = getattr(hint, "dim_str", None)
    if isinstance(told, str):
        return told
    if typing.get_origin(hint) is typing.Annotated:
        return next((part for part in hint.__metadata__ if isinstance(part, str)), None)
    return None


def hints_of(function: Any) -> Mapping[str, Any]:
    """The annotations of a function, those that are strings evaluated; none where one of them cannot be."""
    try:
        return typing.get_type_hints(function, include_extras=True)
    except Exception:  # an annotation may name anything: what cannot be evaluated says nothing
        return {}
