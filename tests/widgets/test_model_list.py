"""The models that a page offers."""

from __future__ import annotations

import pytest
import torch

import augimpact as ai
from augimpact.errors import UserError
from augimpact.widgets.model_list import BUILTIN_LABEL, ModelList
from tests.networks import small_network


def test_every_model_has_a_name_of_its_own(classifier):
    one, other = small_network(), small_network()
    names = ModelList(["efficientnet-lite0", one, other, one, "resnet18", classifier]).names
    assert names == [BUILTIN_LABEL, "small", "small 2", "resnet18", classifier.name]


def test_of_a_file_only_the_name_is_told():
    names = ModelList(["/home/me/own.py:build", "hf-hub:timm/resnet18", "runs/last.pth", "torchvision:resnet18"]).names
    assert names == ["own.py:build", "hf-hub:timm/resnet18", "last.pth", "torchvision:resnet18"]


def test_what_is_not_offered_is_not_loaded(tmp_path):
    code = tmp_path / "own.py"
    code.write_text("raise SystemExit('this code ran')")
    models = ModelList(["efficientnet-lite0"])
    for name in ("resnet18", f"{code}:model", "efficientnet-lite0", ""):
        with pytest.raises(UserError, match="unknown model"):
            models.load(name, "")


def test_the_last_two_stay_loaded(classifier):
    models = ModelList([classifier, small_network(), "efficientnet-lite0"])
    first, second, third = models.names
    assert models.load(first, "") is classifier
    loaded = models.load(second, "")
    assert models.load(second, "") is loaded
    assert models.load(third, "cpu").device == torch.device("cpu")
    kept = {name: models.is_loaded(name, device) for name, device in ((first, ""), (second, ""), (third, "cpu"))}
    assert kept == {first: False, second: True, third: True}
    assert not models.is_loaded(third, "")


def test_a_model_of_time_series_is_refused():
    module = torch.nn.Sequential(torch.nn.Conv1d(1, 3, 3), torch.nn.AdaptiveAvgPool1d(1), torch.nn.Flatten())
    signal = ai.Classifier(module, signal=(1, 32), name="heartbeat")
    with pytest.raises(UserError, match="heartbeat takes time series"):
        ModelList([signal]).load("heartbeat", "")
