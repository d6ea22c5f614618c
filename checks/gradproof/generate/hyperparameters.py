"""Hyper-parameters of an example that have another value than their author's own; it knows no layers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from gradproof.values import Example, Varied


def varied(example: Example, values: Mapping[str, Varied]) -> Example:
    """The example with these hyper-parameters at these values."""
    init, inputs = dict(example.init), dict(example.inputs)
    for one in values.values():
        arguments = init if one.of_constructor else inputs
        if one.key is not None:
            arguments[one.argument] = {**arguments.get(one.argument, {}), one.key: one.value}
        elif one.is_moved or one.argument in arguments:
            arguments[one.argument] = one.value
    return replace(example, init=init, inputs=inputs, varied=values)


def moved(example: Example) -> dict[str, Varied]:
    """The hyper-parameters that have another value there than their author's own."""
    return {name: one for name, one in example.varied.items() if one.is_moved}


def notes_of_varied(examples: Iterable[Example]) -> tuple[str, ...]:
    """Which values each hyper-parameter had over these examples: ``alpha = 1, and 0.5, 2 in 9 examples``."""
    seen: dict[str, list[Varied]] = {}
    for example in examples:
        for name, one in example.varied.items():
            seen.setdefault(name, []).append(one)
    return tuple(filter(None, (_note(name, values) for name, values in seen.items())))


def _note(name: str, values: list[Varied]) -> str | None:
    others = [one.value for one in values if one.is_moved]
    if not others:
        return None
    distinct: dict[str, Any] = {repr(value): value for value in others}
    listed = ", ".join(text(distinct[key]) for key in sorted(distinct))
    return f"{name} = {text(values[0].own)}, and {listed} in {len(others)} example{'s' * (len(others) > 1)}"


def text(value: Any) -> str:
    """A value as it is told: a float without digits that say nothing."""
    return f"{value:g}" if isinstance(value, float) else repr(value)
