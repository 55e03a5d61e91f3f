// The tray: moments that somebody picked. They stand in the address, so that a link carries them.

import * as api from "./api.js";
import { $, el, icon, many, span } from "./dom.js";
import { exportMenu } from "./export.js";

const MOST = 100;

/** Return how a moment stands in the address: ID@START-END, or ID for a picture. */
export const pickOf = (hit) => (hit.kind === "picture" ? hit.id : `${hit.id}@${short(hit.start_s)}-${short(hit.end_s)}`);

const short = (second) => String(Math.round(second * 1000) / 1000);

export class Tray {
  /** `onChange(picks)` is called with the text for the address; `href(hit)` is the address of a moment. */
  constructor({ onChange, href, onOpen }) {
    Object.assign(this, { onChange, href, onOpen, hits: [], known: new Map(), text: "", asking: 0 });
    exportMenu($("tray-export"), $("tray-menu"), {
      moments: () => ({ name: "picked moments", hits: this.hits }),
      onTrouble: (sentence) => this.trouble(sentence),
    });
    $("tray-clear").addEventListener("click", () => this.set([]));
  }

  get picks() {
    return this.text ? this.text.split(",") : [];
  }

  has(hit) {
    return this.picks.includes(pickOf(hit));
  }

  toggle(hit) {
    const pick = pickOf(hit);
    if (this.has(hit)) return this.set(this.picks.filter((one) => one !== pick));
    if (this.picks.length >= MOST) return this.trouble(`The tray is full: it holds ${MOST} moments.`);
    this.known.set(pick, hit);
    return this.set([...this.picks, pick]);
  }

  set(picks) {
    this.onChange(picks.join(","));
  }

  /** Show the picks of an address. */
  async show(text) {
    if (text === this.text) return;
    this.text = text;
    const asking = ++this.asking;
    const { picks } = this;
    const unknown = picks.filter((pick) => !this.known.has(pick));
    this.render();
    if (!unknown.length) return;
    let failure = "";
    try {
      const { hits } = await api.picked(unknown);
      const found = new Map(hits.flatMap((hit) => [[hit.id, hit], [pickOf(hit), hit]]));
      for (const pick of unknown) if (found.has(pick)) this.known.set(pick, { ...found.get(pick), score: null });
    } catch (error) {
      failure = error.message;
    }
    if (asking !== this.asking) return;
    this.render();
    const lost = picks.length - this.hits.length;
    if (failure || lost) this.trouble(failure || `${many(lost, "picked moment")} of this link cannot be found here.`);
  }

  render() {
    this.hits = this.picks.map((pick) => this.known.get(pick)).filter(Boolean);
    const shown = this.picks.length > 0;
    $("tray").hidden = !shown;
    document.body.classList.toggle("with-tray", shown);
    $("tray-count").textContent = `${many(this.picks.length, "moment")} picked`;
    $("tray-list").replaceChildren(...this.hits.map((hit) => this.item(hit)));
    this.trouble("");
  }

  item(hit) {
    const name = `${hit.title} ${span(hit)}`.trim();
    const open = el("a", { href: this.href(hit), title: name, "aria-label": `Open ${name}` }, el("img", { src: `/${hit.thumb}`, alt: "", loading: "lazy" }));
    open.addEventListener("click", (event) => {
      if (event.metaKey || event.ctrlKey || event.shiftKey || event.button) return;
      event.preventDefault();
      this.onOpen(hit);
    });
    const remove = el("button", { type: "button", title: "Take out", "aria-label": `Take ${name} out of the tray` }, icon("close"));
    remove.addEventListener("click", () => {
      const at = this.hits.indexOf(hit);
      this.toggle(hit);
      const buttons = $("tray-list").querySelectorAll("button");
      (buttons[Math.min(at, buttons.length - 1)] ?? $("results")).focus();
    });
    return el("li", {}, open, remove);
  }

  trouble(sentence) {
    $("tray-trouble").textContent = sentence;
    $("tray-trouble").hidden = !sentence;
  }
}
