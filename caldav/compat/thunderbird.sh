#!/usr/bin/env bash
# Thunderbird, without a window: finds the calendars of an account, opens one,
# makes, changes, and deletes events, and sees what others change.
#
#   caldav/compat/thunderbird.sh [DAYBOOK]
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
needs thunderbird
start "$@"
mkdir "$work/profile"
marionette=$(free_port)
cat >"$work/profile/user.js" <<END
user_pref("marionette.port", $marionette);
user_pref("network.proxy.type", 0);
user_pref("datareporting.policy.dataSubmissionPolicyBypassNotification", true);
user_pref("toolkit.telemetry.reportingpolicy.firstRun", false);
user_pref("mail.rights.version", 1);
user_pref("mail.provider.suppress_dialog_on_startup", true);
user_pref("mail.spotlight.firstRunDone", true);
user_pref("app.donation.eoy.version.viewed", 999);
user_pref("app.update.enabled", false);
user_pref("extensions.update.enabled", false);
user_pref("calendar.timezone.local", "Europe/Berlin");
user_pref("calendar.timezone.useSystemTimezone", false);
END
MOZ_HEADLESS=1 MOZ_MARIONETTE=1 thunderbird --headless --no-remote --marionette -remote-allow-system-access --profile "$work/profile" >"$work/thunderbird.log" 2>&1 &
also+=($!)
timeout 150 python3 "$here/thunderbird.py" "$url" "$marionette" >"$work/tb.log" 2>"$work/tb.err" || true
cat "$work/tb.log"
tail -n 1 "$work/tb.log" | grep -q '^done$' || { bad "thunderbird.py did not come to its end"; tail -n 20 "$work/tb.err" "$work/thunderbird.log" >&2; }
tally "$work/tb.log"
finish
