// The photographs to choose from: thumbnails, the place to drop one's own, and the folder where there is one.
import { element } from "../render/dom.js";
import { scaledDown } from "./upload.js";

// Of a folder so many are looked at at a time.
const LOOKED_AT = 12;

/**
 * @param {{model: any, state: () => any, change: (part: object) => void}} host
 */
export function images({ model, change }) {
  const list = element("div.thumbnails");
  const input = element("input", {
    type: "file", accept: "image/*", multiple: true, hidden: true, "aria-label": "upload an image",
    onchange: () => {
      // The list is emptied with the field.
      bring([...input.files]);
      input.value = "";
    },
  });
  const drop = element("button.drop", { type: "button", title: "a photograph of your own", onclick: () => input.click() },
    "drop or choose");
  const note = element("p.upload-note", { role: "status" });
  const reason = element("pre");
  const why = element("details.told", { hidden: true }, element("summary", {}, "details"), reason);
  const files = model.get("files");
  const folder = files.length ? folderOf(files, model) : null;
  let buttons = [];

  function tell(text, details = "") {
    note.textContent = text;
    note.classList.toggle("error", Boolean(details));
    why.hidden = !details;
    why.open = false;
    reason.textContent = details;
  }

  /** @param {Iterable<File>} chosen */
  async function bring(chosen) {
    const refused = [];
    for (const file of chosen) {
      tell(`reading ${file.name}…`);
      try {
        const content = await scaledDown(file, model.get("limits").pixels);
        if (content) model.send({ kind: "upload", name: file.name }, undefined, [content]);
        else refused.push(`${file.name} is ${Math.ceil(file.size / 1e6)} MB and this browser cannot read it; expected a photograph such as a JPEG or PNG`);
      } catch (error) {
        refused.push(`${file.name} could not be read: ${error.message}`);
      }
    }
    // Of the others the kernel may have said something meanwhile.
    if (refused.length || note.textContent.startsWith("reading ")) tell(refused.join("; "));
  }

  return {
    element: element("section.card", { "aria-label": "image" },
      element("h2", {}, "Image"), list, input, note, why, folder?.element),
    fill() {
      buttons = model.get("images").map(({ name, thumbnail }) =>
        pictureButton(name, thumbnail, () => change({ image: name })));
      list.replaceChildren(...buttons, drop);
    },
    /** @param {any} now */
    show(now) {
      for (const button of buttons) button.setAttribute("aria-pressed", String(button.dataset.name === now.image));
    },
    /** A file that could not be read. @param {{text: string, details: string}} error */
    fail({ text, details }) {
      tell(text, details);
    },
    /** A thumbnail that was asked for; without buffers, that there is none. @param {any} message @param {DataView[]} buffers */
    receive(message, buffers) {
      if (message.kind === "thumbnail") folder?.receive(message.name, buffers?.[0] ?? null);
    },
    /**
     * Takes files that are dropped anywhere on the Explorer, in the app anywhere on the page, or pasted there.
     * @param {HTMLElement} el
     */
    listen(el) {
      const zone = () => el.closest(".augimpact-explorer") ?? el;
      const inside = (event) => zone().contains(event.target) || "voila" in document.body.dataset;
      const isFiles = (event) => event.dataTransfer?.types.includes("Files") && inside(event);
      const over = (event) => {
        if (!isFiles(event)) return;
        event.preventDefault();
        event.stopPropagation();
        zone().classList.add("dropping");
      };
      const out = (event) => {
        if (!event.relatedTarget) zone().classList.remove("dropping");
      };
      const dropped = (event) => {
        zone().classList.remove("dropping");
        if (!isFiles(event)) return;
        event.preventDefault();
        event.stopPropagation();
        bring([...event.dataTransfer.files]);
      };
      const pasted = (event) => {
        if (event.clipboardData?.files.length && zone().contains(document.activeElement)) bring([...event.clipboardData.files]);
      };
      const listeners = [["dragover", over], ["dragleave", out], ["drop", dropped], ["paste", pasted]];
      for (const [name, listener] of listeners) document.addEventListener(name, listener, true);
      return () => {
        for (const [name, listener] of listeners) document.removeEventListener(name, listener, true);
      };
    },
  };
}

/** @param {string} name @param {DataView|null} jpeg null where there is none: the name stands for it @param {() => void} choose */
function pictureButton(name, jpeg, choose) {
  if (!jpeg) {
    const attributes = { type: "button", title: name, dataset: { name }, onclick: choose };
    return element("button.unread", attributes, name.split("/").pop());
  }
  const address = URL.createObjectURL(new Blob([jpeg], { type: "image/jpeg" }));
  const picture = element("img", { src: address, alt: name, onload: () => URL.revokeObjectURL(address) });
  return element("button", { type: "button", title: name, dataset: { name }, onclick: choose }, picture);
}

/** A folder's images: a search over their names, and the first of what it finds. */
function folderOf(files, model) {
  const found = element("div.thumbnails");
  const more = element("small");
  // What was answered, null where there is no thumbnail; what was asked for, whether it was answered or not.
  const known = new Map();
  const asked = new Set();
  let wanted = [];
  const search = element("input", { type: "search", placeholder: "find an image", "aria-label": "find an image", oninput: () => list() });
  const made = element("details.folder", { ontoggle: () => made.open && list() },
    element("summary", { title: files[0].split("/")[0] }, `folder ${files[0].split("/")[0]} · ${files.length} image${files.length > 1 ? "s" : ""}`),
    search, found, more);

  function list() {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const matching = files.filter((name) => words.every((word) => name.toLowerCase().includes(word)));
    wanted = matching.slice(0, LOOKED_AT);
    more.textContent = matching.length > LOOKED_AT ? `${matching.length - LOOKED_AT} more: search for them` : "";
    const missing = wanted.filter((name) => !asked.has(name));
    for (const name of missing) asked.add(name);
    if (missing.length) model.send({ kind: "thumbnails", names: missing });
    show();
  }

  function show() {
    const choose = (name) => () => model.send({ kind: "choose", name });
    found.replaceChildren(...wanted.filter((name) => known.has(name)).map((name) => pictureButton(name, known.get(name), choose(name))));
  }

  return {
    element: made,
    /** @param {string} name @param {DataView|null} jpeg */
    receive(name, jpeg) {
      known.set(name, jpeg);
      show();
    },
  };
}
