"""The walk of the older system through its training sets, step by step, here and on a server, in both databases."""

from __future__ import annotations

import random

import numpy as np
import pytest
import rasterio
from rasterio.transform import from_origin

import augimpact as ai
from augimpact.store.shelf import NoSuchSet
from tests.store.conftest import images

BOUNDS = (-74.1, 40.4, -73.8, 41.1)


@pytest.fixture
def scene(tmp_path):
    """A large image of eight bands over New York."""
    place = tmp_path / "scene.tif"
    profile = {"driver": "GTiff", "width": 500, "height": 400, "count": 8, "dtype": "float32", "crs": "EPSG:4326"}
    transform = from_origin(-74.03, 41.01, 0.0004, 0.0004)
    with rasterio.open(place, "w", transform=transform, **profile) as file:
        file.write(np.stack(images(8, (400, 500), np.float32)))
        file.update_tags(SENSOR="WV03_VNIR")
    return place


def test_the_walk(catalog, catalogs, scene):
    # Creating new training data.
    draw = random.Random(0)
    td = catalog.create("Some Fake Data", "classification", tile=(64, 64), source="rda")
    for window in ai.iterwindows(scene, count=100, window_shape=(64, 64)):
        td.feed([(window, [draw.choice([1, 0])])])
    assert td.count == {"train": 100}
    for window in ai.iterwindows(scene, count=25, window_shape=(64, 64), seed=1):
        td.feed([(window, [draw.choice([1, 0])])], group="test")
    assert td.count == {"train": 100, "test": 25}

    # Saving new data.
    document = td.save()
    wanted = {
        "name": "Some Fake Data", "classes": ["class1"], "nclasses": 1, "count": {"train": 100, "test": 25},
        "mlType": "classification", "shape": [8, 64, 64], "dtype": "float32", "sensors": ["WV03_VNIR"],
        "source": "rda", "userId": "ann", "public": False, "percent_cached": 100,
    }  # fmt: skip
    assert {name: document[name] for name in wanted} == wanted
    left, low, right, high = document["bbox"]
    assert -74.03 <= left < right <= -73.83
    assert 40.85 <= low < high <= 41.01
    assert document["created_at"] <= document["updated_at"]

    # Publishing, searching, unpublishing.
    others = catalogs("bob")
    assert others.search() == []
    td.publish()
    assert [(each.id, each.name) for each in others.search("fake", bbox=BOUNDS)] == [(td.id, "Some Fake Data")]
    assert others.search(bbox=(0, 0, 1, 1)) == []
    theirs = others.from_id(td.id)
    assert theirs.public
    assert theirs[0].image.compute().shape == (8, 64, 64)
    td.unpublish()
    with pytest.raises(NoSuchSet, match="there is no set"):
        others.from_id(td.id)

    # Using training data.
    td = catalog.from_id(td.id)
    found = catalog.search()
    assert catalog.from_doc(found[0].document()).id == td.id
    pairs = td[0:5]
    assert pairs[0].data["group"] == "train"
    assert pairs[0].data["label"] in ([0], [1])
    assert pairs[0].data["sensor"] == "WV03_VNIR"
    first = next(ai.iterwindows(scene, count=1, window_shape=(64, 64)))
    np.testing.assert_array_equal(pairs[0].image.compute(), first.array)
    assert pairs[0].y.tolist() == [random.Random(0).choice([1, 0])]

    # Batches.
    batch = td.batch(32)
    assert (len(batch.train), len(batch.test), len(batch.validation)) == (100, 25, 0)
    for x, y in batch.train[:5]:
        assert x.shape == (8, 64, 64)
        assert y.shape == (1,)
    assert [len(x) for x, _ in batch] == [32, 32, 32, 4]
