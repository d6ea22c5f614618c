"""Runs a layer object, its forward and its backward, as its convention and their signatures ask; it judges nothing."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Self

from numpy.typing import NDArray

from gradproof.case.nested import nested, owners
from gradproof.case.signatures import Signature
from gradproof.convention import pairing
from gradproof.convention.answers import refusal
from gradproof.convention.calling import Plan, default_dout, defaults_of
from gradproof.convention.convention import Convention
from gradproof.convention.descent import RATE
from gradproof.convention.leaves import Path
from gradproof.convention.losses import averages
from gradproof.convention.return_statements import names_returned
from gradproof.convention.returned import by_rows, without_left_out
from gradproof.convention.several_outputs import Returned, returned_by
from gradproof.convention.stored import kept_output
from gradproof.convention.watch import cut_back, lengths
from gradproof.guard import Randomness, call, copied, fingerprint
from gradproof.subject.backward_calls import BackwardCalls
from gradproof.subject.handed_over import HandedOver
from gradproof.subject.layer_parameters import LayerParameters, shapes_of
from gradproof.subject.made import put
from gradproof.subject.precision import is_float, is_narrow, raised
from gradproof.subject.stepping import Stepped, Updates, larger_douts, may_step, stepped, uneven, updates_of, wired
from gradproof.subject.widening import Widened
from gradproof.values import Defect, Made

Array = NDArray[Any]


class LayerSubject:
    """An object with a forward and a backward, under the names that its convention says.

    widened: the context in which its code makes wide arrays (None: its dtypes stay). made: values of parameters that it
    makes; numbers: those that are Python numbers. plan: how backward is called (None: in the likeliest way that runs).
    ``wanted``: inputs to differentiate (None: all floats).
    """

    def __init__(
        self,
        build: Callable[[], tuple[Any, Mapping[int, str]]],
        name: str,
        signature: Signature,
        random: Randomness,
        convention: Convention,
        *,
        widened: Widened | None = None,
        made: Mapping[str, Made] | None = None,
        numbers: Mapping[str, tuple[Path, Path]] | None = None,
        plan: Plan | None = None,
    ) -> None:
        self.name, self.frozen, self.convention = name, False, convention
        self.wanted: tuple[str, ...] | None = None
        self._build, self._signature, self._random, self._numpy = build, signature, random, widened
        self._settled = self._late = False
        self._first: Mapping[str, Any] | None = None  # the inputs of the first forward
        self._inputs: Mapping[str, Any] = {}  # those of the last
        self._handed, self._calls = HandedOver(), BackwardCalls(plan)
        self._returned = Returned()  # what the last forward returned
        self._updates: Updates | None = None  # what backward moves itself, once that was asked
        self.may_step = False  # whether backward may move weights: it is then run several times, on copies
        built, given = self._call("the constructor", build)
        self._parameters = LayerParameters(convention, built, given, signature.names, numbers or {})
        self._made: Mapping[str, Made] = made or {}
        self._hold(built)
        self._defaults, self._raised = defaults_of(getattr(type(built), convention.forward)), self.layer is not built

    def _call(self, stage: str, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        with self._numpy or contextlib.nullcontext():
            return call(stage, function, *args, **kwargs)

    def _run(self, stage: str, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Call a method of the layer, with the numbers among its parameters as they are to be."""
        numbers = self._parameters.numbers
        numbers.write(self.layer)
        returned = self._call(stage, function, *args, **kwargs)
        numbers.read(self.layer)
        return returned

    @property
    def widened(self) -> bool:
        """Whether narrow floats were raised to float64: arrays that the layer holds, or buffers that it makes."""
        return self._raised or (self._numpy is not None and self._numpy.used)

    def _hold(self, built: Any) -> None:
        self.layer = built if self._numpy is None else raised(built)
        self._placed = put(self.layer, self._made)
        self._parameters.hold(self.layer)
        self._parameters.numbers.hold(self.layer)

    @property
    def promises(self) -> frozenset[str]:
        """What a net may rely on: "in place" and "overwrites" for the book's lists; nothing of the kind elsewhere."""
        return pairing.BOOK if pairing.is_book(self.layer) else frozenset()

    @property
    def updates(self) -> frozenset[str]:
        """The parameters whose gradient is read from the update that backward makes."""
        return frozenset() if self._updates is None else frozenset(self._updates.read)

    @property
    def unread(self) -> Mapping[str, str]:
        """The parameters whose gradient the last backward did not let read: what to write to have each judged."""
        return self._parameters.unread

    @property
    def notes(self) -> Sequence[str]:
        """How gradients were paired with parameters, where that is not plain."""
        return [*self._parameters.notes, *self._handed.notes, *self._returned.notes]

    def parameters(self) -> Mapping[str, Array]:
        """The arrays that forward reads and leaves alone, by name; each may be written to in place."""
        return self._parameters.parameters()

    def unclaimed(self) -> Mapping[str, Array]:
        """The arrays that forward reads and for which the last backward left no gradient."""
        return self._parameters.unclaimed()

    def forward(self, inputs: Mapping[str, Any]) -> tuple[Any, ...]:
        """All outputs; a layer with one output gives a tuple of one."""
        args, kwargs = self._signature.bind(inputs)
        method, self._inputs = getattr(self.layer, self.convention.forward), inputs
        self._handed.loss.before(self.layer)
        if self._settled:
            return self._read(self._run("forward", method, *args, **kwargs))
        if self._first is None:
            self._first = copied(inputs)
            if not self._placed:
                self._run_first()
                args, kwargs = self._signature.bind(inputs)
                method = getattr(self.layer, self.convention.forward)
        self._parameters.watch.before(self.layer)
        self._parameters.numbers.before_forward(self.layer)
        self._handed.output.before(self.layer)
        result = self._call("forward", method, *args, **kwargs)
        self._parameters.watch.after(self.layer)
        self._parameters.numbers.after_forward(self.layer)
        self._parameters.hold(self.layer)
        return self._read(result)

    def _read(self, result: Any) -> tuple[Any, ...]:
        if result is None and self._handed.nothing(self.layer, self.convention.backward):
            result = self._handed.output.after(self.layer)
        self._returned = returned_by(result, getattr(type(self.layer), self.convention.backward))
        starts = not self.takes_dout() or self.default_dout() is not None
        outputs = self._returned.outputs
        return self._handed.with_loss(outputs, self.layer) if starts else outputs

    def restart(self) -> None:
        """Back to the state after construction, where the subject is frozen; what the first forward builds is there."""
        if not self.frozen:
            return
        self._late = self._late or (not self._settled and self._parameters.came_late())
        self._random.rewind()
        self._hold(self._call("the constructor", self._build)[0])
        if self._late:
            self._run_first()

    def _run_first(self) -> None:
        """Run the first forward, which builds parameters; what it left in lists is taken out again."""
        if self._first is None:
            return
        with cut_back(self.layer):
            self._feed(self.layer, self._first)
        self._hold(self.layer)

    def fork(self) -> Self:
        """A subject around a copy of the layer as it is now, with what its last forward left."""
        self._settle()
        other = copy.copy(self)
        other.layer, other._inputs, other._returned = copy.deepcopy((self.layer, dict(self._inputs), self._returned))
        other._parameters = self._parameters.copied(other.layer)
        return other

    def seek_numbers(self) -> None:
        """Let the next backward show which Python numbers are parameters."""
        self._parameters.numbers.seek()

    def made(self) -> Mapping[str, Made]:
        """The parameters that it makes itself, as they are now, once a backward has shown which have a gradient."""
        return self._parameters.made()

    def drawn(self) -> tuple[object, ...]:
        """Where the random generators stand that the layer can draw from, and how long its lists are."""
        return *fingerprint((self.layer, self._random.held)), lengths(self.layer)

    def plans(self) -> tuple[Plan, ...]:
        """The ways in which backward may be called, read once for what forward was given and returned."""
        backward = getattr(self.layer, self.convention.backward)
        forward, said = getattr(type(self.layer), self.convention.forward), self._returned
        inputs = owners(tuple(self._inputs))
        return self._calls.ways(
            backward, forward, len(said.outputs), inputs, cache=said.has_cache, defaults=self._defaults
        )

    def _plan(self) -> Plan:
        ways = self.plans()
        return self._calls.plan(ways) if self._inputs else ways[0]  # before any forward there is nothing to be given

    def untold(self) -> str | None:
        """Which of backward's arguments nothing says what they are given, and what to do; None where all are known."""
        return refusal(self._plan(), getattr(type(self.layer), self.convention.backward), self.convention.forward)

    def takes_dout(self) -> bool:
        """Whether backward is handed an upstream gradient."""
        return self._plan().takes_dout

    def may_keep_loss(self) -> bool:
        """Whether backward is handed nothing: neither dout nor, as a derivative at x is, what forward was given."""
        return not (self.takes_dout() or self._plan().takes_inputs)

    def averages(self) -> bool | None:
        """Whether backward's source divides by the number of samples; None where forward compares no two arrays."""
        return averages(self._inputs, getattr(type(self.layer), self.convention.backward))

    def default_dout(self) -> float | None:
        """The number that backward takes for dout where it is called without one."""
        return default_dout(getattr(type(self.layer), self.convention.backward), self._plan())

    def backward(self, douts: Sequence[Array | float], *, clear: bool = True) -> Any:
        """Call backward as its signature asks; return what is left for the inputs.

        clear: set the gradients that are kept to zero before, so that a layer that adds to them starts from nothing.
        """
        self._settle()
        if clear:
            self._parameters.clear()
        self._parameters.before_backward()
        self._parameters.numbers.before_backward(self.layer)
        self._handed.slope.before(self.layer)
        filled: dict[Any, Any] = {}
        douts = douts[-1:] if self._handed.ends_in_loss else douts
        self._calls.settle(self.plans(), lambda way: self.fork().run_wired(way, copy.deepcopy(douts)))
        step = self._step(self._plan(), douts, filled)
        returned = without_left_out(step.returned, self._signature.names, self._inputs)
        if returned is None and self._handed.nothing(self.layer, self.convention.backward):
            returned = self._handed.slope.after(step.layer)
        floats = tuple(name for name, value in self._inputs.items() if is_float(value))
        step = replace(step, returned=by_rows(returned, [self._inputs[name].shape for name in floats]))
        self._handed.in_parts = step.returned is not returned
        names = names_returned(getattr(type(self.layer), self.convention.backward))
        wanted = floats if self.wanted is None else self.wanted
        data = None if self.takes_dout() else shapes_of(self._inputs)
        return self._parameters.sort(step, names, wanted, tuple(self._inputs), filled, data)

    def _step(self, how: Plan, douts: Sequence[Array | float], filled: dict[Any, Any]) -> Stepped:
        """Run backward, on copies of the layer where it updates the weights itself."""

        def run(layer: Any, rate: float, given: Sequence[Array | float] = douts) -> Any:
            return self.run_backward(how, given, filled, layer, rate)

        if self._updates is None:
            self._updates = Updates()
            self.may_step = how.takes_rate or may_step(self.layer, self.convention.backward)
            if self.may_step:
                asked = partial(self.fork().run_backward, how, uneven(douts), {})  # of its own cache and inputs
                self._updates = updates_of(self.layer, asked, self._feed, self._parameters)
        if not (self._updates.moves or self._updates.wired):
            return Stepped(self.layer, run(self.layer, RATE))
        larger = larger_douts(self.layer, self.convention.backward, douts)
        return stepped(self.layer, run, self._updates.read, partial(run, given=larger) if larger else None)

    def _feed(self, layer: Any, inputs: Mapping[str, Any] | None = None) -> Any:
        args, kwargs = self._signature.bind(copied(inputs or self._inputs))
        return self._call("forward", getattr(layer, self.convention.forward), *args, **kwargs)

    def run_backward(self, how: Plan, douts: Any, filled: dict[Any, Any], layer: Any = None, rate: float = RATE) -> Any:
        """Call backward of the layer, or of a copy, as a plan says, at a learning rate."""
        owner = self.layer if layer is None else layer
        given = {**self._defaults, **nested(self._inputs), **kept_output(owner)}
        args, kwargs = how.bind(douts, given, self._returned.cache, rate, filled, self._returned.values)
        return self._run("backward", getattr(owner, self.convention.backward), *args, **kwargs)

    def run_wired(self, how: Plan, douts: Any) -> Any:
        """Call backward as a plan says, with an optimizer of ours where the layer lacks one."""
        return self.run_backward(how, douts, {}, wired(self.layer))

    def _settle(self) -> None:
        """What the first forwards showed of the layer is known now; what they built in few bits is raised as well."""
        if self._settled:
            return
        self._settled, self._late = True, self._late or self._parameters.came_late()
        if self._numpy is not None and self._late and any(is_narrow(array) for array in self.parameters().values()):
            self._hold(self.layer)
            self._raised = True
            self.forward(self._inputs)

    def gradients(self) -> tuple[Mapping[str, Any], tuple[Defect, ...]]:
        """The gradients of the parameters that the last backward left, and what is wrong with their lists."""
        return self._parameters.gradients()
