"""The declaration of a case: how arguments are split, what is refused, and that it can be copied as source."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from hypothesis import strategies as st

import gradproof
from gradproof import Case, Settings, UsageError, constant, floats, just, labels, one_hot, positive, size
from gradproof.case.specs import Drawn, Floats, Literal
from gradproof.values import Verdict


class Affine:
    def __init__(self, W, b):
        pass

    def forward(self, x):
        pass

    def backward(self, dout):
        pass


class Net:
    def __init__(self, input_size, hidden_size, output_size, activation="sigmoid", *, rng=None):
        pass

    def forward(self, x, t):
        pass

    def backward(self, dout=1):
        pass


class Parameterless:
    def forward(self, x):
        pass

    def backward(self, dout):
        pass


class Keywords(Parameterless):
    def __init__(self, **weights):
        pass


class Positions(Parameterless):
    def forward(self, *xs):
        pass


class OnlyByPosition(Parameterless):
    def forward(self, x, t, /, scale=1.0):
        pass


class Static(Parameterless):
    @staticmethod
    def forward(x):
        pass


class ClassMethod(Parameterless):
    @classmethod
    def forward(cls, x):
        pass


class TakesDims(Parameterless):
    def __init__(self, dims, settings=None):
        pass


class SharesAName(Parameterless):
    def __init__(self, axis):
        pass

    def forward(self, x, axis):
        pass


def affine_forward(x, w, b):
    pass


def affine_backward(dout, cache):
    pass


SPLIT = {
    "constructor and forward": (Case(Affine, x="n d", b="h", W="d h"), ["W", "b"], ["x"]),
    "no constructor": (Case(Parameterless, x="n"), [], ["x"]),
    "defaults may be left out": (
        Case(Net, x="n i", t=labels("n", "o"), output_size=size("o"), input_size=size("i"), hidden_size=4),
        ["input_size", "hidden_size", "output_size"],
        ["x", "t"],
    ),
    "keyword-only": (Case(Keywords, x="n", W="n"), ["W"], ["x"]),
    "any positions": (Case(Positions, a="n", b="n"), [], ["a", "b"]),
    "positional-only": (Case(OnlyByPosition, t="n", x="n"), [], ["x", "t"]),
    "static forward": (Case(Static, x="n"), [], ["x"]),
    "class method": (Case(ClassMethod, x="n"), [], ["x"]),
    "a name in both goes to both": (Case(SharesAName, x="n", axis=0), ["axis"], ["x", "axis"]),
    "a pair of functions": (Case(affine_forward, affine_backward, w="d h", b="h", x="n d"), [], ["x", "w", "b"]),
    "dims of the subject": (Case(TakesDims, dims=(2, 3), x="n"), ["dims"], ["x"]),
    "settings of the subject": (Case(TakesDims, dims=2, settings=3, x="n"), ["dims", "settings"], ["x"]),
    "settings of both": (Case(TakesDims, dims=2, settings=Settings(seed=5), x="n"), ["dims"], ["x"]),
}


@pytest.mark.parametrize(("case", "init", "inputs"), SPLIT.values(), ids=SPLIT)
def test_arguments_go_to_the_signature_that_names_them(case, init, inputs):
    assert list(case.init) == init
    assert list(case.inputs) == inputs


BOUND = {
    "by keyword": (Case(Affine, W="d h", b="h", x="n d"), {"x": 1}, [], {"x": 1}),
    "positional-only": (
        Case(OnlyByPosition, x="n", t="n", scale=2.0),
        {"x": 1, "t": 2, "scale": 3},
        [1, 2],
        {"scale": 3},
    ),
    "star args": (Case(Positions, a="n", b="n"), {"a": 1, "b": 2}, [1, 2], {}),
}


@pytest.mark.parametrize(("case", "values", "args", "kwargs"), BOUND.values(), ids=BOUND)
def test_named_values_are_bound_as_the_signature_takes_them(case, values, args, kwargs):
    assert case.forward_signature.bind(values) == (args, kwargs)


def test_dims_are_collected_with_their_ranges():
    case = Case(
        Affine, W="d h", b="h", x="*batch n d", dims={"h": 4, "d": (2, 9)}, settings=Settings(dims={"n": (2, 3)})
    )
    assert case.ranges == {"d": (2, 9), "h": (4, 4), "n": (2, 3)}
    assert case.names == ("d", "h", "n")
    assert case.starred == ("batch",)
    assert (case.name, case.backward) == ("Affine", None)


def test_a_pair_of_functions_is_named_without_the_suffix():
    case = Case(affine_forward, affine_backward, x="n d", w="d h", b="h")
    assert (case.name, case.backward) == ("affine", affine_backward)


def test_a_case_knows_where_it_was_declared():
    case = Case(Parameterless, x="n")
    assert Path(case.file) == Path(__file__)
    assert "Case(Parameterless" in Path(__file__).read_text(encoding="utf-8").splitlines()[case.line - 1]


def test_a_case_is_frozen():
    case = Case(Parameterless, x="n")
    with pytest.raises(dataclasses.FrozenInstanceError):
        case.name = "other"


WHOLE = {"W": "d h", "b": "h", "x": "n d"}
REFUSED = {
    "unknown keyword": (lambda: Case(Affine, **WHOLE, zzz=1), "no argument is called zzz.*takes W, b.*takes x"),
    "misspelt keyword": (lambda: Case(Net, inputsize=3, x="n i", t="n"), "did you mean input_size=?"),
    "wrong case of a letter": (lambda: Case(Affine, W="d h", B="h", x="n d"), "did you mean b=?"),
    "input missing": (lambda: Case(Affine, W="d h", b="h"), r"Affine\.forward needs x.*x=\"n d\""),
    "parameter missing": (lambda: Case(Affine, W="d h", x="n d"), "Affine's constructor needs b"),
    "malformed shape": (lambda: Case(Affine, W="d,h", b="h", x="n d"), "W='d,h'.*malformed"),
    "string meant literally": (lambda: Case(Keywords, a="leaky relu!", x="n"), "write a=just\\('leaky relu!'\\)"),
    "no forward": (lambda: Case(type("Lost", (), {"backward": print}), x="n"), "Lost has no method forward"),
    "no backward": (lambda: Case(type("Lost", (), {"forward": print}), x="n"), "Lost has no method backward"),
    "an object": (lambda: Case(Parameterless(), x="n"), "give the class itself"),
    "no callable": (lambda: Case(3, x="n"), "expected a class"),
    "a function alone": (lambda: Case(affine_forward, x="n"), "expected its backward function"),
    "a class with a backward": (lambda: Case(Affine, affine_backward, **WHOLE), "brings its own backward"),
    "dim that no shape uses": (lambda: Case(Affine, **WHOLE, dims={"q": 3}), "no shape uses 'q'.*in use are: d, h, n"),
    "range upside down": (lambda: Case(Affine, **WHOLE, dims={"n": (3, 2)}), "least <= most"),
    "size 0": (lambda: Case(Affine, **WHOLE, dims={"n": 0}), "expected an integer >= 1, got 0"),
    "negative size": (lambda: Case(Affine, **WHOLE, dims={"n": (-1, 2)}), "expected an integer >= 1, got -1"),
    "list for a range": (lambda: Case(Affine, **WHOLE, dims={"n": [1, 2]}), r"\(least, most\)"),
    "three ends": (lambda: Case(Affine, **WHOLE, dims={"n": (1, 2, 3)}), r"\(least, most\)"),
    "bool as a size": (lambda: Case(Affine, **WHOLE, dims={"n": True}), "type bool"),
    "float as a size": (lambda: Case(Affine, **WHOLE, dims={"n": (1, 2.0)}), "type float"),
    "dims no mapping": (lambda: Case(Affine, **WHOLE, dims=3), "expected a mapping"),
    "plain and starred": (lambda: Case(Affine, W="d h", b="h", x="*h d"), "both as a plain dim and as"),
    "never positive": (lambda: Case(Affine, W="d-6 h", b="h", x="n d"), '"d-6" is below 1 for all sizes'),
    "literal zero": (lambda: Case(Parameterless, x="n 0"), '"0" is below 1'),
    "never positive together": (lambda: Case(Affine, W="d-h h-d", b="h", x="n d"), "never all at least 1"),
    "settings as a dict": (
        lambda: Case(Affine, **WHOLE, settings={"seed": 1}),
        r"expected settings=Settings\(\.\.\.\)",
    ),
    "spec not called": (lambda: Case(Net, input_size=3, hidden_size=3, output_size=3, x="n 3", t=labels), r"labels\("),
    "zero examples": (lambda: Settings(examples=0), "examples: expected an integer >= 1"),
    "negative seed": (lambda: Settings(seed=-1), "seed: expected an integer >= 0"),
    "bool seed": (lambda: Settings(seed=True), "type bool"),
    "allow without its comma": (lambda: Settings(allow="GP108"), "with the comma"),
    "settings dims": (lambda: Settings(dims=3), "expected a mapping"),
    "floats without room": (lambda: floats("n", min_value=1, max_value=1), "min_value < max_value"),
    "infinite bound": (lambda: floats("n", max_value=float("inf")), "finite number"),
    "bound no number": (lambda: floats("n", min_value="0"), "type str"),
    "labels below two dims": (lambda: labels("n", "c d"), "expected one size"),
    "one-hot of a malformed shape": (lambda: one_hot("n,", "c"), "malformed"),
    "size of nothing": (lambda: size(""), "expected one size"),
}


@pytest.mark.parametrize(("declare", "message"), REFUSED.values(), ids=REFUSED)
def test_a_declaration_that_cannot_work_is_refused_with_the_remedy(declare, message):
    with pytest.raises(UsageError, match=f"(?s){message}"):
        declare()


def test_only_wide_enough_ranges_make_a_difference_possible():
    with pytest.raises(UsageError, match="below 1"):
        Case(Parameterless, x="h-7")
    assert Case(Parameterless, x="h-7", dims={"h": (1, 8)}).ranges == {"h": (1, 8)}


def test_specs_pass_through_and_values_become_literals():
    case = Case(Keywords, x="n", a=3, b=(1, 2), c=None, d=just("relu"), e=np.zeros(2), f=st.integers(), g=positive("n"))
    kinds = {name: type(spec) for name, spec in case.init.items()}
    assert kinds == {"a": Literal, "b": Literal, "c": Literal, "d": Literal, "e": Literal, "f": Drawn, "g": Floats}
    assert case.init["d"].value == "relu"


def test_a_constant_of_any_kind_needs_no_gradient():
    made = [constant("n"), constant(positive("n")), constant(floats("n", max_value=1)), constant(np.zeros(2))]
    assert [spec.differentiable for spec in made] == [False] * 4
    assert made[1].exclude_min
    assert made[2].max_value == 1.0


DECLARED = [
    'Case(Affine, W="d h", b="h", x="n d")',
    'Case(Affine, W="d h", b="h", x="*batch d", dims={\'h\': 4})',
    "Case(Parameterless, x=\"*batch n\", dims={'n': (2, 6), 'batch': (1, 3)})",
    'Case(Net, input_size=size("i"), hidden_size=size("4*h"), output_size=size("o"), x="n i", t=labels("n", "o"))',
    'Case(Keywords, W=positive("n"), v=floats("n", min_value=-1.0), a=just(\'relu\'), x=constant(positive("n h+k-1")))',
    'Case(Keywords, W=one_hot("n", 10), v=(1, 2), a=None, t=constant("n"), x=np.array([1.0, 2.0]))',
    'Case(affine_forward, affine_backward, x="n d", w="d h", b="h", settings=Settings(seed=3, allow=(\'GP108\',)))',
    "Case(TakesDims, dims=(2, 3), x=\"n\", settings=Settings(dims={'n': 2}))",
]


@pytest.mark.parametrize("source", DECLARED)
def test_a_declaration_is_source_that_declares_the_same_case(source):
    assert eval(source).declaration() == source


def test_the_facade_names_what_it_exports():
    assert gradproof.__all__ == sorted(gradproof.__all__)
    assert set(gradproof.__all__) <= set(dir(gradproof))
    assert gradproof.Verdict is Verdict


def test_the_facade_refuses_a_name_that_it_does_not_have():
    with pytest.raises(AttributeError, match="no attribute 'chekc'"):
        _ = gradproof.chekc
