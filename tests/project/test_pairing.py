"""Every public class of plainnet that has a backward is checked by gradproof."""

import importlib.util
from pathlib import Path

import pytest

import plainnet
from gradproof import Case

PAIRING = Path(__file__).parents[2] / "checks" / "check_plainnet.py"


@pytest.fixture(scope="module")
def paired():
    """The names of the classes that have a Case."""
    spec = importlib.util.spec_from_file_location("check_plainnet", PAIRING)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return {case.subject.__name__ for case in vars(module).values() if isinstance(case, Case)}


def is_checkable(thing):
    return isinstance(thing, type) and hasattr(thing, "forward") and hasattr(thing, "backward")


CHECKABLE = [name for name in plainnet.__all__ if is_checkable(getattr(plainnet, name))]


def test_plainnet_has_nodes_layers_a_loss_and_a_model_to_check():
    assert {"MatMul", "Affine", "SoftmaxWithLoss", "TwoLayerNet"} <= set(CHECKABLE)


@pytest.mark.parametrize("name", CHECKABLE)
def test_a_public_class_with_forward_and_backward_has_a_case(name, paired):
    assert name in paired, f"add a Case({name}, ...) to checks/check_plainnet.py"
