#!/usr/bin/env bash
# One fact, seen everywhere, with the clients of a Debian desktop: a blocked
# time made over REST is an event in khal, through vdirsyncer; moved there, it
# is moved for REST and in the feed. Then 500 events go up and come down.
#
#   caldav/compat/vdirsyncer.sh [DAYBOOK]
#
# DAYBOOK is the program to test; without it, it is built from this tree.
# Needs vdirsyncer, khal, curl, python3. All is kept in a temporary folder;
# the daemon listens on loopback alone, and only it is ended.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

for program in vdirsyncer khal curl python3; do
	command -v "$program" >/dev/null || { echo "skipped: $program is not installed"; exit 0; }
done

work=$(mktemp -d)
pid=
cleanup() {
	local rc=$?
	if [[ -n $pid ]]; then
		kill "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
	fi
	((rc == 0)) || tail -n 20 "$work/daemon.log" 2>/dev/null || true
	rm -rf "$work"
	exit "$rc"
}
trap cleanup EXIT

fail() { printf 'FAILED: %s\n' "$*" >&2; exit 1; }
ok() { printf 'ok: %s\n' "$*"; }

daybook=${1:-}
if [[ -z $daybook ]]; then
	daybook=$work/daybook
	CGO_ENABLED=0 go build -o "$daybook" ./cmd/daybook
fi

# No proxy and no settings of whoever runs this.
unset http_proxy https_proxy HTTP_PROXY HTTPS_PROXY all_proxy ALL_PROXY
export HOME=$work XDG_CONFIG_HOME=$work/config XDG_DATA_HOME=$work/share XDG_CACHE_HOME=$work/cache
export LC_ALL=C.UTF-8 VDIRSYNCER_CONFIG=$work/vdirsyncer.conf

# --- the daemon ---

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
url=http://127.0.0.1:$port
site=0197f3c2-0000-7000-8000-000000000001
ada=0197f3c2-0000-7000-8000-0000000000a1

cat >"$work/demo.yaml" <<EOF
organisations:
  - slug: demo
    id: $site
    name: Demo Clinic
    zone: Europe/Berlin
    users:
      - {name: user01, password: user01, email: user01@example.com, grants: [admin]}
    resources:
      - {id: $ada, kind: staff, name: ada, display_name: Ada Noor, alias: 1, color: "#3B82F6"}
    tokens:
      - {id: demo-admin, secret: demo-admin-secret, kind: bearer, grants: [admin]}
    feeds:
      - {secret: 3q2-very-long-random-feed-secret, name: ada, calendar: ada, show: full}
EOF
"$daybook" apply --data "$work/data" "$work/demo.yaml" >"$work/apply.log" 2>&1 || { cat "$work/apply.log"; fail "apply"; }
"$daybook" serve --data "$work/data" --listen "127.0.0.1:$port" >"$work/daemon.log" 2>&1 &
pid=$!
for _ in $(seq 100); do
	curl -fsS -o /dev/null "$url/readyz" 2>/dev/null && break
	kill -0 "$pid" 2>/dev/null || fail "the daemon ended"
	sleep 0.1
done
curl -fsS -o /dev/null "$url/readyz" || fail "the daemon is not ready"

rest() { # METHOD PATH [BODY]
	curl -fsS -X "$1" -H 'Authorization: Bearer demo-admin.demo-admin-secret' -H 'Content-Type: application/json' \
		${3:+--data "$3"} "$url$2"
}
field() { python3 -c 'import json, sys; print(json.load(sys.stdin)["data"][sys.argv[1]])' "$1"; }

# --- the clients ---

cat >"$VDIRSYNCER_CONFIG" <<EOF
[general]
status_path = "$work/status/"

[pair desk]
a = "desk_local"
b = "remote"
collections = ["from b"]

[pair copy]
a = "copy_local"
b = "remote"
collections = ["from b"]

[storage desk_local]
type = "filesystem"
path = "$work/desk/"
fileext = ".ics"

[storage copy_local]
type = "filesystem"
path = "$work/copy/"
fileext = ".ics"

[storage remote]
type = "caldav"
url = "$url/"
username = "user01"
password = "user01"
EOF
vds() { vdirsyncer "$@" >"$work/vdirsyncer.log" 2>&1 < <(yes) || { cat "$work/vdirsyncer.log"; fail "vdirsyncer $*"; }; }

vds discover desk
calendar=$(find "$work/desk" -mindepth 1 -maxdepth 1 -type d -name 'ada*')
[[ -d $calendar ]] || fail "the resource's calendar is not in the user's home: $(ls "$work/desk")"
ok "discovered $(ls "$work/desk" | tr '\n' ' ')"

cat >"$work/khal.conf" <<EOF
[calendars]
[[ada]]
path = $calendar
[locale]
local_timezone = Europe/Berlin
default_timezone = Europe/Berlin
timeformat = %H:%M
dateformat = %Y-%m-%d
longdateformat = %Y-%m-%d
datetimeformat = %Y-%m-%d %H:%M
longdatetimeformat = %Y-%m-%d %H:%M
[sqlite]
path = $work/khal.db
EOF
agenda() { khal -c "$work/khal.conf" list --day-format '' --format '{start-time}-{end-time} {title}' "$1" 1d; }

# --- made over REST, seen in the calendar app ---

id=$(rest POST "/shop/blocked-times?site_id=$site" '{"start_time": "2027-03-01T12:30:00", "end_time": "2027-03-01T13:15:00",
	"type": "break", "label": "Lunch", "practitioner_ids": ["'$ada'"]}' | field id)
vds sync desk
[[ $(agenda 2027-03-01) == "12:30-13:15 Lunch" ]] || fail "khal shows: $(agenda 2027-03-01)"
ok "a blocked time made over REST is an event in khal"

# --- moved in the calendar app, moved for REST and in the feed ---

file=$(grep -l 'SUMMARY.*Lunch' "$calendar"/*.ics)
sed -i '/^DT\(START\|END\);TZID=Europe\/Berlin:/{s/T1230/T1430/;s/T1315/T1515/}' "$file"
vds sync desk
now=$(rest GET "/shop/blocked-times/$id" | field start_time)
[[ $now == 2027-03-01T14:30:00+01:00 ]] || fail "REST shows the start $now"
feed=$(curl -fsS "$url/feeds/3q2-very-long-random-feed-secret/ada.ics")
grep -q '^DTSTART;TZID=Europe/Berlin:20270301T143000' <<<"$feed" || fail "the feed shows: $feed"
ok "moved in the calendar app, it is moved for REST and in the feed"

rest PUT "/shop/blocked-times/$id" '{"label": "Late lunch"}' >/dev/null
vds sync desk
[[ $(agenda 2027-03-01) == "14:30-15:15 Late lunch" ]] || fail "khal shows: $(agenda 2027-03-01)"
ok "renamed over REST, it is renamed in khal"

# --- 500 events up, and down to another copy ---

for n in $(seq 500); do
	printf 'BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Daybook//compat//EN\r\nBEGIN:VEVENT\r\nUID:bulk-%d\r\nDTSTAMP:20270101T000000Z\r\nDTSTART:202704%02dT%02d0000Z\r\nDURATION:PT30M\r\nSUMMARY:Event %d\r\nX-KEPT:as\\, it was\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n' \
		"$n" $((n % 30 + 1)) $((n % 24)) "$n" >"$calendar/bulk-$n.ics"
done
from=$SECONDS
vds sync desk
vds discover copy
vds sync copy
got=$(find "$work/copy" -name '*.ics' | wc -l)
((got == 501)) || fail "$got of 500 events and the blocked time came down"
for n in 1 250 500; do
	down=$(grep -l "UID:bulk-$n\$\|UID:bulk-$n"$'\r' -r "$work/copy")
	cmp <(tr -d '\r' <"$calendar/bulk-$n.ics") <(tr -d '\r' <"$down") || fail "event $n is not as it was sent"
done
ok "500 events up and down in $((SECONDS - from))s"

# --- removed in the calendar app, gone for REST ---

rm "$file"
vds sync desk
code=$(curl -sS -o /dev/null -w '%{http_code}' -H 'Authorization: Bearer demo-admin.demo-admin-secret' "$url/shop/blocked-times/$id")
[[ $code == 404 ]] || fail "REST answers $code for a removed blocked time"
ok "removed in the calendar app, it is gone for REST"

vds sync
[[ $(find "$work/copy" -name '*.ics' | wc -l) == 500 ]] || fail "the other copy still has it"
ok "and from the other copy"
