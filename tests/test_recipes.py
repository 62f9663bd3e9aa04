"""What a run wrote is done again: the same scores where nothing changed, and what changed where they are not."""

from __future__ import annotations

import json

import pytest
from PIL import Image

import augimpact as ai
from augimpact.data.image import example
from augimpact.errors import UserError


@pytest.fixture
def saved(tmp_path, classifier):
    example("motorcycle").save(tmp_path / "bike.png")
    trace = ai.analyze(
        tmp_path / "bike.png", ai.Sweep(rotation=(-60, 60), mixup=0.2, erase_w=0.3, erase_h=0.3, frames=6), classifier,
        classes=["moped", "disk brake", "motor scooter"], target="moped - disk brake", method="hirescam",
        layer=["blocks.5", "bn2"], erase_fill="noise", border="reflect", second="example:cat", seed=5,
    )  # fmt: skip
    return trace.save(tmp_path / "bike.json")


def edited(path, change):
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))
    return path


def test_a_run_is_done_again_in_every_detail(saved):
    done = ai.replay(saved)
    assert done.agrees
    assert done.difference < 1e-6
    assert done.other_versions == {}
    assert str(done).startswith("the scores agree")
    original = json.loads(saved.read_text())
    assert json.loads(json.dumps(done.trace.recipe)) == original["recipe"]


def test_another_image_is_said(saved):
    Image.new("RGB", (64, 64), "red").save(saved.with_name("bike.png"))
    done = ai.replay(saved)
    assert not done.agrees
    assert not done.same_image
    assert "the image is another one" in str(done)


def test_other_scores_and_versions_are_said(saved):
    def change(document):
        document["frames"][2]["top"][0]["score"] += 0.01
        document["recipe"]["versions"]["torch"] = "1.0"

    done = ai.replay(edited(saved, change))
    assert done.difference == pytest.approx(0.01, abs=1e-5)
    assert "differ by up to 0.01" in str(done)
    assert "torch was 1.0" in str(done)


def test_a_model_that_was_an_object_is_asked_for(tmp_path, classifier):
    own = ai.Classifier(classifier.module, classifier.labels, mean=0.5, std=0.5, crop=0.875, name="own")
    path = ai.analyze("example:cat", ai.Sweep(crop=(1, 0.5), frames=3), own).save(tmp_path / "own.json")
    with pytest.raises(UserError, match="was made with the object 'own'; expected a classifier"):
        ai.replay(path)
    assert ai.replay(path, classifier=own).agrees


def test_an_image_that_was_an_object_is_asked_for(tmp_path, classifier):
    path = ai.analyze(example("cat"), ai.Sweep(crop=(1, 0.5), frames=3), classifier).save(tmp_path / "cat.json")
    with pytest.raises(UserError, match="an image that has no name; expected an image"):
        ai.replay(path)
    assert ai.replay(path, image="example:cat").agrees


@pytest.mark.parametrize("content", [None, "", "{}", '{"recipe": {}, "frames": []}', "[1, 2]"])
def test_what_is_no_recipe_is_refused(tmp_path, content):
    path = tmp_path / "no.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(UserError, match=r"there is no file|is not a sweep that was saved as \.json"):
        ai.replay(path)
