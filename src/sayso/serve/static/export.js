// Saving moments as a file, in the format that a menu offers.

import * as api from "./api.js";
import { el, save, saveBlob } from "./dom.js";

const FORMATS = [
  ["json", "JSON", "for programs"],
  ["csv", "CSV", "a table"],
  ["srt", "SRT", "subtitles"],
  ["edl", "EDL", "any editing program"],
  ["fcpxml", "FCPXML", "Final Cut, Resolve"],
  ["otio", "OTIO", "OpenTimelineIO"],
  ["sheet", "Contact sheet", "PNG"],
];

/** Save hits as JSON, as they are. */
export function saveJson(hits, query) {
  save("sayso-results.json", `${JSON.stringify({ query, hits }, null, 2)}\n`, "application/json");
}

/** Make a button open a menu of formats. `moments()` returns {name, hits}; `onTrouble(sentence)` says what failed. */
export function exportMenu(button, menu, { moments, onTrouble }) {
  const items = FORMATS.map(([form, name, what]) =>
    el("button", { type: "button", role: "menuitem", tabIndex: -1, value: form }, name, el("span", {}, what)),
  );
  menu.replaceChildren(...items);
  const show = (shown) => {
    menu.hidden = !shown;
    button.setAttribute("aria-expanded", shown);
    if (shown) items[0].focus();
  };
  button.addEventListener("click", () => show(menu.hidden));
  menu.addEventListener("focusout", (event) => {
    if (!menu.contains(event.relatedTarget) && event.relatedTarget !== button) show(false);
  });
  menu.addEventListener("keydown", (event) => {
    const at = items.indexOf(document.activeElement);
    const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
    if (next !== undefined) items.at(next % items.length).focus();
    else if (event.key !== "Escape") return;
    else (show(false), button.focus());
    event.preventDefault();
    event.stopPropagation();
  });
  menu.addEventListener("click", async (event) => {
    const form = event.target.closest("[role=menuitem]")?.value;
    if (!form) return;
    show(false);
    button.focus();
    const { name, hits } = moments();
    if (!hits.length) return;
    try {
      if (form === "json") saveJson(hits, name);
      else saveBlob(`sayso.${form === "sheet" ? "png" : form}`, await api.saved(form, name, hits));
      onTrouble("");
    } catch (error) {
      onTrouble(error.message);
    }
  });
}
