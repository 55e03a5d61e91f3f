// Playing a moment, muted, in its card while the pointer or the focus rests on it.

import * as api from "./api.js";
import { el } from "./dom.js";
import { attach } from "./source.js";
import { cardOf } from "./card.js";

const REST_MS = 220;

const calm = matchMedia("(prefers-reduced-motion: reduce)");
let timer = 0;
let playing = null;
let turn = 0; // what was asked of the server before it is not waited for

/** Watch a list of cards. */
export function previewsIn(list) {
  list.addEventListener("pointerover", (event) => event.pointerType === "mouse" && rest(cardOf(event.target)));
  list.addEventListener("pointerleave", stop);
  list.addEventListener("focusin", (event) => {
    if (event.target.matches(":focus-visible")) rest(cardOf(event.target));
  });
  list.addEventListener("focusout", stop);
}

/** End the preview, and let go of its connection. */
export function stop() {
  clearTimeout(timer);
  turn += 1;
  if (!playing) return;
  const { video, source, card } = playing;
  playing = null;
  source.close();
  video.remove();
  delete card.dataset.preview;
}

function rest(card) {
  if (card && card === playing?.card) return;
  stop();
  if (!card || card.hit.kind !== "video" || calm.matches || navigator.connection?.saveData) return;
  timer = setTimeout(() => start(card), REST_MS);
}

async function start(card) {
  const { hit } = card;
  const mine = turn;
  const playable = await api.playable(hit.media_id);
  if (mine !== turn) return;
  const video = el("video", { className: "preview", muted: true, playsInline: true, "aria-hidden": "true", tabIndex: -1 });
  card.querySelector(".tile").append(video);
  const source = attach(video, { id: hit.media_id, duration_s: hit.duration_s, playable }, hit.start_s);
  video.addEventListener("playing", () => (card.dataset.preview = "playing"));
  video.addEventListener("timeupdate", () => {
    if (video.currentTime >= hit.end_s && hit.end_s > hit.start_s) video.currentTime = hit.start_s;
  });
  video.addEventListener("ended", () => {
    video.currentTime = hit.start_s;
    video.play().catch(() => {});
  });
  playing = { video, source, card };
  video.play().catch(() => {});
}
