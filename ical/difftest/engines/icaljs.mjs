// Expands rules by ical.js: one case a line in (rule, start, end, most), one line of starts out.
import { createInterface } from "node:readline";
import ICAL from "ical.js";

const compact = (t) => t.toICALString().replace("Z", "");

function expand(rule, start, end, most) {
  const from = ICAL.Time.fromString(start.replace(/^(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)(\d\d)Z)?$/, (_, y, m, d, h, i, s) =>
    h === undefined ? `${y}-${m}-${d}` : `${y}-${m}-${d}T${h}:${i}:${s}Z`), null);
  const it = ICAL.Recur.fromString(rule).iterator(from);
  const all = [];
  for (let t = it.next(); t && all.length < most; t = it.next()) {
    const text = compact(t);
    if (text >= end.replace("Z", "")) break;
    all.push(text);
  }
  return all;
}

for await (const line of createInterface({ input: process.stdin })) {
  const [rule, start, end, most] = line.split(" ");
  try {
    console.log(expand(rule, start, end, Number(most)).join(" "));
  } catch (e) {
    console.log("!" + String(e.message).replaceAll("\n", " "));
  }
}
