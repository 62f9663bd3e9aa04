"""The controls' widget in a real browser, on a model of the test's own, which tells of every change at once."""

from __future__ import annotations

import base64
import io
import json

import pytest
from PIL import Image

from augimpact.render.page import bundle, style
from augimpact.widgets.choices import state_of
from augimpact.widgets.controls import HERE, Controls

pytestmark = pytest.mark.browser

LABELS = ["tabby cat", "Persian cat", "moped", "cup"]
OTHERS = ["ship", "lorry", "frog", "horse"]
FILES = [f"holiday/{index:03d}.jpg" for index in range(30)]
# What a front end does for a widget, as far as this one asks for it.
MODEL = """
const listeners = {};
const traits = JSON.parse(document.querySelector("#traits").textContent);
const bytes = (text) => new DataView(Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer);
for (const each of traits.images) each.thumbnail = bytes(each.thumbnail);
const told = (name, ...news) => (listeners[name] ?? []).forEach((each) => each(...news));
window.sent = [];
window.model = {
  get: (name) => traits[name],
  set: (name, value) => { traits[name] = value; told(`change:${name}`); },
  save_changes: () => {},
  send: (content, _callbacks, buffers) => window.sent.push({ ...content, buffers }),
  on: (name, listen) => (listeners[name] ??= []).push(listen),
  off: () => {},
};
window.change = (part) => window.model.set("state", { ...traits.state, ...part });
window.answer = (content, text) => told("msg:custom", content, text ? [bytes(text)] : []);
widget.render({ model: window.model, el: document.querySelector("#root") });
"""


def jpeg(size=(8, 8), file_format="JPEG"):
    content = io.BytesIO()
    Image.new("RGB", size, "teal").save(content, file_format)
    return content.getvalue()


def text64(content):
    return base64.b64encode(content).decode()


@pytest.fixture
def page(chromium, tmp_path):
    """The controls of two models, with a folder of images; in the end nothing may have gone wrong."""
    controls = Controls(
        state_of(["cat"], ["one", "two"], {}), images={"cat": jpeg()}, models=["one", "two"], files=FILES,
        max_pixels=4_000_000,
    )  # fmt: skip
    controls.about = about(LABELS)
    names = (
        "catalogue", "methods", "easings", "erase_fills", "borders", "limits", "models", "files", "about", "state",
        "status", "flips",
    )  # fmt: skip
    traits = {name: getattr(controls, name) for name in names}
    traits["images"] = [{"name": "cat", "thumbnail": text64(jpeg())}]
    script = bundle(HERE / "controls.js").replace("export default {", "const widget = {")
    file = tmp_path / "controls.html"
    file.write_text(
        f"<!doctype html><meta charset=utf-8><style>{style(HERE / 'controls.css')}</style><div id=root></div>"
        f"<script type=application/json id=traits>{json.dumps(traits)}</script>"
        f"<script type=module>{script}{MODEL}</script>",
        encoding="utf-8",
    )
    context = chromium.new_context(viewport={"width": 420, "height": 1400})
    page = context.new_page()
    page.set_default_timeout(20_000)
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto(file.as_uri())
    page.locator(".row").first.wait_for()
    yield page
    context.close()
    assert wrong == []


def about(labels):
    return {"labels": labels, "are_classes": True, "layers": ["conv"], "layer": "conv", "devices": ["cpu"]}


def change(page, **part):
    page.evaluate("(part) => window.change(part)", part)


def choose_model(page, name, labels):
    page.get_by_label("model", exact=True).select_option(name)
    page.evaluate("(about) => window.model.set('about', about)", about(labels))


def test_a_class_that_waits_for_another_is_forgotten_with_its_model(page):
    page.locator(".more-choices > summary").click()
    page.locator(".class-picker > summary").click()
    page.get_by_label("moped").check()
    assert page.locator(".class-picker > summary").inner_text() == "moped and one more…"
    choose_model(page, "two", OTHERS)
    assert page.locator(".class-picker > summary").inner_text() == "all 4"
    page.get_by_label("frog").check()
    page.get_by_label("ship").check()
    assert page.evaluate("window.model.get('state').classes") == [2, 0]


def pressed(page):
    return page.locator(".segmented [aria-pressed=true]").inner_text()


def test_a_pinned_class_is_let_go_with_its_model(page):
    page.locator(".segmented button", has_text="class").click()
    name = page.get_by_label("name of the class")
    name.fill("moped")
    name.press("Enter")
    assert page.evaluate("window.model.get('state').target") == "moped"
    choose_model(page, "two", OTHERS)
    assert page.evaluate("window.model.get('state').target") == "follow"
    assert pressed(page) == "follow"
    assert name.is_hidden()
    assert name.input_value() == ""


def test_a_target_that_comes_from_elsewhere_ends_the_choice_of_a_class(page):
    page.locator(".segmented button", has_text="class").click()
    assert pressed(page) == "class"
    # While a person looks for a class, what else changes does not take the field away.
    change(page, frames=9)
    assert pressed(page) == "class"
    page.get_by_label("name of the class").blur()
    change(page, target="moped")
    assert (pressed(page), page.get_by_label("name of the class").input_value()) == ("class", "moped")
    change(page, target="neutral")
    assert pressed(page) == "neutral"
    assert page.get_by_label("name of the class").is_hidden()


def test_a_choice_is_drawn_once(page):
    page.evaluate(
        "() => { window.drawn = 0; const seen = new MutationObserver((changes) => { window.drawn += changes.filter("
        "({ attributeName }) => attributeName === 'aria-pressed').length; });"
        " seen.observe(document.querySelector('.row[data-name=rotation]'), { attributes: true, subtree: true }); }"
    )
    page.evaluate("() => window.model.set('state', { ...window.model.get('state'), frames: 9 })")
    page.wait_for_function("() => window.drawn > 0")
    once = page.evaluate("() => { const { drawn } = window; window.drawn = 0; return drawn; }")
    page.get_by_label("easing").select_option(index=1)
    page.wait_for_function("() => window.drawn > 0")
    assert page.evaluate("window.drawn") == once


def uploaded(page, *files):
    """What is sent of files that a person chooses."""
    page.evaluate("window.sent.length = 0")
    page.get_by_label("upload an image").set_input_files(
        [{"name": name, "mimeType": mime, "buffer": content} for name, mime, content in files]
    )
    page.wait_for_function("() => !document.querySelector('.upload-note').textContent.startsWith('reading')")
    found = page.evaluate(
        "() => window.sent.filter(({ kind }) => kind === 'upload').map(({ name, buffers }) =>"
        " [name, btoa(String.fromCharCode(...new Uint8Array(buffers[0])))])"
    )
    return {name: base64.b64decode(content) for name, content in found}


def test_only_what_the_kernel_takes_is_sent_as_it_is(page):
    formats = {"JPEG": "jpeg", "PNG": "png", "WEBP": "webp", "GIF": "gif", "BMP": "bmp", "TIFF": "tiff"}
    for file_format, kind in formats.items():
        content = jpeg((20, 10), file_format)
        assert uploaded(page, (f"a.{kind}", f"image/{kind}", content)) == {f"a.{kind}": content}
    # By its content, whatever it is called.
    for name in ("a.avif", "a.jpg"):
        sent = uploaded(page, (name, "image/avif", jpeg((20, 10), "AVIF")))[name]
        image = Image.open(io.BytesIO(sent))
        assert (image.format, image.size) == ("JPEG", (20, 10))
    assert uploaded(page, ("a.png", "image/png", b"no image")) == {"a.png": b"no image"}


def test_a_file_that_cannot_be_read_is_named_and_the_others_are_sent(page):
    page.evaluate(
        "() => { const read = File.prototype.arrayBuffer; File.prototype.arrayBuffer = async function () {"
        " if (this.name === 'gone.png') throw new Error('it was moved'); return read.call(this); }; }"
    )
    content = jpeg()
    sent = uploaded(page, *((f"{name}.png", "image/png", content) for name in ("first", "gone", "last")))
    assert sent == {"first.png": content, "last.png": content}
    assert page.locator(".upload-note").inner_text() == "gone.png could not be read: it was moved"


def test_thumbnails_of_a_folder_are_asked_for_once_and_one_that_cannot_be_read_is_a_name(page):
    asked = "() => window.sent.filter(({ kind }) => kind === 'thumbnails').map(({ names }) => names)"
    page.locator(".folder > summary").click()
    page.wait_for_function("() => window.sent.some(({ kind }) => kind === 'thumbnails')")
    assert page.evaluate(asked) == [FILES[:12]]
    page.evaluate(
        "([name, content]) => window.answer({ kind: 'thumbnail', name }, content)", [FILES[0], text64(jpeg())]
    )
    page.evaluate("(name) => window.answer({ kind: 'thumbnail', name })", FILES[1])
    buttons = page.locator(".folder .thumbnails button")
    assert buttons.count() == 2
    assert buttons.nth(0).locator("img").count() == 1
    assert (buttons.nth(1).inner_text(), buttons.nth(1).get_attribute("title")) == ("001.jpg", FILES[1])
    assert buttons.nth(1).locator("img").count() == 0
    # Neither what was answered nor what is still awaited is asked for again.
    search = page.get_by_label("find an image")
    search.press_sequentially("00")
    assert page.evaluate(asked) == [FILES[:12]]
    search.fill("029")
    assert page.evaluate(asked) == [FILES[:12], [FILES[29]]]
    search.fill("")
    assert page.evaluate(asked) == [FILES[:12], [FILES[29]]]
    buttons.nth(1).click()
    wish = page.evaluate("window.sent.pop()")
    assert (wish["kind"], wish["name"]) == ("choose", FILES[1])
