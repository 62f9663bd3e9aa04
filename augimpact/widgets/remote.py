"""Models and data of a page that are elsewhere: the workers of a cluster answer, and this process imports no torch.

`RemoteAsker` and `RemoteData` are to `Tasks` what `Asker` and `DataBeside` are. A question carries what was chosen, and
which images are meant by what identifies them; the images' files follow once for each worker (`link.py`).
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import io
import itertools
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from PIL import Image

from augimpact.augment.plugins import PLUGINS_VARIABLE
from augimpact.data.image import EXAMPLE
from augimpact.errors import ImageError, ModelError, UserError
from augimpact.impact.scheduler import connect
from augimpact.widgets.asking import Cancelling, State, Telling
from augimpact.widgets.dataset import ExamplePhotographs
from augimpact.widgets.gallery import Gallery
from augimpact.widgets.link import TOPICS, Link
from augimpact.widgets.on_worker import check_offer
from augimpact.widgets.questions import Facts, Offer, Picture, Question

if TYPE_CHECKING:
    from augimpact.comparison import Comparison
    from augimpact.grid import Surface
    from augimpact.models.model import Model
    from augimpact.profiling.reference import Reference
    from augimpact.trace import Trace

__all__ = ["RemoteAsker", "RemoteData", "check_cluster", "offer_of"]

# Of so many images it is remembered what identifies them: the one that is shown, the second, and those before.
REMEMBERED = 6
# Seconds that are waited at the start for the scheduler, and for a worker that says whether it has all that is named.
PATIENCE, CHECKING = 5, 60


def offer_of(models: Iterable[Any], data: Any, *, private: bool, max_pixels: int) -> Offer:
    """What pages offer, as workers understand it.

    Raises:
        UserError: a model or the data has no name by which workers find it.
    """
    names = list(models)
    for name in names:
        if not isinstance(name, str):
            raise UserError(f"the model is a {type(name).__name__}; expected a name, by which workers load it")
    if not (data is None or isinstance(data, (str, os.PathLike, ExamplePhotographs))):
        raise UserError(f"the data is a {type(data).__name__}; expected a folder that the workers see")
    plugins = filter(None, os.environ.get(PLUGINS_VARIABLE, "").split(os.pathsep))
    return Offer(
        models=tuple(map(_whole, names)),
        data=None if data is None or isinstance(data, ExamplePhotographs) else _whole(os.fspath(data)),
        has_data=data is not None,
        plugins=tuple(str(Path(each).resolve()) for each in plugins),
        private=private,
        max_pixels=max_pixels,
        version=importlib.metadata.version("augimpact"),
    )


def check_cluster(scheduler: str, offer: Offer) -> None:
    """Tells a mistake before there is a page: of the address, and, if there is a worker, of what it is asked about.

    Raises:
        ModelError: no scheduler answers, or its workers cannot.
        UserError: a worker lacks a model, a plugin or the data.
    """
    with connect(scheduler, PATIENCE) as client:
        if not client.nthreads():
            return
        try:
            client.submit(check_offer, offer, pure=False).result(timeout=CHECKING)
        except UserError:
            raise
        except Exception as error:  # of an environment that is not ours
            reason, expected = f"{type(error).__name__}: {error}", f"augimpact {offer.version}"
            raise ModelError(f"the workers cannot answer ({reason}); expected {expected} there") from error


def _whole(name: str) -> str:
    """With its whole path, if it is a file or a folder here, or `FILE.py:NAME`."""
    place, colon, rest = name.rpartition(":") if ".py:" in name else (name, "", "")
    return f"{Path(place).resolve()}{colon}{rest}" if Path(place).exists() else name


class RemoteAsker:
    """Asks workers what `Asker` asks here; see there. For one thread.

    Args:
        gallery: knows which image a name means.
        offer: what may be asked about.
        scheduler: the address of the cluster's.
        on_wait: see `Link`.
    """

    def __init__(self, gallery: Gallery, offer: Offer, scheduler: str, on_wait: Callable[[str], object]) -> None:
        self._page = uuid4().hex
        self._topic = f"augimpact-{int(self._page, 16) % TOPICS}"
        self._offer = offer
        self._link = Link(scheduler, self._page, self._topic, on_wait)
        self._pictures = Pictures(gallery, private=offer.private)
        self._numbers = itertools.count()
        self._facts: dict[tuple[str, str], Facts] = {}
        # Models that have answered; a worker may still have to load one.
        self._answered: set[tuple[str, str]] = set()

    def is_ready(self, state: State) -> bool:
        """Whether these models have answered before."""
        return _models(state) <= self._answered

    def about(self, state: State) -> dict[str, Any]:
        """What there is to choose of the model."""
        return self.facts(state).about

    def device(self, state: State) -> str:
        """Where the model is on a worker."""
        return self.facts(state).device

    def facts(self, state: State) -> Facts:
        """What a worker has told of the model; asked once."""
        key = state["model"], state["device"]
        if key not in self._facts:
            self._facts[key] = self.ask("facts", state)
        return self._facts[key]

    def explained(self, state: State, setting: Mapping[str, float]) -> Trace | Comparison:
        """One frame."""
        shown: Trace | Comparison = self.ask("explained", state, setting=dict(setting))
        return shown

    def swept(self, state: State, *, progress: Telling, cancelled: Cancelling) -> Trace | Comparison:
        """The chosen sweep."""
        shown: Trace | Comparison = self.ask("swept", state, progress=progress, cancelled=cancelled)
        return shown

    def grid(self, state: State, *, progress: Telling, cancelled: Cancelling) -> Surface:
        """The two parameters that are ranges, against each other."""
        surface: Surface = self.ask("grid", state, progress=progress, cancelled=cancelled)
        return surface

    def ask(
        self,
        kind: str,
        state: State,
        *,
        progress: Telling | None = None,
        cancelled: Cancelling | None = None,
        **more: Any,
    ) -> Any:
        """The answer to a question; see `Question` for what there is more."""
        pictures = {name: self._pictures.of(name) for name in (state["image"], state["second"])}
        question = Question(
            kind, self._offer, self._page, self._topic, next(self._numbers), dict(state), pictures=pictures, **more
        )
        answer = self._link.ask(question, self._pictures.contents, progress=progress, cancelled=cancelled)
        if kind != "facts":
            self._answered |= _models(state)
        return answer

    def model(self, state: State) -> Model:  # noqa: ARG002 - as `Asker` has it
        """None is here.

        Raises:
            UserError: always.
        """
        raise UserError("the models are on the cluster; there `augimpact impact --scheduler` measures an impact")

    def close(self) -> None:
        """Ends the connection to the cluster."""
        self._link.close()


def _models(state: State) -> set[tuple[str, str]]:
    return {(name, state["device"]) for name in (state["model"], state["beside_model"] or state["model"])}


class Pictures:
    """What identifies the images of a gallery, and their files."""

    def __init__(self, gallery: Gallery, *, private: bool) -> None:
        self._gallery, self._private = gallery, private
        self._known: dict[str, tuple[Any, Picture]] = {}

    def of(self, name: str) -> Picture:
        """The picture of this name.

        Raises:
            UserError: there is none.
            ImageError: its file is gone.
        """
        source = self._gallery.source(name)
        known = self._known.pop(name, None)
        if known is None or known[0] is not source:
            known = source, self._made(name, source)
        self._known[name] = known
        for old in list(self._known)[:-REMEMBERED]:
            del self._known[old]
        return known[1]

    def contents(self, digests: Sequence[str]) -> dict[str, bytes]:
        """The files of these, by their digest."""
        return {
            picture.digest: _content(name, source)
            for name, (source, picture) in self._known.items()
            if picture.digest in digests
        }

    def _made(self, name: str, source: Any) -> Picture:
        if isinstance(source, str) and source.startswith(EXAMPLE):
            return Picture(source)
        is_upload = isinstance(source, bytes)
        digest = hashlib.blake2b(_content(name, source), digest_size=16, person=b"upload" if is_upload else b"file")
        told = str(Path(source).absolute()) if isinstance(source, str) and not self._private else None
        return Picture(digest.hexdigest(), is_upload, told)


def _content(name: str, source: Any) -> bytes:
    """The file of an image; one that was given as an object is written without loss."""
    if isinstance(source, bytes):
        return source
    if isinstance(source, Image.Image):
        file = io.BytesIO()
        source.save(file, format="PNG")
        return file.getvalue()
    try:
        return Path(source).read_bytes()
    except OSError as error:
        raise ImageError(f"the image {name!r} cannot be read: {error.strerror}") from error


@dataclass(frozen=True)
class RemoteWanted:
    """For which input of a model the data is measured, as a worker told it."""

    inputs: str
    state: State = field(compare=False, repr=False)


class RemoteData:
    """The data beside a page, which workers read and measure; what is known of it is kept here. See `DataBeside`."""

    def __init__(self, asker: RemoteAsker, offer: Offer) -> None:
        self._asker = asker
        self.exists = offer.has_data
        self._known: dict[RemoteWanted, Reference] = {}

    def wanted(self, state: State) -> RemoteWanted | None:
        """For which input of a model the data would be measured now; None where there is none."""
        return RemoteWanted(self._asker.facts(state).inputs, state) if self.exists else None

    def known(self, wanted: RemoteWanted) -> Reference | None:
        """What was measured for this input."""
        return self._known.get(wanted)

    def measure(self, wanted: RemoteWanted, progress: Telling, cancelled: Cancelling) -> Reference:
        """Has the data measured; a worker that was stopped at it goes on where it was.

        Raises:
            Cancelled: it was asked to stop.
            UserError: no image can be read there.
        """
        reference: Reference = self._asker.ask("measured", wanted.state, progress=progress, cancelled=cancelled)
        self._known[wanted] = reference
        return reference
