#!/usr/bin/env bash
# Remotes against real CalDAV servers of a Debian system: Radicale and Xandikos.
# A calendar of theirs is found from the server's address, kept in step in both
# directions, and pulled in one direction into another calendar.
#
#   sync/pull/compat/servers.sh [DAYBOOK]
#
# DAYBOOK is the program to test; without it, it is built from this tree. Needs
# radicale or xandikos, curl, python3. All is kept in a temporary folder; the
# servers listen on loopback alone, and only they are ended.
source "$(dirname "${BASH_SOURCE[0]}")/../../../caldav/compat/lib.sh"
servers=()
for s in radicale xandikos; do
	if command -v "$s" >/dev/null; then servers+=("$s"); else echo "skipped: $s is not installed"; fi
done
((${#servers[@]} > 0)) || exit 0
export DAYBOOK_FETCH_ALLOW=127.0.0.0/8
start "$@"
daybook=${1:-$work/daybook}

cli() { "$daybook" "$@" --data "$work/data" --json >"$work/out.json" 2>"$work/err.log"; }
field() { python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["state"].get(sys.argv[2], ""))' "$work/out.json" "$1"; }
# pull NAME: pulls it; the daemon's own run may be at it at this moment.
pull() {
	local n
	for n in $(seq 50); do
		cli remote pull "$1" && return
		grep -q 'not now' "$work/err.log" || break
		sleep 0.2
	done
	cat "$work/err.log" "$work/out.json"
	return 1
}
event() { # UID SUMMARY [LOCATION]
	printf '%s\r\n' BEGIN:VCALENDAR VERSION:2.0 PRODID:-//compat//EN BEGIN:VEVENT "UID:$1" DTSTAMP:20270101T000000Z \
		DTSTART:20270301T090000Z DTEND:20270301T100000Z "SUMMARY:$2" ${3:+"LOCATION:$3"} END:VEVENT END:VCALENDAR
}
put() { event "$2" "$3" "${4:-}" | curl -fsS -o /dev/null -X PUT -u "$user" -H 'Content-Type: text/calendar; charset=utf-8' --data-binary @- "$1$2.ics"; }
get() { curl -fsS -u "$user" "$1$2.ics"; }
says() { get "$1" "$2" | tr -d '\r' | grep -qx "SUMMARY:$3"; }
missing() { [[ $(curl -s -o /dev/null -w '%{http_code}' -u "$user" "$1$2.ics") == 404 ]]; }
wait_for() { # URL
	local n
	for n in $(seq 100); do
		[[ $(curl -s -o /dev/null -w '%{http_code}' "$1") != 000 ]] && return
		sleep 0.1
	done
	return 1
}

radicale_serve() { # PORT: sets root and there
	radicale --config /dev/null --server-hosts "127.0.0.1:$1" --auth-type none --storage-filesystem-folder "$work/radicale" \
		>"$work/radicale.log" 2>&1 &
	also+=($!)
	root=http://127.0.0.1:$1/ there=${root}user01/calendar/
	wait_for "$root" || return 1
	curl -fsS -o /dev/null -X MKCALENDAR -u "$user" "$there"
}
xandikos_serve() {
	xandikos -d "$work/xandikos" --autocreate --defaults --current-user-principal /user01/ -l 127.0.0.1 -p "$1" >"$work/xandikos.log" 2>&1 &
	also+=($!)
	root=http://127.0.0.1:$1/ there=${root}user01/calendars/calendar/
	wait_for "$root"
}

user=user01:user01
printf 'user01' >"$work/password"
ours=$url/dav/calendars/user01/

for server in "${servers[@]}"; do
	echo "--- $server"
	"${server}_serve" "$(free_port)" || { bad "$server does not start"; cat "$work/$server.log"; continue; }
	here=${ours}$server/
	curl -fsS -o /dev/null -X MKCALENDAR -u "$user" "$here" || fail "a calendar for $server"
	for i in 1 2 3 4 5 6; do put "$there" "there$i" "There $i" || fail "$server takes no event"; done
	put "$here" ours "Ours"

	check "$server: a remote is made" cli remote create "$server" "$root" --kind caldav --direction both --calendar "user01/$server" \
		--user user01 --password-file "$work/password"
	check "$server: the calendar is found from the server's address" pull "$server"
	check "$server: what is there comes here" says "$here" there1 "There 1"
	check "$server: what is here goes there" says "$there" ours "Ours"
	pull "$server"
	check "$server: then nothing is new" test "$(field result)" = unchanged

	put "$here" there1 "Changed here"
	put "$there" there2 "Changed there"
	curl -fsS -o /dev/null -X DELETE -u "$user" "${here}there3.ics"
	curl -fsS -o /dev/null -X DELETE -u "$user" "${there}there4.ics"
	check "$server: pulled after changes on both sides" pull "$server"
	check "$server: a change here is there" says "$there" there1 "Changed here"
	check "$server: a change there is here" says "$here" there2 "Changed there"
	check "$server: removed here, removed there" missing "$there" there3
	check "$server: removed there, removed here" missing "$here" there4

	put "$here" there5 "Ours" "Hall"
	put "$there" there5 "Theirs" "Hall"
	put "$here" there6 "There 6" "Garden"
	put "$there" there6 "New title"
	check "$server: pulled after conflicts" pull "$server"
	check "$server: the rule decides" says "$here" there5 "Theirs"
	check "$server: changes that do not touch each other are joined" says "$here" there6 "New title"
	check "$server: joined there too" bash -c "curl -fsS -u $user '${there}there6.ics' | grep -q LOCATION:Garden"
	pull "$server"
	pull "$server"
	check "$server: it comes to rest" test "$(field result)" = unchanged

	check "$server: a remote in one direction" cli remote create "$server-in" "$there" --kind caldav --calendar ada --user user01 --password-file "$work/password"
	check "$server: pulled" pull "$server-in"
	check "$server: its objects are counted" test "$(field items)" = 5
	check "$server: they are read-only" test "$(curl -s -o /dev/null -w '%{http_code}' -X DELETE -u "$user" "$url/dav/calendars/ada/calendar/there1.ics")" = 403
	check "$server: the remote goes with its objects" cli remote delete "$server-in"
	check "$server: nothing of it is left" missing "$url/dav/calendars/ada/calendar/" there1
done
check "the data is whole" cli check
finish
