"""The panels of the data under the player, without a browser."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest
import torch
from PIL import Image

import augimpact as ai
from augimpact.errors import Cancelled
from augimpact.profiling import extract
from augimpact.widgets import data_panels
from augimpact.widgets.board import Board
from augimpact.widgets.data_panels import ABOUT, CANCEL, HIDE, OFFER, PRIVATE_ERROR, SIZES, DataPanels
from augimpact.widgets.gate import turns_at
from augimpact.widgets.given_data import GivenData
from augimpact.widgets.worker import UNREADABLE


def images(count=12):
    random = np.random.default_rng(0)
    return [(random.integers(0, 256, (16, 16, 3), dtype=np.uint8), place % 2) for place in range(count)]


def wait_for(is_so):
    deadline = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def board_of(panels):
    panels.button.click()
    wait_for(lambda: panels.shown is not None)
    board = panels.shown.children[-1]
    assert isinstance(board, Board)
    return board


def test_a_click_brings_the_boards_of_the_datas_profile():
    panels = DataPanels(GivenData(images()))
    assert panels.button.description == OFFER
    board = board_of(panels)
    assert board.profile["classes"].statistics["counts"]["train"] == {"class 0": 6, "class 1": 6}
    assert board.profile["mean_images"]
    # Neither a picture nor a place of any sample.
    assert not {"samples", "extremes"} & {panel.name for panel in board.profile.panels}
    assert not board.profile.paths


def test_images_without_classes_have_no_panel_of_classes():
    bare = [image for image, _ in images()]
    board = board_of(DataPanels(GivenData(bare)))
    names = {panel.name for panel in board.profile.panels}
    assert "classes" not in names
    assert {"sizes", "mean_images"} <= names


@pytest.mark.parametrize("classes", [(), ("cat", "dog")])
def test_what_the_folder_is_called_reaches_no_page(tmp_path, monkeypatch, classes):
    folder = tmp_path / "secretpatients"
    for place, (image, _) in enumerate(images()):
        inner = folder / ("", *classes)[place % (1 + len(classes))]
        inner.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(inner / f"{place}.png")
    # So few that none of them may be one without a class.
    for most in (12, 1):
        monkeypatch.setattr(data_panels, "MOST_SAMPLES", most)
        board = board_of(DataPanels(GivenData(folder, private=True, sealed=True)))
        for name in board.groups:
            board.tabs.selected = name
        sent = repr([page.value for page in board.pages.values()])
        assert "data:image/png" in sent
        assert "secretpatients" not in sent + repr(board.profile.document())
        assert all(name in sent for name in classes)


def test_the_profile_is_handed_on():
    found = []
    board = board_of(DataPanels(GivenData(images()), found=found.append))
    wait_for(lambda: found == [board.profile])


def test_whatever_can_be_profiled_has_panels():
    masks = [(image, np.full((16, 16), label, np.uint8)) for image, label in images()]
    board = board_of(DataPanels(GivenData(masks)))
    assert board.profile["mask_classes"].statistics["train"]["images"] == 12
    loader = torch.utils.data.DataLoader([(torch.rand(3, 16, 16), label) for _, label in images()], batch_size=5)
    board = board_of(DataPanels(GivenData(loader)))
    assert board.profile["classes"].statistics["counts"]["train"] == {"class 0": 6, "class 1": 6}


def test_what_cannot_be_told_is_asked_for_and_given():
    named = [(image, ("cat", "dog")[label]) for image, label in images()]
    panels = DataPanels(GivenData(named))
    panels.button.click()
    wait_for(lambda: "pass labels='[1]'" in panels.button.note)
    assert "data_options" in panels.button.note
    board = board_of(DataPanels(GivenData(named, {"labels": "[1]"})))
    assert board.profile["classes"].statistics["counts"]["train"] == {"cat": 6, "dog": 6}


def test_of_sealed_data_no_mean_is_shown():
    board = board_of(DataPanels(GivenData(images(), private=True, sealed=True)))
    assert "mean_images" not in {panel.name for panel in board.profile.panels}
    assert "<img" in board.pages["overview"].value


def test_of_much_data_some_are_drawn_and_that_is_said(monkeypatch):
    monkeypatch.setattr(data_panels, "MOST_SAMPLES", 5)
    panels = DataPanels(GivenData(images()))
    assert len(board_of(panels).profile.frames["train"]) == 5
    assert "5 images, drawn by chance" in panels.shown.children[0].value


def test_the_button_stays_and_hides_the_board_and_shows_it_again():
    found = []
    panels = DataPanels(GivenData(images()), found=found.append)
    board = board_of(panels)
    wait_for(lambda: panels.button.description == HIDE)
    assert panels.box.children == (panels.button, panels.shown)
    assert panels.button.opened
    assert SIZES in panels.shown.children[0].value
    assert panels.button.note == ""
    for _ in range(2):
        panels.button.click()
        assert (panels.button.description, panels.shown.layout.display) == (OFFER, "none")
        assert not panels.button.opened
        assert panels.button.note == ABOUT
        panels.button.click()
        assert (panels.button.description, panels.shown.layout.display) == (HIDE, None)
    # Nothing was looked at again.
    assert panels.shown.children[-1] is board
    assert panels._cancelled is None
    assert found == [board.profile]


class Alone(list):
    """Somebody's dataset, made for one thread at a time."""

    threads = ()

    def __getitem__(self, index):
        self.threads = {*self.threads, threading.get_ident()}
        busy = self.busy.acquire(blocking=False)
        assert busy, "two threads read at once"
        time.sleep(0.002)
        try:
            return super().__getitem__(index)
        finally:
            self.busy.release()


def test_card_and_panels_take_turns_at_somebodys_dataset(classifier):
    data = Alone(images(60))
    data.busy = threading.Lock()
    explorer = ai.Explorer(classifier=classifier, frames=4, data=data, show_data=True)
    try:
        explorer.controls._handle_custom_msg({"kind": "ready"}, [])
        wait_for(lambda: data.threads)
        board = board_of(explorer._panels)
        assert board.profile["errors"].statistics["train"]["count"] == 0
        wait_for(lambda: explorer.player.reference is not None)
        assert (explorer.player.reference.count, explorer.player.reference.failed) == (60, 0)
        assert len(data.threads) == 2
    finally:
        explorer.close()


def test_who_waits_for_a_turn_can_be_cancelled():
    turn = turns_at(Alone())
    with turn(lambda: False), pytest.raises(Cancelled), turn(lambda: True):
        pass
    # Files may be read by many.
    turn = turns_at("folder")
    with turn(lambda: False), turn(lambda: False):
        pass


def test_it_can_be_cancelled_and_begun_anew(monkeypatch):
    begun, may_go_on = threading.Event(), threading.Event()
    real = extract.profile

    def slow(*given, progress, **options):
        def tell(done, total):
            begun.set()
            may_go_on.wait(60)
            progress(done, total)

        return real(*given, progress=tell, **options)

    monkeypatch.setattr(extract, "profile", slow)
    panels = DataPanels(GivenData(images()))
    panels.button.click()
    assert panels.button.description == CANCEL
    assert begun.wait(60)
    panels.button.click()
    # At once, though the image that is looked at takes its time; and so is the next click heard.
    assert (panels.button.description, panels.button.note) == (OFFER, "cancelled")
    panels.button.click()
    assert panels.button.description == CANCEL
    may_go_on.set()
    wait_for(lambda: panels.button.description == HIDE)
    assert panels.shown.children[1].profile["classes"].statistics["counts"]["train"] == {"class 0": 6, "class 1": 6}
    assert panels.box.children == (panels.button, panels.shown)


@pytest.mark.parametrize("private", [False, True])
def test_what_is_wrong_is_said_but_no_path_to_strangers(tmp_path, private):
    panels = DataPanels(GivenData(tmp_path / "secret", private=private, sealed=True))
    panels.button.click()
    wait_for(lambda: panels._cancelled is None)
    assert panels.button.description == OFFER
    assert ("secret" in panels.button.note) == (not private)
    assert (panels.button.note == PRIVATE_ERROR) == private


def test_that_no_image_can_be_read_is_said_to_strangers_too(tmp_path):
    (tmp_path / "secret.png").write_bytes(b"no image")
    panels = DataPanels(GivenData(tmp_path, private=True, sealed=True))
    panels.button.click()
    wait_for(lambda: panels._cancelled is None)
    assert panels.button.note == UNREADABLE
    # Here it is the labels that are wrong.
    panels = DataPanels(
        GivenData([(image, np.full((16, 16), np.nan)) for image, _ in images()], private=True, sealed=True)
    )
    panels.button.click()
    wait_for(lambda: panels._cancelled is None)
    assert panels.button.note == PRIVATE_ERROR


def test_an_explorer_offers_them_where_there_is_data_that_can_be_gone_through_twice():
    for data, offers in ((images(), True), (None, False), (iter(images()), False)):
        explorer = ai.Explorer(data=data)
        assert (explorer._panels is not None) == offers
        explorer.close()
