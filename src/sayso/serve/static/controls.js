// The controls above the results: what kind, filters, seen against said, and what the search is like.

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
  $("said").addEventListener("input", () => onChange({ said: $("said").value }, { typing: true }));
  $("said-auto").addEventListener("click", () => onChange({ said: "" }));
}

export function showFilters(shown) {
  $("filters").hidden = !shown;
  $("filters-open").setAttribute("aria-expanded", shown);
}

/** Make the controls show a state. */
export function showControls(state, { words }) {
  for (const radio of $("kind").querySelectorAll("input")) radio.checked = radio.value === state.kind;
  for (const name of FILTERS) {
    const field = $("filters").elements[name];
    if (field !== document.activeElement) field.value = state[name];
  }
  const active = activeFilters(state).length;
  $("filters-count").hidden = !active;
  $("filters-count").textContent = active;
  const spoken = words && !state.similar && Boolean(state.q.trim());
  $("mix").hidden = !words;
  $("mix").classList.toggle("off", !spoken);
  $("said").disabled = !spoken;
  $("said").value = state.said || 0.5;
  $("said").setAttribute("aria-valuetext", describeMix(Number($("said").value)));
  $("said-auto").hidden = !state.said;
}

function describeMix(said) {
  const percent = Math.round(said * 100);
  return `${100 - percent} % seen, ${percent} % said`;
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
