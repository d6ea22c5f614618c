"""The border to user code: exceptions become values, random draws can be repeated."""

from __future__ import annotations

import random
import sys

import numpy as np
import pytest

from gradproof import guard
from gradproof.guard import Randomness, SubjectError, fingerprint


def raises_value_error(x):
    raise ValueError(f"bad x: {x}")


def leaves(x):
    sys.exit(3)


def recurses(x):
    return recurses(x)


def asserts(x):
    assert x is None, "x is something"


@pytest.mark.parametrize(
    ("function", "kind", "message"),
    [
        pytest.param(raises_value_error, "ValueError", "bad x: 1", id="ValueError"),
        pytest.param(leaves, "SystemExit", "3", id="sys.exit"),
        pytest.param(recurses, "RecursionError", "maximum recursion depth", id="RecursionError"),
        pytest.param(asserts, "AssertionError", "x is something", id="AssertionError"),
    ],
)
def test_an_exception_becomes_a_value_with_the_users_frames_only(function, kind, message):
    with pytest.raises(SubjectError) as caught:
        guard.call("forward", function, 1)
    error = caught.value.error
    assert (error.stage, error.kind) == ("forward", kind)
    assert message in error.message
    assert f"in {function.__name__}" in error.traceback
    assert "gradproof/guard.py" not in error.traceback
    assert len(error.traceback.splitlines()) < 45


def test_an_exception_without_a_users_frame_still_says_what_it_is():
    with pytest.raises(SubjectError) as caught:
        guard.call("backward", lambda: None, 1)
    assert caught.value.error.kind == "TypeError"
    assert caught.value.error.traceback.splitlines()[-1].startswith("TypeError: ")


def test_the_interrupt_key_passes_through():
    def interrupted():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        guard.call("forward", interrupted)


def test_a_result_passes_through():
    assert guard.call("forward", divmod, 7, 2) == (3, 1)


def draws():
    return [np.random.rand(), random.random()]  # noqa: NPY002


def test_the_same_seed_draws_the_same_numbers_and_rewinding_repeats_them():
    with Randomness(5) as first:
        once = draws()
        first.rewind()
        again = draws()
    with Randomness(5):
        fresh = draws()
    with Randomness(6):
        other = draws()
    assert once == again == fresh
    assert once != other


def test_the_users_random_state_is_as_it_was_even_after_an_error():
    before = np.random.get_state(), random.getstate()  # noqa: NPY002
    with pytest.raises(ZeroDivisionError), Randomness(5):
        draws()[0] / 0  # the draw comes first, and the error after it
    after = np.random.get_state(), random.getstate()  # noqa: NPY002
    assert np.array_equal(before[0][1], after[0][1])
    assert (before[0][2], before[1]) == (after[0][2], after[1])


def test_a_seed_beyond_32_bits_is_taken():
    with Randomness(2**70 + 1):
        assert len(draws()) == 2


class Draws:
    """Draws from a generator that it holds, somewhere inside."""

    def __init__(self, rng):
        self.tools = {"noise": [rng]}


@pytest.mark.parametrize(
    "draw",
    [np.random.rand, random.random, lambda: HELD.tools["noise"][0].random()],
    ids=["numpy's global", "python's global", "held"],
)
def test_a_draw_moves_the_fingerprint_and_looking_does_not(draw):
    before = fingerprint(HELD)
    assert fingerprint(HELD) == before
    draw()
    assert fingerprint(HELD) != before


HELD = Draws(np.random.default_rng(0))


def test_a_fingerprint_of_things_that_refer_to_each_other_ends():
    ring = Draws(np.random.default_rng(0))
    ring.tools["self"] = ring
    assert fingerprint(ring) == fingerprint(ring)
