"""The words for the causes that are seen in the places of a gradient or of a composite, a row for each kind."""

from __future__ import annotations

from collections.abc import Mapping

from gradproof.findings import Fact
from gradproof.report.facts import Words, phrase
from gradproof.report.row import Row

OTHER_SLICE = {"all-but-first": "first-slice", "all-but-last": "last-slice"}  # which slice such a region leaves out
_EVERY_OUTPUT = "every output's gradient counts: add what each of them brings"
_CHAIN_ADVICE = "go through the parts in the reverse order of forward; where an output is used twice, add its douts"
_COMPARE_MASKS = "compare the mask, the branch or the slice in backward with the one in forward"
_BROKEN = "the parts are right, their chaining is wrong"
_MADE_WRONG = "the parts are right, what is made of them is wrong"
_RIGHT_DOUT = "each part is right alone, and each is given the right dout"


def _shares(words: Words) -> str:
    kept = "some of its shares alone" if words["kept"] == "some" else f"the {words['kept']} of its shares alone"
    return f"an entry of {words['tensor']} used several times gets {kept}, each of them right"


def _wrong_part(words: Words) -> str:
    listed = " and ".join(f"d{tensor}" for tensor in words["raw"]["tensors"])
    return f"{words['part']} in {words['path']}, alone at what it receives here, has a wrong {listed}"


def _region(words: Words) -> str:
    only = "" if words["raw"]["region"].kind in OTHER_SLICE else "only "
    return "{only}{region} is wrong: {extent}".format_map({**words, "only": only})


def _not_broadcast(words: Words) -> str:
    region = words["raw"]["region"]
    one = phrase(Fact(OTHER_SLICE[region.kind], region.parameters), words["tensor"])
    return f"d{words['tensor']} is not broadcast back: only {one} gets it, and the gradient is the same for all"


PLACES: Mapping[str, Row] = {
    # the right numbers in the wrong places
    "transposed": Row(
        "yours = numeric.T",
        "d{tensor} is the true gradient transposed",
        "write down the shape of each factor: where the shapes differ only one order fits",
    ),
    "axes-exchanged": Row(
        "yours = numeric with axes {one} and {other} exchanged",
        "d{tensor} is the true gradient with axes {one} and {other} exchanged",
        "write down the shape of each factor: where the shapes differ only one order fits",
    ),
    "operator-not-transposed": Row(
        "yours = forward's own matrix times dout, not its transpose",
        "a transpose is missing in d{tensor}: dout goes through the same matrix as {tensor} did in forward",
        "write W.T where forward has W, and reverse what forward does in order",
    ),
    "matrix-not-transposed": Row(
        "yours has {matrix} where {matrix}.T belongs, or the reverse",
        "a transpose is missing in d{tensor}: {matrix} is used where {matrix}.T belongs, or the reverse",
        "where forward multiplies by {matrix}, backward multiplies by {matrix}.T",
    ),
    "gradient-of-another": Row(
        "yours = the numeric gradient of {other}",
        "backward gives {tensor} the gradient that belongs to {other}",
        "compare the order of the gradients with the order of {tensor} and {other}",
    ),
    "in-another-order": Row(
        "yours, sorted = numeric, sorted",
        "d{tensor} has the right numbers in the wrong places",
        "look for an index, a reshape, a flip or an order of axes that is not undone",
    ),
    "shares-misplaced": Row(
        "for each entry of dout: the right numbers in the wrong places",
        "d{tensor} has the right numbers in the wrong places",
        "look for an index, a slice, a flip or an order of axes that is not undone",
    ),
    "order-taken-twice": Row(
        "yours puts dout in forward's order, not back",
        "d{tensor} has the right numbers in the wrong places: forward's order is taken once more, not undone",
        "undo the order: argsort of the indices, or dx[indices] = dout",
    ),
    # regions
    "unexplained-region": Row(_region, label="where"),
    "not-broadcast-back": Row(
        _region,
        _not_broadcast,
        "hand what comes back to every entry that forward has taken",
        label="where",
    ),
    "region": Row(
        _region,
        "backward goes wrong for {region}, and is right elsewhere",
        _COMPARE_MASKS,
        label="where",
    ),
    "mask-inverted": Row(
        "yours is zero exactly where the gradient is not",
        "the mask of d{tensor} is inverted",
        "let through what forward let through",
    ),
    "not-zero-where-saturated": Row(
        "the gradient is zero at {zero_in_truth} entries, yours is not; elsewhere yours is right",
        advice="only where an input is large: see what forward does there with an epsilon, a clip or a maximum",
        label="where",
    ),
    "mask-missing": Row(
        "the gradient is zero at {zero_in_truth} entries, yours is not; elsewhere yours is right",
        "a mask is missing in d{tensor}: it lets dout through where forward blocks {tensor}",
        "multiply dout by the mask that forward used, the very same",
        label="where",
    ),
    "zero-where-it-is-not": Row(
        "yours is zero at {zero_in_yours} entries, the gradient is not; elsewhere yours is right",
        advice="compare the mask, the index or the slice in backward with those in forward",
        label="where",
    ),
    "another-mask": Row(
        "yours is zero at {zero_in_yours} entries, the gradient at {zero_in_truth} others; elsewhere yours is right",
        "d{tensor} uses another mask than forward did",
        "keep the mask that forward used, and use that in backward",
        label="where",
    ),
    "mask-of-a-sum": Row(
        "yours sums dout * {array}",
        "a mask is missing in d{tensor}: it sums all of dout * {array}, and forward uses only some of it",
        "multiply by the mask of {tensor}'s own entries",
    ),
    # sums
    "output-unused": Row(
        "yours is right but for {where} of dout: left out",
        "d{tensor} takes nothing from {where} of dout",
        _EVERY_OUTPUT,
    ),
    "entries-unused": Row(
        "yours is right but for {where} of dout: left out",
        "d{tensor} takes nothing from {where} of dout: the terms that these bring are missing",
        "go through what forward does with each entry: each way counts",
    ),
    "part-unused": Row(
        "yours is right but for {where} of dout: left out",
        "d{tensor} takes nothing from {where} of dout: it is not summed over all of it",
        "sum over that axis instead of taking a part",
    ),
    "output-unused-by-some": Row(
        "some entries of {tensor} get nothing from output {output} of dout",
        "d{tensor} takes nothing from output {output} of dout, for some of its entries",
        _EVERY_OUTPUT,
    ),
    "first-share-alone": Row(
        "an entry of {tensor} used several times gets the first of its shares alone, each of them right",
        "d{tensor} takes the first of several shares alone: it is not summed over all of them",
        "sum over the uses instead of taking the first one",
    ),
    "overwritten": Row(
        _shares,
        "d{tensor} is assigned where it should be added up: entries used several times are overwritten",
        "use += (np.add.at for an array of indices, which += would count once)",
    ),
    "another-axis": Row(
        "forward mixes along {right} of its output, yours along {wrong}",
        "d{tensor} is summed over the wrong axis of dout: {wrong}, not {right}",
        "sum over {right} of dout",
    ),
    "axis-too-many": Row(
        "yours mixes along {axes}, forward does not",
        "d{tensor} mixes the entries along {axes}, which forward keeps apart",
        "look for a sum, a mean or an index over that axis in backward",
    ),
    # composites
    "wrong-part": Row(
        _wrong_part,
        "{part} is wrong{why}",
        lambda w: w["advice_of_part"] or f"check it alone: check({w['part']}, ...)",
        label="the part",
        headline="{part} in {path} is wrong by itself",
    ),
    "last-call-remembered": Row(
        "with a memory for each of its {calls} calls, every gradient is right",
        "{part} in {path} is called several times in one forward, and remembers the last call alone",
        "keep what each call needs (a list of caches), or have one object for each call that shares its params",
        label="tried",
        headline=_BROKEN,
    ),
    "left-out-of-the-chain": Row(
        "each part is right alone; backward of {part} in {path} is never called",
        "backward leaves {part} in {path} out of the chain",
        _CHAIN_ADVICE,
        label="the chain",
        headline=_BROKEN,
    ),
    "dout-multiplied": Row(
        "each part is right alone; {part} in {path} is given {times:.4g} times the dout of its output",
        "between {after} and {part} in {path}, dout is multiplied by {factor}",
        "look for a division or a factor before backward is called: the parts bring theirs themselves",
        label="the chain",
        headline=_BROKEN,
    ),
    "another-dout": Row(
        "each part is right alone; {part} in {path} is given another dout than its output has",
        "the chaining between {after} and {part} in {path} is wrong",
        _CHAIN_ADVICE,
        label="the chain",
        headline=_BROKEN,
    ),
    "wrongly-collected": Row(
        _RIGHT_DOUT,
        "what the whole returns or collects is wrong: its list of gradients, or a branch not added to dx",
        "compare the order of grads with that of params; add up what every branch hands back to the input",
        label="the chain",
        headline=_MADE_WRONG,
    ),
    "one-call-kept": Row(
        _RIGHT_DOUT,
        "{part} in {path} is called several times in one forward, and keeps the cache or gradients of one call",
        "keep one cache for each call, and add up the gradients of all calls",
        label="the chain",
        headline=_MADE_WRONG,
    ),
}
