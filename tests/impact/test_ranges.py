"""Safe ranges of classifiers whose breaking point is known, and how often a range goes too far."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from augimpact.errors import DataError
from augimpact.impact.example import example_outcomes
from augimpact.impact.intervals import wilson
from augimpact.impact.outcomes import SweptPath
from augimpact.impact.range_code import code_of_ranges
from augimpact.impact.ranges import domain_shares, safe_ranges

STEPS = np.arange(-30, 31, 5)


def range_of(outcomes, **options):
    (found,) = safe_ranges(outcomes, **options).paths
    return found


def swept(outcomes, **values):
    """The same outcomes on a path of several parameters."""
    table = pd.DataFrame(values, dtype=float)
    (path,) = outcomes.paths
    settings = table.iloc[np.argsort(path.rows)].reset_index(drop=True)
    return replace(outcomes, settings=settings, paths=(SweptPath(tuple(values), path.rows, table.to_numpy()),))


def breaking(outcomes, chosen, beyond):
    """Some samples are wrong beyond an angle, with labels as they are."""
    angles = outcomes.settings["rotation"].to_numpy()
    wrong = np.asarray(chosen)[:, None] & (angles < beyond[0]) | np.asarray(chosen)[:, None] & (angles > beyond[1])
    predicted = np.where(wrong, 1 - outcomes.labels[:, None], outcomes.predicted).astype(np.int32)
    return replace(outcomes, predicted=predicted)


def test_a_classifier_that_breaks_beyond_15_degrees_is_safe_up_to_there():
    found = range_of(example_outcomes(200, STEPS, holds=15))
    assert found.ranges == {"rotation": (-15, 15)}
    assert (found.below.reason, found.above.reason) == ("worse", "worse")
    assert (found.below.next_strength, found.above.next_strength) == (-20, 20)
    assert (found.above.change, found.count, found.neutral, found.group) == (-1, 200, 1, "all")


@pytest.mark.parametrize("seed", range(8))
def test_noise_does_not_move_the_range(seed):
    outcomes = example_outcomes(2000, STEPS, holds=15, wrong=0.1, seed=seed)
    assert dict(safe_ranges(outcomes, by=None)) == {"rotation": (-15, 15)}


def test_a_path_that_holds_throughout_is_safe_to_its_ends():
    found = range_of(example_outcomes(200, STEPS, holds=90))
    assert found.ranges == {"rotation": (-30, 30)}
    assert found.below.reason == found.above.reason == "end"
    assert found.above.next_strength is None


def test_neutral_between_two_tested_places_is_in_the_range():
    assert range_of(example_outcomes(100, (-30, -10, 10, 30), holds=15)).ranges == {"rotation": (-10, 10)}
    assert range_of(example_outcomes(100, (-30, -10, 10, 30), holds=5)).ranges == {"rotation": (0, 0)}


@pytest.mark.parametrize(
    ("parameter", "strengths", "holds", "expected"),
    [
        ("blur", (0, 1, 2, 3), 2, (0, 2)),
        ("crop", (1, 0.8, 0.6, 0.4), 0.3, (0.8, 1)),
        ("jpeg", (100, 60, 20), 200, (20, 100)),
        ("brightness", (0.5, 0.75, 1, 1.25, 1.5), 0.3, (0.75, 1.25)),
    ],
)
def test_neutral_at_an_end_or_not_at_zero(parameter, strengths, holds, expected):
    found = safe_ranges(example_outcomes(200, strengths, holds, parameter=parameter))
    assert dict(found) == {parameter: expected}


def test_what_recovers_further_out_is_not_reached():
    outcomes = breaking(example_outcomes(200, STEPS, holds=90), [True] * 200, (-12, 12))
    angles = outcomes.settings["rotation"].to_numpy()
    recovered = np.where(np.abs(angles) > 22, outcomes.labels[:, None], outcomes.predicted)
    assert range_of(replace(outcomes, predicted=recovered)).ranges == {"rotation": (-10, 10)}


def test_too_few_samples_leave_it_undecided_and_say_how_many_would_do():
    found = range_of(example_outcomes(30, STEPS, holds=15), by=None)
    assert found.ranges == {"rotation": (0, 0)}
    assert (found.above.reason, found.above.next_strength, found.above.change) == ("undecided", 5, 0)
    assert found.above.bound < -0.05
    assert found.above.needed == 52
    assert range_of(example_outcomes(52, STEPS, holds=15), by=None).ranges == {"rotation": (-15, 15)}
    assert range_of(example_outcomes(51, STEPS, holds=15), by=None).ranges == {"rotation": (0, 0)}


def test_a_loss_of_exactly_the_margin_is_decided_by_no_number_of_samples():
    outcomes = breaking(example_outcomes(100, (0, 10), holds=15), np.arange(100) < 5, (-5, 5))
    found = range_of(outcomes, by=None)
    assert (found.above.reason, found.above.needed, found.above.change) == ("undecided", None, -0.05)


def accepted(before, after, metric, repetitions=2000, count=300):
    """How often a strength is taken for safe at which shares of samples change as given; each class is a repetition."""
    random = np.random.default_rng(0)
    outcomes = example_outcomes(repetitions * count, (0, 10), holds=15)
    right = random.random(len(outcomes)) < before
    kept = random.random(len(outcomes)) < np.where(right, *after)
    predicted = np.where(np.stack([right, kept], axis=1), outcomes.labels[:, None], 1 - outcomes.labels[:, None])
    samples = outcomes.samples.assign(**{"class": np.arange(len(outcomes)) % repetitions})
    outcomes = replace(outcomes, predicted=predicted.astype(np.int32), samples=samples)
    found = range_of(outcomes, by_domain=False, metric=metric).classes
    assert [each.count for each in found] == [count] * repetitions
    return np.mean([each.above.strength > 0 for each in found])


@pytest.mark.parametrize(
    ("before", "after", "metric"),
    [
        # After: the share that is right of those that were, and of those that were not. Each loses 5 points.
        (0.9, (0.85 / 0.9, 0), "accuracy"),
        (0.9, (0.83 / 0.9, 0.2), "accuracy"),
        (0.6, (0.5 / 0.6, 0.125), "accuracy"),
        (1.0, (0.95, 0), "agreement"),
    ],
)
def test_a_strength_that_is_truly_worse_is_seldom_taken_for_safe(before, after, metric):
    assert accepted(before, after, metric) < 0.05 + 0.01


def test_a_strength_that_is_truly_fine_is_mostly_taken_for_safe():
    assert accepted(0.9, (0.89 / 0.9, 0.05), "accuracy", 500) > 0.9


def test_images_that_leave_the_domain_end_the_range():
    outcomes = example_outcomes(400, STEPS, holds=90)
    angles = outcomes.settings["rotation"].to_numpy()
    brightness = outcomes.measures["brightness"] + np.where(np.abs(angles) > 20, 0.5, 0).astype(np.float32)
    outcomes = replace(outcomes, measures={**outcomes.measures, "brightness": brightness})
    shares = domain_shares(outcomes)
    assert shares["brightness"][0] == pytest.approx(0.98, abs=0.005)
    low, high = np.percentile(brightness[:, 0].astype(float), [1, 99])
    expected = ((brightness[:, -1] >= low) & (brightness[:, -1] <= high)).mean()
    assert shares["brightness"][-1] == expected
    found = range_of(outcomes)
    assert found.ranges == {"rotation": (-20, 20)}
    assert (found.above.reason, found.above.measure, found.above.inside) == ("domain", "brightness", expected)
    assert range_of(outcomes, by_domain=False).ranges == {"rotation": (-30, 30)}
    limit = expected / shares["brightness"][0]
    assert range_of(outcomes, inside=limit - 0.001).ranges == {"rotation": (-30, 30)}
    assert range_of(outcomes, inside=limit + 0.001).ranges == {"rotation": (-20, 20)}


def test_a_measure_that_is_no_number_lies_outside_and_one_that_never_is_says_nothing():
    outcomes = example_outcomes(100, (0, 10), holds=15)
    holed = outcomes.measures["contrast"].copy()
    holed[:50, 1] = np.nan
    nothing = np.full_like(holed, np.nan)
    outcomes = replace(outcomes, measures={"contrast": holed, "entropy": nothing})
    assert list(domain_shares(outcomes)) == ["contrast"]
    found = range_of(outcomes)
    assert (found.above.reason, found.above.measure) == ("domain", "contrast")
    assert range_of(replace(outcomes, measures={})).ranges == {"rotation": (0, 10)}


def test_two_samples_have_no_domain_and_raise_no_warning(recwarn):
    found = safe_ranges(example_outcomes(2, (0, 10), holds=15), points=100)
    assert dict(found) == {"rotation": (0, 10)}
    assert "(1 sample)" in str(found)
    assert not recwarn


def test_the_worst_class_has_the_narrowest_range():
    outcomes = example_outcomes(4000, STEPS, holds=15)
    foxes = np.arange(4000) < 120
    samples = outcomes.samples.assign(**{"class": np.where(foxes, "fox", outcomes.samples["class"])})
    found = range_of(breaking(replace(outcomes, samples=samples), foxes, (-5, 10)))
    assert found.ranges == {"rotation": (-15, 15)}
    assert found.worst is not None
    assert (found.worst.group, found.worst.count, found.worst.ranges) == ("fox", 120, {"rotation": (-5, 10)})
    assert [each.group for each in found.classes] == ["fox", "cat", "dog"]
    assert found.of_every_class == {"rotation": (-5, 10)}


def test_what_is_safe_for_every_class_ends_where_the_first_class_does():
    outcomes = example_outcomes(400, STEPS, holds=90)
    dogs = (outcomes.samples["class"] == "dog").to_numpy()
    found = safe_ranges(breaking(breaking(outcomes, dogs, (-10, 25)), ~dogs, (-20, 10)))
    assert found.paths[0].worst.ranges == {"rotation": (-20, 10)}
    assert found.of_every_class == {"rotation": (-10, 10)}
    assert found["rotation"] == (-10, 10)


def test_without_two_classes_there_is_no_worst_one():
    outcomes = example_outcomes(100, STEPS)
    assert range_of(outcomes, by=None).worst is None
    unnamed = replace(outcomes, samples=outcomes.samples.assign(**{"class": ""}))
    assert range_of(unnamed).worst is None
    assert safe_ranges(unnamed).of_every_class == {"rotation": (-15, 15)}


def test_without_labels_agreement_decides():
    outcomes = example_outcomes(200, STEPS, holds=15, wrong=0.01)
    outcomes = replace(outcomes, labels=np.where(np.arange(200) < 3, -1, outcomes.labels))
    assert range_of(outcomes).metric == "agreement"
    with pytest.raises(DataError, match="the right class of 3 samples is not known; expected the metric agreement"):
        safe_ranges(outcomes, metric="accuracy")


def test_parameters_that_change_together_have_a_range_each():
    outcomes = example_outcomes(200, (-20, -10, 0, 10, 20), holds=15)
    found = safe_ranges(swept(outcomes, rotation=[-20, -10, 0, 10, 20], brightness=[1.4, 1.2, 1, 0.8, 0.6]))
    assert dict(found) == {"rotation": (-10, 10), "brightness": (0.8, 1.2)}
    assert found.paths[0].above.strength == 0.75
    assert "rotation from −10.0° to 10.0° with brightness from 0.80 to 1.20" in str(found)
    assert "at 100% of the way" in str(found)


def test_a_parameter_on_two_paths_has_what_is_safe_on_both():
    outcomes = example_outcomes(200, STEPS, holds=15)
    (path,) = outcomes.paths
    short = SweptPath(("rotation",), path.rows[4:8], path.values[4:8])
    found = safe_ranges(replace(outcomes, paths=(path, short)))
    assert dict(found) == {"rotation": (-10, 5)}
    assert [each.ranges["rotation"] for each in found.paths] == [(-15, 15), (-10, 5)]


@pytest.mark.parametrize(
    ("outcomes", "told"),
    [
        (example_outcomes(9, (10, 20)), "the path of rotation goes from 10 to 20; expected one that passes neutral, 0"),
        (
            swept(example_outcomes(9, (-1, 0, 1)), rotation=[-1, 0, 1], brightness=[1, 1.5, 2]),
            "rotation and brightness are nowhere on their path neutral together",
        ),
    ],
)
def test_a_path_that_does_not_pass_neutral_is_refused(outcomes, told):
    with pytest.raises(DataError, match=told):
        safe_ranges(outcomes)


def test_a_path_that_holds_something_else_off_neutral_is_refused():
    outcomes = example_outcomes(9, (-10, 10))
    outcomes = replace(outcomes, settings=outcomes.settings.assign(zoom=[1.0, 0.8, 0.8]))
    with pytest.raises(DataError, match=r"the path of rotation holds zoom at 0.8; expected it neutral, 1"):
        safe_ranges(outcomes)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"points": 0}, "points is 0"),
        ({"points": 101}, "points is 101"),
        ({"points": float("nan")}, "points is nan"),
        ({"confidence": 95}, "confidence is 95"),
        ({"inside": 1.1}, "inside is 1.1"),
        ({"metric": "acuracy"}, "did you mean accuracy"),
        ({"by": "kind"}, "unknown column of samples 'kind'"),
    ],
)
def test_what_is_wrong_is_said(options, told):
    with pytest.raises(DataError, match=told):
        safe_ranges(example_outcomes(9), **options)


OUTCOMES = st.builds(
    example_outcomes,
    st.integers(20, 200),
    st.sampled_from([STEPS, (-30, -10, 10, 30), (0, 10, 20)]),
    st.sampled_from([2, 15, 90]),
    wrong=st.sampled_from([0, 0.02, 0.2]),
    seed=st.integers(0, 99),
)


@given(outcomes=OUTCOMES, points=st.floats(1, 40), more=st.floats(0, 40))
def test_more_points_never_narrow_a_range_and_neutral_is_in_it(outcomes, points, more):
    (low, high), (lower, higher) = (
        safe_ranges(outcomes, each)["rotation"] for each in (points, min(points + more, 100))
    )
    assert lower <= low <= 0 <= high <= higher


@given(outcomes=OUTCOMES, confidence=st.floats(0.5, 0.99))
def test_more_confidence_or_the_domain_never_widen_a_range(outcomes, confidence):
    low, high = safe_ranges(outcomes, 10, confidence, by_domain=False)["rotation"]
    for options in ({"confidence": 0.995, "by_domain": False}, {"confidence": confidence, "inside": 1.0}):
        lower, higher = safe_ranges(outcomes, 10, **options)["rotation"]
        assert low <= lower <= higher <= high


@given(outcomes=OUTCOMES, seed=st.integers(0, 99))
def test_the_order_of_the_samples_changes_nothing(outcomes, seed):
    order = np.random.default_rng(seed).permutation(len(outcomes))
    assert safe_ranges(outcomes.chosen(order)).to_dict() == safe_ranges(outcomes).to_dict()


def test_ranges_are_a_mapping_that_json_takes_and_a_person_reads():
    found = safe_ranges(breaking(example_outcomes(250, STEPS, holds=15), np.arange(250) % 25 == 0, (-90, 7)))
    told = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert told["ranges"] == {"rotation": [-15, 5]}
    assert told["paths"][0]["above"] == {
        "strength": 5, "values": [5], "reason": "undecided", "next_strength": 10, "change": -0.04,
        "bound": pytest.approx(float(wilson(240, 250, 0.9).low) - 1, rel=1e-5), "measure": None, "inside": None,
        "needed": pytest.approx(1285, abs=2),
    }  # fmt: skip
    assert [each["group"] for each in told["paths"][0]["classes"]] == [told["paths"][0]["worst"]["group"], "dog"]
    assert str(found).startswith(
        "rotation from −15.0° to 5.0°: accuracy at most 5 points below its 100.0%, with 95% confidence (250 samples). "
        "At −20.0° accuracy changes by −100.0 points, at worst −100.0; at 10.0° accuracy changes by −4.0 points, but "
        "for so few samples perhaps −6.6 (about 1,300 samples would decide). Worst class 'cat' (125 samples): rotation "
    )
    assert (list(found), len(found), found["rotation"]) == (["rotation"], 1, (-15, 5))
    assert repr(found) == "SafeRanges({'rotation': (-15.0, 5.0)})"


def test_a_sentence_says_where_the_sweep_ends_or_images_are_unusual():
    outcomes = example_outcomes(200, (0, 1, 2), holds=90, parameter="blur")
    measures = {"sharpness": outcomes.measures["sharpness"] - np.array([0, 0, 0.5], np.float32)}
    told = str(safe_ranges(replace(outcomes, measures=measures), by=None))
    assert "The sweep ends at 0.0; at 2.0 only 4" in told
    assert told.endswith("% of the images have a usual sharpness.")


@pytest.mark.parametrize("library", ["augimpact", "torchvision"])
def test_ranges_become_code(library):
    found = safe_ranges(example_outcomes(200, STEPS, holds=15))
    assert found.as_code(library) == code_of_ranges({"rotation": (-15, 15)}, library)
