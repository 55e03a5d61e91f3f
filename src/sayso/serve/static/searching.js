// Asking for results, and showing them: found, nothing found, still looking, failed.

import * as api from "./api.js";
import { LIKELY } from "./card_list.js";
import { showProblems } from "./collections.js";
import { $, el, many } from "./dom.js";
import { pictureOf } from "./picture.js";
import { stop as stopPreview } from "./preview.js";
import { activeFilters, searchKey, searches } from "./state.js";

const PAGE = 40;
const AHEAD_PX = 1200; // so far before the end the next moments are asked for
const SLOW_MS = 120;
const LONG_MS = 2500;

export class Searching {
  /** `list` shows the results; `onClearFilters()` is called when the person wants the filters gone. */
  constructor({ list, onClearFilters }) {
    Object.assign(this, { list, onClearFilters, hits: [], key: "", next: null, asking: null, stale: false });
    $("more").addEventListener("click", () => this.goOn());
    for (const event of ["scroll", "resize"]) addEventListener(event, () => nearTheEnd() && this.goOn(), { passive: true });
  }

  /** Show the results of a state, asking for them if they are not the ones that are shown. */
  show(state) {
    this.state = state;
    this.stale = false;
    if (searchKey(state) === this.key) return this.settle();
    this.key = searchKey(state);
    this.ask();
  }

  /** Mark what is shown as about to change: the person is typing. */
  outdated() {
    this.stale = true;
    busy(true);
  }

  settle() {
    if (!this.stale && !this.asking) busy(false);
  }

  /** Ask for the moments after those that are shown. */
  async goOn() {
    const { state, next } = this;
    if (next === null || this.asking) return;
    this.next = null;
    const asking = (this.asking = new AbortController());
    try {
      const picture = state.picture ? pictureOf(state.picture) : null;
      const answer = await api.search(state, { limit: PAGE, cursor: next, picture, signal: asking.signal });
      this.hits.push(...answer.hits);
      this.list.append(answer.hits, { query: state.q });
      this.told(answer);
    } catch (error) {
      if (!asking.signal.aborted) say(error.message);
    } finally {
      this.done(asking);
    }
  }

  async ask() {
    const { state } = this;
    this.asking?.abort();
    this.asking = this.next = null;
    stopPreview();
    notice();
    if (!searches(state)) return this.empty();
    const asking = (this.asking = new AbortController());
    busy(true);
    const slow = setTimeout(() => !this.list.cards.length && this.list.wait(), SLOW_MS);
    const long = setTimeout(() => say("still searching; the first search loads the model"), LONG_MS);
    try {
      const picture = state.picture ? pictureOf(state.picture) : null;
      this.present(await api.search(state, { limit: PAGE, picture, signal: asking.signal }));
    } catch (error) {
      if (!asking.signal.aborted) this.fail(error.message);
    } finally {
      clearTimeout(slow);
      clearTimeout(long);
      this.done(asking);
    }
  }

  done(asking) {
    if (this.asking !== asking) return;
    this.asking = null;
    this.settle();
    if (this.next !== null && nearTheEnd()) this.goOn();
  }

  present(answer) {
    this.hits = answer.hits;
    this.list.show(this.hits, { query: this.state.q });
    $("export").disabled = !this.hits.length;
    this.told(answer);
    doubt(answer.hints);
    if (!this.hits.length) this.nothing(answer.hints);
    else if (!answer.found) this.guessed();
  }

  /** Say how much there is. */
  told(answer) {
    this.next = answer.next;
    showProblems(answer.problems, "search");
    $("more").hidden = answer.next === null;
    const found = this.hits.filter((hit) => hit.score >= LIKELY);
    const guesses = this.hits.length - found.length;
    const kept = found.length ? summary(found) : "nothing found";
    const rest = guesses ? ` · ${many(guesses, "guess", "guesses")}` : "";
    const unsaid = answer.next === null || guesses ? "" : "best ";
    say(this.hits.length ? `${unsaid}${kept}${rest} · ${took(answer.took_ms)}` : "nothing found");
  }

  /** Say that nothing passes, above the best guesses. */
  guessed() {
    const { q } = this.state;
    notice(el("h2", {}, q ? `Nothing found for “${q}”` : "Nothing found"), el("p", {}, "These are the best guesses."));
    $("notice").classList.add("above");
  }

  empty() {
    this.hits = [];
    this.next = null;
    this.list.show([]);
    $("more").hidden = $("export").disabled = true;
    doubt([]);
    this.settle();
    showProblems([], "search");
    say("");
  }

  nothing(hints) {
    const { state } = this;
    const filtered = activeFilters(state).length > 0 || state.kind !== "";
    const advice = hints.length ? "" : "Try other words, or fewer of them."; // hints say themselves what to do
    const says = filtered ? "No moment passes the filters." : advice;
    notice(
      el("h2", {}, state.q ? `Nothing found for “${state.q}”` : "Nothing found"),
      ...(says ? [el("p", {}, says)] : []),
      ...(filtered ? [action("Clear filters", this.onClearFilters)] : []),
    );
  }

  fail(sentence) {
    this.empty();
    const text = sentence[0].toUpperCase() + sentence.slice(1);
    notice(
      el("h2", {}, "That did not work"),
      el("p", { role: "alert" }, /[.?!]$/.test(text) ? text : `${text}.`),
      action("Try again", () => this.ask()),
    );
  }
}

const busy = (is) => (is ? $("results").setAttribute("aria-busy", "true") : $("results").removeAttribute("aria-busy"));

const nearTheEnd = () => $("more").getBoundingClientRect().top < innerHeight + AHEAD_PX;

function action(text, act) {
  const button = el("button", { type: "button", className: "pill" }, text);
  button.addEventListener("click", act);
  return button;
}

function notice(...nodes) {
  $("notice").replaceChildren(...nodes);
  $("notice").hidden = !nodes.length;
  $("notice").classList.remove("above");
}

/** Say quietly why the results may mean little. */
function doubt(hints) {
  $("doubt").hidden = !hints.length;
  $("doubt").textContent = hints.map((hint) => `${hint[0].toUpperCase()}${hint.slice(1)}.`).join(" ");
}

function say(text) {
  $("count").textContent = text;
}

function summary(hits) {
  const files = new Set(hits.map((hit) => hit.media_id)).size;
  return `${many(hits.length, "moment")} in ${many(files, "file")}`;
}

const took = (ms) => (ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`);
