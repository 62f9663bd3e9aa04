"""What tells classifiers apart: not their names but their weights, their code, what they are fed and what they give."""

from __future__ import annotations

import hashlib
import inspect
from typing import Any

import torch
from torch import Tensor

from augimpact.errors import ModelError
from augimpact.models.model import Model

__all__ = ["about", "fingerprint"]


def about(model: Model) -> dict[str, Any]:
    """Name, fingerprint and recipe of a classifier of images, and the names of its classes, in plain types.

    Raises:
        ModelError: it is none.
    """
    if not model.outputs.are_classes or model.inputs.domain != "image":
        raise ModelError(f"{model.name} is no classifier of images; expected one")
    return {
        "name": model.name,
        "fingerprint": fingerprint(model),
        "classifier": model.recipe(),
        "names": list(model.labels),
    }


def fingerprint(model: Model) -> str:
    """A hash of all that decides what a classifier answers, on any device.

    Of code that the modules call only that of the module's own class counts.

    >>> from augimpact.models.load import load_classifier
    >>> fingerprint(load_classifier(device="cpu")) == fingerprint(load_classifier(device="cpu"))
    True
    """
    found = hashlib.blake2b(digest_size=16)
    for text in (repr(model.module), repr(model.inputs), repr(model.labels), repr(model.chosen), _code(model)):
        found.update(text.encode())
    for name, tensor in model.module.state_dict().items():
        _add(found, name, tensor)
    return found.hexdigest()


def _add(found: Any, name: str, value: Any) -> None:
    """Adds an entry of a module's state; those of quantized modules are also types, and tuples of weights."""
    if isinstance(value, (tuple, list)):
        for number, each in enumerate(value):
            _add(found, f"{name} {number}", each)
        return
    if not isinstance(value, Tensor):
        found.update(f"{name} {value!r}".encode())
        return
    values = (value.dequantize() if value.is_quantized else value).detach().cpu().contiguous()
    found.update(f"{name} {value.dtype} {tuple(values.shape)}".encode())
    # Bytes, whatever they mean: numpy does not know all of torch's types.
    found.update(values.reshape(-1).view(torch.uint8).numpy().tobytes())


def _code(model: Model) -> str:
    try:
        return inspect.getsource(type(model.module))
    except (OSError, TypeError):  # typed at a prompt, or made by C
        return ""
