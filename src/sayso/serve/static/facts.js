// What is said of a file beside the player.

import { el, length } from "./dom.js";
import { timeOf } from "./when.js";

/** Return when it was taken and with what, then length, size and codecs, each a text. */
export function factsOf(file) {
  const facts = [timeOf(file), file.camera].filter(Boolean);
  if (file.duration_s) facts.push(length(file.duration_s));
  if (file.width) facts.push(`${file.width}\u2009×\u2009${file.height}`);
  if (file.video_codec) facts.push([file.video_codec, file.audio_codec].filter(Boolean).join(" + "));
  if (file.playable === "stream" && file.kind === "video") facts.push("converted while playing");
  return facts;
}

/** Return the nodes of the facts; the place is a link to what was taken near to it. */
export function factNodes(file) {
  const facts = factsOf(file).join(" · ");
  if (file.latitude === null || file.latitude === undefined) return [facts];
  const place = `${file.latitude.toFixed(4)},${file.longitude.toFixed(4)}`;
  const href = `/?${new URLSearchParams({ q: `near:${place},1km` })}`;
  const text = `${degrees(file.latitude, "N", "S")} ${degrees(file.longitude, "E", "W")}`;
  return [`${facts} · `, el("a", { href, title: "What was taken within 1 km", className: "place" }, text)];
}

const degrees = (value, positive, negative) => `${Math.abs(value).toFixed(4)}°\u2009${value < 0 ? negative : positive}`;
