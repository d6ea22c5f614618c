"""The page of a finding's code: what it means, a wrong and a right example, why it happens; it checks nothing."""

from __future__ import annotations

from gradproof.codes import CODES, PAGES, closest, text_of
from gradproof.errors import UsageError


def explain(code: str) -> str:
    """The page of ``code`` as Markdown text; ``GP102``, ``gp102`` and ``missing-factor`` are the same page.

    Raises UsageError for a code that does not exist, with the one that was probably meant.
    """
    wanted = code.strip()
    by_name = {row.name: known for known, row in CODES.items()}
    known = by_name.get(wanted.lower(), wanted.upper())
    if known not in CODES:
        raise UsageError(f"expected the code of a finding or its short name, got {code!r}: {closest(wanted)}")
    return text_of((PAGES / f"{known}.md").read_text(encoding="utf-8"))


def listing() -> str:
    """All codes with their short names, one on a line."""
    return "\n".join(f"{code}  {CODES[code].name}" for code in sorted(CODES))
