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
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
needs vdirsyncer khal
start "$@"
export VDIRSYNCER_CONFIG=$work/vdirsyncer.conf

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

# --- nothing new: nothing is moved ---

etags() { curl -fsS -u user01:user01 -X PROPFIND -H 'Depth: 1' --data '<propfind xmlns="DAV:"><prop><getetag/></prop></propfind>' "$url/dav/calendars/user01/ada~shared/" | grep -o '<D:getetag>[^<]*' | sort; }
before=$(etags)
vds sync
! grep -q 'Copying\|Deleting' "$work/vdirsyncer.log" || fail "a sync with nothing new moved something"
[[ $(etags) == "$before" ]] || fail "a sync with nothing new changed an ETag"
ok "a sync with nothing new moves nothing"

# --- changed on both sides: told, nothing lost, resolved ---

other=$(grep -l "UID:bulk-7$\|UID:bulk-7"$'\r' -r "$work/copy")
sed -i 's/SUMMARY:Event 7/SUMMARY:Seven at the desk/' "$calendar/bulk-7.ics"
sed -i 's/SUMMARY:Event 7/SUMMARY:Seven of the copy/' "$other"
vds sync desk
if vdirsyncer sync copy >"$work/conflict.log" 2>&1 </dev/null; then fail "a conflict is not told"; fi
grep -qi conflict "$work/conflict.log" || { cat "$work/conflict.log"; fail "another error than a conflict"; }
grep -q 'Seven of the copy' "$other" || fail "the copy's change is lost"
sed -i '/^\[pair copy\]/a conflict_resolution = "b wins"' "$VDIRSYNCER_CONFIG"
vds discover copy
vds sync copy
grep -q 'Seven at the desk' "$other" || fail "the conflict is not resolved"
ok "a change on both sides is a conflict, and is resolved"

# --- names and UIDs that need care ---

n=0
for uid in 'with space' 'per%cent' 'per%20cent' 'a/b' 'ünï' 'literal%0A' 'plus+at@colon:x' 'q?u#x&y'; do
	n=$((n + 1))
	printf 'BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Daybook//compat//EN\r\nBEGIN:VEVENT\r\nUID:%s\r\nDTSTAMP:20270101T000000Z\r\nDTSTART:20270501T100000Z\r\nSUMMARY:Odd %d\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n' "$uid" "$n" >"$calendar/odd name $n.ics"
done
vds sync desk
vds sync copy
for n in $(seq 8); do
	down=$(grep -lr "SUMMARY:Odd $n\$\|SUMMARY:Odd $n"$'\r' "$work/copy") || fail "odd $n did not come down"
	cmp <(tr -d '\r' <"$calendar/odd name $n.ics") <(tr -d '\r' <"$down") || fail "odd $n is not as it was sent"
done
rm "$calendar"/odd*.ics
vds sync desk
vds sync copy
[[ -z $(grep -lr 'SUMMARY:Odd' "$work/copy") ]] || fail "odd names are not removed"
ok "odd UIDs go up, down, and away"

# --- tasks, journals, and a calendar made and removed by the client ---

printf 'BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Daybook//compat//EN\r\nBEGIN:VTODO\r\nUID:todo\r\nDTSTAMP:20270101T000000Z\r\nSUMMARY:To do\r\nEND:VTODO\r\nEND:VCALENDAR\r\n' >"$calendar/todo.ics"
printf 'BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Daybook//compat//EN\r\nBEGIN:VJOURNAL\r\nUID:journal\r\nDTSTAMP:20270101T000000Z\r\nSUMMARY:Noted\r\nEND:VJOURNAL\r\nEND:VCALENDAR\r\n' >"$calendar/journal.ics"
vds sync desk
vds sync copy
[[ $(grep -lr 'SUMMARY:To do\|SUMMARY:Noted' "$work/copy" | wc -l) == 2 ]] || fail "a task or a journal did not come down"
ok "a task and a journal go up and down"

mkdir "$work/desk/made"
printf 'BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Daybook//compat//EN\r\nBEGIN:VEVENT\r\nUID:first\r\nDTSTAMP:20270101T000000Z\r\nDTSTART:20270501T100000Z\r\nSUMMARY:First\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n' >"$work/desk/made/first.ics"
sed -i '/^\[pair desk\]/,/^$/s/collections = .*/collections = ["from a", "from b"]/' "$VDIRSYNCER_CONFIG"
vds discover desk
vds sync desk
curl -fsS -u user01:user01 "${home}made/first.ics" | grep -q 'SUMMARY:First' || fail "the new calendar has no event"
ok "a calendar is made by the client"

# --- all gone at once ---

printf 'BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Daybook//compat//EN\r\nBEGIN:VEVENT\r\nUID:last\r\nDTSTAMP:20270101T000000Z\r\nDTSTART:20270501T100000Z\r\nSUMMARY:Last\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n' >"$calendar/last.ics"
rm "$calendar"/bulk-*.ics
vds sync desk
vds sync copy
[[ $(find "$work/copy" -name '*.ics' | wc -l) == 3 ]] || fail "of a mass delete $(find "$work/copy" -name '*.ics' | wc -l) are left"
ok "500 events are deleted, here and there"

finish
