// Saving the moment in the player as a video of its own.

import * as api from "./api.js";
import { $, saveBlob } from "./dom.js";

/** Watch the button; `moment()` returns {id, start_s, end_s, title} of what is to be saved. */
export function watchSaveClip(moment) {
  const button = $("player-clip");
  const say = (text) => {
    $("clip-note").textContent = text;
    $("clip-note").hidden = !text;
  };
  button.addEventListener("click", async () => {
    const wanted = moment();
    if (!wanted) return;
    button.disabled = true;
    say("Cutting …");
    try {
      const { blob, name } = await api.clip(wanted);
      saveBlob(name, blob);
      say("");
    } catch (error) {
      say(error.message);
    } finally {
      button.disabled = false;
    }
  });
  return () => say("");
}
