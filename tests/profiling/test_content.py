from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from augimpact.profiling.content import weights
from augimpact.profiling.extract import profile
from augimpact.profiling.measuring import measured_here
from augimpact.profiling.source import Sample

SIDE = np.mgrid[:128, :128]


def contents_of(images):
    samples = [Sample(number, image, None, None) for number, image in enumerate(images)]
    return [found.numbers["content"] for found in measured_here(samples, lambda image: image, {"content"})]


def test_weights_are_those_of_splitmix64_however_many_there_are():
    # Of Vigna's splitmix64.c, beginning at 0.
    known = [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F]
    lines, columns = weights(3, 5)
    assert lines.tolist() == known
    assert weights(700, 1)[0][:3].tolist() == known
    assert weights(1, 700)[1][:5].tolist() == columns.tolist()
    assert len({*weights(4096, 4096)[0].tolist(), *weights(4096, 4096)[1].tolist()}) == 8192


@given(image=hnp.arrays(np.uint8, st.tuples(st.integers(1, 20), st.integers(1, 20), st.integers(1, 5))), data=st.data())
def test_one_value_more_or_less_is_another_content_and_any_order_in_memory_the_same(image, data):
    place = tuple(data.draw(st.integers(0, side - 1)) for side in image.shape)
    other = image.copy()
    other[place] ^= data.draw(st.integers(1, 255))
    first, same, second = contents_of([image, np.asfortranarray(image), other])
    assert first == same != second


def test_images_of_the_same_values_at_other_places_are_not_copies():
    stripes = [((each % 2) * 255).astype(np.uint8) for each in (SIDE[0], SIDE[1], SIDE.sum(axis=0))]
    noise = np.random.default_rng(0).integers(0, 256, (512, 512, 3), np.uint8)
    # Neighbours; rows and columns whose sums stay; channels; and the other way up.
    moved = [noise.copy() for _ in range(3)]
    moved[0][8, [8, 9]] = noise[8, [9, 8]]
    moved[1][:2, :2], moved[2][:2, :2] = np.diag([9, 9])[..., None], np.diag([9, 9])[::-1, :, None]
    given = [*stripes, noise, *moved, noise[..., ::-1], noise[::-1], noise[:, ::-1], noise.transpose(1, 0, 2)]
    told = profile(given, features=["duplicates"], progress=lambda *_: None)["duplicates"].statistics
    assert told["exact"] == 0
    told = profile([*given, *given[2:5]], features=["duplicates"], progress=lambda *_: None)["duplicates"].statistics
    assert told["exact"] == 6


def test_no_two_of_many_small_images_have_one_content():
    images = [np.array(each, np.uint8).reshape(2, 2, 2) for each in itertools.product((0, 1, 128, 255), repeat=8)]
    assert len(set(contents_of(images))) == len(images) == 65536
