"""Reads feeds with python-icalendar. Usage: read_icalendar.py FOLDER"""

import json
import pathlib
import sys

import icalendar

folder = pathlib.Path(sys.argv[1])


def check(name, ok, why=""):
    print(f"ok: {name}" if ok else f"FAILED: {name}: {why}")


for path in sorted(folder.glob("*.ics")) + sorted(folder.glob("*.ifb")):
    calendar = icalendar.Calendar.from_ical(path.read_bytes())
    faults = [e for c in calendar.walk() for e in c.errors]
    check(f"python-icalendar reads {path.name}", not faults, faults)
    zones = {str(c["TZID"]) for c in calendar.walk("VTIMEZONE")}
    used = {p.params["TZID"] for c in calendar.walk() for _, p in c.property_items() if getattr(p, "params", {}).get("TZID")}
    check(f"each TZID of {path.name} has its VTIMEZONE", used <= zones, used - zones)
    for zone in calendar.walk("VTIMEZONE"):
        zone.to_tz()
    uids = {}
    for c in calendar.walk("VEVENT"):
        uids.setdefault((str(c["UID"]), c.get("RECURRENCE-ID") and c["RECURRENCE-ID"].to_ical()), []).append(c)
    check(f"no UID of {path.name} is there twice", all(len(x) == 1 for x in uids.values()), uids.keys())

titles = icalendar.Calendar.from_ical((folder / "titles.ics").read_bytes())
check("the removed event is cancelled", any(c.get("STATUS") == "CANCELLED" and c["UID"] == "gone" and c["SEQUENCE"] == 2 for c in titles.walk("VEVENT")))
for form in ["ics", "json", "jcal", "jscal", "ifb"]:
    text = (folder / f"busy.{form}").read_text()
    told = [w for w in ["Talk", "Room 7", "bob", "Noor, Ada", "Doctor", "Class", "override", "people", "zone-", "gone"] if w in text]
    check(f"busy.{form} tells times alone", not told, told)
for form in ["ics", "json", "jcal", "jscal"]:
    check(f"full.{form} does not tell of private events", "Doctor" not in (folder / f"full.{form}").read_text())
    check(f"shown.{form} tells of private events", "Doctor" in (folder / f"shown.{form}").read_text() or form == "json")
for path in sorted(folder.glob("*.jscal")):
    group = json.loads(path.read_text())
    check(f"{path.name} is a group", group["@type"] == "Group" and all(e["@type"] in ("Event", "Task") and e["uid"] and e["updated"] for e in group["entries"]))
print("done")
