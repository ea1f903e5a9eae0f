// Expands rules by rrule: one case a line in (rule, start, end, most), one line of starts out.
import { createInterface } from "node:readline";
import rrule from "rrule";

function expand(rule, start, end, most) {
  const dtstart = start.includes("T") ? start : start + "T000000Z";
  const stamp = end.includes("T") ? end : end + "T000000Z";
  const before = new Date(stamp.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, "$1-$2-$3T$4:$5:$6Z"));
  const all = [];
  rrule.rrulestr(`DTSTART:${dtstart}\nRRULE:${rule}`).all((t) => {
    if (t >= before || all.length === most) return false;
    const text = t.toISOString().replace(/[-:]|\.000Z/g, "");
    all.push(start.includes("T") ? text : text.slice(0, 8));
    return true;
  });
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
