"""The panels of a profile as tabs: what there is, how its images are, its classes, and what is wrong with it.

Each tab is what a report shows: figures, sentences, and the numbers folded away. It is drawn when it is opened for the
first time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import ipywidgets

from augimpact.profiling.drawing import Drawing
from augimpact.profiling.page import fragment
from augimpact.profiling.report import panels_html
from augimpact.widgets.lasting import Lasting
from augimpact.widgets.tabs import Tabs

if TYPE_CHECKING:
    from augimpact.profiling.panel import Panel
    from augimpact.profiling.result import Profile

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
LABEL = "panels of the data"


class Board(ipywidgets.VBox):
    """Shows a profile in a notebook.

    Args:
        profile: what `augimpact.profile` returned.

    Attributes:
        profile: the same.
        groups: the panels of each tab, by its name, in the order of the tabs; tabs without a panel are left out.
        tabs: the `Tabs`; its `selected` is the name of the one that is open, and can be set. None without any panel.
        pages: what each tab shows, by its name.
    """

    def __init__(self, profile: Profile) -> None:
        self.profile = profile
        found: dict[str, list[Panel]] = {name: [] for name in TABS}
        for panel in profile.panels:
            found[_tab_of(panel)].append(panel)
        self.groups = {name: tuple(panels) for name, panels in found.items() if panels}
        self._drawn: set[str] = set()
        self._lasting = Lasting()
        self.pages = {name: ipywidgets.HTML(DRAWING) for name in self.groups}
        for name, page in self.pages.items():
            page.add_class(f"augimpact-in-{name}")
        self.tabs = Tabs(list(self.groups), LABEL) if self.groups else None
        note = [] if profile.complete else [ipywidgets.HTML("<p>Not all samples were seen.</p>")]
        tabs = [] if self.tabs is None else [self.tabs]
        super().__init__([*note, *tabs, *self.pages.values()], layout=ipywidgets.Layout(grid_gap="8px"))
        self.add_class("augimpact-tabbed")
        if self.tabs is not None:
            self.tabs.observe(lambda change: self._draw(change["new"]), "selected")
            self._draw(self.tabs.selected)

    def __repr__(self) -> str:
        return f"Board({self.profile!r})"

    def _ipython_display_(self) -> None:
        # Of all tabs: a notebook without a kernel opens none.
        self._lasting.display(self, lambda: {"text/html": panels_html(self.profile), "text/plain": repr(self)})

    def _draw(self, name: str) -> None:
        if name in self._drawn:
            return
        self._drawn.add(name)
        # Whether all was seen is said above the tabs.
        self.pages[name].value = fragment([Drawing(panel) for panel in self.groups[name]], complete=True)


def _tab_of(panel: Panel) -> str:
    if panel.name in PLACES:
        return PLACES[panel.name]
    if panel.name.endswith(FAULTS):
        return PROBLEMS
    return CLASSES if panel.name.startswith(OF_CLASSES) else IMAGES
