"""The ways in which backward may be called, the likeliest first: one alone where its names leave no doubt.

Names that say what they are given are never given anything else. Where a name says nothing, each value that is left
may be meant; which of them is, only a run can tell. It reads signatures, and calls nothing.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from inspect import Parameter
from types import FunctionType
from typing import Any

from gradproof.convention import function_names
from gradproof.convention.argument_names import predictions, role_of, targets
from gradproof.convention.backward_arguments import (
    Given,
    Sources,
    distinct,
    known_by_name,
    left_over,
    names_used,
    planned,
)
from gradproof.convention.calling import Plan, arguments
from gradproof.convention.named_arguments import named_plans
from gradproof.convention.stored import KEPT_OUTPUT
from gradproof.convention.unknown_arguments import open_plans

_PERHAPS_PREDICTIONS = frozenset({"dvalues", "values", "dvalue"})  # of a loss that is handed them again, or dout
_EARLIER = frozenset({"prev", "previous", "old", "last"})
_MOST_UNKNOWN = 4  # arguments whose names say nothing
_POSITIONAL = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)


def plans(
    theirs: Callable[..., Any],
    outputs: int,
    inputs: Sequence[str],
    *,
    cache: bool = False,
    defaults: Collection[str] = (),
    returned: Sequence[Any] = (),
    alone: bool = False,
) -> tuple[Plan, ...]:
    """Read from backward's signature how it may be called, where forward gave ``outputs`` outputs from ``inputs``.

    Arguments that bear the name of an argument of forward get its value, if enough others are left for dout.
    defaults: the arguments of forward that may be left out; returned: the names of the values in forward's return;
    alone: backward is a function, and no method of an object that remembers forward.
    """
    positions = (_by_position(*["dout"] * outputs, *["cache"] * cache),)
    try:
        found = list(inspect.signature(theirs).parameters.values())
    except (TypeError, ValueError):  # it has no readable signature: what the convention says
        return positions
    named = _of_kinds(found, *_POSITIONAL, Parameter.KEYWORD_ONLY)
    variadic = bool(_of_kinds(found, Parameter.VAR_POSITIONAL))
    if not named:
        return positions if variadic else (Plan(),)
    given = Given(
        name=getattr(theirs, "__name__", ""),
        outputs=outputs,
        inputs=tuple(inputs),
        cache=cache,
        defaults=tuple(name for name in defaults if name not in inputs),
        optional=frozenset(defaults),
        returned=tuple(returned),
        alone=alone,
        names=_names(named),
        required=_names([p for p in named if p.default is Parameter.empty]),
        used=names_used(theirs),
        by_keyword=frozenset(_names(_of_kinds(found, Parameter.KEYWORD_ONLY))),
        variadic=variadic,
    )
    return _ways(given)


def _names(parameters: Iterable[Parameter]) -> tuple[str, ...]:
    return tuple(parameter.name for parameter in parameters)


@functools.lru_cache(maxsize=256)  # asked whenever a subject is built, of a few functions
def _ways(given: Given) -> tuple[Plan, ...]:
    ways = _plans(given)
    return _with_receivers((*ways, *_with_predictions(ways[0], given)), given)


def _of_kinds(parameters: Sequence[Parameter], *kinds: Any) -> list[Parameter]:
    """The parameters of these kinds."""
    return [parameter for parameter in parameters if parameter.kind in kinds]


def _inputs_of(way: Plan) -> set[str]:
    """The arguments of forward whose values backward is given."""
    return {source.removeprefix("input ") for _, source in way.sources if source.startswith("input ")}


def _with_predictions(way: Plan, given: Given) -> tuple[Plan, ...]:
    """The ways in which a loss is handed its predictions again, under a name that may be dout's, beside the answer.

    They are what it kept as its output, where it made them itself, or what forward was given.
    """
    douts = [name.lower() for name, source in way.sources if source == "dout"]
    known = _inputs_of(way)
    left = [name for name in given.inputs if name not in known]
    has_answer = not known.isdisjoint(targets(given.inputs))
    is_one_of_two = len(douts) == 1 and len(left) == 1 and not given.alone
    if not (is_one_of_two and has_answer and douts[0] in _PERHAPS_PREDICTIONS):
        return ()
    return tuple(replace(way, sources=_instead(way, f"input {value}")) for value in (KEPT_OUTPUT, left[0]))


def _instead(way: Plan, given: str) -> tuple[tuple[str, str], ...]:
    return tuple((name, given if source == "dout" else source) for name, source in way.sources)


def outputs_among(
    theirs: Callable[..., Any], count: int, inputs: Sequence[str], returned: Sequence[Any]
) -> tuple[int, bool]:
    """How many of the ``count`` values that forward returned are outputs, and whether the last of them all is a cache.

    The last is the cache, unless backward takes an upstream gradient for each of the values, or calls those behind the
    outputs by their own names.
    """
    if count < 2:
        return count, False
    required = [name for name, is_required in arguments(theirs) if is_required]
    roles = [role_of(name) for name in required if name not in inputs]
    if roles == ["dout"] * count:
        return count, False
    outputs = _before_those_named(returned, required) if len(returned) == count else count
    if outputs < count - 1 and "cache" not in roles:
        return outputs, False
    return count - 1, True


def _before_those_named(returned: Sequence[Any], names: Sequence[str]) -> int:
    """How many values stand before those at the end that all bear one of these names; the first value always does."""
    count = len(returned)
    while count > 1 and returned[count - 1] in names:
        count -= 1
    return count


def is_pair_by_name(target: Any) -> bool:
    """Whether a target is two functions of which the name of one alone says that it is the derivative of the other."""
    if not isinstance(target, tuple) or not all(isinstance(part, FunctionType) for part in target):
        return False
    backward = target[-1]
    name = backward.__name__
    is_local = function_names.may_be_local(name) and not function_names.is_backward(name)
    return is_local and not any(role_of(argument) == "dout" for argument in inspect.signature(backward).parameters)


def _by_position(*sources: str) -> Plan:
    return Plan(tuple(("", source) for source in sources), len(sources))


def _plans(given: Given) -> tuple[Plan, ...]:
    known = known_by_name(given)
    for name in _made_anew(known, given):
        del known[name]
    upstream = _upstream(known, given)
    needed = [name for name in upstream if name in given.required]
    unknown = _unknown(known, upstream, given)
    if needed or len(unknown) > 1:
        known |= dict.fromkeys(_unused(unknown, given), "nothing")
        unknown = [name for name in unknown if name not in known]
    if given.local and not upstream and len(unknown) <= left_over(known, given):
        return _local(known, unknown, given)
    is_open = 0 < len(unknown) <= _MOST_UNKNOWN
    return (is_open and open_plans(known, needed, unknown, given)) or _named(known, upstream, given)


def _named(known: Sources, upstream: Sequence[str], given: Given) -> tuple[Plan, ...]:
    """The plans that names say; a method that need not be given anything may be called so, too."""
    may_go_without = not (given.required or upstream or given.cache or given.alone)
    return (*named_plans(known, given), *[Plan()] * may_go_without)


def _upstream(known: Sources, given: Given) -> list[str]:
    """The arguments whose names say that they are upstream gradients."""
    return [name for name in given.names if name not in known and role_of(name) == "dout"]


def _unknown(known: Sources, upstream: Sequence[str], given: Given) -> list[str]:
    """The required arguments whose names say nothing; one that is called a cache is refused where there is none."""
    unknown = [name for name in given.required if name not in known and name not in upstream]
    return unknown if given.cache else [name for name in unknown if role_of(name) != "cache"]


def _unused(names: Sequence[str], given: Given) -> list[str]:
    """Those that its code never reads; none where it reads no argument at all, as one that only raises."""
    if given.used.isdisjoint(given.names):
        return []
    return [name for name in names if name not in given.used]


def _made_anew(known: Sources, given: Given) -> list[str]:
    """What bears the name of an input and may be the output: the h of backward, beside its h_prev."""
    others = [name for name in given.required if name not in known]
    own = [name for name, source in known.items() if source == f"input {name}" and name in given.required]
    return [name for name in own if _has_earlier(name, others)]


def _has_earlier(name: str, others: Sequence[str]) -> bool:
    """Whether one of the others is that of a step before: h_prev or old_h of h."""
    for other in others:
        parts = function_names.words(other)
        if name.lower() in parts and not _EARLIER.isdisjoint(parts):
            return True
    return False


def _local(known: Sources, unknown: Sequence[str], given: Given) -> tuple[Plan, ...]:
    """A derivative of forward's arguments, of its output, or of what it kept; as numbers, or as a Jacobian."""
    own = [name for name in given.inputs if f"input {name}" not in known.values()]
    of_inputs = {**known, **_matched(unknown, own)}
    if len(given.required) != 1:
        return (planned(of_inputs, given),)
    (main,) = given.required
    found = [of_inputs]
    if given.outputs == 1:
        found.append({**of_inputs, main: "output 0"})
    if given.cache and "cache" not in known.values():
        found.append({**of_inputs, main: "cache"})
    direct = [planned(sources, given) for sources in found]
    jacobians = [replace(way, jacobian=True) for way in direct] if given.alone else []
    return distinct([*direct, *jacobians])


def _matched(names: Sequence[str], inputs: Sequence[str]) -> Sources:
    """Forward's arguments for these names: what is compared with what, where both tell, else in their order."""
    sources = dict[str, str]()
    for select in (targets, predictions):
        theirs, own = select(names), select(inputs)
        if len(theirs) == len(own) == 1:
            sources[theirs[0]] = f"input {own[0]}"
    rest = [name for name in names if name not in sources]
    left = [name for name in inputs if f"input {name}" not in sources.values()]
    return sources | {name: f"input {own}" for name, own in zip(rest, left, strict=False)}


def _with_receivers(found: Iterable[Plan], given: Given) -> tuple[Plan, ...]:
    """The plans with the input whose gradient a single array is, where there are several and the names tell."""
    several: list[Plan] = []
    for way in found:
        several += [replace(way, receiver=name) for name in _receivers(way, given)] or [way]
    return distinct(several)


def _receivers(way: Plan, given: Given) -> Sequence[str]:
    """The inputs of which a single array may be the gradient; none where the usual rules say it."""
    is_one_of_several = given.alone and len(given.inputs) > 1
    if not is_one_of_several or way.untold:
        return ()
    certain = _differentiable(given)
    compared = predictions(given.inputs)
    if len(certain) > 1 and len(compared) == 1:
        return compared
    if not way.takes_dout or way.jacobian:
        return certain
    has_sure_answer = any(name.lower() != "y" for name in targets(given.inputs))
    return certain if len(certain) == 1 and has_sure_answer else ()


def _differentiable(given: Given) -> list[str]:
    """The inputs that are no answers of a loss; of these the ones that may not be left out, where there are such."""
    answers = targets(given.inputs)
    found = [name for name in given.inputs if name not in answers]
    return [name for name in found if name not in given.optional] or found
