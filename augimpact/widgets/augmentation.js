// The parameters: groups that show the first ones and fold the rest, a search among them, and what belongs to a group.
import { dropdown, element, field } from "../render/dom.js";
import { isChanged, matches, reset, row } from "./rows.js";

/**
 * @param {{model: any, state: () => any, change: (part: object) => void}} host
 */
export function augmentation({ model, state, change }) {
  /** @type {import("./rows.js").Parameter[]} */
  const parameters = model.get("catalogue");
  const catalogue = Object.fromEntries(parameters.map((parameter) => [parameter.name, parameter]));
  const choice = (name, label, trait) => {
    const options = model.get(trait).map((value) => ({ value, label: value }));
    return dropdown(options, state()[name], (value) => change({ [name]: value }), { "aria-label": label });
  };
  const fill = choice("erase_fill", "fill of the erased box", "erase_fills");
  const border = choice("border", "what lies beyond the image's border", "borders");
  const second = element("select", { "aria-label": "image that is mixed in", onchange: () => change({ second: second.value }) });
  const extras = { geometry: ["border", border], occlusion: ["fill", fill], mixing: ["with", second] };

  const search = element("input", {
    type: "search", placeholder: "search", "aria-label": "find a parameter", oninput: () => show(state(), flips),
  });
  const everything = element("button.link.reset-all", { type: "button", onclick: () => change(reset(state(), parameters)) }, "reset all");
  const groups = [...new Set(parameters.map(({ group }) => group))].map((name) => {
    const members = parameters.filter(({ group }) => group === name);
    const rows = members.map((parameter) => row(parameter, { change, state, catalogue }));
    const extra = name in extras ? field(...extras[name]) : null;
    let open = false;
    const fold = element("button.fold", { type: "button", onclick: () => { open = !open; show(state(), flips); } },
      element("span.group-name", {}, name), element("span.count"));
    const back = element("button.link", { type: "button", "aria-label": `reset ${name}`, onclick: () => change(reset(state(), members)) }, "reset");
    const part = element("section.group", { dataset: { group: name } },
      element("div.heading", {}, fold, back), ...rows.map(({ element: each }) => each), extra);
    return { members, rows, extra, fold, back, part, isOpen: () => open };
  });
  let flips = {};

  function show(now, places) {
    flips = places;
    const wanted = search.value.trim().toLowerCase();
    second.value = now.second;
    fill.value = now.erase_fill;
    border.value = now.border;
    everything.hidden = !parameters.some((parameter) => isChanged(now, parameter));
    for (const group of groups) {
      let hidden = 0;
      group.members.forEach((parameter, index) => {
        const stays = parameter.first || isChanged(now, parameter);
        const seen = wanted ? matches(parameter, wanted) : group.isOpen() || stays;
        hidden += seen || stays ? 0 : 1;
        group.rows[index].element.hidden = !seen;
        if (seen) group.rows[index].show(now, flips[parameter.name] ?? []);
      });
      const open = group.isOpen() && !wanted;
      const unfolds = group.members.some((parameter) => !parameter.first && !isChanged(now, parameter));
      group.fold.querySelector(".count").textContent = open ? (unfolds ? "fewer" : "") : hidden ? `${hidden} more` : "";
      group.fold.setAttribute("aria-expanded", String(open));
      group.back.hidden = !group.members.some((parameter) => isChanged(now, parameter));
      // What fills the border or the box matters once something of the group changes.
      if (group.extra) group.extra.hidden = Boolean(wanted) || (!open && group.back.hidden);
      group.part.hidden = Boolean(wanted) && group.rows.every(({ element: each }) => each.hidden);
    }
  }

  return {
    /** The images there are to mix in. */
    fill: () => second.replaceChildren(...model.get("images").map(({ name }) => element("option", { value: name }, name))),
    element: element("div.parameters", {},
      element("div.title", {}, element("h2", {}, "Augmentation"), everything, search),
      element("p.hint", {}, "Drag to see it at once; ⇄ sweeps a range."), ...groups.map(({ part }) => part)),
    show,
  };
}
