"""The arguments of a subject with all that is known of them before it runs: signature, annotations, source, names."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from inspect import Parameter
from typing import Any

from gradproof.convention.convention import convention_of
from gradproof.convention.descent import is_optimizer
from gradproof.convention.preparation import arguments_of, preparation_of
from gradproof.infer.annotations import hints_of
from gradproof.infer.guesses import Guess
from gradproof.infer.proposals import Argument, proposals
from gradproof.infer.roles import Role, Setting, role_of, setting_of
from gradproof.infer.usage import Usage, usage_of
from gradproof.source.source import code_of_class, code_of_functions

_ELEMENTWISE = ("tanh", "sigmoid", "softplus", "elu", "swish", "identity", "linear", "activation")  # smooth ones first
_VARIADIC = (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD)


@dataclass(frozen=True, eq=False)
class Target:
    """What is to be inferred: a class, a forward with its backward, or a loss function alone.

    built, called: what the constructor and forward take.
    """

    subject: Any
    backward: Any
    name: str
    built: Mapping[str, Parameter]
    called: Mapping[str, Parameter]
    hints: Mapping[str, Any]  # annotations, resolved
    usage: Usage

    @property
    def setting(self) -> Setting:
        """What the subject's name says."""
        return setting_of(self.name)

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
    def wants_layer(self) -> bool:
        """Whether the constructor needs an argument that may be another layer."""
        roles = [role_of(p.name, constructor=True) for p in self.built.values() if p.default is Parameter.empty]
        return not {Role.LAYER, Role.LAYERS, Role.UNKNOWN}.isdisjoint(roles)

    def options(self, layer: Any) -> dict[str, tuple[Guess, ...]]:
        """The guesses for every argument; ``layer`` may stand for another layer."""
        found: dict[str, tuple[Guess, ...]] = {}
        for constructor, parameters in ((True, self.built), (False, self.called)):
            for name, parameter in parameters.items():
                hint = self.hints.get(name)
                argument = Argument(name, parameter.default, constructor, hint, self.setting, self.usage, layer)
                found.setdefault(name, proposals(argument))
        return found


def target_of(subject: Any) -> Target:
    """Read a class, a pair (forward, backward), or a loss function. Raises ValueError for an unreadable signature."""
    if isinstance(subject, type):
        convention = convention_of(subject)
        forward = getattr(subject, convention.forward if convention else "forward")
        backward = convention.backward if convention else "backward"
        code = code_of_class(subject, convention.forward if convention else "forward", backward)
        static = isinstance(inspect.getattr_static(subject, forward.__name__, None), (staticmethod, classmethod))
        called = _parameters(forward)
        called = called if static else dict(list(called.items())[1:])
        hints = {**hints_of(getattr(subject, "__init__", None)), **hints_of(forward)}
        built = {**_parameters(subject)}
        found = preparation_of(subject, convention.forward if convention else "forward", backward)
        if found.certain:
            for name, parameter in arguments_of(subject, found.methods).items():
                if name not in built or built[name].default is not Parameter.empty:
                    built[name] = parameter
        built = {n: p for n, p in built.items() if not (is_optimizer(n) and p.default is Parameter.empty)}
        return Target(subject, None, subject.__name__, built, called, hints, usage_of(code.functions))
    forward, backward = subject if isinstance(subject, tuple) else (subject, None)
    code = code_of_functions(forward, backward)
    return Target(
        forward, backward, forward.__name__, {}, _parameters(forward), hints_of(forward), usage_of(code.functions)
    )


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
