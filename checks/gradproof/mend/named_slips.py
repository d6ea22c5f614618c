"""Every kind of slip that a change may mend, by its name: those of changes are found, nothing lists them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import ModuleType

from gradproof.assembled import modules_of
from gradproof.mend import coupled, mistyped, slip_kinds, solved, weighted, wording
from gradproof.mend.slip import SlipKind


def _modules() -> Iterator[ModuleType]:
    yield from (slip_kinds, wording, solved, coupled, weighted, mistyped)
    yield from modules_of("gradproof.mend.changes")


def _by_name() -> dict[str, SlipKind]:
    """Raises ValueError where two kinds have one name."""
    found: dict[str, SlipKind] = {}
    for module in _modules():
        for kind in vars(module).values():
            if isinstance(kind, SlipKind) and found.setdefault(kind.name, kind) is not kind:
                raise ValueError(f"expected a name for each kind of slip, got {kind.name!r} twice")
    return found


SLIPS: Mapping[str, SlipKind] = _by_name()
