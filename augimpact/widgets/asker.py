"""What the page's choices come to: the models asked about the image, one beside the other where two were chosen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from augimpact.errors import UserError
from augimpact.explain.methods import find_method
from augimpact.widgets.asking import Cancelling, Images, State, Telling
from augimpact.widgets.choices import conditions_of, held_of, options_of, sweep_of
from augimpact.widgets.model_list import ModelList

if TYPE_CHECKING:
    from augimpact.comparison import Comparison
    from augimpact.grid import Surface
    from augimpact.models.model import Model
    from augimpact.subject import Subject
    from augimpact.sweep import Sweep
    from augimpact.trace import Trace

__all__ = ["Asker"]

# Of a sweep's frames, in a page's process.
MOST_BYTES = 600_000_000


class Asker:
    """Asks about one image at a time; what was prepared of it for each model is kept. For one thread alone."""

    def __init__(self, gallery: Images, models: ModelList) -> None:
        self._gallery = gallery
        self._models = models
        # Of each model: the image, the one that is mixed in, and what was prepared of both.
        self._subjects: dict[str, tuple[Any, Any, Subject]] = {}
        self._restricted: dict[str, tuple[tuple[int, ...], Model, Model]] = {}

    def is_ready(self, state: State) -> bool:
        """Whether no model must be loaded first."""
        names = {state["model"], state["beside_model"] or state["model"]}
        return all(self._models.is_loaded(name, state["device"]) for name in names)

    def about(self, state: State) -> dict[str, Any]:
        """What there is to choose of the model, as `Controls.about` describes it."""
        model = self._models.load(state["model"], state["device"])
        return {
            "labels": list(model.labels),
            "are_classes": model.outputs.are_classes,
            "layers": list(model.probe.layouts),
            "layer": ", ".join(model.layers),
            "devices": _devices(),
        }

    def model(self, state: State) -> Model:
        """The chosen model, with all its classes."""
        return self._models.load(state["model"], state["device"])

    def device(self, state: State) -> str:
        """Where the model is, as a person reads it."""
        return str(self._models.load(state["model"], state["device"]).device).upper()

    def explained(self, state: State, setting: Mapping[str, float]) -> Trace | Comparison:
        """One frame, without a neutral one."""
        from augimpact.analysis import explain_settings
        from augimpact.sweep import Sweep

        path: dict[str, Any] = dict(setting)
        settings = Sweep(frames=1, **path).settings()
        return self._beside(
            state, lambda subject, model, options: explain_settings(subject, settings, model, **options)
        )

    def swept(self, state: State, *, progress: Telling, cancelled: Cancelling) -> Trace | Comparison:
        """The chosen sweep; progress counts the frames of all variants."""
        sweep = sweep_of(state)
        variants = self._variants(state)
        count = len(variants)
        finished = 0
        frame = sum(self._subject(name, model, state).canvas[0].numel() * 3 for name, model, _ in variants)
        if sweep.frames * frame > MOST_BYTES:
            taken = f"{sweep.frames} frames take {sweep.frames * frame / 1e6:.0f} MB"
            raise UserError(f"{taken}; expected at most {MOST_BYTES // frame} frames of this size")

        def ask(subject: Subject, model: Model, options: Mapping[str, Any]) -> Trace:
            nonlocal finished
            trace = self._analyzed(subject, sweep, model, options, cancelled,
                                   lambda done, total: progress(finished + done, count * total))  # fmt: skip
            finished += sweep.frames
            return trace

        progress(0, count * sweep.frames)
        return self._beside(state, ask)

    def grid(self, state: State, *, progress: Telling, cancelled: Cancelling) -> Surface:
        """The two parameters that are ranges, against each other.

        Raises:
            UserError: there are not two.
        """
        from augimpact.analysis import NEUTRAL
        from augimpact.grid import Grid
        from augimpact.grid_analysis import analyze_grid

        ranges = state["ranges"]
        if len(ranges) != 2:
            raise UserError(f"{len(ranges)} parameters are ranges; expected two for a grid: press ⇄ beside a slider")
        running = {name: (*sorted(ends), int(state["grid_steps"])) for name, ends in ranges.items()}
        grid = Grid(**held_of(state), **running)
        progress(0, grid.shape[0] * grid.shape[1])
        name, model, _ = self._variants(state)[0]
        target = NEUTRAL if state["target"] == "follow" else state["target"]
        subject = self._subject(name, model, state)
        return analyze_grid(
            subject, grid, model, target=target, progress=progress, cancelled=cancelled, **conditions_of(state)
        )

    def close(self) -> None:
        """Nothing is left open."""

    def _analyzed(
        self,
        subject: Subject,
        sweep: Sweep,
        model: Model,
        options: Mapping[str, Any],
        cancelled: Cancelling,
        progress: Telling,
    ) -> Trace:
        from augimpact.analysis import analyze

        return analyze(subject, sweep, model, progress=progress, cancelled=cancelled, **options)

    def _beside(self, state: State, ask: Callable[[Subject, Model, Mapping[str, Any]], Trace]) -> Trace | Comparison:
        """What `ask` gives of the chosen model; where there is a second variant, of both."""
        variants = self._variants(state)
        traces: dict[str, Trace] = {}
        for place, (name, model, method) in enumerate(variants):
            options = options_of(state) | {"method": method}
            if place and state["beside_model"]:
                # The layer was chosen of the first.
                options["layer"] = None
            told = [name] if state["beside_model"] else []
            told += [find_method(method).label] if state["beside_method"] else []
            traces[" · ".join(told)] = ask(self._subject(name, model, state), model, options)
        if len(variants) == 1:
            return next(iter(traces.values()))
        from augimpact.comparison import Comparison

        return Comparison(traces)

    def _variants(self, state: State) -> list[tuple[str, Model, str]]:
        """Name of the model, the model, the method: the chosen ones, and the ones beside them."""
        name, method = state["model"], state["method"]
        variants = [(name, self._model(name, state), method)]
        other, other_method = state["beside_model"] or name, state["beside_method"] or method
        if (other, other_method) != (name, method):
            variants.append((other, self._model(other, state), other_method))
        # What was prepared for others is forgotten, and they with it.
        names = {each for each, _, _ in variants}
        for prepared in (self._restricted, self._subjects):
            for gone in prepared.keys() - names:
                del prepared[gone]
        return variants

    def _model(self, name: str, state: State) -> Model:
        """The model with the chosen classes alone, if it has them all: another model's are known by their names."""
        from augimpact.models.classifier import Classifier

        model, first = (self._models.load(each, state["device"]) for each in (name, state["model"]))
        chosen = [int(index) for index in state["classes"]]
        if not chosen or not isinstance(model, Classifier):
            return model
        if model.labels != first.labels:
            names = [first.labels[index] for index in chosen]
            if not set(names) <= set(model.labels):
                return model
            chosen = [model.labels.index(each) for each in names]
        known = self._restricted.get(name)
        if known is None or known[:2] != (tuple(chosen), model):
            known = self._restricted[name] = tuple(chosen), model, model.restricted_to(chosen)
        return known[2]

    def _subject(self, name: str, model: Model, state: State) -> Subject:
        """The chosen image as the model is asked about it, prepared once."""
        from augimpact.subject import subject_of

        image, second = (self._gallery.source(state[which]) for which in ("image", "second"))
        known = self._subjects.get(name)
        same = known is not None and known[0] is image and known[1] is second
        if known is None or not same or known[2].inputs != model.inputs or known[2].canvas.device != model.device:
            subject = subject_of(
                self._gallery.open(state["image"]), model, state["image"], second=self._gallery.open(state["second"])
            )
            self._subjects = {kept: each for kept, each in self._subjects.items() if each[0] is image}
            known = self._subjects[name] = image, second, subject
        return known[2]


def _devices() -> list[str]:
    """Those that a model can be on."""
    import torch

    cuda = [f"cuda:{index}" for index in range(torch.cuda.device_count())]
    return ["cpu", *cuda, *(["mps"] if torch.backends.mps.is_available() else [])]
