// The player as a widget: traits in, requests for files out, files handed to the browser as downloads.
import { mountPlayer } from "../render/player.js";

export default {
  render({ model, el }) {
    el.classList.add("augimpact");
    const player = mountPlayer(el, {
      colourMaps: model.get("colour_maps"),
      save: (request) => model.send({ kind: "save", ...request }),
      settle: (frame) => {
        if (model.get("frame") === frame) return;
        model.set("frame", frame);
        model.save_changes();
      },
    });

    // Decoding takes time: while one payload is decoded only the newest of those that follow is kept.
    let busy = false;
    let waiting = null;
    async function take(job) {
      waiting = job;
      if (busy) return;
      busy = true;
      while (waiting) {
        const next = waiting;
        waiting = null;
        await next();
      }
      busy = false;
      el.dataset.painted = String(+(el.dataset.painted ?? 0) + 1);
    }
    const showTrace = () => {
      const payload = model.get("payload");
      take(async () => (payload.jpegs ? player.setTrace(payload) : player.clear()));
    };
    const showPreview = () => {
      const payload = model.get("preview");
      if (payload.jpeg) take(() => player.setPreview(payload));
    };
    const showFrame = () => player.setFrame(model.get("frame"));
    const onMessage = (message, buffers) => {
      if (message.kind === "file") {
        download(message.name, message.mime, buffers[0]);
        player.saved(`saved ${message.name}`);
      } else if (message.kind === "error") player.saved(message.text);
    };
    model.on("change:payload", showTrace);
    model.on("change:preview", showPreview);
    model.on("change:frame", showFrame);
    model.on("msg:custom", onMessage);
    if (model.get("payload").jpegs) showTrace();
    else showPreview();

    return () => {
      model.off("change:payload", showTrace);
      model.off("change:preview", showPreview);
      model.off("change:frame", showFrame);
      model.off("msg:custom", onMessage);
      player.destroy();
    };
  },
};

/** @param {string} name @param {string} type @param {DataView} content */
function download(name, type, content) {
  const address = URL.createObjectURL(new Blob([content], { type }));
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
  // The browser reads the address after the click returns.
  window.setTimeout(() => URL.revokeObjectURL(address), 60_000);
}
