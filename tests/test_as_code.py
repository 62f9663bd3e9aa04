"""The code that makes a result again does: in a fresh namespace, to the last bit, whatever it is made of."""

from __future__ import annotations

import ast
import inspect

import numpy as np
import pytest
import torch
from hypothesis import example as case
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import augimpact as ai
from augimpact.analysis import FOLLOW, NEUTRAL, _explained, explain_settings
from augimpact.as_code import BUILTIN_LAYERS, DEFAULTS, GRID_DEFAULTS, code_of
from augimpact.asking import Conditions
from augimpact.augment.own import augmentation, forget
from augimpact.augment.parameters import CATALOGUE, MIXING
from augimpact.data.image import example
from augimpact.models.load import load_classifier
from augimpact.source import WIDTH, Call, quoted, source_of
from augimpact.subject import subject_of
from tests.networks import small_network, small_signal_model

SMALL = "tests.networks:small_network"
NASTY = ["it's", 'a "b"', "it's \"both\"", 'three """ of them', "two\nlines", "\\", "\\N{BULLET}", "é☃😀",
         "\u2028\x00\x85",
         "\udcff", "{x}", "#", "<img onerror=alert(1)>", "a" * 300, "' * 9", "x" * 97 + "'" * 40]  # fmt: skip


def run(code, **known):
    """What the code makes in a namespace that has nothing but these names."""
    names = dict(known)
    exec(compile(code, "code", "exec"), names)
    return next(names[each] for each in ("trace", "surface", "comparison") if each in names)


def assert_same(one, other):
    for name in ("frames", "scores", "maps", "targets", "homographies"):
        assert np.array_equal(getattr(one, name), getattr(other, name)), name
    assert one.flips().equals(other.flips())
    assert one.recipe == other.recipe


def check(trace, **known):
    code = code_of(trace)
    ast.parse(code)
    assert all(len(line) <= WIDTH for line in code.splitlines()), code
    assert_same(run(code, **known), trace)
    return code


def test_the_shortest_run_is_one_short_line(classifier):
    trace = ai.analyze("example:cat", ai.Sweep(rotation=(-45, 45)), load_classifier())
    assert check(trace) == 'import augimpact as ai\n\ntrace = ai.analyze("example:cat", ai.Sweep(rotation=(-45, 45)))\n'


def test_everything_that_differs_is_said_and_nothing_else(tmp_path):
    example("rocket").save(tmp_path / "it's a rocket.png")
    trace = ai.analyze(
        tmp_path / "it's a rocket.png",
        ai.Sweep(rotation=(-30, 1 / 3), mixup=0.2, erase_w=[0.1, 0.2, 0.3], erase_h=0.3, easing="cosine"),
        load_classifier(SMALL), classes=["grey", "red", "blue"], target="red - grey", method="hirescam",
        layer=["0", "3"], erase_fill="noise", border="reflect", second="example:cat", seed=5, precision="bfloat16",
        flip_tolerance=0.25,
    )  # fmt: skip
    code = check(trace)
    call = ast.parse(code).body[-1].value
    assert [each.arg for each in call.keywords] == [
        "method", "target", "erase_fill", "border", "seed", "precision", "flip_tolerance", "classes", "second", "layer",
    ]  # fmt: skip
    assert "rotation=(-30, 0.3333333333333333)" in code
    assert "frames" not in code


def test_the_defaults_are_those_of_the_functions():
    parameters = inspect.signature(_explained).parameters | inspect.signature(ai.analyze).parameters
    usual = {name: each.default for name, each in parameters.items()} | vars(Conditions())
    assert {name: usual[name] for name in DEFAULTS} == DEFAULTS
    assert inspect.signature(ai.analyze_grid).parameters["target"].default == GRID_DEFAULTS["target"]
    assert list(load_classifier().layers) == BUILTIN_LAYERS


@st.composite
def values(draw, parameter, frames):
    one = st.floats(parameter.minimum, parameter.maximum)
    kind = draw(st.sampled_from(["held", "pair", "path"]))
    if kind == "held":
        return draw(one)
    if kind == "pair":
        return draw(st.tuples(one, one))
    return np.array(draw(st.lists(one, min_size=frames, max_size=frames)))


@st.composite
def runs(draw):
    frames = draw(st.integers(1, 5))
    names = draw(st.lists(st.sampled_from(sorted(CATALOGUE)), max_size=3, unique=True))
    names += [] if set(names) & set(MIXING) or draw(st.booleans()) else ["mixup"]
    sweep = {name: draw(values(CATALOGUE[name], frames)) for name in names}
    labels = ["red", "green", "blue", "grey"]
    options = {
        "method": st.sampled_from(["gradcam", "layercam", "gradcam++", "hirescam"]),
        "target": st.sampled_from([FOLLOW, NEUTRAL, "red", 1, "grey - red", ("green", "blue")]),
        "erase_fill": st.sampled_from(["black", "mean", "noise"]),
        "border": st.sampled_from(["black", "mean", "edge", "reflect"]),
        "seed": st.integers(0, 2**63 - 1),
        "precision": st.sampled_from(["float32", "bfloat16"]),
        "layer": st.sampled_from(["3", ["0", "3"]]),
        "second": st.sampled_from(["example:coffee", "example:rocket"]),
        "classes": st.permutations(labels),
    }
    given_ = draw(st.sets(st.sampled_from(sorted(options))))
    chosen = {name: draw(options[name]) for name in sorted(given_)}
    image = draw(st.sampled_from(["example:cat", "example:motorcycle"]))
    return image, ai.Sweep(frames=frames, easing=draw(st.sampled_from(["linear", "cosine"])), **sweep), chosen


@settings(max_examples=60)
@given(runs())
def test_any_run_is_made_again_to_the_last_bit(run_):
    image, sweep, options = run_
    check(ai.analyze(image, sweep, SMALL, **options))


@pytest.mark.parametrize("name", NASTY)
def test_names_from_outside_stay_text(name):
    """A file's name, a class's and a model's: none can end its literal, its line or its comment."""
    module = small_network().module
    model = ai.Classifier(module, [name, "green", name + "2", "grey"], size=96, name=name)
    subject = subject_of(example("cat"), model, name)
    picture = subject.recipe | {"hash": "another"}
    subject = type(subject)(subject.canvas, picture, subject.inputs, None)
    trace = ai.analyze(subject, ai.Sweep(rotation=5, frames=1), model, target=name, classes=[name, "green", name + "2"])
    code = code_of(trace)
    assert code.isascii() or all(character.isprintable() for character in code.replace("\n", ""))
    tree = ast.parse(code)
    assert len(tree.body) == 2
    call = tree.body[1].value
    assert ast.literal_eval(call.args[0]) == name
    assert ast.unparse(call.args[2]) == "classifier"
    told = {each.arg: ast.literal_eval(each.value) for each in call.keywords}
    assert told == {"target": name, "classes": [name, "green", name + "2"], "layer": model.layers[0]}
    code.encode()


@given(st.text() | st.lists(st.sampled_from(NASTY)).map("".join))
def test_any_text_comes_back_however_long_it_is(text):
    assert ast.literal_eval(quoted(text)) == text
    source = "value = " + source_of(Call("dict", named={"it": text, "of": [text, (text,)]}), before=8)
    names = {}
    exec(source, names)
    assert names["value"] == {"it": text, "of": [text, (text,)]}
    assert max(map(len, source.split("\n"))) <= WIDTH


@given(st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.tuples(inner) | st.dictionaries(st.text(), inner),
))  # fmt: skip
@case(-0.0)
@case(1e22)
@case(0.1 + 0.2)
def test_any_value_comes_back_exactly(value):
    again = eval(source_of(value, before=60))
    assert again == value
    # Zeros have signs; a float may come back as a whole number.
    if isinstance(value, float):
        assert np.float64(again).tobytes() == np.float64(value).tobytes()


@pytest.mark.parametrize("name", ["a b", "class", "x=1, **evil()", "__import__('os')", "1", "é\n"])
def test_a_name_that_is_no_argument_stays_text(name):
    """As in a file that somebody else wrote."""
    source = source_of(Call("dict", named={name: 1}))
    assert eval(source, {"__builtins__": {"dict": dict}}) == {name: 1}


def test_what_has_no_name_is_a_variable_that_a_comment_explains():
    picture, mixed = example("cat").crop((10, 10, 200, 190)), Image.new("RGB", (40, 30), "red")
    module = small_network().module
    model = ai.Classifier(module, list("abcd"), size=96, name="my 'own' model")
    trace = ai.analyze(picture, ai.Sweep(mixup=0.5, frames=2), model, second=mixed)
    code = check(trace, image=picture, second=mixed, classifier=model)
    assert "# `image` is the image that was given, 190 × 180.\n" in code
    assert "# `second` is the image that was mixed in.\n" in code
    assert "# `classifier` is the model that was given, called \"my 'own' model\".\n" in code


def test_an_uploaded_file_is_told_by_its_name(tmp_path, monkeypatch):
    model = load_classifier(SMALL)
    picture = example("cat").crop((10, 10, 200, 190))
    trace = ai.analyze(subject_of(picture, model, "photo.png"), ai.Sweep(crop=(1, 0.5), frames=2), model)
    picture.save(tmp_path / "photo.png")
    monkeypatch.chdir(tmp_path)
    code = code_of(trace)
    assert '"photo.png" is the file that was opened or uploaded' in code
    again = run(code)
    assert np.array_equal(again.scores, trace.scores)
    assert np.array_equal(again.frames, trace.frames)


def test_an_example_is_recognized_by_its_picture(classifier):
    """As the Explorer hands it over: an image with a name."""
    subject = subject_of(example("cat"), classifier, "cat", second=example("rocket"))
    trace = ai.analyze(subject, ai.Sweep(cutmix=0.2, frames=2), classifier)
    assert 'ai.analyze("example:cat", ' in code_of(trace)
    assert 'second="example:rocket"' in code_of(trace)
    assert np.array_equal(run(code_of(trace)).scores, trace.scores)
    coffee = subject_of(example("cat"), classifier, "cat", second=example("coffee"))
    assert "second" not in code_of(ai.analyze(coffee, ai.Sweep(mixup=0.2, frames=1), classifier))


def test_an_augmentation_of_ones_own_is_told():
    @augmentation("fade", range=(0, 1), neutral=0)
    def fade(batch, value):
        return batch * (1 - value)

    try:
        code = check(ai.analyze("example:cat", ai.Sweep(fade=(0, 0.7), frames=3), SMALL))
    finally:
        forget("fade")
    assert '# "fade" is an augmentation of one\'s own: run the code that registers it first.\n' in code


def test_a_checkpoint_is_loaded_as_it_was(tmp_path):
    import timm

    torch.manual_seed(0)
    module = timm.create_model("resnet10t", num_classes=3)
    torch.save(module.state_dict(), tmp_path / "net.pth")
    model = load_classifier(tmp_path / "net.pth", arch="resnet10t", labels=["a", "b's", "c"])
    code = check(ai.analyze("example:cat", ai.Sweep(rotation=(0, 9), frames=2), model))
    assert 'arch="resnet10t"' in code


def test_signals_are_made_again(tmp_path):
    signal = np.sin(np.linspace(0, 9, 64, dtype=np.float32))[None]
    np.save(tmp_path / "wave.npy", signal)
    model, sweep = small_signal_model(), ai.Sweep(jitter=(0, 0.4), frames=3)
    check(ai.analyze(tmp_path / "wave.npy", sweep, model), classifier=model)
    code = check(ai.analyze(signal, sweep, model), classifier=model, signal=signal)
    assert "# `signal` is the signal that was given, 1 × 64.\n" in code


def test_frames_of_any_settings_are_made_again():
    model = load_classifier(SMALL)
    settings_ = ai.Sweep(rotation=np.array([1.0, 7.0, 3.0]), brightness=1.5).settings()
    trace = explain_settings(subject_of("example:cat", model), settings_, model)
    again = run(code_of(trace))
    assert np.array_equal(again.frames, trace.frames)
    assert np.allclose(again.scores, trace.scores, atol=1e-6)


def test_a_grid_is_made_again():
    surface = ai.analyze_grid(
        "example:cat", ai.Grid(rotation=(-30, 30, 4), zoom=1.2, brightness=(0.5, 2, 3)), SMALL, target="blue", seed=3
    )
    code = code_of(surface)
    again = run(code)
    assert np.array_equal(again.scores, surface.scores)
    assert again.recipe == surface.recipe
    assert 'target="blue", seed=3' in " ".join(code.split())
    plain = ai.analyze_grid("example:cat", ai.Grid(rotation=(-30, 30, 2), zoom=(1, 2, 2)))
    assert code_of(plain).splitlines()[-1] == (
        'surface = ai.analyze_grid("example:cat", ai.Grid(rotation=(-30, 30, 2), zoom=(1, 2, 2)))'
    )


@pytest.mark.parametrize(
    ("models", "methods", "options"),
    [
        ([None], ["gradcam", "layercam"], {"target": "tabby"}),
        ([SMALL], ["gradcam", "hirescam"], {"layer": "3", "seed": 2}),
        ([None, SMALL], ["gradcam"], {}),
        ([SMALL, None], ["hirescam", "gradcam"], {"border": "edge"}),
    ],
)
def test_a_comparison_is_made_again(models, methods, options):
    made = ai.compare("example:cat", ai.Sweep(rotation=(-60, 60), frames=3), models, methods, **options)
    code = code_of(made)
    again = run(code)
    assert list(again.traces) == list(made.traces)
    for name, trace in made.traces.items():
        assert_same(again.traces[name], trace)
    assert all(len(line) <= WIDTH for line in code.splitlines())


def test_a_comparison_of_objects_names_each():
    one, other = small_network(), ai.Classifier(small_network().module, list("abcd"), size=96, name="other", layer="0")
    made = ai.compare("example:cat", ai.Sweep(rotation=(-60, 60), frames=2), [one, other])
    again = run(code_of(made), classifier_1=one, classifier_2=other)
    for name, trace in made.traces.items():
        assert_same(again.traces[name], trace)


def test_it_is_a_file_and_travels_to_the_page(tmp_path):
    trace = ai.analyze("example:cat", ai.Sweep(rotation=5, frames=1), SMALL)
    assert trace.save(tmp_path / "é.py").read_text(encoding="utf-8") == code_of(trace)
    grid = ai.analyze_grid("example:cat", ai.Grid(rotation=(-30, 30, 2), zoom=(1, 2, 2)), SMALL)
    assert grid.save(tmp_path / "grid.py").read_text(encoding="utf-8") == code_of(grid)
    both = ai.compare("example:cat", ai.Sweep(rotation=5, frames=1), [SMALL], ["hirescam", "gradcam"])
    assert both.save(tmp_path / "both.py").read_text(encoding="utf-8") == code_of(both)
