"""Whatever can be profiled can stand beside a player: a part of it, its images, and its labels."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader

import augimpact as ai
from augimpact.data.images import ImageDataset
from augimpact.errors import AmbiguousData, Cancelled, DataError, UnreadableData, UserError
from augimpact.impact.drawn import drawn_samples
from augimpact.profiling.part import part_of, pictures_in
from augimpact.profiling.reading import Reading
from augimpact.profiling.reference import Measuring

COUNT = 12
PIXELS = list(np.random.default_rng(0).integers(0, 256, (COUNT, 24, 32, 3), np.uint8))
LABELS = [number % 3 for number in range(COUNT)]
NAMES = ("ash", "birch", "cedar")


def tensor(pixels):
    return torch.from_numpy(pixels.transpose(2, 0, 1).copy()).float() / 255


def canvas(image):
    return tensor(np.asarray(image))


@pytest.fixture
def folder(tmp_path):
    for number, (pixels, label) in enumerate(zip(PIXELS, LABELS, strict=True)):
        (tmp_path / NAMES[label]).mkdir(exist_ok=True)
        Image.fromarray(pixels).save(tmp_path / NAMES[label] / f"{number:02}.png")
    return tmp_path


def loaders(folder):
    """The same images and classes in many forms, by what it is called."""
    pairs = [*zip(PIXELS, LABELS, strict=True)]
    tensors = [(tensor(pixels), label) for pixels, label in pairs]
    files = [
        (file, NAMES.index(file.parent.name)) for file in sorted(folder.rglob("*.png"), key=lambda file: file.name)
    ]
    named, table = type("Named", (list,), {"classes": NAMES}), ai.SampleTable.from_folder(folder)
    return {
        "arrays": pairs, "named": named(pairs), "swapped": [pair[::-1] for pair in pairs],
        "mappings": [{"image": pixels, "label": label} for pixels, label in pairs],
        "pillow": [(Image.fromarray(pixels), label) for pixels, label in pairs],
        "loader": DataLoader(tensors, batch_size=5), "stream": iter(tensors),
        "torch's part": torch.utils.data.Subset(named(tensors), range(COUNT)), "files": files,
        "set": {file for file, _ in files}, "values": dict(enumerate(PIXELS)).values(),
        "folder": folder, "table": table, "dataset": ImageDataset(table),
        "view": ImageDataset(table).view(["image", "label"]),
    }  # fmt: skip


FORMS = (
    "arrays", "named", "swapped", "mappings", "pillow", "loader", "stream", "torch's part", "files", "folder", "table",
    "dataset", "view",
)  # fmt: skip
# Without classes.
BARE = ("set", "values")


@pytest.mark.parametrize("form", [*FORMS, *BARE])
def test_every_form_of_the_same_images_lies_the_same_way(folder, form):
    expected = ai.reference_of([Image.fromarray(pixels) for pixels in PIXELS], canvas, progress=lambda *_: None)
    found = ai.reference_of(loaders(folder)[form], canvas, progress=lambda *_: None)
    assert (found.count, found.failed) == (COUNT, 0)
    for name, each in expected.distributions.items():
        assert found.distributions[name].values == pytest.approx(each.values, rel=1e-9)


@pytest.mark.parametrize("form", FORMS)
def test_every_form_has_its_classes(folder, form):
    table = drawn_samples(loaders(folder)[form], 100)
    names = NAMES if form in ("named", "torch's part", "folder", "table", "dataset", "view") else ("0", "1", "2")
    assert Counter(table.classes) == dict.fromkeys(names, COUNT // 3)


@pytest.mark.parametrize("form", [form for form in FORMS if form not in ("loader", "stream")])
def test_of_more_some_are_drawn_by_the_seed(folder, form):
    data = loaders(folder)[form]
    part = part_of(data, 5, seed=1)
    assert (part.least, part.total) == (5, COUNT)
    seen = [np.asarray(read().image) for read in pictures_in(part.data)]
    numbers = [next(number for number, pixels in enumerate(PIXELS) if np.array_equal(pixels, each)) for each in seen]
    assert len(set(numbers)) == 5
    again = [np.asarray(read().image) for read in pictures_in(part_of(data, 5, seed=1).data)]
    assert all(np.array_equal(one, other) for one, other in zip(seen, again, strict=True))


class Asked(list):
    """Items that keep which of them were asked for."""

    def __init__(self, items):
        super().__init__(items)
        self.asked = []

    def __getitem__(self, index):
        self.asked.append(index)
        return super().__getitem__(index)


def test_no_item_is_read_twice():
    data = Asked(zip(PIXELS, LABELS, strict=True))
    assert ai.reference_of(data, canvas, progress=lambda *_: None).count == COUNT
    assert data.asked == list(range(COUNT))


def test_how_data_is_read_can_be_told():
    mean, std = [0.4, 0.5, 0.6], [0.2, 0.3, 0.25]
    normalised = [
        (tensor(pixels) - torch.tensor(mean)[:, None, None]) / torch.tensor(std)[:, None, None] for pixels in PIXELS
    ]
    with pytest.raises(AmbiguousData, match="pass mean=… and std=…"):
        ai.reference_of(normalised, canvas, progress=lambda *_: None)
    found = ai.reference_of(normalised, canvas, progress=lambda *_: None, mean=mean, std=std)
    expected = ai.reference_of(PIXELS, canvas, progress=lambda *_: None)
    for name, each in expected.distributions.items():
        assert found.distributions[name].values == pytest.approx(each.values, abs=1e-6)
    two = [{"first": pixels, "second": pixels // 2} for pixels in PIXELS]
    with pytest.raises(AmbiguousData, match="images of an item could be any of 2"):
        ai.reference_of(two, canvas, progress=lambda *_: None)
    halved = ai.reference_of(two, canvas, images=".second", progress=lambda *_: None)
    assert halved.distributions["brightness"].high < 0.6 * expected.distributions["brightness"].high


@pytest.mark.parametrize("last", ["image", "broken"])
def test_files_whose_numbers_do_not_tell_their_range_are_asked_for(tmp_path, last):
    for number, pixels in enumerate(PIXELS[:4]):
        np.save(tmp_path / f"{number}.npy", (pixels / 85).astype(np.float32))
    if last == "broken":
        (tmp_path / "9.npy").write_bytes(b"\x93NUMPY and no more")
    table = ai.SampleTable.from_folder(tmp_path, pattern="*.npy", identity="path")
    dataset = ai.ImageDataset(table)
    for data in (table, dataset):
        with pytest.raises(AmbiguousData, match="values up to 3, too high for"):
            ai.reference_of(data, canvas, progress=lambda *_: None)
        found = ai.reference_of(data, canvas, progress=lambda *_: None, value_range=(0, 3))
        expected = ai.reference_of(PIXELS[:4], canvas, progress=lambda *_: None)
        for name, each in expected.distributions.items():
            assert found.distributions[name].values == pytest.approx(each.values, rel=1e-9)
    with pytest.raises(AmbiguousData, match="values up to 3, too high for"):
        drawn_samples(dataset, 100)
    assert len(drawn_samples(dataset, 100, reading=Reading.of({"value_range": (0, 3)}))) == 4


def test_what_makes_no_sense_is_one_sentence():
    for options, told in (
        ({"label": "[1]"}, "unknown option of the data 'label'; did you mean labels"),
        ({"channels": "GBR"}, "channels is 'GBR'; expected RGB or BGR"),
        ({"layout": "HCW"}, "the layout is 'HCW'"),
    ):
        with pytest.raises(DataError, match=told):
            Reading.of(options)
        with pytest.raises(DataError, match=told):
            ai.Explorer(data=PIXELS, data_options=options)


def test_a_bad_sample_is_left_out_of_what_is_drawn():
    items = [*zip(PIXELS, LABELS, strict=True)]
    items[3] = (np.full((24, 32, 3), np.nan), 0)
    assert len(drawn_samples(items, 100)) == COUNT - 1
    with pytest.raises(DataError, match="no image that can be read; the first error was: "):
        drawn_samples(["nowhere.png"], 5)


def test_texts_are_classes_of_an_impact_and_masks_are_none():
    table = drawn_samples([*zip(PIXELS, [NAMES[label] for label in LABELS], strict=True)], 100)
    assert table.class_names == NAMES
    masks = [(pixels, np.zeros((24, 32), np.uint8)) for pixels in PIXELS]
    assert drawn_samples(masks, 100).class_names == ("data",)
    numbered = drawn_samples([*zip(PIXELS, LABELS, strict=True)], 100, reading=Reading.of({"class_names": NAMES}))
    assert numbered.class_names == NAMES


def test_the_folder_that_was_given_is_no_class_of_an_impact(folder):
    Image.fromarray(PIXELS[0]).save(folder / "bare.png")
    table = drawn_samples(folder, 100)
    assert Counter(table.classes) == dict.fromkeys(NAMES, COUNT // 3) | {"data": 1}
    assert set(table.class_names) == {*NAMES, "data"}
    assert np.array(table.class_names)[table.labels].tolist() == table.classes.tolist()
    assert drawn_samples(folder / NAMES[0], 100).class_names == ("data",)


def brightness(data, **options):
    return ai.reference_of(data, canvas, progress=lambda *_: None, **options).distributions["brightness"]


def deep_forms(folder):
    """The same images of 12 bits in 16: white is 4095."""
    deep = [(pixels[..., 0].astype(np.uint16) * 16 + 15) for pixels in PIXELS]
    for number, pixels in enumerate(deep):
        Image.fromarray(pixels).save(folder / f"{number:02}.png")
    return {
        "folder": folder, "table": ai.SampleTable.from_folder(folder), "arrays": deep,
        "pillow": [Image.fromarray(pixels) for pixels in deep], "tables' arrays": ai.SampleTable.from_arrays(deep),
    }  # fmt: skip


@pytest.mark.parametrize("form", ["folder", "table", "arrays", "pillow", "tables' arrays"])
def test_the_range_that_is_told_holds_in_every_form(tmp_path, form):
    (tmp_path / "deep").mkdir()
    data = deep_forms(tmp_path / "deep")[form]
    found = brightness(data, value_range=(0, 4095))
    expected = sorted((np.rint((pixels[..., 0] * 16.0 + 15) / 4095 * 255) / 255).mean() for pixels in PIXELS)
    assert found.values[1:-1] == pytest.approx(expected)
    profiled = ai.profile(data, value_range=(0, 4095), progress=lambda *_: None).frames["train"]["brightness"]
    assert sorted(profiled) == pytest.approx(expected)


@pytest.mark.parametrize("form", ["arrays", "pillow"])
def test_the_order_of_channels_that_is_told_holds_in_every_form(form):
    reds = [np.dstack([np.full((8, 8), 200, np.uint8), *np.zeros((2, 8, 8), np.uint8)])] * 3
    data = reds if form == "arrays" else [Image.fromarray(red) for red in reds]
    # What is blue to a person is red to whoever has blue first.
    assert brightness(data, channels="BGR").low == pytest.approx(0.0722 * 200 / 255, rel=0.6)
    assert brightness(data).low > 2 * brightness(data, channels="BGR").low


@pytest.mark.parametrize("form", ["arrays", "pillow"])
def test_where_the_label_is_can_tell_which_is_the_image(form):
    made = np.asarray if form == "arrays" else Image.fromarray
    pairs = [(made(pixels[..., 0]), made((pixels[..., 1] > 99).astype(np.uint8))) for pixels in PIXELS]
    with pytest.raises(AmbiguousData, match="any of 2"):
        brightness(pairs)
    expected = [pixels[..., 0].mean() / 255 for pixels in PIXELS]
    assert brightness(pairs, labels="[1]").values[1:-1] == pytest.approx(sorted(expected))


@pytest.mark.parametrize("made", [np.asarray, Image.fromarray], ids=["arrays", "pillow"])
def test_labels_of_an_impact_are_found_beside_any_image(made):
    nested = [
        (made(pixels), {"species": NAMES[label], "age": 0.5}) for pixels, label in zip(PIXELS, LABELS, strict=True)
    ]
    table = drawn_samples(nested, 100, reading=Reading.of({"labels": "[1].species"}))
    assert table.class_names == NAMES
    several = [(made(pixels), torch.tensor(label), "x") for pixels, label in zip(PIXELS, LABELS, strict=True)]
    assert drawn_samples(several, 100).class_names == ("0", "1", "2")
    rows = [(made(pixels), np.eye(3)[label]) for pixels, label in zip(PIXELS, LABELS, strict=True)]
    assert Counter(drawn_samples(rows, 100).classes) == {"0": 4, "1": 4, "2": 4}


def test_a_part_has_the_names_of_the_whole():
    class Named:
        classes = NAMES

        def __len__(self):
            return COUNT

        def __getitem__(self, index):
            return PIXELS[index], LABELS[index]

    assert set(drawn_samples(Named(), 9).classes) <= set(NAMES)
    assert drawn_samples(Named(), 100).class_names == NAMES


@pytest.mark.parametrize(
    "value", [np.full((8, 8), 3, np.uint16), np.zeros((8, 8, 3), np.float32)], ids=["deep", "black"]
)
def test_it_can_be_stopped_while_images_wait_for_what_tells_their_range(value):
    data = Asked([value] * COUNT)
    measuring = Measuring(data, canvas)
    with pytest.raises(Cancelled):
        measuring.run(lambda *_: None, lambda: len(data.asked) >= 5)
    assert len(data.asked) == 5
    if value.dtype == np.uint16:
        # What cannot be told is asked each time.
        for _ in range(2):
            with pytest.raises(AmbiguousData, match="value_range"):
                measuring.run(lambda *_: None)
    else:
        assert measuring.run(lambda *_: None).count == COUNT


def test_an_error_of_ones_own_function_is_the_same_each_time():
    measuring = Measuring(
        [{"a": pixels} for pixels in PIXELS], canvas, reading=Reading.of({"images": lambda item: item["b"]})
    )
    for _ in range(2):
        with pytest.raises(UnreadableData, match="the first error was: KeyError: 'b'"):
            measuring.run(lambda *_: None)


def test_a_cluster_is_told_nothing_of_data_in_this_process():
    with pytest.raises(UserError, match="data_options are of data in this process"):
        ai.Explorer(data="photographs", data_options={"mean": [0], "std": [1]}, scheduler="tcp://127.0.0.1:1")
