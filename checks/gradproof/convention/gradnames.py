"""Reads names: whose gradient a name says to be, by the conventions in ``namings``.

It does not know what stands behind a name.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import product

from gradproof.convention import namings
from gradproof.convention.leaves import Path, Step

_READINGS = tuple(re.compile(row.written, re.IGNORECASE) for row in namings.GRADIENT_OF)
_LOOSE = tuple(re.compile(row.written, re.IGNORECASE) for row in namings.PERHAPS_GRADIENT_OF)
_QUALIFIER = "|".join(sorted(namings.names(namings.QUALIFIERS), key=len, reverse=True))
_QUALIFIED = re.compile(rf"(?:{_QUALIFIER})(.+)|(.+?)(?:{_QUALIFIER})", re.IGNORECASE)

PLAIN = namings.names(namings.PARAMETER)
GRADIENTS = namings.names(namings.GRADIENT)
HOLDERS = namings.names(namings.HOLDS_PARAMETERS)
PAIRS = namings.names(namings.PAIRS)

STRICT = 3  # levels of likeness: the same letters; the same but for case; weights for W and biases for b
LEVELS = 4  # and one more at which names are read that may as well be those of something else
_PART = re.compile(r"([^\W\d]\w*)\[(['\"])(.*)\2\]", re.DOTALL)
_WORDS = ((re.compile(r"(?:weights?|kernel)(\d*)"), r"w\1"), (re.compile(r"bias(?:es)?(\d*)"), r"b\1"))

# A weight or a bias, one of a gate too: W, Wx, w_1, b, bh, b2; weights, output_bias; gamma, beta; an entry of params.
_TRAINED = re.compile(
    r"[wb]_?[cfghiknoqrvxyz]{0,2}_?\d*|u_?[cfghiorz]{1,2}|(\w+_)?(weights?|bias|biases|kernel)\d*|gamma\d*|beta\d*|params",
    re.IGNORECASE,
)


def is_trained(name: str) -> bool:
    """Whether a parameter of this name, as ``b`` or ``layers[0].b``, is one that is trained: no table, no statistic."""
    found = re.findall(r"[^\W\d]\w*", name)
    return bool(found) and _TRAINED.fullmatch(found[-1].strip("_")) is not None


@functools.lru_cache(maxsize=1024)
def key_of(name: str) -> tuple[str, str] | None:
    """The argument and the key of ``parameters['W']``, a part of an argument that is a dict; None for other names."""
    found = _PART.fullmatch(name)
    return None if found is None else (found[1], found[3])


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
    found = _read(_READINGS, word)
    if level >= STRICT:
        found = (*found, *_read(_LOOSE, word), *_unqualified(word))
    return tuple(plain(stem, level) for stem in found)


def _read(readings: Iterable[re.Pattern[str]], word: str) -> tuple[str, ...]:
    found = (reading.fullmatch(word) for reading in readings)
    return tuple(match.group(1) for match in found if match is not None)


def _unqualified(word: str) -> tuple[str, ...]:
    """The stems of what a word is without one that says when, or of how many: ``gradWcurrent``, ``currentdW``."""
    match = _QUALIFIED.fullmatch(word)
    rest = None if match is None else match.group(1) or match.group(2)
    return () if rest is None else _read(_READINGS, rest)


def partner(name: str, parameters: Iterable[str]) -> str | None:
    """The parameter of which a gradient of this name is, or the one of the same name; None where there is none.

    A part of a dict goes by its key.
    """
    written = {parameter: (key_of(parameter) or (None, parameter))[1] for parameter in parameters}
    known = list(written)
    for level in range(LEVELS):
        by_name = {plain(written[parameter], level): parameter for parameter in reversed(known)}
        for stem in (*stems(name, level), plain(name, level)):
            if stem in by_name:
                return by_name[stem]
    return None


def pairs(parameters: Iterable[Path], others: Iterable[Path], levels: int = STRICT) -> Mapping[Path, Path]:
    """For each parameter's path the path of its gradient, read from the names; without those that have none."""
    return _pairs(tuple(parameters), tuple(others), levels)


@functools.lru_cache(maxsize=256)  # asked at every restart of a frozen layer, always of the same paths
def _pairs(parameters: tuple[Path, ...], others: tuple[Path, ...], levels: int) -> Mapping[Path, Path]:
    left, found = list(parameters), dict[Path, Path]()
    for level in range(levels):
        known = [*found.values(), *(found if level >= STRICT else ())]  # where it is strict: has a gradient of its own
        free = [path for path in others if path not in known]
        gradients = _gradients_by_parameter(free, level)
        named = {path: gradients.get(_parameter(path, level)) for path in left}
        found |= {path: gradient for path, gradient in named.items() if gradient not in (None, path)}
        left = [path for path in left if path not in found]
    return found


def _gradients_by_parameter(paths: Iterable[Path], level: int) -> Mapping[tuple[str, ...], Path]:
    """The path whose name says best that it is the gradient of a parameter, for each that they name; then the shortest.

    A parameter goes by the words of its path.
    """
    best: dict[tuple[str, ...], tuple[int, int]] = {}
    found: dict[tuple[str, ...], Path] = {}
    for path in paths:
        for rank, stem in _gradient_of(path, level):
            order = rank, len(path)
            if stem not in best or order < best[stem]:
                best[stem], found[stem] = order, path
    return found


def _parameter(path: Path, level: int) -> tuple[str, ...]:
    return tuple(word for word in words(path, level) if word)


def words(path: Path, level: int) -> Iterator[str]:
    """The words of a path; a dict of weights by name, and the first of a pair, say nothing."""
    for i, step in enumerate(path):
        says_nothing = _holds(path, i) or (_is_paired(path, i) and step.key == 0)
        yield "" if says_nothing else plain(step.key, level)


def _name(step: Step) -> str:
    return str(step.key).replace("_", "").lower()


def _holds(path: Path, i: int) -> bool:
    """Whether this step leads to a dict of parameters by name."""
    return _name(path[i]) in HOLDERS and _is_keyed(path, i)


def _is_keyed(path: Path, i: int) -> bool:
    inner = path[i + 1] if i + 1 < len(path) else None
    return inner is not None and not inner.attribute and isinstance(inner.key, str)


def _is_paired(path: Path, i: int) -> bool:
    """Whether this step chooses between a parameter and its gradient, in a list of such pairs."""
    return i > 1 and _name(path[i - 2]) in PAIRS


def _gradient_of(path: Path, level: int) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Each parameter of which this may be the path of the gradient, with how far-fetched the reading is."""
    options: list[list[tuple[int, str]]] = []
    for i, word in enumerate(words(path, level)):
        stems_here = enumerate(_stems_at(path, i, level), start=1)
        options.append([(0, word), *stems_here])
    for reading in product(*options):
        rank = sum(rank for rank, _ in reading)
        if rank:
            yield rank, tuple(stem for _, stem in reading if stem)


def _stems_at(path: Path, i: int, level: int) -> tuple[str, ...]:
    """Of which parameters the step may name the gradient: of none that it names itself, where it names a container."""
    if _is_paired(path, i) and path[i].key == 1:
        return ("",)
    found = stems(path[i].key, level)
    if _is_keyed(path, i) and any(stem in HOLDERS for stem in stems(path[i].key, 1)):
        return ("", *found)
    return found
