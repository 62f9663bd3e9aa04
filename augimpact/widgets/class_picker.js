// Choosing some of many classes: a search, a list of what it finds, the chosen ones first.
import { element, replaceChildrenOf } from "../render/dom.js";

// So many are listed; a search finds the others.
const LISTED = 60;

/**
 * The indices of the classes to list: the chosen ones, then those whose names hold all the words.
 * @param {string[]} names
 * @param {number[]} chosen
 * @param {string} text
 */
export function listed(names, chosen, text) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const found = names.flatMap((name, index) =>
    !chosen.includes(index) && words.every((word) => name.toLowerCase().includes(word)) ? [index] : []);
  return { shown: [...chosen, ...found.slice(0, LISTED)], more: Math.max(0, found.length - LISTED) };
}

/**
 * What is chosen, in few words.
 * @param {string[]} names
 * @param {number[]} chosen
 */
export function choiceText(names, chosen) {
  if (chosen.length === 0) return `all ${names.length}`;
  const some = chosen.map((index) => names[index]).join(", ");
  return chosen.length === 1 ? `${some} and one more…` : `${chosen.length} of ${names.length}: ${some}`;
}

/**
 * @param {(indices: number[]) => void} choose called with two or more, or none for all
 */
export function classPicker(choose) {
  let names = [];
  let chosen = [];
  const summary = element("summary");
  const search = element("input", { type: "search", placeholder: "find a class", "aria-label": "find a class", oninput: () => list() });
  const box = element("div.choices", { role: "group", "aria-label": "classes" });
  const all = element("button.link", { type: "button", onclick: () => pick([]) }, "all classes");
  const made = element("details.class-picker", { ontoggle: () => made.open && list() }, summary, search, box, all);

  function pick(next) {
    const before = chosen;
    chosen = next;
    tell();
    list();
    // One class alone always scores 1: it waits for another.
    if (next.length !== 1) choose(next);
    else if (before.length > 1) choose([]);
  }

  function tell() {
    summary.textContent = choiceText(names, chosen);
    summary.title = summary.textContent;
    all.hidden = chosen.length === 0;
  }

  function list() {
    if (!made.open) return;
    const { shown, more } = listed(names, chosen, search.value);
    replaceChildrenOf(
      box,
      ...shown.map((index) => element("label", { title: names[index] },
        element("input", {
          type: "checkbox", checked: chosen.includes(index), dataset: { key: String(index) },
          onchange: (event) => pick(event.target.checked ? [...chosen, index] : chosen.filter((each) => each !== index)),
        }), element("span", {}, names[index]))),
      ...(more ? [element("small", {}, `${more} more: search for them`)] : []),
    );
  }

  return {
    element: made,
    /** @param {string[]} next the names of all classes */
    fill(next) {
      // What waits for another class is in no state yet that would tell of another model.
      if (chosen.length === 1 && next.join("\n") !== names.join("\n")) chosen = [];
      names = next;
      tell();
      list();
    },
    /** @param {number[]} next indices */
    show(next) {
      const waiting = chosen.length === 1 && next.length === 0;
      if (waiting || next.join() === chosen.join()) return;
      chosen = [...next];
      tell();
      list();
    },
  };
}
