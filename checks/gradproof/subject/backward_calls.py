"""How one subject's backward is called: as was chosen, or in the likeliest of the ways that runs. It judges nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gradproof.convention.calling import Plan
from gradproof.convention.plans import plans
from gradproof.convention.return_statements import names_returned
from gradproof.guard import SubjectError


class BackwardCalls:
    """The ways to call a backward, each read once, and the one that is taken.

    chosen: the plan to be taken; None for the likeliest that runs.
    """

    def __init__(self, chosen: Plan | None) -> None:
        self._taken, self._is_open = chosen, chosen is None
        self._read: dict[tuple[Any, ...], tuple[Plan, ...]] = {}

    def ways(
        self,
        backward: Callable[..., Any],
        forward: Callable[..., Any],
        outputs: int,
        inputs: Sequence[str],
        *,
        cache: bool,
        defaults: Mapping[str, Any],
        alone: bool = False,
    ) -> tuple[Plan, ...]:
        """Every way to call it after a forward with these inputs and outputs, the likeliest first."""
        key = outputs, tuple(inputs), cache
        if key not in self._read:
            names = names_returned(forward)
            self._read[key] = plans(
                backward, outputs, inputs, cache=cache, defaults=tuple(defaults), returned=names, alone=alone
            )
        return self._read[key]

    def plan(self, ways: Sequence[Plan]) -> Plan:
        """The plan that is taken."""
        return self._taken or ways[0]

    def settle(self, ways: Sequence[Plan], run: Callable[[Plan], object]) -> None:
        """Take the first that runs, if nothing else was chosen.

        run: calls backward so, on copies; it raises or returns False where that is no way to call it.
        """
        if not self._is_open:
            return
        self._is_open = False
        if len(ways) > 1:
            self._taken = next((way for way in ways if _runs(run, way)), ways[0])


def _runs(run: Callable[[Plan], object], way: Plan) -> bool:
    try:
        return run(way) is not False
    except SubjectError:
        return False
