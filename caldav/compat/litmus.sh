#!/usr/bin/env bash
# litmus, the suite of plain WebDAV: basic, copymove, props and http, as far as
# they mean something for a server of calendars.
#
#   caldav/compat/litmus.sh [DAYBOOK]
#
# litmus puts any bytes into collections within collections. litmus_shim.py
# translates that to events and calendars (see there); it is run twice, once
# with resources as events, once with all of them as calendars. What still
# cannot be:
#
#   copy_simple, copy_overwrite, move with events: a copy beside the original
#     has its UID (RFC 4791 §5.3.2.1, no-uid-conflict), and another event is not
#     replaced by one of another UID
#   copy_coll, copy_shallow, move_coll: collections in a calendar
#     (RFC 4791 §5.3.1.1, calendar-collection-location-ok)
#   locks: class 2 is not offered
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
needs litmus
start "$@"

# run SUITE MODE TEST…: one suite; the tests named cannot be passed, all others must.
run() {
	local suite=$1 mode=$2 shim line name
	shift 2
	local at from=$SECONDS
	at=$(free_port)
	# shellcheck disable=SC2086 # no mode is no argument
	python3 "$here/litmus_shim.py" "$at" "$url" $mode >"$work/shim.log" 2>&1 &
	shim=$!
	also+=("$shim")
	for _ in $(seq 100); do
		curl -sS -o /dev/null "http://127.0.0.1:$at/" 2>/dev/null && break
		sleep 0.05
	done
	(cd "$work" && TESTS=$suite timeout 60 litmus -k "http://127.0.0.1:$at/dav/calendars/user01/" user01 user01) 2>&1 | tr '\r' '\n' | LC_ALL=C tr -cd '[:print:]\n' >"$work/$suite.log"
	kill "$shim" 2>/dev/null || true
	wait "$shim" 2>/dev/null || true
	grep -q "summary for .$suite" "$work/$suite.log" || { bad "$suite: litmus did not come to its end"; return; }
	while read -r line; do
		name=$(sed -E 's/^ *[0-9]+\. ([a-z0-9_]+).*/\1/' <<<"$line")
		case " $* " in
		*" $name "*) echo "not applicable: $suite ${mode:-events}: $name" ;;
		*) if [[ $line == *' pass'* ]]; then ok "$suite ${mode:-events}: $name"; else bad "$suite ${mode:-events}: $line"; fi ;;
		esac
	done < <(awk '/^ *[0-9]+\. [a-z0-9_]+\.+/ {name = $1 " " $2} /pass|FAIL|SKIPPED/ && !/summary/ {sub(/^ *([0-9]+\. [a-z0-9_]+)?\.* */, ""); print name, $0}' "$work/$suite.log")
}

run basic ""
run copymove "" copy_simple copy_overwrite copy_coll copy_shallow move move_coll
run props ""
run http ""
run copymove collections copy_coll copy_shallow move_coll
run props collections
finish
