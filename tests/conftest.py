"""What the tests share: real photographs, the real classifier, and the data that may lie beside the repository."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, settings
from PIL import Image, ImageStat

from augimpact.data.image import EXAMPLES, example
from augimpact.models.classifier import Classifier
from augimpact.models.load import load_classifier

# A fixture.
from tests.pretended_gpu import gpu  # noqa: F401

# Where a change is judged examples are the same each time, so that a failure is the change's; elsewhere they are new.
settings.register_profile(
    "augimpact",
    deadline=None,
    max_examples=50,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize="CI" in os.environ,
)
settings.load_profile("augimpact")

if "PYTEST_XDIST_WORKER" in os.environ:
    # The other processes have the other cores: of one more thread than these all wait for each other.
    torch.set_num_threads(1)

REPOSITORY = Path(__file__).parents[1]
# Where the photographs of Imagenette lie, if they do; with the variable set their absence is a failure.
DATA_VARIABLE = "AUGIMPACT_TEST_DATA"
# With this set a missing browser is a failure, too.
BROWSER_VARIABLE = "AUGIMPACT_REQUIRE_BROWSER"
# And with this a missing Redis server.
REDIS_VARIABLE = "AUGIMPACT_REQUIRE_REDIS"
# And with this a missing PostgreSQL.
POSTGRESQL_VARIABLE = "AUGIMPACT_REQUIRE_POSTGRESQL"


def mean_luma(picture: Image.Image) -> float:
    """Of all pixels, as a share of white."""
    red, green, blue = ImageStat.Stat(picture).mean
    return (0.299 * red + 0.587 * green + 0.114 * blue) / 255


@pytest.fixture(scope="session")
def classifier() -> Classifier:
    """The built-in classifier."""
    return load_classifier(device="cpu")


@pytest.fixture(scope="session")
def photographs(classifier: Classifier) -> dict[str, torch.Tensor]:
    """The example photographs as square tensors of 128², `(3, 128, 128)` in [0, 1]."""
    canvases = {name: classifier.canvas(example(name)) for name in EXAMPLES}
    return {
        name: torch.nn.functional.interpolate(canvas[None], size=128, mode="area")[0]
        for name, canvas in canvases.items()
    }


@pytest.fixture(scope="session")
def imagenette() -> Path:
    """The folder of Imagenette's photographs, with `train` and `val`."""
    place = os.environ.get(DATA_VARIABLE)
    if place is None:
        pytest.skip(f"Imagenette's photographs are not at hand: {DATA_VARIABLE} names no folder")
    folder = Path(place) / "imagenette"
    assert (folder / "val").is_dir(), f"{DATA_VARIABLE} is {place}, which has no folder imagenette/val"
    return folder
