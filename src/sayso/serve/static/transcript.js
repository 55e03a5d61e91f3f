// What is said in a video, beside it: the line of the moment is marked, a click goes there.

import { $, clock, el, marked } from "./dom.js";

const HANDS_OFF_MS = 4000;

export class Transcript {
  /** `onSeek(second)` is called when a line is chosen. */
  constructor(onSeek) {
    this.lines = [];
    this.current = null;
    this.touched = 0;
    this.list = $("transcript");
    for (const name of ["wheel", "touchmove", "pointerdown"]) {
      this.list.addEventListener(name, () => (this.touched = performance.now()), { passive: true });
    }
    this.list.addEventListener("click", (event) => {
      const line = event.target.closest("button");
      if (line) onSeek(Number(line.dataset.start));
    });
  }

  set(captions, words) {
    this.current = null;
    this.touched = 0;
    this.list.scrollTop = 0;
    $("transcript-title").hidden = !captions.length;
    this.list.replaceChildren(
      ...captions.map((caption) =>
        el(
          "li",
          {},
          el(
            "button",
            { type: "button", "data-start": caption.start_s },
            el("span", { className: "when" }, clock(caption.start_s)),
            el(
              "span",
              {},
              caption.speaker ? el("b", {}, `${caption.speaker}: `) : null,
              ...marked(caption.text, words),
            ),
          ),
        ),
      ),
    );
    this.lines = captions.map((caption, k) => ({ ...caption, node: this.list.children[k].firstChild }));
  }

  update(now) {
    let here = null;
    for (const line of this.lines) if (line.start_s <= now + 0.05 && now < line.end_s + 1) here = line;
    if (here === this.current) return;
    this.current?.node.removeAttribute("aria-current");
    this.current = here;
    if (!here) return;
    here.node.setAttribute("aria-current", "true");
    if (performance.now() - this.touched > HANDS_OFF_MS) this.reveal(here.node);
  }

  reveal(node) {
    const top = node.offsetTop - this.list.offsetTop;
    this.list.scrollTop = top - this.list.clientHeight / 3;
  }
}
