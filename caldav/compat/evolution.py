"""Questions to a CalDAV server through evolution-data-server; evolution.sh
starts it in a D-Bus session of its own.

Each probe prints one line, "ok: …" or "FAILED: …"; the last line is "done".
"""

import sys
import time
import traceback
import urllib.request
from urllib.parse import urlsplit

import gi

gi.require_version("ECal", "2.0")
gi.require_version("EDataServer", "1.2")
gi.require_version("ICalGLib", "3.0")
from gi.repository import ECal, EDataServer, GLib, ICalGLib  # noqa: E402

URL = sys.argv[1]
HOST = urlsplit(URL)
CALENDAR = "/dav/calendars/user01/calendar/"
MODIFY = ECal.OperationFlags.NONE

credentials = EDataServer.NamedParameters.new()
credentials.set(EDataServer.SOURCE_CREDENTIAL_USERNAME, "user01")
credentials.set(EDataServer.SOURCE_CREDENTIAL_PASSWORD, "user01")


def source(path):
    s = EDataServer.Source.new_with_uid("daybook", None)
    s.set_parent("caldav-stub")
    s.set_display_name("Daybook")
    s.get_extension(EDataServer.SOURCE_EXTENSION_CALENDAR).set_backend_name("caldav")
    login = s.get_extension(EDataServer.SOURCE_EXTENSION_AUTHENTICATION)
    login.set_host(HOST.hostname)
    login.set_port(HOST.port)
    login.set_user("user01")
    login.set_method("plain/password")
    s.get_extension(EDataServer.SOURCE_EXTENSION_SECURITY).set_method("none")
    s.get_extension(EDataServer.SOURCE_EXTENSION_WEBDAV_BACKEND).set_resource_path(path)
    s.get_extension(EDataServer.SOURCE_EXTENSION_REFRESH).set_enabled(False)
    s.get_extension(EDataServer.SOURCE_EXTENSION_OFFLINE).set_stay_synchronized(True)
    return s


def equal(got, want, what=""):
    assert got == want, f"{what}: got {got!r}, want {want!r}"


def run(loop_until, seconds=20):
    """Lets D-Bus work until the condition holds."""
    context = GLib.MainContext.default()
    end = time.monotonic() + seconds
    while not loop_until():
        if time.monotonic() > end:
            raise AssertionError("nothing came in time")
        context.iteration(False) or time.sleep(0.02)


def event(uid, start="20270301T100000Z", summary="Made"):
    return ICalGLib.Component.new_from_string(
        f"BEGIN:VEVENT\r\nUID:{uid}\r\nDTSTAMP:20270101T000000Z\r\nDTSTART:{start}\r\nDURATION:PT1H\r\nSUMMARY:{summary}\r\nEND:VEVENT\r\n"
    )


def direct(method, name, body=None, **headers):
    """What is on the server, or a change that another client makes."""
    manager = urllib.request.HTTPPasswordMgrWithDefaultRealm()
    manager.add_password(None, URL, "user01", "user01")
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPBasicAuthHandler(manager))
    request = urllib.request.Request(URL + CALENDAR + name, data=body and body.encode(), method=method, headers=headers)
    try:
        with opener.open(request, timeout=10) as r:
            return r.status, r.read().decode()
    except urllib.error.HTTPError as e:
        return e.code, ""


def summaries(client, query="#t"):
    _, found = client.get_object_list_sync(query, None)
    return sorted(c.get_summary() for c in found)


def discover(path):
    uri = f"http://user01@{HOST.netloc}{path}"
    _, cert, flags, found, addresses = (
        EDataServer.webdav_discover_sources_sync(source(path), uri, EDataServer.WebDAVDiscoverSupports.EVENTS, credentials, None)
    )
    return found, addresses


class Probes:
    client = None

    def calendars_are_discovered_from_every_address(self):
        for path in ("", "/", "/.well-known/caldav", "/dav/", "/dav/principals/user01/", "/dav/calendars/user01/", CALENDAR):
            found, addresses = discover(path)
            paths = sorted(urlsplit(s.href).path for s in found)
            assert CALENDAR in paths, (path, paths)
            assert any("user01@example.com" in a for a in addresses), (path, addresses)

    def a_wrong_password_is_told(self):
        wrong = EDataServer.NamedParameters.new()
        wrong.set(EDataServer.SOURCE_CREDENTIAL_USERNAME, "user01")
        wrong.set(EDataServer.SOURCE_CREDENTIAL_PASSWORD, "wrong")
        try:
            EDataServer.webdav_discover_sources_sync(source("/"), URL + "/", EDataServer.WebDAVDiscoverSupports.EVENTS, wrong, None)
        except GLib.Error as e:
            assert "nauthorized" in e.message or "uthentication" in e.message, e.message
        else:
            raise AssertionError("not refused")

    def the_calendar_opens_for_writing(self):
        registry = EDataServer.SourceRegistry.new_sync(None)
        registry.commit_source_sync(source(CALENDAR), None)
        s = None

        def there():
            nonlocal s
            s = registry.ref_source("daybook")
            return s is not None

        run(there)
        s.connect("credentials-required", lambda s, *_: s.invoke_authenticate(credentials, None, None))
        opened = []
        ECal.Client.connect(s, ECal.ClientSourceType.EVENTS, 30, None, lambda _, r: opened.append(r))
        run(lambda: opened, 40)
        Probes.client = ECal.Client.connect_finish(opened[0])
        run(lambda: s.get_connection_status() == EDataServer.SourceConnectionStatus.CONNECTED)
        run(lambda: not self.client.is_readonly())

    def an_event_is_made_and_stored(self):
        ok, uid = self.client.create_object_sync(event("eds-1"), MODIFY, None)
        equal(uid, "eds-1")
        equal(summaries(self.client), ["Made"])
        _, listing = direct("PROPFIND", "", '<propfind xmlns="DAV:"><prop><getetag/></prop></propfind>', Depth="1")
        assert listing.count(".ics</D:href>") == 1, listing

    def an_event_is_changed(self):
        ok, component = self.client.get_object_sync("eds-1", None, None)
        component.set_summary("Changed")
        self.client.modify_object_sync(component, ECal.ObjModType.ALL, MODIFY, None)
        equal(summaries(self.client), ["Changed"])
        self.client.refresh_sync(None)
        equal(summaries(self.client), ["Changed"], "after a refresh")

    def changes_of_other_clients_come_with_a_refresh(self):
        body = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Daybook//compat//EN\r\n" + event("other", summary="Of another").as_ical_string() + "END:VCALENDAR\r\n"
        status, _ = direct("PUT", "other.ics", body, **{"Content-Type": "text/calendar"})
        equal(status, 201)
        self.client.refresh_sync(None)
        run(lambda: summaries(self.client) == ["Changed", "Of another"])
        direct("PUT", "other.ics", body.replace("Of another", "Changed by another"), **{"Content-Type": "text/calendar"})
        self.client.refresh_sync(None)
        run(lambda: summaries(self.client) == ["Changed", "Changed by another"])
        equal(direct("DELETE", "other.ics")[0], 204)
        self.client.refresh_sync(None)
        run(lambda: summaries(self.client) == ["Changed"])

    def a_series_and_its_exception_are_kept(self):
        series = ICalGLib.Component.new_from_string(
            "BEGIN:VEVENT\r\nUID:eds-2\r\nDTSTAMP:20270101T000000Z\r\nDTSTART;TZID=Europe/Berlin:20270401T100000\r\nDURATION:PT1H\r\n"
            "RRULE:FREQ=DAILY;COUNT=3\r\nSUMMARY:Series\r\nEND:VEVENT\r\n"
        )
        self.client.create_object_sync(series, MODIFY, None)
        one = ICalGLib.Component.new_from_string(
            "BEGIN:VEVENT\r\nUID:eds-2\r\nDTSTAMP:20270101T000000Z\r\nRECURRENCE-ID;TZID=Europe/Berlin:20270402T100000\r\n"
            "DTSTART;TZID=Europe/Berlin:20270402T140000\r\nDURATION:PT1H\r\nSUMMARY:Moved\r\nEND:VEVENT\r\n"
        )
        self.client.modify_object_sync(one, ECal.ObjModType.THIS, MODIFY, None)
        self.client.refresh_sync(None)
        equal(summaries(self.client), ["Changed", "Moved", "Series"])

    def events_are_deleted(self):
        self.client.remove_object_sync("eds-1", None, ECal.ObjModType.ALL, MODIFY, None)
        self.client.remove_object_sync("eds-2", None, ECal.ObjModType.ALL, MODIFY, None)
        equal(summaries(self.client), [])
        _, listing = direct("PROPFIND", "", '<propfind xmlns="DAV:"><prop><getetag/></prop></propfind>', Depth="1")
        assert ".ics</D:href>" not in listing, listing


probes = Probes()
for name in [n for n in vars(Probes) if not n.startswith("_") and callable(getattr(Probes, n))]:
    told = name.replace("_", " ")
    try:
        getattr(probes, name)()
    except Exception as e:  # a probe may fail in any way
        where = [t for t in traceback.extract_tb(e.__traceback__) if t.filename == __file__]
        print(f"FAILED: {told}: line {where[-1].lineno}: {type(e).__name__}: {str(e)[:400]}", flush=True)
    else:
        print("ok:", told, flush=True)
print("done", flush=True)
