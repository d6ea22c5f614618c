"""Names that a person would give to the dims of a candidate: n, d, h, c; it knows letters only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from gradproof.infer.roles import Role, Setting, role_of
from gradproof.trace.candidate import Candidate
from gradproof.trace.changes import DISTRIBUTIONS, Kind, What
from gradproof.trace.dims import argument_of
from gradproof.trace.run import Hint

BATCH = "n"  # the first axis of what forward is given first, where it has more than one
_FED: Mapping[int, tuple[str, ...]] = {1: ("d",), 2: (BATCH, "d"), 3: (BATCH, "t", "d"), 4: (BATCH, "c", "h", "w")}
_LABELS: Mapping[int, tuple[str, ...]] = {1: (BATCH,), 2: (BATCH, "t"), 3: (BATCH, "h", "w")}
_PARAMETER: Mapping[int, tuple[str, ...]] = {1: ("h",), 2: ("d", "h"), 3: ("f", "c", "k"), 4: ("f", "c", "kh", "kw")}
_SIZES: Mapping[int, tuple[str, ...]] = {1: ("h",), 2: ("d", "h"), 3: ("c", "h", "w"), 4: (BATCH, "c", "h", "w")}
_OF_SIZE = {"vocab": "v", "class": "c", "hidden": "h", "out": "o", "channel": "c", "in": "d", "embed": "d", "vec": "d"}
# Where several dims turned out equal, the name that tells most comes first.
_TELLING = ("n", "t", "c", "v", "h", "o", "f", "kh", "kw", "w", "k", "d", "g")
_SPARE = ("d", "h", "k", "m", "e", "p", "q", "r")
_SECOND = {"t": "s", "h": "k", "d": "e", "c": "k", "v": "u", "o": "m", "f": "g", "kh": "lh", "kw": "lw", "w": "u"}


def _of_classes(candidate: Candidate, argument: str, hint: Hint) -> list[tuple[str, str]]:
    """The letter of what bounds the labels of an argument: classes, or a vocabulary."""
    is_labels = candidate.kinds[argument].what is What.LABELS
    letter = "c" if hint.target else "v"
    return [(name, letter) for name in candidate.below(argument).dims] if is_labels else []


def readable(candidate: Candidate, hints: Mapping[str, Hint], setting: Setting) -> dict[str, str]:
    """A readable name for each free dim, no two alike."""
    fed = [argument for argument in hints if argument in candidate.kinds and not hints[argument].built]
    own = [name for argument in fed for axis in candidate.axes(argument) for name in axis.dims]
    wishes: dict[str, list[str]] = {name: [] for name in dict.fromkeys([*own, *candidate.dims()])}
    for argument, kind in candidate.kinds.items():
        wished = _wished(candidate, argument, _letters(hints[argument], kind, setting))
        for name, letter in [*wished, *_of_classes(candidate, argument, hints[argument])]:
            wishes[name].append(letter)
    return _distinct_names(wishes, _batch_of(candidate, hints))


def _wished(candidate: Candidate, argument: str, letters: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The free dims in the axes of an argument, each with the letter that its place asks for."""
    for axis, letter in zip(candidate.axes(argument), letters, strict=False):
        for name in axis.dims:
            yield name, letter if axis.lone_dim == name else _inner(letter)


def _distinct_names(wishes: Mapping[str, Sequence[str]], batch: str | None) -> dict[str, str]:
    """A name for each free dim: the most telling of those that are wished and not taken yet.

    batch: the dim that counts examples, which has the name of its own; an annotation that names it goes before.
    """
    found: dict[str, str] = {}
    if batch is not None and not _is_annotated(batch):
        found[batch] = BATCH
    taken = {BATCH}
    for name, wished in wishes.items():
        if name not in found:
            found[name] = next(each for each in _in_order(name, wished) if each not in taken)
            taken.add(found[name])
    return found


def _in_order(dim: str, wished: Sequence[str]) -> Iterator[str]:
    """The names that a dim may have, the likeliest first: its author's, those wished, spare letters, numbered ones."""
    likely = [each for each in sorted(set(wished), key=_rank) if each]
    if _is_annotated(dim):
        _, _, own = dim.partition(".")
        likely = [own, *likely] if own else likely
    yield from likely
    yield from (_SECOND[each] for each in likely if each in _SECOND)
    yield from _SPARE
    letter = likely[0] if likely else "d"
    yield from (f"{letter}{number}" for number in range(2, 100))


def _rank(name: str) -> int:
    return _TELLING.index(name) if name in _TELLING else len(_TELLING)


def _is_annotated(dim: str) -> bool:
    """Whether its author's annotation names the dim."""
    return argument_of(dim) == "annotated"


def _inner(letter: str) -> str:
    """A dim in a sum or a product is another than the axis that it makes."""
    return "" if letter == BATCH else letter


def _batch_of(candidate: Candidate, hints: Mapping[str, Hint]) -> str | None:
    """The dim that counts examples, as far as places tell."""
    given = [name for name, hint in hints.items() if name in candidate.kinds and not hint.built]
    fed = [name for name in given if candidate.kinds[name].is_array]
    for argument in fed[:1]:
        kind = candidate.kinds[argument]
        axes = candidate.axes(argument)
        is_batch = kind.rank > 1 or kind.what is not What.ARRAY
        return axes[0].lone_dim if axes and is_batch else None
    return None


def _letters(hint: Hint, kind: Kind, setting: Setting) -> tuple[str, ...]:
    rank = kind.axes
    if kind.what is What.SIZE:
        return (_letter_of_size(hint.name.lower()),)
    if kind.what is What.SIZES:
        return _SIZES.get(rank, ())
    if kind.what is What.LABELS:
        return _LABELS.get(rank, ())
    if kind.what in DISTRIBUTIONS:
        return (*_LABELS.get(rank - 1, ()), "c")
    return _letters_of_array(hint, rank, setting)


def _letters_of_array(hint: Hint, rank: int, setting: Setting) -> tuple[str, ...]:
    """The usual letters of a parameter, a table of vectors, a state, or of what is fed."""
    if hint.built or hint.weight:
        is_table = setting.lookup and rank == 2
        return ("v", "d") if is_table else _PARAMETER.get(rank, ())
    axes = _FED.get(rank, ())
    return (*axes[:-1], "h") if rank > 1 and _is_state(hint.name) else axes


def _letter_of_size(name: str) -> str:
    return next((letter for word, letter in _OF_SIZE.items() if word in name), "k")


def _is_state(name: str) -> bool:
    return role_of(name, constructor=False) is Role.STATE or name.lower() in ("h", "hs", "hidden")
