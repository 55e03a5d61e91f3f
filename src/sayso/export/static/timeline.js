// The bar under a video: where one is, what is buffered, and how well each moment fits the search.

import { $, clock, el } from "./dom.js";

export class Timeline {
  /** `onSeek(second)` is called when the person goes somewhere. */
  constructor(onSeek) {
    Object.assign(this, { duration: 0, moments: [], hits: [], dragging: false });
    this.input = $("seek");
    this.input.addEventListener("input", () => {
      this.dragging = true;
      onSeek(Number(this.input.value));
    });
    this.input.addEventListener("change", () => (this.dragging = false));
    $("marks").addEventListener("click", (event) => {
      const mark = event.target.closest(".mark");
      if (mark) onSeek(mark.moment.start_s);
    });
    $("timeline").addEventListener("pointermove", (event) => this.showTip(event));
    $("timeline").addEventListener("pointerleave", () => ($("tip").hidden = true));
  }

  setDuration(duration) {
    this.duration = duration ?? 0;
    this.input.max = Math.max(this.duration, 0.1);
    $("length").textContent = clock(this.duration);
    this.setMoments(this.moments);
  }

  /** Draw the moments, as high and as strong as they fit; the best stretches are the hits. */
  setMoments(moments) {
    const scores = moments.map((moment) => moment.score);
    const [low, high] = [Math.min(...scores), Math.max(...scores)];
    const scored = scores.some((score) => score !== 0);
    this.moments = moments;
    this.hits = scored ? peaks(moments) : [];
    const best = new Set(this.hits.flatMap((hit) => hit.clips));
    $("marks").replaceChildren(
      ...(scored ? moments : []).map((moment) => {
        const fit = high > low ? (moment.score - low) / (high - low) : 1;
        const mark = el("button", {
          type: "button",
          className: best.has(moment.id) ? "mark best" : "mark",
          tabIndex: -1,
          "aria-label": `Moment at ${clock(moment.start_s)}, score ${moment.score.toFixed(2)}`,
        });
        mark.moment = moment;
        mark.style.left = `${this.percent(moment.start_s)}%`;
        mark.style.width = `${this.percent(moment.end_s) - this.percent(moment.start_s)}%`;
        mark.style.setProperty("--fit", (0.12 + 0.88 * fit).toFixed(3));
        return mark;
      }),
    );
  }

  percent(second) {
    return this.duration ? Math.max(0, Math.min(100, (100 * second) / this.duration)) : 0;
  }

  update(now, buffered) {
    $("played").style.width = `${this.percent(now)}%`;
    let [from, to] = [0, 0];
    for (let k = 0; k < buffered.length; k++) {
      if (buffered.start(k) <= now + 0.1 && buffered.end(k) >= now) [from, to] = [buffered.start(k), buffered.end(k)];
    }
    $("buffered").style.left = `${this.percent(from)}%`;
    $("buffered").style.width = `${this.percent(to) - this.percent(from)}%`;
    $("now").textContent = clock(now);
    if (!this.dragging) this.input.value = now;
    this.input.setAttribute("aria-valuetext", `${clock(now)} of ${clock(this.duration)}`);
    const here = this.hits.findIndex((hit) => now >= hit.start_s - 0.05 && now < hit.end_s);
    const total = this.hits.length;
    $("moments").textContent = total ? (here >= 0 ? `moment ${here + 1} of ${total}` : `${total} ${total > 1 ? "moments" : "moment"}`) : "";
    for (const mark of $("marks").children) {
      mark.classList.toggle("here", now >= mark.moment.start_s && now < mark.moment.end_s);
    }
  }

  /** Return the hit after or before a second, or null. */
  neighbour(now, step) {
    const others = this.hits.filter((hit) => (step > 0 ? hit.start_s > now + 0.3 : hit.start_s < now - 0.8));
    return (step > 0 ? others[0] : others.at(-1)) ?? null;
  }

  showTip(event) {
    const tip = $("tip");
    const box = $("timeline").getBoundingClientRect();
    if (!this.duration || event.pointerType !== "mouse") return;
    const share = Math.max(0, Math.min(1, (event.clientX - box.left) / box.width));
    const second = share * this.duration;
    const near = this.moments.find((moment) => second >= moment.start_s && second < moment.end_s);
    if (tip.dataset.id !== (near?.id ?? "")) {
      tip.dataset.id = near?.id ?? "";
      tip.replaceChildren(...(near?.thumb ? [el("img", { src: `/${near.thumb}`, alt: "" })] : []), el("span"));
    }
    if (!tip.lastChild) tip.append(el("span"));
    tip.lastChild.textContent = clock(second);
    tip.hidden = false;
    const half = tip.offsetWidth / 2;
    tip.style.left = `${Math.max(half, Math.min(box.width - half, share * box.width))}px`;
  }
}

/** Return the stretches of neighbouring clips that fit clearly better than the ordinary clip of this video. */
export function peaks(moments) {
  const sorted = moments.map((moment) => moment.score).sort((one, other) => one - other);
  const ordinary = sorted[Math.floor((sorted.length - 1) / 2)];
  const floor = ordinary + 0.5 * (sorted.at(-1) - ordinary);
  const found = [];
  for (const moment of moments) {
    if (moment.score < floor) continue;
    const last = found.at(-1);
    if (last && moment.start_s - last.end_s < 0.5) {
      last.end_s = moment.end_s;
      last.clips.push(moment.id);
    } else {
      found.push({ start_s: moment.start_s, end_s: moment.end_s, clips: [moment.id] });
    }
  }
  return found;
}
