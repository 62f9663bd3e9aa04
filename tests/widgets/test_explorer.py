"""Explorer and player, called as the browser would call them."""

from __future__ import annotations

import gc
import io
import json
import threading
import time

import numpy as np
import pytest
import torch
from PIL import Image

import augimpact as ai
from augimpact.as_code import code_of
from augimpact.augment.own import forget
from augimpact.augment.parameters import neutral_setting
from augimpact.comparison import Comparison
from augimpact.data.image import example
from augimpact.errors import UserError
from augimpact.trace import Trace
from tests.conftest import REPOSITORY
from tests.networks import small_network

PATIENCE = 60


def wait_for(condition):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


@pytest.fixture
def explorer(classifier):
    explorer = ai.Explorer(classifier=classifier, frames=6)
    explorer.controls._handle_custom_msg({"kind": "ready"}, [])
    wait_for(lambda: explorer.trace is not None)
    wait_for(lambda: explorer.controls.status["kind"] == "idle")
    yield explorer
    explorer.close()


def change(explorer, **part):
    explorer.controls.state = explorer.controls.state | part


def jpeg(content):
    return np.asarray(Image.open(io.BytesIO(content)), dtype=int)


# What JPEG may change, in the mean of 255: it halves the resolution of colours, and the motorcycle is very red.
JPEG_LOSS = 5


def test_nothing_is_computed_before_there_is_a_page(classifier):
    explorer = ai.Explorer(classifier=classifier)
    time.sleep(0.2)
    assert explorer.trace is None
    assert explorer.player.preview == {}


def test_it_opens_with_the_first_example_and_its_sweep(explorer):
    assert explorer.trace.recipe["image"]["name"] == "motorcycle"
    assert explorer.trace.settings["rotation"].tolist()[::5] == [-60, 60]
    assert explorer.player.preview["neutral"]["tag"] == "original"
    assert explorer.controls.status["kind"] == "idle"


def test_the_payload_is_the_trace(explorer):
    trace, payload = explorer.trace, explorer.player.payload
    assert len(payload["jpegs"]) == 6
    assert np.abs(jpeg(payload["jpegs"][2]) - trace.frames[2]).mean() < JPEG_LOSS
    shares = np.frombuffer(payload["maps"], "<u2").reshape(6, payload["height"], payload["width"]) / 65535
    assert shares * np.array(payload["highest"])[:, None, None] == pytest.approx(trace.maps, rel=0, abs=1e-4)
    matter = trace.outputs_that_matter()
    assert payload["labels"] == [trace.labels[index] for index in matter]
    assert np.array(payload["scores"]) == pytest.approx(trace.scores[:, matter])
    assert [flip["frame"] for flip in payload["flips"]] == trace.flips()["frame"].tolist()
    assert [flip["at"] for flip in payload["flips"]] == pytest.approx(trace.flips()["rotation"].tolist())
    assert payload["axis"]["values"] == trace.settings["rotation"].tolist()
    assert explorer.controls.flips["rotation"] == trace.flips()["rotation"].tolist()
    json.dumps({key: value for key, value in payload.items() if key not in ("jpegs", "maps", "neutral")})


def test_a_slider_changes_the_preview_to_what_analyze_says(explorer, classifier):
    settings = explorer.controls.state["settings"] | {"brightness": 2.0, "rotation": 25.0}
    change(explorer, settings=settings)
    wait_for(lambda: explorer.player.preview.get("tag", "").endswith("brightness 2.00"))
    expected = ai.analyze(example("motorcycle"), ai.Sweep(rotation=25, brightness=2, frames=1), classifier)
    preview = explorer.player.preview
    assert preview["prediction"] == expected.labels[expected.predictions[0]]
    assert float(preview["value"]) == pytest.approx(float(expected.scores.max()), abs=0.0051)
    assert len(preview["labels"]) >= 5
    assert np.abs(jpeg(preview["jpeg"]) - expected.frames[0]).mean() < JPEG_LOSS


def test_the_newest_of_many_values_wins(explorer):
    shown = []
    explorer.player.observe(lambda change: shown.append(change["new"]["tag"]), "preview")
    for value in np.linspace(0, 90, 200):
        change(explorer, settings=explorer.controls.state["settings"] | {"rotation": float(value)})
    wait_for(lambda: explorer.player.preview.get("tag") == "rotation 90.0°")
    time.sleep(0.3)
    assert shown[-1] == "rotation 90.0°"
    assert len(shown) < 100


def test_a_sweep_is_what_the_controls_say(explorer):
    before = explorer.trace
    change(
        explorer, ranges={"crop": [1, 0.5], "brightness": [2, 1]}, frames=4, easing="cosine", target="neutral",
        settings=explorer.controls.state["settings"] | {"perspective_x": 0.25},
    )  # fmt: skip
    wait_for(lambda: explorer.trace not in (None, before) and explorer.trace.recipe["target"] == "neutral")
    recipe = explorer.trace.recipe["sweep"]
    assert recipe["parameters"] == {"perspective_x": 0.25, "crop": [1, 0.5], "brightness": [2, 1]}
    assert (recipe["frames"], recipe["easing"]) == (4, "cosine")
    assert len(set(explorer.trace.targets)) == 1


def test_a_sweep_can_be_cancelled(explorer):
    before = explorer.trace
    change(explorer, frames=400)
    change(explorer, sweeps=1)
    wait_for(lambda: explorer.controls.status["kind"] == "sweeping" and explorer.controls.status["done"] > 0)
    explorer.controls._handle_custom_msg({"kind": "cancel"}, [])
    wait_for(lambda: explorer.controls.status["text"] == "cancelled")
    assert explorer.trace is before


def test_an_uploaded_photograph_replaces_the_example(explorer):
    file = io.BytesIO()
    example("coffee").save(file, format="PNG")
    explorer.controls._handle_custom_msg({"kind": "upload", "name": "../../mine.png"}, [memoryview(file.getvalue())])
    wait_for(lambda: explorer.controls.chosen.get("name") == "mine.png")
    change(explorer, image="mine.png")
    wait_for(lambda: explorer.trace is not None and explorer.trace.recipe["image"]["name"] == "mine.png")
    assert explorer.trace.labels[explorer.trace.neutral.predictions[0]] == "espresso"
    assert explorer.controls.images[-1]["name"] == "mine.png"
    assert explorer.controls.state["image"] == "mine.png"


def test_what_is_no_photograph_is_refused_and_the_page_lives_on(explorer):
    before = explorer.trace
    explorer.controls._handle_custom_msg({"kind": "upload", "name": "<b>bad</b>.jpg"}, [memoryview(b"hello")])
    wait_for(lambda: explorer.controls.file_error)
    assert explorer.controls.file_error["text"].startswith("'b>.jpg' is not an image")
    change(explorer, sweeps=1)
    wait_for(lambda: explorer.trace is not before)
    wait_for(lambda: explorer.controls.status["kind"] == "idle")


def test_a_model_that_breaks_is_said_and_the_page_lives_on():
    class Breaks(torch.nn.Module):
        broken = True

        def __init__(self):
            super().__init__()
            self.features = torch.nn.Conv2d(3, 2, 8, stride=8)

        def forward(self, batch):
            if self.broken:
                raise RuntimeError("out of cheese")
            return self.features(batch).mean((2, 3))

    model = Breaks()
    explorer = ai.Explorer(classifier=model, frames=3)
    explorer.controls._handle_custom_msg({"kind": "ready"}, [])
    wait_for(lambda: explorer.controls.status["kind"] == "error")
    assert "out of cheese" in explorer.controls.status["text"]
    # The stage is empty, and says why as well.
    assert explorer.player.trouble == explorer.controls.status["text"]
    model.broken = False
    change(explorer, sweeps=1)
    wait_for(lambda: explorer.trace is not None)
    wait_for(lambda: explorer.controls.status["kind"] == "idle")
    assert explorer.trace.labels == ("class 0", "class 1")
    assert explorer.player.trouble == ""


def test_dragging_while_the_classifier_loads_loses_neither_original_nor_sweep(classifier, monkeypatch):
    loaded = threading.Event()

    def slowly(_source, **_options):
        assert loaded.wait(PATIENCE)
        return classifier

    monkeypatch.setattr("augimpact.models.load.load_classifier", slowly)
    explorer = ai.Explorer(frames=6)
    originals = []
    explorer.player.observe(lambda change: originals.append("neutral" in change["new"]), "preview")
    explorer.controls._handle_custom_msg({"kind": "ready"}, [])
    for value in range(1, 6):
        change(explorer, settings=explorer.controls.state["settings"] | {"brightness": 1 + value / 5})
    loaded.set()
    wait_for(lambda: explorer.trace is not None)
    assert any(originals)
    assert explorer.trace.recipe["sweep"]["parameters"]["brightness"] == 2
    explorer.close()


def test_nothing_of_an_image_appears_once_another_was_chosen(explorer, monkeypatch):
    """The sweep of the first is held up after its last chunk, where nothing asks any more whether to stop."""
    from augimpact.widgets import tasks as module

    reached, go_on = threading.Event(), threading.Event()

    def slowly(trace, payload_of=module.payload_of):
        if trace.recipe["image"]["name"] == "motorcycle":
            reached.set()
            assert go_on.wait(PATIENCE)
        return payload_of(trace)

    monkeypatch.setattr(module, "payload_of", slowly)
    names = []
    explorer.player.observe(
        lambda _: names.append(explorer.trace and explorer.trace.recipe["image"]["name"]), "payload"
    )
    change(explorer, sweeps=1)
    assert reached.wait(PATIENCE)
    change(explorer, image="coffee")
    assert explorer.player.payload == {}
    go_on.set()
    wait_for(lambda: explorer.trace is not None)
    assert names == [None, "coffee"]


def test_the_same_name_uploaded_again_is_another_image(explorer):
    change(explorer, ranges={})
    for name in ("coffee", "rocket"):
        file = io.BytesIO()
        example(name).save(file, format="PNG")
        explorer.controls._handle_custom_msg({"kind": "upload", "name": "same.png"}, [memoryview(file.getvalue())])
        wait_for(lambda: explorer.controls.chosen.get("name") == "same.png")
        change(explorer, image="same.png")
        expected = {"coffee": "espresso", "rocket": "missile"}[name]
        wait_for(lambda expected=expected: explorer.player.preview.get("neutral", {}).get("prediction") == expected)
    assert [each["name"] for each in explorer.controls.images].count("same.png") == 1


def test_a_class_can_be_pinned_and_the_fill_chosen(explorer):
    assert explorer.controls.about["labels"][207] == "golden retriever"
    box = {"erase_w": 0.4, "erase_h": 0.4}
    change(explorer, target="disk brake", erase_fill="mean", settings=explorer.controls.state["settings"] | box)
    wait_for(lambda: explorer.trace is not None and explorer.trace.recipe["target"] == "disk brake")
    assert explorer.trace.recipe["erase_fill"] == "mean"
    wait_for(lambda: explorer.controls.status["kind"] == "idle")
    change(explorer, target="disc brake")
    wait_for(lambda: explorer.controls.status["kind"] == "error")
    assert "did you mean disk brake" in explorer.controls.status["text"]


def test_choices_are_checked_and_completed(classifier):
    explorer = ai.Explorer(classifier=classifier, settings={"rotation": 20})
    assert explorer.controls.state["settings"]["rotation"] == 20
    assert explorer.controls.state["settings"]["brightness"] == 1
    with pytest.raises(UserError, match="unknown choice 'frmes'; did you mean frames"):
        ai.Explorer(classifier=classifier, frmes=3)


def test_files_are_handed_over_as_bytes(explorer, monkeypatch):
    sent = []
    monkeypatch.setattr(explorer.player, "send", lambda content, buffers=None: sent.append((content, buffers)))
    for suffix in (".gif", ".webp", ".png", ".html", ".json", ".npz"):
        request = {
            "kind": "save",
            "suffix": suffix,
            "opacity": 0.3,
            "colour_map": "viridis",
            "scale": "frame",
            "loop": "forward",
        }
        explorer.player._handle_custom_msg(request, [])
        wait_for(lambda: sent)
        content, buffers = sent.pop()
        assert content["name"] == f"motorcycle-rotation{suffix}"
        assert content["kind"] == "file", content
        if suffix in (".gif", ".webp"):
            assert Image.open(io.BytesIO(buffers[0])).n_frames == 6
        if suffix == ".npz":
            assert np.array_equal(np.load(io.BytesIO(buffers[0]))["frames"], explorer.trace.frames)


def test_a_file_that_cannot_be_made_is_said(monkeypatch):
    player, sent = ai.Player(), []
    monkeypatch.setattr(player, "send", lambda content, buffers=None: sent.append(content))
    player._handle_custom_msg({"kind": "save", "request": 7, "suffix": ".gif"}, [])
    wait_for(lambda: sent)
    assert (sent[0]["kind"], sent[0]["request"]) == ("error", 7)
    assert sent[0]["text"] == "the file could not be made: there is no sweep to save yet"


def test_a_player_works_alone(classifier):
    trace = ai.analyze(example("rocket"), ai.Sweep(frames=3), classifier)
    player = ai.Player(trace)
    assert player.payload["axis"] == {"label": "frame", "unit": "", "values": [1, 2, 3]}
    assert isinstance(player.trace, Trace)
    assert (player.frame, ai.Player(trace, frame=2).frame) == (0, 2)
    player.clear()
    assert player.payload == {}


def test_an_image_of_ones_own_comes_first(tmp_path, classifier):
    example("coffee").save(tmp_path / "cup.png")
    explorer = ai.Explorer(tmp_path / "cup.png", classifier)
    assert explorer.controls.state["image"] == "cup.png"
    assert [each["name"] for each in explorer.controls.images][:2] == ["cup.png", "motorcycle"]


def test_border_and_second_image_reach_the_frames(explorer, classifier):
    settings = explorer.controls.state["settings"] | {"zoom": 0.5, "mixup": 0.5}
    change(explorer, border="reflect", second="cat", settings=settings)
    expected = ai.analyze(
        example("motorcycle"), ai.Sweep(zoom=0.5, mixup=0.5, frames=1), classifier, border="reflect",
        second=example("cat"),
    )  # fmt: skip

    def shown():
        preview = explorer.player.preview
        tag = preview.get("tag", "")
        return "zoom" in tag and np.abs(jpeg(preview["jpeg"]) - expected.frames[0]).mean() < JPEG_LOSS

    wait_for(shown)


def test_an_augmentation_of_ones_own_has_a_slider(classifier):
    @ai.augmentation("fade_to_white", range=(0, 1), neutral=0)
    def fade_to_white(batch, value):
        return batch * (1 - value) + value

    explorer = ai.Explorer(classifier=classifier, frames=3, ranges={"fade_to_white": [0, 1]})
    try:
        row = next(each for each in explorer.controls.catalogue if each["name"] == "fade_to_white")
        assert (row["group"], row["minimum"], row["maximum"]) == ("own", 0, 1)
        explorer.controls._handle_custom_msg({"kind": "ready"}, [])
        wait_for(lambda: explorer.trace is not None)
        assert explorer.trace.swept == ("fade_to_white",)
        assert (explorer.trace.frames[2] == 255).all()
    finally:
        explorer.close()
        forget("fade_to_white")


def test_a_regressor_is_explored_as_a_classifier_is():
    torch.manual_seed(0)
    module = torch.nn.Sequential(
        torch.nn.Conv2d(3, 4, 3, stride=4), torch.nn.ReLU(), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(),
        torch.nn.Linear(4, 1),
    )  # fmt: skip
    regressor = ai.Regressor(module, ["light"], ["lx"], [(-2, 2)], mean=0, std=1, size=64, name="meter")
    explorer = ai.Explorer(classifier=regressor, frames=3, ranges={"brightness": [0, 2]})
    explorer.controls._handle_custom_msg({"kind": "ready"}, [])
    wait_for(lambda: explorer.trace is not None)
    assert explorer.player.payload["value_axis"]["unit"] == "lx"
    assert explorer.controls.about["labels"] == ["light"]
    explorer.close()


def test_a_model_of_time_series_is_refused_in_a_sentence():
    module = torch.nn.Sequential(torch.nn.Conv1d(1, 2, 3), torch.nn.AdaptiveAvgPool1d(1), torch.nn.Flatten())
    explorer = ai.Explorer(classifier=ai.Classifier(module, signal=(1, 32), name="waves"))
    explorer.controls._handle_custom_msg({"kind": "ready"}, [])
    wait_for(lambda: explorer.controls.status["kind"] == "error")
    assert "waves takes time series; the Explorer shows images" in explorer.controls.status["text"]
    explorer.close()


def test_what_was_asked_for_while_a_job_failed_is_still_done(explorer, monkeypatch):
    begun, go_on = threading.Event(), threading.Event()
    own = explorer._tasks._preview_original

    def fails(cancelled):
        begun.set()
        go_on.wait(PATIENCE)
        monkeypatch.setattr(explorer._tasks, "_preview_original", own)
        raise UserError("it failed")

    monkeypatch.setattr(explorer._tasks, "_preview_original", fails)
    change(explorer, method="layercam")
    assert begun.wait(PATIENCE)
    change(explorer, method="hirescam")
    go_on.set()
    wait_for(lambda: explorer.trace is not None and explorer.trace.recipe["method"] == "hirescam")


def test_an_explorer_that_cannot_begin_says_one_thing_only(capsys):
    with pytest.raises(UserError, match=r"there is no image 'nope\.jpg'"):
        ai.Explorer("nope.jpg")
    gc.collect()
    assert "Traceback" not in capsys.readouterr().err


def test_a_slow_method_says_so_before_the_first_picture():
    explorer = ai.Explorer(classifier=small_network(), frames=3, method="scorecam")
    said = []
    explorer.controls.observe(lambda change: said.append(change["new"]), "status")
    explorer.controls._handle_custom_msg({"kind": "ready"}, [])
    wait_for(lambda: explorer.trace is not None)
    slow = next(each for each in said if "Score-CAM takes seconds for every frame" in each["text"])
    # Of this kind the page shows a bar that moves, and a button to cancel.
    assert slow["kind"] == "sweeping"
    assert said.index(slow) < next(place for place, each in enumerate(said) if "of 3 frames" in each["text"])
    explorer.close()


def test_cancelling_is_said_at_once(explorer):
    explorer.controls._handle_custom_msg({"kind": "cancel"}, [])
    assert explorer.controls.status["text"] == "cancelled"


def settle(explorer):
    """Returns when nothing is under way or owed."""
    wait_for(lambda: not explorer._tasks._due and explorer.controls.status["kind"] in ("idle", "error"))


def test_a_second_method_stands_beside_the_first(explorer, classifier):
    change(explorer, beside_method="eigencam")
    wait_for(lambda: isinstance(explorer.player.shown, Comparison))
    settle(explorer)
    shown = explorer.player.shown
    assert list(shown.traces) == ["Grad-CAM", "Eigen-CAM"]
    assert explorer.player.payload["code"] == code_of(shown)
    assert 'ai.compare(\n    "example:motorcycle"' in code_of(shown) or 'ai.compare("example:motorcycle"' in code_of(
        shown
    )
    expected = ai.analyze("example:motorcycle", ai.Sweep(rotation=(-60, 60), frames=6), classifier, method="eigencam")
    assert shown.traces["Eigen-CAM"].maps == pytest.approx(expected.maps, rel=0, abs=1e-4 * float(expected.maps.max()))
    change(explorer, beside_method="")
    wait_for(lambda: isinstance(explorer.player.shown, Trace))


def test_a_second_model_stands_beside_the_first_and_may_have_other_classes(classifier):
    other = small_network()
    explorer = ai.Explorer(classifier=classifier, models=[other], frames=3, beside_model="small", classes=[665, 670])
    explorer.warm_up()
    wait_for(lambda: explorer.trace is not None)
    first, second = explorer.player.shown.traces.values()
    assert first.labels == ("motor scooter", "moped")[::-1]
    assert first.frames.shape[1:] == (448, 448, 3)
    # It does not know the chosen classes, and keeps its own.
    assert second.labels == ("red", "green", "blue", "grey")
    assert second.frames.shape[1:] == (192, 192, 3)
    change(explorer, beside_model="", classes=[], model="small")
    wait_for(lambda: explorer.controls.about["labels"] == ["red", "green", "blue", "grey"])
    wait_for(lambda: isinstance(explorer.player.shown, Trace) and len(explorer.trace.labels) == 4)
    explorer.close()


def test_chosen_classes_share_the_scores(explorer, classifier):
    change(explorer, classes=[671, 535])
    wait_for(lambda: explorer.trace is not None and explorer.trace.labels == ("mountain bike", "disk brake"))
    expected = ai.analyze("example:motorcycle", ai.Sweep(rotation=(-60, 60), frames=6), classifier, classes=[671, 535])
    assert explorer.trace.scores == pytest.approx(expected.scores, abs=1e-5)


def test_a_layer_can_be_chosen(explorer):
    assert explorer.controls.about["layer"] == explorer.trace.recipe["classifier"]["layers"][0]
    layer = explorer.controls.about["layers"][-8]
    change(explorer, layer=layer)
    wait_for(lambda: explorer.trace is not None and explorer.trace.recipe["classifier"]["layers"] == [layer])
    settle(explorer)
    change(explorer, layer="no such layer")
    wait_for(lambda: explorer.controls.status["kind"] == "error")
    assert "unknown layer 'no such layer'" in explorer.controls.status["text"]


def test_two_ranges_make_a_grid_and_a_cell_of_it_sets_the_sliders(explorer, classifier):
    change(explorer, ranges={"rotation": [60, -60], "brightness": [0.5, 2]}, grid_steps=3, grids=1)
    wait_for(lambda: explorer.surface.surface is not None)
    expected = ai.analyze_grid("example:motorcycle", ai.Grid(rotation=(-60, 60, 3), brightness=(0.5, 2, 3)), classifier)
    assert explorer.surface.surface.scores == pytest.approx(expected.scores, abs=1e-5)
    settle(explorer)
    explorer.surface.chosen = {"rotation": 60.0, "brightness": 0.5}
    assert explorer.controls.state["settings"]["rotation"] == 60
    wait_for(lambda: explorer.player.preview["tag"] == "rotation 60.0°  brightness 0.50")
    # Once the sliders went elsewhere, the same cell can be chosen anew.
    change(explorer, settings=explorer.controls.state["settings"] | {"rotation": 10.0})
    assert explorer.surface.chosen == {}
    change(explorer, image="cat")
    assert explorer.surface.surface is None
    settle(explorer)
    change(explorer, ranges={"rotation": [60, -60]}, grids=2)
    wait_for(lambda: explorer.controls.status["kind"] == "error")
    assert "1 parameters are ranges; expected two for a grid" in explorer.controls.status["text"]


def test_it_can_be_made_ready_before_there_is_a_page(classifier):
    explorer = ai.Explorer(classifier=classifier, frames=3)
    explorer.warm_up()
    wait_for(lambda: explorer.trace is not None)
    settle(explorer)
    trace = explorer.trace
    explorer.controls._handle_custom_msg({"kind": "ready"}, [])
    time.sleep(0.2)
    assert explorer.trace is trace
    explorer.close()


def test_images_of_the_folder_are_looked_at_and_chosen(tmp_path, classifier):
    (tmp_path / "photos").mkdir()
    example("coffee").save(tmp_path / "photos" / "cup.png")
    explorer = ai.Explorer(classifier=classifier, folder=tmp_path / "photos", private=True, ranges={})
    sent = []
    explorer.controls.send = lambda content, buffers=None: sent.append((content, buffers))
    assert explorer.controls.files == ["photos/cup.png"]
    explorer.controls._handle_custom_msg({"kind": "thumbnails", "names": ["photos/cup.png", "/etc/passwd"]}, [])
    wait_for(lambda: len(sent) == 2)
    assert [content["name"] for content, _ in sent] == ["photos/cup.png", "/etc/passwd"]
    # What is none of the folder's has no picture.
    assert sent[1][1] == []
    assert jpeg(sent[0][1][0]).shape == (112, 112, 3)
    explorer.controls._handle_custom_msg({"kind": "choose", "name": "photos/cup.png"}, [])
    wait_for(lambda: explorer.controls.chosen.get("name") == "photos/cup.png")
    change(explorer, image="photos/cup.png")
    wait_for(lambda: explorer.player.preview.get("prediction") == "espresso")
    assert explorer.controls.state["image"] == "photos/cup.png"
    assert str(tmp_path) not in json.dumps(explorer.controls.get_state(), default=str)
    explorer.close()


@pytest.mark.parametrize("private", [False, True])
def test_an_error_comes_with_details_and_where_code_lies_stays_private(private, classifier, caplog):
    explorer = ai.Explorer(classifier=classifier, private=private, frames=3)
    explorer.warm_up()
    wait_for(lambda: explorer.trace is not None)
    settle(explorer)
    # What no page of ours sends.
    change(explorer, settings=None)
    wait_for(lambda: explorer.controls.status["kind"] == "error")
    status = explorer.controls.status
    assert status["text"].startswith("something went wrong")
    assert "\n" not in status["text"]
    assert ("Traceback" in status["details"], "tasks.py" in status["details"]) == (not private, not private)
    assert "AttributeError" in status["details"] or "TypeError" in status["details"]
    assert "Traceback" in caplog.text
    change(explorer, settings=neutral_setting(), sweeps=1)
    settle(explorer)
    wait_for(lambda: explorer.controls.status["kind"] == "idle")
    explorer.close()


def test_nothing_of_another_model_appears_once_one_was_chosen(classifier, monkeypatch):
    """Its sweep and its grid are held up after their last chunk, where nothing asks any more whether to stop."""
    from augimpact.widgets import tasks as module

    other = small_network()
    explorer = ai.Explorer(
        classifier=classifier, models=[other], frames=3, ranges={"rotation": [-60, 60], "crop": [1, 0.5]}
    )
    explorer.warm_up()
    wait_for(lambda: explorer.trace is not None)
    settle(explorer)
    reached, go_on = threading.Event(), threading.Event()

    def slowly(result, code_of=module.code_of):
        if len(result.outputs.names) == 1000:
            reached.set()
            assert go_on.wait(PATIENCE)
        return code_of(result)

    monkeypatch.setattr(module, "code_of", slowly)
    shown = []
    explorer.surface.observe(lambda _: shown.append(explorer.surface.surface), "payload")
    change(explorer, grids=1, grid_steps=3)
    assert reached.wait(PATIENCE)
    change(explorer, model="small")
    go_on.set()
    wait_for(lambda: explorer.surface.surface is not None)
    settle(explorer)
    # The grid is still owed, of the model that was chosen.
    assert {len(each.outputs.names) for each in shown if each is not None} == {4}
    assert len(explorer.trace.labels) == 4
    explorer.close()


def test_without_a_range_the_sweep_of_the_other_model_is_forgotten(classifier):
    explorer = ai.Explorer(classifier=classifier, models=[small_network()], frames=3)
    explorer.warm_up()
    wait_for(lambda: explorer.trace is not None)
    settle(explorer)
    change(explorer, ranges={})
    change(explorer, model="small")
    wait_for(lambda: explorer.player.preview.get("labels", ["moped"])[0] in small_network().labels)
    assert explorer.trace is None
    assert explorer.player.payload == {}
    assert explorer.controls.flips == {}
    explorer.close()


def test_a_grid_of_other_held_values_is_taken_away(explorer):
    change(explorer, ranges={"rotation": [60, -60], "brightness": [0.5, 2]}, grid_steps=2, grids=1)
    wait_for(lambda: explorer.surface.surface is not None)
    settle(explorer)
    change(explorer, settings=explorer.controls.state["settings"] | {"rotation": 10.0})
    assert explorer.surface.surface is not None
    change(explorer, settings=explorer.controls.state["settings"] | {"noise": 0.3})
    assert explorer.surface.surface is None


def test_classes_beside_are_those_of_the_model_that_was_chosen(classifier):
    names = (["red", "green", "blue", "grey"], ["grey", "blue", "green", "red"])
    first, second = (ai.Classifier(small_network().module, labels, size=96, name=labels[0]) for labels in names)
    explorer = ai.Explorer(classifier=first, models=[second], beside_model="grey", classes=[0, 1], frames=2)
    explorer.warm_up()
    wait_for(lambda: explorer.trace is not None)
    assert [each.labels for each in explorer.player.shown.traces.values()] == [("red", "green"), ("red", "green")]
    change(explorer, model="grey", beside_model="red")
    wait_for(lambda: explorer.trace is not None and explorer.trace.labels == ("grey", "blue"))
    assert [each.labels for each in explorer.player.shown.traces.values()] == [("grey", "blue"), ("grey", "blue")]
    explorer.close()


def test_a_drag_after_another_method_was_chosen_is_seen_while_it_lasts(explorer):
    shown = []
    explorer.player.observe(lambda change: shown.append(change["new"].get("tag")), "preview")
    change(explorer, method="hirescam")
    deadline = time.monotonic() + 2
    while time.monotonic() < deadline:
        value = 1 + (time.monotonic() % 1)
        change(explorer, settings=explorer.controls.state["settings"] | {"brightness": value}, draft=True)
        time.sleep(0.01)
    assert len([each for each in shown if each]) > 5


def held_up(explorer, monkeypatch) -> tuple[threading.Event, threading.Event]:
    """Each frame waits; what is set once one was asked for, and what is to be set so that they go on."""
    asked, go_on = threading.Event(), threading.Event()
    explained = explorer._tasks._asker.explained

    def slowly(state, setting):
        asked.set()
        assert go_on.wait(PATIENCE)
        return explained(state, setting)

    monkeypatch.setattr(explorer._tasks._asker, "explained", slowly)
    return asked, go_on


def test_what_was_cancelled_does_not_appear(explorer, monkeypatch):
    asked, go_on = held_up(explorer, monkeypatch)
    before = explorer.player.preview
    change(explorer, settings=explorer.controls.state["settings"] | {"brightness": 2.0})
    assert asked.wait(PATIENCE)
    explorer.controls._handle_custom_msg({"kind": "cancel"}, [])
    assert explorer.controls.status["text"] == "stopping after this frame…"
    go_on.set()
    wait_for(lambda: explorer.controls.status["text"] == "cancelled")
    assert explorer.player.preview == before


@pytest.mark.parametrize("begun", [False, True])
def test_of_an_image_that_was_just_chosen_the_picture_appears_also_if_its_sweep_is_cancelled(
    explorer, monkeypatch, begun
):
    asked, go_on = held_up(explorer, monkeypatch)
    change(explorer, image="coffee")
    if begun:
        assert asked.wait(PATIENCE)
    explorer.controls._handle_custom_msg({"kind": "cancel"}, [])
    go_on.set()
    wait_for(lambda: "neutral" in explorer.player.preview and explorer.controls.status["text"] == "cancelled")
    assert explorer.trace is None
    settle(explorer)
    assert explorer.trace is None


def test_what_cannot_be_understood_is_said(explorer):
    for message in ({"kind": "upload", "name": "x.png"}, {"kind": "thumbnails", "names": None}):
        explorer.controls.status = {}
        explorer.controls._handle_custom_msg(message, [])
        assert explorer.controls.status["kind"] == "error"


def test_a_sweep_that_would_fill_the_memory_is_refused(classifier):
    large = ai.Classifier(small_network().module, ["a", "b", "c", "d"], size=1024, name="large")
    explorer = ai.Explorer(classifier=large, frames=500)
    explorer.warm_up()
    wait_for(lambda: explorer.controls.status["kind"] == "error")
    assert "500 frames take 1573 MB; expected at most 190 frames of this size" in explorer.controls.status["text"]
    explorer.close()


def test_a_private_page_is_told_no_path(tmp_path, classifier):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "bad.png").write_bytes(b"no image")
    (tmp_path / "own.py").write_text(
        f"import sys\nsys.path.insert(0, {str(REPOSITORY)!r})\nfrom tests.networks import small_network\n"
        "def build():\n    return small_network()\n"
    )
    explorer = ai.Explorer(models=[f"{tmp_path}/own.py:build"], folder=tmp_path / "photos", private=True, frames=2)
    explorer.warm_up()
    wait_for(lambda: explorer.trace is not None)
    assert explorer.trace.recipe["classifier"]["origin"]["source"] == "own.py:build"
    change(explorer, image="photos/bad.png")
    wait_for(lambda: explorer.controls.status["kind"] == "error")
    assert "'photos/bad.png' is not an image" in explorer.controls.status["text"]
    told = json.dumps([explorer.controls.get_state(), explorer.player.get_state()], default=str)
    assert str(tmp_path) not in told
    explorer.close()


def test_a_closed_explorer_leaves_nothing_open(classifier):
    explorer = ai.Explorer(classifier=classifier)
    explorer.close()
    assert explorer.controls.comm is None
    assert explorer.player.comm is None
    assert explorer.surface.comm is None
