"""The guesses for each argument, likeliest first: from its role, its default, and what the source says of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from inspect import Parameter
from typing import Any

from gradproof.infer.annotations import annotated
from gradproof.infer.guesses import BATCH, Guess, Kind
from gradproof.infer.hyperparameters import EXP, ON, PIXELS, TAPS, dicts, hyperparameters, literal
from gradproof.infer.roles import Role, Setting, role_of
from gradproof.infer.usage import Usage

SMALL = 6  # a default size up to this one is kept; a larger one only makes the check slow
_AXES: Mapping[int, tuple[str, ...]] = {1: ("d",), 2: (BATCH, "d"), 3: (BATCH, "t", "d"), 4: (BATCH, "c", "h", "w")}
_OF_TYPE: Mapping[Any, tuple[Any, ...]] = {float: (0.5,), bool: (True, False)}
_STEP = 1.0  # the cost of each next guess


@dataclass(frozen=True)
class Argument:
    """One argument as its signature and the source show it; ``layer`` is an object of another layer class, if any."""

    name: str
    default: Any
    constructor: bool
    annotation: Any
    setting: Setting
    usage: Usage
    layer: Any = None

    @property
    def required(self) -> bool:
        """Whether there is no default."""
        return self.default is Parameter.empty


def proposals(argument: Argument) -> tuple[Guess, ...]:
    """All guesses for one argument, likeliest first, with dims of their own."""
    role = role_of(argument.name, constructor=argument.constructor)
    role = Role.TARGET if argument.setting.loss and role is Role.INPUT and argument.name.lower() == "y" else role
    found = _known_ranks(argument, _of_role(argument, role))
    if not argument.required:
        found = [*_of_default(argument, role, found)]
    unique: dict[object, Guess] = {}
    for guess in found:
        unique.setdefault((guess.kind, guess.axes, guess.below, repr(guess.value)), guess)
    told = annotated(argument.annotation, argument.name)
    guesses = [guess.owned_by(argument.name) for guess in unique.values()]
    guesses = guesses if told is None else [told, *guesses]
    return tuple(replace(guess, cost=_STEP * place) for place, guess in enumerate(guesses))


def _of_default(argument: Argument, role: Role, found: list[Guess]) -> list[Guess]:
    """The default first, where it is small; targets that may be left out are given."""
    absent, default = Guess(Kind.ABSENT), argument.default
    if default is False:
        return [absent, ON]
    if role is Role.TARGET and default is None:
        return [*found, absent]
    if role in (Role.SIZE, Role.GROUPS) and type(default) is int and default > SMALL:
        return [*found, absent]
    if role in (Role.SHAPE, Role.SIZE_LIST, Role.SIZE) and isinstance(default, tuple):
        axes = tuple("kchwd"[i] if len(default) != 3 else "chw"[i] for i in range(min(len(default), 5)))
        big = any(type(size) is int and size > SMALL for size in default)
        return [Guess(Kind.SIZES, axes, ranges=PIXELS), absent] if big else [absent]
    return [absent, *(guess for guess in found if guess.kind is not Kind.ABSENT)]


def _known_ranks(argument: Argument, found: list[Guess]) -> list[Guess]:
    """The guesses with as many axes as the source unpacks come first; those with too few for its indices come last."""
    name, usage = argument.name, argument.usage
    ranks, least = usage.ranks.get(name, ()), usage.least.get(name, 0)
    missing = [rank for rank in ranks if all(guess.rank not in (None, rank) for guess in found)]
    found = found + [_array(rank) for rank in missing if rank in _AXES]
    if not ranks and not least:
        return found
    return sorted(found, key=lambda guess: (guess.rank not in ranks if ranks else 0, (guess.rank or least) < least))


def _of_role(argument: Argument, role: Role) -> list[Guess]:
    setting = argument.setting
    match role:
        case Role.INPUT | Role.SEQUENCE:
            return _inputs(argument, sequence=setting.sequence or role is Role.SEQUENCE)
        case Role.STATE:
            return [_array(2, "h"), _array(1, "h"), Guess(Kind.FLOATS, ("1", BATCH, "h")), _array(3, "h")]
        case Role.TARGET:
            return _targets(setting)
        case Role.INDEX:
            rows = [Guess(Kind.ONE_HOT, axes, "v") for axes in ((BATCH, "t"), (BATCH,))]
            return [*_indices(), *rows, _array(2)]
        case Role.MASK:
            return [_labels(rank, "2") for rank in ((4, 2) if setting.image else (2, 1, 3, 4))]
        case Role.LAYER | Role.LAYERS:
            return _layers(argument, several=role is Role.LAYERS)
        case Role.PARAM_DICT:
            return dicts(argument.usage.keys.get(argument.name, ()))
        case _:
            return _parameters(argument, role) or _values(argument, role) or _unknown(argument)


def _inputs(argument: Argument, *, sequence: bool) -> list[Guess]:
    setting = argument.setting
    order = (4, 2, 3, 1) if setting.image else (3, 2, 4, 1) if sequence else (2, 3, 4, 1)
    last = "h" if argument.name.lower() in ("h", "hs", "hidden") else ""
    arrays = [_array(rank, last) for rank in order]
    if setting.binary:
        arrays.insert(0, Guess(Kind.FLOATS, (BATCH, "t")) if sequence else Guess(Kind.FLOATS, (BATCH,)))
    even = Guess(Kind.FLOATS, (BATCH, "c", "2*h", "2*w"), ranges={"h": (2, 4), "w": (2, 4)})
    channels_last = Guess(Kind.FLOATS, (BATCH, "h", "w", "c"), ranges=PIXELS)
    extra = [even, channels_last] if setting.image else []
    column = Guess(Kind.FLOATS, ("d", "1"))
    found = [*arrays[:1], *extra, *arrays[1:], column, *_indices(), _array(0)]
    return [*_indices(), *found] if setting.lookup else found


def _indices() -> list[Guess]:
    return [Guess(Kind.LABELS, (BATCH,), "v"), Guess(Kind.LABELS, (BATCH, "t"), "v")]


def _targets(setting: Setting) -> list[Guess]:
    classes = {"c": (2, 6)}  # one class leaves nothing to tell apart: the loss is constant
    labels = [Guess(Kind.LABELS, axes, "c", ranges=classes) for axes in ((BATCH,), (BATCH, "t"))]
    rows = [Guess(Kind.ONE_HOT, axes, "c", ranges=classes) for axes in ((BATCH,), (BATCH, "t"))]
    values = [Guess(Kind.CONSTANT, _AXES[rank]) for rank in (2, 3, 4)] + [Guess(Kind.CONSTANT, (BATCH,))]
    truths = [_labels(rank, "2") for rank in (1, 2, 3)]
    labels, rows = (labels[::-1], rows[::-1]) if setting.sequence else (labels, rows)
    if setting.binary:
        truths = [truths[1], truths[0]] if setting.sequence else truths
        return [*truths, *values, *rows, *labels]
    if setting.classes or not setting.loss:
        return [labels[0], rows[0], labels[1], rows[1], *truths, *values]
    return [*values, *rows, *labels]


def _parameters(argument: Argument, role: Role) -> list[Guess]:
    """Arrays of weights; a constructor is handed them, or a forward in the style of functions with a cache."""
    square, image = argument.setting.sequence, argument.setting.image
    matrix = Guess(Kind.FLOATS, ("v", "d") if argument.setting.lookup else ("d", "h"))
    filters = Guess(Kind.FLOATS, ("f", "c", "kh", "kw"), ranges=TAPS)
    last = Guess(Kind.FLOATS, ("kh", "kw", "c", "f"), ranges=TAPS)
    taps = Guess(Kind.FLOATS, ("f", "c", "k"), ranges=TAPS)
    match role:
        case Role.RECURRENT:
            return [Guess(Kind.FLOATS, ("h", "g")), Guess(Kind.FLOATS, ("h",)), taps]
        case Role.WEIGHT:
            plain = [matrix, Guess(Kind.FLOATS, ("d",)), taps]
            return [filters, last, *plain] if image and not square else [*plain, filters, last]
        case Role.BIAS | Role.SCALE:
            rows: list[tuple[str, ...]] = [("h",), ("1", "h"), ("1", "c", "1", "1"), ("h", "1"), ("1", "1", "1", "c")]
            return [Guess(Kind.FLOATS, axes) for axes in rows]
        case _:
            return []


def _values(argument: Argument, role: Role) -> list[Guess]:
    name, words = argument.name.lower(), argument.usage.words.get(argument.name, ())
    if role is Role.KERNEL and name.rstrip("s") in ("kernel", "filter") and not argument.setting.image:
        return _parameters(argument, Role.WEIGHT)
    return hyperparameters(role, name, pooling=argument.setting.pooling, words=words)


def _unknown(argument: Argument) -> list[Guess]:
    if argument.annotation in _OF_TYPE:
        return [literal(value) for value in _OF_TYPE[argument.annotation]]
    if not argument.constructor:
        words = [literal(word) for word in argument.usage.words.get(argument.name, ())]
        return [*words, *_inputs(argument, sequence=argument.setting.sequence), literal(0.5), literal(True)]
    arrays = [Guess(Kind.FLOATS, ("d", "h")), Guess(Kind.FLOATS, ("h",))]
    return [Guess(Kind.SIZE, ("k",)), *arrays, literal(0.5), EXP, *_layers(argument, several=False)]


def _layers(argument: Argument, *, several: bool) -> list[Guess]:
    """Another layer of the author's, built without arguments."""
    if argument.layer is None:
        return []
    text = f"{type(argument.layer).__qualname__}()"
    one, more = literal(argument.layer, text), literal([argument.layer], f"[{text}]")
    return [more, one] if several else [one, more]


def _array(rank: int, last: str = "") -> Guess:
    axes = _AXES.get(rank, ())
    return Guess(Kind.FLOATS, (*axes[:-1], last) if last and axes else axes, ranges=PIXELS if rank == 4 else {})


def _labels(rank: int, below: str) -> Guess:
    return Guess(Kind.LABELS, (BATCH,) if rank == 1 else _AXES[rank], below, ranges=PIXELS if rank == 4 else {})
