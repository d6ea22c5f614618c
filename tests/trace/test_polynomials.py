"""Sizes as polynomials: their arithmetic, and the ways to make two of them equal."""

from __future__ import annotations

import pytest

from gradproof.trace.polynomials import Polynomial, dim, number, solutions

H, N, K = dim("h"), dim("n"), dim("k")


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (H.plus(K, -1).plus(number(1)), "h-k+1"),
        (H.times(number(2)).times(N), "2*h*n"),
        (H.plus(H, -1), "0"),
        (number(3), "3"),
        (H.times(N).over(N), "h"),
        (H.put({"h": K.times(number(4))}), "4*k"),
    ],
)
def test_a_size_is_written_as_in_a_shape(size, text):
    assert size.text() == text


def test_a_quotient_with_a_rest_is_none():
    assert H.plus(number(1)).over(H) is None
    assert H.over(number(2)) is None


def test_its_value_is_that_of_the_sum():
    assert H.plus(K, -1).plus(number(1)).at({"h": 7, "k": 3}) == 5


@pytest.mark.parametrize(
    ("one", "two", "ways"),
    [
        pytest.param(H, N, ["h = n", "n = h"], id="two dims"),
        pytest.param(H, number(3), ["h = 3"], id="a number"),
        pytest.param(H, K.times(number(4)), ["h = 4*k"], id="a multiple"),
        pytest.param(H.times(N), K.times(N), ["h = k", "k = h"], id="a common factor"),
        pytest.param(number(97).plus(H, -2), H, [], id="no whole size"),
        pytest.param(H, H, [], id="equal already"),
    ],
)
def test_two_sizes_are_made_equal_in_all_ways_that_there_are(one, two, ways):
    assert sorted(f"{way.dim} = {way.size.text()}" for way in solutions(one, two)) == sorted(ways)


def test_a_dim_alone_is_known_as_one():
    assert (H.lone_dim, H.times(number(2)).lone_dim, Polynomial().lone_dim) == ("h", None, None)
