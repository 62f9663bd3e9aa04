"""Labels that are not a plain number: rows of ones, boxes of VOC, grey batches beside them, and what is asked for."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader, IterableDataset

import augimpact as ai
from augimpact.errors import AmbiguousData, DataError
from augimpact.profiling.structure import split_item, value_at

PICTURE = np.zeros((48, 64, 3), np.uint8)


def profile(*arguments, **options):
    return ai.profile(*arguments, progress=lambda _done, _total: None, **options)


def pictures(count):
    return list(np.random.default_rng(0).integers(0, 256, (count, 32, 32, 3), np.uint8))


@pytest.mark.parametrize(
    ("item", "path"),
    [
        ((PICTURE, 1.0), "[1]"),
        ((PICTURE, np.array([2.0])), "[1]"),
        ((PICTURE, torch.tensor(0.0)), "[1]"),
        ({"image": PICTURE, "category": np.float32(3)}, ".category"),
        ([torch.zeros(2, 3, 16, 16), torch.tensor([0.0, 1.0])], "[1]"),
        ([torch.zeros(2, 3, 16, 16), torch.tensor([[0.0], [1.0]])], "[1]"),
        ([torch.zeros(6, 16, 16), torch.arange(6.0)], "[1]"),
    ],
)
def test_whole_numbers_as_floats_may_be_classes_and_are_asked_for(item, path):
    with pytest.raises(AmbiguousData, match=r"whole numbers, as floats; pass labels='.*' where these are") as raised:
        split_item(item, None, None)
    (option,) = raised.value.options
    assert option.arguments == {"labels": path}
    assert split_item(item, None, path).label is value_at(item, path)
    assert split_item(item, None, lambda _item: None).label is None


@pytest.mark.parametrize("number", [float, np.float32, torch.tensor])
def test_those_that_are_named_are_classes(number):
    items = [(image, number(float(place % 2))) for place, image in enumerate(pictures(5))]
    assert profile(items, labels="[1]").frames["train"]["label"].tolist() == [0, 1, 0, 1, 0]
    loader = DataLoader([(torch.from_numpy(image.copy()), label) for image, label in items], batch_size=2)
    assert profile(loader, labels="[1]").frames["train"]["label"].tolist() == [0, 1, 0, 1, 0]


@pytest.mark.parametrize("shape", [(48, 64), (1, 48, 64), (48, 64, 1), (3, 48, 64)])
def test_a_mask_of_floats_is_asked_for_once_the_image_is_known(shape):
    mask = (np.random.default_rng(0).random(shape) > 0.5).astype(np.float32)
    for item, image, path in (
        ((PICTURE, mask), "[0]", "[1]"),
        ({"image": PICTURE, "mask": mask}, ".image", ".mask"),
    ):
        with pytest.raises(AmbiguousData, match="whole numbers, as floats"):
            split_item(item, image, None)
        assert split_item(item, image, path).label is mask


def test_the_pixels_of_a_mask_of_floats_are_counted():
    mask = np.zeros((1, 32, 32), np.float32)
    mask[:, :8] = 1
    found = profile([(image, mask) for image in pictures(3)], images="[0]", labels="[1]")
    classes = found["mask_classes"].statistics["train"]["classes"]
    assert {name: each["share"] for name, each in classes.items()} == {"class 0": 0.75, "class 1": 0.25}


@pytest.mark.parametrize("rows", [np.ones((2, 5)), np.ones((1, 6), np.float32), torch.rand(3, 5), torch.rand(4, 6)])
def test_rows_of_numbers_as_detectors_have_them_are_asked_for(rows):
    with pytest.raises(AmbiguousData, match="looks like boxes"):
        split_item((PICTURE, rows), None, None)


def test_a_row_of_five_an_image_is_no_box():
    item = (torch.zeros(4, 3, 16, 16), torch.rand(4, 5))
    assert split_item(item, None, None).label is None


def test_several_classes_at_once_are_labels_as_floats_too():
    assert split_item((PICTURE, np.array([1.0, 1.0, 0.0])), None, None).label_at == "[1]"


@pytest.mark.parametrize("bad", [[0, 0, 0], [0.9, 0.05, 0.05], [0, 2, 0], [math.nan, 0, 0]])
@pytest.mark.parametrize("place", [1, 5, 11])
def test_one_row_that_is_no_class_is_an_error_and_the_others_are_classes(bad, place):
    rows = [np.eye(3, dtype=np.float32)[number % 3] for number in range(12)]
    rows[place] = np.array(bad, np.float32)
    found = profile([*zip(pictures(12), rows, strict=True)])
    assert [failure.number for failure in found.errors["train"]] == [place]
    expected = [number % 3 if number != place else -1 for number in range(12)]
    assert found.frames["train"]["label"].tolist() == expected


@pytest.mark.parametrize(("count", "size"), [(64, 8), (64, 3), (64, 32), (3, 3), (7, 4), (5, 1)])
@pytest.mark.parametrize("beside", [None, "class", "rows of 5", "rows of 6", "rows of 10"])
def test_grey_images_of_a_loader_are_no_channels(count, size, beside):
    greys = [torch.full((28, 28), number / count) for number in range(count)]
    classes = [number % 2 for number in range(count)]
    rows = torch.eye(int(beside.split()[-1])) if beside not in (None, "class") else None
    labels = classes if rows is None else [rows[number] for number in classes]
    items = greys if beside is None else [*zip(greys, labels, strict=True)]
    frame = profile(DataLoader(items, batch_size=size), value_range="unit").frames["train"]
    assert frame["channels"].tolist() == [1] * count
    expected = [round(255 * number / count) / 255 for number in range(count)]
    assert frame["brightness"].tolist() == pytest.approx(expected)
    if beside is not None:
        assert frame["label"].tolist() == classes


def test_grey_images_of_a_stream_are_no_channels():
    class Stream(IterableDataset):
        def __iter__(self):
            return (torch.rand(28, 28) for _ in range(11))

    assert profile(DataLoader(Stream(), batch_size=4)).frames["train"]["channels"].tolist() == [1] * 11


def test_what_a_loader_does_not_put_together_stays_as_it_is():
    colours = [torch.rand(3, 28, 28) for _ in range(6)]
    found = profile(DataLoader(colours, batch_size=1, collate_fn=lambda several: several[0]))
    assert found.frames["train"]["channels"].tolist() == [3] * 6


@pytest.mark.parametrize("image", [torch.rand(5, 3, 20, 20), np.zeros((8, 20, 20, 3), np.uint8)], ids=["crops", "clip"])
@pytest.mark.parametrize("label", [1, "cat"])
def test_several_images_with_a_single_label_are_refused(image, label):
    with pytest.raises(DataError, match=f"{len(image)} images with a single label; expected one each"):
        profile([(image, label)] * 4, labels="[1]")


def voc_item(names):
    """A sample as torchvision reads it of VOC."""
    objects = [
        {"name": name, "bndbox": {"xmin": "3", "ymin": str(place), "xmax": "23", "ymax": str(place + 10)}}
        for place, name in enumerate(names)
    ]
    annotation = {"folder": "VOC2012", "filename": "a.jpg", "size": {"width": "64", "height": "48"}}
    return Image.new("RGB", (64, 48)), {"annotation": annotation | ({"object": objects} if objects else {})}


@pytest.mark.parametrize("several", [False, True])
def test_boxes_of_voc_are_found_and_their_classes_named(several):
    items = [voc_item(names) for names in (["dog", "cat"], [], ["cat", "cat", "dog"], ["person"])]
    if several:
        images, targets = zip(*items, strict=True)
        items = [(list(images), list(targets))]
    found = profile(items)
    classes = found["box_classes"].statistics["train"]["classes"]
    assert {name: each["boxes"] for name, each in classes.items()} == {"cat": 3, "dog": 2, "person": 1}
    assert found["box_width"].statistics["train"]["mean"] == pytest.approx(20 / 64)
    assert found["boxes"].statistics["train"]["without"] == 1
    assert found["errors"].statistics["train"]["count"] == 0


def test_the_files_of_voc_are_read_as_torchvision_reads_them(tmp_path):
    from torchvision.datasets import VOCDetection

    root = tmp_path / "VOCdevkit" / "VOC2012"
    for name in ("JPEGImages", "Annotations", "ImageSets/Main"):
        (root / name).mkdir(parents=True)
    box = "<object><name>{}</name><bndbox><xmin>8</xmin><ymin>6</ymin><xmax>40</xmax><ymax>30</ymax></bndbox></object>"
    for place, name in enumerate(("dog", "cat")):
        Image.fromarray(PICTURE + place).save(root / "JPEGImages" / f"{place}.jpg")
        text = f"<annotation><filename>{place}.jpg</filename>{box.format(name) * (place + 1)}</annotation>"
        (root / "Annotations" / f"{place}.xml").write_text(text)
    (root / "ImageSets" / "Main" / "train.txt").write_text("0\n1\n")
    found = profile(VOCDetection(tmp_path, year="2012", image_set="train"))
    classes = found["box_classes"].statistics["train"]["classes"]
    assert {name: each["boxes"] for name, each in classes.items()} == {"dog": 1, "cat": 2}
    assert found["box_area"].statistics["train"]["mean"] == pytest.approx(32 * 24 / (48 * 64))


def test_boxes_of_voc_that_are_something_else_are_told():
    items = [voc_item(["dog"]) for _ in range(3)]
    items[1][1]["annotation"]["object"][0]["bndbox"]["xmin"] = "left"
    (failure,) = profile(items).errors["train"]
    assert failure.number == 1
    assert "expected xmin, ymin, xmax, ymax" in failure.message


def test_boxes_may_have_names_as_classes():
    target = {"boxes": [[0, 0, 4, 5], [1, 1, 9, 9]], "labels": ["cat", "dog"]}
    found = profile([(image, target) for image in pictures(3)])
    classes = found["box_classes"].statistics["train"]["classes"]
    assert {name: each["boxes"] for name, each in classes.items()} == {"cat": 3, "dog": 3}


SCORES = [0.3, 1.0, 0.5, 0.0, 0.7, 2.0]


@pytest.mark.parametrize(
    "form", [float, np.float32, lambda score: np.array([score, 0.0]), lambda score: np.full((32, 32), score)]
)
@pytest.mark.parametrize("size", [None, 3])
def test_numbers_that_are_predicted_are_no_labels_whatever_they_are(form, size):
    items = [(image, form(score)) for image, score in zip(pictures(6), SCORES, strict=True)]
    data = items if size is None else DataLoader(items, batch_size=size)
    found = profile(data, images="[0]")
    assert found.frames["train"]["label"].tolist() == [-1] * 6
    assert not found.errors["train"]


def test_whole_numbers_after_images_without_a_label_are_a_question_of_all():
    items = [{"image": image} | ({} if place < 2 else {"label": 1.0}) for place, image in enumerate(pictures(4))]
    with pytest.raises(AmbiguousData, match=r"pass labels='\.label' where these are classes"):
        profile(items)


def test_a_single_text_in_an_array_is_a_name():
    items = [(image, np.array(name)) for image, name in zip(pictures(3), ("cat", "dog", "cat"), strict=True)]
    with pytest.raises(AmbiguousData, match="is a text"):
        profile(items)
    counts = profile(items, labels="[1]")["classes"].statistics["counts"]
    assert counts == {"train": {"cat": 2, "dog": 1}}


def test_a_stream_that_tells_its_length_is_iterated():
    class Stream(IterableDataset):
        def __len__(self):
            return 4

        def __iter__(self):
            return ((image, 1) for image in pictures(4))

    assert profile(Stream()).frames["train"]["label"].tolist() == [1] * 4


@pytest.mark.parametrize("made", [np.asarray, torch.from_numpy])
def test_masks_in_a_list_may_be_of_any_size(made):
    sizes = [(32, 32), (24, 40), (48, 16)]
    images = [np.full((*size, 3), 99, np.uint8) for size in sizes]
    masks = [made(np.eye(*size, dtype=np.uint8)) for size in sizes]
    found = profile([(images, masks)], images="[0]", labels="[1]")
    assert found["mask_classes"].statistics["train"]["classes"]["class 1"]["images"] == 3
    assert not found.errors["train"]


ROWS = {
    "one-hot": lambda number, count: np.eye(count, dtype=int)[number % count],
    "several": lambda number, count: np.roll([1, 1] + [0] * (count - 2), number),
    "floats": lambda number, count: torch.eye(count)[number % count],
    "tags": lambda number, count: [number + each for each in range(count)],
}


@pytest.mark.parametrize(
    ("kind", "channels", "asked"),
    [
        ("one-hot", 3, False), ("one-hot", 4, False), ("one-hot", 5, True), ("floats", 5, True), ("floats", 3, False),
        ("several", 3, True), ("several", 5, True), ("tags", 3, True), ("tags", 5, False),
    ],
)  # fmt: skip
def test_as_many_labels_as_channels_are_a_question_where_they_do_not_tell(kind, channels, asked):
    draw = np.random.default_rng(0)
    items = [
        (draw.integers(0, 256, (channels, 20, 24), dtype=np.uint8), ROWS[kind](number, channels)) for number in range(6)
    ]
    if asked:
        with pytest.raises(AmbiguousData, match="pass layout='CHW' or layout='HW'") as raised:
            profile(items)
        assert raised.value.argument == "layout"
        answers = [option.arguments["layout"] for option in raised.value.options]
        assert answers == ["CHW", "HW"]
    for layout, seen in (("CHW", {str(channels): 6}), ("HW", {"1": 6 * channels})):
        found = profile(items, layout=layout)
        assert found["summary"].statistics["train"]["channels"] == seen
    if not asked:
        # As many class numbers as there are grey images.
        told = {"1": 6 * channels} if kind == "tags" else {str(channels): 6}
        assert profile(items)["summary"].statistics["train"]["channels"] == told


def test_what_the_first_item_was_all_are():
    """A row of several classes after one that is one-hot makes no grey images of an RGB one."""
    items = [(image.transpose(2, 0, 1), np.array(row)) for image, row in zip(
        pictures(3), ([0, 1, 0], [1, 1, 0], [0, 0, 1]), strict=True)]  # fmt: skip
    assert profile(items)["summary"].statistics["train"]["channels"] == {"3": 3}
    masks = [(image, np.eye(3, dtype=np.uint8)[np.zeros((32, 32), int)]) for image in pictures(3)]
    found = profile(masks, images="[0]", labels="[1]")
    assert found["summary"].statistics["train"]["images"] == 3
    assert found["mask_classes"].statistics["train"]["classes"] == {"class 0": {"share": 1.0, "images": 3}}


@pytest.mark.parametrize("label", ["cat", 1.0, torch.tensor(2.0)])
def test_what_is_called_a_label_is_asked_for_before_a_number_beside_it_is_one(label):
    items = [{"image": image, "label": label, "weight": place} for place, image in enumerate(pictures(3))]
    with pytest.raises(AmbiguousData, match=r"'.label' is .*; pass labels='.label' where .*'.weight'") as told:
        profile(items)
    assert [option.arguments["labels"] for option in told.value.options] == [".label", ".weight"]
    assert profile(items, labels=".weight").frames["train"]["label"].tolist() == [0, 1, 2]


@pytest.mark.parametrize("name", ["id", "idx", "index", "image_id"])
def test_what_numbers_the_items_is_no_label(name):
    items = [{"image": image, name: place} for place, image in enumerate(pictures(3))]
    assert profile(items).frames["train"]["label"].tolist() == [-1] * 3
    labelled = [{**item, "label": 1} for item in items]
    assert profile(labelled).frames["train"]["label"].tolist() == [1] * 3
    assert profile(items, labels=f".{name}").frames["train"]["label"].tolist() == [0, 1, 2]


@pytest.mark.parametrize("count", [1, 3])
def test_objects_that_have_boxes_of_another_form_are_asked_for(count):
    """As those of KITTI."""
    objects = [{"type": "Car", "occluded": 2, "bbox": [10.0, 5.0, 30.0, 20.0]}] * count
    for item, path in (((PICTURE, objects), "[1]"), ({"image": PICTURE, "objects": objects}, ".objects")):
        with pytest.raises(AmbiguousData, match="looks like boxes") as told:
            profile([item])
        assert repr(path) in str(told.value)
