// What is asked: the model and where it computes, the method and layer of the map, the target, the classes, and what is
// shown beside it.
import { dropdown, element, field, segmented } from "../render/dom.js";
import { classPicker } from "./class_picker.js";

const TARGETS = ["follow", "neutral"];
const ONE_CLASS = "class";

/**
 * @param {{model: any, state: () => any, change: (part: object) => void}} host
 */
export function classifier({ model, state, change }) {
  const models = model.get("models");
  const methods = model.get("methods").map(({ name, label }) => ({ value: name, label }));
  const named = (names) => names.map((name) => ({ value: name, label: name }));
  const about = () => model.get("about");

  // Classes, layer and a class to explain are the old model's.
  const chosen = dropdown(named(models), state().model, (name) => change({
    model: name, classes: [], layer: "", target: TARGETS.includes(state().target) ? state().target : TARGETS[0],
    beside_model: state().beside_model === name ? "" : state().beside_model,
  }), { "aria-label": "model" });
  const only = element("span.fixed", { title: models[0] }, models[0]);
  const method = dropdown(methods, state().method, (name) => change({
    method: name, beside_method: state().beside_method === name ? "" : state().beside_method,
  }), { "aria-label": "method" });
  const device = element("select", { "aria-label": "device", onchange: () => change({ device: device.value }) });
  const layers = element("datalist", { id: unique("layers") });
  const layer = element("input", {
    type: "text", list: layers.id, "aria-label": "layer", onchange: () => change({ layer: layer.value.trim() }),
  });
  const labels = element("datalist", { id: unique("labels") });
  // Whether a person looks for a class that the state does not name yet; what the state was when it was last shown.
  let choosing = false;
  let before = { model: state().model, target: state().target };
  const pinned = element("input", {
    type: "text", list: labels.id, placeholder: "a class, or A - B", "aria-label": "name of the class",
    onchange: () => pinned.value && change({ target: pinned.value }),
  });
  const target = segmented("class that the map explains", [...TARGETS, ONE_CLASS], ONE_CLASS, (name) => {
    choosing = name === ONE_CLASS;
    if (!choosing) before.target = name;
    pinned.hidden = !choosing;
    if (choosing) pinned.focus();
    else change({ target: name });
  });
  const classes = classPicker((indices) => change({ classes: indices }));
  const beside = element("select", { "aria-label": "beside it", onchange: () => {
    const [kind, name] = [beside.value.slice(0, 6), beside.value.slice(7)];
    change({ beside_model: kind === "model " ? name : "", beside_method: kind === "method" ? name : "" });
  } });
  const deviceField = field("device", device);
  const layerField = field("layer", element("div.stacked", {}, layer, layers));
  const classesField = field("classes", classes.element);
  const more = element("details.more-choices", {}, element("summary", {}, "layer, classes, comparison"),
    layerField, classesField, field("beside", beside), deviceField);

  let offered = "";
  const tellBeside = (now) => {
    beside.value = now.beside_model ? `model  ${now.beside_model}` : now.beside_method ? `method ${now.beside_method}` : "";
  };

  return {
    element: element("section.card", { "aria-label": "classifier" },
      element("h2", {}, "Classifier"),
      field("model", models.length > 1 ? chosen : only),
      field("map", method),
      field("target", element("div.stacked", {}, target, pinned, labels)),
      more),
    /** What the model brings. */
    fill() {
      const { labels: names, are_classes: areClasses, layers: known, layer: own, devices } = about();
      labels.replaceChildren(...names.map((value) => element("option", { value })));
      layers.replaceChildren(...known.map((value) => element("option", { value })).reverse());
      layer.placeholder = own;
      device.replaceChildren(...[["", "auto"], ...devices.map((name) => [name, name])].map(([value, name]) => element("option", { value }, name)));
      deviceField.hidden = devices.length < 2;
      classesField.hidden = !areClasses || names.length < 3;
      classes.fill(names);
    },
    /** @param {any} now */
    show(now) {
      chosen.value = now.model;
      method.value = now.method;
      device.value = now.device;
      if (document.activeElement !== layer) layer.value = now.layer;
      const free = !TARGETS.includes(now.target);
      if (now.model !== before.model || (now.target !== before.target && !free)) {
        choosing = false;
        pinned.value = "";
      }
      before = { model: now.model, target: now.target };
      target.show(free || choosing ? ONE_CLASS : now.target);
      pinned.hidden = !(free || choosing);
      if (free && document.activeElement !== pinned) pinned.value = now.target;
      classes.show(now.classes);
      // While a slider is dragged this stays as it is.
      if (offered === `${now.method} ${now.model}`) return tellBeside(now);
      offered = `${now.method} ${now.model}`;
      const group = (label, kind, options) => options.length && element("optgroup", { label },
        ...options.map(({ value, label: text }) => element("option", { value: `${kind} ${value}` }, text)));
      beside.replaceChildren(...[
        element("option", { value: "" }, "nothing"),
        group("another method", "method", methods.filter(({ value }) => value !== now.method)),
        group("another model", "model ", named(models.filter((name) => name !== now.model))),
      ].filter(Boolean));
      tellBeside(now);
    },
  };
}

const unique = (name) => `${name}-${Math.random().toString(36).slice(2)}`;
