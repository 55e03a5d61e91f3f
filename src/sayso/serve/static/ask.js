// Questions about the moment that is shown, answered by a model word by word; nothing here parses HTML.

import * as api from "./api.js";
import { $, el } from "./dom.js";

const REMEMBERED = 6;
const LONGEST_ANSWER = 8000;

export class Ask {
  /** `moment()` returns {media_id, start_s, end_s} of what is on the screen, or null. */
  constructor(moment) {
    this.moment = moment;
    this.said = [];
    this.asking = null;
    $("ask-form").addEventListener("submit", (event) => {
      event.preventDefault();
      if (this.asking) this.asking.abort();
      else this.ask($("ask-question").value.trim());
    });
  }

  /** Begin anew: another file is shown. */
  clear() {
    this.asking?.abort();
    this.said = [];
    $("answers").replaceChildren();
    $("ask-question").value = "";
    this.note("");
  }

  async ask(question) {
    const moment = this.moment();
    if (!question || !moment) return;
    const asking = (this.asking = new AbortController());
    const answer = el("p", { className: "answer" }, "…");
    $("answers").append(el("li", {}, el("p", { className: "asked" }, question), answer));
    $("ask-question").value = "";
    this.busy(true);
    let text = "";
    try {
      const before = this.said.slice(-REMEMBERED);
      const reply = await api.question({ ...moment, question, before }, asking.signal);
      this.note(`Machine-made, and may be wrong. ${reply.madeBy}`.trim());
      for await (const piece of reply.pieces) {
        text += piece;
        answer.textContent = text.trim() || "…";
        $("answers").lastElementChild?.scrollIntoView({ block: "nearest" });
      }
      answer.textContent = text.trim() || "(no answer)";
      if (text.trim()) this.said.push({ question, answer: text.trim().slice(0, LONGEST_ANSWER) });
    } catch (error) {
      if (error.name !== "AbortError") answer.textContent = error.message;
      else answer.textContent = `${text.trim()} (stopped)`.trim();
      answer.classList.toggle("failed", error.name !== "AbortError");
    } finally {
      if (this.asking === asking) this.asking = null;
      this.busy(Boolean(this.asking));
    }
  }

  busy(on) {
    $("ask-send").textContent = on ? "Stop" : "Ask";
    $("answers").setAttribute("aria-busy", String(on));
  }

  note(sentence) {
    $("ask-note").textContent = sentence;
    $("ask-note").hidden = !sentence;
  }
}
