"""The Python that draws every parameter from a range, in the words of the library that trains with it.

What a sweep of a dataset found to be safe becomes what a training script augments by: parameter for parameter the same
pictures, in the same order of steps.
"""

from __future__ import annotations

import ast
import sys
import textwrap
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from augimpact.augment.apply import EFFECTS
from augimpact.augment.parameters import BUILT_IN, CATALOGUE
from augimpact.errors import ParameterError, unknown
from augimpact.impact.range_albumentations import ALBUMENTATIONS
from augimpact.impact.range_fastai import FASTAI
from augimpact.impact.range_steps import GEOMETRY, Library, Range, Ranges, Step, definition_of_move
from augimpact.impact.range_torchvision import TORCHVISION
from augimpact.source import WIDTH, Call, Name, source_of

__all__ = ["LIBRARIES", "code_of_ranges"]

OURS = "augimpact"
FOREIGN: Mapping[str, Library] = {"torchvision": TORCHVISION, "albumentations": ALBUMENTATIONS, "fastai": FASTAI}
LIBRARIES = (*FOREIGN, OURS)
OUR_USE = (
    "For square tensors (3, S, S) of floats in [0, 1]: augmentation(image, sample_id), or in",
    "ai.ImageDataset(table, ai.ImagePipeline(224), augmentation=augmentation).",
)
INDENT = "    "


def code_of_ranges(ranges: Mapping[str, tuple[float, float]], library: str) -> str:
    """Python that runs as it is and defines `augmentation`, which draws each parameter uniformly from its range.

    An image that it changes is, value for value, the frame of a sweep, within 0.01 on average; noise is the sweep's
    in strength, and drawn anew for every image. Beyond the border it is black. What the library has of its own is used
    where it agrees; what it has not is written out, and needs nothing but the library.

    - `torchvision`: a `v2.Compose`, for PIL images and tensors, which gives floats in [0, 1].
    - `albumentations`: an `A.Compose`, for bytes and float32.
    - `fastai`: a list of batch transforms, for a `DataBlock`'s `batch_tfms`; every image has draws of its own.
    - `augimpact`: a `RandomAugmentation`.

    A parameter that changes nothing, as `crop_x` without `crop` or one that stays neutral, is a comment in the code of
    the first three.

    Args:
        ranges: from where to where each parameter is drawn, in any order; equal ends are one value.
        library: one of `LIBRARIES`.

    Raises:
        ParameterError: an unknown library or parameter, a value outside a parameter's range, no pair of numbers; a
            parameter that mixes in a second image; one's own augmentation in another library than `augimpact`.

    >>> print(code_of_ranges({"rotation": (-12, 20), "brightness": (0.8, 1.5)}, "augimpact"))
    import augimpact as ai
    <BLANKLINE>
    # For square tensors (3, S, S) of floats in [0, 1]: augmentation(image, sample_id), or in
    # ai.ImageDataset(table, ai.ImagePipeline(224), augmentation=augmentation).
    augmentation = ai.RandomAugmentation(rotation=(-12, 20), brightness=(0.8, 1.5))
    <BLANKLINE>
    """
    if library not in LIBRARIES:
        raise ParameterError(unknown("library", library, LIBRARIES))
    checked = {name: _checked(name, value, library) for name, value in ranges.items()}
    return _our_code(checked) if library == OURS else _code(checked, FOREIGN[library])


def _checked(name: str, value: tuple[float, float], library: str) -> Range:
    if name not in CATALOGUE:
        raise ParameterError(unknown("parameter", name, CATALOGUE))
    parameter = CATALOGUE[name]
    if parameter.group == "mixing":
        raise ParameterError(f"{name} mixes in a second image, and a sample has one; expected another parameter")
    if name not in BUILT_IN and library != OURS:
        raise ParameterError(f"{name} is an augmentation of one's own, which {library} does not know; expected {OURS}")
    numbers = parameter.check(value)
    if numbers.shape != (2,):
        raise ParameterError(f"the range of {name} is {value!r}; expected a pair of numbers")
    return Range(float(numbers.min()), float(numbers.max()))


def _our_code(ranges: Ranges) -> str:
    named = {name: each.low if each.low == each.high else tuple(each) for name, each in ranges.items()}
    statement = f"augmentation = {source_of(Call('ai.RandomAugmentation', named=named), before=len('augmentation = '))}"
    own = [f"Run the code that registers {name} first." for name in ranges if name not in BUILT_IN]
    return "\n".join(["import augimpact as ai", "", *_comments([*OUR_USE, *own]), statement, ""])


def _code(ranges: Ranges, library: Library) -> str:
    active, idle = _active(ranges)
    statement = "\n".join([
        *_comments([*library.use, *idle]), library.opening, *_steps(active, library), library.closing,
    ])  # fmt: skip
    definitions = _definitions(statement, {"move": definition_of_move(_moving(active)), **library.definitions})
    body = "\n\n\n".join([*definitions, statement])
    return _imports(body, library.imports) + ("\n\n\n" if definitions else "\n\n") + body + "\n"


def _active(ranges: Ranges) -> tuple[dict[str, Range], list[str]]:
    """The ranges that change anything, and of each other what is said of it."""
    idle = {
        name: f"{name} stays {source_of(each.low)}, which changes nothing."
        for name, each in ranges.items()
        if each == _neutral(name)
    }
    active = {name: each for name, each in ranges.items() if name not in idle}
    # What is left out may have been what another needs.
    while lacking := {name: needs for name in active if (needs := _lacking(name, active))}:
        for name, needs in lacking.items():
            idle[name] = f"{name} changes nothing without {' and '.join(needs)}."
            del active[name]
    return active, [idle[name] for name in ranges if name in idle]


def _lacking(name: str, active: Ranges) -> list[str]:
    return [need for need in CATALOGUE[name].needs if need not in active]


def _steps(active: Ranges, library: Library) -> Iterator[str]:
    """The lines between the brackets, in the order of `augimpact.augment.apply`."""
    moving = {name: active[name].held(name) for name in _moving(active)}
    if moving:
        yield from _indented(_step(library.geometry(moving), moving, moving))
    effects = list(_effects(active, library))
    if effects and library.around is not None:
        before, behind = library.around
        effects = [before, *_indented(effects), behind]
    yield from _indented(effects)


def _effects(active: Ranges, library: Library) -> Iterator[str]:
    """The lines of all that moves no pixels."""
    for effect in EFFECTS:
        if effect.parameter in active:
            names = (effect.parameter, *effect.also)
            drawn = {name: active.get(name, _neutral(name)) for name in names}
            yield from _step(library.steps[effect.parameter], drawn, [name for name in names if name in active])


def _moving(active: Ranges) -> list[str]:
    return [name for name in GEOMETRY if name in active]


def _neutral(name: str) -> Range:
    return Range(CATALOGUE[name].neutral, CATALOGUE[name].neutral)


def _step(step: Step, ranges: Ranges, names: Iterable[str]) -> list[str]:
    """The lines of a transform, with what is drawn in comments before it."""
    filled = step.source.format(**ranges)
    call = _call(ast.parse(filled, mode="eval").body, filled)
    about = [_about(name, ranges[name]) for name in names]
    # It may stand in brackets in brackets, and a comma behind it.
    taken = 2 * len(INDENT)
    comments = _comments([*about, step.note], room=WIDTH - 2 - taken)
    return [*comments, *f"{source_of(call, before=taken, after=1)},".splitlines()]


def _indented(lines: Iterable[str]) -> list[str]:
    return [INDENT + line for line in lines]


def _about(name: str, drawn: Range) -> str:
    parameter = CATALOGUE[name]
    low, high = source_of(drawn.low), source_of(drawn.high)
    span = f"always {low}" if low == high else f"{low} to {high}"
    return f"{name}, {span} ({parameter.unit}): {parameter.description}."


def _call(node: ast.expr, code: str) -> Call | Name:
    """What `source_of` can break into lines, of a call."""
    if not isinstance(node, ast.Call):
        return Name(ast.get_source_segment(code, node))
    named = {each.arg: _call(each.value, code) for each in node.keywords if each.arg is not None}
    return Call(ast.unparse(node.func), [_call(each, code) for each in node.args], named)


def _definitions(statement: str, known: Mapping[str, str]) -> list[str]:
    """The sources of what the statement calls, and of what these call, in the order in which they are known."""
    needed: set[str] = set()
    reached = _names(statement)
    while found := (reached & set(known)) - needed:
        needed |= found
        reached = set().union(*(_names(known[name]) for name in found))
    return [source.strip() for name, source in known.items() if name in needed]


def _names(code: str) -> set[str]:
    return {node.id for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Name)}


def _imports(code: str, known: Mapping[str, str]) -> str:
    """The imports of what the code names: the standard library's first, then the others."""
    modules: dict[str, list[str]] = defaultdict(list)
    for name in sorted(_names(code) & set(known)):
        module, _, part = known[name].partition(":")
        modules[module].append(part)
    blocks: dict[bool, list[str]] = {True: [], False: []}
    # Whole modules stand before parts of modules.
    for module, parts in sorted(modules.items(), key=lambda item: (any(item[1]), item[0])):
        line = f"from {module} import {', '.join(parts)}" if any(parts) else f"import {module}"
        if len(line) > WIDTH:
            line = "\n".join([f"from {module} import (", *(f"{INDENT}{part}," for part in parts), ")"])
        blocks[module.split(".")[0] in sys.stdlib_module_names].append(line)
    return "\n\n".join("\n".join(block) for block in blocks.values() if block)


def _comments(texts: Iterable[str], *, room: int = WIDTH - 2) -> list[str]:
    return [f"# {line}" for text in texts for line in textwrap.wrap(text, room)]
