"""Slips that the syntax shows by itself: each is seen, and what looks like it and is meant is left in peace."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

import plainnet
from faulty import FAULTS
from gradproof import Case, GradientFault, Settings, Verdict, check
from gradproof.convention.convention import convention_of
from gradproof.report.lines import lines
from gradproof.report.report import Report
from gradproof.source.hints import code_of, notes_of
from gradproof.source.slips import never_stored, slips_in
from gradproof.source.source import code_of_class

# (code, the statement, what makes it a slip or saves it) as bodies of a function f(x, parts, dout)
SEEN = {
    "one over one plus": ("GP601", "return 1 / 1 + np.exp(-x)"),
    "floats": ("GP601", "return 1. / 1. + np.exp(-x)"),
    "minus": ("GP601", "return 2 * (1 / 1 - x)"),
    "other numerator": ("GP601", "return x / 1 + x ** 2"),
    "compared": ("GP602", "x == np.abs(x)\n    return x"),
    "attribute compared": ("GP602", "parts.x == x\n    return x"),
    "return in a loop": ("GP603", "total = 0\n    for p in parts:\n        total += p\n        return total"),
    "entry by entry": (
        "GP603",
        "dx = np.zeros_like(x)\n    for i in range(3):\n        dx[i] = dout[i]\n        return dx",
    ),
    "appended": ("GP603", "out = []\n    for p in parts:\n        out.append(p)\n        return out"),
    "reshape dropped": ("GP604", "x.reshape(-1)\n    return x"),
    "astype dropped": ("GP604", "x.astype(float)\n    return x"),
    "add dropped": ("GP604", "np.add(x, dout)\n    return x"),
    "clip dropped": ("GP604", "np.clip(x, 0, 1)\n    return x"),
    "equals plus": ("GP605", "dx = dout\n    dx =+ x\n    return dx"),
    "equals minus": ("GP605", "dx = dout\n    dx =- x\n    return dx"),
}
MEANT = {
    "one over a sum": "return 1 / (1 + np.exp(-x))",
    "bracketed one over one": "return (1 / 1) + x",
    "one over two plus": "return 1 / 2 + x",
    "divided by a name": "return x / parts + 1",
    "comparison kept": "y = x == 0\n    return y",
    "comparison asserted": "assert x.ndim == 2\n    return x",
    "inequality alone": "x < 3\n    return x",
    "return behind a loop": "total = 0\n    for p in parts:\n        total += p\n    return total",
    "first that fits": "for p in parts:\n        if p:\n            return p\n    return x",
    "first of all": "for p in parts:\n        return p",
    "skips, then returns": "n = 0\n    for p in parts:\n        n += 1\n        if p: continue\n        return n",
    "something else is returned": "n = 0\n    for p in parts:\n        n += 1\n        return x",
    "reshape kept": "x = x.reshape(-1)\n    return x",
    "sum into out": "np.add(x, dout, out=x)\n    return x",
    "third argument is out": "np.add(x, dout, x)\n    return x",
    "fourth argument of clip is out": "np.clip(x, 0, 1, x)\n    return x",
    "in place by name": "np.add.at(x, parts, dout)\n    x.sort()\n    x.fill(0)\n    np.copyto(x, dout)\n    return x",
    "a method that may do anything": "parts.add(x)\n    parts.update(x)\n    return x",
    "plus equals": "dx = dout\n    dx += x\n    return dx",
    "a negative": "dx = -x\n    return dx",
    "a negative without blanks": "dx=-x\n    return dx",
    "a default": "y = dict(a=-1, b=+1)\n    return y",
}


def module_of(source, folder, name="written_by_a_student"):
    """A module with this source, from a file, as a student's is."""
    file = folder / f"{name}.py"
    file.write_text(source)
    spec = importlib.util.spec_from_file_location(name, file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def slips_of(body, folder):
    module = module_of(f"import numpy as np\n\ndef f(x, parts, dout):\n    {body}\n", folder)
    return [slip for function in code_of(module.f).functions for slip in slips_in(function)]


@pytest.mark.parametrize(("code", "body"), SEEN.values(), ids=SEEN)
def test_a_slip_is_seen(code, body, tmp_path):
    assert [slip.code for slip in slips_of(body, tmp_path)] == [code]


@pytest.mark.parametrize("body", MEANT.values(), ids=MEANT)
def test_what_is_meant_is_left_in_peace(body, tmp_path):
    assert slips_of(body, tmp_path) == []


def test_the_sentence_says_how_the_line_is_read(tmp_path):
    (slip,) = slips_of("return 1 / 1 + np.exp(-x)", tmp_path)
    assert slip.sentence == (
        "1 / 1 + np.exp(-x) is read as (1 / 1) + np.exp(-x); for one fraction write 1 / (1 + np.exp(-x))"
    )


class Stored:
    def forward(self, x):
        self.out = np.tanh(x)
        return self.out

    def backward(self, dout):
        return dout * (1 - self.out**2)


class NeverStored(Stored):
    def backward(self, dout):
        return dout * (1 - self.y**2)


class StoredByItsBase(Stored):
    def forward(self, x):
        return 2 * super().forward(x)

    def backward(self, dout):
        return 2 * dout * (1 - self.out**2)


class OnlyNone(Stored):
    def __init__(self):
        self.y = None

    def backward(self, dout):
        return dout * (1 - self.y**2)


class NoneAsked(OnlyNone):
    def backward(self, dout):
        return dout if self.y is None else dout * self.y


class OfTheClass(Stored):
    y = 2.0

    def backward(self, dout):
        return dout * self.y


class AProperty(Stored):
    @property
    def y(self):
        return self.out

    def backward(self, dout):
        return dout * (1 - self.y**2)


class Unpacked(Stored):
    def forward(self, x):
        (self.y, self.z), *self.rest = (x, x), x
        return x

    def backward(self, dout):
        return dout * self.y * self.z * self.rest


class Private(Stored):
    __scale = 2.0

    def backward(self, dout):
        return self.__scaled(dout) / self.__scale

    def __scaled(self, dout):
        return 2 * dout * (1 - self.out**2)


class WithAGradient(Stored):
    def __init__(self, W):
        self.dW = np.zeros_like(W)


class AddedAtInAnOverride(WithAGradient):
    """Its backward, which stands before the inherited constructor, writes into an array that only that one stores."""

    def backward(self, dout):
        np.add.at(self.dW, [0], dout)
        return dout * self.out


class SetByName(Stored):
    def __init__(self):
        setattr(self, "y", 1.0)  # noqa: B010  a way that the syntax does not show

    def backward(self, dout):
        return dout * self.y


class SetFromOutside(Stored):
    def backward(self, dout):
        return dout * self.training


def train(layer):
    layer.training = True


STORING = (
    Stored,
    StoredByItsBase,
    NoneAsked,
    OfTheClass,
    AProperty,
    Unpacked,
    Private,
    AddedAtInAnOverride,
    SetByName,
    SetFromOutside,
)


@pytest.mark.parametrize(
    ("cls", "told"),
    [
        (NeverStored, "self.y is read here, and no method of NeverStored stores it"),
        (OnlyNone, "self.y is read here, and nothing but None is ever stored in it"),
        *((cls, None) for cls in STORING),
    ],
    ids=lambda thing: getattr(thing, "__name__", ""),
)
def test_what_backward_reads_must_be_stored_somewhere(cls, told):
    assert [slip.sentence for slip in never_stored(code_of_class(cls))] == ([] if told is None else [told])


NOTEBOOK = """
import numpy as np
from numpy import exp

def sigmoid(x):
    return 1 / 1 + np.exp(-x)

def softplus(x):
    return np.log(1 + np.exp(x))

class Optimizer:
    def update(self, params, grads):
        for p, g in zip(params, grads):
            p == p - g

class Layer:
    def forward(self, x):
        self.out = sigmoid(x)
        return self.out

    def backward(self, dout):
        return -dout * (self.out - 1)
"""


def test_a_bare_function_gets_its_note(tmp_path):
    module = module_of(NOTEBOOK, tmp_path)
    sigmoid, update = notes_of(module, ())
    assert (sigmoid.code, sigmoid.name, sigmoid.subject, sigmoid.severity) == (
        "GP601",
        "division-by-one",
        "sigmoid",
        "note",
    )
    ((label, told),) = lines(sigmoid)
    assert label == "the source"
    assert told.splitlines()[0] == f"{tmp_path / 'written_by_a_student.py'}:6   return 1 / 1 + np.exp(-x)"
    assert (update.code, update.subject) == ("GP602", "Optimizer.update")


def test_a_slip_in_a_function_that_a_checked_layer_calls_is_told_there_and_once(tmp_path):
    module = module_of(NOTEBOOK, tmp_path)
    assert [note.subject for note in notes_of(module, (module.Layer,))] == ["Optimizer.update"]
    report = check(Case(module.Layer, x="n d"))
    assert [(f.severity, f.code, f.subject) for f in report.findings] == [("note", "GP601", "Layer.sigmoid")]
    assert report.verdict is Verdict.PASS


def test_a_note_that_its_case_allows_is_no_note(tmp_path):
    module = module_of(NOTEBOOK, tmp_path)
    report = check(Case(module.Layer, settings=Settings(allow=("GP601",)), x="n d"))
    assert [f.severity for f in report.findings] == ["allowed"]
    assert "GP601" in report.subjects[0].notes[-1]


def test_a_function_of_another_module_is_not_the_modules_own(tmp_path):
    module = module_of("from faulty.activations import SigmoidTypo\nfrom numpy import exp\n", tmp_path)
    assert notes_of(module, ()) == ()


def test_the_cells_of_a_notebook_are_its_own(tmp_path):
    module = module_of(NOTEBOOK, tmp_path)
    module.sigmoid.__module__ = f"{module.__name__}.cell_3"
    assert "sigmoid" in [note.subject for note in notes_of(module, ())]


def test_a_fault_takes_the_slip_that_its_line_shows():
    with pytest.raises(GradientFault) as caught:
        check(Case(NeverStored, x="n d"))
    (finding,) = caught.value.report.findings
    assert finding.code == "GP303"
    assert dict(lines(finding))["the source"].endswith("no method of NeverStored stores it (GP606)")


def test_notes_change_no_verdict(tmp_path):
    report = check(Case(module_of(NOTEBOOK, tmp_path).Layer, x="n d"))
    assert (Report(report.subjects, 0, None, "1").exit_code, len(report.findings)) == (0, 1)


def functions_of(module):
    return [value for value in vars(module).values() if getattr(value, "__module__", None) == module.__name__]


def test_plainnet_gets_no_note():
    modules = [m for name, m in sys.modules.items() if name.partition(".")[0] == "plainnet"]
    assert sum(len(functions_of(m)) for m in modules) > len(plainnet.__all__) / 2  # they are read, not passed over
    assert [note for module in modules for note in notes_of(module, ())] == []


def test_no_right_neighbour_of_a_fault_has_a_slip():
    rights = {fault.right for fault in FAULTS}
    assert len(rights) > 50
    codes = [code_of(right, None, convention_of(right)) for right in rights if isinstance(right, type)]
    codes += [code_of(*right) for right in rights if not isinstance(right, type)]
    assert all(code.backward is not None for code in codes)
    assert [s.sentence for code in codes for f in code.functions for s in slips_in(f)] == []
    assert [s.sentence for code in codes for s in never_stored(code)] == []


@pytest.mark.slow
def test_gradproof_itself_has_no_slip():
    folder = Path(code_of.__code__.co_filename).parents[1]
    modules = [sys.modules[name] for name in list(sys.modules) if name.startswith("gradproof.")]
    read = [module for module in modules if folder in Path(module.__file__).parents]
    assert len(read) > 20
    assert [note for module in read for note in notes_of(module, ())] == []
