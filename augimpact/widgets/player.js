// The player as a widget: traits in, requests for files out, files handed to the browser as downloads.
import { download } from "../render/download.js";
import { mountPlayer } from "../render/player.js";
import { keepKeys } from "../render/shortcuts.js";

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
    const player = mountPlayer(el, {
      colourMaps: model.get("colour_maps"),
      save: ask,
      settle: (frame) => {
        if (model.get("frame") === frame) return;
        model.set("frame", frame);
        model.save_changes();
      },
    });

    // Decoding takes time. Meanwhile of each kind only the newest waits; a payload that was cleared is not shown at all.
    let busy = false;
    let shown = null;
    const generation = { trace: 0, preview: 0 };
    const waiting = { trace: null, preview: null };
    async function take(kind, job) {
      waiting[kind] = job;
      // A preview that has not been shown yet is older than this sweep.
      if (kind === "trace") waiting.preview = null;
      if (busy) return;
      busy = true;
      while (waiting.trace || waiting.preview) {
        const next = waiting.trace ? "trace" : "preview";
        const begin = waiting[next];
        waiting[next] = null;
        const began = generation[next];
        try {
          await begin(() => generation[next] !== began);
        } catch (error) {
          player.saved(`a picture could not be shown: ${error.message}`, true);
        }
      }
      busy = false;
    }
    function forget() {
      generation.trace++;
      generation.preview++;
      shown = waiting.trace = waiting.preview = null;
      player.clear();
    }
    const showTrace = () => {
      const payload = model.get("payload");
      if (payload.jpegs)
        return take("trace", async (overtaken) => {
          shown = null;
          player.offer(model.get("formats"));
          // The frame may be set while the pictures are decoded.
          await player.setTrace(payload, () => model.get("frame"), overtaken);
          if (!overtaken()) shown = payload;
        });
      forget();
    };
    const showPreview = () => {
      const payload = model.get("preview");
      if (payload.jpeg) return take("preview", (overtaken) => player.setPreview(payload, overtaken));
      waiting.preview = null;
      generation.preview++;
      if (!model.get("payload").jpegs) forget();
    };
    const showFrame = () => {
      if (model.get("payload") === shown) player.setFrame(model.get("frame"));
    };
    const showReference = () => {
      const reference = model.get("distributions");
      player.setReference(reference?.measures ? reference : null);
    };
    const showPanels = () => player.offerPanels(model.get("panels") ?? []);
    const showTrouble = () => player.setTrouble(model.get("trouble") ?? "");
    const showBand = () => player.setBand(model.get("band") ?? {});
    const onMessage = (message, buffers) => {
      // Another view of the same player may have asked.
      if (!open.delete(message.request)) return;
      if (message.kind === "file") download(message.name, message.mime, buffers[0]);
      const made = message.kind === "file";
      player.saved(made ? `saved ${message.name}` : message.text, !made);
    };
    model.on("change:payload", showTrace);
    model.on("change:preview", showPreview);
    model.on("change:frame", showFrame);
    model.on("change:distributions", showReference);
    model.on("change:panels", showPanels);
    model.on("change:band", showBand);
    model.on("change:trouble", showTrouble);
    model.on("msg:custom", onMessage);
    showReference();
    showPanels();
    showBand();
    showTrouble();
    if (model.get("payload").jpegs) showTrace();
    else showPreview();

    return () => {
      model.off("change:payload", showTrace);
      model.off("change:preview", showPreview);
      model.off("change:frame", showFrame);
      model.off("change:distributions", showReference);
      model.off("change:panels", showPanels);
      model.off("change:band", showBand);
      model.off("change:trouble", showTrouble);
      model.off("msg:custom", onMessage);
      giveKeysBack();
      player.destroy();
    };
  },
};
