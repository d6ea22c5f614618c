"""Objects of ours under the user's names: the same one everywhere, and theirs again afterwards."""

from __future__ import annotations

import types

import numpy as np
import pytest

from gradproof.case.case import Case
from gradproof.checking import check_case
from gradproof.infer.infer import infer
from gradproof.standins.spaces import namespaces
from gradproof.standins.standins import ModuleStandIn, StandIns
from gradproof.trace.library import WatchedType
from gradproof.values import Verdict

BACKEND = """
import numpy as np
xp = np
def is_numpy(module):
    return module is np
"""
LAYER = """
import numpy as np
import backend
from backend import is_numpy, xp
from numpy import zeros
class Layer:
    xp = np
    def __init__(self, W):
        self.W = W.astype("float32")
        self.dW = zeros(W.shape, dtype="float32")
    def forward(self, x, module=np):
        assert xp is np and self.xp is np and module is np and backend.xp is np and is_numpy(xp)
        self.x = x
        return xp.dot(x, self.W)
    def backward(self, dout):
        self.dW[...] = xp.dot(self.x.T, dout) FACTOR
        return xp.dot(dout, self.W.T)
"""


@pytest.fixture
def modules(monkeypatch, tmp_path):
    """A module with a switch, and a layer that uses it; ``build(factor)`` makes them."""

    def build(factor):
        for name, text in (("backend", BACKEND), ("layer", LAYER.replace("FACTOR", factor))):
            file = tmp_path / f"{name}.py"
            file.write_text(text, encoding="utf-8")
            module = types.ModuleType(name)
            module.__file__ = str(file)
            monkeypatch.setitem(__import__("sys").modules, name, module)
            exec(compile(text, str(file), "exec"), vars(module))
        return module.Layer

    return build


def test_one_object_stands_for_a_module_under_all_its_names(modules):
    layer = modules("")
    stand_in = ModuleStandIn(np, lambda name, value: value)
    with StandIns(namespaces(layer), lambda value: stand_in if value is np else None):
        assert layer.forward.__globals__["np"] is stand_in
        assert layer.forward.__globals__["xp"] is layer.xp is layer.forward.__defaults__[0] is stand_in
        assert layer.forward.__globals__["backend"].xp is stand_in
    assert layer.forward.__globals__["np"] is layer.xp is layer.forward.__defaults__[0] is np


def test_their_objects_come_back_after_an_exception(modules):
    layer = modules("")
    with pytest.raises(ValueError, match="no"), StandIns(namespaces(layer), lambda value: 1 if value is np else None):
        raise ValueError("no")
    assert layer.forward.__globals__["np"] is np


def test_a_builtin_that_was_not_defined_is_gone_again(modules):
    layer = modules("")
    with StandIns(namespaces(layer), lambda value: None, {"len": max}):
        assert layer.forward.__globals__["len"] is max
    assert "len" not in layer.forward.__globals__


def test_a_switch_between_libraries_breaks_no_inference(modules):
    assert infer(modules("")).declaration == 'Case(Layer, W="d h", x="n d")'


@pytest.mark.parametrize(("factor", "verdict"), [("", Verdict.PASS), ("* 2", Verdict.FAIL)])
def test_a_layer_behind_a_switch_is_judged_in_float64(modules, factor, verdict):
    case = Case(modules(factor), W="d h", x="n d")
    assert check_case(case, location="Layer", examples=3).verdict is verdict


def test_the_type_of_a_plain_value_is_what_it_was():
    assert WatchedType(1) is int
    assert isinstance(int, WatchedType)
    assert not isinstance(1, WatchedType)
    assert issubclass(WatchedType("Made", (), {}), object)
