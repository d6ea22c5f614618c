"""For each thing that was not judged, the report says what to write; here it is written, and then it is judged."""

import re

import pytest

from gradproof import cli
from gradproof.collect.suggestions import declaration, of_a_module

OTHER_NAME = """
class Twice:
    def forward(self, x):
        return 2 * x
    def gradient_of(self, dout):
        return 2 * dout
"""
OTHER_NAMES = """
class Twice:
    def run(self, x):
        return 2 * x
    def unrun(self, dout):
        return 2 * dout
"""
SIZED = """
import numpy as np
class Dense:
    def __init__(self, rows, columns):
        self.W = np.random.randn(rows, columns)
    def forward(self, x):
        self.x = x
        return x @ self.W
    def way_back(self, dout):
        self.dW = self.x.T @ dout
        return dout @ self.W.T
"""
HALF = "def twice_forward(x): return 2 * x, None\ndef back(dout, cache): return 2 * dout\n"
OTHER_HALF = "def twice_backward(dout, cache): return 2 * dout\ndef double(x): return 2 * x, None\n"
PAIR = "def double(x): return 2 * x, None\ndef undouble(dout, cache): return 2 * dout\n"
ABSTRACT = """
class Base:
    def forward(self, x):
        raise NotImplementedError
    def backward(self, dout):
        raise NotImplementedError
"""
ON_IT = "class Twice(Base):\n    def forward(self, x): return 2 * x\n    def backward(self, dout): return 2 * dout\n"
BLANK = "import numpy as np\ndef zero_forward(x): return np.zeros(3), x\ndef zero_backward(dout, x): return 0 * x\n"

HELPERS = "from gradproof import Case, Convention, Settings, size\n"
FILLED = {  # file -> (the sentence, what is filled in for "..." and NAME)
    "another name": (OTHER_NAME, "Twice has no backward: nothing to check. Where it has another name", {}),
    "another name, and sizes": (
        SIZED,
        "Dense has no backward: nothing to check. Where it has another name",
        {"rows=...": 'rows=size("d")', "columns=...": 'columns=size("h")', "x=...": 'x="n d"'},
    ),
    "other names": (OTHER_NAMES, "what has other names is declared in a check_*.py", {}),
    "half of a pair": (HALF, "has no twice_backward: not checked", {"NAME": "back"}),
    "the other half": (OTHER_HALF, "has no twice_forward: not checked", {"NAME": "double"}),
    "a pair of other names": (PAIR, "what has other names is declared in a check_*.py", {}),
}


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def told(capsys, *arguments):
    code = cli.main([*arguments, "--examples", "2"])
    output = capsys.readouterr()
    return code, re.sub(r"\n +", " ", output.out + output.err)


@pytest.mark.parametrize(("source", "sentence", "filled"), FILLED.values(), ids=FILLED)
def test_what_is_told_to_be_declared_is_then_judged(capsys, tmp_path, source, sentence, filled):
    (tmp_path / "layers.py").write_text(source)
    code, out = told(capsys, "layers.py")
    assert code in (2, 3)
    assert sentence in out
    (declared,) = re.findall(r"\w+ = Case\(.*\)", out)
    for old, new in filled.items():
        assert old in declared
        declared = declared.replace(old, new)
    (tmp_path / "check_layers.py").write_text(f"{HELPERS}from layers import *\n{declared}\n")
    code, out = told(capsys, "check_layers.py")
    assert (code, "1 subject: 1 passes" in out) == (0, True), out


def test_a_class_on_an_abstract_base_is_judged_as_told(capsys, tmp_path):
    (tmp_path / "layers.py").write_text(ABSTRACT)
    code, out = told(capsys, "layers.py")
    assert code == 3
    assert "write a class on it that has its forward and backward" in out
    (tmp_path / "layers.py").write_text(ABSTRACT + ON_IT)
    assert told(capsys, "layers.py")[0] == 0


def test_a_case_in_doubt_is_judged_once_it_is_kept(capsys, tmp_path):
    (tmp_path / "layers.py").write_text(BLANK)
    code, out = told(capsys, "layers.py")
    assert code == 3
    (command,) = re.findall(r"keep it in a check_\*\.py: gradproof (--infer \S+) prints it", out)
    cli.main(command.split())
    (tmp_path / "check_layers.py").write_text(capsys.readouterr().out)
    code, out = told(capsys, "check_layers.py")
    assert (code, "1 subject: 1 passes" in out) == (0, True), out


@pytest.mark.parametrize(
    ("subject", "others", "expected"),
    [
        pytest.param(
            type("Lambda", (), {"forward": lambda self, x: x}), {}, "lambda_case = Case(Lambda", id="a keyword"
        ),
        pytest.param(type("net", (), {"forward": lambda self, x: x}), {}, "net_case = Case(net", id="in lower case"),
    ],
)
def test_the_variable_is_a_name_of_its_own(subject, others, expected):
    assert declaration(subject, **others).startswith(expected)


def test_a_module_of_nothing_is_shown_the_example_of_the_book():
    assert of_a_module([], []) == 'affine = Case(Affine, W="d h", b="h", x="n d")'
