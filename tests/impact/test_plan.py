"""Settings once each, and the paths through them."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from augimpact.augment.parameters import CATALOGUE
from augimpact.errors import ParameterError, SweepError
from augimpact.grid import Grid
from augimpact.impact.plan import Plan, plan_of
from augimpact.sweep import Sweep


@given(st.lists(st.sampled_from(["rotation", "brightness", "blur"]), min_size=1, max_size=3), st.integers(2, 9))
def test_each_path_leads_through_the_very_settings_of_its_sweep(names, frames):
    sweeps = [Sweep(**{name: CATALOGUE[name].sweep}, frames=frames) for name in names]
    plan = plan_of(sweeps)
    neutral = {name: CATALOGUE[name].neutral for name in plan.settings}
    assert plan.settings.iloc[0].to_dict() == neutral
    assert not plan.settings.duplicated().any()
    for sweep, path in zip(sweeps, plan.paths, strict=True):
        wanted = sweep.settings()[list(plan.settings)].to_numpy()
        np.testing.assert_array_equal(plan.settings.to_numpy()[path.rows], wanted)
        np.testing.assert_array_equal(path.strengths, wanted[:, list(plan.settings).index(path.parameters[0])])


def test_what_is_held_holds_in_every_frame_but_the_neutral_one():
    plan = plan_of(Sweep(rotation=(-10, 10), brightness=1.5, frames=3))
    assert plan.settings.to_numpy().tolist() == [[0, 1], [-10, 1.5], [0, 1.5], [10, 1.5]]
    assert plan.paths[0].rows.tolist() == [1, 2, 3]


def test_a_grid_has_the_two_lines_that_are_nearest_to_neutral():
    plan = plan_of(Grid(rotation=(-90, 90, 3), brightness=(0.5, 2, 4)))
    across, up = plan.paths
    assert (across.parameters, across.values[:, 0].tolist()) == (("rotation",), [-90, 0, 90])
    assert plan.settings["brightness"].to_numpy()[across.rows].tolist() == [1, 1, 1]
    assert (up.parameters, up.values[:, 0].tolist()) == (("brightness",), [0.5, 1, 1.5, 2])


def test_of_several_that_change_together_the_strength_is_the_share_of_the_way():
    (path,) = plan_of(Sweep(rotation=(0, 40), blur=(0, 2), frames=5)).paths
    assert path.strengths.tolist() == [0, 0.25, 0.5, 0.75, 1]
    assert path.told(4) == "rotation 40.0°, blur 2.0"
    assert path.distances.tolist() == [0, 0.25, 0.5, 0.75, 1]


def test_a_plan_is_the_same_after_a_way_through_json_and_has_the_same_key():
    plan = plan_of(Sweep(rotation=(-1 / 3, 0.1), frames=7), conditions={"seed": 3}, explained={"method": "gradcam"})
    again = Plan.from_document(json.loads(json.dumps(plan.document())))
    np.testing.assert_array_equal(again.settings.to_numpy(), plan.settings.to_numpy())
    assert again.key("model") == plan.key("model") != plan.key("another")


@pytest.mark.parametrize(
    "other",
    [
        plan_of(Sweep(rotation=(-30, 30), frames=5), conditions={"seed": 0}),
        plan_of(Sweep(rotation=(-30, 31), frames=3), conditions={"seed": 0}),
        plan_of(Sweep(rotation=(-30, 30), frames=3), conditions={"seed": 1}),
        plan_of(Sweep(rotation=(-30, 30), frames=3), conditions={"seed": 0}, explained={"method": "gradcam"}),
    ],
)
def test_whatever_decides_the_result_changes_the_key(other):
    assert plan_of(Sweep(rotation=(-30, 30), frames=3), conditions={"seed": 0}).key("m") != other.key("m")


def test_what_cannot_be_measured_over_a_dataset_is_said():
    with pytest.raises(ParameterError, match="mixup mixes in a second image"):
        plan_of(Sweep(mixup=(0, 1)))
    with pytest.raises(SweepError, match="nothing changes"):
        plan_of(Sweep(rotation=5, frames=3))
    with pytest.raises(SweepError, match="expected a Sweep or a Grid"):
        plan_of("rotation")
    with pytest.raises(ParameterError, match="changes signals"):
        plan_of(Sweep(shift=(0, 0.1)))
