"""The promise that backward is linear in dout: scaled, negated, zero, summed; it knows no right gradient."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from gradproof.contract.change import beside
from gradproof.contract.promise import Promise
from gradproof.contract.session import Array, Returned, Scene, same, within
from gradproof.subject.subject import fixed_dout
from gradproof.values import Defect

# powers of two: in floating point the gradient must then scale in every bit, whatever was rounded on the way
_FACTORS = ((-1.0, "-dout"), (1024.0, "1024 dout"), (1 / 1024, "dout / 1024"), (0.0, "a dout of zeros"))

COARSE = 2.0**-12  # half of the bits of float32: what is not linear leaves it by far more, rounding by far less
ROUND_OFF = 2.0**-26  # half of the bits of float64: a gradient that small beside dout is what is left of larger terms


def linear(scene: Scene) -> Iterator[Defect]:
    """Ask for the gradients of one dout, and of others of which theirs follow."""
    reference = scene.session()
    output = reference.forward(scene.inputs)
    if not reference.subject.takes_dout():
        return
    one, other = scene.douts(output, 0), scene.douts(output, 1)
    right = reference.backward(one)
    noise = ROUND_OFF * _largest([*one, *other, *right.then.values()])
    # the tensors of which nothing has been said yet; what is read from an update carries the rounding of the weights
    left = {name: gradient for name, gradient in right.then.items() if name not in reference.subject.updates}
    is_loss = fixed_dout(reference.subject, [a.shape for a in output.live.values()]) is not None
    for factor, words in _FACTORS:
        wrong = _of_a_multiple(scene, one, left, factor, noise)
        for name, found in wrong.items():
            gradient = left.pop(name)
            if is_loss and same(gradient, found):
                yield _ignored(name, gradient, words, _what_is_ignored(scene, one, name, gradient, factor))
            else:
                yield _defect(name, factor * gradient, found, words)
    if left:
        yield from _of_a_sum(scene, one, other, left, noise)


def _of_a_multiple(
    scene: Scene, one: Sequence[Array], left: Mapping[str, Array], factor: float, noise: float
) -> Mapping[str, Array]:
    """The gradients for a multiple of a dout that are not that multiple of the one in ``left``, for the dout itself."""
    found = _gradients(scene, [factor * dout for dout in one]).then
    return {name: found[name] for name, gradient in left.items() if not _scales(gradient, found[name], factor, noise)}


def _what_is_ignored(scene: Scene, one: Sequence[Array], name: str, gradient: Array, factor: float) -> str:
    """Of a gradient that is the same for dout times ``factor``: the size of dout, its sign, or "" for all of it."""
    larger = _gradients(scene, [1024.0 * dout for dout in one]).then[name]
    size_counts = not same(gradient, larger)
    # the sign is tried first: where it is another factor that changes nothing, the sign counts
    if size_counts:
        return "the sign of "
    return "" if factor < 0 else "the size of "


def _of_a_sum(
    scene: Scene, one: Sequence[Array], other: Sequence[Array], left: Mapping[str, Array], noise: float
) -> Iterator[Defect]:
    """The tensors, of those in ``left`` with their gradient for one dout, whose gradient of a sum is not the sum."""
    second = _gradients(scene, other)
    together = _gradients(scene, [a + b for a, b in zip(one, other, strict=True)])
    for name, gradient in left.items():
        expected = gradient + second.then[name]
        if not within(expected, together.then[name], COARSE, noise):
            yield _defect(name, expected, together.then[name], "the sum of two douts")


def _largest(arrays: Sequence[Array]) -> float:
    """The largest number in them: the size of what was added up, whatever is left of the sums."""
    return max((float(np.abs(array[np.isfinite(array)]).max(initial=0)) for array in arrays), default=0.0)


def _gradients(scene: Scene, douts: Sequence[Array]) -> Returned:
    session = scene.session()
    session.forward(scene.inputs)
    return session.backward(douts)


def _scales(gradient: Array, found: Array, factor: float, noise: float) -> bool:
    """Say whether ``found`` is the gradient times the factor; a gradient with NaN or infinity shows nothing."""
    if gradient.shape != found.shape or not np.isfinite(gradient).all():
        return True
    expected = np.asarray(factor * gradient)
    left = noise * (abs(factor) or ROUND_OFF)  # of terms that cancel, zeros leave less than a digit
    return same(expected, found) or within(expected, found, 0.0, left)


def _ignored(name: str, gradient: Array, words: str, what: str) -> Defect:
    """A loss whose gradient is right for the dout that a net gives it, and the same for every other."""
    where = tuple(int(i) for i in np.unravel_index(int(np.abs(gradient).argmax()), gradient.shape))
    entry = f"d{name}[{', '.join(map(str, where))}]" if where else f"d{name}"
    lines = (
        ("seen", f"{entry} is {gradient[where]:.6g} for dout, and the same for {words}"),
        (
            "why it matters",
            "harmless at the end of a net, which calls backward(); wrong where the loss is weighted",
        ),
        ("what to do", f"multiply by dout: d{name} = dout * ..."),
    )
    return Defect(
        "GP509", f"the gradient of {name} ignores {what}dout", name, lines, "warning", kind=f"ignores {what}dout"
    )


def _defect(name: str, expected: Array, found: Array, words: str) -> Defect:
    seen = beside(f"d{name}", ("expected", expected), ("returned", found))
    lines = (
        ("seen", f"for {words}: {seen}"),
        ("why it matters", "the chain rule multiplies by dout: a gradient of 2 dout is twice the gradient of dout"),
        ("what to do", "use dout once, as a factor: no sign, clip, square, norm or comparison of dout"),
    )
    return Defect("GP509", f"the gradient of {name} is not linear in dout", name, lines)


IGNORED = {
    "ignores dout": ("ignores dout",),
    "ignores the size of dout": ("ignores the scale of dout",),
    "ignores the sign of dout": ("ignores the sign of dout",),
}
PROMISES = (Promise(linear, 160, {"GP509": ("not linear in dout",)}, IGNORED),)
