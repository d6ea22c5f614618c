"""Objects that must be built, wired or fed before forward: what prepares them is found, called, and told."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from gradproof import Case, Convention, Settings, UsageError, Verdict, constant, floats, size, sizes
from gradproof.checking import check_case
from gradproof.convention.convention import convention_of
from gradproof.convention.descent import Descent, is_optimizer
from gradproof.convention.preparation import preparation_of

pytestmark = pytest.mark.table

FEW = 4
DRAW = np.random.default_rng(5)


class Built:
    """The weights are made by build, from the shape of the input."""

    factor = 1.0

    def __init__(self, units):
        self.units, self.ready = units, False

    def build(self, input_shape):
        self.W = DRAW.standard_normal((input_shape[-1], self.units))
        self.ready = True

    def forward(self, x):
        if not self.ready:
            raise RuntimeError("build it first")
        self.x = x
        return x @ self.W

    def backward(self, dout):
        self.dW = self.factor * self.x.T @ dout
        return dout @ self.W.T


class WronglyBuilt(Built):
    factor = 2.0


class Wired:
    """set_input_shape, then initialize(optimizer): the second reads what the first sets."""

    def __init__(self, units, input_shape=None):
        self.units, self.input_shape = units, input_shape

    def initialize(self, optimizer):
        self.W = DRAW.standard_normal((self.input_shape[0], self.units))
        self.W_opt = optimizer

    def set_input_shape(self, shape):
        self.input_shape = shape

    def forward(self, x):
        self.x = x
        return x @ self.W

    def backward(self, grad):
        W = self.W
        self.W = self.W_opt.update(self.W, self.x.T @ grad)
        return grad @ W.T


class ReadsWhatItMoved(Wired):
    """Wrong: the weights that were just moved."""

    def backward(self, grad):
        self.W = self.W_opt.update(self.W, self.x.T @ grad)
        return grad @ self.W.T


class Reset:
    """A state that reset makes, and forward reads before it writes it."""

    def __init__(self, size):
        self.size = size

    def reset(self):
        self.h = np.zeros(self.size)

    def forward(self, x):
        self.h = np.tanh(x + 0 * self.h)
        return self.h

    def backward(self, dout):
        return dout * (1 - self.h**2)


class MakesItItself:
    """Right without: forward builds where nothing is built yet."""

    def __init__(self):
        self.W = None

    def build(self, d):
        self.W = DRAW.standard_normal((d, 3))

    def forward(self, x):
        if self.W is None:
            self.build(x.shape[1])
        self.x = x
        return x @ self.W

    def backward(self, dout):
        self.dW = self.x.T @ dout
        return dout @ self.W.T


class KeepsACache:
    """None before the first forward, which no method has to change."""

    def __init__(self):
        self.x = None

    def set_x(self, x):
        self.x = x

    def forward(self, x):
        self.x = x
        return x**2

    def backward(self, dout):
        return 2 * self.x * dout


class FillsADict:
    """The entries of a dict, made by one method and demanded by an assertion."""

    def __init__(self, d, h):
        self.d, self.h, self.params, self.grads = d, h, {}, {}

    def setup(self):
        self.params["W"] = DRAW.standard_normal((self.d, self.h))

    def forward(self, x):
        assert self.params
        self.x = x
        return x @ self.params["W"]

    def backward(self, dout):
        self.grads["W"] = self.x.T @ dout
        return dout @ self.params["W"].T


@pytest.mark.parametrize(
    ("cls", "methods", "certain"),
    [
        (Built, ("build",), True),
        (Wired, ("set_input_shape", "initialize"), True),
        (Reset, ("reset",), True),
        (MakesItItself, (), False),
        (KeepsACache, (), False),
        (FillsADict, ("setup",), True),
    ],
)
def test_what_prepares_an_object_is_read_off_what_methods_set_and_read(cls, methods, certain):
    found = preparation_of(cls, "forward", "backward")
    assert (found.methods, found.certain) == (methods, certain)


def report(case):
    return check_case(case, location="layers.py", examples=FEW)


CASES = {
    "built": (lambda: Case(Built, units=size("h"), input_shape=sizes("d"), x="n d"), None),
    "built wrongly": (lambda: Case(WronglyBuilt, units=size("h"), input_shape=sizes("d"), x="n d"), "W"),
    "wired": (lambda: Case(Wired, units=size("h"), shape=sizes("d"), x="n d"), None),
    "reads what it moved": (lambda: Case(ReadsWhatItMoved, units=size("h"), shape=sizes("d"), x="n d"), "x"),
    "reset": (lambda: Case(Reset, size=size("d"), x="d"), None),
    "a dict": (lambda: Case(FillsADict, d=size("d"), h=size("h"), x="n d"), None),
}


@pytest.mark.parametrize(("declared", "wrong"), CASES.values(), ids=CASES.keys())
def test_a_prepared_object_is_judged(declared, wrong):
    said = report(declared())
    accused = [tensor.name for tensor in said.tensors if tensor.verdict is Verdict.FAIL]
    assert accused == ([] if wrong is None else [wrong])
    assert said.verdict is (Verdict.PASS if wrong is None else Verdict.FAIL)


def test_what_prepared_an_object_is_told():
    wired = Case(Wired, units=size("h"), shape=sizes("d"), x="n d")
    (note,) = [note for note in report(wired).notes if note.startswith("prepared")]
    steps = "prepared by set_input_shape(shape), then initialize(optimizer)"
    assert note == f"{steps}; gradproof's plain gradient descent stands for optimizer"
    assert wired.construction.notes({"optimizer": None}) == (
        "prepared by set_input_shape(), then initialize(optimizer)",
    )
    assert Case(Reset, size=size("d"), x="d").construction.notes({}) == ("prepared by reset()",)
    plain = Case(CallsAndRecords, a="n d", b="n d")
    assert plain.construction.notes({}) == ()


def test_the_methods_may_be_declared():
    chosen = Settings(convention=Convention(prepare=("build",)))
    case = Case(Built, units=size("h"), input_shape=sizes("d"), x="n d", settings=chosen)
    assert case.construction.prepare == ("build",)
    assert "convention=Convention(prepare=('build',))" in case.declaration()
    assert report(case).verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        pytest.param(lambda: Convention(prepare="build"), "with the comma", id="no tuple"),
        pytest.param(
            lambda: Case(Built, units=3, x="n d", settings=Settings(convention=Convention(prepare=("bild",)))),
            "has no method bild",
            id="no such method",
        ),
        pytest.param(
            lambda: Case(Built, units=3, x="n d", settings=Settings(convention=Convention(prepare=("build",)))),
            "needs input_shape",
            id="an argument of it is missing",
        ),
    ],
)
def test_a_preparation_that_cannot_work_is_refused(wrong, message):
    with pytest.raises(UsageError, match=message):
        wrong()


# how a layer hands its optimizer a weight of 5 and a gradient of 2, and what the weight then is
def rebinds(opt, W, dW):
    return opt.update(W, dW)


def in_place(opt, W, dW):
    opt.step(W, dW)
    return W


def by_keyword(opt, W, dW):
    opt(grad=dW, param=W)
    return W


def added(opt, W, dW):
    W += opt.get_update(dW)
    return W


def taken_off_later(opt, W, dW):
    step = opt.get_step(dW)
    return W - step


def added_later(opt, W, dW):
    delta = opt.delta(dW)
    return W + delta


def by_key(opt, W, dW):
    opt.update({"W": W}, {"dW": dW})
    return W


def by_list(opt, W, dW):
    opt.apply_gradients([W], [dW])
    return W


def by_rate(opt, W, dW):
    return W - opt.lr * dW


def by_class(opt, W, dW):
    return opt(0.1).clone().update(W, dW, "W")


@pytest.mark.parametrize(
    "hand", [rebinds, in_place, by_keyword, added, taken_off_later, added_later, by_key, by_list, by_rate, by_class]
)
def test_an_optimizer_of_ours_makes_one_plain_step_however_it_is_asked(hand):
    assert np.array_equal(hand(Descent(0.5), np.array([5.0]), np.array([2.0])), [4.0])


def test_an_optimizer_of_ours_moves_the_weights_that_a_layer_holds_by_the_names_of_their_gradients():
    layer = SimpleNamespace(params={"W": np.array([5.0]), "b": np.array([1.0])}, bias=np.array([7.0]))
    Descent(0.5).update(layer, {"dW": np.array([2.0]), "db": np.array([4.0])}, 0.1)
    assert (layer.params["W"], layer.params["b"], layer.bias) == ([4.0], [-1.0], [7.0])


def test_an_update_whose_result_is_used_leaves_the_weight_as_it_was():
    W = np.array([5.0])
    moved = Descent().update(W, np.array([2.0]))
    assert (W[0], moved[0]) == (5, 3)


@pytest.mark.parametrize("name", ["optimizer", "optimiser", "opt", "W_opt", "opt_b", "optim", "self_optimizer"])
def test_optimizers_are_known_by_their_names(name):
    assert is_optimizer(name)


@pytest.mark.parametrize("name", ["options", "opts_dict", "output", "adopted", "option"])
def test_other_names_are_no_optimizers(name):
    assert not is_optimizer(name)


class StepsByItself:
    """Its rate stands in the source."""

    factor = 1.0

    def __init__(self, d, h):
        self.W = DRAW.standard_normal((d, h))

    def forward(self, x):
        self.x = x
        return x @ self.W

    def backward(self, dout):
        dx = dout @ self.W.T
        dW = self.factor * self.x.T @ dout
        self.W -= 0.01 * dW
        return dx


class StepsTwiceAsFar(StepsByItself):
    factor = 2.0


class CallsAndRecords:
    """The object is called; forward alone has nothing to multiply."""

    def __call__(self, a, b):
        self.a, self.b = a, b
        return self.forward()

    def forward(self):
        return self.a * self.b

    def backward(self, dout):
        return dout * self.b, dout * self.a


class CallsAndMixesUp(CallsAndRecords):
    def backward(self, dout):
        return dout * self.a, dout * self.b


class GivenTheAnswer:
    """A whole net: its backward is given y, and its loss is written nowhere."""

    def __init__(self, d):
        self.w = DRAW.standard_normal((d, 1))

    def forward(self, x):
        self.x = x
        self.p = 1 / (1 + np.exp(-(x @ self.w)))
        return self.p

    def backward(self, y):
        self.dw = self.x.T @ (self.p - y) / len(y)


class WithItsLoss(GivenTheAnswer):
    """What the sentence asks for: forward returns the loss."""

    def forward(self, x, y):
        self.y = y
        p = super().forward(x)
        return -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))

    def backward(self, dout=1):
        super().backward(self.y)


@pytest.mark.parametrize(
    ("declared", "wrong"),
    [
        (lambda: Case(StepsByItself, d=size("d"), h=size("h"), x="n d"), []),
        (lambda: Case(StepsTwiceAsFar, d=size("d"), h=size("h"), x="n d"), ["W"]),
        (lambda: Case(CallsAndRecords, a="n d", b="n d"), []),
        (lambda: Case(CallsAndMixesUp, a="n d", b="n d"), ["a", "b"]),
    ],
)
def test_weights_moved_by_a_rate_of_their_own_and_objects_that_are_called_are_judged(declared, wrong):
    said = report(declared())
    assert [tensor.name for tensor in said.tensors if tensor.verdict is Verdict.FAIL] == wrong
    assert said.verdict is (Verdict.FAIL if wrong else Verdict.PASS)


def test_a_net_that_is_given_the_answer_is_not_accused_and_what_is_said_of_it_works():
    said = report(Case(GivenTheAnswer, d=size("d"), x="n d"))
    assert said.verdict is Verdict.INCONCLUSIVE
    assert "backward is given y, not the gradient of forward's output" in said.reason
    mended = report(
        Case(WithItsLoss, d=size("d"), x=constant("n d"), y=constant(floats("n 1", min_value=0, max_value=1)))
    )
    assert mended.verdict is Verdict.PASS


class Called:
    """Its ``__call__`` does nothing but call forward, whose state a property's setter makes."""

    def __init__(self, n):
        self.state = {"mean": np.zeros(n)}

    @property
    def state(self):
        return {"mean": self.mean}

    @state.setter
    def state(self, value):
        self.mean = value["mean"]

    def __call__(self, *args, **kwargs):
        return self.forward(*args, **kwargs)

    def forward(self, x):
        self.mean = self.mean + x.mean(axis=0)
        return x * 2.0

    def backward(self, dout):
        return dout * 2.0


def test_a_call_that_only_hands_on_is_not_what_feeds_an_object():
    assert convention_of(Called).forward == "forward"


class Normed:
    """Backward is that of training, which a new object is not in."""

    def __init__(self, n):
        self.mean, self.is_training = np.zeros(n), False

    def forward(self, x):
        mean = x.mean(axis=0) if self.is_training else self.mean
        return x - mean

    def backward(self, dout):
        return dout - dout.mean(axis=0)


class NormedWrong(Normed):
    def backward(self, dout):
        return dout


def test_an_object_is_put_in_training():
    report = check_case(Case(Normed, n=size("d"), x="n d"), location="x", examples=8)
    assert report.verdict is Verdict.PASS
    assert report.notes[0] == "is_training set to True, as backward belongs to training"
    assert check_case(Case(NormedWrong, n=size("d"), x="n d"), location="x", examples=8).verdict is Verdict.FAIL


class NormedByDescent:
    """Its own update moves gamma only where the batch has more than one example."""

    def __init__(self, n):
        self.gamma, self.lr = np.ones(n), 0.1

    def forward(self, x):
        self.c = x - x.mean(axis=0)
        return self.gamma * self.c

    def backward(self, dout):
        dx = self.gamma * (dout - dout.mean(axis=0))
        self.gamma -= self.lr * (dout * self.c).sum(axis=0)
        return dx


class NormedByDescentTwice(NormedByDescent):
    def backward(self, dout):
        dx = super().backward(dout)
        self.gamma -= self.lr * (dout * self.c).sum(axis=0)
        return dx


def test_an_update_that_moves_nothing_at_one_example_ends_no_check():
    assert check_case(Case(NormedByDescent, n=size("d"), x="n d"), location="x").verdict is Verdict.PASS
    assert check_case(Case(NormedByDescentTwice, n=size("d"), x="n d"), location="x").verdict is Verdict.FAIL


class Switched:
    def __init__(self, n, training=False):
        self.mean, self.training = np.zeros(n), training

    def forward(self, x):
        return x - (x.mean(axis=0) if self.training else self.mean)

    def backward(self, dout):
        return dout - dout.mean(axis=0) if self.training else dout


def test_a_flag_that_is_declared_stays():
    declared = check_case(Case(Switched, n=size("d"), training=False, x="n d"), location="x", examples=8)
    assert declared.verdict is Verdict.PASS
    assert not any("set to True" in note for note in declared.notes)
    left = check_case(Case(Switched, n=size("d"), x="n d"), location="x", examples=8)
    assert any("training set to True" in note for note in left.notes)
