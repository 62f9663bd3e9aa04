"""See what image augmentation does to a classifier: sweeps, explained frame by frame, played and saved.

Nothing heavy is imported until one of these names is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from augimpact.analysis import analyze as analyze
    from augimpact.augment.corners import setting_of_corners as setting_of_corners
    from augimpact.augment.own import augmentation as augmentation
    from augimpact.augment.random import RandomAugmentation as RandomAugmentation
    from augimpact.augment.wrap import wrap as wrap
    from augimpact.comparison import Comparison as Comparison
    from augimpact.comparison import compare as compare
    from augimpact.data.cache import DiskCache as DiskCache
    from augimpact.data.cache import MemoryCache as MemoryCache
    from augimpact.data.cache import RedisCache as RedisCache
    from augimpact.data.dataset import Dataset as Dataset
    from augimpact.data.imagenette import imagenette as imagenette
    from augimpact.data.images import ImageDataset as ImageDataset
    from augimpact.data.integrity import check_integrity as check_integrity
    from augimpact.data.local_copy import copy_to_local as copy_to_local
    from augimpact.data.pipeline import ImagePipeline as ImagePipeline
    from augimpact.data.samples import SampleTable as SampleTable
    from augimpact.data.sampling import StratifiedSampler as StratifiedSampler
    from augimpact.data.sampling import group_weights as group_weights
    from augimpact.data.split import Split as Split
    from augimpact.data.split import load_assignments as load_assignments
    from augimpact.data.split import save_assignments as save_assignments
    from augimpact.grid import Grid as Grid
    from augimpact.grid import Surface as Surface
    from augimpact.grid_analysis import analyze_grid as analyze_grid
    from augimpact.impact.compared import ImpactComparison as ImpactComparison
    from augimpact.impact.compared import compare_impacts as compare_impacts
    from augimpact.impact.result import Impact as Impact
    from augimpact.impact.run import measure_impact as measure_impact
    from augimpact.memory import keep_freed_memory as keep_freed_memory
    from augimpact.models.classifier import Classifier as Classifier
    from augimpact.models.load import load_classifier as load_classifier
    from augimpact.models.regressor import Regressor as Regressor
    from augimpact.profiling.reference import reference_of as reference_of
    from augimpact.recipes import replay as replay
    from augimpact.store.catalog import Catalog as Catalog
    from augimpact.store.exchange import coco_classes as coco_classes
    from augimpact.store.exchange import iterwindows as iterwindows
    from augimpact.store.exchange import pairs_of_coco as pairs_of_coco
    from augimpact.store.exchange import pairs_of_table as pairs_of_table
    from augimpact.store.exchange import write_coco as write_coco
    from augimpact.store.exchange import write_folder as write_folder
    from augimpact.store.training_set import TrainingSet as TrainingSet
    from augimpact.sweep import Sweep as Sweep
    from augimpact.trace import Trace as Trace
    from augimpact.widgets.asked import answered_profile as answered_profile
    from augimpact.widgets.asked import profile as profile
    from augimpact.widgets.board import Board as Board
    from augimpact.widgets.explorer import Explorer as Explorer
    from augimpact.widgets.impact import ImpactView as ImpactView
    from augimpact.widgets.player import Player as Player
    from augimpact.widgets.sets import SetBrowser as SetBrowser
    from augimpact.widgets.surface import SurfaceView as SurfaceView

_HOME = {
    "Board": "augimpact.widgets.board",
    "Catalog": "augimpact.store.catalog",
    "Classifier": "augimpact.models.classifier",
    "Comparison": "augimpact.comparison",
    "Dataset": "augimpact.data.dataset",
    "DiskCache": "augimpact.data.cache",
    "Explorer": "augimpact.widgets.explorer",
    "Grid": "augimpact.grid",
    "Impact": "augimpact.impact.result",
    "ImpactComparison": "augimpact.impact.compared",
    "ImageDataset": "augimpact.data.images",
    "ImagePipeline": "augimpact.data.pipeline",
    "MemoryCache": "augimpact.data.cache",
    "ImpactView": "augimpact.widgets.impact",
    "Player": "augimpact.widgets.player",
    "RandomAugmentation": "augimpact.augment.random",
    "RedisCache": "augimpact.data.cache",
    "Regressor": "augimpact.models.regressor",
    "SampleTable": "augimpact.data.samples",
    "SetBrowser": "augimpact.widgets.sets",
    "Split": "augimpact.data.split",
    "StratifiedSampler": "augimpact.data.sampling",
    "Surface": "augimpact.grid",
    "SurfaceView": "augimpact.widgets.surface",
    "Sweep": "augimpact.sweep",
    "Trace": "augimpact.trace",
    "TrainingSet": "augimpact.store.training_set",
    "analyze": "augimpact.analysis",
    "analyze_grid": "augimpact.grid_analysis",
    "answered_profile": "augimpact.widgets.asked",
    "augmentation": "augimpact.augment.own",
    "check_integrity": "augimpact.data.integrity",
    "coco_classes": "augimpact.store.exchange",
    "compare": "augimpact.comparison",
    "compare_impacts": "augimpact.impact.compared",
    "copy_to_local": "augimpact.data.local_copy",
    "group_weights": "augimpact.data.sampling",
    "imagenette": "augimpact.data.imagenette",
    "iterwindows": "augimpact.store.exchange",
    "keep_freed_memory": "augimpact.memory",
    "load_assignments": "augimpact.data.split",
    "load_classifier": "augimpact.models.load",
    "measure_impact": "augimpact.impact.run",
    "pairs_of_coco": "augimpact.store.exchange",
    "pairs_of_table": "augimpact.store.exchange",
    "profile": "augimpact.widgets.asked",
    "reference_of": "augimpact.profiling.reference",
    "replay": "augimpact.recipes",
    "save_assignments": "augimpact.data.split",
    "setting_of_corners": "augimpact.augment.corners",
    "wrap": "augimpact.augment.wrap",
    "write_coco": "augimpact.store.exchange",
    "write_folder": "augimpact.store.exchange",
}
__all__ = list(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'augimpact' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
