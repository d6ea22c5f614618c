"""How backward is called where the names of its arguments say it, and what is left open even then."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gradproof.convention.argument_names import has_role, role_of, targets
from gradproof.convention.backward_arguments import Given, Sources, distinct, douts_in_order, planned
from gradproof.convention.calling import Plan

STORES = frozenset({"gradients", "grads", "parameter_gradients", "param_grads", "grad_dict", "grads_dict"})


def named_plans(known: Sources, given: Given) -> tuple[Plan, ...]:
    """Where the names say all there is to say; with the one or two readings that even then are left open."""
    free = [name for name in given.names if name not in known and name not in given.defaults]
    only = [name for name in given.required if known.get(name, "").startswith("input ")]
    takes_own = not free and not _compares(only, given)
    if takes_own:
        known = {name: source for name, source in known.items() if not source.startswith("input ")}
        free = [name for name in given.names if name not in known and name not in given.defaults]
    needed = [name for name in free if name in given.required]
    if not given.cache:  # forward returned none: it is no dout for that
        free, needed = ([name for name in names if role_of(name) != "cache"] for names in (free, needed))
    others: list[Sources] = []
    if given.cache and "cache" not in known.values():
        kept = _cached(known, needed or free, given)
        others = [{name: f"input {name}"} for name in kept if name in given.inputs and name in known]
        known |= kept
        free, needed = ([name for name in names if name not in known] for names in (free, needed))
    filled = _filled(known, free, needed, given)
    if takes_own and len(only) == 1 and not given.cache:
        others = [{only[0]: f"input {only[0]}"}]
        others += [{only[0]: "output 0"}] if given.alone else []
    found = [douts_in_order({**filled, **other}, given) for other in ({}, *others)]
    return distinct(planned(sources, given) for sources in found)


def _compares(own: Sequence[str], given: Given) -> bool:
    """Whether forward's arguments are all that it takes: a function of x, or a loss that is given what it compares.

    One that takes forward's first argument alone calls dout by that name.
    """
    first = given.inputs[:1]
    answers = [name for name in own if name not in first or name in targets(given.inputs)]
    return len(own) > 1 or bool(answers)


def _cached(known: Mapping[str, str], left: Sequence[str], given: Given) -> Sources:
    """Which argument is the cache, where none bears its name: the last that is left, unless that is dout.

    In ``backward(dout, x)`` it is x, whatever forward kept for it; with several such names each has its own value.
    """
    own = [name for name, source in known.items() if source.startswith("input ")]
    optional = [name for name in given.names if name not in known and name not in given.required]
    if own and len(left) == 1 and role_of(left[0]) == "dout":
        return {own[0]: "cache"} if len(own) == 1 else {}
    if not left or (len(left) <= given.outputs and all(role_of(name) == "dout" for name in left)):
        kept = [name for name in optional if role_of(name) != "dout"]
        return dict.fromkeys(kept[:1], "cache")
    return {left[-1]: "cache"}


def _filled(known: Mapping[str, str], free: Sequence[str], needed: Sequence[str], given: Given) -> Sources:
    """Give the free arguments their upstream gradients, and leave the other defaults alone."""
    sources, outputs = dict(known), given.outputs
    stores = [name for name in free if name.lower() in STORES]
    rest = [name for name in needed if name not in stores]
    if stores and len(rest) >= outputs:  # else it is dout under that name
        sources |= dict.fromkeys(stores, "store")
        free, needed = [name for name in free if name not in stores], rest
    upstream = list(needed) + [name for name in free if name not in needed and role_of(name) == "dout"]
    if len(needed) > outputs:  # only their names can say which of them are dout
        upstream = [name for name in needed if role_of(name) == "dout" or "grad" in name.lower()]
        others = [name for name in needed if name not in upstream]
        if len(upstream) != outputs:
            return sources
        theirs = len(others) == len(given.inputs) and all(has_role(name, "input") for name in others)
        if theirs and not any(source.startswith("input ") for source in known.values()):  # under other names
            sources |= {name: f"input {own}" for name, own in zip(others, given.inputs, strict=True)}
    if outputs == 1 or len(upstream) < outputs:
        return sources | dict.fromkeys((upstream or list(free))[:1], "dout" if outputs == 1 else "douts")
    return sources | dict.fromkeys(upstream[:outputs], "dout")
