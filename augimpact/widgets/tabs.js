// Tabs: buttons that say which of the box's other parts are seen; the style sheet hides the rest.
import { element } from "../render/dom.js";
import { keepKeys } from "../render/shortcuts.js";

const BOX = ".augimpact-tabbed";

export default {
  render({ model, el }) {
    el.classList.add("augimpact");
    const giveKeysBack = keepKeys(el);
    const names = model.get("names");
    // A page may have the same tabs twice.
    const own = `augimpact-tabs-${Math.random().toString(36).slice(2)}`;
    const buttons = names.map((name) =>
      element("button", { type: "button", role: "tab", id: `${own}-${name}`, onclick: () => select(name) }, name));
    el.append(element("div.tabs", { role: "tablist", "aria-label": model.get("label"), onkeydown: onKey }, ...buttons));

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
      return box;
    }

    /** Tells what belongs to which tab to who cannot see it. @param {Element} box */
    function tie(box) {
      buttons.forEach((button, index) => {
        const panels = [...box.children].filter((part) => part.classList.contains(`augimpact-in-${names[index]}`));
        panels.forEach((panel, place) => {
          panel.id ||= `${button.id}-${place}`;
          panel.setAttribute("role", "tabpanel");
          panel.setAttribute("aria-labelledby", button.id);
        });
        button.setAttribute("aria-controls", panels.map(({ id }) => id).join(" "));
      });
    }

    function onKey(event) {
      const now = names.indexOf(model.get("selected"));
      const moves = { ArrowLeft: now - 1, ArrowRight: now + 1, Home: 0, End: names.length - 1 };
      if (!Object.hasOwn(moves, event.key)) return;
      const next = (moves[event.key] + names.length) % names.length;
      select(names[next]);
      buttons[next].focus();
      event.preventDefault();
    }

    // It is made before it is put into its box, and so are the other parts of it.
    let waiting = 0;
    let watching = null;
    const begin = () => {
      const box = show();
      if (!box) {
        waiting = window.requestAnimationFrame(begin);
        return;
      }
      watching = new MutationObserver(() => tie(box));
      watching.observe(box, { childList: true });
      tie(box);
    };
    begin();
    model.on("change:selected", show);
    return () => {
      window.cancelAnimationFrame(waiting);
      watching?.disconnect();
      model.off("change:selected", show);
      giveKeysBack();
    };
  },
};
