"""The ways to ask a classifier where it looked, under the names that users type."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from augimpact.errors import UserError, unknown

if TYPE_CHECKING:
    from torch import Tensor, nn

    from augimpact.explain.gradcam import Explanation

__all__ = ["METHODS", "Method", "find_method"]


@dataclass(frozen=True)
class Method:
    """name: as typed. label: as shown. description: one line. source: where it is described."""

    name: str
    label: str
    description: str
    source: str

    def explain(self, module: nn.Module, batch: Tensor, layer: nn.Module, target: int | None) -> Explanation:
        """Scores and raw maps of a prepared batch; see `augimpact.explain.gradcam.gradcam`."""
        from augimpact.explain.gradcam import gradcam

        return gradcam(module, batch, layer, target)


METHODS = {
    method.name: method
    for method in (
        Method(
            "gradcam",
            "Grad-CAM",
            "the layer's channels, weighted by the mean gradient of the target's logit",
            "Selvaraju et al. 2017, arXiv:1610.02391",
        ),
    )
}


def find_method(name: str) -> Method:
    """The method of this name.

    Raises:
        UserError: there is none.
    """
    if name not in METHODS:
        raise UserError(unknown("method", name, METHODS))
    return METHODS[name]
