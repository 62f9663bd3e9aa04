"""Loading by name, up to the edge of the network: caches filled by hand, and a hub that cannot be reached."""

from __future__ import annotations

import time

import pytest
import timm
import torch
from huggingface_hub import constants
from safetensors.torch import save_file
from torchvision import models

from augimpact.data.image import example
from augimpact.errors import ModelError
from augimpact.models.builtin import ARCHITECTURE, imagenet_labels
from augimpact.models.device import pick_device
from augimpact.models.load import load_classifier


def test_the_builtin_weights_fit_one_to_one(classifier):
    """Scrambled weights would still load; they would not know a cat."""
    assert type(classifier.module) is type(timm.create_model(ARCHITECTURE))
    canvas = (classifier.canvas(example("coffee"))[None] * 255).round().to(torch.uint8)
    with torch.no_grad():
        scores = classifier.module(classifier.prepare(canvas)).softmax(1)[0]
    assert classifier.labels[int(scores.argmax())] == "espresso"
    assert scores.max() > 0.8


@pytest.fixture
def hub_cache(tmp_path, monkeypatch):
    """A hub that cannot be reached, and an empty cache of what came from it."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "ENDPOINT", "http://hub.invalid")
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    monkeypatch.delenv("http_proxy", raising=False)
    monkeypatch.delenv("https_proxy", raising=False)
    monkeypatch.delenv("HTTP_PROXY", raising=False)
    monkeypatch.delenv("HTTPS_PROXY", raising=False)
    monkeypatch.delenv("all_proxy", raising=False)
    return tmp_path


def test_a_timm_name_is_read_from_its_cache(hub_cache):
    torch.manual_seed(0)
    module = timm.create_model("resnet10t")
    repository = module.pretrained_cfg["hf_hub_id"]
    folder = hub_cache / f"models--{repository.replace('/', '--')}"
    (folder / "refs").mkdir(parents=True)
    (folder / "refs" / "main").write_text("0123456789abcdef")
    snapshot = folder / "snapshots" / "0123456789abcdef"
    snapshot.mkdir(parents=True)
    save_file(module.state_dict(), snapshot / "model.safetensors")
    loaded = load_classifier("resnet10t", device="cpu")
    assert all(torch.equal(a, b) for a, b in zip(loaded.module.parameters(), module.parameters(), strict=True))
    assert loaded.labels == imagenet_labels()
    assert not loaded.module.training


def test_without_a_network_the_error_says_so_and_names_the_builtin(hub_cache):
    began = time.monotonic()
    with pytest.raises(ModelError, match=r"'resnet18' could not be fetched .*'efficientnet-lite0' is built in"):
        load_classifier("resnet18")
    # Not after the hub's library has asked ten times; the bound is far from either.
    assert time.monotonic() - began < 20
    assert not constants.HF_HUB_OFFLINE


@pytest.fixture
def torch_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    return tmp_path / "hub" / "checkpoints"


def test_a_torchvision_name_is_read_from_its_cache(torch_cache):
    module = models.resnet18()
    torch_cache.mkdir(parents=True)
    torch.save(module.state_dict(), torch_cache / models.ResNet18_Weights.DEFAULT.url.rsplit("/", 1)[1])
    loaded = load_classifier("torchvision:resnet18", device="cpu")
    preset = models.ResNet18_Weights.DEFAULT.transforms()
    assert torch.equal(loaded.module.conv1.weight, module.conv1.weight)
    assert loaded.labels[207] == "golden retriever"
    assert (loaded.inputs.mean, loaded.inputs.size, loaded.inputs.crop) == (tuple(preset.mean), 224, 224 / 256)


def test_a_torchvision_name_that_cannot_be_fetched_is_one_sentence(torch_cache, monkeypatch):
    weights = models.ResNet18_Weights.DEFAULT
    address = weights.url.replace("https://download.pytorch.org", "http://127.0.0.1:9")
    monkeypatch.setattr(type(weights), "url", property(lambda _self: address))
    with pytest.raises(ModelError, match="'torchvision:resnet18' could not be fetched"):
        load_classifier("torchvision:resnet18")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("resnt18", "unknown model 'resnt18'; did you mean resnet18"),
        ("torchvision:resnet_18", "unknown torchvision model 'resnet_18'; did you mean resnet18"),
    ],
)
def test_an_unknown_name_is_answered_with_the_nearest(name, words):
    with pytest.raises(ModelError, match=words):
        load_classifier(name)


def test_a_device_that_is_not_there_is_named():
    with pytest.raises(ModelError, match="device 'warp' cannot be used"):
        pick_device("warp")
    assert pick_device("cpu").type == "cpu"


def test_what_is_no_model_at_all_is_named():
    with pytest.raises(ModelError, match="the model is a int; expected a name"):
        load_classifier(50)


def test_a_classifier_is_taken_as_it_is_and_a_module_stays_where_it_is(classifier):
    assert load_classifier(classifier) is classifier
    module = timm.create_model("resnet18")
    assert load_classifier(module).module is module


def test_what_is_loaded_by_name_knows_how_it_is_made_again(classifier, torch_cache):
    assert classifier.origin == {"source": "efficientnet-lite0"}
    torch_cache.mkdir(parents=True)
    weights = models.ResNet18_Weights.DEFAULT
    torch.save(models.resnet18().state_dict(), torch_cache / weights.url.rsplit("/", 1)[1])
    loaded = load_classifier("torchvision:resnet18", device="cpu", layer="layer3")
    assert loaded.origin == {"source": "torchvision:resnet18"}
    assert load_classifier(**loaded.origin, device="cpu", layer=loaded.layers).layers == ("layer3",)
    assert load_classifier(timm.create_model("resnet18")).origin is None
