"""What a path holds: files, Cases, layers whose Case is guessed, and every way in which a path can be of no use."""

import sys
from pathlib import Path

import pytest

from gradproof.collect import files, items
from gradproof.errors import UsageError
from gradproof.load import importable, load

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
    return {item.name: item for item in items(path, name)}


@pytest.mark.parametrize(
    ("init", "forward", "declaration"),
    [
        pytest.param((), "x", 'Case(Relu, x="n d")', id="no arguments"),
        pytest.param((), "x, train_flg=True", 'Case(Relu, x="n d")', id="a default is left alone"),
        pytest.param(("W",), "x", 'Case(Relu, W="d h", x="n d")', id="W"),
        pytest.param(("W", "b"), "x", 'Case(Relu, W="d h", b="h", x="n d")', id="W b"),
        pytest.param(("gamma", "beta"), "x", 'Case(Relu, gamma="d", beta="d", x="n d")', id="gamma beta"),
        pytest.param(
            ("W", "b"),
            "x, t",
            'Case(Relu, W="d h", b="h", x="n d", t=labels("n", "h"), dims={\'h\': (2, 6)})',
            id="affine loss",
        ),
        pytest.param((), "x, y", 'Case(Relu, x="n d", y="n d")', id="two inputs"),
        pytest.param((), "a, b", 'Case(Relu, a="n d", b="n d")', id="two inputs a b"),
        pytest.param(
            ("input_size", "hidden_size", "output_size"),
            "x, t",
            'Case(Relu, input_size=size("d"), hidden_size=size("h"), output_size=size("k"), '
            'x="n d", t=labels("n", "k"), dims={\'k\': (2, 6)})',
            id="network",
        ),
    ],
)
def test_a_layer_with_the_books_arguments_gets_its_case(tmp_path, init, forward, declaration):
    item = found(written(tmp_path, "layers.py", layer(init=init, forward=forward)))["Relu"]
    assert item.inferred
    assert item.case.declaration() == declaration


def test_a_loss_over_classes_gets_labels(tmp_path):
    item = found(written(tmp_path, "losses.py", layer("SoftmaxWithLoss", forward="x, t")))["SoftmaxWithLoss"]
    assert item.case.declaration() == 'Case(SoftmaxWithLoss, x="n d", t=labels("n", "d"), dims={\'d\': (2, 6)})'


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        pytest.param(
            layer("Embed", init=("vocab",)),
            "the constructor takes vocab: the shapes cannot be guessed.\n"
            'Declare it, with shapes as in x="n d":\nembed = Case(Embed, vocab=..., x=...)',
            id="unknown constructor",
        ),
        pytest.param(
            layer("Conv", forward="img, pad"),
            "forward takes img, pad: the shapes cannot be guessed.\n"
            'Declare it, with shapes as in x="n d":\nconv = Case(Conv, img=..., pad=...)',
            id="unknown forward",
        ),
        pytest.param(
            layer("MeanSquaredError", forward="x, t"),
            "forward takes x, t: the shapes cannot be guessed.",
            id="a loss whose t may be labels or values",
        ),
        pytest.param("class Only:\n    def forward(self, x): ...\n", "Only has no backward", id="no backward"),
        pytest.param(
            "class Base:\n    def forward(self, x): raise NotImplementedError\n"
            "    def backward(self, dout): raise NotImplementedError\n"
            "class Only(Base):\n    def forward(self, x): return x\n",
            "Only has no backward",
            id="the backward of an abstract base",
        ),
    ],
)
def test_a_layer_whose_case_cannot_be_guessed_is_kept_with_the_reason(tmp_path, source, problem):
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
        "class Formal(abc.ABC):\n    @abc.abstractmethod\n    def forward(self, x): ...\n"
    )
    assert list(found(written(tmp_path, "layers.py", source + layer("Own")))) == ["Own"]


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
    assert [(item.name, item.inferred) for item in items(path, None)] == [
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


def test_a_location_is_what_the_command_line_takes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = written(tmp_path, "sub/check_layers.py", CASES)
    location = found(path)["relu"].location
    assert location == str(Path("sub", "check_layers.py::relu"))
    assert files(location) == [(Path("sub", "check_layers.py"), "relu")]


def test_a_folder_stands_for_the_check_files_below_it(tmp_path):
    for name in ("check_b.py", "sub/check_a.py", ".hidden/check_x.py", "__pycache__/check_x.py", "env/check_x.py"):
        written(tmp_path, name, "import gradproof")
    written(tmp_path, "env/pyvenv.cfg", "")
    written(tmp_path, "check_elsewhere.py", "raise SystemExit('this file is none of our business')")
    written(tmp_path, "layers.py", "import gradproof")
    assert [file.relative_to(tmp_path).as_posix() for file, _ in files(str(tmp_path))] == [
        "check_b.py",
        "sub/check_a.py",
    ]


@pytest.mark.parametrize(
    ("path", "message"),
    [
        pytest.param("nope.py", "'nope.py': there is no such file", id="no such file"),
        pytest.param("layer.py", "did you mean 'layers.py'?", id="a typing error"),
        pytest.param("notes.txt", "only Python source can be loaded", id="not python"),
        pytest.param("book.ipynb", "notebooks are not supported yet: export", id="notebook"),
        pytest.param("layers.py::", "expected a name behind '::'", id="no name"),
        pytest.param("folder::relu", "'folder' is a folder", id="a name in a folder"),
        pytest.param("folder", "nothing to check in the folder 'folder'", id="empty folder"),
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
        pytest.param("x = '\0'\n", "layers.py does not parse", id="a null byte"),
        pytest.param(
            "def f():\n    return 1 / 0\nf()\n",
            "layers.py raises when it is imported:\nTraceback (most recent call last):\n"
            '  File "layers.py", line 3, in <module>\n    f()\n'
            '  File "layers.py", line 2, in f\n',
            id="raises",
        ),
        pytest.param("import no_such_module\n", "No module named 'no_such_module'", id="a missing module"),
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
    written(tmp_path, "common/functions.py", "answer = 42\n")
    path = written(tmp_path, "ch01/net.py", "from common.functions import answer\n")
    with pytest.raises(UsageError, match="No module named 'common'"):
        load(path)
    monkeypatch.chdir(tmp_path)
    assert load(path).module.answer == 42
    assert "common" not in sys.modules


def test_a_file_in_a_package_may_import_relatively(tmp_path):
    written(tmp_path, "common/__init__.py", "")
    written(tmp_path, "common/functions.py", "answer = 42\n")
    path = written(tmp_path, "common/layers.py", "from .functions import answer\nfrom common import functions\n")
    assert load(path).module.answer == 42


def test_the_main_block_does_not_run(tmp_path):
    path = written(tmp_path, "layers.py", layer() + 'if __name__ == "__main__":\n    raise RuntimeError\n')
    assert list(found(path)) == ["Relu"]
