// Building elements from plain text: nothing here ever parses HTML.

export const $ = (id) => document.getElementById(id);

/** Return a new element. `props` are properties, or attributes where they hold a dash. */
export function el(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (name.includes("-") || name === "role") node.setAttribute(name, value);
    else node[name] = value;
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

const SVG = "http://www.w3.org/2000/svg";

export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  const use = document.createElementNS(SVG, "use");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  use.setAttribute("href", `#i-${name}`);
  svg.append(use);
  return svg;
}

export function setIcon(button, name) {
  button.querySelector("use").setAttribute("href", `#i-${name}`);
}

/** Return a time as people write it: 1:02:03, 2:03, 0:03. */
export function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds + 1e-6));
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  const rest = String(whole % 60).padStart(2, "0");
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${rest}` : `${minutes}:${rest}`;
}

/** Return a length in words: 1 h 5 min, 12 min, 3 min 20 s, 40 s. */
export function length(seconds) {
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 600) return [`${Math.floor(whole / 60)} min`, ...(whole % 60 ? [`${whole % 60} s`] : [])].join(" ");
  const minutes = Math.round(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

export const span = (hit) =>
  hit.kind === "picture" ? "" : `${clock(hit.start_s)}\u2009–\u2009${clock(Math.ceil(hit.end_s - 1e-6))}`;

export const many = (count, one, more = `${one}s`) => `${count.toLocaleString("en")} ${count === 1 ? one : more}`;

const COMMON = new Set("and are for from has have into its not off one out over that the their them then this was with you".split(" "));

/** Return the words of a query that may stand in what is said, in lower case. */
export function wordsOf(query) {
  return (query.toLowerCase().match(/[\p{L}\p{N}]{3,}/gu) ?? []).filter((word) => !COMMON.has(word));
}

const ENDING = /^(e?s|e?d|ers?|ing|\p{L}(ed|ers?|ing))?$/u;

/** Whether two words in lower case differ in their endings only: flip, flipping; juggle, juggling. */
function akin(one, other) {
  const [short, long] = one.length < other.length ? [one, other] : [other, one];
  const root = short.replace(/e$/, "");
  return long === short || (root.length > 2 && long.startsWith(root) && ENDING.test(long.slice(root.length)));
}

/** Return nodes for `text` in which words akin to one of `words` are marked. */
export function marked(text, words) {
  if (!words.length) return [text];
  return text.split(/([\p{L}\p{N}]+)/u).map((part, k) => {
    const word = part.toLowerCase();
    return k % 2 && words.some((wanted) => akin(word, wanted)) ? el("mark", {}, part) : part;
  });
}

/** Return a function that runs `act` once calls have stopped for `wait` milliseconds. */
export function debounced(act, wait) {
  let timer = 0;
  const later = (...args) => {
    clearTimeout(timer);
    timer = setTimeout(() => act(...args), wait);
  };
  later.cancel = () => clearTimeout(timer);
  return later;
}

/** Hand a file to the person. */
export function save(name, text, type) {
  saveBlob(name, new Blob([text], { type }));
}

export function saveBlob(name, blob) {
  const url = URL.createObjectURL(blob);
  el("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
