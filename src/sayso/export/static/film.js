// A film and the bar of moments below it: the page of a search and the pages that are files share it.

import { $, setIcon } from "./dom.js";
import { Timeline } from "./timeline.js";

export const DEFAULT_FPS = 25;

export class Film {
  constructor() {
    this.video = $("video");
    this.timeline = new Timeline((second) => this.seek(second));
    Object.assign(this, { source: null, start: 0, length_s: null, frame_s: 1 / DEFAULT_FPS, shown_s: -1 });
    this.listen();
  }

  listen() {
    const { video } = this;
    $("toggle").addEventListener("click", () => this.toggle());
    $("previous").addEventListener("click", () => this.neighbour(-1));
    $("next").addEventListener("click", () => this.neighbour(+1));
    $("mute").addEventListener("click", () => this.mute());
    $("full").addEventListener("click", () => this.full());
    video.addEventListener("click", () => this.toggle());
    video.addEventListener("loadedmetadata", () => video.videoWidth && this.shape(video.videoWidth / video.videoHeight));
    for (const name of ["timeupdate", "seeked", "progress", "durationchange"]) video.addEventListener(name, () => this.tick());
    for (const name of ["play", "pause", "ended"]) video.addEventListener(name, () => this.showPlaying());
    for (const name of ["waiting", "seeking"]) video.addEventListener(name, () => this.wait(true));
    for (const name of ["playing", "seeked", "canplay"]) video.addEventListener(name, () => this.wait(false));
    video.addEventListener("volumechange", () => this.showMuted());
    this.watchFrames();
  }

  /** Give the screen the shape of the film, within what fits on a page. */
  shape(ratio) {
    $("screen").style.setProperty("--ratio", Math.max(4 / 3, Math.min(2.2, ratio || 16 / 9)).toFixed(3));
  }

  /** Mark moments in the bar, of a film of `length_s` seconds if that is known. */
  mark(moments, length_s) {
    this.length_s = length_s;
    this.timeline.setMoments(moments);
    this.timeline.setDuration(length_s);
    $("previous").disabled = $("next").disabled = this.timeline.hits.length < 2;
  }

  seek(second, { play = false } = {}) {
    if (!this.source) return;
    const end = this.length_s ? Math.max(0, this.length_s - 0.05) : Infinity;
    this.video.currentTime = Math.max(0, Math.min(end, second));
    if (play) this.video.play().catch(() => {});
  }

  skip(seconds) {
    this.seek(this.video.currentTime + seconds);
  }

  /** Go one frame on: to the middle of the next one, so that rounding never shows the same frame again. */
  step(frames) {
    if (!this.source) return;
    this.video.pause();
    this.seek(this.frameBegin() + (frames + 0.5) * this.frame_s);
  }

  /** Return when the frame on the screen begins. */
  frameBegin() {
    const now = this.video.currentTime;
    const fresh = this.shown_s <= now + 0.001 && this.shown_s > now - this.frame_s;
    return fresh ? this.shown_s : Math.floor(now / this.frame_s + 0.01) * this.frame_s;
  }

  /** Note the time of the frame on the screen. */
  watchFrames() {
    if (!this.video.requestVideoFrameCallback) return;
    const note = (_, frame) => {
      this.shown_s = frame.mediaTime;
      this.video.requestVideoFrameCallback(note);
    };
    this.video.requestVideoFrameCallback(note);
  }

  neighbour(step) {
    const hit = this.timeline.neighbour(this.video.currentTime, step);
    if (hit) this.seek(hit.start_s, { play: true });
  }

  replay() {
    this.seek(this.start, { play: true });
  }

  toggle() {
    if (!this.source) return;
    if (this.video.paused) this.video.play().catch(() => {});
    else this.video.pause();
  }

  mute() {
    this.video.muted = !this.video.muted;
  }

  full() {
    const stage = $("screen").closest(".stage");
    if (document.fullscreenElement) document.exitFullscreen();
    else if (stage.requestFullscreen) stage.requestFullscreen();
    else this.video.webkitEnterFullscreen?.();
  }

  tick() {
    if (!this.source) return;
    const { video, timeline } = this;
    if (!this.length_s && Number.isFinite(video.duration)) timeline.setDuration(video.duration);
    timeline.update(video.currentTime, video.buffered);
  }

  showPlaying() {
    const still = this.video.paused;
    setIcon($("toggle"), still ? "play" : "pause");
    $("toggle").setAttribute("aria-label", still ? "Play" : "Pause");
  }

  showMuted() {
    setIcon($("mute"), this.video.muted ? "muted" : "sound");
    $("mute").setAttribute("aria-label", this.video.muted ? "Unmute" : "Mute");
  }

  wait(waiting) {
    clearTimeout(this.waiting);
    if (waiting) this.waiting = setTimeout(() => ($("spinner").hidden = false), 250);
    else $("spinner").hidden = true;
  }

  trouble(sentence) {
    $("trouble").textContent = sentence;
    $("trouble").hidden = !sentence;
    if (sentence) this.wait(false);
  }
}
