// The controls above the results: what kind, filters, pictures against what is said, and what the search is like.

import { $, el, icon } from "./dom.js";
import { pictureOf } from "./picture.js";
import { FILTERS, activeFilters } from "./state.js";

/** Watch the controls; `onChange(fields)` is called with what changed. */
export function watchControls(onChange) {
  $("kind").addEventListener("change", (event) => onChange({ kind: event.target.value }));
  $("filters-open").addEventListener("click", () => showFilters($("filters").hidden));
  $("filters").addEventListener("input", (event) => {
    if (event.target.checkValidity()) onChange({ [event.target.name]: event.target.value }, { typing: true });
  });
  $("filters").addEventListener("submit", (event) => event.preventDefault());
  $("filters").addEventListener("reset", () => onChange(Object.fromEntries(FILTERS.map((name) => [name, ""]))));
  $("text-weight").addEventListener("input", () => onChange({ text_weight: $("text-weight").value }, { typing: true }));
  $("by-file").addEventListener("click", () => onChange({ by_file: $("by-file").ariaPressed === "true" ? "" : "1" }));
  $("by-time").addEventListener("click", () => onChange({ sort: $("by-time").ariaPressed === "true" ? "" : "time" }));
  $("text-weight-auto").addEventListener("click", () => onChange({ text_weight: "" }));
}

export function showFilters(shown) {
  $("filters").hidden = !shown;
  $("filters-open").setAttribute("aria-expanded", shown);
}

/** Make the controls show a state. */
export function showControls(state, { has_text }) {
  for (const radio of $("kind").querySelectorAll("input")) radio.checked = radio.value === state.kind;
  for (const name of FILTERS) {
    const field = $("filters").elements[name];
    if (field !== document.activeElement) field.value = state[name];
  }
  const active = activeFilters(state).length;
  $("filters-count").hidden = !active;
  $("filters-count").textContent = active;
  const mixed = has_text && !state.similar && Boolean(state.q.trim());
  $("mix").hidden = !has_text;
  $("mix").classList.toggle("off", !mixed);
  $("text-weight").disabled = !mixed;
  $("text-weight").value = state.text_weight || 0.5;
  $("text-weight").setAttribute("aria-valuetext", describeMix(Number($("text-weight").value)));
  $("by-time").ariaPressed = String(state.sort === "time");
  $("by-file").ariaPressed = String(Boolean(state.by_file));
  $("text-weight-auto").hidden = !state.text_weight;
}

function describeMix(weight) {
  const percent = (share) => Math.round(100 * Math.min(1, 2 * share));
  return `${percent(1 - weight)} % of what is seen, ${percent(weight)} % of what is said`;
}

let shownUrl = "";

/** Show, in the search field, the picture or the moment that is searched by. */
export function showExample(state, onRemove) {
  const chip = $("example");
  const blob = state.picture && pictureOf(state.picture);
  URL.revokeObjectURL(shownUrl);
  shownUrl = blob ? URL.createObjectURL(blob) : "";
  chip.hidden = !state.picture && !state.similar;
  if (chip.hidden) return chip.replaceChildren();
  const source = shownUrl || (state.similar ? `/thumb/${encodeURIComponent(state.similar)}` : "");
  const text = state.picture ? "like this picture" : "like this moment";
  const remove = el("button", { type: "button", "aria-label": "Stop searching by this picture" }, icon("close"));
  remove.addEventListener("click", onRemove);
  const image = source ? [el("img", { src: source, alt: "", onerror: (event) => event.target.remove() })] : [];
  return chip.replaceChildren(...image, el("span", {}, text), remove);
}
