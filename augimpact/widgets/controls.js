// The controls: image, classifier, a row for every parameter, the sweep. One synced trait, `state`, holds all choices.
import { dropdown, element, segmented } from "../render/dom.js";
import { hasEffect, reset, row } from "./rows.js";

// Voilà and Jupyter refuse messages over some 10 MB; a photograph is scaled down before it is sent.
const LARGEST_UPLOAD = 4_000_000;
const LARGEST_AREA = 6_000_000;
const TARGETS = ["follow", "neutral"];
const ONE_CLASS = "class";
// Groups that are folded until a person opens them or something in them changes.
const FOLDED = ["quality", "mixing"];

export default {
  render({ model, el }) {
    el.classList.add("augimpact");
    const catalogue = Object.fromEntries(model.get("catalogue").map((parameter) => [parameter.name, parameter]));
    const parameters = Object.values(catalogue);
    const state = () => model.get("state");

    /** @param {object} part of the state */
    function change(part) {
      model.set("state", { ...state(), ...part });
      model.save_changes();
      show();
    }

    const picker = images(model, (image) => change({ image }));
    const rows = parameters.map((parameter) => row(parameter, { change, state }));
    const fill = dropdown(named(model.get("erase_fills")), state().erase_fill, (name) => change({ erase_fill: name }),
      { "aria-label": "fill of the erased box" });
    const border = dropdown(named(model.get("borders")), state().border, (name) => change({ border: name }),
      { "aria-label": "what lies beyond the image's border" });
    const second = element("select", { "aria-label": "image that is mixed in", onchange: () => change({ second: second.value }) });
    const extras = { geometry: ["border", border], occlusion: ["fill", fill], mixing: ["with", second] };
    const groups = [...new Set(parameters.map(({ group }) => group))].map((group) => {
      const members = parameters.filter((parameter) => parameter.group === group);
      const button = element(
        "button.link", { type: "button", "aria-label": `reset ${group}`, onclick: () => change(reset(state(), members)) }, "reset",
      );
      const heading = element("summary", {}, element("span", {}, group), button);
      button.addEventListener("click", (event) => event.preventDefault());
      const own = rows.filter((_, index) => parameters[index].group === group).map(({ element: each }) => each);
      const extra = group in extras ? [field(...extras[group])] : [];
      return element("details.group", { open: !FOLDED.includes(group) }, heading, ...own, ...extra);
    });
    let choosing = false;
    const list = element("datalist", { id: `labels-${Math.random().toString(36).slice(2)}` });
    const pinned = element("input", {
      type: "text", list: list.id, placeholder: "a class, or A - B", "aria-label": "name of the class", hidden: true,
      onchange: () => pinned.value && change({ target: pinned.value }),
    });
    const target = segmented("class that the map explains", [...TARGETS, ONE_CLASS], ONE_CLASS, (name) => {
      choosing = name === ONE_CLASS;
      pinned.hidden = !choosing;
      if (choosing) pinned.focus();
      else change({ target: name });
    });
    const frames = element("input", {
      type: "number", min: 1, max: 500, step: 1, "aria-label": "frames",
      onchange: () => change({ frames: Math.min(500, Math.max(1, Math.round(+frames.value) || 1)) }),
    });
    const easing = dropdown(named(model.get("easings")), state().easing, (name) => change({ easing: name }), { "aria-label": "easing" });
    const start = element("button.primary", { type: "button", onclick: () => change({ sweeps: state().sweeps + 1 }) }, "Sweep");
    const cancel = element("button.cancel", { type: "button", onclick: () => model.send({ kind: "cancel" }) }, "Cancel");
    const bar = element("progress", { max: 1, value: 0, "aria-label": "progress" });
    const message = element("p.message", { role: "status" });

    el.append(
      element(
        "div.controls", {},
        element("section.card", {}, element("h2", {}, "Image"), picker.element),
        element(
          "section.card", {},
          element("h2", {}, "Classifier"),
          field("model", element("span.fixed", { title: model.get("classifier") }, model.get("classifier"))),
          field("map", dropdown(model.get("methods").map(({ name, label }) => ({ value: name, label })), state().method,
            (method) => change({ method }), { "aria-label": "method" })),
          field("target", element("div.stacked", {}, target, pinned, list)),
        ),
        element(
          "section.card", {},
          element("h2", {}, "Augmentation"),
          ...groups,
          element("div.dock", {},
            element("div.go", {},
              element("label", {}, "frames", frames), element("label", {}, "easing", easing), start, cancel),
            bar,
            message),
        ),
      ),
    );

    function show() {
      const now = state();
      const flips = model.get("flips");
      rows.forEach((each, index) => {
        const parameter = parameters[index];
        each.show(now, hasEffect(now, parameter, catalogue), flips[parameter.name] ?? []);
      });
      picker.show(now.image);
      const free = !TARGETS.includes(now.target);
      target.show(free || choosing ? ONE_CLASS : now.target);
      pinned.hidden = !(free || choosing);
      if (free) pinned.value = now.target;
      fill.value = now.erase_fill;
      border.value = now.border;
      second.value = now.second;
      easing.value = now.easing;
      if (document.activeElement !== frames) frames.value = String(now.frames);
      start.disabled = Object.keys(now.ranges).length === 0;
      start.title = start.disabled ? "choose a range first: press ⇄ beside a slider" : "";
    }

    function showStatus() {
      const status = model.get("status");
      const running = status.kind === "sweeping";
      cancel.hidden = !running;
      start.hidden = running;
      bar.hidden = !running && status.kind !== "loading";
      if (status.total) bar.value = status.done / status.total;
      else bar.removeAttribute("value");
      message.textContent = status.text;
      message.classList.toggle("error", status.kind === "error");
    }

    const showLabels = () => list.replaceChildren(...model.get("labels").map((value) => element("option", { value })));
    const showImages = () => {
      picker.fill();
      second.replaceChildren(...model.get("images").map(({ name }) => element("option", { value: name }, name)));
      show();
    };
    model.on("change:state", show);
    model.on("change:flips", show);
    model.on("change:images", showImages);
    model.on("change:status", showStatus);
    model.on("change:labels", showLabels);
    showImages();
    showLabels();
    showStatus();
    // The kernel begins its heavy work when there is a page to show it.
    window.requestAnimationFrame(() => window.setTimeout(() => model.send({ kind: "ready" })));
    return () => {
      model.off("change:state", show);
      model.off("change:flips", show);
      model.off("change:images", showImages);
      model.off("change:status", showStatus);
      model.off("change:labels", showLabels);
    };
  },
};

/** The photographs to choose from, and the place to drop one's own. */
function images(model, choose) {
  const list = element("div.thumbnails");
  const input = element("input", {
    type: "file", accept: "image/*", hidden: true, "aria-label": "upload an image",
    onchange: () => {
      if (input.files.length) upload(input.files[0]);
      input.value = "";
    },
  });
  const drop = element(
    "button.drop", {
      type: "button",
      onclick: () => input.click(),
      ondragover: (event) => event.preventDefault(),
      ondrop: (event) => {
        event.preventDefault();
        if (event.dataTransfer.files.length) upload(event.dataTransfer.files[0]);
      },
    }, "drop or choose",
  );
  let buttons = [];

  async function upload(file) {
    const content = await fitted(file);
    model.send({ kind: "upload", name: file.name }, undefined, [content]);
  }

  return {
    element: element("div", {}, list, input),
    fill() {
      buttons = model.get("images").map(({ name, thumbnail }) => {
        const address = URL.createObjectURL(new Blob([thumbnail], { type: "image/jpeg" }));
        const picture = element("img", { src: address, alt: name, onload: () => URL.revokeObjectURL(address) });
        return element("button", { type: "button", title: name, dataset: { name }, onclick: () => choose(name) }, picture);
      });
      list.replaceChildren(...buttons, drop);
    },
    show: (chosen) =>
      buttons.forEach((button) => button.setAttribute("aria-pressed", String(button.dataset.name === chosen))),
  };
}

/** The file's bytes; of a large photograph, those of a smaller JPEG. A file that is no image goes as it is, to be refused. */
async function fitted(file) {
  if (file.size <= LARGEST_UPLOAD) return file.arrayBuffer();
  let bitmap;
  try {
    bitmap = await createImageBitmap(file);
  } catch {
    return file.slice(0, LARGEST_UPLOAD).arrayBuffer();
  }
  const scale = Math.min(1, Math.sqrt(LARGEST_AREA / (bitmap.width * bitmap.height)));
  const canvas = element("canvas", { width: Math.round(bitmap.width * scale), height: Math.round(bitmap.height * scale) });
  const pen = canvas.getContext("2d");
  pen.fillStyle = "#fff";
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.imageSmoothingQuality = "high";
  pen.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  const smaller = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.92));
  bitmap.close();
  return smaller ? smaller.arrayBuffer() : file.slice(0, LARGEST_UPLOAD).arrayBuffer();
}

const named = (names) => names.map((name) => ({ value: name, label: name }));
const field = (label, control) => element("div.field", {}, element("span", {}, label), control);
