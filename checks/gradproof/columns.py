"""How many columns of a terminal a text takes; it knows no reports."""

from __future__ import annotations

import re
import unicodedata


def columns(text: str) -> int:
    """The columns that the text takes: two for a wide letter (Chinese, Japanese, Korean), none for a combining mark."""
    return sum(_columns(letter) for letter in text)


def padded(text: str, width: int) -> str:
    """The text with spaces behind it, up to ``width`` columns."""
    return text + " " * max(0, width - columns(text))


def _columns(letter: str) -> int:
    if unicodedata.category(letter) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(letter) in ("W", "F") else 1


def wrapped(text: str, width: int) -> list[str]:
    """The text as lines of at most ``width`` columns, broken at spaces only; runs of spaces inside a line are kept."""
    lines: list[str] = []
    line = ""
    for chunk in re.findall(r"\S+|\s+", text):
        is_full = bool(line.strip()) and columns(line + chunk) > width
        if is_full and not chunk.isspace():
            lines.append(line.rstrip())
            line = ""
        line += chunk
    return [*lines, line.rstrip()] if line.strip() else lines
