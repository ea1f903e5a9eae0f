#!/usr/bin/env bash
# What programs that read feeds make of ours: each form of each show, read by
# ical.js, python-icalendar and libical, without an error or a warning.
#
#   api/feeds/compat/readers.sh [DAYBOOK]
#
# Each reader that is not there is skipped with the reason. NODE_MODULES names a
# folder that has ical.js; without it npm installs it into a temporary folder.
source "$(dirname "${BASH_SOURCE[0]}")/../../../caldav/compat/lib.sh"
mine=api/feeds/compat
start "$@"

# --- events, and feeds of them ---

python3 "$mine/fill.py" "$url" || fail "the calendar cannot be filled"
mkdir "$work/feeds"
n=0
for body in '{"calendars": ["ada"], "name": "full", "refresh": "PT1H", "page_url": "https://example.com/"}' \
	'{"calendars": ["ada"], "name": "shown", "private": "shown"}' \
	'{"calendars": ["ada", "demo"], "name": "titles", "show": "titles"}' \
	'{"calendars": ["ada"], "name": "busy", "show": "busy"}' \
	'{"calendars": ["ada"], "name": "window", "window": {"past_days": 30, "future_days": 300}}' \
	'{"hours": "ada", "name": "hours"}'; do
	path=$(curl -fsS -H 'Authorization: Bearer demo-admin.demo-admin-secret' -H 'Content-Type: application/json' --data "$body" "$url/v1/feeds" |
		python3 -c 'import json, sys; print(json.load(sys.stdin)["path"])') || fail "no feed for $body"
	name=$(basename "$path" .ics)
	for form in ics jcal jscal json ifb; do
		[[ $name == hours && $form == ifb ]] && continue
		curl -fsS "$url${path%.ics}.$form" -o "$work/feeds/$name.$form" || fail "$name.$form"
		n=$((n + 1))
	done
	# What was compressed is what was not.
	curl -fsS --compressed -H 'Accept-Encoding: gzip' "$url$path" | cmp -s - "$work/feeds/$name.ics" && ok "$name.ics through gzip" || bad "$name.ics through gzip"
done
ok "$n answers fetched"

# --- the readers ---

# with MODULES prints a python3 that has them: another one may come first in the path.
with() {
	local p
	for p in python3 /usr/bin/python3; do
		"$p" -c "$1" 2>/dev/null && { echo "$p"; return; }
	done
	return 1
}

if python=$(with 'import icalendar'); then
	"$python" -W error "$mine/read_icalendar.py" "$work/feeds" 2>&1 | tee "$work/python.log" || true
	tail -n 1 "$work/python.log" | grep -q '^done$' || bad "read_icalendar.py did not come to its end"
	tally "$work/python.log"
else
	echo "skipped: python3-icalendar is not installed"
fi
if python=$(with 'import gi; gi.require_version("ICalGLib", "3.0"); from gi.repository import ICalGLib'); then
	"$python" "$mine/read_libical.py" "$work/feeds" 2>&1 | tee "$work/libical.log" || true
	tail -n 1 "$work/libical.log" | grep -q '^done$' || bad "read_libical.py did not come to its end"
	tally "$work/libical.log"
else
	echo "skipped: libical for Python (gir1.2-ical-3.0, python3-gi) is not installed"
fi
mkdir "$work/npm"
if ! command -v node >/dev/null; then
	echo "skipped: node is not installed"
elif [[ -n ${NODE_MODULES:-} ]] && ln -s "$(realpath "$NODE_MODULES")" "$work/npm/node_modules" ||
	(cd "$work/npm" && npm install --no-save --no-audit --no-fund ical.js@2.2.1) >"$work/npm.log" 2>&1; then
	cp "$mine/read_icaljs.mjs" "$work/npm/"
	node "$work/npm/read_icaljs.mjs" "$work/feeds" 2>&1 | tee "$work/node.log" || true
	tail -n 1 "$work/node.log" | grep -q '^done$' || bad "read_icaljs.mjs did not come to its end"
	tally "$work/node.log"
else
	echo "skipped: npm cannot install ical.js"
fi
finish
