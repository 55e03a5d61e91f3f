// Asking for results, and showing them: found, nothing found, still looking, failed.

import * as api from "./api.js";
import { $, el, many } from "./dom.js";
import { pictureOf } from "./picture.js";
import { stop as stopPreview } from "./preview.js";
import { renderHits, renderSkeletons } from "./results.js";
import { activeFilters, searchKey, searches } from "./state.js";

const PAGE = 40;
const MOST = 500;
const SLOW_MS = 120;
const LONG_MS = 2500;

export class Searching {
  /** `href(hit)` is the address of a hit; `onClearFilters()` is called when the person wants them gone. */
  constructor({ href, onClearFilters }) {
    Object.assign(this, { href, onClearFilters, hits: [], key: "", limit: PAGE, asking: null });
    $("more").addEventListener("click", () => {
      this.limit = Math.min(MOST, this.limit + PAGE);
      this.ask();
    });
  }

  /** Show the results of a state, asking for them if they are not the ones that are shown. */
  show(state) {
    this.state = state;
    if (searchKey(state) === this.key) return;
    this.key = searchKey(state);
    this.limit = PAGE;
    this.ask();
  }

  async ask() {
    const { state } = this;
    this.asking?.abort();
    stopPreview();
    notice();
    if (!searches(state)) return this.empty();
    const asking = (this.asking = new AbortController());
    const list = $("results");
    list.setAttribute("aria-busy", "true");
    const slow = setTimeout(() => !list.children.length && renderSkeletons(list), SLOW_MS);
    const long = setTimeout(() => say("still searching; the first search loads the model"), LONG_MS);
    try {
      const picture = state.picture ? pictureOf(state.picture) : null;
      this.present(await api.search(state, { limit: this.limit, picture, signal: asking.signal }));
    } catch (error) {
      if (!asking.signal.aborted) this.fail(error.message);
    } finally {
      clearTimeout(slow);
      clearTimeout(long);
      if (this.asking === asking) list.removeAttribute("aria-busy");
    }
  }

  present(answer) {
    const { state, limit } = this;
    this.hits = answer.hits;
    renderHits($("results"), this.hits, { query: state.q, href: this.href });
    const more = this.hits.length >= limit && limit < MOST;
    $("more").hidden = !more;
    $("export").disabled = !this.hits.length;
    say(this.hits.length ? `${more ? "best " : ""}${summary(this.hits)} · ${took(answer.took_ms)}` : "nothing found");
    if (!this.hits.length) this.nothing();
  }

  empty() {
    this.hits = [];
    $("results").replaceChildren();
    $("more").hidden = $("export").disabled = true;
    say("");
  }

  nothing() {
    const { state } = this;
    const filtered = activeFilters(state).length > 0 || state.kind !== "";
    notice(
      el("h2", {}, state.q ? `Nothing found for “${state.q}”` : "Nothing found"),
      el("p", {}, filtered ? "No moment passes the filters." : "Try other words, or fewer of them."),
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

function action(text, act) {
  const button = el("button", { type: "button", className: "pill" }, text);
  button.addEventListener("click", act);
  return button;
}

function notice(...nodes) {
  $("notice").replaceChildren(...nodes);
  $("notice").hidden = !nodes.length;
}

function say(text) {
  $("count").textContent = text;
}

function summary(hits) {
  const files = new Set(hits.map((hit) => hit.media_id)).size;
  return `${many(hits.length, "moment")} in ${many(files, "file")}`;
}

const took = (ms) => (ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`);
