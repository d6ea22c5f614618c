"""The generation of examples: corner shapes, domains, determinism, and the shrinking of a failing one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

from gradproof import Case, UsageError, constant, floats, just, labels, one_hot, positive, size
from gradproof.case.sizes import corners
from gradproof.generate.arrays import INPUT_STYLES, PARAMETER_STYLES, Style, draw
from gradproof.generate.generate import search, shrink
from gradproof.values import Example, Outcome, Reason, Role, TensorResult, Verdict

pytestmark = pytest.mark.table


class Affine:
    def __init__(self, W, b):
        pass

    def forward(self, x):
        pass

    def backward(self, dout):
        pass


class Anything:
    def __init__(self, **arguments):
        pass

    def forward(self, x, t=None):
        pass

    def backward(self, dout):
        pass


AFFINE = Case(Affine, W="d h", b="h", x="n d")
STARRED = Case(Affine, W="d h", b="h", x="*batch d")
CONVOLUTION = Case(Affine, W="k k", b="", x="n h h-k+1")


def judge(example: Example) -> Outcome:
    return Outcome(example)


def outcome_of(example: Example, *, failed: bool) -> Outcome:
    return Outcome(example, unjudged=Reason.KINK if failed else None)


def failing(outcome: Outcome) -> bool:
    return outcome.unjudged is not None


def examples(case: Case, count: int = 25, seed: int = 0) -> list[Example]:
    return [outcome.example for outcome in search(case, judge, examples=count, seed=seed)]


def as_text(found: list[Example]) -> str:
    return repr([(e.dims, e.seed, *e.init.values(), *e.inputs.values()) for e in found])


def test_the_corner_shapes_of_an_affine_layer():
    assert [tuple(dims[name] for name in ("n", "d", "h")) for dims in corners(AFFINE.space)] == [
        (2, 3, 5),  # all different
        (1, 2, 3),  # batch 1
        (2, 1, 3),
        (2, 3, 1),
        (3, 3, 3),  # all equal
        (1, 1, 1),
        (0, 3, 5),  # an empty batch
    ]


def test_the_corner_shapes_behind_a_star():
    batches = [dims["batch"] for dims in corners(STARRED.space)]
    assert {(), (2,), (2, 3), (1,), (3,), (0,)} == set(batches)
    assert batches[-1] == (0,)


def test_corners_respect_ranges_and_differences():
    case = Case(Affine, W="k k", b="", x="n h h-k+1", dims={"n": (2, 4), "h": (4, 6)})
    found = corners(case.space)
    assert found
    for dims in found:
        assert 2 <= dims["n"] <= 4
        assert 4 <= dims["h"] <= 6
        assert dims["h"] - dims["k"] + 1 >= 1


BATCHES = {
    "leading dim": (AFFINE, "n"),
    "leading star": (STARRED, "batch"),
    "dim that the constructor uses": (Case(Affine, W="d d", b="d", x="d"), None),
    "dim that counts classes": (Case(Anything, x="v d", t=labels("n", "v")), None),
    "leading expression": (Case(Affine, W="d", b="d", x="2*n d"), None),
    "scalar": (Case(Affine, W="d", b="d", x=""), None),
    "no array": (Case(Affine, W="d", b="d", x=3.0), None),
}


@pytest.mark.parametrize(("case", "batch"), BATCHES.values(), ids=BATCHES)
def test_the_batch_is_the_leading_dim_of_the_first_input_unless_it_counts_something_else(case, batch):
    assert case.space.batch == batch


def test_the_empty_batch_comes_last_and_not_where_the_range_excludes_it():
    found = examples(AFFINE)
    assert [e.dims["n"] == 0 for e in found] == [False] * (len(found) - 1) + [True]
    assert found[-1].inputs["x"].shape == (0, 3)
    assert all(e.dims["n"] >= 2 for e in examples(Case(Affine, W="d h", b="h", x="n d", dims={"n": (2, 5)})))


@pytest.mark.parametrize("case", [AFFINE, STARRED, CONVOLUTION], ids=repr)
def test_every_array_has_the_declared_shape_and_layout(case):
    found = examples(case)
    assert len(found) == len(corners(case.space)) + 25
    for example in found:
        for name, array in {**example.init, **example.inputs}.items():
            assert array.shape == {**case.init, **case.inputs}[name].shape.resolve(example.dims)
            assert array.dtype == np.float64
            assert array.flags.c_contiguous
            assert array.flags.writeable
            assert np.all(np.isfinite(array))


def test_random_dims_cover_their_range():
    found = examples(AFFINE, 100)
    assert {e.dims["d"] for e in found} == {1, 2, 3, 4, 5, 6}
    assert len({tuple(e.dims.values()) for e in found}) > 40  # Hypothesis repeats itself


DOMAINS = {
    "positive": positive("n"),
    "from below": floats("n", min_value=2),
    "from above": floats("n", max_value=-2),
    "both": floats("n", min_value=-1, max_value=1),
    "narrow": floats("n", min_value=1.0, max_value=1.5),
}


@pytest.mark.parametrize("style", Style)
@pytest.mark.parametrize("spec", DOMAINS.values(), ids=DOMAINS)
def test_every_style_stays_strictly_inside_the_domain(spec, style):
    values = draw(spec, (1000,), style, np.random.default_rng(0))
    assert spec.min_value is None or np.min(values) > spec.min_value
    assert spec.max_value is None or np.max(values) < spec.max_value


def test_dout_is_drawn_from_another_stream_than_the_values():
    drawn = [(e.inputs["x"].reshape(-1), np.random.default_rng(e.seed)) for e in examples(Case(Anything, x="n d"), 40)]
    assert not any(np.isin(rng.standard_normal(values.size), values).any() for values, rng in drawn if values.size)


def test_values_include_zeros_ties_negatives_large_and_tiny():
    pool = np.concatenate([e.inputs["x"].ravel() for e in examples(AFFINE, 100)])
    assert np.any(pool == 0)
    assert np.any(pool < 0)
    assert np.any(np.abs(pool) > 100)
    assert np.any((np.abs(pool) < 1e-3) & (pool != 0))
    assert np.unique(pool).size < pool.size


def test_parameters_are_never_zero_or_huge():
    assert set(PARAMETER_STYLES) < set(INPUT_STYLES)
    pool = np.concatenate([e.init["W"].ravel() for e in examples(AFFINE, 100)])
    assert np.all(pool != 0)
    assert np.max(np.abs(pool)) < 10


def test_the_other_specs_draw_what_they_say():
    case = Case(Anything, h=size("4*c"), y=one_hot("n", "c"), name=just("relu"), x="n c", t=labels("n", "c"))
    for e in examples(case):
        classes = e.dims["c"]
        assert e.init["h"] == 4 * classes
        assert e.init["name"] == "relu"
        assert e.init["y"].shape == (e.dims["n"], classes)
        assert np.all(np.sort(e.init["y"], axis=1) == np.eye(classes)[-1])
        assert e.inputs["t"].dtype.kind == "i"
        assert np.all((e.inputs["t"] >= 0) & (e.inputs["t"] < classes))
    assert len({tuple(e.inputs["t"]) for e in examples(case)}) > 10


ROLES = {
    "float input": ({"x": "n"}, {"x"}, set()),
    "constant": ({"x": constant("n")}, set(), {"x"}),
    "labels and one-hot": ({"x": one_hot("n", 3), "t": labels("n", 3)}, set(), {"x"}),
    "float literal": ({"x": np.zeros(2), "t": np.zeros(2, int)}, {"x"}, set()),
    "constant literal": ({"x": constant(np.zeros(2))}, set(), {"x"}),
    "number": ({"x": 2.0}, set(), set()),
    "strategy of arrays": ({"x": st.just(np.zeros(2)), "t": st.just(0)}, {"x"}, set()),
    "constant parameter": ({"x": "n", "mean": constant("n"), "W": "n"}, {"x"}, {"mean"}),
}


@pytest.mark.parametrize(("arguments", "differentiable", "fixed"), ROLES.values(), ids=ROLES)
def test_an_example_says_whose_gradient_is_checked(arguments, differentiable, fixed):
    example = examples(Case(Anything, **arguments), 1)[0]
    assert (example.differentiable, example.fixed) == (differentiable, fixed)


def test_a_mutable_literal_is_fresh_in_each_example():
    shared = [1, 2]
    first, second, *_ = examples(Case(Anything, sizes=shared, x=np.zeros(3)))
    first.init["sizes"].append(3)
    first.inputs["x"][0] = 7
    assert (shared, second.init["sizes"], second.inputs["x"][0]) == ([1, 2], [1, 2], 0)


def test_a_literal_that_cannot_be_copied_is_passed_as_it_is():
    assert examples(Case(Anything, module=os, x="n"), 1)[0].init["module"] is os


def test_the_same_seed_gives_the_same_examples_and_another_seed_others():
    assert as_text(examples(STARRED, seed=7)) == as_text(examples(STARRED, seed=7))
    assert as_text(examples(STARRED, seed=7)) != as_text(examples(STARRED, seed=8))


def test_global_random_state_is_neither_used_nor_touched():
    np.random.seed(0)  # noqa: NPY002
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    examples(AFFINE)
    assert np.array_equal(before, np.random.get_state()[1])  # noqa: NPY002


STRATEGIES = Case(Anything, p=st.integers(0, 1000), x="n d")


def test_strategies_are_drawn_anew_for_each_example():
    found = examples(STRATEGIES, 40)
    assert len(found) == len(corners(STRATEGIES.space)) + 40
    assert len({e.init["p"] for e in found}) > 10
    assert as_text(found) == as_text(examples(STRATEGIES, 40))


def test_a_strategy_with_few_values_repeats_them():
    found = examples(Case(Anything, p=st.sampled_from([1, 2]), x="n d"))
    assert {e.init["p"] for e in found} == {1, 2}


NARROW = {
    "three dims": AFFINE,
    "one dim": Case(Affine, W="d d", b="d", x="d"),
    "two values": Case(Anything, p=st.sampled_from([1, 2]), x=""),
    "a number": Case(Anything, x=3.0),
}


@pytest.mark.parametrize("case", NARROW.values(), ids=NARROW)
@pytest.mark.parametrize("seed", range(3))
def test_as_many_examples_as_asked_for_are_judged_and_none_of_them_twice(case, seed):
    found = examples(case, 60, seed)
    assert len(found) == len(corners(case.space)) + 60
    assert len({as_text([example]) for example in found}) == len(found)


def test_a_strategy_without_values_is_a_usage_error():
    with pytest.raises(UsageError, match="no value can be drawn"):
        examples(Case(Anything, p=st.nothing(), x="n d"))


def test_disagreement_steers_the_values_of_a_strategy():
    def climb(example: Example) -> Outcome:
        seen = TensorResult(
            "x", Role.INPUT, (1,), Verdict.FAIL, "literal", 1, 1, 1, resolution=float(example.init["p"])
        )
        return Outcome(example, (seen,))

    case = Case(Anything, p=st.integers(0, 10**6), x="n d")
    climbed = [o.example.init["p"] for o in search(case, climb, examples=100, seed=1)]
    assert max(climbed[50:]) >= max(climbed[:50])
    assert max(climbed) > 0.9 * 10**6


@pytest.mark.parametrize("case", [AFFINE, STRATEGIES], ids=["arrays", "strategies"])
def test_a_search_inside_a_running_hypothesis_test_is_the_same_search(case):
    expected = as_text(examples(case, 5))

    @hypothesis.settings(
        max_examples=3, database=None, derandomize=True, suppress_health_check=list(hypothesis.HealthCheck)
    )
    @hypothesis.given(st.integers())
    def outer(_):
        assert as_text(examples(case, 5)) == expected

    outer()


ODD_PROFILE = """import hypothesis
hypothesis.settings.register_profile("odd", max_examples=2, derandomize=True, phases=[hypothesis.Phase.explicit])
hypothesis.settings.load_profile("odd")
"""
DIGEST = """import hashlib, test_generate as t
text = t.as_text(t.examples(t.STARRED)) + t.as_text(t.examples(t.STRATEGIES, 30))
print(hashlib.sha1(text.encode()).hexdigest())
"""
ELSEWHERE = {"another process": ("", "1"), "another hash seed": ("", "2"), "another profile": (ODD_PROFILE, "1")}


def digest(prelude: str, hash_seed: str) -> str:
    root = Path(__file__).parents[2]
    path = os.pathsep.join([str(root / "checks"), str(Path(__file__).parent)])
    env = {**os.environ, "PYTHONPATH": path, "PYTHONHASHSEED": hash_seed}
    return subprocess.run(
        [sys.executable, "-c", prelude + DIGEST], capture_output=True, text=True, check=True, env=env
    ).stdout


@pytest.mark.parametrize(("prelude", "hash_seed"), ELSEWHERE.values(), ids=ELSEWHERE)
def test_the_same_seed_gives_the_same_examples_everywhere(prelude, hash_seed):
    assert digest(prelude, hash_seed) == digest("", "1")


def test_constants_in_the_users_modules_do_not_change_the_examples(tmp_path):
    """Hypothesis mixes the constants of local modules into some of what it draws."""
    numbers = "\n".join(f"A{number} = {number}, b'{number:04}'" for number in range(101, 300))
    (tmp_path / "constants.py").write_text(numbers, encoding="utf-8")
    importing = f"import sys\nsys.path.append({str(tmp_path)!r})\nimport constants\n"
    many = "import test_generate as t\nt.STRATEGIES = t.AFFINE\n"
    many += "print(t.as_text(t.examples(t.AFFINE, 300)))\n"
    assert digest(importing + many, "1") == digest(many, "1")


@pytest.mark.parametrize("case", [AFFINE, STRATEGIES], ids=["arrays", "strategies"])
@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, ZeroDivisionError])
def test_an_exception_in_judge_comes_out_at_once_and_loses_nothing(case, kind, capsys):
    calls, kept = [], []

    def interrupted(example: Example) -> Outcome:
        calls.append(example)
        if len(calls) == 12:
            raise kind("now")
        return Outcome(example)

    with pytest.raises(kind, match="now") as raised:
        search(case, interrupted, examples=1000, seed=0, into=kept)
    assert (len(calls), len(kept)) == (12, 11)
    assert not hasattr(raised.value, "__notes__")
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("case", [AFFINE, STRATEGIES], ids=["arrays", "strategies"])
def test_a_search_ends_when_it_is_asked_to(case):
    kept: list[Outcome] = []
    search(case, judge, examples=1000, seed=0, stop=lambda: len(kept) >= 12, into=kept)
    assert len(kept) == 12


def test_a_search_goes_on_after_a_failure():
    found = search(AFFINE, lambda e: outcome_of(e, failed=True), examples=5, seed=0)
    assert len(found) == len(corners(AFFINE.space)) + 5


def negative(example: Example) -> bool:
    return bool(np.any(example.inputs["x"] < 0))


LAWS = {
    "always": (AFFINE, lambda e: True, {"n": 1, "d": 1, "h": 1}),
    "batch of two": (AFFINE, lambda e: e.dims["n"] >= 2, {"n": 2, "d": 1, "h": 1}),
    "odd, not 1": (AFFINE, lambda e: e.dims["h"] % 2 == 1 and e.dims["h"] > 1, {"n": 1, "d": 1, "h": 3}),
    "wider than long": (AFFINE, lambda e: e.dims["d"] > e.dims["h"] > 1, {"n": 1, "d": 3, "h": 2}),
    "square": (AFFINE, lambda e: e.dims["d"] == e.dims["h"] >= 2, {"n": 1, "d": 2, "h": 2}),
    "negative x": (AFFINE, negative, {"n": 1, "d": 1, "h": 1}),
    "negative x in the last row": (
        AFFINE,
        lambda e: e.dims["n"] >= 3 and bool(np.any(e.inputs["x"][2] < 0)),
        {"n": 3, "d": 1, "h": 1},
    ),
    "large x": (AFFINE, lambda e: bool(np.any(np.abs(e.inputs["x"]) > 50)), {"n": 1, "d": 1, "h": 1}),
    "two axes in front": (STARRED, lambda e: e.inputs["x"].ndim == 3, {"d": 1, "h": 1, "batch": (1, 1)}),
    "no axis in front": (STARRED, lambda e: e.inputs["x"].ndim == 1, {"d": 1, "h": 1, "batch": ()}),
    "difference": (CONVOLUTION, lambda e: e.dims["h"] - e.dims["k"] >= 2, {"h": 3, "k": 1, "n": 1}),
    "empty batch": (AFFINE, lambda e: e.dims["n"] == 0, {"n": 0, "d": 1, "h": 1}),
}


@pytest.mark.parametrize(("case", "law", "dims"), LAWS.values(), ids=LAWS)
@pytest.mark.parametrize("seed", [0, 1])
def test_a_failing_example_is_shrunk_to_the_smallest_dims_of_its_law(case, law, dims, seed):
    judged: list[Example] = []

    def by_law(example: Example) -> Outcome:
        judged.append(example)
        return outcome_of(example, failed=law(example))

    start = next(o.example for o in search(case, by_law, examples=50, seed=seed) if failing(o))
    judged.clear()
    smallest = shrink(case, by_law, failing, seed=seed, examples=50, start=start)
    assert smallest is not None
    assert failing(smallest)
    assert dict(smallest.example.dims) == dims
    assert len(judged) <= 150
    for name, spec in {**case.init, **case.inputs}.items():
        assert {**smallest.example.init, **smallest.example.inputs}[name].shape == spec.shape.resolve(dims)


def test_values_are_shrunk_to_round_ones_that_still_fail():
    def both_signs(example: Example) -> Outcome:
        x = example.inputs["x"]
        return outcome_of(example, failed=bool(np.any(x < -0.5) and np.any(x > 20)))

    smallest = shrink(AFFINE, both_signs, failing, seed=0, examples=100)
    assert smallest is not None
    x = smallest.example.inputs["x"]
    assert x.size == 2
    assert np.array_equal(x, np.rint(x))


def test_shrunk_values_stay_in_their_domain():
    case = Case(Anything, x=floats("n", min_value=0.0, max_value=0.9), t=positive("n"))
    smallest = shrink(case, lambda e: outcome_of(e, failed=e.dims["n"] >= 2), failing, seed=0, examples=5)
    assert smallest is not None
    assert np.all((smallest.example.inputs["x"] > 0) & (smallest.example.inputs["x"] < 0.9))
    assert np.all(smallest.example.inputs["t"] > 0)


def test_shrunk_labels_and_one_hot_rows_stay_valid():
    case = Case(Anything, y=one_hot("n", "c"), x="n c", t=labels("n", "c"))
    start = next(e for e in examples(case) if e.dims == {"n": 3, "c": 3})
    smallest = shrink(case, lambda e: outcome_of(e, failed=e.dims["n"] >= 2), failing, seed=0, examples=5, start=start)
    assert smallest is not None
    assert smallest.example.dims == {"n": 2, "c": 1}
    assert np.array_equal(smallest.example.inputs["t"], [0, 0])
    assert np.array_equal(smallest.example.init["y"], [[1.0], [1.0]])


def test_the_values_of_strategies_are_shrunk_too():
    def law(example: Example) -> Outcome:
        return outcome_of(example, failed=example.init["p"] >= 17 and example.dims["d"] >= 2)

    smallest = shrink(STRATEGIES, law, failing, seed=0, examples=25)
    assert smallest is not None
    assert (smallest.example.init["p"], smallest.example.dims) == (17, {"n": 1, "d": 2})


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, ZeroDivisionError])
@pytest.mark.parametrize("call", [3, 12])
def test_an_exception_in_judge_ends_a_shrinking_at_once(kind, call, capsys):
    calls: list[Example] = []

    def interrupted(example: Example) -> Outcome:
        calls.append(example)
        if len(calls) == call:
            raise kind("now")
        return outcome_of(example, failed=example.dims["n"] >= 2 and example.dims["d"] >= 2)

    start = next(e for e in examples(AFFINE) if e.dims == {"n": 2, "d": 3, "h": 5})
    with pytest.raises(kind, match="now"):
        shrink(AFFINE, interrupted, failing, seed=0, examples=5, start=start)
    assert len(calls) == call
    assert capsys.readouterr() == ("", "")


def test_a_judge_that_contradicts_itself_still_gives_a_failing_outcome():
    calls: list[Example] = []

    def fickle(example: Example) -> Outcome:
        calls.append(example)
        return outcome_of(example, failed=len(calls) % 3 != 0)

    smallest = shrink(AFFINE, fickle, failing, seed=0, examples=5, start=examples(AFFINE, 1)[0])
    assert smallest is not None
    assert failing(smallest)
    assert len(calls) <= 150


def test_nothing_is_shrunk_where_nothing_fails():
    assert shrink(AFFINE, judge, failing, seed=0, examples=5) is None


def test_a_start_that_does_not_fail_again_gives_nothing():
    assert shrink(AFFINE, judge, failing, seed=0, examples=5, start=examples(AFFINE, 1)[0]) is None


def test_wide_ranges_are_shrunk_within_the_budget():
    case = Case(Anything, x="n d", dims={"n": (1, 1000), "d": (1, 1000)})
    calls: list[Example] = []

    def law(example: Example) -> Outcome:
        calls.append(example)
        return outcome_of(example, failed=example.dims["n"] >= 37)

    start = Example({"n": 900, "d": 40}, {}, {"x": np.ones((900, 40)), "t": None}, 0)
    smallest = shrink(case, law, failing, seed=0, examples=5, start=start)
    assert smallest is not None
    assert len(calls) <= 150
    assert smallest.example.dims == {"n": 37, "d": 1}
