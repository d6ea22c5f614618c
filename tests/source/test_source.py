"""Source hints: the line that computes a gradient, and the signs in the source that fit a measured fault."""

from __future__ import annotations

import linecache
from pathlib import Path

import numpy as np
import pytest

from faulty import FAULTS
from faulty.activations import Sigmoid as RightSigmoid
from gradproof import Case, GradientFault, check
from gradproof.findings import Fact, Finding, Location, SourceHint
from gradproof.report.lines import lines
from gradproof.source.clues import of_gradient, of_missing, of_missing_grads
from gradproof.source.hints import code_of, hinted
from gradproof.source.origin import behind, of_input, of_parameter
from gradproof.source.source import shown
from gradproof.source.writes import of_promise

# In the layers below, the comment "# <- W" marks the line that computes the gradient of W.


class Book:
    def __init__(self, W, b):
        self.params, self.grads = [W, b], [np.zeros_like(W), np.zeros_like(b)]

    def forward(self, x):
        W, b = self.params
        self.x = x
        return x @ W + b

    def backward(self, dout):
        W, _ = self.params
        dx = dout @ W.T  # <- x
        self.grads[0][...] = self.x.T @ dout  # <- W
        self.grads[1][...] = dout.sum(axis=0)  # <- b
        return dx


class Named(Book):
    def backward(self, dout):
        dW = np.zeros_like(self.params[0])
        dW += self.x.T @ dout  # <- W
        db = np.sum(dout, axis=0)  # <- b
        self.grads[0][...] = dW
        self.grads[1][...] = db
        dx = np.dot(dout, self.params[0].T)  # <- x
        dx = dx.reshape(*self.x.shape)
        return dx  # noqa: RET504  as students write it


class Aliased(Book):
    def backward(self, dout):
        dW, db = self.grads
        dW[...] = self.x.T @ dout  # <- W
        np.copyto(db, dout.sum(axis=0))  # <- b
        dout[self.x > 0] = 0  # <- x
        return dout


class Attributes:
    def __init__(self, W, b):
        self.W, self.b = W, b

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, dout):
        self.dW = self.x.T @ dout  # <- W
        self.grad_b = dout.sum(axis=0)  # <- b
        return dout @ self.W.T  # <- x


class Dicts(Book):
    def backward(self, dout):
        grads = {}
        grads["W"] = self.x.T @ dout  # <- W
        grads["db"] = dout.sum(axis=0)  # <- b
        self.grads = grads
        return dout @ self.params[0].T  # <- x


class Returned(Book):
    def backward(self, dout):
        dx = dout @ self.params[0].T  # <- x
        dW = self.x.T @ dout  # <- W
        return dx, [dW, dout.sum(axis=0)]


class Template(Book):
    def backward(self, dout):
        self.grads[0][...] = self.of_weights(dout)
        self.grads[1][...] = self.of_bias(dout)
        return self.of_input(dout)

    def of_weights(self, dout):
        return self.x.T @ dout  # <- W

    def of_bias(self, dout):
        return dout.sum(axis=0)


class Overriding(Template):
    def of_bias(self, dout):
        return dout.mean(axis=0)  # <- b

    def of_input(self, dout):
        return dout @ self.params[0].T  # <- x


class Extending(Book):
    def backward(self, dout):
        dx = super().backward(dout)
        self.grads[1][...] = dout.mean(axis=0)  # <- b
        return 2 * dx  # <- x


def pair_forward(x, w):
    return x @ w, (x, w)


def pair_backward(dout, cache):
    x, w = cache
    dx = dout @ w.T  # <- x
    dw = x.T @ dout  # <- w
    return dx, dw


def loss_function(x, t):
    n = len(x)
    dscores = (x - t) / n  # <- x
    return ((x - t) ** 2).sum() / 2 / n, dscores


class Branching(Book):
    def backward(self, dout):
        if self.mask is not None:  # noqa: SIM108
            dx = dout * self.mask  # as students write it, and not in one line
        else:
            dx = dout
        return dx


class Opaque:
    """Its list of gradients is filled where no name can be followed."""

    def __init__(self, layers):
        self.layers = layers
        self.grads = [g for layer in layers for g in layer.grads]

    def backward(self, dout):
        for layer in reversed(self.layers):
            layer.backward(dout)


def marked(tensor, target):
    """The marked line for a tensor in the source of a class or of its functions."""
    lines = linecache.getlines(__file__)
    codes = [function.node for function in target.functions]
    near = {i for node in codes for i in range(node.lineno, node.end_lineno + 1)}
    (line,) = [i for i in near if lines[i - 1].rstrip().endswith(f"# <- {tensor}")]
    return line


PLACES = [
    *((cls, tensor) for cls in (Book, Named, Aliased, Attributes, Dicts, Overriding) for tensor in ("x", "W", "b")),
    *((Returned, tensor) for tensor in ("x", "W")),
    *((Extending, tensor) for tensor in ("b",)),
]


@pytest.mark.parametrize(("cls", "tensor"), PLACES, ids=lambda thing: getattr(thing, "__name__", thing))
def test_the_line_that_computes_a_gradient_is_found(cls, tensor):
    code = code_of(cls)
    place = of_input(code, "x", ["x"], ["x"]) if tensor == "x" else of_parameter(code, tensor, "Wb".index(tensor))
    assert place.statement.lineno == marked(tensor, code)


def test_an_override_comes_before_what_it_overrides():
    place = of_input(code_of(Extending), "x", ["x"], ["x"])
    assert place.function.text(place.statement) == "return 2 * dx"
    assert [p.function.text(p.statement) for p in behind(code_of(Extending), place)] == ["dx = dout @ W.T"]


def test_the_other_branch_is_shown_too():
    code = code_of(Branching)
    place = of_input(code, "x", ["x"], ["x"])
    told = [p.function.text(p.statement) for p in (place, *behind(code, place))]
    assert told == ["dx = dout", "dx = dout * self.mask"]


@pytest.mark.parametrize(
    ("functions", "tensor", "inputs"),
    [
        pytest.param((pair_forward, pair_backward), "x", ["x", "w"], id="pair, first"),
        pytest.param((pair_forward, pair_backward), "w", ["x", "w"], id="pair, second"),
        pytest.param((loss_function,), "x", ["x"], id="loss function"),
    ],
)
def test_a_function_is_read_as_a_class_is(functions, tensor, inputs):
    code = code_of(*functions)
    place = of_input(code, tensor, inputs, inputs)
    assert place.statement.lineno == marked(tensor, code)


def test_what_cannot_be_followed_gives_no_line_rather_than_a_wrong_one():
    code = code_of(Opaque)
    assert of_parameter(code, "W1", 0) is None
    assert of_input(code, "x", ["x"], ["x"]) is None


def built_by_exec():
    space = {}
    exec("class Typed:\n    def forward(self, x): return x\n    def backward(self, dout): return 2 * dout", space)
    return space["Typed"]


def test_a_class_without_source_is_checked_without_hints():
    with pytest.raises(GradientFault) as caught:
        check(built_by_exec(), x="n d")
    findings = caught.value.report.findings
    assert findings
    assert not {"look at", "the source"} & {label for finding in findings for label, _ in lines(finding)}


def test_a_file_that_has_changed_since_it_was_imported_gives_no_line(tmp_path):
    file = tmp_path / "layer.py"
    text = "class Layer:\n    def forward(self, x): return x\n    def backward(self, dout): return dout\n"
    file.write_text(text)
    space = {}
    exec(compile(text, str(file), "exec"), space)
    assert code_of(space["Layer"]).backward is not None
    file.write_text("import numpy\n" + text)
    linecache.checkcache()
    assert code_of(space["Layer"]).backward is None


def test_a_file_is_shown_as_one_would_type_it(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert shown(str(tmp_path / "layers.py")) == "layers.py"
    assert shown("/elsewhere/layers.py") == "/elsewhere/layers.py"
    assert shown("chapter.ipynb[cell 7]") == "chapter.ipynb[cell 7]"


class AxisOne(Book):
    def backward(self, dout):
        dx = super().backward(dout)
        self.grads[1][...] = dout.sum(axis=1)
        return dx


class NoAxis(Book):
    def backward(self, dout):
        dx = super().backward(dout)
        self.grads[1][...] = np.sum(dout)
        return dx


class ColumnsFirst(Book):
    """Here the batch is on axis 1, and axis=1 is right."""

    def forward(self, x):
        W, b = self.params
        return W @ x + b

    def backward(self, dout):
        self.grads[1][...] = dout.sum(axis=1)
        return self.params[0].T @ dout


class Dropped(Book):
    def backward(self, dout):
        dW = self.x.T @ dout  # noqa: F841  the slip
        return dout @ self.params[0].T


class Repeated(Book):
    def __init__(self, W, b):
        self.params = [W, b]
        self.grads = [np.zeros_like(W)] * 2


class MaskUnread:
    def forward(self, x):
        self.mask = x <= 0
        return np.where(self.mask, 0, x)


class MaskKept:
    def forward(self, x):
        self.mask = x <= 0
        return np.maximum(x, 0)

    def backward(self, dout):
        return dout


class MinusPower:
    def forward(self, x):
        return -x ** 2  # fmt: skip


class Bell:
    def forward(self, x):
        return np.exp(-x ** 2)  # fmt: skip


class Bracketed:
    def forward(self, x):
        return -(x**2)


CLUES = {
    # cls, tensor: a part of the sentence, None where there is nothing to say
    (AxisOne, "b"): "adds up over axis 0, not over axis 1",
    (NoAxis, "b"): "sum without axis=",
    (ColumnsFirst, "b"): None,
    (Book, "b"): None,
    (Dropped, "W"): "dW is computed here, and nothing reads it",
    (Named, "W"): None,
    (Repeated, "b"): "[np.zeros_like(W)] * 2 holds one array several times",
    (MaskKept, "x"): "self.mask is kept here, and nothing reads it",
    (MaskUnread, "x"): None,
    (MinusPower, "x"): "-x ** 2 is read as -(x ** 2)",
    (Bell, "x"): None,
    (Bracketed, "x"): None,
}


@pytest.mark.parametrize(("case", "part"), CLUES.items(), ids=lambda c: c[0].__name__ if isinstance(c, tuple) else "")
def test_a_sign_is_told_where_it_fits_and_not_beside(case, part):
    cls, tensor = case
    code = code_of(cls)
    place = None if tensor == "x" else of_parameter(code, tensor, "Wb".index(tensor))
    found = of_gradient(code, tensor, place, parameter=tensor != "x", rank=1)
    assert len(found) == (part is not None)
    assert all(part in clue.sentence and clue.code is None for clue in found)


def test_a_backward_without_return_is_pointed_at():
    class Forgetful:
        def backward(self, dout):
            dx = dout * 2  # noqa: F841  the slip

    (clue,) = of_missing(code_of(Forgetful))
    assert (clue.function.text(clue.statement), clue.code) == ("dx = dout * 2", None)
    assert of_missing(code_of(Book)) == []


def test_a_misspelt_grads_is_pointed_at():
    class Misspelt:
        def __init__(self):
            self.params, self.grad = [], []

    (clue,) = of_missing_grads(code_of(Misspelt))
    assert "write self.grads" in clue.sentence
    assert of_missing_grads(code_of(Book)) == []


LOOK = SourceHint(Location("layers.py", 17, 8, 17, 23), "return dout / n")
SLIP = SourceHint(
    Location("layers.py", 9, 8, 9, 33), "return 1 / 1 + np.exp(-x)", "1 / 1 + ... is read as (1 / 1) + ...", "GP601"
)
FINDING = Finding("GP102", "A", law=Fact("one-size", {"dim": "n", "fails": 1}), dims={"n": 1})


def test_the_source_stands_between_the_cause_and_the_way_to_see_it_again():
    assert lines(hinted(FINDING, [LOOK, SLIP])) == (
        ("law", "fails at n = 1 only"),
        ("look at", "layers.py:17   return dout / n"),
        ("the source", "layers.py:9   return 1 / 1 + np.exp(-x)\n1 / 1 + ... is read as (1 / 1) + ... (GP601)"),
        ("smallest case", "n=1"),
    )
    assert hinted(FINDING, []) == FINDING


def test_a_line_that_is_shown_already_is_not_shown_twice():
    sentence = SourceHint(LOOK.at, LOOK.text, "look closely")
    assert lines(hinted(FINDING, [LOOK, sentence]))[1:3] == (
        ("look at", "layers.py:17   return dout / n"),
        ("the source", "look closely"),
    )


def findings_of(cls, **specs):
    try:
        return check(Case(cls, **specs)).findings
    except GradientFault as fault:
        return fault.report.findings


def fault_named(name):
    return next(fault for fault in FAULTS if fault.name == name)


def test_a_slip_supports_the_measured_fault_that_it_causes():
    fault = fault_named("SigmoidTypo")
    (finding,) = findings_of(fault.wrong, **fault.specs)
    told = dict(lines(finding))
    assert finding.severity == "error"
    assert "is read as (1 / 1) + np.exp(-x)" in told["the source"]
    assert "tests/faulty/activations.py:" in Path(told["look at"]).as_posix()


def test_a_right_layer_gets_no_hint_and_no_note():
    assert findings_of(RightSigmoid, x="n d") == ()


class Writing(Book):
    def __init__(self, W, b):
        super().__init__(W, b)
        self.mask = None

    def forward(self, x):
        self.mask = x <= 0
        x[self.mask] = 0  # <- GP501
        W, b = self.params
        W *= 0.99  # <- GP502
        return x @ W + b

    def backward(self, dout):
        dx = dout
        dx[self.mask] = 0  # <- GP510
        self.grads[0] = self.x.T @ dout  # <- GP518
        self.grads[1][...] += dout.sum(axis=0)  # <- GP513
        self.params[0][...] -= self.grads[0]  # <- GP512
        self.x *= 2  # <- GP511
        return dx


@pytest.mark.parametrize("promise", ["GP501", "GP502", "GP510", "GP511", "GP512", "GP513", "GP518"])
def test_a_broken_promise_is_shown_where_it_is_written(promise):
    code = code_of(Writing)
    tensor = {"GP501": "x", "GP513": "b"}.get(promise)
    (place,) = of_promise(code, promise, tensor)
    assert place.statement.lineno == marked(promise, code)


@pytest.mark.parametrize("promise", ["GP501", "GP502", "GP510", "GP511", "GP512", "GP514", "GP518", "GP519", "GP505"])
def test_where_nothing_is_written_no_line_is_shown(promise):
    assert of_promise(code_of(Book), promise, "x") == []
