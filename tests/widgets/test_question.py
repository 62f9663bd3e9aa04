"""What a notebook asks where a dataset can be read in several ways, in IPython's own shell; the browser's part is in
`tests/browser/test_question.py`.
"""

from __future__ import annotations

import functools
import pickle
import re
import subprocess
import sys

import numpy as np
import pytest
import torch
from ipywidgets.widgets.widget import _instances
from torch.utils.data import DataLoader

import augimpact as ai
from augimpact.errors import AmbiguousData, DataError
from augimpact.profiling.extract import profile as plain_profile
from augimpact.widgets import asked
from augimpact.widgets.board import Board
from augimpact.widgets.question import CHOOSE, NOTHING, Question

random = np.random.default_rng(0)


def picture(*shape):
    return random.integers(0, 256, shape or (12, 16, 3), dtype=np.uint8)


TWO = [(picture(), picture(20, 30, 3), number % 2) for number in range(8)]


def error_of(data, **options):
    with pytest.raises(AmbiguousData) as raised:
        plain_profile(data, **options)
    return raised.value


def question_about(data, **options):
    return Question(error_of(data, **options), functools.partial(plain_profile, data, **options))


def labels(ask):
    return [told for told, _ in ask.dropdown.options]


class Shell:
    """IPython's shell, taken for a kernel's, and the questions that its cells led to."""

    def __init__(self, shell):
        self.shell = shell
        self._before = set(_instances)

    @property
    def questions(self):
        return [each for key, each in _instances.items() if key not in self._before and isinstance(each, Question)]

    def run(self, cell, **names):
        self.shell.push(names | {"ai": ai})
        return self.shell.run_cell(cell).error_in_exec


@pytest.fixture
def shell(monkeypatch):
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    monkeypatch.setattr(asked, "_answered", [])
    # As it was, whatever the shell hooks.
    for name in ("displayhook", "excepthook"):
        monkeypatch.setattr(sys, name, getattr(sys, name))
    config = Config()
    config.HistoryManager.enabled = False
    made = InteractiveShell.instance(config=config)
    made.kernel = object()
    yield Shell(made)
    InteractiveShell.clear_instance()


def test_an_ambiguous_cell_ends_with_its_error_and_asks_beneath(shell, capsys):
    error = shell.run("result = ai.profile(train, samples=2)\nafter = True", train=TWO)
    assert isinstance(error, AmbiguousData)
    assert "pass images='[0]' or images='[1]'" in str(error)
    assert "after" not in shell.shell.user_ns
    printed = re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().out)
    # The cell alone, and not how it was found out.
    assert "result = ai.profile(train, samples=2)" in printed
    assert "split_item" not in printed
    assert printed.index("AmbiguousData") < printed.index("Question(images)")
    (question,) = shell.questions
    (ask,) = question.asks
    assert labels(ask) == [
        CHOOSE,
        "[0]: ndarray of shape (12, 16, 3), uint8",
        "[1]: ndarray of shape (20, 30, 3), uint8",
    ]
    assert question.code == "ai.profile(train, samples=2, images=...)"
    with pytest.raises(DataError, match="no question"):
        ai.answered_profile()
    ask.dropdown.value = 1
    assert question.code == "ai.profile(train, samples=2, images='[1]')"
    assert question.code in question._code.value.replace("&#x27;", "'")
    question.button.click()
    assert ai.answered_profile() is question.profile
    summary = question.profile["summary"].statistics["train"]
    assert (summary["images"], summary["labels"]) == (8, 2)
    assert summary["height"]["max"] == 20
    assert isinstance(question.children[-1], Board)
    assert len(question.profile["samples"].statistics["indices"]) == 2
    assert repr(eval(question.code, {"ai": ai, "train": TWO})) == repr(question.profile)


def test_an_error_that_the_cell_caught_asks_nobody(shell):
    cell = "try:\n    ai.profile(train)\nexcept ValueError as error:\n    caught = error"
    assert shell.run(cell, train=TWO) is None
    assert isinstance(shell.shell.user_ns["caught"], AmbiguousData)
    assert shell.questions == []
    # Nor does a later cell with an error of its own.
    shell.run("1 / 0")
    assert shell.questions == []
    error = shell.run(
        "try:\n    ai.profile(train)\nexcept ValueError as error:\n    raise RuntimeError from error", train=TWO
    )
    assert isinstance(error, RuntimeError)
    assert len(shell.questions) == 1


def test_outside_of_a_kernel_it_is_the_plain_function(shell, capsys):
    shell.shell.kernel = None
    assert isinstance(shell.run("ai.profile(train)", train=TWO), AmbiguousData)
    assert shell.questions == []
    assert ai.profile.__wrapped__ is plain_profile
    assert ai.profile.__doc__ == plain_profile.__doc__
    assert pickle.loads(pickle.dumps(ai.profile)) is ai.profile


def test_outside_of_a_notebook_no_widget_is_imported():
    code = (
        "import sys, numpy as np, augimpact as ai\n"
        "picture = np.zeros((9, 9, 3), np.uint8)\n"
        "try:\n    ai.profile([(picture, picture)])\n"
        "except ValueError as error:\n"
        "    print([name for name in ('ipywidgets', 'IPython') if name in sys.modules], error.argument)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "[] images", done.stderr


def test_nothing_is_chosen_beforehand_and_nothing_runs_until_all_is_answered():
    question = question_about(TWO)
    assert question.button.disabled
    question.answer()
    assert question.profile is None
    question.asks[0].dropdown.value = 0
    assert not question.button.disabled
    for nothing in (NOTHING, None):
        question.asks[0].dropdown.value = nothing
        assert question.button.disabled


def test_a_second_question_comes_after_the_first_and_goes_when_that_is_answered_anew():
    images = [(np.full((30, 20, 40), number / 9, np.float32), picture(), 1, 2) for number in range(6)]
    question = question_about(images)
    question.asks[0].dropdown.value = 0
    question.button.click()
    assert [ask.argument for ask in question.asks] == ["images", "labels"]
    assert question.profile is None
    assert question.button.disabled
    # Pressed once more before the page knew better.
    question.answer()
    question.asks[1].dropdown.value = 1
    question.button.click()
    assert [ask.argument for ask in question.asks] == ["images", "labels", "layout"]
    assert labels(question.asks[2])[1:] == ["CHW: 30 channels of 40×20", "HWC: 40 channels of 20×30"]
    question.asks[0].dropdown.value = 1
    assert [ask.argument for ask in question.asks] == ["images"]
    assert question.arguments == {"images": "[1]"}
    question.button.click()
    question.asks[1].dropdown.value = 0
    question.button.click()
    assert question.code == "ai.profile(…, images='[1]', labels='[2]')"
    assert question.profile["summary"].statistics["train"]["labels"] == 1


@pytest.mark.parametrize(
    ("low", "known"),
    [(-0.9, ["signed", "normalised with ImageNet"]), (-1.8, ["normalised with ImageNet"]), (-5, [])],
)
def test_a_range_is_asked_for_with_what_the_values_allow(low, known):
    data = [np.linspace(low, 0.9, 300, dtype=np.float32).reshape(10, 10, 3)] * 3
    (ask,) = question_about(data).asks
    told = labels(ask)[1:]
    assert [next((each for each in told if each.startswith(name)), None) for name in known] == told[: len(known)]
    assert told[len(known) :] == ["other values of black and white", "normalised with another mean and deviation"]


def test_numbers_that_no_option_has_are_typed():
    data = [np.linspace(-4, 4, 300, dtype=np.float32).reshape(10, 10, 3)] * 3
    question = question_about(data)
    (ask,) = question.asks
    ask.dropdown.value = 0
    assert list(ask.texts) == ["value_range"]
    for wrong in ("", "4", "-4, four", "1, 2, 3"):
        ask.texts["value_range"].value = wrong
        assert question.button.disabled, wrong
    ask.texts["value_range"].value = "-4, 4"
    assert question.code == "ai.profile(…, value_range=(-4.0, 4.0))"
    ask.dropdown.value = 1
    assert list(ask.texts) == ["mean", "std"]
    ask.texts["mean"].value = "0.5 0.5 0.5"
    assert question.button.disabled
    ask.texts["std"].value = "0.125, 0.125, 0.125"
    question.button.click()
    assert question.profile["brightness"].statistics["train"]["mean"] == pytest.approx(0.5, abs=0.01)
    assert question.arguments == {"mean": (0.5,) * 3, "std": (0.125,) * 3}


def test_what_goes_wrong_is_told_and_another_answer_can_be_given():
    data = [np.linspace(-0.9, 0.9, 300, dtype=np.float32).reshape(10, 10, 3), "no picture"]
    question = question_about(data[:1])
    question.asks[0].dropdown.value = 2
    question.asks[0].texts["value_range"].value = "0, 1"
    question.button.click()
    assert "no sample that can be used" in question._message.value
    assert question.profile is None
    assert not question.button.disabled
    question.asks[0].dropdown.value = 0
    question.button.click()
    assert question.profile["summary"].statistics["train"]["images"] == 1


def test_the_bar_and_whoever_was_given_are_told_how_far_it_is():
    told = []
    question = question_about(TWO, progress=lambda done, total: told.append((done, total)))
    question.asks[0].dropdown.value = 0
    told.clear()
    question.button.click()
    assert told == [(number, 8) for number in range(1, 9)]
    assert (question._bar.value, question._bar.max, question._bar.description) == (8, 8, "8 of 8")


@pytest.mark.parametrize(
    "made",
    [lambda: iter(TWO), lambda: (each for each in TWO), lambda: zip(*map(list, zip(*TWO, strict=True)), strict=True)],
    ids=["iterator", "generator", "zip"],
)
def test_what_can_be_read_once_is_not_run_and_the_argument_told(shell, made):
    shell.run("ai.profile(samples, max_samples=4)", samples=made())
    (question,) = shell.questions
    assert "cannot be read again" in question._code.value
    assert question.button not in question.children
    question.asks[0].dropdown.value = 0
    assert question.code == "ai.profile(samples, max_samples=4, images='[0]')"
    question.answer()
    assert question.profile is None


def test_a_loader_is_read_once_more_and_no_sample_is_lost(shell):
    loader = DataLoader([(torch.from_numpy(one), torch.from_numpy(one), label) for one, _, label in TWO], batch_size=3)
    shell.run("kept = dict(data=ai.profile(\n    loader,  # in batches\n))", loader=loader)
    (question,) = shell.questions
    assert question.code == "ai.profile(loader, images=...)"
    question.asks[0].dropdown.value = 1
    question.button.click()
    assert question.profile["summary"].statistics["train"]["images"] == len(TWO)


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("from augimpact import profile as look\nlook(train)", "ai.profile(…, images=...)"),
        ("from augimpact import profile\nü, p = 'ü', profile(train, images=None)", "profile(train, images=...)"),
        ("list(map(ai.profile, [train]))", "ai.profile(…, images=...)"),
        ("def asked(data):\n    return ai.profile(data)\nasked(train)", "ai.profile(data, images=...)"),
        ("exec('ai.profile(train)')", "ai.profile(…, images=...)"),
    ],
)
def test_the_call_is_told_as_it_was_written(shell, cell, code):
    shell.run(cell, train=TWO)
    (question,) = shell.questions
    assert question.code == code


def test_the_words_of_a_dataset_are_never_markup():
    data = [{"<b>one": picture(), "<b>two": picture()}]
    question = question_about(data)
    assert "<b>one" in labels(question.asks[0])[1]
    question.asks[0].dropdown.value = 0
    assert "<b>one" not in question._code.value
    assert "&lt;b&gt;one" in question._code.value


def test_an_ambiguous_error_is_whole_in_another_process():
    error = error_of(TWO)
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.argument, again.options) == (str(error), error.argument, error.options)


def test_where_no_image_is_found_any_array_may_be_chosen():
    error = error_of([{"name": "x", "flat": np.zeros(300, np.float32), "number": 2.5}])
    assert [dict(option.arguments) for option in error.options] == [{"images": ".flat"}]
    assert error_of([{"name": "x"}]).options == ()
