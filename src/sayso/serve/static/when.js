// Dates as people read them. The server's are wall times of the place, ISO 8601 without a zone.

const parts = (taken) => taken.match(/^(\d{4})-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d))?)?/);

function written(taken, options) {
  const [, year, month, day = 1] = parts(taken).map(Number);
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day || 1);
  return date.toLocaleDateString("en-GB", { timeZone: "UTC", ...options });
}

const mark = (file) => (file.taken_from === "mtime" ? " (file date)" : "");

/** Return the name of a month: June 2019; of null: No date. */
export const monthName = (month) => (month ? written(month, { month: "long", year: "numeric" }) : "No date");

/** Return the day on which a file was taken: 1 Jun 2019, with a mark if it is the date of the file; "" without one. */
export function dayOf(file) {
  if (!file.taken) return "";
  return written(file.taken, { day: "numeric", month: "short", year: "numeric" }) + mark(file);
}

/** Return when a file was taken: Sat 1 June 2019, 14:03 (UTC+2); "" where that is not known. */
export function timeOf(file) {
  if (!file.taken) return "";
  const day = written(file.taken, { weekday: "short", day: "numeric", month: "long", year: "numeric" });
  const [, , , , hours, minutes] = parts(file.taken);
  const clock = hours ? `, ${hours}:${minutes}` : "";
  const known = hours && file.taken_from !== "mtime" && Number.isInteger(file.utc_offset_min);
  return day + clock + (known ? ` (${zone(file.utc_offset_min)})` : "") + mark(file);
}

/** Return an offset from UTC: UTC+2, UTC−3:30. */
function zone(minutes) {
  const size = Math.abs(minutes);
  const rest = size % 60 ? `:${String(size % 60).padStart(2, "0")}` : "";
  return `UTC${minutes < 0 ? "\u2212" : "+"}${Math.floor(size / 60)}${rest}`;
}
