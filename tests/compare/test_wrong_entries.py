"""A few weighted directions decode which entries of a large tensor are wrong."""

from __future__ import annotations

import numpy as np
import pytest

from gradproof.compare.wrong_entries import BUDGET, MOST, PER_MEASUREMENT, locate

N = 20_000


def search(error, bound: float = 1e-9, seed: int = 0):
    """Locate where ``error`` (claim minus truth, an array) is not zero, with exact measurements."""
    return locate(lambda direction: (float(np.vdot(error, direction)), bound), error.shape, np.random.default_rng(seed))


def errors(places: dict[int, float]):
    error = np.zeros(N)
    for place, value in places.items():
        error[place] = value
    return error


@pytest.mark.parametrize("place", [0, 141, 142, 12_345, N - 1])
@pytest.mark.parametrize("size", [1.0, -1e-3])
def test_a_lone_wrong_entry_is_decoded_in_25_forwards(place, size):
    found, forwards = search(errors({place: size}))
    assert [(one.entry, one.residual) for one in found] == [(place, size)]
    assert forwards <= 25


def test_three_wrong_entries_are_found_the_worst_first():
    found, forwards = search(errors({5: 0.1, 777: -3.0, 19_999: 1.0}))
    assert [one.entry for one in found] == [777, 19_999, 5]
    assert forwards <= 250


def test_ten_wrong_entries_are_found_within_the_budget():
    places = {1999 * k: 0.1 * (k + 1) for k in range(10)}
    found, forwards = search(errors(places))
    assert {one.entry for one in found} == places.keys()
    assert forwards <= BUDGET + PER_MEASUREMENT * 4


def test_a_right_tensor_costs_one_measurement():
    assert search(errors({})) == ((), PER_MEASUREMENT)


def test_errors_below_the_bound_are_not_reported():
    assert search(errors({7: 1e-10}))[0] == ()


def test_a_tensor_wrong_everywhere_ends_the_search_early():
    found, forwards = search(np.ones(N))
    assert 0 < len(found) <= MOST
    assert all(one.residual == 1.0 for one in found)
    assert forwards <= BUDGET + PER_MEASUREMENT * 4


def test_the_place_is_a_flat_index_whatever_the_shape():
    error = np.zeros((40, 50))
    error[13, 37] = 2.0
    assert [one.entry for one in search(error)[0]] == [13 * 50 + 37]
