"""What hides: erasing against torchvision, the grid against Albumentations and against what it is defined as."""

from __future__ import annotations

import albumentations
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torchvision.transforms.v2 import functional as TF

from augimpact.augment.apply import augment
from tests.augment.agreement import SIDE, names, photograph_or_noise, to_numpy


@given(name=names, data=st.data())
def test_erase_agrees_with_torchvision(photographs, name, data):
    image = photographs[name]
    x, y, w, h = (data.draw(st.integers(0, SIDE)) for _ in range(4))
    setting = {f"erase_{key}": value / SIDE for key, value in zip("xywh", (x, y, w, h), strict=True)}
    theirs = TF.erase(image, y, x, h, w, torch.zeros(3, 1, 1)) if w and h else image
    assert torch.equal(augment(image, setting).images[0], theirs)


@pytest.mark.parametrize(
    "setting",
    [
        {"erase_x": 0.25, "erase_y": 0.25, "erase_w": 0.5, "erase_h": 0.5},
        {"grid_mask": 0.5, "grid_cells": 1},
    ],
    ids=["erase", "grid_mask"],
)
def test_what_is_hidden_shows_what_was_asked_for(photographs, setting):
    image = photographs["rocket"]

    def inside(fill, seed=0):
        return augment(image, setting, erase_fill=fill, seed=seed).images[0, :, 40:80, 40:80]

    assert (inside("black") == 0).all()
    assert torch.allclose(inside("mean"), image.mean(dim=(1, 2))[:, None, None].expand(3, 40, 40))
    noise = inside("noise")
    assert noise.mean() == pytest.approx(0.5, abs=0.02)
    assert noise.std() == pytest.approx(12**-0.5, abs=0.02)
    assert torch.equal(noise, inside("noise"))
    assert not torch.equal(noise, inside("noise", seed=1))


@given(
    name=names,
    side=st.sampled_from([SIDE, 97]),
    shares=st.lists(st.floats(0.001, 1), min_size=2, max_size=3),
    cells=st.floats(1, 20),
)
def test_a_grids_pixel_is_hidden_if_its_centre_is_in_a_square(photographs, name, side, shares, cells):
    image = photograph_or_noise(photographs, name, side)
    frames = augment(image, {"grid_mask": shares, "grid_cells": cells}).images
    for frame, share in zip(frames, shares, strict=True):
        hidden = torch.zeros(side, dtype=torch.bool)
        for cell in range(int(cells) + 1):
            low, high = ((cell + 0.5 + sign * share / 2) * side / cells for sign in (-1, 1))
            hidden |= (torch.arange(side) + 0.5 >= low) & (torch.arange(side) + 0.5 <= high)
        assert torch.equal(frame, image * ~(hidden[:, None] & hidden))


@given(name=names, cell=st.sampled_from([8, 16, 32, 64]), data=st.data())
def test_the_grid_agrees_with_albumentations(photographs, name, cell, data):
    hidden = 2 * data.draw(st.integers(1, cell // 2 - 1))
    number = SIDE // cell
    drop = albumentations.GridDropout(
        # A hair more, as Albumentations cuts the product with the cell down to whole pixels.
        ratio=(hidden + 0.01) / cell,
        holes_number_xy=(number, number),
        random_offset=False,
        shift_xy=((cell - hidden) // 2,) * 2,
        p=1,
    )
    theirs = drop(image=to_numpy(photographs[name]).astype(np.float32))["image"]
    ours = augment(photographs[name], {"grid_mask": hidden / cell, "grid_cells": SIDE / cell})
    assert np.array_equal(to_numpy(ours.images[0]), theirs)
