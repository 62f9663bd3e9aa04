// The classes of an impact: those that are switched on as chips, each in its colour, and a search over all of them.
import { element, replaceChildrenOf } from "./dom.js";
import { classColour } from "./matching.js";
import { percentText, rankedGroups } from "./impact_data.js";

// So many have a colour; the first is that of all images.
export const MOST_ON = 7;
// So many are listed; a search finds the others.
const LISTED = 60;

/**
 * The classes that are on once one was switched.
 * @param {(number|null)[]} on by colour, from the second; null where a colour is free
 * @param {number} group
 * @returns {(number|null)[]}
 */
export function switched(on, group) {
  const place = on.indexOf(group);
  if (place >= 0) return on.map((each) => (each === group ? null : each));
  const free = on.indexOf(null);
  return free < 0 ? on : on.map((each, index) => (index === free ? group : each));
}

/** @param {(on: (number|null)[]) => void} change told which are on */
export function impactClasses(change) {
  let impact = null;
  let path = null;
  let metric = "";
  let on = Array(MOST_ON).fill(null);
  const summary = element("summary", {}, "classes");
  const search = element("input", { type: "search", placeholder: "find a class", "aria-label": "find a class", oninput: () => list() });
  const choices = element("div.class-list", { role: "group", "aria-label": "classes" });
  const details = element("details.class-choice", { ontoggle: () => details.open && list() }, summary, element("div", {}, search, choices));
  const chips = element("span.chips", {});
  const box = element("div.impact-classes", {}, details, chips);

  function flip(group) {
    const among = chips.contains(/** @type {Document|ShadowRoot} */ (box.getRootNode()).activeElement);
    on = switched(on, group);
    show();
    // A chip that was pressed is gone.
    if (among) (chips.querySelector("button") ?? summary).focus();
    change(on);
  }

  function show() {
    chips.replaceChildren(...on.flatMap((group, index) => (group === null ? [] : [chip(group, index + 1)])));
    list();
  }

  function chip(group, colour) {
    const [name, count] = impact.groups[group];
    return element("button.chip", { type: "button", title: `${name}, ${count} images: take away`, onclick: () => flip(group) },
      element("i", { style: { background: classColour(colour) } }), element("span", {}, name), "×");
  }

  function list() {
    if (!details.open || !impact) return;
    const found = rankedGroups(impact, path, metric, search.value);
    const full = !on.includes(null);
    const count = path.strengths.length;
    replaceChildrenOf(
      choices,
      ...found.slice(0, LISTED).map((group) => {
        const [name, images] = impact.groups[group];
        const values = path.curves[metric].subarray(3 * (group + 1) * count, (3 * (group + 1) + 1) * count);
        const box = element("input", {
          type: "checkbox", checked: on.includes(group), disabled: full && !on.includes(group), dataset: { key: String(group) },
          onchange: () => flip(group),
        });
        return element("label", { title: `${name}, ${images} images` }, box, element("span", {}, name),
          element("small", {}, percentText(values.reduce((sum, each) => sum + each, 0) / count, 0)));
      }),
      ...(found.length > LISTED ? [element("small", {}, `${found.length - LISTED} more: search for them`)] : []),
      ...(full ? [element("small", {}, `${MOST_ON} at a time`)] : []),
      ...(found.length ? [] : [element("small", {}, "none is called so")]),
    );
  }

  return {
    element: box,
    /** Which are on, by colour. */
    get on() {
      return on;
    },
    /** @param {any} next @param {any} nextPath @param {string} nextMetric @param {boolean} anew whether it is another impact */
    fill(next, nextPath, nextMetric, anew) {
      [impact, path, metric] = [next, nextPath, nextMetric];
      if (anew) on = Array(MOST_ON).fill(null);
      box.hidden = !next?.groups.length;
      summary.textContent = `classes (${next?.groups.length ?? 0})`;
      show();
    },
  };
}
