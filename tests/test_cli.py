"""The command line as people call it: real processes, real files, one line for every mistake."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from augimpact import cli
from augimpact.augment.own import forget
from augimpact.augment.parameters import CATALOGUE
from augimpact.augment.plugins import PLUGINS_VARIABLE
from augimpact.augment.signal_parameters import SIGNAL_CATALOGUE
from augimpact.data.image import EXAMPLES, example
from augimpact.explain.methods import METHODS
from augimpact.models.load import load_classifier
from augimpact.profiling.reference import reference_of
from augimpact.trace import Trace

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
    # The command line tells the processes that it starts of its plugins: here, of no other test's.
    monkeypatch.setenv(PLUGINS_VARIABLE, "")
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
        # No larger than the model's input, and so not enlarged.
        assert animation.size[0] == 224
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
    (["photo.jpg", "--method", "gradcma"], "unknown method 'gradcma'; did you mean gradcam or"),
    (["photo.jpg", "--model", "resnt50"], "unknown model 'resnt50'; did you mean resnet50"),
    (["photo.jpg", "--target", "expresso"], "unknown class 'expresso'; did you mean espresso"),
    (["photo.jpg", "--layer", "bn3"], "unknown layer 'bn3'"),
    (["photo.jpg", "--device", "abacus"], "device 'abacus' cannot be used"),
    (["photo.jpg", "-o", "out.tiff"], "'out.tiff' has the suffix '.tiff'; expected one of .gif"),
    (["photo.jpg", "-o", "missing/out.gif"], "there is no folder 'missing'"),
    (["photo.jpg", "-o", "/proc/out.gif"], "cannot write '/proc/out.gif'"),
    (["photo.jpg", "--colour", "red"], "No such option: --colour"),
    (["photo.jpg", "--border", "egde"], "unknown border 'egde'; did you mean edge"),
    (["photo.jpg", "--precision", "float8"], "unknown precision 'float8'; did you mean"),
    (["photo.jpg", "--classes", "espresso"], "expected two or more, each once"),
    (["photo.jpg", "--classes", "espresso,espresso"], "expected two or more, each once"),
    (["photo.jpg", "--target", "espresso - taby"], "unknown class 'taby'; did you mean tabby"),
    (["photo.jpg", "--layer", "classifier"], "layer 'classifier' has no spatial output; among those that have"),
    (["photo.jpg", "--flip-tolerance", "0"], "flip_tolerance is 0.0; expected a number above 0"),
    (["photo.jpg", "-a", "mixup=0:1", "--second", "missing.jpg"], "there is no image 'missing.jpg'"),
    (["photo.jpg", "--model", "fastai:export.pkl"], "export.pkl"),
    (["photo.jpg", "--model", "weights.pth"], "weights.pth"),
    (["photo.jpg", "--model", "missing.py:net"], "missing.py"),
    (["photo.jpg", "--panel", "brightness"], "--panel brightness is of a dataset; expected --data FOLDER, too"),
    (["photo.jpg", "--data", ".", "--panel", "brightnes"], "unknown panel 'brightnes'; did you mean brightness?"),
    (["photo.jpg", "--data", "missing"], "there is no folder 'missing'"),
    (["photo.jpg", "--data", ".", "-o", "out.csv"], "--data is shown in .gif, .webp, .mp4 and .html files; expected"),
    (["photo.jpg", "-a", "jitter=0:1"], "jitter changes signals; expected parameters of images"),
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


def test_what_was_mixed_in_unasked_is_said(folder, capsys):
    status, _, err = run("sweep", "photo.jpg", "-a", "mixup=0:1", "--frames", 2, "-o", "out.json", capsys=capsys)
    assert (status, err) == (0, "note: mixed with example:coffee; --second names another image\n")


def test_the_version_is_printed(capsys):
    assert run("--version", capsys=capsys) == (0, f"{version('augimpact')}\n", "")


def test_what_has_no_effect_is_said(folder, capsys):
    status, _, err = run("sweep", "photo.jpg", "-a", "erase_x=0:1", "--frames", 2, "-o", "out.json", capsys=capsys)
    assert status == 0
    assert err == "note: erase_x has no effect while erase_w or erase_h is neutral\n"


def test_where_frames_lie_in_a_folder_is_shown_beside_them(folder, capsys):
    (folder / "photographs").mkdir()
    for name in EXAMPLES:
        example(name).save(folder / "photographs" / f"{name}.png")
    sweep = ["sweep", "example:coffee", "-a", "brightness=0.5:2", "--frames", 3]
    beside = ["--data", "photographs"]
    files = ["-o", "out.npz", "-o", "all.gif", "-o", "page.html", "-o", "strip.png"]
    status, out, err = run(*sweep, *beside, *files, capsys=capsys)
    assert (status, out, err) == (0, "out.npz\nall.gif\npage.html\nstrip.png\n", "")
    trace, classifier = Trace.load("out.npz"), load_classifier()
    reference = reference_of("photographs", classifier.sees, progress=lambda *_: None)
    assert Path("all.gif").read_bytes() == trace.save("again.gif", panels=reference.panels).read_bytes()
    assert Path("page.html").read_bytes() == trace.save("again.html", reference=reference).read_bytes()
    assert "photographs" not in Path("page.html").read_text()
    status, *_ = run(*sweep, *beside, "--panel", "entropy", "--panel", "contrast", "-o", "two.gif", capsys=capsys)
    assert status == 0
    chosen = [reference["entropy"], reference["contrast"]]
    assert Path("two.gif").read_bytes() == trace.save("again.gif", panels=chosen).read_bytes()


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
    recipe = Trace.load("out.npz").recipe
    assert (recipe["target"], recipe["classifier"]["layers"]) == ("espresso", ["blocks.4"])
    assert (recipe["erase_fill"], recipe["seed"]) == ("noise", 7)
    assert recipe["sweep"]["parameters"] == {"erase_w": [0.1, 0.6], "erase_h": 0.5}
    assert recipe["sweep"]["easing"] == "cosine"


def test_tables_list_what_there_is(capsys):
    _, out, _ = run("augmentations", capsys=capsys)
    assert [line.split("\t")[0] for line in out.splitlines()] == ["name", *CATALOGUE, *SIGNAL_CATALOGUE]
    _, out, _ = run("methods", capsys=capsys)
    assert "gradcam\t" in out
    _, out, _ = run("models", "mobilenetv3", capsys=capsys)
    assert "mobilenetv3_small_100.lamb_in1k\ttimm" in out
    _, out, _ = run("models", capsys=capsys)
    assert out.splitlines()[1].startswith("efficientnet-lite0\tbuilt in")
    assert "torchvision:resnet50\t" in out


MIXED = ("mixup", "cutmix", "cutmix_x", "cutmix_y")
COMPANIONS = {"crop": 0.5, "erase_w": 0.5, "erase_h": 0.5, "cutmix": 0.3, "grid_mask": 0.5, "motion_blur": 3}
NETWORKS = Path(__file__).parent / "networks.py"
OWN = """
import augimpact as ai

@ai.augmentation("fade_to_grey", range=(0, 1), neutral=0, description="fades to grey")
def fade_to_grey(batch, value):
    return batch * (1 - value) + 0.5 * value
"""


@pytest.mark.parametrize("name", CATALOGUE)
def test_every_augmentation_runs_with_gradcam(folder, capsys, name):
    low, high = CATALOGUE[name].sweep
    held = [f"-a{needed}={COMPANIONS[needed]}" for needed in CATALOGUE[name].needs]
    held += ["--second", "example:cat"] if name in MIXED else []
    status, out, err = run(
        "sweep", "photo.jpg", "-a", f"{name}={low}:{high}", *held, "--frames", 3, "-o", "out.gif", "-o", "out.json",
        capsys=capsys,
    )  # fmt: skip
    assert (status, out, err) == (0, "out.gif\nout.json\n", "")
    document = json.loads((folder / "out.json").read_text())
    assert [frame["setting"][name] for frame in document["frames"]] == pytest.approx([low, (low + high) / 2, high])
    with Image.open("out.gif") as animation:
        assert animation.n_frames > 1


@pytest.mark.parametrize("name", METHODS)
def test_every_method_runs(folder, capsys, name):
    # It has ReLUs to guide, and few channels: the built-in has neither.
    status, out, err = run(
        "sweep", "photo.jpg", "-a", "rotation=0:40", "--frames", 2, "--model", f"{NETWORKS}:small_network",
        "--method", name, "-o", "out.npz", "-o", "out.png", capsys=capsys,
    )  # fmt: skip
    assert (status, out, err) == (0, "out.npz\nout.png\n", "")
    trace = Trace.load("out.npz")
    assert trace.maps.max() > 0
    assert trace.recipe["method"] == name


@pytest.mark.parametrize("name", SIGNAL_CATALOGUE)
def test_every_augmentation_of_signals_runs(folder, capsys, name):
    np.save("wave.npy", np.sin(np.arange(64) / 3).astype(np.float32))
    low, high = SIGNAL_CATALOGUE[name].sweep
    held = [f"-a{needed}=0.5" for needed in SIGNAL_CATALOGUE[name].needs]
    status, out, err = run(
        "sweep", "wave.npy", "-a", f"{name}={low}:{high}", *held, "--frames", 3,
        "--model", f"{NETWORKS}:small_signal_model", "-o", "out.gif", "-o", "out.json", capsys=capsys,
    )  # fmt: skip
    assert (status, out, err) == (0, "out.gif\nout.json\n", "")


def test_an_augmentation_of_ones_own_has_a_name_on_the_command_line(folder, capsys):
    (folder / "mine.py").write_text(OWN)
    try:
        _, out, _ = run("--plugin", "mine.py", "augmentations", capsys=capsys)
        assert "fade_to_grey\timage\town\t0:1\t0\tstrength\tfades to grey" in out
        status, *_ = run(
            "--plugin", "mine.py", "sweep", "photo.jpg", "-a", "fade_to_grey=0:1", "--frames", 3, "-o", "out.npz",
            capsys=capsys,
        )  # fmt: skip
        assert status == 0
        frames = Trace.load("out.npz").frames
        assert (frames[2] == 128).all()
        assert frames[0].std() > 10
    finally:
        forget("fade_to_grey")
    # A saved trace knows its parameters, also where nobody knows them any more.
    assert Trace.load("out.npz").captions()[1] == "fade to grey 0.50"
    status, _, err = run("--plugin", "missing.py", "augmentations", capsys=capsys)
    assert (status, err) == (2, "augimpact: the plugin missing.py cannot be read: No such file or directory\n")


def test_options_of_the_engine_reach_the_trace(folder, capsys):
    status, _, err = run(
        "sweep", "photo.jpg", "-a", "mixup=0:1", "--frames", 5, "--second", "example:cat", "--border", "edge",
        "--classes", "espresso,Egyptian cat,coffee mug", "--target", "espresso - Egyptian cat",
        "--layer", "blocks.5", "--layer", "bn2", "--precision", "bfloat16", "--flip-tolerance", 0.01,
        "-o", "out.npz", "-o", "out.html", "-o", "out.csv", capsys=capsys,
    )  # fmt: skip
    assert (status, err) == (0, "")
    trace = Trace.load("out.npz")
    assert trace.labels == ("espresso", "Egyptian cat", "coffee mug")
    assert set(trace.target_names()) == {"espresso − Egyptian cat"}
    recipe = trace.recipe
    assert (recipe["second"]["source"], recipe["border"], recipe["precision"]) == ("example:cat", "edge", "bfloat16")
    assert recipe["classifier"]["layers"] == ["blocks.5", "bn2"]
    assert trace.flips()["to"].tolist()[-1] == "Egyptian cat"
    assert (folder / "out.csv").read_text().startswith("frame,mixup,class_1,score_1")


def test_models_are_compared(folder, capsys):
    status, out, err = run(
        "compare", "photo.jpg", "-a", "rotation=-40:40", "--frames", 3, "--model", "efficientnet-lite0",
        "--model", f"{NETWORKS}:small_network", "--target", "neutral", "-o", "both.gif", "-o", "both.csv",
        "-o", "both.mp4", "-o", "both.py", capsys=capsys,
    )  # fmt: skip
    assert (status, out, err) == (0, "both.gif\nboth.csv\nboth.mp4\nboth.py\n", "")
    assert (folder / "both.mp4").read_bytes()[4:8] == b"ftyp"
    assert "ai.compare(" in (folder / "both.py").read_text()
    with Image.open("both.gif") as animation:
        assert animation.width == 2 * 320 + 8
    assert (folder / "both.csv").read_text().count("efficientnet-lite0") == 3
    status, _, err = run("compare", "photo.jpg", "-o", "one.gif", capsys=capsys)
    assert (status, err) == (2, "augimpact: 1 classifiers and 1 methods; expected two or more to compare\n")


def test_two_parameters_make_a_grid(folder, capsys):
    status, out, err = run(
        "grid", "photo.jpg", "-a", "rotation=-40:40:3", "-a", "brightness=0.5:2:2", "-a", "zoom=1.2",
        "-o", "grid.png", "-o", "grid.csv", "-o", "grid.py", capsys=capsys,
    )  # fmt: skip
    assert (status, out, err) == (0, "grid.png\ngrid.csv\ngrid.py\n", "")
    assert "ai.Grid(rotation=(-40, 40, 3), brightness=(0.5, 2, 2), zoom=1.2)" in (folder / "grid.py").read_text()
    assert len((folder / "grid.csv").read_text().splitlines()) == 7
    status, _, err = run("grid", "photo.jpg", "-a", "rotation=-40:40", "-o", "grid.png", capsys=capsys)
    assert status == 2
    assert "-a 'rotation=-40:40'; expected NAME=A:B:STEPS to run over, or NAME=V to hold" in err


def test_a_run_is_replayed_and_its_scores_compared(folder, capsys):
    run("sweep", "photo.jpg", "-a", "rotation=-40:40", "--frames", 3, "-o", "out.json", capsys=capsys)
    status, out, err = run("replay", "out.json", capsys=capsys)
    assert (status, err) == (0, "")
    assert out.startswith("the scores agree: they differ by at most")
    example("cat").save("photo.jpg")
    status, out, _ = run("replay", "out.json", capsys=capsys)
    assert status == 1
    assert "the image is another one" in out
    assert run("replay", "missing.json", capsys=capsys)[::2] == (2, "augimpact: there is no file 'missing.json'\n")


def test_without_arguments_it_shows_its_help(capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["augimpact"])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    assert not stopped.value.code
    assert "See what image augmentation does to a classifier" in capsys.readouterr().out
