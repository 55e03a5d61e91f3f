// Opening a file on this machine, and showing it in its folder: only where the page is for this machine alone.

import * as api from "./api.js";
import { $ } from "./dom.js";

/** Watch the buttons; `id()` is that of the file in the player. */
export function watchLocal(id) {
  for (const how of ["open", "reveal"]) {
    $(`player-${how}`).addEventListener("click", async () => {
      sayLocal("");
      try {
        await api.showFile(how, id());
      } catch (error) {
        sayLocal(error.message);
      }
    });
  }
}

export function sayLocal(sentence) {
  $("local-note").textContent = sentence;
  $("local-note").hidden = !sentence;
}
