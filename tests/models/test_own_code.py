"""A user's own code as a model, and what goes wrong in it as one sentence."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest
import torch

import augimpact as ai
from augimpact.errors import ModelError
from augimpact.models import own_code
from augimpact.models.load import load_classifier

NETS = """
from dataclasses import dataclass
import torch
from torch import nn
from layers import head
from augimpact import Classifier

@dataclass
class Settings:
    width: int = 8

class Net(nn.Module):
    def __init__(self, num_classes=3):
        super().__init__()
        self.features = nn.Conv2d(3, Settings().width, 3, stride=8)
        self.head = head(Settings().width, num_classes)
    def forward(self, x):
        return self.head(self.features(x).relu().mean((2, 3)))

torch.manual_seed(0)
net = Net()
classifier = Classifier(net, ["a", "b", "c"], mean=(0, 0, 0), std=(1, 1, 1), size=64, name="mine")

def make():
    return Net(4)
def make_classifier():
    return Classifier(Net(2), ["x", "y"], size=32)
def needs(width):
    return Net()
def fails():
    raise RuntimeError("no weights\\nat all")
def leaves():
    raise SystemExit(3)
number = 3
"""
LAYERS = "from torch import nn\ndef head(width, classes):\n    return nn.Linear(width, classes)\n"


@pytest.fixture
def nets(tmp_path, monkeypatch):
    """The path of a file with all sorts of models, beside one that it imports."""
    # Another test's `layers`, of another folder, must not be found in its place.
    monkeypatch.delitem(sys.modules, "layers", raising=False)
    (tmp_path / "layers.py").write_text(LAYERS)
    file = tmp_path / "nets.py"
    file.write_text(NETS)
    yield file
    sys.modules.pop("layers", None)


@pytest.mark.parametrize(("name", "classes"), [("Net", 3), ("net", 3), ("make", 4), ("make_classifier", 2)])
def test_a_file_gives_a_module_a_class_or_a_function(nets, name, classes):
    before = list(sys.path)
    classifier = load_classifier(f"{nets}:{name}", device="cpu")
    assert classifier.probe.outputs == classes
    assert classifier.origin == {"source": f"{nets}:{name}"}
    assert sys.path == before


def test_what_is_loaded_is_swept_and_made_again_from_its_origin(nets):
    classifier = load_classifier(f"{nets}:net", device="cpu", labels="one, two, three")
    trace = ai.analyze("example:coffee", ai.Sweep(rotation=(0, 90), frames=3), classifier)
    again = load_classifier(**classifier.origin, device="cpu")
    assert classifier.origin == {"source": f"{nets}:net", "labels": ["one", "two", "three"]}
    assert again.labels == ("one", "two", "three")
    other = ai.analyze("example:coffee", ai.Sweep(rotation=(0, 90), frames=3), again)
    assert (trace.scores == other.scores).all()


def test_a_classifier_of_ones_own_keeps_its_preprocessing(nets):
    found = load_classifier(f"{nets}:classifier", device="cpu")
    assert (found.name, found.inputs.size, found.inputs.mean, found.labels) == ("mine", 64, (0, 0, 0), ("a", "b", "c"))
    with pytest.raises(ModelError, match=r"labels was given for .*nets.py:classifier', which brings its own"):
        load_classifier(f"{nets}:classifier", labels=["u", "v", "w"])


def test_a_package_is_found_from_the_current_folder(nets, tmp_path, monkeypatch):
    package = tmp_path / "zoo_of_the_test"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "small.py").write_text("from torch import nn\nnet = nn.Sequential(nn.Flatten(), nn.LazyLinear(2))\n")
    monkeypatch.chdir(tmp_path)
    found = load_classifier("zoo_of_the_test.small:net", device="cpu")
    assert found.probe.outputs == 2
    assert isinstance(load_classifier("torch.nn:Identity").module, torch.nn.Identity)


def test_an_edited_file_is_read_again(nets):
    assert load_classifier(f"{nets}:make").probe.outputs == 4
    nets.write_text(NETS.replace("Net(4)", "Net(11)"))
    assert load_classifier(f"{nets}:make").probe.outputs == 11


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("make_clasifier", r"unknown name in .*nets.py' 'make_clasifier'; did you mean make_classifier"),
        ("needs", r"nets.py:needs' failed: TypeError: .*'width'"),
        ("fails", r"nets.py:fails' failed at line 31: RuntimeError: no weights$"),
        ("leaves", r"nets.py:leaves' failed at line 33: SystemExit: 3"),
        ("number", r"gives a int; expected a torch.nn.Module, a Classifier, or a function without arguments"),
        ("", r"expected FILE.py:NAME or package.module:NAME"),
    ],
)
def test_what_goes_wrong_is_one_sentence(nets, name, words):
    with pytest.raises(ModelError, match=words):
        load_classifier(f"{nets}:{name}")


def test_a_file_or_package_that_is_missing_or_broken_is_named(nets, tmp_path):
    with pytest.raises(ModelError, match=r"there is no file .*gone.py'"):
        load_classifier(f"{tmp_path}/gone.py:Net")
    with pytest.raises(ModelError, match=r"there is no package 'nowhere.at_all'; expected package.module:NAME"):
        load_classifier("nowhere.at_all:Net")
    with pytest.raises(ModelError, match=r"there is no package 'torchvison'; expected .*torchvision:NAME"):
        load_classifier("torchvison:resnet18")
    (tmp_path / "needs_more.py").write_text("import nowhere\n")
    with pytest.raises(ModelError, match=r"needs_more.py:Net' failed at line 1: ModuleNotFoundError: .*'nowhere'"):
        load_classifier(f"{tmp_path}/needs_more.py:Net")
    nets.write_text("def make(:\n")
    with pytest.raises(ModelError, match=r"nets.py:make' failed: SyntaxError: .*line 1"):
        load_classifier(f"{nets}:make")


def test_arch_has_no_meaning_for_ones_own_code(nets):
    with pytest.raises(ModelError, match="arch was given for"):
        load_classifier(f"{nets}:Net", arch="resnet18")


def test_nothing_is_taken_for_a_model_that_is_none(tmp_path):
    (tmp_path / "nets.py").write_text("from types import SimpleNamespace\nmake = SimpleNamespace\n")
    with pytest.raises(ModelError, match=f"gives a {SimpleNamespace.__name__}"):
        load_classifier(f"{tmp_path}/nets.py:make")


def test_modules_of_one_name_in_two_folders_are_two_and_an_edited_one_is_read_anew(tmp_path):
    for folder, width in (("first", 4), ("second", 8)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "blocks.py").write_text(f"WIDTH = {width}\n")
        (tmp_path / folder / "net.py").write_text(
            "from torch import nn\nfrom blocks import WIDTH\nnet = nn.Sequential(nn.Conv2d(3, WIDTH, 3))\n"
        )

    def width(folder):
        return own_code.build(f"{tmp_path / folder / 'net.py'}:net")[0].out_channels

    assert [width("first"), width("second"), width("first")] == [4, 8, 4]
    (tmp_path / "first" / "blocks.py").write_text("WIDTH = 16  # edited\n")
    assert width("first") == 16
