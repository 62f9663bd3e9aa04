// Which panels of the data an animation carries beside its pictures: a switch for all, and under it each by its name.
import { element, replaceChildrenOf } from "./dom.js";

/**
 * @param {() => void} changed told when another choice was made, or another is possible
 */
export function panelChoice(changed) {
  // What a person chose stays theirs when the data is gone and comes back.
  const wanted = new Map();
  /** @type {{name: string, title: string, usual: boolean}[]} */
  let offered = [];
  const all = element("input", { type: "checkbox", onchange: () => tell() });
  const each = element("div", { role: "group", "aria-label": "panels beside the picture", hidden: true });
  const box = element("div.with-panels", { hidden: true },
    element("label", { title: "shows beside the picture where each frame lies in the data" },
      all, element("span", {}, "with the data", element("small", {}, "in GIF, WebP and MP4"))), each);

  function tell() {
    each.hidden = !all.checked;
    changed();
  }

  const isWanted = ({ name, usual }) => wanted.get(name) ?? usual;

  function row(panel) {
    const switched = (event) => {
      wanted.set(panel.name, event.target.checked);
      tell();
    };
    const input = element("input", { type: "checkbox", checked: isWanted(panel), dataset: { key: panel.name }, onchange: switched });
    return element("label", { title: panel.title }, input, element("span", {}, panel.title));
  }

  return {
    element: box,
    /** @param {{name: string, title: string, usual: boolean}[]} panels `usual`: chosen until somebody decides otherwise */
    offer(panels) {
      offered = panels;
      box.hidden = !panels.length;
      replaceChildrenOf(each, ...panels.map(row));
      tell();
    },
    /** The names of those that are chosen. */
    names: () => (all.checked ? offered.filter(isWanted).map(({ name }) => name) : []),
  };
}
