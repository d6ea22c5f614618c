"""The errors that gradproof raises at its users; it knows neither layers nor gradients."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Absence:
    """What user code needs and has not.

    name: of a variable, a definition or a module; why: completes "n_features, which ..."; because: the same on its own,
    for what is missing in turn; remedy: what to do; is_module: whether it is a module that is not installed.
    """

    name: str
    why: str
    because: str
    remedy: str
    is_module: bool = False

    def __str__(self) -> str:
        return f"needs {self.name}, which {self.why}: {self.remedy}"


def not_installed(module: str) -> Absence:
    """The absence of a module, by its dotted name."""
    package = module.partition(".")[0]
    remedy = f"install {package}, or correct the name"
    return Absence(module, "is not installed", f"{module} is not installed", remedy, is_module=True)


class GradproofError(Exception):
    """Base of every error that gradproof raises by itself."""


class UsageError(GradproofError, ValueError):
    """What the user asked for cannot be done: the message says what was expected, what came, and what to do."""


class NotAvailable(GradproofError, NameError):  # noqa: N818  it stands in tracebacks, as a word
    """User code uses what is not there: a name that its file did not come to define, or a module that is missing.

    ``absence`` says what, why, and what to do.
    """

    def __init__(self, absence: Absence) -> None:
        super().__init__(f"{absence.name}, which {absence.why}")
        self.absence = absence
