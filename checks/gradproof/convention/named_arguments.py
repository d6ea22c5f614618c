"""How backward is called where the names of its arguments say it, and what is left open even then."""

from __future__ import annotations

from collections.abc import Sequence

from gradproof.convention.argument_names import has_role, role_of, targets
from gradproof.convention.backward_arguments import Given, Sources, distinct, douts_in_order, planned
from gradproof.convention.calling import Plan

STORES = frozenset({"gradients", "grads", "parameter_gradients", "param_grads", "grad_dict", "grads_dict"})


def named_plans(known: Sources, given: Given) -> tuple[Plan, ...]:
    """Where the names say all there is to say; with the one or two readings that even then are left open."""
    own = [name for name in given.required if known.get(name, "").startswith("input ")]
    is_own_dout = not _unnamed(known, given) and not _compares(own, given)
    if is_own_dout:
        known = _without_inputs(known)
    known, others = _with_cache(known, given)
    if is_own_dout and len(own) == 1 and not given.cache:
        others = _without_dout(own[0], given)
    filled = _filled(known, given)
    found = [douts_in_order({**filled, **other}, given) for other in ({}, *others)]
    return distinct(planned(sources, given) for sources in found)


def _unnamed(known: Sources, given: Given) -> list[str]:
    """The arguments whose names do not say what they are given."""
    return [name for name in given.names if name not in known and name not in given.defaults]


def _free(known: Sources, given: Given) -> list[str]:
    """Those of them that may be given something: where forward returned no cache, what is called one is no dout."""
    return [name for name in _unnamed(known, given) if given.cache or role_of(name) != "cache"]


def _needed(free: Sequence[str], given: Given) -> list[str]:
    return [name for name in free if name in given.required]


def _without_dout(name: str, given: Given) -> list[Sources]:
    """What else the only argument may be given, which bears the name of an input: the input, or the output."""
    of_input, of_output = {name: f"input {name}"}, {name: "output 0"}
    return [of_input, of_output] if given.alone else [of_input]


def _compares(own: Sequence[str], given: Given) -> bool:
    """Whether forward's arguments are all that it takes: a function of x, or a loss that is given what it compares.

    One that takes forward's first argument alone calls dout by that name.
    """
    first = given.inputs[:1]
    answers = [name for name in own if name not in first or name in targets(given.inputs)]
    return len(own) > 1 or bool(answers)


def _with_cache(known: Sources, given: Given) -> tuple[Sources, list[Sources]]:
    """With an argument for the cache, where none bears its name; and the input that this one may be given instead."""
    is_missing = given.cache and "cache" not in known.values()
    kept = _cache_argument(known, given) if is_missing else None
    if kept is None:
        return known, []
    is_input = kept in known and kept in given.inputs
    others: list[Sources] = [{kept: f"input {kept}"}] if is_input else []
    return known | {kept: "cache"}, others


def _without_inputs(known: Sources) -> dict[str, str]:
    """What is known of the arguments, but for those that have the value of one of forward's."""
    return {name: source for name, source in known.items() if not source.startswith("input ")}


def _cache_argument(known: Sources, given: Given) -> str | None:
    """Which argument is the cache, where none bears its name: the last that is left, unless that is dout.

    In ``backward(dout, x)`` it is x, whatever forward kept for it; with several such names each has its own value.
    """
    free = _free(known, given)
    left = _needed(free, given) or free
    own = list(known.keys() - _without_inputs(known).keys())
    others = [name for name in left if role_of(name) != "dout"]
    is_lone_dout = len(left) == 1 and not others
    if own and is_lone_dout:
        return own[0] if len(own) == 1 else None
    if others or len(left) > given.outputs:
        return left[-1]
    return _optional_cache(known, given)


def _optional_cache(known: Sources, given: Given) -> str | None:
    """The first argument with a default that may be the cache."""
    optional = [name for name in given.names if name not in known and name not in given.required]
    return next((name for name in optional if role_of(name) != "dout"), None)


def _is_upstream(name: str) -> bool:
    return role_of(name) == "dout" or "grad" in name.lower()


def _filled(known: Sources, given: Given) -> Sources:
    """Give the free arguments their upstream gradients, and leave the other defaults alone."""
    sources = known | dict.fromkeys(_stores(_free(known, given), given), "store")
    free = _free(sources, given)
    needed = _needed(free, given)
    if len(needed) <= given.outputs:
        optional = [name for name in free if name not in needed and role_of(name) == "dout"]
        return sources | _douts([*needed, *optional], free, given.outputs)
    upstream = [name for name in needed if _is_upstream(name)]  # only their names can say which of them are
    if len(upstream) != given.outputs:
        return sources
    others = [name for name in needed if name not in upstream]
    return sources | _under_other_names(others, sources, given) | _douts(upstream, free, given.outputs)


def _stores(free: Sequence[str], given: Given) -> list[str]:
    """The arguments that are dicts for backward to fill; with too few others for dout, one is dout under that name."""
    stores = [name for name in free if name.lower() in STORES]
    others = [name for name in _needed(free, given) if name not in stores]
    return stores if len(others) >= given.outputs else []


def _under_other_names(others: Sequence[str], sources: Sources, given: Given) -> Sources:
    """Forward's arguments for those beside dout, where they are as many, of such names, and none of them is known."""
    is_known = any(source.startswith("input ") for source in sources.values())
    if is_known or len(others) != len(given.inputs):
        return {}
    if not all(has_role(name, "input") for name in others):
        return {}
    return {name: f"input {own}" for name, own in zip(others, given.inputs, strict=True)}


def _douts(upstream: Sequence[str], free: Sequence[str], outputs: int) -> Sources:
    """An upstream gradient for each output, or all of them together where the arguments are too few."""
    if outputs != 1 and len(upstream) >= outputs:
        return dict.fromkeys(upstream[:outputs], "dout")
    first = (upstream or free)[:1]
    return dict.fromkeys(first, "dout" if outputs == 1 else "douts")
