"""The grammar of shape strings: what it accepts, what sizes it gives, and how it refuses."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradproof.case.shapes import Shape, parse, parse_size
from gradproof.columns import columns
from gradproof.errors import UsageError

RESOLVED = {
    "scalar": ("", {}, ()),
    "blank is a scalar": ("   ", {}, ()),
    "names": ("n d", {"n": 2, "d": 3}, (2, 3)),
    "many spaces": ("  n\t d ", {"n": 2, "d": 3}, (2, 3)),
    "integers": ("n 3 1", {"n": 2}, (2, 3, 1)),
    "sum": ("h+k-1", {"h": 5, "k": 3}, (7,)),
    "product": ("4*h", {"h": 5}, (20,)),
    "product binds tighter than sum": ("1+2*h-k*k", {"h": 5, "k": 3}, (2,)),
    "repeated name": ("n n", {"n": 4}, (4, 4)),
    "long names": ("batch_size in_2", {"batch_size": 2, "in_2": 3}, (2, 3)),
    "Korean": ("n d__입력", {"n": 2, "d__입력": 3}, (2, 3)),
    "Japanese": ("バッチ 幅*2", {"バッチ": 2, "幅": 3}, (2, 6)),
    "Cyrillic and Greek": ("вход β+1", {"вход": 2, "β": 3}, (2, 4)),
    "letters with marks of their own": ("नमस्ते *बैच", {"नमस्ते": 2, "बैच": (3,)}, (2, 3)),
    "star in front": ("*batch d", {"batch": (2, 3), "d": 4}, (2, 3, 4)),
    "star in the middle": ("n *rest d", {"n": 1, "rest": (2,), "d": 4}, (1, 2, 4)),
    "star at the end": ("d *rest", {"rest": (5, 6), "d": 4}, (4, 5, 6)),
    "star of no axes": ("*batch d", {"batch": (), "d": 4}, (4,)),
    "a size may come out below 1": ("h-k", {"h": 1, "k": 3}, (-2,)),
    "an empty batch": ("n d", {"n": 0, "d": 3}, (0, 3)),
}


@pytest.mark.parametrize(("text", "dims", "expected"), RESOLVED.values(), ids=RESOLVED)
def test_a_shape_resolves_to_the_sizes_of_its_dims(text, dims, expected):
    assert parse(text).resolve(dims) == expected


def test_names_come_in_the_order_of_first_use_and_the_star_apart():
    shape = parse("*batch d h+d k")
    assert shape.names == ("d", "h", "k")
    assert shape.starred == "batch"
    assert parse("n d").starred is None


def test_equal_strings_are_equal_shapes():
    assert parse("n d") == parse("n d")
    assert parse("n d") != parse("d n")


MALFORMED = {
    "comma": ("n,d", 1, 'write dims separated by spaces: "n d"'),
    "comma and space": ("n, d", 1, 'write dims separated by spaces: "n d"'),
    "closing bracket": ("n d)", 3, 'write dims separated by spaces: "n d"'),
    "brackets": ("(n, d)", 0, 'write dims separated by spaces: "n d"'),
    "times sign": ("n × d", 2, 'write dims separated by spaces: "n d"'),
    "forgotten star of a product": ("4h", 1, 'did you mean "4*h"?'),
    "the second such token is the one marked": ("h2 2h", 4, 'did you mean "2*h"?'),
    "two stars": ("**b", 1, 'one star is enough: "*b"'),
    "two starred names": ("*a *b", 3, "at most one starred name"),
    "lone star": ("n *", 3, "followed by one name"),
    "starred integer": ("*4", 1, "followed by one name"),
    "two signs": ("h++k", 2, "a name or an integer belongs here"),
    "spaced sum": ("h + k", 2, 'written without spaces: "h+k-1"'),
    "leading minus": ("-1", 0, "a name or an integer belongs here"),
    "dangling minus": ("n h-", 4, 'something is missing after "-"'),
    "dangling product": ("2*", 2, 'something is missing after "*"'),
    "quotient": ("n/2", 1, "sum, difference or product"),
    "ellipsis": ("... d", 0, '"*batch"'),
    "power beyond ASCII": ("n ³", 2, "a dim is a name as in Python, or an integer of the digits 0-9"),
    "digit beyond ASCII": ("n ２", 2, "a dim is a name as in Python, or an integer of the digits 0-9"),
    "comma behind other letters": ("입력,d", 2, 'write dims separated by spaces: "입력 d"'),
}


@pytest.mark.parametrize(("text", "position", "advice"), MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_shape_is_quoted_marked_and_mended(text, position, advice):
    with pytest.raises(UsageError) as raised:
        parse(text)
    first, quoted, marked, *rest = str(raised.value).splitlines()
    assert f'"{text}"' in first
    shown = (text + '"')[position:]
    assert quoted.endswith(shown)
    assert marked.index("^") == columns(quoted.removesuffix(shown))
    assert advice in "\n".join(rest)


@pytest.mark.parametrize("value", [None, 3, ("n", "d"), b"n d"], ids=repr)
def test_only_a_string_is_a_shape(value):
    with pytest.raises(UsageError, match="expected a shape string"):
        parse(value)


@pytest.mark.parametrize("dims", [{}, {"n": (2,)}, {"n": None}], ids=str)
def test_a_dim_without_an_integer_size_is_named(dims):
    with pytest.raises(UsageError, match="n needs an integer size"):
        parse("n").resolve(dims)


@pytest.mark.parametrize("dims", [{}, {"batch": 2}], ids=str)
def test_a_starred_name_without_a_tuple_is_named(dims):
    with pytest.raises(UsageError, match=r"\*batch needs a tuple of sizes"):
        parse("*batch").resolve(dims)


def test_one_size_may_be_an_int_or_an_expression():
    assert parse_size(10).resolve({}) == 10
    assert parse_size("4*h").resolve({"h": 2}) == 8


@pytest.mark.parametrize("text", ["", "n d", "*batch"], ids=repr)
def test_what_is_not_one_size_is_refused_as_a_size(text):
    with pytest.raises(UsageError, match="expected one size"):
        parse_size(text)


@given(st.text(alphabet="nd4h+-* ,(é_", max_size=8))
def test_any_text_gives_a_shape_or_a_usage_error(text):
    try:
        shape = parse(text)
    except UsageError:
        return
    dims = dict.fromkeys(shape.names, 2) | ({shape.starred: (2, 2)} if shape.starred else {})
    assert isinstance(shape, Shape)
    assert len(shape.resolve(dims)) == len(text.split()) + (shape.starred is not None)


@pytest.mark.parametrize(
    ("text", "expected"), [("", 0), ("n d", 3), ("입력 d", 6), ("ｆ", 2), ("e\u0301", 1), ("नमस्ते", 4)], ids=repr
)
def test_the_columns_of_a_text(text, expected):
    assert columns(text) == expected
