// What is searched, how, and which moment is open: all of it stands in the address of the page.

export const FILTERS = ["title", "path", "after", "before", "min_duration_s", "max_duration_s", "min_score"];
const SEARCHED = ["q", "similar", "picture"];
const FIELDS = [...SEARCHED, "collection", "kind", ...FILTERS, "text_weight", "by_file", "sort", "browse", "m", "t", "where", "tray"];

/** Return the state that the address holds; every field is a string, "" where it is absent. */
export function read(address = location.search) {
  const params = new URLSearchParams(address);
  return Object.fromEntries(FIELDS.map((name) => [name, params.get(name) ?? ""]));
}

/** Return the address of a state. */
export function address(state) {
  const params = new URLSearchParams();
  for (const name of FIELDS) if (state[name]) params.set(name, state[name]);
  const text = params.toString();
  return text ? `/?${text}` : "/";
}

/** Put a state into the address: as a new page of the history, or in place of this one. */
export function write(state, { push }) {
  const next = address(state);
  if (next === location.pathname + location.search) return;
  if (push) history.pushState({ ours: true }, "", next);
  else history.replaceState(history.state, "", next);
}

/** Return whether there is something to look for. */
export const searches = (state) => SEARCHED.some((name) => state[name].trim());

/** Return whether the timeline is to be seen: nothing is looked for, and it was asked for, or filters are set. */
export const browses = (state) => !searches(state) && Boolean(state.browse || state.kind || activeFilters(state).length);

/** Return what the timeline depends on, as one string. */
export const browseKey = (state) => searchKey({ ...state, q: "", similar: "", picture: "", min_score: "", text_weight: "", by_file: "", sort: "" });

/** Return what a search depends on, as one string: equal strings, equal results. */
export const searchKey = (state) => address({ ...state, browse: "", m: "", t: "", where: "", tray: "" });

export const activeFilters = (state) => FILTERS.filter((name) => state[name].trim());

export const NO_FILTERS = Object.fromEntries(FILTERS.map((name) => [name, ""]));

/** Take the token out of the address: a cookie has it. */
export function dropToken() {
  const url = new URL(location.href);
  if (!url.searchParams.has("token")) return;
  url.searchParams.delete("token");
  history.replaceState(history.state, "", url.pathname + url.search);
}
