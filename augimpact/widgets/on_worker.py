"""A page's questions as a worker of the cluster answers them: models once for all pages, images once for each worker.

Every page has an `Asker` here, the same as a page without a cluster has in its kernel; the last ones are kept, with
what they have prepared. Long work leaves its thread to others (Dask's `secede`), stops at its next chunk when nobody
waits for it any more, and tells how far it is as an event of the scheduler. What may be asked is checked here as it
would be in a kernel.
"""

from __future__ import annotations

import importlib.metadata
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from distributed import get_worker, secede

from augimpact.augment.plugins import load_plugins
from augimpact.data.image import EXAMPLE, read_image, read_upload
from augimpact.errors import Cancelled, ImageError, ModelError, UserError
from augimpact.explain.methods import METHODS
from augimpact.memory import keep_freed_memory
from augimpact.payload import Beside
from augimpact.widgets.asker import Asker
from augimpact.widgets.asking import Cancelling, State, Telling
from augimpact.widgets.dataset import DataBeside, ExamplePhotographs, check_data
from augimpact.widgets.gate import Gate
from augimpact.widgets.given_data import GivenData
from augimpact.widgets.idle import release_when_idle
from augimpact.widgets.model_list import ModelList
from augimpact.widgets.questions import Answer, Facts, Failure, Offer, Picture, Question

if TYPE_CHECKING:
    from augimpact.comparison import Comparison
    from augimpact.trace import Trace

__all__ = ["answer", "check_offer", "keep_pictures"]

# What a worker keeps at most: apps, models and pages of each, and bytes of images that were sent.
APPS, MODELS, PAGES, PICTURE_BYTES = 3, 8, 16, 64_000_000
LONG = ("swept", "grid", "measured")
# What has its turn first.
RANKS = {"facts": 0, "explained": 0, "swept": 1, "grid": 1, "measured": 2}
# Seconds between two words of progress, and how often a page that waits for another's measuring looks up.
TOLD_EVERY, LOOK_EVERY = 0.05, 0.1


class Unseen(Exception):  # noqa: N818 - a request
    """The content of a picture is needed, and is not here."""


class Kept(OrderedDict[Any, Any]):
    """The values that were used last; made where there are none. For several threads."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most, self._lock = most, threading.Lock()

    def made(self, key: Any, make: Callable[[], Any]) -> Any:
        """The value of this key."""
        with self._lock:
            value = self.pop(key) if key in self else make()
            self[key] = value
            while len(self) > self._most:
                self.popitem(last=False)
            return value


class Contents:
    """Files that kernels sent, by their digest; the last ones are kept. For several threads."""

    def __init__(self, most_bytes: int) -> None:
        self._most, self._lock = most_bytes, threading.Lock()
        self._known: OrderedDict[str, bytes] = OrderedDict()

    def add(self, contents: Mapping[str, bytes]) -> None:
        """Keeps these, which are needed next, whatever their size."""
        with self._lock:
            for digest, content in contents.items():
                self._known.pop(digest, None)
                self._known[digest] = content
            while len(self._known) > len(contents) and sum(map(len, self._known.values())) > self._most:
                self._known.popitem(last=False)

    def find(self, digest: str) -> bytes:
        """The content.

        Raises:
            Unseen: it is not here.
        """
        with self._lock:
            if digest not in self._known:
                raise Unseen(digest)
            self._known.move_to_end(digest)
            return self._known[digest]


class SentPictures:
    """The images of one page, as `Asker` asks a `Gallery` for them; those that its question names."""

    def __init__(self, max_pixels: int) -> None:
        self._max_pixels = max_pixels
        self.named: Mapping[str, Picture] = {}

    def source(self, name: str) -> str:
        """The same object as long as the name means the same image."""
        picture = self.named[name]
        return sys.intern(f"{picture.digest} {picture.source}")

    def open(self, name: str) -> Any:
        """What `subject_of` takes."""
        picture = self.named[name]
        if picture.digest.startswith(EXAMPLE):
            return picture.digest
        content = CONTENTS.find(picture.digest)
        if picture.is_upload:
            return read_upload(name, content, self._max_pixels)
        try:
            return read_image(content)
        except ImageError as error:
            raise ImageError(str(error).replace(f"the image of {len(content)} bytes", repr(name))) from None


class Page:
    """One page's asker; one question at a time."""

    def __init__(self, offer: Offer, models: ModelList) -> None:
        self.pictures = SentPictures(offer.max_pixels)
        self.asker = Asker(self.pictures, models)
        self.lock = threading.Lock()


class App:
    """What all pages of one app share on this worker."""

    def __init__(self, offer: Offer) -> None:
        own = importlib.metadata.version("augimpact")
        if own != offer.version:
            raise ModelError(f"a worker has augimpact {own}; expected {offer.version}, as the app has")
        load_plugins(offer.plugins)
        self._offer = offer
        self.models = ModelList(offer.models, private=offer.private, kept=MODELS)
        self._pages = Kept(PAGES)
        self._measuring = threading.Lock()
        self._beside: DataBeside | None = None

    def page(self, name: str) -> Page:
        """Of this page, made anew where it is none of the last ones."""
        page: Page = self._pages.made(name, lambda: Page(self._offer, self.models))
        return page

    def facts(self, state: State) -> Facts:
        """Of the model that is chosen."""
        asker = Asker(SentPictures(0), self.models)
        inputs = self.models.load(state["model"], state["device"]).inputs
        return Facts(asker.about(state), asker.device(state), repr(inputs))

    def measured(self, question: Question, tell: Telling, cancelled: Cancelling) -> Any:
        """The data for the input of the chosen model; several pages that ask for it wait for one."""
        while not self._measuring.acquire(timeout=LOOK_EVERY):
            if cancelled():
                raise Cancelled
        try:
            beside = self._beside = self._beside or self._data()
            with GATE.turn(RANKS["measured"], cancelled):
                wanted = beside.wanted(question.state)
                if wanted is None:
                    raise UserError("there is no data of images to be measured")
                return beside.known(wanted) or beside.measure(wanted, tell, cancelled)
        finally:
            self._measuring.release()

    def _data(self) -> DataBeside:
        data = ExamplePhotographs() if self._offer.data is None else self._offer.data
        return DataBeside(GivenData(data if self._offer.has_data else None, private=self._offer.private), self.models)


# What is remembered here is the worker's: its process is asked by many kernels.
GATE = Gate()
CONTENTS = Contents(PICTURE_BYTES)
APPS_KEPT = Kept(APPS)


def keep_pictures(contents: Mapping[str, bytes]) -> None:
    """Has these at hand for the next question."""
    CONTENTS.add(contents)


def check_offer(offer: Offer) -> None:
    """Nothing, if this worker can do what an app's pages will ask.

    Raises:
        UserError: a model, plugin or folder is missing here, or another version of augimpact.
    """
    from augimpact.models.names import check_name

    App(offer)
    for model in offer.models:
        check_name(model)
    if offer.data is not None:
        check_data(Path(offer.data))


def answer(question: Question) -> Answer:
    """The task of Dask: a question of a page in, its answer out; whatever goes wrong is an answer, too."""
    worker = get_worker()
    cancelled = _cancelling(worker)
    try:
        if _is_long(question):
            secede()
        return Answer(worker.address, _result(question, _telling(worker, question, cancelled), cancelled))
    except Unseen:
        digests = [each.digest for each in question.pictures.values() if not each.digest.startswith(EXAMPLE)]
        return Answer(worker.address, unseen=tuple(digests))
    except (Exception, Cancelled) as error:
        return Answer(worker.address, failure=Failure.of(error))


def _result(question: Question, tell: Telling, cancelled: Cancelling) -> Any:
    app: App = APPS_KEPT.made(question.offer, lambda: _made(question.offer))
    if question.kind == "facts":
        with GATE.turn(RANKS["facts"], cancelled):
            return app.facts(question.state)
    if question.kind == "measured":
        return app.measured(question, tell, cancelled)
    page = app.page(question.page)
    with _alone(page, question), GATE.turn(RANKS[question.kind], cancelled):
        page.pictures.named = question.pictures
        if question.kind == "explained":
            return _measured(page.asker.explained(question.state, question.setting))
        if question.kind == "swept":
            return _measured(page.asker.swept(question.state, progress=tell, cancelled=cancelled))
        return page.asker.grid(question.state, progress=tell, cancelled=cancelled)


def _measured(shown: Trace | Comparison) -> Trace | Comparison:
    """The same, which keeps the measures of its frames: the page's kernel has no torch to make them with."""
    for trace in shown.traces.values() if isinstance(shown, Beside) else [shown]:
        for each in (trace, trace.neutral):
            if each is not None and each.signals is None:
                each.measures()
    return shown


@contextmanager
def _alone(page: Page, question: Question) -> Iterator[None]:
    """One question of a page at a time: a sweep that was cancelled may be at its last chunk still."""
    if not page.lock.acquire(blocking=False):
        if not _is_long(question):
            # Other pages shall not wait as well.
            secede()
        page.lock.acquire()
    try:
        yield
    finally:
        page.lock.release()


def _made(offer: Offer) -> App:
    keep_freed_memory()
    release_when_idle()
    return App(offer)


def _is_long(question: Question) -> bool:
    """Whether it takes so long that its thread is left to others; who asks for an unknown method is told later."""
    names = {question.state[name] for name in ("method", "beside_method")}
    return question.kind in LONG or any(METHODS[name].slow for name in names & METHODS.keys())


def _cancelling(worker: Any) -> Cancelling:
    """Whether nobody waits for the task of this thread any more: its page chose anew, was closed, or died."""
    key = worker.get_current_task()

    def cancelled() -> bool:
        task = worker.state.tasks.get(key)
        return task is None or task.state == "cancelled"

    return cancelled


def _telling(worker: Any, question: Question, cancelled: Cancelling) -> Telling:
    """Tells the page how far its question is, and that it has begun; hands the turn on between two chunks."""
    told = 0.0

    def tell(done: int, total: int) -> None:
        nonlocal told
        now = time.monotonic()
        if now - told > TOLD_EVERY or done == total:
            told = now
            worker.log_event(question.topic, [question.page, question.number, done, total])
        GATE.hand_on(RANKS[question.kind], cancelled)

    if question.kind in LONG:
        worker.log_event(question.topic, [question.page, question.number, -1, 0])
    return tell
