"""The pages of the codes, cut into their examples; it holds no test."""

from __future__ import annotations

import contextlib
import io
import linecache
import re
from dataclasses import dataclass
from types import ModuleType

from gradproof.case.case import Case
from gradproof.checking import check_case
from gradproof.codes import PAGES
from gradproof.findings import SubjectReport
from gradproof.report.code_pages import explain

EXAMPLES = 4  # beside the corner shapes: enough for every page, and two hundred runs of them are quick
SECTIONS = ("Wrong", "Right", "Why it happens", "See it by hand")


@dataclass(frozen=True)
class Page:
    """One page: its title, its sections in order, and the code block of each of them that has one."""

    code: str
    title: str
    sections: tuple[str, ...]
    blocks: dict[str, str]

    def module(self, section: str) -> ModuleType:
        """The example of a section, executed as a module whose source can be read."""
        return executed(self.blocks[section], f"{self.code}_{section.lower()}.py")

    def checked(self, section: str) -> SubjectReport:
        """The report of the one Case of a section's example."""
        (case,) = {id(v): v for v in vars(self.module(section)).values() if isinstance(v, Case)}.values()
        return check_case(case, location=f"{self.code}.md::{section}", examples=EXAMPLES)

    def printed(self) -> tuple[list[str], list[str]]:
        """What the calculation by hand prints, line by line, and what its comments say that it prints."""
        by_hand = self.blocks["See it by hand"]
        told = io.StringIO()
        with contextlib.redirect_stdout(told):
            executed(f"{self.blocks['Wrong']}\n\n{by_hand}", f"{self.code}_by_hand.py")
        promised = re.findall(r"^ *print\(.*\)  # (.*)$", by_hand, flags=re.MULTILINE)
        return told.getvalue().splitlines(), promised


def executed(source: str, name: str) -> ModuleType:
    """A module of this source, under a file name that exists only in linecache."""
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    module = ModuleType(name.removesuffix(".py"))
    exec(compile(source, name, "exec"), vars(module))
    return module


def page(code: str) -> Page:
    text = explain(code)
    title, *parts = re.split(r"^##? ", text, flags=re.MULTILINE)[1:]
    sections = tuple(part.split("\n", 1)[0] for part in parts)
    blocks = {
        name: found.group(1)
        for name, part in zip(sections, parts, strict=True)
        if (found := re.search(r"^```python\n(.*?)^```", part, flags=re.MULTILINE | re.DOTALL)) is not None
    }
    return Page(code, title.split("\n", 1)[0], sections, blocks)


WRITTEN = sorted(path.stem for path in PAGES.glob("*.md"))
