"""What forward and backward of a layer object give beside what they return: what they keep in attributes."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradproof.convention.losses import KEPT
from gradproof.convention.pairing import is_book
from gradproof.convention.return_statements import returns_nothing
from gradproof.convention.stored import GRADIENTS, OUTPUTS, Stored


class HandedOver:
    """Where a layer keeps what it does not return.

    ``output`` and ``slope``: of a forward and a backward that return nothing. ``ends_in_loss``: whether the last of the
    outputs is a loss that forward keeps in an attribute. ``in_parts``: whether the input's gradient came as a list.
    """

    def __init__(self) -> None:
        self.output, self.slope, self.loss = Stored(OUTPUTS), Stored(GRADIENTS), Stored(KEPT)
        self.ends_in_loss = self.in_parts = False

    def nothing(self, layer: Any, backward: str) -> bool:
        """Whether a net reads attributes of it: backward returns nothing either, so that no return was forgotten."""
        return not is_book(layer) and returns_nothing(getattr(type(layer), backward))

    def with_loss(self, outputs: tuple[Any, ...], layer: Any) -> tuple[Any, ...]:
        """The outputs, and behind them the loss that forward kept; in the place of None where it returned nothing."""
        has_loss = any(output is not None and np.ndim(output) == 0 for output in outputs)
        loss = None if has_loss else self.loss.after(layer)
        self.ends_in_loss = loss is not None and np.ndim(loss) == 0
        if not self.ends_in_loss:
            return outputs
        return (loss,) if len(outputs) == 1 and outputs[0] is None else (*outputs, loss)

    @property
    def notes(self) -> list[str]:
        """What is read from attributes, and what backward is then judged as."""
        stored = {"the output": ("forward", self.output), "the gradient of the input": ("backward", self.slope)}
        notes = [f"{what} is read from self.{w.name}, where {m} stores it" for what, (m, w) in stored.items() if w.name]
        if self.in_parts:
            notes.append("backward returns a list: each of its arrays is one part of the gradient")
        if self.ends_in_loss:
            where = f"self.{self.loss.name}, where forward keeps the loss"
            notes.append(f"backward takes no dout: judged as the gradient of {where}")
        return notes
