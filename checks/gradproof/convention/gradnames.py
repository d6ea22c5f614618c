"""How the names of gradients are built from the names of parameters: ``dW``, ``W_grad``, ``dLdW``, ``grads["W"]``.

It reads names only; it does not know what stands behind them.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import product

from gradproof.convention.leaves import Path

# Seen in public code, the most frequent first; a name that could be read in two ways is read by the earlier one.
PREFIXES = (
    "grad",
    "d",
    r"d(?:l|loss|j|cost|c|e|err|error|out|y)d",
    "gradient",
    "grads",
    "gradients",
    "gradof",
    "gradientof",
    "gradwrt",
    "nabla",
    "partial",
    "delta",
)
SUFFIXES = ("grad", "grads", "gradient", "gradients", "deriv", "derivative", "diff", "delta")
_PATTERNS = (*(rf"{prefix}(.+)" for prefix in PREFIXES), *(rf"(.+?){suffix}" for suffix in SUFFIXES))
_READINGS = tuple(re.compile(pattern, re.IGNORECASE) for pattern in _PATTERNS)

# Names that say "a parameter" or "a gradient" without saying of what: the rest of the path says it.
PLAIN = frozenset({"params", "param", "parameters", "parameter", "value", "val", "values", "data", "theta"})
GRADIENTS = frozenset({"grads", "grad", "gradients", "gradient", "derivative", "derivatives", "diff"})

LEVELS = 3  # of likeness: the same letters; the same but for case; weights for W and biases for b
_WORDS = ((re.compile(r"weights?(\d*)"), r"w\1"), (re.compile(r"bias(?:es)?(\d*)"), r"b\1"))


def plain(name: object, level: int = 2) -> str:
    """The name without underscores, and at higher levels without case, and with ``w`` for weights, ``b`` for bias."""
    word = str(name).replace("_", "")
    lower = word.lower()
    if lower in PLAIN:
        return ""
    if level == 0:
        return word
    for pattern, letter in _WORDS if level > 1 else ():
        if (found := pattern.fullmatch(lower)) is not None:
            return found.expand(letter)
    return lower


def stems(name: object, level: int = 2) -> tuple[str, ...]:
    """Every parameter of which this may be the gradient's name, the likeliest reading first."""
    word = str(name).replace("_", "")
    if word.lower() in GRADIENTS:
        return ("",)
    found = (reading.fullmatch(word) for reading in _READINGS)
    return tuple(plain(match.group(1), level) for match in found if match is not None)


def partner(name: str, parameters: Iterable[str]) -> str | None:
    """The parameter of which a gradient of this name is, or the one of the same name; None where there is none."""
    known = list(parameters)
    for level in range(LEVELS):
        by_name = {plain(parameter, level): parameter for parameter in reversed(known)}
        for stem in (*stems(name, level), plain(name, level)):
            if stem in by_name:
                return by_name[stem]
    return None


def pairs(parameters: Iterable[Path], others: Iterable[Path]) -> Mapping[Path, Path]:
    """For each parameter's path the path of its gradient, read from the names; without those that have none."""
    return _pairs(tuple(parameters), tuple(others))


@functools.lru_cache(maxsize=256)  # asked at every restart of a frozen layer, always of the same paths
def _pairs(parameters: tuple[Path, ...], others: tuple[Path, ...]) -> Mapping[Path, Path]:
    left, found = list(parameters), dict[Path, Path]()
    for level in range(LEVELS):
        readings: dict[tuple[str, ...], tuple[int, int, Path]] = {}
        for path in others:
            if path in found.values():
                continue
            for rank, stem in _gradient_of(path, level):
                readings[stem] = min(readings.get(stem, (rank, len(path), path)), (rank, len(path), path), key=_order)
        for path in left:
            best = readings.get(_parameter(path, level))
            if best is not None and best[2] != path:
                found[path] = best[2]
        left = [path for path in left if path not in found]
    return found


def _order(reading: tuple[int, int, Path]) -> tuple[int, int]:
    return reading[:2]


def _parameter(path: Path, level: int) -> tuple[str, ...]:
    return tuple(word for word in words(path, level) if word)


def words(path: Path, level: int) -> Iterator[str]:
    """The words of a path; a dict of weights by name is a container that says nothing."""
    for i, step in enumerate(path):
        inner = path[i + 1].key if i + 1 < len(path) and not path[i + 1].attribute else None
        weights = isinstance(inner, str) and str(step.key).lower().strip("_") == "weights"
        yield "" if weights else plain(step.key, level)


def _gradient_of(path: Path, level: int) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Each parameter of which this may be the path of the gradient, with how far-fetched the reading is."""
    options = [
        [(0, word), *((1 + rank, stem) for rank, stem in enumerate(stems(step.key, level)))]
        for step, word in zip(path, words(path, level), strict=True)
    ]
    for reading in product(*options):
        rank = sum(rank for rank, _ in reading)
        if rank:
            yield rank, tuple(stem for _, stem in reading if stem)
