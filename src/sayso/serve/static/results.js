// The grid of results: one card a moment; below a line stand the guesses.

import { collectionOf } from "./collections.js";
import { el, icon, many, marked, span, wordsOf } from "./dom.js";
import { dayOf } from "./when.js";

const TILE_RATIO = 3 / 2;
const CROPPED_AT_MOST = 0.8;

/** The score from which on a moment counts as found; what lies below is a guess. */
export const LIKELY = 0.5;

/** Fill a list with cards; cards whose moment is still there are kept as they are. */
export function renderHits(list, hits, { query = "", href, scored = true }) {
  const held = new Map([...list.children].map((card) => [card.dataset.id, card]));
  const cards = hits.map((hit) => cardFor(hit, held.get(hit.id), { query, href, scored }));
  replaceCards(list, scored ? withLine(cards, false) : cards);
}

/** Add the cards of the moments that come after those which are there. */
export function appendHits(list, hits, { query = "", href }) {
  const cards = hits.map((hit) => cardFor(hit, null, { query, href, scored: true }));
  list.append(...(list.lastElementChild?.hit?.score >= LIKELY ? withLine(cards, true) : cards));
}

function cardFor(hit, old, { query, href, scored }) {
  const same = old?.hit && old.hit.start_s === hit.start_s && old.hit.end_s === hit.end_s;
  const card = same ? old : newCard(hit);
  card.hit = hit;
  card.querySelector(".open").href = href(hit);
  showText(card, hit, wordsOf(query));
  showMany(card, hit);
  showScore(card, hit, scored);
  return card;
}

/** Return cards with a line in front of the guesses, unless there are none, or nothing stands above it. */
function withLine(cards, above) {
  const first = cards.findIndex((card) => card.hit.score < LIKELY);
  if (first < 0 || (first === 0 && !above)) return cards;
  return [...cards.slice(0, first), el("li", { className: "line-below" }, "Less likely"), ...cards.slice(first)];
}

/** Put cards into a list; those that stay in their place are not touched, and the focus stays in the list. */
function replaceCards(list, cards) {
  const focused = document.activeElement;
  const position = [...list.children].indexOf(cardOf(focused));
  const kept = new Set(cards);
  for (const card of [...list.children]) if (!kept.has(card)) card.remove();
  cards.forEach((card, k) => list.children[k] !== card && list.insertBefore(card, list.children[k] ?? null));
  if (position < 0 || focused === document.activeElement || !cards.length) return;
  const heir = list.contains(focused) ? focused : cards[Math.min(position, cards.length - 1)].querySelector(".open");
  heir.focus({ preventScroll: true });
}

function newCard(hit) {
  const when = span(hit);
  const tile = el(
    "span",
    { className: "tile" },
    thumbnail(hit),
    hit.kind === "picture"
      ? el("span", { className: "tag", title: "Picture" }, icon("picture"), el("span", { className: "unseen" }, "Picture, "))
      : el("span", { className: "tag" }, when, el("span", { className: "unseen" }, ", ")),
  );
  const line = el(
    "span",
    { className: "line" },
    el("span", { className: "title", title: hit.path }, hit.title),
    el("span", { className: "score" }, el("span", { className: "bar" }, el("span")), el("span", { className: "number" })),
  );
  const card = el(
    "li",
    { className: "card" },
    el("a", { className: "open" }, tile, line, el("span", { className: "parts" }), el("span", { className: "caption" }), el("span", { className: "machine" })),
    el(
      "button",
      { type: "button", className: "similar", title: "Find similar (s)", "aria-label": `Find similar to ${hit.title} ${when}` },
      icon("similar"),
    ),
  );
  card.dataset.id = hit.id;
  return card;
}

function thumbnail(hit) {
  const image = el("img", { className: "thumb", alt: "", loading: "lazy", decoding: "async" });
  image.addEventListener("load", () => fit(image), { once: true });
  image.addEventListener("error", () => image.classList.add("gone"), { once: true });
  image.src = `/${hit.thumb}`;
  return image;
}

/** Fill the tile where little is cut off; else show the whole picture on a blurred one. */
function fit(image) {
  const ratio = image.naturalWidth / image.naturalHeight;
  if (Math.min(ratio / TILE_RATIO, TILE_RATIO / ratio) < CROPPED_AT_MOST) {
    image.before(el("img", { className: "backdrop", alt: "", src: image.src }));
    image.parentElement.classList.add("whole");
  }
  image.classList.add("shown");
  image.closest(".card").dataset.ratio = ratio;
}

/** Return width over height of a hit's picture, once it has been shown in a card. */
export function ratioOf(hit) {
  const card = [...document.querySelectorAll(".card[data-ratio]")].find((one) => one.dataset.id === hit?.id);
  return card ? Number(card.dataset.ratio) : null;
}

function showText(card, hit, words) {
  const caption = card.querySelector(".caption");
  caption.replaceChildren(...(hit.text ? marked(hit.text, words) : []));
  caption.hidden = !hit.text;
  const machine = card.querySelector(".machine");
  machine.replaceChildren(...(hit.seen ? marked(hit.seen, words) : []));
  machine.hidden = !hit.seen;
}

/** Say for how many copies, or moments of its file, a card stands. */
function showMany(card, hit) {
  const said = [];
  if (hit.copies.length) said.push(many(1 + hit.copies.length, "copy", "copies"));
  if (hit.moments > 1) said.push(many(hit.moments, "moment"));
  card.querySelector(".many")?.remove();
  if (!said.length) return;
  const title = hit.copies.map((copy) => copy.path).join("\n");
  card.querySelector(".tile").append(el("span", { className: "many", title }, said.join(", ")));
}

function showScore(card, hit, scored) {
  const score = card.querySelector(".score");
  const parts = card.querySelector(".parts");
  parts.hidden = !scored;
  const named = [["seen", hit.visual], ["said", hit.spoken], ["described", hit.described]].filter(([, part]) => part !== null);
  score.hidden = !scored || !named.length; // what is listed, and not searched, has no score
  if (!scored) return;
  score.querySelector(".number").textContent = hit.score.toFixed(2);
  score.querySelector(".bar span").style.width = `${Math.max(4, Math.min(100, 100 * hit.score))}%`;
  const told = [collectionOf(hit), dayOf(hit), ...named.map(([name, part]) => `${name} ${part.toFixed(2)}`)];
  parts.textContent = told.filter(Boolean).join(" · ");
  const raw = [["similarity", hit.similarity], ["BM25", hit.bm25]].filter(([, value]) => value !== null);
  score.title = [["relevance", hit.score], ...raw].map(([name, value]) => `${name} ${value.toFixed(3)}`).join(", ");
}

/** Show grey cards while the first results are on their way. */
export function renderSkeletons(list, count = 12) {
  const one = () =>
    el("li", { className: "card skeleton", "aria-hidden": "true" }, el("span", { className: "tile" }), el("span", { className: "line" }));
  list.replaceChildren(...Array.from({ length: count }, one));
}

/** Return the card that has the focus, holds it, or lies under the pointer. */
export const cardOf = (node) => node?.closest?.(".card:not(.skeleton)") ?? null;

/** Move the focus by some cards, or by rows. */
export function moveFocus(list, step, { rows = false } = {}) {
  const cards = [...list.querySelectorAll(".card:not(.skeleton)")];
  if (!cards.length) return;
  const current = cards.indexOf(cardOf(document.activeElement));
  const columns = rows ? cards.filter((card) => card.offsetTop === cards[0].offsetTop).length : 1;
  const next = current < 0 ? 0 : current + step * columns;
  const card = cards[Math.max(0, Math.min(cards.length - 1, next))];
  card.querySelector(".open").focus({ preventScroll: true });
  card.scrollIntoView({ block: "nearest" });
}
