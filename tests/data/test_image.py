"""Any image a person may bring, and those that must be refused with a sentence."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
import torch
from PIL import Image

from augimpact.data.image import EXAMPLES, content_hash, example, read_image
from augimpact.errors import ImageError

RANDOM = np.random.default_rng(0)
PIXELS = RANDOM.integers(0, 256, (6, 8, 3), dtype=np.uint8)


def encoded(image: Image.Image, **options) -> bytes:
    file = io.BytesIO()
    image.save(file, **options)
    return file.getvalue()


def test_a_lossless_file_gives_its_very_pixels():
    assert np.array_equal(read_image(encoded(Image.fromarray(PIXELS), format="PNG")), PIXELS)


def test_transparent_parts_are_white():
    alpha = np.zeros((6, 8), np.uint8)
    alpha[:3] = 255
    seen = np.asarray(read_image(encoded(Image.fromarray(np.dstack([PIXELS, alpha])), format="PNG")))
    assert np.array_equal(seen[:3], PIXELS[:3])
    assert (seen[3:] == 255).all()


def test_a_palette_with_a_transparent_colour_is_seen_on_white():
    image = Image.fromarray(np.array([[0, 1]], np.uint8))
    image.putpalette([10, 20, 30, 40, 50, 60])
    seen = np.asarray(read_image(encoded(image, format="PNG", transparency=1)))
    assert seen.tolist() == [[[10, 20, 30], [255, 255, 255]]]


def test_sixteen_bits_keep_their_brightness():
    values = np.array([[0, 257, 32896, 65535]], np.uint16)
    seen = np.asarray(read_image(encoded(Image.fromarray(values), format="PNG")))
    assert seen[0, :, 0].tolist() == [0, 1, 128, 255]


@pytest.mark.parametrize("mode", ["L", "1", "CMYK", "YCbCr", "LA", "P"])
def test_other_modes_become_rgb_as_pillow_converts_them(mode):
    image = Image.fromarray(PIXELS).convert("L" if mode == "LA" else mode)
    image = image.convert("LA") if mode == "LA" else image
    assert np.array_equal(read_image(image), image.convert("RGB"))


def test_exif_turns_the_image():
    exif = Image.Exif()
    exif[0x0112] = 6
    seen = read_image(encoded(Image.fromarray(PIXELS), format="PNG", exif=exif))
    assert np.array_equal(seen, np.rot90(PIXELS, -1))


@pytest.mark.parametrize(
    "source",
    [
        PIXELS,
        PIXELS / 255,
        PIXELS.transpose(2, 0, 1),
        torch.from_numpy(PIXELS.transpose(2, 0, 1) / 255.0),
        PIXELS.astype(np.uint16) * 257,
    ],
    ids=["bytes", "floats", "channels first", "tensor", "16 bits"],
)
def test_arrays_and_tensors_are_images_too(source):
    assert np.array_equal(read_image(source), PIXELS)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (np.zeros((2, 3, 4, 5)), r"shape \(2, 3, 4, 5\)"),
        (np.full((4, 4), 300.0), "values from 300 to 300"),
        (np.full((4, 4), np.nan), "values from nan"),
        (np.zeros((4, 4), np.int64), "type int64"),
        ("no such file.jpg", "there is no image 'no such file.jpg'"),
        (b"hello", "not an image"),
    ],
)
def test_what_is_no_image_is_refused(source, words):
    with pytest.raises(ImageError, match=words):
        read_image(source)


def test_a_truncated_file_is_refused(tmp_path):
    file = tmp_path / "half.jpg"
    content = encoded(example("coffee"), format="JPEG")
    file.write_bytes(content[: len(content) // 2])
    with pytest.raises(ImageError, match=r"half\.jpg' cannot be decoded: image file is truncated"):
        read_image(file)


def test_an_opened_image_that_is_truncated_is_refused_too(tmp_path):
    content = encoded(example("coffee"), format="JPEG")
    with pytest.raises(ImageError, match="cannot be decoded"):
        read_image(Image.open(io.BytesIO(content[: len(content) // 2])))


def test_slight_damage_is_passed_over_in_silence(recwarn):
    damaged = encoded(Image.fromarray(PIXELS), format="JPEG", exif=b"Exif\x00\x00MM\x00*\xff\xff\xff\xff")
    assert read_image(damaged).size == (8, 6)
    assert len(recwarn) == 0


def test_a_folder_is_refused(tmp_path):
    with pytest.raises(ImageError, match="is a folder; expected an image"):
        read_image(tmp_path)


def png(width: int, height: int) -> bytes:
    """A well-formed header of any size, with next to nothing behind it."""

    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


@pytest.mark.parametrize("side", [30_000, 12_000])
def test_a_bomb_is_refused_before_it_is_decoded(side):
    with pytest.raises(ImageError, match=r"too large .* at most 89 megapixels"):
        read_image(png(side, side))


def test_a_single_pixel_is_an_image():
    assert read_image(Image.new("RGB", (1, 1), "red")).size == (1, 1)


def test_the_examples_are_there_and_an_unknown_one_is_named():
    assert all(min(example(name).size) >= 300 for name in EXAMPLES)
    with pytest.raises(ImageError, match="no example is called 'dog'"):
        example("dog")


def test_the_hash_is_that_of_the_picture_not_of_the_file():
    image = Image.fromarray(PIXELS)
    as_png, as_bmp = (read_image(encoded(image, format=name)) for name in ("PNG", "BMP"))
    assert content_hash(as_png) == content_hash(as_bmp) == content_hash(image)
    assert content_hash(image) != content_hash(image.transpose(Image.Transpose.ROTATE_180))
