"""Which files may declare a Case; it imports nothing heavy, because pytest asks it about the files of others."""

from __future__ import annotations

from pathlib import Path

PATTERN = "check_*.py"


def is_check_file(file: Path) -> bool:
    """Whether a file found in a folder may declare a Case; others of that name are nobody's to execute."""
    try:
        return file.match(PATTERN) and b"gradproof" in file.read_bytes()
    except OSError:
        return False
