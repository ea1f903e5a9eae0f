#!/usr/bin/env bash
# What web programs see: discovery, calendars, objects, searches and both ways
# of syncing with tsdav, the answers read by ical.js.
#
#   caldav/compat/tsdav.sh [DAYBOOK]
#
# NODE_MODULES names a folder that has both packages; without it npm installs
# them into a temporary folder.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
needs node npm
mkdir "$work/npm"
if [[ -n ${NODE_MODULES:-} ]]; then
	ln -s "$(realpath "$NODE_MODULES")" "$work/npm/node_modules"
else
	(cd "$work/npm" && npm install --no-save --no-audit --no-fund tsdav@2.3.4 ical.js@2.2.1) >"$work/npm.log" 2>&1 || skip "npm cannot install tsdav and ical.js"
fi
start "$@"
cp "$here/tsdav.mjs" "$work/npm/"
node "$work/npm/tsdav.mjs" "$url" 2>&1 | tee "$work/node.log" || true
tail -n 1 "$work/node.log" | grep -q '^done$' || bad "tsdav.mjs did not come to its end"
tally "$work/node.log"
finish
