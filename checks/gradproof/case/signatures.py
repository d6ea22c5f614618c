"""What a constructor and a forward take, and how named values are passed to them; it never calls them."""

from __future__ import annotations

import difflib
import functools
import inspect
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from inspect import Parameter
from typing import Any

from gradproof.case.nested import nested
from gradproof.convention.convention import Convention
from gradproof.convention.descent import is_optimizer
from gradproof.convention.preparation import is_of_training, preparation_of, training_flags
from gradproof.errors import UsageError

_NAMED = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY)


@dataclass(frozen=True)
class Signature:
    """The arguments that a callable takes, without ``self``.

    ``extra_keywords`` says that it has ``**kwargs``, ``extra_positions`` that it has ``*args``.
    """

    title: str  # "Affine's constructor", "Affine.forward"
    names: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    by_position: frozenset[str] = frozenset()
    keyword_only: frozenset[str] = frozenset()
    extra_keywords: bool = False
    extra_positions: bool = False

    def chosen(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The values of its arguments."""
        return {name: values[name] for name in self.among(values)}

    def among(self, given: Container[str]) -> list[str]:
        """The arguments that are among the given ones, in its own order."""
        return [name for name in self.names if name in given]

    @functools.cached_property
    def _passed(self) -> dict[tuple[str, ...], tuple[tuple[str, ...], tuple[str, ...]]]:
        return {}

    def bind(self, values: Mapping[str, Any]) -> tuple[list[Any], dict[str, Any]]:
        """Named values as (args, kwargs): by keyword where the signature allows it, else by position.

        Names that only ``*args`` takes go by position, after everything that stands before ``*args``. Parts of a dict,
        as ``parameters['W']``, go as that dict.
        """
        values = nested(values)
        given = tuple(values)
        if given not in self._passed:  # asked before every forward, always with the same names
            self._passed[given] = _passing(self, given)
        positions, keywords = self._passed[given]
        return [values[name] for name in positions], {name: values[name] for name in keywords}


def _passing(signature: Signature, given: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The names that go by position and those that go by keyword."""
    extra = tuple(name for name in given if name not in signature.names)
    known = [name for name in signature.names if name in given]
    if not signature.extra_positions or signature.extra_keywords:
        args, kwargs = _parted(known, signature.by_position)
        return args, kwargs + extra
    # *args takes the extra ones, behind everything that stands before it
    by_position = frozenset(signature.names) - signature.keyword_only if extra else frozenset[str]()
    args, kwargs = _parted(known, signature.by_position | by_position)
    return args + extra, kwargs


def _parted(names: list[str], first: frozenset[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The names that are among the ``first`` ones, and those that are not."""
    return tuple(name for name in names if name in first), tuple(name for name in names if name not in first)


NO_ARGUMENTS = Signature("no constructor")


@dataclass(frozen=True)
class Construction:
    """What makes an object: its constructor, then the methods that prepare it, each with what it takes.

    ``supplied``: the arguments without a default that are optimizers by their names: one of ours stands for each of
    them that is not given.
    """

    constructor: Signature = NO_ARGUMENTS
    steps: tuple[tuple[str, Signature], ...] = ()
    flags: tuple[str, ...] = ()  # attributes that are True in training and False at first

    @property
    def prepare(self) -> tuple[str, ...]:
        """The names of the methods."""
        return tuple(name for name, _ in self.steps)

    @property
    def supplied(self) -> tuple[str, ...]:
        """The arguments for which an optimizer of ours stands."""
        return tuple(name for name in self._required if is_optimizer(name))

    @property
    def _every(self) -> tuple[Signature, ...]:
        return (self.constructor, *(signature for _, signature in self.steps))

    @property
    def _required(self) -> tuple[str, ...]:
        """The arguments without a default, each once."""
        return tuple(dict.fromkeys(name for signature in self._every for name in signature.required))

    @property
    def signature(self) -> Signature:
        """What the constructor and the methods take together; a name that several of them take is one argument."""
        if not self.steps and not self.supplied:
            return self.constructor
        title = " and ".join(signature.title for signature in self._every)
        names = dict.fromkeys(name for signature in self._every for name in signature.names)
        required = tuple(name for name in self._required if name not in self.supplied)
        return replace(self.constructor, title=title, names=tuple(names), required=required)

    def flags_set(self, given: Iterable[str]) -> tuple[str, ...]:
        """The flags that are set to True, where none of the arguments ``given`` says whether it is in training."""
        return () if any(map(is_of_training, given)) else self.flags

    def notes(self, given: Iterable[str]) -> tuple[str, ...]:
        """The methods with what each takes, and the optimizers of ours, in one sentence; nothing where there are none.

        given: the names of the arguments that have a value.
        """
        ours = [name for name in self.supplied if name not in given]
        calls = [f"{name}({', '.join(taken.among({*given, *ours}))})" for name, taken in self.steps]
        flags = self.flags_set(given)
        parts: list[str] = []
        if calls:
            parts.append(f"prepared by {', then '.join(calls)}")
        if ours:
            parts.append(f"gradproof's plain gradient descent stands for {' and '.join(ours)}")
        if flags:
            parts.append(f"{' and '.join(flags)} set to True, as backward belongs to training")
        return ("; ".join(parts),) if parts else ()

    def given(self, values: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[dict[str, Any], ...]]:
        """The values for the constructor, and those for each of the methods."""
        values = nested(values)
        prepared = {name for _, signature in self.steps for name in signature.names}
        own = {n: v for n, v in values.items() if n in self.constructor.names or n not in prepared}
        return own, tuple(signature.chosen(values) for _, signature in self.steps)


def construction_of(cls: type, convention: Convention, named: Iterable[str] | None = None) -> Construction:
    """How objects of a class are made, by the methods that its convention names, else by those that are found.

    named: the arguments that are declared. What was found is then left out where its arguments are not among them, or
    where nothing needs it and none of them is its own. Raises UsageError where Python cannot tell a signature.
    """
    constructor = constructor_signature(cls)
    found = preparation_of(cls, convention.forward, convention.backward)
    methods = found.methods if convention.prepare is None else convention.prepare
    steps = tuple((method, method_signature(cls, method)) for method in methods)
    if convention.prepare is None and named is not None:
        declared = set(named)
        forward = method_signature(cls, convention.forward).names
        others = {*constructor.names, *forward}
        meant = found.certain or any(declared.intersection(s.names) - others for _, s in steps)
        steps = tuple((m, s) for m, s in steps if meant and _can_be_called(s, declared))
    return Construction(constructor, steps, training_flags(cls))


def _can_be_called(signature: Signature, declared: set[str]) -> bool:
    return all(name in declared or is_optimizer(name) for name in signature.required)


def constructor_signature(cls: type) -> Signature:
    """What ``cls(...)`` takes. Raises UsageError where Python cannot tell."""
    return _read(f"{cls.__name__}'s constructor", cls)


def method_signature(cls: type, name: str) -> Signature:
    """What the method ``name`` takes on an object of ``cls``. Raises UsageError where Python cannot tell."""
    plain = not isinstance(inspect.getattr_static(cls, name), (staticmethod, classmethod))
    return _read(f"{cls.__name__}.{name}", getattr(cls, name), skip_self=plain)


def function_signature(function: Callable[..., Any], title: str) -> Signature:
    """What a function takes. Raises UsageError where Python cannot tell."""
    return _read(title, function)


def split(names: Iterable[str], init: Signature, forward: Signature) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The names that go to the constructor and those that go to forward, each in its signature's order.

    A name in both signatures goes to both. A name in neither goes to the first of: the constructor's ``**kwargs``,
    forward's ``**kwargs``, the constructor's ``*args``, forward's ``*args``.
    Raises UsageError for a name that nothing takes and for a required argument that is missing.
    """
    given = tuple(names)
    extra = _missing_in((*init.names, *forward.names), given)
    taker = _taker_of_extra(init, forward)
    if extra and taker is None:
        raise UsageError(_unknown(extra[0], init, forward))
    for signature in (init, forward):
        missing = _missing_in(given, signature.required)
        if missing:
            raise UsageError(_missing(missing, given, signature))
    first = [*init.among(given), *(extra if taker is init else [])]
    second = [*forward.among(given), *(extra if taker is forward else [])]
    return tuple(first), tuple(second)


def _taker_of_extra(init: Signature, forward: Signature) -> Signature | None:
    """The one that takes names which neither has."""
    by_keyword = [signature for signature in (init, forward) if signature.extra_keywords]
    by_position = [signature for signature in (init, forward) if signature.extra_positions]
    return next(iter([*by_keyword, *by_position]), None)


def _read(title: str, function: Callable[..., Any], *, skip_self: bool = False) -> Signature:
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError) as error:
        raise UsageError(
            f"{title}: cannot read its signature ({error}); wrap it in a function with named arguments"
        ) from None
    if skip_self and parameters and parameters[0].kind is not Parameter.VAR_POSITIONAL:
        del parameters[0]
    named = {p.name: p for p in parameters if p.kind in _NAMED}
    kinds = {p.kind for p in parameters}
    required = tuple(name for name, p in named.items() if p.default is Parameter.empty)
    return Signature(
        title,
        names=tuple(named),
        required=required,
        by_position=_of_kind(parameters, Parameter.POSITIONAL_ONLY),
        extra_keywords=Parameter.VAR_KEYWORD in kinds,
        extra_positions=Parameter.VAR_POSITIONAL in kinds,
        keyword_only=_of_kind(parameters, Parameter.KEYWORD_ONLY),
    )


def _of_kind(parameters: Iterable[Parameter], kind: Any) -> frozenset[str]:
    return frozenset(parameter.name for parameter in parameters if parameter.kind is kind)


def _unknown(name: str, init: Signature, forward: Signature) -> str:
    takes = [f"{s.title} takes {', '.join(s.names) or 'nothing'}" for s in (init, forward) if s is not NO_ARGUMENTS]
    lowered = {known.lower(): known for known in (*init.names, *forward.names)}
    close = difflib.get_close_matches(name.lower(), lowered, n=1)
    hint = f"; did you mean {lowered[close[0]]}=?" if close else ""
    return f"no argument is called {name}: {'; '.join(takes)}{hint}"


def _missing(missing: list[str], given: tuple[str, ...], signature: Signature) -> str:
    call = ", ".join([f"{name}=..." for name in given] + [f'{name}="n d"' for name in missing])
    return (
        f"{signature.title} needs {', '.join(missing)}: say what it is, for example Case(..., {call}), "
        'where "n d" stands for the shape; a number, tuple or None passes through'
    )


def inputs_by_name(signature: Signature, arguments: tuple[Any, ...], named: dict[str, Any]) -> dict[str, Any]:
    """Forward's inputs by name. Raises UsageError where they are not what forward takes."""
    names: tuple[str, ...] = signature.names
    if signature.extra_positions:
        names = (*names, *(f"args[{i}]" for i in range(len(arguments) - len(names))))
    if len(arguments) > len(names):
        takes = ", ".join(names) or "nothing"
        raise UsageError(f"{signature.title} takes {takes}, got {len(arguments)} values")
    by_position = dict(zip(names, arguments, strict=False))
    inputs = {**by_position, **named}
    _require_none(signature, "needs", _missing_in(inputs, signature.required))
    _require_none(signature, "takes no", [] if signature.extra_keywords else _missing_in(names, inputs))
    _require_none(signature, "got twice", [name for name in named if name in by_position])
    _require_none(signature, "got a string for", [name for name, value in inputs.items() if isinstance(value, str)])
    return inputs


def _missing_in(known: Container[str], names: Iterable[str]) -> list[str]:
    """The names that are not among the known ones."""
    return [name for name in names if name not in known]


def _require_none(signature: Signature, what: str, names: Sequence[str]) -> None:
    """Raise UsageError where there are inputs of which ``what`` is to be said."""
    if names:
        remedy = "give forward's inputs as arrays, as in check(layer, x)"
        raise UsageError(f"{signature.title} {what} {', '.join(names)}: {remedy}")
