"""A checker that never fails is worthless: every faulty layer must fail, and its right neighbour must pass."""

from collections import Counter

import pytest

from faulty import FAULTS, MODULES
from faulty.base import CAUSES, Node, Pair, module_of, name_of
from gradproof import Verdict
from gradproof.adjoint.locate import Located
from gradproof.checking import check_case
from gradproof.mend.mend import Mended

pytestmark = pytest.mark.slow

EXAMPLES = 3  # beside the corner shapes: a fault that takes more luck to be found is not found
RARE = {"WrongForLargeX": 10, "MaxPoolNearTiesAllReceiveDout": 10}  # wrong at few of the values that are drawn
SEARCHED = {fault.name for fault in FAULTS[::8]}  # for a change and a line: no accusation hangs on them
PROMISE = "GP5"  # a broken promise may show in a tensor whose first gradient is right
PAIRS = [fault for fault in FAULTS if isinstance(fault.wrong, Pair)]
CLASSES = [fault for fault in FAULTS if not isinstance(fault.wrong, Pair)]
RIGHT = {f"{module_of(fault.right)}.{name_of(fault.right)}": fault for fault in FAULTS}


def no_change(*_, **__):
    return Mended()


def no_line(*_):
    return Located()


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_faulty_layer_is_found_and_only_wrong_tensors_are_accused(fault, monkeypatch):
    if fault.name not in SEARCHED:
        monkeypatch.setattr("gradproof.explain.from_changes.search", no_change)
        monkeypatch.setattr("gradproof.explain.from_lines.locate", no_line)
    examples = RARE.get(fault.name, EXAMPLES)
    report = check_case(fault.case(fault.wrong), location=fault.name, examples=examples)
    assert report.verdict is Verdict.FAIL
    assert any(fault.accused_by(finding) for finding in report.findings), report.findings
    wrong = [finding for finding in report.findings if finding.severity == "error" and finding.code[:3] != PROMISE]
    assert {finding.tensor for finding in wrong} <= {*fault.tensors, None}


@pytest.mark.parametrize("fault", RIGHT.values(), ids=RIGHT)
def test_the_right_neighbour_passes(fault):
    report = check_case(fault.case(fault.right), location=fault.name, examples=EXAMPLES)
    assert report.verdict is Verdict.PASS
    # a promise may be broken of which only a warning speaks: a dout that is written to, float32 that becomes float64
    assert {(finding.code[:3], finding.severity) for finding in report.findings} <= {("GP5", "warning")}


def layers_of(module):
    written = {c for c in vars(module).values() if isinstance(c, type) and c.__module__ == module.__name__}
    return {c for c in written if any(name.startswith("backward") for name in dir(c))}


def test_every_faulty_class_is_in_the_table():
    written = {layer for module in MODULES for layer in layers_of(module)}
    right = {base for fault in CLASSES for base in fault.right.__mro__}
    assert written - right == {fault.wrong for fault in CLASSES}


def test_every_faulty_class_differs_from_its_right_neighbour_by_what_it_overrides():
    for fault in CLASSES:
        assert issubclass(fault.wrong, fault.right)
        assert fault.right is not Node


def test_every_faulty_pair_shares_a_function_with_its_right_neighbour():
    for fault in PAIRS:
        assert sum(mine is other for mine, other in zip(fault.wrong, fault.right, strict=True)) == 1


def test_every_fault_has_its_own_name_and_a_known_cause():
    assert len({fault.name for fault in FAULTS}) == len(FAULTS)
    assert {cause for fault in FAULTS for cause in fault.causes} == CAUSES


def test_there_are_enough_faults_and_three_or_more_of_each_cause():
    count = Counter(cause for fault in FAULTS for cause in fault.causes)
    assert len(FAULTS) >= 150
    assert len(CAUSES) >= 25
    assert {cause: number for cause, number in count.items() if number < 3} == {}
