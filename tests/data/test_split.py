from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from augimpact.data.samples import SampleTable
from augimpact.data.split import Split, load_assignments, save_assignments
from augimpact.errors import DataError, LeakageError
from tests.conftest import DATA_VARIABLE, REPOSITORY

REGEX = r"/(\d*)_\d*.bmp"


@pytest.fixture(scope="module")
def listing() -> SampleTable:
    """The 180 paths behind the table that Brevetti AI's documentation prints."""
    place = os.environ.get(DATA_VARIABLE)
    if place is None:
        pytest.skip(f"the listing is not at hand: {DATA_VARIABLE} names no folder")
    return SampleTable.from_csv(Path(place) / "brevettiai_listing.csv", identity="path")


def table_of(rows: list[tuple[str, str, str]], purposes: list[str | None] | None = None) -> SampleTable:
    """Samples from stratum, item and content."""
    columns = {
        "sample_id": [content for _, _, content in rows],
        "path": [f"{stratum}/{item}_{number}.png" for number, (stratum, item, _) in enumerate(rows)],
        "category": [(stratum,) for stratum, _, _ in rows],
        "folder": [stratum for stratum, _, _ in rows],
        "size": 1,
        "etag": None,
        "purpose": purposes or [None] * len(rows),
        "item": [item for _, item, _ in rows],
    }
    return SampleTable(pd.DataFrame(columns).astype({"purpose": object}))


def leaks(table: SampleTable, *columns: str) -> list[object]:
    """The values in one of the columns whose samples have several purposes."""
    return [
        value
        for column in columns
        for value, purposes in table.groupby(column)["purpose"]
        if purposes.nunique(dropna=False) > 1
    ]


def counts(table: SampleTable) -> dict[str, tuple[int, int]]:
    found = table.groupby(["folder", "purpose"]).size()
    return {folder: (int(found[folder, "devel"]), int(found[folder, "train"])) for folder in found.index.levels[0]}


rows = st.lists(
    st.tuples(st.sampled_from("abc"), st.sampled_from("0123456789"), st.integers(0, 40).map(str)),
    min_size=1,
    max_size=60,
)
splits = st.builds(
    Split,
    share=st.floats(0, 1),
    stratify=st.sampled_from([(), ("folder",), ["folder", "size"]]),
    unique=st.sampled_from([None, "item", r"/(\d+)_", lambda row: row["item"]]),
    seed=st.integers(0, 1000),
    mode=st.just("hash"),
)


def test_a_permutation_gives_the_table_of_the_documentation(listing):
    split = Split(0.8, stratify=["folder"], unique=REGEX, seed=42, mode="permutation")
    table = split.assign(listing, remainder="devel")
    assert counts(table) == {"bad_cap": (6, 16), "good": (28, 118), "missing_cap": (2, 10)}
    devel = table.where(purpose="devel")["path"].tolist()[:5]
    assert [path.partition("/bad_cap/")[2] for path in devel] == [
        "2_1543413180595.bmp", "2_1543413190226.bmp", "5_1543413258015.bmp", "5_1543413267597.bmp",
        "6_1543413181402.bmp",
    ]  # fmt: skip
    train = table.where(purpose="train")["path"].tolist()[:5]
    assert [Path(path).name.partition("_")[0] for path in train] == ["0", "0", "10", "10", "1"]
    # It depends on no order of the rows.
    turned = split.assign(listing[::-1])
    assert dict(zip(turned["path"], turned["purpose"], strict=True)) == dict(
        zip(table["path"], table["purpose"], strict=True)
    )


def test_the_default_keeps_items_together_across_strata_there(listing):
    table = Split(0.8, stratify=["folder"], unique=REGEX, seed=42).assign(listing)
    numbered = table.with_frame(table.frame.assign(item=table["path"].str.extract(REGEX)[0]))
    assert leaks(numbered, "item") == []
    assert set(table["purpose"]) == {"train", "devel"}


@given(rows, splits)
def test_no_item_and_no_content_is_divided(some, split):
    table = split.assign(table_of(some))
    assert leaks(table, "sample_id", *(["item"] if split.unique is not None else [])) == []
    assert table["purpose"].isin(["train", "devel"]).all()


@given(rows, splits, st.booleans())
def test_a_permutation_divides_no_content_and_no_item_within_a_stratum_or_across(some, split, across):
    permuted = Split(split.share, split.stratify, split.unique, split.seed, "permutation", across_strata=across or None)
    table = permuted.assign(table_of(some))
    within = table.with_frame(table.frame.assign(both=table["folder"] + table["item"]))
    apart = across or not split.stratify
    assert leaks(within, "sample_id", *(["item" if apart else "both"] if split.unique is not None else [])) == []


@given(rows, rows, splits, st.randoms())
def test_adding_samples_moves_none_of_the_others(some, more, split, random):
    # Contents of their own: one that is shared by two items shows that they are one.
    unlike = [(stratum, item, f"{number}") for number, (stratum, item, _) in enumerate([*some, *more])]
    before = split.assign(table_of(unlike[: len(some)]))
    shuffled = unlike.copy()
    random.shuffle(shuffled)
    after = split.assign(table_of(shuffled))
    known = dict(zip(after["sample_id"], after["purpose"], strict=True))
    assert [known[each] for each in before["sample_id"]] == before["purpose"].tolist()


@given(rows, splits, st.data(), st.sampled_from(["hash", "permutation"]))
def test_what_is_assigned_stays_and_its_unit_follows_or_the_conflict_is_told(some, split, data, mode):
    purposes = data.draw(
        st.lists(st.sampled_from([None, None, "train", "test"]), min_size=len(some), max_size=len(some))
    )
    table = table_of(some, purposes)
    chosen = Split(split.share, split.stratify, split.unique, split.seed, mode, across_strata=True)
    told = None
    try:
        assigned = chosen.assign(table)
    except LeakageError as error:
        told = str(error)
    if told is not None:
        assert "several purposes" in told
        assert ".png (t" in told
        with_purpose = table[table["purpose"].notna()]
        # None of them is told that was not there: an item or content with both, or what links such.
        assert with_purpose["purpose"].nunique() > 1
        return
    assert leaks(assigned, "sample_id", *(["item"] if split.unique is not None else [])) == []
    kept = [(old, new) for old, new in zip(purposes, assigned["purpose"], strict=True) if old is not None]
    assert all(old == new for old, new in kept)


def permuted(some: list[tuple[str, str, str]], share: float, seed: int) -> set[tuple[str, str]]:
    """The stratum and item of what is assigned, as the system that it comes from does it, sample by sample."""
    generator, assigned = np.random.RandomState(seed), set()
    for stratum in sorted({stratum for stratum, _, _ in some}):
        items = [item for other, item, _ in some if other == stratum]
        names = sorted(set(items))
        sizes = [items.count(name) for name in names]
        order = generator.permutation(len(names))
        cdf = [sum(sizes[place] for place in order[: end + 1]) for end in range(len(order))]
        target, index = share * len(items), 0
        while index < len(cdf) and cdf[index] <= target:
            index += 1
        if target <= 0:
            continue
        if index < len(cdf):
            before = cdf[index - 1] if index else 0
            index -= generator.rand() > (target - before) / (cdf[index] - before)
        assigned |= {(stratum, names[place]) for place in order[: index + 1]}
    return assigned


@given(rows, st.floats(0, 1), st.integers(0, 1000))
def test_a_permutation_is_that_of_its_formula(some, share, seed):
    own = [(stratum, item, f"{number}") for number, (stratum, item, _) in enumerate(some)]
    table = Split(share, ["folder"], "item", seed, "permutation").assign(table_of(own))
    train = table.where(purpose="train")
    assert set(zip(train["folder"], train["item"], strict=True)) == permuted(own, share, seed)


@given(st.floats(0, 1), st.integers(0, 100), st.lists(st.integers(1, 6), min_size=1, max_size=40))
def test_a_permutation_is_within_one_unit_of_the_share(share, seed, sizes):
    some = [("a", f"{item}", f"{item}-{number}") for item, size in enumerate(sizes) for number in range(size)]
    table = Split(share, unique="item", seed=seed, mode="permutation").assign(table_of(some))
    assert abs((table["purpose"] == "train").sum() - share * len(some)) <= max(sizes)


def test_assigned_samples_count_towards_the_target():
    some = [("a", f"{item}", f"{item}") for item in range(100)]
    half = ["train"] * 50 + [None] * 50
    table = Split(0.8, unique="item", mode="permutation").assign(table_of(some, half))
    assert (table["purpose"] == "train").sum() == 80
    full = Split(0.3, unique="item", mode="permutation").assign(table_of(some, half))
    assert (full["purpose"] == "train").sum() == 50


def test_a_hash_meets_the_share_as_chance_has_it():
    some = [("ab"[item % 2], f"{item}", f"{item}") for item in range(4000)]
    table = Split(0.7, seed=5).assign(table_of(some))
    for _, purposes in table.groupby("folder")["purpose"]:
        # Five standard deviations of a binomial draw.
        assert abs((purposes == "train").sum() - 1400) < 5 * np.sqrt(2000 * 0.7 * 0.3)
    other = Split(0.7, seed=6).assign(table_of(some))
    assert 0.5 < (other["purpose"] == table["purpose"]).mean() < 0.65


def test_the_rest_may_stay_without_a_purpose_and_be_split_further():
    table = table_of([("a", f"{item}", f"{item}") for item in range(1000)])
    first = Split(0.6).assign(table, remainder=None)
    assert 0.3 < first["purpose"].isna().mean() < 0.5
    second = Split(0.5, seed=1).assign(first, purpose="devel", remainder="test")
    assert (second["purpose"][first["purpose"] == "train"] == "train").all()
    assert set(second["purpose"]) == {"train", "devel", "test"}


def test_equal_content_in_two_strata_is_kept_together_by_a_permutation():
    some = [("a", f"{item}", f"{item}") for item in range(20)] + [("b", f"{item}", f"{item}") for item in range(20)]
    table = Split(0.5, stratify="folder", unique="item", mode="permutation").assign(table_of(some))
    assert leaks(table, "sample_id") == []


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"share": 1.5}, "the share is 1.5"),
        ({"mode": "random"}, "unknown mode of a split 'random'"),
        ({"stratify": ["foldr"]}, "unknown column 'foldr'; did you mean folder"),
        ({"unique": "("}, "neither a column nor a regular expression"),
        ({"unique": "nowhere"}, "found in no path"),
    ],
)
def test_what_makes_no_sense_is_one_sentence(options, told):
    with pytest.raises(DataError, match=told.replace("(", r"\(")):
        Split(**options).assign(table_of([("a", "0", "0"), ("a", "1", "1")]))


def test_an_empty_table_stays_empty():
    assert len(Split().assign(table_of([("a", "0", "0")])[[False]])) == 0


def test_assignments_are_kept_by_sample_and_those_of_others_stay(tmp_path):
    file = tmp_path / "assignments.csv"
    table = Split(0.5).assign(table_of([("a", f"{item}", f"{item}") for item in range(50)]))
    save_assignments(table[:30], file)
    save_assignments(table[20:], file)
    bare = table.with_frame(table.frame.assign(purpose=None))
    again = load_assignments(bare, file)
    assert again["purpose"].tolist() == table["purpose"].tolist()
    # What has grown meanwhile is split beside what was.
    grown = table_of([("a", f"{item}", f"{item}") for item in range(80)])
    split = Split(0.5, seed=9).assign(load_assignments(grown, file))
    assert split["purpose"].tolist()[:50] == table["purpose"].tolist()
    assert split["purpose"].notna().all()


def test_a_changed_purpose_is_a_conflict_and_the_file_stays(tmp_path):
    file = tmp_path / "assignments.csv"
    save_assignments(table_of([("a", "0", "x")], ["train"]), file)
    before = file.read_bytes()
    other = table_of([("a", "0", "x")], ["devel"])
    for attempt in (save_assignments, load_assignments):
        with pytest.raises(LeakageError, match=r"a/0_0.png \(train\), a/0_0.png \(devel\)"):
            attempt(other, file)
    with pytest.raises(LeakageError):
        save_assignments(table_of([("a", "0", "y"), ("a", "1", "y")], ["train", "devel"]), file)
    assert file.read_bytes() == before


SAVING = """
import sys
from augimpact.data.split import save_assignments
from tests.data.test_split import assigned_halves
halves = assigned_halves()
print("ready", flush=True)
while True:
    for half in halves:
        save_assignments(half, sys.argv[1])
"""


def assigned_halves() -> list[SampleTable]:
    names = [[("a", f"{part}-{item}", f"{part}-{item}") for item in range(3000)] for part in range(2)]
    return [Split(0.5).assign(table_of(each)) for each in names]


def test_a_save_that_is_killed_leaves_the_file_before_or_the_one_after(tmp_path):
    file = tmp_path / "assignments.csv"
    halves = assigned_halves()
    for half in halves:
        save_assignments(half, file)
    for pause in (0.0, 0.013, 0.05):
        command = [sys.executable, "-c", SAVING, str(file)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=REPOSITORY) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            time.sleep(pause)
            process.kill()
        assert len(pd.read_csv(file)) == 6000
        for half in halves:
            bare = half.with_frame(half.frame.assign(purpose=None))
            assert load_assignments(bare, file)["purpose"].tolist() == half["purpose"].tolist()


def test_a_file_of_assignments_that_is_something_else_is_one_sentence(tmp_path):
    table = table_of([("a", "0", "x")])
    with pytest.raises(DataError, match="cannot be read"):
        load_assignments(table, tmp_path / "none.csv")
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    with pytest.raises(DataError, match="has the columns a, b; expected sample_id, purpose, path"):
        load_assignments(table, tmp_path / "other.csv")
