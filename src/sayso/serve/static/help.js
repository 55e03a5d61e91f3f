// The card with the keys and hints.

import { $ } from "./dom.js";
import { cardOf } from "./card.js";

let helpedFrom = null;

export function showHelp() {
  helpedFrom = cardOf(document.activeElement);
  $("help").showModal();
}

/** Watch the card; `list()` is that of the cards which are shown. */
export function watchHelp(list) {
  $("help-open").addEventListener("click", showHelp);
  $("help-close").addEventListener("click", () => $("help").close());
  $("help").addEventListener("click", (event) => event.target === $("help") && $("help").close());
  // The card that had the focus may have gone while the help was open.
  $("help").addEventListener("close", () => helpedFrom && !helpedFrom.isConnected && list().moveFocus(0));
}

export const helpKeys = { "?": () => $("help").close() };
