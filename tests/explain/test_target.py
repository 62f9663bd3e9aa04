"""What is differentiated, against indexing by hand."""

from __future__ import annotations

import pytest
import torch

from augimpact.errors import TargetError
from augimpact.explain.target import Target

OUTPUTS = torch.tensor([[1.0, 5.0, 2.0], [7.0, 0.5, 3.0]])


@pytest.mark.parametrize(
    ("target", "values", "indices"),
    [
        (Target(), [5.0, 7.0], [1, 0]),
        (Target(2), [2.0, 3.0], [2, 2]),
        (Target(2, against=0), [1.0, -4.0], [2, 2]),
        (Target(against=0), [4.0, 0.0], [1, 0]),
    ],
)
def test_a_target_is_an_output_or_the_difference_of_two(target, values, indices):
    found, which = target.of(OUTPUTS)
    assert found.tolist() == values
    assert which.tolist() == indices
    assert which.dtype == torch.int64


@pytest.mark.parametrize("target", [Target(3), Target(-1), Target(0, against=3)])
def test_an_output_that_does_not_exist_is_refused(target):
    with pytest.raises(TargetError, match="is outside the 3 outputs; expected 0 to 2"):
        target.of(OUTPUTS)
