"""The panels of a profile as tabs: what there is, how its images are, its classes, and what is wrong with it.

Each tab is what a report shows: figures, sentences, and the numbers folded away. It is drawn when it is opened for the
first time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import ipywidgets

from augimpact.profiling.drawing import Drawing
from augimpact.profiling.page import fragment

if TYPE_CHECKING:
    from augimpact.profiling.extract import Profile
    from augimpact.profiling.panel import Panel

__all__ = ["Board"]

# Which panels stand in which tab.
OVERVIEW, IMAGES, CLASSES, PROBLEMS = "overview", "images", "classes", "problems"
TABS = (OVERVIEW, IMAGES, CLASSES, PROBLEMS)
PLACES = {
    **dict.fromkeys(("summary", "samples", "sizes", "broken"), OVERVIEW),
    **dict.fromkeys(("classes", "class_distance", "mean_images", "shortcuts"), CLASSES),
    **dict.fromkeys(("errors", "extremes", "duplicates", "odd", "drift", "leakage"), PROBLEMS),
}
# What is told of objects, masks and labels is told by class, unless it is a fault; all else is of the images.
FAULTS = ("faults", "errors")
OF_CLASSES = ("class", "label", "mask", "box", "object", "pixel")
DRAWING = "<p>drawing…</p>"


class Board(ipywidgets.VBox):
    """Shows a profile in a notebook.

    Args:
        profile: what `augimpact.profile` returned.

    Attributes:
        profile: the same.
        groups: the panels of each tab, by its name, in the order of the tabs; tabs without a panel are left out.
        tabs: the `ipywidgets.Tab`; its `selected_index` says which is open, and can be set.
    """

    def __init__(self, profile: Profile) -> None:
        self.profile = profile
        found: dict[str, list[Panel]] = {name: [] for name in TABS}
        for panel in profile.panels:
            found[_tab_of(panel)].append(panel)
        self.groups = {name: tuple(panels) for name, panels in found.items() if panels}
        self._drawn: set[int] = set()
        self._pages = [ipywidgets.HTML(DRAWING) for _ in self.groups]
        self.tabs = ipywidgets.Tab(self._pages, titles=list(self.groups))
        # What `report.css` says of its titles.
        self.tabs.add_class("augimpact-board")
        self.tabs.observe(lambda change: self._draw(change["new"]), "selected_index")
        note = [] if profile.complete else [ipywidgets.HTML("<p>Not all samples were seen.</p>")]
        super().__init__([*note, self.tabs])
        if self.groups:
            self.tabs.selected_index = 0
            self._draw(0)

    def __repr__(self) -> str:
        return f"Board({self.profile!r})"

    def _draw(self, index: int | None) -> None:
        if index is None or index in self._drawn:
            return
        self._drawn.add(index)
        panels = list(self.groups.values())[index]
        # Whether all was seen is said above the tabs.
        self._pages[index].value = fragment([Drawing(panel) for panel in panels], complete=True)


def _tab_of(panel: Panel) -> str:
    if panel.name in PLACES:
        return PLACES[panel.name]
    if panel.name.endswith(FAULTS):
        return PROBLEMS
    return CLASSES if panel.name.startswith(OF_CLASSES) else IMAGES
