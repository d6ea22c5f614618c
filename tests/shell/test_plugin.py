"""The pytest plugin, in runs of their own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
# Only what a case needs to be right, wrong, or neither; few examples, because the method is tested elsewhere.
LAYERS = """import time
import numpy as np
from gradproof import Case, Settings

class Square:
    def forward(self, x):
        self.x = x
        return x * x
    def backward(self, dout):
        return 2 * self.x * dout

class WrongSquare(Square):
    def backward(self, dout):
        return 3 * self.x * dout

class NoisySquare(Square):
    def forward(self, x):
        noise = np.random.default_rng(time.perf_counter_ns()).normal(size=x.shape)
        return super().forward(x) * noise
"""
RIGHT = LAYERS + 'square = Case(Square, x="n d")\n'
WRONG = RIGHT + 'wrong = Case(WrongSquare, x="n d")\n'
UNCLEAR = LAYERS + 'noisy = Case(NoisySquare, x="n d")\n'


def run(folder, *arguments):
    """pytest as a user starts it, with the plugin as if installed: (exit code, output)."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "checks"), *sys.path])}
    command = [sys.executable, "-m", "pytest", "-p", "gradproof.plugin", "-p", "no:cacheprovider", "-v"]
    done = subprocess.run(
        [*command, "--gradproof-examples=2", *arguments], cwd=folder, env=environment, capture_output=True, text=True
    )
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def project(tmp_path):
    """A folder with a right and a wrong case, beside an ordinary test."""
    (tmp_path / "checks").mkdir()
    (tmp_path / "checks" / "check_layers.py").write_text(WRONG, encoding="utf-8")
    (tmp_path / "test_ordinary.py").write_text("def test_ordinary():\n    pass\n", encoding="utf-8")
    return tmp_path


def test_each_case_is_a_test_with_its_variables_name(project):
    code, told = run(project)
    assert code == 1
    assert "checks/check_layers.py::square PASSED" in told
    assert "checks/check_layers.py::wrong FAILED" in told
    assert "test_ordinary.py::test_ordinary PASSED" in told


def test_a_failure_is_the_reports_text_without_our_traceback(project):
    _, told = run(project, "checks/check_layers.py::wrong")
    assert "WrongSquare: the gradient of x is wrong" in told
    assert f"gradproof {Path('checks', 'check_layers.py::wrong')}" in told
    assert "def runtest" not in told
    assert "Traceback" not in told


def test_a_case_that_cannot_be_judged_is_not_green(tmp_path):
    (tmp_path / "check_noisy.py").write_text(UNCLEAR, encoding="utf-8")
    code, told = run(tmp_path)
    assert code == 1
    assert "check_noisy.py::noisy FAILED" in told
    assert "could not be judged" in told


@pytest.mark.parametrize(
    ("arguments", "ran"),
    [
        pytest.param(["checks/check_layers.py::square"], ["square"], id="node id"),
        pytest.param(["-k", "square"], ["square"], id="-k"),
        pytest.param(["checks/check_layers.py"], ["square", "wrong"], id="the file"),
        pytest.param(["checks"], ["square", "wrong"], id="the folder"),
        pytest.param(["checks", "--import-mode=importlib"], ["square", "wrong"], id="importlib"),
        pytest.param(["checks", "-n", "2"], ["square", "wrong"], id="xdist"),
        pytest.param(["checks", "-o", "python_files=check_*.py"], ["square", "wrong"], id="python_files matches"),
    ],
)
def test_a_selection_runs_what_it_names_and_nothing_twice(project, arguments, ran):
    _, told = run(project, *arguments)
    results = [
        line for line in told.splitlines() if "check_layers.py::" in line and ("PASSED" in line or "FAILED" in line)
    ]
    verbose = [line for line in results if not line.startswith("FAILED")]  # the summary at the end names failures again
    assert sorted(line.split("::")[1].split()[0] for line in verbose) == ran


def test_tests_in_a_check_file_run_where_pytest_would_run_them(project):
    with (project / "checks" / "check_layers.py").open("a", encoding="utf-8") as file:
        file.write("def test_beside():\n    pass\n")
    assert "test_beside" not in run(project)[1]
    assert "check_layers.py::test_beside PASSED" in run(project, "-o", "python_files=check_*.py")[1]


def test_an_error_of_the_import_is_a_collection_error_told_once(project):
    (project / "checks" / "check_broken.py").write_text("import gradproof\n1 / 0\n", encoding="utf-8")
    code, told = run(project, "checks/check_broken.py")
    assert code == 2
    assert told.count("ERROR collecting checks/check_broken.py") == 1
    assert "check_broken.py:2" in told
    assert "ZeroDivisionError" in told


def test_a_wrong_declaration_shows_the_authors_line_and_none_of_ours(project):
    (project / "checks" / "check_broken.py").write_text(RIGHT + 'bad = Case(Square, x="n,d")\n', encoding="utf-8")
    _, told = run(project, "checks/check_broken.py")
    assert 'bad = Case(Square, x="n,d")' in told
    assert "UsageError" in told
    assert str(ROOT / "checks" / "gradproof") not in told


def test_somebody_elses_check_files_are_not_executed(project):
    (project / "checks" / "check_disk.py").write_text("raise SystemExit('executed')\n", encoding="utf-8")
    _, told = run(project)
    assert "executed" not in told
    assert "check_layers.py::square PASSED" in told


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        pytest.param("--gradproof-examples=0", "--gradproof-examples: expected an integer >= 1, got '0'", id="none"),
        pytest.param("--gradproof-examples=few", "--gradproof-examples: expected an integer >= 1", id="a word"),
        pytest.param("--gradproof-seed=-1", "--gradproof-seed: expected an integer >= 0, got '-1'", id="negative seed"),
        pytest.param("--gradproof-seed=1.5", "--gradproof-seed: expected an integer >= 0", id="fractional seed"),
    ],
)
def test_a_value_that_no_run_could_use_is_refused(project, argument, message):
    code, told = run(project, argument)
    assert code == pytest.ExitCode.USAGE_ERROR
    assert message in told


def test_a_run_without_a_case_imports_neither_numpy_nor_hypothesis(tmp_path):
    (tmp_path / "test_cost.py").write_text(
        "import sys\n"
        "def test_cost():\n"
        "    assert not {'numpy', 'hypothesis', 'rich', 'gradproof.case.case'} & set(sys.modules)\n"
        "    assert 'gradproof.plugin' in sys.modules\n",
        encoding="utf-8",
    )
    (tmp_path / "check_disk.py").write_text("raise SystemExit('the file of somebody else')", encoding="utf-8")
    code, told = run(tmp_path, "-p", "no:hypothesispytest", "-p", "no:xdist")
    assert code == 0, told


def test_the_plugin_named_in_conftest_as_well_does_not_clash(project):
    (project / "conftest.py").write_text('pytest_plugins = ["gradproof.plugin"]\n', encoding="utf-8")
    assert "check_layers.py::square PASSED" in run(project)[1]
