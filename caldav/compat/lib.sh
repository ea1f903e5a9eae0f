# What the scripts of this folder share: a daemon of their own with temporary
# data on a free port of loopback, and the count of what passed. Source it:
#
#   source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
#   needs PROGRAM…            ends the script, successfully, when one is missing
#   start "$@"                builds the daemon (or takes the one named) and starts it
#   …
#   finish                    prints "N passed, N failed", fails when something failed
#
# After start there are $url, $home (user01's), $port, $work (a temporary
# folder), and $here (this folder). The daemon and the folder go at the exit.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$here/../.."

work=$(mktemp -d)
pid=
also=()
passed=0
failed=0
cleanup() {
	local rc=$? p
	for p in $pid "${also[@]}"; do
		kill "$p" 2>/dev/null || true
		wait "$p" 2>/dev/null || true
	done
	((rc == 0)) || tail -n 20 "$work/daemon.log" 2>/dev/null || true
	rm -rf "$work"
	exit "$rc"
}
trap cleanup EXIT

skip() { echo "skipped: $*"; exit 0; }
needs() {
	local program
	for program in "$@"; do
		command -v "$program" >/dev/null || skip "$program is not installed"
	done
}

ok() { passed=$((passed + 1)); printf 'ok: %s\n' "$*"; }
bad() { failed=$((failed + 1)); printf 'FAILED: %s\n' "$*" >&2; }
# fail ends the script: what follows cannot be tried.
fail() { bad "$@"; finish; }
# check NAME COMMAND…: passes when the command does.
check() { local name=$1; shift; if "$@" >"$work/check.log" 2>&1; then ok "$name"; else bad "$name"; sed 's/^/    /' "$work/check.log" >&2; fi; }
# tally FILE: adds the ok: and FAILED: lines that another program printed.
tally() {
	passed=$((passed + $(grep -c '^ok: ' "$1" || true)))
	failed=$((failed + $(grep -c '^FAILED: ' "$1" || true)))
}
finish() {
	printf '%d passed, %d failed\n' "$passed" "$failed"
	((failed == 0)) && exit 0
	exit 1
}

# free_port prints a port of loopback that nobody listens on.
free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

# The ids of the organisation and of its member of staff.
site=0197f3c2-0000-7000-8000-000000000001
ada=0197f3c2-0000-7000-8000-0000000000a1

# start [DAYBOOK]: starts the daemon, built from this tree when none is named.
start() {
	needs curl python3
	local daybook=${1:-}
	if [[ -z $daybook ]]; then
		daybook=$work/daybook
		CGO_ENABLED=0 go build -o "$daybook" ./cmd/daybook
	fi
	# No proxy and no settings of whoever runs this.
	unset http_proxy https_proxy HTTP_PROXY HTTPS_PROXY all_proxy ALL_PROXY
	export HOME=$work XDG_CONFIG_HOME=$work/config XDG_DATA_HOME=$work/share XDG_CACHE_HOME=$work/cache LC_ALL=C.UTF-8
	port=$(free_port)
	url=http://127.0.0.1:$port
	home=$url/dav/calendars/user01/
	cat >"$work/demo.yaml" <<-END
		organisations:
		  - slug: demo
		    id: $site
		    name: Demo Clinic
		    zone: Europe/Berlin
		    users:
		      - {name: user01, password: user01, email: user01@example.com, grants: [admin]}
		      - {name: user02, password: user02, email: user02@example.com}
		    resources:
		      - {id: $ada, kind: staff, name: ada, display_name: Ada Noor, alias: 1, color: "#3B82F6"}
		    tokens:
		      - {id: demo-admin, secret: demo-admin-secret, kind: bearer, grants: [admin]}
		    feeds:
		      - {secret: 3q2-very-long-random-feed-secret, name: ada, calendar: ada, show: full}
	END
	"$daybook" apply --data "$work/data" "$work/demo.yaml" >"$work/apply.log" 2>&1 || { cat "$work/apply.log"; fail "apply"; }
	"$daybook" serve --data "$work/data" --listen "127.0.0.1:$port" >"$work/daemon.log" 2>&1 &
	pid=$!
	local n
	for n in $(seq 100); do
		curl -fsS -o /dev/null "$url/readyz" 2>/dev/null && return
		kill -0 "$pid" 2>/dev/null || fail "the daemon ended"
		sleep 0.1
	done
	fail "the daemon is not ready"
}
