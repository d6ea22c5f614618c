"""Words the records of the field as Markdown tables, beside what was established by hand; it runs nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

Record = Mapping[str, Any]
Truth = Mapping[str, Any]

BOOK = "oreilly-japan+deep-learning-from-scratch"
BOOK_FILES = (  # where the book's two volumes keep their layers; the rest of their classes are whole nets
    f"{BOOK}/ch05/layer_naive.py",
    f"{BOOK}/common/layers.py",
    f"{BOOK}-2/common/layers.py",
    f"{BOOK}-2/common/time_layers.py",
    f"{BOOK}-2/ch04/negative_sampling_layer.py",
    f"{BOOK}-2/ch08/attention_layer.py",
)


def key(record: Record) -> str:
    """``folder/file::name``, as the file of truths has it."""
    return f"{record['repository']}/{record['file']}::{record['name']}"


def report(records: Sequence[Record], truth: Truth) -> str:
    """All tables: found, verdicts, time, the book, and what is still to be judged by hand."""
    known = [r for r in records if r["kind"] != "other"]
    parts = [_found(known, truth), _verdicts(known, truth), _time(known), _book(known), _open(known, truth)]
    return "\n\n".join(part for part in parts if part)


def _rows(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "| --- |" + " ---: |" * (len(head) - 1)]
    return "\n".join([*lines, *("| " + " | ".join(str(cell) for cell in row) + " |" for row in rows)])


def _groups(records: Sequence[Record]) -> dict[str, list[Record]]:
    """By repository, then all together."""
    groups: dict[str, list[Record]] = {}
    for record in records:
        groups.setdefault(record["repository"], []).append(record)
    return {**groups, "all": list(records)}


def is_found(record: Record) -> bool:
    """Whether a signature was found: a guess under which no example ran to its end is none."""
    return record["case"] is not None and bool(record.get("tensors") or record.get("verdict") != "INCONCLUSIVE")


def runs(record: Record, truth: Truth) -> bool:
    """Whether a unit can run at all: by hand where that was settled, else unless it is only a promise."""
    settled = truth.get(key(record), {}).get("runs")
    return not record["abstract"] if settled is None else bool(settled)


def _share(records: Sequence[Record]) -> str:
    number = sum(is_found(r) for r in records)
    return f"{number} of {len(records)} ({number / len(records):.0%})" if records else "-"


def _found(records: Sequence[Record], truth: Truth) -> str:
    """Signatures found, of those that run at all."""

    def row(name: str, group: Sequence[Record]) -> list[str]:
        able = [r for r in group if runs(r, truth)]
        kinds = [[r for r in able if r["kind"] == kind] for kind in ("class", "pair", "loss")]
        return [name, *(_share(kind) for kind in kinds), str(len(group) - len(able))]

    head = ["signature found", "classes", "pairs", "losses", "cannot run"]
    return _rows(head, (row(name, group) for name, group in _groups(records).items()))


def _verdicts(records: Sequence[Record], truth: Truth) -> str:
    """Verdicts of what was found, beside the truth: what is accused falsely, and what passes though it is wrong."""

    def row(name: str, group: Sequence[Record]) -> list[Any]:
        found = [r for r in group if is_found(r)]
        count = Counter("crash" if "crash" in r else r.get("verdict", "lost") for r in found)
        judged = [r for r in found if accused(r)]
        states = Counter(_state(r, truth) for r in judged)
        warned = sum(any(f["severity"] == "warning" for f in r.get("findings", ())) for r in found)
        verdicts = [count[v] for v in ("PASS", "FAIL", "INCONCLUSIVE")]
        missed = sum(is_missed(r, truth) for r in found)
        lost = count["crash"] + count["lost"]
        return [name, *verdicts, lost, len(judged), states["false"], states["open"], missed, warned]

    head = ["verdicts", "PASS", "FAIL", "INCONCLUSIVE", "lost", "accused", "falsely", "not settled", "missed", "warned"]
    return _rows(head, (row(name, group) for name, group in _groups(records).items()))


def is_missed(record: Record, truth: Truth) -> bool:
    """Whether it passes though a fault of it is known."""
    return record.get("verdict") == "PASS" and bool(truth.get(key(record), {}).get("faults"))


def accused(record: Record) -> frozenset[str]:
    """What is called wrong, in errors: a gradient by its tensor, an exception or a broken promise by its code."""
    errors = [f for f in record.get("findings", ()) if f["severity"] == "error"]
    gradients = (str(f["tensor"]) for f in errors if f["code"][:3] in ("GP1", "GP2", "GP4"))
    return frozenset(gradients) | {f["code"] for f in errors if f["code"][:3] in ("GP3", "GP5")}


def _state(record: Record, truth: Truth) -> str:
    """Whether what is accused is "true", "false", or "open" to judgement; "*" in the truth stands for any gradient."""
    faults = truth.get(key(record), {}).get("faults")
    if faults is None:
        return "open"
    known = all(name in faults or ("*" in faults and not name.startswith("GP")) for name in accused(record))
    return "true" if known else "false"


def _time(records: Sequence[Record]) -> str:
    """Seconds and forwards of the inference, of those where it ran."""

    def row(name: str, group: Sequence[Record]) -> list[str]:
        cells = [name]
        for what, form in (("seconds", ".3f"), ("forwards", ".0f")):
            values = [r["infer"][what] for r in group if what in r.get("infer", {})]
            points = [np.percentile(values, p) for p in (50, 95, 100)] if values else []
            cells += [format(point, form) for point in points] or ["-"] * 3
        return cells

    head = ["inference", *(f"{what}, {p}" for what in ("s", "forwards") for p in ("median", "p95", "most"))]
    return _rows(head, (row(name, group) for name, group in _groups(records).items()))


def _book(records: Sequence[Record]) -> str:
    """One row for each layer of the book."""
    layers = [r for r in records if f"{r['repository']}/{r['file']}" in BOOK_FILES]
    if not layers:
        return ""
    return f"The book's layers: {_share(layers)}\n\n" + _rows(
        ["layer", "case or problem", "verdict", "findings"], (_row(r) for r in layers)
    )


def _row(record: Record) -> list[str]:
    findings = ", ".join(f"{f['code']} {f['tensor'] or ''} ({f['severity']})" for f in record.get("findings", ()))
    told = str(record["case"] or record["problem"]).splitlines()[0].replace("|", "\\|")
    return [key(record).partition(BOOK)[2] or key(record), told, record.get("verdict", "-"), findings or "-"]


def _open(records: Sequence[Record], truth: Truth) -> str:
    """What somebody has to look at: units not found, accusations false or not settled, known faults that pass."""
    missing = [f"- not found: {key(r)}: {_row(r)[1]}" for r in records if runs(r, truth) and not is_found(r)]
    states = [(r, _state(r, truth)) for r in records if is_found(r) and accused(r)]
    told = [f"- {state}: {key(r)}: {_row(r)[3]}; {r['case']}" for r, state in states if state != "true"]
    passed = [f"- missed: {key(r)}: {r['case']}" for r in records if is_found(r) and is_missed(r, truth)]
    return "\n".join([*missing, *told, *passed])


def differences(old: Sequence[Record], new: Sequence[Record]) -> str:
    """Every unit whose verdict, accusations or signature differ between two runs."""
    before = {key(r): _brief(r) for r in old}
    told = [(key(r), before.get(key(r)), _brief(r)) for r in new]
    return "\n".join(f"{name}\n    - {was}\n    + {now}" for name, was, now in told if was != now) or "no difference"


def _brief(record: Record) -> str:
    return f"{record.get('verdict', '-')} {', '.join(sorted(accused(record)))} {record['case'] or 'not found'}"
