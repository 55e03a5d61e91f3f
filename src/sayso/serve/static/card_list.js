// A list of cards of any length, in boxes of whole rows. The browser lays out and paints the boxes that are near to what
// is in sight, and their cards have pictures; the words of all cards stay, for "find in page" and the keyboard.

import { cardFor, cardOf, dropPicture, greyCard, showPicture } from "./card.js";
import { el } from "./dom.js";

const ROWS = 6; // of a box, at least
const CARDS = 24; // of a box, at least
const NEAR = "150% 0px"; // so far above and below the window cards have pictures
const AT_ONCE = 2; // boxes that are taken for near before the browser has said so
const GREY = 12;
const CLOSE_PX = 8; // rows that differ by so little have one height

/** The score from which on a moment counts as found; what lies below is a guess. */
export const LIKELY = 0.5;

export class CardList {
  /** `decorate(card)` gives a card what depends on the state of the page; it is called again by `refresh`. */
  constructor(root, { decorate }) {
    Object.assign(this, { root, decorate, cards: [], boxes: [], columns: 0, row: 0, place: null, width: innerWidth, scored: true });
    this.line = el("div", { className: "line-below", role: "listitem" }, "Less likely");
    this.nearness = new IntersectionObserver((entries) => this.moved(entries), { rootMargin: NEAR });
    new ResizeObserver(() => this.resized()).observe(root);
    addEventListener("scroll", () => this.notePlace(), { passive: true });
  }

  /** Show moments; cards whose moment is still there are kept as they are, and the focus stays in the list. */
  show(hits, { query = "", scored = true } = {}) {
    const focused = document.activeElement;
    const position = this.cards.indexOf(cardOf(focused));
    const held = new Map(this.cards.map((card) => [card.hit.id, card]));
    this.scored = scored;
    this.cards = hits.map((hit) => cardFor(hit, held.get(hit.id), { query, scored }));
    this.lay();
    this.refresh();
    if (position < 0 || focused === document.activeElement || !hits.length) return;
    const heir = this.root.contains(focused) ? focused : this.cards[Math.min(position, hits.length - 1)].querySelector(".open");
    heir.focus({ preventScroll: true });
  }

  /** Add the moments that come after those which are there. */
  append(hits, { query = "" } = {}) {
    this.cards.push(...hits.map((hit) => cardFor(hit, null, { query, scored: true })));
    this.lay();
  }

  /** Show grey cards while the first results are on their way. */
  wait() {
    this.show([]);
    this.root.append(el("div", { className: "box" }, ...Array.from({ length: GREY }, greyCard)));
  }

  /** Decorate the cards again that are near. */
  refresh() {
    for (const box of this.boxes) if (box.near) [...box.children].forEach(this.decorate);
  }

  // --- boxes -----------------------------------------------------------------------------------

  /** Put the cards into boxes; what is in its place is not touched. */
  lay() {
    this.columns ||= this.countColumns();
    const size = this.columns * Math.max(ROWS, Math.ceil(CARDS / this.columns)) || CARDS;
    const first = this.scored ? this.cards.findIndex((card) => card.hit.score < LIKELY) : -1;
    const runs = first > 0 ? [this.cards.slice(0, first), this.cards.slice(first)] : [this.cards];
    const filled = runs.flatMap((cards) => chunks(cards, size));
    filled.forEach((cards, k) => this.fill(this.boxes[k] ?? this.addBox(), cards));
    this.drop(filled.length);
    const below = this.boxes[Math.ceil(first / size)];
    if (first <= 0) this.line.remove();
    else if (this.line.nextSibling !== below) this.root.insertBefore(this.line, below);
  }

  addBox() {
    const box = el("div", { className: "box" });
    Object.assign(box, { cards: [], near: this.boxes.length < AT_ONCE });
    this.boxes.push(box);
    this.root.append(box);
    this.nearness.observe(box);
    return box;
  }

  fill(box, cards) {
    if (cards.length === box.cards.length && cards.every((card, k) => card === box.cards[k])) return;
    box.near ||= !box.cards.length && cards.some((card) => card.dressed);
    const kept = new Set(cards);
    for (const card of box.cards) if (!kept.has(card) && card.parentNode === box) card.remove();
    cards.forEach((card, k) => box.children[k] !== card && box.insertBefore(card, box.children[k] ?? null));
    box.cards = cards;
    box.style.setProperty("--rows", Math.ceil(cards.length / (this.columns || 1)));
    this.dress(box);
  }

  /** Take away all boxes but the first so many, and whatever else stands in the list. */
  drop(count) {
    const kept = new Set([...this.boxes.slice(0, count), this.line]);
    for (const box of this.boxes.splice(count)) this.nearness.unobserve(box);
    for (const node of [...this.root.children]) if (!kept.has(node)) node.remove();
  }

  /** Give the cards of a box pictures if it is near, and take them away if it is not. */
  dress(box) {
    for (const card of box.cards) {
      if (box.near) (showPicture(card), this.decorate(card));
      else if (card.dressed) dropPicture(card);
      card.dressed = box.near;
    }
  }

  /** Boxes have come near, or gone far. */
  moved(entries) {
    for (const { target: box, isIntersecting, boundingClientRect: at } of entries) {
      if (at.top < innerHeight && at.bottom > 0) this.estimate(box, at.height);
      if (box.near === isIntersecting) continue;
      box.near = isIntersecting;
      this.dress(box);
    }
    this.notePlace();
  }

  /** Boxes that were never in sight have rows as high as those of one that is. */
  estimate(box, height) {
    const row = Math.round(height / Number(box.style.getPropertyValue("--rows")));
    if (Math.abs(row - this.row) <= CLOSE_PX) return;
    this.row = row;
    this.keepingPlace(() => this.root.style.setProperty("--row", `${row}px`));
  }

  // --- width -----------------------------------------------------------------------------------

  /** Return how many cards a row has; 0 while the list is hidden. */
  countColumns() {
    return this.root.clientWidth ? getComputedStyle(this.root).gridTemplateColumns.split(" ").length : 0;
  }

  /** Another width: make boxes anew if rows have other lengths; what is at the top of the window stays there. */
  resized() {
    const columns = this.countColumns();
    if (!columns || columns === this.columns) return;
    this.columns = columns;
    this.keepingPlace(() => {
      const focused = document.activeElement;
      this.drop(0);
      this.lay();
      if (this.root.contains(focused)) focused.focus({ preventScroll: true });
    });
  }

  /** Note which card is at the top of the window; not while the width changes, which moves them all. */
  notePlace() {
    if (innerWidth !== this.width) return;
    const below = (node) => node.getBoundingClientRect().bottom > covered();
    const box = scrollY > 0 && this.boxes.find((one) => one.near && below(one));
    const card = box && box.cards.find(below);
    this.place = card ? { card, y: card.getBoundingClientRect().top } : null;
  }

  /** Do what moves the cards; the one at the top of the window stays there, if it gets another height below what covers it. */
  keepingPlace(act) {
    const { place } = this;
    const resized = this.width !== innerWidth;
    this.width = innerWidth;
    act();
    if (place?.card.isConnected) {
      const y = resized ? Math.max(place.y, covered()) : place.y;
      scrollBy({ top: place.card.getBoundingClientRect().top - y, behavior: "instant" });
    }
    this.notePlace();
  }

  /** Move the focus by some cards, or by rows. */
  moveFocus(step, { rows = false } = {}) {
    if (!this.cards.length) return;
    const current = this.cards.indexOf(cardOf(document.activeElement));
    const next = current < 0 ? 0 : current + step * (rows ? this.columns : 1);
    const card = this.cards[Math.max(0, Math.min(this.cards.length - 1, next))];
    card.querySelector(".open").focus({ preventScroll: true });
    card.scrollIntoView({ block: "nearest" });
  }

  /** Watch the cards; `onOpen(hit)`, `onSimilar(hit)` and `onPick(hit)` are called when the person wants so. */
  watch({ onOpen, onSimilar, onPick }) {
    this.root.addEventListener("click", (event) => {
      const card = cardOf(event.target);
      if (!card || event.metaKey || event.ctrlKey || event.shiftKey || event.button) return;
      event.preventDefault();
      if (event.target.closest(".similar")) onSimilar(card.hit);
      else if (event.target.closest(".pick")) onPick(card.hit);
      else if (event.target.closest(".open")) onOpen(card.hit);
    });
  }
}

const covered = () => document.querySelector(".top").offsetHeight;

function chunks(cards, size) {
  return Array.from({ length: Math.ceil(cards.length / size) }, (_, k) => cards.slice(k * size, (k + 1) * size));
}
