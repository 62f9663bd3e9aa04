"""The examples of the documents of Brevetti AI's data science tools and of KappaData, one after the other."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
import torchvision
import torchvision.transforms.functional as F
from torch.utils.data import DataLoader

import augimpact as ai
from augimpact.data.image import EXAMPLES, example, read_image

KINDS = {"bad_cap": (11, 2), "good": (48, 3), "missing_cap": (6, 2)}


@pytest.fixture(scope="module")
def caps(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Photographs of bottles, two or three of each, named as there: the number of the bottle, then of the picture."""
    root = tmp_path_factory.mktemp("caps")
    generator = np.random.default_rng(0)
    photographs = [example(name) for name in list(EXAMPLES)[1:]]
    for photograph, (kind, (bottles, pictures)) in zip(photographs, KINDS.items(), strict=True):
        (root / kind).mkdir()
        for bottle in range(bottles):
            for picture in range(pictures):
                left, top = generator.integers(0, (photograph.width - 100, photograph.height - 100))
                piece = photograph.crop((left, top, left + 96, top + 80))
                piece.save(root / kind / f"{bottle}_{1543413169486 + picture}.bmp")
    return root


def test_brevettis_samples_split_weights_pipeline_and_augmentation(caps):
    samples = ai.SampleTable.from_folder(caps, memory=None)
    assert samples.groupby("folder").count()["path"].to_dict() == {"bad_cap": 22, "good": 144, "missing_cap": 12}
    split = ai.Split(0.8, stratify=["folder"], unique=r"/(\d*)_\d*.bmp", seed=42, mode="permutation")
    samples = split.assign(samples, remainder="devel")
    found = samples.groupby(["folder", "purpose"]).size()
    assert found["bad_cap"].to_dict() == {"devel": 6, "train": 16}
    assert found["missing_cap"].to_dict() == {"devel": 2, "train": 10}

    sampler = ai.StratifiedSampler(samples, ["folder"], "logx+1", seed=3, length=len(samples))
    assert len(samples.frame.iloc[list(sampler)].groupby("folder").size()) == 3
    plain = ai.ImageDataset(samples, ai.ImagePipeline((128, 128)))
    augmentation = ai.RandomAugmentation(stretch_x=(-1, 1), rotation=(-20, 20), shear_x=(-10, 10), noise=(0, 0.1))
    augmented = ai.ImageDataset(samples, ai.ImagePipeline((128, 128)), augmentation=augmentation)
    images, first, second = (
        next(iter(DataLoader(dataset.view("image"), batch_size=4, sampler=sampler)))
        for dataset in (plain, augmented, augmented)
    )
    assert images.shape == first.shape == (4, 3, 128, 128)
    assert torch.equal(first, second)
    assert not torch.equal(images, first)


class ImageClassificationDataset(ai.Dataset):
    """As there: an image and a class label, each by itself; the crop's parameters come out by the context."""

    class_names = ("bad_cap", "good", "missing_cap")

    def __init__(self, image_paths: list[Path], cache: ai.MemoryCache | None = None) -> None:
        self.image_paths, self.cache, self.opened = image_paths, cache, 0
        self.random_resized_crop = torchvision.transforms.RandomResizedCrop(64)

    def __len__(self) -> int:
        return len(self.image_paths)

    def get_x(self, index, context):
        self.opened += 1
        path = self.image_paths[index]
        content = path.read_bytes() if self.cache is None else self.cache.fetch(path.name, path.read_bytes)
        image = read_image(content)
        context["crop_parameters"] = self.random_resized_crop.get_params(image, (0.08, 1.0), (0.75, 1.33))
        return F.to_tensor(F.resized_crop(image, *context["crop_parameters"], [64, 64]))

    def get_label(self, index, context):
        return self.class_names.index(self.image_paths[index].parent.name)


@pytest.fixture
def paths(caps) -> list[Path]:
    return sorted(caps.rglob("*.bmp"))


def test_kappadatas_modes_and_contexts(paths):
    dataset = ImageClassificationDataset(paths)
    labels = list(dataset.view("label"))
    assert np.bincount(labels).tolist() == [22, 144, 12]
    assert dataset.opened == 0
    for x, (top, left, height, width) in dataset.subset(slice(3)).view("x context.crop_parameters"):
        assert x.shape == (3, 64, 64)
        assert 0 <= top <= top + height <= 80
        assert 0 <= left <= left + width <= 96
    assert dataset.opened == 3


def test_kappadatas_cache_in_memory(paths):
    with ai.MemoryCache() as cache:
        dataset = ImageClassificationDataset(paths[:20], cache)
        for _ in range(2):
            assert len(list(DataLoader(dataset.view("x label"), batch_size=5, num_workers=2))) == 4
            # Raw bytes, not pixels.
            assert len(cache) == 20
        assert cache[paths[0].name] == paths[0].read_bytes()


def test_kappadatas_copy_to_a_local_disk(caps, tmp_path):
    source, local = tmp_path / "system", tmp_path / "local"
    for part in ("train", "val"):
        for file in caps.rglob("0_*.bmp"):
            target = source / "ImageNet" / part / file.relative_to(caps)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(file.read_bytes())
    zipped = tmp_path / "zipped"
    zipped.mkdir()
    for part in ("train", "val"):
        with zipfile.ZipFile(zipped / f"{part}.zip", "w") as archive:
            for file in (source / "ImageNet" / part).rglob("*.bmp"):
                archive.write(file, file.relative_to(source / "ImageNet"))
    whole = ai.copy_to_local(source / "ImageNet", local / "whole")
    train = ai.copy_to_local(source / "ImageNet", local / "part", "train")
    unpacked = ai.copy_to_local(zipped, local / "unpacked")
    names = sorted(str(file.relative_to(whole)) for file in whole.rglob("*.bmp"))
    assert names == sorted(str(file.relative_to(unpacked)) for file in unpacked.rglob("*.bmp"))
    assert len(names) == 2 * len(list(train.rglob("*.bmp"))) == 14
    assert train == local / "part" / "train"
    # Whole, so that nothing is copied; incomplete, so that all of it is again.
    stamp = (whole / names[0]).stat().st_mtime_ns
    ai.copy_to_local(source / "ImageNet", local / "whole")
    assert (whole / names[0]).stat().st_mtime_ns == stamp
    (whole / names[1]).unlink()
    ai.copy_to_local(source / "ImageNet", local / "whole")
    assert (whole / names[1]).is_file()


def test_kappadatas_filters(paths):
    dataset = ImageClassificationDataset(paths)
    assert len(dataset.where(classes=[0, 1])) == 166
    assert len(dataset.where(exclude=[0, 1])) == len(dataset.where(["missing_cap"])) == 12
    assert np.bincount(dataset.oversample().labels).tolist() == [132, 144, 144]
    assert len(dataset.fraction(0.25)) == len(dataset.fraction(end=0.75)) + 1 == 134
    assert len(dataset.fraction(0.25, 0.75)) == 89
    assert len(dataset.repeat(2)) == 356
    assert len(dataset.subset(slice(30)).repeat(min_size=100)) == 120
    shuffled = dataset.shuffle(seed=5)
    assert shuffled.labels.tolist() != dataset.labels.tolist()
    assert sorted(shuffled.indices.tolist()) == list(range(178))
