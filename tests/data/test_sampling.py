from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare
from torch.utils.data import DataLoader, WeightedRandomSampler

from augimpact.data.samples import SampleTable
from augimpact.data.sampling import WEIGHINGS, StratifiedSampler, group_weights
from augimpact.errors import DataError

SIZES = {"bad_cap": 22, "good": 146, "missing_cap": 12}
GROUPS = [name for name, size in SIZES.items() for _ in range(size)]
DRAWS = 20_000
# A draw that is right is taken for wrong once in a thousand times; the seeds are fixed.
LEAST = 1e-3


@pytest.fixture(scope="module")
def table() -> SampleTable:
    paths = [f"/{name}/{number}.png" for number, name in enumerate(GROUPS)]
    return SampleTable.from_list(paths, identity="path")


def p_value(drawn: np.ndarray, groups: list[str], weights: dict[str, float]) -> float:
    found = [np.sum(np.asarray(groups)[drawn] == name) for name in weights]
    return float(chisquare(found, np.array(list(weights.values())) * len(drawn)).pvalue)


@pytest.mark.parametrize(
    ("weighing", "expected"),
    [
        ("uniform", [1 / 3, 1 / 3, 1 / 3]),
        ("count", [22 / 180, 146 / 180, 12 / 180]),
        ("square root", np.sqrt([22, 146, 12]) / np.sqrt([22, 146, 12]).sum()),
        ("log", np.log([22, 146, 12]) / np.log([22, 146, 12]).sum()),
        ("logx+1", [0.302, 0.441, 0.257]),
        (lambda sizes: sizes**2, np.square([22, 146, 12]) / np.square([22, 146, 12]).sum()),
    ],
)
def test_weights_are_what_their_names_say(table, weighing, expected):
    weights = group_weights(table, "folder", weighing)
    assert list(weights.index) == sorted(SIZES)
    assert np.abs(weights.to_numpy() - expected).max() < 5e-4
    assert weights.sum() == pytest.approx(1)


@given(st.lists(st.integers(1, 1000), min_size=1, max_size=20), st.sampled_from(sorted(WEIGHINGS)))
def test_weights_add_up_to_one_and_grow_with_their_group(sizes, weighing):
    if weighing == "log" and max(sizes) == 1:
        return
    groups = [f"{number:02}" for number, size in enumerate(sizes) for _ in range(size)]
    weights = StratifiedSampler(groups, weighing=weighing).weights.to_numpy()
    assert weights.sum() == pytest.approx(1)
    order = np.argsort(sizes, kind="stable")
    assert (np.diff(weights[order]) >= -1e-12).all()


@pytest.mark.parametrize("weighing", sorted(WEIGHINGS))
def test_draws_have_the_weights_of_their_groups_and_are_even_within(table, weighing):
    sampler = StratifiedSampler(table, "folder", weighing, length=DRAWS, seed=3)
    drawn = np.array(list(sampler))
    assert p_value(drawn, GROUPS, sampler.weights.to_dict()) > LEAST
    inside = drawn[np.array(GROUPS)[drawn] == "good"]
    assert chisquare(np.bincount(inside, minlength=180)[22:168]).pvalue > LEAST
    # An independent draw with the same chances.
    chances = [sampler.weights[name] / SIZES[name] for name in GROUPS]
    other = WeightedRandomSampler(chances, DRAWS, generator=torch.Generator().manual_seed(0))
    assert p_value(np.array(list(other)), GROUPS, sampler.weights.to_dict()) > LEAST


@pytest.mark.parametrize("weighing", ["uniform", "logx+1", "count"])
def test_without_replacement_no_sample_comes_twice_and_first_draws_have_the_weights(table, weighing):
    sampler = StratifiedSampler(table, "folder", weighing, replacement=False)
    firsts = []
    for epoch in range(4000):
        sampler.set_epoch(epoch)
        drawn = list(sampler)
        firsts.append(drawn[0])
        if epoch < 20:
            assert sorted(drawn) == list(range(180))
    assert p_value(np.array(firsts), GROUPS, sampler.weights.to_dict()) > LEAST


def test_second_draws_without_replacement_are_those_of_torch(table):
    """Successive draws: torch's generator does the same another way."""
    sampler = StratifiedSampler(table, "folder", "uniform", length=40, replacement=False)
    chances = torch.tensor([sampler.weights[name] / SIZES[name] for name in GROUPS], dtype=torch.float64)
    generator = torch.Generator().manual_seed(1)
    ours, theirs = [], []
    for epoch in range(1500):
        sampler.set_epoch(epoch)
        ours += list(sampler)
        theirs += torch.multinomial(chances, 40, replacement=False, generator=generator).tolist()
    shares = [[np.mean(np.array(GROUPS)[drawn] == name) for name in SIZES] for drawn in (ours, theirs)]
    # 60,000 draws each: four standard deviations of the difference are below one in a hundred.
    assert np.abs(np.subtract(*shares)).max() < 0.01


def test_seed_and_epoch_make_the_draw(table):
    def drawn(seed: int, epoch: int) -> list[int]:
        sampler = StratifiedSampler(table, seed=seed)
        sampler.set_epoch(epoch)
        return list(sampler)

    assert drawn(0, 0) == drawn(0, 0)
    assert len({tuple(drawn(seed, epoch)) for seed in range(3) for epoch in range(3)}) == 9


@given(st.integers(1, 50), st.integers(1, 7), st.booleans())
def test_shards_are_parts_of_one_draw_and_equally_long(length, shards, replacement):
    whole = list(StratifiedSampler(GROUPS, length=length, replacement=replacement))
    parts = [
        StratifiedSampler(GROUPS, length=length, replacement=replacement, shard=shard, shards=shards)
        for shard in range(shards)
    ]
    assert {len(list(part)) for part in parts} == {len(parts[0])} == {-(-length // shards)}
    together = [index for step in zip(*parts, strict=True) for index in step]
    assert together[:length] == whole
    assert all(extra in whole for extra in together[length:])


def test_several_columns_make_a_group(table):
    frame = table.frame.assign(half=["first" if number < 90 else "second" for number in range(180)])
    weights = group_weights(table.with_frame(frame), ["folder", "half"], "count")
    assert weights.to_dict() == {
        ("bad_cap", "first"): 22 / 180, ("good", "first"): 68 / 180, ("good", "second"): 78 / 180,
        ("missing_cap", "second"): 12 / 180,
    }  # fmt: skip


def test_it_is_a_sampler_of_a_data_loader(table):
    loader = DataLoader(list(range(180)), batch_size=16, sampler=StratifiedSampler(table, length=100, seed=1))
    assert torch.cat(list(loader)).tolist() == list(StratifiedSampler(table, length=100, seed=1))


def test_a_group_of_weight_0_is_never_drawn():
    groups = ["rare", *["common"] * 50]
    assert 0 not in list(StratifiedSampler(groups, weighing="log", length=5000))
    assert len(list(StratifiedSampler(groups, weighing="log", replacement=False, length=50))) == 50
    with pytest.raises(DataError, match="51 draws without replacement; expected at most 50"):
        StratifiedSampler(groups, weighing="log", replacement=False)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"weighing": "sqrt"}, "unknown weighing 'sqrt'"),
        ({"by": "foldr"}, "unknown column 'foldr'; did you mean folder"),
        ({"weighing": lambda sizes: sizes - 100}, "the weights of the groups are"),
        ({"weighing": lambda sizes: sizes * 0}, "the weights of the groups are"),
        ({"length": 0}, "0 draws from 180 samples"),
        ({"shard": 2, "shards": 2}, "shard 2 of 2"),
    ],
)
def test_what_makes_no_sense_is_one_sentence(table, options, told):
    with pytest.raises(DataError, match=told):
        StratifiedSampler(table, **options)
