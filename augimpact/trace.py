"""All that one sweep of one image gave: arrays to compute with, tables to read, files to keep."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from augimpact.augment.parameters import CATALOGUE, format_value
from augimpact.files import written_whole
from augimpact.formats import format_of, read_npz
from augimpact.render.animate import write_webp
from augimpact.render.look import Look
from augimpact.render.picture import draw

__all__ = ["Trace"]


@dataclass(frozen=True, eq=False)
class Trace:
    """What `augimpact.analyze` returns. N frames of side S, C classes, maps of h × w.

    Attributes:
        settings: a row a frame, a column for every parameter.
        frames: `(N, S, S, 3)` uint8, the augmented images.
        scores: `(N, C)` float32, softmax.
        maps: `(N, h, w)` float32, not normalised.
        targets: `(N,)` int64, the class that each map explains.
        homographies: `(N, 3, 3)` float64, original to frame, in coordinates from −1 to 1 (see `augment.geometry`).
        labels: the names of the C classes.
        recipe: what made it: image, classifier, sweep, method, target, seed, versions.
        neutral: the same of the image as it was, one frame; None in that one frame's own trace.
    """

    settings: pd.DataFrame
    frames: NDArray[np.uint8]
    scores: NDArray[np.float32]
    maps: NDArray[np.float32]
    targets: NDArray[np.int64]
    homographies: NDArray[np.float64]
    labels: tuple[str, ...]
    recipe: dict[str, Any] = field(repr=False)
    neutral: Trace | None = field(default=None, repr=False)

    def __len__(self) -> int:
        return len(self.frames)

    def __getitem__(self, part: slice) -> Trace:
        """The trace of some of the frames."""
        return replace(
            self,
            settings=self.settings[part],
            frames=self.frames[part],
            scores=self.scores[part],
            maps=self.maps[part],
            targets=self.targets[part],
            homographies=self.homographies[part],
        )

    def __repr__(self) -> str:
        changed = ", ".join(self.changed) or "nothing"
        return f"Trace({len(self)} frames of {self.recipe['image']['name']!r}, changing {changed})"

    @cached_property
    def predictions(self) -> NDArray[np.int64]:
        """The top class of each frame, `(N,)`."""
        return np.asarray(self.scores.argmax(axis=1), dtype=np.int64)

    @property
    def changed(self) -> tuple[str, ...]:
        """The parameters that leave their neutral value somewhere on the path."""
        return tuple(name for name, each in CATALOGUE.items() if (self.settings[name].to_numpy() != each.neutral).any())

    def captions(self) -> list[str]:
        """The setting of each frame in words: what changes and is not neutral."""
        columns = {name: self.settings[name].to_numpy() for name in self.changed}
        return [
            "  ".join(
                f"{CATALOGUE[name].label} {format_value(name, values[frame])}" for name, values in columns.items()
            )
            for frame in range(len(self))
        ]

    def classes_that_matter(self, limit: int = 6) -> list[int]:
        """The classes that win a frame, or come near, by their highest score; winners first."""
        highest = self.scores.max(axis=0)
        winners = np.unique(self.predictions)
        order = np.lexsort((-highest, ~np.isin(np.arange(len(highest)), winners)))
        return [int(index) for index in order[:limit]]

    def table(self, top: int = 3) -> pd.DataFrame:
        """One row a frame: the parameters that change, the `top` classes with their scores, and the target."""
        order = np.argsort(-self.scores, axis=1, kind="stable")[:, : min(top, len(self.labels))]
        table = self.settings[list(self.changed)].copy()
        for place, indices in enumerate(order.T, start=1):
            table[f"class_{place}"] = [self.labels[index] for index in indices]
            table[f"score_{place}"] = np.take_along_axis(self.scores, indices[:, None], axis=1)[:, 0]
        table["target"] = [self.labels[index] for index in self.targets]
        table["target_score"] = np.take_along_axis(self.scores, self.targets[:, None], axis=1)[:, 0]
        return table.rename_axis("frame")

    def flips(self) -> pd.DataFrame:
        """The places where the predicted class changes: a row a flip.

        `frame` is the first one with the new class; every parameter that changes stands at the value half way between
        that frame and the one before.
        """
        at = np.flatnonzero(np.diff(self.predictions)) + 1
        changed = list(self.changed)
        values = self.settings[changed].to_numpy()
        halfway = pd.DataFrame((values[at - 1] + values[at]) / 2, columns=changed)
        classes = {
            "frame": at,
            "from": [self.labels[index] for index in self.predictions[at - 1]],
            "to": [self.labels[index] for index in self.predictions[at]],
        }
        return pd.concat([pd.DataFrame(classes), halfway], axis=1)

    def pictures(self, **options: Any) -> NDArray[np.uint8]:
        """The frames as they are shown, map, caption and scores included, `(N, height, width, 3)`.

        Args:
            **options: see `augimpact.render.look.Look`.
        """
        matter = self.classes_that_matter()
        return draw(
            self.frames,
            self.maps,
            settings=self.captions(),
            predictions=[self.labels[index] for index in self.predictions],
            scores=self.scores[:, matter],
            top_scores=self.scores.max(axis=1),
            labels=[self.labels[index] for index in matter],
            look=Look(**options),
        )

    def save(self, path: str | Path, **options: Any) -> Path:
        """Writes the trace in the form that the suffix names; the file appears whole or not at all.

        Args:
            path: ends in `.gif`, `.webp`, `.png` (a film strip), `.npz` (everything, exactly) or `.json` (settings, top
                five classes and recipe).
            **options: of pictures, see `augimpact.render.look.Look`; of animations also `milliseconds`, `hold` and
                `loop`, see `augimpact.render.animate.write_gif`.

        Raises:
            OutputError: the suffix is none of these, or the file cannot be written.
        """
        write = format_of(path, options).write
        with written_whole(path) as temporary, temporary.open("wb") as file:
            write(self, file, **options)
        return Path(path)

    @classmethod
    def load(cls, path: str | Path) -> Trace:
        """Reads what `save("….npz")` wrote.

        Raises:
            OutputError: it is not such a file.
        """
        parts = read_npz(path)
        neutral = parts.pop("neutral")
        return cls(**parts, neutral=cls(**neutral) if neutral else None)

    def _repr_mimebundle_(self, **_kwargs: Any) -> dict[str, Any]:
        """Shows itself as an animation in a notebook, also where no kernel runs."""
        file = io.BytesIO()
        write_webp(file, self.pictures())
        return {"image/webp": base64.b64encode(file.getvalue()).decode(), "text/plain": repr(self)}
