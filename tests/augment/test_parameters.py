"""The catalogue: one line a parameter, without torch."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from augimpact.augment.apply import EFFECTS
from augimpact.augment.geometry import homographies
from augimpact.augment.parameters import BUILT_IN, CATALOGUE, neutral_setting, resolve
from augimpact.errors import ParameterError


@pytest.mark.parametrize("name", sorted(BUILT_IN))
def test_a_parameters_numbers_go_together(name):
    parameter = CATALOGUE[name]
    assert parameter.name == name
    assert parameter.minimum < parameter.maximum
    parameter.check([parameter.neutral, *parameter.sweep])
    assert parameter.sweep[0] != parameter.sweep[1]
    assert all(need in CATALOGUE for need in parameter.needs)
    for value in (np.nextafter(parameter.minimum, -np.inf), np.nextafter(parameter.maximum, np.inf), float("nan")):
        with pytest.raises(ParameterError, match=name):
            parameter.check(value)


def test_groups_stand_together():
    groups = [parameter.group for parameter in CATALOGUE.values()]
    assert list(dict.fromkeys(groups)) == ["geometry", "colour", "quality", "mixing", "occlusion"]
    assert groups == sorted(groups, key=list(dict.fromkeys(groups)).index)


def test_effects_are_done_in_the_order_of_the_catalogue_and_none_is_left_out():
    done = [effect.parameter for effect in EFFECTS]
    assert done == [name for name in CATALOGUE if name in done]
    with_effect = {name for effect in EFFECTS for name in (effect.parameter, *effect.also)}
    assert with_effect == {name for name, each in CATALOGUE.items() if each.group != "geometry"}


def test_neutral_geometry_is_the_identity():
    assert np.array_equal(homographies(resolve(neutral_setting()))[0], np.eye(3))


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("rotation", -0.01, "0.0°"),
        ("hue", 90, "90.0°"),
        ("noise", 0.125, "0.12"),
        ("translate_x", -0.5, "−0.50"),
        ("blur", 2, "2.0"),
    ],
)
def test_values_are_written_for_people(name, value, text):
    assert CATALOGUE[name].format(value) == text


def test_the_catalogue_needs_no_torch():
    code = "import sys, augimpact.augment.parameters; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
