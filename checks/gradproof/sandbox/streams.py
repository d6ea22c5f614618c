"""Keeps what user code prints away from the report; it knows nothing of reports."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Generator, Iterable
from typing import TextIO


class Aside(io.TextIOBase):
    """Writes to another stream, which nobody can close through it."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str, /) -> int:
        """Hand it on."""
        return self._stream.write(text)

    def writelines(self, lines: Iterable[str], /) -> None:  # type: ignore[override]
        """Hand them on."""
        for line in lines:
            self._stream.write(line)

    def flush(self) -> None:
        """Flush the stream behind it."""
        self._stream.flush()

    def close(self) -> None:
        """Stay open: the stream behind it is not the user's."""

    def writable(self) -> bool:
        """Yes."""
        return True

    def isatty(self) -> bool:
        """Whether the stream behind it is a terminal."""
        return self._stream.isatty()

    def fileno(self) -> int:
        """The descriptor of the stream behind it."""
        return self._stream.fileno()


@contextlib.contextmanager
def aside() -> Generator[None]:
    """Within it, everything that is printed goes to the standard error, also from C code and other processes."""
    shield = Aside(sys.stderr)
    with contextlib.redirect_stdout(shield), contextlib.redirect_stderr(shield), _descriptor():
        yield


@contextlib.contextmanager
def _descriptor() -> Generator[None]:
    """The descriptor of the standard output leads to the standard error, where both are the process's own."""
    out, err = sys.__stdout__, sys.__stderr__
    try:
        numbers = None if out is None or err is None else (out.fileno(), err.fileno())
    except (OSError, ValueError):
        numbers = None
    if out is None or numbers is None or numbers != (1, 2):
        yield
        return
    out.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        with contextlib.suppress(ValueError):  # closed by the user's code
            out.flush()
        os.dup2(kept, 1)
        os.close(kept)
