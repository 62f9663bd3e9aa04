"""What travels between a page's kernel and a worker of the cluster: plain data, and no torch on the kernel's side."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from augimpact.errors import Cancelled, UserError

__all__ = ["Answer", "Facts", "Failure", "Offer", "Picture", "Question", "WorkerError"]


class WorkerError(RuntimeError):
    """What went wrong on a worker that no user can mend; its class is called as the one there was."""


@dataclass(frozen=True)
class Offer:
    """What the pages of one app may ask about.

    Attributes:
        models: each what `load_classifier` takes, files by their whole path, which workers see as well.
        data: the folder that frames are compared with, None for the example photographs; see `has_data`.
        has_data: whether there is data at all.
        plugins: files with augmentations, likewise.
        private: that nobody who uses a page may learn of the machines.
        max_pixels: of an upload.
        version: of augimpact, which workers must have.
    """

    models: tuple[str, ...]
    data: str | None
    has_data: bool
    plugins: tuple[str, ...]
    private: bool
    max_pixels: int
    version: str


@dataclass(frozen=True)
class Picture:
    """An image by what identifies it; its content is sent to a worker that says that it lacks it.

    Attributes:
        digest: of the file's content, and of how it is read; or `example:` and a name, of which nothing has to be sent.
        is_upload: brought by a stranger, see `augimpact.data.image.read_upload`.
        source: the path that recipes tell, or None where there is none, or it may not be told.
    """

    digest: str
    is_upload: bool = False
    source: str | None = None


@dataclass(frozen=True)
class Question:
    """What a page asks once.

    Attributes:
        kind: `facts`, `explained`, `swept`, `grid` or `measured`.
        offer: within which it is asked.
        page: which one asks.
        topic: where it listens for progress.
        number: of the question, among all of this page.
        state: what is chosen there, see `Controls.state`.
        setting: of the one frame that is explained.
        pictures: the images that the names in `state` mean.
    """

    kind: str
    offer: Offer
    page: str
    topic: str
    number: int
    state: Mapping[str, Any]
    setting: Mapping[str, float] = field(default_factory=dict)
    pictures: Mapping[str, Picture] = field(default_factory=dict)


@dataclass(frozen=True)
class Facts:
    """What a page has to know of a model.

    Attributes:
        about: as `Asker.about` has it.
        device: as `Asker.device` has it.
        inputs: what tells its input apart from others.
    """

    about: dict[str, Any]
    device: str
    inputs: str


@dataclass(frozen=True)
class Failure:
    """An error as plain text, so that no kernel imports what raised it.

    Attributes:
        error: what a user can mend, or that it was cancelled.
        kind: else the name of its class.
        text: its message.
        trace: its traceback, for a log.
    """

    error: UserError | Cancelled | None
    kind: str
    text: str
    trace: str

    @classmethod
    def of(cls, error: Exception) -> Failure:
        """What there is to tell of an error."""
        known = error if isinstance(error, (UserError, Cancelled)) else None
        return cls(known, type(error).__name__, str(error), "".join(traceback.format_exception(error)))

    def raised(self) -> Exception:
        """The error, to be raised in the kernel."""
        error = self.error or type(self.kind, (WorkerError,), {})(self.text)
        error.add_note(f"On the worker:\n{self.trace}")
        return error


@dataclass(frozen=True)
class Answer:
    """What a worker says.

    Attributes:
        worker: its address.
        result: what was asked for.
        failure: why there is none.
        unseen: the pictures that it has to be sent first.
    """

    worker: str
    result: Any = None
    failure: Failure | None = None
    unseen: tuple[str, ...] = ()
