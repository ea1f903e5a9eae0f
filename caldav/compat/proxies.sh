#!/usr/bin/env bash
# Behind nginx and Caddy, https outside on another port, below a sub-path:
# discovery, addresses, Location and Destination, long bodies, Expect, and
# HTTP/2 on both sides stay right. Also HTTP/2 without TLS, asked directly.
#
#   caldav/compat/proxies.sh [DAYBOOK]
#
# Needs curl, openssl, python3 and nginx or caddy (WITH_NGINX and WITH_CADDY name others
# than those in PATH).
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
needs curl openssl python3
nginx=${WITH_NGINX:-$(command -v nginx || true)}
caddy=${WITH_CADDY:-$(command -v caddy || true)}
export DAYBOOK_TRUST_PROXY=127.0.0.1/32
start "$@"

openssl req -x509 -newkey rsa:2048 -nodes -keyout "$work/key.pem" -out "$work/cert.pem" -days 2 -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1,DNS:localhost >/dev/null 2>&1

# ask METHOD ADDRESS [CURL OPTION…]: the status, then headers and body in files.
ask() {
	local method=$1 address=$2
	shift 2
	curl -sk -u user01:user01 -o "$work/body" -D "$work/head" -w '%{http_code} %{http_version}' -X "$method" "$@" "$address"
}
header() { tr -d '\r' <"$work/head" | sed -n "s/^$1: //Ip" | tail -n 1; }
# expect NAME WANT GOT
expect() { if [[ $3 == "$2" ]]; then ok "$1"; else bad "$1: $3, not $2"; fi; }
contains() { if grep -qF -- "$2" "$work/body"; then ok "$1"; else bad "$1: no $2 in $(head -c 600 "$work/body")"; fi; }

event() {
	printf 'BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Daybook//compat//EN\r\nBEGIN:VEVENT\r\nUID:%s\r\nDTSTAMP:20270101T000000Z\r\nDTSTART:20270105T100000Z\r\nDURATION:PT1H\r\nSUMMARY:x\r\nDESCRIPTION:%s\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n' "$1" "$(head -c "${2:-10}" /dev/zero | tr '\0' d)"
}

# through NAME OUTSIDE PATH: what every proxy must leave right.
through() {
	local name=$1 outside=$2 path=$3 calendar=$3/dav/calendars/user01/calendar/ n
	local origin=${outside%"$path"}
	for address in "$origin/.well-known/caldav" "$outside/.well-known/caldav" "$outside/.well-known/caldav/"; do
		ask PROPFIND "$address" >/dev/null
		expect "$name: $address" "$outside/dav/" "$(header Location)"
	done
	ask PROPFIND "$outside/dav/" -H 'Depth: 0' -d '<D:propfind xmlns:D="DAV:"><D:prop><D:current-user-principal/></D:prop></D:propfind>' >/dev/null
	contains "$name: the principal" "<D:href>$path/dav/principals/user01/</D:href>"
	contains "$name: the target itself" "<D:response><D:href>$path/dav/</D:href>"
	event "$name" 200000 >"$work/event"
	expect "$name: a long PUT" 201 "$(ask PUT "$origin${calendar}a%20b.ics" --data-binary "@$work/event" -H 'Content-Type: text/calendar' -H 'Expect: 100-continue' | cut -d' ' -f1)"
	expect "$name: PUT has no Location" "" "$(header Location)"
	expect "$name: MOVE" 201 "$(ask MOVE "$origin${calendar}a%20b.ics" -H "Destination: $origin${calendar}c%20d.ics" | cut -d' ' -f1)"
	expect "$name: Location of the MOVE" "$origin${calendar}c%20d.ics" "$(header Location)"
	expect "$name: GET" 200 "$(ask GET "$origin${calendar}c%20d.ics" | cut -d' ' -f1)"
	cmp -s "$work/body" "$work/event" && ok "$name: the same bytes" || bad "$name: other bytes"
	ask REPORT "$origin$calendar" -H 'Depth: 1' -d "<C:calendar-multiget xmlns:D=\"DAV:\" xmlns:C=\"urn:ietf:params:xml:ns:caldav\"><D:prop><D:getetag/></D:prop><D:href>${calendar}c%20d.ics</D:href></C:calendar-multiget>" >/dev/null
	contains "$name: multiget" "<D:href>${calendar}c%20d.ics</D:href><D:propstat>"
	event "$name-post" >"$work/event"
	ask POST "$origin$calendar" --data-binary "@$work/event" -H 'Content-Type: text/calendar' >/dev/null
	n=$(header Location)
	[[ $n == "$origin$calendar"* ]] && ok "$name: Location of the POST" || bad "$name: Location of the POST: $n"
	expect "$name: it is there" 200 "$(ask GET "$n" | cut -d' ' -f1)"
	expect "$name: MKCALENDAR, REPORT, DELETE pass" "201 207 204" "$(for m in MKCALENDAR PROPFIND DELETE; do ask $m "$origin$path/dav/calendars/user01/$name/" -H 'Depth: 0' | cut -d' ' -f1; done | xargs)"
	expect "$name: HTTP/2 outside" 2 "$(ask OPTIONS "$outside/dav/" --http2 | cut -d' ' -f2)"
	for n in "$origin${calendar}c%20d.ics"; do ask DELETE "$n" >/dev/null; done
}

wait_for() { for _ in $(seq 100); do curl -sk -o /dev/null "$1" && return; sleep 0.1; done; cat "$work"/*.log >&2; fail "no answer at $1"; }

if [[ -n $nginx ]]; then
	outer=$(free_port)
	cat >"$work/nginx.conf" <<-END
		daemon off;
		pid $work/nginx.pid;
		error_log $work/nginx.log;
		events {}
		http {
			access_log off;
			client_body_temp_path $work/n1; proxy_temp_path $work/n2; fastcgi_temp_path $work/n3; uwsgi_temp_path $work/n4; scgi_temp_path $work/n5;
			client_max_body_size 20m; client_body_buffer_size 1m; proxy_buffering off;
			proxy_http_version 1.1;
			proxy_set_header Host \$http_host;
			proxy_set_header X-Forwarded-Proto \$scheme;
			proxy_set_header X-Forwarded-Host \$http_host;
			proxy_set_header X-Forwarded-For \$proxy_add_x_forwarded_for;
			proxy_set_header X-Forwarded-Prefix /cal;
			server {
				listen 127.0.0.1:$outer ssl http2;
				ssl_certificate $work/cert.pem;
				ssl_certificate_key $work/key.pem;
				location /cal/ { proxy_pass $url/; }
				location /.well-known/caldav { proxy_pass $url; }
			}
		}
	END
	"$nginx" -e "$work/nginx.log" -c "$work/nginx.conf" &
	also+=($!)
	wait_for "https://127.0.0.1:$outer/cal/livez"
	through nginx "https://127.0.0.1:$outer/cal" /cal
fi

if [[ -n $caddy ]]; then
	outer=$(free_port)
	cat >"$work/Caddyfile" <<-END
		{
			admin off
			auto_https off
			storage file_system $work/caddy
		}
		https://127.0.0.1:$outer {
			tls $work/cert.pem $work/key.pem
			handle_path /cal/* {
				reverse_proxy h2c://127.0.0.1:$port {
					header_up X-Forwarded-Prefix /cal
				}
			}
			handle /.well-known/caldav* {
				reverse_proxy h2c://127.0.0.1:$port {
					header_up X-Forwarded-Prefix /cal
				}
			}
		}
	END
	"$caddy" run --config "$work/Caddyfile" --adapter caddyfile >"$work/caddy.log" 2>&1 &
	also+=($!)
	wait_for "https://127.0.0.1:$outer/cal/livez"
	through caddy "https://127.0.0.1:$outer/cal" /cal
fi
[[ -n $nginx$caddy ]] || echo "neither nginx nor caddy is installed"

# --- directly ---

expect "HTTP/2 without TLS" "207 2" "$(ask PROPFIND "$url/dav/" -H 'Depth: 0' --http2-prior-knowledge)"
event direct 200000 >"$work/event"
expect "Expect: 100-continue" "201 1.1" "$(ask PUT "${home}calendar/direct.ics" --data-binary "@$work/event" -H 'Content-Type: text/calendar' -H 'Expect: 100-continue')"
expect "100 Continue was said" 1 "$(grep -c '^HTTP/1.1 100' "$work/head")"
curl -s -u user01:user01 -o "$work/body" -D "$work/head" -X PUT --data-binary "@$work/event" -H 'Content-Type: text/calendar' -H 'Expect: 100-continue' -H 'If-None-Match: *' "${home}calendar/direct.ics"
expect "a PUT that is refused is refused before its body" 0 "$(grep -c '^HTTP/1.1 100' "$work/head" || true)"
for n in $(seq 40); do event "many-$n" >"$work/event"; ask PUT "${home}calendar/many-$n.ics" --data-binary "@$work/event" -H 'Content-Type: text/calendar' >/dev/null; done
ask PROPFIND "${home}calendar/" -H 'Depth: 1' -H 'Accept-Encoding: gzip' >/dev/null
expect "a long multistatus is compressed" gzip "$(header Content-Encoding)"
gunzip <"$work/body" | tail -c 20 | grep -q '</D:multistatus>' && ok "and whole" || bad "it is cut"
ask PROPFIND "${home}calendar/" -H 'Depth: 1' -H 'Accept-Encoding: gzip;q=0' >/dev/null
expect "not for those who refuse it" "" "$(header Content-Encoding)"
finish
