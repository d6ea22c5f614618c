"""What an exception says of the shapes that caused it: sizes that ought to be equal, axes that are missing."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from gradproof.values import LayerError

_NUMBER = r"(-?\d+)"
_SHAPE = r"\(([\d, ]*)\)"
# Exceptions that no choice of arguments causes: after one of them, it is the layer that is broken.
OWN_FAULTS = frozenset({"ImportError", "ModuleNotFoundError", "NameError", "NotImplementedError", "RecursionError"})
_BUILTINS = r"'(?:NoneType|int|float|bool|str|dict|list|tuple|numpy\.\w+|ndarray|function|builtin_function_or_method)'"


@dataclass(frozen=True)
class Complaint:
    """What one exception asks for.

    equal: pairs of sizes that ought to be equal; sliced: whether one of them may be what a slice left; shapes: those
    that did not go together; ratio: how many entries an array has, and how many the shape that it ought to take;
    overrun: the least size that would hold an index, and the size that it met; rank: (expected, found) number of axes,
    None where it does not say; integers: integers were wanted where floats were given; names: those on the lines that
    raised, the innermost first; unpacked: whose shape was read on the innermost line.
    """

    equal: tuple[tuple[int, int], ...] = ()
    sliced: bool = False
    shapes: tuple[tuple[int, ...], ...] = ()
    ratio: tuple[int, int] | None = None
    overrun: tuple[int, int] | None = None
    rank: tuple[int | None, int | None] | None = None
    integers: bool = False
    names: tuple[str, ...] = ()
    unpacked: str | None = None


def is_own_fault(error: LayerError) -> bool:
    """Whether no other arguments could have avoided the exception.

    A missing attribute is the layer's own, unless it was looked for on a value that it was given.
    """
    if error.kind == "AttributeError":
        return re.match(_BUILTINS, error.message) is None
    return error.kind in OWN_FAULTS


def complaint_of(error: LayerError) -> Complaint:
    """Read one exception of NumPy's or Python's."""
    lines = _lines(error.traceback)
    names = dict.fromkeys(name for line in reversed(lines) for name in re.findall(r"[A-Za-z_]\w*", line))
    unpacked = re.search(r"(\w+)\.(?:shape|ndim)\b", lines[-1]) if lines else None
    text = error.message
    return Complaint(
        equal=tuple(_equal(text)),
        sliced="broadcast" in text,
        shapes=tuple(_shape(shape) for shape in re.findall(_SHAPE, text)) if "broadcast" in text else (),
        ratio=_ratio(text),
        overrun=_overrun(text),
        rank=_rank(text, error.kind),
        integers="be of integer" in text
        or "only integers" in text
        or "only integer scalar arrays" in text
        or "as an integer" in text,
        names=tuple(names),
        unpacked=None if unpacked is None else unpacked.group(1),
    )


def _lines(traceback: str) -> list[str]:
    """The source lines of a traceback, the outermost first."""
    lines = traceback.splitlines()
    places = [i for i, line in enumerate(lines) if line.lstrip().startswith("File ")]
    return [lines[i + 1] for i in places if i + 1 < len(lines)]


_PAIRS = (
    rf"not aligned: {_NUMBER} \(dim \d+\) != {_NUMBER} \(dim",
    rf"\(size {_NUMBER} is different from {_NUMBER}\)",
    rf"has size {_NUMBER} and the array at index \d+ has size {_NUMBER}",
    rf"size of axis is {_NUMBER} but size of corresponding boolean axis is {_NUMBER}",
    rf"\({_NUMBER}\)[^()]*\b(?:equal|same)\b[^()]*\({_NUMBER}\)",  # as people word their own assertions
)


def _equal(text: str) -> Iterator[tuple[int, int]]:
    for pattern in _PAIRS:
        if found := re.search(pattern, text):
            yield int(found[1]), int(found[2])
            return
    if "broadcast" in text or "mismatch" in text:
        yield from _broadcast([_shape(shape) for shape in re.findall(_SHAPE, text)])


def _broadcast(shapes: list[tuple[int, ...]]) -> Iterator[tuple[int, int]]:
    """Sizes that meet from the last axis on and differ."""
    for first, second in itertools.pairwise(shapes):
        for a, b in zip(reversed(first), reversed(second), strict=False):
            if a != b and 1 not in (a, b):
                yield a, b


def _ratio(text: str) -> tuple[int, int] | None:
    """An array and the shape that it ought to take; NumPy shows a -1 in that shape as it is, or as newaxis."""
    found = re.search(rf"cannot reshape array of size {_NUMBER} into shape \(([-\w, ]*)\)", text)
    if found is None:
        return None
    wanted = math.prod(n for n in _shape(found[2].replace("newaxis", "-1")) if n != -1)
    return (int(found[1]), wanted) if int(found[1]) and wanted else None


def _overrun(text: str) -> tuple[int, int] | None:
    found = re.search(rf"index {_NUMBER} is out of bounds for axis \d+ with size {_NUMBER}", text)
    return None if found is None else (int(found[1]) + 1, int(found[2]))


def _rank(text: str, kind: str) -> tuple[int | None, int | None] | None:
    patterns: Mapping[str, str] = {
        "few": rf"not enough values to unpack \(expected {_NUMBER}, got {_NUMBER}\)",
        "many": rf"too many values to unpack \(expected {_NUMBER}",
        "axis": rf"axis {_NUMBER} is out of bounds for array of dimension {_NUMBER}",
        "indices": rf"array is {_NUMBER}-dimensional, but {_NUMBER} were indexed",
    }
    found = {name: match for name, pattern in patterns.items() if (match := re.search(pattern, text))}
    match found:
        case {"few": m}:
            return int(m[1]), int(m[2])
        case {"many": m}:
            return int(m[1]), None
        case {"axis": m}:
            return None, int(m[2])
        case {"indices": m}:
            return int(m[2]), int(m[1])
        case _:
            pass
    return (
        (None, None)
        if "axes don't match" in text or "tuple index out of range" in text or kind == "AxisError"
        else None
    )


def _shape(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.replace(",", " ").split())
