"""A GPU pretended where there is none: its tensors say that they lie there, and nothing may mix them with others.

Their numbers are the host's, so that results can be compared; what a GPU refuses is refused: operations between
devices, and numpy's view of what lies elsewhere. Where there is a GPU it is taken, and nothing is pretended.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

GPU = torch.device("cuda", 0)
IS_PRETENDED = not torch.cuda.is_available()
DEVICES = ["cpu", pytest.param(GPU.type, id="pretended GPU" if IS_PRETENDED else "GPU")]

aten = torch.ops.aten
COPIES = (aten._to_copy.default, aten.copy_.default)
# What makes a tensor of numbers in a list; torch does so on the host, and sends it without asking a dispatch mode.
FROM_LISTS = (torch.asarray, torch.tensor)


class There(torch.Tensor):
    """A tensor on the host that says it lies on the GPU."""

    __torch_function__ = torch._C._disabled_torch_function_impl

    @staticmethod
    def __new__(cls, here: torch.Tensor) -> There:
        made = torch.Tensor._make_wrapper_subclass(
            cls,
            here.shape,
            strides=here.stride(),
            storage_offset=here.storage_offset(),
            dtype=here.dtype,
            device=GPU,
        )
        made.here = here
        return made

    def tolist(self) -> Any:
        """Which torch knows of its own tensors alone."""
        return self.here.tolist()

    @classmethod
    def __torch_dispatch__(cls, operation: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _done(operation, args, kwargs or {})


def _done(operation: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    """What an operation gives, done on the host, where it would be if there were a GPU."""
    tensors = [each for each in tree_leaves((args, kwargs)) if isinstance(each, torch.Tensor)]
    there = any(isinstance(each, There) for each in tensors)
    if there and operation not in COPIES:
        # A number alone may lie on the host.
        mixed = [each for each in tensors if not isinstance(each, There) and each.ndim > 0]
        assert not mixed, f"{operation} takes tensors of several devices"
    wanted = kwargs.get("device")
    gives_there = there if wanted is None else torch.device(wanted).type == GPU.type
    found = operation(*tree_map(_on_host, args), **tree_map(_on_host, kwargs))
    if operation._schema.is_mutable:
        return args[0]
    return tree_map(lambda each: There(each) if gives_there and isinstance(each, torch.Tensor) else each, found)


def _on_host(value: Any) -> Any:
    if isinstance(value, There):
        return value.here
    return torch.device("cpu") if isinstance(value, torch.device) else value


class _Operations(TorchDispatchMode):
    """Takes what is made on the GPU as well."""

    def __init__(self) -> None:
        super().__init__()
        # Of this kind alone torch asks before it looks for a driver.
        self._mode_key = torch._C._TorchDispatchModeKey.FAKE

    def __torch_dispatch__(self, operation: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _done(operation, args, kwargs or {})


class _Lists(TorchFunctionMode):
    """Sends what is made of a list."""

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        options = dict(kwargs or {})
        if function in FROM_LISTS and options.get("device") is not None:
            place = options.pop("device")
            return function(*args, **options).to(place)
        return function(*args, **options)


@contextmanager
def pretended() -> Iterator[None]:
    """On this thread there is a GPU; of one that is there nothing is changed."""
    if not IS_PRETENDED or torch._C._get_dispatch_mode(torch._C._TorchDispatchModeKey.FAKE):
        yield
        return
    torch._C._ensureCUDADeviceGuardSet()
    with _Operations(), _Lists():
        yield


def pretending(function: Callable[..., Any]) -> Callable[..., Any]:
    """The same function, on whichever thread it is called."""

    def called(*args: Any, **kwargs: Any) -> Any:
        with pretended():
            return function(*args, **kwargs)

    return called


@pytest.fixture
def gpu() -> Iterator[None]:
    """For whole modules: `pytestmark = pytest.mark.usefixtures("gpu")`."""
    with pretended():
        yield
