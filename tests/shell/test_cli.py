"""The command line: what it prints, what it writes, and its exit codes."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gradproof import cli

pytestmark = pytest.mark.table

ROOT = Path(__file__).parents[2]
LAYERS = """import time
import numpy as np

class Square:
    def forward(self, x):
        self.x = x
        return x * x
    def backward(self, dout):
        return 2 * self.x * dout
"""
WRONG = LAYERS.replace("Square", "WrongSquare").replace("2 * self", "3 * self")
NOISE = "x * np.random.default_rng(time.perf_counter_ns()).normal(size=x.shape)"
NOISY = LAYERS.replace("Square", "NoisySquare").replace("x * x", NOISE)
NO_BACKWARD = "class Half:\n    def forward(self, x):\n        return x / 2\n"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The folder that the user stands in, with one file of each kind."""
    monkeypatch.chdir(tmp_path)
    sources = {"right": LAYERS, "wrong": WRONG, "noisy": NOISY, "half": NO_BACKWARD, "broken": "def f(:\n"}
    for name, source in sources.items():
        (tmp_path / f"{name}.py").write_text(source, encoding="utf-8")
    return tmp_path


def gradproof(capsys, *arguments):
    """(exit code, standard output, standard error) of the command on few examples: the method is tested elsewhere."""
    code = cli.main(["--examples", "2", *arguments])
    told = capsys.readouterr()
    return code, told.out, told.err


def refused(capsys, *arguments):
    with pytest.raises(SystemExit) as leaving:
        cli.main(list(arguments))
    assert leaving.value.code == 2
    return capsys.readouterr().err


@pytest.mark.parametrize(
    ("paths", "code"),
    [
        pytest.param(["right.py"], 0, id="passes"),
        pytest.param(["wrong.py"], 1, id="a fault"),
        pytest.param(["noisy.py"], 3, id="not judged"),
        pytest.param(["half.py"], 3, id="no backward"),
        pytest.param(["right.py", "wrong.py", "half.py"], 1, id="a fault outranks a doubt"),
        pytest.param(["broken.py", "wrong.py"], 2, id="wrong usage outranks a fault"),
        pytest.param(["nope.py"], 2, id="no such file"),
    ],
)
@pytest.mark.usefixtures("folder")
def test_the_exit_code_says_how_it_went(capsys, paths, code):
    assert gradproof(capsys, *paths)[0] == code


@pytest.mark.usefixtures("folder")
def test_a_fault_is_told_with_its_subject_and_a_command_that_repeats_it(capsys):
    _, told, _ = gradproof(capsys, "wrong.py", "--seed", "7")
    assert "WrongSquare: the gradient of x is wrong" in told
    (command,) = re.findall(r"reproduce\s+gradproof (.*)", told)
    assert cli.main(command.split()) == 1
    assert cli.main(["wrong.py::WrongSquare"]) == 1


@pytest.mark.usefixtures("folder")
def test_a_guessed_case_is_shown(capsys):
    _, told, _ = gradproof(capsys, "right.py")
    assert 'no Case was declared; checked as Case(Square, x="n d")' in told


@pytest.mark.parametrize(
    ("body", "verdict", "code"),
    [
        pytest.param("raise ValueError('only images')", "INCONCLUSIVE", 3, id="refuses the input"),
        pytest.param("self.scale * x", "FAIL", 1, id="a missing attribute"),
        pytest.param("undefined(x)", "FAIL", 1, id="a missing name"),
    ],
)
def test_a_layer_that_does_not_run_is_blamed_only_if_the_guess_cannot_be(capsys, folder, body, verdict, code):
    (folder / "crash.py").write_text(LAYERS.replace("self.x = x", body), encoding="utf-8")
    left, told, _ = gradproof(capsys, "crash.py")
    assert left == code
    assert re.search(rf"^Square +{verdict}", told, flags=re.MULTILINE)
    assert re.search(r"Square: (warning: )?forward raises", told)
    assert 'File "crash.py", line 6, in forward' in told


@pytest.mark.usefixtures("folder")
def test_a_class_without_backward_is_listed_not_skipped(capsys):
    _, told, _ = gradproof(capsys, "half.py", "right.py")
    assert re.search(r"^half.py::Half +INCONCLUSIVE", told, flags=re.MULTILINE)
    assert "Half has no backward: nothing to check" in told
    assert "2 subjects in 2 files: 1 passes, 1 inconclusive" in told


@pytest.mark.usefixtures("folder")
def test_a_path_of_no_use_is_told_and_the_others_are_checked(capsys):
    _, told, error = gradproof(capsys, "nope.py", "broken.py", "right.py")
    assert "gradproof: error: expected a .py file, a notebook or a folder, got 'nope.py'" in error
    assert "gradproof: error: broken.py does not parse" in error
    assert "1 subject: 1 passes" in told


@pytest.mark.usefixtures("folder")
def test_a_subject_named_twice_is_checked_once(capsys):
    _, told, _ = gradproof(capsys, "right.py", "right.py::Square", "./right.py")
    assert "1 subject: 1 passes" in told


def test_without_a_path_the_check_files_of_this_folder_are_checked(capsys, folder):
    (folder / "sub").mkdir()
    (folder / "sub" / "check_right.py").write_text(
        LAYERS + 'from gradproof import Case\nsquare = Case(Square, x="n d")\n', encoding="utf-8"
    )
    code, told, _ = gradproof(capsys)
    assert code == 0
    assert "1 subject: 1 passes" in told
    assert "no Case was declared" not in told


def test_without_a_path_and_without_check_files_nothing_is_green(capsys, folder):
    code, _, error = gradproof(capsys)
    assert code == 2
    assert "nothing to check in the folder '.'" in error


@pytest.mark.usefixtures("folder")
def test_json_goes_to_a_file_beside_the_text(capsys, folder):
    code, told, _ = gradproof(capsys, "right.py", "wrong.py", "--json", "report.json", "--seed", "3")
    document = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    assert [subject["verdict"] for subject in document["subjects"]] == ["PASS", "FAIL"]
    assert (document["seed"], document["examples"], code) == (3, 2, 1)
    assert "WrongSquare: the gradient of x is wrong" in told


@pytest.mark.usefixtures("folder")
def test_json_on_the_standard_output_is_alone_there(capsys, folder):
    (folder / "loud.py").write_text("print('imported')\n" + LAYERS.replace("self.x = x", "self.x = x; print('ran')"))
    _, told, error = gradproof(capsys, "loud.py", "broken.py", "--json", "-")
    document = json.loads(told)
    assert document["verdict"] == "INCONCLUSIVE"
    assert "broken.py does not parse" in document["errors"][0]
    assert "imported" in error
    assert "1 subject: 1 passes" in error


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(["--examples", "0"], "argument --examples: expected an integer >= 1, got '0'", id="no examples"),
        pytest.param(["--examples", "many"], "expected an integer >= 1, got 'many'", id="a word"),
        pytest.param(["--seed", "-1"], "argument --seed: expected an integer >= 0, got '-1'", id="negative seed"),
        pytest.param(["--timeout", "0"], "--timeout: expected a number of seconds above 0, got '0'", id="no time"),
        pytest.param(["--timeout", "inf"], "expected a number of seconds above 0, got 'inf'", id="endless time"),
        pytest.param(["--json", "no/such/folder.json"], "cannot write 'no/such/folder.json'", id="no such folder"),
        pytest.param(["--json", "."], "cannot write '.'", id="json into a folder"),
        pytest.param(["--json", "right.py"], "got 'right.py', which is source code", id="json over a layer"),
        pytest.param(["--infer", "--json", "-"], "--infer: it prints source, not a report", id="source as json"),
        pytest.param(["--exam", "3"], "unrecognized arguments: --exam", id="an abbreviation"),
    ],
)
def test_wrong_usage_is_refused_before_any_work(capsys, folder, arguments, message):
    assert message in refused(capsys, *arguments, "right.py") + refused(capsys, "right.py", *arguments)
    assert (folder / "right.py").read_text(encoding="utf-8") == LAYERS


def test_help_lists_every_option_and_exit_code(capsys):
    with pytest.raises(SystemExit) as leaving:
        cli.main(["--help"])
    told = capsys.readouterr().out
    assert leaving.value.code == 0
    assert re.findall(r"^  (--?[\w-]+(?:, --[\w-]+)?(?: [A-Z]+)?)", told, flags=re.MULTILINE) == [
        "-h, --help",
        "--examples N",
        "--seed N",
        "--timeout SECONDS",
        "--infer",
        "--json FILE",
        "--version",
    ]
    assert re.findall(r"^  (\d+) ", told, flags=re.MULTILINE) == ["0", "1", "2", "3", "130"]


def command(*arguments, **options):
    """The command in a process of its own, as a shell starts it."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "checks"), *sys.path])}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "env": environment}
    return subprocess.Popen([sys.executable, "-m", "gradproof", *arguments], **{**pipes, **options})


@pytest.mark.skipif(signal.getsignal(signal.SIGINT) is signal.SIG_IGN, reason="a shell's background job ignores Ctrl-C")
def test_ctrl_c_prints_what_was_found_so_far(folder):
    slow = LAYERS.replace("self.x = x", "import time, pathlib; pathlib.Path('begun').touch(); time.sleep(60)")
    (folder / "slow.py").write_text(slow.replace("Square", "Slow"), encoding="utf-8")
    process = command("wrong.py", "slow.py", "right.py", "--json", "report.json", "--examples", "2")
    deadline = time.monotonic() + 60
    while not (folder / "begun").exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    told, error = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "WrongSquare: the gradient of x is wrong" in told
    assert told.rstrip().endswith("interrupted: what is not listed was not checked")
    assert "Traceback" not in told + error
    document = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    assert document["interrupted"]
    assert "Square" not in [subject["name"] for subject in document["subjects"]]


@pytest.mark.usefixtures("folder")
def test_a_reader_that_leaves_early_meets_no_traceback():
    read, write = os.pipe()
    os.close(read)
    process = command("right.py", "--examples", "2", stdout=write)
    os.close(write)
    _, error = process.communicate(timeout=60)
    assert error == ""
    assert process.returncode == 141


@pytest.mark.usefixtures("folder")
def test_a_terminal_without_the_plus_minus_sign_still_gets_the_report():
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONPATH": os.pathsep.join(sys.path)}
    process = command("wrong.py", "--examples", "2", env=environment)
    told, error = process.communicate(timeout=60)
    assert (process.returncode, error) == (1, "")
    assert "WrongSquare: the gradient of x is wrong" in told


AFFINE = """
import numpy as np
from .base import halved

class Affine:
    def __init__(self, W, b):
        self.params, self.grads = [W, b], [np.zeros_like(W), np.zeros_like(b)]
    def forward(self, x):
        self.x = x
        return x @ self.params[0] + self.params[1]
    def backward(self, dout):
        self.grads[0][...] = self.x.T @ dout
        self.grads[1][...] = dout.sum(axis=0)
        return dout @ self.params[0].T

def scale_forward(x, w):
    return x * w, (x, w)

def scale_backward(dout, cache):
    x, w = cache
    return dout * w, np.sum(dout * x, axis=0)

class Strange:
    def forward(self, x):
        raise ValueError("never")
    def backward(self, dout):
        return dout
"""


def test_what_is_inferred_is_printed_as_a_check_file_that_runs(capsys, folder):
    (folder / "nn").mkdir()
    (folder / "nn" / "base.py").write_text("def halved(x):\n    return x / 2\n", encoding="utf-8")
    (folder / "nn" / "layers.py").write_text(AFFINE, encoding="utf-8")
    code, told, _ = gradproof(capsys, "--infer", "nn/layers.py")
    assert 'affine = Case(Affine, W="d h", b="h", x="n d")' in told
    assert "# Strange: no signature was found that runs" in told
    assert code == 3
    (folder / "check_nn.py").write_text(told, encoding="utf-8")
    code, told, error = gradproof(capsys, "check_nn.py")
    assert (code, error) == (0, "")
    assert "no Case was declared" not in told
    assert "2 subjects: 2 pass" in told


@pytest.mark.usefixtures("folder")
def test_a_code_is_explained(capsys):
    code, told, _ = gradproof_plain(capsys, "explain", "GP102")
    assert (code, told.count("GP102") > 0) == (0, True)


def test_without_a_code_all_codes_are_listed(capsys):
    code, told, _ = gradproof_plain(capsys, "explain")
    assert code == 0
    assert "missing-factor" in told
    assert "left-out" in told


@pytest.mark.parametrize("words", [["explain", "GP102", "GP103"], ["explain", "GP999"]], ids=str)
def test_what_cannot_be_explained_is_wrong_usage(capsys, words):
    code, told, error = gradproof_plain(capsys, *words)
    assert (code, told) == (2, "")
    assert error.startswith("gradproof: error: ")


def test_a_file_called_explain_is_checked(capsys, folder):
    (folder / "explain").mkdir()
    (folder / "explain" / "layers.py").write_text(LAYERS, encoding="utf-8")
    assert gradproof(capsys, "./explain")[0] == 0


def gradproof_plain(capsys, *arguments):
    code = cli.main(list(arguments))
    told = capsys.readouterr()
    return code, told.out, told.err


@pytest.mark.parametrize("paths", [["check_right.py", "right.py"], ["right.py", "check_right.py"]], ids=" ".join)
def test_a_class_that_a_check_file_declares_is_not_checked_a_second_time(capsys, folder, paths):
    source = 'from gradproof import Case\nfrom right import Square\nsquare = Case(Square, x="n d")\n'
    (folder / "check_right.py").write_text(source, encoding="utf-8")
    _, told, _ = gradproof(capsys, *paths)
    assert "1 subject: 1 passes" in told
    assert "no Case was declared" not in told


@pytest.mark.usefixtures("folder")
def test_a_failure_of_gradproof_itself_is_told_and_costs_that_subject_only(capsys, monkeypatch):
    from gradproof.shell import runner

    def fails(case, **options):
        raise ZeroDivisionError("in gradproof")

    monkeypatch.setattr(runner, "check_case", fails)
    code, told, _ = gradproof(capsys, "right.py", "half.py")
    assert code == 3
    assert "gradproof itself failed" in told
    assert "ZeroDivisionError: in gradproof" in told
    assert "2 subjects in 2 files: 2 inconclusive" in told


def test_a_folder_that_is_named_is_checked_whole_and_nothing_else_in_it_is_executed(capsys, folder):
    (folder / "all").mkdir()
    for name, source in {"layers": LAYERS, "test_layers": "raise SystemExit", "train": "raise SystemExit"}.items():
        (folder / "all" / f"{name}.py").write_text(source, encoding="utf-8")
    code, told, error = gradproof(capsys, "all")
    assert (code, error) == (0, "")
    assert "1 subject: 1 passes" in told


def test_the_version_is_told(capsys):
    with pytest.raises(SystemExit):
        cli.main(["--version"])
    assert re.fullmatch(r"gradproof \d\S*\n", capsys.readouterr().out)
