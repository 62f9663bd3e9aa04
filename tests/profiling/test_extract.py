"""Any loader in, one pass, the right numbers out."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageStat
from scipy.stats import ks_2samp
from torch.utils.data import DataLoader, TensorDataset
from torchvision.datasets import ImageFolder
from torchvision.transforms import v2

import augimpact as ai
from augimpact.data.image import EXAMPLES, example
from augimpact.errors import AmbiguousData, DataError
from augimpact.profiling.extract import profile
from augimpact.profiling.result import Profile
from tests.conftest import mean_luma

SILENT = {"progress": lambda done, total: None}


@pytest.fixture(scope="module")
def pictures() -> list[np.ndarray]:
    """Twelve pieces of photographs, `(48, 64, 3)`."""
    generator = np.random.default_rng(0)
    found = []
    for number in range(12):
        photograph = example(list(EXAMPLES)[number % 4])
        left, top = generator.integers(0, (photograph.width - 160, photograph.height - 120))
        found.append(np.asarray(photograph.crop((left, top, left + 128, top + 96)).resize((64, 48))))
    return found


@pytest.fixture(scope="module")
def labels() -> list[int]:
    return [number % 4 for number in range(12)]


@pytest.fixture(scope="module")
def expected(pictures, labels) -> Profile:
    return profile(list(zip(pictures, labels, strict=True)), **SILENT)


def chw(pictures: list[np.ndarray]) -> torch.Tensor:
    return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2)


def assert_equal(found: Profile, expected: Profile, tolerance: float = 0.0) -> None:
    """The same samples with the same numbers."""
    for split, frame in expected.frames.items():
        other = found.frames[split]
        assert other[["index", "label", "width", "height"]].equals(frame[["index", "label", "width", "height"]])
        for name in ("brightness", "contrast", "saturation", "entropy"):
            assert np.abs(other[name] - frame[name]).max() <= tolerance


FORMS = {
    "a list of pairs": lambda x, y: list(zip(x, y, strict=True)),
    "pillow images": lambda x, y: [(Image.fromarray(each), label) for each, label in zip(x, y, strict=True)],
    "an iterator": lambda x, y: iter(list(zip(x, y, strict=True))),
    "a loader of bytes": lambda x, y: DataLoader(TensorDataset(chw(x), torch.tensor(y)), batch_size=5),
    "a loader of floats": lambda x, y: DataLoader(TensorDataset(chw(x) / 255, torch.tensor(y)), batch_size=5),
    "floats up to 255": lambda x, y: DataLoader(TensorDataset(chw(x).float(), torch.tensor(y)), batch_size=5),
    "whole numbers": lambda x, y: DataLoader(TensorDataset(chw(x).int(), torch.tensor(y)), batch_size=5),
    "channels last": lambda x, y: [(np.stack(x[:7]), np.array(y[:7])), (np.stack(x[7:]), np.array(y[7:]))],
    "mappings": lambda x, y: [
        {"picture": each, "meta": {"name": "x", "kind": k}} for each, k in zip(x, y, strict=True)
    ],
    "lists of images": lambda x, y: [(list(x), list(y))],
    "lists of pillow images": lambda x, y: [([Image.fromarray(each) for each in x], torch.tensor(y))],
    "16 bits": lambda x, y: [((each.astype(np.uint16) * 257), label) for each, label in zip(x, y, strict=True)],
}


@pytest.mark.parametrize("form", FORMS)
def test_whatever_form_samples_have_they_are_the_same(form, pictures, labels, expected):
    assert_equal(profile(FORMS[form](pictures, labels), **SILENT), expected)


def test_normalised_images_come_back_by_mean_and_deviation(pictures, labels, expected):
    mean, std = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
    normalised = v2.functional.normalize(chw(pictures) / 255, mean, std)
    loader = DataLoader(TensorDataset(normalised, torch.tensor(labels)), batch_size=4)
    assert_equal(profile(loader, mean=mean, std=std, **SILENT), expected)
    with pytest.raises(DataError, match=r"pass mean=… and std=… if they were normalised"):
        profile(loader, **SILENT)


def test_blue_green_red_is_declared(pictures, labels, expected):
    turned = [(each[..., ::-1].copy(), label) for each, label in zip(pictures, labels, strict=True)]
    assert_equal(profile(turned, channels="BGR", **SILENT), expected)
    colours = profile(turned, **SILENT)["colours"].statistics["train"]["3 channels"]
    assert np.array_equal(colours[::-1], expected["colours"].statistics["train"]["3 channels"])


def test_an_image_is_the_same_in_whatever_order_its_memory_is(pictures, expected):
    turned = [np.ascontiguousarray(each.transpose(2, 0, 1)).transpose(1, 2, 0) for each in pictures]
    found = profile(list(zip(turned, expected.frames["train"]["label"], strict=True)), **SILENT)
    assert found.frames["train"].equals(expected.frames["train"])
    assert found.document() == expected.document()


@pytest.fixture
def folders(pictures, labels, tmp_path) -> Path:
    for number, (picture, label) in enumerate(zip(pictures, labels, strict=True)):
        place = tmp_path / "data" / f"class{label}"
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture).save(place / f"{number:02}.png")
    return tmp_path / "data"


def test_folders_tables_and_datasets_are_the_same(folders):
    table = ai.SampleTable.from_folder(folders, memory=None, progress=SILENT["progress"])
    expected = profile(table, **SILENT)
    assert len(expected.frames["train"]) == 12
    assert_equal(profile(folders, **SILENT), expected)
    assert_equal(profile(str(folders), **SILENT), expected)
    assert_equal(profile(ImageFolder(str(folders)), **SILENT), expected)
    dataset = ai.ImageDataset(table)
    assert_equal(profile(dataset, **SILENT), expected)
    assert_equal(profile(dataset.view("image label"), **SILENT), expected)
    loader = DataLoader(dataset.view("image label"), batch_size=5, num_workers=2)
    assert_equal(profile(loader, **SILENT), expected)
    names = list(expected["classes"].statistics["counts"]["train"])
    assert names == [f"class{number}" for number in range(4)]
    assert list(profile(ImageFolder(str(folders)), **SILENT)["classes"].statistics["counts"]["train"]) == names


def test_fastais_loaders_are_profiled(folders):
    from fastai.vision.all import ImageDataLoaders

    loaders = ImageDataLoaders.from_folder(folders, valid_pct=0.25, seed=2, bs=3, num_workers=0, shuffle=False)
    found = profile(loaders.valid, class_names=list(loaders.vocab), **SILENT)
    paths = loaders.valid_ds.items
    lumas = [mean_luma(Image.open(path).convert("RGB")) for path in paths]
    assert found.frames["train"]["brightness"].tolist() == pytest.approx(lumas)


def test_brightness_and_deviation_are_those_of_pillow(pictures, expected):
    frame = expected.frames["train"]
    assert frame["brightness"].tolist() == pytest.approx([mean_luma(Image.fromarray(each)) for each in pictures])
    grey = [ImageStat.Stat(Image.fromarray(each).convert("L")) for each in pictures]
    assert frame["contrast"].tolist() == pytest.approx([each.stddev[0] / 255 for each in grey])


def test_the_normalisation_is_that_of_all_pixels(pictures, expected):
    summary = expected["summary"].statistics["train"]
    pixels = np.stack(pictures).reshape(-1, 3) / 255
    assert summary["mean"] == pytest.approx(pixels.mean(axis=0))
    assert summary["std"] == pytest.approx(pixels.std(axis=0))
    line = eval(summary["normalize"], {"Normalize": v2.Normalize})
    normalised = line(chw(pictures) / 255)
    assert normalised.mean(dim=(0, 2, 3)).abs().max() < 0.005
    assert (normalised.std(dim=(0, 2, 3)) - 1).abs().max() < 0.01


def test_an_all_black_first_batch_of_floats_freezes_no_range(pictures):
    dark = torch.zeros(4, 3, 48, 64)
    normal = chw(pictures[:8]) / 255
    loader = [(dark, torch.zeros(4, dtype=int)), (normal, torch.ones(8, dtype=int))]
    brightness = profile(loader, **SILENT).frames["train"]["brightness"]
    assert brightness[:4].tolist() == [0] * 4
    assert brightness[4:].tolist() == pytest.approx([mean_luma(Image.fromarray(each)) for each in pictures[:8]])
    # The same in the other range.
    large = [(dark, torch.zeros(4, dtype=int)), (normal * 255, torch.ones(8, dtype=int))]
    assert profile(large, **SILENT).frames["train"]["brightness"].tolist() == pytest.approx(brightness.tolist())
    only_black = profile([(dark, torch.zeros(4, dtype=int))], **SILENT)
    assert only_black.frames["train"]["brightness"].tolist() == [0] * 4


def test_a_range_that_is_contradicted_is_asked_for(pictures):
    normal = chw(pictures) / 255
    mixed = [(normal[:6], torch.zeros(6, dtype=int)), (normal[6:] * 255, torch.ones(6, dtype=int))]
    with pytest.raises(DataError, match=r"after others in \[0, 1\]; pass value_range=\(black, white\)"):
        profile(mixed, **SILENT)


@pytest.mark.parametrize("count", [12, 300])
@pytest.mark.parametrize("form", ["batches", "single", "long"])
def test_floats_a_little_above_one_are_asked_for(pictures, form, count):
    # The highest value comes first: photographs in [0, 1] before it would say what they are.
    brightest = max(pictures, key=np.max)
    images = np.stack([brightest, *(pictures * 25)[: count - 1]]).astype(np.float32) / 255 * 1.1
    highest = images.max()
    asked = []

    def long():
        for number in range(600):
            asked.append(number)
            yield images[0], 0

    loader = {
        "batches": lambda: (
            [(torch.from_numpy(images[:6]).permute(0, 3, 1, 2), torch.zeros(6, dtype=int))] * (count // 6)
        ),
        "single": lambda: [(image, 0) for image in images],
        "long": long,
    }[form]()
    with pytest.raises(AmbiguousData, match=f"values up to {highest:.5g}, .*value_range='byte'") as caught:
        profile(loader, **SILENT)
    assert caught.value.argument == "value_range"
    assert len(asked) == (256 if form == "long" else 0)
    if form == "single":
        span = (0.0, float(highest))
        brightness = profile(loader, value_range=span, **SILENT).frames["train"]["brightness"]
        assert brightness[0] == pytest.approx(mean_luma(Image.fromarray(brightest)) / brightest.max() * 255, abs=0.005)


def test_dark_floats_wait_for_bright_ones_that_tell_that_they_are_bytes(pictures):
    dark = np.full((48, 64, 3), 10, np.float32)
    bright = [picture.astype(np.float32) for picture in pictures]
    black = np.zeros_like(dark)
    for before in ([dark] * 5, [black, dark, dark / 20], [black] * 300 + [dark]):
        found = profile([(image, 0) for image in before + bright], **SILENT)
        brightness = found.frames["train"]["brightness"]
        assert brightness[: len(before)].tolist() == pytest.approx([np.rint(image[0, 0, 0]) / 255 for image in before])
        assert brightness[len(before) :].tolist() == pytest.approx(
            [mean_luma(Image.fromarray(each)) for each in pictures]
        )
        with pytest.raises(AmbiguousData, match="values up to 10,"):
            profile([(image, 0) for image in before], **SILENT)
        alone = profile([(image, 0) for image in before], value_range="byte", **SILENT).frames["train"]["brightness"]
        assert alone.tolist() == brightness[: len(before)].tolist()
    # Bytes between them decide nothing of them.
    with pytest.raises(AmbiguousData, match="values up to 10,"):
        profile([(dark, 0), (pictures[0], 0), (dark, 0)], **SILENT)


def test_sixteen_bits_wait_for_a_value_that_tells_that_all_are_used(pictures, monkeypatch):
    dark = [picture.astype(np.uint16) * 16 for picture in pictures]
    bright = [picture.astype(np.uint16) * 257 for picture in pictures]
    lumas = np.array([mean_luma(Image.fromarray(each)) for each in pictures])
    black = [np.zeros_like(dark[0])]
    found = profile([(image, 0) for image in black + dark + bright], **SILENT).frames["train"]["brightness"]
    assert found[1:13].tolist() == pytest.approx((lumas * 16 / 257).tolist(), abs=0.002)
    assert found[13:].tolist() == pytest.approx(lumas.tolist())
    assert profile([(black[0], 0)] * 3, **SILENT).frames["train"]["brightness"].tolist() == [0] * 3
    asked = []

    def many(count: int = 600):
        for number in range(count):
            asked.append(number)
            yield dark[number % 12], 0

    highest = max(each.max() for each in dark)
    with pytest.raises(AmbiguousData, match=f"whole numbers up to {highest} in 16 bits") as caught:
        profile(many(), **SILENT)
    assert caught.value.argument == "value_range"
    assert len(asked) == 256
    monkeypatch.setattr("augimpact.profiling.source.WAITING_BYTES", 10 * dark[0].nbytes)
    with pytest.raises(AmbiguousData):
        profile(many(), **SILENT)
    assert len(asked) == 256 + 10
    given = profile(many(12), value_range=[0, 4080], **SILENT).frames["train"]["brightness"]
    assert given.tolist() == pytest.approx(lumas.tolist())


@pytest.mark.parametrize("form", ["single", "batches", "tensors"])
def test_whole_numbers_that_are_no_bytes_are_asked_for_and_read_as_they_are_answered(form):
    values = np.random.default_rng(0).integers(-1000, 1000, (6, 20, 30, 1)).astype(np.int16)
    labels = torch.arange(6) % 2
    data = {
        "single": list(zip(values, labels.tolist(), strict=True)),
        "batches": [(values[:3], labels[:3].numpy()), (values[3:], labels[3:].numpy())],
        "tensors": DataLoader(TensorDataset(torch.from_numpy(values).permute(0, 3, 1, 2), labels), batch_size=4),
    }[form]
    with pytest.raises(AmbiguousData, match="have whole numbers from -") as caught:
        profile(data, **SILENT)
    for option in caught.value.options[:-1]:
        low, high = option.arguments["value_range"]
        found = profile(data, **option.arguments, **SILENT).frames["train"]["brightness"]
        expected = (values.mean(axis=(1, 2, 3)) - low) / (high - low)
        assert found.tolist() == pytest.approx(expected.tolist(), abs=1e-3)


@pytest.fixture
def deep(tmp_path, pictures) -> tuple[Path, np.ndarray]:
    """A folder of files in 16 bits, of which 12 are used, and one of bytes; and their values where 4080 is white."""
    values = np.stack([picture[..., 1] for picture in pictures])
    for number, each in enumerate(values):
        place = tmp_path / "deep" / f"class{number % 2}"
        place.mkdir(parents=True, exist_ok=True)
        file = place / f"{number:02}"
        twelve = each.astype(np.uint16) * 16
        if number == 0:
            Image.fromarray(each).save(f"{file}.png")
        elif number % 3:
            Image.fromarray(twelve).save(f"{file}.png")
        else:
            np.save(f"{file}.npy", twelve)
    return tmp_path / "deep", values / 255


def test_files_in_sixteen_bits_that_may_use_fewer_are_told(deep, pictures):
    folder, values = deep
    table = ai.SampleTable.from_folder(folder, pattern="*.*", identity="path")
    taken = profile(table, table, **SILENT)
    means = dict(zip(taken.frames["train"]["index"], taken.frames["train"]["brightness"], strict=True))
    order = [int(Path(path).stem) for path in table["path"]]
    highest = int(max(each.max() for each in values[1:]) * 4080 + 0.5)
    told = (
        f"No value of the images in 16 bits in train and val is above {highest}, and white is taken as 65535: "
        "if it is 4095, pass value_range=(0, 4095). "
    )
    assert told in taken["summary"].sentence
    assert taken["summary"].statistics["val"]["highest_of_16_bits"] == highest
    for index, number in enumerate(order):
        scale = 1 if number == 0 else 4080 / 65535
        assert means[index] == pytest.approx(values[number].mean() * scale, abs=0.002)
    given = profile(table, value_range=(0, 4080), **SILENT)
    assert given.frames["train"]["brightness"].tolist() == pytest.approx(values[order].mean(axis=(1, 2)).tolist())
    assert "16 bits" not in given["summary"].sentence
    assert "highest_of_16_bits" not in given["summary"].statistics["train"]
    small = profile(table, value_range=(0, 100), **SILENT)
    assert small.frames["train"]["index"].tolist() == [order.index(0)]
    assert {each.kind for each in small.errors["train"]} == {"DataError"}
    # Where all bits are used, or only bytes are there, nothing is said.
    Image.fromarray(np.full((48, 64), 40000, np.uint16)).save(folder / "class0" / "bright.png")
    assert "16 bits" not in profile(folder, **SILENT)["summary"].sentence


def test_files_of_other_numbers_are_read_as_black_and_white_are_given(tmp_path, pictures):
    values = np.stack([picture[..., 1] for picture in pictures[:4]]).astype(np.float64)
    forms = {"float32": values * 4 - 200, "int32": values * 400 - 20000}
    for kind, each in forms.items():
        (tmp_path / kind).mkdir()
        for number, image in enumerate(each.astype(kind)):
            if number % 2:
                np.save(tmp_path / kind / f"{number}.npy", image)
            else:
                Image.fromarray(image).save(tmp_path / kind / f"{number}.tif")
        table = ai.SampleTable.from_folder(tmp_path / kind, pattern="*.*", identity="path")
        low, high = (-200, 820) if kind == "float32" else (-20000, 82000)
        found = profile(table, value_range=(low, high), **SILENT).frames["train"]["brightness"]
        order = [int(Path(path).stem) for path in table["path"]]
        assert found.tolist() == pytest.approx((values[order].mean(axis=(1, 2)) / 255).tolist())


def saved(folder: Path, images: Sequence[np.ndarray]) -> Path:
    """A folder of files of these numbers, every second one a TIFF."""
    folder.mkdir()
    for number, image in enumerate(images):
        if number % 2:
            Image.fromarray(image).save(folder / f"{number}.tif")
        else:
            np.save(folder / f"{number}.npy", image)
    return folder


@pytest.mark.parametrize(
    ("kind", "scale", "asked"),
    [
        ("float32", 1 / 255, None),
        ("float32", 1.0, None),
        ("float32", 3 / 255, "values up to 3, too high for"),
        ("float32", 20.0, "values up to 5100"),
        ("float32", -1 / 255, "values from -1 to -0.*; pass value_range='signed'"),
        ("int32", 1, None),
        ("int32", 160, "values up to 40800; pass value_range=.0, 65535. if white is 65535"),
        ("int32", -4, "whole numbers from -1020 to -"),
    ],
)
def test_files_of_other_numbers_are_asked_for_where_these_do_not_tell(tmp_path, pictures, kind, scale, asked):
    levels = np.stack([picture[..., 1] for picture in pictures[:4]]).astype(np.int64)
    levels[0], levels[1:, 0, 0] = 0, 255
    folder = saved(tmp_path / "data", (levels * scale).astype(kind))
    table = ai.SampleTable.from_folder(folder, pattern="*.*", identity="path")
    expected = pytest.approx((levels.mean(axis=(1, 2)) / 255).tolist(), abs=1e-6)
    if asked is None:
        assert profile(table, **SILENT).frames["train"]["brightness"].tolist() == expected
        return
    with pytest.raises(AmbiguousData, match=asked) as caught:
        profile(table, **SILENT)
    # Nobody normalises files.
    assert {name for option in caught.value.options for name in option.arguments} == {"value_range"}
    assert "mean" not in str(caught.value)
    ends = tuple(sorted((0, 255 * scale)))
    given = profile(table, **SILENT, value_range=ends).frames["train"]["brightness"]
    brightness = levels.mean(axis=(1, 2)) / 255
    assert given.tolist() == pytest.approx((brightness if scale > 0 else 1 - brightness).tolist(), abs=0.003)


@pytest.mark.parametrize("white", [1023, 4095, 65535])
def test_greymaps_of_more_than_a_byte_name_their_range(tmp_path, white):
    values = np.linspace(0, white, 30 * 20).round().astype(">u2").reshape(20, 30)
    (tmp_path / "deep.pgm").write_bytes(b"P5 30 20 %d\n" % white + values.tobytes())
    table = ai.SampleTable.from_list([tmp_path / "deep.pgm"])
    found = profile(table, **SILENT)
    assert found.frames["train"]["brightness"].item() == pytest.approx(values.mean() / white, abs=0.001)
    assert "16 bits" not in found["summary"].sentence


def test_a_black_image_with_one_white_row_is_as_bright_as_its_share():
    image = np.zeros((20, 10, 3), np.uint8)
    image[7] = 255
    assert profile([(image, 0)], **SILENT).frames["train"]["brightness"].tolist() == pytest.approx([1 / 20])


def test_values_from_100_to_110_fill_only_these_bins():
    image = np.random.default_rng(0).integers(100, 111, (30, 30, 3), np.uint8)
    (counts,) = profile([(image, 0)], **SILENT)["colours"].statistics["train"].values()
    assert np.flatnonzero(counts.sum(axis=0)).tolist() == list(range(100, 111))
    assert counts.sum() == image.size


def test_batches_of_grey_images_and_five_channels(pictures):
    grey = torch.from_numpy(np.stack([each[..., 1] for each in pictures]))
    labels = torch.arange(12) % 3
    found = profile([(grey, labels)], **SILENT).frames["train"]
    assert found["channels"].tolist() == [1] * 12
    assert found["brightness"].tolist() == pytest.approx((grey.float().mean(dim=(1, 2)) / 255).tolist())
    five = torch.randint(0, 256, (12, 5, 20, 30), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    many = profile([(five, labels)], **SILENT)
    assert many.frames["train"]["channels"].tolist() == [5] * 12
    assert (many.frames["train"]["width"] == 30).all()
    (counts,) = many["colours"].statistics["train"].values()
    assert counts.shape == (5, 256)
    assert np.array_equal(counts[4], np.bincount(five[:, 4].reshape(-1), minlength=256))


def test_one_corrupt_file_among_a_hundred_is_told(pictures, tmp_path):
    for number in range(99):
        place = tmp_path / f"class{number % 2}"
        place.mkdir(exist_ok=True)
        Image.fromarray(np.roll(pictures[number % 12], number, axis=1)).save(place / f"{number:03}.png")
    (tmp_path / "class0" / "050x.png").write_bytes(b"not a picture")
    found = profile(tmp_path, **SILENT)
    assert len(found.frames["train"]) == 99
    errors = found["errors"].statistics["train"]
    assert errors["count"] == 1
    assert errors["kinds"] == {"ImageError": 1}
    assert 26 <= errors["indices"][0] <= 26 + 1
    assert found.complete


class Failing:
    """A dataset of which some items raise, are not finite, or have labels that there are not."""

    classes = ("cat", "dog")

    def __init__(self, pictures: list[np.ndarray]) -> None:
        self.pictures = pictures

    def __len__(self) -> int:
        return 12

    def __getitem__(self, index: int):
        if index == 3:
            raise OSError("the disk is gone")
        image = torch.from_numpy(self.pictures[index].copy()).permute(2, 0, 1) / 255
        if index == 5:
            image[0, 0, 0] = float("nan")
        return image, 7 if index == 8 else index % 2


def test_what_fails_goes_to_the_ledger_and_the_pass_goes_on(pictures):
    found = profile(Failing(pictures), **SILENT)
    errors = found["errors"].statistics["train"]
    assert errors["indices"] == [3, 5, 8]
    assert errors["kinds"] == {"OSError": 1, "DataError": 2}
    assert found.frames["train"]["index"].tolist() == [0, 1, 2, 4, 6, 7, 9, 10, 11]


def test_the_normalisation_of_grey_and_coloured_images_is_that_of_rgb(pictures):
    alpha = np.random.default_rng(0).integers(0, 256, (*pictures[2].shape[:2], 1), dtype=np.uint8)
    mixed = [pictures[0], pictures[1][..., :1], np.concatenate([pictures[2], alpha], axis=-1), pictures[3]]
    found = profile(mixed, **SILENT)["summary"]
    told = found.statistics["train"]
    rgb = [pictures[0], np.repeat(pictures[1][..., :1], 3, axis=-1), pictures[2], pictures[3]]
    pixels = np.concatenate([each.reshape(-1, 3) for each in rgb]) / 255
    assert told["mean"] == pytest.approx(pixels.mean(axis=0))
    assert told["std"] == pytest.approx(pixels.std(axis=0))
    assert eval(told["normalize"], {"Normalize": v2.Normalize}).mean == pytest.approx(pixels.mean(axis=0), abs=6e-4)
    assert told["normalize_as"] == "RGB (grey thrice, without a fourth channel)"
    assert "puts those of train around 0, as RGB (grey thrice, without a fourth channel)." in found.sentence
    # Images of one kind are told as they are.
    grey = profile([each[..., :1] for each in pictures], **SILENT)["summary"].statistics["train"]
    assert len(grey["mean"]) == 1
    assert "normalize_as" not in grey


@pytest.mark.parametrize("channels", ["RGB", "BGR"])
@pytest.mark.parametrize("scale", [1, 0.05, 0.004], ids=str)
def test_the_line_to_copy_puts_the_users_own_images_around_0(pictures, scale, channels):
    # Channels that differ much, so that their order matters.
    levels = (np.stack(pictures) * (np.array([1, 0.6, 0.3]) * scale)).round().astype(np.uint8)
    found = profile([(each, 0) for each in levels], channels=channels, **SILENT)["summary"]
    told = found.statistics["train"]
    if not all(told["std"]):
        assert scale == 0.004
        assert "normalize" not in told
        flat = [
            ("red", "green", "blue")["RGB".index(channels[place])]
            for place in range(3)
            if levels[..., place].max() == 0
        ]
        assert f"There is no Normalize for train: all values of the {flat[0]} channel are equal." in found.sentence
        return
    normalised = eval(told["normalize"], {"Normalize": v2.Normalize})(chw(list(levels)).double() / 255)
    assert normalised.mean(dim=(0, 2, 3)).abs().max() < 0.01
    assert (normalised.std(dim=(0, 2, 3), unbiased=False) - 1).abs().max() < 0.01
    order = ", as BGR, the channels in the order of the images" if channels == "BGR" else ""
    assert f"{told['normalize']} puts those of train around 0{order}." in found.sentence


@pytest.mark.parametrize("level", [20, 40])
def test_the_line_to_copy_of_dark_sixteen_bits_can_be_copied(pictures, level):
    # Up to `level` of 255 levels.
    deep = np.stack([(picture.astype(np.float64) * level * 257 / 255).astype(np.uint16) for picture in pictures])
    told = profile([(each, 0) for each in deep], value_range=(0, 65535), **SILENT)["summary"].statistics["train"]
    numbers = [each.strip() for part in told["normalize"].split("[")[1:] for each in part.split("]")[0].split(",")]
    assert len(numbers) == 6
    for each in numbers:
        assert len(each.partition(".")[2]) >= 3
        assert len(each.replace(".", "").lstrip("0")) >= 3
    normalised = eval(told["normalize"], {"Normalize": v2.Normalize})(
        torch.from_numpy(deep / 65535).permute(0, 3, 1, 2)
    )
    assert normalised.mean(dim=(0, 2, 3)).abs().max() < 0.01
    assert (normalised.std(dim=(0, 2, 3), unbiased=False) - 1).abs().max() < 0.01


DEEP = {
    "a camera's 16 bits": (lambda draw: draw.normal(300, 60, (64, 64)).astype(np.uint16), (0, 65535)),
    "one level of 256": (lambda draw: draw.integers(100, 125, (64, 64)).astype(np.uint16), (0, 65535)),
    "computed tomography": (lambda draw: draw.normal(40, 4, (64, 64)).astype(np.int16), (-1024, 3071)),
    "floats": (lambda draw: (draw.random((64, 64)) * 0.0015).astype(np.float32), (0, 1)),
}


@pytest.mark.parametrize("kind", DEEP)
def test_of_what_rounding_to_bytes_leaves_little_no_line_and_no_copies_are_told(kind):
    make, span = DEEP[kind]
    several = [make(np.random.default_rng(number)) for number in range(6)]
    found = profile(several, value_range=span, **SILENT)
    assert "normalize" not in found["summary"].statistics["train"]
    assert (
        "There is no Normalize for train: rounded to 8 bits, the deviation is less than 2 of 256 levels; "
        "pass value_range=(black, white) nearer to the least and the highest value." in found["summary"].sentence
    )
    told = "The images of train are not compared: rounded to 8 bits, too little is left of them."
    assert found["duplicates"].sentence == told
    assert found["duplicates"].statistics["not_compared"] == 6
    twice = [(np.uint8(number) * np.eye(30, dtype=np.uint8), 0) for number in (200, 200)]
    beside = profile(twice, several, value_range=span, features=["duplicates"], **SILENT)["duplicates"]
    assert beside.sentence == f"2 images are there more than once, 0 nearly. {told.replace('train', 'val')}"
    # As that says: black and white near to them, all is told of them.
    least, most = float(np.min(several)), float(np.max(several))
    found = profile([*several, several[0]], value_range=(least, most), **SILENT)
    line = eval(found["summary"].statistics["train"]["normalize"], {"Normalize": v2.Normalize})
    scaled = (np.stack([*several, several[0]]).astype(np.float64) - least) / (most - least)
    # Some 30 steps of a tomograph do not fit 255.
    assert [*line.mean, *line.std] == pytest.approx([scaled.mean(), scaled.std()], rel=0.02)
    assert found["duplicates"].statistics["exact"] == 2
    assert found["duplicates"].statistics["not_compared"] == 0


def test_channels_that_rounding_leaves_little_of_are_named_and_bytes_are_as_they_are(pictures):
    deep = [each.astype(np.uint16) * np.array([257, 1, 257], np.uint16) for each in pictures]
    found = profile([*deep, deep[0]], value_range=(0, 65535), **SILENT)
    assert found["summary"].statistics["train"]["coarse_channels"] == [1]
    assert "the deviation of the green channel is less than 2 of" in found["summary"].sentence
    assert found["duplicates"].statistics["exact"] == 2
    # Nothing is lost of bytes, whatever type they have.
    dark = [each // 64 for each in pictures]
    for given in (dark, [each.astype(np.int64) for each in dark]):
        found = profile([*given, given[0]], value_range="byte", **SILENT)
        assert "normalize" in found["summary"].statistics["train"]
        assert found["duplicates"].statistics["exact"] >= 2
        assert found["duplicates"].statistics["not_compared"] == 0


def test_where_all_values_are_equal_there_is_no_line_to_copy(pictures):
    opaque = [np.concatenate([each, np.full_like(each[..., :1], 255)], axis=-1) for each in pictures]
    grey = [np.full((20, 30), 7, np.uint8)] * 2
    two = [np.stack([each[..., 0], np.zeros_like(each[..., 0])], axis=-1) for each in pictures]
    for images, where in ((opaque, " of the fourth channel"), (grey, ""), (two, " of channel 2")):
        found = profile([(each, 0) for each in images], layout="HWC", **SILENT)["summary"]
        assert f"There is no Normalize for train: all values{where} are equal." in found.sentence
        assert "normalize" not in found.statistics["train"]
        assert 0 in found.statistics["train"]["std"]


def test_blue_green_red_of_several_kinds_is_normalised_in_that_order(pictures):
    coloured, grey = [each[..., ::-1].copy() for each in pictures[:6]], [each[..., :1] for each in pictures[6:]]
    found = profile([(each, 0) for each in coloured + grey], channels="BGR", **SILENT)["summary"]
    told = found.statistics["train"]
    assert told["normalize_as"] == "BGR (grey thrice, without a fourth channel)"
    pixels = np.stack(coloured + [np.repeat(each, 3, axis=-1) for each in grey]).reshape(-1, 3) / 255
    assert eval(told["normalize"], {"Normalize": v2.Normalize}).mean == pytest.approx(pixels.mean(axis=0), abs=6e-4)


def test_images_of_other_kinds_have_no_normalisation_in_common(pictures):
    found = profile([pictures[0], np.repeat(pictures[1], 2, axis=-1)], **SILENT)["summary"]
    assert not {"mean", "normalize"} & set(found.statistics["train"])
    assert "There is no Normalize for train: images of 3 and 6 channels have none in common." in found.sentence


def test_the_summary_says_how_many_images_there_are_in_each_split(pictures):
    augmentation = ai.RandomAugmentation(brightness=(0.9, 1.1))
    for given, told in (
        ((pictures[:1],), "1 image in train. Normalize("),
        ((pictures[:5], pictures[:2]), "5 images in train and 2 in val. Normalize("),
    ):
        assert profile(*given, **SILENT)["summary"].sentence.startswith(told)
        both = profile(*given, augmentation=augmentation, **SILENT)["summary"].sentence
        assert both.startswith(told.replace(". ", ", and the same augmented. "))


def test_two_hundred_classes_and_empty_ones(pictures):
    samples = [(np.roll(pictures[number % 12], number, axis=0), number) for number in range(200)]
    found = profile(samples, class_names=[f"kind {number}" for number in range(210)], **SILENT)
    statistics = found["classes"].statistics
    assert len(statistics["counts"]["train"]) == 210
    assert statistics["empty"] == [f"kind {number}" for number in range(200, 210)]
    for panel in found.panels:
        assert panel.figure().axes


@pytest.mark.parametrize("count", [1, 2])
def test_one_sample_is_enough(pictures, count):
    found = profile([(each, 0) for each in pictures[:count]], [(pictures[3], 1)], samples=4, **SILENT)
    assert found["summary"].statistics["train"]["images"] == count
    for panel in found.panels:
        panel.figure()


@pytest.mark.parametrize("empty", [[], iter([]), DataLoader(TensorDataset(torch.zeros(0, 3, 4, 4), torch.zeros(0)))])
def test_an_empty_loader_is_one_sentence(empty):
    with pytest.raises(DataError, match="train has no sample that can be used; expected at least one"):
        profile(empty, **SILENT)


def test_a_profile_is_its_panels(pictures):
    found = profile(pictures, features=["summary", "brightness"], **SILENT)
    assert "brightness" in found
    assert "drift" not in found
    assert 0 not in found
    assert [panel.name for panel in found] == ["summary", "brightness"]
    assert len(found) == 2


def test_where_nothing_can_be_used_the_first_error_is_told(tmp_path):
    (tmp_path / "bad.png").write_bytes(b"nothing")
    with pytest.raises(DataError, match="train has no sample that can be used; the first error was ImageError"):
        profile(tmp_path, **SILENT)


def test_images_without_labels_are_enough(pictures):
    found = profile([torch.from_numpy(each.copy()).permute(2, 0, 1) for each in pictures], **SILENT)
    assert len(found.frames["train"]) == 12
    assert "classes" not in [panel.name for panel in found.panels]


def test_what_is_image_or_label_is_asked_for_where_it_cannot_be_told(pictures):
    two = [{"rgb": each, "depth": each[::-1].copy(), "label": 1} for each in pictures]
    with pytest.raises(
        DataError, match=r"pass images='.rgb' or images='.depth':\n  .rgb: ndarray of shape \(48, 64, 3\)"
    ):
        profile(two, **SILENT)
    found = profile(two, images=".rgb", **SILENT)
    assert len(found.frames["train"]) == 12
    marks = [(each, {"age": 3, "kind": 1}) for each in pictures]
    with pytest.raises(DataError, match=r"pass labels='\[1\].age' or labels='\[1\].kind'"):
        profile(marks, **SILENT)
    assert profile(marks, labels="[1].kind", **SILENT).frames["train"]["label"].tolist() == [1] * 12
    by_function = profile(two, images=lambda item: item["depth"], labels=lambda item: item["label"], **SILENT)
    assert by_function.frames["train"]["label"].tolist() == [1] * 12
    with pytest.raises(DataError, match=r"there is no '.bgr' in an item of the loader:"):
        profile(two, images=".bgr", **SILENT)


def test_the_end_can_come_early(pictures, labels):
    endless = ((pictures[number % 12], labels[number % 12]) for number in iter(int, 1))
    found = profile(endless, max_samples=30, **SILENT)
    assert len(found.frames["train"]) == 30
    assert not found.complete


def test_an_interruption_gives_what_was_seen(pictures, labels):
    def samples():
        for number in range(100):
            if number == 20:
                raise KeyboardInterrupt
            yield pictures[number % 12], labels[number % 12]

    found = profile(samples(), **SILENT)
    assert len(found.frames["train"]) == 20
    assert not found.complete


def test_an_interruption_before_there_is_a_sample_passes_on(pictures):
    def samples(several):
        yield from several
        raise KeyboardInterrupt

    augmentation = ai.RandomAugmentation(rotation=5)
    for options in ({}, {"augmentation": augmentation}):
        for several in ([], [(np.full((16, 16, 3), np.nan), 0)]):
            with pytest.raises(KeyboardInterrupt):
                profile(samples(several), **options, value_range="unit", **SILENT)
        found = profile(samples([(pictures[0], 0)]), **options, **SILENT)
        assert (len(found.frames["train"]), found.complete) == (1, False)


def test_progress_is_told_to_the_end(folders):
    told: list[tuple[int, int]] = []
    profile(folders, folders, progress=lambda done, total: told.append((done, total)))
    assert told == [(number + 1, 24) for number in range(24)]


def test_a_second_look_is_the_same(folders):
    first, second = (profile(folders, samples=5, seed=4, **SILENT) for _ in range(2))
    assert first.document() == second.document()


def test_leaks_and_conflicts_between_splits_are_found(folders, tmp_path):
    other = tmp_path / "val"
    shutil.copytree(folders / "class1", other / "class1")
    shutil.copytree(folders / "class2", other / "class3")
    table = profile(folders, other, class_names=[f"class{n}" for n in range(4)], **SILENT)
    # The folder's own numbers: class1 is 0 there and class3 is 1.
    found = table["duplicates"].statistics
    assert found["exact"] == 12
    assert found["in_several_splits"] == 12


def test_with_augmentation_there_are_both_and_what_it_broke(pictures, labels):
    augmentation = ai.RandomAugmentation(brightness=(0, 3), rotation=(-10, 10), seed=1)
    found = profile(list(zip(pictures, labels, strict=True)), augmentation=augmentation, **SILENT)
    assert list(found.frames) == ["train", "train, augmented"]
    assert (found.frames["train"][["width", "height"]] == 224).all(axis=None)
    broken = found["broken"].statistics["train"]
    assert broken["images"] == 12
    assert broken["clipped"]["count"] > 0
    before, after = (found.frames[split]["brightness"] for split in found.frames)
    assert broken["difference"]["brightness"] == pytest.approx((after - before).mean())
    drift = found["drift"].statistics["measures"]["brightness"]
    assert drift["ks"] == pytest.approx(ks_2samp(before, after).statistic)
    dark = ai.RandomAugmentation(brightness=0)
    black = profile(list(zip(pictures, labels, strict=True)), augmentation=dark, **SILENT)
    assert black["broken"].statistics["train"]["blank"]["count"] == 12


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"channels": "GBR"}, "channels is 'GBR'; expected RGB or BGR"),
        ({"layout": "WHC"}, "the layout is 'WHC'"),
        ({"value_range": "bytes"}, "the range is 'bytes'"),
        ({"mean": [0.5]}, "only one of mean and std is given"),
        ({"features": ["brigtness"]}, "unknown feature 'brigtness'; did you mean brightness"),
        ({"hide_classes": ["cat"]}, "hide_classes has 'cat', and no class is known by name"),
        ({"hide_classes": ["cat"], "class_names": ["dog"]}, "unknown class 'cat'"),
        ({"hide_classes": [5.5]}, "hide_classes has 5.5; expected names or numbers of classes"),
        ({"hide_classes": 5.5}, "hide_classes is 5.5; expected several, such as .5.5."),
        ({"features": "brightness"}, "features is 'brightness'; expected several, such as .'brightness'."),
        ({"features": 5}, "features is 5; expected names of panels"),
        ({"features": [5]}, r"features is \[5\]; expected names of panels"),
        ({"images": 5}, "images is 5; expected a path such as '.0..rgb', or a function"),
        ({"labels": 5}, "labels is 5; expected a path such as '.0..rgb', or a function"),
        ({"class_names": 5}, "class_names is 5; expected names, such as"),
        ({"class_names": "cat"}, "class_names is 'cat'; expected names, such as"),
        ({"augmentation": 3}, "augmentation is 3; expected a RandomAugmentation"),
        ({"mean": [0, 0, 0], "std": [0, 0, 0]}, r"std is \[0, 0, 0\]; expected a number above 0 for each channel"),
        ({"std": [0, 0, 0]}, r"std is \[0, 0, 0\]; expected a number above 0"),
        ({"mean": "x", "std": [1]}, "mean is 'x'; expected a number for each channel"),
        ({"mean": [float("nan")], "std": [1]}, r"mean is \[nan\]; expected a number"),
        ({"ignored": "x"}, "ignored is 'x'; expected numbers of classes, such as .255."),
        ({"ignored": [1.5]}, r"ignored is \[1.5\]; expected numbers of classes"),
    ],
)
def test_what_makes_no_sense_is_one_sentence(pictures, options, told):
    with pytest.raises(DataError, match=told):
        profile([(pictures[0], 0)], **options, **SILENT)


# Restricted to some panels.


def masked(pictures, labels):
    return [(each, (each[..., 0] // 64 + label).astype(np.int64)) for each, label in zip(pictures, labels, strict=True)]


DATA = {
    "classes": lambda pictures, labels: list(zip(pictures, labels, strict=True)),
    "a loader of tensors": lambda pictures, labels: DataLoader(
        TensorDataset(chw(pictures), torch.tensor(labels)), batch_size=5
    ),
    "grey and RGBA": lambda pictures, labels: [
        (each[..., :1] if label % 2 else np.concatenate([each, each[..., :1]], axis=-1), label)
        for each, label in zip(pictures, labels, strict=True)
    ],
    "masks": masked,
}


@pytest.mark.parametrize("kind", DATA)
def test_each_panel_alone_is_that_of_the_full_profile(kind, pictures, labels):
    augmentation = ai.RandomAugmentation(brightness=(0, 3), seed=1) if kind == "classes" else None
    options = {"samples": 3, "augmentation": augmentation, **SILENT}
    data = DATA[kind](pictures, labels)
    whole = profile(data, data, **options) if augmentation is None else profile(data, **options)
    names = [panel.name for panel in whole.panels]
    assert ("mask_objects" in names) == (kind == "masks")
    assert ("broken" in names) == (augmentation is not None)
    document = whole.document()["panels"]
    for name in names:
        again = (data,) if augmentation is not None else (data, data)
        alone = profile(*again, features=[name], **options)
        assert alone.document()["panels"] == {name: document[name]}
        for split, frame in alone.frames.items():
            assert frame.equals(whole.frames[split][list(frame.columns)]), name


@pytest.mark.parametrize(
    ("features", "measured"),
    [
        (["summary", "classes", "sizes", "brightness", "colours"], ["brightness"]),
        (["mask_classes", "errors", "mean_images"], []),
        (["duplicates"], ["entropy", "content", "perceptual"]),
        (["odd", "broken", "-broken"], ["brightness", "sharpness", "entropy"]),
        ([f"-{name}" for name in ("drift", "shortcuts", "broken", "saturation", "odd", "extremes", "sharpness")],
         ["brightness", "contrast", "entropy", "content", "perceptual"]),
        (None, ["brightness", "contrast", "sharpness", "saturation", "entropy", "clipped", "content", "perceptual"]),
    ],
)  # fmt: skip
def test_what_no_chosen_panel_needs_is_not_measured(features, measured, pictures):
    found = profile([(each, 0) for each in pictures], features=features, **SILENT)
    assert list(found.frames["train"]) == ["index", "label", "width", "height", "channels", *measured]


def test_no_picture_is_kept_unless_its_panel_is_chosen(pictures, monkeypatch):
    from augimpact.profiling import collect

    made = []
    monkeypatch.setattr(collect, "_thumbnail", lambda seen: made.append(seen) or np.zeros((4, 4, 3), np.uint8))
    for features in (["brightness"], ["-samples", "-extremes"]):
        profile([(each, 0) for each in pictures], features=features, samples=5, **SILENT)
    assert not made
    profile([(each, 0) for each in pictures], features=["samples"], samples=5, **SILENT)
    assert len(made) >= 5


def test_a_sample_that_cannot_be_used_is_left_out_whatever_panels_are_chosen(pictures):
    good, other_size = (np.zeros(size, np.int64) for size in ((48, 64), (30, 30)))
    bad_boxes = {"boxes": torch.zeros(2, 3)}
    nothing = np.zeros((48, 0, 3), np.uint8)
    items = [
        (pictures[0], good), (pictures[1], other_size), (pictures[2], bad_boxes), (pictures[3], good), (nothing, good),
    ]  # fmt: skip
    for features in (None, ["brightness"], ["errors"]):
        found = profile(items, images="[0]", labels="[1]", features=features, **SILENT)
        assert found.frames["train"]["index"].tolist() == [0, 3]
        if features != ["brightness"]:
            assert found["errors"].statistics["train"]["indices"] == [1, 2, 4]


def test_torch_has_its_threads_again_after_a_pass_that_ends_in_any_way(pictures):
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        during = []
        profile([(each, 0) for each in pictures], progress=lambda *_: during.append(torch.get_num_threads()))
        assert set(during) == {1}
        assert torch.get_num_threads() == 2
        with pytest.raises(DataError):
            profile([], **SILENT)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_no_more_is_asked_of_a_loader_than_tells_that_there_is_more(pictures):
    asked = []

    def endless():
        for number in iter(int, 1):
            asked.append(number)
            yield pictures[0], 0

    assert len(profile(endless(), max_samples=3, **SILENT).frames["train"]) == 3
    assert len(asked) == 4
    assert profile([(pictures[0], 0)] * 3, max_samples=3, **SILENT).complete


def test_groups_keep_order_and_give_all_before_an_error():
    from augimpact.profiling.ahead import grouped

    def numbers():
        yield from (4, 1, 9, 2, 2)
        raise OSError("gone")

    groups = grouped(numbers(), lambda number: number, 5)
    assert [next(groups) for _ in range(3)] == [[4, 1], [9], [2, 2]]
    with pytest.raises(OSError, match="gone"):
        next(groups)
    assert list(grouped([], lambda number: number, 5)) == []


def test_every_form_of_masks_and_boxes_is_one_sample_an_image(pictures):
    image, mask = pictures[0], (pictures[0][..., 0] > 99).astype(np.int64)
    one_hot = np.stack([1 - mask, mask])
    forms = [(image, mask), (image, mask[..., None]), (image, one_hot), {"picture": image, "mask": mask}]
    for item in forms:
        found = profile([item] * 2, **SILENT)
        assert found["summary"].statistics["train"]["images"] == 2
        share = found["mask_classes"].statistics["train"]["classes"]["class 1"]["share"]
        assert share == pytest.approx(mask.mean(), abs=1e-6)
    boxes = {"boxes": torch.tensor([[1.0, 2, 11, 22], [5, 5, 9, 9]]), "labels": torch.tensor([1, 2])}
    tensor = torch.from_numpy(image.copy()).permute(2, 0, 1)
    collated = {name: torch.stack([value, value]) for name, value in boxes.items()}
    targets = [
        [(tensor, boxes)] * 2,
        [(tensor, boxes | {"masks": torch.zeros(2, 48, 64, dtype=torch.uint8)})] * 2,
        [((tensor, tensor), (boxes, boxes))],
        [(torch.stack([tensor, tensor]), collated)],
        [{"image": tensor, **boxes}] * 2,
    ]
    for items in targets:
        found = profile(items, **SILENT)
        assert found["summary"].statistics["train"]["images"] == 2
        assert found["boxes"].statistics["train"]["total"] == 4


def test_masks_and_boxes_follow_the_augmentation_and_lost_ones_are_counted(pictures):
    image = np.asarray(Image.fromarray(pictures[0]).resize((100, 100)))
    boxes = {"boxes": torch.tensor([[40.0, 40, 60, 60], [0, 0, 10, 10], [90, 90, 100, 100]]), "labels": torch.ones(3)}
    enlarged = ai.RandomAugmentation(zoom=4)
    found = profile([(image, boxes)] * 3, augmentation=enlarged, **SILENT)
    lost = {"before": 9, "after": 3, "lost": 6, "cut_off": 0, "without_area": 0}
    assert found["broken"].statistics["train"]["boxes"] == lost
    assert "of 9 boxes 6 are lost" in found["broken"].sentence
    area = found["box_area"].statistics
    assert area["train"]["max"] == pytest.approx(0.2**2)
    assert area["train, augmented"]["max"] == pytest.approx(0.8**2)
    mask = np.zeros((100, 100), np.int64)
    mask[40:60, 40:60] = 1
    shares = profile([(image, mask)] * 3, augmentation=enlarged, **SILENT)["mask_classes"].statistics
    # The mask has whole pixels: its side of 44.8 is 44 or 45 of them.
    assert shares["train"]["classes"]["class 1"]["share"] == pytest.approx(0.2**2, rel=0.05)
    assert shares["train, augmented"]["classes"]["class 1"]["share"] == pytest.approx(0.8**2, rel=0.05)
    bad = profile([(image, boxes), (image, {"boxes": torch.zeros(2, 3)})], augmentation=enlarged, **SILENT)
    assert bad["errors"].statistics["train"]["count"] == 1


def test_an_empty_folder_beside_those_of_classes_is_a_class_without_images(tmp_path, pictures):
    for number, place in enumerate(("inside/cat", "inside/dog", "inside/dog")):
        (tmp_path / place).mkdir(parents=True, exist_ok=True)
        Image.fromarray(pictures[number]).save(tmp_path / place / f"{number}.png")
    (tmp_path / "inside/ant").mkdir()
    (tmp_path / "elsewhere").mkdir()
    found = profile(tmp_path / "inside", **SILENT)["classes"].statistics
    assert found["counts"]["train"] == {"ant": 0, "cat": 1, "dog": 2}
    assert found["empty"] == ["ant"]
    # The folder itself is no class, nor are those beside it.
    panels = profile(tmp_path / "inside/dog", **SILENT).panels
    assert "classes" not in [panel.name for panel in panels]


@pytest.mark.parametrize("order", ["<u2", ">u2"])
def test_whichever_byte_of_16_bits_comes_first_is_read_and_told(tmp_path, order):
    values = np.arange(0, 3000, 5, np.uint16)[:576].reshape(24, 24)
    np.save(tmp_path / "deep.npy", values.astype(order))
    found = profile(ai.SampleTable.from_list([tmp_path / "deep.npy"]), **SILENT)
    assert found["summary"].statistics["train"]["highest_of_16_bits"] == values.max()
    assert found.frames["train"]["brightness"][0] == pytest.approx(np.rint(values / 65535 * 255).mean() / 255)
