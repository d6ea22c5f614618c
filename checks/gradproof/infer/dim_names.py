"""Names that a person would give to the dims of a candidate: n, d, h, c; it knows letters only."""

from __future__ import annotations

from collections.abc import Sequence

from gradproof.infer.guesses import BATCH, called, names_in, resolved

# Where several dims turned out equal, the name that tells most comes first.
_TELLING = ("n", "t", "c", "v", "h", "o", "f", "kh", "kw", "w", "k", "d", "g")
_SPARE = ("d", "h", "k", "m", "e", "p", "q", "r")
_SECOND = {"t": "s", "h": "k", "d": "e", "c": "k", "v": "u", "o": "m", "f": "g", "kh": "lh", "kw": "lw", "w": "u"}


def readable(dims: Sequence[str], bound: dict[str, str] | None = None) -> dict[str, str]:
    """``bound`` with a readable name for each dim that is free in it; ``dims`` are all dims in their order."""
    equations = dict(bound or {})
    groups: dict[str, list[str]] = {}
    for dim in dims:
        size = resolved(dim, equations)
        groups.setdefault(size, []).append(called(dim))
        for name in names_in(size):
            groups.setdefault(name, [called(name)])
    free = [dim for dim in groups if dim not in equations and names_in(dim) == [dim] and dim != BATCH]
    taken = {BATCH}
    for dim in free:
        wishes = sorted(set(groups[dim]), key=lambda name: _TELLING.index(name) if name in _TELLING else len(_TELLING))
        numbered = (f"{wishes[0]}{number}" for number in range(2, 100))
        second = [_SECOND[wish] for wish in wishes if wish in _SECOND]
        equations[dim] = next(name for name in [*wishes, *second, *_SPARE, *numbered] if name not in taken)
        taken.add(equations[dim])
    return equations
