"""What to build and feed, declared in terms of named dims; it draws no values and calls none of the user's code."""

from __future__ import annotations

import copy
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from gradproof.case import signatures
from gradproof.case.limits import AXES, joint_space, limits_of, require_integer, usual_range
from gradproof.case.nested import flattened, sources
from gradproof.case.signatures import Construction, Signature
from gradproof.case.sizes import Space
from gradproof.case.specs import Spec, as_spec
from gradproof.codes import CODES, closest
from gradproof.convention.calling import Plan
from gradproof.convention.convention import Convention, convention_for
from gradproof.convention.decorators import reveal
from gradproof.convention.return_statements import returns_backward
from gradproof.deadlines import SECONDS
from gradproof.errors import UsageError
from gradproof.nodes.conventions import as_functions, operation_of


@dataclass(frozen=True)
class Settings:
    """How a case is examined.

    ``examples``: how many random ones, beside the corner shapes. ``seed``: of every random draw. ``dims``: sizes by dim
    name, as in ``Case(dims=...)``. ``allow``: the codes of findings that are accepted here. ``convention``: how a
    layer is called and where it keeps its gradients, where that is not found. ``timeout``: how many seconds the subject
    may take; a single call of forward or backward may take a sixth of them.
    Raises UsageError for a value of another kind.
    """

    examples: int = 25
    seed: int = 0
    dims: Mapping[str, int | tuple[int, int]] = field(default_factory=dict[str, "int | tuple[int, int]"])
    allow: tuple[str, ...] = ()
    convention: Convention | None = None
    timeout: float = SECONDS

    def __post_init__(self) -> None:
        require_integer("Settings: examples", self.examples, least=1)
        require_integer("Settings: seed", self.seed, least=0)
        limits_of("Settings: dims", self.dims)
        _require_codes(self.allow)
        _require_convention(self.convention)
        _require_seconds(self.timeout)


@dataclass(frozen=True, eq=False, init=False, repr=False)
class Case:
    """A subject and what each of its arguments is.

    ``Case(Affine, W="d h", b="h", x="n d")`` for a class with forward and backward;
    ``Case(affine_forward, affine_backward, x="n d", w="d h", b="h")`` for a pair of functions with a cache;
    ``Case(softmax_loss, x="n c", y=labels("n", "c"))`` for one function that returns a loss and its gradient.
    Keyword names are those of the constructor's and forward's signatures. A string is a shape: named dims separated by
    spaces. A dict of arrays is ``parameters=arrays({"W": "d h", "b": "h"})``. ``dims={"n": (2, 6), "h": 4}`` limits
    sizes; for a starred name it limits the number of axes. Where the subject itself takes an argument ``dims`` or
    ``settings``, the keyword goes to it, and ``Settings(dims=...)`` limits sizes. Raises UsageError for a declaration
    that cannot work.
    """

    subject: Callable[..., Any]
    backward: Callable[..., Any] | None  # None for a class, which has its own, and for a loss, which returns gradients
    convention: Convention | None  # None for functions
    construction: Construction  # the constructor, and the methods that prepare its objects
    init: Mapping[str, Spec]  # their arguments
    inputs: Mapping[str, Spec]  # forward's arguments, in forward's order
    init_signature: Signature
    forward_signature: Signature
    space: Space
    settings: Settings
    name: str
    file: str  # where the case was declared
    line: int
    plan: Plan | None  # how backward is called, where its names leave it open and it was found out

    def __init__(
        self,
        subject: Callable[..., Any],
        backward: Callable[..., Any] | None = None,
        /,
        *,
        settings: Settings | None = None,
        dims: Mapping[str, int | tuple[int, int]] | None = None,
        **arguments: Any,
    ) -> None:
        chosen = settings.convention if isinstance(settings, Settings) else None
        _require_hash(subject)
        _require_hash(backward)
        subject, backward = as_functions(subject, backward)
        for function in (subject, backward):
            reveal(function)
        name, convention, construction, forward = _signatures(subject, backward, chosen, tuple(arguments))
        init = construction.signature
        taken = (*init.names, *forward.names)
        if dims is not None and "dims" in taken:
            arguments, dims = {"dims": dims, **arguments}, None
        theirs = not _is_settings(settings) and "settings" in taken
        if settings is not None and theirs:
            arguments, settings = {"settings": settings, **arguments}, None
        options = as_settings(settings)
        limits = {**options.dims, **limits_of("dims", dims)}
        to_init, to_forward = signatures.split(arguments, init, forward)
        init_specs, input_specs = _specs(arguments, to_init), _specs(arguments, to_forward)
        file, line = _caller()
        self._fill(subject=subject, backward=backward, name=name, settings=options, file=file, line=line)
        self._fill(convention=convention, construction=construction, init_signature=init, forward_signature=forward)
        self._fill(plan=None)
        self._fill(init=init_specs, inputs=input_specs)
        self._fill(space=joint_space(self.init, self.inputs, limits))

    def _fill(self, **fields: Any) -> None:
        """Set fields of this frozen object, during construction only."""
        for name, value in fields.items():
            object.__setattr__(self, name, value)

    def under(self, settings: Settings) -> Case:
        """The same case, examined as these settings say; they limit no dims here."""
        other = copy.copy(self)
        other._fill(settings=settings)
        return other

    @property
    def names(self) -> tuple[str, ...]:
        """The plain dim names in the order of their first use."""
        return tuple(self.space.ranges)

    @property
    def starred(self) -> tuple[str, ...]:
        """The starred names."""
        return tuple(self.space.axes)

    @property
    def ranges(self) -> Mapping[str, tuple[int, int]]:
        """The least and most size of each plain dim."""
        return self.space.ranges

    def called(self, plan: Plan | None) -> Case:
        """The same case, with backward called according to this plan."""
        other = copy.copy(self)
        other._fill(plan=plan)
        return other

    def declaration(self) -> str:
        """The case as Python source, to be copied; a strategy appears by its repr."""
        is_operation = operation_of(self.subject) is not None  # a class of an autograd library, which has both halves
        parts = [_named(self.subject)]
        if self.backward is not None and not is_operation:
            parts.append(_named(self.backward))
        parts += sources({**self.init, **self.inputs})
        options, limits = self._options(), self._limits()
        takes_dims = "dims" in (*self.init_signature.names, *self.forward_signature.names)
        if limits and takes_dims:
            options.append(f"dims={limits!r}")
        elif limits:
            parts.append(f"dims={limits!r}")
        if options:
            parts.append(f"settings=Settings({', '.join(options)})")
        return f"Case({', '.join(parts)})"

    def _options(self) -> list[str]:
        """The settings that are not the default ones, as keyword arguments; without the limits on dims."""
        default = Settings()
        values = {key: getattr(self.settings, key) for key in ("examples", "seed", "allow", "convention")}
        return [f"{key}={value!r}" for key, value in values.items() if value != getattr(default, key)]

    def _limits(self) -> dict[str, int | tuple[int, int]]:
        """The limits on dims that are not the usual ones, as ``Case(dims=...)`` takes them."""
        usual = usual_range([*self.init.values(), *self.inputs.values()])
        given = {name: limit for name, limit in self.space.ranges.items() if limit != usual}
        given |= {name: limit for name, limit in self.space.axes.items() if limit != AXES}
        return {name: least if least == most else (least, most) for name, (least, most) in given.items()}

    def __repr__(self) -> str:
        """The declaration."""
        return self.declaration()


def _specs(arguments: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Spec]:
    """What each of the named arguments is; the parts of a dict stand for themselves."""
    given = flattened({name: arguments[name] for name in names})
    return {name: as_spec(name, value) for name, value in given.items()}


def _named(function: Any) -> str:
    return getattr(function, "__qualname__", repr(function))


def _signatures(
    subject: Any, backward: Any, chosen: Convention | None, named: tuple[str, ...]
) -> tuple[str, Convention | None, Construction, Signature]:
    """The subject's name and convention, and what its construction and its forward take."""
    if isinstance(subject, type):
        if backward is not None:
            raise UsageError(
                f"{subject.__name__} is a class and brings its own backward, got backward={backward!r}; leave it out"
            )
        convention = convention_for(subject, subject.__name__, chosen)
        made = signatures.construction_of(subject, convention, named)
        return subject.__name__, convention, made, signatures.method_signature(subject, convention.forward)
    if hasattr(subject, "forward") or not callable(subject):
        raise UsageError(
            f"expected a class, or a forward and a backward function, got subject={subject!r} "
            f"(type {type(subject).__name__}); give the class itself, as in Case(Affine, ...), not an object of it"
        )
    operation = operation_of(subject)
    if operation is not None:
        return operation.name, None, Construction(), signatures.function_signature(subject, operation.name)
    title = getattr(subject, "__name__", type(subject).__name__)
    _require_backward(subject, title, backward)
    name = title.removesuffix("_forward").removesuffix("_fwd") or title
    return name, None, Construction(), signatures.function_signature(subject, title)


def _require_backward(forward: Any, title: str, backward: Any) -> None:
    """Raise UsageError where a function is half of a pair, and its other half is not given."""
    is_half = title.endswith(("forward", "backward")) and not returns_backward(forward)
    is_loss = backward is None and not is_half
    is_function = callable(backward) and not isinstance(backward, type)
    if not is_loss and not is_function:
        raise UsageError(
            f"{title} is a function: expected its backward function as the second argument, got backward={backward!r} "
            f"(type {type(backward).__name__}); write Case({title}, its_backward, ...)"
        )


def _require_hash(function: Any) -> None:
    if callable(function) and getattr(type(function), "__hash__", None) is None:
        name = type(function).__name__
        raise UsageError(
            f"expected a class or a function, got an object of {name} that can be called and not be hashed; "
            f"give {name} a __hash__ beside its __eq__, or wrap the object in a function"
        )


def _is_settings(value: object) -> bool:
    return isinstance(value, Settings)


def _require_convention(convention: object) -> None:
    if convention is not None and not isinstance(convention, Convention):
        raise UsageError(
            f"Settings: expected a Convention, got convention={convention!r} (type {type(convention).__name__}); "
            'write convention=Convention(backward="backprop")'
        )


def _require_seconds(timeout: Any) -> None:
    is_number = isinstance(timeout, (int, float)) and not isinstance(timeout, bool)
    if not is_number or not 0 < timeout < float("inf"):
        raise UsageError(
            f"Settings: expected a number of seconds above 0, got timeout={timeout!r} (type {type(timeout).__name__}); "
            f"write timeout={SECONDS:g}"
        )


def _require_codes(allow: object) -> None:
    if not isinstance(allow, tuple) or not all(isinstance(code, str) for code in allow):
        raise UsageError(
            f"Settings: expected a tuple of finding codes, got allow={allow!r} (type {type(allow).__name__}); "
            'write allow=("GP108",), with the comma'
        )
    unknown = [code for code in allow if code not in CODES]
    if unknown:
        remedy = f"{unknown[0]}: {closest(unknown[0])}"
        raise UsageError(f"Settings: expected codes of findings that exist, got allow={allow!r}; {remedy}")


def as_settings(settings: Any) -> Settings:
    """The settings themselves, or the defaults for None. Raises UsageError for anything else."""
    if settings is None:
        return Settings()
    if not isinstance(settings, Settings):
        raise UsageError(
            f"expected settings=Settings(...), got settings={settings!r} (type {type(settings).__name__}); "
            "write settings=Settings(examples=100, seed=1)"
        )
    return settings


def _caller() -> tuple[str, int]:
    """The file and line outside gradproof that declared the case."""
    frame = sys._getframe(1)  # pyright: ignore[reportPrivateUsage]
    while frame.f_back is not None and frame.f_globals.get("__name__", "").split(".")[0] == "gradproof":
        frame = frame.f_back
    return frame.f_code.co_filename, frame.f_lineno
