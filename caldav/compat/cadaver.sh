#!/usr/bin/env bash
# cadaver, a shell for WebDAV: what a person does by hand with the files of a
# calendar.
#
#   caldav/compat/cadaver.sh [DAYBOOK]
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
needs cadaver
start "$@"
cd "$work"
printf 'machine 127.0.0.1\nlogin user01\npassword user01\n' >"$HOME/.netrc"
chmod 600 "$HOME/.netrc"
printf 'BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Daybook//compat//EN\r\nBEGIN:VEVENT\r\nUID:one\r\nDTSTAMP:20270101T000000Z\r\nDTSTART:20270501T100000Z\r\nSUMMARY:One\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n' >one.ics
echo nothing >text.txt

# cad COMMAND…: runs the commands in the user's calendar; their output is in $said.
cad() { said=$(printf '%s\n' "cd /dav/calendars/user01/calendar/" "$@" quit | timeout 20 cadaver "$url/dav/calendars/user01/" 2>&1); }
says() { local want=$1; shift; cad "$@"; if grep -q -- "$want" <<<"$said"; then ok "$*"; else bad "$*: $said"; fi; }
silent() { local no=$1; shift; cad "$@"; if grep -q -- "$no" <<<"$said"; then bad "$*: $said"; else ok "$*"; fi; }

says 'calendar' 'cd ..' 'ls'
says 'succeeded' 'put one.ics'
says 'one.ics' 'ls'
says 'SUMMARY:One' 'cat one.ics'
cad 'get one.ics down.ics'
if cmp -s one.ics down.ics; then ok "what is got is what was put"; else bad "got something else"; fi
says '403' 'put text.txt'
says '403' 'copy one.ics two.ics' # one UID, one resource (RFC 4791 §5.3.2.1)
says 'succeeded' 'move one.ics moved.ics'
silent ' one.ics' 'ls'
says 'succeeded' 'cd ..' 'copy calendar/ kept/'
says 'moved.ics' 'cd ../kept' 'ls'
says '403' 'mkcol inner'
says 'failed\|403\|405' 'lock moved.ics'
says 'succeeded' 'delete moved.ics'
silent 'moved.ics' 'ls'
says '40[34]' 'cd ../../user02'
says 'succeeded' 'cd ..' 'rmcol kept'
silent 'kept' 'cd ..' 'ls'
finish
