"""How forward and backward are called: names, arguments, caches, losses, float32; and what a user may declare."""

from __future__ import annotations

import numpy as np
import pytest

from elementwise import normal, report_of
from gradproof import Case, Convention, GradientFault, Settings, UsageError, Verdict, check, constant
from gradproof.convention.convention import convention_of
from gradproof.convention.plans import plans
from gradproof.convention.return_statements import names_returned
from gradproof.convention.returned import share
from gradproof.report.lines import headline

pytestmark = pytest.mark.table

X, Y = normal(4, 3), normal(4, 3, seed=5)
FEW = Settings(examples=3)


def wrong_gradients(report):
    errors = [finding for finding in report.findings if finding.severity == "error"]
    return [finding.tensor for finding in errors if "is wrong" in headline(finding)]


def named(forward, backward):
    """A tanh layer under these two names."""

    def out(self, x):
        self.y = np.tanh(x)
        return self.y

    return type("Named", (), {forward: out, backward: lambda self, dout: dout * (1 - self.y**2)})


@pytest.mark.parametrize("forward", ["forward", "forward_pass", "forward_propagate", "fprop", "propagate", "__call__"])
@pytest.mark.parametrize(
    "backward", ["backward", "backward_pass", "backprop", "back_propagate", "bprop", "backpropagate"]
)
def test_the_two_methods_are_found_under_the_names_in_use(forward, backward):
    assert convention_of(named(forward, backward)) == Convention(forward, backward)


@pytest.mark.parametrize(
    "cls",
    [
        pytest.param(type("Half", (), {"forward": print}), id="no backward"),
        pytest.param(type("Half", (), {"backward": print}), id="no forward"),
        pytest.param(type("Nothing", (), {}), id="neither"),
        pytest.param(type("Data", (), {"forward": 3, "backward": 4}), id="not methods"),
    ],
)
def test_a_class_without_both_methods_has_no_convention(cls):
    assert convention_of(cls) is None


def test_an_object_that_is_called_is_checked_as_a_layer():
    assert report_of(named("__call__", "backprop")(), X).verdict is Verdict.PASS


# (arguments of backward, outputs, arguments of forward, whether there is a cache) -> what is passed
PLANS = {
    "dout": ("dout", 1, "x", False, ["dout"]),
    "dout with a default": ("dout=1", 1, "x", False, ["dout"]),
    "nothing": ("", 1, "x", False, []),
    "two douts": ("dh, dc", 2, "x", False, ["dout", "dout"]),
    "two douts in one": ("douts", 2, "x", False, ["douts"]),
    "two douts in one, and a switch": ("douts, retain=True", 2, "x", False, ["douts"]),
    "a switch is left alone": ("dout, retain=True", 1, "x", False, ["dout"]),
    "x, then dout": ("x, dout", 1, "x", False, ["input x", "dout"]),
    "dout, then x": ("dout, x", 1, "x", False, ["dout", "input x"]),
    "other names for both": ("inp, grad", 1, "x", False, ["input x", "dout"]),
    "dout under the name of x": ("x", 1, "x", False, ["dout"]),
    "both arguments of a loss": ("y, t", 1, "y t", False, ["input y", "input t"]),
    "dout and a cache": ("dout, cache", 1, "x", True, ["dout", "cache"]),
    "a cache and dout": ("cache, dout", 1, "x", True, ["cache", "dout"]),
    "a cache under another name": ("dout, things", 1, "x", True, ["dout", "cache"]),
    "a cache and an argument of forward": ("dout, cache, mode", 1, "x mode", True, ["dout", "cache", "input mode"]),
    "only a cache": ("cache", 1, "x", True, ["cache"]),
    "a cache that is called as forward's input": ("dout, x", 1, "x", True, ["dout", "cache"]),
    "forward's inputs instead of a cache": ("dout, x, w", 1, "x w", True, ["dout", "input x", "input w"]),
    "a learning rate": ("dout, lr", 1, "x", False, ["dout", "rate"]),
    "a learning rate by default": ("dout, learning_rate=0.1", 1, "x", False, ["dout", "rate"]),
}


@pytest.mark.parametrize(("arguments", "outputs", "inputs", "cache", "sources"), PLANS.values(), ids=PLANS)
def test_backward_is_given_what_its_arguments_ask_for(arguments, outputs, inputs, cache, sources):
    found = plans(eval(f"lambda {arguments}: None"), outputs, tuple(inputs.split()), cache=cache)[0]
    assert [source for _, source in found.sources] == sources


def test_an_argument_behind_one_that_is_left_alone_goes_by_keyword():
    found = plans(lambda dout, keep=True, lr=0.1: None, 1, ("x",))[0]
    assert found.bind([7], {"x": 1}) == ([7], {"lr": 1.0})


def test_a_method_called_grad_is_given_x_as_a_function_is_under_any_name():
    class Local:
        def forward(self, x):
            return np.tanh(x)

        def grad(self, z):
            return 1 - np.tanh(z) ** 2

    class Wrong(Local):
        def grad(self, x):
            return 1 - np.tanh(x)

    assert wrong_gradients(report_of(Local(), X)) == []
    assert wrong_gradients(report_of(Wrong(), X)) == ["x"]


class ComparesWith:
    """A loss whose backward is given again what forward compared with, under forward's name, and no dout."""

    def __init__(self, factor=1.0):
        self.factor = factor

    def forward(self, predictions, label_tensor, epsilon=1e-9):
        self.predictions = predictions
        return np.sum((predictions - label_tensor) ** 2) + epsilon

    def backward(self, label_tensor, epsilon=1e-9):
        return self.factor * 2 * (self.predictions - label_tensor)


class NamesDoutLikeItsInput:
    """Its backward's only argument has the name of forward's first one: it is dout all the same."""

    def __init__(self, factor=1.0):
        self.factor = factor

    def forward(self, x, scale=2.0):
        self.y, self.scale = np.tanh(x), scale
        return scale * self.y

    def backward(self, x):
        return self.factor * self.scale * x * (1 - self.y**2)


def fails(subject, *backward, **arguments):
    """The tensors that are accused over a few examples of a declared case."""
    try:
        check(Case(subject, *backward, settings=FEW, **arguments))
    except GradientFault as fault:
        return wrong_gradients(fault.report)
    return []


@pytest.mark.parametrize(("factor", "accused"), [(1.0, []), (1.01, ["predictions"])], ids=["right", "wrong"])
def test_an_argument_of_backward_with_the_name_of_one_of_forwards_gets_its_value(factor, accused):
    assert fails(ComparesWith, factor=factor, predictions="n d", label_tensor=constant("n d")) == accused


def scaled_forward(x, w=None, gamma=None, kind="double"):
    rate = 2.0 if kind == "double" else 1.0
    return rate * x * w if gamma is None else rate * x * w * gamma, (x, w, gamma)


def scaled_backward(dout, cache, kind):
    x, w, gamma = cache
    rate = 2.0 if kind == "double" else 1.0
    dgamma = None if gamma is None else rate * dout * x * w
    scale = rate if gamma is None else rate * gamma
    return scale * dout * w, scale * dout * x, dgamma


def scaled_backward_of_another_kind(dout, cache, kind):
    return scaled_backward(dout, cache, "another")


LEFT_OUT = {
    "nothing": {"gamma": "n d"},
    "an array": {},
    "an array, as None": {"gamma": None},
    "no kind": {"kind": "single"},
}


@pytest.mark.parametrize("given", LEFT_OUT.values(), ids=LEFT_OUT)
def test_no_gradient_is_asked_for_an_optional_argument_that_was_left_out(given):
    assert fails(scaled_forward, scaled_backward, x="n d", w="n d", **given) == []


def test_backward_gets_the_default_of_an_argument_of_forward_that_was_left_out():
    with pytest.raises(GradientFault, match="the gradients of x and w are wrong"):
        check(Case(scaled_forward, scaled_backward_of_another_kind, x="n d", w="n d", settings=FEW))


class Outside:
    """Passes its input on, and adds to a loss that it keeps: backward is no gradient of what forward returns."""

    def forward(self, x):
        self.x, self.penalties = x, [np.sum(x**2)]
        return x

    def backward(self):
        return 2 * self.x


def test_a_loss_that_is_kept_elsewhere_is_not_judged():
    report = report_of(Outside(), X)
    assert (report.verdict, wrong_gradients(report)) == (Verdict.INCONCLUSIVE, [])


def loss_and_state(x):
    return np.sum(x**2), np.tanh(x), x


@pytest.mark.parametrize(("factor", "accused"), [(2.0, []), (2.02, ["x"])], ids=["right", "wrong"])
def test_without_dout_only_the_output_that_is_a_number_counts(factor, accused):
    assert fails(loss_and_state, lambda cache: factor * cache, x="n d") == accused


def test_forwards_first_argument_alone_is_a_name_of_dout():
    assert wrong_gradients(report_of(NamesDoutLikeItsInput(), X)) == []
    assert wrong_gradients(report_of(NamesDoutLikeItsInput(1.01), X)) == ["x"]


SHARED = {
    "one": ("d", ("dx",), ["x"], [], ("d", {})),
    "a list of the rest": (("d", ["w", "b"]), (), ["x"], ["W", "b"], (("d",), {"W": "w", "b": "b"})),
    "a dict of the rest": (("d", {"dW": "w", "db": "b"}), (), ["x"], ["W", "b"], (("d",), {"W": "w", "b": "b"})),
    "in the order of the parameters": (("d", "w", "b"), (), ["x"], ["W", "b"], (("d",), {"W": "w", "b": "b"})),
    "by name": (("w", "d"), ("dW", "dx"), ["x"], ["W"], (("d",), {"W": "w"})),
    "by name, one left out": (("d", "b"), ("dx", "db"), ["x"], ["W", "b"], (("d",), {"b": "b"})),
    "more than can be paired": (("d", "w", "b"), (), ["x"], ["W", "b", "table"], (("d",), {})),
    "of the parameter alone": ("w", ("dW",), [], ["W"], ({}, {"W": "w"})),
    "of two inputs": (("d", "e"), ("dx", "dy"), ["x", "y"], ["W"], (("d", "e"), {})),
    "a dict of all": ({"dx": "d", "W": "w"}, (), ["x"], ["W"], ({"x": "d"}, {"W": "w"})),
}


@pytest.mark.parametrize(("returned", "names", "inputs", "parameters", "expected"), SHARED.values(), ids=SHARED)
def test_what_backward_returns_is_shared_out_by_name_or_place(returned, names, inputs, parameters, expected):
    shared = share(returned, names, inputs, inputs, parameters)
    assert (shared.inputs, dict(shared.parameters)) == expected


def test_the_names_of_the_last_return_statement_are_read():
    def backward(dout):
        if dout is None:
            return None

        def inner():
            return dout

        dx = dw = db = inner()
        return dx, [dw, db], dout.T

    assert names_returned(backward) == ("dx", ("dw", "db"), "T")
    assert names_returned(len) == ()


def affine_forward(x, w, b):
    return x @ w + b, (x, w)


def affine_backward(dout, cache):
    x, w = cache
    return {"dw": x.T @ dout, "dx": dout @ w.T, "db": dout.sum(0)}


def cell_forward(x, h, c):
    gate = np.tanh(x + h)
    return gate, gate * c, (gate, c)


def cell_backward(dh, dc, cache):
    gate, c = cache
    inside = (dh + dc * c) * (1 - gate**2)
    return inside, inside, dc * gate


def centred_forward(x, gamma, bn_param):
    mean = 0.9 * bn_param.get("mean", 0.0) + x.mean(0)
    bn_param["mean"] = mean
    return gamma * (x - mean), (x - mean, gamma)


def centred_backward(dout, cache):
    centred, gamma = cache
    inside = dout * gamma
    return inside - inside.mean(0), (dout * centred).sum(0)


PAIRS = {
    "a dict of gradients": (affine_forward, affine_backward, {"x": "n d", "w": "d h", "b": "h"}, "w", "dw"),
    "several outputs and a cache": (cell_forward, cell_backward, {"x": "n", "h": "n", "c": "n"}, "c", 2),
    "a dict that forward writes to": (
        centred_forward,
        centred_backward,
        {"x": "n d", "gamma": "d", "bn_param": {"mode": "train"}},
        "gamma",
        1,
    ),
}


@pytest.mark.parametrize(("forward", "backward", "shapes", "tensor", "key"), PAIRS.values(), ids=PAIRS)
def test_a_pair_of_functions_is_checked_and_its_wrong_twin_found(forward, backward, shapes, tensor, key):
    def twin(*arguments):
        returned = backward(*arguments)
        parts = dict(returned) if isinstance(returned, dict) else list(returned)
        parts[key] = 1.001 * parts[key]
        return parts if isinstance(parts, dict) else tuple(parts)

    assert wrong_gradients(report_of(forward, backward, settings=FEW, **shapes)) == []
    assert wrong_gradients(report_of(forward, twin, settings=FEW, **shapes)) == [tensor]


def loss(returns, factor=1.0):
    """Half the squared distance of x w to y, with its gradients as ``returns`` puts them."""

    def squared_loss(w, x, y):
        away = x @ w - y
        return 0.5 * (away**2).sum(), *returns(away @ w.T, factor * x.T @ away)

    return squared_loss


LOSSES = {
    "in the order of its arguments": lambda dx, dw: (dw, dx),
    "in a tuple": lambda dx, dw: ((dw, dx),),
    "in a dict": lambda dx, dw: ({"x": dx, "w": dw},),
    "of the first argument alone": lambda dx, dw: (dw,),
}


@pytest.mark.parametrize("returns", LOSSES.values(), ids=LOSSES)
def test_a_loss_that_returns_its_gradients_is_checked(returns):
    shapes = {"w": "d h", "x": "n d", "y": constant("n h")}
    right = report_of(loss(returns), settings=FEW, **shapes)
    assert (right.verdict, wrong_gradients(right)) == (Verdict.PASS, [])
    assert wrong_gradients(report_of(loss(returns, 1.001), settings=FEW, **shapes)) == ["w"]


def test_an_input_for_which_a_loss_returns_no_gradient_is_told():
    def ridge_loss(w, x, y):
        away = x @ w - y
        dw = x.T @ away
        return 0.5 * (away**2).sum(), dw

    report = report_of(ridge_loss, settings=FEW, x="n d", w="d h", y=constant("n h"))
    assert [tensor.name for tensor in report.tensors] == ["w"]
    assert "no gradient is returned for x: not checked" in report.notes


def test_a_function_that_returns_no_gradient_is_named():
    def distance(x):
        return (x**2).sum()

    with pytest.raises(GradientFault, match="distance returns no gradient"):
        check(distance, x="n d", settings=FEW)


SHARED_GENERATOR = np.random.default_rng(1)


class DrawsFromTheModule:
    def __init__(self, factor=1.0):
        self.factor = factor

    def forward(self, x):
        self.kept = SHARED_GENERATOR.random(x.shape) > 0.4
        return x * self.kept

    def backward(self, dout):
        return self.factor * dout * self.kept


def test_a_layer_that_draws_from_a_generator_of_its_module_is_frozen_and_the_generator_put_back():
    before = SHARED_GENERATOR.bit_generator.state
    report = report_of(DrawsFromTheModule(), X)
    assert (report.verdict, wrong_gradients(report)) == (Verdict.PASS, [])
    assert "forward is random or keeps a state: frozen before every call" in report.notes
    assert wrong_gradients(report_of(DrawsFromTheModule(1.001), X)) == ["x"]
    assert SHARED_GENERATOR.bit_generator.state == before


class Adds:
    def forward(self, *xs):
        self.count = len(xs)
        return sum(xs)

    def backward(self, dout):
        return tuple(dout.copy() for _ in range(self.count))


class AddsWrongly(Adds):
    def backward(self, dout):
        first, *rest = super().backward(dout)
        return (first, *(2 * part for part in rest))


def test_an_object_whose_forward_takes_any_number_of_inputs_is_checked():
    report = report_of(Adds(), X, Y)
    assert [(tensor.name, tensor.verdict) for tensor in report.tensors] == [
        ("args[0]", Verdict.PASS),
        ("args[1]", Verdict.PASS),
    ]
    assert wrong_gradients(report_of(AddsWrongly(), X, Y)) == ["args[1]"]


NARROW = "f"


class Buffered:
    """A tanh layer that computes dx in a buffer of float32, whose dtype the author wrote in one of these ways."""

    def __init__(self, way, factor=1.0, dtype=np.float32):
        self.way, self.factor, self.dtype = way, factor, dtype

    def forward(self, x):
        self.y = np.tanh(x)
        return self.y

    def backward(self, dout):
        dx = {
            "by a string": lambda shape: np.empty(shape, dtype="f"),
            "by position": lambda shape: np.zeros(shape, np.float32),
            "by a name of the module": lambda shape: np.zeros(shape, NARROW),
            "by a default": lambda shape: np.ones(shape, dtype=self.dtype),
            "like another array": lambda shape: np.zeros_like(np.empty(shape), dtype=np.dtype("float32")),
        }[self.way](dout.shape)
        dx[...] = self.factor * dout * (1 - self.y**2)
        return dx


WAYS = ("by a string", "by position", "by a name of the module", "by a default", "like another array")


@pytest.mark.parametrize("shape", [(4, 3), (80, 60)], ids=["small", "large"])
@pytest.mark.parametrize("way", WAYS)
def test_a_float32_buffer_in_backward_is_not_accused_and_an_error_of_1e_9_in_it_is(way, shape):
    x = normal(*shape)
    assert wrong_gradients(report_of(Buffered(way), x)) == []
    assert wrong_gradients(report_of(Buffered(way, 1 + 1e-9), x)) == ["x"]


class Casts:
    """A tanh layer that casts its gradient, and, where ``both`` is set, its output as well."""

    def __init__(self, cast, *, both):
        self.cast, self.both = cast, both

    def forward(self, x):
        self.y = np.tanh(x)
        return self.cast(self.y) if self.both else self.y

    def backward(self, dout):
        return self.cast(dout * (1 - self.y**2))


CASTS = {
    "by a string": lambda array: array.astype("f"),
    "by a type": lambda array: array.astype(np.float32),
    "by calling": lambda array: np.float32(array),
    "half": lambda array: array.astype(np.float16),
}


@pytest.mark.parametrize("cast", CASTS.values(), ids=CASTS)
def test_a_gradient_cast_to_few_bits_beside_an_output_in_float64_is_accused(cast):
    assert wrong_gradients(report_of(Casts(cast, both=False), X)) == ["x"]


@pytest.mark.parametrize("cast", CASTS.values(), ids=CASTS)
def test_a_gradient_in_the_few_bits_of_its_output_is_not_accused(cast):
    assert wrong_gradients(report_of(Casts(cast, both=True), X)) == []


class Elsewhere:
    """Keeps its parameters and gradients where no rule would look for them."""

    def __init__(self, factor=1.0):
        self.factor, self.store = factor, {"theta": normal(3, 2, seed=1), "g1": None}

    def run(self, x):
        self.x = x
        return x @ self.store["theta"]

    def unrun(self, dout):
        self.store["g1"] = self.factor * self.x.T @ dout
        return dout @ self.store["theta"].T


class Own(Convention):
    """The same in a short class of the user's own."""

    def parameters(self, layer):
        return {"theta": layer.store["theta"]}

    def parameter_gradients(self, layer, returned, parameters):
        return {"theta": layer.store["g1"]}


DECLARED = {
    "attributes named": (Convention("run", "unrun", {"store['theta']": "store['g1']"}), "store['theta']"),
    "a class of one's own": (Own("run", "unrun"), "theta"),
}


@pytest.mark.parametrize(("convention", "name"), DECLARED.values(), ids=DECLARED)
def test_a_convention_of_the_users_own_is_used(convention, name):
    settings = Settings(convention=convention)
    report = report_of(Elsewhere(), X, settings=settings)
    assert (report.verdict, [tensor.name for tensor in report.tensors]) == (Verdict.PASS, ["x", name])
    assert wrong_gradients(report_of(Elsewhere(1.001), X, settings=settings)) == [name]


def test_a_case_says_its_convention():
    case = Case(named("run", "unrun"), x="n", settings=Settings(convention=Convention("run", "unrun")))
    assert case.convention == Convention("run", "unrun")
    assert "convention=Convention(forward='run', backward='unrun')" in case.declaration()


REFUSED = {
    "a method's name with a dot": (lambda: Convention("a.b"), "expected the name of a method, got forward='a.b'"),
    "no mapping": (lambda: Convention(gradients=["dW"]), "expected attribute names by parameter"),
    "no Convention": (lambda: Settings(convention="backprop"), 'write convention=Convention\\(backward="backprop"\\)'),
    "a method that the class lacks": (
        lambda: Case(named("run", "unrun"), x="n", settings=Settings(convention=Convention("run", "back"))),
        "has no method back, which its Convention names: it has run, unrun",
    ),
    "a parameter that is not there": (
        lambda: check(Elsewhere(), X, settings=Settings(convention=Convention("run", "unrun", {"W": "dW"}))),
        "expected an array at Elsewhere.W",
    ),
}


@pytest.mark.parametrize(("declare", "message"), REFUSED.values(), ids=REFUSED)
def test_a_convention_that_cannot_work_is_refused_with_the_remedy(declare, message):
    with pytest.raises(UsageError, match=message):
        declare()


class HandsItsCacheOver:
    """Keeps nothing of a call: backward is given x, the cache, dout, and a dict for the gradients of the parameters."""

    def __init__(self, factor=1.0, of_bias=1.0):
        self.factor, self.of_bias = factor, of_bias
        self.weights = {"affine/W": normal(3, 2, seed=1), "affine/b": normal(2, seed=2)}

    def forward(self, x):
        return np.tanh(x) @ self.weights["affine/W"] + self.weights["affine/b"], {"tanh": np.tanh(x)}

    def backward(self, x, cache, backwards_gradient, gradients):
        gradients["affine/W"] = cache["tanh"].T @ backwards_gradient
        gradients["affine/b"] = self.of_bias * backwards_gradient.sum(0)
        return self.factor * (backwards_gradient @ self.weights["affine/W"].T) / np.cosh(x) ** 2


FILLED = {
    "right": ({}, []),
    "wrong for x": ({"factor": 1.001}, ["x"]),
    "wrong for b": ({"of_bias": 1.001}, ["affine/b"]),
}


@pytest.mark.parametrize(("factors", "accused"), FILLED.values(), ids=FILLED)
def test_backward_is_given_x_the_cache_and_a_dict_that_it_fills(factors, accused):
    report = report_of(HandsItsCacheOver(**factors), X)
    assert {tensor.name for tensor in report.tensors} == {"x", "affine/W", "affine/b"}
    assert wrong_gradients(report) == accused
    assert report.verdict is (Verdict.FAIL if accused else Verdict.PASS)


def filling(factor):
    def backward(dout, cache, grads):
        x, w = cache
        grads["dw"] = factor * x.T @ dout
        return dout @ w.T

    return backward


@pytest.mark.parametrize(("factor", "accused"), [(1.0, []), (1.001, ["w"])], ids=["right", "wrong"])
def test_a_backward_that_is_a_function_may_fill_a_dict_as_well(factor, accused):
    assert fails(lambda x, w: (x @ w, (x, w)), filling(factor), x="n d", w="d h") == accused


class NeedsMore:
    """Right or wrong, nobody can tell: its backward needs a scale of which forward knows nothing."""

    def forward(self, x):
        return 2.0 * x

    def backward(self, dout, scale):
        return scale * dout


class NeedsACache(NeedsMore):
    """Its backward asks for a cache, and its forward returns none."""

    def backward(self, dout, cache):
        return cache["scale"] * dout


class NeedsTwo(NeedsMore):
    """Neither name says which of the two is dout."""

    def backward(self, first, second):
        return first * second


UNTOLD = {"a number": (NeedsMore, "scale"), "a cache": (NeedsACache, "cache"), "two": (NeedsTwo, "first, second")}


@pytest.mark.parametrize(("cls", "names"), UNTOLD.values(), ids=UNTOLD)
def test_a_backward_with_an_argument_that_cannot_be_told_is_not_judged_and_the_argument_named(cls, names):
    report = report_of(cls(), X)
    assert (report.verdict, report.findings) == (Verdict.INCONCLUSIVE, ())
    assert f"backward takes {names}, and nothing says what" in str(report)


class TwoWays:
    """Two outputs, whose upstream gradients backward takes in the other order, as their names say."""

    def __init__(self, factor=1.0):
        self.factor = factor

    def forward(self, x):
        y_main, y_skip = np.tanh(x), 3.0 * x
        self.y = y_main
        return y_main, y_skip

    def backward(self, dy_skip, dy_main=None):
        return 3.0 * dy_skip + self.factor * dy_main * (1 - self.y**2)


@pytest.mark.parametrize(("factor", "accused"), [(1.0, []), (1.001, ["x"])], ids=["right", "wrong"])
def test_each_of_several_douts_goes_to_the_output_whose_name_it_bears(factor, accused):
    assert wrong_gradients(report_of(TwoWays(factor), X)) == accused


class MultipliesItsParts:
    """The product of all parts of its input, which it collects; the gradient is a list, one array for each part."""

    def __init__(self, factor=1.0):
        self.factor, self.seen = factor, []

    def forward(self, parts):
        out = parts[0].copy()
        for part in parts[1:]:
            out *= part
        self.seen.append(parts)
        return out

    def backward(self, dout):
        parts = self.seen[-1]
        others = [np.prod([p for j, p in enumerate(parts) if j != i], axis=0) for i in range(len(parts))]
        return [self.factor * dout * other for other in others]


@pytest.mark.parametrize(("factor", "accused"), [(1.0, []), (1.001, ["parts"])], ids=["right", "wrong"])
def test_a_list_of_the_gradients_of_the_inputs_parts_is_read_as_one_gradient(factor, accused):
    report = report_of(MultipliesItsParts(factor), normal(3, 4, 2))
    assert [tensor.name for tensor in report.tensors] == ["parts"]
    assert wrong_gradients(report) == accused


def test_a_list_of_gradients_of_other_shapes_than_the_parts_is_a_fault_of_form():
    class Summed(MultipliesItsParts):
        def backward(self, dout):
            return [part.sum(0) for part in super().backward(dout)]

    assert report_of(Summed(), normal(3, 4, 2)).verdict is Verdict.FAIL


class StepsBack:
    """A step in time: forward collects its outputs, and backward carries what flows back to the step before."""

    def __init__(self):
        self.steps, self.carried = [], 0.0

    def forward(self, x):
        y = np.tanh(x)
        self.steps.append(y)
        return y

    def backward(self, dout):
        dx = (dout + self.carried) * (1 - self.steps[-1] ** 2)
        self.carried = 0.5 * dx
        return dx


class CarriesOver(StepsBack):
    """The same without a collection: there is no earlier step to which a second backward could belong."""

    def forward(self, x):
        self.steps, self.carried = (np.tanh(x),), 0.0
        return self.steps[-1]


CARRYING = {"for the step before": (StepsBack, "warning"), "for nothing": (CarriesOver, "error")}


@pytest.mark.parametrize(("cls", "severity"), CARRYING.values(), ids=CARRYING)
def test_a_second_backward_in_a_row_of_a_layer_that_collects_its_forwards_may_be_that_of_an_earlier_one(cls, severity):
    try:
        report = check(Case(cls, x="n d", settings=FEW))
    except GradientFault as fault:
        report = fault.report
    assert [finding.severity for finding in report.findings if finding.code == "GP514"] == [severity]
    assert wrong_gradients(report) == []
