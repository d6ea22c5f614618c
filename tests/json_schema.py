"""Validates a document against a JSON Schema, by the keywords that the schema of the report has and by no others."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from gradproof.report import schema

Problem = str
Check = Callable[[Any, Any, str], Iterator[Problem]]

NAMES: Mapping[str, Callable[[Any], bool]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
}
SAID_ELSEWHERE = frozenset({"$schema", "$defs", "title", "description", "properties"})


class Validator:
    """Finds where a document is not what its schema says."""

    def __init__(self, whole: Mapping[str, Any]) -> None:
        self.whole = whole

    def problems(self, value: Any, said: Mapping[str, Any] | None = None, at: str = "$") -> Iterator[Problem]:
        """One sentence for each place that does not fit."""
        said = self.whole if said is None else said
        for keyword, wanted in said.items():
            if keyword not in SAID_ELSEWHERE:
                check = getattr(self, f"_{keyword.lstrip('$')}")
                yield from check(value, wanted, at, said)

    def _ref(self, value: Any, wanted: str, at: str, _: Any) -> Iterator[Problem]:
        yield from self.problems(value, self.whole["$defs"][wanted.removeprefix("#/$defs/")], at)

    def _type(self, value: Any, wanted: str | list[str], at: str, _: Any) -> Iterator[Problem]:
        allowed = [wanted] if isinstance(wanted, str) else wanted
        if not any(NAMES[name](value) for name in allowed):
            yield f"{at}: expected {' or '.join(allowed)}, got {value!r}"

    def _const(self, value: Any, wanted: Any, at: str, _: Any) -> Iterator[Problem]:
        if value != wanted:
            yield f"{at}: expected {wanted!r}, got {value!r}"

    def _enum(self, value: Any, wanted: list[Any], at: str, _: Any) -> Iterator[Problem]:
        if value not in wanted:
            yield f"{at}: {value!r} is none of {wanted}"

    def _pattern(self, value: Any, wanted: str, at: str, _: Any) -> Iterator[Problem]:
        if isinstance(value, str) and re.search(wanted, value) is None:
            yield f"{at}: {value!r} does not match {wanted}"

    def _minimum(self, value: Any, wanted: float, at: str, _: Any) -> Iterator[Problem]:
        if isinstance(value, int | float) and value < wanted:
            yield f"{at}: {value!r} is less than {wanted}"

    def _minItems(self, value: Any, wanted: int, at: str, _: Any) -> Iterator[Problem]:
        if isinstance(value, list) and len(value) < wanted:
            yield f"{at}: {len(value)} items, expected {wanted} or more"

    def _items(self, value: Any, wanted: Mapping[str, Any], at: str, _: Any) -> Iterator[Problem]:
        for i, item in enumerate(value if isinstance(value, list) else []):
            yield from self.problems(item, wanted, f"{at}[{i}]")

    def _anyOf(self, value: Any, wanted: list[Mapping[str, Any]], at: str, _: Any) -> Iterator[Problem]:
        found = [list(self.problems(value, each, at)) for each in wanted]
        if all(found):
            yield from min(found, key=len)

    def _required(self, value: Any, wanted: list[str], at: str, _: Any) -> Iterator[Problem]:
        yield from (f"{at}: {name} is missing" for name in wanted if isinstance(value, dict) and name not in value)

    def _propertyNames(self, value: Any, wanted: Mapping[str, Any], at: str, _: Any) -> Iterator[Problem]:
        for name in value if isinstance(value, dict) else ():
            yield from self.problems(name, wanted, f"{at}.{name}")

    def _additionalProperties(self, value: Any, wanted: Any, at: str, said: Mapping[str, Any]) -> Iterator[Problem]:
        known = said.get("properties", {})
        for name, held in value.items() if isinstance(value, dict) else ():
            if name in known:
                yield from self.problems(held, known[name], f"{at}.{name}")
            elif wanted is False:
                yield f"{at}: {name} is not known"
            else:
                yield from self.problems(held, wanted, f"{at}.{name}")


REPORT = Validator(json.loads(schema.FILE.read_text(encoding="utf-8")))
