"""Values for the arguments that are no arrays: sizes, kernels, rates, flags, names, dicts; the likeliest first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from gradproof.infer.guesses import BATCH, Guess, Kind
from gradproof.infer.roles import Role

PIXELS = {"h": (3, 6), "w": (3, 6)}  # no smaller than a usual kernel
TAPS = {"kh": (1, 3), "kw": (1, 3), "k": (1, 3)}  # no larger than the smallest image
ROOM = 64  # for arguments such as max_len: more than any size that is drawn or tried
# What the keys of a dict usually hold, and scalars in general; a ratio of 1/2 keeps dropout masks mixed.
_USUAL: Mapping[str, Any] = {
    "mode": "train", "stride": 1, "pad": 1, "padding": 1, "pool_height": 2, "pool_width": 2, "pool_h": 2, "pool_w": 2,
    "p": 0.5, "keep_prob": 0.5, "dropout_ratio": 0.5, "eps": 1e-5, "momentum": 0.9, "lr": 0.1, "learning_rate": 0.1,
    "power": 0.75, "seed": 7,
}  # fmt: skip
_DIMS = {"vocab": "v", "class": "c", "hidden": "h", "out": "o", "channel": "c", "in": "d", "embed": "d", "vec": "d"}


def literal(value: Any, text: str | None = None) -> Guess:
    """A value as it is; ``text`` is its source, where its repr is none."""
    return Guess(Kind.LITERAL, value=value, text=text if text or not isinstance(value, str) else f"just({value!r})")


ON = literal(True)
EXP = literal(np.exp, "np.exp")  # its own derivative: it may stand for a function and for its derivative at once
_SHAPES = (("c", "h", "w"), ("d",), (BATCH, "d"), (BATCH, "c", "h", "w"), ("h", "w"), ("t", "d"))
_VALUES: Mapping[Role, tuple[Any, ...]] = {
    Role.KERNEL: (2, (2, 3), 3, [2, 3]),
    Role.STRIDE: (1, 2, (1, 1)),
    Role.PAD: (0, 1, (0, 0)),
    Role.GROUPS: (2, 1),
    Role.RATE: (0.5,),
    Role.FLAG: (True, False),
    Role.MODE: ("train", "mean", "sum", "max"),
    Role.ACTIVATION: ("relu", "tanh", "sigmoid"),
    Role.CORPUS: ([0, 1, 2, 3, 4, 5, 6, 0, 1],),
}


def hyperparameters(role: Role, name: str, *, pooling: bool, words: Iterable[str]) -> list[Guess]:
    """The guesses for an argument of ``role``; none for a role that is an array's.

    pooling: windows do not overlap; words: the strings that the source compares the argument with.
    """
    match role:
        case Role.SIZE if name.startswith("max"):
            return [literal(ROOM)]
        case Role.SIZE:
            dim = next((dim for word, dim in _DIMS.items() if word in name), "k")
            return [Guess(Kind.SIZE, (dim,)), literal(2), Guess(Kind.SIZES, ("h",)), literal(4)]
        case Role.SHAPE if any(word in name for word in ("conv", "filter")):
            return [Guess(Kind.SIZES, axes, ranges=TAPS) for axes in (("c", "kh", "kw"), ("f", "c", "kh", "kw"))]
        case Role.SHAPE:
            return [Guess(Kind.SIZES, axes, ranges=PIXELS) for axes in _SHAPES]
        case Role.SIZE_LIST:
            return [Guess(Kind.SIZES, ("h",)), literal([4]), Guess(Kind.SIZES, ("d", "h", "k")), literal([4, 3, 5])]
        case Role.SCALAR:
            return [literal(_USUAL.get(name, 0.1))]
        case Role.PENALTY:
            return [literal(0.0), literal(0.1)]
        case Role.FUNCTION:
            return [EXP]
        case _:
            values = [*(words if role in (Role.MODE, Role.ACTIVATION) else ()), *_VALUES.get(role, ())]
            values = [2, *values, (2, 2)] if pooling and role is Role.STRIDE else values
            values = sorted(values, key=lambda value: not isinstance(value, tuple)) if "shape" in name else values
            return [*map(literal, values), *([EXP] if role is Role.ACTIVATION else [])]


def dicts(keys: Iterable[str]) -> list[Guess]:
    """A dict with the usual values of these keys, and others: windows that overlap where pooling, or do not."""
    usually = {key: usual(key) for key in keys}
    apart = {key: 2 if "stride" in key.lower() else 0 if "pad" in key.lower() else v for key, v in usually.items()}
    pools = any("pool" in key.lower() for key in usually)
    return [literal(value) for value in ((apart, usually) if pools else (usually, apart))[: 1 + (apart != usually)]]


def usual(key: str) -> Any:
    """What a dict argument usually holds under ``key``."""
    return _USUAL.get(key.lower(), 1)
