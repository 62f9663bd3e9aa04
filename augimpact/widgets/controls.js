// The controls: image, classifier, a row for every parameter, the sweep. One synced trait, `state`, holds all choices.
import { dropdown, element } from "../render/dom.js";
import { keepKeys } from "../render/shortcuts.js";
import { augmentation } from "./augmentation.js";
import { classifier } from "./classifier.js";
import { images } from "./images.js";

const PATIENCE = 10_000;

export default {
  render({ model, el }) {
    el.classList.add("augimpact");
    const giveKeysBack = keepKeys(el);
    const state = () => model.get("state");
    let drawn = 0;

    /** @param {object} part of the state */
    function change(part) {
      const before = drawn;
      model.set("state", { ...state(), ...part });
      model.save_changes();
      ask();
      // Of a change the model has told already; what a person typed is set right even where it changes nothing.
      if (drawn === before) show();
    }

    // A kernel that has ended answers nothing: after a change it is asked whether it is there.
    let unanswered = 0;
    let lost = false;
    function ask() {
      if (unanswered) return;
      model.send({ kind: "ping" });
      unanswered = window.setTimeout(() => {
        unanswered = 0;
        lost = true;
        message.textContent = "the connection to the kernel is lost: reload the page, or run the cell again";
        message.classList.add("error");
      }, PATIENCE);
    }
    const hear = ({ kind }) => {
      if (kind !== "pong") return;
      window.clearTimeout(unanswered);
      unanswered = 0;
      // It was only slow.
      if (lost) showStatus();
      lost = false;
    };

    const host = { model, state, change };
    const picker = images(host);
    const asked = classifier(host);
    const rows = augmentation(host);
    const { frames: most } = model.get("limits");
    const frames = element("input", {
      type: "number", min: 1, max: most, step: 1, "aria-label": "frames",
      onchange: () => change({ frames: Math.min(most, Math.max(1, Math.round(+frames.value) || 1)) }),
    });
    const easing = dropdown(model.get("easings").map((name) => ({ value: name, label: name })), state().easing,
      (name) => change({ easing: name }), { "aria-label": "easing" });
    const start = element("button.primary", { type: "button", onclick: () => change({ sweeps: state().sweeps + 1 }) }, "Sweep");
    const grid = element("button.grid", { type: "button", onclick: () => change({ grids: state().grids + 1 }) }, "Grid");
    const cancel = element("button.cancel", { type: "button", onclick: () => model.send({ kind: "cancel" }) }, "Cancel");
    const bar = element("progress", { max: 1, value: 0, "aria-label": "progress" });
    const message = element("p.message", { role: "status" });
    const told = element("pre");
    const details = element("details.told", {}, element("summary", {}, "details"), told);

    el.append(
      element(
        "div.controls", {},
        picker.element,
        asked.element,
        element(
          "section.card.augmentation", { "aria-label": "augmentation" },
          rows.element,
          element("div.dock", {},
            element("div.go", {},
              element("label", {}, "frames", frames), element("label", {}, "easing", easing), start, grid, cancel),
            bar,
            message,
            details),
        ),
      ),
    );

    function show() {
      const now = state();
      drawn++;
      picker.show(now);
      asked.show(now);
      rows.show(now, model.get("flips"));
      easing.value = now.easing;
      if (document.activeElement !== frames) frames.value = String(now.frames);
      const ranges = Object.keys(now.ranges).length;
      start.disabled = ranges === 0;
      start.title = start.disabled ? "choose a range first: press ⇄ beside a slider" : "";
      grid.disabled = ranges !== 2;
      grid.title = grid.disabled ? "two parameters against each other: press ⇄ beside two sliders"
        : `${Object.keys(now.ranges).join(" × ")}, ${now.grid_steps} steps each`;
    }

    function showStatus() {
      const status = model.get("status");
      const running = status.kind === "sweeping";
      cancel.hidden = !running;
      start.hidden = grid.hidden = running;
      bar.hidden = !running && status.kind !== "loading";
      if (status.total) bar.value = status.done / status.total;
      else bar.removeAttribute("value");
      message.textContent = status.text;
      message.classList.toggle("error", status.kind === "error");
      details.hidden = !status.details;
      if (details.hidden) details.open = false;
      told.textContent = status.details;
    }

    function showImages() {
      picker.fill();
      rows.fill();
      show();
    }
    function showAbout() {
      asked.fill();
      show();
    }
    const chooseImage = () => change({ image: model.get("chosen").name });
    const showFileError = () => picker.fail(model.get("file_error"));
    const listeners = [
      ["change:state", show], ["change:flips", show], ["change:images", showImages], ["change:status", showStatus],
      ["change:about", showAbout], ["msg:custom", picker.receive], ["msg:custom", hear],
      ["change:chosen", chooseImage], ["change:file_error", showFileError],
    ];
    for (const [event, listener] of listeners) model.on(event, listener);
    asked.fill();
    showImages();
    showStatus();
    // The kernel begins its heavy work when there is a page to show it.
    window.requestAnimationFrame(() => window.setTimeout(() => model.send({ kind: "ready" })));
    const leave = picker.listen(el);
    return () => {
      giveKeysBack();
      leave();
      window.clearTimeout(unanswered);
      for (const [event, listener] of listeners) model.off(event, listener);
    };
  },
};
