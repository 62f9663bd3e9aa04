"""The tensors of a checkpoint: read as weights only, freed of what training wraps around them, fitted to a module."""

from __future__ import annotations

import argparse
import pickle
import re
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from augimpact.errors import ModelError

__all__ = ["SUFFIXES", "fit", "misfits", "read_weights", "renamed"]

SUFFIXES = (".pth", ".pt", ".ckpt", ".safetensors")
# Under which names training scripts keep the weights beside the optimizer's state, the epoch and so on.
WRAPPERS = ("state_dict", "model_state_dict", "model")
# What DataParallel, torch.compile and Lightning put before every tensor's name.
PREFIXES = ("module.", "_orig_mod.", "model.")
# How torch says which class or function a pickle asks for that is neither a tensor nor a number.
FORBIDDEN = re.compile(r"GLOBAL (\S+)")
# How many tensors an error names.
LISTED = 3


def read_weights(path: str | Path) -> dict[str, Tensor]:
    """The tensors of a checkpoint by name, on the CPU. No code from the file is run.

    Args:
        path: a `.safetensors` file, or one of `torch.save` that holds a module's `state_dict()`, as it is or under
            `state_dict`, `model_state_dict` or `model`.

    Raises:
        ModelError: there is no such file, it is damaged, or holds something else than weights.
    """
    path = Path(path)
    if not path.is_file():
        raise ModelError(f"there is no checkpoint {str(path)!r}")
    content = _read_safetensors(path) if path.suffix.lower() == ".safetensors" else _read_torch(path)
    weights = _unwrapped(content)
    if not weights or not all(isinstance(name, str) and isinstance(value, Tensor) for name, value in weights.items()):
        raise ModelError(
            f"the checkpoint {str(path)!r} holds no weights {_found(content)}; expected a module's state_dict(), "
            f"as it is or under {', '.join(WRAPPERS)}"
        )
    return dict(weights)


def renamed(weights: Mapping[str, Tensor], module: nn.Module) -> dict[str, Tensor]:
    """The weights without those of the `PREFIXES` that none of the module's own tensors has."""
    names = list(module.state_dict())
    foreign = [prefix for prefix in PREFIXES if not any(name.startswith(prefix) for name in names)]
    return {_without(name, foreign): tensor for name, tensor in weights.items()}


def misfits(weights: Mapping[str, Tensor], module: nn.Module) -> list[str]:
    """What does not fit, in words: tensors that are missing, left over, or of another shape. Empty if all is well."""
    expected: dict[str, Tensor] = module.state_dict()
    # The counters of batches came with PyTorch 0.4.1, and evaluation does not use them.
    missing = [name for name in expected if name not in weights and not name.endswith("num_batches_tracked")]
    surplus = [name for name in weights if name not in expected]
    misshapen = [
        f"{name} is {tuple(weights[name].shape)} instead of {tuple(tensor.shape)}"
        for name, tensor in expected.items()
        if name in weights and weights[name].shape != tensor.shape
    ]
    kinds = {"missing": missing, "unexpected": surplus, "misshapen": misshapen}
    return [f"{len(names)} {kind} ({_first(names)})" for kind, names in kinds.items() if names]


def fit(weights: Mapping[str, Tensor], module: nn.Module, where: str) -> None:
    """Loads the weights into the module.

    Args:
        weights: a tensor for every name in the module's `state_dict()`.
        module: takes them over.
        where: the file and the architecture, as an error calls them.

    Raises:
        ModelError: tensors are missing, left over or of another shape; the first few are named.
    """
    found = misfits(weights, module)
    if found:
        raise ModelError(f"{where}: the tensors do not fit: {'; '.join(found)}")
    module.load_state_dict(dict(weights), strict=False)


def _read_safetensors(path: Path) -> Any:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise ModelError(f"the checkpoint {str(path)!r} cannot be read: {_sentence(error)}") from error


def _read_torch(path: Path) -> Any:
    # timm's training script keeps its arguments in the file as a Namespace, which is plain data.
    try:
        with torch.serialization.safe_globals([argparse.Namespace]), warnings.catch_warnings():
            # Of what is then refused, or of the age of the file's format.
            warnings.simplefilter("ignore")
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        refused = FORBIDDEN.search(str(error))
        found = f"holds more than weights ({refused[1]}), and would run code" if refused else "is no file of torch.save"
        raise ModelError(
            f"the checkpoint {str(path)!r} {found}; expected what torch.save(module.state_dict(), …) writes"
        ) from error
    except Exception as error:  # a damaged file fails in as many ways as there are parts in it
        raise ModelError(f"the checkpoint {str(path)!r} cannot be read: {_sentence(error)}") from error


def _unwrapped(content: Any) -> Any:
    while isinstance(content, Mapping):
        inner = next((content[name] for name in WRAPPERS if isinstance(content.get(name), Mapping)), None)
        if inner is None:
            return content
        content = inner
    return {}


def _found(content: Any) -> str:
    if isinstance(content, Mapping):
        return f"but the keys {_first([str(key) for key in content])}" if content else "and is empty"
    return f"but a {type(content).__name__}"


def _without(name: str, prefixes: list[str]) -> str:
    while prefix := next((each for each in prefixes if name.startswith(each)), None):
        name = name.removeprefix(prefix)
    return name


def _first(names: list[str]) -> str:
    return ", ".join(names[:LISTED]) + (", …" if len(names) > LISTED else "")


def _sentence(error: Exception) -> str:
    """The first sentence of what was said: torch goes on to advise what would run the file's code."""
    text = str(error).strip()
    return text.splitlines()[0].split(". ")[0].rstrip(".") if text else type(error).__name__
