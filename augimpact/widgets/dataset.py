"""The dataset beside the Explorer: what its frames are compared with, measured once for each input of a model.

Nothing of it reaches a page but how its measures are distributed; `ExamplePhotographs` stand in where there is none.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image

from augimpact.errors import UserError
from augimpact.widgets.gallery import SUFFIXES
from augimpact.widgets.given_data import GivenData
from augimpact.widgets.model_list import ModelList

if TYPE_CHECKING:
    from augimpact.models.inputs import ImageInput
    from augimpact.profiling.reference import Measuring, Reference

__all__ = ["DataBeside", "ExamplePhotographs", "check_data", "check_folder"]

# The colour photographs of the scikit-image wheel, the motorcycle from both sides of a stereo camera; and two of its
# grey ones that are sharper than that: an example that is the sharpest of all would be outside the data as it is. The
# rest of its files are grey, drawn or small.
PHOTOGRAPHS = (
    "astronaut.png", "chelsea.png", "coffee.png", "hubble_deep_field.jpg", "ihc.png", "motorcycle_left.png",
    "motorcycle_right.png", "retina.jpg", "rocket.jpg",
)  # fmt: skip
GREY = ("grass.png", "gravel.png")
CROPS = 15
# Of the shorter side of a photograph: of less little is seen, and what is more is nearly all of it again and again.
# With this seed no two of them are alike, and the examples of the page are inside, also turned a little.
CROP_SIDES, SEED = (0.5, 0.8), 1085


class ExamplePhotographs:
    """A small stand-in for a dataset: photographs and square crops of them, so that no measure is a few spikes."""

    caption = (
        f"{len(PHOTOGRAPHS)} colour photographs of scikit-image, {CROPS * len(PHOTOGRAPHS)} crops of them and "
        f"{len(GREY)} grey ones, for want of a dataset: --data FOLDER compares with your own."
    )

    def __len__(self) -> int:
        return len(PHOTOGRAPHS) * (1 + CROPS) + len(GREY)

    def __getitem__(self, index: int) -> Image.Image:
        place, crop = divmod(index, 1 + CROPS)
        if place >= len(PHOTOGRAPHS):
            return _photograph(GREY[index - len(PHOTOGRAPHS) * (1 + CROPS)])
        photograph = _photograph(PHOTOGRAPHS[place])
        return photograph if crop == 0 else _crop(photograph, random.Random(SEED + index))


@lru_cache(maxsize=1)
def _photograph(name: str) -> Image.Image:
    import skimage

    from augimpact.data.image import read_image

    return read_image(Path(skimage.__file__).parent / "data" / name)


def _crop(image: Image.Image, drawn: random.Random) -> Image.Image:
    side = round(min(image.size) * drawn.uniform(*CROP_SIDES))
    left, top = (drawn.randint(0, whole - side) for whole in image.size)
    return image.crop((left, top, left + side, top + side))


class DataBeside:
    """The data of one explorer, and what is known of it. For one thread alone, but for `exists`.

    Args:
        given: the data, if there is some.
        models: where the chosen model is found.

    Raises:
        UserError: the folder is missing.
    """

    def __init__(self, given: GivenData, models: ModelList) -> None:
        source = given.source
        if isinstance(source, (str, os.PathLike)):
            check_folder(source)
        self.exists = given.exists
        self._given, self._models = given, models
        self._source = source
        named = isinstance(source, (str, os.PathLike)) and not given.private
        self._name = (Path(source).resolve().name if named else "") or "The data"
        self._known: dict[ImageInput, Reference] = {}
        self._begun: dict[ImageInput, Measuring] = {}

    def wanted(self, state: Mapping[str, Any]) -> ImageInput | None:
        """For which input of a model the data would be measured now; None where there is none, or no picture."""
        if not self.exists:
            return None
        from augimpact.models.inputs import SignalInput

        inputs = self._models.load(state["model"], state["device"]).inputs
        return None if isinstance(inputs, SignalInput) else inputs

    def known(self, wanted: ImageInput) -> Reference | None:
        """What was measured for this input."""
        return self._known.get(wanted)

    def measure(
        self, wanted: ImageInput, progress: Callable[[int, int], None], cancelled: Callable[[], bool]
    ) -> Reference:
        """Measures the data, or goes on where that was cancelled.

        Raises:
            Cancelled: it was asked to stop.
            UserError: no image can be read.
        """
        from augimpact.profiling.reference import MOST, Measuring

        if isinstance(self._source, Iterator):
            # For another model the same images are measured once more.
            self._source = list(islice(self._source, MOST))
        if wanted not in self._begun:
            self._begun[wanted] = Measuring(self._source, wanted.sees, name=self._name, reading=self._given.reading)
        measuring = self._begun[wanted]
        with self._given.turn(cancelled):
            reference = measuring.run(progress, cancelled)
        # Some data says itself what it is.
        caption = getattr(self._source, "caption", None) or reference.caption
        self._known[wanted] = reference = replace(reference, caption=caption)
        del self._begun[wanted]
        return reference


def check_folder(folder: str | os.PathLike[str]) -> None:
    """Tells a mistake before there is a page; addresses of other machines are not asked.

    Raises:
        UserError: there is no such folder.
    """
    name = os.fspath(folder)
    if "://" not in name and not Path(name).is_dir():
        raise UserError(f"there is no folder {name!r}")


def check_data(folder: Path) -> None:
    """Tells a mistake in what the command line was given.

    Raises:
        UserError: there is no such folder, or no image in it.
    """
    check_folder(folder)
    # The first is enough: of a large dataset a list takes minutes.
    if not any(path.suffix.lower() in SUFFIXES for path in folder.rglob("*")):
        raise UserError(f"the folder {str(folder)!r} of --data holds no image")
