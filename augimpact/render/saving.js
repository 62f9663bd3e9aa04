// Taking something home: files that the host makes, and the code that makes the same again.
import { copyText } from "./copying.js";
import { element } from "./dom.js";
import { panelChoice } from "./panel_choice.js";

// What a player can be saved as, the one with a button of its own first.
export const PLAYER_FILES = [
  { suffix: ".gif", label: "GIF" },
  { suffix: ".webp", label: "WebP" },
  { suffix: ".mp4", label: "MP4 video" },
  { suffix: ".png", label: "PNG film strip" },
  { suffix: ".html", label: "HTML page" },
  { suffix: ".csv", label: "CSV table" },
  { suffix: ".json", label: "JSON, to replay" },
  { suffix: ".npz", label: "NPZ arrays" },
  { suffix: ".py", label: "Python code" },
];

/**
 * @param {((suffix: string, panels: string[]) => void)|undefined} make asks for a file, with the panels of the data that
 *   have these names beside its pictures; without it none is offered
 * @param {{suffix: string, label: string}[]} kinds of files; the first has a button of its own, the others are in a menu
 */
export function saving(make, [own, ...others]) {
  let ready = false;
  let code = "";
  const first = element(`button.save-${own.suffix.slice(1)}`, { type: "button", onclick: () => begin(own.suffix) }, `Save ${own.label}`);
  const files = others.map(({ suffix, label }) =>
    element("button", { type: "button", dataset: { suffix }, onclick: () => begin(suffix) }, label));
  const choice = panelChoice(() => nameFirst());
  const summary = element("summary", {}, "More");
  const more = element("details.more", { onkeydown: (event) => onMenuKey(event) }, summary, element("div", {}, choice.element, ...files));
  const copy = element("button.copy-code", {
    type: "button", hidden: true, title: "copies the Python that makes the same again", onclick: () => copyText(code, copy, showCode),
  }, "Copy code");
  const source = element("pre", { tabindex: 0 });
  const dialog = element("dialog.code", { "aria-label": "the code" },
    element("p", {}, "The clipboard is closed to this page; the code is selected:"), source,
    element("form", { method: "dialog" }, element("button", {}, "Close")));
  const notice = element("p.notice", { role: "status" });
  const onPress = (event) => {
    if (more.open && !event.composedPath().includes(more)) more.open = false;
    // An error lies over the page until it was read.
    if (notice.classList.contains("error") && !event.composedPath().includes(notice)) tell("");
  };
  document.addEventListener("pointerdown", onPress);
  enable();

  function onMenuKey(event) {
    if (event.key !== "Escape" || !more.open) return;
    more.open = false;
    summary.focus();
    event.stopPropagation();
  }

  function begin(suffix) {
    more.open = false;
    ready = false;
    enable();
    tell(`making the ${suffix.slice(1).toUpperCase()} file…`, "busy");
    make(suffix, choice.names());
  }

  function nameFirst() {
    first.textContent = `Save ${own.label}${choice.names().length ? " + data" : ""}`;
  }

  function tell(text, kind = "") {
    notice.className = `notice ${kind}`;
    notice.textContent = text;
  }

  function enable() {
    first.disabled = !ready;
    more.toggleAttribute("inert", !ready);
    more.classList.toggle("off", !ready);
  }

  function showCode() {
    source.textContent = code;
    dialog.showModal();
    window.getSelection().selectAllChildren(source);
  }

  return {
    element: element("div.save", {}, make && first, make && more, copy, dialog, make && notice),
    /** @param {{code?: string}|null} shown what can be saved now, or null */
    setShown(shown) {
      ready = Boolean(shown);
      code = shown?.code ?? "";
      copy.hidden = !code;
      enable();
    },
    /** @param {string[]} suffixes those of the files that can be made */
    offer(suffixes) {
      first.hidden = !suffixes.includes(own.suffix);
      for (const button of files) button.hidden = !suffixes.includes(button.dataset.suffix);
    },
    /** @param {{name: string, title: string, usual: boolean}[]} panels of the data, that can stand beside pictures */
    offerPanels(panels) {
      choice.offer(panels);
    },
    /** @param {string} text @param {boolean} failed @param {boolean} possible whether there is something to save still */
    done(text, failed, possible) {
      ready = possible;
      enable();
      tell(text, failed ? "error" : "");
    },
    destroy() {
      document.removeEventListener("pointerdown", onPress);
    },
  };
}
