"""In and out: folders, tables, COCO, windows of large images; what goes out comes in again as it was."""

from __future__ import annotations

import json

import numpy as np
import pytest
import rasterio
from PIL import Image
from rasterio.features import bounds, rasterize
from rasterio.transform import Affine

import augimpact as ai
from augimpact.data.image import example
from augimpact.errors import DataError
from augimpact.store.catalog import Catalog
from tests.impact.conftest import put_pieces
from tests.store.conftest import images


@pytest.fixture
def catalog(tmp_path):
    return Catalog(root=tmp_path / "sets")


def test_a_folder_of_classes_goes_in_and_out(catalog, tmp_path):
    table = ai.SampleTable.from_folder(put_pieces(tmp_path / "pieces", 4))
    with catalog.create("pieces") as made:
        made.feed(ai.pairs_of_table(table, size=64))
    assert (made.classes, made.shape, made.count) == (table.class_names, (3, 64, 64), {"train": 16})
    pipeline = ai.ImagePipeline(64)
    for number, pair in enumerate(made[:]):
        wanted = pipeline(table.read(number)).mul(255).round().byte().numpy()
        np.testing.assert_array_equal(pair.array(), wanted)
        assert made.class_of(pair) == table.classes[number]
        assert pair.data["name"] == table["path"][number].rpartition("/")[2]
    ai.write_folder(made, tmp_path / "out")
    again = ai.SampleTable.from_folder(tmp_path / "out" / "train")
    assert list(again.classes) == list(table.classes)
    for number, pair in enumerate(made[:]):
        np.testing.assert_array_equal(np.asarray(Image.open(again["path"][number])), pair.array().transpose(1, 2, 0))


def test_images_of_other_sizes_are_named(catalog, tmp_path):
    table = ai.SampleTable.from_folder(put_pieces(tmp_path / "pieces", 4))
    with pytest.raises(DataError, match="pair 1 of train: the image has the shape"):
        catalog.create("pieces").feed(ai.pairs_of_table(table))


@pytest.fixture
def coco(tmp_path):
    """Two photographs with known shapes marked in them."""
    place = tmp_path / "coco"
    place.mkdir()
    for name in ("cat", "coffee"):
        example(name).save(place / f"{name}.png")
    sizes = {name: example(name).size for name in ("cat", "coffee")}
    run = np.zeros(sizes["coffee"][::-1], np.uint8)
    run[10:50, 20:100] = 1
    flat = run.T.reshape(-1)
    changes = np.flatnonzero(np.diff(np.concatenate([[0], flat, [0]])))
    counts = np.diff(np.concatenate([[0], changes, [flat.size]])).tolist()
    document = {
        "categories": [{"id": 7, "name": "thing"}, {"id": 3, "name": "animal"}],
        "images": [{"id": number, "file_name": f"{name}.png", "width": size[0], "height": size[1]}
                   for number, (name, size) in enumerate(sizes.items())],
        "annotations": [
            {"id": 1, "image_id": 0, "category_id": 3, "bbox": [100, 50, 80, 60], "iscrowd": 0,
             "segmentation": [[100, 50, 180, 50, 180, 110, 100, 110], [10, 10, 20, 10, 20, 30]]},
            {"id": 2, "image_id": 0, "category_id": 7, "bbox": [0, 0, 10, 5], "iscrowd": 0,
             "segmentation": [[0, 0, 10, 0, 10, 5, 0, 5]]},
            {"id": 3, "image_id": 1, "category_id": 7, "bbox": [20, 10, 80, 40], "iscrowd": 1,
             "segmentation": {"counts": counts, "size": list(run.shape)}},
        ],
    }  # fmt: skip
    (place / "all.json").write_text(json.dumps(document))
    return place / "all.json", sizes, document


def test_boxes_of_coco(catalog, coco, tmp_path):
    path, sizes, _ = coco
    with catalog.create("boxes", "object_detection") as made:
        made.feed(ai.pairs_of_coco(path, path.parent, made.mltype, size=128))
    first, second = (pair.y for pair in made[:])
    width, height = sizes["cat"]
    scale = np.array([128 / width, 128 / height] * 2)
    np.testing.assert_allclose(first["animal"], [np.array([100, 50, 180, 110]) * scale], rtol=1e-6)
    np.testing.assert_allclose(first["thing"], [np.array([0, 0, 10, 5]) * scale], rtol=1e-6)
    assert (second["animal"].shape, second["thing"].shape) == ((0, 4), (1, 4))
    ai.write_coco(made, tmp_path / "out")
    again = catalog.create("again", "object_detection")
    again.feed(ai.pairs_of_coco(tmp_path / "out" / "train.json", tmp_path / "out" / "train", "object_detection"))
    for one, other in zip(made[:], again[:], strict=True):
        np.testing.assert_array_equal(one.array(), other.array())
        assert one.y.keys() == other.y.keys()
        assert all(np.allclose(one.y[name], other.y[name], atol=1e-4) for name in one.y)


def test_masks_of_coco(catalog, coco, tmp_path):
    path, sizes, document = coco
    assert ai.coco_classes(path) == ["animal", "thing"]
    made = catalog.create("masks", "segmentation", classes=ai.coco_classes(path))
    made.feed(ai.pairs_of_coco(path, path.parent, made.mltype, size=128))
    width, height = sizes["cat"]
    shrunk = Affine.scale(width / 128, height / 128)
    shapes = []
    for each in document["annotations"][:2]:
        for ring in each["segmentation"]:
            points = np.reshape(ring, (-1, 2)).tolist()
            number = {3: 1, 7: 2}[each["category_id"]]
            shapes.append(({"type": "Polygon", "coordinates": [[*points, points[0]]]}, number))
    np.testing.assert_array_equal(made[0].y, rasterize(shapes, (128, 128), transform=shrunk))
    ai.write_coco(made, tmp_path / "out")
    again = catalog.create("again", "segmentation", classes=ai.coco_classes(tmp_path / "out" / "train.json"))
    again.feed(ai.pairs_of_coco(tmp_path / "out" / "train.json", tmp_path / "out" / "train", "segmentation"))
    assert made[1].y.max() == 2
    for one, other in zip(made[:], again[:], strict=True):
        np.testing.assert_array_equal(one.y, other.y)
    ai.write_folder(made, tmp_path / "folder")
    assert np.array_equal(np.asarray(Image.open(tmp_path / "folder/train/masks/000000.png")), made[0].y)


def test_what_is_no_coco_file_is_said(catalog, coco, tmp_path):
    path, _, document = coco
    for wrong in ("no json", "[]", '{"images": []}'):
        (tmp_path / "wrong.json").write_text(wrong)
        with pytest.raises(DataError, match="is no COCO file"):
            ai.coco_classes(tmp_path / "wrong.json")
    document["annotations"][0]["segmentation"] = {"counts": "packed", "size": [1, 1]}
    path.write_text(json.dumps(document))
    with pytest.raises(DataError, match="annotation 1 is packed"):
        list(ai.pairs_of_coco(path, path.parent, "segmentation"))
    with catalog.create("a", classes=["x"]) as made:
        made.feed([(image, [1]) for image in images(1)])
    with pytest.raises(DataError, match="COCO has no classes of images"):
        ai.write_coco(made, tmp_path / "out")


def test_images_that_png_does_not_know_are_arrays(catalog, tmp_path):
    fed = images(3, (8, 9, 10), np.float32)
    with catalog.create("a", classes=["x"]) as made:
        made.feed([(image, [1]) for image in fed], "test")
    ai.write_folder(made, tmp_path / "out")
    assert np.array_equal([np.load(file) for file in sorted((tmp_path / "out/test/x").iterdir())], fed)


@pytest.mark.parametrize(("count", "file"), [(255, "000000.png"), (256, "000000.npy")])
def test_masks_of_more_classes_than_a_byte_tells_keep_them_all(catalog, tmp_path, count, file):
    mask = np.arange(32 * 32).reshape(32, 32) % (count + 1)
    with catalog.create("a", "segmentation", classes=[f"class{number:03}" for number in range(count)]) as made:
        made.feed([(images(1)[0], mask)])
    ai.write_folder(made, tmp_path / "out")
    place = tmp_path / "out/train/masks" / file
    assert np.array_equal(np.squeeze(np.load(place) if file.endswith("npy") else np.asarray(Image.open(place))), mask)


def test_names_that_anybody_may_have_given_lead_out_of_no_folder(catalog, tmp_path):
    names = ["../../evil", "/etc/evil", "..", ".hidden", "a/b", "a\\b", "50%", "plain"]
    labels = {"classification": None, "object_detection": [[1, 1, 5, 5]], "segmentation": np.eye(32, dtype=int)}
    for kind, label in labels.items():
        classes = names if kind == "classification" else ["x"]
        with catalog.create(kind, kind, classes=classes) as made:
            for number, group in enumerate([*names, f"{tmp_path}/outside"]):
                made.feed([(images(1)[0], names[number % len(names)] if label is None else label)], group)
        before = {path for path in tmp_path.rglob("*") if tmp_path / "sets" not in path.parents}
        for write in (ai.write_folder, ai.write_coco):
            if write is ai.write_coco and kind == "classification":
                continue
            out = tmp_path / f"{kind}-{write.__name__}"
            write(made, out)
            written = {path for path in tmp_path.rglob("*") if tmp_path / "sets" not in path.parents} - before
            before |= written
            assert all(path == out or out in path.parents for path in written)
            # None is lost, or put with another.
            count = 2 if kind == "segmentation" and write is ai.write_folder else 1
            assert len([path for path in written if path.suffix == ".png"]) == 9 * count


def test_coco_is_numbered_by_the_classes_of_the_set(catalog, coco, tmp_path):
    path, _, document = coco
    wanted = ["aardvark", "animal", "thing"]
    with catalog.create("masks", "segmentation", classes=wanted) as made:
        made.feed(ai.pairs_of_coco(path, path.parent, made.mltype, size=64))
    with catalog.create("own", "segmentation", classes=ai.coco_classes(path)) as own:
        own.feed(ai.pairs_of_coco(path, path.parent, own.mltype, size=64))
    for one, other in zip(made[:], own[:], strict=True):
        np.testing.assert_array_equal(one.y, np.array([0, 2, 3])[other.y])
    # A set that grows keeps the names, and takes another file with others.
    grown = catalog.create("grown", "segmentation")
    for _ in range(2):
        grown.feed(ai.pairs_of_coco(path, path.parent, grown.mltype, size=64))
        grown.save()
    assert grown.classes == ("background", "animal", "thing")
    for one, other in zip(grown[:2], own[:], strict=True):
        np.testing.assert_array_equal(one.y, other.y)
    roofs = catalog.create("roofs", "segmentation", classes=["roof"])
    with pytest.raises(DataError, match="a feature of the class 'animal'; expected roof"):
        roofs.feed(ai.pairs_of_coco(path, path.parent, roofs.mltype, size=64))
    for changed in ({"category_id": 99}, {"segmentation": {"counts": [1, 2, 3]}}, {"segmentation": [[1, 2, 3]]}):
        document["annotations"][0] |= changed
        path.write_text(json.dumps(document))
        with pytest.raises(DataError, match=r"annotation 1 of .* cannot be read"):
            list(ai.pairs_of_coco(path, path.parent, "segmentation"))
    del document["annotations"][0]["bbox"]
    document["annotations"][0]["category_id"] = document["categories"][0]["id"]
    path.write_text(json.dumps(document))
    with pytest.raises(DataError, match=r"annotation 1 of .* cannot be read .*bbox"):
        list(ai.pairs_of_coco(path, path.parent, "object_detection"))


def test_windows_are_pieces_of_the_image_and_know_where_they_lie(catalog, tmp_path):
    (scene,) = images(1, (4, 90, 120), np.uint16)
    transform = Affine(2.0, 0, 1000.0, 0, -3.0, 5000.0)
    with rasterio.open(tmp_path / "a.tif", "w", driver="GTiff", width=120, height=90, count=4, dtype="uint16",
                       transform=transform, crs="EPSG:32618") as file:  # fmt: skip
        file.write(scene)
    found = list(ai.iterwindows(tmp_path / "a.tif", 40, (16, 24), seed=2))
    assert len({window.grid for window in found}) > 30
    field = {"type": "Polygon", "coordinates": [[[1000, 4990], [1240, 4990], [1240, 4730], [1000, 4990]]]}
    features = [{"geometry": field, "properties": {"class": "field"}}]
    whole = rasterize([features[0]["geometry"]], (90, 120), transform=transform)
    with catalog.create("a", "segmentation") as made:
        made.feed([(window, features) for window in found])
    for window, pair in zip(found, made[:], strict=True):
        left, top = int((window.grid.left - 1000) / 2), int((5000 - window.grid.top) / 3)
        np.testing.assert_array_equal(window.array, scene[:, top : top + 16, left : left + 24])
        np.testing.assert_array_equal(pair.y, whole[top : top + 16, left : left + 24])
        moved = transform @ Affine.translation(left, top)
        assert pair.data["bounds"] == list(rasterio.transform.array_bounds(16, 24, moved))
    assert made.bbox[0] >= 1000
    assert bounds(features[0]["geometry"])[0] == 1000
    with pytest.raises(DataError, match="at most"):
        next(ai.iterwindows(tmp_path / "a.tif", 1, (91, 10)))
    with pytest.raises(DataError, match="cannot be read"):
        next(ai.iterwindows(tmp_path / "nowhere.tif", 1))
