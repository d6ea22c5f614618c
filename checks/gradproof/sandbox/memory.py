"""Keeps user code from taking all memory of the machine: beyond the bound, it meets MemoryError. It knows no layers."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Generator
from pathlib import Path

try:
    import resource
except ImportError:  # a platform without such limits, such as Windows
    resource = None  # type: ignore[assignment]

SHARE = 0.5  # of the machine's memory: what a process may take beyond what it has when the bound begins


@contextlib.contextmanager
def bounded() -> Generator[None]:
    """Within it, the process may take half of the machine's memory in addition; a lower limit of the user's stands.

    Where the platform has no such limit, nothing is bounded.
    """
    room = _room()
    if resource is None or room is None:
        yield
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    known = [limit for limit in (soft, hard) if limit != resource.RLIM_INFINITY]
    _set(min([room, *known]), hard)
    try:
        yield
    finally:
        _set(soft, hard)


def _set(soft: int, hard: int) -> None:
    if resource is not None:
        with contextlib.suppress(ValueError, OSError):  # macOS knows the limit, and refuses most values
            resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def _room() -> int | None:
    """The address space, in bytes, that the process may come to; None where that cannot be known."""
    try:
        page = os.sysconf("SC_PAGE_SIZE")
        total = page * os.sysconf("SC_PHYS_PAGES")
        taken = page * int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    except (AttributeError, ValueError, OSError):
        return None
    return taken + int(SHARE * total)
