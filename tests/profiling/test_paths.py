"""Every part of a mapping has a path that leads back to it, whatever its key is."""

from __future__ import annotations

from enum import Enum

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from augimpact.errors import DataError
from augimpact.profiling.extract import profile
from augimpact.profiling.paths import key_below, steps_of
from augimpact.profiling.structure import candidates_of, value_at

PICTURE = np.zeros((16, 20, 3), np.uint8)
Kind = Enum("Kind", ["IMAGE", "CLASS"])
KEYS = st.text(st.sampled_from("ab.[]\"'\\0-\n é"), max_size=5) | st.integers(-9, 9)


@given(st.recursive(st.integers(), lambda inner: st.dictionaries(KEYS, inner, max_size=3) | st.tuples(inner, inner)))
def test_each_leaf_is_where_its_path_leads(item):
    def leaves(value):
        parts = value.values() if isinstance(value, dict) else value if isinstance(value, tuple) else None
        return [value] if parts is None else [leaf for part in parts for leaf in leaves(part)]

    paths = [each.path for each in candidates_of(item)]
    assert len(set(paths)) == len(paths)
    assert [value_at(item, path) for path in paths] == leaves(item)


@given(KEYS)
def test_a_path_leads_to_its_key(key):
    assert steps_of(key_below("[1].a", key)) == (1, "a", key)


@pytest.mark.parametrize(
    ("key", "path"),
    [("image", ".image"), ("my image", ".my image"), ("input.jpg", '["input.jpg"]'), ("img[0]", '["img[0]"]'),
     (0, "[0]"), (np.int64(3), "[3]"), ("0", ".0"), ("", '[""]'), ((0, 1), ".(0, 1)"), (Kind.IMAGE, '["Kind.IMAGE"]')],
)  # fmt: skip
def test_keys_are_spelled_so_that_they_can_be_passed_back(key, path):
    (found,) = candidates_of({key: PICTURE})
    assert found.path == path
    assert value_at({key: PICTURE}, path) is PICTURE


@pytest.mark.parametrize("path", ["['a.b']", '["a.b"]'])
def test_either_quotes_will_do(path):
    assert value_at({"a.b": 3}, path) == 3


@pytest.mark.parametrize(
    "keys", [("input.jpg", "target.cls"), (0, 1), ("img[0]", "y"), ("a.image", "a.label"), tuple(Kind)]
)
def test_samples_by_any_keys_are_profiled(keys):
    items = [dict(zip(keys, (PICTURE, number % 2), strict=True)) for number in range(4)]
    found = profile(items, features=["classes"], progress=lambda *_: None)
    assert found["classes"].statistics["counts"] == {"train": {"class 0": 2, "class 1": 2}}


def test_what_an_error_lists_can_be_passed():
    item = {"input.jpg": PICTURE, "a.cls": 1, "b.cls": 2}
    with pytest.raises(DataError, match=r"""pass labels='\["a\.cls"\]' or labels='\["b\.cls"\]'"""):
        profile([item], progress=lambda *_: None)
    with pytest.raises(DataError, match=r'there is no \'\.a\.cls\'.*\n.*\n  \["a\.cls"\]: int'):
        profile([item], labels=".a.cls", progress=lambda *_: None)
    found = profile([item], labels='["a.cls"]', features=["classes"], progress=lambda *_: None)
    assert found["classes"].statistics["counts"] == {"train": {"class 1": 1}}
