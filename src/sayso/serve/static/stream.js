// A stream made on the fly, fed to a <video> so that its clock is the file's and seeking works:
// what is not buffered is asked for anew, from that second on.

const AHEAD_S = 30;
const BEHIND_S = 20;
const Source = globalThis.ManagedMediaSource ?? globalThis.MediaSource;

export const canStream = () => Boolean(Source);

export class Stream {
  /** Play `file` in `video` from the second `start`; troubles are told to `onTrouble` as a sentence. */
  constructor(video, file, start, onTrouble) {
    Object.assign(this, { video, file, onTrouble, buffer: null, loading: null, closed: false });
    this.media = new Source();
    this.url = URL.createObjectURL(this.media);
    this.onSeeking = () => this.seek(video.currentTime);
    this.media.addEventListener("sourceopen", () => this.open(start), { once: true });
    video.disableRemotePlayback = true;
    video.src = this.url;
  }

  open(start) {
    URL.revokeObjectURL(this.url);
    if (this.file.duration_s) this.media.duration = this.file.duration_s;
    this.load(start);
    if (start > 0) this.video.currentTime = start;
    this.video.addEventListener("seeking", this.onSeeking);
  }

  close() {
    this.closed = true;
    this.loading?.abort();
    this.video.removeEventListener("seeking", this.onSeeking);
  }

  seek(second) {
    if (!this.covers(second)) this.load(second);
  }

  /** Whether a second is buffered, or will be in a moment. */
  covers(second) {
    const ranges = this.buffer?.buffered;
    if (!ranges?.length) return this.loading !== null && Math.abs(second - this.from) < 0.01;
    const last = ranges.length - 1;
    return second >= ranges.start(last) - 0.05 && second <= ranges.end(last) + 1;
  }

  async load(second) {
    this.loading?.abort();
    const loading = (this.loading = new AbortController());
    this.from = second;
    this.appended = false;
    try {
      const response = await fetch(`/play/${encodeURIComponent(this.file.id)}?t=${second.toFixed(3)}`, {
        signal: loading.signal,
      });
      if (!response.ok) throw new Error((await response.json()).error);
      await this.reset(response, loading.signal);
      await this.pump(response.body.getReader(), loading.signal);
    } catch (error) {
      if (loading.signal.aborted || this.closed) return;
      if (this.appended) await this.goOn();
      else this.onTrouble(error.message);
    }
  }

  /** The server lets go of who takes nothing for long, as while a film is paused: ask for the rest once it is wanted. */
  async goOn() {
    this.appended = false;
    const from = this.video.currentTime;
    while (this.video.paused && this.video.currentTime === from && !this.closed) await new Promise((done) => setTimeout(done, 250));
    if (!this.closed) await this.load(this.video.currentTime);
  }

  async reset(response, signal) {
    const type = response.headers.get("content-type");
    if (!this.buffer) {
      if (!Source.isTypeSupported(type)) throw new Error(`This browser does not play ${type}.`);
      this.buffer = this.media.addSourceBuffer(type);
    } else {
      await this.idle();
      signal.throwIfAborted();
      if (this.media.readyState === "open") this.buffer.abort();
      if (this.buffer.buffered.length) this.buffer.remove(0, Infinity);
      await this.idle();
    }
    signal.throwIfAborted();
    this.buffer.timestampOffset = Number(response.headers.get("sayso-start"));
  }

  /** Append what arrives, and stop asking for more while enough lies ahead. */
  async pump(reader, signal) {
    signal.addEventListener("abort", () => reader.cancel().catch(() => {}));
    for (;;) {
      const { done, value } = await reader.read();
      signal.throwIfAborted();
      await this.idle();
      signal.throwIfAborted();
      if (done) break;
      await this.append(value, signal);
      this.appended = true;
      this.stepOverGap();
      await this.room(signal);
    }
    if (this.media.readyState === "open") this.media.endOfStream();
  }

  async append(bytes, signal) {
    try {
      this.buffer.appendBuffer(bytes);
    } catch (error) {
      if (error.name !== "QuotaExceededError") throw error;
      await this.forget(2);
      signal.throwIfAborted();
      this.buffer.appendBuffer(bytes);
    }
    await this.idle();
  }

  /** The first picture may lie a little after the second that was asked for. */
  stepOverGap() {
    const { buffered } = this.buffer;
    if (!buffered.length) return;
    const start = buffered.start(0);
    if (this.video.currentTime < start && start - this.video.currentTime < 1) this.video.currentTime = start + 0.001;
  }

  async room(signal) {
    const ahead = () => {
      const { buffered } = this.buffer;
      return buffered.length ? buffered.end(buffered.length - 1) - this.video.currentTime : 0;
    };
    if (ahead() > AHEAD_S) await this.forget(BEHIND_S);
    while (ahead() > AHEAD_S) {
      await new Promise((done) => setTimeout(done, 250));
      signal.throwIfAborted();
    }
  }

  async forget(behind) {
    const until = this.video.currentTime - behind;
    if (until <= 0 || !this.buffer.buffered.length || this.buffer.buffered.start(0) >= until) return;
    this.buffer.remove(0, until);
    await this.idle();
  }

  idle() {
    if (!this.buffer.updating) return Promise.resolve();
    return new Promise((done) => this.buffer.addEventListener("updateend", done, { once: true }));
  }
}
