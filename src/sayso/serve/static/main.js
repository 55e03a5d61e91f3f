// The page: keeps what is shown and what stands in the address the same.

import * as api from "./api.js";
import { Browse, watchOpening } from "./browse.js";
import { cardOf, showPick } from "./card.js";
import { CardList } from "./card_list.js";
import { showControls, showExample, showFilters, watchControls } from "./controls.js";
import { watchSaveClip } from "./clip.js";
import { showCollections, watchCollections } from "./collections.js";
import { $, debounced } from "./dom.js";
import { exportMenu, saveJson } from "./export.js";
import { watchSearchField } from "./field.js";
import { helpKeys, showHelp, watchHelp } from "./help.js";
import { watchKeys } from "./keys.js";
import { sayLocal, watchLocal } from "./local.js";
import { offerPeople, showPeople, togglePerson, watchPeople } from "./people.js";
import { pictureOf, watchPictures } from "./picture.js";
import { Player } from "./player.js";
import { previewsIn, stop as stopPreview } from "./preview.js";
import { Searching } from "./searching.js";
import { NO_FILTERS, address, browses, dropToken, read, searchKey, searches, write } from "./state.js";
import { Tray } from "./tray.js";
import { showWelcome } from "./welcome.js";

const TYPING_MS = 250;

let state = read();
let index = { has_text: false, media: 0, collection: null };
let inRow = false;

const player = new Player({ onClose: closePlayer, onBadLink: badLink, onWhere: setWhere });
const results = new CardList($("results"), { decorate });
const sample = new CardList($("sample"), { decorate });
const searching = new Searching({ list: results, onClearFilters: () => change({ kind: "", ...NO_FILTERS }) });
const tray = new Tray({ onChange: setTray, href: hrefOf, onOpen: openHit });
const browse = new Browse({
  href: (file) => address({ ...state, m: file.media_id, t: "", where: "" }),
  onOpen: (file, how) => openHit({ media_id: file.media_id }, how),
  onMonth: (month) => ((state = { ...state, browse: month }), state.m || write(state, { push: false })),
});
const forgetClip = watchSaveClip(openMoment);

// --- state -------------------------------------------------------------------------------------

/** Change some fields. Each change makes a new page of the history; all letters typed in a row make one. */
function change(fields, { typing = false } = {}) {
  const before = searchKey(state);
  state = { ...state, ...fields };
  if (searchKey(state) === before && !("m" in fields) && !("browse" in fields)) return;
  write(state, { push: !typing || !inRow });
  inRow = typing;
  if (!typing) return show();
  searching.outdated();
  searchSoon();
}

const searchSoon = debounced(() => show(), TYPING_MS);

/** Make the page show the state. */
function show() {
  searchSoon.cancel();
  const query = $("query");
  if (query.value !== state.q && query !== document.activeElement) query.value = state.q;
  $("clear").hidden = !state.q && !state.picture && !state.similar;
  document.body.dataset.view = searches(state) ? "found" : browses(state) ? "browse" : "empty";
  document.title = state.q ? `${state.q} · sayso` : "sayso";
  if (state.collection !== index.collection) loadIndex();
  showControls(state, index);
  showPeople(state.q);
  showExample(state, () => change({ picture: "", similar: "" }));
  searching.show(state);
  browse.show(browses(state) ? state : null);
  tray.show(state.tray);
  showMoment();
}

/** Ask what the collection of the state holds, and show it. */
async function loadIndex() {
  const { collection } = state;
  index = { ...index, collection };
  try {
    const about = await api.about(collection);
    if (index.collection !== collection) return;
    index = { ...about, collection };
    showWelcome(index, { list: sample, onHint: (hint) => (($("query").value = hint), change({ q: hint })) });
    offerPeople(index.people);
    $("local").hidden = !index.local;
    showPeople(state.q);
    showControls(state, index);
  } catch (error) {
    $("holds").textContent = error.message;
    index.collections ??= await api.about().then((about) => about.collections, () => []);
  }
  showCollections(index.collections, collection);
}

/** Put picks into the address, in place: going back never loses one. */
function setTray(picks) {
  state = { ...state, tray: picks };
  write(state, { push: false });
  tray.show(picks);
  for (const list of [results, sample]) list.refresh();
  showPicked();
}

/** Give a card its address, and show whether it is picked. */
function decorate(card) {
  card.querySelector(".open").href = hrefOf(card.hit);
  showPick(card, tray.has(card.hit));
}

function showPicked() {
  const hit = openMoment();
  $("player-pick").disabled = !hit;
  $("player-pick").setAttribute("aria-pressed", Boolean(hit && tray.has(hit)));
}

/** Return the moment that is open in the player: the one that was found, or the clip around its second. */
function openMoment() {
  if (!player.open) return null;
  const known = [...searching.hits, ...tray.hits].find((hit) => hit.id === player.clip && Math.abs(hit.start_s - player.start) < 0.01);
  return known ?? player.file?.moments.find((hit) => hit.id === player.clip) ?? null;
}

/** Put into the address that a heat map is shown, or not any more. */
function setWhere(where) {
  if (!state.m || state.where === where) return;
  state = { ...state, where };
  write(state, { push: false });
}

/** Say that a link leads nowhere, in place of a player without a film. */
function badLink(sentence) {
  state = { ...state, m: "", t: "", where: "" };
  write(state, { push: false });
  player.close();
  $("bad-link-text").textContent = `This link leads to a moment that is not here: ${sentence}.`;
  $("bad-link").hidden = false;
}

function showMoment() {
  if (!state.m) return player.close();
  const second = Number(state.t);
  if (!(second >= 0 && second < Infinity)) return badLink(`“${state.t}” is no second`);
  if (player.open && player.file?.id === state.m && player.start === second) return;
  stopPreview();
  const hit = [...searching.hits, ...tray.hits, ...(index.sample ?? [])].find((one) => one.media_id === state.m && Math.abs(one.start_s - second) < 0.01);
  forgetClip();
  sayLocal("");
  $("bad-link").hidden = true;
  player.show(state.m, second, state, { hit, picture: pictureOf(state.picture) }).then(showPicked);
}

function hrefOf(hit) {
  return address({ ...state, m: hit.media_id, t: hit.start_s ? String(hit.start_s) : "", where: "" });
}

function openHit(hit, { replace = false } = {}) {
  state = { ...state, m: hit.media_id, t: hit.start_s ? String(hit.start_s) : "", where: "" };
  write(state, { push: !replace });
  showMoment();
}

function closePlayer() {
  if (state.m) {
    state = { ...state, m: "", t: "", where: "" };
    if (history.state?.ours) history.back();
    else write(state, { push: false });
  }
  if (!player.open) return;
  const id = player.clip;
  player.close();
  if (browse.shown) return browse.back();
  const card = visibleList().cards.find((one) => one.hit.id === id);
  card?.querySelector(".open").focus();
}

// --- actions -----------------------------------------------------------------------------------

function similarTo(hit) {
  if (hit) change({ q: "", picture: "", similar: hit.id, text_weight: "", m: "", t: "", where: "" });
  $("query").value = "";
  scrollTo({ top: 0 });
}

const pickOpen = () => openMoment() && tray.toggle(openMoment());

const exportResults = () => searching.hits.length && saveJson(searching.hits, state.q);

// --- events ------------------------------------------------------------------------------------

function clearSearch() {
  $("query").value = "";
  showFilters(false);
  change({ ...read(""), collection: state.collection, text_weight: state.text_weight, tray: state.tray });
  $("query").focus();
}

/** While the player is open: go to the next or previous result. */
function otherResult(step) {
  if (browse.shown) return browse.neighbour(step);
  const here = searching.hits.findIndex((hit) => hit.id === player.clip);
  const hit = searching.hits[here + step];
  if (hit) openHit(hit, { replace: true });
}

const focused = () => cardOf(document.activeElement)?.hit;

const resultKeys = {
  "/": () => ($("query").focus(), $("query").select()),
  j: () => visibleList().moveFocus(+1),
  k: () => visibleList().moveFocus(-1),
  ArrowRight: () => visibleList().moveFocus(+1),
  ArrowLeft: () => visibleList().moveFocus(-1),
  ArrowDown: () => visibleList().moveFocus(+1, { rows: true }),
  ArrowUp: () => visibleList().moveFocus(-1, { rows: true }),
  " ": () => focused() && openHit(focused()),
  s: () => focused() && similarTo(focused()),
  p: () => focused() && tray.toggle(focused()),
  e: exportResults,
  b: openTimeline,
  "?": showHelp,
};

const playerKeys = {
  " ": () => player.toggle(),
  Enter: () => player.replay(),
  "[": () => player.neighbour(-1),
  "]": () => player.neighbour(+1),
  ",": () => player.step(-1),
  ".": () => player.step(+1),
  ArrowLeft: () => player.skip(-5),
  ArrowRight: () => player.skip(+5),
  j: () => otherResult(+1),
  k: () => otherResult(-1),
  s: () => player.clip && similarTo({ id: player.clip }),
  p: pickOpen,
  w: () => player.heat.toggle(),
  m: () => player.mute(),
  f: () => player.full(),
  e: exportResults,
  "?": showHelp,
};

function openTimeline() {
  $("query").value = "";
  change({ q: "", picture: "", similar: "", browse: "newest", m: "", t: "", where: "" });
  scrollTo({ top: 0 });
}

const visibleList = () => (searches(state) ? results : sample);

// --- start -------------------------------------------------------------------------------------

function start() {
  dropToken();
  watchSearchField({
    onType: (q) => change({ q }, { typing: true }),
    onBlur: () => (inRow = false),
    onEnter: show,
    onClear: clearSearch,
    onDown: () => (browse.shown ? browse.keys.ArrowDown() : results.moveFocus(0)),
    onHelp: showHelp,
  });
  watchControls(change);
  watchPeople((name) => {
    $("query").value = togglePerson(state.q, name);
    change({ q: $("query").value });
  });
  watchCollections((collection) => change({ collection }));
  for (const list of [results, sample]) {
    list.watch({ onSimilar: similarTo, onOpen: openHit, onPick: (hit) => tray.toggle(hit) });
    previewsIn(list.root);
  }
  watchOpening(openTimeline);
  watchHelp(visibleList);
  watchLocal(() => player.file?.id ?? state.m);
  watchPictures((picture) => change({ picture, similar: "", text_weight: "", m: "", t: "", where: "" }));
  watchKeys(() => ($("help").open ? helpKeys : player.open ? playerKeys : browse.shown ? { ...resultKeys, ...browse.keys } : resultKeys));
  $("player-similar").addEventListener("click", () => similarTo({ id: player.clip }));
  $("player-pick").addEventListener("click", pickOpen);
  $("bad-link-close").addEventListener("click", () => ($("bad-link").hidden = true));
  exportMenu($("export"), $("export-menu"), {
    moments: () => ({ name: state.q, hits: searching.hits }),
    onTrouble: (sentence) => sentence && ($("count").textContent = sentence),
  });
  addEventListener("popstate", () => {
    state = { ...read(), tray: state.tray };
    write(state, { push: false });
    $("query").value = state.q;
    show();
  });
  $("query").value = state.q;
  if (!searches(state) && !state.m && matchMedia("(hover: hover)").matches) $("query").focus();
  show();
}

start();
