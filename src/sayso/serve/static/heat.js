// Where in a picture, or in a film that is paused, the searched words are: a heat map over it,
// asked for when the person wants it; the address holds that it is shown, and for which second.

import * as api from "./api.js";
import { $, el } from "./dom.js";

const LONGER_SIDE = 512;
const COLD = [22, 12, 40, 0.62];
const WARM = [196, 61, 21, 0.42];
const HOT = [255, 214, 90, 0.5];

export class Heat {
  /** `still()` pauses, and returns {node, second}: what is shown, and the second where it is a film; `onChange(where)` is told what the address holds. */
  constructor(still, onChange) {
    Object.assign(this, { still, onChange, id: "", words: "", second: null, loading: null });
    $("heat-toggle").addEventListener("click", () => this.toggle());
  }

  get on() {
    return $("heat-toggle").getAttribute("aria-pressed") === "true";
  }

  /** Offer the map of a file, and take away what is shown of another; without words there is none. */
  offer(id, words) {
    this.clear();
    this.id = id;
    this.words = words.trim();
    $("heat-toggle").hidden = !this.id || !this.words;
  }

  toggle() {
    if ($("heat-toggle").hidden) return;
    if (this.on) this.hide();
    else this.show(this.still());
  }

  /** Take the map away where the film has gone on from its second. */
  moved(second) {
    if (this.on && this.second !== null && Math.abs(second - this.second) > 0.02) this.hide();
  }

  async show({ node, second }) {
    if ($("heat-toggle").hidden) return;
    this.loading?.abort();
    this.second = second;
    this.onChange(second === null ? "1" : second.toFixed(3));
    const loading = (this.loading = new AbortController());
    $("heat-toggle").setAttribute("aria-pressed", "true");
    this.say("Looking …");
    try {
      const { heat, x, y, note } = await api.where(this.id, this.words, second?.toFixed(3), loading.signal);
      await sizeKnown(node, loading.signal);
      if (loading.signal.aborted) return;
      paint($("heat"), node, heat, x, y);
      const sentence = `“${this.words}” is most likely ${place(x, y)}.`;
      $("heat").setAttribute("aria-label", `Heat map: ${sentence}`);
      $("heat").hidden = false;
      this.say(note ? `${sentence} (${note[0].toUpperCase()}${note.slice(1)}.)` : sentence);
    } catch (error) {
      if (error.name === "AbortError") return;
      this.hide();
      this.say(error.message);
    }
  }

  hide() {
    this.clear();
    this.onChange("");
  }

  clear() {
    this.loading?.abort();
    $("heat").hidden = true;
    $("heat-toggle").setAttribute("aria-pressed", "false");
    this.say("");
  }

  say(sentence) {
    $("heat-note").textContent = sentence;
    $("heat-note").hidden = !sentence;
  }
}

/** Say in words where a point is, given as fractions. */
function place(x, y) {
  const third = (value, names) => names[Math.min(2, Math.floor(3 * value))];
  const row = third(y, ["at the top", "", "at the bottom"]);
  const column = third(x, ["on the left", "", "on the right"]);
  return [row, column].filter(Boolean).join(" ") || "in the middle";
}

const sizeOf = (node) => (node.videoWidth ? [node.videoWidth, node.videoHeight] : [node.naturalWidth || 0, node.naturalHeight || 0]);

/** Wait until a picture, or a film, knows how large it is. */
async function sizeKnown(node, signal) {
  while (!sizeOf(node)[0] && !signal.aborted) await new Promise((done) => setTimeout(done, 50));
}

/** Draw a map as large as the picture is, cold cells dark and the best one ringed. */
function paint(canvas, picture, heat, x, y) {
  const [width, height] = sizeOf(picture);
  const scale = LONGER_SIDE / Math.max(width, height);
  canvas.width = Math.max(1, Math.round(width * scale));
  canvas.height = Math.max(1, Math.round(height * scale));
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.drawImage(shades(heat), 0, 0, canvas.width, canvas.height);
  context.beginPath();
  context.arc(x * canvas.width, y * canvas.height, 0.035 * LONGER_SIDE, 0, 2 * Math.PI);
  for (const [width_px, colour] of [[7, "rgb(0 0 0 / 60%)"], [3, "#fff"]]) {
    context.lineWidth = width_px;
    context.strokeStyle = colour;
    context.stroke();
  }
}

/** Return a canvas with one pixel a cell. */
function shades(heat) {
  const small = el("canvas", { width: heat[0].length, height: heat.length });
  const context = small.getContext("2d");
  const image = context.createImageData(small.width, small.height);
  heat.flat().forEach((value, k) => image.data.set(shade(value), 4 * k));
  context.putImageData(image, 0, 0);
  return small;
}

/** Return the colour of a value from 0 to 1: cold, warm, hot. */
function shade(value) {
  const [from, to, part] = value < 0.6 ? [COLD, WARM, value / 0.6] : [WARM, HOT, (value - 0.6) / 0.4];
  const [red, green, blue, alpha] = from.map((one, k) => one + (to[k] - one) * part);
  return [red, green, blue, 255 * alpha];
}
