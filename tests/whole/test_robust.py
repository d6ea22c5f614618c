"""A layer that does what no layer should costs itself only: the next one is checked, and the run tells of both."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from gradproof import GradientFault, Settings, Verdict, check, cli, deadlines, guard
from gradproof.errors import UsageError

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "checks"), *sys.path])}
LAYERS = """
import os, random, signal, sys, time, warnings
import numpy as np

class Odd(BaseException):
    pass

class Mute(Exception):
    def __str__(self):
        raise RuntimeError

class Square:
    def act(self):
        pass
    def forward(self, x):
        self.act()
        self.x = x
        return x * x
    def backward(self, dout):
        return 2 * self.x * dout

class Bad(Square):
    def act(self):
        BODY

class Zebra(Square):
    pass
"""


def run(capsys, folder, body, *options):
    """(exit code, what was printed, the JSON) of a file in which ``Bad`` does ``body`` in its forward."""
    (folder / "layers.py").write_text(LAYERS.replace("BODY", body.replace("\n", "\n        ")), encoding="utf-8")
    report = folder / "report.json"
    arguments = [str(folder / "layers.py"), "--examples", "2", "--timeout", "3", "--json", str(report), *options]
    code = cli.main(arguments)
    return code, capsys.readouterr().out, json.loads(report.read_text(encoding="utf-8"))


def verdicts(document):
    return {subject["name"]: subject["verdict"] for subject in document["subjects"]}


@pytest.mark.parametrize(
    ("body", "told"),
    [
        pytest.param("time.sleep(60)", "did not end within", id="sleeps"),
        pytest.param("while True: pass", "did not end within", id="loops"),
        pytest.param(
            "while True:\n    try:\n        x = 1\n    except:\n        pass", "did not end within", id="insists"
        ),
        pytest.param("self.act()", "RecursionError", id="recurses"),
        pytest.param("self.kept = np.ones((10**6, 10**6))", "MemoryError", id="allocates much"),
        pytest.param(
            "kept = []\nwhile True: kept.append(np.empty(10**8))",
            "MemoryError",
            id="allocates without an end",
            marks=pytest.mark.skipif(sys.platform != "linux", reason="only Linux bounds the memory of a process"),
        ),
        pytest.param("sys.exit(0)", "SystemExit", id="leaves"),
        pytest.param("raise Odd", "Odd", id="raises what is no Exception"),
        pytest.param("raise Mute", "its message cannot be read", id="raises what cannot be printed"),
    ],
)
def test_what_a_layer_does_instead_of_its_work_costs_that_layer_only(capsys, tmp_path, body, told):
    code, text, document = run(capsys, tmp_path, body)
    found = verdicts(document)
    assert (found["Square"], found["Zebra"]) == ("PASS", "PASS")
    assert found["Bad"] != "PASS"
    assert told in text + json.dumps(document)
    assert code in (1, 3)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("print('x' * 100)", id="prints"),
        pytest.param("os.write(1, b'x')", id="writes to the descriptor"),
        pytest.param("sys.stdout.close()", id="closes stdout"),
        pytest.param("sys.stderr.close()", id="closes stderr"),
        pytest.param("sys.stdout = None", id="loses stdout"),
        pytest.param("np.seterr(all='raise')", id="raises on overflow"),
        pytest.param("warnings.simplefilter('error')", id="raises on warnings"),
        pytest.param("np.random.seed(0); random.seed(0)", id="seeds"),
        pytest.param("sys.setrecursionlimit(20000)", id="recursion limit"),
        pytest.param("os.chdir('/')", id="goes elsewhere"),
        pytest.param("sys.path.clear()", id="loses the path"),
    ],
)
def test_what_a_layer_changes_around_it_is_put_back(capsys, tmp_path, body):
    def state():
        return Path.cwd(), sys.getrecursionlimit(), np.geterr(), sys.stdout, sys.stderr, list(sys.path)

    before = state()
    code, _, document = run(capsys, tmp_path, body)
    assert verdicts(document) == {"Square": "PASS", "Bad": "PASS", "Zebra": "PASS"}
    assert code == 0
    assert state() == before


GLOBALS = """
scale, seen = 2.0, []
class Changes:
    def forward(self, x):
        global scale, late
        scale, late = 7.0, 1
        seen.append(x.shape)
        return 3 * x
    def backward(self, dout):
        return 3 * dout
class Reads:
    def forward(self, x):
        self.factor = 2.0 if scale == 2.0 and not seen and "late" not in globals() else 5.0
        return 2.0 * x
    def backward(self, dout):
        return self.factor * dout
"""


def test_what_a_layer_sets_in_its_module_no_other_layer_sees(capsys, tmp_path):
    (tmp_path / "layers.py").write_text(GLOBALS, encoding="utf-8")
    assert cli.main([str(tmp_path / "layers.py"), "--examples", "2"]) == 0, capsys.readouterr().out


def test_what_c_code_and_children_print_does_not_get_into_the_json(tmp_path):
    body = "os.write(1, b'descriptor'); os.system('echo child')"
    (tmp_path / "layers.py").write_text(LAYERS.replace("BODY", body), encoding="utf-8")
    command = [sys.executable, "-m", "gradproof", "layers.py::Bad", "--examples", "1", "--json", "-"]
    done = subprocess.run(command, cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True, timeout=100)
    assert json.loads(done.stdout)["verdict"] == "PASS"
    assert "descriptor" in done.stderr
    assert "child" in done.stderr


class Stuck:
    """Right, but for inputs of more than ten entries, for which it never comes back."""

    def forward(self, x):
        while x.size > 10:
            pass
        self.x = x
        return x * x

    def backward(self, dout):
        return 2 * self.x * dout


class WrongAndStuck(Stuck):
    def backward(self, dout):
        return 3 * self.x * dout


def test_a_call_that_is_cut_off_is_told_with_its_line_and_is_no_pass():
    report = check(Stuck, x="n d", settings=Settings(timeout=3))
    (subject,) = report.subjects
    assert (report.verdict, subject.reason) == (Verdict.INCONCLUSIVE, "forward did not end within 0.5 s")
    (finding,) = subject.findings
    assert (finding.code, finding.severity) == ("GP304", "warning")
    assert finding.dims["n"] * finding.dims["d"] > 10
    assert re.search(r"in forward\n +(pass|while x.size > 10:)", finding.traceback)


def test_what_was_found_before_the_time_was_over_is_kept():
    with pytest.raises(GradientFault) as fault:
        check(WrongAndStuck, x="n d", settings=Settings(timeout=3))
    assert {finding.code for finding in fault.value.report.findings} > {"GP304"}


def test_the_time_of_the_whole_subject_is_limited():
    class Slow(Stuck):
        def forward(self, x):
            import time

            time.sleep(0.05)
            self.x = x
            return x * x

    report = check(Slow, x="n d", settings=Settings(timeout=1))
    assert report.verdict is Verdict.INCONCLUSIVE
    assert re.fullmatch(r"the time limit of 1 s was reached after \d+ examples", report.subjects[0].reason)


@pytest.mark.parametrize("timeout", [0, -1, float("inf"), float("nan"), "60", True, None], ids=repr)
def test_a_limit_that_is_no_time_is_refused(timeout):
    with pytest.raises(UsageError, match="expected a number of seconds above 0, got timeout="):
        Settings(timeout=timeout)


def loops():
    while True:
        pass


def test_a_limit_inside_another_one_leaves_the_outer_one_in_force():
    def work():
        with deadlines.limited(0.5):
            with deadlines.limited(60):
                assert guard.call("forward", abs, -1) == 1
            guard.call("forward", loops)

    with pytest.raises(deadlines.Expired) as expired:
        work()
    assert expired.value.seconds <= 0.5


def test_after_a_limit_nothing_is_cut_off_any_more():
    with pytest.raises(deadlines.Expired), deadlines.limited(0.3):
        guard.call("forward", loops)
    assert guard.call("forward", sum, range(10**6)) == 499999500000
    assert sys.gettrace() is None or "deadlines" not in repr(sys.gettrace())


def test_elsewhere_than_in_the_main_thread_a_loop_is_ended_too():
    import threading

    seen = []

    def work():
        try:
            with deadlines.limited(0.6):
                guard.call("forward", loops)
        except deadlines.Expired as expired:
            seen.append((expired.single, expired.error.stage))

    worker = threading.Thread(target=work, daemon=True)
    worker.start()
    worker.join(timeout=10)
    assert seen == [(True, "forward")]


LIMITED_IN_A_THREAD = """
import sys, threading
from gradproof import deadlines

def work():
    with deadlines.limited(5.0):
        pass

worker = threading.Thread(target=work)
worker.start()
worker.join()
sys.setprofile(lambda *_: None)
(lambda: None)()
sys.setprofile(None)
"""


def test_a_limit_in_a_thread_leaves_no_interrupt_behind_that_a_profiler_would_wait_for():
    subprocess.run([sys.executable, "-c", LIMITED_IN_A_THREAD], env=ENVIRONMENT, timeout=20, check=True)
