"""Views by strides: whether an array holds what one takes of it, which NumPy does not ask before it reads there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

ORIGINAL = as_strided


@dataclass(frozen=True)
class View:
    """``as_strided(array, shape, strides)``: the sizes and strides of the view, and those of the array."""

    own: tuple[int, ...]
    own_strides: tuple[int, ...]
    shape: tuple[Any, ...]
    strides: tuple[int, ...]

    @property
    def reach(self) -> tuple[int, int]:
        """How far from the first entry the others lie, in bytes, at least and at most."""
        return _reach(self.shape, self.strides)

    def is_within(self) -> bool:
        """Whether every entry of the view lies between the first and the last one of the array."""
        (low, high), (least, most) = self.reach, _reach(self.own, self.own_strides)
        return least <= low and high <= most

    def whole_axes(self) -> Iterator[tuple[int, Any]]:
        """Of each axis of the array that the view goes along in one way, entry by entry: its size and the view's."""
        axes = self._axes()
        for axis, stride, size in zip(axes, self.strides, self.shape, strict=True):
            if axis >= 0 and axes.count(axis) == 1 and stride == self.own_strides[axis]:
                yield self.own[axis], size

    def windows(self) -> Iterator[Any]:
        """The sizes of the view along axes that it goes along in another way, too."""
        axes = self._axes()
        for axis, stride, size in zip(axes, self.strides, self.shape, strict=True):
            if axis >= 0 and axes.count(axis) > 1 and stride == self.own_strides[axis]:
                yield size

    def _axes(self) -> list[int]:
        """Along which axis of the array each axis of the view goes; -1 for none."""
        return [self._axis(stride) for stride in self.strides]

    def _axis(self, stride: int) -> int:
        steps = [(own, axis) for axis, own in enumerate(self.own_strides) if 0 < own <= stride and not stride % own]
        return max(steps, default=(0, -1))[1]


def view_of(args: Sequence[Any], kwargs: Mapping[str, Any]) -> tuple[np.ndarray[Any, Any], View]:
    """The array and the view that a call of as_strided makes of it. Raises ValueError where it cannot be made."""
    given = dict(zip(("x", "shape", "strides"), args, strict=False)) | dict(kwargs)
    array, shape, strides = np.asarray(given.get("x")), given.get("shape"), given.get("strides")
    sizes = array.shape if shape is None else _row(shape)
    steps = array.strides if strides is None else _row(strides)
    if len(sizes) != len(steps):
        raise ValueError(f"as_strided: {len(sizes)} sizes and {len(steps)} strides; each axis has one of each")
    return array, View(array.shape, array.strides, sizes, tuple(int(step) for step in steps))


def _row(values: Any) -> tuple[Any, ...]:
    """Several numbers, or one."""
    return tuple(values) if np.iterable(values) else (values,)


def as_strided_within(*args: Any, **kwargs: Any) -> Any:
    """``as_strided`` that raises IndexError in the place of reading what does not belong to the array."""
    array, view = view_of(args, kwargs)
    if not _is_in_memory(array, view):
        shape = ", ".join(str(int(size)) for size in view.shape)
        raise IndexError(f"as_strided: a view of shape ({shape}) reads beyond an array of shape {view.own}")
    return ORIGINAL(*args, **kwargs)


def _is_in_memory(array: np.ndarray[Any, Any], view: View) -> bool:
    """Whether the view stays within the memory of the array that owns it."""
    owner: Any = array
    while isinstance(owner.base, np.ndarray):
        owner = owner.base
    if owner.base is not None or 0 in (int(size) for size in view.shape):
        return True
    (low, high), (least, most) = view.reach, _reach(owner.shape, owner.strides)
    offset = _address(array) - _address(owner)
    return least <= offset + low and offset + high <= most


def _address(array: Any) -> int:
    address: int = array.__array_interface__["data"][0]
    return address


def _reach(shape: Sequence[Any], strides: Sequence[int]) -> tuple[int, int]:
    reaches = [(int(size) - 1) * stride for size, stride in zip(shape, strides, strict=True)]
    return sum(reach for reach in reaches if reach < 0), sum(reach for reach in reaches if reach > 0)
