"""What stands for a name that user code was to define and did not: every use of it raises, and says why.

It knows neither files nor layers.
"""

from __future__ import annotations

from typing import Any, NoReturn

from gradproof.errors import Absence, NotAvailable


class Placeholder:
    """The value of such a name: it can be handed on, copied and deleted; whatever else is done with it raises."""

    __slots__ = ("_absence",)

    def __init__(self, absence: Absence) -> None:
        object.__setattr__(self, "_absence", absence)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)  # asked by the interpreter, by copy or inspect, not by user code
        raise NotAvailable(self._absence)

    def __repr__(self) -> str:
        return f"<missing: {self._absence.name}, which {self._absence.why}>"

    def __hash__(self) -> int:
        return id(self)

    def __copy__(self) -> Placeholder:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Placeholder:
        return self


def _raises(self: Placeholder, *_: Any, **__: Any) -> NoReturn:
    raise NotAvailable(self._absence)  # pyright: ignore[reportPrivateUsage]


_ARITHMETIC = ("add", "sub", "mul", "matmul", "truediv", "floordiv", "mod", "divmod", "pow")
_OPERATORS = (*_ARITHMETIC, "and", "or", "xor", "lshift", "rshift")
_CONTAINER = ("call", "iter", "next", "len", "contains", "getitem", "setitem", "delitem", "setattr", "enter", "exit")
_NUMBER = ("bool", "int", "float", "complex", "index", "round", "neg", "pos", "abs", "invert")
_COMPARED = ("eq", "ne", "lt", "le", "gt", "ge", "array", "array_ufunc", "array_function")
_CLASS = ("mro_entries", "instancecheck", "subclasscheck")
_SIDES = tuple(f"{side}{operator}" for operator in _OPERATORS for side in ("", "r", "i"))
_USES = (*_CONTAINER, *_NUMBER, *_COMPARED, *_CLASS, *_SIDES)
for _use in _USES:
    setattr(Placeholder, f"__{_use}__", _raises)
