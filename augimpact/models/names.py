"""Whether a name can be loaded, found out without loading it."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from augimpact.errors import ModelError
from augimpact.models.builtin import BUILTIN
from augimpact.models.checkpoint import is_checkpoint
from augimpact.models.learner import FASTAI
from augimpact.models.own_code import is_own_code
from augimpact.models.pretrained import TORCHVISION, check_timm_name, torchvision_name
from augimpact.user_code import importing_from

__all__ = ["check_name"]


def check_name(name: str) -> None:
    """Nothing, if `load_classifier` knows what the name alone means; weights are not fetched, no code is run.

    Raises:
        ModelError: it does not, or the name needs an architecture or trust beside it.

    >>> check_name("efficientnet-lite0")
    """
    if name == BUILTIN:
        return
    if is_checkpoint(name) or name.startswith(FASTAI) or name.lower().endswith(".pkl"):
        raise ModelError(f"the model {name!r} is more than a name tells; expected FILE.py:NAME of code that loads it")
    if name.startswith(TORCHVISION):
        torchvision_name(name)
    elif is_own_code(name):
        _check_own_code(name.rpartition(":")[0])
    else:
        check_timm_name(name)


def _check_own_code(place: str) -> None:
    if place.endswith(".py"):
        if not Path(place).is_file():
            raise ModelError(f"there is no file {place!r}; expected FILE.py:NAME")
        return
    with importing_from(Path.cwd()):
        # Of a package within a package the outermost one: what lies deeper is known when its code has run.
        found = place and importlib.util.find_spec(place.split(".")[0])
    if not found:
        raise ModelError(f"there is no package {place!r}; expected package.module:NAME or FILE.py:NAME")
