"""One adapter for each gradient checker, at its defaults: a subject in, a verdict out. It draws and times nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
from peers_cases import Subject
from zoo_kind import Array
from zoo_problem import Drawn

from gradproof import __version__
from gradproof.compare.examine import examine
from gradproof.values import Verdict

FLOOR = 1e-8  # what keeps the course script's relative error finite where both gradients are zero
SCRIPT = "(written anew)"  # where others have a version: the rule of a script, not its code
BOOK_LIMIT = 1e-5  # the book prints the mean difference and names no limit; this is the looser of the course's two


class Answer(StrEnum):
    """What a checker says of a subject."""

    ACCUSED = "accused"
    ACQUITTED = "acquitted"
    OPEN = "no verdict"
    RAISED = "raised"


Check = Callable[[Subject, int], bool | None]  # (subject, seed) -> whether the gradient is accepted; None: no verdict


@dataclass(frozen=True)
class Checker:
    """A checker under its name; ``check`` is None where it is not installed."""

    name: str
    version: str
    check: Check | None

    def answer(self, subject: Subject, seed: int) -> Answer:
        """Run it. An exception other than its own verdict is an answer too: it is counted, not hidden."""
        if self.check is None:
            raise ValueError(f"{self.name} is not installed: it has no answer")
        try:
            accepted = self.check(subject, seed)
        except Exception:  # any other failure of a checker is a result of the comparison
            return Answer.RAISED
        return Answer.OPEN if accepted is None else Answer.ACQUITTED if accepted else Answer.ACCUSED


def gradproof_check(subject: Subject, seed: int) -> bool | None:
    """Two forwards (is it deterministic?), one backward, then the engine; the whole of it is timed."""
    outputs, again = (np.asarray(subject.kind.forward(*subject.inputs)) for _ in range(2))
    if not np.array_equal(outputs, again):
        return None
    gradients = subject.kind.backward(subject.dout, *subject.inputs)
    drawn = Drawn(subject.kind, subject.case.drawn.scale, subject.inputs, outputs, subject.dout, gradients)
    verdicts = {result.verdict for result in examine(drawn.problem(), np.random.default_rng(seed))}
    if Verdict.FAIL in verdicts:
        return False
    return None if Verdict.INCONCLUSIVE in verdicts else True


def torch_check(fast_mode: bool) -> Check:
    """torch.autograd.gradcheck over a Function that calls NumPy; its directions have a fixed seed."""
    import torch

    def check(subject: Subject, seed: int) -> bool:
        class Layer(torch.autograd.Function):
            @staticmethod
            def forward(ctx: Any, *values: torch.Tensor) -> torch.Tensor:
                ctx.save_for_backward(*values)
                return torch.from_numpy(np.array(subject.forward(*(v.detach().numpy() for v in values))))

            @staticmethod
            def backward(ctx: Any, dout: torch.Tensor) -> tuple[torch.Tensor, ...]:
                gradients = subject.backward(dout.numpy(), *(v.detach().numpy() for v in ctx.saved_tensors))
                return tuple(torch.from_numpy(np.array(gradient)) for gradient in gradients)

        values = [torch.from_numpy(value.copy()).requires_grad_() for value in subject.values]
        return bool(torch.autograd.gradcheck(Layer.apply, values, raise_exception=False, fast_mode=fast_mode))

    return check


def jax_check() -> Check:
    """jax.test_util.check_grads in reverse mode over a custom_vjp, in float64; its directions have a fixed seed.

    Outside of jit, jax hands concrete arrays to the functions of a custom_vjp, and NumPy takes them as they are.
    pure_callback would compile anew for each layer: some fifty times slower, and nothing that a check needs.
    """
    import jax
    from jax.test_util import check_grads

    jax.config.update("jax_enable_x64", True)

    def check(subject: Subject, seed: int) -> bool:
        layer = jax.custom_vjp(subject.forward)
        layer.defvjp(
            lambda *values: (subject.forward(*values), values),
            lambda values, dout: tuple(subject.backward(dout, *values)),
        )
        return _without_complaint(lambda: check_grads(layer, tuple(subject.values), order=1, modes=["rev"]))

    return check


def autograd_check() -> Check:
    """autograd.test_util.check_grads, first order in reverse mode, over all inputs at once."""
    from autograd.extend import defvjp_argnums, primitive
    from autograd.test_util import check_grads

    def check(subject: Subject, seed: int) -> bool:
        layer = primitive(subject.forward)

        def pull_back(argnums: tuple[int, ...], ans: Array, values: tuple[Array, ...], options: Any) -> Any:
            def vjp(dout: Array) -> list[Array]:
                gradients = subject.backward(dout, *values)
                return [gradients[i] for i in argnums]

            return vjp

        defvjp_argnums(layer, pull_back)
        np.random.seed(seed)  # noqa: NPY002  (its directions come from the global generator and from nowhere else)
        numbers = tuple(range(len(subject.values)))
        return _without_complaint(lambda: check_grads(layer, numbers, modes=["rev"], order=1)(*subject.values))

    return check


def _without_complaint(run: Callable[[], object]) -> bool:
    try:
        run()
    except AssertionError:
        return False
    return True


def _central_differences(subject: Subject, position: int, h: float) -> Array:
    """The gradient of <dout, y> in one tensor, entry by entry, two forwards each."""
    values = [value.copy() for value in subject.values]
    moving = values[position]
    gradient = np.zeros(moving.shape)
    for index in np.ndindex(moving.shape):
        kept = moving[index]
        moving[index] = kept + h
        above = subject.forward(*values)
        moving[index] = kept - h
        below = subject.forward(*values)
        moving[index] = kept
        gradient[index] = ((above - below) * subject.dout).sum() / (2 * h)
    return gradient


def course_check(limit: float) -> Check:
    """The script of CS231n: h = 1e-5, and the largest |a - b| / max(1e-8, |a| + |b|) of each tensor against a limit."""

    def check(subject: Subject, seed: int) -> bool:
        subject.forward(*subject.values)
        worst = 0.0
        for position, analytic in enumerate(subject.backward(subject.dout, *subject.values)):
            numeric = _central_differences(subject, position, 1e-5)
            error = np.abs(analytic - numeric) / np.maximum(FLOOR, np.abs(analytic) + np.abs(numeric))
            worst = max(worst, float(error.max()))
        return worst <= limit

    return check


def book_check(subject: Subject, seed: int) -> bool:
    """The check of Deep Learning from Scratch: h = 1e-4, and the mean |a - b| of each tensor."""
    subject.forward(*subject.values)
    gradients = subject.backward(subject.dout, *subject.values)
    means = [np.abs(g - _central_differences(subject, i, 1e-4)).mean() for i, g in enumerate(gradients)]
    return bool(max(means) <= BOOK_LIMIT)


def _installed(name: str, package: str, make: Callable[[], Check]) -> Checker:
    try:
        return Checker(name, version(package), make())
    except (ImportError, PackageNotFoundError):
        return Checker(name, "not installed", None)


def checkers() -> list[Checker]:
    """List gradproof first, then its peers; those that are not installed are named as such."""
    return [
        Checker("gradproof", __version__, gradproof_check),
        _installed("torch slow", "torch", lambda: torch_check(fast_mode=False)),
        _installed("torch fast", "torch", lambda: torch_check(fast_mode=True)),
        _installed("jax", "jax", jax_check),
        _installed("autograd", "autograd", autograd_check),
        Checker("cs231n 1e-7", SCRIPT, course_check(1e-7)),
        Checker("cs231n 1e-5", SCRIPT, course_check(1e-5)),
        Checker("book 1e-5", SCRIPT, book_check),
    ]
