"""The table of first uses: what a function of NumPy says of an unknown argument that it is handed; it calls nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gradproof.trace import likely
from gradproof.trace.changes import SIZE, StillUnknown, array, labels, value
from gradproof.trace.run import current
from gradproof.trace.unknown import Unknown
from gradproof.trace.watching import flat


@dataclass(frozen=True, eq=False)
class FirstUse:
    """The call ``name(*args, **kwargs)`` with an unknown argument in it."""

    name: str
    unknown: Unknown
    args: Sequence[Any]
    kwargs: Mapping[str, Any]

    @property
    def is_subject(self) -> bool:
        """Whether it is what the call works on: its first argument."""
        return bool(self.args) and self.args[0] is self.unknown

    def is_in(self, values: Any) -> bool:
        """Whether it is among these values."""
        return any(each is self.unknown for each in flat(values))


def take_first_use(use: FirstUse) -> None:
    """What the call says. Raises Unfit; StillUnknown where the result is an array of the same, unknown shape."""
    FIRST_USES.get(use.name, _operand)(use)
    _operand(use)


def _same_shape(use: FirstUse) -> None:
    """``zeros_like(a)``, ``array(a)``: an array, of whatever rank."""
    if use.is_subject:
        if use.name not in ("array", "asarray", "asanyarray", "ascontiguousarray"):
            _note_array(use.unknown)
        raise StillUnknown
    raise use.unknown.unfit_array()


def _note_array(unknown: Unknown) -> None:
    run = current()
    if run is not None:
        run.evidence.arrays.add(unknown.hint.name)


def _created(use: FirstUse) -> None:
    """``zeros((a, b))``, ``randn(a, b)``: sizes."""
    whole = (*use.args[:1], use.kwargs.get("size"), use.kwargs.get("shape"))
    is_lone = use.name in ("zeros", "ones", "empty", "normal", "uniform") and any(each is use.unknown for each in whole)
    raise use.unknown.unfit(*likely.created(use.unknown.hint, lone=is_lone))


def _filled(use: FirstUse) -> None:
    """``full(shape, a)``, ``normal(mean, a, size)``: a number, unless it stands in the shape."""
    shape = use.args[:1] if use.name == "full" else use.args[2:]
    if not use.is_in([list(shape), use.kwargs.get("size"), use.kwargs.get("shape")]):
        raise use.unknown.unfit((0.0, value(use.unknown.hint.number)), (0.3, SIZE))
    _created(use)


def _clipped(use: FirstUse) -> None:
    """``clip(x, a, b)``: bounds."""
    if use.is_subject:
        raise use.unknown.unfit_array()
    raise use.unknown.unfit((0.0, value(use.unknown.hint.number)))


def _repeated(use: FirstUse) -> None:
    """``repeat(x, a)``, ``split(x, a)``, ``x.reshape(a, -1)``: how often, into how many; x itself is an array."""
    if use.is_subject:
        raise use.unknown.unfit_array()
    raise use.unknown.unfit(*likely.count(use.unknown.hint))


def _picks(use: FirstUse) -> None:
    """``choose(a, choices)``, ``take(x, a)``, ``take_along_axis(x, a, 1)``: labels, unless the constructor takes it."""
    if use.unknown.hint.built:
        _placed(use)
    if use.is_subject and use.name not in ("choose", "bincount"):
        raise use.unknown.unfit_array()
    ranks = (2, 1) if use.name.endswith("_along_axis") else (1, 2)
    raise use.unknown.unfit(*((0.1 * place, labels(rank)) for place, rank in enumerate(ranks)))


def _placed(use: FirstUse) -> None:
    """``moveaxis(x, a, b)``: sizes or numbers; x itself is an array."""
    if use.is_subject:
        raise use.unknown.unfit_array()
    _created(use)


def _multiplied(use: FirstUse) -> None:
    raise use.unknown.unfit(*likely.MATRIX)


def _summed(use: FirstUse) -> None:
    """As many axes as the equation has letters for it."""
    equation = use.args[0]
    terms = equation.replace(" ", "").split("->")[0].split(",") if isinstance(equation, str) else []
    place = [id(each) for each in use.args[1:]].index(id(use.unknown))
    if place < len(terms):
        raise use.unknown.unfit((0.0, array(len(terms[place].replace(".", "")))))
    raise use.unknown.unfit_array()


def _counted(use: FirstUse) -> None:
    """``prod(a)``: of a shape that the constructor takes, or of an array; ``prod((a, b))``: of sizes."""
    if use.unknown.hint.built and not use.is_subject:
        raise use.unknown.unfit((0.0, SIZE), (0.3, value(2)))
    if use.unknown.hint.built:
        raise use.unknown.unfit(*likely.SHAPES, (0.3, array(1)), (0.4, array(2)))
    raise use.unknown.unfit_array()


def _operand(use: FirstUse) -> None:
    """Whatever else: an axis, or an array."""
    if use.kwargs.get("axis") is use.unknown:
        raise use.unknown.unfit((0.0, value(1)), (0.1, value(0)))
    if use.name.endswith("_like") or use.name == "shape":
        raise use.unknown.unfit_array()
    found = use.unknown.operand()
    least = min(cost for cost, kind in found if kind.is_array)
    raise use.unknown.unfit(*((cost - least, kind) for cost, kind in found))


# functions -> what they say of an unknown argument
_ROWS: Mapping[str, Callable[[FirstUse], None]] = {
    "zeros_like ones_like empty_like copy array asarray ascontiguousarray asanyarray": _same_shape,
    "zeros ones empty eye identity arange randn rand random standard_normal random_sample tri tril linspace integers "
    "randint permutation choice broadcast_to resize": _created,
    "full normal uniform binomial": _filled,
    "clip": _clipped,
    "reshape split array_split repeat roll pad tile": _repeated,
    "take choose bincount take_along_axis put_along_axis": _picks,
    "moveaxis": _placed,
    "dot matmul tensordot": _multiplied,
    "einsum": _summed,
    "prod": _counted,
}
FIRST_USES: Mapping[str, Callable[[FirstUse], None]] = {
    name: row for names, row in _ROWS.items() for name in names.split()
}
