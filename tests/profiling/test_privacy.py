"""What was not asked for leaves in no output, byte for byte: no picture of a sample, no path, no hidden name."""

from __future__ import annotations

import io
import logging
import re

import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text
from PIL import Image

import augimpact as ai
from augimpact.errors import DataError
from augimpact.measures import MEASURES
from augimpact.profiling.naming import Naming
from augimpact.profiling.needs import COMBINED, PROPERTIES
from augimpact.profiling.private import told_failure
from augimpact.profiling.source import Failure
from tests.pages import Page
from tests.profiling.reading import layers, pdf_lines

# No letters that fonts join, so that they are found in the PDF's text.
SECRET, BROKEN, KNOWN = "zqsecret", "zqbroken", "zqharmless"
COLOUR = (201, 7, 93)
COUNTS = {SECRET: 6, KNOWN: 7, "zqrare": 4}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Three classes of files with secret names, the images of one in one colour, and a file that cannot be read."""
    place = tmp_path_factory.mktemp("zqplace")
    random = np.random.default_rng(0)
    for name, count in COUNTS.items():
        (place / name).mkdir()
        for number in range(count):
            pixels = random.integers(100, 120, (32, 40, 3)).astype(np.uint8)
            if name == SECRET:
                pixels[:] = COLOUR
                pixels[: number + 1, 0] = 0
            Image.fromarray(pixels).save(place / name / f"zqfile-{name}-{number}.png")
    (place / SECRET / f"{BROKEN}.png").write_bytes(b"\x89PNG\r\n\x1a\nno more")
    return place


def saved(profile, tmp_path):
    """All bytes of all files, with what is packed inside them; and their names."""
    profile.save(tmp_path / "all")
    files = [each for each in (tmp_path / "all").rglob("*") if each.is_file()]
    assert len(files) == 6
    texts = [str(each.relative_to(tmp_path)).encode() for each in files]
    texts += [layer for each in files for layer in layers(each.name, each.read_bytes())]
    texts.append(profile._repr_html_().encode())
    texts.append(repr(profile).encode())
    # What is drawn is in a picture's pixels, where bytes cannot be searched.
    texts += [
        text.get_text().encode()
        for panel in profile.panels
        for text in (each for figure in [panel.figure()] for each in figure.findobj(Text))
    ]
    return texts


def holds(texts, word):
    return any(word.lower().encode() in text.lower() for text in texts)


def shows(profile, colour):
    """Whether a pixel of any picture has this colour, or one that is near."""
    return any(
        (np.abs(np.asarray(image.get_array())[..., :3].astype(int) - colour).max(axis=-1) <= 8).sum() > 20
        for panel in profile.panels
        if panel.pictures
        for axes in panel.figure().axes
        for image in axes.images
    )


def test_the_search_finds_what_is_there(folder, tmp_path):
    asked = ai.profile(folder, samples=30)
    texts = saved(asked, tmp_path)
    assert all(holds(texts, word) for word in (SECRET, KNOWN, f"zqfile-{SECRET}-0", f"zqfile-{KNOWN}-6", "zqplace"))
    assert shows(asked, COLOUR)
    for name in ("report.html", "report.pdf", "profile.json", "profile.txt", "samples.csv"):
        assert holds(layers(name, (tmp_path / "all" / name).read_bytes()), SECRET), name
    assert "samples" in [panel.name for panel in asked.panels]


def test_without_being_asked_no_sample_is_shown_and_no_path_told(folder, tmp_path):
    profile = ai.profile(folder)
    texts = saved(profile, tmp_path)
    assert not any(holds(texts, word) for word in ("zqfile", BROKEN, "zqplace", str(folder.parent)))
    assert profile["errors"].statistics["train"]["count"] == 1
    assert "samples" not in [panel.name for panel in profile.panels]
    assert profile.paths == {}
    assert not any(failure.path for failure in profile.errors["train"])
    assert "class" not in pd.read_csv(tmp_path / "all" / "samples.csv")
    # The name of a class is part of what is asked.
    assert holds(texts, SECRET)


@pytest.fixture
def bare(tmp_path):
    """A folder with a secret name, whose images lie in it directly, and a copy of it with two classes beside them."""
    random = np.random.default_rng(1)
    for kind, places in (("flat", ["", "", ""]), ("mixed", ["", "", "zqa", "zqa", "zqz", "zqz"])):
        for number, place in enumerate(places):
            (tmp_path / kind / SECRET / place).mkdir(parents=True, exist_ok=True)
            pixels = random.integers(0, 256, (16, 20, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / kind / SECRET / place / f"{number}.png")
    return tmp_path


def views(folder):
    """The same images, however they are given."""
    table = ai.SampleTable.from_folder(folder, identity="path")
    dataset = ai.ImageDataset(table)
    some = dataset.subset(range(len(table)))
    augmented = ai.ImageDataset(table, ai.ImagePipeline(16), augmentation=ai.RandomAugmentation(brightness=(0.9, 1.1)))
    return [folder, table, dataset, some, some.concat(), augmented, dataset.view("path label image")]


def test_the_folder_that_was_given_is_no_class(bare, tmp_path):
    for given in views(bare / "flat" / SECRET):
        profile = ai.profile(given)
        assert not {"classes", "shortcuts"} & {panel.name for panel in profile.panels}
        assert profile["summary"].statistics["train"]["labels"] == 0
        assert (profile.frames["train"]["label"] == -1).all()
        assert "class" not in profile["sizes"].sentence
        assert SECRET not in repr(profile.document())
    assert not holds(saved(profile, tmp_path), SECRET)


def test_nor_beside_classes_where_it_counts_in_none(bare, tmp_path):
    for given in views(bare / "mixed" / SECRET):
        profile = ai.profile(given)
        assert profile["classes"].statistics["counts"]["train"] == {"zqa": 2, "zqz": 2}
        assert profile["classes"].statistics["empty"] == []
        assert sorted(profile.frames["train"]["label"]) == [-1, -1, 0, 0, 1, 1]
        assert profile["errors"].statistics["train"]["count"] == 0
        assert SECRET not in repr(profile.document())
    assert not holds(saved(profile, tmp_path), SECRET)


def test_nor_of_a_part_without_what_lies_in_it_directly(bare, tmp_path):
    table = ai.SampleTable.from_folder(bare / "mixed" / SECRET, identity="path")
    profile = ai.profile(table.where(folder="zqz"), table)
    assert profile["classes"].statistics["empty"] == []
    assert profile["classes"].statistics["counts"]["train"] == {"zqa": 0, "zqz": 2}
    assert SECRET not in repr(profile.document())
    asked = ai.profile(table, samples=9)
    asked.save(tmp_path / "samples.csv")
    told = pd.read_csv(tmp_path / "samples.csv")
    assert told["class"].fillna("").tolist() == ["", "", "zqa", "zqa", "zqz", "zqz"]


def test_hidden_names_leave_nowhere(folder, tmp_path, caplog, capsys):
    caplog.set_level(logging.DEBUG)
    profile = ai.profile(folder, folder, samples=30, hide_names=True)
    texts = saved(profile, tmp_path)
    assert not any(holds(texts, word) for word in (SECRET, KNOWN, "zqrare", "zqfile", BROKEN, "zqplace"))
    printed = "".join(capsys.readouterr()) + caplog.text
    assert "zq" not in printed
    assert set(profile["classes"].statistics["counts"]["train"]) == {"class 0", "class 1", "class 2"}
    assert "zq" not in repr(profile.errors)


def test_a_hidden_class_has_no_name_no_picture_and_no_path(folder, tmp_path):
    profile = ai.profile(folder, folder, samples=30, hide_classes=[SECRET])
    texts = saved(profile, tmp_path)
    assert not any(holds(texts, word) for word in (SECRET, BROKEN))
    assert not shows(profile, COLOUR)
    assert profile["classes"].statistics["counts"]["train"] == {KNOWN: 7, "zqrare": 4, "hidden": 6}
    table = pd.read_csv(tmp_path / "all" / "samples.csv", keep_default_na=False)
    assert set(table["class"]) == {KNOWN, "zqrare", "hidden"}
    assert (table["path"] == "").tolist() == (table["class"] == "hidden").tolist()
    # The others were asked for.
    assert holds(texts, f"zqfile-{KNOWN}-0")
    assert "zq" not in repr(profile.errors)


def test_a_hidden_class_in_a_mask_hides_the_sample():
    masks = [np.full((24, 24), number % 2, np.uint8) for number in range(6)]
    images = [np.full((24, 24, 3), COLOUR if number % 2 else (9, 9, 9), np.uint8) for number in range(6)]
    pairs = list(zip(images, masks, strict=True))
    shown = {"images": "[0]", "labels": "[1]", "samples": 6, "class_names": ["other", SECRET]}
    assert len(ai.profile(pairs, **shown)["samples"].statistics["indices"]) == 6
    assert ai.profile(pairs, **shown, hide_classes=[1])["samples"].statistics["indices"] == [0, 2, 4]


WIDE = np.random.default_rng(0).integers(0, 256, (6, 64, 128, 3), dtype=np.uint8)
TO_THE_LEFT = ai.RandomAugmentation(translate_x=(-0.4, -0.4))


def boxes(number, place):
    """One of the class of this number, in the middle or at the edge."""
    return {"boxes": [{"middle": [50, 10, 78, 30], "left": [36, 10, 46, 30], "edge": [0, 10, 16, 30]}[place]],
            "labels": [number]}  # fmt: skip


def mask(number, place):
    """The same as a mask."""
    made = np.zeros((64, 128), np.uint8)
    left, top, right, bottom = boxes(number, place)["boxes"][0]
    made[top:bottom, left:right] = number
    return made


@pytest.mark.parametrize(
    ("label", "options"),
    [
        *[(made(1, "middle"), {"ignored": [1]}) for made in (boxes, mask)],
        *[(made(1, "left"), {"augmentation": TO_THE_LEFT}) for made in (boxes, mask)],
        *[(made(1, "edge"), {"augmentation": ai.RandomAugmentation(brightness=0.9)}) for made in (boxes, mask)],
        (np.array([1, 1]), {}),
        (np.eye(2, dtype=np.uint8)[mask(1, "middle")], {}),
        ([0, 1], {"labels": "[1]"}),
        (mask(1, "middle") * 255, {}),
    ],
)
def test_a_class_is_hidden_by_what_a_sample_came_with(tmp_path, label, options):
    """Be it ignored, cut off, moved out, or of no use."""
    items = [(image, label if number == 2 else np.zeros_like(label)) for number, image in enumerate(WIDE)]
    if isinstance(label, dict):
        items = [(image, label if number == 2 else boxes(0, "middle")) for number, image in enumerate(WIDE)]
    if isinstance(label, list):
        items = [(image, label if number == 2 else [0]) for number, image in enumerate(WIDE)]
    for hidden, told in (([], True), (["secret"], False)):
        profile = ai.profile(
            items, class_names=["ok", "secret"], hide_classes=hidden, samples=12, progress=lambda *_: None, **options
        )
        shown = profile["samples"].statistics
        splits = [split for split, index in zip(shown["splits"], shown["indices"], strict=True) if index == 2]
        assert splits == list(profile.frames) * told


def test_a_hidden_class_is_hidden_in_a_split_that_has_other_classes(folder, tmp_path):
    (tmp_path / SECRET).mkdir()
    (tmp_path / "zznew").mkdir()
    for number in range(4):
        Image.new("RGB", (32, 32), COLOUR).save(tmp_path / SECRET / f"{number}.png")
        Image.new("RGB", (32, 32), (9, 9, number)).save(tmp_path / "zznew" / f"{number}.png")
    profile = ai.profile(folder, tmp_path, samples=30, hide_classes=[SECRET])
    counts = profile["classes"].statistics["counts"]["val"]
    assert counts == {"hidden": 4, "zznew": 4, KNOWN: 0, "zqrare": 0}
    assert profile["classes"].statistics["comparison"]["new"] == ["zznew"]
    assert not shows(profile, COLOUR)
    assert not any(SECRET in path for path in profile.paths["val"].values())
    assert sorted(profile.paths["val"].values())[0].endswith("zznew/0.png")


def test_a_mean_image_of_few_images_is_shown_only_with_samples(folder):
    assert list(ai.profile(folder)["mean_images"].statistics["train"]) == [KNOWN, SECRET]
    assert list(ai.profile(folder, samples=1)["mean_images"].statistics["train"]) == [KNOWN, "zqrare", SECRET]


def mean_images(numbers, **options):
    pairs = [(np.random.default_rng(number).integers(0, 256, (32, 32, 3), np.uint8), 0) for number in numbers]
    return [panel.statistics["train"] for panel in ai.profile(pairs, **options).panels if panel.name == "mean_images"]


@pytest.mark.parametrize(("numbers", "shown"), [([0] * 5, False), ([0] * 4 + [1], False), (range(5), True)])
def test_a_mean_image_of_few_different_images_could_be_one_of_them(numbers, shown):
    assert [list(each) for each in mean_images(numbers)] == ([["class 0"]] if shown else [])
    assert [each["class 0"]["images"] for each in mean_images(numbers, samples=1)] == [5]


def test_a_hidden_class_in_a_mask_is_in_no_mean_image():
    colours = [COLOUR, (9, 9, 9)]
    pairs = [
        (np.full((24, 24, 3), colours[number], np.uint8), np.full((24, 24), number, np.uint8)) for number in (0, 1)
    ]
    profile = ai.profile(pairs, images="[0]", labels="[1]", samples=2, hide_classes=[0], class_names=[SECRET, "other"])
    assert profile["mean_images"].statistics["train"]["all"] == {
        "images": 1,
        "mean": pytest.approx(9 / 255),
        "deviation": 0,
    }
    assert not shows(profile, COLOUR)


class Failing:
    """A dataset of which the samples with some indices cannot be read, and the errors name files."""

    def __init__(self, *fails):
        self.fails = fails

    def __len__(self):
        return 8

    def __getitem__(self, index):
        if index in self.fails:
            raise RuntimeError(f"cannot read /data/{BROKEN}.png of {SECRET}")
        return np.full((16, 16, 3), index, np.uint8), index % 2


def test_an_error_that_ends_the_pass_names_no_file_if_names_are_hidden():
    with pytest.raises(DataError, match="no sample that can be used") as told:
        ai.profile(Failing(*range(8)))
    assert BROKEN in str(told.value)
    with pytest.raises(DataError, match="the first error was RuntimeError; expected") as told:
        ai.profile(Failing(*range(8)), hide_names=True)
    assert "zq" not in str(told.value)


@pytest.mark.parametrize("options", [{}, {"samples": 5, "hide_names": True}, {"samples": 5, "hide_classes": [SECRET]}])
def test_errors_of_a_loader_are_told_by_their_kind_alone(tmp_path, options):
    profile = ai.profile(Failing(3), class_names=["known", SECRET], **options)
    texts = saved(profile, tmp_path)
    # The class's name may be told in the first, and is there.
    assert not any(holds(texts, word) for word in (BROKEN, *([SECRET] if options else []), "cannot read"))
    assert profile["errors"].statistics["train"]["kinds"] == {"RuntimeError": 1}
    assert profile["errors"].statistics["train"]["failures"] == [{"index": 3, "kind": "RuntimeError"}]
    (failure,) = profile.errors["train"]
    assert failure.error == ("RuntimeError" if options else f"RuntimeError: cannot read /data/{BROKEN}.png of {SECRET}")


def test_what_errors_say_is_told_where_samples_are_asked_for(tmp_path):
    texts = saved(ai.profile(Failing(3), samples=5), tmp_path)
    assert holds(texts, BROKEN)


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("the stream is cut", True),
        (f"no {SECRET.upper()}", False),
        ("cannot read a/b.png", False),
        (r"cannot read a\b.png", False),
        ("b.png is empty", False),
        ("x" * 300, False),
    ],
)
def test_where_a_class_is_hidden_a_message_that_may_name_it_or_a_file_is_not_told(message, told):
    naming = Naming(["known", SECRET], frozenset([1]))
    failure = told_failure(Failure(3, f"OSError: {message}", "/data/b.png"), naming, has_path=True)
    assert failure == Failure(3, f"OSError: {message}" if told else "OSError", None)


def test_the_files_of_errors_are_told_in_memory_where_samples_are_asked_for(folder):
    (failure,) = ai.profile(folder, samples=1).errors["train"]
    assert failure.path == str(folder / SECRET / f"{BROKEN}.png")
    assert failure.kind == "ImageError"


@pytest.mark.parametrize(
    ("features", "there"),
    [
        (["-brightness", "-classes", "-samples", "-sizes"], None),
        (["brightness"], ["brightness"]),
        (["samples", "drift"], ["samples", "drift"]),
        (["classes"], ["classes"]),
    ],
)
def test_features_hold_in_every_output(folder, tmp_path, features, there):
    everything = ai.profile(folder, folder, samples=2)
    titles = {panel.name: panel.title for panel in everything.panels}
    left_out = [name.removeprefix("-") for name in features] if there is None else set(titles) - set(there)
    kept = [name for name in titles if name not in left_out]
    profile = ai.profile(folder, folder, samples=2, features=features)
    profile.save(tmp_path)
    assert list(profile.document()["panels"]) == kept
    page = Page((tmp_path / "report.html").read_text())
    assert [each["text"] for each in page.all("h2")] == [titles[name] for name in kept]
    assert [each["text"] for each in page.all("a")] == [titles[name] for name in kept]
    lines = set(pdf_lines((tmp_path / "report.pdf").read_bytes()))
    text = (tmp_path / "profile.txt").read_text().splitlines()
    table = pd.read_csv(tmp_path / "samples.csv")
    for name in titles:
        assert (titles[name] in lines) == (titles[name] in text) == (name in kept), name
    for name in MEASURES:
        assert (name in table) == (name in kept)
    assert ("class" in table) == ("classes" in kept)
    assert ("width" in table) == ("sizes" in kept)
    assert ("path" in table) == ("samples" in kept)
    accumulators = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    read = accumulators.EventAccumulator(str(tmp_path / "tensorboard"), accumulators.STORE_EVERYTHING_SIZE_GUIDANCE)
    read.Reload()
    tags = [tag for kind in ("scalars", "images", "histograms", "tensors") for tag in read.Tags()[kind]]
    assert {tag.partition("/")[0] for tag in tags} == set(kept)


def numbers_of(value: object) -> set[str]:
    """All that are no whole numbers, and long enough that no two are the same by chance, as texts."""
    if isinstance(value, (dict, list)):
        return set().union(*map(numbers_of, value.values() if isinstance(value, dict) else value))
    digits = repr(value).partition("e")[0].replace(".", "").lstrip("-0")
    return {repr(value)} if isinstance(value, float) and not value.is_integer() and len(digits) > 4 else set()


def numbers_about(name: str, document: dict) -> set[str]:
    """What a whole profile tells of a property: its panel, and what others have under its name."""
    panels = document["panels"]
    kinds = {"brightness": ("dark", "light"), "entropy": ("plain",), "sharpness": ("blurred",)}.get(name, ())
    told = [panels[name]["statistics"]] if name in panels else []
    told.append(panels["drift"]["statistics"]["measures"][name])
    for split in panels["shortcuts"]["statistics"].values():
        told += [each[name] for each in split.values()]
    if "broken" in panels:
        told += [each["difference"].get(name) for each in panels["broken"]["statistics"].values()]
        told.append(panels["drift"]["statistics"].get("augmented", {}).get("measures", {}).get(name))
    told += [each.get(kind, {}) for each in panels["extremes"]["statistics"].values() for kind in kinds]
    return numbers_of(told)


# Sentences that have such a word, of something else.
ALLOWED = r"sizes, channels, and what lies outside the square, are told|the labels' entropy"
WORDS = {
    "brightness": r"bright|dark(est)?\b|light(est)?\b", "contrast": "contrast", "sharpness": "sharp|blurred",
    "saturation": "saturation", "entropy": r"entropy|plain|\bblank\b",
    "sizes": "aspect|width|height|size|narrow|wide",
}  # fmt: skip


@pytest.mark.parametrize("augmentation", [None, ai.RandomAugmentation(brightness=(0.3, 2), seed=1)])
@pytest.mark.parametrize("name", WORDS)
def test_a_measure_that_is_left_out_is_in_no_output(folder, tmp_path, name, augmentation):
    given = {"samples": 2, "augmentation": augmentation, "progress": lambda *_: None}
    whole = ai.profile(folder, folder, **given)
    profile = ai.profile(folder, folder, features=[f"-{name}", "-classes"], **given)
    profile.save(tmp_path)
    accumulators = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    read = accumulators.EventAccumulator(str(tmp_path / "tensorboard"), accumulators.STORE_EVERYTHING_SIZE_GUIDANCE)
    read.Reload()
    tags = [tag for kind in ("scalars", "images", "histograms", "tensors") for tag in read.Tags()[kind]]
    page = (tmp_path / "report.html").read_text()
    # Pictures and looks are no words.
    page = re.sub(r"<style>.*?</style>|data:image/png;base64,[^\"]*|(width|height)=\"\d+\"", "", page, flags=re.S)
    page = re.sub(r"<meta[^>]*>|class=\"size\"", "", page)
    outputs = {
        "json": (tmp_path / "profile.json").read_text(),
        "text": (tmp_path / "profile.txt").read_text(),
        "html": page,
        "pdf": "\n".join(pdf_lines((tmp_path / "report.pdf").read_bytes())),
        "table": (tmp_path / "samples.csv").read_text(),
        "tags": "\n".join(tags),
        "sentences": "\n".join(panel.sentence for panel in profile.panels),
    }
    own = {"aspect", "size"} if name == "sizes" else {name}
    document = whole.document()
    # What other panels have as well may be of something else.
    elsewhere = [each["statistics"] for panel, each in document["panels"].items() if panel not in {*COMBINED, name}]
    others = [numbers_about(each, document) for each in PROPERTIES if each not in own]
    known = set.union(*(numbers_about(each, document) for each in own)) - numbers_of(elsewhere) - set.union(*others)
    if name != "sizes":
        assert len(known) > 10
    for kind, text in outputs.items():
        text = re.sub(ALLOWED, "", " ".join(text.split()))
        assert not (found := re.search(WORDS[name], text, re.I)), (kind, text[found.start() - 60 : found.end() + 60])
        assert not known & set(re.findall(r"-?\d+\.\d+(?:e-?\d+)?", text)), kind
    assert name not in profile.frames["train"] or name == "entropy"


def test_a_panels_own_picture_says_nothing_more(folder):
    from tests.profiling.reading import png_chunks

    picture = ai.profile(folder)["classes"]._repr_png_()
    assert not any(b"zq" in content for _, content in png_chunks(picture))
    with Image.open(io.BytesIO(picture)) as image:
        assert image.size == (528, 319)


LUMA = np.array([0.299, 0.587, 0.114])


def test_in_the_place_of_hidden_samples_others_are_shown():
    """As many as were asked for, where there are so many; and the outermost are those of the others."""
    generator = np.random.default_rng(0)
    data = [(generator.integers(0, 20 if hidden else 256, (40, 40, 3), dtype=np.uint8), int(not hidden))
            for hidden in (number % 10 != 0 for number in range(60))]  # fmt: skip
    found = ai.profile(
        data, class_names=["secret", "open"], hide_classes=["secret"], samples=4, progress=lambda *_: None
    )
    assert found["samples"].statistics["classes"] == ["open"] * 4
    darkest = sorted(range(0, 60, 10), key=lambda number: (data[number][0] @ LUMA).mean())[:4]
    assert sorted(found["extremes"].statistics["train"]["dark"]["indices"]) == sorted(darkest)
