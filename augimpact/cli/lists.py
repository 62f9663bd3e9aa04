"""What there is, as tables."""

from __future__ import annotations

from typing import Annotated

import typer

from augimpact.augment.parameters import CATALOGUE
from augimpact.augment.signal_parameters import SIGNAL_CATALOGUE
from augimpact.cli.tables import print_table

__all__ = ["augmentations", "methods", "models"]


def models(search: Annotated[str, typer.Argument(help="Lists only names that contain this.")] = "") -> None:
    """Lists the classifiers that --model takes."""
    import timm
    import torchvision.models

    from augimpact.models.builtin import BUILTIN
    from augimpact.models.load import TORCHVISION

    known = {
        "built in, needs no network": [BUILTIN],
        "torchvision, fetched on first use": [
            TORCHVISION + name for name in torchvision.models.list_models(module=torchvision.models)
        ],
        "timm, fetched on first use": timm.list_models(pretrained=True),
    }
    rows = [(name, origin) for origin, names in known.items() for name in names if search.lower() in name.lower()]
    print_table(("model", "from"), rows)


def augmentations() -> None:
    """Lists the parameters that -a takes."""
    rows = [
        (
            each.name,
            kind,
            each.group,
            f"{each.minimum:g}:{each.maximum:g}",
            f"{each.neutral:g}",
            each.unit,
            each.description,
        )
        for kind, catalogue in (("image", CATALOGUE), ("signal", SIGNAL_CATALOGUE))
        for each in catalogue.values()
    ]
    print_table(("name", "changes", "group", "range", "neutral", "unit", "what it does"), rows)


def methods() -> None:
    """Lists the ways to explain that --method takes."""
    from augimpact.explain.methods import METHODS

    print_table(
        ("name", "what it shows", "source"),
        [(method.name, method.description, method.source) for method in METHODS.values()],
    )
