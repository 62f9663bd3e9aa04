"""The ways to ask a classifier where it looked, under the names that users type."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from augimpact.errors import UserError, unknown

if TYPE_CHECKING:
    from torch import Tensor, nn

    from augimpact.explain.gradcam import Explanation
    from augimpact.explain.target import Target
    from augimpact.models.layer import Layer

__all__ = ["METHODS", "Method", "find_method"]


@dataclass(frozen=True)
class Method:
    """name: as typed. label: as shown. description: one line. source: where it is described.

    function: module and name of what explains, in `augimpact.explain`; it is imported when it is used.
    of_input: whether the map is the input's, whatever layer is named; else there is one for each layer.
    slow: whether it takes a forward pass for every channel, or seconds an image for another reason.
    """

    name: str
    label: str
    description: str
    source: str
    function: str
    of_input: bool = False
    slow: bool = False

    def explain(self, module: nn.Module, batch: Tensor, layers: Sequence[Layer], target: Target) -> Explanation:
        """Scores and raw maps of a prepared batch; see `augimpact.explain.gradcam.gradcam`."""
        file, function = self.function.split(".")
        explanation: Explanation = getattr(import_module(f"augimpact.explain.{file}"), function)(
            module, batch, layers, target
        )
        return explanation


METHODS = {
    method.name: method
    for method in (
        Method(
            "gradcam",
            "Grad-CAM",
            "the layer's channels, weighted by the mean gradient of the target's logit",
            "Selvaraju et al. 2017, arXiv:1610.02391",
            "gradcam.gradcam",
        ),
        Method(
            "gradcam++",
            "Grad-CAM++",
            "channels weighted by their positive gradients, place by place",
            "Chattopadhyay et al. 2018, arXiv:1710.11063",
            "packaged.gradcam_plus_plus",
        ),
        Method(
            "hirescam",
            "HiResCAM",
            "activations times gradients, place by place",
            "Draelos and Carin 2020, arXiv:2011.08891",
            "packaged.hirescam",
        ),
        Method(
            "layercam",
            "LayerCAM",
            "activations times positive gradients, place by place; good for early layers",
            "Jiang et al. 2021, doi:10.1109/TIP.2021.3089943",
            "packaged.layercam",
        ),
        Method(
            "xgradcam",
            "XGrad-CAM",
            "channels weighted by gradients in proportion to their activations",
            "Fu et al. 2020, arXiv:2008.02312",
            "packaged.xgradcam",
        ),
        Method(
            "cam",
            "CAM",
            "channels weighted by the last linear layer, where it is fed the layer's spatial mean",
            "Zhou et al. 2016, arXiv:1512.04150",
            "cam.cam",
        ),
        Method(
            "eigencam",
            "Eigen-CAM",
            "the activations' first principal component; explains no class",
            "Muhammad and Yeasin 2020, arXiv:2008.00299",
            "packaged.eigencam",
        ),
        Method(
            "gradient",
            "Gradient",
            "the largest gradient of each pixel's channels",
            "Simonyan et al. 2013, arXiv:1312.6034",
            "gradient.gradient",
            of_input=True,
        ),
        Method(
            "guided-gradient",
            "Guided gradient",
            "the pixels' gradient, where rectifiers let only positive gradients through",
            "Springenberg et al. 2015, arXiv:1412.6806",
            "guided.guided_gradient",
            of_input=True,
        ),
        Method(
            "guided-gradcam",
            "Guided Grad-CAM",
            "the guided gradient times Grad-CAM",
            "Selvaraju et al. 2017, arXiv:1610.02391",
            "guided.guided_gradcam",
            of_input=True,
        ),
        Method(
            "scorecam",
            "Score-CAM",
            "channels weighted by the score of the image under each as a mask; slow",
            "Wang et al. 2020, arXiv:1910.01279",
            "packaged.scorecam",
            slow=True,
        ),
        Method(
            "ablationcam",
            "Ablation-CAM",
            "channels weighted by how much the score falls without each; slow",
            "Desai and Ramaswamy 2020, doi:10.1109/WACV45572.2020.9093360",
            "packaged.ablationcam",
            slow=True,
        ),
        Method(
            "fullgrad",
            "FullGrad",
            "gradients of the pixels and of every convolution's bias; slow",
            "Srinivas and Fleuret 2019, arXiv:1905.00780",
            "packaged.fullgrad",
            of_input=True,
            slow=True,
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
