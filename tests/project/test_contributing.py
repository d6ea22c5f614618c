"""What CONTRIBUTING.md tells to touch is there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PLACES = (ROOT, ROOT / "checks" / "gradproof")


def lost(document: str) -> list[str]:
    """The files and folders that a text names, and that are nowhere."""
    named = re.findall(r"`([\w./]+(?:\.py|\.md|/))`", document)
    return [name for name in dict.fromkeys(named) if not any((place / name).exists() for place in PLACES)]


def test_every_file_that_a_contributor_is_sent_to_exists() -> None:
    assert lost((ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")) == []


def test_a_file_that_is_gone_is_seen() -> None:
    assert lost("look into `diagnose/causes.py`, `diagnose/gone.py` and `report/pages/`") == ["diagnose/gone.py"]
