"""What loaders and datasets give that others do not: each label is found, told or named, and nobody's secret leaves."""

from __future__ import annotations

import warnings
from itertools import chain

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader, IterableDataset, SequentialSampler, default_collate

import augimpact as ai
from augimpact.data.images import ImageDataset
from augimpact.data.pipeline import ImagePipeline
from augimpact.data.samples import SampleTable
from augimpact.errors import AmbiguousData, DataError
from augimpact.profiling.extract import profile as profile_with_a_bar


def quiet(_done, _total):
    """No bar."""


def profile(*arguments, **options):
    return profile_with_a_bar(*arguments, progress=quiet, **options)


def pictures(count, side=32, seed=0):
    return list(np.random.default_rng(seed).integers(0, 256, (count, side, side, 3), np.uint8))


@pytest.fixture
def masked(tmp_path):
    """Eight photographs with masks: of the class 1 in every other."""
    rows = []
    for number, image in enumerate(pictures(8)):
        Image.fromarray(image).save(tmp_path / f"{number}.png")
        mask = np.zeros((32, 32), np.uint8)
        mask[:8] = number % 2
        Image.fromarray(mask).save(tmp_path / f"{number}-mask.png")
        rows.append((f"{number}.png", f"{number}-mask.png"))
    path = tmp_path / "table.csv"
    pd.DataFrame(rows, columns=["path", "mask"]).to_csv(path, index=False)
    return SampleTable.from_csv(path, identity="path")


@pytest.mark.parametrize("way", ["table", "dataset", "resized", "selection", "view", "augmented"])
def test_masks_of_tables_are_profiled_with_classes_of_their_own(masked, way):
    given = {
        "table": lambda: masked,
        "dataset": lambda: ImageDataset(masked),
        # The images are looked at as they are, and their masks with them.
        "resized": lambda: ImageDataset(masked, ImagePipeline(16)),
        "selection": lambda: ImageDataset(masked).subset(np.arange(8)),
        "view": lambda: ImageDataset(masked).view("image mask"),
        "augmented": lambda: ImageDataset(masked, ImagePipeline(16), augmentation=ai.RandomAugmentation(rotation=5)),
    }[way]()
    found = profile(given)
    train = found["mask_classes"].statistics["train"]["classes"]
    assert found["errors"].statistics["train"]["count"] == 0
    assert train["class 1"]["images"] == 4
    if way != "augmented":
        assert train["class 1"]["share"] == pytest.approx(1 / 8)
    with pytest.raises(DataError):
        found["classes"]


@pytest.mark.parametrize("kind", ["segmentation", "object_detection"])
def test_a_training_set_is_profiled_by_its_classes(tmp_path, kind):
    square = {"type": "Polygon", "coordinates": [[[0, 0], [8, 0], [8, 8], [0, 8], [0, 0]]]}
    labels = {"segmentation": [{"geometry": square, "properties": {"class": "roof"}}],
              "object_detection": {"roof": [[0, 0, 8, 8], [1, 1, 3, 3]], "car": []}}  # fmt: skip
    with ai.Catalog(root=tmp_path / "sets").create("a", kind, classes=["car", "roof"]) as made:
        made.feed([(image.transpose(2, 0, 1), labels[kind]) for image in pictures(4)])
    dataset, panel = made.dataset("train"), "mask_classes" if kind == "segmentation" else "box_classes"
    for given in (dataset, dataset.view("image mask" if kind == "segmentation" else "image boxes box_labels")):
        found = profile(given)
        assert found["errors"].statistics["train"]["count"] == 0
        told = found[panel].statistics["train"]["classes"]["roof"]
        assert (told["images"], told.get("boxes", 8)) == (4, 8)
    moved = ai.RandomAugmentation(rotation=20, crop=(0.3, 0.5))
    augmented = made.dataset("train", ImagePipeline(16), augmentation=moved)
    if kind == "object_detection":
        for boxes, numbers in augmented.view("boxes box_labels"):
            assert len(boxes) == len(numbers)
            assert set(numbers.tolist()) <= {1}
    assert profile(augmented)["errors"].statistics["train"]["count"] == 0


SECRET = "secret"


@pytest.mark.parametrize("kind", ["one-hot", "white", "boxes", "mask"])
def test_no_picture_or_path_of_a_hidden_class_leaves(tmp_path, kind):
    """Whatever the label is in which the class stands."""

    def label(number):
        has = number % 2
        mask = np.zeros((32, 32), np.uint8)
        mask[:4] = has
        return {
            "mask": mask,
            "white": mask * 255,
            "one-hot": np.stack([1 - mask, np.zeros_like(mask), mask]),
            "boxes": {"boxes": np.array([[0.0, 0, 4, 4]]), "labels": np.array([has])},
        }[kind]

    hidden = 2 if kind == "one-hot" else 1
    names = None if kind == "white" else [f"class {number}" for number in range(hidden)] + [SECRET]
    given = [(image, label(number)) for number, image in enumerate(pictures(8))]
    where = {"images": "[0]", "labels": "[1]"}
    found = profile(given, hide_classes=[hidden], class_names=names, samples=8, **where)
    assert set(found["samples"].statistics["indices"]) == {0, 2, 4, 6}
    assert all(
        number % 2 == 0 for several in found["extremes"].statistics["train"].values() for number in several["indices"]
    )
    if kind in ("mask", "white"):
        rows = []
        for number, (image, mask) in enumerate(given):
            Image.fromarray(image).save(tmp_path / f"{number}.png")
            Image.fromarray(mask).save(tmp_path / f"{number}-mask.png")
            rows.append((f"{number}.png", f"{number}-mask.png"))
        pd.DataFrame(rows, columns=["path", "mask"]).to_csv(tmp_path / "a.csv", index=False)
        table = SampleTable.from_csv(tmp_path / "a.csv", identity="path")
        found = profile(table, hide_classes=[hidden], class_names=names, samples=8)
        assert set(found.paths["train"]) == {0, 2, 4, 6}


@pytest.mark.parametrize("turns", ["both", "image"])
def test_files_of_masks_are_turned_as_their_own_exif_says(tmp_path, turns):
    exif = Image.Exif()
    exif[0x0112] = 6
    mask = np.zeros((40, 60), np.uint8)
    mask[:20] = 1
    Image.fromarray(mask).convert("RGB").save(tmp_path / "image.png", exif=exif)
    Image.fromarray(mask).save(tmp_path / "mask.png", **({"exif": exif} if turns == "both" else {}))
    pd.DataFrame([("image.png", "mask.png")], columns=["path", "mask"]).to_csv(tmp_path / "a.csv", index=False)
    table = SampleTable.from_csv(tmp_path / "a.csv", identity="path")
    if turns == "image":
        with pytest.raises(DataError, match="the mask is 60 × 40; expected 40 × 60 as its image is: where the EXIF of"):
            profile(table)
        return
    # Its upper half is the right one now.
    centre = profile(table, samples=1)["mask_positions"].statistics["train"]["class 1"]["centre"]
    assert centre == pytest.approx([0.75, 0.5])


def test_an_image_beside_a_one_hot_label_is_one_image():
    image = torch.rand(3, 32, 32)
    vectors = [torch.tensor(each) for each in ([0, 1, 0], [1, 0, 0], [0.0, 0.0, 1.0])]
    found = profile([(image, vectors[number % 3]) for number in range(6)])
    assert found["summary"].statistics["train"]["channels"] == {"3": 6}
    assert sorted(found["classes"].statistics["counts"]["train"].values()) == [2, 2, 2]
    mask = torch.zeros(3, 32, 32, dtype=torch.uint8)
    mask[1, :8], mask[0, 8:] = 1, 1
    found = profile([(image, mask)] * 6, images="[0]", labels="[1]")
    assert found["summary"].statistics["train"]["channels"] == {"3": 6}
    assert found["mask_classes"].statistics["train"]["classes"]["class 1"]["share"] == pytest.approx(1 / 4)
    # A batch of grey images whose last is a small one is still one.
    grey = DataLoader([(torch.rand(32, 32), number % 2) for number in range(11)], batch_size=8)
    assert profile(grey)["summary"].statistics["train"]["channels"] == {"1": 11}
    batches = [(torch.rand(4, 3, 32, 32), torch.eye(5, dtype=torch.int64)[[0, 1, 2, 2]])] * 2
    assert profile(batches)["classes"].statistics["counts"]["train"] == {"class 0": 2, "class 1": 2, "class 2": 4}


def test_vectors_of_several_classes_are_no_classes(tmp_path):
    """Also where some of them have a single 1, before or after."""
    vectors = [[1, 0, 0, 0, 0, 0], [0, 1, 0, 0, 0, 0], [1, 1, 0, 0, 0, 0], [0, 0, 0, 0, 0, 1], [0, 0, 0, 0, 0, 0]]
    data = [(image, np.array(vectors[number % 5])) for number, image in enumerate(pictures(10))]
    found = profile(data, images="[0]", labels="[1]", samples=4)
    assert found["summary"].statistics["train"]["images"] == 10
    assert (found.frames["train"]["label"] == -1).all()
    assert set(found["samples"].statistics["classes"]) == {""}
    (failure,) = found.errors["train"]
    assert (failure.number, "2 labels are rows with several ones" in failure.message) == (2, True)
    # The mean image is of all, those before it too.
    assert found["mean_images"].statistics["train"]["all"]["images"] == 10


def test_a_sample_may_have_no_label_where_others_have_one():
    items = [{"image": image, "label": number % 2} for number, image in enumerate(pictures(6))]
    del items[3]["label"]
    found = profile(items)
    assert found["summary"].statistics["train"]["images"] == 6
    assert sum(found["classes"].statistics["counts"]["train"].values()) == 5


def test_a_dataset_by_index_is_as_long_as_it_says_and_is_asked_for_its_own_labels(masked):
    class ByIndex:
        batch_size = 4

        def __len__(self):
            return 6

        def __getitem__(self, index):
            return pictures(6)[index], index % 2

    class Swapped(ImageDataset):
        def get_mask(self, index, context):
            return 1 - super().get_mask(index, context)

    assert profile(ByIndex())["summary"].statistics["train"]["images"] == 6
    shares = [
        profile(kind(masked))["mask_classes"].statistics["train"]["classes"]["class 1"]["share"]
        for kind in (ImageDataset, Swapped)
    ]
    assert shares == pytest.approx([1 / 8, 7 / 8])
    # Three grey images of a loader whose labels look like one class of three.
    grey = DataLoader([(torch.rand(32, 32), int(number == 1)) for number in range(6)], batch_size=3)
    assert profile(grey)["summary"].statistics["train"]["channels"] == {"1": 6}


def test_warnings_are_heard_after_a_folder_was_profiled(tmp_path):
    generator = np.random.default_rng(0)
    for number in range(60):
        pixels = generator.integers(0, 256, (200, 250, 3), np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{number}.jpg")
    before = list(warnings.filters)
    for _ in range(3):
        profile(tmp_path, features=["summary"])
    assert warnings.filters == before


def test_memory_that_a_loader_fills_again_is_copied():
    mask = np.zeros((4, 32, 32), np.int64)
    values = np.zeros((32, 32, 3), np.float32)

    def masks():
        for number in range(30):
            mask[:] = number % 3
            yield np.stack(pictures(4, seed=number)), mask

    found = profile(masks())["mask_classes"].statistics["train"]["classes"]
    assert [found[f"class {number}"]["images"] for number in range(3)] == [40] * 3

    def black_then_white():
        for number in range(11):
            values[:] = number == 10
            yield values, 0

    assert profile(black_then_white())["brightness"].statistics["train"]["mean"] == pytest.approx(1 / 11)


NAN = np.full((32, 32, 3), np.nan, np.float32)


@pytest.mark.parametrize(
    "bad",
    [
        None, (None, 0), (NAN, 0), (np.where(np.eye(32)[..., None] > 0, np.inf, np.zeros((32, 32, 3))), 0),
        (np.zeros((0, 32, 32, 3), np.float32), np.zeros(0)), {"other": 1}, 7,
    ],
    ids=str,
)  # fmt: skip
def test_one_item_that_cannot_be_used_is_in_the_ledger(bad):
    good = [(image.astype(np.float32) / 255, number % 2) for number, image in enumerate(pictures(20))]
    found = profile([*good[:10], bad, *good[10:]])
    assert found["summary"].statistics["train"]["images"] == 20
    empty = isinstance(bad, tuple) and len(bad) == 2 and hasattr(bad[0], "shape") and not bad[0].size
    assert found["errors"].statistics["train"]["count"] == (0 if empty else 1)
    assert found.complete


def no_ninth(item):
    """The label, of which there is none where it is 9."""
    return 1 / 0 if item[1] == 9 else item[1]


@pytest.mark.parametrize("place", [0, 12])
@pytest.mark.parametrize(
    ("bad", "options", "kind"),
    [
        ((pictures(1)[0], 9), {"labels": no_ninth}, "ZeroDivisionError"),
        ((None, 9), {"images": lambda item: item[0][:]}, "TypeError"),
        ((pictures(1)[0][0, 0, 0], 9), {"images": "[0]", "labels": "[1]"}, "DataError"),
    ],
    ids=["labels", "images", "shape"],
)
def test_an_item_that_cannot_be_used_is_in_the_ledger_wherever_it_is(place, bad, options, kind):
    items = [(image, number % 3) for number, image in enumerate(pictures(20))]
    found = profile([*items[:place], bad, *items[place:]], **options)
    assert found["errors"].statistics["train"]["kinds"] == {kind: 1}
    assert found.errors["train"][0].number == place
    assert found.frames["train"]["index"].tolist() == [each for each in range(21) if each != place]


def test_an_image_alone_among_pairs_is_not_taken_apart():
    (image,) = pictures(1)
    found = profile([(image, 0), (image, 1), image, (image, 1)])
    assert found.frames["train"]["height"].tolist() == [image.shape[0]] * 3
    (failure,) = found.errors["train"]
    assert failure.number == 2
    assert failure.error == (
        "DataError: there is no '[0]' in an item of the loader: "
        f"(the item itself): ndarray of shape {image.shape}, uint8"
    )
    # Of an array somebody may mean a part.
    found = profile([np.stack([image, image])] * 3, images="[1]")
    assert found.frames["train"]["height"].tolist() == [image.shape[0]] * 3


def test_first_items_without_an_image_are_in_the_ledger_and_keep_the_order():
    class Broken:
        def __len__(self):
            return 9

        def __getitem__(self, index):
            if index == 1:
                raise OSError("gone")
            return {"image": None if index in (0, 2) else pictures(9)[index], "label": index % 2}

    found = profile(Broken())
    assert [(each.number, each.kind) for each in found.errors["train"]] == [
        (0, "AmbiguousData"), (1, "OSError"), (2, "AmbiguousData")
    ]  # fmt: skip
    assert found.frames["train"]["label"].tolist() == [1, 0, 1, 0, 1, 0]


def test_where_no_item_can_be_used_it_is_told_after_a_few():
    def failing(item):
        raise RuntimeError(f"number {item[1]}")

    asked = []

    def items():
        for number, image in enumerate(pictures(50)):
            asked.append(number)
            yield image, number

    expected = "train has no sample that can be used; the first error was RuntimeError: number 0; expected at least one"
    for options in ({"labels": failing}, {"images": failing}):
        asked.clear()
        with pytest.raises(DataError, match=expected):
            profile(items(), **options)
        assert len(asked) < 20
    with pytest.raises(AmbiguousData, match=r"no images are found .*; pass images=PATH") as raised:
        profile([{"image": None, "label": 1}] * 50)
    assert raised.value.argument == "images"
    with pytest.raises(AmbiguousData, match=r"no images are found"):
        profile([{"image": None, "label": 1}] * 3, max_samples=1)


def test_which_of_two_is_the_image_is_a_question_of_all_though_some_items_have_one():
    first, second = pictures(2)
    with pytest.raises(AmbiguousData, match=r"could be any of 2"):
        profile([(first, second), (first, None), (first, second)])


def test_a_function_that_fails_for_one_item_and_a_range_that_changes():
    items = [{"image": image, "label": 1} for image in pictures(6)]
    items[3] = {"label": 1}
    found = profile(items, images=lambda item: item["image"], labels="label")
    assert found["errors"].statistics["train"]["kinds"] == {"KeyError": 1}
    units = [(image / 255.0, 0) for image in pictures(3)]
    with pytest.raises(AmbiguousData, match="after others"):
        profile([*units, (pictures(1)[0] * 1.0, 0)])


def test_lists_of_images_are_batches_to_the_last_however_short():
    def collated(items):
        return [each[0] for each in items], [each[1] for each in items]

    for count in (7, 8):
        data = [(torch.rand(3, 32, 32), number % 2) for number in range(count)]
        found = profile(DataLoader(data, batch_size=3, collate_fn=collated))
        assert found["summary"].statistics["train"]["images"] == count
        assert sum(found["classes"].statistics["counts"]["train"].values()) == count


def test_a_loader_that_ends_by_an_error_is_not_complete():
    def dies():
        for number, image in enumerate(pictures(20)):
            if number == 5:
                raise RuntimeError("gone")
            yield image, 0

    found = profile(dies())
    assert found["summary"].statistics["train"]["images"] == 5
    assert (found.complete, found["errors"].statistics["train"]["count"]) == (False, 1)


class Failing:
    """Twenty samples, a class of its own each, some of which cannot be read."""

    def __init__(self, *bad):
        self.data, self.bad = pictures(20), bad

    def __len__(self):
        return 20

    def __getitem__(self, index):
        if index in self.bad:
            raise OSError("cannot be read")
        return self.data[index], index


class Stream(IterableDataset):
    """The same one after the other, as something that goes on after an error."""

    def __init__(self, *bad):
        self.data, self.next = Failing(*bad), -1

    def __iter__(self):
        return self

    def __next__(self):
        self.next += 1
        if self.next == len(self.data):
            raise StopIteration
        return self.data[self.next]


def lists(items):
    return [each[0] for each in items], [each[1] for each in items]


@pytest.mark.parametrize("bad", [(6,), (0,), (19,), (3, 8, 9, 10, 11, 17), tuple(range(18))], ids=str)
@pytest.mark.parametrize(
    "options",
    [
        {"batch_size": 4},
        {"batch_size": 8},
        {"batch_size": 4, "collate_fn": lists},
        {"batch_size": 4, "num_workers": 2},
        {"batch_size": 4, "num_workers": 1, "persistent_workers": True},
        {"batch_size": 6, "shuffle": True},
        {"batch_size": 6, "shuffle": True, "num_workers": 2},
        {"batch_sampler": [[19, 3, 5], [0], [6, 8, 4, 17]]},
        {"batch_size": None},
    ],
    # The text of a function has its place in memory: another name in every process.
    ids=" ".join,
)
def test_of_a_batch_that_fails_only_the_bad_samples_are_lost(bad, options):
    order = []

    class Noted(SequentialSampler):
        def __iter__(self):
            order.extend(torch.randperm(20).tolist())
            return iter(order)

    if options.pop("shuffle", False):
        options = options | {"sampler": Noted(range(20))}
    told = []
    loader = DataLoader(Failing(*bad), **options)
    found = profile_with_a_bar(loader, progress=lambda done, total: told.append((done, total)))
    order = order or [*chain(*options.get("batch_sampler", []))] or [*range(20)]
    lost = [place for place, index in enumerate(order) if index in bad]
    assert found["errors"].statistics["train"] == {
        "count": len(lost), "indices": lost, "kinds": {"OSError": len(lost)} if lost else {},
        "failures": [{"index": place, "kind": "OSError"} for place in lost],
    }  # fmt: skip
    good = [(place, index) for place, index in enumerate(order) if index not in bad]
    frame = found.frames["train"]
    assert [*zip(frame["index"], frame["label"], strict=True)] == good
    assert told[-1] == (len(order), len(order))
    assert found.complete


def test_a_loader_that_is_profiled_stays_as_it_is():
    torch.manual_seed(3)
    order = [label.tolist() for _, label in DataLoader(Failing(), batch_size=4, shuffle=True)]
    loader = DataLoader(Failing(), batch_size=4, shuffle=True)
    before = dict(vars(loader))
    torch.manual_seed(3)
    assert profile(loader).frames["train"]["label"].tolist() == [*chain(*order)]
    assert vars(loader) == before


@pytest.mark.parametrize("batch_size", [4, 6])
def test_of_a_batch_that_cannot_be_asked_for_again_each_sample_is_in_the_ledger(batch_size):
    """Also where it is the first one, or the last and shorter."""

    class Batches:
        def __init__(self):
            self.batch_size, self.batches = batch_size, iter(range(-(-20 // batch_size)))

        def __len__(self):
            return -(-20 // batch_size)

        def __iter__(self):
            return self

        def __next__(self):
            number = next(self.batches)
            if number != 1:
                raise OSError("cannot be read")
            return np.stack(pictures(batch_size)), np.arange(batch_size)

    found = profile(Batches())
    lost = [*range(batch_size), *range(2 * batch_size, 20 if batch_size == 4 else 24)]
    assert found["errors"].statistics["train"]["indices"] == lost
    stream = profile(DataLoader(Stream(6), batch_size=batch_size))
    assert stream["errors"].statistics["train"]["count"] == batch_size


def test_samples_that_make_no_batch_are_taken_one_by_one_and_it_is_told(caplog):
    data = [(torch.rand(3, 32, 32 + 8 * (number == 5)), number % 2) for number in range(12)]
    found = profile(DataLoader(data, batch_size=4))
    assert found["summary"].statistics["train"]["images"] == 12
    assert found["errors"].statistics["train"]["count"] == 0
    (record,) = caplog.records
    assert "stack expects each tensor to be equal size" in record.getMessage()

    def refuses(items):
        raise TypeError(f"not for {SECRET}")

    with pytest.raises(DataError, match=f"the first error was TypeError: not for {SECRET}"):
        profile(DataLoader(data, batch_size=4, collate_fn=refuses))
    assert SECRET not in caplog.text
    # What only failed once is whole again.
    calls = []

    def fails_once(items):
        calls.append(len(items))
        if len(calls) == 2:
            raise OSError("later")
        return default_collate(items)

    even = [(torch.rand(3, 32, 32), number % 2) for number in range(12)]
    assert profile(DataLoader(even, batch_size=4, collate_fn=fails_once))["errors"].statistics["train"]["count"] == 0
    assert calls == [4] * 4


def test_an_error_of_the_sampler_is_that_of_no_sample():
    class Ends(SequentialSampler):
        def __iter__(self):
            yield from range(8)
            raise RuntimeError("no more")

    found = profile(DataLoader(Failing(6), batch_size=4, sampler=Ends(range(20))))
    assert found.frames["train"]["index"].tolist() == [0, 1, 2, 3, 4, 5, 7]
    assert found["errors"].statistics["train"]["kinds"] == {"OSError": 1, "RuntimeError": 4}
    assert not found.complete


def test_drift_is_between_the_splits_also_where_both_are_augmented():
    light, dark = pictures(12), [image // 3 for image in pictures(12)]
    augmentation = ai.RandomAugmentation(brightness=(0.9, 1.1))
    assert profile(light, dark, augmentation=augmentation)["drift"].statistics["between"] == ["train", "val"]
    alone = profile(light, augmentation=augmentation)["drift"].statistics["between"]
    assert alone == ["train", "train, augmented"]


@pytest.mark.parametrize(
    "label", [np.random.default_rng(0).random((32, 32)), np.array([1, 0, 3, 1]), np.zeros(4), {"name": "x"}], ids=str
)
def test_a_label_that_is_none_is_told_and_its_image_counts(label):
    found = profile([(image, label) for image in pictures(6)], images="[0]", labels="[1]")
    assert found["summary"].statistics["train"]["images"] == 6
    assert found["errors"].statistics["train"]["count"] == 6
    without = profile([(image, label) for image in pictures(6)], images="[0]", labels=lambda _item: None)
    assert without["errors"].statistics["train"]["count"] == 0


def test_one_hot_masks_follow_an_augmentation():
    mask = np.zeros((3, 32, 32), np.uint8)
    mask[0, :16], mask[2, 16:] = 1, 1
    found = profile(
        [(image, mask) for image in pictures(4)], images="[0]", labels="[1]",
        augmentation=ai.RandomAugmentation(rotation=(180, 180)),
    )  # fmt: skip
    for split in ("train", "train, augmented"):
        assert found["mask_classes"].statistics[split]["classes"]["class 2"]["share"] == pytest.approx(1 / 2, abs=0.02)


@pytest.mark.parametrize(
    "names", [{"cat": 0, "dog": 1}, {"0": "cat", "1": "dog"}, {0: "cat", 1: "dog"}, ("cat", "dog")]
)
def test_names_come_in_any_form(names):
    data = [(image, number % 2) for number, image in enumerate(pictures(4))]
    assert profile(data, class_names=names)["classes"].statistics["counts"]["train"] == {"cat": 2, "dog": 2}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"class_names": {"cat": "x"}}, "class_names is"), ({"class_names": {-1: "x"}}, "class_names is"),
        ({"class_names": {10**9: "x"}}, "class_names is"), ({"hide_classes": 3}, r"such as \[3\]"),
        ({"hide_classes": [12], "class_names": ["a", "b"]}, "unknown class 12"), ({"seed": -1}, "seed is -1"),
        ({"value_range": ("a", "b")}, "the range is"), ({"value_range": (1.0, 1.0)}, "the range is"),
        ({"samples": -1}, "samples is -1"), ({"max_samples": 0}, "max_samples is 0"),
        ({"mean": (0.5, 0.5), "std": (0.5, 0.5)}, "mean has 2 numbers; expected one a channel, 3"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_sentence(options, said):
    data = [(image.astype(np.float32) / 255, number % 2) for number, image in enumerate(pictures(4))]
    with pytest.raises(DataError, match=said):
        profile(data, **options)


def test_a_single_number_is_ignored_as_a_list_of_it_is():
    mask = np.zeros((32, 32), np.uint8)
    mask[:8], mask[8:16] = 1, 255
    one, other = (profile([(image, mask) for image in pictures(2)], ignored=each) for each in (255, [255]))
    assert one["mask_classes"].statistics == other["mask_classes"].statistics
    assert one["errors"].statistics["train"]["count"] == 0


def test_means_are_kept_of_so_many_classes_and_no_more():
    found = profile(
        ((image, number) for number, image in enumerate(pictures(1100, 8))), features=["mean_images"], samples=1
    )
    assert len(found["mean_images"].statistics["train"]) == 1000


def test_any_number_of_64_bits_is_a_class_and_one_beyond_is_a_fault_of_its_sample():
    labels = [0, 1, 2**40, 2**40, 2**63 - 1, 2**63]
    found = profile([*zip(pictures(6), labels, strict=True)])
    counts = found["classes"].statistics["counts"]["train"]
    assert counts == {"class 0": 1, "class 1": 1, f"class {2**40}": 2, f"class {2**63 - 1}": 1}
    errors = found["errors"].statistics["train"]
    assert (errors["count"], errors["indices"], errors["kinds"]) == (1, [5], {"DataError": 1})


@pytest.mark.parametrize("batched", [False, True])
def test_one_hot_floats_are_counted_as_classes(batched):
    vectors = torch.eye(3)
    data = [(torch.rand(3, 32, 32), vectors[number % 3]) for number in range(7)]
    found = profile(DataLoader(data, batch_size=3) if batched else data)
    assert found["classes"].statistics["counts"]["train"] == {"class 0": 3, "class 1": 2, "class 2": 2}
    assert found["errors"].statistics["train"]["count"] == 0


def test_a_batch_of_as_many_images_as_classes_asks_for_nothing():
    found = profile([(torch.rand(6, 3, 32, 32), torch.eye(6))] * 2)
    assert found["summary"].statistics["train"]["images"] == 12
    assert found["classes"].statistics["counts"]["train"] == {f"class {number}": 2 for number in range(6)}


def collated(items):
    return tuple(zip(*items, strict=True))


@pytest.mark.parametrize("first", ["empty", "annotated"])
@pytest.mark.parametrize("loader", ["list", "collated", "one by one"])
def test_annotations_of_coco_are_profiled_whatever_the_first_has(first, loader):
    two = [{"bbox": [2, 4, 8, 16], "category_id": 3}, {"bbox": [0, 0, 16, 16], "category_id": 1}]
    targets = ([[], two] if first == "empty" else [two, []]) * 3
    data = [*zip([torch.rand(3, 32, 32) for _ in targets], targets, strict=True)]
    given = {"list": data, "collated": DataLoader(data, batch_size=4, collate_fn=collated),
             "one by one": DataLoader(data, batch_size=1)}[loader]  # fmt: skip
    found = profile(given)
    assert found["errors"].statistics["train"]["count"] == 0
    told = found["box_classes"].statistics["train"]
    assert (told["images"], told["classes"]["class 3"], told["classes"]["class 1"]) == (
        6, {"boxes": 3, "images": 3}, {"boxes": 3, "images": 3},
    )  # fmt: skip


def test_an_item_without_annotations_of_coco_is_in_the_ledger():
    good = [{"bbox": [2, 4, 8, 16], "category_id": 3}]
    found = profile([(torch.rand(3, 32, 32), each) for each in (good, [{"bbox": [1, 2]}], good)])
    assert found["errors"].statistics["train"]["indices"] == [1]
    assert found["box_classes"].statistics["train"]["classes"]["class 3"]["boxes"] == 2
