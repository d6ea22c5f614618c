"""What the name of an argument of backward says: an upstream gradient, a cache, an output, an input; or nothing.

One row for each role, with names that have it: they are its test. A name that no row knows may be anything.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Role:
    """One role: ``pattern`` is searched for in the whole name, case aside; ``examples`` are names of this role."""

    role: str
    pattern: str
    examples: tuple[str, ...]


ROLES = (
    Role(
        "cache",
        r"\w*caches?|ctx|context|saved(_\w+)?|stored|memo(ry)?|tape|res(id(ual)?s?)?|intermediates?",
        ("cache", "relu_cache", "ctx", "saved", "saved_tensors", "memory", "tape", "res", "residuals"),
    ),
    Role(
        "dout",
        r"d|d(?!ata|ims?$|ept|ict|rop|type$|er|evi|ebug|istance|one$|omain|raw|ecay|egree|efault)[a-z_]\w*"
        r"|g[yo]?|gout|g_\w+|grad\w*|\w+_grad(ient)?s?|delta\w*|err(ors?)?|error_\w+|up\w*|top_diff"
        r"|\w+_?bar|ct|cts|ct_\w+|cot\w*|v_?out|seed|incoming|next_grad\w*|loss_grad\w*",
        (
            "dout",
            "d",
            "dy",
            "d_out",
            "dZ",
            "g",
            "gy",
            "grad_output",
            "out_grad",
            "delta",
            "err",
            "upstream",
            "y_bar",
            "ct",
        ),
    ),
    Role(
        "output",
        r"y|y_?out|out(put)?s?|\w+_out(put)?|a_?out|fx|f_x|result|act(ivation)?s?|activated|probs?|sig|soft",
        ("y", "out", "output", "outputs", "result", "activation", "probs"),
    ),
    Role(
        "input",
        r"[xz]\d*|x_\w+|inp|in|data|values?|\w*inputs?|\w*prev\w*|pre_?act\w*",
        ("x", "z", "x1", "inp", "data", "inputs", "A_prev"),
    ),
)
_COMPILED = tuple((row.role, re.compile(row.pattern, re.IGNORECASE)) for row in ROLES)

# What a loss compares with, and what it compares; the surer names first.
_TARGET = re.compile(r".*(true|target|label|truth|actual|expected|desired|correct|gold).*|gt|t", re.IGNORECASE)
_MAYBE_TARGET = re.compile(r"y|ys|d", re.IGNORECASE)
_PREDICTION = re.compile(r".*(pred|hat|output|logit|score|prob|estimate|guess).*|yhat|out", re.IGNORECASE)


def role_of(name: str) -> str | None:
    """The first role that knows the name; None where none does."""
    return next((role for role, pattern in _COMPILED if pattern.fullmatch(name)), None)


def has_role(name: str, role: str) -> bool:
    """Whether the name may have this role, whatever others it may have as well."""
    return any(own == role and pattern.fullmatch(name) for own, pattern in _COMPILED)


def targets(names: Sequence[str]) -> tuple[str, ...]:
    """The arguments of a loss that are what it compares with, as far as their names tell."""
    sure = [name for name in names if _TARGET.fullmatch(name) and not _PREDICTION.fullmatch(name)]
    maybe = [name for name in names if _MAYBE_TARGET.fullmatch(name)]
    found = sure or (maybe if len(names) > 1 else [])
    return tuple(found) if len(found) < len(names) else ()


def predictions(names: Sequence[str]) -> tuple[str, ...]:
    """The arguments of a loss that are what it compares, as far as their names tell."""
    answers = targets(names)
    found = [name for name in names if _PREDICTION.fullmatch(name) and name not in answers]
    return tuple(found)
