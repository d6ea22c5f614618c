"""How the name of a backward function is built from the name of its forward function: ``f_vjp`` for ``f``.

One row for each word that stands for "backward" in a name, with an example, which is its test. It reads names only.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

Words = tuple[str, ...]


@dataclass(frozen=True)
class Word:
    """A word of a function's name, in lower case, its parts apart by "_".

    ``forward``: what may stand in its place in the name of the forward function, beside nothing at all. ``surely``: it
    says by itself that the function is a backward; else it does so where its forward function is there. ``local``: such
    a function may return the derivative alone, without an upstream gradient. ``leads``: only as the name's first word.
    """

    word: str
    example: tuple[str, str]  # a backward and its forward
    forward: tuple[str, ...] = ()
    surely: bool = False
    local: bool = False
    leads: bool = False


_LOSSES = ("loss", "cost", "objective")
WORDS = (
    Word("backward", ("conv_backward_naive", "conv_forward_naive"), ("forward",), surely=True),
    Word("bwd", ("linear_bwd", "linear_fwd"), ("fwd", "forward"), surely=True),
    Word("backprop", ("relu_backprop", "relu_forward"), ("forward", "fprop"), surely=True),
    Word("back_prop", ("relu_back_prop", "relu_forward_prop"), ("forward_prop", "forward"), surely=True),
    Word("backward_pass", ("dense_backward_pass", "dense_forward_pass"), ("forward_pass",), surely=True),
    Word("backward_propagation", ("net_backward_propagation", "net_forward_propagation"), ("forward_propagation",)),
    Word("bprop", ("dense_bprop", "dense_fprop"), ("fprop", "forward"), surely=True),
    Word("back", ("affine_back", "affine_forw"), ("forw", "forward", "fwd")),
    Word("bw", ("affine_bw", "affine_fw"), ("fw",)),
    Word("vjp", ("softplus_vjp", "softplus"), ("fwd", "forward")),
    Word("pullback", ("exp_pullback", "exp"), ("fwd", "forward")),
    Word("rev", ("exp_rev", "exp_fwd"), ("fwd",)),
    Word("grad", ("cube_grad", "cube"), ("forward", "fwd", *_LOSSES), local=True),
    Word("gradient", ("sigmoidGradient", "sigmoid"), ("forward", "fwd", *_LOSSES), local=True),
    Word("derivative", ("sigmoid_derivative", "sigmoid"), ("forward",), local=True),
    Word("derivate", ("tanh_derivate", "tanh"), ("forward",), local=True),
    Word("deriv", ("tanh_deriv", "tanh"), ("forward",), local=True),
    Word("der", ("tanh_der", "tanh"), ("forward",), local=True),
    Word("prime", ("elu_prime", "elu"), ("forward",), local=True),
    Word("diff", ("tanh_diff", "tanh"), local=True),
    Word("jacobian", ("softmax_jacobian", "softmax"), ("forward",), local=True),
    Word("d", ("d_tanh", "tanh"), ("forward",), local=True, leads=True),
)
_HALVES = (("forward", "backward"), ("Forward", "Backward"), ("fwd", "bwd"))
_FILLERS = frozenset({"of", "the", "wrt", "func", "function", "fn"})  # words that say nothing
_LAST = ("output", "to")  # as in sigmoid_output_to_derivative
_PARTS = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z0-9]+|[A-Z]+|[0-9]+")


def words(name: str) -> Words:
    """The words of a name in lower case, as underscores and capitals part them."""
    return tuple(part.lower() for part in _PARTS.findall(name))


def is_backward(name: str) -> bool:
    """Whether the name alone says that a function is the backward half of a pair."""
    return any(row.surely for row, _, _ in _readings(name))


def may_be_backward(name: str) -> bool:
    """Whether a function of this name is a backward half, if its forward function is there as well."""
    return bool(_readings(name)) or _tight(name) is not None


def may_be_local(name: str) -> bool:
    """Whether a function or method of this name may return the derivative alone."""
    return any(row.local for row, _, _ in _readings(name)) or _tight(name) is not None


def stem(name: str) -> str:
    """What the names of the two halves have in common: ``conv_naive`` for ``conv_backward_naive``."""
    found = _readings(name)
    if not found:
        return _tight(name) or name
    row, before, after = found[0]
    kept = _spelled(name, len(before), len(words(row.word)))
    return kept or "_".join((*before, *after))


def forward_of(name: str, known: Collection[str]) -> str | None:
    """The forward function of a backward one, among the names that are known; None where it is not there."""
    by_words: dict[Words, list[str]] = {}
    for other in known:
        by_words.setdefault(_plain(words(other)), []).append(other)
    for wanted in _wanted(name):
        found = [other for other in by_words.get(wanted, ()) if other != name]
        if found:
            return found[0]
    tight = _tight(name)
    return tight if tight in known else None


def backward_expected(name: str) -> str | None:
    """The name of the backward half that a function which is surely a forward half should have; None for others."""
    if "test" in words(name):
        return None
    for forth, back in _HALVES:
        before, found, after = name.partition(forth)
        begins_a_word = forth[0].isupper() or not before[-1:].isalpha()
        ends_a_word = not after[:1].islower()
        if found and begins_a_word and ends_a_word:
            return f"{before}{back}{after}"
    return None


def forward_expected(name: str) -> str:
    """The name of the forward half that a backward function should have."""
    for back, forth in (("backward", "forward"), ("Backward", "Forward"), ("bwd", "fwd"), ("backprop", "forward")):
        if back in name:
            return name.replace(back, forth, 1)
    return stem(name)


def _readings(name: str) -> list[tuple[Word, Words, Words]]:
    """Each row whose word stands in the name, with the words before and behind it; the longest first."""
    parts = words(name)
    if "test" in parts:  # a test, or what one is given
        return []
    found: list[tuple[Word, Words, Words]] = []
    for row in WORDS:
        own = words(row.word)
        for i in range(1 if row.leads else len(parts)):
            before, after = parts[:i], parts[i + len(own) :]
            stands_there = parts[i : i + len(own)] == own
            is_alone = not before and not after
            if stands_there and (row.forward or not is_alone):
                found.append((row, before, after))
    return sorted(found, key=lambda reading: -len(words(reading[0].word)))


def _wanted(name: str) -> Iterator[Words]:
    """The words that the forward function's name may have, the likeliest first."""
    for row, before, after in _readings(name):
        bare = _plain((*before, *after))
        replaced = [_plain((*before, *words(forth), *after)) for forth in row.forward]
        alone = [_plain((*before, *words(forth))) for forth in row.forward] if before and after else []
        likely = [bare, *replaced] if row.local else [*replaced, *alone, bare]
        yield from filter(None, likely)
        if row.local and before[-2:] == _LAST:
            yield _plain(before[:-2])


def _plain(parts: Words) -> Words:
    return tuple(part for part in parts if part not in _FILLERS)


def _tight(name: str) -> str | None:
    """The name behind a ``d`` that is written without a space: ``sigmoid`` for ``dsigmoid`` and ``dSigmoid``."""
    rest = name[1:]
    if name[:1] not in ("d", "D") or not rest[:1].isalpha():
        return None
    return rest[0].lower() + rest[1:] if rest[0].isupper() and rest[1:2].islower() else rest


def _spelled(name: str, before: int, count: int) -> str:
    """The name without the words at a place, spelled as its author spells it."""
    spans = [found.span() for found in _PARTS.finditer(name)]
    first, last = spans[before], spans[before + count - 1]
    left, right = name[: first[0]].rstrip("_"), name[last[1] :].lstrip("_")
    if left and right:
        return f"{left}_{right}" if "_" in name else f"{left}{right}"
    return left or (right[0].lower() + right[1:] if right[:1].isupper() and right[1:2].islower() else right)
