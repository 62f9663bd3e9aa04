"""Models and data that are on a cluster: the same answers as here, whatever happens to workers and scheduler."""

from __future__ import annotations

import io
import os
import signal
import threading
import time

import numpy as np
import pytest
from distributed import LocalCluster

from augimpact.data.image import example
from augimpact.errors import Cancelled, ImageError, ModelError, ParameterError, UserError
from augimpact.impact.scheduler import own_cluster
from augimpact.widgets.asker import Asker
from augimpact.widgets.choices import state_of
from augimpact.widgets.dataset import DataBeside
from augimpact.widgets.gallery import Gallery
from augimpact.widgets.given_data import GivenData
from augimpact.widgets.model_list import BUILTIN, ModelList
from augimpact.widgets.on_worker import CONTENTS
from augimpact.widgets.remote import RemoteAsker, RemoteData, check_cluster, offer_of

PIXELS = 40_000_000
# Answers of other threads differ in rounding.
CLOSE = {"atol": 1e-5}


def nothing(_done: int, _total: int) -> None:
    """No progress."""


def never() -> bool:
    return False


class Side:
    """One page, here or there."""

    def __init__(self, scheduler: str | None, models=(BUILTIN,), data: object = None, private: bool = True) -> None:
        self.told: list[str] = []
        self.gallery = Gallery(max_pixels=PIXELS, private=private)
        models_here = ModelList(models, private=private)
        self.state = state_of(self.gallery.names, models_here.names, {"frames": 6})
        if scheduler is None:
            self.asker, self.data = (
                Asker(self.gallery, models_here),
                DataBeside(GivenData(data, private=private), models_here),
            )
        else:
            offer = offer_of(models, data, private=private, max_pixels=PIXELS)
            self.asker = RemoteAsker(self.gallery, offer, scheduler, self.told.append)
            self.data = RemoteData(self.asker, offer)

    def swept(self, **choices):
        return self.asker.swept(self.state | choices, progress=nothing, cancelled=never)


@pytest.fixture(scope="module")
def client():
    with own_cluster(1) as client:
        yield client


@pytest.fixture(scope="module")
def address(client) -> str:
    return client.scheduler.address


@pytest.fixture
def there(address):
    side = Side(address)
    yield side
    side.asker.close()


@pytest.fixture(scope="module")
def here() -> Side:
    return Side(None)


def same(one, other) -> None:
    assert np.abs(one.frames.astype(int) - other.frames).max() <= 1
    for name in ("scores", "maps", "homographies"):
        np.testing.assert_allclose(getattr(one, name), getattr(other, name), **CLOSE)
    assert one.predictions.tolist() == other.predictions.tolist()
    assert one.recipe["image"] == other.recipe["image"]
    assert one.recipe["classifier"] == other.recipe["classifier"]


def png(name: str) -> bytes:
    file = io.BytesIO()
    example(name).save(file, format="PNG")
    return file.getvalue()


def test_frames_sweeps_and_grids_are_those_of_one_process(here, there):
    setting = {"brightness": 1.7, "rotation": 20.0}
    same(there.asker.explained(there.state, setting), here.asker.explained(here.state, setting))
    one, other = there.swept(), here.swept()
    same(one, other)
    same(one.neutral, other.neutral)
    ranges = {"rotation": [-30, 30], "brightness": [0.5, 2]}
    surfaces = [
        side.asker.grid(side.state | {"ranges": ranges, "grid_steps": 3}, progress=nothing, cancelled=never)
        for side in (there, here)
    ]
    np.testing.assert_allclose(surfaces[0].scores, surfaces[1].scores, **CLOSE)


def test_a_worker_keeps_no_answer(client, there):
    there.swept()
    _wait_until(lambda: not _tasks(client))


def test_what_there_is_to_choose_comes_from_the_worker(here, there):
    assert not there.asker.is_ready(there.state)
    assert there.asker.about(there.state) == here.asker.about(here.state)
    assert there.asker.device(there.state) == here.asker.device(here.state)
    there.asker.explained(there.state, {})
    assert there.asker.is_ready(there.state)


def test_two_methods_and_a_second_image_work_there_too(here, there):
    for side in (here, there):
        side.gallery.upload("cup.png", png("coffee"))
    choices = {"image": "cat", "second": "cup.png", "beside_method": "gradcam++", "ranges": {"mixup": [0, 0.5]}}
    one, other = there.swept(**choices), here.swept(**choices)
    assert list(one.traces) == list(other.traces)
    for name in one.traces:
        same(one.traces[name], other.traces[name])


def test_a_picture_is_sent_once(client, there, monkeypatch):
    there.gallery.upload("mine.png", png("coffee") + b"once")
    sent = []
    contents = there.asker._pictures.contents
    monkeypatch.setattr(there.asker._pictures, "contents", lambda digests: sent.append(digests) or contents(digests))
    state = there.state | {"image": "mine.png"}
    for brightness in (1.0, 1.2, 1.4):
        there.asker.explained(state, {"brightness": brightness})
    there.swept(image="mine.png")
    assert len(sent) == 1
    # A worker that has forgotten all is sent it anew.
    client.run(_forget)
    there.asker.explained(state, {"brightness": 1.6})
    assert len(sent) == 2


def _forget() -> None:
    from augimpact.widgets import on_worker

    on_worker.CONTENTS._known.clear()
    on_worker.APPS_KEPT.clear()


def test_contents_are_bounded():
    small = type(CONTENTS)(10)
    small.add({"a": b"12345", "b": b"12345"})
    small.find("a")
    small.add({"c": b"123"})
    assert [name for name in "abc" if name in small._known] == ["a", "c"]
    small.add({"d": b"1" * 30})
    assert list(small._known) == ["d"]


def test_mistakes_are_told_as_they_are_here(here, there):
    for error, words, choices in [
        (UserError, "unknown method 'nope'", {"method": "nope"}),
        (ParameterError, "rotation is", {"ranges": {"rotation": [0, 1e9]}}),
        (UserError, "expected at most", {"frames": 500, "beside_method": "gradcam++"}),
    ]:
        said = []
        for side in (here, there):
            with pytest.raises(error, match=words) as raised:
                side.swept(**choices)
            said.append(str(raised.value))
        assert said[0] == said[1]
    there.gallery._sources["broken.png"] = b"this is no image"
    with pytest.raises(ImageError, match=r"'broken\.png' is not an image"):
        there.asker.explained(there.state | {"image": "broken.png"}, {})


def test_what_nobody_can_mend_arrives_as_its_kind_alone(there):
    with pytest.raises(RuntimeError, match="beside_model") as raised:
        there.asker._link.ask(_question(there, drop="beside_model"), lambda _digests: {})
    assert type(raised.value).__name__ == "KeyError"
    assert "Traceback" in raised.value.__notes__[0]


def _question(side: Side, drop: str):
    from augimpact.widgets.questions import Question

    asker = side.asker
    state = {name: value for name, value in side.state.items() if name != drop}
    pictures = {name: asker._pictures.of(name) for name in side.gallery.names}
    return Question("explained", asker._offer, asker._page, asker._topic, 10_000, state, pictures=pictures)


def test_progress_arrives_and_what_is_cancelled_stops_at_its_next_chunk(client, there):
    done: list[int] = []
    cancelled = threading.Event()

    def progress(at: int, _total: int) -> None:
        done.append(at)
        if at > 0:
            cancelled.set()

    with pytest.raises(Cancelled):
        there.asker.swept(there.state | {"frames": 300}, progress=progress, cancelled=cancelled.is_set)
    assert 0 < done[-1] < 300
    _wait_until(lambda: not _tasks(client))


def test_a_page_that_is_closed_leaves_no_work(client, address):
    side = Side(address)
    side.asker.about(side.state)
    begun = threading.Event()

    def sweep() -> None:
        with pytest.raises(Cancelled):
            side.asker.swept(side.state | {"frames": 400}, progress=lambda *_: begun.set(), cancelled=never)

    thread = threading.Thread(target=sweep)
    thread.start()
    assert begun.wait(60)
    side.asker.close()
    thread.join(30)
    assert not thread.is_alive()
    _wait_until(lambda: not _tasks(client))


def _tasks(client) -> list[str]:
    """Those of questions, on all workers."""
    found = client.run(lambda dask_worker: [str(key) for key in dask_worker.state.tasks if "augimpact" in str(key)])
    return [key for keys in found.values() for key in keys]


def _wait_until(condition, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_the_folder_of_the_data_is_measured_there(address, tmp_path):
    for name in ("cat", "coffee"):
        example(name).save(tmp_path / f"{name}.png")
    found, told = [], []
    for scheduler in (None, address):
        side = Side(scheduler, data=tmp_path)
        wanted = side.data.wanted(side.state)
        assert side.data.known(wanted) is None
        found.append(side.data.measure(wanted, lambda done, total: told.append((done, total)), never))
        assert side.data.known(side.data.wanted(side.state)) is found[-1]
        side.asker.close()
    assert found[0].payload() == found[1].payload()
    assert told[-1] == (2, 2)


def test_a_missing_folder_model_or_scheduler_is_told_at_the_start(address, tmp_path):
    def offer(models=(BUILTIN,), data=None):
        return offer_of(models, data, private=True, max_pixels=PIXELS)

    check_cluster(address, offer())
    with pytest.raises(UserError, match="there is no folder"):
        check_cluster(address, offer(data=str(tmp_path / "none")))
    with pytest.raises(ModelError, match="unknown model 'resnet51'"):
        check_cluster(address, offer(["resnet51"]))
    with pytest.raises(ModelError, match=r"no scheduler answers at 'tcp://127\.0\.0\.1:9'"):
        check_cluster("tcp://127.0.0.1:9", offer())
    with pytest.raises(UserError, match="expected a name"):
        offer([object()])


def test_a_file_of_one_s_own_is_found_from_wherever_a_worker_was_started(tmp_path, monkeypatch):
    (tmp_path / "net.py").write_text("")
    monkeypatch.chdir(tmp_path)
    offer = offer_of(["net.py:Net", "resnet18"], None, private=True, max_pixels=1)
    assert offer.models == (f"{tmp_path / 'net.py'}:Net", "resnet18")


def test_a_killed_worker_has_its_sweep_made_once_more(there, client):
    there.asker.about(there.state)
    killed = []

    def kill(at: int, _total: int) -> None:
        if at > 0 and not killed:
            killed.append(next(iter(client.run(os.getpid).values())))
            os.kill(killed[0], signal.SIGKILL)

    trace = there.asker.swept(there.state | {"frames": 100}, progress=kill, cancelled=never)
    assert len(trace) == 100
    assert killed
    assert killed[0] not in client.run(os.getpid).values()


def test_what_kills_its_worker_is_not_tried_for_ever(address, tmp_path):
    (tmp_path / "deadly.py").write_text("import os, time\n\ndef net():\n    time.sleep(0.5)\n    os._exit(1)\n")
    side = Side(address, models=[f"{tmp_path / 'deadly.py'}:net"])
    with pytest.raises(ModelError, match="workers died one after the other"):
        side.swept()
    side.asker.close()


def test_a_page_waits_for_a_worker_and_goes_on():
    with LocalCluster(n_workers=0, threads_per_worker=1, dashboard_address=None, processes=False) as cluster:
        side = Side(cluster.scheduler_address)
        threading.Timer(2.5, lambda: cluster.scale(1)).start()
        assert len(side.swept()) == 6
        side.asker.close()
    assert side.told[0] == "the cluster has no worker now; this page goes on as soon as one is there…"
    assert side.told[-1] == ""


def test_a_page_waits_for_a_scheduler_and_goes_on():
    def cluster(port: int = 0) -> LocalCluster:
        return LocalCluster(
            n_workers=1, threads_per_worker=1, dashboard_address=None, processes=False, protocol="tcp",
            host="127.0.0.1", scheduler_port=port,
        )  # fmt: skip

    with cluster() as first:
        side = Side(first.scheduler_address)
        assert len(side.swept()) == 6
        port = int(first.scheduler_address.rpartition(":")[2])
    answers = []
    thread = threading.Thread(target=lambda: answers.append(side.swept()))
    thread.start()
    _wait_until(lambda: side.told)
    with cluster(port):
        thread.join(60)
        side.asker.close()
    assert len(answers[0]) == 6
    assert side.told[0] == "the cluster does not answer; this page goes on as soon as it does…"
    assert side.told[-1] == ""
