"""How much work a search for a change may take: counted, so that every machine under any load does the same.

A run of backward at the small examples of a check takes about a millisecond whatever it computes, plus what its own
lines take: a backward of many loops has fewer runs.
"""

from __future__ import annotations

import functools
import gc
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from types import CodeType, FrameType
from typing import Any

from gradproof.guard import is_authors

RUNS = 6000  # of backward, for all changes of a subject: as many as fit into 3 to 6 s of CPU
LINES = 500  # of the author's source, which take as long as the rest of a run
_MADE = ("<string>", "<frozen ")  # methods of dataclasses, parts of Python: which of them run hangs on caches
TURNS = 50_000  # rounds of loops in one call of a changed function: one that takes more runs in circles


class SpentError(Exception):
    """The work is used up."""


class EndlessError(BaseException):
    """A changed function loops without end. It is no Exception, so that the author's own handlers let it pass."""


@dataclass
class Budget:
    """What is ``left``, in runs of backward that take no time of their own."""

    left: float = RUNS

    def spend(self, runs: float) -> None:
        """Raises SpentError where nothing is left."""
        if self.left <= 0:
            raise SpentError
        self.left -= runs


class Turns:
    """Counts the rounds of all loops in one call of a function; raises EndlessError where they are too many."""

    def __init__(self) -> None:
        self.left = TURNS

    def __call__(self) -> None:
        """One round more."""
        self.left -= 1
        if self.left < 0:
            raise EndlessError(f"more than {TURNS} rounds")


@dataclass
class Lines:
    """How many lines of the author's source were run."""

    run: int = 0

    @property
    def runs(self) -> float:
        """What they take, in runs of backward."""
        return self.run / LINES


@contextmanager
def counted() -> Generator[Lines]:
    """Count the author's lines that are run meanwhile; what traces beside it is left out until then."""
    lines = Lines()

    def local(frame: FrameType, event: str, argument: Any) -> Callable[..., Any]:
        lines.run += event == "line"
        return local

    def entered(frame: FrameType, event: str, argument: Any) -> Callable[..., Any] | None:
        return local if _is_counted(frame.f_code) else None

    before, collects = sys.gettrace(), gc.isenabled()
    gc.disable()  # what a collection runs comes at any time
    sys.settrace(entered)
    try:
        yield lines
    finally:
        sys.settrace(before)
        if collects:
            gc.enable()


@functools.lru_cache(maxsize=4096)
def _is_counted(code: CodeType) -> bool:
    return is_authors(code.co_filename) and not code.co_filename.startswith(_MADE)
