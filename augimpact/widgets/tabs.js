// Tabs: buttons that say which of the box's other parts are seen; the style sheet hides the rest.
import { element } from "../render/dom.js";
import { keepKeys } from "../render/shortcuts.js";

const BOX = ".augimpact-shown";

export default {
  render({ model, el }) {
    el.classList.add("augimpact");
    const giveKeysBack = keepKeys(el);
    const names = model.get("names");
    const buttons = names.map((name) => element("button", { type: "button", role: "tab", onclick: () => select(name) }, name));
    el.append(element("div.tabs", { role: "tablist", "aria-label": "views", onkeydown: onKey }, ...buttons));

    function select(name) {
      model.set("selected", name);
      model.save_changes();
      show();
    }

    function show() {
      const selected = model.get("selected");
      buttons.forEach((button, index) => {
        button.setAttribute("aria-selected", String(names[index] === selected));
        button.tabIndex = names[index] === selected ? 0 : -1;
      });
      const box = el.closest(BOX);
      if (box) box.dataset.tab = selected;
      return Boolean(box);
    }

    function onKey(event) {
      const moves = { ArrowLeft: -1, ArrowRight: 1 };
      if (!Object.hasOwn(moves, event.key)) return;
      const next = (names.indexOf(model.get("selected")) + moves[event.key] + names.length) % names.length;
      select(names[next]);
      buttons[next].focus();
      event.preventDefault();
    }

    // It is made before it is put into its box.
    let waiting = 0;
    const begin = () => {
      if (!show()) waiting = window.requestAnimationFrame(begin);
    };
    begin();
    model.on("change:selected", show);
    return () => {
      window.cancelAnimationFrame(waiting);
      model.off("change:selected", show);
      giveKeysBack();
    };
  },
};
