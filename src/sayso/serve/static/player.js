// The dialog in which a moment is watched, or a picture looked at.

import * as api from "./api.js";
import { Ask } from "./ask.js";
import { $, clock, span, wordsOf } from "./dom.js";
import { factNodes } from "./facts.js";
import { DEFAULT_FPS, Film } from "./film.js";
import { Heat } from "./heat.js";
import { ratioOf } from "./card.js";
import { attach } from "./source.js";
import { Transcript } from "./transcript.js";

export class Player extends Film {
  /** `onClose()` is called when it closes, and when the person wants it to; `onBadLink(sentence)` where a link leads nowhere; `onWhere(where)` when a heat map comes or goes. */
  constructor({ onClose, onBadLink, onWhere }) {
    super();
    this.onBadLink = onBadLink;
    this.dialog = $("player");
    this.heat = new Heat(() => this.still(), onWhere);
    this.ask = new Ask(() => this.moment());
    this.transcript = new Transcript((second) => this.seek(second, { play: true }));
    this.file = null;
    this.loading = null;
    this.dialog.addEventListener("close", () => {
      this.stop();
      onClose();
    });
    this.dialog.addEventListener("cancel", (event) => {
      event.preventDefault();
      onClose();
    });
    this.dialog.addEventListener("click", (event) => event.target === this.dialog && onClose());
    $("player-close").addEventListener("click", onClose);
    for (const name of ["play", "seeking"]) this.video.addEventListener(name, () => this.heat.moved(name === "play" ? Infinity : this.video.currentTime));
  }

  get open() {
    return this.dialog.open;
  }

  /** Show a file from a second on; `hit` is what is known of it already. */
  async show(id, second, state, { hit = null, picture = null } = {}) {
    this.loading?.abort();
    this.release();
    const loading = (this.loading = new AbortController());
    this.start = second;
    this.file = null;
    Object.assign(this, { hit, clip: hit?.id ?? "" });
    if (hit) this.appear(hit);
    try {
      const file = await api.media(id, state, { picture, signal: loading.signal });
      if (!hit && file.duration_s && second > file.duration_s + 1) return this.onBadLink(`${file.title} ends at ${clock(file.duration_s)}, before ${clock(second)}`);
      if (!hit) this.appear(null);
      const words = state.similar || !file.exists ? "" : state.q;
      const where = words && state.where && Number.isFinite(Number(state.where)) ? Number(state.where) : null;
      this.present(file, second, wordsOf(state.q), file.kind === "video" ? where : null);
      this.heat.offer(file.id, words);
      if (where !== null) this.heat.show(file.kind === "video" ? { node: this.video, second: where } : { node: $("picture"), second: null });
    } catch (error) {
      if (error.name === "AbortError") return;
      if (!hit && error.status === 404) this.onBadLink(error.message);
      else {
        if (!hit) this.appear(null);
        this.trouble(error.message);
      }
    }
  }

  appear(hit) {
    this.head(hit);
    if (!this.dialog.open) this.dialog.showModal();
  }

  head(hit) {
    $("player-title").textContent = hit?.title ?? "";
    $("facts").textContent = hit ? span(hit) : "";
    $("path").textContent = hit?.path ?? "";
    this.transcript.set([], []);
    this.mark([], hit?.duration_s);
    this.timeline.update(this.start, []);
    this.trouble("");
    this.heat.offer("", "");
    this.ask.clear();
    this.showSeen(hit);
    const still = hit?.kind === "picture";
    this.dialog.dataset.kind = still ? "picture" : "video";
    this.shape(ratioOf(hit));
    $("picture").hidden = !still;
    $("video").hidden = still;
    if (hit) this.poster(hit);
    $(still ? "player-close" : "seek").focus();
  }

  poster(hit) {
    if (hit.kind === "picture") $("picture").src = `/${hit.thumb}`;
    else this.video.poster = `/${hit.thumb}`;
  }

  /** Show what the server knows of a file; a film stands at the second `still` where one is given. */
  present(file, second, words, still = null) {
    this.file = file;
    this.frame_s = 1 / (file.fps || DEFAULT_FPS);
    this.clip ||= nearest(file.moments, second)?.id ?? "";
    this.dialog.dataset.kind = file.kind;
    this.dialog.dataset.words = file.transcript.length ? "yes" : "no";
    $("player-title").textContent = file.title;
    $("path").textContent = file.path;
    $("facts").replaceChildren(...factNodes(file));
    $("original").href = `/media/${encodeURIComponent(file.id)}`;
    $("original").download = file.path.split(/[\\/]/).at(-1);
    $("original").hidden = !file.exists;
    this.transcript.set(file.transcript, words);
    this.showSeen(nearest(file.moments, second));
    this.mark(file.moments, file.duration_s);
    if (!file.exists) this.trouble("The file is no longer where it was indexed.");
    else if (file.kind === "picture") this.showPicture(file);
    else this.showVideo(file, second, still);
  }

  showPicture(file) {
    const image = $("picture");
    const id = encodeURIComponent(file.id);
    image.alt = file.title;
    image.hidden = false;
    $("video").hidden = true;
    const large = new Image();
    large.onload = () => {
      if (this.file !== file) return;
      image.src = large.src;
      $("facts").replaceChildren(...factNodes({ ...file, width: large.naturalWidth, height: large.naturalHeight }));
    };
    large.onerror = () => {
      if (large.src.includes("/media/")) large.src = `/play/${id}`;
      else if (this.file === file) this.trouble("The picture cannot be shown.");
    };
    large.src = file.playable === "direct" ? `/media/${id}` : `/play/${id}`;
  }

  showVideo(file, second, still) {
    $("picture").hidden = true;
    this.video.hidden = false;
    if (!this.video.poster && file.moments.length) this.poster(nearest(file.moments, second));
    this.wait(true);
    this.source = attach(this.video, file, still ?? second, { onTrouble: (sentence) => this.trouble(sentence) });
    if (still === null) this.video.play().catch(() => this.wait(false));
    this.timeline.update(still ?? second, this.video.buffered);
  }

  close() {
    if (this.dialog.open) this.dialog.close();
    else this.loading?.abort();
  }

  stop() {
    this.loading?.abort();
    this.heat.offer("", "");
    this.ask.clear();
    this.release();
    this.file = this.hit = null;
  }

  release() {
    this.source?.close();
    this.source = null;
    this.video.removeAttribute("poster");
    $("picture").removeAttribute("src");
    this.wait(false);
  }

  /** Pause, and return what is on the screen; a film goes to the middle of its frame, so that its second is beyond doubt. */
  still() {
    if (this.file?.kind !== "video") return { node: $("picture"), second: null };
    this.video.pause();
    const second = Math.round((this.frameBegin() + 0.5 * this.frame_s) * 1000) / 1000;
    this.seek(second);
    return { node: this.video, second: this.video.currentTime };
  }

  /** Show what a model saw in a moment, and that nobody said it. */
  showSeen(moment) {
    $("machine").textContent = moment?.seen ?? "";
    $("machine").hidden = !moment?.seen;
  }

  /** Return what is on the screen, as a question about it names it. */
  moment() {
    if (!this.file) return this.hit && { media_id: this.hit.media_id, start_s: this.hit.start_s, end_s: this.hit.end_s };
    const at = this.file.kind === "picture" ? null : nearest(this.file.moments, this.video.currentTime);
    return { media_id: this.file.id, start_s: at?.start_s ?? 0, end_s: at?.end_s ?? 0 };
  }

  tick() {
    super.tick();
    if (this.source) this.transcript.update(this.video.currentTime);
  }
}

function nearest(moments, second) {
  return moments.find((moment) => second < moment.end_s) ?? moments.at(-1);
}
