"""Checkpoints: what is saved comes back number for number, and what does not fit is named."""

from __future__ import annotations

import argparse
import warnings
from pathlib import Path

import pytest
import timm
import torch
from safetensors.torch import save_file
from torch import nn
from torchvision import models
from torchvision.transforms.functional import pil_to_tensor

import augimpact as ai
from augimpact.data.image import example
from augimpact.errors import ModelError
from augimpact.models.builtin import imagenet_labels
from augimpact.models.load import load_classifier

NAMES = ["tench", "church", "golf ball"]


@pytest.fixture(scope="module")
def module():
    """A small ResNet of timm's with weights of its own and three outputs."""
    torch.manual_seed(0)
    made = timm.create_model("resnet10t", num_classes=3)
    # Statistics as training leaves them: none of them as a fresh module has it.
    made.train()(torch.rand(8, 3, 64, 64))
    return made.eval()


def prefixed(weights, prefix):
    return {prefix + name: tensor for name, tensor in weights.items()}


WRITERS = {
    "plain.pth": torch.save,
    "plain.safetensors": save_file,
    "plain.PT": torch.save,
    "older.pth": lambda weights, path: torch.save(weights, path, _use_new_zipfile_serialization=False),
    "wrapped.pth": lambda weights, path: torch.save({"epoch": 3, "state_dict": weights}, path),
    "fastai.pth": lambda weights, path: torch.save({"model": weights, "opt": {"state": [], "hypers": []}}, path),
    "tutorial.pt": lambda weights, path: torch.save({"model_state_dict": weights, "loss": 0.5}, path),
    "timm.pth": lambda weights, path: torch.save(
        {"args": argparse.Namespace(lr=0.1), "state_dict": weights, "arch": "resnet10t"}, path
    ),
    "parallel.pth": lambda weights, path: torch.save(prefixed(weights, "module."), path),
    "lightning.ckpt": lambda weights, path: torch.save({"state_dict": prefixed(weights, "model.")}, path),
    "compiled.pth": lambda weights, path: torch.save(prefixed(weights, "module._orig_mod."), path),
    "double.pth": lambda weights, path: torch.save(
        {name: tensor.double() if tensor.is_floating_point() else tensor for name, tensor in weights.items()}, path
    ),
    "without_counters.pth": lambda weights, path: torch.save(
        {name: tensor for name, tensor in weights.items() if not name.endswith("num_batches_tracked")}, path
    ),
}


@pytest.mark.parametrize("name", WRITERS)
def test_what_was_saved_gives_the_same_scores(module, name, tmp_path):
    path = tmp_path / name
    WRITERS[name](module.state_dict(), path)
    loaded = load_classifier(path, device="cpu", arch="resnet10t", labels=NAMES)
    image = torch.rand(2, 3, 96, 96)
    with torch.no_grad():
        assert torch.equal(loaded.module(image), module(image))
    assert loaded.labels == tuple(NAMES)
    assert not loaded.module.training
    assert loaded.origin == {"source": str(path), "arch": "resnet10t", "labels": NAMES}


def test_a_sweep_of_a_checkpoint_is_that_of_the_module(module, tmp_path):
    path = str(tmp_path / "weights.safetensors")
    save_file(module.state_dict(), path)
    sweep = ai.Sweep(rotation=(0, 90), frames=3)
    loaded = ai.analyze("example:coffee", sweep, load_classifier(path, device="cpu", arch="resnet10t", labels=NAMES))
    direct = ai.analyze("example:coffee", sweep, load_classifier(module, labels=NAMES))
    assert (loaded.scores == direct.scores).all()


def test_without_labels_the_final_layer_tells_how_many_outputs_there_are(module, tmp_path):
    # safetensors sorts the names, so that the last of the file is not the last of the network.
    path = tmp_path / "weights.safetensors"
    save_file(module.state_dict(), path)
    loaded = load_classifier(str(path), device="cpu", arch="resnet10t")
    assert loaded.labels == ("class 0", "class 1", "class 2")
    assert loaded.origin == {"source": str(path), "arch": "resnet10t"}


@pytest.mark.parametrize("arch", ["resnet18", "squeezenet1_1", "googlenet", "vit_b_32"])
def test_a_torchvision_architecture_brings_its_preset(arch, tmp_path):
    module = models.get_model(arch, num_classes=5, **({"init_weights": False} if arch == "googlenet" else {}))
    path = tmp_path / "weights.pth"
    torch.save(module.state_dict(), path)
    loaded = load_classifier(str(path), device="cpu", arch=f"torchvision:{arch}")
    preset = models.get_model_weights(arch).DEFAULT.transforms()
    assert loaded.labels == tuple(f"class {index}" for index in range(5))
    assert (loaded.inputs.mean, loaded.inputs.size) == (tuple(preset.mean), preset.crop_size[0])
    assert loaded.inputs.crop == preset.crop_size[0] / preset.resize_size[0]
    prepared = preset(pil_to_tensor(example("coffee")))[None]
    with torch.no_grad():
        assert torch.equal(loaded.module(prepared), module.eval()(prepared))


def test_a_thousand_outputs_have_the_names_of_imagenet(tmp_path):
    path = str(tmp_path / "weights.pth")
    torch.save(models.resnet18().state_dict(), path)
    categories = models.ResNet18_Weights.DEFAULT.meta["categories"]
    assert load_classifier(path, arch="torchvision:resnet18").labels == tuple(categories)
    torch.save(timm.create_model("resnet10t").state_dict(), path)
    assert load_classifier(path, arch="resnet10t").labels == imagenet_labels()


def test_a_timm_architecture_brings_its_preprocessing(tmp_path):
    """The oracle is timm's own reading of the configuration, of a model that ImageNet's usual one would not fit."""
    made = timm.create_model("tf_efficientnet_lite0", num_classes=2)
    path = str(tmp_path / "weights.pth")
    torch.save(made.state_dict(), path)
    loaded = load_classifier(path, arch="tf_efficientnet_lite0", labels="a,b")
    config = timm.data.resolve_model_data_config(made)
    assert (loaded.inputs.mean, loaded.inputs.std) == (config["mean"], config["std"]) == ((0.5,) * 3, (0.5,) * 3)
    assert (loaded.inputs.size, loaded.inputs.crop, loaded.inputs.interpolation) == (
        224,
        config["crop_pct"],
        config["interpolation"],
    )


OWN = """
from torch import nn
class Net(nn.Module):
    def __init__(self, num_classes=10):
        super().__init__()
        self.model = nn.Sequential(nn.Conv2d(3, 4, 3, stride=4), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.head = nn.Linear(4, num_classes)
    def forward(self, x):
        return self.head(self.model(x))
def fixed():
    return Net(3)
"""


@pytest.mark.parametrize("labels", [NAMES, None])
@pytest.mark.parametrize("name", ["Net", "fixed"])
def test_ones_own_architecture_is_built_and_filled(name, labels, tmp_path):
    (tmp_path / "own.py").write_text(OWN)
    arch = f"{tmp_path}/own.py:{name}"
    made = load_classifier(f"{tmp_path}/own.py:fixed", device="cpu").module
    # Its tensors are called `model.…` by itself, which is no prefix to take away.
    torch.save(made.state_dict(), tmp_path / "weights.pth")
    loaded = load_classifier(str(tmp_path / "weights.pth"), device="cpu", arch=arch, labels=labels)
    image = torch.rand(1, 3, 32, 32)
    assert torch.equal(loaded.module(image), made(image))
    assert loaded.origin == {"source": str(tmp_path / "weights.pth"), "arch": arch} | (
        {"labels": labels} if labels else {}
    )
    assert load_classifier(**loaded.origin, device="cpu").labels == loaded.labels


class Trap:
    """Writes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return (Path.write_text, (self.path, "caught"))


def test_a_pickled_object_is_refused_and_runs_nothing(module, tmp_path):
    path = tmp_path / "whole.pth"
    torch.save(module, path)
    with pytest.raises(
        ModelError, match=r"whole.pth' holds more than weights \(timm.*ResNet\), and would run code; expected"
    ):
        load_classifier(path, arch="resnet10t")
    torch.save({"state_dict": module.state_dict(), "trap": Trap(tmp_path / "caught")}, path)
    with pytest.raises(ModelError, match="holds more than weights"):
        load_classifier(path, arch="resnet10t")
    assert not (tmp_path / "caught").exists()
    # The trap is a trap.
    torch.load(path, weights_only=False)
    assert (tmp_path / "caught").exists()


def test_what_does_not_fit_is_named(module, tmp_path):
    path = str(tmp_path / "weights.pth")
    torch.save(module.state_dict(), path)
    with pytest.raises(ModelError, match=r"arch 'resnet18': the tensors do not fit: \d+ missing \(conv1.weight, .*…\)"):
        load_classifier(path, arch="resnet18")
    with pytest.raises(ModelError, match=r"2 misshapen \(fc.weight is \(3, 512\) instead of \(2, 512\), fc.bias is"):
        load_classifier(path, arch="resnet10t", labels=["a", "b"])
    torch.save(module.state_dict() | {"criterion.weight": torch.ones(3)}, path)
    with pytest.raises(ModelError, match=r"do not fit: 1 unexpected \(criterion.weight\)$"):
        load_classifier(path, arch="resnet10t")
    torch.save({name: tensor for name, tensor in module.state_dict().items() if name != "fc.bias"}, path)
    with pytest.raises(ModelError, match=r"do not fit: 1 missing \(fc.bias\)$"):
        load_classifier(path, arch="resnet10t", labels=NAMES)


@pytest.mark.parametrize(
    ("arch", "words"),
    [
        (None, r"is read as weights only; expected arch, what they belong to"),
        ("resnt10t", "unknown model 'resnt10t'; did you mean resnet10t"),
        ("resnet10t.of_nobody", "arch 'resnet10t.of_nobody' cannot be built"),
        ("torchvision:resnet10", "unknown torchvision model 'resnet10'"),
        ("nowhere:Net", "there is no package 'nowhere'"),
    ],
)
def test_an_architecture_that_is_none_is_answered_in_one_sentence(module, arch, words, tmp_path):
    path = str(tmp_path / "weights.pth")
    torch.save(module.state_dict(), path)
    with pytest.raises(ModelError, match=words):
        load_classifier(path, arch=arch)


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_a_file_that_is_no_checkpoint_is_named(suffix, tmp_path):
    path = tmp_path / f"weights{suffix}"
    with pytest.raises(ModelError, match=rf"there is no checkpoint .*weights{suffix}'"):
        load_classifier(path, arch="resnet18")
    path.write_bytes(b"no checkpoint at all")
    with pytest.raises(
        ModelError, match=rf"the checkpoint .*weights{suffix}' (cannot be read|is no file of torch.save)"
    ):
        load_classifier(path, arch="resnet18")
    path.write_bytes(b"")
    with pytest.raises(ModelError, match=rf"the checkpoint .*weights{suffix}' cannot be read"):
        load_classifier(path, arch="resnet18")


def test_a_torchscript_archive_is_refused_without_advice_to_run_it(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        torch.jit.script(nn.Conv2d(3, 2, 3)).save(tmp_path / "script.pt")
    with pytest.raises(ModelError, match=r"script.pt' cannot be read: .*TorchScript archives[^.]*torch.load``$"):
        load_classifier(tmp_path / "script.pt", arch="resnet18")


def test_a_file_of_something_else_than_weights_is_named(module, tmp_path):
    path = tmp_path / "weights.pth"
    torch.save({"loss": 1.0, "epoch": 2}, path)
    with pytest.raises(ModelError, match="holds no weights but the keys loss, epoch; expected a module's state_dict"):
        load_classifier(path, arch="resnet18")
    torch.save(torch.ones(3), path)
    with pytest.raises(ModelError, match="holds no weights but a Tensor"):
        load_classifier(path, arch="resnet18")
    torch.save({}, path)
    with pytest.raises(ModelError, match="holds no weights and is empty"):
        load_classifier(path, arch="resnet18")


def test_a_damaged_checkpoint_is_named(module, tmp_path):
    for writer, name in ((torch.save, "cut.pth"), (save_file, "cut.safetensors")):
        path = tmp_path / name
        writer(module.state_dict(), path)
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        with pytest.raises(ModelError, match=rf"the checkpoint .*{name}' cannot be read"):
            load_classifier(path, arch="resnet10t")


def test_a_module_takes_labels_and_no_architecture():
    module = nn.Sequential(nn.Conv2d(3, 2, 3, stride=8), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    assert load_classifier(module, labels="a, b").labels == ("a", "b")
    with pytest.raises(ModelError, match="arch was given for 'Sequential'"):
        load_classifier(module, arch="resnet18")
    with pytest.raises(ModelError, match="labels was given for 'resnet18', which brings its own"):
        load_classifier("resnet18", labels="a, b")
