"""Up to which line a wrong backward is right: the line and its value are told, and where that is not sure, nothing."""

import numpy as np
import pytest

from gradproof import Case, Verdict, constant, labels
from gradproof.adjoint.agreement import agreed, worth_locating
from gradproof.adjoint.locate import Located, locate
from gradproof.checking import check_case
from gradproof.deadlines import Expired
from gradproof.findings import Action, Edit, Finding, Location, Replacement, RightUpTo, WrongLine
from gradproof.mend.mend import Mended

pytestmark = pytest.mark.table


@pytest.fixture(autouse=True)
def no_change(monkeypatch):
    """No search for a change: the lines are told without one."""
    monkeypatch.setattr("gradproof.explain.from_changes.search", lambda *_, **__: Mended())


def told(layer, **specs):
    """The lines of every finding about a gradient that has some."""
    report = check_case(Case(layer, **specs), location=layer.__name__, examples=6)
    assert report.verdict is Verdict.FAIL
    return [finding.right_up_to for finding in report.findings if finding.right_up_to is not None]


class Scorer:
    """y = h / |h| W with h = tanh(x V)."""

    def __init__(self, V, W):
        self.params, self.grads = [V, W], [np.zeros_like(V), np.zeros_like(W)]

    def forward(self, x):
        self.x = x
        self.h = np.tanh(x @ self.params[0])
        self.y = self.h**2
        return self.y @ self.params[1]

    def backward(self, dout):
        self.grads[1][...] = self.y.T @ dout
        dy = dout @ self.params[1].T
        dh = 2 * self.h * dy
        da = dh * (1 - self.h**2)
        self.grads[0][...] = self.x.T @ da
        return da @ self.params[0].T


class FactorOfTheMiddle(Scorer):
    def backward(self, dout):
        self.grads[1][...] = self.y.T @ dout
        dy = dout @ self.params[1].T
        dh = self.h * dy
        da = dh * (1 - self.h**2)
        self.grads[0][...] = self.x.T @ da
        return da @ self.params[0].T


class SlopeOfTheEnd(Scorer):
    def backward(self, dout):
        self.grads[1][...] = self.y.T @ dout
        dy = dout @ self.params[1].T
        dh = 2 * self.h * dy
        da = dh * (1 - self.h)
        self.grads[0][...] = self.x.T @ da
        return da @ self.params[0].T


class WeightsOfTheBeginning(Scorer):
    def backward(self, dout):
        self.grads[1][...] = self.y.T @ dout
        dy = dout @ (self.params[1] ** 2).T
        dh = 2 * self.h * dy
        da = dh * (1 - self.h**2)
        self.grads[0][...] = self.x.T @ da
        return da @ self.params[0].T


class LastRowForgotten(Scorer):
    def backward(self, dout):
        dx = super().backward(dout)
        dx[-1] = 0
        return dx


class SlopeOnALineOfItsOwn(Scorer):
    def backward(self, dout):
        self.grads[1][...] = self.y.T @ dout
        slope = 1 - np.tanh(self.h) ** 2
        da = 2 * self.h * (dout @ self.params[1].T) * slope
        self.grads[0][...] = self.x.T @ da
        return da @ self.params[0].T


SCORER = {"V": "d h", "W": "h k", "x": "n d"}


@pytest.mark.parametrize(
    ("layer", "right", "of", "wrong", "variable"),
    [
        (FactorOfTheMiddle, "dy = dout @ self.params[1].T", "self.y", "dh = self.h * dy", "dh"),
        (SlopeOfTheEnd, "dh = 2 * self.h * dy", "self.h", "da = dh * (1 - self.h)", "da"),
        (
            WeightsOfTheBeginning,
            "self.grads[1][...] = self.y.T @ dout",
            "W",
            "dy = dout @ (self.params[1] ** 2).T",
            "dy",
        ),
        (LastRowForgotten, "dx = super().backward(dout)", "x", "dx[-1] = 0", "dx"),
        (
            SlopeOnALineOfItsOwn,
            "self.grads[1][...] = self.y.T @ dout",
            "W",
            "slope = 1 - np.tanh(self.h) ** 2",
            "slope",
        ),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else "",
)
def test_the_last_right_line_and_the_first_wrong_one_are_told(layer, right, of, wrong, variable):
    for lines in told(layer, **SCORER):
        assert lines.right is not None
        assert (lines.right.text, lines.right.of) == (right, of)
        assert (lines.wrong.text, lines.wrong.variable) == (wrong, variable)
        assert lines.unsure == ()
        assert lines.wrong.at.file.endswith("test_right_up_to.py")


def test_each_layer_of_the_table_is_told():
    assert all(told(layer, **SCORER) for layer in (FactorOfTheMiddle, LastRowForgotten))


def test_the_value_is_told_with_its_index_and_its_bound():
    lines = told(FactorOfTheMiddle, **SCORER)[0]
    assert lines.wrong.expected == pytest.approx(2 * lines.wrong.got, rel=1e-6)
    assert 0 < lines.wrong.bound < 1e-6 * abs(lines.wrong.expected)
    assert len(lines.wrong.index) == 2
    assert {*lines.tensors} == {"x", "V"}


def test_two_gradients_that_go_wrong_at_one_line_are_told_once():
    report = check_case(Case(FactorOfTheMiddle, **SCORER), location="here", examples=6)
    first, *others = [finding for finding in report.findings if finding.code.startswith("GP1")]
    assert {first.tensor, *first.also} == {"x", "V"}
    assert others == []


def test_the_value_of_a_tensor_has_the_bound_that_the_check_certified():
    (lines,) = told(LastRowForgotten, **SCORER)
    assert lines.wrong.got == 0
    assert lines.wrong.bound < 1e-8


def test_a_right_layer_is_left_alone(monkeypatch):
    def refuse(*_):
        raise AssertionError("a right layer was looked at")

    monkeypatch.setattr("gradproof.explain.from_lines.locate", refuse)
    assert check_case(Case(Scorer, **SCORER), location="here", examples=6).verdict is Verdict.PASS


class Windows:
    """Sums over windows of two columns: each entry of x is in two of them."""

    def __init__(self):
        self.params, self.grads = [], []

    def forward(self, x):
        self.shape = x.shape
        out = np.zeros((x.shape[0], x.shape[1] - 1))
        for j in range(2):
            out += (j + 1) * x[:, j : j + out.shape[1]]
        return out

    def backward(self, dout):
        dx = np.zeros(self.shape)
        for j in range(2):
            dx[:, j : j + dout.shape[1]] = (j + 1) * dout
        return dx


def test_a_store_that_overwrites_is_the_line_and_not_the_one_that_returns():
    lines = told(Windows, x="n 2+l")[0]
    assert lines.wrong.text == "dx[:, j : j + dout.shape[1]] = (j + 1) * dout"
    assert lines.wrong.variable == "dx"


class Exchanged:
    """Each line is the gradient of the other factor."""

    def __init__(self):
        self.params, self.grads = [], []

    def forward(self, a, b):
        self.a, self.b = a, b
        return a * b

    def backward(self, dout):
        da = dout * self.a
        db = dout * self.b
        return da, db


class HandedOver(Exchanged):
    def backward(self, dout):
        one = dout * self.b
        other = dout * self.a
        return other, one


def test_a_value_that_is_another_gradient_is_wrong_by_its_name():
    found = {lines.tensors: lines for lines in told(Exchanged, a="n d", b="n d")}
    assert {tensors: lines.wrong.text for tensors, lines in found.items()} == {
        ("a",): "da = dout * self.a",
        ("b",): "db = dout * self.b",
    }


def test_a_value_that_is_right_and_goes_to_the_wrong_place_is_not_accused():
    found = told(HandedOver, a="n d", b="n d")
    assert {lines.wrong.text for lines in found} <= {"return other, one"}
    assert all(lines.right is None for lines in found)


class Part:
    def __init__(self, W):
        self.params, self.grads = [W], [np.zeros_like(W)]

    def forward(self, x):
        self.x = x
        return np.tanh(x @ self.params[0])

    def backward(self, dout):
        da = dout * (1 - np.tanh(self.x @ self.params[0]) ** 2)
        self.grads[0][...] = self.x.T @ da
        return da @ self.params[0].T


class SlopeLeftOut(Part):
    def backward(self, dout):
        da = dout * 1.0
        self.grads[0][...] = self.x.T @ da
        return da @ self.params[0].T


class ShortcutLeftOut:
    """y = x + tanh(x)."""

    def __init__(self):
        self.params, self.grads = [], []

    def forward(self, x):
        self.h = np.tanh(x)
        return x + self.h

    def backward(self, dout):
        through = dout * (1 - self.h**2)
        return through  # noqa: RET504 (the slip is here)


def test_dout_where_a_factor_is_left_out_is_not_taken_for_right():
    for lines in told(SlopeLeftOut, W="d h", x="n d"):
        assert lines.wrong.text == "da = dout * 1.0"
        assert {*lines.tensors} == {"W", "x"}


def test_a_line_that_returns_what_lacks_a_term_is_wrong_and_the_one_that_made_it_may_be():
    (lines,) = told(ShortcutLeftOut, x="n d")
    assert lines.wrong.text == "return through"
    assert [at.line for at in lines.unsure] == [lines.wrong.at.line - 1]


class NetOfRightParts:
    """The parts are right; the net leaves the upstream gradient of the first one out."""

    def __init__(self, V, W):
        self.parts = [Part(V), Part(W)]
        self.params = [p for part in self.parts for p in part.params]
        self.grads = [g for part in self.parts for g in part.grads]

    def forward(self, x):
        for part in self.parts:
            x = part.forward(x)
        return x

    def backward(self, dout):
        self.parts[1].backward(dout)
        return self.parts[0].backward(np.ones_like(self.parts[1].x))


def test_the_lines_of_right_parts_are_not_accused():
    found = told(NetOfRightParts, **SCORER)
    assert {lines.wrong.text.split("(")[0] for lines in found} <= {"return self.parts[0].backward"}


class StateOfTheLastForward(FactorOfTheMiddle):
    """Backward changes with each forward that was run."""

    def __init__(self, V, W):
        super().__init__(V, W)
        self.runs = 0

    def forward(self, x):
        self.runs += 1
        return super().forward(x)

    def backward(self, dout):
        return super().backward(dout) * (1 + self.runs / 100)


class DoutChanged(FactorOfTheMiddle):
    def backward(self, dout):
        dout[0] = 0
        return super().backward(dout)


class OtherForward(Scorer):
    """The slip is in forward."""

    def forward(self, x):
        self.x = x
        self.h = x @ self.params[0]
        self.y = self.h**2
        return self.y @ self.params[1]


@pytest.mark.parametrize("layer", [StateOfTheLastForward, DoutChanged], ids=lambda layer: layer.__name__)
def test_where_one_call_disturbs_another_nothing_is_told(layer):
    assert told(layer, **SCORER) == []


def test_no_line_before_a_slip_in_forward_is_called_wrong():
    assert {lines.wrong.variable for lines in told(OtherForward, **SCORER)} <= {"da"}


def test_where_sizes_do_not_tell_axes_apart_no_line_is_called_right():
    (lines,) = told(FactorOfTheMiddle, **SCORER, dims=dict.fromkeys("ndhk", (2, 2)))
    assert lines.right is None
    assert lines.wrong.variable == "dh"


def test_where_all_sizes_are_1_nothing_is_told():
    assert told(FactorOfTheMiddle, **SCORER, dims=dict.fromkeys("ndhk", (1, 1))) == []


def test_the_same_seed_gives_the_same_lines():
    assert told(FactorOfTheMiddle, **SCORER) == told(FactorOfTheMiddle, **SCORER)


def test_what_would_take_more_forwards_is_left_out_and_its_line_may_be_wrong_too(monkeypatch):
    (sure, *_) = told(FactorOfTheMiddle, **SCORER)
    monkeypatch.setattr("gradproof.adjoint.locate.MOST_FORWARDS", 5)
    for lines in told(FactorOfTheMiddle, **SCORER):
        assert sure.wrong.at in lines.unsure
        assert lines.right.text == "self.grads[1][...] = self.y.T @ dout"


def test_the_end_of_the_time_passes_through(monkeypatch):
    def endless(*_, **__):
        raise Expired(1.0)

    monkeypatch.setattr("gradproof.adjoint.locate.trial", endless)
    monkeypatch.setattr("gradproof.adjoint.locate._telling", lambda outcomes: outcomes[0])
    with pytest.raises(Expired):
        locate(None, lambda _: None, outcomes_of(FactorOfTheMiddle))


def outcomes_of(layer):
    found = []

    def keep(code, build, outcomes, part=None):
        found.extend(outcomes)
        return Located()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gradproof.explain.from_lines.locate", keep)
        check_case(Case(layer, **SCORER), location="here", examples=2)
    return found


HERE, ELSEWHERE = (Location("layers.py", line, 8, line, 20) for line in (12, 30))
LINES = RightUpTo(None, WrongLine(HERE, "dz = dh * z", "dz", "z", (0, 1), 1.781, 1e-9, -3.652), ("W",))
WRONG = Finding("GP101", "Layer", tensor="W")


def changed_at(place):
    return Edit((Replacement(place, Action.REPLACE, "old", "new", "new"),), ("W",), 12)


@pytest.mark.parametrize(
    ("finding", "expected"),
    [
        (WRONG, LINES),
        (Finding("GP101", "Layer", tensor="W", edits=(changed_at(HERE),)), LINES),
        (Finding("GP101", "Layer", tensor="W", edits=(changed_at(ELSEWHERE),)), None),
        (Finding("GP101", "Layer", tensor="b"), None),
        (Finding("GP110", "Layer", tensor="W"), None),
        (Finding("GP101", "Layer", tensor="W", because=Finding("GP508", "Layer")), None),
    ],
    ids=["no change", "a change there", "elsewhere", "another tensor", "forward is wrong", "a broken promise"],
)
def test_lines_are_told_where_nothing_says_another_thing(finding, expected):
    (found,) = agreed([finding], Located((LINES,), frozenset({"W"})))
    assert found.right_up_to == expected


def test_nothing_is_looked_for_where_no_gradient_is_wrong_or_a_call_writes_to_what_is_read():
    assert worth_locating([WRONG])
    assert not worth_locating([Finding("GP201", "Layer", tensor="W")])
    assert not worth_locating([WRONG, Finding("GP501", "Layer", tensor="x")])


def hinge(W, X, y):
    loss, dW = 0.0, np.zeros_like(W)
    for i in range(len(X)):
        scores = X[i] @ W
        for j in range(W.shape[1]):
            margin = scores[j] - scores[y[i]] + 1
            if j != y[i] and margin > 0:
                loss += margin
                dW[:, j] += X[i]
    loss = loss / len(X)
    dW = dW / len(X)
    return loss, dW


def test_of_a_gradient_beside_a_loss_no_line_of_the_loss_is_in_doubt():
    case = Case(hinge, W="d c", X=constant("n d"), y=labels("n", "c"), dims={"c": (2, 5)})
    report = check_case(case, location="hinge", examples=20)
    (finding,) = report.findings
    begin = hinge.__code__.co_firstlineno
    assert finding.right_up_to.wrong.at.line - begin == 10
    assert [at.line - begin for at in finding.right_up_to.unsure] == [8]
