"""Folders of photographs in classes: pieces of the example photographs, whose classes ImageNet has."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from augimpact.data.image import example

# What the example photographs show, as the classifier calls it.
CLASSES = {"cat": "tabby", "coffee": "espresso", "rocket": "missile", "motorcycle": "motor scooter"}


def put_pieces(folder: Path, each: int, seed: int = 0) -> Path:
    """So many square pieces of each photograph, in folders that are called as its class."""
    generator = np.random.default_rng(seed)
    for name, label in CLASSES.items():
        photograph = example(name)
        (folder / label).mkdir(parents=True)
        for number in range(each):
            side = int(generator.integers(min(photograph.size) // 2, min(photograph.size)))
            left, top = (int(generator.integers(0, whole - side + 1)) for whole in photograph.size)
            piece = photograph.crop((left, top, left + side, top + side))
            piece.save(folder / label / f"{number}.png")
    return folder


@pytest.fixture(scope="session")
def pieces(tmp_path_factory) -> Path:
    """Three pieces a class."""
    return put_pieces(tmp_path_factory.mktemp("pieces") / "photographs", 3)
