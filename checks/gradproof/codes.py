"""The codes of findings, with their short names and what each implies, as their pages declare them; it finds nothing.

A code is stable: it is never used again for something else. GP1: a gradient that is wrong, with its cause. GP2: the
form of what came back. GP3: an exception. GP4: numbers that depend on the dtype. GP5: a promise of a layer that is
broken. GP6: what the source shows, which is a note unless a measured fault goes with it. GP7: what a node of an
autograd library must do that a layer need not.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from itertools import takewhile
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Code:
    """What a code stands for, and what follows from it wherever it is found.

    ``severity`` is the severest that it is told with. ``exact``: the numbers alone leave no doubt about such a cause of
    a wrong gradient (a factor, a sign, gradients exchanged, dout not used).

    Of a promise of a layer: ``explains`` says that it is the cause of a wrong gradient of its tensor, whatever else the
    numbers look like; ``repeats`` that it is the cause where the numbers name none, and says the same again where they
    name one; ``mutates`` that a call writes to what others read, which makes these wrong; ``needs_proof`` that of one
    tensor it is a fault only where the gradient is wrong, as a net may change it on purpose. ``follows`` are promises
    of which it is but a sign, where they are broken too. ``second_backward``: it shows in a second backward after one
    forward.

    ``of_forward``: no line of backward is at fault: forward is another function, keeps what it does not own, or a dtype
    is too narrow. ``between_calls``: what one call leaves behind makes another one wrong, whatever its lines say.

    ``of_parts``: it is about the parts of a composite, or what is made of them.

    ``mendable``: a change of backward may make it right, as it may all that is of a gradient or of its form.
    ``headline``: what is wrong, where a code always says it in the same words.
    """

    name: str
    severity: str = "error"
    exact: bool = False
    of_forward: bool = False
    between_calls: bool = False
    explains: bool = False
    repeats: bool = False
    mutates: bool = False
    needs_proof: bool = False
    second_backward: bool = False
    of_parts: bool = False
    mendable: bool = False
    follows: tuple[str, ...] = ()
    headline: str = ""


def row(lines: Iterator[str]) -> Code:
    """The row at the head of a page: ``column: value`` on each line between two of ``---``, then the title.

    Raises ValueError for a column that does not exist.
    """
    first = next(lines)
    head = list(takewhile(FENCE.__ne__, lines)) if first == FENCE else []
    title = next(lines) if head else first
    given = dict(line.rstrip("\n").split(": ", 1) for line in head)
    if unknown := given.keys() - COLUMNS.keys():
        raise ValueError(f"expected columns of Code, {', '.join(COLUMNS)}, got {', '.join(unknown)}")
    columns: dict[str, Any] = {column: COLUMNS[column](value) for column, value in given.items()}
    return Code(title.split()[-1], **columns)


def text_of(page: str) -> str:
    """A page from its title on."""
    return page.split(FENCE, 2)[2] if page.startswith(FENCE) else page


def _declared() -> Iterator[tuple[str, Code]]:
    """Each code with its row: the number is the name of the page."""
    for page in sorted(PAGES.glob("GP*.md")):
        with page.open(encoding="utf-8") as lines:
            yield page.stem, row(lines)


def _is_yes(value: str) -> bool:
    return {"yes": True, "no": False}[value]


def _words(value: str) -> tuple[str, ...]:
    return tuple(value.split())


_READ: Mapping[str, Callable[[str], Any]] = {"bool": _is_yes, "str": str, "tuple[str, ...]": _words}
FENCE = "---\n"
COLUMNS = {column.name: _READ[str(column.type)] for column in fields(Code) if column.name != "name"}

PAGES = Path(__file__).parent / "report" / "pages"
CODES: Mapping[str, Code] = dict(_declared())


def is_of_gradient(code: str) -> bool:
    """Whether it is about the numbers of a gradient, or about a composite that makes them wrong."""
    return code.startswith("GP1")


def is_of_form(code: str) -> bool:
    """Whether it is about the form of what came back."""
    return code.startswith("GP2")


def is_of_exception(code: str) -> bool:
    """Whether it is about what was raised."""
    return code.startswith("GP3")


def is_of_promise(code: str) -> bool:
    """Whether it is about what a layer promises beside its gradient."""
    return code.startswith("GP5")


def closest(word: str) -> str:
    """The remedy for a code that does not exist: the code that was meant, by its number or by its short name."""
    names = {row.name: code for code, row in CODES.items()} | {code: code for code in CODES}
    by_case = {name.upper(): name for name in names}
    found = difflib.get_close_matches(word.upper(), by_case, n=1)
    if not found:
        return "gradproof explain lists the codes"
    code = names[by_case[found[0]]]
    return f"did you mean {code} ({CODES[code].name})?"
