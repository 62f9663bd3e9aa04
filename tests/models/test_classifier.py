"""The classifier sees what its own evaluation would show it, and names what it does not know."""

from __future__ import annotations

import numpy as np
import pytest
import timm
import torch
from PIL import Image
from torch import nn
from torchvision import models as torchvision_models

from augimpact.data.image import read_image
from augimpact.errors import LayerError, ModelError, TargetError
from augimpact.models.classifier import Classifier
from augimpact.models.load import load_classifier

# ImageNet's indices of Imagenette's classes, by WordNet id.
IMAGENETTE = {
    "n01440764": 0, "n02102040": 217, "n02979186": 482, "n03000684": 491, "n03028079": 497,
    "n03394916": 566, "n03417042": 569, "n03425413": 571, "n03445777": 574, "n03888257": 701,
}  # fmt: skip


def small() -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, 5, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(5, 4))


def scores_of(classifier: Classifier, batch: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        return classifier.module.eval()(batch).softmax(dim=1)


def fed(classifier: Classifier, image: Image.Image) -> torch.Tensor:
    return classifier.prepare((classifier.canvas(image)[None] * 255).round().to(torch.uint8))


def test_on_imagenette_the_builtin_is_right_and_agrees_with_its_standard_preprocessing(classifier, imagenette):
    standard = timm.data.create_transform(**timm.data.resolve_model_data_config(classifier.module))
    files = sorted((imagenette / "val").rglob("*.JPEG"))
    assert len(files) == 150
    images = [read_image(file) for file in files]
    ours = torch.cat([scores_of(classifier, fed(classifier, image)) for image in images])
    theirs = torch.cat([scores_of(classifier, standard(image)[None]) for image in images])
    ten = list(IMAGENETTE.values())
    truth = torch.tensor([ten.index(IMAGENETTE[file.parent.name]) for file in files])
    assert (ours[:, ten].argmax(1) == truth).float().mean() >= 0.95
    # They differ by one resampling to 8 bits: here by 0.026 in the mean of the largest difference.
    assert (ours - theirs).abs().amax(1).mean() <= 0.04
    assert (ours.argmax(1) == theirs.argmax(1)).float().mean() >= 0.93


@pytest.mark.parametrize("size", [(640, 427), (300, 451), (97, 97), (5, 400), (1, 1)])
def test_the_canvas_is_the_region_that_evaluation_keeps(classifier, size):
    """Checked on a ramp, whose values are places."""
    across, down = np.meshgrid((np.arange(size[0]) + 0.5) / size[0], (np.arange(size[1]) + 0.5) / size[1])
    ramp = Image.fromarray(np.rint(np.dstack([across, down, down]) * 255).astype(np.uint8))
    canvas = classifier.canvas(ramp)
    # What has fewer pixels than the model's input is not enlarged beyond it.
    side = 224 if 0.875 * min(size) <= 224 else 448
    assert canvas.shape == (3, side, side)
    standard = timm.data.create_transform(**timm.data.resolve_model_data_config(classifier.module))
    if min(size) < 50:
        # timm cuts at whole pixels of the resized image: of a thin one, at something else.
        return
    expected = standard(ramp)[:2] * 0.5 + 0.5
    ours = nn.functional.interpolate(canvas[None], size=224, mode="area")[0, :2]
    assert (ours - expected).abs().mean(dim=(1, 2)).max() < 0.006


def test_squashing_keeps_both_sides():
    image = Image.fromarray(np.tile(np.array([[[255, 0, 0], [0, 0, 0], [0, 0, 0], [0, 0, 255]]], np.uint8), (1, 1, 1)))
    squashed = Classifier(small(), size=32, squash=True).canvas(image)
    cropped = Classifier(small(), size=32).canvas(image)
    assert squashed[0, 16, 0] == 1
    assert squashed[2, 16, -1] == 1
    assert cropped[0].max() < 0.9


def test_prepared_pixels_are_normalised():
    classifier = Classifier(small(), size=8, mean=(0.2, 0.4, 0.6), std=(0.1, 0.2, 0.5))
    batch = classifier.prepare(torch.full((2, 3, 16, 16), 51, dtype=torch.uint8))
    assert batch.shape == (2, 3, 8, 8)
    assert batch[0, :, 0, 0].tolist() == pytest.approx([0, -1, -0.8], abs=1e-5)


@pytest.mark.parametrize(
    ("module", "layer"),
    [
        (timm.create_model("resnet18"), "layer4"),
        (timm.create_model("convnext_atto"), "norm_pre"),
        (torchvision_models.densenet121(), "features"),
        (torchvision_models.vgg11(), "features"),
        (torchvision_models.mobilenet_v3_small(), "features"),
        (small(), "1"),
    ],
    ids=["resnet18", "convnext", "densenet121", "vgg11", "mobilenet", "small"],
)
def test_the_layer_is_found_by_itself(module, layer):
    assert Classifier(module).layers == (layer,)


def test_layers_are_found_by_name_and_wrong_ones_are_explained(classifier):
    assert classifier.find_layers("blocks.2")[0].module is classifier.module.blocks[2]
    with pytest.raises(LayerError, match="unknown layer 'blcoks'; did you mean blocks"):
        classifier.find_layers("blcoks")
    with pytest.raises(LayerError, match=r"'classifier' has no spatial output; among those that have: .* bn2"):
        classifier.find_layers("classifier")
    with pytest.raises(LayerError, match="no layer of this model tells places apart"):
        _ = Classifier(nn.Sequential(nn.Flatten(), nn.Linear(3 * 64, 2)), size=8).layers


def test_another_layer_makes_another_classifier(classifier):
    other = load_classifier(classifier, layer="blocks.2")
    assert (other.layers, classifier.layers) == (("blocks.2",), ("bn2",))
    assert other.module is classifier.module
    with pytest.raises(LayerError, match="unknown layer"):
        load_classifier(classifier, layer="blcoks.2")


@pytest.mark.parametrize("target", ["golden retriever", "Golden Retriever", "207", 207, np.int64(207)])
def test_a_class_is_found_by_name_or_index(classifier, target):
    assert classifier.index_of(target) == 207


def test_an_unknown_class_is_named_with_the_nearest(classifier):
    with pytest.raises(TargetError, match="unknown class 'golden retreiver'; did you mean golden retriever"):
        classifier.index_of("golden retreiver")
    with pytest.raises(TargetError, match="1000 is outside the 1000 classes; expected 0 to 999"):
        classifier.index_of(1000)


def test_labels_are_unique_however_they_are_written(classifier):
    assert len({label.lower() for label in classifier.labels}) == 1000


def test_what_makes_no_classifier_is_refused():
    with pytest.raises(ModelError, match=r"the model is a str; expected a torch.nn.Module"):
        Classifier("resnet18")
    with pytest.raises(ModelError, match="interpolation 'bicbic'; did you mean bicubic"):
        Classifier(small(), interpolation="bicbic")
    with pytest.raises(ModelError, match=r"crop is 1.5"):
        Classifier(small(), crop=1.5)
    with pytest.raises(ModelError, match="3 labels were given for a model of 4 classes"):
        _ = Classifier(small(), ["a", "b", "c"]).labels
    with pytest.raises(ModelError, match=r"cannot take an image of shape \(1, 3, 224, 224\)"):
        _ = Classifier(nn.Sequential(nn.Flatten(), nn.Linear(3, 2))).probe
    with pytest.raises(ModelError, match=r"the model returns shape \(1, 5, 222, 222\)"):
        _ = Classifier(nn.Conv2d(3, 5, 3)).probe


def test_labels_are_numbered_where_none_are_given():
    assert Classifier(small()).labels == ("class 0", "class 1", "class 2", "class 3")


def test_a_module_of_timm_brings_its_preprocessing_along():
    classifier = load_classifier(timm.create_model("mobilenetv3_small_100", num_classes=7))
    config = timm.data.resolve_model_data_config(classifier.module)
    assert classifier.inputs.mean == config["mean"]
    assert (classifier.inputs.size, classifier.inputs.crop) == (config["input_size"][-1], config["crop_pct"])
    assert classifier.labels == tuple(f"class {index}" for index in range(7))


def test_looking_for_layers_leaves_the_module_as_it_was():
    module = small().train()
    module[1].eval()
    _ = Classifier(module).probe
    assert [each.training for each in module] == [True, False, True, True, True]
    assert not any(each._forward_hooks for each in module.modules())


def test_an_image_of_the_size_of_the_input_reaches_the_model_bit_for_bit():
    pixels = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    for interpolation in ("bilinear", "bicubic"):
        classifier = Classifier(small(), size=64, mean=0, std=1, interpolation=interpolation)
        assert np.array_equal((fed(classifier, Image.fromarray(pixels))[0].permute(1, 2, 0) * 255).round(), pixels)
