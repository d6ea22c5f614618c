"""Every product of two arrays that has a given shape, summed over one axis or none, and how NumPy writes it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import product

import numpy as np

from gradproof.differentiate.differentiate import Floats

_OUT, _SUMMED = "ijkl", "s"


def contractions(a: Floats, b: Floats, shape: tuple[int, ...]) -> Iterator[str]:
    """The subscripts, as einsum takes them: each axis of a and b is one of the result or the one that is summed."""
    if len(shape) > len(_OUT) or max(a.ndim, b.ndim) > len(_OUT):
        return
    sizes = dict(zip(_OUT, shape, strict=False))
    out = "".join(sizes)
    for one in _labels(a.shape, sizes):
        for other in _labels(b.shape, sizes):
            ends = (dict(zip(one, a.shape, strict=True)), dict(zip(other, b.shape, strict=True)))
            if ends[0].get(_SUMMED) == ends[1].get(_SUMMED) and set(out) <= {*one, *other}:
                yield f"{one},{other}->{out}"


def _labels(shape: tuple[int, ...], sizes: dict[str, int]) -> Iterator[str]:
    """The letters that the axes of an array may have: no two alike, and none at an axis of another size."""
    choices = [[*_letters_of(size, sizes), _SUMMED] for size in shape]
    for letters in product(*choices):
        if len(set(letters)) == len(letters):
            yield "".join(letters)


def _letters_of(size: int, sizes: dict[str, int]) -> list[str]:
    return [letter for letter, other in sizes.items() if other == size]


def value(subscripts: str, a: Floats, b: Floats) -> Floats:
    """What einsum gives, in float64."""
    result: Floats = np.einsum(subscripts, a.astype(np.float64), b.astype(np.float64))
    return result


def written(subscripts: str, a: str, b: str) -> str:
    """The product as one would write it: with ``*`` or ``@`` where that is plain, with einsum else."""
    labels, out = subscripts.split("->")
    one, other = labels.split(",")
    if _SUMMED in one:
        text = _matmul((a, one), (b, other), out) or _matmul((b, other), (a, one), out)
    else:
        left, right = _broadcast(a, one, out), _broadcast(b, other, out)
        text = f"{left} * {right}" if left and right else None
    return (text or f"np.einsum('{subscripts}', {a}, {b})").replace(".T.T", "")


def bracketed(text: str) -> str:
    """An expression that may stand in a product."""
    node = ast.parse(text, mode="eval").body
    return f"({text})" if isinstance(node, ast.BinOp | ast.UnaryOp | ast.Compare) else text


def _matmul(first: tuple[str, str], second: tuple[str, str], out: str) -> str | None:
    """The product of a matrix with a matrix or a vector; None where it is none."""
    (a, one), (b, other) = first, second
    row, column = out[:1], out[1:]
    lefts = {f"{row}{_SUMMED}": bracketed(a), f"{_SUMMED}{row}": f"{bracketed(a)}.T"}
    rights = {f"{column}{_SUMMED}": f"{bracketed(b)}.T", f"{_SUMMED}{column}": bracketed(b)}  # of a vector, the second
    if not out and one == other == _SUMMED:
        return f"{bracketed(a)} @ {bracketed(b)}"
    if not 0 < len(out) <= 2 or one not in lefts or other not in rights:
        return None
    return f"{lefts[one]} @ {rights[other]}"


def _broadcast(text: str, own: str, out: str) -> str | None:
    """An array of fewer axes laid along those of the result; None where they stand in another order."""
    array = bracketed(text)
    if own == out[len(out) - len(own) :]:
        return array
    if "".join(sorted(own)) == own:
        index = ", ".join(":" if letter in own else "None" for letter in out)
        return f"{array}[{index}]"
    return f"{array}.T" if own == out[::-1] else None
