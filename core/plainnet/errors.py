"""The errors that plainnet raises at its users; it knows neither arrays nor layers."""

from __future__ import annotations


class PlainnetError(Exception):
    """Base of every error that plainnet raises by itself."""


class InputError(PlainnetError, ValueError):
    """An argument cannot be used: the message says what was expected, what came, and what to do."""


class BackwardBeforeForwardError(PlainnetError, RuntimeError):
    """Backward was called on a node that has not seen a forward yet."""


class DivergedError(PlainnetError, ArithmeticError):
    """The loss of a training run is no longer a finite number."""
