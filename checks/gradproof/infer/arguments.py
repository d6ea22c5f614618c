"""The arguments of a subject with all that is known of them before it runs: signature, annotations, source, names."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from inspect import Parameter
from itertools import pairwise
from typing import Any, cast

from gradproof.case.case import Case
from gradproof.case.nested import part_name
from gradproof.case.signatures import Construction, construction_of, function_signature, method_signature
from gradproof.case.specs import Spec
from gradproof.convention.convention import Convention, convention_for, convention_of
from gradproof.convention.decorators import reveal
from gradproof.convention.descent import is_optimizer
from gradproof.convention.preparation import arguments_of, preparation_of
from gradproof.infer.annotations import hints_of
from gradproof.infer.answers import answer_of
from gradproof.infer.attempt import built
from gradproof.infer.hyperparameters import arrays_among, dicts, number_for, words_for
from gradproof.infer.roles import WEIGHTS, Role, Setting, role_of, setting_of
from gradproof.infer.usage import Usage, usage_of
from gradproof.source.source import code_of_class, code_of_functions
from gradproof.subject.subject import constructed
from gradproof.trace.changes import Kind, value
from gradproof.trace.run import Hint

_ELEMENTWISE = ("tanh", "sigmoid", "softplus", "elu", "swish", "identity", "linear", "activation")  # smooth ones first
_VARIADIC = (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD)


@dataclass(frozen=True, eq=False)
class Undeclared:
    """A subject of which nothing is declared: a class, a forward with its backward, or a function alone.

    built, called: what the constructor and forward take; forward: its name. start: builds the subject and calls its
    forward, given the values of all arguments by name; case: the declaration for these specs and ranges of dims.
    """

    subject: Any
    backward: Any
    name: str
    built: Mapping[str, Parameter]
    called: Mapping[str, Parameter]
    forward: str
    annotations: Mapping[str, Any]  # resolved
    usage: Usage
    start: Callable[[Mapping[str, Any]], Any]
    case: Callable[[Mapping[str, Spec], Mapping[str, tuple[int, int]]], Case]

    @property
    def setting(self) -> Setting:
        """What the subject's name says; a model may call its forward a loss."""
        own = setting_of(self.name)
        return replace(own, loss=own.loss or setting_of(self.forward).loss)

    @property
    def required(self) -> list[str]:
        """The arguments without a default, the constructor's first."""
        both = [*self.built.values(), *self.called.values()]
        return list(dict.fromkeys(p.name for p in both if p.default is Parameter.empty))

    @property
    def takes_probabilities(self) -> bool:
        """Whether it is a loss that takes the logarithm of what it is given."""
        targets = (name for name in self.called if role_of(name, constructor=False) is Role.TARGET)
        return self.usage.takes_log and (self.setting.loss or any(targets))

    @property
    def forward_function(self) -> Any:
        """The function that is forward."""
        return getattr(self.subject, self.forward) if isinstance(self.subject, type) else self.subject

    def is_distribution(self, name: str) -> bool:
        """Whether what has no gradient is a distribution: it meets the logarithm of a softmax, and is no single chance.

        Only with rows that add up to one is ``p - t`` the gradient.
        """
        return self.usage.softmax and self.usage.log and name not in self.usage.complements

    def is_share(self, name: str) -> bool:
        """Whether a target lies between 0 and 1: a chance, as the logarithms that are taken tell."""
        is_target = name in self.called and role_of(name, constructor=False) is Role.TARGET
        is_chance = name in self.usage.complements and self.usage.log
        return is_chance or (is_target and (self.takes_probabilities or self.is_distribution(name)))

    def parameter(self, name: str) -> Parameter:
        """An argument as its signature shows it: the constructor's, where both take one of this name."""
        return self.built[name] if name in self.built else self.called[name]


def target_of(subject: Any) -> Undeclared:
    """Read a class, a pair (forward, backward), or a function. Raises ValueError for an unreadable signature."""
    if isinstance(subject, type):
        return _class_target(subject)
    forward, backward = subject if isinstance(subject, tuple) else (subject, None)
    reveal(forward)
    reveal(backward)
    signature = function_signature(forward, _name_of(forward))

    def start(values: Mapping[str, Any]) -> Any:
        args, kwargs = signature.bind(values)
        return forward(*args, **kwargs)

    usage = usage_of(code_of_functions(forward, backward).functions)
    case = _declared(forward, backward)
    return Undeclared(
        forward,
        backward,
        _name_of(forward),
        {},
        _parameters(forward),
        _name_of(forward),
        hints_of(forward),
        usage,
        start,
        case,
    )


def _class_target(cls: type) -> Undeclared:
    convention = convention_for(cls, cls.__name__, None)
    name, backward = convention.forward, convention.backward
    forward = getattr(cls, name)
    static = isinstance(inspect.getattr_static(cls, name, None), (staticmethod, classmethod))
    called = _parameters(forward) if static else dict(list(_parameters(forward).items())[1:])
    signature, built = method_signature(cls, name), _built(cls, convention)
    constructions: dict[tuple[str, ...], Construction] = {}

    def start(values: Mapping[str, Any]) -> Any:
        given = tuple(values)
        if given not in constructions:
            constructions[given] = construction_of(cls, convention, given)
        own = {key: value for key, value in values.items() if key in built}
        layer = constructed(cls, constructions[given], own)
        args, kwargs = signature.bind({key: value for key, value in values.items() if key in called})
        return getattr(layer, name)(*args, **kwargs)

    annotations = {**hints_of(getattr(cls, "__init__", None)), **hints_of(forward)}
    usage = usage_of(code_of_class(cls, name, backward).functions)
    return Undeclared(cls, None, cls.__name__, built, called, name, annotations, usage, start, _declared(cls, None))


def _built(cls: type, convention: Convention) -> dict[str, Parameter]:
    """What the constructor takes, and the methods that prepare its objects; an optimizer is ours."""
    found = _of_constructor(cls)
    prepared = preparation_of(cls, convention.forward, convention.backward)
    for name, parameter in arguments_of(cls, prepared.methods).items() if prepared.certain else ():
        if name not in found or found[name].default is not Parameter.empty:
            found[name] = parameter
    return {n: p for n, p in found.items() if not (is_optimizer(n) and p.default is Parameter.empty)}


def _of_constructor(cls: type) -> dict[str, Parameter]:
    """What the constructor takes, and those of its base where it hands on any keyword to it."""
    found = _parameters(cls)
    own = [vars(base)["__init__"] for base in cls.__mro__[:-1] if "__init__" in vars(base)]
    for constructor, above in pairwise(own):
        kinds = {parameter.kind for parameter in inspect.signature(constructor).parameters.values()}
        if Parameter.VAR_KEYWORD not in kinds:
            break
        inherited = list(_parameters(above).items())[1:]
        found |= {name: parameter for name, parameter in inherited if name not in found}
    return found


def _declared(subject: Any, backward: Any) -> Callable[[Mapping[str, Spec], Mapping[str, tuple[int, int]]], Case]:
    functions = [function for function in (subject, backward) if function is not None]
    return lambda specs, dims: Case(*functions, dims=dims or None, **cast(Any, specs))


def _name_of(function: Any) -> str:
    return str(getattr(function, "__name__", type(function).__name__))


def hints_for(target: Undeclared) -> dict[str, Hint]:
    """What is known of each argument before anything runs, forward's first."""
    source, layers = _source_of(target), _layers_for(target)
    names = dict.fromkeys([*target.called, *target.built])
    found = {name: _hint(target, name, source, layers) for name in names}
    return found | {part: hint for name in names for part, hint in _parts(target, found[name], source)}


def _parts(target: Undeclared, owner: Hint, source: str) -> Iterator[tuple[str, Hint]]:
    """What is known of the values of a dict, by their keys."""
    for key in owner.keys:
        made = role_of(key, constructor=True)
        part = part_name(owner.name, key)
        is_learned, number = _is_learned(key, source), number_for(key, constructor=True)
        yield part, Hint(part, weight=made in WEIGHTS, number=number, learned=is_learned, built=owner.built)


def _hint(target: Undeclared, name: str, source: str, layers: tuple[Kind, ...]) -> Hint:
    built = name in target.built
    fed, made = role_of(name, constructor=False), role_of(name, constructor=True)
    is_layers = made in (Role.LAYER, Role.LAYERS, Role.UNKNOWN)
    compared = target.usage.words.get(name, ())
    return Hint(
        name,
        built=built,
        first=name == _compared(target),
        switch=not built and target.called[name].default is False,
        target=_is_target(target, name) and not built,
        index=fed is Role.INDEX and not built,
        weight=made in WEIGHTS,
        bias=made is Role.BIAS,
        optional=target.parameter(name).default is not Parameter.empty,
        absent=target.parameter(name).default is None,
        scalar=made in (Role.SCALAR, Role.PENALTY, Role.RATE),
        size=built and made in (Role.SIZE, Role.KERNEL),
        shape=built and made in (Role.SHAPE, Role.SIZE_LIST),
        number=number_for(name, constructor=True),
        learned=_is_learned(name, source),
        dicts=dicts(target.usage.keys.get(name, ())),
        keys=arrays_among(target.usage.keys.get(name, ())),
        words=words_for(name, compared, constructor=built),
        layers=layers if is_layers and built else (),
        takes_log=target.usage.takes_log,
    )


def _is_target(target: Undeclared, name: str) -> bool:
    """Whether forward compares its output with it; a loss calls it ``y`` as well, where it is not its first."""
    is_last = name != next(iter(target.called), None)
    is_y = target.setting.loss and name.lower() == "y" and is_last
    answer = _answer(target)
    return is_y or name == answer if answer is not None else is_y or role_of(name, constructor=False) is Role.TARGET


def _answer(target: Undeclared) -> str | None:
    needed = [name for name, parameter in target.called.items() if parameter.default is Parameter.empty]
    return answer_of(needed, loss=target.setting.loss)


def _compared(target: Undeclared) -> str | None:
    """The argument that forward is about: its first, or the first beside the answer of a loss."""
    answer = _answer(target)
    first, *others = [*target.called, None]
    return others[0] if first is not None and first == answer and others[0] is not None else first


def _is_learned(name: str, source: str) -> bool:
    """Whether the source keeps a gradient for an argument, as it is usually called."""
    own = re.escape(name)
    gradients = rf"d_?{own}|{own}_?grad|grad_?{own}|g{own}|d\w*_{own}|grad_\w*{own}|{own}_bar"
    return re.search(rf"(?i)\b({gradients})\b|zeros_like\((self\.)?{own}\)|grads?\[.{own}.\]", source) is not None


def _source_of(target: Undeclared) -> str:
    parts = [target.subject, target.backward]
    if isinstance(target.subject, type):
        parts = [cls for cls in target.subject.__mro__ if cls is not object]
    return "\n".join(map(_text_of, filter(None, parts)))


def _text_of(part: Any) -> str:
    try:
        return inspect.getsource(part)
    except (OSError, TypeError):
        return ""


def _layers_for(target: Undeclared) -> tuple[Kind, ...]:
    """Another layer of the author's, alone and in a list."""
    cls = another_layer(target.subject)
    if cls is None or not target.built:
        return ()
    layer, text = built(cls), f"{cls.__qualname__}()"
    return () if layer is None else (value(layer, text), value([layer], f"[{text}]"))


def _parameters(function: Callable[..., Any]) -> dict[str, Parameter]:
    parameters = inspect.signature(function).parameters
    return {name: parameter for name, parameter in parameters.items() if parameter.kind not in _VARIADIC}


def another_layer(subject: Any) -> type | None:
    """A layer class of the same module that keeps shapes and needs no arguments; None where there is none."""
    module = sys.modules.get(getattr(subject, "__module__", ""))
    found = [value for value in vars(module).values() if _is_other_layer(value, subject)] if module else []
    ranked = [(word in cls.__name__.lower(), -place, cls) for place, word in enumerate(_ELEMENTWISE) for cls in found]
    likely = [cls for known, _, cls in sorted(ranked, key=lambda entry: entry[:2], reverse=True) if known]
    return likely[0] if likely else None


def _is_other_layer(value: Any, subject: Any) -> bool:
    if not isinstance(value, type) or value is subject or convention_of(value) is None or inspect.isabstract(value):
        return False
    try:
        return all(p.default is not Parameter.empty for p in _parameters(value).values())
    except (ValueError, TypeError):
        return False
