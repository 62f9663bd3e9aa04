from __future__ import annotations

import io
import json
import re

import numpy as np
import pandas as pd
import pytest
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from PIL import Image, ImageDraw, ImageFont
from skimage import data as photographs

from augimpact.augment.random import RandomAugmentation
from augimpact.data.image import EXAMPLES, example
from augimpact.errors import DataError
from augimpact.profiling.classes import classes
from augimpact.profiling.drawing import Drawing
from augimpact.profiling.extract import profile
from augimpact.profiling.naming import Naming, short
from augimpact.profiling.needs import NEEDS
from augimpact.profiling.panel import Panel, shortened, strict
from augimpact.profiling.result import Profile

NAMES = ("cat", "dog", "owl", "yak")


def piece(number: int, seed: int = 0) -> np.ndarray:
    generator = np.random.default_rng(seed * 1000 + number)
    photograph = example(list(EXAMPLES)[number % 4])
    left, top = generator.integers(0, (photograph.width - 90, photograph.height - 90))
    return np.asarray(photograph.crop((left, top, left + 80, top + 60)))


def silent(_done: int, _total: int) -> None:
    pass


@pytest.fixture(scope="module")
def found() -> Profile:
    """Training data of three classes in shares of 20, 20 and 2, and other shares to validate with."""
    train = [(piece(number), 0 if number < 20 else 1 if number < 40 else 2) for number in range(42)]
    val = [(piece(number, 1), 0 if number < 15 else 3) for number in range(20)]
    return profile(train, val, class_names=NAMES, samples=6, progress=silent)


def test_classes_are_counted_and_compared(found):
    told = found["classes"].statistics
    assert told["counts"] == {
        "train": {"cat": 20, "dog": 20, "owl": 2, "yak": 0},
        "val": {"cat": 15, "dog": 0, "owl": 0, "yak": 5},
    }
    # A class that is in the other split alone is new there, and not empty.
    assert (told["starved"], told["empty"]) == (["owl"], [])
    assert told["comparison"]["new"] == ["yak"]
    assert told["comparison"]["missing"] == ["dog", "owl"]
    told = "Worry: 1 class (owl) is starved; 1 class (yak) is in val alone; 2 classes (dog, owl) are missing in val"
    assert told in found["classes"].sentence


@pytest.mark.parametrize(("labels", "each"), [(10, 100), (100, 20)])
def test_random_splits_are_no_worry(labels, each):
    frame = pd.DataFrame({"label": np.repeat(np.arange(labels), each)})
    worries = far = 0
    for seed in range(40):
        order = np.random.default_rng(seed).permutation(len(frame))
        cut = len(frame) * 8 // 10
        halves = {"train": frame.iloc[order[:cut]], "val": frame.iloc[order[cut:]]}
        (panel,) = classes(halves, Naming(), complete=True)
        told = panel.statistics["comparison"]
        far += told["jensen_shannon"] > 0.1
        worries += "shares differ" in panel.sentence
        assert ("shares differ" in panel.sentence) == (told["p"] < 0.01 and told["jensen_shannon"] > 0.1)
    # As many as a test at this level is wrong about.
    assert worries <= 2 < 10 < far


def test_shares_that_differ_by_more_than_chance_and_by_much_are_a_worry():
    def told(first, second):
        halves = {"train": first, "val": second}
        frames = {
            split: pd.DataFrame({"label": np.repeat(np.arange(len(each)), each)}) for split, each in halves.items()
        }
        return classes(frames, Naming(), complete=True)[0].sentence

    assert told([200, 200], [20, 80]).endswith("Worry: shares differ by a Jensen-Shannon distance of 0.27.")
    # So many that no difference is chance, and this one is small.
    assert told([500_000, 500_000], [52_000, 48_000]).endswith("Nothing stands out.")
    assert told([4, 4], [1, 3]).endswith("Nothing stands out.")


def test_classes_that_a_cut_left_out_are_no_worry():
    # As of a folder, which is read class by class.
    train, val = ([(piece(number, seed), number // 10) for number in range(40)] for seed in (0, 1))
    for given in ([train], [train, val], [train[:21] + train[30:], val]):
        cut = profile(*given, class_names=NAMES, max_samples=10, progress=silent)
        assert not cut.complete
        assert cut["classes"].sentence == (
            "How often each class is there. Only part of the data was looked at: "
            "3 classes (dog, owl, yak) are not seen yet. Shares may be others in all of it."
        )
        assert cut["classes"].statistics["empty"] == ["dog", "owl", "yak"]
        told = "10 images in train" + (" and 10 in val" if len(given) > 1 else "")
        assert cut["summary"].sentence.startswith(f"{told}. Only part of the data was looked at. Normalize")
    three = profile(train, class_names=NAMES[:1], max_samples=10, labels=lambda _: 0, progress=silent)["classes"]
    assert three.sentence.endswith("Only part of the data was looked at. Shares may be others in all of it.")
    whole = profile(train[:10], class_names=NAMES, max_samples=10, progress=silent)
    assert whole["classes"].sentence == "How often each class is there. Worry: 3 classes (dog, owl, yak) are empty."
    assert "part of the data" not in whole["summary"].sentence


def test_after_an_interruption_what_was_not_seen_is_no_worry():
    def interrupted():
        for number in range(12):
            yield piece(number), 0
        raise KeyboardInterrupt

    found = profile(interrupted(), class_names=NAMES[:2], progress=silent)
    assert "Only part of the data was looked at: 1 class (dog) is not seen yet." in found["classes"].sentence
    assert "Only part of the data was looked at." in found["summary"].sentence


@pytest.mark.parametrize("kind", ["masks", "boxes"])
def test_classes_of_masks_and_boxes_that_a_cut_left_out_are_no_worry(kind):
    train = [(piece(number), LABELS[kind](number)) for number in range(6)]
    given = {"images": "[0]", "labels": "[1]", "class_names": ["ground", "car", "bus"], "progress": silent}
    name = "mask_classes" if kind == "masks" else "box_classes"
    cut = profile(train, train, max_samples=1, **given)[name].sentence
    assert cut.endswith(
        "Only part of the data was looked at: 2 classes (car, bus) are not seen yet in train; "
        "2 classes (car, bus) are not seen yet in val. Shares may be others in all of it."
    )
    whole = profile(train, train[:1], **given)[name].sentence
    missing = {"masks": "", "boxes": "1 class (bus) is missing in train; "}[kind]
    assert whole.endswith(f". Worry: {missing}2 classes (car, bus) are missing in val.")


def test_one_measure_tells_and_several_tell():
    labels = [number % 2 for number in range(40)]
    flat = [np.full((20, 20, 3), 50 + 100 * label + number, np.uint8) for number, label in enumerate(labels)]
    train = list(zip(flat, labels, strict=True))
    one = profile(train, features=["shortcuts", "brightness"], progress=silent)["shortcuts"].sentence
    assert one.endswith("Worry: brightness alone tells much of it.")
    bright = [(np.concatenate([each, 0 * each[:10]]) if label else each, label) for each, label in train]
    two = profile(bright, features=["shortcuts", "brightness", "contrast"], progress=silent)["shortcuts"].sentence
    assert re.search(r"Worry: (brightness, contrast|contrast, brightness) alone tell much of it\.$", two)


def test_what_chance_makes_of_few_samples_is_no_shortcut():
    draw = np.random.default_rng(5)
    for count, told in ((4, "There are too few samples to tell, 4."), (12, "There are too few samples to tell, 12."),
                        (20, "None tells much of it."), (30, "None tells much of it.")):  # fmt: skip
        noise = [
            draw.integers(0, 256, (8, 8, 3), np.uint8) // draw.integers(1, 9, dtype=np.uint8) for _ in range(count)
        ]
        labels = [0, 1, *draw.integers(0, 2, count - 2).tolist()]
        panel = profile(list(zip(noise, labels, strict=True)), features=["shortcuts"], progress=silent)["shortcuts"]
        assert panel.sentence == f"What a property says of the class. {told}"
        assert min(panel.statistics["train"]["p"].values()) > 0.01
        assert max(panel.statistics["train"]["information"].values()) < 1


def test_the_summary_counts_the_classes_of_masks_and_boxes():
    def told(kind, *others):
        train = [(piece(number), LABELS[kind](number)) for number in range(6)]
        panel = profile(train, images="[0]", labels="[1]", features=["summary", *others], progress=silent)["summary"]
        figure = panel.figure()
        cells = figure.axes[0].tables[0].get_celld()
        names = [cells[0, column].get_text().get_text() for column in range(len(cells) // 2)]
        values = [cells[1, column].get_text().get_text() for column in range(len(cells) // 2)]
        return panel.statistics["train"]["labels"], dict(zip(names, values, strict=True))

    head = {"": "train", "images": "6", "errors": "0"}
    assert told("classes") == (2, {**head, "classes": "2", "median size": "80 × 60"})
    assert told("masks") == (3, {**head, "classes": "3", "median size": "80 × 60"})
    assert told("boxes") == (2, {**head, "classes": "2", "median size": "80 × 60"})
    assert told("no labels") == (0, {**head, "median size": "80 × 60"})
    assert told("classes", "-sizes") == (2, {**head, "classes": "2"})


def whole_numbers(axis: Axis) -> bool:
    return all(float(tick).is_integer() for tick in axis.get_majorticklocs())


@pytest.mark.parametrize("most", [0, 1, 2, 7, 60])
def test_objects_are_counted_in_whole_numbers(most):
    def target(number):
        boxes = np.array([[1.0, 2, 30, 40]] * (number * most // 5)).reshape(-1, 4)
        return {"boxes": boxes, "labels": np.ones(len(boxes), np.int64)}

    found = profile([(piece(number), target(number)) for number in range(6)], progress=silent)
    figure = Drawing(found["boxes"]).figure
    assert whole_numbers(figure.axes[0].xaxis)
    low, high = figure.axes[0].get_xlim()
    assert sum(low <= tick <= high for tick in figure.axes[0].xaxis.get_majorticklocs()) >= 1
    assert whole_numbers(Drawing(found["box_faults"]).figure.axes[0].yaxis)
    if most:
        assert whole_numbers(Drawing(found["box_classes"]).figure.axes[0].xaxis)


@pytest.mark.parametrize(
    ("names", "missing"),
    [
        (["background", "car", "bus"], ["bus"]),
        (["__BG__", "car", "bus"], ["bus"]),
        (["person", "car", "bus"], ["person", "bus"]),
    ],
)
def test_the_background_is_never_missing_among_boxes(names, missing):
    def boxed(*labels):
        return [
            (piece(label), {"boxes": np.array([[1.0, 2, 30, 40]]), "labels": np.array([label])}) for label in labels
        ]

    found = profile(boxed(1, 1), class_names=names, progress=silent)["box_classes"]
    assert found.statistics["train"]["empty"] == missing
    unseen = "1 class (bus) is" if len(missing) == 1 else "2 classes (person, bus) are"
    assert found.sentence.endswith(f"Worry: {unseen} missing in train.")
    # Where it is a class after all, it may be missing.
    both = profile(boxed(1, 1), boxed(0, 2), class_names=names, progress=silent)["box_classes"].statistics
    assert both["train"]["empty"] == [names[0], "bus"]
    assert both["val"]["empty"] == ["car"]


@pytest.mark.parametrize("count", [12, 13])
@pytest.mark.parametrize("kind", ["masks", "boxes"])
def test_a_figure_of_some_objects_classes_says_so_and_so_does_its_sentence(kind, count):
    def label():
        if kind == "boxes":
            return {"boxes": [[1, 2, 30, 40]] * count, "labels": list(range(count))}
        mask = np.full((60, 80), 255, np.uint8)
        mask[10:50, 10 : 10 + 3 * count] = np.arange(3 * count) // 3
        return mask

    data = [(piece(number), label()) for number in range(5)]
    found = profile(data, images="[0]", labels="[1]", ignored=[255], progress=silent)
    some = f"the 12 most frequent of {count} classes" if count > 12 else ""
    spreads = {
        "masks": ["object_area", "object_width", "object_height", "object_convexity", "object_erosion"],
        "boxes": ["box_area", "box_width", "box_height", "box_aspect"],
    }[kind]
    for name in spreads:
        panel = found[name]
        assert f"Below, median and quartiles of {some or 'each class'}." in panel.sentence
        assert panel.figure().axes[1].get_ylabel().replace("\n", " ") == some
    singular = {"masks": "mask", "boxes": "box"}[kind]
    panel = found[f"{singular}_classes"]
    assert (f"; the figure has {some}. " in panel.sentence) == bool(some)
    panel = found[f"{singular}_positions"]
    figure = panel.figure()
    assert len(figure.axes) == 4
    assert f", of the 4 largest of {count} classes. " in panel.sentence
    assert figure.get_supxlabel() == f"the 4 largest of {count} classes"


def test_dots_at_the_ends_of_a_chart_by_class_are_drawn_whole():
    # Of a height that fills the image, and so narrow that the aspect is beyond the chart.
    thin = [{"boxes": np.array([[1.0, 0, 2, 60]]), "labels": np.array([label])} for label in (0, 1)]
    found = profile([(piece(number), thin[number % 2]) for number in range(6)], progress=silent)
    for name, end in (("box_height", 1), ("box_aspect", 1 / 16)):
        axes = found[name].figure().axes[1]
        dots = [line for line in axes.lines if line.get_marker() == "o"]
        assert [tuple(np.ravel(line.get_data())) for line in dots] == [(end, 0), (end, 1)]
        assert not any(line.get_clip_on() for line in dots)
        assert axes.get_ylim() == (1.5, -0.5)
        assert axes.get_xlim()[0] <= end <= axes.get_xlim()[1]


def test_images_without_any_box_are_drawn_without_a_warning(recwarn):
    none = {"boxes": np.empty((0, 4)), "labels": np.empty(0, np.int64)}
    found = profile([(piece(number), none) for number in range(4)], class_names=["background", "car"], progress=silent)
    for panel in found.panels:
        assert Drawing(panel).png, panel.name
    assert "box_positions" in [panel.name for panel in found.panels]
    assert not [each for each in recwarn if "layoutgrid" in str(each.message)]


def sized(*sides: tuple[int, int, int | None]) -> list[tuple[np.ndarray, int | None]]:
    """Images of so many rows and columns, with their class."""
    draw = np.random.default_rng(0)
    return [(draw.integers(0, 256, (high, wide, 3), dtype=np.uint8), label) for high, wide, label in sides]


def test_sizes_are_told_by_class():
    train = sized((10, 40, 0), (20, 80, 0), (30, 120, 0), (50, 50, 10), (60, 60, 2))
    val = sized((16, 9, 2), (16, 16, 10))
    names = {0: "a", 2: "a10", 10: "a9"}
    panel = profile(train, val, class_names=names, progress=silent)["sizes"]
    told = {split: each["size_by_class"] for split, each in panel.statistics.items()}
    assert list(told["train"]) == ["a", "a9", "a10"]
    assert [told["train"]["a"][name] for name in ("count", "min", "p25", "median", "max")] == [3, 20, 30, 40, 60]
    assert {name: each["median"] for name, each in told["val"].items()} == {"a9": 16, "a10": 12}
    assert "median and quartiles of the size (the side of a square of the same area) of each class" in panel.sentence
    axes = panel.figure().axes[2]
    assert axes.get_xlabel() == "size (the side of a square of the same area), pixels"
    assert [label.get_text() for label in axes.get_yticklabels()] == ["a", "a9", "a10"]
    assert sorted(line.get_xdata()[0] for line in axes.lines) == [12, 16, 40, 50, 60]
    hidden = profile(train, class_names=names, hide_classes=["a", "a9"], progress=silent)["sizes"].statistics["train"]
    assert {name: each["count"] for name, each in hidden["size_by_class"].items()} == {"a10": 1, "hidden": 4}


def test_sizes_of_images_without_a_class_have_no_such_part():
    panel = profile([image for image, _ in sized((10, 40, None), (20, 80, None))], progress=silent)["sizes"]
    assert set(panel.statistics["train"]) == {"width", "height", "aspect", "sizes"}
    assert "class" not in panel.sentence
    shapes, aspects = panel.figure().axes
    assert (shapes.get_ylabel(), aspects.get_ylabel()) == ("height, pixels", "share of the images")


def test_sizes_of_many_classes_show_the_most_frequent():
    train = sized(*((10, 10 + label, label) for label in range(40) for _ in range(2 if label > 9 else 1)))
    panel = profile(train, progress=silent)["sizes"]
    assert len(panel.statistics["train"]["size_by_class"]) == 40
    assert "of the 30 most frequent of 40 classes" in panel.sentence
    axes = panel.figure().axes[2]
    assert [label.get_text() for label in axes.get_yticklabels()] == [f"class {label}" for label in range(10, 40)]
    assert " ".join(axes.get_ylabel().split()) == "the 30 most frequent of 40 classes"


def test_histograms_hold_every_image(found):
    for name in ("brightness", "contrast", "sharpness", "saturation", "entropy"):
        for split, frame in found.frames.items():
            told = found[name].statistics[split]
            assert sum(told["histogram"]) == told["count"] == len(frame)
            assert told["median"] == pytest.approx(frame[name].median())
            counts, _ = np.histogram(frame[name], told["edges"])
            assert np.array_equal(counts, told["histogram"])


def test_colours_are_those_of_all_pixels(found):
    counts = found["colours"].statistics["train"]["3 channels"]
    pixels = np.stack([piece(number) for number in range(42)]).reshape(-1, 3)
    for channel in range(3):
        assert np.array_equal(counts[channel], np.bincount(pixels[:, channel], minlength=256))


def lines_of(panel: Panel) -> dict[str, np.ndarray]:
    """What the first chart of a panel draws, by its label."""
    return {line.get_label(): line.get_ydata() for line in panel.figure().axes[0].lines}


def test_each_channel_is_drawn_in_its_colour_with_a_legend():
    photographed = [piece(number) for number in range(4)]
    grey = [piece(number)[..., :1] for number in range(4, 6)]
    alpha = [np.concatenate([piece(6), np.full((60, 80, 1), 255, np.uint8)], axis=-1)]
    panel = profile([*photographed, *grey, *alpha], progress=silent)["colours"]
    lines = lines_of(panel)
    assert list(lines) == ["red", "green", "blue", "grey", "fourth"]
    reds = np.concatenate([each[..., 0].ravel() for each in (*photographed, *alpha)])
    assert lines["red"] == pytest.approx(np.bincount(reds, minlength=256) / len(reds))
    assert lines["grey"] == pytest.approx(np.bincount(np.stack(grey).ravel(), minlength=256) / np.stack(grey).size)
    axes = panel.figure().axes[0]
    colours = {line.get_label(): to_rgb(line.get_color()) for line in axes.lines}
    assert len(set(colours["grey"])) == 1
    assert [np.argmax(colours[name]) for name in ("red", "green", "blue")] == [0, 1, 2]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == list(lines)
    # Nothing has names where there are more channels.
    five = profile([np.concatenate([piece(0), piece(1)[..., :2]], axis=-1)], progress=silent)["colours"]
    assert list(lines_of(five)) == [f"{number} of 5" for number in range(1, 6)]


def test_a_single_peak_does_not_flatten_all_colours():
    ordinary = [np.random.default_rng(number).integers(0, 200, (40, 40, 3), dtype=np.uint8) for number in range(4)]
    padded = [np.pad(each, ((0, 40), (0, 40), (0, 0))) for each in ordinary]
    panels = [profile(images, progress=silent)["colours"] for images in (ordinary, padded)]
    for panel, is_cut in zip(panels, (False, True), strict=True):
        shares = lines_of(panel)["red"]
        axes = panel.figure().axes[0]
        top = axes.get_ylim()[1]
        assert (top < shares.max()) == is_cut
        assert np.sort(shares)[-4] < top < 2 * np.sort(shares)[-4]
        assert ("cut off" in panel.sentence) == ([text.get_text() for text in axes.texts] == ["peaks are cut off"])
        assert ("cut off" in panel.sentence) == is_cut
    # Where there is nothing but a peak, it is seen.
    plain = profile([np.full((8, 8, 3), 9, np.uint8)], progress=silent)["colours"]
    assert plain.figure().axes[0].get_ylim()[1] >= 1


@pytest.mark.parametrize("name", ["classes", "odd"])
def test_names_stand_in_the_middle_of_their_bars(found, name):
    axes = found[name].figure().axes[0]
    bars = [[bar.get_x() + bar.get_width() / 2 for bar in container] for container in axes.containers]
    assert np.mean(bars, axis=0) == pytest.approx(axes.get_xticks())


def test_a_figure_says_of_how_many_classes_it_shows_the_most_frequent(found):
    assert found["classes"].figure().axes[0].get_xlabel() == ""
    train = [(piece(label), label) for label in range(40)]
    many = profile(train, features=["classes"], progress=silent)["classes"]
    assert many.figure().axes[0].get_xlabel() == "the 30 most frequent of 40 classes"
    assert many.sentence.startswith("How often each class is there; the figure has the 30 most frequent of 40 classes.")
    boxes = [(piece(0), {"boxes": np.array([[1.0, 2, 30, 40]]), "labels": np.array([label])}) for label in range(20)]
    boxed = profile(boxes, features=["box_classes", "box_area"], progress=silent)
    assert boxed["box_classes"].figure().axes[0].get_ylabel() == "the 12 most frequent of 20 classes"
    assert boxed["box_area"].figure().axes[1].get_ylabel() == "the 12 most frequent of 20 classes"


def test_long_names_that_differ_at_their_ends_stay_different():
    names = [f"a photograph of a long-haired {animal}" for animal in ("cat", "dog")]
    assert short(names) == ["a photograph…-haired cat", "a photograph…-haired dog"]
    assert short(names, 12) == ["a phot…d cat", "a phot…d dog"]
    assert short(["cat", "a\nb"], 3) == ["cat", "a b"]
    assert [shortened("abcdef", letters) for letters in (1, 2, 3, 5, 6)] == ["a…", "a…", "a…f", "ab…ef", "abcdef"]


def test_mean_images_are_the_classes_means(found):
    told = found["mean_images"].statistics["train"]
    cats = np.stack([piece(number) for number in range(20)])
    assert told["cat"]["images"] == 20
    assert told["cat"]["mean"] == pytest.approx(cats.mean() / 255, abs=0.01)


class Named(list):
    """Samples of a dataset that names its classes."""

    classes = ("cat", "dog", "owl")


def test_a_split_without_labels_is_compared_with_no_other():
    bare, several = (
        [piece(number) for number in range(9)],
        [(piece(number), np.array([1, 1, 0])) for number in range(9)],
    )
    named = Named((piece(number, 1), number % 3) for number in range(9))
    for train, val, split in (
        (bare, named, "train"), (named, bare, "val"), (several, named, "train"), (named, several, "val")
    ):  # fmt: skip
        panel = profile(train, val, progress=silent)["classes"]
        other = "val" if split == "train" else "train"
        assert panel.statistics == {
            "counts": {split: dict.fromkeys(Named.classes, 0), other: dict.fromkeys(Named.classes, 3)},
            "starved": [], "empty": [],
        }  # fmt: skip
        assert panel.sentence.endswith(f"is there. Worry: {split} has no labels that are classes.")
        assert list(panel.statistics["counts"]) == ["train", "val"]
        assert panel.figure()


def test_names_are_those_of_the_first_split_that_has_labels():
    bare, named = [piece(number) for number in range(6)], Named((piece(number), number % 2) for number in range(6))
    counts = profile(bare, named, progress=silent)["classes"].statistics["counts"]
    assert counts["val"] == {"cat": 3, "dog": 3, "owl": 0}
    # Numbers of the first split may be those of other classes than the names of the second.
    counts = profile(list(named), named, progress=silent)["classes"].statistics["counts"]
    assert counts["train"] == counts["val"] == {"class 0": 3, "class 1": 3}
    hidden = profile(bare, named, hide_names=True, progress=silent)["classes"].statistics["counts"]
    assert hidden["val"] == {"class 0": 3, "class 1": 3, "class 2": 0}
    target = {"boxes": [[1, 1, 9, 9]], "labels": [1]}
    boxes = profile(bare, Named((image, target) for image, _ in named), progress=silent)["box_classes"]
    assert boxes.statistics["val"]["classes"] == {"dog": {"boxes": 6, "images": 6}}


def test_mean_images_say_of_what_they_are():
    bare, labelled = [piece(number) for number in range(6)], [(piece(number), 0) for number in range(6)]
    for data, names, words in (
        (bare, ["all"], "The mean of all images in train"),
        (labelled, ["cat"], "The mean of each class in train"),
        ([*labelled, *((each, None) for each in bare)], ["cat", "without a class"], "The mean of each class in train"),
    ):
        panel = profile(data, class_names=NAMES, progress=silent)["mean_images"]
        assert list(panel.statistics["train"]) == names
        assert panel.sentence.startswith(words)
        assert ("class" in panel.sentence) == (names != ["all"])


def test_mean_images_of_many_classes_show_the_most_frequent():
    # The last in the order of names is the most frequent.
    labels = [*range(40), *range(30, 40), *[39] * 5]
    data = [(piece(number), label) for number, label in enumerate(labels)]
    panel = profile(data, samples=1, features=["mean_images"], progress=silent)["mean_images"]
    assert len(panel.statistics["train"]) == 40
    assert panel.sentence.startswith("The mean of the 15 most frequent of 40 classes in train, ")
    captions = [text.get_text() for text in panel.figure().axes[0].texts]
    assert captions == [f"class {label}" for label in (*range(5), *range(30, 40))]


def test_mean_images_say_that_classes_of_few_images_have_none():
    data = [(piece(number), number // 5) for number in range(14)]
    told = [profile(data, class_names=NAMES, samples=samples, progress=silent)["mean_images"] for samples in (0, 1)]
    assert [list(panel.statistics["train"]) for panel in told] == [["cat", "dog"], ["cat", "dog", "owl"]]
    assert told[0].sentence.startswith("The mean of each class of at least 5 different images in train, ")
    assert told[1].sentence.startswith("The mean of each class in train, ")


def luminance(colour) -> float:
    """As WCAG 2.2 defines it."""
    linear = [each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in to_rgb(colour)]
    return float(np.dot([0.2126, 0.7152, 0.0722], linear))


@pytest.mark.parametrize("name", ["mean_images", "samples", "extremes"])
def test_captions_are_read_in_the_light_and_in_the_dark(found, name):
    figure = found[name].figure()
    (axes,) = figure.axes
    figure.draw(FigureCanvasAgg(figure).get_renderer())
    assert len(axes.texts) == len(axes.patches) > 0
    for text, plate in zip(axes.texts, axes.patches, strict=True):
        light, dark = luminance(plate.get_facecolor()), luminance(text.get_color())
        assert plate.get_facecolor()[3] == 1
        assert (light + 0.05) / (dark + 0.05) > 7
        inside, words = plate.get_window_extent(), text.get_window_extent()
        assert inside.x0 <= words.x0 < words.x1 <= inside.x1
        assert inside.y0 <= words.y0 < words.y1 <= inside.y1


def test_samples_are_drawn_by_the_seed_and_only_when_asked_for(found):
    assert len(found["samples"].statistics["indices"]) == 12
    train = [(piece(number), 0) for number in range(42)]
    draws = [
        profile(train, samples=6, seed=seed, progress=silent)["samples"].statistics["indices"] for seed in (0, 0, 1)
    ]
    assert draws[0] == draws[1] != draws[2]
    assert "samples" not in [panel.name for panel in profile(train, progress=silent).panels]


def test_samples_say_of_which_split_they_are():
    train, val = [(piece(number), 0) for number in range(5)], [(piece(number, 1), 1) for number in range(5)]
    panel = profile(train, val, class_names=NAMES, samples=2, progress=silent)["samples"]
    told = panel.statistics
    assert told["splits"] == ["train", "train", "val", "val"]
    assert told["classes"] == ["cat", "cat", "dog", "dog"]
    captions = [text.get_text() for text in panel.figure().axes[0].texts]
    assert captions == [
        f"{split} {index}\n{name}"
        for split, index, name in zip(told["splits"], told["indices"], told["classes"], strict=True)
    ]
    turned = RandomAugmentation(rotation=(-9, 9))
    both = profile(train, class_names=NAMES, hide_classes=["cat"], augmentation=turned, samples=2, progress=silent)
    assert "samples" not in [panel.name for panel in both.panels]
    both = profile(train, class_names=NAMES, augmentation=turned, samples=1, progress=silent)
    captions = [text.get_text() for text in both["samples"].figure().axes[0].texts]
    (index,) = set(both["samples"].statistics["indices"])
    assert captions == [f"train {index}\ncat", f"train,\naugmented {index}\ncat"]
    # Of those that are outermost in either.
    captions = [text.get_text() for text in both["extremes"].figure().axes[0].texts]
    assert {"\ntrain " in each or "\ntrain, augmented " in each for each in captions} == {True}
    assert sum("augmented" in each for each in captions) == len(captions) / 2


def test_duplicates_near_and_exact_are_found_across_splits():
    photograph = Image.fromarray(photographs.astronaut()).resize((160, 160))
    small = photograph.resize((120, 120))
    file = io.BytesIO()
    photograph.save(file, "JPEG", quality=60)
    plain = np.full((40, 40, 3), 128, np.uint8)
    train = [(photograph, 0), (photograph, 1), (piece(2), 0), (plain, 0)]
    val = [(small, 0), (Image.open(file), 0), (piece(3), 0), (plain + 40, 0)]
    told = profile(train, val, progress=silent)["duplicates"].statistics
    assert told["exact"] == 2
    assert told["near"] == 2
    assert told["in_several_splits"] == told["with_several_labels"] == 4
    assert (told["exact_in_several_splits"], told["exact_with_several_labels"]) == (0, 2)
    # Two plain pictures look alike by their hash, and are not.
    assert told["groups"] == [{"split": ["train", "train", "val", "val"], "index": [0, 1, 0, 1]}]
    assert told["group_count"] == 1


def test_of_many_groups_of_duplicates_the_first_are_listed_and_all_counted():
    draw = np.random.default_rng(0)
    images = [draw.integers(0, 256, (16, 16, 3), dtype=np.uint8) for _ in range(35)]
    told = profile(images * 2, progress=silent)["duplicates"].statistics
    assert (told["exact"], told["group_count"], len(told["groups"])) == (70, 35, 30)
    assert told["groups"][2] == {"split": ["train", "train"], "index": [2, 37]}


def test_duplicates_are_told_with_what_is_wrong_with_them():
    def told(train, val=None):
        return profile(train, val, progress=silent)["duplicates"].sentence

    twice, conflict = [(piece(0), 0)] * 2, [(piece(0), 0), (piece(0), 1)]
    others = [(piece(1), 0), (piece(2), 1)]
    assert told(others) == told(others[:1], others[1:]) == "No image is there more than once, or nearly."
    assert told(twice + others) == (
        "2 images are there more than once, 0 nearly. None of them is under several labels."
    )  # fmt: skip
    assert told([piece(0)] * 2) == "2 images are there more than once, 0 nearly."
    assert told(twice + others, [(piece(3), 0)]) == (
        "2 images are there more than once, 0 nearly. None of them is in several splits or under several labels."
    )
    assert (
        told(conflict)
        == "2 images are there more than once, 0 nearly. Worry: of those that are equal 2 are under several labels."
    )
    assert told(conflict, twice[:1]).endswith(
        "Worry: of those that are equal 3 are in several splits and 3 are under several labels."
    )


def test_what_only_looks_alike_is_not_told_as_a_copy_under_another_label():
    def digit(number):
        picture, draw = Image.new("L", (28, 28)), np.random.default_rng(number)
        place = draw.integers((6, 2), (12, 8)).tolist()
        ImageDraw.Draw(picture).text(place, str(number % 10), fill=255, font=ImageFont.load_default(18))
        return np.asarray(picture)

    train = [(digit(number), number % 10) for number in range(100)]
    equal = pd.Series([image.tobytes() for image, _ in train])
    panel = profile(train, features=["duplicates"], progress=silent)["duplicates"]
    told = panel.statistics
    assert told["exact"] == equal.duplicated(keep=False).sum() > 0
    assert told["exact_with_several_labels"] == 0 < told["with_several_labels"]
    assert panel.sentence.endswith(
        f" nearly. Worry: of those that only look alike {told['with_several_labels']} are under several labels, "
        "if they show the same."
    )
    both = profile([*train, (train[0][0], 1)], features=["duplicates"], progress=silent)["duplicates"]
    copies = 1 + int((equal == equal[0]).sum())
    assert both.statistics["exact_with_several_labels"] == copies
    assert f"Worry: of those that are equal {copies} are under several labels; of those that only" in both.sentence


def test_odd_images_are_counted_once_each():
    black = [(np.full((40, 40, 3), 1, np.uint8), 0)] * 6
    ordinary = [(piece(number)[:40, :40], 1) for number in range(20)]
    told = "images are dark, light, blurred, plain, or of an odd size or aspect"
    one = profile([*ordinary, *black], progress=silent)["odd"]
    assert one.sentence == f"6 {told}."
    assert one.statistics["train"]["images"] == one.statistics["train"]["dark"]["count"] == 6
    assert profile([*ordinary, *black], ordinary + black[:2], progress=silent)["odd"].sentence == f"8 {told}."
    single = profile([*ordinary, *black[:1]], progress=silent)["odd"].sentence
    assert single == "1 image is dark, light, blurred, plain, or of an odd size or aspect."
    darker = RandomAugmentation(brightness=0)
    both = profile([*ordinary, *black], augmentation=darker, progress=silent)["odd"]
    assert both.sentence.startswith(f"6 {told}; augmented, 26.")


def test_a_row_of_pixels_less_makes_no_odd_image():
    draw = np.random.default_rng(0)
    given = [(draw.integers(0, 256, (75 - (number > 39), 100, 3), dtype=np.uint8), 0) for number in range(46)]
    found = profile(given, samples=1, progress=silent)
    assert found["odd"].sentence.startswith("0 images are ")
    assert set(found["extremes"].statistics["train"]) == {"dark", "light", "plain", "blurred"}


def test_samples_that_fail_are_counted_once_each():
    good = [(piece(number), number % 2) for number in range(6)]
    bad = [(np.full((8, 8, 3), np.nan, np.float32), 0)] * 3
    turned = RandomAugmentation(rotation=(-9, 9))
    for augmentation in (None, turned):
        given = {"augmentation": augmentation, "value_range": "byte", "progress": silent}
        told = [profile(good + bad[:count], **given)["errors"].sentence for count in (0, 1, 3)]
        # What follows says of which images all panels are.
        assert [sentence.partition(" Each image is")[0] for sentence in told] == [
            "Every sample could be used.",
            "1 sample, or its label, could not be used. Worry about it.",
            "3 samples, or their labels, could not be used. Worry about each.",
        ]
    both = profile(good + bad, good + bad[:2], augmentation=turned, value_range="byte", progress=silent)["errors"]
    assert both.sentence.startswith("5 samples, ")


def test_drift_says_when_there_are_too_few_samples_to_tell():
    light = [(np.minimum(piece(number), 120) + 100).astype(np.uint8) for number in range(24)]
    dark = [image // 2 for image in light]
    few = profile(light[:3], dark[:3], progress=silent)["drift"]
    assert few.statistics["measures"]["brightness"]["ks"] == 1
    assert few.sentence == "How far val is from train, by each property. There are too few samples to tell, 3 and 3."
    assert "Worry: brightness" in profile(light, dark, progress=silent)["drift"].sentence
    assert profile(light, light, progress=silent)["drift"].sentence.endswith("None of them differs much.")


def test_drift_is_told_of_augmentation_beside_that_between_splits():
    images = [piece(number) for number in range(24)]
    darker = RandomAugmentation(brightness=0.5)
    panel = profile(images, images, augmentation=darker, progress=silent)["drift"]
    told = panel.statistics
    assert (told["between"], told["augmented"]["between"]) == (["train", "val"], ["train", "train, augmented"])
    alone = profile(images, augmentation=darker, progress=silent)["drift"]
    assert told["augmented"]["measures"] == alone.statistics["measures"]
    assert told["measures"]["brightness"]["ks"] == 0 < told["augmented"]["measures"]["brightness"]["ks"]
    # Lines are read along the bars.
    axes = panel.figure().axes[0]
    assert [axes.xaxis.get_gridlines()[0].get_visible(), axes.yaxis.get_gridlines()[0].get_visible()] == [True, False]
    first, second = panel.sentence.split(" How far train, augmented is from train, by each property. ")
    assert first == "How far val is from train, by each property. None of them differs much."
    assert second.startswith("Worry: ")
    assert "brightness" in second
    assert "augmented" not in alone.statistics


def test_one_is_told_as_one():
    assert repr(profile([piece(0)], features=["sizes"], progress=silent)) == "Profile(1 in train; 1 panel)"
    with pytest.raises(DataError, match="data of type int gives no samples; expected a folder"):
        profile(3, progress=silent)


def test_every_panel_draws_says_something_and_is_strict_json(found):
    for panel in found.panels:
        file = io.BytesIO()
        panel.figure().savefig(file, format="png")
        assert np.asarray(Image.open(file).convert("L")).std() > 1, panel.name
        assert panel.sentence.endswith(".")
        assert panel.sentence[0].isupper() or panel.sentence[0].isdigit()
        json.dumps(strict(panel.statistics), allow_nan=False)
    names = [panel.name for panel in found.panels]
    assert len(set(names)) == len(names)


LABELS = {
    "classes": lambda number: number % 2,
    "masks": lambda number: np.full((60, 80), number % 3, np.int64),
    "boxes": lambda number: {"boxes": np.array([[1.0, 2, 30, 40]]), "labels": np.array([number % 2])},
    "no labels": lambda number: None,
}


@pytest.mark.parametrize("kind", LABELS)
@pytest.mark.parametrize("samples", [0, 1])
def test_a_panel_that_was_asked_for_is_there_or_an_error_says_why_not(kind, samples):
    given = {
        "train": [(piece(number), LABELS[kind](number)) for number in range(4)],
        "images": "[0]",
        "labels": "[1]",
        "samples": samples,
        "progress": silent,
    }
    there = [panel.name for panel in profile(**given).panels]
    assert {name for name in there if name.startswith(("classes", "mask_classes", "box_classes"))} == {
        "classes": {"classes"}, "masks": {"mask_classes"}, "boxes": {"box_classes"}, "no labels": set()
    }[kind]  # fmt: skip
    for name in NEEDS:
        if name in there:
            assert [panel.name for panel in profile(**given, features=[name]).panels] == [name]
            continue
        with pytest.raises(DataError) as caught:
            profile(**given, features=[name])
        told = str(caught.value)
        assert told.startswith(f"features asks for no panel that is there: {name} needs ")
        assert f"this data has {kind}" in told
        # What it says there is, is there.
        named = told.partition("panels such as ")[2].split(", ")
        assert set(named) <= set(there)
        assert len(named) == (3 if kind == "no labels" else 4)


def test_panels_that_are_not_there_beside_others_are_warned_of(caplog):
    train = [(piece(number), number % 2) for number in range(4)]
    found = profile(train, features=["boxes", "box_area", "drift", "classes"], progress=silent)
    assert [panel.name for panel in found.panels] == ["classes"]
    assert caplog.messages == [
        "not all panels that features asks for are there: drift needs val or an augmentation; "
        "boxes, box_area need boxes as labels"
    ]
    caplog.clear()
    # Nothing is odd in its contrast.
    profile(train, features=["odd", "contrast"], progress=silent)
    assert caplog.messages == [
        "not all panels that features asks for are there: odd needs one of brightness, sharpness, entropy, sizes"
    ]
    caplog.clear()
    profile(train, features=["-boxes"], progress=silent)
    assert not caplog.messages
    with pytest.raises(DataError, match=r"features is \['odd', '-odd'\], which leaves no panel; expected at least one"):
        profile(train, features=["odd", "-odd"], progress=silent)


def test_panels_are_chosen_by_their_names():
    train = [(piece(number), number % 2) for number in range(8)]
    one = profile(train, features=["brightness", "classes"], progress=silent)
    assert sorted(panel.name for panel in one.panels) == ["brightness", "classes"]
    rest = profile(train, features=["-brightness"], progress=silent)
    assert "brightness" not in [panel.name for panel in rest.panels]
    assert "contrast" in [panel.name for panel in rest.panels]


ALL = ["brightness", "contrast", "sharpness", "saturation", "entropy", "aspect", "size"]


@pytest.mark.parametrize(
    ("features", "told"),
    [
        (None, ALL),
        (["drift", "shortcuts", "classes", "colours"], ALL),
        (["drift", "shortcuts", "brightness"], ["brightness"]),
        (["drift", "shortcuts", "entropy", "sizes"], ["entropy", "aspect", "size"]),
        (["drift", "shortcuts", "-brightness", "-sizes"], ALL[1:5]),
        (["-brightness"], ALL[1:]),
        (["-sizes", "-errors"], ALL[:5]),
    ],
)
def test_panels_of_several_measures_tell_of_those_that_are_chosen(features, told):
    train = [(piece(number), number % 2) for number in range(8)]
    found = profile(train, train, features=features, progress=silent)
    information = found["shortcuts"].statistics["train"]["information"]
    assert list(found["drift"].statistics["measures"]) == list(information) == told
    for name in ("drift", "shortcuts"):
        assert {label.get_text() for label in found[name].figure().axes[0].get_yticklabels()} == set(told)
    whole = profile(train, train, progress=silent)
    for name, each in found["drift"].statistics["measures"].items():
        assert each == whole["drift"].statistics["measures"][name]


def test_what_augmentation_broke_is_told_of_chosen_measures():
    train = [piece(number) for number in range(4)]
    dark = RandomAugmentation(brightness=0)

    def told(*features):
        panel = profile(train, augmentation=dark, features=features, progress=silent)["broken"]
        ticks = [label.get_text() for label in panel.figure().axes[0].get_xticklabels()]
        assert all(f"{way}" in panel.sentence for way in ticks)
        statistics = panel.statistics["train"]
        assert list(statistics) == ["images", *ticks, "difference"]
        return ticks, list(statistics["difference"])

    assert told("broken") == (["blank", "clipped", "blurred"], ALL[:5])
    assert told("broken", "-entropy") == (["clipped", "blurred"], ALL[:4])
    assert told("broken", "contrast") == (["clipped"], ["contrast"])


@pytest.mark.parametrize(
    ("features", "odd", "outermost"),
    [
        (["odd", "extremes"], "dark, light, blurred, plain, or of an odd size or aspect",
         "The darkest, lightest, plainest and most blurred images, and those of an odd size or aspect"),
        (["odd", "extremes", "-sizes"], "dark, light, blurred, or plain",
         "The darkest, lightest, plainest and most blurred images"),
        (["odd", "extremes", "brightness"], "dark or light", "The darkest and lightest images"),
        (["odd", "extremes", "-brightness"], "blurred, plain, or of an odd size or aspect",
         "The plainest and most blurred images, and those of an odd size or aspect"),
        (["odd", "extremes", "entropy"], "plain", "The plainest images"),
        (["odd", "extremes", "sizes"], "of an odd size or aspect", "The images of an odd size or aspect"),
    ],
)  # fmt: skip
def test_sentences_name_what_panels_of_several_measures_tell_of(features, odd, outermost):
    images = [piece(number) for number in range(20)] + [piece(0)[:20]]
    found = profile(images, features=features, samples=1, progress=silent)
    assert re.fullmatch(rf"\d+ images? (is|are) {odd}\.", found["odd"].sentence)
    assert found["extremes"].sentence.startswith(f"{outermost}. Worry")


def test_hidden_classes_are_one_and_numbers_stand_for_names():
    train = [(piece(number), number % 4) for number in range(16)]
    hidden = profile(train, class_names=NAMES, hide_classes=["dog", 3], progress=silent)
    assert hidden["classes"].statistics["counts"]["train"] == {"cat": 4, "owl": 4, "hidden": 8}
    nameless = profile(train, class_names=NAMES, hide_names=True, progress=silent)
    assert set(nameless["classes"].statistics["counts"]["train"]) == {f"class {number}" for number in range(4)}


def test_the_outermost_images_are_shown_with_samples_alone():
    train = [(piece(number), 0) for number in range(20)]
    blurred = np.asarray(Image.fromarray(piece(3)).resize((4, 3)).resize((80, 60)))
    odd = [np.full((60, 80, 3), level, np.uint8) for level in (3, 250)]
    found = profile([*train, (odd[0], 0), (odd[1], 0), (blurred, 1)], samples=1, progress=silent)
    told = found["extremes"].statistics["train"]
    assert told["dark"]["indices"][0] == 20
    assert told["light"]["indices"][0] == 21
    assert told["plain"]["indices"][:2] == told["blurred"]["indices"][:2] == [20, 21]
    assert told["blurred"]["indices"][2] == 22
    frame = found.frames["train"].set_index("index")
    for kind, name in (("dark", "brightness"), ("plain", "entropy"), ("blurred", "sharpness")):
        assert told[kind]["values"] == sorted(frame[name])[:4]
        assert frame.loc[told[kind]["indices"], name].tolist() == told[kind]["values"]
    # Where all are of one size none is odd.
    assert set(told) == {"dark", "light", "plain", "blurred"}
    hidden = profile([*train, (odd[0], 1)], class_names=["x", "y"], hide_classes=["y"], samples=1, progress=silent)
    assert 20 not in hidden["extremes"].statistics["train"]["dark"]["indices"]
    assert "extremes" not in [panel.name for panel in profile(train, progress=silent).panels]


def test_images_of_an_odd_size_or_aspect_are_shown_with_their_size_and_class():
    train = [(piece(number), 0) for number in range(20)]
    shapes = {20: (12, 16), 21: (300, 400), 22: (240, 20), 23: (20, 240)}
    made = [np.random.default_rng(0).integers(0, 256, (*shape, 3), np.uint8) for shape in shapes.values()]
    given = [*train, *((image, 1) for image in made)]
    panel = profile(given, class_names=["cat", "an owl"], samples=1, progress=silent)["extremes"]
    told = panel.statistics["train"]
    assert [told[kind]["indices"] for kind in ("small", "large", "narrow", "wide")] == [[20], [21], [22], [23]]
    assert told["small"]["values"] == [pytest.approx(np.sqrt(12 * 16))]
    assert told["wide"]["values"] == [pytest.approx(12)]
    captions = [text.get_text() for text in panel.figure().axes[0].texts]
    assert captions[-4:] == [
        "small 16×12\ntrain 20\nan owl",
        "large 400×300\ntrain 21\nan owl",
        "narrow 20×240\ntrain 22\nan owl",
        "wide 240×20\ntrain 23\nan owl",
    ]
    assert captions[0].startswith("dark 0.")
    hidden = profile(given, class_names=["cat", "an owl"], hide_classes=[1], samples=1, progress=silent)["extremes"]
    assert set(hidden.statistics["train"]) == {"dark", "light", "plain", "blurred"}
    assert not any("owl" in text.get_text() for text in hidden.figure().axes[0].texts)
    nameless = profile(given, class_names=["cat", "an owl"], hide_names=True, samples=1, progress=silent)["extremes"]
    assert [text.get_text() for text in nameless.figure().axes[0].texts][-1] == "wide 240×20\ntrain 23\nclass 1"
    # A mask is no class.
    masks = [(image, np.ones(image.shape[:2], np.uint8)) for image, _ in given]
    shown = profile(masks, images="[0]", labels="[1]", samples=1, progress=silent)["extremes"]
    assert [text.get_text() for text in shown.figure().axes[0].texts][-1] == "wide 240×20\ntrain 23"


def test_names_of_four_splits_leave_charts_their_room_and_are_read_whole():
    draw = np.random.default_rng(0)
    data = [(draw.integers(0, 256, (40, 40, 3), dtype=np.uint8), number % 2) for number in range(6)]
    found = profile(data, data, augmentation=RandomAugmentation(rotation=(-9, 9)), progress=silent)
    shapes, aspects, classes = Drawing(found["sizes"]).figure.axes
    for axes in (shapes, aspects):
        assert axes.get_position().width > 0.3
        assert axes.get_position().height > 0.3
    assert classes.get_position().width > 0.6
    figure = Drawing(found["summary"]).figure
    FigureCanvasAgg(figure).draw()
    table = figure.axes[0].tables[0]
    names = [table[row, 0].get_text() for row in range(1, 5)]
    assert [name.get_text() for name in names] == ["train", "train, augmented", "val", "val, augmented"]
    for name, row in zip(names, range(1, 5), strict=True):
        cell, text = table[row, 0].get_window_extent(), name.get_window_extent()
        assert cell.x0 <= text.x0 < text.x1 <= cell.x1
        assert cell.x0 >= 0


@pytest.mark.parametrize("kind", ["classes", "masks", "boxes"])
def test_legends_of_four_splits_end_within_the_figure(kind):
    draw = np.random.default_rng(0)
    mask = np.zeros((40, 40), np.int64)
    mask[4:20, 8:30], mask[25:30, 3:9] = 1, 2
    boxes = {"boxes": np.array([[8.0, 4.0, 30.0, 20.0]]), "labels": np.array([1])}
    label = {"classes": 1, "masks": mask, "boxes": boxes}[kind]
    data = [(draw.integers(0, 256, (40, 40, 3), dtype=np.uint8), label) for _ in range(6)]
    names = ["ground", "a car with a long name", "bus"]
    found = profile(
        data, data, augmentation=RandomAugmentation(rotation=(-9, 9)), class_names=names, progress=silent
    )  # fmt: skip
    seen = 0
    for panel in found.panels:
        figure = Drawing(panel).figure
        FigureCanvasAgg(figure).draw()
        for legend in filter(None, (axes.get_legend() for axes in figure.axes)):
            seen += 1
            assert 0 <= legend.get_window_extent().x0 < legend.get_window_extent().x1 <= figure.bbox.x1, panel.name
    assert seen > 5


def test_where_nothing_is_wrong_no_chart_stands_empty():
    ordinary = profile([(image, 0) for image in np.random.default_rng(0).integers(0, 256, (8, 64, 64, 3), np.uint8)])
    broken = profile([(np.zeros((64, 64, 3), np.uint8), 0)] * 3 + [(None, 0)], images="[0]")
    for name in ("duplicates", "odd", "errors"):
        (axes,) = ordinary[name].figure().axes
        assert [text.get_text() for text in axes.texts] == ["nothing to show"]
        (axes,) = broken[name].figure().axes
        assert axes.patches
