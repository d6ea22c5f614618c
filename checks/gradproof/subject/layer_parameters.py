"""What a layer object holds: its parameters under their author's names, and the gradient of each after a backward.

It reads the object between calls; it calls nothing.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradproof.convention import leaves, pairing
from gradproof.convention.convention import Convention
from gradproof.convention.gradnames import LEVELS, partner
from gradproof.convention.leaves import Path
from gradproof.convention.pairing import Paths
from gradproof.convention.return_statements import Names
from gradproof.convention.returned import of_parameters, share
from gradproof.convention.watch import Watch, Writes
from gradproof.subject.numbers import Numbers
from gradproof.subject.stepping import Stepped
from gradproof.values import Defect, Made

Array = NDArray[Any]

KEEP_IT = (
    "an update that is not one learning rate times the gradient does not show it: "
    "let backward keep it as well, as in self.dW = ... for self.W"
)


class LayerParameters:
    """The parameters and gradients of one layer, through all copies of it that are built.

    given: the constructor's names of the arrays that it was handed, by id. taken: the names of forward's arguments.
    numbers: the Python numbers that are known to be parameters, with where each stands and where its gradient does.
    ``notes`` say how gradients were paired with parameters, where that is not plain; ``unread`` are the parameters that
    backward moves by no gradient that can be read, with what to write to have each judged.
    """

    def __init__(
        self,
        convention: Convention,
        built: Any,
        given: Mapping[int, str],
        taken: Sequence[str],
        numbers: Mapping[str, tuple[Path, Path]],
    ) -> None:
        self.convention, self.watch, self.notes = convention, Watch(), list[str]()
        self._noted: object = None  # what the notes were made of
        self.unread: Mapping[str, str] = {}
        self._taken, self._live = tuple(taken), dict[str, Array]()
        self.numbers = Numbers(numbers)
        self._discovers = type(convention).parameters is Convention.parameters and not convention.gradients
        found = convention.parameters(built) if self._discovers else {}
        self._given = {name: given[id(array)] for name, array in found.items() if id(array) in given}
        arrays = leaves.leaves(built).items()
        self._at_first = frozenset(path for path, value in arrays if isinstance(value, np.ndarray))
        self._places: Paths | None = None
        self._writes = Writes()
        self._by_other_names = frozenset[Path]()  # places under names that may as well be those of something else
        self._memory: list[_Known] = []  # of all copies, once two looks around a backward found the same
        self._gradients: Mapping[str, Any] = {}
        self._defects: tuple[Defect, ...] = ()
        self.hold(built)

    def hold(self, layer: Any) -> None:
        """Go over to another object of the layer, or look at this one anew."""
        self.layer, self._live, self._places = layer, {}, None

    def copied(self, layer: Any) -> LayerParameters:
        """The same knowledge about a copy of the layer, whose values are its own."""
        other = copy.copy(self)
        other.numbers = copy.copy(self.numbers)
        other.numbers.hold(layer)
        other.hold(layer)
        return other

    def parameters(self) -> Mapping[str, Array]:
        """The arrays that forward reads and leaves alone, by name, and the numbers that have a gradient."""
        return {**self._arrays(), **self.numbers.cells()}

    def made(self) -> dict[str, Made]:
        """The parameters that the layer makes itself, as they are now: in params, or with a gradient."""
        listed, arrays = pairing.is_listed(self.layer), self._arrays()
        mine = {n: a for n, a in arrays.items() if n not in self._given.values() and (listed or n in self._gradients)}
        paths = {name: places[0] for name, places in pairing.places(self.layer, mine).items() if places}
        found = {name: Made(path, np.array(mine[name], np.float64)) for name, path in paths.items()}
        for name, cell in self.numbers.cells().items():
            found[name] = Made(self.numbers.paths()[name], cell.copy(), self.numbers.places[name][0])
        return found

    def _arrays(self) -> Mapping[str, Array]:
        if not self._live and self._memory:
            self._live = self._memory[-1].arrays(self.layer)
        if not self._live:
            found = dict(self.convention.parameters(self.layer))
            if self._discovers and not pairing.is_listed(self.layer):
                found = self._that_stay(found)
            self._live = {self._called(name): array for name, array in found.items()}
        return self._live

    def _that_stay(self, found: Mapping[str, Array]) -> dict[str, Array]:
        """Those that forward does not write: what it writes is a cache or a state."""
        paths = pairing.places(self.layer, found)
        mine = {name: own for name, own in paths.items() if self._by_other_names.isdisjoint(own)}
        return {name: found[name] for name, own in mine.items() if self._stays(own)}

    def _stays(self, paths: Sequence[Path]) -> bool:
        answers = [kept for kept in map(self.watch.kept, paths) if kept is not None]
        return all(answers) if answers else any(path in self._at_first for path in paths)

    def _called(self, name: str) -> str:
        """The author's name: the constructor's argument, else the attribute; never that of an input."""
        given = self._given.get(name, name)
        return f"self.{given}" if given in self._taken else given

    def came_late(self) -> bool:
        """Whether there are parameters that were not there after construction."""
        self._live = {}
        paths = pairing.places(self.layer, self._arrays())
        return any(not self._at_first.intersection(places) for places in paths.values())

    def unclaimed(self) -> Mapping[str, Array]:
        """The arrays that forward reads and for which the last backward left no gradient."""
        known = self.parameters()
        mine = {name: array for name, array in known.items() if name not in self._gradients}
        rest = self._that_stay(pairing.unpaired(self.layer, list(known.values()))) if self._discovers else {}
        return {name: array for name, array in {**mine, **rest}.items() if name not in self.unread}

    def places(self, layer: object = None) -> Paths:
        """Where gradients are kept, by parameter; empty where the convention reads them in a way of its own.

        layer: a copy on which backward ran, where it did not run on the object itself.
        """
        if self._reads_in_a_way_of_its_own:
            return {}
        if self._places is None:
            self._places = self._memory[-1].gradients if self._memory else self._found(layer or self.layer)
        return self._places

    def _found(self, layer: object) -> Paths:
        found = {self._called(name): places for name, places in self.convention.slots(layer).items()}
        found |= self._written_elsewhere(found)
        return {name: places for name, places in found.items() if name in self._arrays()}

    def _written_elsewhere(self, found: Paths) -> Paths:
        """For parameters without a place so far: what backward writes under a name that may be their gradient's."""
        arrays = self._arrays()
        if not self._discovers or pairing.is_listed(self.layer) or arrays.keys() <= found.keys():
            return {}
        paths = pairing.places(self.layer, arrays)
        known = {name: own for name, own in paths.items() if name in found or not any(map(self._writes.wrote, own))}
        slots = pairing.slots(self.layer, known, LEVELS)
        new = {name: own for name, own in self._all_written(slots).items() if name not in found}
        if new:
            self._by_other_names = frozenset[Path]().union(*new.values())
            self._live = {}
        return new

    def _all_written(self, slots: Paths) -> Paths:
        """Those slots of which backward wrote every place."""
        return {name: own for name, own in slots.items() if all(map(self._writes.wrote, own))}

    def before_backward(self) -> None:
        """Hold what there is, to see what backward writes."""
        if not self._memory:
            self._writes.before(self.layer)

    def clear(self) -> None:
        """Zeros in all places where gradients are kept."""
        self.numbers.clear(self.layer)
        for places in self.places().values():
            pairing.clear(self.layer, places)

    def paths(self) -> Mapping[str, Path]:
        """Where each parameter stands."""
        found = pairing.places(self.layer, self._arrays())
        return {name: places[0] for name, places in found.items() if places}

    def without_place(self, layer: object) -> Mapping[str, Path]:
        """The parameters for which ``layer``, a copy after a backward, keeps no gradient, with where they stand."""
        slots = [] if self._reads_in_a_way_of_its_own else self.convention.slots(layer)
        kept = {self._called(name) for name in slots}
        return {name: path for name, path in self.paths().items() if name not in kept}

    def sort(
        self,
        step: Stepped,
        names: Names,
        wanted: Sequence[str],
        taken: Sequence[str],
        filled: Mapping[Any, Any],
        data: Mapping[str, tuple[int, ...]] | None = None,
    ) -> Any:
        """Share out what backward returned and left behind; return what is left for the inputs.

        names: of what backward returns; wanted: the inputs whose gradient is asked for; taken: all of them;
        filled: the dict of parameters' gradients that backward was handed; data: the shapes of the inputs, where it was
        handed no upstream gradient.
        """
        if not self._memory and step.layer is self.layer:
            self._writes.after(self.layer)
        places = self._places_after(step.layer)
        arrays = dict(self._arrays())
        stored = _stored(filled, list(arrays))
        kept = {**self._kept(step, places, arrays), **step.gradients, **stored}
        left = {name: array for name, array in arrays.items() if name not in kept}
        model = None if data is None else of_parameters(step.returned, data, shapes_of(left))
        shared = model or share(step.returned, names, wanted, taken, list(left))
        if self._discovers:
            self.numbers.after_backward(step.layer)
        self._gradients = {**kept, **shared.parameters, **self.numbers.gradients(step.layer)}
        self._defects = pairing.unlike(step.layer, places)
        if any(defect.kind == pairing.COUNT for defect in self._defects):
            self._gradients = {}
        self._note_sources({**places, **self.numbers.places}, shared.parameters, step, stored)
        self.hold(self.layer)  # backward may have put other arrays in their place
        return shared.inputs

    def _places_after(self, layer: object) -> Paths:
        """Where gradients are kept after a backward, which may have made places; remembered where it made none."""
        before, self._places = self._places, None
        places, arrays = self.places(layer), self._arrays()
        if not self._memory and self._discovers and places == before:
            known = _Known(pairing.places(self.layer, arrays), places)
            if places.keys() != arrays.keys():
                self._memory = []  # of its own: another backward of a copy may keep elsewhere what is kept nowhere here
            self._memory.append(known)
        return places

    def _kept(self, step: Stepped, places: Paths, arrays: Mapping[str, Array]) -> Mapping[str, Any]:
        """The gradients that the layer keeps."""
        if self._reads_in_a_way_of_its_own:
            return self.convention.parameter_gradients(step.layer, step.returned, arrays)
        return {name: pairing.kept(step.layer, paths) for name, paths in places.items()}

    @property
    def _reads_in_a_way_of_its_own(self) -> bool:
        """Whether it is the convention that knows where gradients are."""
        return type(self.convention).parameter_gradients is not Convention.parameter_gradients

    def _note_sources(
        self, places: Paths, returned: Mapping[str, Any], step: Stepped, stored: Mapping[str, Any]
    ) -> None:
        is_book = pairing.is_book(step.layer)
        sources_now = is_book, places, list(returned), list(step.gradients), list(stored), step.unread
        if sources_now == self._noted:
            return
        self._noted = sources_now
        sources = {
            "what backward returns": returned,
            "the update that backward makes": step.gradients,
            "the dict that backward fills": stored,
        }
        is_plain = is_book and all(path[0] == pairing.GRADS for paths in places.values() for path in paths)
        parts = [pairing.told(places)] if places and not is_plain else []
        parts += [f"{', '.join(names)} from {source}" for source, names in sources.items() if names]
        notes = [f"gradients: {', '.join(parts)}"] if parts else []
        changed = "backward changes {}, but not by learning rate times gradient: not checked"
        self.notes = [*notes, *map(changed.format, step.unread)]
        self.unread = dict.fromkeys(step.unread, KEEP_IT)

    def gradients(self) -> tuple[Mapping[str, Any], tuple[Defect, ...]]:
        """The gradients that the last backward left, by parameter, and what is wrong with their lists."""
        return self._gradients, self._defects


def _stored(filled: Mapping[Any, Any], names: list[str]) -> dict[str, Any]:
    """What backward filled a dict with, by the parameter whose gradient it is."""
    named = {partner(str(key), names): value for key, value in filled.items()}
    return {name: value for name, value in named.items() if name is not None}


@dataclass(frozen=True)
class _Known:
    """Where parameters and gradients stand, so that the object need not be walked again in each of many calls."""

    parameters: Paths
    gradients: Paths

    def arrays(self, layer: Any) -> dict[str, Array]:
        """The parameters' arrays as they stand there now; nothing where one of the places is gone."""
        found = {name: leaves.at(layer, paths[0]) for name, paths in self.parameters.items() if paths}
        return found if all(isinstance(array, np.ndarray) for array in found.values()) else {}


def shapes_of(values: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    """The shape of each value."""
    return {name: np.shape(value) for name, value in values.items()}
