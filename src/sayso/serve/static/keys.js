// The keys of the page: which of them belong to the element that has the focus, and what the others do.

const TEXT = "input:not([type=radio], [type=range], [type=file]), textarea, select";

/** Watch the keyboard. `table()` returns the {key: action} that hold now. */
export function watchKeys(table) {
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.defaultPrevented) return;
    if (event.target instanceof Element && keeps(event.target, event.key)) return;
    const actions = table();
    const act = actions[event.key] ?? actions[event.key.toLowerCase()];
    if (!act) return;
    event.preventDefault();
    act();
  });
}

/** Whether an element has its own use for a key. */
function keeps(element, key) {
  if (element.matches(TEXT)) return true;
  if (element.matches("#scrubber-month")) return /^(Arrow|Page|Home|End)/.test(key);
  if (element.matches("[type=radio], #text-weight")) return key.startsWith("Arrow") || key === " ";
  if (element.matches("a.open")) return key === "Enter";
  if (element.matches("a, button, label")) return key === "Enter" || key === " ";
  return false;
}
