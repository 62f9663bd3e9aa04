"""What a run wrote is done again: the same scores where nothing changed, and what changed where they are not."""

from __future__ import annotations

import json

import pytest
import torch
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


def test_flips_are_searched_for_again(tmp_path, classifier):
    trace = ai.analyze("example:motorcycle", ai.Sweep(rotation=(-60, 0), frames=4), classifier, flip_tolerance=0.5)
    again = ai.replay(trace.save(tmp_path / "flips.json")).trace
    assert len(again.flips()) > 0
    assert again.flips().equals(trace.flips())


def test_a_second_image_that_was_an_object_is_asked_for_and_another_one_is_said(tmp_path, classifier):
    trace = ai.analyze("example:cat", ai.Sweep(mixup=0.4, frames=2), classifier, second=example("rocket"))
    path = trace.save(tmp_path / "mixed.json")
    with pytest.raises(UserError, match="a second image that has no name; expected a second image"):
        ai.replay(path)
    assert ai.replay(path, second="example:rocket").agrees
    other = ai.replay(path, second="example:coffee")
    assert not other.agrees
    assert not other.same_image


def test_an_image_beside_the_file_is_found_when_both_have_moved(tmp_path, classifier, monkeypatch):
    for folder in ("here", "there"):
        (tmp_path / folder).mkdir()
    example("cat").save(tmp_path / "here" / "cat.png")
    monkeypatch.chdir(tmp_path / "here")
    path = ai.analyze("cat.png", ai.Sweep(crop=(1, 0.5), frames=2), classifier).save(tmp_path / "here" / "cat.json")
    monkeypatch.chdir(tmp_path)
    assert ai.replay(path).agrees
    (tmp_path / "here" / "cat.png").rename(tmp_path / "there" / "cat.png")
    path = path.rename(tmp_path / "there" / "cat.json")
    assert ai.replay(path).agrees


def test_another_model_is_explained_at_its_own_layer(tmp_path, classifier):
    path = ai.analyze("example:cat", ai.Sweep(crop=(1, 0.5), frames=2), classifier).save(tmp_path / "cat.json")
    module = torch.nn.Sequential(
        torch.nn.Conv2d(3, 4, 3, stride=8), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(4, 1000)
    )
    assert not ai.replay(path, classifier=ai.Classifier(module, classifier.labels, size=64)).agrees
    with pytest.raises(UserError, match="device 'nonsense'"):
        ai.replay(path, classifier="efficientnet-lite0", device="nonsense")


def test_classes_of_one_name_are_told_apart_by_their_place(tmp_path):
    torch.manual_seed(0)
    module = torch.nn.Sequential(
        torch.nn.Conv2d(3, 4, 3, stride=8), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(4, 3)
    )
    twins = ai.Classifier(module, ["crane", "crane", "cat"], size=64)
    path = ai.analyze("example:cat", ai.Sweep(crop=(1, 0.5), frames=2), twins).save(tmp_path / "twins.json")
    assert ai.replay(path, classifier=twins).agrees


def test_an_augmentation_of_ones_own_that_is_not_there_is_said(saved):
    def change(document):
        document["recipe"]["sweep"]["parameters"]["my_vignette"] = [0, 1]

    with pytest.raises(UserError, match=r"unknown parameter 'my_vignette'.*--plugin FILE"):
        ai.replay(edited(saved, change))


@pytest.mark.parametrize("name", ["seed", "image", "versions", "sweep"])
def test_a_recipe_that_lacks_something_says_what(saved, name):
    with pytest.raises(UserError, match=f"its recipe lacks {name}|it has no"):
        ai.replay(edited(saved, lambda document: document["recipe"].pop(name)))
