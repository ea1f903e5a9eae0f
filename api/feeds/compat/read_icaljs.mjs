// Reads feeds with ical.js. Usage: read_icaljs.mjs FOLDER
import { readdirSync, readFileSync } from "node:fs";
import ICAL from "ical.js";

const folder = process.argv[2];
const check = (name, ok, why = "") => console.log(ok ? `ok: ${name}` : `FAILED: ${name}: ${why}`);
const warnings = [];
for (const method of ["warn", "error"]) console[method] = (...what) => warnings.push(what.join(" "));

// offset gives what the zone data of this program says, in seconds.
function offset(zone, at) {
  const parts = new Intl.DateTimeFormat("en", { timeZone: zone, timeZoneName: "longOffset" }).formatToParts(at);
  const m = /GMT(?:([+-])(\d\d):(\d\d))?/.exec(parts.find((p) => p.type === "timeZoneName").value);
  return m[1] ? (m[1] === "-" ? -1 : 1) * (m[2] * 3600 + m[3] * 60) : 0;
}

for (const name of readdirSync(folder).filter((n) => /\.(ics|ifb|jcal)$/.test(n)).sort()) {
  const text = readFileSync(`${folder}/${name}`, "utf8");
  const jcal = name.endsWith(".jcal") ? JSON.parse(text) : ICAL.parse(text);
  const root = new ICAL.Component(jcal);
  check(`ical.js reads ${name}`, root.name === "vcalendar" && new ICAL.Component(ICAL.parse(root.toString())).getAllSubcomponents().length === root.getAllSubcomponents().length);
  if (name.endsWith(".jcal")) {
    const same = new ICAL.Component(ICAL.parse(readFileSync(`${folder}/${name.replace(".jcal", ".ics")}`, "utf8")));
    // ical.js does not know the type of COLOR.
    const lines = (c) => c.toString().replaceAll(";VALUE=TEXT", "").split("\r\n").sort();
    const [a, b] = [lines(same), lines(root)];
    check(`${name} says what the iCalendar says`, a.join() === b.join(), a.find((l, i) => l !== b[i]) + " " + b.find((l, i) => l !== a[i]));
  }
  for (const event of root.getAllSubcomponents("vevent")) {
    const e = new ICAL.Event(event);
    if (e.isRecurring() && !e.isRecurrenceException()) e.iterator().next();
    if (!e.startDate || !(e.duration.toSeconds() >= 0)) check(`an event of ${name}`, false, event.toString());
  }
  // Each zone is right in the years that are shown.
  for (const c of root.getAllSubcomponents("vtimezone")) {
    const tzid = c.getFirstPropertyValue("tzid");
    let known = true;
    try { Intl.DateTimeFormat("en", { timeZone: tzid }); } catch { known = false; }
    if (!known) continue;
    const zone = new ICAL.Timezone({ component: c, tzid });
    const wrong = [];
    for (let at = Date.UTC(2026, 2, 1, 12); at < Date.UTC(2036, 0, 1); at += 86400e3 * 5) {
      const local = ICAL.Time.fromJSDate(new Date(at + offset(tzid, new Date(at)) * 1000), true);
      local.zone = zone;
      if (zone.utcOffset(local) !== offset(tzid, new Date(at))) wrong.push(new Date(at).toISOString());
    }
    check(`${tzid} of ${name} is right until 2036`, wrong.length === 0, wrong.slice(0, 5).join(" "));
  }
}
check("no warnings", warnings.length === 0, warnings.join("; "));
console.log("done");
