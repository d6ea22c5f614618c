"""The errors that gradproof raises at its users; it knows neither layers nor gradients."""

from __future__ import annotations


class GradproofError(Exception):
    """Base of every error that gradproof raises by itself."""


class UsageError(GradproofError, ValueError):
    """What the user asked for cannot be done: the message says what was expected, what came, and what to do."""
