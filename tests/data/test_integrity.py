"""Duplicates, contradictions and leaks among real photographs; hashes against the package ImageHash."""

from __future__ import annotations

import io
import itertools
import warnings
from pathlib import Path

import imagehash
import numpy as np
import pytest
import skimage
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image, ImageEnhance
from scipy.spatial.distance import pdist, squareform

from augimpact.data import integrity
from augimpact.data.image import read_image
from augimpact.data.integrity import NEAR, check_integrity, near_pairs, perceptual_hash
from augimpact.data.samples import SampleTable
from augimpact.errors import DataError

DATA = Path(skimage.__file__).parent / "data"
# Real ones, no textures: of bricks alone the hash says little, and brightness moves 7 of its bits.
PHOTOGRAPHS = {
    name.partition(".")[0]: DATA / name
    for name in (
        "astronaut.png", "camera.png", "chelsea.png", "coffee.png", "coins.png", "grass.png", "gravel.png",
        "hubble_deep_field.jpg", "ihc.png", "moon.png", "motorcycle_left.png", "retina.jpg", "rocket.jpg",
    )
}  # fmt: skip
# What happens to a photograph on its way around.
CHANGES = {
    "recompressed": lambda image: encoded(image, "JPEG", quality=50),
    "halved": lambda image: encoded(image.resize((image.width // 2, image.height // 2))),
    "quartered": lambda image: encoded(image.resize((image.width // 4, image.height // 4)), "JPEG", quality=80),
    "brighter": lambda image: encoded(ImageEnhance.Brightness(image).enhance(1.1)),
    "darker": lambda image: encoded(ImageEnhance.Brightness(image).enhance(0.9)),
}
SILENT = {"memory": None, "progress": lambda *_: None}


def encoded(image: Image.Image, kind: str = "PNG", **options) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **{"compress_level": 1} | options)
    return file.getvalue()


def differing(one: int, other: int) -> int:
    return (one ^ other).bit_count()


def written(folder: Path, files: dict[str, bytes]) -> SampleTable:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return SampleTable.from_folder(folder, **SILENT)


def grouped(frame, folder: Path) -> list[set[str]]:
    """The names of the files in each group."""
    return [{str(Path(path).relative_to(folder)) for path in part["path"]} for _, part in frame.groupby("group")]


@pytest.fixture(scope="module")
def photographs() -> dict[str, Image.Image]:
    return {name: read_image(path) for name, path in PHOTOGRAPHS.items()}


@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_the_hash_is_that_of_the_package_imagehash(photographs, name):
    image = photographs[name]
    assert perceptual_hash(image) == int(str(imagehash.dhash(image)), 16)
    assert perceptual_hash(image.convert("L")) == int(str(imagehash.dhash(image.convert("L"))), 16)


@given(arrays(np.uint8, st.tuples(st.integers(1, 40), st.integers(1, 40), st.just(3))))
def test_the_hash_of_any_image_is_that_of_the_package_imagehash(pixels):
    image = Image.fromarray(pixels)
    assert perceptual_hash(image) == int(str(imagehash.dhash(image)), 16)


@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_a_jpeg_decoded_at_a_part_of_its_size_hashes_to_nearly_the_same(photographs, name):
    content = encoded(photographs[name], "JPEG", quality=90)
    assert differing(perceptual_hash(integrity._picture(content)), perceptual_hash(read_image(content))) <= 2


@given(
    known=st.lists(st.integers(0, 2**64 - 1), max_size=8),
    flipped=st.lists(st.lists(st.integers(0, 63), max_size=9), max_size=12),
    distance=st.integers(0, 64),
)
def test_near_pairs_are_those_of_brute_force(known, flipped, distance):
    near = [hashed ^ sum(1 << bit for bit in set(bits)) for hashed, bits in zip(itertools.cycle(known), flipped)]
    hashes = np.array(known + near, np.uint64)
    bits = (hashes[:, None] >> np.arange(64, dtype=np.uint64)) & np.uint64(1)
    theirs = squareform(pdist(bits, "hamming")) * 64 if len(hashes) > 1 else np.zeros((len(hashes),) * 2)
    expected = np.argwhere(np.triu(theirs.round() <= distance, 1))
    assert np.array_equal(near_pairs(hashes, distance), expected.reshape(-1, 2))


def test_near_pairs_are_found_across_blocks():
    hashes = np.random.default_rng(0).integers(0, 2**64, 3 * integrity.BLOCK + 5, np.uint64)
    hashes[-1] = hashes[0] ^ np.uint64(3)
    hashes[300] = hashes[299]
    assert near_pairs(hashes, NEAR).tolist() == [[0, len(hashes) - 1], [299, 300]]


def test_what_is_copied_is_found_and_unlike_photographs_are_not(photographs, tmp_path):
    originals = {f"{name}.png": encoded(image) for name, image in photographs.items()}
    found = check_integrity(written(tmp_path, originals))
    assert found.is_clean
    table = written(tmp_path, {"copies/cat.png": originals["chelsea.png"], "copies/moon.png": originals["moon.png"]})
    found = check_integrity(table, near=None)
    assert not found.is_clean
    assert grouped(found.exact, tmp_path) == [{"chelsea.png", "copies/cat.png"}, {"copies/moon.png", "moon.png"}]
    assert set(found.exact.columns) == {*table.frame.columns, "class", "group"}
    assert len(found.near) == 0
    # Copies are no near duplicates of each other, and stand in no group of them.
    assert len(check_integrity(table).near) == 0


@pytest.mark.parametrize("change", CHANGES)
def test_photographs_are_found_again_when_they_were(photographs, tmp_path, change):
    files = {f"{name}/before.png": encoded(image) for name, image in photographs.items()}
    files |= {f"{name}/after.png": CHANGES[change](image) for name, image in photographs.items()}
    found = check_integrity(written(tmp_path, files))
    assert len(found.exact) == 0
    assert grouped(found.near, tmp_path) == [
        {f"{name}/after.png", f"{name}/before.png"} for name in sorted(photographs)
    ]
    assert len(found.label_conflicts) == 0


def test_photographs_of_imagenette_are_unlike_each_other(imagenette):
    found = check_integrity(SampleTable.from_folder(imagenette / "val", **SILENT))
    assert found.is_clean


def test_a_near_group_has_all_copies_of_what_is_in_it(photographs, tmp_path):
    cat = photographs["chelsea"]
    files = {"a.png": encoded(cat), "b.png": encoded(cat), "c.jpg": encoded(cat, "JPEG", quality=50)}
    found = check_integrity(written(tmp_path, files))
    assert grouped(found.exact, tmp_path) == [{"a.png", "b.png"}]
    assert grouped(found.near, tmp_path) == [{"a.png", "b.png", "c.jpg"}]


def test_labels_that_contradict_each_other_are_found(photographs, tmp_path):
    cat, moon = photographs["chelsea"], photographs["moon"]
    files = {
        "cat/0.png": encoded(cat), "dog/0.png": encoded(cat), "cat/1.jpg": encoded(cat, "JPEG", quality=60),
        "moon/0.png": encoded(moon), "moon/1.jpg": encoded(moon, "JPEG", quality=80),
    }  # fmt: skip
    found = check_integrity(written(tmp_path, files))
    assert grouped(found.label_conflicts, tmp_path) == [{"cat/0.png", "dog/0.png", "cat/1.jpg"}]
    assert len(found.near) == 5
    assert set(found.label_conflicts["class"]) == {"cat", "dog"}
    # Without a look at the images, the recompressed one is unknown.
    assert grouped(check_integrity(written(tmp_path, {}), near=None).label_conflicts, tmp_path) == [
        {"cat/0.png", "dog/0.png"}
    ]


def test_what_leaks_from_one_purpose_to_another_is_found(photographs, tmp_path):
    cat, moon, coins = (photographs[name] for name in ("chelsea", "moon", "coins"))
    files = {
        "0.png": encoded(cat), "1.jpg": encoded(cat, "JPEG", quality=60), "2.png": encoded(moon),
        "3.png": encoded(moon), "4.png": encoded(coins), "5.png": encoded(coins),
    }  # fmt: skip
    table = written(tmp_path, files)
    purposes = ["train", "test", "train", "train", "test", None]
    found = check_integrity(table.with_frame(table.frame.assign(purpose=purposes)))
    # What has no purpose leaks nowhere.
    assert grouped(found.leakage, tmp_path) == [{"0.png", "1.jpg"}]
    assert "2 leaking between purposes" in repr(found)


def test_files_that_cannot_be_read_are_listed_and_the_rest_is_looked_at(photographs, tmp_path):
    cat = encoded(photographs["chelsea"], "JPEG")
    table = written(tmp_path, {"a.jpg": cat, "b.jpg": cat, "c.jpg": cat[:5000], "d.png": b"hello", "e.png": cat[:100]})
    table = table.with_frame(table.frame)
    (tmp_path / "e.png").unlink()
    found = check_integrity(table)
    assert grouped(found.exact, tmp_path) == [{"a.jpg", "b.jpg"}]
    errors = dict(zip(found.unreadable["path"], found.unreadable["error"], strict=True))
    assert list(errors) == [str(tmp_path / name) for name in ("c.jpg", "d.png", "e.png")]
    assert [error.partition(":")[0] for error in errors.values()] == ["ImageError", "ImageError", "FileNotFoundError"]
    assert found.unreadable.index.tolist() == [0, 1, 2]
    assert not found.is_clean


def test_what_was_unreadable_already_is_listed_too(photographs, tmp_path):
    (tmp_path / "a.png").write_bytes(encoded(photographs["chelsea"]))
    table = SampleTable.from_list([tmp_path / "a.png", tmp_path / "gone.png"], **SILENT)
    for near in (None, NEAR):
        assert check_integrity(table, near=near).unreadable["path"].tolist() == [str(tmp_path / "gone.png")]


def test_a_table_of_which_every_file_is_gone_is_all_unreadable(photographs, tmp_path):
    table = written(tmp_path, {"a.png": encoded(photographs["moon"]), "b.png": encoded(photographs["coins"])})
    for path in table["path"]:
        Path(path).unlink()
    found = check_integrity(table)
    assert found.unreadable["path"].tolist() == table["path"].tolist()
    assert len(found.near) == len(found.exact) == 0


def test_without_near_nothing_is_read(photographs, tmp_path, monkeypatch):
    table = written(tmp_path, {name: encoded(photographs["moon"]) for name in ("a.png", "b.png")})
    monkeypatch.setattr(SampleTable, "read", lambda *_: pytest.fail("it was read"))
    assert len(check_integrity(table, near=None).exact) == 2


def test_equal_contents_are_looked_at_once_and_progress_is_told(photographs, tmp_path):
    table = written(tmp_path, {name: encoded(photographs["moon"]) for name in ("a.png", "b.png")})
    told = []
    check_integrity(table, progress=lambda *numbers: told.append(numbers))
    assert told == [(1, 1)]


def test_arrays_are_compared_as_files_are(photographs):
    cat = np.asarray(photographs["chelsea"])
    many = np.concatenate([cat, cat], axis=2)
    images = [cat, cat / 255, (cat // 2 + 3).astype(np.uint8), many, np.rot90(cat).copy(), np.full((8, 8), np.nan)]
    found = check_integrity(SampleTable.from_arrays(images))
    assert [set(part["path"]) for _, part in found.near.groupby("group")] == [
        {f"array:{number}" for number in range(4)}
    ]


def test_an_empty_table_is_clean(photographs, tmp_path):
    table = written(tmp_path, {"a.png": encoded(photographs["moon"])})
    assert check_integrity(table).is_clean
    assert check_integrity(table[[False]]).is_clean


def test_warnings_are_shown_as_before(photographs, tmp_path):
    table = written(tmp_path, {f"{name}.jpg": encoded(image, "JPEG") for name, image in photographs.items()})
    before = list(warnings.filters)
    for _ in range(5):
        check_integrity(table)
    assert warnings.filters == before


@pytest.mark.parametrize("near", [-1, 65, float("nan")])
def test_a_distance_that_makes_no_sense_is_refused(tmp_path, photographs, near):
    table = written(tmp_path, {"a.png": encoded(photographs["moon"])})
    with pytest.raises(DataError, match=f"near is {near}; expected a number of bits from 0 to 64"):
        check_integrity(table, near=near)
