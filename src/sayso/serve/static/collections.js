// Which collection is searched: one of those that are served, or all of them.

import { $, el } from "./dom.js";

const short = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });

/** Watch the picker; `onChange(name)` is called with "" for all. */
export function watchCollections(onChange) {
  $("collection").addEventListener("change", (event) => onChange(event.target.value));
}

/** Offer the collections with their sizes, where there are several. */
export function showCollections(collections, chosen) {
  const total = collections.reduce((sum, one) => sum + one.clips, 0);
  const option = (value, text, clips, props) => el("option", { value, selected: value === chosen, ...props }, `${text} (${short.format(clips)})`);
  $("collections").hidden = collections.length < 2;
  $("collection").replaceChildren(
    option("", "All", total, {}),
    ...collections.map(({ name, clips, model, problem }) =>
      problem ? el("option", { value: name, disabled: true }, `${name} (not served)`) : option(name, name, clips, { title: model }),
    ),
  );
  showProblems(collections.filter((one) => one.problem).map((one) => `${one.name} is not served: ${one.problem}`), "unserved");
}

/** Show sentences about collections, those of one `kind` in place of those before. */
export function showProblems(sentences, kind) {
  const list = $("problems");
  for (const old of list.querySelectorAll(`[data-kind=${kind}]`)) old.remove();
  list.append(...sentences.map((sentence) => el("li", { "data-kind": kind }, sentence)));
  list.hidden = !list.children.length;
}

/** Return the collection that a hit is from, where there are several. */
export const collectionOf = (hit) => (hit.id.includes(":") ? hit.id.split(":")[0] : "");
