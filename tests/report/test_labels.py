"""The names of subjects in the report of several files."""

import re

import pytest

from gradproof import cli
from gradproof.report.labels import labels, shortened

AFFINE = """
class Affine:
    def forward(self, x):
        return 2 * x
    def backward(self, dout):
        return {factor} * dout
"""


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        pytest.param(["a.py", "b.py"], ["a.py", "b.py"], id="other files"),
        pytest.param(["x/a.py", "x/b.py"], ["a.py", "b.py"], id="of one folder"),
        pytest.param(["x/a.py", "y/a.py", "y/b.py"], ["x/a.py", "y/a.py", "b.py"], id="two of one name"),
        pytest.param(["x/1/a.py", "y/1/a.py"], ["x/1/a.py", "y/1/a.py"], id="in folders of one name"),
        pytest.param(["a.py", "x/a.py"], ["a.py", "x/a.py"], id="one ends as the other"),
        pytest.param(["/h/x/a.py", "/h/y/a.py"], ["x/a.py", "y/a.py"], id="elsewhere"),
    ],
)
def test_a_file_is_shortened_from_the_left_to_what_tells_it_from_the_others(files, expected):
    assert list(shortened(files).values()) == expected


@pytest.mark.parametrize(
    ("locations", "expected"),
    [
        pytest.param(["a.py::A", "a.py::B"], ["A", "B"], id="one file"),
        pytest.param(["x/a.py::A", "x/b.py::A"], ["a.py::A", "b.py::A"], id="two files"),
        pytest.param(["A", "B"], ["A", "B"], id="no file"),
        pytest.param(["A", "a.py::B"], ["A", "a.py::B"], id="one of no file"),
        pytest.param([], [], id="nothing"),
    ],
)
def test_a_name_has_its_file_where_there_are_several(locations, expected):
    assert labels(locations) == expected


def test_of_many_files_each_row_and_headline_names_its_own_and_the_summary_counts_them(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for student, factor in {"ann": 2, "bob": 3}.items():
        (tmp_path / student).mkdir()
        (tmp_path / student / "layers.py").write_text(AFFINE.format(factor=factor) + "def f_backward(d): pass\n")
    assert cli.main([".", "--examples", "2"]) == 1
    told = capsys.readouterr().out
    assert "bob/layers.py::Affine: the gradient of x is wrong" in told
    assert "ann/layers.py::f_backward: note: has no f_forward: not checked" in told
    assert re.findall(r"^(\S+)::Affine +(\w+)", told, re.MULTILINE) == [
        ("ann/layers.py", "PASS"),
        ("bob/layers.py", "FAIL"),
    ]
    assert "2 subjects in 2 files: 1 passes, 1 fails" in told
    assert cli.main(["bob", "--examples", "2"]) == 1
    assert "\nAffine            FAIL" in capsys.readouterr().out


def test_wide_letters_count_two_columns(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "l.py").write_text(AFFINE.format(factor=2).replace("Affine", "완전연결") + AFFINE.format(factor=2))
    assert cli.main(["l.py", "--examples", "2"]) == 0
    told = capsys.readouterr().out
    assert "\n완전연결          PASS" in told
    assert "\nAffine            PASS" in told
