"""Where an image lies in a dataset, against numpy and SciPy."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from scipy.stats import percentileofscore

import augimpact as ai
from augimpact.data.image import EXAMPLES, example
from augimpact.errors import Cancelled, DataError
from augimpact.measures import MEASURES, measure
from augimpact.profiling.reference import POINTS, Measuring, distribution_of, reference_of

RANDOM = np.random.default_rng(0)
NOISE = [RANDOM.integers(0, 256, (24, 24, 3), dtype=np.uint8) // (1 + place % 5) for place in range(20)]


def canvas(image):
    return torch.from_numpy(np.asarray(image).copy()).permute(2, 0, 1).float() / 255


def quiet(_done, _total):
    pass


def measured(images):
    return reference_of(images, canvas, progress=quiet)


@given(st.lists(st.integers(-3, 3), min_size=1, max_size=POINTS), st.integers(-4, 4))
def test_the_percentile_of_a_few_values_is_scipys(values, value):
    distribution = distribution_of(values)
    if value in values:
        assert distribution.percentile(value) == pytest.approx(percentileofscore(values, value, kind="mean"))
    elif not min(values) < value < max(values):
        assert distribution.percentile(value) == (0 if value < min(values) else 100)
    else:
        # Between two values SciPy stands still and this goes on from one to the other.
        ends = [percentileofscore(values, each, kind="mean") for each in values]
        assert min(ends) <= distribution.percentile(value) <= max(ends)


@pytest.mark.parametrize("draw", ["normal", "exponential", "uniform"])
def test_the_percentile_of_many_values_is_scipys_within_half_a_percent(draw):
    values = getattr(np.random.default_rng(1), draw)(size=5000)
    distribution = distribution_of(values)
    assert len(distribution.values) == POINTS + 2
    for value in np.quantile(values, np.linspace(0, 1, 60)):
        expected = percentileofscore(values, value, kind="mean")
        assert distribution.percentile(value) == pytest.approx(expected, abs=0.5)
    assert distribution.percentile(values.max()) < 100
    assert distribution.percentile(values.max() + 1e-9) == 100
    assert distribution.percentile(values.min()) > 0
    assert distribution.percentile(values.min() - 1e-9) == 0
    assert np.isnan(distribution.percentile(np.nan))


def test_percentiles_are_said_as_a_person_says_them():
    distribution = distribution_of(np.arange(1, 101))
    said = {value: distribution.words(value) for value in (0, 1, 2, 11, 12, 13, 22, 53, 100, 101)}
    assert said == {
        0: "below all", 1: "below the 1st percentile", 2: "2nd percentile", 11: "11th percentile",
        12: "12th percentile", 13: "13th percentile", 22: "22nd percentile", 53: "53rd percentile",
        100: "above the 99th percentile", 101: "above all",
    }  # fmt: skip
    # Though more than 99.5 % of the data lie below, or less than 0.5 %.
    ties = distribution_of([0] * 101 + [1] * 9798 + [2] * 101)
    assert [ties.words(value) for value in (0, 1, 2)] == ["1st percentile", "50th percentile", "99th percentile"]
    assert distribution.words(np.nan) == ""


@given(st.lists(st.sampled_from([0.0, 0.1, 0.25, 0.7, 1.0]) | st.floats(0, 1), min_size=1, max_size=300), st.data())
def test_a_percentile_is_said_of_what_is_inside_alone(values, data):
    distribution = distribution_of(values)
    value = data.draw(st.sampled_from(values) | st.floats(-0.2, 1.2))
    low, high = np.percentile(values, [1, 99])
    assert distribution.words(value)[0].isdigit() == (low <= value <= high)


def test_many_equal_values_lie_in_the_middle_of_themselves():
    values = np.concatenate([np.zeros(400), np.linspace(0.1, 1, 600)])
    assert distribution_of(values).percentile(0) == pytest.approx(20, abs=0.3)


@pytest.mark.parametrize("count", [2, 30, 1000])
def test_band_and_histogram_are_numpys(count):
    values = np.random.default_rng(2).normal(size=count)
    distribution = distribution_of(values)
    assert (distribution.low, distribution.high) == tuple(np.quantile(values, [0.01, 0.99]))
    counts, edges = np.histogram(values, bins=len(distribution.counts))
    assert distribution.counts == tuple(counts)
    assert distribution.edges == tuple(edges)
    assert distribution.holds(np.median(values))
    assert not distribution.holds(values.max() + 1)


@given(st.floats(1e-9, 1e3), st.integers(1, 100))
def test_the_bins_of_one_value_lie_around_it(value, count):
    distribution = distribution_of([value] * count)
    edges = np.array(distribution.edges)
    assert (edges[0], edges[-1]) == pytest.approx((0.9 * value, 1.1 * value))
    assert sum(distribution.counts) == max(distribution.counts) == count
    assert distribution.holds(value)
    # Not beyond the largest value that there can be.
    least, highest = (distribution_of([value] * count, maximum=value).edges[end] for end in (0, -1))
    assert (least, highest) == (edges[0], value)


def test_the_bins_of_nothing_but_zeros_begin_there():
    for values in ([0], [0.0] * 100):
        distribution = distribution_of(values)
        assert (distribution.edges[0], distribution.edges[-1]) == (0, 0.05)
        assert distribution.counts[0] == len(values)


def test_values_that_differ_by_rounding_are_one():
    # Of which numpy alone makes no bins.
    distribution = distribution_of([0.3, np.nextafter(0.3, 1)])
    assert (distribution.edges[0], distribution.edges[-1]) == pytest.approx((0.27, 0.33))


@pytest.mark.parametrize("pixels", [np.full((6, 6, 3), 255, np.uint8), np.zeros((6, 6, 3), np.uint8), NOISE[0]])
def test_no_axis_of_a_single_image_reaches_where_no_measure_can_be(pixels):
    for name, distribution in measured([pixels]).distributions.items():
        assert distribution.edges[0] >= MEASURES[name].minimum
        assert distribution.edges[-1] <= MEASURES[name].maximum
        assert distribution.edges[0] < distribution.edges[-1]


def test_every_measure_of_every_image_counts():
    reference = measured(NOISE)
    assert list(reference.distributions) == list(MEASURES)
    assert (reference.count, reference.failed, reference.caption) == (20, 0, "The data: 20 images.")
    for name, values in measure(np.stack(NOISE)).items():
        assert reference.distributions[name].values[1:-1] == pytest.approx(np.sort(values))
        expected = percentileofscore(values, values[7], kind="mean")
        assert reference.percentile(name, values[7]) == pytest.approx(expected)


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_image_is_prepared_just_as_frames_are(classifier, name):
    trace = ai.analyze(example(name), ai.Sweep(rotation=(0, 30), frames=2), classifier)
    reference = reference_of([example(name)], classifier.sees, progress=quiet)
    for measure_name, values in trace.neutral.measures().items():
        # But for the order of sums.
        assert reference.distributions[measure_name].values[0] == pytest.approx(values[0], rel=1e-12)
        assert trace.measures()[measure_name][0] == pytest.approx(values[0], rel=1e-12)


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_image_lies_where_it_does_whatever_its_size(classifier, name):
    """The very photograph in the size of the model's input, which its frames exceed, is nearly as sharp.

    Not quite: it is resampled once less. Enlarged to the size of the frames it would be a third to a sixth as sharp.
    """
    large = example(name)
    trace = ai.analyze(large, ai.Sweep(rotation=0, frames=1), classifier)
    assert trace.frames.shape[1] == 2 * classifier.inputs.size
    # The shorter side of what evaluation resizes to.
    factor = round(classifier.inputs.size / 0.875) / min(large.size)
    # Even: the middle square then lies on whole pixels.
    small = large.resize([2 * round(side * factor / 2) for side in large.size], Image.Resampling.BICUBIC)
    found = reference_of([small], classifier.sees, progress=quiet)
    assert found.enlarged == 0
    for measure_name, values in trace.measures().items():
        within = 0.33 if measure_name == "sharpness" else 0.005
        assert found.distributions[measure_name].values[0] == pytest.approx(values[0], rel=within), measure_name


@pytest.mark.parametrize(
    ("small", "told"),
    [
        (0, ""),
        (1, ""),
        (2, " 2 of them are smaller than the model's input and were enlarged, which makes them less sharp."),
        (20, " All of them are smaller than the model's input and were enlarged, which makes them less sharp."),
    ],
)
def test_it_says_when_many_images_were_enlarged(small, told):
    sizes = [(24, 23)] * small + [(24, 60)] * (20 - small)
    images = [Image.fromarray(RANDOM.integers(0, 256, (*size, 3), dtype=np.uint8)) for size in sizes]
    reference = reference_of(images, lambda image: canvas(image.resize((24, 24))), progress=quiet)
    assert reference.enlarged == small
    assert reference.caption == f"The data: 20 images.{told}"


def test_it_says_so_of_a_single_image_and_beside_what_cannot_be_read():
    told = "is smaller than the model's input and was enlarged, which makes it less sharp."
    for images, caption in (
        ([NOISE[0]], f"The data: 1 image. It {told}"),
        ([NOISE[0], "nowhere.png"], f"The data: 2 images, 1 of them cannot be read. 1 of them {told}"),
    ):
        reference = reference_of(images, lambda image: canvas(image.resize((25, 25))), progress=quiet)
        assert reference.caption == caption


def test_of_many_images_some_are_drawn_by_the_seed():
    opened = []

    class Data:
        def __len__(self):
            return 1000

        def __getitem__(self, index):
            opened.append(index)
            return np.full((8, 8), index % 256, np.uint8)

    reference = reference_of(Data(), canvas, most=50, seed=3, progress=quiet)
    first = list(opened)
    assert len(set(first)) == reference.count == 50
    assert max(first) > 800
    assert reference.caption == "The data: 50 images drawn from 1,000."
    opened.clear()
    reference_of(Data(), canvas, most=50, seed=3, progress=quiet)
    assert opened == first
    opened.clear()
    reference_of(Data(), canvas, most=50, seed=4, progress=quiet)
    assert opened != first


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "cats").mkdir()
    for place, pixels in enumerate(NOISE):
        Image.fromarray(pixels).save(tmp_path / "cats" / f"{place}.png")
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8\xff no photograph")
    (tmp_path / "notes.txt").write_text("no image at all")
    return tmp_path


def test_a_folder_and_its_table_are_measured_without_what_cannot_be_read(folder):
    expected = measured(NOISE)
    for data in (folder, str(folder), ai.SampleTable.from_folder(folder)):
        reference = reference_of(data, canvas, name="photos", progress=quiet)
        assert (reference.count, reference.failed) == (20, 1)
        assert reference.caption == "photos: 21 images, 1 of them cannot be read."
        for name, each in reference.distributions.items():
            assert np.array_equal(each.values, expected.distributions[name].values)


def test_anything_that_gives_images_is_data():
    expected = measured(NOISE)
    pairs = [(Image.fromarray(pixels), 1) for pixels in NOISE]
    for data in (tuple(NOISE), np.stack(NOISE), iter(NOISE), pairs, ai.SampleTable.from_arrays(NOISE)):
        reference = measured(data)
        assert reference.count == 20
        assert reference.distributions["entropy"].counts == expected.distributions["entropy"].counts
    assert reference_of(iter(NOISE), canvas, most=5, progress=quiet).count == 5


def test_what_is_no_data_is_refused(tmp_path):
    with pytest.raises(DataError, match="no image that can be read; the first error was: there is no image"):
        measured(["nowhere.png"])
    with pytest.raises(DataError, match="no image that can be read; expected at least one"):
        measured([])
    with pytest.raises(DataError, match="data of type int gives no images"):
        measured(3)
    with pytest.raises(DataError, match="there is no folder"):
        measured(tmp_path / "missing")
    with pytest.raises(DataError, match="most is 0"):
        reference_of(NOISE, canvas, most=0, progress=quiet)


def test_it_stops_between_two_images_and_goes_on_where_it_was():
    told, seen = [], []

    def counting(image):
        seen.append(image)
        return canvas(image)

    measuring = Measuring(NOISE, counting)
    for expected in (5, 12):
        with pytest.raises(Cancelled):
            measuring.run(lambda done, total: told.append((done, total)), lambda: told[-1][0] >= expected)  # noqa: B023
        assert told[-1] == (expected, 20)
    reference = measuring.run(lambda done, total: told.append((done, total)))
    assert told == [(done, 20) for done in range(1, 21)]
    assert len(seen) == reference.count == 20
    whole = measured(NOISE)
    assert all(
        np.array_equal(each.values, whole.distributions[name].values) for name, each in reference.distributions.items()
    )
    with pytest.raises(Cancelled):
        reference_of(NOISE, canvas, progress=quiet, cancelled=lambda: True)


def test_the_browser_gets_plain_numbers():
    payload = reference_of(NOISE, canvas, name="some noise", progress=quiet).payload()
    assert json.loads(json.dumps(payload, allow_nan=False)) == payload
    assert payload["caption"] == "some noise: 20 images."
    for each in payload["measures"]:
        assert len(each["edges"]) == len(each["counts"]) + 1
        assert sum(each["counts"]) == 20
        assert len(each["values"]) == len(each["shares"]) == 22
