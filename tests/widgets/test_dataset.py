"""The dataset beside the Explorer: when it is measured, for what, and what a page learns of it."""

from __future__ import annotations

import json
import threading
import time

import numpy as np
import pytest
from PIL import Image

import augimpact as ai
from augimpact.data.image import EXAMPLES, example
from augimpact.errors import UserError
from augimpact.formats import file_bytes
from augimpact.impact.drawn import drawn_samples
from augimpact.measures import MEASURES
from augimpact.profiling.reference import reference_of
from augimpact.widgets.app import AppOptions, checked_options
from augimpact.widgets.dataset import PHOTOGRAPHS, ExamplePhotographs
from tests.widgets.test_explorer import change, wait_for

IMAGES = [np.asarray(example(name)) for name in ("cat", "coffee", "rocket")]


@pytest.fixture
def opened(classifier):
    """Shows an explorer with this data."""
    explorers = []

    def open_explorer(data, **options):
        explorer = ai.Explorer(classifier=classifier, frames=4, data=data, **options)
        explorers.append(explorer)
        explorer.controls._handle_custom_msg({"kind": "ready"}, [])
        return explorer

    yield open_explorer
    for explorer in explorers:
        explorer.close()


class Counted(list):
    """Images that tell when they are read, and of which each can be held back."""

    def __init__(self, images):
        super().__init__(images)
        self.read, self.gate = [], threading.Event()
        self.gate.set()

    def __getitem__(self, index):
        self.read.append(index)
        self.gate.wait(60)
        return super().__getitem__(index)


def test_it_is_measured_as_its_frames_are(opened, classifier):
    explorer = opened(IMAGES)
    wait_for(lambda: explorer.player.reference is not None)
    expected = reference_of(IMAGES, classifier.sees, progress=lambda *_: None)
    measures = explorer.player.distributions["measures"]
    assert [each["name"] for each in measures] == list(expected.distributions)
    for each in measures:
        assert each["values"] == expected.distributions[each["name"]].values.tolist()
    assert explorer.player.distributions["caption"] == "The data: 3 images."
    json.dumps(explorer.player.distributions, allow_nan=False)


def test_without_data_there_is_none(opened):
    explorer = opened(None)
    wait_for(lambda: explorer.trace is not None)
    time.sleep(0.5)
    assert explorer.player.distributions == {}


def test_the_first_sweep_is_shown_before_anything_is_read(opened):
    data, order = Counted(IMAGES), []
    explorer = opened(data)
    explorer.player.observe(lambda change: order.append(len(data.read)), "payload")
    wait_for(lambda: explorer.player.reference is not None)
    assert order[:1] in ([0], [])
    assert explorer.trace is not None


def test_a_request_comes_first_and_nothing_is_measured_twice(opened):
    data = Counted(IMAGES * 4)
    data.gate.clear()
    explorer = opened(data)
    wait_for(lambda: data.read)
    assert explorer.trace is not None
    change(explorer, settings=explorer.controls.state["settings"] | {"rotation": 20.0})
    data.gate.set()
    wait_for(lambda: explorer.player.preview["tag"] == "rotation 20.0°")
    assert len(data.read) < len(data)
    assert explorer.player.reference is None
    wait_for(lambda: explorer.player.reference is not None)
    assert data.read == list(range(len(data)))
    change(explorer, sweeps=1)
    time.sleep(0.6)
    assert len(data.read) == len(data)


def test_while_somebody_drags_nothing_is_read(opened):
    data = Counted(IMAGES * 4)
    explorer = opened(data)
    wait_for(lambda: explorer.trace is not None)
    begun = len(data.read)
    for value in np.linspace(0, 40, 16):
        change(explorer, settings=explorer.controls.state["settings"] | {"rotation": float(value)}, draft=True)
        time.sleep(0.05)
    # What had begun before is finished.
    assert len(data.read) <= begun + 2
    wait_for(lambda: explorer.player.reference is not None)


def test_cancel_stops_a_sweep_and_the_data_is_measured_all_the_same(opened):
    explorer = opened(Counted(IMAGES))
    wait_for(lambda: explorer.trace is not None)
    change(explorer, frames=400)
    change(explorer, sweeps=1)
    # Of this sweep, not of the one before.
    wait_for(lambda: explorer.controls.status["total"] == 400 and explorer.controls.status["done"] > 0)
    explorer.controls._handle_custom_msg({"kind": "cancel"}, [])
    wait_for(lambda: explorer.controls.status["text"] == "cancelled")
    wait_for(lambda: explorer.player.reference is not None)
    assert explorer.controls.status["text"] == "cancelled"


def test_frames_of_all_sizes_are_compared_with_the_same(opened):
    explorer = opened(Counted(IMAGES), image=example("cat").resize((200, 150)))
    wait_for(lambda: explorer.player.reference is not None)
    assert explorer.trace.frames.shape[1] == 224
    known = explorer.player.reference
    change(explorer, image="cat")
    wait_for(lambda: explorer.trace is not None and explorer.trace.frames.shape[1] == 448)
    wait_for(lambda: explorer.player.reference is known)


def test_a_drag_has_its_numbers_too(opened, classifier):
    explorer = opened(IMAGES)
    wait_for(lambda: explorer.player.reference is not None)
    settings = explorer.controls.state["settings"] | {"brightness": 2.0}
    change(explorer, settings=settings, draft=True)
    wait_for(lambda: explorer.player.preview["tag"] == "brightness 2.00")
    found = {each["name"]: each["values"][0] for each in explorer.player.preview["numbers"]}
    expected = ai.analyze(example("motorcycle"), ai.Sweep(brightness=2, frames=1), classifier)
    assert found["brightness"] == pytest.approx(expected.measures()["brightness"][0])


def test_a_folder_is_named_to_its_owner_and_to_nobody_else(opened, tmp_path):
    folder = tmp_path / "secret-name"
    folder.mkdir()
    for place, pixels in enumerate(IMAGES):
        Image.fromarray(pixels).save(folder / f"{place}.png")
    (folder / "damaged-name.png").write_bytes(b"no image")
    for private, named in ((False, "secret-name"), (True, "The data")):
        explorer = opened(str(folder), private=private)
        wait_for(lambda each=explorer: each.player.reference is not None)
        told = json.dumps(explorer.player.distributions)
        assert explorer.player.distributions["caption"].startswith(f"{named}: 4 images, 1 of them cannot be read.")
        assert "damaged" not in told
        assert ("secret" in told) != private
        # What is taken home of the page tells no more than the page.
        saved = file_bytes(explorer.trace, ".html", {"reference": explorer.player.reference}).decode()
        assert f"{named}: 4 images" in saved
        assert "damaged" not in saved
        assert ("secret" in saved) != private


def test_data_that_cannot_be_read_is_told_in_its_place(opened, tmp_path):
    (tmp_path / "damaged-name.png").write_bytes(b"no image")
    explorer = opened(tmp_path, private=True)
    wait_for(lambda: "cannot" in explorer.player.distributions.get("caption", ""))
    assert explorer.player.distributions["measures"] == []
    assert not explorer.player.distributions["pending"]
    assert "damaged" not in explorer.player.distributions["caption"]
    wait_for(lambda: explorer.controls.status["kind"] == "idle")


def test_what_cannot_be_told_of_the_data_is_said_and_can_be_given(opened):
    two = [{"first": image, "second": image // 2} for image in IMAGES]
    explorer = opened(two)
    for _ in range(2):
        wait_for(lambda: "pass images='.first' or images='.second'" in explorer.player.distributions.get("caption", ""))
        assert "data_options" in explorer.player.distributions["caption"]
        assert not explorer.player.distributions["pending"]
        # After the next sweep it is asked once more.
        explorer.player.show_reference(None)
        change(explorer, frames=explorer.controls.state["frames"] + 1, sweeps=explorer.controls.state["sweeps"] + 1)
    # Who may learn nothing of this machine cannot tell it either.
    hidden = opened(two, private=True)
    wait_for(lambda: "cannot be shown" in hidden.player.distributions.get("caption", ""))
    assert "first" not in hidden.player.distributions["caption"]
    told = opened(two, data_options={"images": ".second"})
    wait_for(lambda: told.player.reference is not None)
    assert told.player.reference.count == len(IMAGES)


def test_data_that_is_still_measured_is_pending(opened):
    data = Counted(IMAGES)
    data.gate.clear()
    explorer = opened(data)
    wait_for(lambda: data.read)
    assert explorer.player.distributions["pending"]
    # With another image that is said again, of a sweep that is not the first.
    explorer.player.announce_reference("Measuring the data: 1 of 3 images…")
    change(explorer, image="cat")
    data.gate.set()
    wait_for(lambda: explorer.player.distributions["caption"] == "The data is measured after this sweep…")
    wait_for(lambda: explorer.player.reference is not None)
    assert "pending" not in explorer.player.distributions


def test_a_missing_folder_is_told_before_there_is_a_page(tmp_path):
    with pytest.raises(UserError, match="there is no folder"):
        ai.Explorer(data=tmp_path / "missing")
    with pytest.raises(UserError, match="there is no folder"):
        checked_options(None, None, (), 40, tmp_path / "missing")
    with pytest.raises(UserError, match="holds no image"):
        checked_options(None, None, (), 40, tmp_path)


def test_the_app_is_told_where_the_data_is(tmp_path, monkeypatch):
    Image.fromarray(IMAGES[0]).save(tmp_path / "a.png")
    assert checked_options(None, None, (), 40, tmp_path).data == str(tmp_path)
    monkeypatch.setenv("AUGIMPACT_APP", json.dumps({"data": "photos"}))
    assert AppOptions.from_environment().data == "photos"


def test_without_data_the_app_compares_with_photographs_and_crops_of_them():
    photographs = ExamplePhotographs()
    assert len(photographs) == 144 + 2
    first, again = (np.asarray(photographs[17]) for _ in range(2))
    assert np.array_equal(first, again)
    # The grey ones are last, and whole.
    sizes = [photographs[index].size for index in range(144)]
    assert photographs[144].size == photographs[145].size == (512, 512)
    assert all(width == height >= 150 for index, (width, height) in enumerate(sizes) if index % 16)
    # Smaller than that of which it is.
    assert all(width < min(sizes[index - index % 16]) for index, (width, _) in enumerate(sizes) if index % 16)
    assert str(len(PHOTOGRAPHS)) in photographs.caption
    with pytest.raises(IndexError):
        photographs[len(photographs)]


def test_no_two_of_the_photographs_and_crops_are_alike():
    photographs = ExamplePhotographs()
    table = drawn_samples(photographs, len(photographs))
    duplicates = ai.profile(table, features=["duplicates"], device="cpu", progress=lambda *_: None)["duplicates"]
    assert len({photographs[index].tobytes() for index in range(len(photographs))}) == len(photographs)
    assert duplicates.sentence == "No image is there more than once, or nearly."


def test_part_of_a_sweep_of_the_example_is_inside_them(classifier):
    """What the README's picture shows."""
    reference = reference_of(ExamplePhotographs(), classifier.sees, progress=lambda *_: None)
    sweep = ai.Sweep(brightness=(0.2, 2.5), frames=12)
    measures = ai.analyze(example("motorcycle"), sweep, classifier).measures()
    inside = [
        all(reference.distributions[name].holds(row[name]) for name in MEASURES) for _, row in measures.iterrows()
    ]
    assert True in inside[1:4]
    assert not any(inside[6:])


@pytest.mark.parametrize("name", EXAMPLES)
def test_each_example_as_it_is_lies_inside_them_and_one_without_colour_does_not(classifier, name):
    reference = reference_of(ExamplePhotographs(), classifier.sees, progress=lambda *_: None)
    trace = ai.analyze(example(name), ai.Sweep(saturation=(0, 1), frames=2), classifier)
    grey, neutral = (row for _, row in trace.measures().iterrows())
    assert [each for each in MEASURES if not reference.distributions[each].holds(neutral[each])] == []
    assert not reference.distributions["saturation"].holds(grey["saturation"])
    # Nor does turning it by a little lead out.
    turned = ai.analyze(example(name), ai.Sweep(rotation=(-6, 6), frames=5), classifier).measures()
    assert all(reference.distributions[each].holds(value) for each in MEASURES for value in turned[each])


def test_a_player_alone_is_given_a_reference():
    from tests.test_trace import TRACE

    reference = reference_of(IMAGES, lambda image: _tensor(image), progress=lambda *_: None)
    assert ai.Player(TRACE).distributions == {}
    player = ai.Player(TRACE, reference=reference)
    assert player.reference is reference
    assert player.distributions == reference.payload()
    player.clear()
    assert player.distributions == reference.payload()
    player.show_reference(None)
    assert player.distributions == {}


def _tensor(image):
    import torch

    return torch.from_numpy(np.asarray(image).copy()).permute(2, 0, 1).float() / 255
