"""The arrays that forward had in its own variables when it returned: what it might have kept for backward."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any

import numpy as np

from gradproof.guard import SubjectError
from gradproof.mend.expressions import LARGEST
from gradproof.mend.patch import HOOK, compiled, hooked, patched
from gradproof.mend.tree import Tree
from gradproof.mend.trial import Trial


def variables_of_forward(trial: Trial, forward: Tree) -> dict[str, Any]:
    """Copies of forward's arguments and local variables that are arrays, by name; {} where it cannot be watched."""
    returned = [s for s in forward.slots if isinstance(s.statement, ast.Return) and s.parent is s.statement]
    before = [slot.node for slot in returned]
    for slot in returned:
        slot.put(hooked(slot.node))
    try:
        code = compiled(forward.function.live, forward.node)
    finally:
        for slot, node in zip(returned, before, strict=True):
            slot.put(node)
    found: dict[str, Any] = {}

    def watch(value: Any, names: Mapping[str, Any]) -> Any:
        arrays = {name: held for name, held in names.items() if isinstance(held, np.ndarray)}
        found.update({name: held.copy() for name, held in arrays.items() if _is_plain(held)})
        return value

    if code is not None and returned:
        with patched(forward.function.live, code, {HOOK: watch}):
            try:
                trial.run_again()
            except SubjectError:
                return {}
    return found


def _is_plain(value: np.ndarray[Any, Any]) -> bool:
    return value.dtype.kind in "fiub" and value.size <= LARGEST
