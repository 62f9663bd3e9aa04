"""The overlay against torch and matplotlib; and the browser's arithmetic against ours."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from pathlib import Path

import matplotlib
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from augimpact.errors import UserError
from augimpact.payload import encoded_maps
from augimpact.render.look import COLOUR_MAPS, Look
from augimpact.render.overlay import blend, colour_table, enlarged, full_scale

RANDOM = np.random.default_rng(0)
FRAMES = RANDOM.integers(0, 256, (3, 48, 64, 3), dtype=np.uint8)
MAPS = RANDOM.random((3, 7, 5), dtype=np.float32) * np.array([1, 3, 2], np.float32)[:, None, None]
GREY = np.repeat(np.arange(256, dtype=np.uint8), 3)
NODE = shutil.which("node")
COLOUR = """
  import { readFileSync } from "node:fs";
  import { colour, fullScale, opacityTable } from "./overlay.js";
  const { maps, highest, height, width, size, table, scale, opacity } = JSON.parse(readFileSync(0));
  const words = new Uint16Array(Uint8Array.from(Buffer.from(maps, "base64")).buffer);
  const full = fullScale(highest, scale);
  const drawn = highest.map((most, k) => {
    const pixels = { ...size, data: new Uint8ClampedArray(size.width * size.height * 4) };
    const values = words.subarray(k * height * width, (k + 1) * height * width);
    colour({ values, height, width, highest: most }, full[k], new Uint8Array(table), opacityTable(opacity), pixels);
    return Array.from(pixels.data);
  });
  console.log(JSON.stringify({ full, drawn }));
"""


def expected(frames, maps, opacity, colour_map, full):
    large = torch.nn.functional.interpolate(
        torch.from_numpy(maps)[:, None], frames.shape[1:3], mode="bilinear", align_corners=False
    )[:, 0]
    shares = large.numpy() / full[:, None, None]
    colours = matplotlib.colormaps[colour_map](np.rint(shares * 255).clip(0, 255).astype(int))[..., :3] * 255
    covered = (opacity**3 + (opacity - opacity**3) * shares.clip(0, 1) ** 0.5)[..., None]
    return frames * (1 - covered) + colours * covered


@given(opacity=st.floats(0, 1), colour_map=st.sampled_from(COLOUR_MAPS), scale=st.sampled_from(["sweep", "frame"]))
def test_a_blend_is_the_frame_and_the_coloured_map(opacity, colour_map, scale):
    full = np.full(3, MAPS.max()) if scale == "sweep" else MAPS.max(axis=(1, 2))
    ours = np.stack([np.asarray(each) for each in blend(FRAMES, MAPS, Look(opacity, colour_map, scale))])
    theirs = expected(FRAMES, MAPS, opacity, colour_map, full)
    # A value between two entries of the table may fall to either; Pillow and matplotlib cut what is left of a byte.
    assert np.abs(ours - theirs).max() <= 6
    assert np.abs(ours - theirs).mean() <= 1.25


def test_on_one_scale_a_fainter_map_stays_fainter():
    maps = np.stack([np.full((2, 2), value, np.float32) for value in (1, 0.5)])
    frames = np.zeros((2, 8, 8, 3), np.uint8)
    bright, faint = (np.asarray(each).max() for each in blend(frames, maps, Look(opacity=1, scale="sweep")))
    assert bright > faint
    own = [np.asarray(each) for each in blend(frames, maps, Look(opacity=1, scale="frame"))]
    assert np.array_equal(own[0], own[1])


def test_an_empty_map_is_drawn_as_nothing_seen():
    drawn = np.asarray(blend(FRAMES[:1], np.zeros((1, 7, 7), np.float32), Look(opacity=1))[0])
    assert (drawn == colour_table("inferno")[0]).all()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"opacity": 1.5}, "opacity is 1.5; expected a number from 0 to 1"),
        ({"colour_map": "infernal"}, "did you mean inferno"),
        ({"scale": "image"}, "unknown scale 'image'; expected one of sweep, frame"),
        ({"width": 5}, "width is 5; expected 16 to 4096 pixels"),
    ],
)
def test_wrong_options_are_named(options, words):
    with pytest.raises(UserError, match=words):
        Look(**options)


def in_the_browser(maps, size, scale, table, opacity=1):
    """What overlay.js draws of the maps as they travel, `(N, height, width, 4)`, and what is shown brightest."""
    if NODE is None:
        pytest.skip("node is not installed")
    travelling = encoded_maps(maps, size[::-1])
    content = travelling | {
        "maps": base64.b64encode(travelling["maps"]).decode(),
        "size": {"width": size[0], "height": size[1]},
        "scale": scale,
        "table": table.ravel().tolist(),
        "opacity": opacity,
    }
    folder = Path(__file__).parents[2] / "augimpact" / "render"
    command = [NODE, "--input-type=module", "-e", COLOUR]
    done = subprocess.run(command, cwd=folder, input=json.dumps(content), capture_output=True, text=True, check=True)
    answer = json.loads(done.stdout)
    return np.array(answer["drawn"]).reshape(len(maps), size[1], size[0], 4), answer["full"]


@pytest.mark.parametrize("scale", ["sweep", "frame"])
def test_the_browser_colours_maps_as_we_do(scale):
    theirs, full = in_the_browser(MAPS, (64, 48), scale, colour_table("viridis"))
    assert full == pytest.approx(full_scale(MAPS, scale).tolist())
    ours = np.stack([np.asarray(each) for each in blend(FRAMES, MAPS, Look(1, "viridis", scale))])
    assert (theirs[..., 3] == 255).all()
    # A value between two entries of the table may fall to either.
    assert np.abs(theirs[..., :3] - ours).max() <= 6
    assert np.abs(theirs[..., :3] - ours).mean() <= 0.1


@pytest.mark.parametrize("opacity", [0, 0.2, 0.5, 0.8, 1])
def test_the_browser_covers_as_much_of_the_frame_as_we_do(opacity):
    theirs, _ = in_the_browser(MAPS, (64, 48), "sweep", colour_table("inferno"), opacity)
    covered = theirs[..., 3:] / 255
    blended = FRAMES * (1 - covered) + theirs[..., :3] * covered
    ours = np.stack([np.asarray(each) for each in blend(FRAMES, MAPS, Look(opacity))])
    # A value between two entries of the table may fall to either.
    assert np.abs(blended - ours).max() <= 6
    assert np.abs(blended - ours).mean() <= 0.5


def test_where_the_map_says_nothing_the_photograph_stays_visible():
    maps = np.zeros((1, 2, 2), np.float32)
    maps[0, 0, 0] = 1
    grey = np.full((1, 64, 64, 3), 200, np.uint8)
    drawn = np.asarray(blend(grey, maps, Look(0.5))[0])
    assert drawn[-1, -1].min() > 170
    # At its highest the map covers half of it.
    assert np.abs(drawn[0, 0] - (grey[0, 0, 0] / 2 + colour_table("inferno")[255] / 2)).max() <= 1


@pytest.mark.parametrize("scale", ["sweep", "frame"])
@pytest.mark.parametrize(
    ("shape", "size"),
    [((7, 5), (64, 48)), ((1, 50), (120, 30)), ((1, 333), (120, 30)), ((48, 64), (64, 48)), ((90, 40), (50, 60))],
    ids=["photograph", "signal", "long signal", "of the frame's size", "taller than the frame"],
)
def test_the_browser_is_within_one_of_255_of_us_though_maps_travel_as_16_bit(shape, size, scale):
    random = np.random.default_rng(1)
    # From 1 to 1000: on one scale the faintest has but a thousandth of the range. Some values lie below 0.
    maps = (random.random((4, *shape), dtype=np.float32) - 0.2) * np.array([1, 30, 1000, 0], np.float32)[:, None, None]
    theirs, full = in_the_browser(maps, size, scale, GREY)
    ours = np.stack([enlarged(values, most, size) for values, most in zip(maps, full, strict=True)])
    assert np.abs(theirs[..., 0] - ours.astype(int)).max() <= 1
    assert ours[2].max() > 150


def test_nothing_below_zero_is_shown_and_it_takes_nothing_from_its_neighbours():
    maps = np.array([[[-5, 1], [-5, 1]], [[0, 1], [0, 1]]], np.float32)
    below, zero = (enlarged(values, 1, (8, 8)) for values in maps)
    assert np.array_equal(below, zero)


def test_a_width_keeps_the_proportions_of_the_frames():
    assert [each.size for each in blend(FRAMES, MAPS, Look(width=32))] == [(32, 24)] * 3
    assert blend(FRAMES[:1, :1], MAPS[:1], Look(width=16))[0].size == (16, 1)


def test_a_few_outliers_do_not_darken_a_map_as_fine_as_pixels():
    fine = np.random.default_rng(0).random((2, 112, 112), dtype=np.float32)
    fine[0, 3, 5] = 1000
    assert full_scale(fine, "frame") == pytest.approx([0.995, 0.995], abs=0.002)
    coarse = fine[:, :7, :7].copy()
    assert full_scale(coarse, "frame")[0] == 1000
    assert full_scale(np.zeros((1, 112, 112), np.float32), "sweep").tolist() == [0]
