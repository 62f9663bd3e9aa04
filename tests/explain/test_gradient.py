"""The gradient of the input against captum's Saliency."""

from __future__ import annotations

import pytest
import torch
from captum.attr import Saliency
from torch import nn

from augimpact.errors import ModelError
from augimpact.explain.gradient import gradient, input_gradients
from augimpact.explain.target import Target


@pytest.mark.parametrize("name", ["classifier", "resnet", "transformer"])
def test_the_gradient_equals_captums_saliency(name, fed, request):
    asked = request.getfixturevalue(name)
    batch = fed(asked)
    found = gradient(asked.module, batch, [], Target())
    theirs = Saliency(asked.module.eval()).attribute(batch.clone().requires_grad_(), found.targets, abs=True)
    expected = theirs.amax(1)
    (maps,) = found.maps
    assert maps.shape == (len(batch), asked.inputs.size, asked.inputs.size)
    assert expected.max() > 0
    assert (maps - expected).abs().max() <= 1e-4 * expected.max()
    raw = Saliency(asked.module).attribute(batch.clone().requires_grad_(), found.targets, abs=False)
    assert (input_gradients(asked.module, batch, Target()).gradients - raw).abs().max() <= 1e-4 * expected.max()


def test_of_a_linear_model_it_is_the_weights():
    module = nn.Sequential(nn.Flatten(), nn.Linear(2 * 5, 3))
    weights = module[1].weight.detach().reshape(3, 2, 5)
    (maps,) = gradient(module, torch.randn(4, 2, 5), [], Target(2, against=0)).maps
    assert maps.shape == (4, 1, 5)
    assert torch.allclose(maps[0, 0], (weights[2] - weights[0]).abs().amax(0))


def test_it_works_on_a_batch_made_in_inference_mode(resnet, fed):
    with torch.inference_mode():
        batch = fed(resnet, 1).clone()
        inside = gradient(resnet.module, batch, [], Target(1)).maps[0]
    assert torch.allclose(inside, gradient(resnet.module, fed(resnet, 1), [], Target(1)).maps[0])


def test_a_model_that_lets_no_gradient_through_is_told_so():
    class Cut(nn.Module):
        def forward(self, batch):
            return batch.detach().mean((2, 3))

    with pytest.raises(ModelError, match="the scores carry no gradient back to the input"):
        gradient(Cut(), torch.rand(1, 3, 4, 4), [], Target(0))


def test_a_model_that_changes_its_input_in_place_does_not_change_the_batch():
    class InPlace(nn.Module):
        def forward(self, batch):
            return batch.sub_(0.5).square().mean((2, 3))

    batch = torch.rand(2, 3, 4, 4)
    before = batch.clone()
    (maps,) = gradient(InPlace(), batch, [], Target(1)).maps
    assert torch.equal(batch, before)
    assert torch.allclose(maps, 2 * (before[:, 1] - 0.5).abs() / 16)
