// One moment as a card.

import { collectionOf } from "./collections.js";
import { el, icon, many, marked, span, wordsOf } from "./dom.js";
import { dayOf } from "./when.js";

const TILE_RATIO = 3 / 2;
const CROPPED_AT_MOST = 0.8;

/** Return the card that has the focus, holds it, or lies under the pointer. */
export const cardOf = (node) => node?.closest?.(".card:not(.skeleton)") ?? null;

/** Return a card for a moment: the one that stands for it already, or a new one. */
export function cardFor(hit, old, { query, scored }) {
  const same = old && old.hit.start_s === hit.start_s && old.hit.end_s === hit.end_s;
  const card = same ? old : newCard(hit);
  card.hit = hit;
  showText(card, hit, wordsOf(query));
  showMany(card, hit);
  showScore(card, hit, scored);
  return card;
}

function newCard(hit) {
  const when = span(hit);
  const tile = el(
    "span",
    { className: "tile" },
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
    "div",
    { className: "card", role: "listitem" },
    el("a", { className: "open" }, tile, line, el("span", { className: "parts" }), el("span", { className: "caption" }), el("span", { className: "machine" })),
    el(
      "button",
      { type: "button", className: "similar", title: "Find similar (s)", "aria-label": `Find similar to ${hit.title} ${when}` },
      icon("similar"),
    ),
    el("button", { type: "button", className: "pick", "aria-label": `Pick ${hit.title} ${when}`.trim() }, icon("pick")),
  );
  card.dataset.id = hit.id;
  return card;
}

/** Show on a card whether its moment is picked. */
export function showPick(card, picked) {
  const button = card.querySelector(".pick");
  button.setAttribute("aria-pressed", picked);
  button.title = picked ? "Take out of the tray (p)" : "Pick (p)";
}

/** Show the picture of a card, which comes near to what is in sight. */
export function showPicture(card) {
  if (card.querySelector(".thumb")) return;
  const image = el("img", { className: "thumb", alt: "", decoding: "async" });
  image.addEventListener("load", () => fit(card, image), { once: true });
  image.addEventListener("error", () => image.classList.add("gone"), { once: true });
  image.src = `/${card.hit.thumb}`;
  card.querySelector(".tile").prepend(image);
}

/** Let go of the picture of a card that is far from what is in sight, and do not wait for it. */
export function dropPicture(card) {
  for (const image of card.querySelectorAll(".tile > img")) {
    image.removeAttribute("src");
    image.remove();
  }
}

/** Fill the tile where little is cut off; else show the whole picture on a blurred one. */
function fit(card, image) {
  if (!image.isConnected) return;
  const ratio = image.naturalWidth / image.naturalHeight;
  if (Math.min(ratio / TILE_RATIO, TILE_RATIO / ratio) < CROPPED_AT_MOST) {
    image.before(el("img", { className: "backdrop", alt: "", src: image.src }));
    image.parentElement.classList.add("whole");
  }
  image.classList.add("shown");
  card.dataset.ratio = ratio;
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

/** Return a grey card, for results that are on their way. */
export const greyCard = () =>
  el("div", { className: "card skeleton", "aria-hidden": "true" }, el("span", { className: "tile" }), el("span", { className: "line" }));
