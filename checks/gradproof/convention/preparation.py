"""Which methods prepare an object before forward can run, in their order: build, initialize, compile, set_input_shape.

Read off what methods set and read: an attribute that forward or backward reads, that the constructor does not set (or
sets to None, False or an empty container), and that another method sets. It calls nothing.
"""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from inspect import Parameter
from typing import Any

from gradproof.convention.attributes import Event, Use, events_of, methods_of

# How the names of methods begin that prepare an object, the likeliest first.
PREPARING = re.compile(
    r"(build|init|setup|set_?up|compile|prepare|construct|create|make|reset|alloc|generate|define|new|start|begin)"
    r"|(set|add|connect|link|attach|bind|register|configure|assign|with_|use|zero|clear)",
    re.IGNORECASE,
)
# Methods that set attributes as well, and are no part of a construction.
_OTHERS = re.compile(
    r"(fit|train|eval|test|learn|load|restore|save|update|step|apply|optimi[sz]e|predict|score|run|"
    r"get_|to_|from_|backward|forward|call|plot|show|summary|freeze|clip|gradient|grad)",
    re.IGNORECASE,
)
_TRAINING = re.compile(r"_*((is|in)_?)?train(ing)?(_?(mode|flag|flg|phase|time))?", re.IGNORECASE)
_DEEPEST = 12  # methods that call each other


@dataclass(frozen=True)
class Preparation:
    """The methods called after the constructor, in order; ``certain``: without them forward or backward would raise."""

    methods: tuple[str, ...] = ()
    certain: bool = False


@dataclass
class _Object:
    """What is known of an object's attributes at one point.

    ``held`` has a value, ``empty`` is None, False or empty; ``filled`` was empty and has got entries.
    """

    held: set[str] = field(default_factory=set[str])
    empty: set[str] = field(default_factory=set[str])
    filled: set[str] = field(default_factory=set[str])

    def has(self, name: str) -> bool:
        """Whether it is set, to a value; an entry of a dict counts where the dict was given with it, or as a whole."""
        is_given = _container(name) in self.held and name not in self.empty
        return name in self.held or name in self.filled or is_given

    def is_empty(self, name: str) -> bool:
        """Whether it is set, to nothing yet."""
        return name in self.empty or (name not in self.held and _container(name) in self.empty)


@functools.lru_cache(maxsize=256)
def preparation_of(cls: type, forward: str, backward: str) -> Preparation:
    """The methods of a class that prepare its objects; none where forward and backward need none of them."""
    reader = _Class(cls, (forward, backward))
    if not reader.readable:
        return Preparation()
    thing = reader.constructed()
    methods, certain = reader.prepared(thing, [forward, backward], ())
    return Preparation(tuple(dict.fromkeys(methods)), certain)


@functools.lru_cache(maxsize=256)
def is_fed_by_call(cls: type, forward: str, backward: str) -> bool:
    """Whether ``__call__`` records what ``forward``, which it calls, or backward reads: objects are then called."""
    if not any("__call__" in vars(base) for base in cls.__mro__[:-1]):
        return False
    reader = _Class(cls, (forward, backward))
    is_called = forward in reader.reached("__call__")
    recorded = (name for name in reader.reads(forward, backward) if reader.sets("__call__", name))
    return is_called and not all(reader.sets(forward, name) for name in recorded)


@functools.lru_cache(maxsize=256)
def training_flags(cls: type) -> tuple[str, ...]:
    """The attributes that say whether the object is in training and that are False at first: backward belongs to it."""
    given = {name: value for base in reversed(cls.__mro__) for name, value in vars(base).items()}
    off = [*_Class(cls, ()).constructed().empty, *(name for name, value in given.items() if value is False)]
    return tuple(dict.fromkeys(name for name in off if is_of_training(name)))


def is_of_training(name: str) -> bool:
    """Whether an attribute or an argument of this name says that an object is in training."""
    return _TRAINING.fullmatch(name) is not None


class _Class:
    """A class as its methods' sources show it; ``driven`` are forward and backward."""

    def __init__(self, cls: type, driven: tuple[str, ...]) -> None:
        self.cls, self.driven = cls, driven
        self.methods = methods_of(cls)
        self.given = {name for base in cls.__mro__[:-1] for name in vars(base)} | _fields(cls)
        self.used = {name for method in driven for name in self.reached(method)}

    @property
    def readable(self) -> bool:
        """Whether its methods set attributes by their names alone."""
        return not any(name in self.methods for name in ("__getattr__", "__getattribute__"))

    def constructed(self) -> _Object:
        """An object as the constructor leaves it."""
        thing = _Object(held=set(self.given))
        for method in ("__new__", "__init__", "__post_init__"):
            self._run(method, thing)
        return thing

    def _run(self, method: str, thing: _Object) -> None:
        for event in self._events(method):
            self._apply(event, thing)

    def _apply(self, event: Event, thing: _Object) -> None:
        if event.use is Use.SET:
            thing.held.add(event.name)
            thing.filled.add(_container(event.name))
            thing.empty = {name for name in thing.empty if event.name not in (name, _container(name))}
            thing.empty.discard(_container(event.name))
        elif event.use is Use.SET_EMPTY and event.name not in thing.held:
            thing.empty.add(event.name)

    def prepared(self, thing: _Object, methods: Sequence[str], stack: tuple[str, ...]) -> tuple[list[str], bool]:
        """What must be called before these methods can run one after the other; whether they would raise without."""
        found: list[str] = []
        certain = False
        busy = (*stack, *methods)
        events = [event for method in methods for event in self._events(method)]
        tested = _tested(events)
        for event in events:
            if not thing.has(event.name) and _is_wanted(event, tested):
                provider = self._provider(event.name, busy)
                if provider is None:
                    thing.held.add(event.name)  # nobody sets it: asked once
                else:
                    before, _ = self.prepared(thing, [provider], busy)
                    found += [*before, provider]
                    certain = certain or event.use is Use.DEMANDED or not thing.is_empty(event.name)
                    self._run(provider, thing)
            self._apply(event, thing)
        return found, certain

    def reads(self, *methods: str) -> list[str]:
        """The attributes that these methods read and do not set before; the constructor may have begun them."""
        thing, found = _Object(held=set(self.given)), list[str]()
        for method in methods:
            for event in self._events(method):
                if event.use in (Use.READ, Use.DEMANDED) and not thing.has(event.name):
                    found.append(event.name)
                self._apply(event, thing)
        return found

    def _provider(self, name: str, busy: tuple[str, ...]) -> str | None:
        """The likeliest method that sets an attribute; None where there is none."""
        taken = {*busy, *self.used}
        free = [method for method in self.methods if method not in taken and not method.startswith("__")]
        likely = [method for method in free if _rank(method) < len(_RANKS) and self.sets(method, name)]
        return min(likely, key=_rank, default=None)

    def sets(self, method: str, name: str) -> bool:
        """Whether the method, or one that it calls, sets the attribute or fills it."""
        made = {event.name for event in self._events(method) if event.use is Use.SET}
        filled = {_container(entry) for entry in made}
        return name in made or name in filled or _container(name) in made

    def reached(self, method: str) -> frozenset[str]:
        """The method, and those of its object that it calls."""
        found, queue = {method}, [method]
        while queue:
            for event in events_of(self.methods[name]) if (name := queue.pop()) in self.methods else ():
                if event.use is Use.CALLED and event.name in self.methods and event.name not in found:
                    found.add(event.name)
                    queue.append(event.name)
        return frozenset(found)

    def _events(self, method: str) -> Iterator[Event]:
        function = self.methods.get(method)
        return iter(()) if function is None else self._expanded(function, 0)

    def _expanded(self, function: Callable[..., Any], depth: int) -> Iterator[Event]:
        """The events of a function, those of the methods that it calls in their places."""
        for event in events_of(function):
            inner = self._called(event, function)
            if inner is not None and inner is not function and depth < _DEEPEST:
                yield from self._expanded(inner, depth + 1)
            elif event.use not in (Use.CALLED, Use.SUPER):
                yield event

    def _called(self, event: Event, caller: Callable[..., Any]) -> Any:
        if event.use is Use.CALLED:
            return self.methods.get(event.name)
        if event.use is Use.SUPER:
            return self._inherited(event.name, caller)
        known = getattr(self.cls, event.name, None)
        if not isinstance(known, property):
            return None
        return self.methods.get(event.name) if event.use is Use.READ else known.fset

    def _inherited(self, name: str, caller: Callable[..., Any]) -> Any:
        """What ``super().name`` is inside of ``caller``."""
        bases = self.cls.__mro__[:-1]
        owner = next((i for i, base in enumerate(bases) if vars(base).get(caller.__name__) is caller), len(bases))
        found = (vars(base)[name] for base in bases[owner + 1 :] if name in vars(base))
        return next((value for value in found if inspect.isfunction(value)), None)


def _is_wanted(event: Event, tested: Collection[str]) -> bool:
    """Whether a method cannot do without the attribute: it demands it, or reads it and tests nowhere if it is there."""
    return event.use is Use.DEMANDED or (event.use is Use.READ and event.name not in tested)


_RANKS = ("plain word for preparing", "sets something", "another name")


def _rank(method: str) -> int:
    """How likely a method of this name prepares: the lower, the likelier; past the last rank, it does not."""
    plain = method.lstrip("_")
    if found := PREPARING.match(plain):
        return 0 if found[1] else 1
    return len(_RANKS) if _OTHERS.match(plain) else 2


def _container(name: str) -> str:
    """The dict that an entry stands in; the name itself where it is no entry."""
    return name.partition("[")[0]


def _fields(cls: type) -> set[str]:
    """The fields of a dataclass, which its constructor sets."""
    return set(getattr(cls, "__dataclass_fields__", ()))


def arguments_of(cls: type, methods: Sequence[str]) -> dict[str, Parameter]:
    """The arguments of these methods by name, without ``self`` and without those that collect any number.

    An argument that several of them take is needed where any of them needs it.
    """
    found: dict[str, Parameter] = {}
    for method in methods:
        bound = getattr(cls, method)
        parameters = list(inspect.signature(bound).parameters.values())
        is_plain = inspect.isfunction(inspect.getattr_static(cls, method))
        for parameter in parameters[1:] if is_plain else parameters:
            is_named = parameter.kind not in (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD)
            known = found.get(parameter.name)
            if is_named and (known is None or known.default is not Parameter.empty):
                found[parameter.name] = parameter
    return found


def _tested(events: Sequence[Event]) -> set[str]:
    """The attributes whose presence is tested."""
    return {event.name for event in events if event.use is Use.TESTED}
