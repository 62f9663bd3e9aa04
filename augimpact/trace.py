"""All that one sweep of one image gave: arrays to compute with, tables to read, files to keep."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from augimpact.augment.parameters import Parameter
from augimpact.drift import drift
from augimpact.errors import UserError
from augimpact.files import written_whole
from augimpact.flips import between_frames
from augimpact.formats import format_of, read_npz
from augimpact.measures import measure
from augimpact.models.outputs import Outputs
from augimpact.once import once
from augimpact.profiling.beside import AnyPanel, cards_of
from augimpact.render.animate import write_webp
from augimpact.render.look import Look
from augimpact.render.panels import beside_panels
from augimpact.render.picture import draw
from augimpact.render.values import ValueAxis
from augimpact.stability import confidence_area, stable_places

__all__ = ["Trace"]

BY_FRAME = ("settings", "frames", "scores", "maps", "targets", "homographies")
# Between the two names of a target that is a difference.
DIFFERENCE = " − "


@dataclass(frozen=True, eq=False)
class Trace:
    """What `augimpact.analyze` returns. N frames of H × W, C outputs, maps of h × w.

    Attributes:
        settings: a row a frame, a column for every parameter.
        frames: `(N, H, W, 3)` uint8, the augmented images, or signals as they are drawn.
        scores: `(N, C)` float32, softmax of classes, or values.
        maps: `(N, h, w)` float32, not normalised.
        targets: `(N,)` int64, the output that each map explains.
        homographies: `(N, 3, 3)` float64, original to frame, in coordinates from −1 to 1 (see `augment.geometry`).
        outputs: what the C outputs mean.
        parameters: what the columns of `settings` are.
        recipe: what made it: image, classifier, sweep, method, target, seed, versions.
        against: B where the maps explain a difference A − B of logits, else None.
        signals: `(N, C, T)` float32, the augmented signals; None for images.
        located: flips that were searched for between the frames (see `augimpact.flips`), or None.
        neutral: the same of the image as it was, one frame; None in that one frame's own trace.
    """

    settings: pd.DataFrame
    frames: NDArray[np.uint8]
    scores: NDArray[np.float32]
    maps: NDArray[np.float32]
    targets: NDArray[np.int64]
    homographies: NDArray[np.float64]
    outputs: Outputs
    parameters: tuple[Parameter, ...]
    recipe: dict[str, Any] = field(repr=False)
    against: int | None = None
    signals: NDArray[np.float32] | None = field(default=None, repr=False)
    located: pd.DataFrame | None = field(default=None, repr=False)
    neutral: Trace | None = field(default=None, repr=False)

    def __len__(self) -> int:
        return len(self.frames)

    def __getitem__(self, part: slice | int) -> Trace:
        """The trace of some of the frames, or of one; they are numbered anew."""
        if not isinstance(part, slice):
            part = slice(part, part + 1 or None)
        parts = {name: getattr(self, name)[part] for name in BY_FRAME}
        parts["settings"] = self.settings[part].reset_index(drop=True)
        signals = None if self.signals is None else self.signals[part]
        some = replace(self, **parts, signals=signals, located=None)
        if "_measures" in vars(self):
            # What is measured already need not be once more.
            vars(some)["_measures"] = self._measures[part].reset_index(drop=True)
        return some

    def __repr__(self) -> str:
        changed = ", ".join(self.changed) or "nothing"
        return f"Trace({len(self)} frames of {self.recipe['image']['name']!r}, changing {changed})"

    @property
    def labels(self) -> tuple[str, ...]:
        """The names of the outputs."""
        return self.outputs.names

    @once
    def predictions(self) -> NDArray[np.int64]:
        """The state of each frame, `(N,)`: its top class; for values 1 where the target has reached its threshold."""
        return self.outputs.states(self.scores, self.target)

    @property
    def target(self) -> int:
        """The output that the first map explains."""
        return int(self.targets[0])

    @property
    def changed(self) -> tuple[str, ...]:
        """The parameters that leave their neutral value somewhere on the path."""
        return self._where(self._path != np.array([each.neutral for each in self.parameters]))

    @property
    def swept(self) -> tuple[str, ...]:
        """The parameters that change on the way."""
        return self._where(self._path != self._path[:1])

    def parameter(self, name: str) -> Parameter:
        """What a column of `settings` is."""
        return next(each for each in self.parameters if each.name == name)

    def captions(self) -> list[str]:
        """The setting of each frame in words: what changes on the way, then what is held and is not neutral."""
        swept = self.swept
        names = [*swept, *(name for name in self.changed if name not in swept)]
        changed = [(self.parameter(name), self.settings[name].to_numpy()) for name in names]
        return [
            "  ".join(f"{parameter.label} {parameter.format(values[frame])}" for parameter, values in changed)
            for frame in range(len(self))
        ]

    def says(self) -> tuple[list[str], NDArray[np.float32]]:
        """What the model says of each frame: its top class and that score, or the explained output and its value."""
        shown = self.predictions if self.outputs.are_classes else self.targets
        values = np.take_along_axis(self.scores, shown[:, None], axis=1)[:, 0]
        return [self.labels[index] for index in shown], values

    def value_axis(self) -> ValueAxis:
        """What scores or values are drawn on, and how they are written: their range, or more where they pass it."""
        matter = self.outputs_that_matter()
        low, high = self.outputs.axis(matter)
        unit = "" if self.outputs.are_classes else self.outputs.units[self.target]
        values = self.scores[:, matter]
        if low <= values.min() and values.max() <= high:
            return ValueAxis(low, high, unit, not self.outputs.are_classes)
        return ValueAxis.around([low, high, values.min(), values.max()], unit, not self.outputs.are_classes)

    def _captions_with_target(self) -> list[str]:
        """The captions, and what the maps explain where that is not what is predicted."""
        if not self.outputs.are_classes or self.recipe.get("target", "follow") == "follow":
            return self.captions()
        pairs = zip(self.captions(), self.target_names(), strict=True)
        return ["  ".join(filter(None, [caption, f"map: {name}"])) for caption, name in pairs]

    def outputs_that_matter(self, limit: int = 6) -> list[int]:
        """The classes that win a frame, or come near, by their highest score, winners first.

        Of values the explained one, and others that have its unit: they share one axis.
        """
        if not self.outputs.are_classes:
            units = self.outputs.units
            others = [index for index, unit in enumerate(units) if index != self.target and unit == units[self.target]]
            return [self.target, *others][:limit]
        highest = self.scores.max(axis=0)
        winners = np.unique(self.predictions)
        order = np.lexsort((-highest, ~np.isin(np.arange(len(highest)), winners)))
        return [int(index) for index in order[:limit]]

    def target_names(self) -> list[str]:
        """What each map explains, in words."""
        end = "" if self.against is None else DIFFERENCE + self.labels[self.against]
        return [self.labels[index] + end for index in self.targets]

    def target_scores(self) -> NDArray[np.float64]:
        """The score or value of what each map explains, `(N,)`; of a difference the difference of the logits.

        That is log(p_A / p_B) of classes: what their softmax has in common falls out.
        """
        own = np.take_along_axis(self.scores, self.targets[:, None], axis=1)[:, 0].astype(np.float64)
        if self.against is None:
            return own
        other = self.scores[:, self.against].astype(np.float64)
        if not self.outputs.are_classes:
            return own - other
        smallest = np.finfo(np.float32).tiny
        return np.asarray(np.log(np.maximum(own, smallest)) - np.log(np.maximum(other, smallest)))

    def table(self, top: int = 3) -> pd.DataFrame:
        """One row a frame.

        The parameters that change; the `top` classes with their scores, or every value; the target; how far the map
        drifted (see `drift`), where the trace knows its neutral frame; and the measures of the picture (see
        `measures`), where it is one.
        """
        table = self.settings[list(self.changed)].copy()
        if self.outputs.are_classes:
            order = np.argsort(-self.scores, axis=1, kind="stable")[:, : max(top, 1)]
            for place, indices in enumerate(order.T, start=1):
                table[f"class_{place}"] = [self.labels[index] for index in indices]
                table[f"score_{place}"] = np.take_along_axis(self.scores, indices[:, None], axis=1)[:, 0]
        else:
            for index, name in enumerate(self.labels):
                # Such as an angle, which may be called like the parameter that turns it.
                table[f"value_{name}"] = self.scores[:, index]
        table["target"] = self.target_names()
        table["target_score"] = self.target_scores()
        if self.neutral is not None:
            table = pd.concat([table, self.drift().add_prefix("drift_")], axis=1)
        if self.signals is None:
            table = pd.concat([table, self.measures().add_prefix("measured_")], axis=1)
        return table.rename_axis("frame")

    def flips(self) -> pd.DataFrame:
        """The places where the state changes: a row a flip.

        `frame` is the first one with the new state; every parameter that changes stands at the value half way between
        that frame and the one before, or where `flip_tolerance` was given to `analyze`, where the flip was found.
        """
        found = between_frames(self.settings, self.predictions) if self.located is None else self.located
        names = {
            end: [self.outputs.state_name(int(state), self.target) for state in found[end]] for end in ("from", "to")
        }
        return found[["frame", "from", "to", *self.changed]].assign(**names)

    def stable_range(self) -> pd.DataFrame:
        """How far each swept parameter may go about neutral while the model says the same: a row a parameter.

        From the frame of the path beside neutral, along the path both ways to the next flip (`low_flips`, `high_flips`)
        or to the end of the sweep; what happens between two frames of one class is not seen. `low` and `high` are not
        numbers where the path does not pass neutral, or no frame beside it is predicted as the neutral image is.
        """
        known = [self.parameter(name) for name in self.swept]
        swept = [each.name for each in known]
        flips = self.flips()
        places = stable_places(
            self.settings[swept].to_numpy(),
            self.predictions,
            neutral=np.array([each.neutral for each in known]),
            spans=np.array([each.maximum - each.minimum for each in known]),
            state=None if self.neutral is None else int(self.neutral.predictions[0]),
            flip_frames=flips["frame"].to_numpy(),
            flip_places=flips[swept].to_numpy(),
        )
        rows = []
        for index, name in enumerate(swept):
            values = [float(each.place[index]) for each in places]
            flipping = [value for value, each in zip(values, places, strict=True) if each.flips]
            low, high = min(values), max(values)
            ends = {"low": low, "high": high, "low_flips": low in flipping, "high_flips": high in flipping}
            rows.append({"parameter": name, **ends})
        columns = ["parameter", "low", "high", "low_flips", "high_flips"]
        return pd.DataFrame(rows, columns=columns).set_index("parameter")

    def confidence_area(self) -> float:
        """The mean score of the neutral image's class over the path, in [0, 1]: the area under its curve.

        Along the path every parameter counts in shares of its range. For values, of the explained output as a share of
        its range, which it may not leave.
        """
        if self.neutral is None:
            raise UserError("this trace has no neutral frame; expected one that `analyze` returned")
        if self.outputs.are_classes:
            scores = self.scores[:, self.neutral.predictions[0]].astype(np.float64)
        else:
            low, high = self.outputs.axis([self.target])
            scores = np.clip((self.scores[:, self.target].astype(np.float64) - low) / (high - low), 0, 1)
        swept = [self.parameter(name) for name in self.swept]
        spans = np.array([each.maximum - each.minimum for each in swept])
        path = self.settings[[each.name for each in swept]].to_numpy() / spans
        steps = np.sqrt((np.diff(path, axis=0) ** 2).sum(axis=1)) if swept else np.ones(len(self) - 1)
        return confidence_area(scores, np.concatenate([[0.0], np.cumsum(steps)]))

    def drift(self) -> pd.DataFrame:
        """How far each map moved from the neutral frame's, in the original's coordinates; see `augimpact.drift`.

        Raises:
            UserError: the trace has no neutral frame, or its maps another size.
        """
        if self.neutral is None:
            raise UserError("this trace has no neutral frame; expected one that `analyze` returned")
        return self._drift.copy()

    def measures(self) -> pd.DataFrame:
        """Brightness, contrast, sharpness, saturation and entropy of each frame; see `augimpact.measures`.

        They are of what the classifier sees: the frame scaled to its input, so that frames of any size compare.

        Raises:
            UserError: the trace is of a signal.
        """
        if self.signals is not None:
            raise UserError("measures are of images; this trace is of a signal")
        return self._measures.copy()

    def pictures(self, *, panels: Iterable[AnyPanel] = (), **options: Any) -> NDArray[np.uint8]:
        """The frames as they are shown, map, caption and scores included, `(N, height, width, 3)`.

        Args:
            panels: of a dataset, which stand beside each frame: of a profile (`profile["classes"]`), or the
                distribution of a measure, in which the frame is marked (`reference["brightness"]`).
            **options: see `augimpact.render.look.Look`; the width is that without panels.

        Raises:
            UserError: an option has another value, or something is no panel of images.
        """
        matter = self.outputs_that_matter()
        names, values = self.says()
        pictures = draw(
            self.frames,
            self.maps,
            settings=self._captions_with_target(),
            predictions=names,
            scores=self.scores[:, matter],
            top_scores=values,
            labels=[self.labels[index] for index in matter],
            look=Look(**options),
            value_axis=self.value_axis(),
        )
        return beside_panels(pictures, cards_of(panels, self))

    def save(self, path: str | Path, **options: Any) -> Path:
        """Writes the trace in the form that the suffix names; the file appears whole or not at all.

        Args:
            path: ends in `.gif`, `.webp`, `.mp4`, `.png` (a film strip), `.html` (one self-contained page), `.csv` (the
                table), `.npz` (everything, exactly), `.json` (settings, top five classes and recipe) or `.py` (the code
                that makes it again, see `augimpact.as_code`).
            **options: of pictures, see `augimpact.render.look.Look`; of animations also `milliseconds`, `hold` and
                `loop`, see `augimpact.render.animate.write_gif`, and `panels`, see `pictures`; of the page
                `reference`, a dataset's (`augimpact.reference_of`), under which every frame is marked where it lies.

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

    @once
    def _drift(self) -> pd.DataFrame:
        neutral = self.neutral or self
        return pd.DataFrame(drift(self.maps, self.homographies, neutral.maps[0])._asdict())

    @once
    def _measures(self) -> pd.DataFrame:
        about = self.recipe.get("classifier", {})
        if "size" not in about:
            return pd.DataFrame(measure(self.frames))
        import torch

        from augimpact.models.inputs import scaled

        # Those of a file may not be written to.
        frames = torch.from_numpy(np.require(self.frames, requirements="W")).permute(0, 3, 1, 2)
        seen = scaled(frames, about["size"], about.get("interpolation", "bilinear"))
        return pd.DataFrame(measure(seen.permute(0, 2, 3, 1).numpy()))

    @once
    def _path(self) -> NDArray[np.float64]:
        """A row a frame, a column a parameter."""
        return self.settings[[each.name for each in self.parameters]].to_numpy()

    def _where(self, holds: NDArray[np.bool_]) -> tuple[str, ...]:
        """The parameters for which it holds in any frame."""
        found = np.flatnonzero(holds.any(axis=0)).tolist()
        return tuple(self.parameters[index].name for index in found)

    def _repr_mimebundle_(self, **_kwargs: Any) -> dict[str, Any]:
        """Shows itself as an animation in a notebook, also where no kernel runs."""
        file = io.BytesIO()
        write_webp(file, self.pictures())
        return {"image/webp": base64.b64encode(file.getvalue()).decode(), "text/plain": repr(self)}
