// A grid of thumbnails under months, of any length: it has its full height, and elements only for what is in sight.

import { clock, el, icon, many } from "./dom.js";
import { dayOf, monthName, timeOf } from "./when.js";

const HEAD_PX = 58;
const FOOT_PX = 26;
const OVERSCAN = 0.75; // of the window's height, above and below
const ASKED_AT_ONCE = 0.4; // windows a frame: what passes faster is asked for when the page stands still

export class Grid {
  /** `fill(from, to)` returns a function from index to file, if it is here; `decorate(link, file)` gives it an address. */
  constructor(root, { fill, decorate }) {
    Object.assign(this, { root, fill, decorate, months: [], total: 0, tiles: new Map(), sections: new Map(), current: 0, last: 0 });
    root.addEventListener("focusin", (event) => {
      const tile = event.target.closest("li");
      if (tile) this.point(Number(tile.dataset.index));
    });
  }

  /** Show months of {month, count}. */
  set(months) {
    let first = 0;
    this.months = months.map((one) => ({ ...one, first: (first += one.count) - one.count }));
    this.total = first;
    this.current = 0;
    for (const section of this.sections.values()) section.remove();
    this.sections.clear();
    this.tiles.clear();
    this.layOut();
  }

  /** Find out where everything lies. */
  layOut() {
    const width = this.root.clientWidth;
    if (!width) return;
    const style = getComputedStyle(this.root);
    const [least, gap] = ["--least", "--gap"].map((name) => parseFloat(style.getPropertyValue(name)));
    this.columns = Math.max(3, Math.floor((width + gap) / (least + gap)));
    this.cell = (width - gap * (this.columns - 1)) / this.columns;
    this.pitch = this.cell + gap;
    let top = 0;
    for (const month of this.months) {
      month.top = top;
      month.height = HEAD_PX + Math.ceil(month.count / this.columns) * this.pitch - gap + FOOT_PX;
      top += month.height;
    }
    this.root.style.height = `${top}px`;
    this.root.style.setProperty("--cell", `${this.cell}px`);
    for (const [k, section] of this.sections) this.place(k, section);
    for (const [index, tile] of this.tiles) this.placeTile(tile, index);
    this.draw({ still: true });
  }

  /** Lay out anew; what is at the top of the window stays there, unless the page stands at its beginning. */
  resized() {
    const index = this.total && this.offset > HEAD_PX ? this.inSight() : -1;
    this.layOut();
    if (index < 0) return;
    const [month, y] = this.yOf(index);
    const first = index - month.first < this.columns;
    scrollTo({ top: y - this.covered - (first ? HEAD_PX : 0), behavior: "instant" });
    this.draw({ still: true });
  }

  /** Return the month of a file, and the pixel of the page at which its row begins. */
  yOf(index) {
    const month = this.months[this.firstWith(index)];
    return [month, this.top + month.top + HEAD_PX + Math.floor((index - month.first) / this.columns) * this.pitch];
  }

  place(k, section) {
    const { top, height } = this.months[k];
    section.style.transform = `translateY(${top}px)`;
    section.style.height = `${height}px`;
  }

  placeTile(tile, index) {
    const at = index - this.months[tile.month].first;
    const [row, column] = [Math.floor(at / this.columns), at % this.columns];
    tile.style.transform = `translate(${column * this.pitch}px, ${row * this.pitch}px)`;
  }

  /** The pixel of the grid at the top of what is not covered. */
  get offset() {
    return scrollY - this.top + this.covered;
  }

  get top() {
    return this.root.getBoundingClientRect().top + scrollY;
  }

  get covered() {
    return document.querySelector(".top").offsetHeight;
  }

  /** Give elements to what is in sight, and take them from what is not. */
  draw({ still = false } = {}) {
    if (!this.months.length || !this.pitch) return;
    const from = scrollY - this.top;
    const speed = Math.abs(from - this.last) / innerHeight;
    this.last = from;
    const [low, high] = [from - OVERSCAN * innerHeight, from + (1 + OVERSCAN) * innerHeight];
    const wanted = new Set();
    let [least, most] = [Infinity, -1];
    for (let k = this.firstMonth(low); k < this.months.length && this.months[k].top < high; k += 1) {
      const month = this.months[k];
      const rows = [low, high].map((y) => (y - month.top - HEAD_PX) / this.pitch);
      const first = month.first + Math.max(0, Math.floor(rows[0])) * this.columns;
      const end = Math.min(month.first + month.count, month.first + Math.ceil(rows[1]) * this.columns);
      for (let index = first; index < end; index += 1) wanted.add(index);
      if (end > first) [least, most] = [Math.min(least, first), Math.max(most, end)];
      if (!this.sections.has(k)) this.addSection(k);
    }
    for (const [k, section] of this.sections) {
      const { top, height } = this.months[k];
      if ((top > high || top + height < low) && !section.contains(document.activeElement)) this.dropSection(k, section);
    }
    for (const [index, tile] of this.tiles) if (!wanted.has(index) && tile.firstChild !== document.activeElement) this.dropTile(index, tile);
    if (most < 0) return;
    const fileOf = still || speed < ASKED_AT_ONCE ? this.fill(least, most) : () => null;
    for (const index of wanted) {
      const tile = this.tiles.get(index) ?? this.addTile(index);
      if (!tile.file) this.fillTile(tile, fileOf(index));
    }
  }

  /** Return the first month that reaches below a pixel. */
  firstMonth(y) {
    let [low, high] = [0, this.months.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.months[middle].top + this.months[middle].height < y) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Return the number of the month that is at the top of the window. */
  monthAt() {
    return this.months.length ? this.firstMonth(Math.max(0, this.offset + HEAD_PX)) : 0;
  }

  addSection(k) {
    const { month, count } = this.months[k];
    const heading = el("h2", { id: `month-${k}` }, monthName(month), el("span", {}, many(count, "file")));
    const section = el("section", { className: "month", "aria-labelledby": heading.id }, heading, el("ul", { role: "list" }));
    this.place(k, section);
    const next = [...this.sections].filter(([other]) => other > k).sort(([one], [other]) => one - other)[0];
    this.root.insertBefore(section, next?.[1] ?? null);
    this.sections.set(k, section);
  }

  dropSection(k, section) {
    for (const tile of section.querySelectorAll("li")) this.tiles.delete(Number(tile.dataset.index));
    section.remove();
    this.sections.delete(k);
  }

  addTile(index) {
    const month = this.firstWith(index);
    const link = el("a", { tabIndex: index === this.current ? 0 : -1 });
    const tile = el("li", { "aria-setsize": this.months[month].count, "aria-posinset": index - this.months[month].first + 1 }, link);
    tile.dataset.index = index;
    tile.month = month;
    this.placeTile(tile, index);
    const list = this.sections.get(month).lastChild;
    let after = list.lastChild;
    while (after && Number(after.dataset.index) > index) after = after.previousSibling;
    list.insertBefore(tile, after ? after.nextSibling : list.firstChild);
    this.tiles.set(index, tile);
    return tile;
  }

  dropTile(index, tile) {
    tile.remove();
    this.tiles.delete(index);
  }

  /** Return the number of the month that holds a file. */
  firstWith(index) {
    let [low, high] = [0, this.months.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.months[middle].first <= index) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  fillTile(tile, file) {
    if (!file) return;
    tile.file = file;
    const link = tile.firstChild;
    const image = el("img", { alt: "", decoding: "async", draggable: false });
    image.addEventListener("load", () => image.classList.add("shown"), { once: true });
    image.src = `/${file.thumb}`;
    this.decorate(link, file);
    link.title = [file.title, dayOf(file)].filter(Boolean).join("\n");
    link.setAttribute("aria-label", [kindOf(file), file.title, timeOf(file)].filter(Boolean).join(", "));
    link.replaceChildren(image);
    if (file.kind !== "picture") link.append(el("span", { className: "long" }, icon("play"), file.duration_s ? clock(file.duration_s) : ""));
  }

  /** Files have come: show them where they are in sight. */
  arrived(first, files) {
    files.forEach((file, k) => {
      const tile = this.tiles.get(first + k);
      if (tile && !tile.file) this.fillTile(tile, file);
    });
  }

  refreshLinks() {
    for (const tile of this.tiles.values()) if (tile.file) this.decorate(tile.firstChild, tile.file);
  }

  /** Scroll to a month. */
  goTo(k) {
    if (!this.months[k]) return;
    scrollTo({ top: k ? this.top + this.months[k].top - this.covered : 0, behavior: "instant" });
    this.draw();
  }

  /** Make one file that which the focus comes to. */
  point(index) {
    const old = this.tiles.get(this.current);
    if (old) old.firstChild.tabIndex = -1;
    this.current = index;
    const tile = this.tiles.get(index);
    if (tile) tile.firstChild.tabIndex = 0;
  }

  /** Move the focus by "left", "right", "up", "down", or to the "first" or the "last"; from outside, to what is in sight. */
  move(step) {
    if (!this.total) return;
    const inside = this.root.contains(document.activeElement);
    this.focus(inside ? this.after(this.current, step) : this.inSight());
  }

  focus(index) {
    this.reveal(index);
    this.point(index);
    (this.tiles.get(index) ?? this.addTile(index)).firstChild.focus({ preventScroll: true });
  }

  after(index, step) {
    const ends = { first: 0, last: this.total - 1, left: Math.max(0, index - 1), right: Math.min(this.total - 1, index + 1) };
    if (step in ends) return ends[step];
    const month = this.months[this.firstWith(index)];
    const column = (index - month.first) % this.columns;
    if (step === "down") {
      const below = index + this.columns;
      const rowEnd = month.first + month.count;
      if (below < rowEnd) return below;
      const lastRow = Math.floor((month.count - 1) / this.columns);
      if (Math.floor((index - month.first) / this.columns) < lastRow) return rowEnd - 1;
      const next = this.months[this.firstWith(index) + 1];
      return next ? next.first + Math.min(column, next.count - 1) : index;
    }
    if (index - this.columns >= month.first) return index - this.columns;
    const before = this.months[this.firstWith(index) - 1];
    if (!before) return index;
    const lastRow = Math.floor((before.count - 1) / this.columns) * this.columns;
    return before.first + Math.min(lastRow + column, before.count - 1);
  }

  /** Return the first file that is wholly in sight. */
  inSight() {
    const month = this.months[this.monthAt()];
    const row = Math.max(0, Math.ceil((this.offset - month.top - HEAD_PX) / this.pitch));
    return Math.min(month.first + row * this.columns, month.first + month.count - 1);
  }

  reveal(index) {
    const [, y] = this.yOf(index);
    const high = y - this.covered - HEAD_PX;
    const low = y + this.cell + 24 - innerHeight;
    if (scrollY > high) scrollTo({ top: high, behavior: "instant" });
    else if (scrollY < low) scrollTo({ top: low, behavior: "instant" });
    this.draw({ still: true });
  }
}

const kindOf = (file) => ({ picture: "Picture", sound: "Sound" })[file.kind] ?? `Video${file.duration_s ? ` of ${clock(file.duration_s)}` : ""}`;
