"""How often each value is, against numpy's counting, however an image lies in memory."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from augimpact.data.image import EXAMPLES, example
from augimpact.profiling.counting import colours_of

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


def test_many_threads_may_be_the_first_at_once():
    script = """
import threading
import numpy as np
from augimpact.profiling.counting import colours_of
start, counts = threading.Barrier(8), []
def count(level):
    start.wait()
    counts.append(int(colours_of(np.full((64, 64, 3), level, np.uint8))[1, level]))
threads = [threading.Thread(target=count, args=(level,)) for level in range(8)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
print(counts == [4096] * 8)
"""
    assert subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout == "True\n"
