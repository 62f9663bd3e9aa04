"""Whatever bytes a stranger sends: an image or one sentence, in bounded time and memory, and never anything else."""

from __future__ import annotations

import io
import json
import pickle
import random
import struct
import subprocess
import sys
import zipfile
import zlib
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from augimpact.data.image import MAX_PIXELS, UPLOAD_FORMATS, UPLOAD_PIXELS, example, read_image, read_upload
from augimpact.errors import ImageError
from tests.data.test_image import encoded, png

PHOTOGRAPH = example("cat").resize((90, 60))
# Every format, and what makes its decoder take another way.
OPTIONS = {
    "JPEG": [{}, {"progressive": True}, {"quality": 100, "subsampling": 0}],
    "PNG": [{}, {"compress_level": 0}],
    "WEBP": [{}, {"lossless": True}],
    "GIF": [{}, {"interlace": 0}],
    "BMP": [{}],
    "TIFF": [{}, {"compression": "tiff_lzw"}, {"compression": "tiff_adobe_deflate"}, {"compression": "packbits"}],
}
FILES = [
    encoded(PHOTOGRAPH.convert(mode), format=name, **options)
    for name, several in OPTIONS.items()
    for options in several
    for mode in (("RGB", "L", "CMYK") if name in ("JPEG", "TIFF") else ("RGB", "L", "P"))
    if not (name == "WEBP" and mode == "P")
] + [
    encoded(PHOTOGRAPH, format="JPEG", exif=b"Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x01"),
    encoded(PHOTOGRAPH.convert("RGBA"), format="PNG"),
    encoded(PHOTOGRAPH.convert("I;16"), format="PNG"),
    encoded(PHOTOGRAPH.convert("F"), format="TIFF"),
    encoded(PHOTOGRAPH, format="GIF", save_all=True, append_images=[PHOTOGRAPH.rotate(9)]),
    encoded(PHOTOGRAPH, format="WEBP", save_all=True, append_images=[PHOTOGRAPH.rotate(9)]),
    encoded(PHOTOGRAPH, format="PNG", save_all=True, append_images=[PHOTOGRAPH.rotate(9)]),
]  # fmt: skip


def tiff(tags, content=b"", order="<"):
    """A little-endian TIFF of one directory; tags are (number, type, count, value or place)."""
    directory = b"".join(struct.pack(f"{order}HHII", *tag) for tag in sorted(tags))
    head = b"II*\x00" + struct.pack("<I", 8) + struct.pack("<H", len(tags))
    return head + directory + struct.pack("<I", 0) + content


def simple_tiff(width, height, *more, compression=1):
    tags = [(256, 4, 1, width), (257, 4, 1, height), (258, 3, 1, 8), (259, 3, 1, compression), (262, 3, 1, 1)]
    taken = {each[0] for each in more}
    strips = [(273, 4, 1, 200), (278, 4, 1, height), (279, 4, 1, 50)]
    return tiff([*tags, *(each for each in strips if each[0] not in taken), *more], bytes(400))


def chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def with_chunk(kind, content, times=1, after=False):
    """A real PNG with more chunks in it, before or after its pixels."""
    file = encoded(PHOTOGRAPH, format="PNG")
    place = file.index(b"IEND") - 4 if after else file.index(b"IDAT") - 4
    return file[:place] + times * chunk(kind, content) + file[place:]


def jpeg_of_scans(count):
    """A progressive JPEG whose last scan is there many times more."""
    file = encoded(PHOTOGRAPH, format="JPEG", progressive=True)
    last = file[file.rindex(b"\xff\xda") : -2]
    return file[:-2] + count * last + b"\xff\xd9"


def size_in(file, old, new):
    assert old in file
    return file.replace(old, new, 1)


JPEG, GIF, BMP = (encoded(PHOTOGRAPH, format=name) for name in ("JPEG", "GIF", "BMP"))
WEBP = encoded(PHOTOGRAPH.convert("RGBA"), format="WEBP", save_all=True, append_images=[PHOTOGRAPH.rotate(9)])
ZEROS = zlib.compress(bytes(300_000_000), 9)
REFUSED = {
    "png.png": (png(30_000, 30_000), "too large"),
    "png2.png": (png(7_000, 7_000), "too large (7000×7000 pixels); expected at most 40 megapixels"),
    "tiff.tif": (simple_tiff(60_000, 60_000), "too large"),
    "gif.gif": (size_in(GIF, struct.pack("<HH", 90, 60), b"\xff\xff\xff\xff"), "too large"),
    "bmp.bmp": (size_in(BMP, struct.pack("<II", 90, 60), struct.pack("<II", 50_000, 50_000)), "too large"),
    "webp.webp": (size_in(WEBP, b"\x59\x00\x00\x3b\x00\x00", b"\xff\x3f\x00\xff\x3f\x00"), "too large"),
    "jpeg.jpg": (size_in(JPEG, struct.pack(">HH", 60, 90), b"\xff\xdc\xff\xdc"), "too large"),
    "scans.jpg": (jpeg_of_scans(5_000), "a JPEG of 50"),
    "tiles.tif": (
        simple_tiff(10, 10, (322, 4, 1, 40_000), (323, 4, 1, 40_000), (324, 4, 1, 200), (325, 4, 1, 50), compression=8),
        "tiles of 40000×40000 pixels",
    ),
    "jpeg.tif": (encoded(PHOTOGRAPH, format="TIFF", compression="jpeg"), "a TIFF compressed as jpeg"),
    "text.png": (with_chunk(b"zTXt", b"it\x00\x00" + ZEROS), "cannot be decoded"),
    "text after.png": (with_chunk(b"zTXt", b"it\x00\x00" + ZEROS, after=True), "cannot be decoded"),
    "international text.png": (with_chunk(b"iTXt", b"it\x00\x01\x00\x00\x00" + ZEROS), "cannot be decoded"),
    "much text.png": (with_chunk(b"zTXt", b"it\x00\x00" + zlib.compress(bytes(1_000_000)), 900), "cannot be decoded"),
    "profile.png": (with_chunk(b"iCCP", b"it\x00\x00" + ZEROS), "cannot be decoded"),
    "cut.jpg": (JPEG[: len(JPEG) // 2], "truncated"),
    "cut.gif": (GIF[: len(GIF) // 2], "truncated"),
    "cut.bmp": (BMP[: len(BMP) // 2], "truncated"),
    "head.png": (b"\x89PNG\r\n\x1a\n", "expected one of"),
    "picture.svg": (b"<svg><script>alert(1)</script></svg>", "expected one of JPEG, PNG, WebP, GIF, BMP, TIFF"),
    "page.html": (b"<!doctype html><img src=x onerror=alert(1)>", "expected one of JPEG"),
    "code.pkl": (pickle.dumps([PHOTOGRAPH.tobytes()]), "expected one of JPEG"),
    "document.pdf": (encoded(PHOTOGRAPH, format="PDF"), "expected one of JPEG"),
    "program.eps": (encoded(PHOTOGRAPH, format="EPS"), "expected one of JPEG"),
    "icon.ico": (encoded(PHOTOGRAPH, format="ICO"), "expected one of JPEG"),
    "plain.ppm": (encoded(PHOTOGRAPH, format="PPM"), "expected one of JPEG"),
    "layers.psd": (b"8BPS\x00\x01" + bytes(400), "expected one of JPEG"),
    "new.avif": (encoded(PHOTOGRAPH, format="AVIF"), "expected one of JPEG"),
    "wave.jp2": (encoded(PHOTOGRAPH, format="JPEG2000"), "expected one of JPEG"),
    "noise.jpg": (random.Random(0).randbytes(5_000), "expected one of JPEG"),
    "nothing.jpg": (b"", "is empty; expected an image"),
}  # fmt: skip


def as_zip():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("photo.jpg", JPEG)
    return file.getvalue()


REFUSED["archive.zip"] = as_zip(), "expected one of JPEG"
# What is odd but has a picture to show.
READ = {
    "damaged exif.jpg": encoded(PHOTOGRAPH, format="JPEG", exif=b"Exif\x00\x00MM\x00*" + bytes(range(255, 0, -1))),
    "no exif.jpg": encoded(PHOTOGRAPH, format="JPEG", exif=b"Exif\x00\x00" + bytes(range(256)) * 9),
    "no profile.jpg": encoded(PHOTOGRAPH, format="JPEG", icc_profile=bytes(range(256)) * 300),
    "no profile.png": encoded(PHOTOGRAPH, format="PNG", icc_profile=bytes(range(256)) * 300),
    "frames.gif": encoded(PHOTOGRAPH.resize((9, 6)), format="GIF", save_all=True, append_images=[
        Image.new("L", (9, 6), index % 256) for index in range(3_000)]),
    "frames.webp": encoded(PHOTOGRAPH.resize((9, 6)), format="WEBP", save_all=True, append_images=[
        Image.new("L", (9, 6), index % 256) for index in range(900)]),
    "wrong name.png": JPEG,
    "behind it.jpg": JPEG + ZEROS,
    "bilevel.tif": encoded(PHOTOGRAPH.convert("1"), format="TIFF", compression="group4"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_is_named_in_a_sentence(name):
    content, words = REFUSED[name]
    with pytest.raises(ImageError) as caught:
        read_upload(name, content)
    sentence = str(caught.value)
    assert sentence.startswith(repr(name))
    assert words in sentence
    assert "expected" in sentence
    assert "\n" not in sentence
    assert len(sentence) < 400


@pytest.mark.parametrize("name", READ)
def test_what_is_odd_but_has_a_picture_is_read(name):
    image = read_upload(name, READ[name])
    assert image.mode == "RGB"
    assert image.size in [(90, 60), (9, 6)]


@pytest.mark.parametrize("name", ["<img onerror=alert(1)>.png", "it's.png", "two\nlines.png", "\u202egnp.exe"])
def test_a_name_cannot_end_the_sentence(name):
    with pytest.raises(ImageError) as caught:
        read_upload(name, b"no image")
    assert str(caught.value).startswith(repr(name))
    assert "\n" not in str(caught.value)


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
def test_every_format_is_read_as_pillow_reads_it():
    for content in FILES:
        with Image.open(io.BytesIO(content)) as image:
            assert image.format in {*UPLOAD_FORMATS, "MPO"}
        assert np.array_equal(read_upload("photo", content), read_image(content))


def test_the_limit_can_be_chosen():
    assert read_upload("photo", JPEG, 5_400).size == (90, 60)
    with pytest.raises(ImageError, match=r"'photo' is too large \(90×60 pixels\); expected at most 0 megapixels"):
        read_upload("photo", JPEG, 5_399)
    assert UPLOAD_PIXELS == 40_000_000 < MAX_PIXELS


@pytest.mark.parametrize(
    ("size", "kept"), [((4095, 4100), (4095, 4100)), ((4096, 4102), (2048, 2051)), ((9000, 30), (9000, 30))]
)
@pytest.mark.parametrize("kind", ["JPEG", "BMP"])
def test_what_is_larger_than_any_classifier_sees_is_kept_smaller(size, kept, kind):
    content = encoded(example("coffee").resize(size), format=kind)
    image = read_upload("photo", content)
    assert image.size == kept
    # As Pillow makes it of the whole picture; some rows of grey levels.
    expected = read_image(content).resize(kept, Image.Resampling.BOX)
    shown, wanted = (np.asarray(each)[::16].astype(int) for each in (image, expected))
    assert np.abs(shown - wanted).mean() < 0.5
    assert (np.abs(shown - wanted) > 8).mean() < 0.001


def test_a_turned_photograph_with_odd_exif_is_turned():
    """Pillow's own `exif_transpose` fails at writing such EXIF back."""
    exif = Image.Exif()
    exif[0x0112] = 6
    content = encoded(PHOTOGRAPH, format="JPEG", quality=95, exif=exif)
    assert np.array_equal(read_upload("photo", content), np.rot90(np.asarray(Image.open(io.BytesIO(content))), -1))


@settings(max_examples=600)
@given(st.data())
def test_a_damaged_file_gives_an_image_or_a_sentence(data):
    content = bytearray(data.draw(st.sampled_from(FILES)))
    for _ in range(data.draw(st.integers(0, 8))):
        # Most of what matters stands at the beginning.
        last = data.draw(st.sampled_from([64, 512, len(content)]))
        content[data.draw(st.integers(0, min(last, len(content)) - 1))] = data.draw(st.integers(0, 255))
    end = data.draw(st.sampled_from([len(content), data.draw(st.integers(0, len(content)))]))
    try:
        image = read_upload("photo", bytes(content[:end]), 1_000_000)
    except ImageError:
        return
    assert image.mode == "RGB"
    assert image.width * image.height <= 1_000_000


@given(st.binary(max_size=300), st.sampled_from([content[:12] for content in FILES]))
def test_any_bytes_behind_the_head_of_an_image_give_an_image_or_a_sentence(content, head):
    with suppress(ImageError):
        read_upload("photo", head + content)


on_linux = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak of memory is read from /proc")
CHILD = """
import json, pathlib, re, sys, time
from augimpact.data.image import read_upload
from augimpact.errors import ImageError
content = pathlib.Path(sys.argv[1]).read_bytes()
# Not `ru_maxrss`, which a process takes over from the one that started it.
peak = lambda: int(re.search(r"VmHWM:\\s+(\\d+) kB", pathlib.Path("/proc/self/status").read_text())[1]) / 1000
before, began = peak(), time.perf_counter()
try:
    found = list(read_upload("it", content).size)
except ImageError as error:
    found = str(error)
print(json.dumps([found, peak() - before, time.perf_counter() - began]))
"""


def cost(content, tmp_path):
    """What became of it, megabytes, seconds; in a process of its own."""
    file = tmp_path / "content"
    file.write_bytes(content)
    done = subprocess.run([sys.executable, "-c", CHILD, str(file)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@on_linux
@pytest.mark.parametrize("name", [*REFUSED, *READ])
def test_a_bomb_takes_neither_memory_nor_time(tmp_path, name):
    content = REFUSED[name][0] if name in REFUSED else READ[name]
    _, megabytes, seconds = cost(content, tmp_path)
    # The file and Pillow's code: 4 MB where this was written.
    assert megabytes < 30
    assert seconds < 5


@on_linux
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "16 bits", "transparent"])
def test_the_largest_image_that_is_read_takes_bounded_memory(tmp_path, kind):
    mode = {"16 bits": "I;16", "transparent": "RGBA"}.get(kind, "RGB")
    image = Image.new(mode, (8_000, 5_000), 77)
    quickly = {"compress_level": 1, "method": 0}
    content = encoded(image, format="PNG" if kind in ("16 bits", "transparent") else kind, **quickly)
    size, megabytes, _ = cost(content, tmp_path)
    assert size == [4_000, 2_500]
    # 40 million pixels are 160 MB. A JPEG is decoded at half its size; two of others stand side by side for a time,
    # of transparent ones and inside libwebp four.
    assert megabytes < {"JPEG": 110, "transparent": 750, "WEBP": 750}.get(kind, 430)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_what_was_turned_is_not_turned_again(orientation):
    """A photograph is read when it is uploaded, and the image once more when it is asked about."""
    image = example("rocket").resize((60, 40))
    exif = Image.Exif()
    exif[0x0112] = orientation
    file = io.BytesIO()
    image.save(file, format="JPEG", exif=exif)
    seen = read_upload("phone.jpg", file.getvalue())
    assert seen.size == ((60, 40) if orientation < 5 else (40, 60))
    assert read_image(seen).size == seen.size
    assert np.array_equal(np.asarray(read_image(seen)), np.asarray(seen))
