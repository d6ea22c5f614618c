"""What CONTRIBUTING.md tells to touch is there, is little, and is enough."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from gradproof import cli
from gradproof.assembled import assembled
from gradproof.report import formats
from gradproof.report.formats import Format
from gradproof.report.report import Report
from gradproof.shell import options

ROOT = Path(__file__).resolve().parents[2]
PLACES = (ROOT, ROOT / "checks" / "gradproof")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
MOST = 2  # files to touch for one thing more of a kind that there is


def named(document: str) -> list[str]:
    """The files and folders that a text names."""
    return list(dict.fromkeys(re.findall(r"`([\w./]+(?:\.py|\.md|/))`", document)))


def lost(document: str) -> list[str]:
    """Those that are nowhere."""
    return [name for name in named(document) if not any((place / name).exists() for place in PLACES)]


def rows(document: str) -> dict[str, str]:
    """The table of where things go: what is added, and the rest of its row."""
    table = document.split("| to add |", 1)[1].split("\n\n", 1)[0].splitlines()[2:]
    return {cells[1].strip(): "|".join(cells[2:]) for cells in (line.split("|") for line in table)}


def test_every_file_that_a_contributor_is_sent_to_exists() -> None:
    assert lost(CONTRIBUTING) == []


def test_a_file_that_is_gone_is_seen() -> None:
    assert lost("look into `diagnose/causes.py`, `diagnose/gone.py` and `report/pages/`") == ["diagnose/gone.py"]


@pytest.mark.parametrize("added", rows(CONTRIBUTING))
def test_one_thing_more_touches_few_files(added: str) -> None:
    assert 1 <= len(named(rows(CONTRIBUTING)[added])) <= MOST


def test_the_table_has_a_row_for_all_that_is_added_often() -> None:
    kinds = ("a cause", "a small change", "a promise", "a code", "a convention", "a format")
    assert [kind for kind in kinds if not any(added.startswith(kind) for added in rows(CONTRIBUTING))] == []


@dataclass(frozen=True)
class Declared:
    """Something with a place."""

    name: str
    place: int


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty package that can be imported, under the name "declaring"."""
    folder = tmp_path / "declaring"
    folder.mkdir()
    (folder / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(sys.modules, "declared_here", sys.modules[__name__])
    for name in ("declaring", "declaring.first", "declaring.second"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return folder


def declare(folder: Path, module: str, *places: int) -> None:
    made = ", ".join(f"Declared({f'{module} {place}'!r}, {place})" for place in places)
    source = f"from declared_here import Declared\n\nDECLARED = ({made},)\n"
    (folder / f"{module}.py").write_text(source, encoding="utf-8")


def test_a_module_is_found_because_it_is_there_and_places_make_the_order(package: Path) -> None:
    declare(package, "first", 300, 100)
    declare(package, "second", 200)
    found = assembled("declaring", Declared, "DECLARED")
    assert [one.name for one in found] == ["first 100", "second 200", "first 300"]


def test_two_in_one_place_are_refused(package: Path) -> None:
    declare(package, "first", 300, 100)
    declare(package, "second", 100)
    with pytest.raises(ValueError, match=r"expected a place for each of declaring, got \[100, 100, 300\]"):
        assembled("declaring", Declared, "DECLARED")


def test_what_is_no_declaration_is_refused(package: Path) -> None:
    (package / "first.py").write_text('DECLARED = ("a word",)\n', encoding="utf-8")
    with pytest.raises(ValueError, match=r"expected a Declared in DECLARED of declaring\.first, got 'a word'"):
        assembled("declaring", Declared, "DECLARED")


def test_a_format_is_an_option_because_it_has_a_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    table = (*formats.FORMATS, Format("count", "a number", lambda report: str(len(report.subjects))))
    for module in (options, cli):
        monkeypatch.setattr(module, "FORMATS", table)
    (tmp_path / "empty.py").touch()
    target = tmp_path / "count.txt"
    cli.main([str(tmp_path / "empty.py"), "--count", str(target)])
    assert target.read_text(encoding="utf-8") == "0\n"
    with pytest.raises(SystemExit):
        cli.main(["--infer", "--count", "-"])
    assert "leave --count out" in capsys.readouterr().err


def test_the_json_of_the_command_is_that_of_the_report() -> None:
    report = Report((), 0, None, "1.2.3")
    (json,) = (each for each in formats.FORMATS if each.option == "json")
    assert json.written(report) == report.to_json()
