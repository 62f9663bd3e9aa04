"""The GPU that tests pretend is as strict as one."""

from __future__ import annotations

import pytest
import torch

from tests.pretended_gpu import GPU, pretended


def test_what_a_gpu_refuses_is_refused():
    with pretended():
        there, here = torch.arange(3).to(GPU), torch.arange(3)
        assert there.device == GPU
        assert (there + 1).tolist() == [1, 2, 3]
        assert torch.zeros(2, device=GPU).device == torch.asarray([1.0], device=GPU).device == GPU
        assert (there + there.sum().cpu()).cpu().equal(here + 3)
        there[1:] += there[:-1].clone()
        assert there.cpu().numpy().tolist() == [0, 1, 3]
        for mixes in (lambda: there + here, lambda: torch.cat([here, there]), lambda: torch.where(here > 1, there, 0)):
            with pytest.raises((AssertionError, RuntimeError)):
                mixes()
        with pytest.raises((TypeError, RuntimeError)):
            there.numpy()
