"""The command line as people call it: real processes, real files, one line for every mistake."""

from __future__ import annotations

import io
import json
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from augimpact import cli
from augimpact.augment.parameters import CATALOGUE
from augimpact.data.image import example

PIXELS = np.asarray(example("coffee").resize((90, 60)))


def with_alpha():
    return Image.fromarray(np.dstack([PIXELS, np.tile(np.arange(90, dtype=np.uint8) * 2, (60, 1))]))


def turned():
    exif = Image.Exif()
    exif[0x0112] = 6
    return exif


PHOTOGRAPHS = {
    "photo.jpg": (Image.fromarray(PIXELS), {}),
    "transparent.png": (with_alpha(), {}),
    "deep.png": (Image.fromarray(PIXELS[..., 0].astype(np.uint16) * 257), {}),
    "grey.png": (Image.fromarray(PIXELS).convert("L"), {}),
    "print.jpg": (Image.fromarray(PIXELS).convert("CMYK"), {}),
    "turned.jpg": (Image.fromarray(PIXELS), {"exif": turned()}),
    "tiny.png": (Image.new("RGB", (1, 1), "red"), {}),
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty folder with one photograph, in which commands are run."""
    PHOTOGRAPHS["photo.jpg"][0].save(tmp_path / "photo.jpg")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments, capsys):
    """Exit status, standard output and error of a command in this process, which has the classifier's libraries."""
    with pytest.raises(SystemExit) as stopped:
        cli.main([str(each) for each in arguments])
    captured = capsys.readouterr()
    return stopped.value.code or 0, captured.out, captured.err


@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_a_sweep_of_any_photograph_writes_animation_and_table(folder, capsys, name):
    image, options = PHOTOGRAPHS[name]
    image.save(folder / name, **options)
    status, out, err = run(
        "sweep", name, "-a", "rotation=-45:45", "--frames", 6, "-o", "out.gif", "-o", "out.json", capsys=capsys
    )
    assert (status, out, err) == (0, "out.gif\nout.json\n", "")
    with Image.open(folder / "out.gif") as animation:
        assert animation.size[0] == 448
        # A single colour looks the same from some angles, and equal neighbours are one frame.
        assert animation.n_frames == 10 or name == "tiny.png"
    document = json.loads((folder / "out.json").read_text())
    rotations = [frame["setting"]["rotation"] for frame in document["frames"]]
    assert rotations == pytest.approx([-45, -27, -9, 9, 27, 45])
    assert all(len(frame["top"]) == 5 for frame in document["frames"])
    assert document["recipe"]["image"]["name"] == name


def test_it_runs_as_a_process_of_its_own(folder):
    command = [sys.executable, "-m", "augimpact.cli", "sweep", "photo.jpg", "-a", "brightness=0.5:2", "-o", "out.gif"]
    done = subprocess.run([*command, "--frames", "3"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "out.gif\n", "")
    assert (folder / "out.gif").exists()
    failed = subprocess.run([*command, "-a", "rotatoin=3"], capture_output=True, text=True, check=False)
    assert (failed.returncode, failed.stdout) == (2, "")
    assert failed.stderr == "augimpact: unknown parameter 'rotatoin'; did you mean rotation?\n"


def broken_jpeg():
    file = io.BytesIO()
    example("coffee").save(file, format="JPEG")
    return file.getvalue()[: len(file.getvalue()) // 2]


MISTAKES = [
    (["truncated.jpg"], "'truncated.jpg' cannot be decoded: image file is truncated"),
    (["text.jpg"], "'text.jpg' is not an image that Pillow can read"),
    (["missing.jpg"], "there is no image 'missing.jpg'"),
    (["bomb.png"], "'bomb.png' is too large"),
    (["photo.jpg", "-a", "rotatoin=0:9"], "unknown parameter 'rotatoin'; did you mean rotation?"),
    (["photo.jpg", "-a", "rotation=a:b"], "-a 'rotation=a:b'; expected NAME=A:B"),
    (["photo.jpg", "-a", "frames=5"], "unknown parameter 'frames'"),
    (["photo.jpg", "-a", "self=5"], "unknown parameter 'self'"),
    (["photo.jpg", "--frames", "99999999999"], "frames is 99999999999; expected a whole number from 1 to 2000"),
    (["photo.jpg", "--seed", "99999999999999999999999"], "Invalid value for '--seed'"),
    (["photo.jpg", "--device", "meta"], "device 'meta' cannot be used"),
    (["missing.jpg", "-a", "erase_x=0:1"], "there is no image 'missing.jpg'"),
    (["photo.jpg", "-a", "rotation"], "-a 'rotation'; expected NAME=A:B"),
    (["photo.jpg", "-a", "rotation=0:400"], "rotation is 400; expected a number from -180 to 180"),
    (["photo.jpg", "-a", "rotation=nan"], "rotation is nan"),
    (["photo.jpg", "-a", "crop=1", "-a", "crop=0.5"], "-a names crop twice"),
    (["photo.jpg", "--frames", "0"], "frames is 0; expected a whole number from 1 to 2000"),
    (["photo.jpg", "--frames", "many"], "Invalid value for '--frames'"),
    (["photo.jpg", "--easing", "bounce"], "unknown easing 'bounce'"),
    (["photo.jpg", "--opacity", "2"], "opacity is 2.0; expected a number from 0 to 1"),
    (["photo.jpg", "--width", "7"], "width is 7; expected 16 to 4096 pixels"),
    (["example:tea"], "no example is called 'tea'; there are motorcycle, cat, coffee, rocket"),
    (["photo.jpg", "--method", "gradcma"], "unknown method 'gradcma'; did you mean gradcam?"),
    (["photo.jpg", "--model", "resnt50"], "unknown model 'resnt50'; did you mean resnet50"),
    (["photo.jpg", "--target", "expresso"], "unknown class 'expresso'; did you mean espresso"),
    (["photo.jpg", "--layer", "bn3"], "unknown layer 'bn3'"),
    (["photo.jpg", "--device", "abacus"], "device 'abacus' cannot be used"),
    (["photo.jpg", "-o", "out.tiff"], "'out.tiff' has the suffix '.tiff'; expected one of .gif"),
    (["photo.jpg", "-o", "missing/out.gif"], "there is no folder 'missing'"),
    (["photo.jpg", "-o", "/proc/out.gif"], "cannot write '/proc/out.gif'"),
    (["photo.jpg", "--colour", "red"], "No such option: --colour"),
]


@pytest.mark.parametrize(
    ("arguments", "words"), MISTAKES, ids=lambda each: " ".join(each) if isinstance(each, list) else ""
)
def test_a_mistake_is_one_line_with_status_2_and_leaves_no_file(folder, capsys, arguments, words):
    (folder / "truncated.jpg").write_bytes(broken_jpeg())
    (folder / "text.jpg").write_text("this is no photograph")
    (folder / "bomb.png").write_bytes(bomb(30_000))
    before = set(folder.iterdir())
    if "-o" not in arguments:
        arguments = [*arguments, "-o", "out.gif", "-o", "out.json"]
    if "--frames" not in arguments:
        arguments = [*arguments, "--frames", "3"]
    status, out, err = run("sweep", *arguments, capsys=capsys)
    assert status == 2
    assert out == ""
    assert err.count("\n") == 1
    assert err.startswith("augimpact: ")
    assert words in err
    assert set(folder.iterdir()) == before


def bomb(side):
    import struct
    import zlib

    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def test_without_an_output_it_says_what_is_missing(folder, capsys):
    status, _, err = run("sweep", "photo.jpg", capsys=capsys)
    assert (status, err) == (2, "augimpact: no output was named; expected -o FILE, such as -o out.gif\n")


def test_what_has_no_effect_is_said(folder, capsys):
    status, _, err = run("sweep", "photo.jpg", "-a", "erase_x=0:1", "--frames", 2, "-o", "out.json", capsys=capsys)
    assert status == 0
    assert err == "note: erase_x has no effect while erase_w or erase_h is neutral\n"


def test_an_example_is_a_photograph_and_pictures_have_the_width_that_was_asked(folder, capsys):
    status, *_ = run("sweep", "example:coffee", "--frames", 2, "--width", 300, "-o", "cup.png", capsys=capsys)
    assert status == 0
    assert Image.open("cup.png").width == 600


def test_options_reach_the_trace(folder, capsys):
    status, *_ = run(
        "sweep", "photo.jpg", "-a", "erase_w=0.1:0.6", "-a", "erase_h=0.5", "--frames", 3, "--target", "espresso",
        "--layer", "blocks.4", "--erase-fill", "noise", "--seed", 7, "--easing", "cosine", "--device", "cpu",
        "-o", "out.npz", capsys=capsys,
    )  # fmt: skip
    assert status == 0
    from augimpact.trace import Trace

    recipe = Trace.load("out.npz").recipe
    assert (recipe["target"], recipe["classifier"]["layer"]) == ("espresso", "blocks.4")
    assert (recipe["erase_fill"], recipe["seed"]) == ("noise", 7)
    assert recipe["sweep"]["parameters"] == {"erase_w": [0.1, 0.6], "erase_h": 0.5}
    assert recipe["sweep"]["easing"] == "cosine"


def test_tables_list_what_there_is(capsys):
    _, out, _ = run("augmentations", capsys=capsys)
    assert [line.split("\t")[0] for line in out.splitlines()] == ["name", *CATALOGUE]
    _, out, _ = run("methods", capsys=capsys)
    assert "gradcam\t" in out
    _, out, _ = run("models", "mobilenetv3", capsys=capsys)
    assert "mobilenetv3_small_100.lamb_in1k\ttimm" in out
    _, out, _ = run("models", capsys=capsys)
    assert out.splitlines()[1].startswith("efficientnet-lite0\tbuilt in")
    assert "torchvision:resnet50\t" in out


def test_without_arguments_it_shows_its_help(capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["augimpact"])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    assert not stopped.value.code
    assert "See what image augmentation does to a classifier" in capsys.readouterr().out
