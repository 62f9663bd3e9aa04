"""What the tests of one's own augmentations share: nothing of them stays behind."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from augimpact.augment.own import forget, own_effects
from augimpact.augment.parameters import BUILT_IN, CATALOGUE

# Albumentations asks the network for a newer version when it is imported, unless it is told not to.
os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")


@pytest.fixture
def clean_catalogue() -> Iterator[None]:
    """Takes away what the test registered."""
    yield
    for name in {name for name, _ in own_effects()} | (set(CATALOGUE) - BUILT_IN):
        forget(name)
