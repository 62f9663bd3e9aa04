"""What `profile` could not tell of a dataset, asked beneath the cell: a choice a question, then the panels.

Nothing is chosen beforehand, so nothing is guessed. It runs as a cell would, on the kernel's main thread: it can be
interrupted, and what a user's dataset does is done on the thread that it was made on.
"""

from __future__ import annotations

import ast
import logging
import time
from collections.abc import Callable, Mapping
from html import escape
from typing import Any

import ipywidgets
import traitlets

from augimpact.errors import AmbiguousData, Option
from augimpact.profiling.result import Profile
from augimpact.progress import Telling
from augimpact.widgets.board import Board
from augimpact.widgets.worker import sentence

__all__ = ["Ask", "Question"]

logger = logging.getLogger(__name__)
QUESTIONS = {
    "images": "Which part of an item is the image?",
    "labels": "Which part of an item is the label?",
    "layout": "How do the axes of an image lie?",
    "value_range": "Which values are black and white?",
}
# What a dropdown has before anything is chosen; that its value is None a front end shows as an empty line.
CHOOSE, NOTHING = "choose…", -1
# What is typed where no option names the numbers.
PLACEHOLDERS = {
    "value_range": "black, white: such as 0, 4095",
    "mean": "mean, a number a channel: such as 0.5, 0.5, 0.5",
    "std": "deviation, a number a channel: such as 0.2, 0.2, 0.2",
}
READ_ONCE = (
    "The samples came from an iterator, which cannot be read again, and the first are gone. "
    "Make it anew, and pass what you choose here:"
)
SAME, RESULT = "The same without asking:", "The profile is <code>ai.answered_profile()</code>. Without asking it is:"
# Seconds between two words about how far it is.
TOLD_EVERY = 0.1
WIDE = {"width": "min(100%, 560px)"}
STYLE = """<style>
.augimpact-question { font: 13px/1.5 system-ui, sans-serif; color: var(--jp-ui-font-color1, inherit); padding: 4px 0; }
.augimpact-question b { font-weight: 600; }
.augimpact-question code {
  font: 12.5px/1.5 ui-monospace, "DejaVu Sans Mono", monospace; padding: 1px 5px; border-radius: 4px;
  color: inherit; background: var(--jp-layout-color2, rgba(128, 128, 128, .18)); overflow-wrap: anywhere;
}
.augimpact-question pre {
  font: 12.5px/1.5 ui-monospace, "DejaVu Sans Mono", monospace; margin: 4px 0; white-space: pre-wrap;
  color: var(--jp-error-color1, #b3261e);
}
</style>"""


class Ask(ipywidgets.VBox):
    """One question with its options.

    Args:
        error: what is asked for.
        changed: called when the answer is another.

    Attributes:
        argument: that is asked for.
        dropdown: the options, by their place.
        texts: what is typed, by the name of the argument; only where the chosen option leaves numbers open.
    """

    def __init__(self, error: AmbiguousData, changed: Callable[[Ask], None]) -> None:
        self.argument, self._options = error.argument, error.options
        self._changed = changed
        choices = [(CHOOSE, NOTHING), *((option.told, place) for place, option in enumerate(error.options))]
        question = QUESTIONS.get(error.argument, error.argument)
        self.dropdown = ipywidgets.Dropdown(options=choices, value=NOTHING, layout=WIDE)
        self.dropdown.tooltip = question
        self.texts: dict[str, ipywidgets.Text] = {}
        self._title = _html(f"<b>{escape(question)}</b>")
        super().__init__([self._title, self.dropdown])
        self.dropdown.observe(self._choose, "value")

    @property
    def arguments(self) -> Mapping[str, Any] | None:
        """What was answered, as `profile` takes it; None while there is no answer."""
        if self._chosen is None:
            return None
        given = dict(self._chosen.arguments)
        for name, text in self.texts.items():
            given[name] = _numbers(text.value)
        pair = given.get("value_range", ())
        whole = None not in given.values() and (isinstance(pair, str) or len(pair) in (0, 2))
        return given if whole else None

    @property
    def _chosen(self) -> Option | None:
        place = self.dropdown.value
        return None if place in (None, NOTHING) else self._options[place]

    def _choose(self, _change: Mapping[str, Any]) -> None:
        chosen = {} if self._chosen is None else self._chosen.arguments
        self.texts = {
            name: ipywidgets.Text(placeholder=PLACEHOLDERS.get(name, name), layout=WIDE)
            for name, value in chosen.items()
            if value is None
        }
        for text in self.texts.values():
            text.observe(lambda _: self._changed(self), "value")
        self.children = (self._title, self.dropdown, *self.texts.values())
        self._changed(self)


class Question(ipywidgets.VBox):
    """Asks for what `profile` could not tell, runs it with the answers, and shows what it comes to.

    Args:
        error: the first thing that is asked for; running may ask for more.
        run: `profile`, which is given the answers by name; None where the data cannot be read once more: then the
            argument is told, and nothing runs.
        call: how `profile` was called, to tell how it is called without asking.

    Attributes:
        profile: the result, once there is one; a trait, which can be observed.
        asks: the questions.
        button: runs it.
        board: the panels of the result.
    """

    profile = traitlets.Instance(Profile, allow_none=True)

    def __init__(self, error: AmbiguousData, run: Callable[..., Profile] | None, call: ast.Call | None = None) -> None:
        self._run, self._call = run, call
        self.board: Board | None = None
        self.asks = [Ask(error, self._follow)]
        self.button = ipywidgets.Button(description="Profile", button_style="primary")
        self.button.on_click(lambda _: self.answer())
        self._code, self._message = _html(""), _html("")
        self._bar = ipywidgets.IntProgress(layout=WIDE | {"display": "none"})
        super().__init__()
        self._follow(self.asks[0])

    def __repr__(self) -> str:
        return f"Question({', '.join(each.argument for each in self.asks)})"

    @property
    def arguments(self) -> dict[str, Any]:
        """What was answered so far."""
        return {name: value for each in self.asks for name, value in (each.arguments or {}).items()}

    @property
    def code(self) -> str:
        """The call with the answers; three dots stand for what is still asked for."""
        told: dict[str, Any] = {}
        for each in self.asks:
            told |= each.arguments or {each.argument: ...}
        return _with(self._call, told)

    def answer(self) -> None:
        """Runs `profile` with the answers, if all are given: what pressing the button does."""
        if self._run is None or self.profile is not None or not self._is_answered:
            return
        self.button.disabled, self._message.value = True, ""
        self._bar.layout.display = None
        try:
            # Not while it is shown: the observers of the result may raise.
            found = self._run(**self._with_progress(self.arguments))
        except AmbiguousData as error:
            self.asks.append(Ask(error, self._follow))
            self._follow(self.asks[-1])
        except Exception as error:
            logger.info("a profile failed", exc_info=error)
            self._message.value = _styled(f"<pre>{escape(sentence(error, private=False))}</pre>")
            self.button.disabled = False
        else:
            self._show(found)
        finally:
            self._bar.layout.display = "none"

    @property
    def _is_answered(self) -> bool:
        return all(each.arguments is not None for each in self.asks)

    def _follow(self, changed: Ask) -> None:
        """What was asked after an answer that is another now is asked anew."""
        self.asks = self.asks[: self.asks.index(changed) + 1] if changed in self.asks else self.asks
        self.button.disabled = not self._is_answered
        note = SAME if self._run is not None else READ_ONCE
        self._code.value = _styled(f"{note} <code>{escape(self.code)}</code>")
        below = [self.button, self._bar] if self._run is not None else []
        self.children = (*self.asks, self._code, *below, self._message)

    def _show(self, found: Profile) -> None:
        self._code.value = _styled(f"{RESULT} <code>{escape(self.code)}</code>")
        # The data is needed no more, and widgets live as long as the kernel.
        self._run = None
        self.board = Board(found)
        self.children = (self._code, self.board)
        self.profile = found

    def _with_progress(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """The arguments, and who is told how far it is: the bar, and whoever was given."""
        given: Telling | None = getattr(self._run, "keywords", {}).get("progress")
        told = 0.0

        def tell(done: int, total: int) -> None:
            nonlocal told
            if given is not None:
                given(done, total)
            if time.monotonic() - told > TOLD_EVERY or done == total:
                told = time.monotonic()
                self._bar.max, self._bar.value = max(1, total), done
                self._bar.description = f"{done} of {total}"

        return arguments | {"progress": tell}


def _numbers(text: str) -> tuple[float, ...] | None:
    """The numbers of a text, between commas or spaces; None where there is anything else."""
    try:
        return tuple(map(float, text.replace(",", " ").split())) or None
    except ValueError:
        return None


def _with(call: ast.Call | None, arguments: Mapping[str, Any]) -> str:
    """The call with these arguments, in place of those of the same name."""
    told = ", ".join(f"{name}={'...' if value is ... else repr(value)}" for name, value in arguments.items())
    if call is None:
        return f"ai.profile(…, {told})"
    given = ast.parse(f"f({told})", mode="eval").body
    assert isinstance(given, ast.Call)
    kept = [each for each in call.keywords if each.arg not in arguments]
    return ast.unparse(ast.Call(call.func, call.args, [*kept, *given.keywords]))


def _html(content: str) -> ipywidgets.HTML:
    return ipywidgets.HTML(_styled(content))


def _styled(content: str) -> str:
    return f'{STYLE}<div class="augimpact-question">{content}</div>' if content else ""
