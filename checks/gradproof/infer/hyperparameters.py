"""Values for the arguments that are no arrays: rates, flags, words, dicts; the likeliest first. It knows no shapes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from gradproof.infer.roles import WEIGHTS, Role, role_of

# What the keys of a dict usually hold, and scalars in general; a ratio of 1/2 keeps dropout masks mixed.
_USUAL: Mapping[str, Any] = {
    "mode": "train", "stride": 1, "pad": 1, "padding": 1, "pool_height": 2, "pool_width": 2, "pool_h": 2, "pool_w": 2,
    "p": 0.5, "keep_prob": 0.5, "dropout_ratio": 0.5, "eps": 1e-5, "momentum": 0.9, "lr": 0.1, "learning_rate": 0.1,
    "power": 0.75, "seed": 7,
}  # fmt: skip
_OF_ROLE: Mapping[Role, Any] = {
    Role.STRIDE: 1,
    Role.PAD: 0,
    Role.GROUPS: 2,
    Role.KERNEL: 2,
    Role.RATE: 0.5,
    Role.PENALTY: 0.0,
}
_WORDS: Mapping[Role, tuple[str, ...]] = {
    Role.MODE: ("train", "mean", "sum", "max"),
    Role.ACTIVATION: ("relu", "tanh", "sigmoid"),
}
CORPUS = [0, 1, 2, 3, 4, 5, 6, 7, 0, 1]  # word ids, some of them twice; 8 of them, which is the size of no dim
_NUMBER = 0.3  # of what nothing is known: neither neutral nor a whole number


def number_for(name: str, *, constructor: bool) -> Any:
    """The likely value of an argument that is a number."""
    role = role_of(name, constructor=constructor)
    if role in _OF_ROLE:
        return _OF_ROLE[role]
    usually = usual(name)
    return _NUMBER if usually == 1 else usually


def words_for(name: str, compared: Iterable[str], *, constructor: bool) -> tuple[str, ...]:
    """The words that an argument may be: those that the source compares it with, then the usual ones."""
    return tuple(dict.fromkeys([*compared, *_WORDS.get(role_of(name, constructor=constructor), ())]))


def dicts(keys: Iterable[str]) -> tuple[Any, ...]:
    """A dict with the usual values of these keys, and others: windows that overlap where pooling, or do not."""
    usually = {key: usual(key) for key in keys}
    apart = {key: 2 if "stride" in key.lower() else 0 if "pad" in key.lower() else v for key, v in usually.items()}
    pools = any("pool" in key.lower() for key in usually)
    both = (apart, usually) if pools else (usually, apart)
    return both if apart != usually else both[:1]


def arrays_among(keys: Iterable[str]) -> tuple[str, ...]:
    """All the keys of a dict, where any of them is that of an array; none where all usually hold numbers."""
    found = tuple(keys)
    return () if all(map(_holds_number, found)) else found


def _holds_number(key: str) -> bool:
    return key.lower() in _USUAL or role_of(key, constructor=True) not in (*WEIGHTS, Role.UNKNOWN)


def usual(key: str) -> Any:
    """What a dict argument usually holds under ``key``."""
    return _USUAL.get(key.lower(), 1)
