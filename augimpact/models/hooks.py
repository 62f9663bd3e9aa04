"""Looking into a forward pass of somebody's model, and leaving the model as it was found.

Hooks live as long as a `with` block, and so does evaluation mode; what a hook returns to the model is a copy, because
some models change their features in place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from threading import Lock, RLock
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

__all__ = ["alone", "evaluating", "watching"]

# Hooks and modes belong to the module, so that two threads must not look into one at a time. A module is forgotten
# with its last user.
_locks: WeakKeyDictionary[nn.Module, RLock] = WeakKeyDictionary()
_making = Lock()


@contextmanager
def alone(module: nn.Module) -> Iterator[None]:
    """Inside the block no other thread looks into the module by way of this package; it may be entered again."""
    with _making:
        lock = _locks.setdefault(module, RLock())
    with lock:
        yield


@contextmanager
def evaluating(module: nn.Module) -> Iterator[None]:
    """Evaluation mode inside the block; afterwards every submodule trains or not as it did before."""
    training = [each for each in module.modules() if each.training]
    if training:
        module.eval()
    try:
        yield
    finally:
        for each in training:
            each.training = True


@contextmanager
def watching(module: nn.Module, layers: Sequence[nn.Module], *, graph: bool = True) -> Iterator[list[Tensor | None]]:
    """Keeps the outputs of `layers` in a forward pass inside the block; None stays for what is not reached.

    With `graph` everything before the first layer that is reached runs without a graph. There the output is cut loose,
    requires a gradient, and gradients are switched on: the graph begins at that layer, and later layers are part of it.
    Where the caller has switched gradients on itself, the graph is the caller's and nothing is cut.

    A layer that is called several times counts with its last call. The grad mode, training modes and hooks are as
    before when the block ends, however it ends.
    """
    outputs: list[Tensor | None] = [None] * len(layers)
    with ExitStack() as stack:
        for index, layer in enumerate(layers):
            stack.callback(layer.register_forward_hook(_keep(outputs, index, graph)).remove)
        stack.enter_context(torch.inference_mode(False))
        stack.enter_context(evaluating(module))
        # Leaving this block restores the mode that a hook changes.
        stack.enter_context(torch.no_grad())
        yield outputs


def _keep(outputs: list[Tensor | None], index: int, graph: bool) -> Callable[[nn.Module, object, object], object]:
    def keep(_module: nn.Module, _inputs: object, output: object) -> object:
        if not isinstance(output, Tensor):
            return output
        kept = output
        if graph and not output.requires_grad:
            kept = output.detach().requires_grad_()
            torch.set_grad_enabled(True)
        outputs[index] = kept
        # A leaf may not be changed in place, as some models do with their features; its copy may.
        return kept.clone()

    return keep
