// A button that opens something beneath it, and a note beside it that is read out when it changes.
import { element } from "../render/dom.js";
import { keepKeys } from "../render/shortcuts.js";

export default {
  render({ model, el }) {
    el.classList.add("augimpact");
    const giveKeysBack = keepKeys(el);
    const button = element("button", { type: "button", onclick: () => model.send({ kind: "press" }) });
    const note = element("p", { role: "status" });
    el.append(element("div.opener", {}, button, note));

    function show() {
      button.textContent = model.get("description");
      button.setAttribute("aria-expanded", String(model.get("opened")));
      note.textContent = model.get("note");
    }

    show();
    const names = ["description", "note", "opened"];
    for (const name of names) model.on(`change:${name}`, show);
    return () => {
      for (const name of names) model.off(`change:${name}`, show);
      giveKeysBack();
    };
  },
};
