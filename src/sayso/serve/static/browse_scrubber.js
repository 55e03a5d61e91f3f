// The months at the side of the timeline: a slider that says where one is, and takes one elsewhere.

import { $, el, many } from "./dom.js";
import { monthName } from "./when.js";

const YEAR_PX = 22; // years stand no closer
const SHOWN_MS = 900;

export class Scrubber {
  /** `onMonth(k)` is called with the number of the month that the person wants. */
  constructor(onMonth) {
    this.months = [];
    this.slider = $("scrubber-month");
    this.slider.addEventListener("input", () => {
      onMonth(Number(this.slider.value));
      this.describe();
      this.reveal();
    });
    addEventListener("resize", () => this.drawYears());
  }

  /** Show months of {month, count}, the newest first. */
  set(months) {
    this.months = months;
    $("scrubber").hidden = months.length < 2;
    this.slider.max = Math.max(0, months.length - 1);
    this.slider.value = 0;
    this.drawYears();
    this.describe();
  }

  /** Show that a month is in sight. */
  show(k) {
    if (Number(this.slider.value) === k) return;
    this.slider.value = k;
    this.describe();
    this.reveal();
  }

  describe() {
    const one = this.months[Number(this.slider.value)];
    if (!one) return;
    this.slider.setAttribute("aria-valuetext", `${monthName(one.month)}, ${many(one.count, "file")}`);
    $("scrubber-label").textContent = monthName(one.month);
    $("scrubber-label").style.top = `${this.share(Number(this.slider.value)) * 100}%`;
  }

  /** Show the month's name for a moment. */
  reveal() {
    $("scrubber").classList.add("moving");
    clearTimeout(this.timer);
    this.timer = setTimeout(() => $("scrubber").classList.remove("moving"), SHOWN_MS);
  }

  share(k) {
    return this.months.length > 1 ? k / (this.months.length - 1) : 0;
  }

  drawYears() {
    const height = $("scrubber").clientHeight;
    const years = [];
    let [year, last] = ["", -Infinity];
    this.months.forEach(({ month }, k) => {
      const y = this.share(k) * height;
      if (month && month.slice(0, 4) !== year && y - last >= YEAR_PX) {
        years.push(el("li", {}, month.slice(0, 4)));
        years.at(-1).style.top = `${this.share(k) * 100}%`;
        last = y;
      }
      year = month?.slice(0, 4) ?? year;
    });
    $("scrubber-years").replaceChildren(...years);
  }
}
