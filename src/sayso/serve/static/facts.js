// What is said of a file beside the player.

import { length } from "./dom.js";

/** Return length, size and codecs in a line. */
export function factsOf(file) {
  const facts = [];
  if (file.duration_s) facts.push(length(file.duration_s));
  if (file.width) facts.push(`${file.width}\u2009×\u2009${file.height}`);
  if (file.video_codec) facts.push([file.video_codec, file.audio_codec].filter(Boolean).join(" + "));
  if (file.playable === "stream" && file.kind === "video") facts.push("converted while playing");
  return facts.join(" · ");
}
