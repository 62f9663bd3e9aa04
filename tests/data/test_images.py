"""Images of a table, property by property: against Pillow's own reading, torchvision's `ImageFolder`, and fastai."""

from __future__ import annotations

import io
import shutil
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader
from torchvision.datasets import ImageFolder
from torchvision.transforms.v2 import functional as TF

from augimpact.augment.apply import augment
from augimpact.augment.follow import move_boxes, move_masks
from augimpact.augment.random import RandomAugmentation
from augimpact.data import images as images_module
from augimpact.data.cache import DiskCache, MemoryCache
from augimpact.data.image import EXAMPLES, example
from augimpact.data.images import ImageDataset
from augimpact.data.locations import read_bytes
from augimpact.data.pipeline import ImagePipeline
from augimpact.data.samples import SampleTable
from augimpact.errors import DataError, ImageError

EACH = 5
SIZE = 48
ROTATED = {"rotation": (-40, 40), "brightness": (0.7, 1.3), "seed": 1}


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Parts of the example photographs, a class each."""
    folder = tmp_path_factory.mktemp("photographs")
    random = np.random.default_rng(0)
    for name in EXAMPLES:
        (folder / name).mkdir()
        for index in range(EACH):
            left, top = (int(random.integers(0, 100)) for _ in range(2))
            example(name).crop((left, top, left + 120 + index, top + 90)).save(folder / name / f"{index}.png")
    return folder


@pytest.fixture(scope="module")
def table(folder) -> SampleTable:
    return SampleTable.from_folder(folder, memory=None, progress=lambda *_: None)


@pytest.fixture(scope="module")
def annotated(table, tmp_path_factory) -> SampleTable:
    """With a mask and boxes of the dark parts."""
    folder = tmp_path_factory.mktemp("masks")
    masks, boxes = [], []
    for number, path in enumerate(table["path"]):
        dark = (np.asarray(Image.open(path).convert("L")) < 100).astype(np.uint8) + 1
        masks.append(str(folder / f"{number}.png"))
        Image.fromarray(dark).save(masks[-1])
        boxes.append(np.array([[10, 20, 60, 70], [0, 0, 5, 5], [100, 10, 120, 90]]))
    return table.with_frame(table.frame.assign(mask=masks, boxes=boxes))


@pytest.fixture
def read(monkeypatch) -> list[str]:
    """What is read from now on."""
    paths: list[str] = []
    monkeypatch.setattr(images_module, "read_bytes", lambda path, options: paths.append(path) or read_bytes(path))
    return paths


def assert_same(ours, theirs) -> None:
    assert len(ours) == len(theirs)
    for one, other in zip(ours, theirs, strict=True):
        assert torch.equal(one, other) if isinstance(one, torch.Tensor) else np.array_equal(one, other)


def test_properties_are_those_for_which_there_is_a_column(table, annotated):
    plain = ("content", "image", "index", "label", "path", "purpose", "sample_id")
    assert ImageDataset(table).properties == plain
    assert set(ImageDataset(annotated).properties) == {*plain, "mask", "boxes"}
    with pytest.raises(DataError, match="unknown property 'mask'"):
        ImageDataset(table).view("image mask")


def test_each_property_is_what_the_table_and_the_file_say(table):
    dataset = ImageDataset(table.with_frame(table.frame.assign(purpose=["train", None] * (len(table) // 2))))
    names = "image label content path sample_id purpose index"
    for index, (image, label, content, path, sample_id, purpose, place) in enumerate(dataset.view(names)):
        assert torch.equal(image, TF.pil_to_tensor(Image.open(path)) / 255)
        assert dataset.class_names[label] == Path(path).parent.name
        assert content == Path(path).read_bytes()
        assert (path, sample_id) == (table["path"][index], table["sample_id"][index])
        assert purpose == ("train" if index % 2 == 0 else None)
        assert place == index


def test_a_view_reads_nothing_that_it_does_not_name(annotated, read):
    dataset = ImageDataset(annotated)
    list(dataset.view("label path sample_id purpose index"))
    assert len(dataset.labels) == len(annotated)
    assert read == []
    dataset.view("image")[3]
    assert read == [annotated["path"][3]]
    dataset.view("mask")[4]
    assert read[1:] == [annotated["mask"][4]]
    dataset.view("image label").__getitems__([0, 7])
    assert read[2:] == annotated["path"][[0, 7]].tolist()


def test_a_cache_is_asked_first_and_a_batch_asks_it_once(table, read, tmp_path):
    with ImageDataset(table, cache=DiskCache(tmp_path / "cache", keep_free=0)) as dataset:
        first = dataset.view("image").__getitems__(range(6))
        assert len(read) == 6
        assert_same(dataset.view("image").__getitems__([5, 0, 7]), [first[5], first[0], dataset.view("image")[7]])
        assert read == table["path"][[*range(6), 7]].tolist()


def test_without_its_cache_a_dataset_reads_its_files(table, read):
    dataset = ImageDataset(table, cache=MemoryCache(keep_free=0))
    before = dataset.view("image")[0]
    dataset.close()
    assert len(dataset.cache) == 1
    dataset.cache.close()
    assert torch.equal(dataset.view("image")[0], before)
    assert len(read) == 2


@pytest.mark.parametrize("augmentation", [None, RandomAugmentation(**ROTATED)])
def test_a_batch_is_what_its_items_are_alone(annotated, augmentation):
    view = ImageDataset(annotated, ImagePipeline(SIZE), augmentation=augmentation).view(
        "image mask boxes label content"
    )
    order = [7, 3, 3, 19, 0]
    for item, index in zip(view.__getitems__(order), order, strict=True):
        assert_same(item, view[index])


@pytest.mark.parametrize("workers", [1, 2])
def test_workers_give_what_no_workers_give(annotated, workers):
    dataset = ImageDataset(annotated, ImagePipeline(SIZE), augmentation=RandomAugmentation(**ROTATED))
    view = dataset.view("image mask label context.augmentation.homography")
    ours = list(DataLoader(view, batch_size=3, num_workers=workers))
    theirs = list(DataLoader(view, batch_size=3))
    assert len(ours) == len(theirs) == -(-len(annotated) // 3)
    for one, other in zip(ours, theirs, strict=True):
        assert_same(one, other)


def test_workers_share_a_cache(table, folder):
    with ImageDataset(table, ImagePipeline(SIZE), cache=MemoryCache(keep_free=0)) as dataset:
        list(DataLoader(dataset.view("image"), num_workers=2))
        assert sorted(dataset.cache.values()) == sorted(Path(path).read_bytes() for path in table["path"])


def test_mask_and_boxes_are_fitted_as_the_image_is(annotated):
    pipeline = ImagePipeline((40, 56), "crop")
    view = ImageDataset(annotated, pipeline).view("mask boxes context.boxes.kept")
    for index, (mask, boxes, kept) in enumerate(view):
        stored = np.asarray(Image.open(annotated["mask"][index]))
        assert torch.equal(mask, pipeline.mask(stored))
        assert np.array_equal(boxes, pipeline.boxes(annotated["boxes"][index], stored.shape))
        assert kept.tolist() == [0, 1, 2]


def test_what_is_drawn_is_told_and_image_mask_and_boxes_follow_it(annotated):
    augmentation = RandomAugmentation(**ROTATED, crop=(0.4, 0.6))
    pipeline = ImagePipeline(SIZE)
    plain = ImageDataset(annotated, pipeline)
    dataset = ImageDataset(annotated, pipeline, augmentation=augmentation, outside=9, least_seen=0.5)
    dropped = 0
    names = "image mask boxes sample_id context.augmentation context.boxes.kept"
    for index, (image, mask, boxes, sample_id, told, kept) in enumerate(dataset.view(names)):
        before, mask_before, boxes_before = plain.view("image mask boxes")[index]
        mask_before[mask_before == 0] = 9
        assert told["setting"] == augmentation.setting(sample_id)
        assert torch.equal(image, augment(before, told["setting"]).images[0])
        assert torch.equal(mask, move_masks(mask_before, told["homography"][None], outside=9)[0])
        assert_same((boxes, kept), move_boxes(boxes_before, told["homography"], SIZE, least=0.5))
        dropped += 3 - len(kept)
    assert dropped > 0


def test_selections_keep_every_property(annotated):
    dataset = ImageDataset(annotated, ImagePipeline(SIZE), augmentation=RandomAugmentation(**ROTATED))
    chosen = dataset.where(["cat"]).shuffle(1)
    assert chosen.labels.tolist() == [dataset.class_names.index("cat")] * EACH
    names = "image mask boxes label index context.augmentation.homography"
    for item in chosen.view(names):
        assert_same(item, dataset.view(names)[item[4]])


def test_an_error_names_the_file(table, tmp_path):
    paths = [tmp_path / "gone.png", tmp_path / "text.png", tmp_path / "half.jpg", tmp_path]
    paths[1].write_bytes(b"hello")
    file = io.BytesIO()
    example("cat").save(file, "JPEG")
    paths[2].write_bytes(file.getvalue()[:5000])
    frame = table.frame.iloc[:4].assign(path=[str(path) for path in paths], mask=str(paths[1]), boxes=[["left"]] * 4)
    dataset = ImageDataset(table.with_frame(frame))
    for index, (error, words) in enumerate([
        (DataError, r"gone\.png cannot be read \(FileNotFoundError"),
        (ImageError, r"text\.png: the image of 5 bytes is not an image"),
        (ImageError, r"half\.jpg: the image of 5000 bytes cannot be decoded: image file is truncated"),
        (DataError, "cannot be read .IsADirectoryError"),
    ]):  # fmt: skip
        view = dataset.view("image")
        for ask, asked in ((view.__getitem__, index), (view.__getitems__, [index])):
            with pytest.raises(error, match=words) as caught:
                ask(asked)
            assert str(caught.value).startswith(str(paths[index]))
    with pytest.raises(ImageError, match=r"text\.png: the image of 5 bytes is not an image"):
        dataset.view("mask")[0]
    with pytest.raises(DataError, match=r"gone\.png cannot be read"):
        dataset.view("boxes")[0]
    dataset = ImageDataset(table.with_frame(table.frame.assign(boxes=[["left"]] * len(table))))
    with pytest.raises(DataError, match=r"\.png cannot be read .* 'left'"):
        dataset.view("boxes")[0]


def test_boxes_of_an_image_that_is_no_square_are_not_augmented(annotated):
    dataset = ImageDataset(annotated, augmentation=RandomAugmentation(rotation=(0, 9)))
    with pytest.raises(DataError, match=r"an image of 120×90 pixels is augmented; expected a pipeline to a square"):
        dataset.view("boxes")[0]


def test_arrays_are_images_with_all_their_channels():
    random = np.random.default_rng(0)
    arrays = [random.random((20, 30, 7), np.float32), random.integers(0, 65536, (20, 30, 3), np.uint16)]
    dataset = ImageDataset(SampleTable.from_arrays(arrays, ["noise", "more"]), ImagePipeline(channels=None))
    many, deep = dataset.view("image")
    assert np.array_equal(many, arrays[0].transpose(2, 0, 1))
    assert np.allclose(deep, arrays[1].transpose(2, 0, 1) / 65535)
    assert [dataset.class_names[label] for label in dataset.labels] == ["noise", "more"]


def test_images_in_a_zip_file_are_read_together(folder, tmp_path):
    archive = shutil.make_archive(str(tmp_path / "photographs"), "zip", folder)
    tables = [SampleTable.from_folder(url, identity="path") for url in (f"zip://::{archive}", folder)]
    ours, theirs = (ImageDataset(each, ImagePipeline(SIZE)).view("image label") for each in tables)
    for one, other in zip(ours.__getitems__(range(len(ours))), theirs, strict=True):
        assert_same(one, other)


def assert_as_torchvision(folder: Path, count: int | None = None) -> None:
    theirs = ImageFolder(str(folder))
    dataset = ImageDataset(SampleTable.from_folder(folder, identity="path"))
    assert list(dataset.class_names) == theirs.classes
    assert dataset.labels.tolist() == theirs.targets
    view = dataset.view("image label path")
    for index in range(len(theirs))[:: len(theirs) // (count or len(theirs))]:
        (image, label), (ours, number, path) = theirs[index], view[index]
        assert torch.equal(ours, TF.pil_to_tensor(image) / 255)
        assert (number, path) == (label, theirs.samples[index][0])


def test_images_and_labels_are_those_of_torchvisions_folder(folder):
    assert_as_torchvision(folder)


def test_images_and_labels_of_imagenette_are_those_of_torchvisions_folder(imagenette):
    assert_as_torchvision(imagenette / "val", count=20)


def test_a_learner_of_fastai_trains_on_views(table):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from fastai.data.core import DataLoaders
        from fastai.data.load import DataLoader as FastaiLoader
        from fastai.learner import Callback, Learner
    torch.manual_seed(0)
    dataset = ImageDataset(table, ImagePipeline(16), augmentation=RandomAugmentation(**ROTATED))
    parts = dataset.shuffle(0)
    trained, held = parts.fraction(0, 0.8), parts.fraction(0.8, 1)
    loaders = DataLoaders(
        FastaiLoader(trained.view("image label"), bs=4, shuffle=True, num_workers=0),
        FastaiLoader(held.view("image label"), bs=4, num_workers=0),
    )
    seen = []

    class Watching(Callback):
        def after_batch(self):
            seen.append((tuple(self.x.shape), self.y.dtype, self.loss.item()))

    network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3 * 16 * 16, len(EXAMPLES)))
    learner = Learner(loaders, network, loss_func=torch.nn.CrossEntropyLoss(), cbs=[Watching()])
    learner.remove_cbs([each for each in learner.cbs if each.name in ("progress", "recorder")])
    learner.fit(6, 0.01)
    assert {shape[1:] for shape, _, _ in seen} == {(3, 16, 16)}
    assert {dtype for _, dtype, _ in seen} == {torch.int64}
    per_epoch = len(seen) // 6
    first, last = (np.mean([loss for _, _, loss in part]) for part in (seen[:per_epoch], seen[-per_epoch:]))
    assert last < first
    assert len(learner.dls.valid_ds) == len(held) == 4


def test_an_augmented_image_comes_in_the_pipelines_range(table):
    augmentation = RandomAugmentation(rotation=(-20, 20), brightness=(0.5, 1.5), seed=1)
    unit = ImageDataset(table, ImagePipeline(32), augmentation=augmentation).view("image")
    ranged = ImageDataset(table, ImagePipeline(32, range=(-1, 1)), augmentation=augmentation).view("image")
    for one, other in zip(unit, ranged, strict=True):
        assert torch.allclose(one * 2 - 1, other, atol=1e-6)


def test_datasets_whose_ids_are_their_own_share_a_cache_and_no_content(folder, tmp_path):
    files = sorted(folder.rglob("*.*"))[:2]
    for number, file in enumerate(files):
        (tmp_path / f"{number}.csv").write_text(f"path,sample_id\n{file},1\n")
    tables = [SampleTable.from_csv(tmp_path / f"{number}.csv") for number in range(2)]
    with MemoryCache(keep_free=0) as cache:
        contents = [ImageDataset(each, cache=cache).view("content")[0] for each in tables]
    assert contents == [file.read_bytes() for file in files]
