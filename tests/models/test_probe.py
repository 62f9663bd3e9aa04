"""The layer that is explained where none is named, for models of many kinds."""

from __future__ import annotations

import pytest
import timm
import torch
from torch import nn
from torchvision import models as torchvision_models

from augimpact.errors import LayerError, ModelError
from augimpact.models.classifier import Classifier
from augimpact.models.layer import Layer, layout_of
from augimpact.models.probe import probe

DEFAULTS = {
    "vit": (lambda: timm.create_model("vit_tiny_patch16_224"), "blocks.11.norm1", "NLC", 14),
    "deit, distilled": (lambda: timm.create_model("deit_tiny_distilled_patch16_224"), "blocks.11.norm1", "NLC", 14),
    # Its scores are read off the mean of the tokens, so that their places count until the end.
    "vit with registers": (
        lambda: timm.create_model("vit_little_patch16_reg4_gap_256", img_size=224, depth=4),
        "blocks.3.norm2", "NLC", 14,
    ),
    "vit with class and registers": (
        lambda: timm.create_model("vit_small_patch14_reg4_dinov2", img_size=112, depth=4, num_classes=5),
        "blocks.3.norm1", "NLC", 8,
    ),
    "swin": (lambda: timm.create_model("swin_tiny_patch4_window7_224"), "norm", "NHWC", 7),
    # Its head begins with weights of zero.
    "torchvision's vit": (torchvision_models.vit_b_16, "encoder.layers.encoder_layer_11.ln_1", "NLC", 14),
    "torchvision's swin": (torchvision_models.swin_t, "norm", "NHWC", 7),
    "convnext": (lambda: timm.create_model("convnext_tiny"), "norm_pre", "NCHW", 7),
    "torchvision's convnext": (torchvision_models.convnext_tiny, "features", "NCHW", 7),
    "resnet": (torchvision_models.resnet18, "layer4", "NCHW", 7),
    "timm's resnet": (lambda: timm.create_model("resnet18"), "layer4", "NCHW", 7),
    "densenet": (torchvision_models.densenet121, "features", "NCHW", 7),
    "mobilenet": (torchvision_models.mobilenet_v3_small, "features", "NCHW", 7),
    "timm's mobilenet": (lambda: timm.create_model("mobilenetv3_small_100"), "blocks", "NCHW", 7),
    "efficientnet": (torchvision_models.efficientnet_b0, "features", "NCHW", 7),
    "timm's efficientnet": (lambda: timm.create_model("efficientnet_b0"), "bn2", "NCHW", 7),
    "vgg": (torchvision_models.vgg11, "features", "NCHW", 7),
    "class attention": (lambda: timm.create_model("cait_xxs24_224"), "blocks_token_only.1.norm1", "NLC", 14),
}  # fmt: skip
SIDES = {"vit with class and registers": 112}


@pytest.mark.parametrize("kind", DEFAULTS)
def test_the_default_is_the_last_layer_on_whose_places_the_scores_depend(kind):
    create, name, layout, side = DEFAULTS[kind]
    torch.manual_seed(0)
    module = create().train()
    state = torch.random.get_rng_state()
    found = probe(module, (3, SIDES.get(kind, 224), SIDES.get(kind, 224)))
    assert (found.default, found.layouts[found.default]) == (name, layout)
    assert found.default_layer() == name
    assert tuple(found.layouts) == found.layers
    assert torch.equal(torch.random.get_rng_state(), state)
    assert all(each.training and not each._forward_hooks for each in module.modules())
    assert all(each.grad is None for each in module.parameters())
    outputs = []
    handle = module.get_submodule(name).register_forward_hook(lambda _module, _inputs, output: outputs.append(output))
    with torch.no_grad():
        module.eval()(torch.rand(2, 3, SIDES.get(kind, 224), SIDES.get(kind, 224)))
    handle.remove()
    as_map = Layer(name, module.get_submodule(name), layout).as_map(outputs[0])
    assert as_map.shape[0] == 2
    assert as_map.shape[2:] == (side, side)
    assert as_map.numel() <= outputs[0].numel()


def test_layers_that_tell_no_places_apart_are_not_listed():
    found = probe(timm.create_model("swin_tiny_patch4_window7_224"), 224)
    # Windows of attention lie along the batch.
    assert "layers.0.blocks.0.attn" not in found.layers
    assert "layers.0.blocks.0" in found.layers
    assert "head" not in found.layers
    assert probe(torchvision_models.resnet18(), 64).layers[-1] == "layer4"


def test_maps_of_tokens_are_row_by_row_without_the_prefix():
    tokens = torch.arange(2 * 14 * 3).reshape(2, 14, 3)
    found = Layer("tokens", nn.Identity(), "NLC").as_map(tokens)
    for row in range(3):
        for column in range(3):
            assert torch.equal(found[:, :, row, column], tokens[:, 5 + 3 * row + column])
    rows = torch.arange(2 * 3 * 3 * 4).reshape(2, 3, 3, 4)
    assert torch.equal(Layer("rows", nn.Identity(), "NHWC").as_map(rows)[:, 3, 1, 2], rows[:, 1, 2, 3])
    assert Layer("signal", nn.Identity(), "NCL").as_map(torch.zeros(2, 3, 4)).shape == (2, 3, 1, 4)
    with pytest.raises(LayerError, match=r"layer 'tokens' gives shape \(2, 3\); expected NLC, that is 3 axes"):
        Layer("tokens", nn.Identity(), "NLC").as_map(torch.zeros(2, 3))


@pytest.mark.parametrize(
    ("shape", "layout"),
    [
        ((1, 8, 8, 8), "NCHW"),
        ((1, 64, 7, 9), "NCHW"),
        ((64, 49, 96), None),
        ((1, 768, 196), None),
        ((1, 2, 192), None),
        ((1, 192), None),
        ((1, 512, 1, 1), None),
    ],
)
def test_an_outputs_layout_is_told_by_its_shape(shape, layout):
    assert layout_of(shape, 3) == layout


def test_signals_have_layers_too():
    module = nn.Sequential(
        nn.Conv1d(2, 4, 5),
        nn.ReLU(),
        nn.Conv1d(4, 6, 3),
        nn.BatchNorm1d(6),
        nn.AdaptiveAvgPool1d(1),
        nn.Flatten(),
        nn.Linear(6, 3),
    )
    found = probe(module, (2, 50))
    assert (found.outputs, found.default, set(found.layouts.values())) == (3, "3", {"NCL"})
    with pytest.raises(ModelError, match=r"cannot take a signal of shape \(1, 3, 50\)"):
        probe(module, (3, 50))


def test_a_layer_that_is_computed_aside_is_not_the_default():
    class Aside(nn.Module):
        def __init__(self):
            super().__init__()
            self.features = nn.Conv2d(3, 4, 3)
            self.aside = nn.Conv2d(3, 4, 3)

        def forward(self, batch):
            features = self.features(batch)
            self.aside(batch)
            return features.mean((2, 3))

    found = probe(Aside(), 16)
    assert found.layers == ("features", "aside")
    assert found.default == "features"


def test_a_model_without_places_has_no_default():
    found = probe(nn.Sequential(nn.Flatten(), nn.Linear(3 * 64, 2)), 8)
    assert found.default is None
    with pytest.raises(LayerError, match="no layer of this model tells places apart"):
        found.default_layer()


def test_layers_are_found_by_their_names_in_the_order_given():
    classifier = Classifier(torchvision_models.resnet18(), size=64)
    layers = classifier.find_layers(["layer4", "layer2.0"])
    assert [(layer.name, layer.layout) for layer in layers] == [("layer4", "NCHW"), ("layer2.0", "NCHW")]
    assert layers[1].module is classifier.module.layer2[0]
    assert [layer.name for layer in classifier.find_layers(None)] == ["layer4"]
    assert [layer.name for layer in classifier.find_layers("layer1")] == ["layer1"]
    with pytest.raises(LayerError, match="unknown layer 'layr4'; did you mean layer4"):
        classifier.find_layers(["layer4", "layr4"])
    with pytest.raises(LayerError, match=r"'fc' has no spatial output; among those that have: .*layer4"):
        classifier.find_layers("fc")
    with pytest.raises(LayerError, match="no layer is named"):
        classifier.find_layers([])
