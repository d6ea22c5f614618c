"""Which hyper-parameters of a Case take other values too, and which: those that stay within their plain domain.

The name and the author's own value say what that is: a probability lies between 0 and 1, an axis within the rank, a
stride is 1 to 3. It runs nothing; where the layer does not run with a value, that is not used.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gradproof.case.case import Case
from gradproof.case.specs import Floats, Literal
from gradproof.infer.roles import Role, role_of
from gradproof.values import Varied

MOST_EPS = 100.0  # times the author's own: one far away only blurs
LARGEST_EPS = 0.01  # one that is larger is a share, as in label smoothing
SEEN_EPS = 1e-4  # where an epsilon is that large, another one shows in the gradients

# What other values do not test (seeds, rates of learning, initial values), what says how a layer is called (training
# or not), what has effects outside, and what guards or bounds values: there, a right backward may ignore the bound.
_NEVER = re.compile(
    r".*(seed|init|std|lr|learn|train|eval|infer|test|mode|debug|verbose|inplace|in_place|return|clip|thresh|cutoff|"
    r"limit|bound|logit|from_|state|froz|freeze|dtype|weight|decay|reg|lam|l1|l2|penal|norm|iter|step|epoch|batch|max|"
    r"min|noise|label(?!_?smooth)|ignore|index|idx|gain|gpu|cuda|cupy|plot|show|save|print|log|writ|load|file|path|"
    r"parallel|thread|jit|check|cach|stor|grad|shuffle|copy).*",
    re.IGNORECASE,
)
_EPS = re.compile(r".*eps(ilon)?(_.*)?|.*_eps\w*|tol(erance)?|jitter|fuzz", re.IGNORECASE)
_RATIO = re.compile(r"p|.*(drop|rate|ratio|keep|prob|quantile|tau|q)\w*", re.IGNORECASE)
_STRIDE = re.compile(r"s|.*strides?(_?[hwxyd\d])?", re.IGNORECASE)
_PAD = re.compile(r".*pad(ding)?s?(_?[hwxyd\d])?", re.IGNORECASE)
_DILATION = re.compile(r".*dilat\w*|.*_rate|atrous", re.IGNORECASE)
_GROUPS = re.compile(r"g|(\w+_)?(groups?|heads)(_?(num|count))?", re.IGNORECASE)
_WINDOW = re.compile(r"k[hwxy]?|.*(kernel|pool|window|filter_?size|field)\w*|f[hw]|h{2}|w{2}", re.IGNORECASE)
_AXIS = re.compile(r"axis|dim|axes", re.IGNORECASE)
_FOR_EACH_AXIS = (_PAD, _STRIDE, _WINDOW, _DILATION)
_PENALTY = 0.7  # of regularisation, beside a strength of 0, at which it hides
_INTEGER = re.compile(r"alpha|beta|gamma|temperature|temp|scale|power|exponent|degree|slope|delta|sigma", re.IGNORECASE)


@dataclass(frozen=True)
class Variation:
    """One hyper-parameter: where it is given, its author's own value, and the other values that it may take.

    key: where the argument is a dict, the key in it. is_penalty: it weighs a regularisation, which a layer may leave to
    the loss of its net: then its backward is right to have a term that its forward has not.
    """

    argument: str
    own: Any
    others: tuple[Any, ...]
    of_constructor: bool
    key: str | None = None
    is_penalty: bool = False

    @property
    def name(self) -> str:
        """As it is told."""
        return self.argument if self.key is None else f"{self.argument}[{self.key!r}]"

    def at(self, value: Any) -> Varied:
        """The hyper-parameter with one of its values."""
        return Varied(self.argument, value, self.own, self.of_constructor, self.key)


def variations(case: Case, *, inferred: bool) -> tuple[Variation, ...]:
    """The hyper-parameters of a Case that may vary.

    Those that it leaves at their defaults and, of an inferred Case, also those whose value was only guessed: what its
    author has declared stays as it is.
    """
    rank = max((len(spec.shape.axes) for spec in case.inputs.values() if isinstance(spec, Floats)), default=0)
    found: list[Variation] = []
    if isinstance(case.subject, type):
        found += _of(case.subject, case.init, rank, of_constructor=True, inferred=inferred)
    forward = case.subject if case.convention is None else getattr(case.subject, case.convention.forward)
    names = {variation.argument for variation in found}
    rest = _of(forward, case.inputs, rank, of_constructor=False, inferred=inferred)
    return (*found, *(variation for variation in rest if variation.argument not in names))


def _of(
    function: Callable[..., Any], specs: Mapping[str, Any], rank: int, *, of_constructor: bool, inferred: bool
) -> Iterator[Variation]:
    known = {name: value for name, value in _defaults(function).items() if name not in specs}
    if inferred:
        known |= {name: spec.value for name, spec in specs.items() if isinstance(spec, Literal)}
    for name, key, own in _entries(known):
        is_penalty, others = _others_than(name if key is None else str(key), own, rank)
        if others:
            yield Variation(name, own, others, of_constructor, key, is_penalty)


def _entries(known: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """The values of arguments, and those in dicts of them: argument, key in the dict or None, value."""
    for name, value in known.items():
        entries: Mapping[Any, Any] = value if isinstance(value, dict) else {None: value}
        yield from ((name, key, own) for key, own in entries.items())


def _others_than(name: str, own: Any, rank: int) -> tuple[bool, tuple[Any, ...]]:
    """Whether a hyper-parameter is a penalty by its name, and the values that it may take as well."""
    if role_of(name, constructor=True) is Role.PENALTY:
        return True, tuple(_penalties(own))
    return False, tuple(alternatives(name, own, rank))


def _defaults(function: Callable[..., Any]) -> dict[str, Any]:
    try:
        found = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return {}
    return {p.name: p.default for p in found if p.default is not inspect.Parameter.empty}


def _penalties(own: Any) -> tuple[float, ...]:
    """Other strengths of a regularisation."""
    if isinstance(own, bool) or not isinstance(own, (int, float)):
        return ()
    return (_PENALTY,) if own < _PENALTY else (own / 2,)


def alternatives(name: str, own: Any, rank: int) -> tuple[Any, ...]:
    """Other values in the plain domain of a hyper-parameter; none where there is no telling.

    rank: the number of axes of the input.
    """
    is_eps = isinstance(own, float) and own <= LARGEST_EPS and _EPS.fullmatch(name) is not None
    if is_eps:
        larger = min(max(10 * own, SEEN_EPS), MOST_EPS * own, LARGEST_EPS)
        return (larger,) if larger > own > 0 else ()
    if _NEVER.fullmatch(name) or name.startswith("_"):
        return ()
    if isinstance(own, bool):
        return (not own,)
    if isinstance(own, int):
        return _integers(name, own, rank)
    if isinstance(own, float):
        return _floats(name, own)
    return _tuples(name, own)


def _floats(name: str, own: float) -> tuple[float, ...]:
    if own == 0.0:
        return (0.3,) if _RATIO.fullmatch(name) else ()
    if 0.0 < own < 1.0:
        return tuple(value for value in (0.3, 0.7) if abs(value - own) > 0.05)
    return (own / 2, 2 * own) if 1.0 <= own <= 100.0 else ()


def _integers(name: str, own: int, rank: int) -> tuple[int, ...]:
    for pattern, values in ((_STRIDE, (1, 2, 3)), (_PAD, (0, 1, 2))):
        if pattern.fullmatch(name):
            return tuple(value for value in values if value != own)
    if _AXIS.fullmatch(name):
        may_be_size = name == "dim" and own >= 0
        return () if may_be_size else _axes(own, rank)
    return _positive(name, own) if own >= 1 else ()


def _positive(name: str, own: int) -> tuple[int, ...]:
    """Other values of an integer that is at least 1, and stays so."""
    if _DILATION.fullmatch(name):
        return (2,) if own == 1 else (1,)
    if _GROUPS.fullmatch(name):
        return (1,) if own > 1 else ()  # whatever they divide, one group divides it as well
    if _WINDOW.fullmatch(name):
        return tuple(value for value in (own - 1, own + 1) if value >= 1)
    return (own + 1, own + 2) if _INTEGER.fullmatch(name) else ()


def _axes(own: int, rank: int) -> tuple[int, ...]:
    if not -rank <= own < rank:
        return ()
    possible = {axis % rank: axis for axis in (-2, -1, 1, 0) if -rank <= axis < rank}
    return tuple(axis for place, axis in possible.items() if place != own % rank)[-2:]


def _tuples(name: str, own: Any) -> tuple[Any, ...]:
    """Pairs that are unlike in their two parts: a window that is not square, a stride for each axis."""
    is_pair = isinstance(own, (tuple, list)) and len(own) == 2 and all(type(part) is int for part in own)
    if not is_pair or not any(pattern.fullmatch(name) for pattern in _FOR_EACH_AXIS):
        return ()
    least = 0 if _PAD.fullmatch(name) else 1
    first, second = own
    pairs: Sequence[tuple[int, int]] = [(first, second + 1), (first + 1, second), (second, max(first - 1, least))]
    return tuple(type(own)(pair) for pair in pairs if pair != tuple(own))
