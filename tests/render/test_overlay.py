"""The overlay against torch and matplotlib; and the browser's arithmetic against ours."""

from __future__ import annotations

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
from augimpact.render.look import COLOUR_MAPS, Look
from augimpact.render.overlay import blend, colour_table, full_scale

RANDOM = np.random.default_rng(0)
FRAMES = RANDOM.integers(0, 256, (3, 64, 64, 3), dtype=np.uint8)
MAPS = RANDOM.random((3, 7, 5), dtype=np.float32) * np.array([1, 3, 2], np.float32)[:, None, None]


def expected(frames, maps, opacity, colour_map, full):
    large = torch.nn.functional.interpolate(
        torch.from_numpy(maps)[:, None], frames.shape[1:3], mode="bilinear", align_corners=False
    )[:, 0]
    shares = large.numpy() / full[:, None, None]
    colours = matplotlib.colormaps[colour_map](np.rint(shares * 255).clip(0, 255).astype(int))[..., :3] * 255
    return frames * (1 - opacity) + colours * opacity


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


def test_the_browser_colours_maps_as_we_do():
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed")
    script = """
      import { colour, fullScale } from "./overlay.js";
      const { maps, count, height, width, side, table, scale } = JSON.parse(process.argv[1]);
      const values = new Float32Array(maps);
      const full = fullScale(values, count, scale);
      const size = height * width;
      const drawn = [];
      for (let k = 0; k < count; k++) {
        const pixels = new Uint8ClampedArray(side * side * 4);
        colour(values.subarray(k * size, (k + 1) * size), height, width, full[k], new Uint8Array(table), side, pixels);
        drawn.push(Array.from(pixels));
      }
      console.log(JSON.stringify({ full: Array.from(full), drawn }));
    """
    for scale in ("sweep", "frame"):
        given_to_node = {
            "maps": MAPS.ravel().tolist(), "count": 3, "height": 7, "width": 5, "side": 64, "scale": scale,
            "table": colour_table("viridis").ravel().tolist(),
        }  # fmt: skip
        folder = Path(__file__).parents[2] / "augimpact" / "render"
        command = [node, "--input-type=module", "-e", script, json.dumps(given_to_node)]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
        answer = json.loads(done.stdout)
        assert answer["full"] == pytest.approx(full_scale(MAPS, scale).tolist())
        theirs = np.array(answer["drawn"]).reshape(3, 64, 64, 4)
        ours = np.stack([np.asarray(each) for each in blend(FRAMES, MAPS, Look(1, "viridis", scale))])
        assert (theirs[..., 3] == 255).all()
        assert np.abs(theirs[..., :3] - ours).max() <= 6
        assert np.abs(theirs[..., :3] - ours).mean() <= 0.1
