"""Names that a person would give to the dims of a candidate: n, d, h, c; it knows letters only."""

from __future__ import annotations

from collections.abc import Mapping

from gradproof.infer.roles import Role, Setting, role_of
from gradproof.trace.candidate import Candidate
from gradproof.trace.changes import DISTRIBUTIONS, Kind, What
from gradproof.trace.run import Hint, argument_of

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


def readable(candidate: Candidate, hints: Mapping[str, Hint], setting: Setting) -> dict[str, str]:
    """A readable name for each free dim, no two alike."""
    fed = [argument for argument in hints if not hints[argument].built]
    own = [name for argument in fed for axis in candidate.axes(argument) for name in axis.dims]
    wishes: dict[str, list[str]] = {name: [] for name in dict.fromkeys([*own, *candidate.dims()])}
    for argument, kind in candidate.kinds.items():
        letters = _letters(hints[argument], kind, setting)
        for axis, letter in zip(candidate.axes(argument), letters, strict=False):
            for name in axis.dims:
                wishes[name].append(letter if axis.lone_dim == name else _inner(letter))
        if kind.what is What.LABELS:
            for name in candidate.below(argument).dims:
                wishes[name].append("c" if hints[argument].target else "v")
    batch = _batch_of(candidate, hints)
    return _told_apart(wishes, batch)


def _told_apart(wishes: Mapping[str, list[str]], batch: str | None) -> dict[str, str]:
    is_annotated = batch is not None and argument_of(batch) == "annotated"
    found: dict[str, str] = {} if batch is None or is_annotated else {batch: BATCH}
    taken = {BATCH}
    for name, wished in wishes.items():
        if name in found:
            continue
        own = [name.partition(".")[2]] if argument_of(name) == "annotated" else []
        order = sorted(set(wished), key=lambda each: _TELLING.index(each) if each in _TELLING else len(_TELLING))
        order = [each for each in [*own, *order] if each]
        second = [_SECOND[each] for each in order if each in _SECOND]
        numbered = (f"{(order or ['d'])[0]}{number}" for number in range(2, 100))
        found[name] = next(each for each in [*order, *second, *_SPARE, *numbered] if each not in taken)
        taken.add(found[name])
    return found


def _inner(letter: str) -> str:
    """A dim in a sum or a product is another than the axis that it makes."""
    return "" if letter == BATCH else letter


def _batch_of(candidate: Candidate, hints: Mapping[str, Hint]) -> str | None:
    """The dim that counts examples, as far as places tell."""
    fed = [name for name, hint in hints.items() if not hint.built and candidate.kinds[name].is_array]
    for argument in fed[:1]:
        kind = candidate.kinds[argument]
        axes = candidate.axes(argument)
        is_batch = kind.rank > 1 or kind.what is not What.ARRAY
        return axes[0].lone_dim if axes and is_batch else None
    return None


def _letters(hint: Hint, kind: Kind, setting: Setting) -> tuple[str, ...]:
    rank = kind.axes
    if kind.what is What.SIZE:
        return (next((letter for word, letter in _OF_SIZE.items() if word in hint.name.lower()), "k"),)
    if kind.what is What.SIZES:
        return _SIZES.get(rank, ())
    if kind.what is What.LABELS:
        return _LABELS.get(rank, ())
    if kind.what in DISTRIBUTIONS:
        return (*_LABELS.get(rank - 1, ()), "c")
    if hint.built or hint.weight:
        is_table = setting.lookup and rank == 2
        return ("v", "d") if is_table else _PARAMETER.get(rank, ())
    is_state = role_of(hint.name, constructor=False) is Role.STATE or hint.name.lower() in ("h", "hs", "hidden")
    axes = _FED.get(rank, ())
    return (*axes[:-1], "h") if is_state and rank > 1 else axes
