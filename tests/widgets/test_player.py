"""The player alone, called as the browser would call it."""

from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np
import pytest
from torchvision.transforms.functional import to_tensor

import augimpact as ai
from augimpact.comparison import COMPARISON_FORMATS, Comparison
from augimpact.formats import FORMATS
from augimpact.measures import MEASURES
from augimpact.payload import payload_of, still_of
from augimpact.profiling.reference import reference_of
from augimpact.render.page import bundle
from augimpact.widgets.handing_over import MIME
from augimpact.widgets.player import HERE
from tests.test_payload import OTHER
from tests.test_trace import TRACE

BOTH = Comparison({"one": TRACE, "two": OTHER})


@pytest.fixture
def player():
    return ai.Player(TRACE)


def asked_for(player, monkeypatch, **request):
    """What the player sends when the page asks for a file."""
    sent, done = [], threading.Event()

    def send(content, buffers=()):
        sent.append((content, buffers))
        done.set()

    monkeypatch.setattr(player, "send", send)
    player._handle_custom_msg({"kind": "save", "request": 3} | request, [])
    assert done.wait(30)
    return sent[0]


def test_it_plays_the_payload_of_its_trace(player):
    assert player.payload == payload_of(TRACE)


def test_every_format_has_its_kind_and_is_offered_by_the_page():
    assert FORMATS.keys() <= MIME.keys()
    offered = bundle(HERE / "player.js")
    assert all(f'"{suffix}"' in offered for suffix in FORMATS)


def test_a_page_is_handed_over_as_it_would_be_saved(player, monkeypatch, tmp_path):
    # A wish that pages do not have is left out.
    look = {"opacity": 0.2, "colour_map": "magma", "scale": "frame", "loop": "once"}
    content, buffers = asked_for(player, monkeypatch, suffix=".html", hold=3, **look)
    assert (content["kind"], content["request"], content["mime"]) == ("file", 3, "text/html")
    assert content["name"] == "some-rotation-brightness.html"
    assert buffers[0] == TRACE.save(tmp_path / "page.html", **look).read_bytes()


@pytest.fixture(scope="module")
def reference():
    return reference_of(list(TRACE.frames), lambda image: to_tensor(image), progress=lambda *_: None)


@pytest.fixture(scope="module")
def profile():
    random = np.random.default_rng(0)
    return ai.profile([(random.integers(0, 256, (16, 16, 3), np.uint8), place % 2) for place in range(8)])


@pytest.mark.parametrize("shown", [TRACE, BOTH], ids=["trace", "comparison"])
def test_animations_carry_the_data_if_that_was_asked_and_pages_always(monkeypatch, tmp_path, reference, shown):
    player = ai.Player(shown, reference=reference)
    for suffix in (".gif", ".webp"):
        _, bare = asked_for(player, monkeypatch, suffix=suffix, panels=[])
        assert bare[0] == shown.save(tmp_path / f"bare{suffix}").read_bytes()
        _, beside = asked_for(player, monkeypatch, suffix=suffix, panels=list(MEASURES))
        assert beside[0] == shown.save(tmp_path / f"beside{suffix}", panels=reference.panels).read_bytes()
        assert beside[0] != bare[0]
    # Others have no room for them.
    _, strip = asked_for(player, monkeypatch, suffix=".png", panels=list(MEASURES))
    assert strip[0] == shown.save(tmp_path / "strip.png").read_bytes()
    if shown is TRACE:
        _, page = asked_for(player, monkeypatch, suffix=".html")
        assert page[0] == TRACE.save(tmp_path / "page.html", reference=reference).read_bytes()


@pytest.mark.parametrize("names", [["entropy"], ["classes", "brightness"], ["sizes"]], ids=repr)
def test_only_the_chosen_panels_stand_beside_a_picture(monkeypatch, tmp_path, reference, profile, names):
    player = ai.Player(TRACE, reference=reference, profile=profile)
    _, made = asked_for(player, monkeypatch, suffix=".gif", panels=names)
    # The measures are those in which the frame is marked.
    panels = [reference[name] if name in MEASURES else profile[name] for name in names]
    assert made[0] == TRACE.save(tmp_path / "beside.gif", panels=panels).read_bytes()


def test_panels_are_offered_as_they_become_known(reference, profile):
    player = ai.Player(TRACE)
    assert player.panels == []
    player.show_reference(reference)
    measures = [{"name": name, "title": name.capitalize(), "usual": True} for name in MEASURES]
    assert player.panels == measures
    player.show_profile(profile)
    others = [panel for panel in profile.panels if panel.name not in MEASURES]
    assert {"classes", "sizes", "duplicates"} <= {panel.name for panel in others}
    more = [{"name": panel.name, "title": panel.title, "usual": False} for panel in others]
    assert player.panels == measures + more
    player.announce_reference("measuring")
    assert [each["name"] for each in player.panels] == [panel.name for panel in profile.panels]
    assert not any(each["usual"] for each in player.panels)
    player.show_profile(None)
    assert player.panels == []


def test_where_the_data_is_gone_a_file_is_made_without(player, monkeypatch, tmp_path):
    _, made = asked_for(player, monkeypatch, suffix=".gif", panels=list(MEASURES))
    assert made[0] == TRACE.save(tmp_path / "bare.gif").read_bytes()
    _, page = asked_for(player, monkeypatch, suffix=".html")
    assert page[0] == TRACE.save(tmp_path / "page.html").read_bytes()


def test_of_two_those_files_are_offered_that_have_room_for_two(player, monkeypatch, tmp_path):
    assert player.formats == list(FORMATS)
    player.show(BOTH)
    assert player.trace is TRACE
    assert player.payload == payload_of(BOTH)
    assert player.formats == list(COMPARISON_FORMATS)
    content, buffers = asked_for(player, monkeypatch, suffix=".csv")
    assert content["name"] == "some-rotation-brightness.csv"
    assert buffers[0] == BOTH.save(tmp_path / "both.csv").read_bytes()
    content, buffers = asked_for(player, monkeypatch, suffix=".gif", opacity=0.3)
    assert buffers[0] == BOTH.save(tmp_path / "both.gif", opacity=0.3).read_bytes()
    content, _ = asked_for(player, monkeypatch, suffix=".npz")
    assert content["kind"] == "error"
    assert "has the suffix '.npz'; expected one of .gif" in content["text"]
    player.show(TRACE)
    assert player.formats == list(FORMATS)


def test_a_player_alone_begins_with_a_comparison_too():
    player = ai.Player(BOTH, frame=2)
    assert (player.frame, player.payload["second"]["name"]) == (2, "two")
    player.clear()
    assert player.trace is None
    assert player.payload == {}


def test_a_wish_that_is_out_of_range_is_said(player, monkeypatch):
    content, _ = asked_for(player, monkeypatch, suffix=".html", opacity=7)
    assert content["kind"] == "error"
    assert content["text"].startswith("the file could not be made: opacity is 7")


def test_a_preview_travels_with_the_original_where_it_is_new(player):
    player.show_preview(TRACE)
    assert player.preview == still_of(TRACE)
    player.show_preview(TRACE[1:2], TRACE.neutral)
    assert player.preview == still_of(TRACE[1:2]) | {"neutral": still_of(TRACE.neutral)}
    player.show_preview(BOTH, BOTH)
    assert player.preview == still_of(BOTH) | {"neutral": still_of(BOTH)}


def test_frames_that_are_not_square_are_played_too():
    wide = replace(TRACE, frames=np.zeros((4, 10, 60, 3), np.uint8), maps=np.ones((4, 1, 30), np.float32))
    payload = ai.Player(wide).payload
    assert (payload["height"], payload["width"]) == (1, 30)
