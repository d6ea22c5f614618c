"""Where a piece of source stands, and that an edit told with its place can be made there."""

from __future__ import annotations

import ast
import importlib.util
import linecache
from pathlib import Path
from types import ModuleType

import pytest

from gradproof import Case
from gradproof.checking import check_case
from gradproof.findings import Action, Edit, Location
from gradproof.source.locations import at_line, cell_file, located, source_at

SOURCE = """\
for größe in [1, 2]:
    wert = größe + 1
    while wert > (
        2
    ):
        wert -= 1
"""


@pytest.fixture
def file(monkeypatch: pytest.MonkeyPatch) -> str:
    name = "<layers>"
    monkeypatch.setitem(linecache.cache, name, (len(SOURCE), None, SOURCE.splitlines(keepends=True), name))
    return name


def test_columns_count_characters_and_the_end_lies_behind_the_last_one(file: str) -> None:
    loop = ast.parse(SOURCE).body[0]
    value = loop.body[0].value
    assert located(file, value) == Location(file, 2, 11, 2, 20)
    assert source_at(file, located(file, value)) == "größe + 1"


def test_of_a_loop_its_head_is_told(file: str) -> None:
    loop = ast.parse(SOURCE).body[0]
    assert source_at(file, located(file, loop)) == "for größe in [1, 2]:"


def test_a_line_is_told_without_the_spaces_around_it(file: str) -> None:
    assert at_line(file, 2) == Location(file, 2, 4, 2, 20)


def test_in_a_notebook_the_cell_is_told_with_its_first_line(monkeypatch: pytest.MonkeyPatch) -> None:
    name = cell_file("chapter.ipynb", 3)
    monkeypatch.setitem(linecache.cache, name, (9, None, ["\n", "# ReLU\n", "x = 1\n"], name))
    found = located(name, ast.parse("\n# ReLU\nx = 1").body[0])
    assert (found.file, found.line, found.cell, found.cell_begins) == ("chapter.ipynb", 3, 3, "# ReLU")


AFFINE = """\
import numpy as np


class Affine:
    def __init__(self, W):
        self.params, self.grads = [W], [np.zeros_like(W)]

    def forward(self, x):
        self.x = x
        return x @ self.params[0]

    def backward(self, dout):
        self.grads[0][...] = self.x.T @ dout{slip}
        return dout @ self.params[0].T
"""


def module_of(source: str, folder: Path) -> ModuleType:
    path = folder / "layers.py"
    path.write_text(source, encoding="utf-8")
    spec = importlib.util.spec_from_file_location("layers_with_a_slip", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def applied(source: str, edit: Edit) -> str:
    """The source with an edit made in it, of statements of one line."""
    lines = source.splitlines(keepends=True)
    for change in edit.replacements:
        at = change.at
        assert lines[at.line - 1][at.column : at.end_column] == change.old
        lines[at.line - 1] = lines[at.line - 1][: at.column] + change.new + lines[at.line - 1][at.end_column :]
    return "".join(lines)


@pytest.mark.parametrize("slip", [" / len(dout)", " * 2"], ids=["averaged", "doubled"])
def test_an_edit_that_is_made_where_it_is_told_mends_the_source(slip: str, tmp_path: Path) -> None:
    source = AFFINE.format(slip=slip)
    report = check_case(Case(module_of(source, tmp_path).Affine, W="d h", x="n d"), location="Affine", examples=6)
    (finding,) = (finding for finding in report.findings if finding.severity == "error")
    (edit,) = finding.edits
    assert [each.action for each in edit.replacements] == [Action.REPLACE]
    assert edit.tensors == ("W",)
    assert applied(source, edit) == AFFINE.format(slip="")
