"""Limits on named dims: turns the declared ranges into the space of sizes that a case is tried on; it draws none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from gradproof.case.shapes import Size, Star
from gradproof.case.sizes import Space
from gradproof.case.specs import Floats, Labels, OneHot, SizeArgument, Sizes, Spec
from gradproof.errors import UsageError

SIZES = (1, 6)  # of a dim that nothing else is said about: what matters shows below 7, and forwards stay cheap
IMAGE_SIZES = (1, 4)  # the same beside an array of four axes or more: layers loop over images in Python
AXES = (0, 2)  # the number of axes behind a star


def joint_space(init: Mapping[str, Spec], inputs: Mapping[str, Spec], limits: Mapping[str, Any]) -> Space:
    """The sizes that the declared arguments may take together.

    Raises UsageError for a name that no shape uses, a bad range, and sizes that can never all be at least 1.
    """
    specs = [*init.values(), *inputs.values()]
    plain = list(dict.fromkeys(name for spec in specs for name in _plain_names(spec)))
    starred = list(dict.fromkeys(name for spec in specs for name in _starred_names(spec)))
    _require_names(plain, starred, limits)
    sizes = dict.fromkeys(size for spec in specs for size in _sizes_of(spec))
    usual = usual_range(specs)
    ranges = {name: _range(name, limits.get(name, usual), least=1) for name in plain}
    axes = {name: _range(name, limits.get(name, AXES), least=0) for name in starred}
    space = Space(ranges, tuple(sizes), axes, _batch(init, inputs))
    _require_possible(space)
    return space


def _require_names(plain: Sequence[str], starred: Sequence[str], limits: Mapping[str, Any]) -> None:
    """Raise UsageError for a name with two meanings, and for a limit on a name that no shape uses."""
    for name in starred:
        if name in plain:
            raise UsageError(f"{name} is used both as a plain dim and as *{name}: give one of them another name")
    for name in limits:
        if name not in plain and name not in starred:
            used = ", ".join([*plain, *(f"*{star}" for star in starred)]) or "none"
            raise UsageError(f"dims: no shape uses {name!r}, got dims={dict(limits)!r}; the dims in use are: {used}")


def usual_range(specs: Iterable[Spec]) -> tuple[int, int]:
    """The least and the largest size of a dim that nothing else is said about."""
    ranks = (len(spec.shape.axes) for spec in specs if isinstance(spec, (Floats, Labels)))
    return IMAGE_SIZES if max(ranks, default=0) > 3 else SIZES


def _plain_names(spec: Spec) -> tuple[str, ...]:
    """The plain dim names that a spec uses."""
    if isinstance(spec, (Floats, Sizes)):
        return spec.shape.names
    if isinstance(spec, Labels):
        return (*spec.shape.names, *spec.below.names)
    if isinstance(spec, OneHot):
        return (*spec.shape.names, *spec.classes.names)
    return spec.size.names if isinstance(spec, SizeArgument) else ()


def _starred_names(spec: Spec) -> tuple[str, ...]:
    """The starred name that a spec uses, if any."""
    starred = spec.shape.starred if isinstance(spec, (Floats, Sizes, Labels, OneHot)) else None
    return () if starred is None else (starred,)


def _sizes_of(spec: Spec) -> tuple[Size, ...]:
    """Every size that must be at least 1 for the spec to have entries."""
    if isinstance(spec, (Floats, Sizes)):
        return spec.shape.sizes
    if isinstance(spec, Labels):
        return (*spec.shape.sizes, spec.below)
    if isinstance(spec, OneHot):
        return (*spec.shape.sizes, spec.classes)
    return (spec.size,) if isinstance(spec, SizeArgument) else ()


def _require_possible(space: Space) -> None:
    ranges = ", ".join(f"{name} in {least}..{most}" for name, (least, most) in space.ranges.items())
    for size in space.sizes:
        if space.most(size, {}) < 1:
            raise UsageError(
                f'"{size.text}" is below 1 for all sizes ({ranges}); widen the ranges with dims=, or correct the shape'
            )
    if space.complete({}, (), distinct=False) is None:
        sizes = " and ".join(f'"{size.text}"' for size in space.sizes)
        raise UsageError(
            f"{sizes} are never all at least 1 ({ranges}); widen the ranges with dims=, or correct the shapes"
        )


def _batch(init: Mapping[str, Spec], inputs: Mapping[str, Spec]) -> str | None:
    """The dim that counts examples: the first axis of forward's first array, unless it counts something else too."""
    arrays = [spec for spec in inputs.values() if isinstance(spec, (Floats, Labels, OneHot))]
    if not arrays or not arrays[0].shape.axes:
        return None
    name = _plain_name(arrays[0].shape.axes[0])
    used: set[str] = set()
    for spec in init.values():
        used.update(_plain_names(spec), _starred_names(spec))
    for spec in inputs.values():
        used.update(_counts(spec))
    return None if name in used else name


def _plain_name(axis: Size | Star) -> str | None:
    """The one dim that an axis is; None where its size is calculated."""
    if not isinstance(axis, Size):
        return axis.name
    return axis.text if axis.text in axis.names else None


def _counts(spec: Spec) -> tuple[str, ...]:
    """The dims that count classes, or are an argument themselves: none of them makes sense as 0."""
    if isinstance(spec, Sizes):
        return spec.shape.names
    if isinstance(spec, SizeArgument):
        return spec.size.names
    if isinstance(spec, Labels):
        return spec.below.names
    return spec.classes.names if isinstance(spec, OneHot) else ()


def _range(name: str, value: Any, *, least: int) -> tuple[int, int]:
    pair = (value, value) if isinstance(value, int) else value
    remedy = f'write dims={{"{name}": (2, 6)}} or dims={{"{name}": 4}}'
    if not isinstance(pair, tuple) or len(pair) != 2:
        raise UsageError(
            f"dims: expected a size or (least, most) for {name}, "
            f"got {name}={value!r} (type {type(value).__name__}); {remedy}"
        )
    for bound in pair:
        require_integer(f"dims: the size of {name}", bound, least=least)
    if pair[0] > pair[1]:
        raise UsageError(f"dims: expected least <= most for {name}, got {name}={value!r}; {remedy}")
    return pair


def limits_of(what: str, value: Any) -> Mapping[str, Any]:
    """The declared limits as a mapping; none where ``value`` is None. Raises UsageError where it is something else."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise UsageError(
            f'{what}: expected a mapping such as {{"n": (2, 6)}}, got {value!r} (type {type(value).__name__})'
        )
    return dict(value)


def require_integer(what: str, value: Any, *, least: int) -> None:
    """Raise UsageError unless ``value`` is an int (no bool) and at least ``least``."""
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise UsageError(f"{what}: expected an integer >= {least}, got {value!r} (type {type(value).__name__})")
