"""Questions to a CalDAV server through Thunderbird; thunderbird.sh starts both.

Each probe prints one line, "ok: …" or "FAILED: …"; the last line is "done".
"""

import base64
import json
import socket
import sys
import time
import traceback
import urllib.error
import urllib.request

URL, PORT = sys.argv[1], int(sys.argv[2])
CALENDAR = "/dav/calendars/user01/calendar/"


class Marionette:
    """Runs scripts with the program's own rights, over its remote protocol."""

    def __init__(self):
        end = time.monotonic() + 60
        while True:
            try:
                self.socket = socket.create_connection(("127.0.0.1", PORT), timeout=90)
                break
            except OSError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.2)
        self.file = self.socket.makefile("rb")
        self.count = 0
        self.read()
        self.ask("WebDriver:NewSession", {})
        self.ask("Marionette:SetContext", {"value": "chrome"})
        self.ask("WebDriver:SetTimeouts", {"script": 60000})

    def read(self):
        size = b""
        while (c := self.file.read(1)) != b":":
            if not c:
                raise EOFError("thunderbird is gone")
            size += c
        return json.loads(self.file.read(int(size)))

    def ask(self, command, params):
        self.count += 1
        text = json.dumps([0, self.count, command, params]).encode()
        self.socket.sendall(str(len(text)).encode() + b":" + text)
        _, _, wrong, value = self.read()
        if wrong:
            raise AssertionError(wrong.get("message", wrong))
        return value

    def run(self, script, *args):
        """Gives what the asynchronous function of that body returns."""
        wrapped = """
            const [args, done] = [Array.from(arguments).slice(0, -1), arguments[arguments.length - 1]];
            const { cal } = ChromeUtils.importESModule("resource:///modules/calendar/calUtils.sys.mjs");
            const { CalEvent } = ChromeUtils.importESModule("resource:///modules/CalEvent.sys.mjs");
            const wait = async (f) => { for (let n = 0; n < 300; n++) { const v = await f(); if (v) return v; await new Promise((r) => ChromeUtils.importESModule("resource://gre/modules/Timer.sys.mjs").setTimeout(r, 50)); } throw new Error("nothing came in time"); };
            const calendar = () => cal.manager.getCalendars().find((c) => c.type == "caldav");
            const items = () => calendar().getItemsAsArray(Ci.calICalendar.ITEM_FILTER_TYPE_EVENT | Ci.calICalendar.ITEM_FILTER_COMPLETED_ALL, 0, null, null);
            const titles = async () => (await items()).map((i) => i.title).sort().join();
            (async () => { %s })().then((value) => done({ value }), (e) => done({ wrong: String(e) + (e.stack ? " " + e.stack.slice(0, 300) : "") }));
        """
        got = self.ask("WebDriver:ExecuteAsyncScript", {"script": wrapped % script, "args": list(args)})["value"]
        if "wrong" in got:
            raise AssertionError(got["wrong"])
        return got.get("value")


tb = None


def equal(got, want, what=""):
    assert got == want, f"{what}: got {got!r}, want {want!r}"


def direct(method, name, body=None, **headers):
    """What is on the server, or a change that another client makes."""
    headers["Authorization"] = "Basic " + base64.b64encode(b"user01:user01").decode()
    request = urllib.request.Request(URL + CALENDAR + name, data=body and body.encode(), method=method, headers=headers)
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10) as r:
            return r.status, r.read().decode()
    except urllib.error.HTTPError as e:
        return e.code, ""


def wrap(uid, summary):
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Daybook//compat//EN\r\nBEGIN:VEVENT\r\nUID:{uid}\r\nDTSTAMP:20270101T000000Z\r\nDTSTART:20270301T100000Z\r\nDURATION:PT1H\r\nSUMMARY:{summary}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"


def members():
    return direct("PROPFIND", "", '<propfind xmlns="DAV:"><prop><getetag/></prop></propfind>', Depth="1")[1].count(".ics</D:href>")


DETECT = """
    const { cal: { provider } } = { cal };
    const map = await provider.detection.detect("user01", "user01", args[0], false, [], {});
    const found = [];
    for (const [p, calendars] of map.entries()) for (const c of calendars) found.push((p.type ?? p) + " " + c.uri.pathQueryRef + " " + c.name + " " + c.readOnly);
    return found;
"""


class Probes:
    def calendars_are_detected_from_every_address(self):
        for path in ("", "/", "/dav/", "/dav/principals/user01/", "/dav/calendars/user01/", CALENDAR):
            found = tb.run(DETECT, URL + path)
            assert any(f.startswith("caldav ") and CALENDAR in f for f in found), (path, found)
        equal(members(), 0, "detection made something")

    def the_calendar_opens(self):
        tb.run(
            """
            const login = Cc["@mozilla.org/login-manager/loginInfo;1"].createInstance(Ci.nsILoginInfo);
            login.init(args[0], null, args[2], "user01", "user01", "", "");
            await Services.logins.addLoginAsync(login);
            const c = cal.manager.createCalendar("caldav", Services.io.newURI(args[0] + args[1]));
            c.name = "Daybook"; c.setProperty("username", "user01"); c.setProperty("cache.enabled", true);
            cal.manager.registerCalendar(c);
            await wait(() => calendar() && !calendar().readOnly && Components.isSuccessCode(calendar().getProperty("currentStatus")) && calendar().getProperty("currentStatus") !== null);
            """,
            URL,
            CALENDAR,
            realm(),
        )

    def an_event_is_made_and_stored(self):
        tb.run(
            """
            const e = new CalEvent("BEGIN:VEVENT\\r\\nUID:tb-1\\r\\nDTSTART;TZID=Europe/Berlin:20270301T100000\\r\\nDTEND;TZID=Europe/Berlin:20270301T110000\\r\\nSUMMARY:Made\\r\\nEND:VEVENT\\r\\n");
            await calendar().addItem(e);
            await wait(async () => (await titles()) == "Made");
            """
        )
        equal(members(), 1)
        assert "SUMMARY:Made" in direct("GET", "tb-1.ics")[1]

    def an_event_is_changed(self):
        tb.run(
            """
            const [old] = await items();
            const e = old.clone(); e.title = "Changed";
            await calendar().modifyItem(e, old);
            await wait(async () => (await titles()) == "Changed");
            """
        )
        assert "SUMMARY:Changed" in direct("GET", "tb-1.ics")[1]

    def changes_of_other_clients_come_with_a_refresh(self):
        equal(direct("PUT", "other.ics", wrap("other", "Of another"), **{"Content-Type": "text/calendar"})[0], 201)
        wait = 'calendar().refresh(); await wait(async () => (await titles()) == args[0]);'
        tb.run(wait, "Changed,Of another")
        direct("PUT", "other.ics", wrap("other", "Otherwise"), **{"Content-Type": "text/calendar"})
        tb.run(wait, "Changed,Otherwise")
        equal(direct("DELETE", "other.ics")[0], 204)
        tb.run(wait, "Changed")

    def an_event_is_deleted(self):
        tb.run("const [e] = await items(); await calendar().deleteItem(e); await wait(async () => (await titles()) == '');")
        equal(members(), 0)


def realm():
    """The realm of the server, under which Thunderbird files the password."""
    try:
        urllib.request.build_opener(urllib.request.ProxyHandler({})).open(URL + CALENDAR, timeout=10)
    except urllib.error.HTTPError as e:
        return e.headers["WWW-Authenticate"].split('realm="')[1].split('"')[0]
    raise AssertionError("no realm")


tb = Marionette()
tb.run("await wait(() => cal.manager && Services.wm.getMostRecentWindow('mail:3pane'));")
probes = Probes()
for name in [n for n in vars(Probes) if not n.startswith("_") and callable(getattr(Probes, n))]:
    told = name.replace("_", " ")
    try:
        getattr(probes, name)()
    except Exception as e:  # a probe may fail in any way
        where = [t for t in traceback.extract_tb(e.__traceback__) if t.filename == __file__]
        print(f"FAILED: {told}: line {where[0].lineno}: {type(e).__name__}: {str(e)[:600]}", flush=True)
    else:
        print("ok:", told, flush=True)
print("done", flush=True)
