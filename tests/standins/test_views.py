"""Views by strides: what would read beyond an array raises, also where a change of the source is tried."""

import numpy as np
import pytest
from numpy.lib.stride_tricks import as_strided

from gradproof import Verdict
from gradproof.checking import check_case
from gradproof.infer.infer import infer
from gradproof.standins.views import ORIGINAL, as_strided_within
from gradproof.subject.widening import Widened


@pytest.mark.parametrize(
    ("shape", "strides", "expected"),
    [
        pytest.param((2, 2), (8, 8), [[0.0, 1.0], [1.0, 2.0]], id="windows"),
        pytest.param((3,), (0,), [0.0, 0.0, 0.0], id="one entry again and again"),
        pytest.param((3, 3), (8, 8), "reads beyond an array of shape (4,)", id="an entry too many"),
        pytest.param((2,), (-8,), "reads beyond", id="before the first"),
        pytest.param((2, 2), (8,), "2 sizes and 1 strides", id="a stride too few"),
    ],
)
def test_a_view_stays_within_its_array(shape, strides, expected):
    x = np.arange(4.0)
    if isinstance(expected, list):
        assert as_strided_within(x, shape, strides).tolist() == expected
    else:
        with pytest.raises((IndexError, ValueError), match=expected.replace("(", r"\(").replace(")", r"\)")):
            as_strided_within(x, shape=shape, strides=strides)


def test_a_view_of_a_part_may_reach_as_far_as_the_whole():
    x = np.arange(6.0)
    assert as_strided_within(x[2:4], (3,), (8,)).tolist() == [2.0, 3.0, 4.0]
    assert as_strided_within(x[2:4], (3,), (-8,)).tolist() == [2.0, 1.0, 0.0]
    with pytest.raises(IndexError):
        as_strided_within(x[2:4], (5,), (8,))


def test_nothing_is_no_array_to_look_at():
    with pytest.raises(IndexError):
        as_strided_within(None, (3, 3), (8, 8))


class Pool:
    """Sums over windows of k by k pixels, by strides."""

    def __init__(self, k, channels):
        self.k, self.channels = k, channels

    def windows(self, x):
        n, h, w = x.shape[0], x.shape[2] - self.k + 1, x.shape[3] - self.k + 1
        a, b, c, d = x.strides
        return as_strided(x, (n, self.channels, h, w, self.k, self.k), (a, b, c, d, c, d))

    def forward(self, x):
        self.shape = x.shape
        return (self.windows(x) ** 2).sum(axis=(4, 5)) + 0 * self.keep(x)

    def keep(self, x):
        self.x = x
        return 0.0

    def backward(self, dout):
        dx = np.zeros(self.shape)
        for i in range(self.k):
            for j in range(self.k):
                rows, columns = slice(i, i + dout.shape[2]), slice(j, j + dout.shape[3])
                dx[:, :, rows, columns] += 2 * dout * self.x[:, :, rows, columns]
        return dx


class PoolOfOneCorner(Pool):
    def backward(self, dout):
        dx = np.zeros(self.shape)
        views = np.lib.stride_tricks.as_strided(
            dx, (*dx.shape[:2], *dout.shape[2:], self.k, self.k), (*dx.strides, *dx.strides[2:])
        )
        views[..., 0, 0] += 2 * dout * self.x[:, :, : dout.shape[2], : dout.shape[3]]
        return dx


def test_shapes_are_found_where_strides_alone_would_read_anything():
    found = infer(Pool)
    assert found.declaration is not None
    assert 'Pool, k=size("k"), channels=size("c"), x="n c h w"' in found.declaration
    assert check_case(found.case, location="here", examples=8, inferred=True).verdict is Verdict.PASS


def test_a_wrong_twin_fails_and_the_changes_that_are_tried_end_no_process():
    found = infer(PoolOfOneCorner)
    report = check_case(found.case, location="here", examples=8, inferred=True)
    assert [(finding.tensor, finding.severity) for finding in report.findings if finding.severity == "error"] == [
        ("x", "error")
    ]


def test_the_name_means_what_it_did_when_a_subject_does_not_run():
    with Widened(Pool):
        both = as_strided, np.lib.stride_tricks.as_strided
    assert both == (as_strided_within, as_strided_within)
    assert as_strided is ORIGINAL
    assert np.lib.stride_tricks.as_strided is ORIGINAL
