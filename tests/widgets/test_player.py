"""The player alone, called as the browser would call it."""

from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np
import pytest

import augimpact as ai
from augimpact.formats import FORMATS
from augimpact.payload import payload_of, still_of
from augimpact.render.page import bundle
from augimpact.widgets.player import HERE, MIME
from tests.test_trace import TRACE


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
    assert MIME.keys() == FORMATS.keys()
    offered = bundle(HERE / "player.js")
    assert all(f'"{suffix}"' in offered for suffix in MIME)


def test_a_page_is_handed_over_as_it_would_be_saved(player, monkeypatch, tmp_path):
    # A wish that pages do not have is left out.
    look = {"opacity": 0.2, "colour_map": "magma", "scale": "frame", "loop": "once"}
    content, buffers = asked_for(player, monkeypatch, suffix=".html", hold=3, **look)
    assert (content["kind"], content["request"], content["mime"]) == ("file", 3, "text/html")
    assert content["name"] == "some-rotation-brightness.html"
    assert buffers[0] == TRACE.save(tmp_path / "page.html", **look).read_bytes()


def test_a_wish_that_is_out_of_range_is_said(player, monkeypatch):
    content, _ = asked_for(player, monkeypatch, suffix=".html", opacity=7)
    assert content["kind"] == "error"
    assert content["text"].startswith("the file could not be made: opacity is 7")


def test_a_preview_travels_with_the_original_where_it_is_new(player):
    player.show_preview(TRACE)
    assert player.preview == still_of(TRACE)
    player.show_preview(TRACE[1:2], TRACE.neutral)
    assert player.preview == still_of(TRACE[1:2]) | {"neutral": still_of(TRACE.neutral)}


def test_frames_that_are_not_square_are_played_too():
    wide = replace(TRACE, frames=np.zeros((4, 10, 60, 3), np.uint8), maps=np.ones((4, 1, 30), np.float32))
    payload = ai.Player(wide).payload
    assert (payload["height"], payload["width"]) == (1, 30)
