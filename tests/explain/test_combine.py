"""Maps of several layers, against scikit-image's bilinear resizing and numpy."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from skimage.transform import resize

from augimpact.explain.combine import combined


@given(st.integers(0, 2**31), st.integers(1, 4), st.lists(st.sampled_from([1, 2, 3, 5, 8]), min_size=2, max_size=4))
def test_layers_are_scaled_by_their_highest_value_over_all_frames_and_averaged(seed, count, sides):
    random = np.random.default_rng(seed)
    maps = [random.random((count, side, side)).astype(np.float32) * 10.0 ** random.integers(-3, 4) for side in sides]
    found = combined([torch.from_numpy(each) for each in maps]).numpy()
    size = (max(sides), max(sides))
    expected = np.mean(
        [
            [resize(frame / each.max(), size, order=1, mode="edge", anti_aliasing=False) for frame in each]
            for each in maps
        ],
        axis=0,
    )
    assert found.shape == expected.shape
    # Both in single precision.
    assert np.abs(found - expected).max() <= 1e-5


def test_the_map_of_one_layer_is_returned_as_it_is():
    maps = torch.rand(3, 7, 7)
    assert combined([maps]) is maps


def test_a_layer_whose_maps_are_zero_counts_as_zero():
    assert combined([torch.zeros(2, 3, 3), torch.ones(2, 3, 3)]).unique().tolist() == [0.5]
