"""A candidate as a Case: its dims under readable names, and the sizes that they may take; it tries nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gradproof.case.case import Case
from gradproof.case.limits import SIZES
from gradproof.case.nested import arrays, part_name
from gradproof.case.shapes import Shape, parse, parse_size
from gradproof.case.specs import Floats, Labels, Literal, OneHot, Probabilities, SizeArgument, Sizes, Spec
from gradproof.infer.arguments import Undeclared
from gradproof.infer.dim_names import readable
from gradproof.trace.candidate import Candidate
from gradproof.trace.changes import DISTRIBUTIONS, Kind, What
from gradproof.trace.run import Hint

_WINDOW, _AROUND = (1, 3), (3, 6)  # sizes of windows, and of what they slide over
_TRIAL = (1, 5)  # of all dims, where forward loops over images in Python
_CLASSES = 2  # at least: one class leaves nothing to tell apart, and the loss is constant


class Declaring:
    """Declares the candidates of one target."""

    def __init__(self, target: Undeclared, hints: Mapping[str, Hint]) -> None:
        self._target, self._hints = target, hints

    def names(self, candidate: Candidate) -> dict[str, str]:
        """What each free dim is called."""
        return readable(candidate, self._hints, self._target.setting)

    def case(self, candidate: Candidate, *, trial: bool = False) -> Case:
        """The Case; trial: at sizes that do not take long. Raises UsageError for one that cannot work."""
        names = self.names(candidate)
        specs = self._specs(candidate, names)
        ranges = self._ranges(candidate, names)
        is_deep = any(kind.is_array and kind.rank >= 4 for kind in candidate.kinds.values())
        if trial and is_deep:
            ranges = {name: ranges.get(name, _TRIAL) for name in names.values()}
        return self._target.case(specs, ranges)

    def _specs(self, candidate: Candidate, names: Mapping[str, str]) -> dict[str, Any]:
        """The declarations by argument; those of a dict's parts together."""
        every = {name: self._spec(candidate, name, names) for name in candidate.kinds}
        found: dict[str, Any] = {name: spec for name, spec in every.items() if spec is not None}
        for name, kind in candidate.kinds.items():
            if kind.what is What.PARTS:
                found[name] = arrays({key: found.pop(part_name(name, key)) for key in kind.value})
        return found

    def _ranges(self, candidate: Candidate, names: Mapping[str, str]) -> dict[str, tuple[int, int]]:
        free = [name for name in candidate.dims() if name in names]
        ranges = {names[name]: _WINDOW for name in free if name in candidate.small}
        if ranges:
            ranges |= {names[name]: _AROUND for name in free if name in candidate.wide}
        for name, size in self._least(candidate).items():
            if name in names and size > ranges.get(names[name], SIZES)[0]:
                ranges[names[name]] = (size, max(SIZES[1], size + 3))
        return ranges

    def _least(self, candidate: Candidate) -> dict[str, int]:
        """The least sizes of dims."""
        least = dict(candidate.least)
        for name in self._classes(candidate):
            least[name] = max(least.get(name, 1), _CLASSES)
        return least

    def _classes(self, candidate: Candidate) -> list[str]:
        """The dims that count the classes of targets."""
        found: list[str | None] = []
        for argument, kind in candidate.kinds.items():
            if not self._hints[argument].target:
                continue
            if kind.what is What.LABELS:
                found.append(candidate.below(argument).lone_dim)
            elif kind.what in DISTRIBUTIONS:
                found.append(candidate.axes(argument)[-1].lone_dim)
        return [name for name in found if name is not None]

    def _floats(self, shape: Shape, argument: str, what: What) -> Floats:
        """The declaration of an array of floats: between 0 and 1 where forward takes probabilities or shares."""
        if what is What.ARRAY and self._target.takes_probabilities:
            return Floats(shape, 0.0, 1.0, False)
        if what is What.CONSTANT and self._target.is_share(argument):
            return Floats(shape, 0.0, 1.0, differentiable=False)
        return Floats(shape, differentiable=what is What.ARRAY)

    def _spec(self, candidate: Candidate, argument: str, names: Mapping[str, str]) -> Spec | None:
        """The declaration of one argument; None where it is left to its default."""
        kind = candidate.kinds[argument]
        axes = [axis.text(names) for axis in candidate.axes(argument)]
        text = " ".join(axes)
        match kind.what:
            case What.ARRAY | What.CONSTANT:
                return self._floats(parse(text), argument, kind.what)
            case What.LABELS:
                return Labels(parse(text), parse_size(candidate.below(argument).text(names)))
            case What.ONE_HOT:
                return OneHot(parse(" ".join(axes[:-1])), parse_size(axes[-1]))
            case What.PROBABILITIES:
                return Probabilities(parse(" ".join(axes[:-1])), parse_size(axes[-1]))
            case What.SIZE:
                return SizeArgument(parse_size(text))
            case What.SIZES:
                return Sizes(parse(text))
            case What.VALUE:
                return _literal(kind)
            case What.DEFAULT | What.UNKNOWN | What.PARTS:
                return None


def _literal(kind: Kind) -> Literal:
    text = kind.text
    if text is None and isinstance(kind.value, str):
        text = f"just({kind.value!r})"
    return Literal(kind.value, text=text)
