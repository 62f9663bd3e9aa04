"""What outputs mean: scores of classes, values with thresholds, chosen classes."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from torch import nn

from augimpact.errors import ModelError, TargetError
from augimpact.models.classifier import Classifier
from augimpact.models.outputs import VALUES, Outputs
from augimpact.models.regressor import Regressor

CLASSES = Outputs.of_classes(["cat", "dog", "A - B"])
DOTS = Outputs(VALUES, ("dots", "lines"), ("", "px"), ((0.0, 20.0), (-1.0, 1.0)), (10.0, 0.0))


def network(outputs: int = 4) -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 5, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(5, outputs))


def test_classes_are_shown_as_softmax_and_values_as_they_are():
    raw = torch.tensor([[1.0, 2.0, 4.0]], dtype=torch.float16)
    assert CLASSES.scores(raw).sum().item() == pytest.approx(1, abs=1e-6)
    assert CLASSES.scores(raw).dtype == torch.float32
    assert DOTS.scores(raw[:, :2]).tolist() == [[1, 2]]


def test_the_state_of_a_value_is_whether_it_reached_its_threshold():
    scores = np.array([[9.9, 0.5], [10, -0.5]], np.float32)
    assert DOTS.states(scores, 0).tolist() == [0, 1]
    assert DOTS.states(scores, 1).tolist() == [1, 0]
    assert (DOTS.state_name(0, 0), DOTS.state_name(1, 1)) == ("dots < 10", "lines ≥ 0 px")
    assert DOTS.axis([0, 1]) == (-1, 20)


@pytest.mark.parametrize("outputs", [CLASSES, DOTS])
def test_they_come_back_from_json(outputs):
    assert Outputs.from_dict(json.loads(json.dumps(outputs.to_dict()))) == outputs


def test_outputs_are_found_by_name_in_any_case_or_index():
    assert [CLASSES.index_of(each) for each in ("dog", "DOG", 1, "1", np.int64(1))] == [1] * 5
    with pytest.raises(TargetError, match="unknown class 'dgo'; did you mean dog"):
        CLASSES.index_of("dgo")
    with pytest.raises(TargetError, match="target 2 is outside the 2 outputs; expected 0 to 1"):
        DOTS.index_of(2)
    with pytest.raises(TargetError, match="unknown output 'dost'; did you mean dots"):
        DOTS.index_of("dost")


def test_chosen_classes_have_the_softmax_over_them_alone_and_the_module_is_the_same():
    classifier = Classifier(network(), ["a", "b", "c", "d"], size=32)
    chosen = classifier.restricted_to(["d", 1])
    batch = torch.rand(3, 3, 32, 32)
    with torch.no_grad():
        logits = classifier.module(batch)
        assert torch.equal(chosen.asked(batch), logits[:, [3, 1]])
    assert chosen.labels == ("d", "b")
    assert chosen.module is classifier.module
    assert chosen.layers == classifier.layers
    assert classifier.labels == ("a", "b", "c", "d")
    again = chosen.restricted_to(["b", "d"])
    with torch.no_grad():
        assert torch.equal(again.asked(batch), logits[:, [1, 3]])
    for wrong in (["a"], ["a", "a"], ["a", 0]):
        with pytest.raises(TargetError, match="expected two or more, each once"):
            classifier.restricted_to(wrong)


def test_a_regressor_knows_its_outputs():
    regressor = Regressor(network(2), ["x", "y"], ["mm", ""], [(0, 10), (-1, 1)], size=32)
    assert regressor.outputs.thresholds == (5, 0)
    assert regressor.labels == ("x", "y")
    with pytest.raises(ModelError, match="3 names were given for a model of 2 outputs"):
        _ = Regressor(network(2), ["x", "y", "z"], size=32).outputs
    with pytest.raises(ModelError, match="the range of 'x' is 3 to 3"):
        Regressor(network(1), ["x"], ranges=[(3, 3)])
    with pytest.raises(ModelError, match="2 names with units"):
        Regressor(network(2), ["x", "y"], ["mm"])


def test_a_model_of_signals_says_what_it_is_fed():
    module = nn.Sequential(nn.Conv1d(2, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(4, 2))
    classifier = Classifier(module, ["up", "down"], signal=(2, 50), mean=(1, 2), std=2)
    assert classifier.inputs.shape == (2, 50)
    batch = classifier.prepare(torch.ones(1, 2, 50))
    assert batch[0, :, 0].tolist() == [0, -0.5]
    assert classifier.layers == ("1",)
    with pytest.raises(ModelError, match="3 values for the mean or deviation of 2 channels"):
        Classifier(module, signal=(2, 50), mean=(1, 2, 3))


def test_arrays_are_as_good_as_lists_and_one_text_is_no_list():
    ranges, thresholds = np.array([[-10.0, 20.0], [0, 1]]), np.array([0.0, 0.5])
    outputs = Regressor(network(2), np.array(["x", "y"]), ranges=ranges, thresholds=thresholds, size=32).outputs
    assert outputs.thresholds == (0, 0.5)
    assert outputs.ranges == ((-10, 20), (0, 1))
    for wrong in ({"names": "dots"}, {"names": ["x", "x"]}):
        with pytest.raises(ModelError, match=r"expected a list of names|expected each once"):
            Regressor(network(1), **wrong)
    with pytest.raises(ModelError, match="labels are 'cat,dog'; expected a list of names"):
        Classifier(network(), "cat,dog")
    with pytest.raises(ModelError, match="0 labels were given for a model of 4 classes"):
        _ = Classifier(network(), [], size=32).labels
    with pytest.raises(ModelError, match="std is 0, 0, 0; expected numbers above 0"):
        Classifier(network(), std=0)
