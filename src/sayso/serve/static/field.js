// The field in which a search is typed.

import { $ } from "./dom.js";

/**
 * Watch the field. `onType(words)` is called with every letter, `onEnter()` and `onClear()` when the
 * person wants so, `onDown()` to go to the results, `onHelp()` where ? is no part of the words.
 */
export function watchSearchField({ onType, onBlur, onEnter, onClear, onDown, onHelp }) {
  const query = $("query");
  query.addEventListener("input", () => onType(query.value));
  query.addEventListener("blur", onBlur);
  query.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown") {
      event.preventDefault();
      onDown();
    } else if (event.key === "Escape" && query.value) {
      event.preventDefault();
      onClear();
    } else if (event.key === "Escape") query.blur();
    else if (event.key === "?" && !query.value) {
      event.preventDefault();
      onHelp();
    }
  });
  $("search").addEventListener("submit", (event) => {
    event.preventDefault();
    onEnter();
    query.blur();
  });
  $("clear").addEventListener("click", onClear);
  $("home").addEventListener("click", (event) => {
    if (event.metaKey || event.ctrlKey || event.button) return;
    event.preventDefault();
    onClear();
  });
}
