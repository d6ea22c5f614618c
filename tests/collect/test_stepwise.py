"""A file that does not run through when it is imported: what it defines all the same is checked, the rest is told."""

import re

import numpy as np
import pytest

from gradproof import cli
from gradproof.collect.collect import holding, items, settled
from gradproof.collect.load import importable, load
from gradproof.collect.placeholder import Placeholder
from gradproof.collect.statements import statements
from gradproof.errors import Absence, NotAvailable, UsageError

pytestmark = pytest.mark.table

SQUARE = """
class Square:
    def forward(self, x):
        self.x = x
        return x * x
    def backward(self, dout):
        return 2 * self.x * dout
"""
SCALED = """
class Scaled:
    def forward(self, x):
        return x * {name}
    def backward(self, dout):
        return dout * {name}
"""


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def written(folder, name, source):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(source, encoding="utf-8")
    return path


def checked(capsys, *paths, examples=2):
    """(exit code, standard output, standard error) of the command."""
    code = cli.main([*paths, "--examples", str(examples), "--timeout", "6"])
    told = capsys.readouterr()
    return code, " ".join(told.out.split()), told.err


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        pytest.param("import numpy as np\ndata = np.load('x.npy')", "line 2: raises FileNotFoundError", id="data"),
        pytest.param("import no_such_module as plt", "no_such_module is not installed", id="a module"),
        pytest.param("from no_such.module import plt", "no_such is not installed", id="from a module"),
        pytest.param("import sys\nsys.exit(3)", "raises SystemExit", id="exits"),
        pytest.param(
            "from argparse import ArgumentParser as P\np = P()\np.add_argument('file')\nargs = p.parse_args()",
            "line 4: raises SystemExit",
            id="arguments that are not given",
        ),
        pytest.param("for epoch in range(3):\n    print(epoch / 0)", "raises ZeroDivisionError", id="a loop"),
        pytest.param("assert 1 == 2", "raises AssertionError", id="an assertion"),
        pytest.param("print(undefined)", "raises NameError", id="a name"),
        pytest.param("while True:\n    pass", "line 1: does not end within 0.1 s", id="without an end"),
        pytest.param("class Odd(BaseException): pass\nraise Odd", "raises Odd", id="an odd exception"),
    ],
)
@pytest.mark.parametrize("below", [False, True], ids=["above", "below"])
def test_what_a_statement_does_costs_no_layer(tmp_path, statement, told, below):
    path = written(tmp_path, "layers.py", SQUARE + statement if below else f"{statement}\n{SQUARE}")
    held = holding(path, None, seconds=0.6)
    assert [(item.name, item.problem) for item in held.items] == [("Square", None)]
    (note,) = held.notes
    assert told in f"{note.subject}: {note.headline}" or below
    assert note.code == "GP307"


@pytest.mark.parametrize(
    ("above", "why"),
    [
        pytest.param(
            "rate = open('rate.txt')",
            "forward needs rate, which layers.py:1 does not define because it raises FileNotFoundError ([Errno 2] No "
            "such file or directory: 'rate.txt'): write a value for rate there",
            id="data",
        ),
        pytest.param(
            "data = open('rate.txt')\nrate = float(data.read())",
            "forward needs rate, which layers.py:2 does not define because layers.py:1 raises FileNotFoundError",
            id="what is made of data",
        ),
        pytest.param(
            "import no_such_module as rate", "forward needs no_such_module, which is not installed", id="module"
        ),
        pytest.param("from no_such_module import *", "forward needs no_such_module, which is not installed", id="star"),
        pytest.param(
            "if __name__ == '__main__':\n    rate = 3",
            'forward needs rate, which is defined at layers.py:1, under if __name__ == "__main__":',
            id="in the main part",
        ),
        pytest.param("rate = 3\nrate = open('rate.txt')", "forward needs rate, which layers.py:2", id="given anew"),
        pytest.param("a, (rate, *c) = open('rate.txt')", "forward needs rate, which layers.py:1", id="unpacked"),
        pytest.param(
            "class K: pass\nk = K()\nk.rate = open('r')", "forward needs k.rate, which layers.py:3", id="an attribute"
        ),
        pytest.param("k = {}\nk['rate'] = open('r')", "forward needs k['rate'], which layers.py:2", id="an item"),
    ],
)
def test_a_layer_that_needs_what_is_missing_is_not_judged_and_the_line_is_told(tmp_path, above, why):
    name = re.search(r"needs ([^,]+),", why)[1]
    name = "rate" if name == "no_such_module" else name
    path = written(tmp_path, "layers.py", above + SCALED.format(name=name))
    (item,) = items(path, None)
    with importable(item.source):
        assert settled(item).problem.startswith(why)


def test_it_is_judged_once_the_value_is_written_as_told(capsys, tmp_path):
    written(tmp_path, "layers.py", "data = open('x')\nrate = float(data.read())" + SCALED.format(name="rate"))
    code, out, _ = checked(capsys, "layers.py")
    assert (code, "write a value for rate there" in out) == (3, True)
    written(tmp_path, "layers.py", "data = open('x')\nrate = 0.5" + SCALED.format(name="rate"))
    assert checked(capsys, "layers.py")[0] == 0


@pytest.mark.parametrize("stage", ["__init__", "forward", "backward"])
def test_whatever_needs_what_is_missing_accuses_nobody(capsys, tmp_path, stage):
    used = SQUARE if stage != "__init__" else SQUARE.replace("def forward", "def __init__(self): pass\n    def forward")
    used = re.sub(rf"(def {stage}\(.*?\): *)(pass)?", r"\1\n        torch.zeros(3)", used, count=1)
    written(tmp_path, "layers.py", "import no_such_module as torch" + used)
    written(
        tmp_path, "check_layers.py", 'from gradproof import Case\nfrom layers import Square\ns = Case(Square, x="n")'
    )
    for path in ("layers.py", "check_layers.py"):
        code, out, _ = checked(capsys, path)
        assert code == 3, out
        assert "needs no_such_module, which is not installed: install no_such_module" in out


def test_a_wrong_layer_beside_a_failing_statement_is_found(capsys, tmp_path):
    written(tmp_path, "layers.py", "x = open('data')" + SQUARE.replace("2 *", "3 *"))
    assert checked(capsys, "layers.py")[0] == 1


def test_a_forward_that_imports_what_is_not_installed_accuses_nobody(capsys, tmp_path):
    written(tmp_path, "layers.py", SQUARE.replace("self.x = x", "self.x = x; import no_such_module"))
    code, out, _ = checked(capsys, "layers.py")
    assert code == 3
    assert "forward needs no_such_module, which is not installed" in out


def test_a_missing_module_is_told_once_a_file(tmp_path):
    source = "import no_such_module\nfrom no_such_module import nn\nnn.functional()\n" + SQUARE
    (note,) = holding(written(tmp_path, "layers.py", source), None).notes
    assert note.headline == "no_such_module is not installed: what uses it is left out"
    assert note.remarks == (("with it", "line 3"),)


NET = "from no_such_module import nn\nclass Net(nn.Module):\n    def forward(self, x):\n        return x\n"


def test_a_class_on_a_missing_base_is_left_out_and_told(capsys, tmp_path):
    written(tmp_path, "layers.py", NET + SQUARE)
    code, out, _ = checked(capsys, "layers.py")
    assert code == 0
    assert "Net: note: left out: no_such_module is not installed" in out


def test_a_layer_on_a_missing_base_is_not_green(capsys, tmp_path):
    written(tmp_path, "layers.py", NET + "    def backward(self, dout):\n        return dout\n" + SQUARE)
    code, out, _ = checked(capsys, "layers.py")
    assert code == 3
    assert "Net INCONCLUSIVE" in out
    assert "layers.py:2 does not define Net because no_such_module is not installed: install no_such_module" in out


def test_a_file_of_nothing_else_is_told_and_not_green(capsys, tmp_path):
    written(tmp_path, "layers.py", NET)
    code, out, _ = checked(capsys, "layers.py")
    assert (code, "Net: note: left out" in out) == (3, True)


def test_a_case_that_was_lost_is_not_green(capsys, tmp_path):
    source = "from gradproof import Case\n" + SQUARE + 'sizes = open("x")\nsquare = Case(Square, x=sizes)\n'
    written(tmp_path, "layers.py", source)
    code, out, _ = checked(capsys, "layers.py")
    assert code == 2 or "square INCONCLUSIVE" in out


def test_a_check_file_that_raises_is_refused(capsys, tmp_path):
    source = 'from gradproof import Case\nfrom layers import Square\nsquare = Case(Square, x="n")\nopen("x")\n'
    written(tmp_path, "layers.py", SQUARE)
    written(tmp_path, "check_layers.py", source)
    code, _, error = checked(capsys, "check_layers.py")
    assert code == 2
    assert 'File "check_layers.py", line 4' in error


def test_a_check_file_declares_layers_of_a_file_that_does_not_run_through(capsys, tmp_path):
    written(tmp_path, "layers.py", "rate = open('rate.txt')" + SQUARE)
    written(
        tmp_path, "check_layers.py", 'from gradproof import Case\nfrom layers import Square\ns = Case(Square, x="n")'
    )
    code, out, error = checked(capsys, "check_layers.py")
    assert (code, error) == (0, "")
    assert "layers.py, line 1: note: raises FileNotFoundError" in out


LIBRARY = "import no_such_module as plt\nfrom .base import Base\ndata = open('data')\n"


def test_a_library_that_does_not_run_through_costs_its_scripts_nothing(capsys, tmp_path):
    written(tmp_path, "repo/common/__init__.py", "from .layers import Square\nfrom .trainer import Trainer\n")
    written(tmp_path, "repo/common/base.py", "class Base:\n    pass\n")
    written(tmp_path, "repo/common/trainer.py", "import not_there\nclass Trainer:\n    pass\n")
    written(tmp_path, "repo/common/layers.py", LIBRARY + SQUARE)
    net = "from common.layers import Square as Inner, data\n" + SQUARE.replace(
        "return x * x", "return Inner().forward(x)"
    )
    written(tmp_path, "repo/ch01/net.py", net)
    code, out, _ = checked(capsys, "repo/ch01/net.py")
    assert code == 0, out
    assert "repo/common/layers.py, line 3: note: raises FileNotFoundError" in out
    assert "repo/common/trainer.py, line 1: note: not_there is not installed" in out


def test_an_import_that_the_author_caught_stays_caught(tmp_path):
    written(tmp_path, "fast.py", "import no_such_module\nname = 'fast'\n")
    written(tmp_path, "slow.py", "name = 'slow'\n")
    written(
        tmp_path, "backend.py", "try:\n    import fast as b\nexcept ImportError:\n    import slow as b\nopen('data')\n"
    )
    path = written(tmp_path, "layers.py", "import backend\n" + SQUARE)
    assert load(path).module.backend.b.name == "slow"


@pytest.mark.parametrize(
    ("library", "script", "source"),
    [
        pytest.param("src/mylib/network.py", "scripts/run.py", "from mylib.network import answer", id="src"),
        pytest.param("mylib/network.py", "scripts/run.py", "from mylib.network import answer", id="beside the scripts"),
        pytest.param(
            "library/network.py", "scripts/run.py", "from network import answer", id="a folder of the project"
        ),
        pytest.param(
            "other/network.py",
            "scripts/run.py",
            "import sys\nsys.path.append('../other')\nfrom network import answer",
            id="as the script says, from its folder",
        ),
        pytest.param(
            "handout/other/network.py",
            "handout/scripts/run.py",
            "import sys\nsys.path.append('other')\nfrom network import answer",
            id="as the script says, from a folder above it",
        ),
        pytest.param(
            "mylib/deep/network.py", "mylib/run.py", "from .deep.network import answer", id="namespace packages"
        ),
    ],
)
def test_a_script_finds_its_library(tmp_path, monkeypatch, library, script, source):
    written(tmp_path, "repo/pyproject.toml", "")
    written(tmp_path, f"repo/{library}", "answer = 42\n")
    path = written(tmp_path, f"repo/{script}", source)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert load(path).module.answer == 42


def test_the_library_of_somebody_else_is_not_taken(tmp_path):
    written(tmp_path, "bob/network.py", "answer = 42\n")
    path = written(tmp_path, "ann/layers.py", "from network import answer\n" + SQUARE)
    assert isinstance(load(path).module.answer, Placeholder)


def test_what_one_file_put_on_the_path_is_not_found_by_another(tmp_path):
    for owner in ("ann", "bob"):
        written(tmp_path, f"{owner}/lib/network.py", f"owner = {owner!r}\n")
        source = f"import sys\nsys.path.append({str(tmp_path / owner / 'lib')!r})\nfrom network import owner\n"
        written(tmp_path, f"{owner}/ch01/net.py", source)
    assert [load(tmp_path / owner / "ch01/net.py").module.owner for owner in ("ann", "bob")] == ["ann", "bob"]


def test_statements_keep_lines_docstring_and_future(tmp_path):
    source = (
        '"""What it is."""\nfrom __future__ import annotations\n\n"a string"\ndef f(x: undefined):\n    return 1 / 0\n'
    )
    module = load(written(tmp_path, "m.py", source)).module
    assert module.__doc__ == "What it is."
    assert module.f.__annotations__ == {"x": "undefined"}
    assert module.f.__code__.co_firstlineno == 5


def test_a_part_of_a_file_that_does_not_parse_is_an_error_of_the_whole(tmp_path):
    with pytest.raises(UsageError, match="does not parse"):
        load(written(tmp_path, "m.py", SQUARE + "return 3\n"))


def test_of_several_imports_in_a_line_the_others_hold(tmp_path):
    module = load(written(tmp_path, "m.py", "import math, no_such_module, json\n" + SQUARE)).module
    assert module.math.pi > 3
    assert module.json.dumps(1) == "1"
    assert isinstance(module.no_such_module, Placeholder)


def test_what_a_loop_defined_before_it_failed_stays(tmp_path):
    module = load(written(tmp_path, "m.py", "for i in range(3):\n    a = i\n    b = 1 / (1 - i)\n" + SQUARE)).module
    assert (module.a, module.b) == (1, 1.0)


MISSING = Placeholder(Absence("x", "is nowhere", "x is nowhere", "write x"))


@pytest.mark.parametrize(
    "use",
    [
        pytest.param(lambda: MISSING + 1, id="+"),
        pytest.param(lambda: np.ones(3) * MISSING, id="array times"),
        pytest.param(lambda: np.exp(MISSING), id="ufunc"),
        pytest.param(lambda: np.dot(MISSING, np.ones(3)), id="dot"),
        pytest.param(lambda: np.array(MISSING), id="array of"),
        pytest.param(lambda: MISSING == 1, id="=="),
        pytest.param(lambda: bool(MISSING), id="if"),
        pytest.param(lambda: MISSING.attribute, id="."),
        pytest.param(lambda: MISSING(), id="()"),
        pytest.param(lambda: MISSING[0], id="[]"),
        pytest.param(lambda: list(MISSING), id="for"),
        pytest.param(lambda: range(MISSING), id="range"),
        pytest.param(lambda: isinstance(1, MISSING), id="isinstance"),
        pytest.param(lambda: exec("class T(MISSING): pass", {"MISSING": MISSING}), id="a base"),
        pytest.param(lambda: hasattr(MISSING, "cuda"), id="hasattr"),
    ],
)
def test_every_use_of_what_is_missing_raises(use):
    with pytest.raises(NotAvailable, match="x, which is nowhere"):
        use()


def test_what_is_missing_can_be_handed_on():
    import copy

    assert copy.deepcopy([MISSING])[0] is MISSING
    assert "is nowhere" in repr(MISSING)


def test_a_name_of_a_failing_statement_does_not_hide_a_real_fault(capsys, tmp_path):
    written(tmp_path, "layers.py", "x_train = open('x')" + SCALED.format(name="undefined"))
    code, out, _ = checked(capsys, "layers.py")
    assert code == 1
    assert "forward raises NameError" in out


def test_lines_are_those_of_the_file():
    found = statements("x = 1\n\n\n@f\ndef g(): pass\n", "m.py")
    assert [statement.line for statement in found] == [1, 5]


def test_a_package_that_does_not_run_through_has_the_modules_that_its_code_names(tmp_path):
    written(tmp_path, "lib/__init__.py", "import not_there\nraise ValueError\nfrom lib import tools\n")
    written(tmp_path, "lib/tools.py", "answer = 42\n")
    path = written(tmp_path, "lib/core.py", "import lib\n\n\ndef answer():\n    return lib.tools.answer\n")
    assert load(path).module.answer() == 42
