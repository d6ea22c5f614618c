"""Where the time of a check goes: in the layer's own code, in the engine, in drawing examples. It knows no layer.

The clock is the thread's CPU time: what else runs on the machine does not count.
"""

from __future__ import annotations

import contextlib
import importlib
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any
from unittest.mock import patch

LAYER, ENGINE, DRAWING, REST = "the layers", "the engine", "Hypothesis and drawing", "the rest"
# what calls what: user code passes through one door, an example through another, the search through a third
DOORS = {
    ("gradproof.subject.subject", "call"): LAYER,
    ("gradproof.explain.target", "look"): ENGINE,
    ("gradproof.checking", "search"): DRAWING,
}


class Stopwatch:
    """Seconds in each section; where sections are nested, each second counts for the inner one."""

    def __init__(self) -> None:
        self.seconds: Counter[str] = Counter()
        self.calls: Counter[str] = Counter()
        self._inside = [REST]
        self._since = time.thread_time()

    def restart(self) -> None:
        """Forget the time since the last booking."""
        self._since = time.thread_time()

    def book(self) -> None:
        """Add the time since the last booking to the section in which it was spent."""
        now = time.thread_time()
        self.seconds[self._inside[-1]] += now - self._since
        self._since = now

    def timed(self, section: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, with its time booked to the section."""

        def wrapped(*arguments: Any, **named: Any) -> Any:
            self.book()
            self._inside.append(section)
            self.calls[section] += 1
            try:
                return function(*arguments, **named)
            finally:
                self.book()
                self._inside.pop()

        return wrapped


@contextlib.contextmanager
def stopwatch() -> Iterator[Stopwatch]:
    """Time whatever runs inside; the clock costs about a microsecond a call."""
    watch = Stopwatch()
    with contextlib.ExitStack() as stack:
        for (module, name), section in DOORS.items():
            owner = importlib.import_module(module)  # gradproof.check as an attribute is the function of that name
            stack.enter_context(patch.object(owner, name, watch.timed(section, getattr(owner, name))))
        watch.restart()
        yield watch
        watch.book()
