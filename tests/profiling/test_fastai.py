"""Loaders of fastai's: only a bad sample is lost, classes have their names, and what is no loader is refused."""

from __future__ import annotations

import random
import re

import numpy as np
import pytest
import torch
from fastai.data.block import CategoryBlock, DataBlock, MultiCategoryBlock
from fastai.data.core import Datasets, TfmdDL
from fastai.data.load import DataLoader, SkipItemException
from fastai.data.transforms import Categorize, IndexSplitter, parent_label
from fastai.vision.augment import Resize
from fastai.vision.data import ImageBlock, ImageDataLoaders, MaskBlock, SegmentationDataLoaders
from fasttransform import Transform
from PIL import Image
from torch.utils.data import Subset

from augimpact.errors import DataError
from augimpact.profiling.extract import profile as profile_with_a_bar
from augimpact.profiling.workers import kind_and_message


def quiet(_done, _total):
    """No bar."""


def profile(*arguments, **options):
    return profile_with_a_bar(*arguments, progress=quiet, **options)


class Failing:
    """Twenty samples, a class of its own each, some of which cannot be read, and some are to be left out."""

    def __init__(self, *bad, left_out=()):
        generator = torch.Generator().manual_seed(0)
        self.images, self.bad, self.left_out = torch.rand(20, 3, 32, 32, generator=generator), bad, left_out

    def __len__(self):
        return 20

    def __getitem__(self, index):
        if index in self.left_out:
            raise SkipItemException
        if index in self.bad:
            raise OSError(f"sample {index} cannot be read")
        return self.images[index], torch.tensor(index)


def labels_of(loader):
    """What the loader itself gives, epoch after epoch."""
    return [label for _, labels in loader for label in labels.reshape(-1).tolist()]


@pytest.mark.parametrize("kind", [DataLoader, TfmdDL])
@pytest.mark.parametrize("bad", [(6,), (0,), (19,), (3, 8, 9, 10, 11, 17), tuple(range(18))], ids=str)
@pytest.mark.parametrize(
    "options",
    [
        {"bs": 4},
        {"bs": 6, "shuffle": True},
        {"bs": 6, "shuffle": True, "drop_last": True},
        {"bs": 4, "num_workers": 2},
        {"bs": 6, "shuffle": True, "num_workers": 2},
        {"bs": 4, "device": "cpu"},
        {"bs": None},
    ],
    ids=str,
)
def test_of_a_batch_that_fails_only_the_bad_samples_are_lost(kind, bad, options):
    options = {"num_workers": 0} | options
    random.seed(3)
    order = labels_of(kind(Failing(), **options))
    random.seed(3)
    told = []
    loader = kind(Failing(*bad), **options)
    found = profile_with_a_bar(
        loader, features=["classes"], samples=1, progress=lambda done, total: told.append((done, total))
    )
    lost = [(place, f"OSError: sample {index} cannot be read") for place, index in enumerate(order) if index in bad]
    assert [(failure.number, failure.error) for failure in found.errors["train"]] == lost
    good = [(place, index) for place, index in enumerate(order) if index not in bad]
    frame = found.frames["train"]
    assert [*zip(frame["index"], frame["label"], strict=True)] == good
    assert told[-1] == (len(order), len(order))
    assert found.complete


def test_samples_that_are_left_out_are_not_lost():
    loader = TfmdDL(Failing(6, 12, left_out=(5, 13)), bs=4, num_workers=0)
    found = profile(loader)
    assert found.frames["train"]["label"].tolist() == [each for each in range(20) if each not in (5, 6, 12, 13)]
    assert found["errors"].statistics["train"]["kinds"] == {"OSError": 2}


@pytest.mark.parametrize("options", [{}, {"shuffle": True}], ids=str)
def test_a_loader_that_is_profiled_stays_as_it_is(options):
    random.seed(3)
    twin = TfmdDL(Failing(), bs=4, num_workers=0, **options)
    random.seed(3)
    loader = TfmdDL(Failing(), bs=4, num_workers=0, **options)
    before, state = dict(vars(loader)), loader.rng.getstate()
    assert profile(loader).frames["train"]["label"].tolist() == labels_of(twin)
    assert vars(loader) == before
    assert loader.rng.getstate() == state
    random.seed(3)
    # The epoch after is that which it had given anyway.
    assert labels_of(loader) == labels_of(TfmdDL(Failing(), bs=4, num_workers=0, **options))


class Dark(Transform):
    """As augmentation does it: of the training set only."""

    split_idx = 0

    def encodes(self, values: torch.Tensor):
        return values * 0 if values.is_floating_point() else values


@pytest.mark.parametrize("event", ["after_item", "after_batch"])
@pytest.mark.parametrize("bad", [(), (6,)], ids=str)
def test_transforms_are_those_of_the_split(event, bad):
    means = {}
    for split_idx in (0, 1):
        data = Failing(*bad)
        data.split_idx = split_idx
        frame = profile(TfmdDL(data, bs=4, num_workers=0, **{event: Dark()})).frames["train"]
        means[split_idx] = frame["brightness"]
    assert (means[0] == 0).all()
    assert (means[1] > 0.4).all()
    assert len(means[0]) == len(means[1]) == 20 - len(bad)


def test_samples_that_make_no_batch_are_taken_one_by_one_and_it_is_told(caplog):
    sizes = [(3, 32, 40 if number == 5 else 32) for number in range(12)]
    data = [(torch.rand(size), number % 2) for number, size in enumerate(sizes)]
    found = profile(DataLoader(data, bs=4))
    assert found["summary"].statistics["train"]["images"] == 12
    assert found["errors"].statistics["train"]["count"] == 0
    (record,) = caplog.records
    # The kind alone: what a function of the user's says may name files.
    assert record.getMessage() == "samples that cannot be put together to a batch are taken one by one; RuntimeError"


def test_a_batch_whose_last_transform_fails_does_not_end_the_pass():
    def fails_for(batch):
        if 5 in batch[1]:
            raise OSError("too large")
        return batch

    found = profile(DataLoader(Failing(), bs=4, after_batch=fails_for))
    assert found["errors"].statistics["train"]["indices"] == [4, 5, 6, 7]
    assert found.frames["train"]["label"].tolist() == [*range(4), *range(8, 20)]
    assert found.complete


def test_a_loader_that_makes_its_batches_itself_is_left_to_it():
    class Backwards(DataLoader):
        def create_batches(self, places):
            for place in reversed(list(places)):
                yield self.create_batch([self.do_item(place)])

    found = profile(Backwards(Failing(10), bs=4))
    assert found.frames["train"]["label"].tolist() == [*range(19, 10, -1)]
    assert found["errors"].statistics["train"]["kinds"] == {"OSError": 1}
    assert not found.complete


@pytest.fixture
def folders(tmp_path):
    """Two classes of 15 images, the file of `cat/7.jpg` cut off."""
    generator = np.random.default_rng(0)
    for name in ("cat", "dog"):
        (tmp_path / name).mkdir()
        for number in range(15):
            pixels = generator.integers(0, 256, (40, 40, 3), np.uint8)
            Image.fromarray(pixels).save(tmp_path / name / f"{number}.jpg")
    broken = tmp_path / "cat" / "7.jpg"
    broken.write_bytes(broken.read_bytes()[:300])
    return tmp_path


@pytest.mark.parametrize("workers", [0, 2])
def test_a_corrupt_file_of_a_folder_is_one_sample_with_its_own_message(folders, workers):
    loaders = ImageDataLoaders.from_folder(
        folders, valid_pct=0.2, seed=3, item_tfms=Resize(32), bs=5, num_workers=workers, shuffle=False
    )
    found = profile(loaders.train, loaders.valid, samples=1)
    for split, data in (("train", loaders.train_ds), ("val", loaders.valid_ds)):
        lost = [place for place, path in enumerate(data.items) if path.parts[-2:] == ("cat", "7.jpg")]
        assert [failure.number for failure in found.errors[split]] == lost
        assert len(found.frames[split]) == len(data.items) - len(lost)
        named = [parent_label(path) for place, path in enumerate(data.items) if place not in lost]
        counts = {name: named.count(name) for name in ("cat", "dog")}
        assert found["classes"].statistics["counts"][split] == counts
    (failure,) = [*found.errors["train"], *found.errors["val"]]
    with pytest.raises(OSError) as raised:  # noqa: PT011 - what Pillow says
        Image.open(folders / "cat" / "7.jpg").load()
    assert failure.error == f"{type(raised.value).__name__}: {' '.join(str(raised.value).split())}"
    assert found.complete


def test_of_a_small_split_the_rest_is_profiled(folders):
    items = [folders / "cat" / "7.jpg", *(folders / "dog" / f"{number}.jpg" for number in range(3))]
    block = DataBlock(
        blocks=(ImageBlock, CategoryBlock(vocab=["cat", "dog"])),
        get_y=parent_label,
        splitter=IndexSplitter([0, 1, 2, 3]),
    )
    loaders = block.dataloaders([*items, folders / "cat" / "1.jpg"], bs=4, num_workers=0)
    found = profile(loaders.valid)
    assert found["classes"].statistics["counts"]["train"] == {"cat": 0, "dog": 3}
    assert found["errors"].statistics["train"]["indices"] == [0]


def test_classes_are_hidden_by_their_names(folders):
    loaders = ImageDataLoaders.from_folder(folders, valid_pct=0.2, seed=3, item_tfms=Resize(32), bs=5, num_workers=0)
    for given in (loaders.valid, loaders.valid_ds, Subset(loaders.valid_ds, [0, 1, 2, 3])):
        found = profile(given, hide_classes=["cat"])
        assert set(found["classes"].statistics["counts"]["train"]) == {"hidden", "dog"}
        assert not re.search(r"\bcat\b", str(found.document()))
    with pytest.raises(DataError, match="unknown class 'fox'"):
        profile(loaders.valid, hide_classes=["fox"])


def blocks_of(folders, *blocks, **options):
    paths = [folders / name / f"{number}.jpg" for name in ("cat", "dog") for number in range(5)]
    block = DataBlock(blocks=(ImageBlock, *blocks), splitter=IndexSplitter([0, 9]), item_tfms=Resize(32), **options)
    return block.dataloaders(paths, bs=4, num_workers=0, shuffle=False)


def test_a_class_for_what_is_missing_keeps_its_place(folders):
    loaders = blocks_of(folders, CategoryBlock(add_na=True), get_y=parent_label)
    assert list(loaders.vocab) == ["#na#", "cat", "dog"]
    found = profile(loaders.train)
    assert found["classes"].statistics["counts"]["train"] == {"#na#": 0, "cat": 4, "dog": 4}
    assert found.frames["train"]["label"].tolist() == [1] * 4 + [2] * 4


def test_the_names_of_several_classes_an_image_are_known(folders):
    loaders = blocks_of(folders, MultiCategoryBlock, get_y=lambda path: [parent_label(path), "animal"])
    assert profile(loaders.train, labels=lambda _item: None).naming.classes == ("animal", "cat", "dog")


def test_of_two_vocabularies_none_is_taken(folders):
    loaders = blocks_of(
        folders, CategoryBlock, CategoryBlock, n_inp=1, get_y=[parent_label, lambda path: f"number {path.stem}"]
    )
    found = profile(loaders.train, labels="[1]")
    assert found["classes"].statistics["counts"]["train"] == {"class 0": 4, "class 1": 4}
    loaders.train.vocab = [["cat", "dog"], ["fox", "hen"]]
    assert profile(loaders.train, labels="[1]").naming.classes == ()
    loaders.train.vocab = [["cat", "dog"]]
    assert profile(loaders.train, labels="[1]")["classes"].statistics["counts"]["train"] == {"cat": 4, "dog": 4}


@pytest.mark.parametrize("way", ["transform", "attribute", "with classes"])
def test_the_codes_of_masks_are_their_names(folders, way):
    def mask(path):
        (folders / "masks").mkdir(exist_ok=True)
        values = np.zeros((40, 40), np.uint8)
        values[:20] = parent_label(path) == "dog"
        Image.fromarray(values).save(folders / "masks" / f"{parent_label(path)}-{path.stem}.png")
        return folders / "masks" / f"{parent_label(path)}-{path.stem}.png"

    codes, paths = np.array(["grass", "roof"]), [folders / "dog" / f"{number}.jpg" for number in range(10)]
    if way == "with classes":
        loaders = blocks_of(folders, MaskBlock(codes), CategoryBlock, n_inp=1, get_y=[mask, parent_label])
        # Which of the two vocabularies is that of the label is not known.
        assert profile(loaders.train, labels="[1]").naming.classes == ()
        return
    loaders = SegmentationDataLoaders.from_label_func(
        folders, paths, mask, codes=codes if way == "transform" else None, valid_pct=0.2, seed=1, bs=4, num_workers=0,
        shuffle=False,
    )  # fmt: skip
    if way == "attribute":
        loaders.train.vocab = codes
    told = profile(loaders.train)["mask_classes"].statistics["train"]["classes"]
    assert {name: each["images"] for name, each in told.items()} == {"grass": 8, "roof": 8}


def test_a_vocabulary_of_anything_else_names_no_class():
    class Numbered(Transform):
        vocab = ("one", "two")

        def encodes(self, number):
            return torch.tensor(number % 2)

    class Words(Failing):
        vocab = ("a", "an", "the")

    data = Datasets(list(range(20)), [[lambda number: Failing().images[number]], [Numbered()]])
    for given in (TfmdDL(data, bs=4, num_workers=0), TfmdDL(Words(), bs=4, num_workers=0)):
        assert profile(given).naming.classes == ()
    # The same with fastai's own, whose numbers they are.
    letters = [lambda number: "ab"[number % 2], Categorize()]
    data = Datasets(list(range(20)), [[lambda number: Failing().images[number]], letters])
    assert profile(TfmdDL(data, bs=4, num_workers=0)).naming.classes == ("a", "b")


def test_all_loaders_at_once_are_refused(folders):
    loaders = ImageDataLoaders.from_folder(folders, valid_pct=0.2, seed=3, item_tfms=Resize(32), bs=5, num_workers=0)
    with pytest.raises(DataError, match=r"has several loaders; pass dls\.train and dls\.valid of it as train and val"):
        profile(loaders)


class OddError(Exception):
    def __init__(self, one, other):
        super().__init__(one, other)


def raises(index):
    """An error of each kind that torch has its own way with."""
    if index == 0:
        raise KeyError("cat")
    if index == 1:
        raise OddError("one", "other")
    if index == 2:
        raise OSError
    if index == 3:
        raise ValueError("first line\nOSError: second line")
    try:
        raise OSError("below")
    except OSError as error:
        raise OSError("above") from error


class Raising(torch.utils.data.Dataset):
    def __len__(self):
        return 6

    def __getitem__(self, index):
        return (torch.full((3, 32, 32), 0.5), 1) if index == 5 else raises(index)


class Stream(torch.utils.data.IterableDataset):
    """The same one after the other, as something that goes on after an error."""

    def __init__(self):
        self.data, self.places = Raising(), iter(range(6))

    def __iter__(self):
        return self

    def __next__(self):
        return self.data[next(self.places)]


@pytest.mark.parametrize("kind", ["torch", "torch, by threes", "torch, as a stream", "fastai"])
@pytest.mark.parametrize("workers", [0, 2])
def test_what_a_worker_raises_is_told_as_itself(kind, workers):
    own = []
    for index in range(5):
        try:
            raises(index)
        except Exception as error:
            own.append(f"{type(error).__name__}: {' '.join(str(error).split())}")

    given = {
        "torch": lambda: torch.utils.data.DataLoader(Raising(), batch_size=None, num_workers=workers),
        "torch, by threes": lambda: torch.utils.data.DataLoader(Raising(), batch_size=3, num_workers=workers),
        "torch, as a stream": lambda: torch.utils.data.DataLoader(Stream(), batch_size=None, num_workers=workers // 2),
        "fastai": lambda: TfmdDL(Raising(), bs=3, num_workers=workers),
    }[kind]()  # fmt: skip
    found = profile(given, samples=1)
    assert [failure.error for failure in found.errors["train"]] == own
    assert len(found.frames["train"]) == 1


@pytest.mark.parametrize("end", ["", ".", ".\nOriginal ", ".\nOriginal Traceback", ".\nOriginal TracebackError: x"])
def test_a_message_that_only_looks_like_that_of_a_worker_stays(end):
    said = f"Caught OSError in a place{end}"
    assert kind_and_message(ValueError(said)) == ("ValueError", said)
