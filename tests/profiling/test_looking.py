"""Files are read and measured in one go, on any thread, in their order; what is not shown is not held."""

from __future__ import annotations

import threading
import weakref

import numpy as np
import pytest
from PIL import Image

import augimpact as ai
from augimpact.data.pipeline import ImagePipeline
from augimpact.profiling.looking import FILES

COUNT = 10 * FILES


@pytest.fixture
def folder(tmp_path):
    for number in range(COUNT):
        place = tmp_path / "images" / ("even" if number % 2 == 0 else "odd")
        place.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (20 + number, 20), (number, number, number)).save(place / f"{number:03}.png")
    return tmp_path / "images"


@pytest.fixture
def alive(monkeypatch):
    """How many images there are at once, as they come and go."""
    counts, lock, now = [], threading.Lock(), 0

    def change(by):
        nonlocal now
        with lock:
            now += by
            counts.append(now)

    decoded = ImagePipeline.picture

    def picture(self, content):
        image = np.array(decoded(self, content))
        change(1)
        weakref.finalize(image, change, -1)
        return image

    monkeypatch.setattr(ImagePipeline, "picture", picture)
    return counts


def test_images_of_which_nothing_is_shown_are_gone_when_they_are_measured(folder, alive):
    profile = ai.profile(folder, features=["brightness", "sizes"])
    assert len(profile.frames["train"]) == COUNT
    # One on each thread, and what is made of it.
    assert max(alive) <= 2 * (threading.active_count() + 4)
    assert alive[-1] == 0


def test_those_that_may_be_shown_wait_for_their_turn_a_few_at_a_time(folder, alive):
    profile = ai.profile(folder, features=["extremes", "samples"], samples=4)
    assert profile["extremes"].statistics["train"]["dark"]["indices"] == [0, COUNT // 2, 1, COUNT // 2 + 1]
    assert max(alive) < COUNT / 2
    assert alive[-1] == 0


@pytest.mark.parametrize("samples", [0, 3])
def test_files_come_in_their_order_and_one_that_is_damaged_is_told(folder, samples):
    damaged = sorted(folder.rglob("*.png"))[7]
    damaged.write_bytes(damaged.read_bytes()[:40])
    profile = ai.profile(folder, samples=samples)
    frame = profile.frames["train"]
    assert frame["index"].tolist() == [number for number in range(COUNT) if number != 7]
    widths = [20 + int(path.stem) for path in sorted(folder.rglob("*.png")) if path != damaged]
    assert frame["width"].tolist() == widths
    assert profile["errors"].statistics["train"]["count"] == 1


def test_so_many_as_are_wanted_are_looked_at(folder):
    profile = ai.profile(folder, max_samples=FILES + 1)
    assert profile.frames["train"]["index"].tolist() == list(range(FILES + 1))
    assert not profile.complete
    assert ai.profile(folder, max_samples=COUNT).complete


def test_each_split_counts_its_own_classes_from_0(folder, tmp_path):
    for number in range(3):
        place = tmp_path / "val" / "odd"
        place.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (30, 30), (number, 0, 0)).save(place / f"{number}.png")
    profile = ai.profile(folder, tmp_path / "val")
    assert profile.frames["val"]["label"].tolist() == [1, 1, 1]
