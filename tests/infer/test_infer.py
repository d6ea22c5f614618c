"""Which Case is inferred where none is declared, what stands in the way, and what a verdict on it is worth."""

from __future__ import annotations

import sys
import time

import numpy as np
import pytest

import inferred
from gradproof.checking import check_case
from gradproof.findings import SubjectReport
from gradproof.infer import search
from gradproof.infer.infer import infer
from gradproof.infer.inference import Inference, judged
from gradproof.values import Verdict

pytestmark = pytest.mark.table


def declared(subject):
    return infer(subject).declaration


CLASSES = [
    pytest.param("Dense", 'Case(Dense, weight="d h", bias="h", inputs="n d")', id="arrays under other names"),
    pytest.param("SizedDense", 'Case(SizedDense, n_in=size("d"), n_out=size("o"), inputs="n d")', id="sizes"),
    pytest.param("Lookup", 'Case(Lookup, table="v d", token_ids=labels("n", "v"))', id="indices into a table"),
    pytest.param(
        "GatedCell", 'Case(GatedCell, Wx="d 2*h", Wh="h 2*h", bias="2*h", x="n d", h_prev="n h")', id="two gates"
    ),
    pytest.param("SumOverTime", 'Case(SumOverTime, frames="n t d")', id="three axes unpacked"),
    pytest.param("ChannelMean", 'Case(ChannelMean, images="n c h w")', id="four axes unpacked"),
    pytest.param(
        "SmoothedDifference", "Case(SmoothedDifference, frames=\"n t d\", dims={'t': (3, 6)})", id="a least size"
    ),
    pytest.param(
        "SoftmaxCrossEntropy",
        'Case(SoftmaxCrossEntropy, scores="n c", labels=labels("n", "c"), dims={\'c\': (2, 6)})',
        id="class labels",
    ),
    pytest.param(
        "SquaredErrorLoss", 'Case(SquaredErrorLoss, prediction="n d", target=constant("n d"))', id="values as targets"
    ),
    pytest.param("Skip", 'Case(Skip, layer=Tanh(), x="n d")', id="a layer as an argument"),
    pytest.param(
        "ShapedDense", 'Case(ShapedDense, shape_in=sizes("h"), shape_out=sizes("k"), x="h")', id="shapes of one example"
    ),
    pytest.param(
        "HalvedImage",
        'Case(HalvedImage, shape_in=sizes("2*c 2*t w"), shape_out=sizes("c t w"), kernel_size=2, x="2*c 2*t w")',
        id="a window that divides the shape of one example",
    ),
    pytest.param("Heads", 'Case(Heads, d_model=size("2*k"), n_heads=2, x="n t 2*k")', id="heads divide the features"),
    pytest.param(
        "PenalisedDense",
        'Case(PenalisedDense, n_in=size("d"), n_out=size("o"), l2=0.0, x="n d")',
        id="no penalty that forward does not return",
    ),
    pytest.param("HandsOn", 'Case(HandsOn, x="n d")', id="an identity"),
    pytest.param("ResidualFromZero", 'Case(ResidualFromZero, d=size("k"), x="n k")', id="an identity at first"),
    pytest.param("Annotations", 'Case(Annotations, p="i o", q="batch i")', id="annotated shapes"),
    pytest.param(
        "RotatedPairs",
        'Case(RotatedPairs, dim=size("2*k"), max_len=size("d+t"), x="n t 2*k")',
        id="every second feature, and a table with room",
    ),
    pytest.param("Subpixels", 'Case(Subpixels, r=2, x="n 4*c h w")', id="a bare assert of divisibility"),
    pytest.param("Pointwise", 'Case(Pointwise, f=np.exp, f_prime=np.exp, x="n d")', id="a function and its derivative"),
]


@pytest.mark.parametrize(("name", "declaration"), CLASSES)
def test_the_case_of_a_class_is_found(name, declaration):
    assert declared(getattr(inferred, name)) == declaration


@pytest.mark.parametrize(
    ("subject", "declaration"),
    [
        pytest.param(
            (inferred.scale_forward, inferred.scale_backward),
            'Case(scale_forward, scale_backward, x="n h", gamma="h", scale_param={\'momentum\': 0.9})',
            id="a dict whose keys are read",
        ),
        pytest.param(
            (inferred.image_scale_forward, inferred.image_scale_backward),
            'Case(image_scale_forward, image_scale_backward, x="n c h w", gamma="1 c 1 1", beta="1 c 1 1")',
            id="scales with an axis for each of the image's",
        ),
        pytest.param(
            (inferred.attend_forward, inferred.attend_backward),
            'Case(attend_forward, attend_backward, query="n t d", key="n s d", value="n s e")',
            id="queries keys and values",
        ),
        pytest.param(
            (inferred.gated_forward, inferred.gated_backward),
            'Case(gated_forward, gated_backward, xt="n h", a_prev="k h", '
            'parameters=arrays({"Wa": "d k+n", "ba": "d 1"}))',
            id="weights in a dict and inputs side by side",
        ),
        pytest.param(
            (inferred.layer_norm_forward, inferred.layer_norm_backward),
            'Case(layer_norm_forward, layer_norm_backward, x="n h", gamma="h", beta="h", eps=1e-05)',
            id="an epsilon that arrays meet",
        ),
        pytest.param(
            (inferred.similarity_forward, inferred.similarity_backward),
            'Case(similarity_forward, similarity_backward, a="n h", b="n h")',
            id="an input called b is no bias",
        ),
    ],
)
def test_the_case_of_a_pair_is_found(subject, declaration):
    assert declared(subject) == declaration


def test_the_case_of_a_loss_function_is_found():
    assert declared(inferred.margin_loss) == 'Case(margin_loss, scores="n c", y=labels("n", "c"), dims={\'c\': (2, 6)})'


@pytest.mark.parametrize("name", [parameter.values[0] for parameter in CLASSES])
def test_what_is_inferred_of_a_right_layer_passes(name):
    found = infer(getattr(inferred, name))
    report = judged(check_case(found.case, location=name, examples=5), found)
    assert (report.verdict, [f for f in report.findings if f.severity == "error"]) == (Verdict.PASS, [])
    assert report.notes[0] == f"no Case was declared; checked as {found.declaration}"


def test_a_flattened_image_has_the_product_of_its_sizes():
    found = infer(inferred.FlattenDense)
    assert found.case is not None
    assert check_case(found.case, location="FlattenDense", examples=5).verdict is Verdict.PASS


def test_features_before_the_batch_are_found():
    found = infer(inferred.ColumnwiseDense)
    assert found.case is not None
    assert check_case(found.case, location="ColumnwiseDense", examples=5).verdict is Verdict.PASS


def test_a_loss_of_probabilities_is_given_probabilities():
    found = infer(inferred.LogLikelihoodOfProbabilities)
    assert "y_pred=floats(" in found.declaration
    assert "min_value=0.0, max_value=1.0" in found.declaration


def test_two_kinds_of_targets_that_run_are_both_told():
    found = infer(inferred.SquaredErrorLoss)
    assert any('target=one_hot("n", "c")' in other.declaration() for other in found.others)


def test_a_gradient_of_a_wrong_shape_changes_no_shape():
    assert declared(inferred.BiasNotSummed) == 'Case(BiasNotSummed, weight="d h", bias="h", inputs="n d")'


def test_a_backward_that_raises_makes_no_matrix_square():
    declaration = 'Case(TransposeForgotten, weight="d h", bias="h", inputs="n d")'
    assert declared(inferred.TransposeForgotten) == declaration


def test_what_does_not_run_is_told_with_its_exception_and_a_declaration_to_fill_in():
    found = infer(inferred.Misspelt)
    assert found.case is None
    assert "'Misspelt' object has no attribute 'wieght'" in found.problem
    assert "\nDeclare it" in found.problem
    assert "\nmisspelt = Case(Misspelt, " in found.problem


def test_an_output_that_ignores_its_input_is_no_clean_run():
    found = infer(inferred.Ignores)
    assert (
        found.case is None
        or judged(check_case(found.case, location="Ignores", examples=3), found).verdict is not Verdict.PASS
    )


def test_a_layer_that_runs_only_where_two_sizes_are_equal_does_not_pass():
    found = infer(inferred.OnlySquare)
    assert found.doubts == ("it runs only where embed_size == hidden_size",)
    report = judged(check_case(found.case, location="OnlySquare", examples=3), found)
    assert report.verdict is Verdict.INCONCLUSIVE
    assert report.reason.startswith("it runs only where embed_size == hidden_size. Where its shapes are right, declare")


@pytest.mark.parametrize(
    ("name", "why"),
    [
        pytest.param("NotYetWritten", "whatever n_in and n_out may be", id="parameters without effect"),
        pytest.param("Chain", "it was built with nothing in *layers that changes it", id="no layers"),
    ],
)
def test_a_layer_that_hands_its_input_on_with_parameters_or_layers_does_not_pass(name, why):
    found = infer(getattr(inferred, name))
    report = judged(check_case(found.case, location=name, examples=3), found)
    assert report.verdict is Verdict.INCONCLUSIVE
    assert report.reason.startswith("forward returns its input as it is")
    assert why in report.reason


def test_an_own_fault_ends_the_search_at_once():
    assert infer(inferred.Misspelt).forwards <= 2


def slow_to_refuse(seconds):
    class Slow:
        def forward(self, x, y, z, u, v):
            time.sleep(seconds)
            raise ValueError("no")

        def backward(self, dout):
            return dout

    return Slow


def test_a_search_ends_in_time_and_says_so(monkeypatch):
    monkeypatch.setattr(search, "SECONDS", 0.1)
    began = time.perf_counter()
    found = infer(slow_to_refuse(0.2))
    assert found.case is None
    assert "the search was cut off after 60 s" in found.problem  # the limit as it is when it is not shortened
    assert time.perf_counter() - began < 10


def report(verdict, tensors=()):
    return SubjectReport("A", "a.py::A", verdict, tensors, (), 1, 1, 0, 0.0)


def case():
    return infer(inferred.Tanh).case


def test_declarations_that_disagree_pass_for_nothing():
    found = Inference(case(), others=(case(),))
    said = judged(report(Verdict.PASS), found, [report(Verdict.FAIL)])
    assert said.verdict is Verdict.INCONCLUSIVE
    assert said.notes[1] == 'checked as Case(Tanh, x="n d"), the verdict is FAIL'


def test_declarations_that_agree_leave_a_pass_alone():
    found = Inference(case(), others=(case(),))
    assert judged(report(Verdict.PASS), found, [report(Verdict.PASS)]).verdict is Verdict.PASS


def test_functions_that_were_chosen_accuse_nobody():
    found = infer(inferred.Pointwise)
    assert judged(report(Verdict.FAIL, tensors=("x",)), found).verdict is Verdict.INCONCLUSIVE


def test_the_random_state_of_the_caller_is_left_alone():
    np.random.seed(3)  # noqa: NPY002
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    infer(inferred.SizedDense)
    assert np.array_equal(before, np.random.get_state()[1])  # noqa: NPY002


def test_inference_imports_no_jaxtyping():
    infer(inferred.Annotations)
    assert "jaxtyping" not in sys.modules
