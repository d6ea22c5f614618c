"""The words for every kind of fact: laws of the shapes, regions, slips, what a rule tells of; it knows no finding."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Mapping
from typing import Any

from gradproof.diagnose import causes
from gradproof.diagnose.cause_kind import Template, Words
from gradproof.findings import OWN, Fact, Parameters, Value
from gradproof.mend.named_slips import SLIPS

LONGEST = 48  # characters of an expression that stands in the source, within a sentence
BEFORE = 12  # of those, how many of what two expressions share are shown before they differ
STANDS_IN_SOURCE = ("mine", "other", "value", "first", "second", "one", "test", "what", "mask", "buffer", "like")


def phrase(fact: Fact, tensor: str) -> str:
    """A fact about the gradient of ``tensor``, as it stands within a sentence."""
    return filled(FACTS[fact.kind], words(fact.parameters, tensor))


def advice(fact: Fact, tensor: str) -> str:
    """What to do about it."""
    return filled(ADVICE[fact.kind], words(fact.parameters, tensor))


def words(parameters: Parameters, tensor: str) -> dict[str, Any]:
    """Every parameter as it is written; numbers stay numbers, so that a template can say with how many digits."""
    written = {name: _written(value, tensor) for name, value in parameters.items()}
    telling = {"phrase": functools.partial(phrase, tensor=tensor), "to_do": functools.partial(advice, tensor=tensor)}
    return {"tensor": tensor, "raw": parameters, **telling, **written}


def filled(template: Template, given: Words) -> str:
    """The text of a template."""
    return template.format_map(given) if isinstance(template, str) else template(given)


def _written(value: Value, tensor: str) -> Any:
    if isinstance(value, str):
        return value.replace(OWN, tensor)
    if isinstance(value, Fact):
        return phrase(value, tensor)
    if not isinstance(value, tuple):
        return value
    if all(isinstance(one, int) for one in value):
        return " and ".join(f"axis {one}" for one in value)
    return " or ".join(str(_written(one, tensor)) for one in value)


def _slice(words: Words, number: str = "") -> str:
    """Name a slice across an axis: "row 2", "column 2", "slice 2 along axis 0"; without a number, its kind."""
    axes, axis = words["axes"], words["axis"]
    kinds = {1: ("entry",), 2: ("row", "column")}.get(axes)
    return f"{kinds[axis] if kinds else 'slice'}{number}{'' if kinds else f' along axis {axis}'}"


def _threshold(words: Words) -> str:
    dim, (least, most), (low, high) = words["dim"], words["raw"]["fails"], words["raw"]["passes"]
    if least > high:
        passes = f"at {dim} = {high}" if low == high else f"up to {dim} = {high}"
        return f"fails whenever {dim} >= {least}, passes {passes}"
    fails = f"at {dim} = {most}" if least == most else f"whenever {dim} <= {most}"
    passes = f"at {dim} = {low}" if low == high else f"from {dim} = {low} on"
    return f"fails {fails}, passes {passes}"


def _everywhere(words: Words) -> str:
    one = "fails in the one example tried"
    return one if words["tried"] == 1 else f"fails in all {words['tried']} examples tried"


def _listed(names: tuple[str, ...]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _wrong(words: Words, located: str = "") -> str:
    verb = "is" if words["wrong"] == 1 else "are"
    return f"{words['wrong']} of {words['measured']} {located}entries {verb} wrong"


def _numbered(words: Words) -> str:
    of = f" of {words['size']}" if "size" in words else ""
    number = f" {words['index']}{of}"
    return f"{_slice(words, number)} (counted from 0)"


_OF_SHAPES_AND_VALUES: Mapping[str, Template] = {
    # for which shapes a subject fails
    "fails-everywhere": _everywhere,
    "fails-in-some": "fails in {failing} of {tried} examples tried",
    "threshold": _threshold,
    "one-size": "fails at {dim} = {fails} only",
    "relation": "fails whenever {one} {fails} {other}, passes where {one} {passes} {other}",
    "parity": "fails whenever {dim} is {fails}, passes where it is {passes}",
    "both": "fails whenever {one} >= {one_fails_from} and {other} >= {other_fails_from}, passes up to {one} ="
    " {one_passes_up_to} and up to {other} = {other_passes_up_to}",
    "fails-away-from": "fails whenever {name} != {value}, passes at {name} = {value}",
    "fails-only-away-from": "fails only where {name} != {value}, passes at {name} = {value}",
    "fails-at-one-value": "fails whenever {name} = {value}, passes at other values",
    "fails-away-from-defaults": lambda w: f"fails only away from {_listed(w['raw']['defaults'])}",
    "fails-away-from-made": lambda w: (
        f"fails only away from the values that the layer itself gives {_listed(w['raw']['parameters'])}"
    ),
    # regions of a tensor
    "first-slice": lambda w: f"the first {_slice(w)}",
    "last-slice": lambda w: f"the last {_slice(w)}",
    "all-but-first": lambda w: f"every {_slice(w)} but the first",
    "all-but-last": lambda w: f"every {_slice(w)} but the last",
    "slice": _numbered,
    "slice-of": _numbered,
    "first-entry": "the first entry",
    "last-entry": "the last entry",
    "diagonal": "the diagonal",
    "off-diagonal": "what lies off the diagonal",
    "values-by-sign": "what belongs to {of} {sign} 0",
    "values-up-to": "what belongs to {of} <= {border:.3g} (right from {right_from:.3g} on)",
    "values-from": "what belongs to {of} >= {border:.3g} (right up to {right_up_to:.3g})",
    "ties": "what belongs to ties of {tensor}, values that occur more than once,",
    "entries-wrong": _wrong,
    "located-entries-wrong": lambda w: _wrong(w, "located "),
    # places
    "part": "{part} in {path}",
    "dout-of-the-whole": "the dout of the whole",
}


def _of_slip(template: str, words: Words) -> str:
    """The sentence of a slip: what can be read in the source is cut where it is long, what is to be written is not."""
    texts = {name: words[name] for name in STANDS_IN_SOURCE if isinstance(words.get(name), str)}
    columns = zip(*texts.values(), strict=False) if len(texts) > 1 else ()
    alike = sum(1 for _ in itertools.takewhile(lambda column: len({*column}) == 1, columns))
    begin = alike - BEFORE if alike > LONGEST - BEFORE else 0
    return template.format_map({**words, **{name: _cut(text, begin) for name, text in texts.items()}})


def _cut(text: str, begin: int) -> str:
    """At most LONGEST characters of a text, from its beginning or from where two that begin alike differ."""
    before = "... " if begin else ""
    rest = text[begin:]
    return f"{before}{rest}" if len(rest) <= LONGEST else f"{before}{rest[: LONGEST - 4]} ..."


def _together(*sorts: Mapping[str, Template]) -> Mapping[str, Template]:
    """Raises ValueError where two sorts of fact have one name."""
    together = dict(itertools.chain.from_iterable(sort.items() for sort in sorts))
    if len(together) < sum(map(len, sorts)):
        raise ValueError("expected another name for each kind of fact and of slip, got one twice")
    return together


FACTS = _together(
    _OF_SHAPES_AND_VALUES,
    {kind.name: kind.words for kind in causes.FACTS},
    {kind.name: functools.partial(_of_slip, kind.words) for kind in SLIPS.values()},
)
ADVICE: Mapping[str, Template] = {kind.name: kind.advice for kind in causes.FACTS}
