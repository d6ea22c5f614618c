"""The rules as a table: in which order they are asked, and what each declares of the causes that it gives."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from gradproof.codes import CODES
from gradproof.diagnose import rules
from gradproof.diagnose.cause_kind import CauseKind, FactKind
from gradproof.diagnose.causes import FACTS, KINDS, RULES
from gradproof.diagnose.rule import Rule
from gradproof.findings import Confidence, Fact, Support

MODULES = sorted(path.stem for path in Path(rules.__path__[0]).glob("*.py") if path.stem != "__init__")


def declarations(module: str, of: type) -> Iterator[object]:
    """The values of one class that a module of rules has under names of its own."""
    yield from (value for value in vars(import_module(f"{rules.__name__}.{module}")).values() if isinstance(value, of))


def test_no_two_rules_share_a_place_and_the_lowest_is_asked_first() -> None:
    places = [rule.place for rule in RULES]
    assert places == sorted(set(places))


@pytest.mark.parametrize("module", MODULES)
def test_a_kind_that_a_module_declares_is_one_that_its_rules_may_give(module: str) -> None:
    given = [kind for rule in import_module(f"{rules.__name__}.{module}").RULES for kind in rule.kinds]
    assert [kind for kind in declarations(module, CauseKind) if kind not in given] == []
    assert given


@pytest.mark.parametrize("module", MODULES)
def test_a_kind_of_fact_that_a_module_declares_is_one_that_its_rules_tell_of(module: str) -> None:
    told = [kind for rule in import_module(f"{rules.__name__}.{module}").RULES for kind in rule.facts]
    assert [kind for kind in declarations(module, FactKind) if kind not in told] == []


def test_a_kind_of_fact_has_one_name() -> None:
    named = [fact.name for fact in FACTS]
    assert sorted(set(named)) == sorted(named)
    assert FACTS[0].fact({"axis": 1}) == Fact(FACTS[0].name, {"axis": 1})


def test_every_rule_is_in_the_table() -> None:
    assert all(isinstance(rule, Rule) for rule in RULES)
    assert len(RULES) == sum(len(import_module(f"{rules.__name__}.{module}").RULES) for module in MODULES)


def test_a_kind_has_one_name_and_a_code_that_exists() -> None:
    assert [name for name, count in Counter(kind.name for kind in KINDS).items() if count > 1] == []
    assert {kind.code for kind in KINDS} <= CODES.keys()


def test_a_cause_has_the_code_and_the_name_of_its_kind() -> None:
    kind = CauseKind("GP102", "twice", teacher_names=("constant factor",))
    found = kind.cause({"factor": "2"}, {"ratio": 2.0}, Support(9, 1), Confidence.VAGUE)
    assert (found.code, found.kind, found.parameters, found.evidence) == (
        "GP102",
        "twice",
        {"factor": "2"},
        {"ratio": 2.0},
    )
    assert (found.support, found.confidence, found.of, found.tensor) == (Support(9, 1), Confidence.VAGUE, None, None)


def test_what_a_teacher_says_may_hang_on_what_the_cause_is_about() -> None:
    assert CauseKind("GP102", "twice", teacher_names=("sign",)).names({}) == ("sign",)
    assert CauseKind("GP102", "twice", teacher_names=lambda about: (str(about["size"]),)).names({"size": "n"}) == ("n",)
    assert CauseKind("GP102", "twice").names({}) == ()
