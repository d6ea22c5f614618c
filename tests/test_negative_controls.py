"""A checker that never fails is worthless: every faulty layer must fail, and its right neighbour must pass."""

import pytest

from faulty import FAULTS, MODULES
from faulty_base import CAUSES, Fault, Node
from gradproof import Case, GradientFault, Verdict, check

FORM = ("GP2", "GP3")  # codes of a wrong form, and of a crash
RIGHT = {f"{fault.right.__module__}.{fault.right.__name__}": fault for fault in FAULTS}


def accuses(finding, fault: Fault) -> bool:
    """Whether the finding names the wrong tensor, or the crash or the form where nothing could be compared."""
    if fault.tensors and finding.tensor == fault.tensor:
        return True
    without_numbers = not fault.tensors or "crash" in fault.causes
    return without_numbers and finding.code.startswith(FORM)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_faulty_layer_is_found_and_only_wrong_tensors_are_accused(fault):
    with pytest.raises(GradientFault) as caught:
        check(Case(fault.wrong, **fault.specs))
    report = caught.value.report
    assert report.verdict is Verdict.FAIL
    assert any(accuses(finding, fault) for finding in report.findings), report.findings
    accused = {finding.tensor for finding in report.findings if finding.severity == "error"}
    assert accused <= {*fault.tensors, None}


@pytest.mark.parametrize("fault", RIGHT.values(), ids=RIGHT)
def test_the_right_neighbour_passes(fault):
    report = check(Case(fault.right, **fault.specs))
    assert report.verdict is Verdict.PASS
    assert report.findings == ()


def layers_of(module):
    return {c for c in vars(module).values() if isinstance(c, type) and c.__module__ == module.__name__}


def test_every_faulty_class_is_in_the_table():
    written = {layer for module in MODULES for layer in layers_of(module)}
    right = {base for fault in FAULTS for base in fault.right.__mro__}
    assert written - right == {fault.wrong for fault in FAULTS}
    assert len(FAULTS) >= 60


def test_every_faulty_class_differs_from_its_right_neighbour_by_what_it_overrides():
    for fault in FAULTS:
        assert issubclass(fault.wrong, fault.right)
        assert fault.right is not Node


def test_every_fault_has_its_own_name_and_a_known_cause():
    assert len({fault.name for fault in FAULTS}) == len(FAULTS)
    assert {cause for fault in FAULTS for cause in fault.causes} == CAUSES
