"""Where models and pixels are computed on."""

from __future__ import annotations

import torch

from augimpact.errors import ModelError

__all__ = ["pick_device"]

DEVICES = ("cpu", "cuda", "mps", "xpu")


def pick_device(name: str = "auto") -> torch.device:
    """The device of this name; `auto` is CUDA where there is one, else MPS, else the CPU.

    Raises:
        ModelError: there is no such device on this machine.
    """
    if name == "auto":
        return torch.device(
            "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
        )
    try:
        device = torch.device(name)
        if device.type not in DEVICES:
            raise RuntimeError(f"{device.type} holds no numbers")
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise ModelError(f"device {name!r} cannot be used on this machine; expected auto, cpu, cuda or mps") from error
    return device
