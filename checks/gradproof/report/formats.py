"""The formats that a report can be written in beside its text, a row for each; it writes no file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gradproof.report.report import Report


@dataclass(frozen=True)
class Format:
    """``--option FILE`` writes it; ``title`` is what messages call it; ``written`` is the whole text of the file."""

    option: str
    title: str
    written: Callable[[Report], str]


FORMATS = (Format("json", "JSON", Report.to_json),)
