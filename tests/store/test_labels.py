"""Labels of the three kinds: what is refused, and features as rasters against GDAL's."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rasterio.features import rasterize
from rasterio.transform import Affine

from augimpact.errors import DataError
from augimpact.store.labels import Grid, as_label, given_back

HEIGHT, WIDTH = 24, 31


def star(generator, centre, radius):
    """A ring around a place, which does not cross itself, in the order in which GeoJSON has outer rings."""
    turns = np.sort(generator.uniform(0, 2 * np.pi, generator.integers(3, 9)))
    far = generator.uniform(radius / 3, radius, len(turns))
    points = np.stack([centre[0] + far * np.cos(turns), centre[1] + far * np.sin(turns)], axis=1)
    return [*points.tolist(), points[0].tolist()]


@given(seed=st.integers(0, 10**6), holes=st.booleans(), north=st.booleans())
def test_features_are_drawn_as_gdal_draws_them(seed, holes, north):
    generator = np.random.default_rng(seed)
    step = -0.5 if north else 0.5
    grid = Grid(100.0, 0.25, 50.0, step)
    transform = Affine(0.25, 0, 100.0, 0, step, 50.0)
    features, shapes = [], []
    for number in range(generator.integers(1, 5)):
        place = generator.uniform((100, 50 + min(0, step * HEIGHT)), (100 + WIDTH / 4, 50 + max(0, step * HEIGHT)))
        rings = [star(generator, place, 5)] + ([star(generator, place, 1)] if holes else [])
        kind = {"type": "Polygon", "coordinates": rings}
        if number % 2:
            kind = {"type": "MultiPolygon", "coordinates": [rings, [star(generator, place + 6, 2)]]}
        name = "cab"[number % 3]
        features.append({"type": "Feature", "geometry": kind, "properties": {"class": name}})
        shapes.append((kind, name))
    names = sorted({name for _, name in shapes})
    # GDAL, too, gives a pixel to the last.
    drawn = rasterize([(kind, names.index(name) + 1) for kind, name in shapes], (HEIGHT, WIDTH), transform=transform)
    for value in (features, {"type": "FeatureCollection", "features": features}):
        label = as_label("segmentation", value, (HEIGHT, WIDTH), grid=grid)
        assert list(label.classes) == names
        np.testing.assert_array_equal(label.numbers, drawn)


def test_known_features_and_masks():
    square = {"type": "Polygon", "coordinates": [[[1, 1], [4, 1], [4, 3], [1, 3], [1, 1]]]}
    label = as_label("segmentation", [{"geometry": square, "properties": {"label": "roof"}}], (5, 6))
    assert (label.classes, label.numbers.sum(), label.numbers[1:3, 1:4].min()) == (("roof",), 6, 1)
    assert as_label("segmentation", [], (5, 6), ["roof"]).numbers.sum() == 0
    mask = np.arange(30).reshape(5, 6) % 3
    kept = as_label("segmentation", mask, (5, 6), ["a", "b"])
    np.testing.assert_array_equal(given_back("segmentation", kept, ["a", "b"]), mask)
    # In a set that has one class more, between them.
    np.testing.assert_array_equal(given_back("segmentation", kept, ["a", "aa", "b"]), np.array([0, 1, 3])[mask])


@pytest.mark.parametrize(
    ("value", "classes", "numbers"),
    [([1], (), [1]), ([0], ["cat"], [0]), (1, (), [1]), ([0, 0, 0, 1, 0], (), [0, 0, 0, 1, 0]),
     ("dog", ["cat", "dog"], [0, 1]), (np.array([1.0, 0.0]), ["cat", "dog"], [1, 0])],
)  # fmt: skip
def test_one_hot_labels(value, classes, numbers):
    label = as_label("classification", value, (8, 8), classes)
    assert label.numbers.tolist() == numbers
    assert given_back("classification", label, list(label.classes)).tolist() == numbers


def test_boxes_of_one_class_and_of_several():
    one = as_label("object_detection", [[1, 2, 3, 4], [0, 0, 5, 5]], (8, 8))
    assert given_back("object_detection", one, ["class"]).tolist() == [[1, 2, 3, 4], [0, 0, 5, 5]]
    assert given_back("object_detection", as_label("object_detection", [], (8, 8)), []).shape == (0, 4)
    several = as_label("object_detection", {"dog": [[1, 2, 3, 4]], "cat": [[0, 0, 5, 5], [1, 1, 2, 2]]}, (8, 8))
    assert several.classes == ("cat", "dog")
    found = given_back("object_detection", several, ["ant", "cat", "dog"])
    assert {name: boxes.tolist() for name, boxes in found.items()} == {
        "ant": [], "cat": [[0, 0, 5, 5], [1, 1, 2, 2]], "dog": [[1, 2, 3, 4]],
    }  # fmt: skip


WRONG = {
    "classification": [
        ([0, 0], (), "exactly one 1"), ([1, 1], (), "exactly one 1"), ([2], (), "zeros and a one"),
        ([[1]], (), "zeros and a one"), (["a"], (), "zeros and a one"), ("ant", ["cat"], "expected one of cat"),
        ([1, 0], ["a", "b", "c"], "each of 3 classes"),
    ],
    "object_detection": [
        ([[3, 0, 1, 1]], (), "ends before it begins"), ([[1, 2, 3]], (), "expected"),
        ([[0, 0, np.nan, 1]], (), "ends before"), ("box", (), "expected"),
        ([[0, 0, 1, 1]], ["a", "b"], "by the names"), ({"c": []}, ["a", "b"], "of the class 'c'"),
    ],
    "segmentation": [
        (np.zeros((3, 3), int), (), "a mask of shape"), (np.zeros((8, 8)), (), "float64"),
        (-np.ones((8, 8), int), (), "a mask of"), (np.full((8, 8), 3), ["a"], "the class 3"),
        ([{"type": "Point", "coordinates": [0, 0]}], (), "is a 'Point'"),
        ([{"type": "Polygon", "coordinates": []}], (), "with coordinates"),
        ([{"geometry": {"type": "Polygon", "coordinates": [[[0, 0]]]}, "properties": {"class": "x"}}],
         ["a", "b"], "of the class 'x'"),
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "value", "classes", "said"), [(kind, *each) for kind, several in WRONG.items() for each in several]
)
def test_what_is_no_label_is_said(kind, value, classes, said):
    with pytest.raises(DataError, match=said):
        as_label(kind, value, (8, 8), classes)
