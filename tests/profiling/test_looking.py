"""Files are read and measured in one go, on any thread, in their order; what is not shown is not held."""

from __future__ import annotations

import os
import sys
import threading
import time
import weakref

import numpy as np
import pytest
from PIL import Image

import augimpact as ai
from augimpact.data.pipeline import ImagePipeline
from augimpact.profiling import looking
from augimpact.profiling.ahead import BYTES, WAITING, ahead
from augimpact.profiling.decode import Decoder
from augimpact.profiling.looking import FILES, READ, work_of
from augimpact.profiling.needs import PICTURES
from augimpact.profiling.numbering import ClassNumbers
from augimpact.profiling.source import Source

THREADS = os.cpu_count() or 1
COUNT = 2 * WAITING * THREADS * FILES


@pytest.fixture
def folder(tmp_path):
    for number in range(COUNT):
        place = tmp_path / "images" / ("even" if number % 2 == 0 else "odd")
        place.mkdir(parents=True, exist_ok=True)
        grey = min(number, 255)
        Image.new("RGB", (20 + number, 20), (grey, grey, grey)).save(place / f"{number:05}.png")
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

    def picture(self, content, **options):
        image = np.array(decoded(self, content, **options))
        change(1)
        weakref.finalize(image, change, -1)
        return image

    monkeypatch.setattr(ImagePipeline, "picture", picture)
    return counts


def test_images_of_which_nothing_is_shown_are_gone_when_they_are_measured(folder, alive, monkeypatch):
    # Each fills a group, as large images do: it is measured at once, and gone when the next is there.
    monkeypatch.setattr(looking, "DECODED", 1)
    profile = ai.profile(folder, features=["brightness", "sizes"])
    assert len(profile.frames["train"]) == COUNT
    assert max(alive) <= 2 * THREADS
    assert alive[-1] == 0


def test_those_that_may_be_shown_wait_for_their_turn_a_few_at_a_time(folder, alive):
    profile = ai.profile(folder, features=["extremes", "samples"], samples=4)
    assert profile["extremes"].statistics["train"]["dark"]["indices"] == [0, COUNT // 2, 1, COUNT // 2 + 1]
    # What waits, what is being measured, and the one whose turn it is.
    assert max(alive) <= (WAITING + 2) * THREADS + 2 < COUNT
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


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_where_the_label_is_may_be_said_of_files_of_any_kind(tmp_path, suffix):
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        Image.new("RGB", (20, 20), "red").save(tmp_path / name / f"image{suffix}")
    frame = ai.profile(tmp_path, labels="[1]").frames["train"]
    assert frame["label"].tolist() == [0, 1]
    assert ai.profile(tmp_path, images="[0]").frames["train"].equals(frame)


def test_what_is_not_installed_as_it_should_be_is_no_fault_of_each_sample(monkeypatch):
    monkeypatch.setitem(sys.modules, "augimpact.profiling.counting", None)
    with pytest.raises(ImportError, match="counting"):
        ai.profile([(np.zeros((8, 8, 3), np.uint8), 0)], features=["colours"])


def test_files_are_read_together_up_to_some_bytes_and_large_ones_alone():
    sizes = [10] * 20 + [READ + 1, READ // 2, READ // 2, READ // 2]
    source = Source(None, True, len(sizes), None, None, ready=True, sizes=sizes)

    def groups(needs):
        work = work_of(source, Decoder(), None, None, ClassNumbers(), needs, most=None, on_cut=lambda: None)
        return [list(group) for group in work.groups]

    assert groups(()) == [[*range(16)], [*range(16, 20)], [20], [21, 22], [23]]
    assert groups(PICTURES) == [[number] for number in range(len(sizes))]
    # A table may not know the sizes.
    source = source._replace(sizes=[-1] * 18)
    source = source._replace(length=18)
    assert groups(()) == [[*range(16)], [16, 17]]


def test_large_items_wait_in_small_numbers():
    taken, given = [], 0

    def items():
        for number in range(30):
            taken.append(number - given)
            yield number

    for number in ahead(lambda number: time.sleep(0.002) or number, items(), threads=2, size=lambda _: BYTES):
        assert number == given
        given += 1
    assert given == 30
    # One for each thread, and the one that was more than enough.
    assert max(taken) <= 3


def test_ctrl_c_does_not_wait_for_its_turn():
    seen, begun = [], threading.Event()

    def work(number):
        if threading.current_thread() is not threading.main_thread():
            begun.wait()
            return number
        seen.append(number)
        begun.set()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(ahead(work, range(1000), threads=2))
    assert len(seen) == 1
    assert seen[0] > 0
