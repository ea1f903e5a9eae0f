#!/usr/bin/env bash
# What python-caldav's users and its server checker rely on, asked through the
# library itself (Debian's python3-caldav): discovery, calendars, objects,
# searches, recurrences, sync tokens, free-busy, principals.
#
#   caldav/compat/python-caldav.sh [DAYBOOK]
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
python=
for p in python3 /usr/bin/python3; do
	"$p" -c 'import caldav, icalendar, vobject, lxml' 2>/dev/null && python=$p && break
done
[[ -n $python ]] || skip "python3-caldav is not installed"
start "$@"
"$python" "$here/python_caldav.py" "$url" 2>&1 | tee "$work/python.log" || true
tail -n 1 "$work/python.log" | grep -q '^done$' || bad "python_caldav.py did not come to its end"
tally "$work/python.log"
finish
