// Giving a <video> its pictures: the file itself where browsers play it, else a stream made on the fly.
// Either way the element's clock is the clock of the file.

import { Stream, canStream } from "./stream.js";

const refused = new Set();

/**
 * Attach a file at a second. Returns {close}.
 * `file.playable` is the server's word; a file that turns out not to play is streamed.
 */
export function attach(video, file, start, { onTrouble = () => {} } = {}) {
  let stream = null;
  const useStream = () => {
    if (!canStream()) return onTrouble("This browser does not play this video. Its original can be saved.");
    stream = new Stream(video, file, start, onTrouble);
  };
  const failed = () => {
    if (stream) return;
    const playing = !video.paused;
    refused.add(file.id);
    useStream();
    if (playing) video.play().catch(() => {});
  };
  const ready = () => {
    if (stream) return;
    if (!video.videoWidth) failed(); // only the sound can be played
    else if (start > 0) video.currentTime = start;
  };
  const direct = file.playable === "direct" && !refused.has(file.id);
  if (direct) {
    video.addEventListener("error", failed, { once: true });
    video.addEventListener("loadedmetadata", ready, { once: true });
    video.src = `/media/${encodeURIComponent(file.id)}`;
  } else {
    useStream();
  }
  return {
    close() {
      video.removeEventListener("error", failed);
      video.removeEventListener("loadedmetadata", ready);
      stream?.close();
      video.pause();
      video.removeAttribute("src");
      video.load();
    },
  };
}
