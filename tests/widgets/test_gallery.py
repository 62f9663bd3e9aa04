"""The images that a page offers."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from augimpact.data.image import UPLOAD_PIXELS, example
from augimpact.errors import ImageError, UserError
from augimpact.widgets.gallery import Gallery, thumbnail


def gallery(*arguments, **options):
    return Gallery(*arguments, **({"max_pixels": UPLOAD_PIXELS} | options))


def png(image):
    file = io.BytesIO()
    image.save(file, format="PNG")
    return file.getvalue()


@pytest.fixture
def folder(tmp_path):
    inside = tmp_path / "photos"
    (inside / "deep").mkdir(parents=True)
    example("coffee").save(inside / "b.png")
    example("rocket").save(inside / "deep" / "<i>a</i>.JPG".replace("/", "_"))
    (inside / "notes.txt").write_text("no image")
    example("cat").save(tmp_path / "secret.png")
    (inside / "link.png").symlink_to(tmp_path / "secret.png")
    return inside


def test_the_examples_are_offered_and_ones_own_image_before_them(tmp_path):
    example("cat").save(tmp_path / "mine.png")
    assert gallery().names == ["motorcycle", "cat", "coffee", "rocket"]
    assert gallery(tmp_path / "mine.png").names[0] == "mine.png"
    assert gallery("example:rocket").names == ["rocket", "motorcycle", "cat", "coffee"]
    assert gallery(example("cat")).names[0] == "image"
    with pytest.raises(ImageError, match="there is no image"):
        gallery(tmp_path / "missing.png")


def test_what_has_a_path_keeps_it_unless_that_is_private(tmp_path):
    example("cat").save(tmp_path / "mine.png")
    path = str(tmp_path / "mine.png")
    assert gallery(path).open("mine.png") == path
    assert gallery(path).open("cat") == "example:cat"
    opened = gallery(path, private=True).open("mine.png")
    assert isinstance(opened, Image.Image)
    assert np.array_equal(np.asarray(opened), np.asarray(example("cat")))


def test_an_error_names_the_file_and_not_where_it_lies(folder):
    (folder / "bad.png").write_bytes(b"hello")
    private = gallery(folder=folder, private=True)
    with pytest.raises(ImageError) as caught:
        private.open("photos/bad.png")
    assert "'photos/bad.png'" in str(caught.value)
    assert str(folder) not in str(caught.value)


def test_a_folder_offers_its_images_and_nothing_that_lies_elsewhere(folder):
    offered = gallery(folder=folder)
    assert offered.files == ["photos/b.png", "photos/deep/<i>a<_i>.JPG"]
    assert offered.names == gallery().names
    offered.choose("photos/b.png")
    offered.choose("photos/b.png")
    assert offered.names == [*gallery().names, "photos/b.png"]
    for name in ("photos/link.png", "photos/../secret.png", "../secret.png", str(folder / "b.png"), "photos/notes.txt"):
        with pytest.raises(UserError, match="unknown image"):
            offered.choose(name)


def test_a_folder_that_has_nothing_to_offer_is_said(tmp_path, folder):
    with pytest.raises(UserError, match="there is no folder"):
        gallery(folder=tmp_path / "missing")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match=r"holds no image; expected files such as \.avif"):
        gallery(folder=tmp_path / "empty")


def test_an_upload_is_kept_under_its_own_name_without_folders():
    offered = gallery()
    content = png(example("coffee"))
    assert offered.upload("../../up.png", content) == "up.png"
    assert offered.upload("C:\\pictures\\up.png", content) == "up.png"
    assert offered.names == [*gallery().names, "up.png"]
    assert offered.source("up.png") is content
    assert np.array_equal(np.asarray(offered.open("up.png")), np.asarray(example("coffee")))


def test_an_upload_that_is_no_image_or_too_large_changes_nothing():
    offered = gallery(max_pixels=10_000)
    for content in (b"hello", b"", png(Image.new("RGB", (101, 100)))):
        with pytest.raises(ImageError, match=r"'up\.png'"):
            offered.upload("up.png", content)
    assert offered.names == gallery().names


def test_a_thumbnail_is_the_middle_square():
    wide = np.zeros((50, 150, 3), np.uint8)
    wide[:, 50:100] = (250, 200, 10)
    with Image.open(io.BytesIO(thumbnail(Image.fromarray(wide)))) as small:
        assert small.size == (112, 112)
        # At its edges it is antialiased.
        assert np.abs(np.asarray(small).astype(int) - (250, 200, 10))[2:-2, 2:-2].max() < 20


def test_the_last_dozen_uploads_are_kept_and_those_in_use():
    offered = gallery()
    content = png(Image.new("RGB", (8, 8)))
    for number in range(20):
        offered.upload(f"{number}.png", content, keep={"3.png"})
    assert offered.names == [*gallery().names, "3.png", *(f"{number}.png" for number in range(8, 20))]
    with pytest.raises(UserError, match="unknown image"):
        offered.source("2.png")
