"""Training sets: what goes in comes out; what does not fit is said; what is killed loses nothing that was written."""

from __future__ import annotations

import pickle
import random
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from multiprocessing import get_context

import dask.array
import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader

import augimpact as ai
from augimpact.errors import DataError
from augimpact.store import feeding
from tests.impact.conftest import put_pieces
from tests.store.conftest import images
from tests.store.trials import kill_while_feeding, write_and_read_at_once

SMALL = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
HERE = pytest.mark.parametrize("catalogs", ["here"], indirect=True)


@pytest.fixture(scope="module")
def pieces(tmp_path_factory):
    """Photographs in folders that are called as their classes."""
    return put_pieces(tmp_path_factory.mktemp("pieces") / "photographs", 3)


@pytest.fixture
def small_parts(monkeypatch):
    """Parts of ten pairs."""
    monkeypatch.setattr(feeding, "PART_ROWS", 10)


@SMALL
@HERE
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "float32", "float64", "bool"])
@pytest.mark.parametrize("shape", [(1, 5, 7), (3, 32, 32), (8, 40, 24)])
def test_every_shape_and_type_comes_back_as_it_went_in(catalog, small_parts, dtype, shape):
    fed = images(23, shape, dtype)
    with catalog.create("a", classes=["x", "y"]) as made:
        made.feed([(image, [1, 0] if number % 2 else [0, 1]) for number, image in enumerate(fed)])
    found = catalog.from_id(made.id)
    assert (found.shape, found.dtype, len(found), found.count) == (shape, dtype, 23, {"train": 23})
    for number in random.Random(0).sample(range(23), 23):
        pair = found[number]
        np.testing.assert_array_equal(pair.image.compute(), fed[number])
        assert pair.array().dtype == dtype
        assert pair.y.tolist() == ([1, 0] if number % 2 else [0, 1])
    for x, y in found.batch(7, shuffle=True, seed=3):
        for image, label in zip(x, y, strict=True):
            (number,) = (
                [place for place, each in enumerate(fed) if np.array_equal(each, image)] if x[0].size > 100 else [0]
            )
            assert x[0].size <= 100 or label.tolist() == ([1, 0] if number % 2 else [0, 1])
    assert np.array_equal(np.concatenate([x for x, _ in found.batch(7)]), fed)


def test_boxes_and_masks_come_back(catalog, small_parts):
    generator = np.random.default_rng(0)
    fed = images(25)
    boxes = [
        {"dog": np.sort(generator.uniform(0, 32, (number % 3, 2, 2)), axis=1).reshape(-1, 4)} for number in range(25)
    ]
    for number in range(15, 25):
        boxes[number]["cat"] = [[1, 2, 3, 4]]
    masks = [generator.integers(0, 3, (32, 32)) for _ in range(25)]
    with (
        catalog.create("boxes", "object_detection") as found,
        catalog.create("masks", "segmentation", classes=["road", "house"]) as marked,
    ):
        found.feed(zip(fed, boxes, strict=True))
        marked.feed(zip(fed, masks, strict=True), "validation")
    found, marked = catalog.from_id(found.id), catalog.from_id(marked.id)
    assert (found.classes, marked.classes, marked.nclasses) == (("cat", "dog"), ("background", "house", "road"), 2)
    for pair, wanted in zip(found[:], boxes, strict=True):
        np.testing.assert_allclose(pair.y["dog"], wanted["dog"].astype(np.float32))
        np.testing.assert_allclose(pair.y["cat"], np.reshape(wanted.get("cat", []), (-1, 4)))
        assert set(pair.data["label"]) == {"cat", "dog"}
    for pair, wanted in zip(marked.batch(4).validation, masks, strict=True):
        np.testing.assert_array_equal(pair[1], wanted)
    for _, labels in found.batch(10):
        assert len(labels) in (5, 10)


@SMALL
@HERE
def test_pictures_of_other_modes_come_as_they_are_seen(catalog):
    (plain,) = images(1)
    picture = Image.fromarray(plain.transpose(1, 2, 0))
    for mode, wanted in (("L", (1, 32, 32)), ("RGBA", (4, 32, 32)), ("P", (3, 32, 32)), ("1", (3, 32, 32))):
        with catalog.create(mode, classes=["x"]) as made:
            made.feed([(picture.convert(mode), [1])])
        assert made[0].array().shape == wanted
    seen = np.asarray(picture.convert("P").convert("RGB")).transpose(2, 0, 1)
    assert np.array_equal(catalog.search("P")[0][0].array(), seen)


@SMALL
@HERE
def test_all_that_an_image_may_come_as(catalog, tmp_path):
    (plain,) = images(1)
    Image.fromarray(plain.transpose(1, 2, 0)).save(tmp_path / "a.png")
    place = tmp_path / "a.png"
    several = [plain, torch.from_numpy(plain), dask.array.from_array(plain), place, str(place), Image.open(place)]
    with catalog.create("a") as made:
        made.feed([(image, [1]) for image in several], "validation")
        made.feed([(plain, [0], {"name": "last", "where": [1, 2]})])
    assert all(np.array_equal(pair.array(), plain) for pair in made[:])
    assert made.count == {"validation": 6, "train": 1}
    last = made.group("train")[0].data
    assert (last["name"], last["where"], last["label"]) == ("last", [1, 2], [0])
    # Of equal content the same id.
    assert len({pair.data["id"] for pair in made.group("validation")}) == 1


BLACK = np.zeros((3, 32, 32), np.uint8)


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ((np.zeros((3, 32, 33), np.uint8), [1]), r"the image has the shape \(3, 32, 33\); expected \(3, 32, 32\)"),
        ((BLACK.astype(np.int16), [1]), "the image is of int16; expected uint8"),
        ((BLACK.transpose(1, 2, 0), [1]), r".* seems \(H, W, C\)"),
        ((np.zeros((2, 2, 2, 2)), [1]), ".*expected numbers"),
        ((BLACK, [1, 0]), "the label has 2"),
        (("nowhere.png", [1]), ".*no image"),
        ((BLACK.astype("U1"), [1]), ".*expected numbers"),
        (BLACK, "a ndarray is no pair|the image has the shape"),
        (7, "a int is no pair"),
        ((BLACK, [1], {"time": datetime(2026, 1, 1)}), ".*cannot be kept .*datetime"),
        ((BLACK, [1], {"cloud": np.float32(0.5)}), ".*cannot be kept"),
        ((BLACK, [1], {"cloud": float("nan")}), ".*cannot be kept"),
        ((BLACK, [1], {"bounds": [1, 2]}), "bounds is"),
        ((BLACK, [1], {"bounds": [0, 0, float("inf"), 1]}), ".*cannot be kept"),
        ((BLACK, [1], {"sensor": ["WV3"]}), "one of the sensors is"),
    ],
)
def test_what_does_not_fit_names_the_pair_and_those_before_it_are_in(catalog, bad, said):
    good = [(image, [1]) for image in images(2)]
    made = catalog.create("a", classes=["x"])
    with pytest.raises(DataError, match="pair 2 of train: " + said):
        made.feed([*good, bad])
    assert made.save()["count"] == {"train": 2}
    # Also once it is saved, and by who opens it later.
    with pytest.raises(DataError, match="pair 0 of train: " + said):
        catalog.from_id(made.id).feed([bad])


def test_the_same_pairs_fed_twice_are_there_twice(catalog):
    made = catalog.create("a", classes=["x"])
    for count in (2, 4):
        made.feed([(image, [1]) for image in images(2)])
        assert made.save()["count"] == {"train": count}
    assert np.array_equal([pair.array() for pair in made[:]], images(2) * 2)


def test_a_file_keeps_its_depth(catalog, tmp_path):
    deep = np.arange(64, dtype=np.uint16).reshape(8, 8) * 1000
    Image.fromarray(deep).save(tmp_path / "deep.png")
    made = catalog.create("a")
    made.feed([(tmp_path / "deep.png", [1]), (Image.open(tmp_path / "deep.png"), [1])])
    for pair in made[:]:
        assert np.array_equal(pair.array(), deep[None])


@pytest.mark.parametrize(
    ("kind", "first", "second", "expected"),
    [
        ("classification", "background", "roof", [[1, 0], [0, 1]]),
        ("object_detection", {"background": [[0, 0, 1, 1]], "car": []}, {"car": [[2, 2, 3, 3]]}, None),
    ],
)
def test_a_class_may_be_called_background_where_that_means_nothing(catalog, kind, first, second, expected):
    for classes in ((), tuple({"background", "roof" if expected else "car"})):
        made = catalog.create("a", kind, classes=sorted(classes))
        made.feed(zip(images(2), (first, second), strict=True))
        made.save()
        found = [pair.y for pair in catalog.from_id(made.id)[:]]
        if expected:
            assert [each.tolist() for each in found] == expected
        else:
            assert [{name: len(boxes) for name, boxes in each.items()} for each in found] == [
                {"background": 1, "car": 0},
                {"background": 0, "car": 1},
            ]


def test_labels_that_would_mean_another_class_later_are_refused(catalog):
    """Of sets without given classes: numbers keep their meaning, saved or not."""
    square = {"type": "Polygon", "coordinates": [[[1, 1], [4, 1], [4, 3], [1, 3], [1, 1]]]}
    background = {"geometry": square, "properties": {"class": "background"}}
    roof = {"geometry": square, "properties": {"class": "roof"}}
    mask = np.zeros((32, 32), int)
    for saves in (False, True):
        many = catalog.create("many", "segmentation")
        for number in (1200, 101, 1200):
            many.feed([(BLACK, np.where(np.arange(32) < 9, number, mask))])
            if saves:
                many.save()
        assert [int(pair.y.max()) for pair in many[:]] == [1200, 101, 1200]
        named = catalog.create("named", "segmentation")
        named.feed([(BLACK, [roof])])
        if saves:
            named.save()
        with pytest.raises(DataError, match="a mask of numbers after classes by name"):
            named.feed([(BLACK, mask + 1)])
        named.feed([(BLACK, {"mask": mask + 1, "classes": ["roof"]})])
        assert named.save()["classes"] == ["background", "roof"]
        binary = catalog.create("binary")
        binary.feed([(BLACK, [0])])
        if saves:
            binary.save()
        with pytest.raises(DataError, match="the class is 'dog'"):
            binary.feed([(BLACK, "dog")])
        words = catalog.create("words")
        words.feed([(BLACK, "cat")])
        if saves:
            words.save()
        with pytest.raises(DataError, match="expected a name"):
            words.feed([(BLACK, [0])])
        words.feed([(BLACK, "dog")])
        assert [pair.y.tolist() for pair in words[:]] == [[1, 0], [0, 1]]
        plain = catalog.create("plain")
        plain.feed([(BLACK, "class1"), (BLACK, "class2")])
        assert [pair.y.tolist() for pair in plain[:]] == [[1, 0], [0, 1]]
    for wrong, said in ((mask + 70_000, "the mask has the class 70000"), ([background], "of the class 'background'")):
        with pytest.raises(DataError, match=said):
            catalog.create("wrong", "segmentation").feed([(BLACK, wrong)])


def test_equal_pairs_are_one_wherever_they_stand(catalog):
    made = catalog.create("a")
    pairs = [(image, "edcba"[number % 5]) for number, image in enumerate(images(40))]
    for _ in range(2):
        made.feed(pairs)
    assert [pair.data["id"] for pair in made[:40]] == [pair.data["id"] for pair in made[40:]]
    parts = made.partition([50, 50])
    found = [{pair.data["id"] for pair in part} for part in parts.values()]
    assert not found[0] & found[1]
    masks = catalog.create("b", "segmentation")
    mask = np.arange(1024).reshape(32, 32) % 3
    masks.feed([(BLACK, mask), (BLACK, mask * 2), (BLACK, mask)])
    assert masks[0].data["id"] == masks[2].data["id"] != masks[1].data["id"]
    np.testing.assert_array_equal(masks[2].y, mask)


@pytest.mark.parametrize(
    ("kind", "bad", "said"),
    [
        ("classification", "  ", "one of the classes is"), ("classification", "x" * 201, "one of the classes is"),
        ("object_detection", {"a": np.tile([0, 0, 1, 1], (70_000, 1))}, "70000 boxes"),
    ],
)  # fmt: skip
def test_what_no_part_can_hold_is_said_when_it_is_fed(catalog, kind, bad, said):
    made = catalog.create("a", kind)
    good = "a" if kind == "classification" else {"a": [[0, 0, 1, 1]]}
    with pytest.raises(DataError, match=f"pair 2 of train: .*{said}"):
        made.feed([*((image, good) for image in images(2)), (BLACK, bad)])
    assert made.save()["count"] == {"train": 2}


def test_several_threads_may_feed_one_set(catalog, small_parts):
    made = catalog.create("a", classes=["x"])
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda seed: made.feed([(image, [1]) for image in images(50, seed=seed)]), range(4)))
    assert made.save()["count"] == {"train": 200}
    assert max(each["rows"] for each in made._parts) <= 10


ENDING = """
import sys, numpy as np
from augimpact.store.catalog import Catalog
made = Catalog(sys.argv[1], sys.argv[2], owner="ann").from_id(int(sys.argv[3]))
made.feed([(np.zeros((3, 8, 8), np.uint8), [1])])
"""


@SMALL
@HERE
def test_what_was_not_saved_is_saved_when_the_program_ends(catalog, database, tmp_path):
    made = catalog.create("a", classes=["x"])
    run = [sys.executable, "-c", ENDING, database, str(tmp_path / "parts"), str(made.id)]
    assert subprocess.run(run, check=True, capture_output=True, text=True).stderr == ""
    assert made.refresh().count == {"train": 1}


def test_files_of_grey_and_of_colour_are_fed_to_one_set(catalog, tmp_path):
    for name, mode in (("grey.jpg", "L"), ("colour.jpg", "RGB"), ("palette.png", "P")):
        Image.new(mode, (8, 8), 7).save(tmp_path / name)
    made = catalog.create("a")
    made.feed([(tmp_path / name, "a") for name in ("grey.jpg", "colour.jpg", "palette.png")])
    made.feed([(Image.new("RGB", (8, 8)), "a")])
    assert made.save()["shape"] == [3, 8, 8]


def test_what_is_discarded_decides_nothing(catalog):
    made = catalog.create("a")
    made.feed([(image, "cat") for image in images(2, (3, 9, 9))])
    made.discard()
    made.feed([(image, [1, 0]) for image in images(2)])
    assert made.save()["shape"] == [3, 32, 32]


def feed_one(made, seed):
    made.feed([(images(1, seed=seed)[0], [1])])
    made.save()


def test_a_forked_process_feeds_what_it_was_given_itself(catalog):
    made = catalog.create("a", classes=["x"])
    made.feed([(images(1)[0], [1])])
    children = [get_context("fork").Process(target=feed_one, args=(made, seed)) for seed in (1, 2, 3)]
    for child in children:
        child.start()
    for child in children:
        child.join()
        assert child.exitcode == 0
    assert made.save()["count"] == {"train": 4}


def test_two_that_feed_other_images_at_once_are_told(catalog):
    made = catalog.create("a", classes=["x"])
    one, other = catalog.from_id(made.id), catalog.from_id(made.id)
    one.feed([(image, [1]) for image in images(2)])
    other.feed([(image, [1]) for image in images(2, (3, 16, 16))])
    one.save()
    with pytest.raises(DataError, match=r"shape.*16.*expected.*32"):
        other.save()
    # It would be tried once more when nobody has the set any more.
    other.discard()
    assert made.refresh().count == {"train": 2}


def test_what_was_not_saved_is_saved_when_nobody_has_it(catalog):
    made = catalog.create("a", classes=["x"])
    made.feed([(image, [1]) for image in images(2)])
    number = made.id
    del made
    assert catalog.from_id(number).count == {"train": 2}


@SMALL
@HERE
def test_pairs_are_divided_anew_each_once_and_stay_where_they_are_when_more_come(catalog, small_parts):
    made = catalog.create("a", classes=["a", "b", "c"])
    made.feed([(image, "abc"[number % 3]) for number, image in enumerate(images(600, (1, 4, 4)))])
    made.save()
    for shares in ([70, 20, 10], [0.7, 0.2, 0.1], [100], [50, 50]):
        divided = made.partition(shares, stratify=True, seed=1)
        whole = sum(shares)
        places = [place for pairs in divided.values() for place in pairs.places]
        assert sorted(places) == sorted(made._all.places)
        for share, pairs in zip(shares, divided.values(), strict=True):
            assert abs(len(pairs) / 600 - share / whole) < 0.06
            counted = np.sum([pair.y for pair in pairs], axis=0)
            assert np.ptp(counted) < 30
    before = {name: {pair.data["id"] for pair in pairs} for name, pairs in made.partition([70, 20, 10], seed=5).items()}
    made.feed([(image, "a") for image in images(200, (1, 4, 4), seed=9)])
    made.save()
    after = {name: {pair.data["id"] for pair in pairs} for name, pairs in made.partition([70, 20, 10], seed=5).items()}
    assert all(before[name] <= after[name] for name in before)
    with pytest.raises(DataError, match="add up"):
        made.partition([70, 20])


@SMALL
@HERE
def test_a_set_is_profiled_measured_and_loaded_as_any_dataset(catalog, pieces, classifier, small_parts):
    table = ai.SampleTable.from_folder(pieces)
    with catalog.create("pieces") as made:
        made.feed(ai.pairs_of_table(table, size=96))
    dataset = made.dataset("train")
    assert dataset.class_names == table.class_names
    profile, of_files = (ai.profile(each, progress=lambda *_: None) for each in (dataset, table))
    wanted = of_files["classes"].statistics["counts"]
    assert profile["classes"].statistics["counts"] == wanted
    impact = ai.measure_impact(dataset, ai.Sweep(brightness=(1, 2), frames=2), classifier, progress=lambda *_: None)
    trace = ai.analyze(made[3].array(), ai.Sweep(brightness=2.0, frames=1), classifier)
    assert impact.outcomes.predicted[3, -1] == trace.scores[0].argmax()
    loaded = [labels for _, labels in DataLoader(made.dataset("train", ai.ImagePipeline(64)).view("image label"), 4)]
    assert torch.cat(loaded).tolist() == table.labels.tolist()
    assert set(ai.group_weights(dataset.table, "category", "uniform")) == {0.25}
    assigned = ai.Split(share=0.5, stratify=["category"]).assign(
        dataset.table.with_frame(dataset.table.frame.assign(purpose=None))
    )["purpose"]
    assert set(assigned) == {"train", "devel"}
    # Also in other processes, forked with files open or begun anew.
    assert np.array_equal(pickle.loads(pickle.dumps(made[2])).array(), made[2].array())
    for way in ("fork", "spawn"):
        view = made.dataset("train", ai.ImagePipeline(64)).view("image label")
        workers = DataLoader(view, 4, num_workers=2, multiprocessing_context=way)
        assert torch.cat([labels for _, labels in workers]).tolist() == table.labels.tolist()


@SMALL
@HERE
def test_masks_and_boxes_and_bands_are_in_the_dataset(catalog):
    fed, masks = images(4, (5, 32, 32)), [np.full((32, 32), number % 2) for number in range(4)]
    with catalog.create("m", "segmentation", classes=["a"]) as made, catalog.create("b", "object_detection") as boxed:
        made.feed(zip(fed, masks, strict=True))
        boxed.feed([(image, {"a": [[0, 0, 4, 4]]}) for image in fed])
    view = made.dataset("train", bands=(4, 2, 0)).view("image mask")
    assert torch.equal(view[3][0], torch.from_numpy(fed[3][[4, 2, 0]]) / 255)
    assert torch.equal(view[3][1], torch.from_numpy(masks[3]))
    assert boxed.dataset("train", bands=(0, 1, 2)).view("boxes")[0].tolist() == [[0, 0, 4, 4]]


@SMALL
def test_what_is_killed_at_any_moment_loses_no_part_and_opens(database, tmp_path):
    assert len(kill_while_feeding(database, tmp_path / "parts")) == 10


def test_eight_write_and_eight_read_at_once_and_nothing_is_lost_or_doubled(database, tmp_path):
    assert write_and_read_at_once(database, tmp_path / "parts") == 320


READER = """
import re, sys
from augimpact.store.catalog import Catalog
td = Catalog(sys.argv[1], sys.argv[2], owner="ann").from_id(int(sys.argv[3]))
count = sum(len(x) for x, _ in td.batch(16, shuffle=True))
print(count, int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]) / 1024)
"""


@SMALL
@HERE
def test_reading_takes_no_more_memory_where_there_is_more(catalog, database, tmp_path):
    peaks = []
    for count in (300, 1200):
        with catalog.create("a", classes=["x"]) as made:
            made.feed((image, [1]) for seed in range(count // 100) for image in images(100, (3, 256, 256), seed=seed))
        run = [sys.executable, "-c", READER, database, str(tmp_path / "parts"), str(made.id)]
        seen, peak = subprocess.run(run, check=True, capture_output=True, text=True).stdout.split()
        assert int(seen) == count
        peaks.append(float(peak))
    # 59 MB of images, and 236 MB.
    assert peaks[1] - peaks[0] < 30


def test_a_part_that_is_gone_is_said(catalog, tmp_path):
    with catalog.create("a", classes=["x"]) as made:
        made.feed([(image, [1]) for image in images(3)])
    for file in tmp_path.rglob("*.h5"):
        file.unlink()
    with pytest.raises(DataError, match="not in its folder"):
        catalog.from_id(made.id)[0].array()


def test_groups_and_indices_that_are_not_there(catalog):
    with catalog.create("a", classes=["x"]) as made:
        made.feed([(image, [1]) for image in images(3)])
    with pytest.raises(DataError, match="unknown group"):
        made.group("val")
    with pytest.raises(IndexError):
        made[3]
    assert len(made[1:9]) == 2
    assert made.batch(2).test[:3] == []
    with pytest.raises(DataError, match="at least 1"):
        made.batch(0)
    with pytest.raises(DataError, match="one of the groups is"):
        made.feed([], "")
    with pytest.raises(AttributeError, match="colour"):
        _ = made.colour
