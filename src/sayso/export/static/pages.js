// The player of a page that is a file: a link to a second of a film beside the page plays it there.

import { $ } from "./dom.js";
import { Film } from "./film.js";

const film = new Film();
const links = [...document.querySelectorAll("a[data-start]")];
const fileOf = (link) => link.href.replace(/#t=[\d.]+$/, "");

/** Play the film of a link from its second on; what other links name of it is marked in the bar. */
function play(link) {
  const file = fileOf(link);
  const start = Number(link.dataset.start);
  $("film").hidden = false;
  $("film-title").textContent = link.dataset.film;
  if (film.source !== file) {
    const named = links.filter((one) => fileOf(one) === file && one.dataset.end);
    const moments = named.map((one, k) => ({ id: String(k), start_s: Number(one.dataset.start), end_s: Number(one.dataset.end), score: 1 }));
    film.trouble("");
    film.source = file;
    film.video.src = file;
    film.mark([...new Map(moments.map((one) => [one.start_s, one])).values()], null);
  }
  film.start = start;
  film.seek(start, { play: true });
  $("toggle").focus({ preventScroll: true });
}

function close() {
  film.video.pause();
  $("film").hidden = true;
}

film.video.addEventListener("error", () => film.trouble("This browser does not play this film, or it is not there any more. “sayso serve” plays it."));
$("film-close").addEventListener("click", close);
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-start]");
  if (!link || event.metaKey || event.ctrlKey || event.shiftKey || event.button) return;
  event.preventDefault();
  play(link);
});
document.addEventListener("keydown", (event) => {
  if ($("film").hidden || event.ctrlKey || event.metaKey || event.altKey || event.target.closest("select, textarea, input")) return;
  const keys = { ",": () => film.step(-1), ".": () => film.step(+1), ArrowLeft: () => film.skip(-5), ArrowRight: () => film.skip(+5), Escape: close, m: () => film.mute(), f: () => film.full(), "[": () => film.neighbour(-1), "]": () => film.neighbour(+1) };
  if (!keys[event.key]) return;
  event.preventDefault();
  keys[event.key]();
});
