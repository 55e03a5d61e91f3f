// The collection in the order of time, without a query: months of thumbnails, of which only those in sight exist.

import * as api from "./api.js";
import { Grid } from "./browse_grid.js";
import { Scrubber } from "./browse_scrubber.js";
import { $, debounced, many } from "./dom.js";
import { browseKey } from "./state.js";

const PAGE = 60;
const SETTLED_MS = 180;
const NEWEST = "newest";

export class Browse {
  /** `href(file)` is the address of a file, `onOpen(file)` opens it, `onMonth(month)` is called when another month is in sight. */
  constructor({ href, onOpen, onMonth }) {
    Object.assign(this, { href, onOpen, onMonth, state: null, key: "", files: 0, months: [], opened: 0, pages: new Map(), asking: null, month: "" });
    this.grid = new Grid($("months"), { fill: (from, to) => this.fill(from, to), decorate: (link, file) => (link.href = this.href(file)) });
    this.scrubber = new Scrubber((k) => this.grid.goTo(k));
    this.settle = debounced(() => this.settled(), SETTLED_MS);
    addEventListener("scroll", () => this.shown && this.scrolled(), { passive: true });
    addEventListener("resize", () => this.shown && this.grid.resized());
    $("months").addEventListener("click", (event) => this.clicked(event));
  }

  get shown() {
    return Boolean(this.state);
  }

  /** Show the files that pass the filters of a state, at its month; null hides them. */
  show(state) {
    const hidden = !this.state;
    this.state = state;
    $("browse").hidden = !state;
    state ? $("browse-open").setAttribute("aria-current", "page") : $("browse-open").removeAttribute("aria-current");
    if (!state) return;
    const key = browseKey(state);
    if (key !== this.key) {
      this.key = key;
      this.load();
    } else {
      if (!this.asking) this.told();
      this.grid.layOut();
      if (hidden || (state.browse || NEWEST) !== this.month) this.goToMonth(state.browse);
      this.grid.refreshLinks();
    }
  }

  async load() {
    this.asking?.abort();
    const asking = (this.asking = new AbortController());
    const { state } = this;
    this.pages.clear();
    try {
      const { files, months } = await api.timeline(state, asking.signal);
      this.asking = null;
      this.files = files;
      this.months = months;
      this.grid.set(months);
      this.scrubber.set(months);
      this.told();
      this.goToMonth(state.browse);
    } catch (error) {
      if (asking.signal.aborted) return;
      this.asking = null;
      this.key = "";
      this.grid.set([]);
      this.scrubber.set([]);
      $("browse-note").textContent = error.message;
      $("browse-note").hidden = false;
    }
  }

  /** Say how many files there are, and from when to when. */
  told() {
    const years = this.months.filter(({ month }) => month).map(({ month }) => month.slice(0, 4));
    const span = years.length ? ` · ${[...new Set([years.at(-1), years[0]])].join("\u2009–\u2009")}` : "";
    $("count").textContent = `${many(this.files, "file")}${span}`;
    $("browse-note").textContent = "Nothing passes the filters.";
    $("browse-note").hidden = this.files > 0;
  }

  /** Go to a month of the address, or the next older one that has files. */
  goToMonth(month) {
    this.month = month || NEWEST;
    const k = this.month === NEWEST ? 0 : this.months.findIndex((one) => !one.month || one.month <= month);
    if (k > 0) this.grid.goTo(k);
    else if (this.month === NEWEST) this.grid.goTo(0);
    this.scrolled();
  }

  scrolled() {
    this.grid.draw();
    this.scrubber.show(this.grid.monthAt());
    this.settle();
  }

  /** The page stands still: ask for what is in sight, and put the month into the address. */
  settled() {
    if (!this.shown || this.asking || !this.months.length) return;
    this.grid.draw({ still: true });
    const k = this.grid.monthAt();
    const month = k ? (this.months[k].month ?? "0000-00") : NEWEST;
    if (month === this.month) return;
    this.month = month;
    this.onMonth(month);
  }

  /** Return the files of a range that are here; ask for the others. */
  fill(from, to) {
    for (let page = Math.floor(from / PAGE); page * PAGE < to; page += 1) if (!this.pages.has(page)) this.ask(page);
    return (index) => this.pages.get(Math.floor(index / PAGE))?.[index % PAGE];
  }

  async ask(page) {
    const { key, state } = this;
    this.pages.set(page, null);
    try {
      const { files } = await api.timelineFiles(state, { offset: page * PAGE, limit: PAGE });
      if (key !== this.key) return;
      this.pages.set(page, files);
      this.grid.arrived(page * PAGE, files);
    } catch {
      if (key === this.key) setTimeout(() => this.pages.delete(page), 2000);
    }
  }

  clicked(event) {
    const link = event.target.closest("a");
    if (!link || event.metaKey || event.ctrlKey || event.shiftKey || event.button) return;
    event.preventDefault();
    this.open(Number(link.parentElement.dataset.index));
  }

  open(index, options) {
    const file = this.fill(index, index + 1)(index);
    if (!file) return;
    this.opened = index;
    this.onOpen(file, options);
  }

  /** Open the next or previous file. */
  neighbour(step) {
    const index = this.opened + step;
    if (index >= 0 && index < this.files) this.open(index, { replace: true });
  }

  /** Return what the keys do that move through the files. */
  get keys() {
    const steps = { j: "right", k: "left", ArrowRight: "right", ArrowLeft: "left", ArrowDown: "down", ArrowUp: "up", Home: "first", End: "last" };
    const moves = Object.entries(steps).map(([key, step]) => [key, () => this.grid.move(step)]);
    return { ...Object.fromEntries(moves), " ": () => document.activeElement.closest(".month a")?.click() };
  }

  /** Give the focus to the file that was opened. */
  back() {
    if (this.files) this.grid.focus(Math.min(this.opened, this.files - 1));
  }
}

/** Watch the links that lead to the timeline. */
export function watchOpening(onOpen) {
  for (const link of document.querySelectorAll("#browse-open, .open-timeline")) {
    link.addEventListener("click", (event) => {
      if (event.metaKey || event.ctrlKey || event.shiftKey || event.button) return;
      event.preventDefault();
      onOpen();
    });
  }
}
