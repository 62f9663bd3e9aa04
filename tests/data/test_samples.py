from __future__ import annotations

import hashlib
import shutil
import sqlite3
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd
import pytest
import torch
from torchvision.datasets import ImageFolder

from augimpact.data import hashing, sources
from augimpact.data.image import EXAMPLES, example
from augimpact.data.pipeline import ImagePipeline
from augimpact.data.samples import COLUMNS, SampleTable
from augimpact.errors import DataError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Four photographs in folders, one of them twice, and what is no photograph."""
    root = tmp_path / "photographs"
    for name, place in zip(EXAMPLES, ("a/good", "a/bad", "b/good", "b/bad/worse"), strict=True):
        (root / place).mkdir(parents=True)
        example(name).resize((80, 60)).save(root / place / f"{name}.png")
    shutil.copy(root / "a/good/motorcycle.png", root / "b/good/again.PNG")
    (root / "notes.txt").write_text("nothing to see")
    (root / "a/good/films.pdf").write_bytes(b"%PDF")
    return root


def options(tmp_path: Path) -> dict[str, object]:
    """No bar, and a memory of its own."""
    return {"memory": tmp_path / "hashes.sqlite", "progress": lambda done, total: None}


def test_a_folder_is_a_row_an_image_known_by_its_content(folder, tmp_path):
    table = SampleTable.from_folder(folder, **options(tmp_path))
    assert tuple(table.frame.columns) == COLUMNS
    files = sorted(each for each in folder.rglob("*") if each.suffix.lower() == ".png")
    assert table["path"].tolist() == [str(file) for file in files]
    for path, hashed, size in zip(table["path"], table["sample_id"], table["size"], strict=True):
        content = Path(path).read_bytes()
        assert hashed == hashlib.blake2b(content, digest_size=16).hexdigest()
        assert size == len(content)
    assert table["category"].tolist() == [
        ("a", "bad"),
        ("a", "good"),
        ("b", "bad", "worse"),
        ("b", "good"),
        ("b", "good"),
    ]
    assert table["folder"].tolist() == ["bad", "good", "worse", "good", "good"]
    assert table["sample_id"].duplicated().sum() == 1
    assert table["purpose"].isna().all()
    assert table["etag"].isna().all()
    assert len(table.errors) == 0


def test_it_stays_a_frame_to_its_user(folder, tmp_path):
    table = SampleTable.from_folder(folder, **options(tmp_path))
    assert isinstance(table.frame, pd.DataFrame)
    assert table.groupby("folder").count()["path"].to_dict() == {"bad": 1, "good": 3, "worse": 1}
    assert len(table[table["folder"] == "good"]) == len(table.where(folder="good")) == 3
    assert table[1:3]["path"].tolist() == table["path"].tolist()[1:3]
    assert table[[-1, 0]]["path"].tolist() == [table["path"].iat[-1], table["path"].iat[0]]
    assert table.where(folder=["bad", "worse"]).frame.index.tolist() == [0, 1]
    assert repr(table) == "SampleTable(5 samples, 3 classes, 0 errors)"
    with pytest.raises(DataError, match="unknown column 'foldr'; did you mean folder"):
        table.where(foldr="good")


def test_folders_are_mapped_to_classes_and_classes_are_chosen(folder, tmp_path):
    mapping = {"b/bad/worse": "broken", "bad": ("broken", "slightly"), "good": "fine"}
    table = SampleTable.from_folder(folder, class_mapping=mapping, **options(tmp_path))
    assert table["category"].tolist()[:3] == [("a", "broken", "slightly"), ("a", "fine"), ("broken",)]
    assert table.class_names == ("broken", "fine", "slightly")
    assert table.labels.tolist() == [2, 1, 0, 1, 1]
    some = SampleTable.from_folder(folder, class_mapping=mapping, classes=["broken"], **options(tmp_path))
    assert some["folder"].tolist() == ["bad", "worse"]
    with pytest.raises(DataError, match="unknown class 'brokn'; did you mean broken"):
        SampleTable.from_folder(folder, class_mapping=mapping, classes=["brokn"], **options(tmp_path))


def test_a_part_of_a_table_keeps_the_numbers_of_the_classes(folder, tmp_path):
    table = SampleTable.from_folder(folder, **options(tmp_path))
    good = table.where(folder="good")
    assert good.class_names == table.class_names == ("bad", "good", "worse")
    assert good.labels.tolist() == [1, 1, 1]


def test_what_stands_in_for_a_class_is_known_also_of_a_part_that_has_none_of_it(folder, tmp_path):
    assert SampleTable.from_folder(folder, **options(tmp_path)).stand_ins == frozenset()
    for name in ("first.png", "a/second.png"):
        shutil.copy(folder / "a/good/motorcycle.png", folder / name)
    table = SampleTable.from_folder(folder, **options(tmp_path))
    assert table["category"].map(len).tolist().count(0) == 1
    assert table.class_names == ("a", "bad", "good", "photographs", "worse")
    assert table.stand_ins == {"photographs"}
    part = table.where(folder="good")
    assert (part.class_names, part.stand_ins) == (table.class_names, {"photographs"})
    # A folder within that has the name of the outermost is a class.
    (folder / "photographs").mkdir()
    shutil.copy(folder / "first.png", folder / "photographs/third.png")
    assert SampleTable.from_folder(folder, **options(tmp_path)).stand_ins == frozenset()


def test_masks_lie_beside_their_table_as_images_do(folder):
    (folder / "list.csv").write_text("path,mask\na/good/motorcycle.png,a/mask.png\nb/good/coffee.png,\n")
    table = SampleTable.from_csv(folder / "list.csv", identity="path")
    assert table["mask"].iat[0] == str(folder / "a/mask.png")
    assert pd.isna(table["mask"].iat[1])


def test_hashes_are_remembered_while_size_and_time_stay(folder, tmp_path, monkeypatch):
    read: list[str] = []
    real = hashing.read_bytes
    monkeypatch.setattr(hashing, "read_bytes", lambda path, given=None: read.append(path) or real(path, given))
    first = SampleTable.from_folder(folder, **options(tmp_path))
    assert len(read) == 5
    again = SampleTable.from_folder(folder, **options(tmp_path))
    assert len(read) == 5
    assert again["sample_id"].tolist() == first["sample_id"].tolist()
    changed = folder / "a/bad/cat.png"
    example("rocket").resize((80, 60)).save(changed)
    newer = SampleTable.from_folder(folder, **options(tmp_path))
    assert read[5:] == [str(changed)]
    assert (newer["sample_id"] != first["sample_id"]).tolist() == [True, False, False, False, False]
    SampleTable.from_folder(folder, memory=None)
    assert len(read) == 11


def test_a_memory_that_is_damaged_is_one_sentence(folder, tmp_path):
    (tmp_path / "hashes.sqlite").write_text("no database at all, but text of some length" * 100)
    with pytest.raises(DataError, match=r"the memory of hashes .* cannot be used .*; expected a file of its own"):
        SampleTable.from_folder(folder, **options(tmp_path))


def test_a_default_memory_that_cannot_be_written_is_done_without(folder, tmp_path, monkeypatch, caplog):
    (tmp_path / "home").write_text("a file where a folder should be")
    monkeypatch.setattr(sources, "default_memory", lambda: tmp_path / "home" / "hashes.sqlite")
    assert len(SampleTable.from_folder(folder)) == 5
    assert "hashes are not remembered" in caplog.text


def test_a_memory_whose_middle_is_damaged_is_one_sentence(folder, tmp_path):
    SampleTable.from_folder(folder, **options(tmp_path))
    file = tmp_path / "hashes.sqlite"
    content = bytearray(file.read_bytes())
    content[4096:] = b"\xa5" * (len(content) - 4096)
    file.write_bytes(content)
    with pytest.raises(DataError, match="the memory of hashes"):
        SampleTable.from_folder(folder, **options(tmp_path))


def test_ids_of_ones_own_are_texts_and_no_part_is_empty_by_accident(folder):
    (folder / "list.csv").write_text("path,sample_id\na/good/motorcycle.png,0012\nb/good/coffee.png,12\n")
    table = SampleTable.from_csv(folder / "list.csv")
    assert table["sample_id"].tolist() == ["0012", "12"]
    assert len(table[[]]) == len(table[[False, False]]) == 0
    archive = shutil.make_archive(str(folder / "all"), "zip", folder / "a")
    inside = SampleTable.from_csv(folder / "list.csv", root=f"zip://::{archive}")
    assert inside["path"].iat[0] == f"zip://a/good/motorcycle.png::{archive}"


def test_two_processes_may_remember_at_once(folder, tmp_path):
    SampleTable.from_folder(folder, **options(tmp_path))
    with sqlite3.connect(tmp_path / "hashes.sqlite") as other:
        other.execute("SELECT * FROM hashes").fetchone()
        assert len(SampleTable.from_folder(folder, **options(tmp_path))) == 5
    other.close()


def test_what_cannot_be_read_is_listed_and_the_rest_is_there(folder, tmp_path, monkeypatch):
    real = hashing.read_bytes

    def failing(path: str, given: object = None):
        if "rocket" in path:
            raise PermissionError(13, "Permission denied")
        return real(path, given)

    monkeypatch.setattr(hashing, "read_bytes", failing)
    table = SampleTable.from_folder(folder, **options(tmp_path))
    assert len(table) == 4
    assert table.errors["path"].tolist() == [str(folder / "b/bad/worse/rocket.png")]
    assert table.errors["error"].tolist() == ["PermissionError: [Errno 13] Permission denied"]


def test_a_link_that_leads_nowhere_is_listed_and_one_that_leads_up_is_not_followed(folder, tmp_path):
    (folder / "a/lost.png").symlink_to("nowhere.png")
    (folder / "a/itself.png").symlink_to("itself.png")
    (folder / "a/good/up").symlink_to(folder)
    table = SampleTable.from_folder(folder, **options(tmp_path))
    assert len(table) == 5
    assert table.errors["path"].tolist() == [str(folder / "a/itself.png"), str(folder / "a/lost.png")]


@pytest.mark.parametrize("name", ["a.png", "a.PNG", "..png", "a..png", "a.b.png", ".png", "png", "a.png.", "a.txt"])
def test_an_image_is_known_by_its_suffix(tmp_path, name):
    (tmp_path / "of.png").mkdir()
    (tmp_path / "of.png" / name).touch()
    (tmp_path / "of.png/there.jpg").touch()
    found = SampleTable.from_folder(tmp_path, identity="path")["path"].tolist()
    assert (str(tmp_path / "of.png" / name) in found) == (PurePosixPath(name).suffix.lower() == ".png")


def test_progress_is_told_to_the_end(folder, tmp_path):
    told: list[tuple[int, int]] = []
    SampleTable.from_folder(folder, memory=None, progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (5, 5)
    assert told == sorted(told)


def test_a_table_that_was_saved_is_the_same_and_reads_nothing(folder, tmp_path, monkeypatch):
    table = SampleTable.from_folder(folder, purpose="train", **options(tmp_path))
    table = table.with_frame(table.frame.assign(weight=[0.5, 1, 2, 3, 4]))
    table.save(tmp_path / "table.csv")
    monkeypatch.setattr(hashing, "read_bytes", None)
    again = SampleTable.from_csv(tmp_path / "table.csv")
    pd.testing.assert_frame_equal(again.frame, table.frame)
    assert again.read(2) == table.read(2)


def test_a_table_of_paths_alone_is_read_from_its_own_folder(folder):
    (folder / "list.csv").write_text("path,score\na/good/motorcycle.png,0.5\nb/good/coffee.png,\nb/none.png,1\n")
    table = SampleTable.from_csv(folder / "list.csv", memory=None)
    assert table["category"].tolist() == [("a", "good"), ("b", "good")]
    assert table["score"].iat[0] == 0.5
    assert np.isnan(table["score"].iat[1])
    assert table.errors["path"].tolist() == [str(folder / "b/none.png")]
    assert "FileNotFoundError" in table.errors["error"].iat[0]
    assert len(SampleTable.from_csv(folder / "list.csv", identity="path")) == 3
    mapped = SampleTable.from_csv(folder / "list.csv", identity="path", class_mapping={"good": "fine"})
    assert mapped.class_names == ("b", "fine")
    (folder / "other.csv").write_text("name\nx\n")
    with pytest.raises(DataError, match="has the columns name; expected `path`"):
        SampleTable.from_csv(folder / "other.csv")


@pytest.mark.parametrize("name", ["label", "class"])
def test_classes_in_another_column_are_never_left_for_the_folders(folder, name):
    rows = "\na/good/motorcycle.png,cat,1\nb/good/coffee.png,dog,2\n"
    place = folder / "list.csv"
    place.write_text(f"path,{name},score{rows}")
    with pytest.raises(
        DataError, match=f"columns path, {name}, score; expected classes in `category`: rename `{name}`"
    ):
        SampleTable.from_csv(place, identity="path")
    assert SampleTable.from_csv(place, identity="path", class_mapping={}).class_names == ("good",)
    place.write_text(f"path,category,score{rows}")
    assert SampleTable.from_csv(place, identity="path").class_names == ("cat", "dog")
    place.write_text(f"path,category,{name}{rows}")
    table = SampleTable.from_csv(place, identity="path")
    assert (table.class_names, table[name].tolist()) == (("cat", "dog"), [1, 2])


def test_a_list_has_labels_purposes_and_its_own_order(folder):
    files = [folder / "b/good/coffee.png", folder / "a/bad/cat.png"]
    table = SampleTable.from_list(files, labels=["cup", "cat"], purposes=["train", None], memory=None)
    assert table["path"].tolist() == [str(file) for file in files]
    assert table.class_names == ("cat", "cup")
    assert table.labels.tolist() == [1, 0]
    assert table["purpose"].tolist() == ["train", None]
    with pytest.raises(DataError, match="there are 1 labels for 2 paths"):
        SampleTable.from_list(files, labels=["cup"])


def test_torchvisions_folder_gives_the_same_samples_and_numbers(folder, tmp_path):
    dataset = ImageFolder(str(folder))
    table = SampleTable.from_image_folder(dataset, purpose="train", memory=None)
    assert list(zip(table["path"], table.labels, strict=True)) == dataset.samples
    assert table.class_names == tuple(dataset.classes)
    with pytest.raises(DataError, match="a list has no samples and classes; expected torchvision's ImageFolder"):
        SampleTable.from_image_folder([])


def test_fastais_loaders_give_the_same_files_classes_and_split(folder):
    from fastai.vision.all import ImageDataLoaders, Resize

    # Fastai wants every class in its training set.
    shutil.rmtree(folder / "b/bad")
    shutil.copy(folder / "a/bad/cat.png", folder / "a/bad/dog.png")
    loaders = ImageDataLoaders.from_folder(folder, valid_pct=0.4, seed=1, item_tfms=Resize(32), bs=2, num_workers=0)
    table = SampleTable.from_fastai(loaders, memory=None)
    items = [*loaders.train_ds.items, *loaders.valid_ds.items]
    assert table["path"].tolist() == [str(item) for item in items]
    assert table["purpose"].tolist() == ["train"] * len(loaders.train_ds) + ["devel"] * len(loaders.valid_ds)
    assert table.class_names == tuple(loaders.vocab)
    numbers = [int(label) for part in (loaders.train_ds, loaders.valid_ds) for _, label in part]
    assert table.labels.tolist() == numbers


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.float32])
def test_arrays_are_kept_as_they_are(kind):
    generator = np.random.default_rng(0)
    images = [(generator.random((8, 6, 3)) * (1 if kind is np.float32 else 255)).astype(kind) for _ in range(3)]
    table = SampleTable.from_arrays([*images, images[0]], ["a", "b", "a", "b"])
    assert table.labels.tolist() == [0, 1, 0, 1]
    assert table["sample_id"].duplicated().tolist() == [False, False, False, True]
    white = 1 if kind is np.float32 else np.iinfo(kind).max
    shown = ImagePipeline(channels=None)(table.read(1)).permute(1, 2, 0).numpy()
    assert np.abs(shown - images[1].astype(np.float64) / white).max() < 1e-6
    tensors = SampleTable.from_arrays(torch.from_numpy(np.stack(images)))
    assert tensors["sample_id"].tolist() == table["sample_id"].tolist()[:3]
    with pytest.raises(DataError, match="there are 1 labels for 3 images"):
        SampleTable.from_arrays(images, ["a"])
    with pytest.raises(DataError, match="expected numbers"):
        SampleTable.from_arrays([np.array([[object()]])])


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"pattern": "*.jpg"}, "holds no file like '\\*.jpg'"),
        ({"identity": "hash"}, "unknown identity 'hash'"),
        ({"identity": "etag"}, None),
    ],
)
def test_what_a_folder_does_not_have_is_one_sentence(folder, given, told):
    if told is None:
        table = SampleTable.from_folder(folder, **given)
        assert len(table) == 0
        assert "has no etag" in table.errors["error"].iat[0]
        return
    with pytest.raises(DataError, match=told):
        SampleTable.from_folder(folder, **given)


def test_no_folder_and_no_sample_are_one_sentence(folder, tmp_path):
    with pytest.raises(DataError, match=r"there is no folder '.*nowhere'"):
        SampleTable.from_folder(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="holds no image"):
        SampleTable.from_folder(tmp_path / "empty")
    table = SampleTable.from_folder(folder, identity="path")
    with pytest.raises(DataError, match="there is no sample 5"):
        table.read(5)
    with pytest.raises(DataError, match="the frame has no column sample_id"):
        SampleTable(pd.DataFrame({"path": []}))


def test_a_photograph_in_another_folder_keeps_its_id(imagenette, tmp_path):
    table = SampleTable.from_folder(imagenette / "val", **options(tmp_path))
    assert len(table) == 150
    assert table.groupby("folder").size().eq(15).all()
    shutil.copytree(imagenette / "val", tmp_path / "elsewhere")
    moved = SampleTable.from_folder(tmp_path / "elsewhere", **options(tmp_path))
    assert moved["sample_id"].tolist() == table["sample_id"].tolist()
