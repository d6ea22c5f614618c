"""What a path holds: files, Cases, layers whose Case is guessed, and every way in which a path can be of no use."""

import os
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

from gradproof.collect.collect import holding, items, settled
from gradproof.collect.load import importable, load
from gradproof.collect.paths import declared_files, files
from gradproof.errors import UsageError

LAYER = """
class {name}:
    def __init__(self{init}):
        pass
    def forward(self, {forward}):
        return 0
    def backward(self, dout):
        return 0
"""


def layer(name="Relu", init=(), forward="x"):
    return LAYER.format(name=name, init="".join(f", {argument}" for argument in init), forward=forward)


def written(folder, name, source):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(source, encoding="utf-8")
    return path


def found(path, name=None):
    return {item.name: settled(item) for item in items(path, name)}


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        pytest.param("class Only:\n    def forward(self, x): return x\n", "Only has no backward", id="no backward"),
        pytest.param(
            "class Only:\n    def forward(self, x): return x\n    def backward(self, dout): pass\n",
            "Only has no backward",
            id="nothing in backward",
        ),
        pytest.param(
            "class Base:\n    def forward(self, x): raise NotImplementedError\n"
            "    def backward(self, dout): raise NotImplementedError\n"
            "class Only(Base):\n    def forward(self, x): return x\n",
            "Only has no backward",
            id="the backward of an abstract base",
        ),
    ],
)
def test_a_layer_without_a_backward_is_kept_with_the_reason(tmp_path, source, problem):
    (item,) = items(written(tmp_path, "layers.py", source), None)
    assert item.case is None
    assert item.problem.startswith(problem)


def test_abstract_bases_and_imported_classes_are_left_out(tmp_path):
    written(tmp_path, "other.py", layer("Imported"))
    source = (
        "import abc\nfrom other import Imported\n"
        "class Base:\n"
        "    def forward(self, x):\n        '''to be written'''\n        raise NotImplementedError('forward')\n"
        "    def backward(self, dout): raise NotImplementedError\n"
        "class Template:\n"
        "    def forward(self, x):\n        return self.output(x)\n"
        "    def output(self, x):\n        raise NotImplementedError('output')\n"
        "    def backward(self, dout): return dout\n"
        "class Filled(Template):\n    def output(self, x): return 2 * x\n"
        "class Formal(abc.ABC):\n    @abc.abstractmethod\n    def forward(self, x): ...\n"
    )
    assert list(found(written(tmp_path, "layers.py", source + layer("Own")))) == ["Filled", "Own"]


def test_a_layer_that_forwards_through_its_base_is_kept(tmp_path):
    source = layer("Base") + "class Child(Base):\n    pass\n"
    assert list(found(written(tmp_path, "layers.py", source))) == ["Base", "Child"]


CASES = (
    "from gradproof import Case\n"
    + layer("Relu")
    + layer("Other")
    + 'relu = Case(Relu, x="n d")\nrelu_3d = Case(Relu, x="n t d")\nalias = relu\n'
)


def test_cases_carry_the_name_of_their_variable_and_cover_their_class(tmp_path):
    path = written(tmp_path, "check_layers.py", CASES)
    assert [(item.name, item.case is None) for item in items(path, None)] == [
        ("relu", False),
        ("relu_3d", False),
        ("Other", True),
    ]


@pytest.mark.parametrize(
    ("name", "selected"),
    [
        pytest.param("relu_3d", ["relu_3d"], id="a case"),
        pytest.param("Other", ["Other"], id="a class"),
        pytest.param("Relu", ["relu", "relu_3d"], id="a class stands for its cases"),
    ],
)
def test_a_name_selects(tmp_path, name, selected):
    assert list(found(written(tmp_path, "check_layers.py", CASES), name)) == selected


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="a platform without named pipes")
def test_a_pipe_of_the_name_of_a_file_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.py")
    written(tmp_path, "layers.py", layer())
    assert [file.name for file, _ in files(str(tmp_path))] == ["layers.py"]
    with pytest.raises(UsageError, match="a device or a pipe"):
        files(str(tmp_path / "pipe.py"))


def test_a_folder_may_be_called_as_a_file_is(tmp_path):
    written(tmp_path, "odd.py/layers.py", layer())
    assert [file.name for file, _ in files(str(tmp_path / "odd.py"))] == ["layers.py"]


def test_a_location_is_what_the_command_line_takes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = written(tmp_path, "sub/check_layers.py", CASES)
    location = found(path)["relu"].location
    assert location == str(Path("sub", "check_layers.py::relu"))
    assert files(location) == [(Path("sub", "check_layers.py"), "relu")]


FOLDER = {
    "check_b.py": "import gradproof",
    "sub/check_a.py": "import gradproof",
    ".hidden/check_x.py": "import gradproof",
    "__pycache__/check_x.py": "import gradproof",
    "env/check_x.py": "import gradproof",
    "env/pyvenv.cfg": "",
    "check_elsewhere.py": "raise SystemExit('this file is none of our business')",
    "layers.py": layer(),
    "pairs.py": "def relu_backward(dout, cache):\n    return dout\n",
    "losses.py": "def svm_loss(x, y):\n    return 0, x\n",
    "plain_losses.py": "def svm_loss(x, y):\n    return 0\n",
    "forward_only.py": "class Net:\n    def forward(self, x):\n        return x\n",
    "test_layers.py": layer(),
    "conftest.py": layer(),
    "setup.py": layer(),
    "broken.py": "def f(:\n",
}


def test_a_folder_stands_for_the_files_below_it_that_define_a_layer(tmp_path):
    for name, source in FOLDER.items():
        written(tmp_path, name, source)
    assert [file.relative_to(tmp_path).as_posix() for file, _ in files(str(tmp_path))] == [
        "check_b.py",
        "layers.py",
        "losses.py",
        "pairs.py",
        "sub/check_a.py",
    ]


def test_without_a_path_only_check_files_are_meant(tmp_path, monkeypatch):
    for name, source in FOLDER.items():
        written(tmp_path, name, source)
    monkeypatch.chdir(tmp_path)
    assert [file.as_posix() for file, _ in declared_files()] == ["check_b.py", "sub/check_a.py"]


@pytest.mark.parametrize(
    ("path", "message"),
    [
        pytest.param("nope.py", "'nope.py': there is no such file", id="no such file"),
        pytest.param("layer.py", "did you mean 'layers.py'?", id="a typing error"),
        pytest.param("notes.txt", "only Python source can be loaded", id="not python"),
        pytest.param("layers.py::", "expected a name behind '::'", id="no name"),
        pytest.param("folder::relu", "'folder' is a folder", id="a name in a folder"),
        pytest.param("folder", "nothing to check in the folder 'folder'", id="empty folder"),
        pytest.param(os.devnull, "a device or a pipe", id="a device"),
    ],
)
def test_a_path_of_no_use_is_refused(tmp_path, monkeypatch, path, message):
    monkeypatch.chdir(tmp_path)
    for name in ("layers.py", "notes.txt", "book.ipynb", "folder/readme.md"):
        written(tmp_path, name, "")
    with pytest.raises(UsageError) as refusal:
        files(path)
    assert message in str(refusal.value)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        pytest.param("", "layers.py: nothing to check", id="empty"),
        pytest.param("def f(x):\n    return x\n", "layers.py: nothing to check", id="no layer"),
        pytest.param("import sys\nsys.exit(3)\n", "layers.py calls sys.exit(3) when it is imported", id="exits"),
        pytest.param(
            "x = 1\ndef f(:\n",
            'layers.py does not parse:\n  File "layers.py", line 2\n    def f(:\n          ^\n',
            id="syntax",
        ),
        pytest.param("x = '\0'\n", "it is no text in UTF-8: save it as UTF-8, if it is Python", id="a null byte"),
        pytest.param(
            "def f():\n    return 1 / 0\nf()\n",
            "layers.py raises when it is imported:\nTraceback (most recent call last):\n"
            '  File "layers.py", line 3, in <module>\n    f()\n'
            '  File "layers.py", line 2, in f\n',
            id="raises",
        ),
        pytest.param(
            "import no_such_module\n",
            "No module named 'no_such_module'\ninstall no_such_module, or move the import",
            id="a missing module",
        ),
    ],
)
def test_a_file_of_no_use_is_refused(tmp_path, monkeypatch, source, message):
    monkeypatch.chdir(tmp_path)
    written(tmp_path, "layers.py", source)
    with pytest.raises(UsageError) as refusal:
        items(Path("layers.py"), None)
    assert message in str(refusal.value)


def test_the_traceback_of_a_bad_case_shows_the_authors_line_and_none_of_ours(tmp_path):
    path = written(tmp_path, "check_layers.py", CASES + 'wrong = Case(Relu, x="n,d")\n')
    with pytest.raises(UsageError) as refusal:
        items(path, None)
    assert 'wrong = Case(Relu, x="n,d")' in str(refusal.value)
    assert str(Path("gradproof", "case.py")) not in str(refusal.value)


def test_a_name_that_does_not_exist_lists_those_that_do(tmp_path):
    path = written(tmp_path, "check_layers.py", CASES)
    with pytest.raises(UsageError, match="has no 'rleu': it has relu, relu_3d, Other"):
        items(path, "rleu")


def test_a_file_finds_its_siblings_and_leaves_no_trace(tmp_path):
    for folder in ("ann", "bob"):
        written(tmp_path, f"{folder}/helper.py", f"owner = {folder!r}\n")
        written(tmp_path, f"{folder}/layers.py", "import sys, helper\nargv = list(sys.argv)\n")
    before = (list(sys.path), list(sys.argv))
    ann, bob = (load(tmp_path / folder / "layers.py") for folder in ("ann", "bob"))
    assert (ann.module.helper.owner, bob.module.helper.owner) == ("ann", "bob")
    assert ann.module.argv == [str(tmp_path / "ann" / "layers.py")]
    assert (sys.path, sys.argv, "helper" in sys.modules) == (*before, False)


def test_what_a_layer_imports_while_it_runs_comes_from_its_own_folder(tmp_path):
    for folder in ("ann", "bob"):
        written(tmp_path, f"{folder}/helper.py", f"owner = {folder!r}\n")
        written(tmp_path, f"{folder}/layers.py", "import helper\ndef late():\n    import helper as h\n    return h\n")
    ann, _ = (load(tmp_path / folder / "layers.py") for folder in ("ann", "bob"))
    with importable(ann):
        assert ann.module.late() is ann.module.helper


def test_a_file_finds_what_lies_in_the_current_folder(tmp_path, monkeypatch):
    written(tmp_path, "here/helper/functions.py", "answer = 42\n")
    path = written(tmp_path, "there/net.py", "from helper.functions import answer\n")
    with pytest.raises(UsageError, match="No module named 'helper'"):
        items(path, None)
    monkeypatch.chdir(tmp_path / "here")
    assert load(path).module.answer == 42
    assert "helper" not in sys.modules


@pytest.mark.parametrize(
    ("file", "source"),
    [
        pytest.param("ch01/net.py", "from common.functions import answer\n", id="a folder beside the one above"),
        pytest.param("ch01/deep/er/net.py", "from common.functions import answer\n", id="far above"),
        pytest.param("common/net.py", "from common.functions import *\n", id="its own folder by name"),
        pytest.param("common/net.py", "from .functions import answer\n", id="relative"),
        pytest.param("common/net.py", "from . import functions\nanswer = functions.answer\n", id="relative module"),
        pytest.param("common/deep/net.py", "from ..functions import answer\n", id="relative, one above"),
    ],
)
def test_a_file_finds_its_repository_from_wherever_it_is_called(tmp_path, monkeypatch, file, source):
    written(tmp_path, "repo/common/functions.py", "answer = 42\n")
    path = written(tmp_path, f"repo/{file}", source)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert load(path).module.answer == 42
    assert "common" not in sys.modules


def test_a_file_in_a_package_may_import_relatively(tmp_path):
    written(tmp_path, "common/__init__.py", "")
    written(tmp_path, "common/functions.py", "answer = 42\n")
    path = written(tmp_path, "common/layers.py", "from .functions import answer\nfrom common import functions\n")
    assert load(path).module.answer == 42


def test_a_module_beside_a_file_does_not_hide_the_package_of_its_name(tmp_path):
    written(tmp_path, "model/__init__.py", "")
    written(tmp_path, "model/model.py", "answer = 42\n")
    assert load(written(tmp_path, "model/net.py", "from model.model import answer\n")).module.answer == 42
    assert load(written(tmp_path, "model/old.py", "import model\nanswer = model.answer\n")).module.answer == 42


def test_the_main_block_does_not_run(tmp_path):
    path = written(tmp_path, "layers.py", layer() + 'if __name__ == "__main__":\n    raise RuntimeError\n')
    assert list(found(path)) == ["Relu"]


PAIRS = """
def conv_forward_naive(x, w): return x, None
def conv_backward_naive(dout, cache): return dout, dout
def norm_forward(x): return x, None
def norm_backward(dout, cache): return dout
def norm_backward_alt(dout, cache): return dout
def relu(x): return x, x
def relu_backward(dout, cache): return dout
def forward_pool(x): return x, None
def backward_pool(dout, cache): return dout
def tanh_fwd(x): return x, x
def tanh_bwd(dout, cache): return dout
def hinge_loss(x, y): return 0.0, x
def plain_loss(x, y): return 0.0
def lonely_forward(x): return x
def left_backward(dout, cache): return dout
def tell_backwards(x): return x
def tell_forwards(x): return x
def affineForward(x): return x, None
def affineBackward(dout, cache): return dout
"""


def test_pairs_of_functions_are_known_by_their_names_and_losses_by_what_they_return(tmp_path):
    held = holding(written(tmp_path, "layers.py", PAIRS), None)
    assert {item.name: item.aliases for item in held.items} == {
        "conv_naive": ("conv_forward_naive", "conv_backward_naive"),
        "norm": ("norm_forward", "norm_backward"),
        "norm_alt": ("norm_forward", "norm_backward_alt"),
        "relu": ("relu", "relu_backward"),
        "pool": ("forward_pool", "backward_pool"),
        "tanh": ("tanh_fwd", "tanh_bwd"),
        "affine": ("affineForward", "affineBackward"),
        "hinge_loss": ("hinge_loss",),
    }
    assert [(note.subject, note.headline) for note in held.notes if note.code == "GP306"] == [
        ("lonely_forward", "has no lonely_backward: not checked"),
        ("left_backward", "has no left_forward: not checked"),
    ]


def test_a_pair_is_selected_by_any_of_its_names(tmp_path):
    path = written(tmp_path, "layers.py", PAIRS)
    for name in ("relu", "relu_backward"):
        assert [item.name for item in items(path, name)] == ["relu"]


def test_protocols_and_abstract_classes_are_told_and_left_out(tmp_path):
    source = (
        "from typing import Protocol\n"
        "class Model(Protocol):\n"
        "    def forward(self, x): ...\n"
        "    def backward(self, dout): ...\n"
        "class Layer:\n"
        "    def forward(self, x): pass\n"
        "    def backward(self, dout): pass\n"
    )
    held = holding(written(tmp_path, "layers.py", source + layer("Own")), None)
    assert [item.name for item in held.items] == ["Own"]
    assert [(note.subject, note.headline) for note in held.notes if note.code == "GP306"] == [
        ("Model", "is abstract or a protocol: left out"),
        ("Layer", "is abstract or a protocol: left out"),
    ]


def test_what_a_file_changes_when_it_is_imported_is_put_back(tmp_path):
    source = "import os, sys, warnings\nimport numpy as np\n"
    source += "os.chdir('/')\nsys.setrecursionlimit(12345)\nnp.seterr(all='raise')\nwarnings.simplefilter('error')\n"
    source += "os.environ['LEFT'] = 'behind'\nsys.stdout = None\nnp.random.seed(3)\n"

    def state():
        drawn = np.random.get_state()[1].tolist()  # noqa: NPY002
        return Path.cwd(), sys.getrecursionlimit(), np.geterr(), list(warnings.filters), dict(os.environ), drawn

    before, stream = state(), sys.stdout
    load(written(tmp_path, "layers.py", source))
    assert state() == before
    assert sys.stdout is stream
