"""Compiled counting against numpy, Pillow and the measures of a batch, however an image lies in memory."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from augimpact.data.image import EXAMPLES, example
from augimpact.measures import MEASURES, measure, measures_of
from augimpact.profiling.counting import CountedPixels, add_image
from augimpact.profiling.measuring import as_rgb

LAYOUTS = {
    "pixels side by side": lambda image: image,
    "planes": lambda image: np.ascontiguousarray(image.transpose(2, 0, 1)).transpose(1, 2, 0),
    "columns": lambda image: np.asfortranarray(image),
    "a part": lambda image: np.pad(image, ((1, 2), (3, 1), (0, 1)), constant_values=9)[1:-2, 3:-1, :-1],
    "mirrored": lambda image: np.ascontiguousarray(image[:, ::-1])[:, ::-1],
    "channels the other way round": lambda image: np.ascontiguousarray(image[..., ::-1])[..., ::-1],
}


def counted(image: np.ndarray) -> list[list[int]]:
    return [np.bincount(image[..., channel].reshape(-1), minlength=256).tolist() for channel in range(image.shape[-1])]


def colours_of(image: np.ndarray) -> np.ndarray:
    return CountedPixels([image]).channels[0]


@given(
    image=hnp.arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9), st.integers(1, 6))),
    layout=st.sampled_from(sorted(LAYOUTS)),
)
def test_any_image_in_any_order_in_memory(image, layout):
    given = LAYOUTS[layout](image)
    assert np.array_equal(given, image)
    given.setflags(write=False)
    assert colours_of(given).tolist() == counted(image)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", EXAMPLES)
def test_photographs(name, layout):
    image = np.asarray(example(name).convert("RGB"))
    assert colours_of(LAYOUTS[layout](image)).tolist() == counted(image)


def test_one_value_alone():
    assert colours_of(np.full((300, 200, 3), 255, np.uint8))[:, 255].tolist() == [60_000] * 3


images = hnp.arrays(np.uint8, st.tuples(st.integers(1, 40), st.integers(1, 40), st.integers(1, 6)))


@given(several=st.lists(images, min_size=1, max_size=4), layout=st.sampled_from(sorted(LAYOUTS)))
def test_the_measures_are_those_of_a_batch_for_images_of_all_sizes_and_channels(several, layout):
    found = measures_of(CountedPixels([LAYOUTS[layout](image) for image in several]))
    assert list(found) == list(MEASURES)
    for place, image in enumerate(several):
        for name, values in measure(as_rgb(image)[None]).items():
            # The sum of saturations is taken in another order.
            assert found[name][place] == pytest.approx(values[0], rel=1e-12, abs=1e-15), name


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", EXAMPLES)
def test_the_measures_of_photographs(name, layout):
    image = np.asarray(example(name))
    found = measures_of(CountedPixels([LAYOUTS[layout](image)]))
    expected = {name: values[0] for name, values in measure(image[None]).items()}
    assert {name: values[0] for name, values in found.items()} == pytest.approx(expected, rel=1e-12)


@given(several=st.lists(images, min_size=1, max_size=4), factor=st.integers(1, 50))
def test_images_are_reduced_as_pillow_does_it(several, factor):
    reduced = CountedPixels(several).reduced([factor] * len(several))
    for found, image in zip(reduced, several, strict=True):
        assert np.array_equal(found, np.asarray(Image.fromarray(as_rgb(image)).reduce(factor)))


@given(several=hnp.arrays(np.uint8, (5, 3, 4, 3)))
def test_sums_of_images_and_of_their_squares(several):
    total, squares = np.zeros((2, 3, 4, 3), np.int64)
    for image in several:
        add_image(image, total, squares)
    numbers = several.astype(np.int64)
    assert np.array_equal(total, numbers.sum(axis=0))
    assert np.array_equal(squares, (numbers**2).sum(axis=0))


def test_code_that_cannot_be_kept_is_compiled_all_the_same(tmp_path):
    script = """
import numba.core.caching
numba.core.caching.CacheImpl._locator_classes = []
import numpy as np
from augimpact.profiling.counting import CountedPixels
print(CountedPixels([np.zeros((2, 2, 3), np.uint8)]).luma[0, 0])
"""
    found = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True, cwd=tmp_path)
    assert found.stdout == "4\n"


def test_code_that_finds_no_room_to_be_kept_is_run_all_the_same(tmp_path):
    script = """
import errno
import numba.core.caching as caching
def full(self, key, data):
    raise OSError(errno.ENOSPC, "No space left on device")
caching.IndexDataCacheFile.save = full
import numpy as np
from augimpact.profiling.counting import CountedPixels
print(CountedPixels([np.zeros((2, 2, 3), np.uint8)]).luma[0, 0])
"""
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    command = [sys.executable, "-c", script]
    assert subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout == "4\n"


def test_many_threads_may_be_the_first_at_once(tmp_path):
    script = """
import threading
import numpy as np
from augimpact.measures import MEASURES, measure, measures_of
from augimpact.profiling.counting import CountedPixels, add_image
from augimpact.profiling.measuring import as_rgb
start, counts = threading.Barrier(8), []
def count(level):
    start.wait()
    counts.append(int(CountedPixels([np.full((64, 64, 3), level, np.uint8)]).channels[0][1, level]))
threads = [threading.Thread(target=count, args=(level,)) for level in range(8)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
print(counts == [4096] * 8)
"""
    # Nothing of it has been compiled and kept there.
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    command = [sys.executable, "-c", script]
    assert subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout == "True\n"
