"""Each row of the tables of uses by itself: an operation that does not fit, and what it proposes; no search."""

from __future__ import annotations

import pytest

from gradproof.trace.changes import SIZE, UNKNOWN
from gradproof.trace.library import watched_range
from tracing import CUBE, MATRIX, NUMPY, ROWS, VECTOR, proposed

np = NUMPY


def unpack(shape, count):
    if count == 2:
        _, _ = shape
    else:
        _, _, _ = shape


def guarded(condition):
    if not condition:
        raise ValueError


def looped(a, n):
    for i in watched_range(n):
        a[i]


CLASHES = {
    "matmul": (lambda a, b: a @ b, {"a": MATRIX, "b": MATRIX}, "b.0 = a.1"),
    "matmul of stacks": (lambda a, b: a @ b, {"a": CUBE, "b": CUBE}, "b.1 = a.2"),
    "dot": (lambda a, b: a.dot(b), {"a": MATRIX, "b": VECTOR}, "b.0 = a.1"),
    "einsum sizes": (lambda a, b: np.einsum("nd,dh->nh", a, b), {"a": MATRIX, "b": MATRIX}, "b.0 = a.1"),
    "einsum ranks": (lambda a, b: np.einsum("nd,dh->nh", a, b), {"a": CUBE, "b": MATRIX}, "a has 2 axes"),
    "einsum of three": (
        lambda a, b, c: np.einsum("ni,oij,nj->no", a, b, c),
        {"a": MATRIX, "b": CUBE, "c": MATRIX},
        "b.1 = a.1",
    ),
    "tensordot sizes": (lambda a, b: np.tensordot(a, b, axes=(1, 0)), {"a": MATRIX, "b": MATRIX}, "b.0 = a.1"),
    "tensordot ranks": (lambda a, b: np.tensordot(a, b, axes=(2, 0)), {"a": MATRIX, "b": MATRIX}, "a has 3 axes"),
    "concatenate": (lambda a, b: np.concatenate([a, b], axis=1), {"a": MATRIX, "b": MATRIX}, "b.0 = a.0"),
    "stack": (lambda a, b: np.stack([a, b]), {"a": VECTOR, "b": VECTOR}, "b.0 = a.0"),
    "hstack ranks": (lambda a, b: np.hstack([a, b]), {"a": MATRIX, "b": VECTOR}, "b has 2 axes"),
    "add": (lambda a, b: a + b, {"a": MATRIX, "b": VECTOR}, "b.0 = a.1"),
    "where": (lambda a, b: np.where(a > 0, a, b), {"a": MATRIX, "b": MATRIX}, "b.1 = a.1 and b.0 = a.0"),
    "reshape": (lambda a, N: a.reshape(-1, N), {"a": MATRIX, "N": SIZE}, "a.0 is a multiple of N.0"),
    "split": (lambda a: np.split(a, 2, axis=1), {"a": MATRIX}, "a.1 is a multiple of 2"),
    "transpose": (lambda a: a.transpose(0, 2, 1), {"a": MATRIX}, "a has 3 axes"),
    "swapaxes": (lambda a: a.swapaxes(1, 2), {"a": MATRIX}, "a has 3 axes"),
    "sum over an axis": (lambda a: a.sum(axis=2), {"a": MATRIX}, "a has 3 axes"),
    "pad": (lambda a: np.pad(a, ((0, 0), (1, 1), (1, 1))), {"a": MATRIX}, "a has 3 axes"),
    "index with too many axes": (lambda a: a[:, :, 0], {"a": MATRIX}, "a has 3 axes"),
    "labels beyond an axis": (lambda a, t: a[np.arange(5), t], {"a": MATRIX, "t": ROWS}, "t.c = a.1"),
    "floats as an index": (lambda a, t: a[t], {"a": MATRIX, "t": VECTOR}, "t is labels1"),
    "a loop over another size": (lambda a, N: looped(a, N), {"a": VECTOR, "N": SIZE}, "N.0 = a.0"),
    "set": (lambda a, b: a.__setitem__(0, b), {"a": MATRIX, "b": VECTOR}, "b.0 = a.1"),
    "an inverse": (lambda a: np.linalg.inv(a), {"a": MATRIX}, "a.1 = a.0"),
    "take_along_axis": (lambda a, t: np.take_along_axis(a, t, 1), {"a": MATRIX, "t": ROWS}, "t has 2 axes"),
    "windows": (
        lambda a, N: np.lib.stride_tricks.sliding_window_view(a, N + N),
        {"a": VECTOR, "N": SIZE},
        "N.0 small",
    ),
    "a shape unpacked": (lambda a: unpack(a.shape, 3), {"a": MATRIX}, "a has 3 axes"),
    "a size that is not there": (lambda a: a.shape[2], {"a": MATRIX}, "a has 3 axes"),
    "a slice beyond the end": (lambda a, N: a[: N + N], {"a": VECTOR, "N": SIZE}, "a.0 far too large"),
    "a number of axes": (lambda a: guarded(a.ndim == 3), {"a": MATRIX}, "a has 3 axes"),
    "sizes compared": (lambda a, b: guarded(a.shape[1] == b.shape[0]), {"a": MATRIX, "b": MATRIX}, "b.0 = a.1"),
    "shapes compared": (lambda a, b: guarded(a.shape == b.shape), {"a": VECTOR, "b": VECTOR}, "b.0 = a.0"),
    "a rest": (lambda a, N: guarded(a.shape[0] % N == 0), {"a": VECTOR, "N": SIZE}, "a.0 is a multiple of N.0"),
    "a difference below one": (lambda a, N: guarded(a.shape[0] - N + 1 > 0), {"a": VECTOR, "N": SIZE}, "N.0 small"),
}


@pytest.mark.parametrize("name", CLASHES)
def test_what_does_not_fit_says_what_would(name):
    use, kinds, first = CLASHES[name]
    assert proposed(use, **kinds)[0] == first


def test_two_sums_of_as_many_sizes_are_equal_one_by_one():
    found = proposed(lambda a, b, N, M: np.zeros(N + M) + np.concatenate([a, b]), a=VECTOR, b=VECTOR, N=SIZE, M=SIZE)
    assert found[:2] == ["N.0 = a.0 and M.0 = b.0", "N.0 = b.0 and M.0 = a.0"]


RESULTS = {
    "joined": (lambda a, b, c: np.concatenate([a, b]) + c, "c.0 = a.0+b.0"),
    "with a border": (lambda a, b, c: np.pad(a, 2) + c, "c.0 = a.0+4"),
    "a difference": (lambda a, b, c: a[: a.shape[0] - 1] + c, "c.0 = a.0-1"),
}


@pytest.mark.parametrize("name", RESULTS)
def test_a_size_that_a_call_made_is_known_where_it_meets_another(name):
    use, first = RESULTS[name]
    assert first in proposed(use, a=VECTOR, b=VECTOR, c=VECTOR)


FITTING = {
    "matmul": lambda a, b: a @ b.T[: a.shape[1], :0],
    "one axis of one": lambda a, b: a + b[:, :1][:1],
    "a sum over all": lambda a, b: a.sum() + b.sum(),
}


@pytest.mark.parametrize("name", FITTING)
def test_what_fits_says_nothing(name):
    assert proposed(FITTING[name], a=MATRIX, b=MATRIX) is None


FIRST_USES = {
    "a matrix": (lambda a, b: a @ b, "b is array2"),
    "an operand": (lambda a, b: a + b, "b is array2"),
    "an index": (lambda a, b: a[b], "b is labels1"),
    "sizes of zeros": (lambda a, B: np.zeros((B, 3)), "B is size"),
    "a shape": (lambda a, B: np.prod(B), "B is sizes1"),
    "a bound of clip": (lambda a, B: np.clip(a, 0, B), "B is 0.3"),
    "a number of parts": (lambda a, B: np.split(a, B), "B is 2"),
    "a term of einsum": (lambda a, b: np.einsum("ni,oij,nj->no", a, b, a), "b is array3"),
    "a word": (lambda a, B: B == "relu", "B is relu"),
    "a divisor of a size": (lambda a, B: a.shape[1] // B, "B is 2"),
    "a dict": (lambda a, B: B["stride"], "B is {}"),
    "unpacked": (lambda a, B: unpack(B, 2), "B is sizes2"),
    "an axis": (lambda a, B: np.sum(a, axis=B), "B is 1"),
    "a function": (lambda a, B: B(a), None),
}


@pytest.mark.parametrize("name", FIRST_USES)
def test_the_first_use_of_an_argument_says_what_it_is(name):
    use, first = FIRST_USES[name]
    unknown = "B" if "B" in use.__code__.co_varnames else "b"
    found = proposed(use, a=MATRIX, **{unknown: UNKNOWN})
    assert found[0] == first if first is not None else "exp" in found[0]


@pytest.mark.parametrize(
    "use",
    [
        pytest.param(lambda a, b: np.zeros_like(b), id="an array like it"),
        pytest.param(lambda a, b: np.array(b), id="a copy"),
        pytest.param(lambda a, b: b.copy(), id="its copy"),
        pytest.param(lambda a, b: b.shape[0], id="its first size"),
        pytest.param(lambda a, b: b[0], id="its first entry"),
        pytest.param(lambda a, b: b is None, id="is it there"),
    ],
)
def test_uses_that_decide_nothing_leave_an_argument_unknown(use):
    assert proposed(use, a=MATRIX, b=UNKNOWN) is None
