"""Hooks around the values of a function: it computes what it did, and each value is seen where it stands."""

import inspect

import numpy as np
import pytest

from gradproof.adjoint.hook import Hook
from gradproof.adjoint.instrument import Kind, instrumented
from gradproof.adjoint.rerun import functions_run, hooked_in
from gradproof.source.source import function_of


def doubled(x, weights):
    """Docstring."""
    total = 0.0
    out = np.zeros_like(x)
    for i, w in enumerate(weights):
        out[i] = 2 * x[i] * w
        total += float(x[i].sum())
    first, second = out + total, {"out": out}
    return first, second["out"][::-1]


def closure(x):
    kept = x * 2

    def backward(dout):
        return dout * kept

    return kept, backward


def seen(function, *arguments, instead=None):
    """What a hooked function returns, and each value with its line, kind and name."""
    hook, noted = Hook(), []
    with hooked_in([function_of(function, function.__name__)], hook) as sites:
        hook.begin(note=noted, instead=instead or {})
        returned = function(*arguments)
    first = inspect.getsourcelines(function)[1]
    return returned, [(sites[n].line - first, sites[n].kind, sites[n].name, value) for (n, _), value in noted]


X, WEIGHTS = np.arange(6.0).reshape(2, 3), [1.0, 3.0]


def test_a_hooked_function_computes_what_it_did():
    (first, second), _ = seen(doubled, X, WEIGHTS)
    assert np.array_equal(first, doubled(X, WEIGHTS)[0])
    assert np.array_equal(second, doubled(X, WEIGHTS)[1])
    assert "__gradproof__" not in doubled.__globals__


def test_each_value_is_seen_with_its_line_and_the_name_that_it_goes_to():
    _, values = seen(doubled, X, WEIGHTS)
    whole = [(line, kind.value, name) for line, kind, name, _ in values if kind is not Kind.PART]
    assert whole == [
        (0, "argument", "x"),
        (3, "value", "out"),
        (5, "value", "out[i]"),
        (5, "state", "out"),
        (6, "value", ""),
        (6, "state", "total"),
        (5, "value", "out[i]"),
        (5, "state", "out"),
        (6, "value", ""),
        (6, "state", "total"),
        (7, "value", "first"),
        (7, "value", "out"),
        (8, "returned", ""),
        (8, "returned", ""),
    ]


def test_a_value_is_put_in_the_place_of_another_in_the_round_that_is_meant():
    _, sites = instrumented(function_of(doubled, "doubled"), 0)
    number = next(n for n, site in enumerate(sites) if site.name == "out[i]")
    nothing = np.full(1, np.nan)
    (_, second), _ = seen(doubled, X, WEIGHTS, instead={number: [nothing, np.full(3, 7.0)]})
    assert np.array_equal(second, [[7.0] * 3, doubled(X, WEIGHTS)[1][1]])


def test_an_array_that_others_hold_is_changed_itself():
    held = np.zeros(3)

    def written(x):
        out = held
        out[0] = x
        return out

    number = next(n for n, s in enumerate(instrumented(function_of(written, "written"), 0)[1]) if s.kind is Kind.STATE)
    returned, _ = seen(written, 1.0, instead={number: [np.ones(3)]})
    assert returned is held
    assert np.array_equal(held, np.ones(3))


def test_a_function_that_forward_returns_is_seen_too():
    (_, backward), _ = seen(closure, np.ones(2))
    assert np.array_equal(backward.__closure__[0].cell_contents, [2.0, 2.0])
    sites = instrumented(function_of(closure, "closure"), 0)[1]
    assert [site.name for site in sites if site.kind is Kind.ARGUMENT] == ["x", "dout"]


class Layer:
    def forward(self, x):
        return self.helped(x)

    def helped(self, x):
        return doubled(x, WEIGHTS)


def test_the_functions_that_run_are_found():
    found = functions_run(lambda: Layer().forward(X))
    assert [function.name for function in found] == ["forward", "helped", "doubled"]


@pytest.mark.parametrize("value", [2, "text", None, np.arange(3)], ids=repr)
def test_what_has_no_gradient_passes_as_it_is(value):
    hook = Hook()
    hook.begin(note=(noted := []))
    assert hook(0, value) is value
    assert noted == []
