"""The methods of pytorch-grad-cam against the package's own call, and what is done differently from it."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import pytorch_grad_cam
import torch
from pytorch_grad_cam.ablation_layer import AblationLayer, AblationLayerVit
from pytorch_grad_cam.utils.image import scale_cam_image
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from pytorch_grad_cam.utils.reshape_transforms import vit_reshape_transform
from scipy.stats import skew
from torch import nn

import augimpact as ai
from augimpact.errors import LayerError
from augimpact.explain.methods import METHODS
from augimpact.explain.target import Target
from augimpact.models.layer import Layer

CLASSES = {
    "gradcam++": pytorch_grad_cam.GradCAMPlusPlus,
    "hirescam": pytorch_grad_cam.HiResCAM,
    "layercam": pytorch_grad_cam.LayerCAM,
    "xgradcam": pytorch_grad_cam.XGradCAM,
    "scorecam": pytorch_grad_cam.ScoreCAM,
    "ablationcam": pytorch_grad_cam.AblationCAM,
    "fullgrad": pytorch_grad_cam.FullGrad,
}


def own_call(
    name: str, module: nn.Module, layers: list[nn.Module], batch: torch.Tensor, target: int, **more
) -> np.ndarray:
    """What the package itself gives, each image scaled to its own minimum and maximum."""
    if name == "ablationcam":
        more["ablation_layer"] = AblationLayerVit() if more else AblationLayer()
    cam = CLASSES[name](module.eval(), [] if name == "fullgrad" else layers, **more)
    found = cam(batch.clone(), [ClassifierOutputTarget(target)] * len(batch))
    # Its finaliser cannot detach views, which a transform makes.
    cam.activations_and_grads.activations, cam.activations_and_grads.gradients = [], []
    cam.activations_and_grads.release()
    module.zero_grad()
    return found


def scaled_as_the_package_does(maps: tuple[torch.Tensor, ...], size: int) -> np.ndarray:
    layers = [np.maximum(scale_cam_image(each.numpy(), (size, size)), 0) for each in maps]
    return scale_cam_image(np.mean(layers, axis=0))


# The last layer of the built-in has 1280 channels, and some methods ask the model again for each.
@pytest.mark.parametrize(("fixture", "names"), [("resnet", ["layer4"]), ("classifier", ["blocks.4"])])
@pytest.mark.parametrize("name", CLASSES)
def test_scaled_as_the_package_does_maps_equal_those_of_its_own_call(name, fixture, names, fed, request, capfd):
    asked = request.getfixturevalue(fixture)
    layers = asked.find_layers(names)
    batch = fed(asked, 2)
    if METHODS[name].slow:
        batch = nn.functional.interpolate(batch, size=64, mode="area")
    ours = METHODS[name].explain(asked.module, batch, layers, Target(5))
    printed = capfd.readouterr()
    assert (printed.out, printed.err) == ("", "")
    theirs = own_call(name, asked.module, [layer.module for layer in layers], batch, 5)
    found = scaled_as_the_package_does(ours.maps, batch.shape[-1])
    assert np.ptp(theirs) > 0.5
    # Of 1, the highest value. Scaling to minimum and maximum enlarges the rounding of single precision.
    assert np.abs(found - theirs).max() <= 1e-3
    assert all(each.dtype == torch.float32 and each.min() >= 0 for each in ours.maps)


@pytest.mark.parametrize("name", ["gradcam++", "hirescam", "layercam", "xgradcam", "scorecam", "ablationcam"])
def test_transformers_are_explained_as_by_the_package_with_its_transform(name, transformer, fed):
    batch = fed(transformer, 1)
    (layer,) = transformer.find_layers()
    ours = METHODS[name].explain(transformer.module, batch, [layer], Target(2))
    theirs = own_call(
        name,
        transformer.module,
        [layer.module],
        batch,
        2,
        reshape_transform=lambda tensor: vit_reshape_transform(tensor, 6, 6),
    )
    assert np.ptp(theirs) > 0.5
    assert np.abs(scaled_as_the_package_does(ours.maps, 96) - theirs).max() <= 1e-3


@pytest.mark.parametrize("fixture", ["resnet", "classifier", "transformer"])
def test_eigencam_is_the_first_principal_component_with_a_sign_of_its_own(fixture, fed, request):
    """By the eigenvectors of the covariance; the package takes singular values, and whichever sign comes out."""
    asked = request.getfixturevalue(fixture)
    (layer,) = asked.find_layers()
    ours = METHODS["eigencam"].explain(asked.module, fed(asked, 2), [layer], Target(5)).maps[0].numpy()
    kept = {}
    handle = layer.module.register_forward_hook(lambda _module, _inputs, output: kept.update(output=output))
    with torch.no_grad():
        asked.module.eval()(fed(asked, 2))
    handle.remove()
    for found, activations in zip(ours, layer.as_map(kept["output"]).double().numpy(), strict=True):
        places = activations.reshape(len(activations), -1).T
        component = np.linalg.eigh(np.cov(places.T))[1][:, -1]
        expected = (places - places.mean(axis=0)) @ component
        # A layer normalisation leaves the sums equal but for rounding.
        normalised = fixture == "transformer"
        assert (np.ptp(places.sum(axis=1)) < 1e-3) == normalised
        expected *= np.sign(skew(expected) if normalised else np.corrcoef(expected, places.sum(axis=1))[0, 1])
        assert np.abs(found.ravel() - np.maximum(expected, 0)).max() <= 1e-3 * np.abs(expected).max()


def test_eigencam_does_not_jump_to_its_opposite_between_frames(classifier):
    trace = ai.analyze(
        "example:cat", ai.Sweep(brightness=(0.8, 1.2), frames=9), classifier, method="eigencam", layer="blocks.5"
    )
    maps = trace.maps.reshape(9, -1)
    assert all(np.corrcoef(one, other)[0, 1] > 0.9 for one, other in pairwise(maps))


def test_several_layers_equal_the_packages_own_call(resnet, fed):
    batch = fed(resnet, 2)
    layers = resnet.find_layers(["layer3", "layer4"])
    ours = METHODS["layercam"].explain(resnet.module, batch, layers, Target(2))
    theirs = own_call("layercam", resnet.module, [layer.module for layer in layers], batch, 2)
    assert np.abs(scaled_as_the_package_does(ours.maps, resnet.inputs.size) - theirs).max() <= 1e-3


def test_maps_are_raw_so_that_a_fainter_image_has_a_fainter_map(resnet, fed):
    batch = fed(resnet, 1)
    (maps,) = (
        METHODS["layercam"].explain(resnet.module, torch.cat([batch, batch / 4]), resnet.find_layers(), Target(2)).maps
    )
    assert maps[0].max() != pytest.approx(float(maps[1].max()), rel=0.01)


def test_the_difference_of_two_classes_is_asked_of_the_model_again(resnet, fed):
    batch = nn.functional.interpolate(fed(resnet, 1), size=64, mode="area")
    (layer,) = resnet.find_layers("layer1")
    (found,) = METHODS["scorecam"].explain(resnet.module, batch, [layer], Target(2, against=7)).maps

    def difference(logits: torch.Tensor) -> torch.Tensor:
        return logits[2] - logits[7]

    cam = pytorch_grad_cam.ScoreCAM(resnet.module, [layer.module])
    theirs = cam(batch, [difference])
    cam.activations_and_grads.release()
    assert np.abs(scaled_as_the_package_does((found,), 64) - theirs).max() <= 1e-3


@pytest.mark.parametrize("name", ["scorecam", "ablationcam", "fullgrad"])
def test_methods_of_images_refuse_signals(name):
    module = nn.Sequential(nn.Conv1d(2, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(4, 2))
    with pytest.raises(LayerError, match=rf"'{name}' takes images .* shape \(1, 2, 20\)"):
        METHODS[name].explain(module, torch.rand(1, 2, 20), [Layer("0", module[0], "NCL")], Target())
