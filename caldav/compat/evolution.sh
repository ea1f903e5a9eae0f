#!/usr/bin/env bash
# Evolution and GNOME Calendar: discovery, opening, saving, changing, and
# searching a calendar by way of evolution-data-server.
#
#   caldav/compat/evolution.sh [DAYBOOK]
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
needs dbus-run-session
[[ -x /usr/libexec/evolution-calendar-factory ]] || skip "evolution-data-server is not installed"
python=
for p in python3 /usr/bin/python3; do
	"$p" -c 'import gi; gi.require_version("ECal", "2.0"); gi.require_version("EDataServer", "1.2")' 2>/dev/null && python=$p && break
done
[[ -n $python ]] || skip "python3-gi, gir1.2-ecal-2.0 or gir1.2-edataserver-1.2 is not installed"
start "$@"
export GIO_USE_VFS=local GSETTINGS_BACKEND=memory NO_AT_BRIDGE=1
timeout 120 dbus-run-session -- "$python" "$here/evolution.py" "$url" >"$work/eds.log" 2>"$work/eds.err" || true
cat "$work/eds.log"
tail -n 1 "$work/eds.log" | grep -q '^done$' || { bad "evolution.py did not come to its end"; tail -n 20 "$work/eds.err" >&2; }
tally "$work/eds.log"
finish
