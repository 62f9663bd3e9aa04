// The grid of two parameters as a widget: a surface in, the chosen setting and requests for files out.
import { download } from "../render/download.js";
import { keepKeys } from "../render/shortcuts.js";
import { mountSurface } from "../render/surface.js";

export default {
  render({ model, el }) {
    el.classList.add("augimpact");
    const giveKeysBack = keepKeys(el);
    // Unlike that of any other view, so that each downloads only what it asked for.
    let request = Math.floor(Math.random() * 2 ** 40) * 1000;
    // Those that are not answered yet: while one file is made another may be asked for.
    const open = new Set();
    const ask = (wishes) => {
      open.add(++request);
      model.send({ kind: "save", request, ...wishes });
    };
    const surface = mountSurface(el, {
      colours: model.get("colours"),
      save: (suffix) => ask({ suffix }),
      choose: (setting) => {
        model.set("chosen", setting);
        model.save_changes();
      },
    });
    const show = () => {
      const payload = model.get("payload");
      surface.setSurface(payload.axes ? payload : null);
      mark();
      // It appears under all the rest.
      if (payload.axes) window.requestAnimationFrame(() => el.scrollIntoView({ block: "nearest", behavior: "smooth" }));
    };
    const mark = () => surface.setChosen(model.get("chosen"));
    const onMessage = (message, buffers) => {
      // Another view of the same surface may have asked.
      if (!open.delete(message.request)) return;
      const made = message.kind === "file";
      if (made) download(message.name, message.mime, buffers[0]);
      surface.saved(made ? `saved ${message.name}` : message.text, !made);
    };
    model.on("change:payload", show);
    model.on("change:chosen", mark);
    model.on("msg:custom", onMessage);
    show();

    return () => {
      giveKeysBack();
      model.off("change:payload", show);
      model.off("change:chosen", mark);
      model.off("msg:custom", onMessage);
      surface.destroy();
    };
  },
};
