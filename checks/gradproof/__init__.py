"""gradproof finds, and names, the bug in a hand-written backward pass; this facade imports nothing until it is used."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gradproof.case.case import Case, Settings
    from gradproof.case.nested import arrays
    from gradproof.case.specs import constant, floats, just, labels, one_hot, positive, probabilities, size, sizes
    from gradproof.checking import check
    from gradproof.convention.convention import Convention
    from gradproof.differentiate.numeric import Estimate, directional_derivative, numerical_gradient
    from gradproof.errors import GradproofError, UsageError
    from gradproof.findings import Finding
    from gradproof.report.report import GradientFault, Report
    from gradproof.values import Verdict

    __version__: str

__all__ = [
    "Case",
    "Convention",
    "Estimate",
    "Finding",
    "GradientFault",
    "GradproofError",
    "Report",
    "Settings",
    "UsageError",
    "Verdict",
    "__version__",
    "arrays",
    "check",
    "constant",
    "directional_derivative",
    "floats",
    "just",
    "labels",
    "numerical_gradient",
    "one_hot",
    "positive",
    "probabilities",
    "size",
    "sizes",
]

_HOMES = {
    "case.case": ("Case", "Settings"),
    "case.nested": ("arrays",),
    "checking": ("check",),
    "convention.convention": ("Convention",),
    "errors": ("GradproofError", "UsageError"),
    "differentiate.numeric": ("Estimate", "directional_derivative", "numerical_gradient"),
    "report.report": ("GradientFault", "Report"),
    "case.specs": ("constant", "floats", "just", "labels", "one_hot", "positive", "probabilities", "size", "sizes"),
    "findings": ("Finding",),
    "values": ("Verdict",),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    """Import the module behind a public name when the name is first used."""
    if name == "__version__":
        value: Any = _version()
    elif name in _HOME_OF:
        value = getattr(importlib.import_module(f"gradproof.{_HOME_OF[name]}"), name)
    else:
        raise AttributeError(f"module 'gradproof' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def _version() -> str:
    from importlib import metadata

    try:
        return metadata.version("gradproof")
    except metadata.PackageNotFoundError:
        return "0+uninstalled"
