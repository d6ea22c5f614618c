"""From outcomes to the counts and the verdict of a subject."""

from __future__ import annotations

import numpy as np
import pytest

from gradproof.diagnose import summary
from gradproof.findings import Finding
from gradproof.values import Entry, Example, LayerError, Outcome, Reason, Role, TensorResult, Verdict

NAN = float("nan")


def result(name="x", verdict=Verdict.PASS, entries=4, judged=4, resolution=1e-11, **more):
    return TensorResult(
        name, Role.INPUT, (entries,), verdict, "entry by entry", entries, judged, 10, resolution=resolution, **more
    )


def outcome(*tensors, dims=None, **more):
    return Outcome(Example(dims or {}, {}, {}, 0), tensors, **more)


def judged(*outcomes, findings=()):
    return summary.verdict(summary.summarise(outcomes), findings, outcomes)


WRONG = Finding("GP101", "Node", tensor="x")
ALLOWED = Finding("GP108", "Node", tensor="x", severity="allowed")


def test_counts_are_added_up_and_the_resolution_is_the_median_of_those_that_passed():
    outcomes = [
        outcome(result(resolution=1e-12, kinks=1, unjudged={Reason.KINK: 1}, judged=3)),
        outcome(result(resolution=3e-12, unjudged={Reason.KINK: 2}, judged=2)),
        outcome(result(resolution=1.0, verdict=Verdict.FAIL)),
        outcome(result("w", entries=2, judged=2)),
    ]
    x, w = summary.summarise(outcomes)
    assert (x.name, x.examples, x.entries, x.judged, x.kinks, x.forwards) == ("x", 3, 12, 9, 1, 30)
    assert (x.verdict, x.unjudged) == (Verdict.FAIL, {Reason.KINK: 3})
    assert x.resolution == pytest.approx(2e-12)
    assert (w.name, w.verdict) == ("w", Verdict.PASS)


def test_an_example_without_entries_does_not_count_as_one():
    (x,) = summary.summarise(
        [outcome(result(entries=0, judged=0, verdict=Verdict.INCONCLUSIVE, resolution=NAN)), outcome(result())]
    )
    assert (x.examples, x.verdict) == (1, Verdict.PASS)


def test_all_judged_and_right_is_a_pass():
    assert judged(outcome(result(), result("w")), outcome(result())) == (Verdict.PASS, None)


def test_a_finding_is_a_failure_and_an_allowed_one_is_none():
    wrong = outcome(result(verdict=Verdict.FAIL))
    assert judged(wrong, findings=[WRONG]) == (Verdict.FAIL, None)
    assert judged(wrong, findings=[ALLOWED]) == (Verdict.PASS, None)


def test_an_allowed_finding_of_one_tensor_does_not_cover_another():
    open_one = result("w", verdict=Verdict.INCONCLUSIVE, judged=0, unjudged={Reason.BELOW_RESOLUTION: 4})
    verdict, reason = judged(outcome(result(verdict=Verdict.FAIL), open_one), findings=[ALLOWED])
    assert (verdict, reason) == (Verdict.INCONCLUSIVE, "w: below resolution in 4 of 4 entries")


@pytest.mark.parametrize("reason", [Reason.QUANTISED, Reason.JUMP, Reason.KINK, Reason.BELOW_RESOLUTION], ids=str)
def test_entries_without_an_answer_give_their_reason(reason):
    verdict, words = judged(outcome(result(verdict=Verdict.INCONCLUSIVE, judged=0, unjudged={reason: 4})))
    assert (verdict, words) == (Verdict.INCONCLUSIVE, f"x: {reason} in 4 of 4 entries")


def test_the_most_frequent_reason_is_given():
    open_one = result(verdict=Verdict.INCONCLUSIVE, judged=0, unjudged={Reason.KINK: 1, Reason.JUMP: 3})
    assert judged(outcome(open_one))[1] == "x: jump in 3 of 4 entries"


def test_most_entries_must_have_an_answer():
    few = result(verdict=Verdict.INCONCLUSIVE, judged=1, unjudged={Reason.KINK: 3})
    assert judged(outcome(few))[0] is Verdict.INCONCLUSIVE
    assert judged(outcome(few), *[outcome(result())] * 3) == (Verdict.PASS, None)


@pytest.mark.parametrize("reason", [Reason.NON_DETERMINISTIC, Reason.QUANTISED], ids=str)
def test_one_example_of_a_systematic_kind_prevents_a_pass(reason):
    odd = outcome(unjudged=reason, notes=("the reason in words",))
    assert judged(outcome(result()), odd) == (Verdict.INCONCLUSIVE, f"{reason}: the reason in words")


def test_one_example_outside_of_the_domain_prevents_nothing():
    assert judged(outcome(result()), outcome(unjudged=Reason.NON_FINITE, notes=("NaN",))) == (Verdict.PASS, None)


@pytest.mark.parametrize(
    "outcomes",
    [
        pytest.param([], id="no example"),
        pytest.param([outcome(unjudged=Reason.NOT_EXAMINED)], id="nothing examined"),
        pytest.param([outcome(result(entries=0, judged=0, verdict=Verdict.INCONCLUSIVE))], id="empty tensors only"),
        pytest.param([outcome(error=LayerError("forward", "ValueError", "", ""))], id="crashes only"),
    ],
)
def test_a_run_that_checked_nothing_does_not_pass(outcomes):
    verdict, reason = judged(*outcomes)
    assert verdict is Verdict.INCONCLUSIVE
    assert reason.startswith(Reason.NOT_EXAMINED)


def test_the_dims_are_those_of_examined_examples():
    outcomes = [
        outcome(result(), dims={"n": 2, "batch": (1, 2)}),
        outcome(result(), dims={"n": 5, "batch": ()}),
        outcome(dims={"n": 0, "batch": (1,)}, unjudged=Reason.NOT_EXAMINED),
    ]
    assert summary.dims_tried(outcomes) == {"n": (2, 5), "*batch": (0, 2)}


def test_every_note_is_given_once():
    outcomes = [outcome(result(), notes=("frozen", "refused")), outcome(result(), notes=("frozen",))]
    assert summary.notes(outcomes, summary.summarise(outcomes)) == ("frozen", "refused")


def test_a_blurred_forward_is_noted_and_a_sharp_one_is_not():
    blurred, sharp = ([outcome(result(resolution=size))] for size in (1e-5, 1e-10))
    assert summary.notes(sharp, summary.summarise(sharp)) == ()
    (note,) = summary.notes(blurred, summary.summarise(blurred))
    assert "errors below 1e-05 of the gradient stay unseen" in note


def test_accusations_are_withdrawn_where_the_output_was_seen_to_move_in_steps():
    entry = Entry((0,), 1.0, 0.0, 1e-12)
    accused = outcome(result(verdict=Verdict.FAIL, wrong=(entry,), wrong_count=1))
    stepped = outcome(result(verdict=Verdict.INCONCLUSIVE, judged=0, unjudged={Reason.QUANTISED: 4}))
    first, _ = summary.withdrawn([accused, stepped])
    assert (first.tensors[0].verdict, first.tensors[0].judged, first.tensors[0].wrong) == (Verdict.INCONCLUSIVE, 3, ())
    assert first.tensors[0].unjudged == {Reason.QUANTISED: 1}
    assert summary.withdrawn([accused])[0].tensors[0].verdict is Verdict.FAIL


def test_the_resolution_of_nothing_is_no_number():
    (x,) = summary.summarise([outcome(result(verdict=Verdict.INCONCLUSIVE, judged=0, resolution=NAN))])
    assert np.isnan(x.resolution)


def test_accusations_with_slopes_stand_beside_a_single_example_that_moved_in_steps():
    entry = Entry((0,), 1.0, 0.5, 1e-12)
    accused = outcome(result(verdict=Verdict.FAIL, wrong=(entry,), wrong_count=1))
    stepped = outcome(result(verdict=Verdict.INCONCLUSIVE, judged=0, unjudged={Reason.QUANTISED: 4}))
    many = summary.withdrawn([*[accused] * 20, stepped])
    assert many[0].tensors[0].verdict is Verdict.FAIL
    flat = outcome(result(verdict=Verdict.FAIL, wrong=(Entry((0,), 1.0, 0.0, 1e-12),), wrong_count=1))
    assert summary.withdrawn([*[flat] * 20, stepped])[0].tensors[0].verdict is Verdict.INCONCLUSIVE
    both = summary.withdrawn([*[accused] * 20, flat, stepped])
    assert [each.tensors[0].verdict for each in both[-3:-1]] == [Verdict.FAIL, Verdict.INCONCLUSIVE]
