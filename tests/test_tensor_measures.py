"""Pixels counted by torch: the numbers that the host finds, for images of any sizes in one row."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from augimpact import tensor_measures
from augimpact.data.image import EXAMPLES, example
from augimpact.errors import ImageError
from augimpact.measures import MEASURES, measure, measures_of
from augimpact.tensor_measures import Row, RowPixels, measure_tensor
from tests.pretended_gpu import DEVICES

pytestmark = pytest.mark.usefixtures("gpu")

PHOTOGRAPHS = [np.asarray(example(name)) for name in EXAMPLES]
images = hnp.arrays(np.uint8, st.tuples(st.integers(1, 20), st.integers(1, 20), st.just(3)))


def row_of(several: list[np.ndarray], device: str) -> RowPixels:
    row = Row([image.shape[:2] for image in several], torch.device(device))
    pixels = torch.from_numpy(np.concatenate([image.reshape(-1, 3) for image in several])).to(device)
    return RowPixels(row, pixels)


def assert_measured(found: dict[str, np.ndarray], several: list[np.ndarray]) -> None:
    assert list(found) == list(MEASURES)
    for place, image in enumerate(several):
        for name, values in measure(image[None]).items():
            # Saturations are summed in steps of 2^-30; all else is of whole numbers.
            tolerance = {"rel": 0, "abs": 1e-9} if name == "saturation" else {"rel": 1e-12, "abs": 1e-15}
            assert found[name][place] == pytest.approx(values[0], **tolerance), name


@pytest.mark.parametrize("device", DEVICES)
@given(several=st.lists(images, min_size=1, max_size=5))
def test_images_of_all_sizes_are_measured_at_once_as_each_alone(device, several):
    assert_measured(measures_of(row_of(several, device)), several)


@pytest.mark.parametrize("device", DEVICES)
def test_photographs_of_different_sizes(device):
    assert_measured(measures_of(row_of(PHOTOGRAPHS, device)), PHOTOGRAPHS)


@pytest.mark.parametrize("device", DEVICES)
@given(several=st.lists(images, min_size=1, max_size=4), factors=st.lists(st.integers(1, 30), min_size=4, max_size=4))
def test_images_are_reduced_as_pillow_does_it(device, several, factors):
    seen = row_of(several, device)
    reduced = seen.row.reduced(seen.pixels, np.array(factors[: len(several)]))
    for found, image, factor in zip(reduced, several, factors, strict=False):
        assert np.array_equal(found, np.asarray(Image.fromarray(image).reduce(factor)))


@pytest.mark.parametrize("device", DEVICES)
def test_photographs_are_reduced_as_pillow_does_it(device):
    seen = row_of(PHOTOGRAPHS, device)
    for factor in (1, 2, 3, 5, 7, 12):
        for found, image in zip(seen.row.reduced(seen.pixels, np.full(4, factor)), PHOTOGRAPHS, strict=True):
            assert np.array_equal(found, np.asarray(Image.fromarray(image).reduce(factor)))


@pytest.mark.parametrize("device", DEVICES)
@given(values=hnp.arrays(np.int64, st.integers(1, 60), elements=st.integers(-(2**40), 2**40)), data=st.data())
def test_sums_over_each_image_are_exact(device, values, data):
    cuts = sorted(data.draw(st.sets(st.integers(1, len(values)), max_size=5)) | {len(values)})
    lengths = np.diff(cuts, prepend=0)
    row = Row([(1, length) for length in lengths], torch.device(device))
    expected = [int(part.sum()) for part in np.split(values, cuts[:-1])]
    assert row.sums(torch.from_numpy(values).to(device)).tolist() == expected


@pytest.mark.parametrize("device", DEVICES)
def test_a_batch_is_measured_across_the_chunks(device, monkeypatch):
    batch = np.random.default_rng(0).integers(0, 256, (11, 9, 13, 3), dtype=np.uint8)
    monkeypatch.setattr(tensor_measures, "CHUNK_PIXELS", 4 * 9 * 13)
    assert_measured(measure_tensor(torch.from_numpy(batch).to(device)), list(batch))
    planes = torch.from_numpy(np.ascontiguousarray(batch.transpose(0, 3, 1, 2))).to(device)
    assert_measured(measure_tensor(planes.permute(0, 2, 3, 1)), list(batch))
    nothing = measure_tensor(torch.zeros((0, 4, 4, 3), dtype=torch.uint8, device=device))
    assert {name: values.shape for name, values in nothing.items()} == dict.fromkeys(MEASURES, (0,))


def test_what_lies_on_a_gpu_is_measured_there_and_on_another_device_fetched(monkeypatch):
    batch = torch.randint(0, 256, (3, 20, 30, 3), dtype=torch.uint8)

    class Elsewhere:
        """A tensor that lies on a device of this type, as far as `measure` sees it."""

        def __init__(self, place):
            self.device, self.fetched = torch.device(place), False

        def cpu(self):
            self.fetched = True
            return batch

    monkeypatch.setattr(tensor_measures, "measure_tensor", lambda images: images)
    there, other = Elsewhere("cuda"), Elsewhere("mps")
    assert measure(there) is there
    assert_measured(measure(other), list(batch.numpy()))
    assert other.fetched
    assert not there.fetched


@pytest.mark.parametrize("images", [torch.zeros(1, 4, 4, 3), torch.zeros((1, 3, 4, 4), dtype=torch.uint8)])
def test_mistakes_are_named(images):
    with pytest.raises(ImageError, match=r"images of shape .* and type torch\..*; expected \(N, H, W, 3\) of uint8"):
        measure_tensor(images)
