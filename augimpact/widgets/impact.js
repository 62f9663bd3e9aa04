// An impact as a widget: a payload in once, pictures when they are asked for; what is opened goes out.
import { mountImpact } from "../render/impact.js";
import { keepKeys } from "../render/shortcuts.js";

export default {
  render({ model, el }) {
    el.classList.add("augimpact");
    const giveKeysBack = keepKeys(el);
    const impact = mountImpact(el, {
      thumbnails: (rows) => model.send({ kind: "thumbnails", rows }),
      open: (opened) => {
        model.set("opened", { ...opened, count: (model.get("opened").count ?? 0) + 1 });
        model.save_changes();
      },
      measure: () => model.send({ kind: "measure" }),
      cancel: () => model.send({ kind: "cancel" }),
    });
    const showTask = () => impact.setTask(model.get("task"));
    const showOpened = () => impact.setOpened(model.get("opened"));
    const show = () => {
      const payload = model.get("payload");
      impact.setImpact(payload.paths ? payload : null);
      showOpened();
      showTask();
    };
    const receive = (message, buffers) => {
      if (message.kind === "thumbnails") impact.receive(message.rows, buffers);
    };
    const listeners = [
      ["change:payload", show], ["change:task", showTask], ["change:opened", showOpened], ["msg:custom", receive],
    ];
    for (const [event, listener] of listeners) model.on(event, listener);
    show();
    return () => {
      for (const [event, listener] of listeners) model.off(event, listener);
      giveKeysBack();
      impact.destroy();
    };
  },
};
