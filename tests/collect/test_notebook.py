"""Notebooks: cells in one namespace, every version of what they define, and all that can go wrong with a cell."""

import json
import re
import sys

import nbformat
import pytest

from gradproof import cli
from gradproof.collect import cells, notebook
from gradproof.errors import UsageError

pytestmark = pytest.mark.table

CUBE = """\
class Cube:
    def forward(self, x):
        self.x = x
        return x ** 3
    def backward(self, dout):
        return {factor} * self.x ** 2 * dout
"""
RIGHT, WRONG = CUBE.format(factor=3), CUBE.format(factor=2)


def written(folder, *sources, name="chapter.ipynb"):
    document = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
    path = folder / name
    nbformat.write(document, path)
    return path


def checked(capsys, folder, *sources, path="chapter.ipynb"):
    """(exit code, standard output) of the command on a notebook of these cells."""
    written(folder, *sources)
    code = cli.main([path, "--examples", "2", "--timeout", "6"])
    return code, capsys.readouterr().out


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_a_class_sees_what_other_cells_define(capsys, tmp_path):
    code, told = checked(capsys, tmp_path, "import numpy as np", RIGHT.replace("x ** 3", "cube(x)"), CUBE_FUNCTION)
    assert code == 0, told
    assert re.search(r"^Cube@2 +PASS", told, flags=re.MULTILINE)


CUBE_FUNCTION = "def cube(x):\n    return np.multiply(x, x) * x\n"


def test_each_version_is_checked_as_it_was_and_named_by_its_cell(capsys, tmp_path):
    power = "power = {}\n"
    first = RIGHT.replace("x ** 3", "x ** power")
    code, told = checked(capsys, tmp_path, power.format(3), first, WRONG, power.format(5))
    assert code == 1
    assert re.search(r"^Cube@2 +PASS", told, flags=re.MULTILINE), told
    assert re.search(r"^Cube@3 +FAIL", told, flags=re.MULTILINE)
    assert "Cube (cell 3): the gradient of x is wrong" in told
    assert "gradproof chapter.ipynb::Cube@3 --seed 0" in told


def test_the_last_version_sees_the_names_as_they_are_at_the_end(capsys, tmp_path):
    code, told = checked(capsys, tmp_path, "power = 3", RIGHT.replace("x ** 3", "x ** power"), "power = 5")
    assert code == 1, told


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        pytest.param("Cube@2", ["Cube@2"], id="one version"),
        pytest.param("Cube", ["Cube@1", "Cube@2"], id="all versions"),
    ],
)
def test_a_version_is_selected_by_its_name_and_cell(capsys, tmp_path, name, rows):
    _, told = checked(capsys, tmp_path, RIGHT, WRONG, path=f"chapter.ipynb::{name}")
    assert re.findall(r"^Cube@\d", told, flags=re.MULTILINE) == rows


def test_a_cell_that_fails_is_told_with_its_own_lines_and_passed_over(capsys, tmp_path):
    code, told = checked(capsys, tmp_path, "def broken():\n    return 1 / 0\n", "x = 1\nbroken()\n", RIGHT)
    assert code == 0
    assert "chapter.ipynb, cell 2: note: raises ZeroDivisionError: passed over" in told
    assert 'File "chapter.ipynb[cell 2]", line 2, in <module>' in told
    assert 'File "chapter.ipynb[cell 1]", line 2, in broken\n        return 1 / 0' in told


@pytest.mark.parametrize(
    ("cell", "why"),
    [
        pytest.param("def f(:\n    pass", "does not parse: passed over", id="syntax"),
        pytest.param("import sys\nsys.exit(3)", "raises SystemExit: passed over", id="exits"),
        pytest.param("import no_such_module", "no_such_module is not installed", id="a missing module"),
        pytest.param("import time\ntime.sleep(60)", "does not end within 1 s", id="sleeps"),
        pytest.param("class Odd(BaseException): pass\nraise Odd", "raises Odd", id="an odd exception"),
    ],
)
def test_whatever_a_cell_does_costs_that_cell_only(capsys, tmp_path, cell, why):
    code, told = checked(capsys, tmp_path, cell, RIGHT)
    assert f"cell 1: note: {why}" in told
    assert code == 0


def test_a_class_that_cannot_run_is_told_with_the_first_exception_and_its_line(capsys, tmp_path):
    code, told = checked(capsys, tmp_path, RIGHT.replace("x ** 3", "cubed(x)"))
    assert code == 1
    assert "Cube (cell 1): forward raises NameError" in told
    assert 'File "chapter.ipynb[cell 1]", line 4, in forward\n        return cubed(x)' in told
    assert "define the name before it is used, or import it" in told


def test_a_class_in_a_cell_that_does_not_parse_is_not_green(capsys, tmp_path):
    code, told = checked(capsys, tmp_path, "def f(:\n" + RIGHT, CUBE.format(factor=3).replace("Cube", "Other"))
    assert code == 3
    assert "cell 1 failed before it defined Cube: SyntaxError" in " ".join(told.split())


def test_a_class_below_a_statement_that_raises_in_its_cell_is_checked(capsys, tmp_path):
    code, told = checked(capsys, tmp_path, "1 / 0\n" + RIGHT)
    assert code == 0
    assert re.search(r"^Cube@1 +PASS", told, flags=re.MULTILINE)


def test_a_class_that_its_cell_could_not_define_is_not_green(capsys, tmp_path):
    based = RIGHT.replace("class Cube", "class Cube(Base)")
    code, told = checked(capsys, tmp_path, "from no_such_module import Base", based)
    assert code == 3
    assert "chapter.ipynb[cell 2]:1 does not define Cube because no_such_module is not installed" in " ".join(
        told.split()
    )


@pytest.mark.parametrize(
    ("source", "runs", "passed_over"),
    [
        pytest.param("%matplotlib inline\nx = 1", "pass\nx = 1", ("%matplotlib inline",), id="line magic"),
        pytest.param("if True:\n    !ls\n    x = 1", "if True:\n    pass\n    x = 1", ("!ls",), id="shell, indented"),
        pytest.param("x = !ls\ny = 1", "pass\ny = 1", ("x = !ls",), id="shell, assigned"),
        pytest.param("x?\ny = 1", "pass\ny = 1", ("x?",), id="question"),
        pytest.param("%%time\nx = 1", "pass\nx = 1", ("%%time",), id="a cell magic around Python"),
        pytest.param("%%bash\nls", "", ("%%bash",), id="a cell magic around something else"),
        pytest.param("x = (7\n% 2)", "x = (7\n% 2)", (), id="a remainder"),
        pytest.param("x = '''\n%d\n'''", "x = '''\n%d\n'''", (), id="a string"),
    ],
)
def test_lines_that_are_no_python_are_passed_over_and_counted(tmp_path, source, runs, passed_over):
    (cell,) = cells.read(written(tmp_path, source))
    assert (cell.source, cell.passed_over) == (runs, passed_over)


def test_blank_cells_and_text_have_no_number(tmp_path):
    document = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_markdown_cell("text"), nbformat.v4.new_code_cell(""), nbformat.v4.new_code_cell("x = 1")]
    )
    nbformat.write(document, tmp_path / "chapter.ipynb")
    assert [(cell.number, cell.source) for cell in cells.read(tmp_path / "chapter.ipynb")] == [(1, "x = 1")]


def test_an_old_notebook_is_read(tmp_path):
    cell = {"cell_type": "code", "input": ["x = 1"], "language": "python", "outputs": [], "metadata": {}}
    document = {"nbformat": 3, "nbformat_minor": 0, "metadata": {}, "worksheets": [{"cells": [cell], "metadata": {}}]}
    (tmp_path / "old.ipynb").write_text(json.dumps(document), encoding="utf-8")
    assert [cell.source for cell in cells.read(tmp_path / "old.ipynb")] == ["x = 1"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("", "chapter.ipynb is no notebook that nbformat can read", id="empty"),
        pytest.param("x = 1", "chapter.ipynb is no notebook that nbformat can read", id="not JSON"),
        pytest.param("[1, 2]", "chapter.ipynb is no notebook that nbformat can read", id="another JSON"),
        pytest.param('{"nbformat": 99, "cells": []}', "is no notebook that nbformat can read", id="another version"),
        pytest.param(
            '{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": []}', "has no code cell", id="no cells"
        ),
    ],
)
def test_a_file_that_is_no_notebook_is_refused(tmp_path, text, message):
    (tmp_path / "chapter.ipynb").write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=message):
        cells.read(tmp_path / "chapter.ipynb")


def test_without_nbformat_the_remedy_is_told(tmp_path, monkeypatch):
    path = written(tmp_path, RIGHT)
    monkeypatch.setitem(sys.modules, "nbformat", None)
    with pytest.raises(UsageError, match=r"pip install 'gradproof\[notebook\]'"):
        cells.read(path)


def test_a_notebook_without_a_layer_is_not_green(capsys, tmp_path):
    code, _ = checked(capsys, tmp_path, "x = 1")
    assert code == 2


def test_the_main_part_does_not_run_and_nothing_is_shown(capsys, tmp_path):
    code, told = checked(
        capsys,
        tmp_path,
        'if __name__ == "__main__":\n    raise RuntimeError',
        "import matplotlib.pyplot as plt\nassert plt.get_backend().lower() == 'agg'",
        RIGHT,
    )
    assert code == 0
    assert "note: raises" not in told


def test_functions_are_paired_across_cells_and_versions(tmp_path):
    forward, backward = "def relu_forward(x):\n    return x, x\n", "def relu_backward(dout, cache):\n    return dout\n"
    ran = notebook.run(written(tmp_path, forward, backward, forward))
    assert [(version.cell, version.found.name) for version in ran.versions] == [(2, "relu"), (3, "relu")]
    first, second = (version.found.target for version in ran.versions)
    assert first[0] is not second[0]
    assert first[1] is second[1]


def test_a_case_in_a_cell_is_collected(capsys, tmp_path):
    code, told = checked(capsys, tmp_path, RIGHT, 'from gradproof import Case\ncube = Case(Cube, x="n d")')
    assert code == 0
    assert "no Case was declared" not in told
    assert re.search(r"^cube +PASS", told, flags=re.MULTILINE)
