"""Fills ada's calendar with events of every sort. Usage: fill.py URL"""

import base64
import sys
import urllib.request

url = sys.argv[1]
sign_in = "Basic " + base64.b64encode(b"user01:user01").decode()


def send(method, name, text=None, calendar="ada"):
    request = urllib.request.Request(
        f"{url}/dav/calendars/{calendar}/calendar/{name}.ics",
        data=text and text.encode(),
        method=method,
        headers={"Authorization": sign_in, "Content-Type": "text/calendar; charset=utf-8"},
    )
    urllib.request.urlopen(request).read()


def put(name, *lines, zones="", kind="VEVENT", calendar="ada"):
    body = "\r\n".join([f"BEGIN:{kind}", f"UID:{name}", "DTSTAMP:20270101T000000Z", *lines, f"END:{kind}"])
    send("PUT", name, f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//T//T//EN\r\n{zones}{body}\r\nEND:VCALENDAR\r\n", calendar)


for i, zone in enumerate(["Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "Africa/Casablanca"]):
    put(f"zone-{i}", f"DTSTART;TZID={zone}:20260301T090000", f"DTEND;TZID={zone}:20260301T100000", f"SUMMARY:In {zone}", "RRULE:FREQ=WEEKLY")
put("override", "DTSTART;TZID=Europe/Berlin:20270302T140000", "DURATION:PT45M", "SUMMARY:Class\\, weekly", "RRULE:FREQ=WEEKLY;COUNT=6;BYDAY=TU",
    "EXDATE;TZID=Europe/Berlin:20270316T140000", "SEQUENCE:3", "END:VEVENT", "BEGIN:VEVENT", "UID:override", "DTSTAMP:20270101T000000Z",
    "RECURRENCE-ID;TZID=Europe/Berlin:20270309T140000", "DTSTART;TZID=Europe/Berlin:20270309T150000", "DURATION:PT45M", "SUMMARY:Class\\, later")
put("day", "DTSTART;VALUE=DATE:20270305", "DTEND;VALUE=DATE:20270308", "SUMMARY:Away", "TRANSP:TRANSPARENT")
put("long", "DTSTART:20270306T080000Z", "DTEND:20270306T090000Z", "SUMMARY:" + "ü🎉 lange Zeile; mit\\, allem " * 12, "DESCRIPTION:a\\nb\\;c\\,d\\\\e")
put("people", "DTSTART:20270303T080000Z", "DTEND:20270303T090000Z", "SUMMARY:Talk about money", "LOCATION:Room 7", 'ORGANIZER;CN="Noor, Ada":mailto:ada@example.com',
    "ATTENDEE;CN=Bob;PARTSTAT=ACCEPTED;RSVP=TRUE:mailto:bob@example.com", "STATUS:TENTATIVE", "URL:https://example.com/talk", "CATEGORIES:A,B",
    "BEGIN:VALARM", "ACTION:DISPLAY", "DESCRIPTION:Talk", "TRIGGER:-PT10M", "END:VALARM")
put("private", "DTSTART:20270304T080000Z", "DTEND:20270304T090000Z", "SUMMARY:Doctor", "LOCATION:Clinic", "CLASS:PRIVATE")
put("custom", "DTSTART;TZID=Office Hours:20270310T080000", "DTEND;TZID=Office Hours:20270310T090000", "SUMMARY:In a zone of its own",
    zones="BEGIN:VTIMEZONE\r\nTZID:Office Hours\r\nBEGIN:STANDARD\r\nDTSTART:19700101T000000\r\nTZOFFSETFROM:+0330\r\nTZOFFSETTO:+0330\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n")
put("task", "SUMMARY:Write", "DUE:20270311T080000Z", "STATUS:NEEDS-ACTION", kind="VTODO")
put("hours", "DTSTART;TZID=Europe/Berlin:20260101T000000", "BEGIN:AVAILABLE", "UID:hours-1", "DTSTAMP:20270101T000000Z",
    "DTSTART;TZID=Europe/Berlin:20260105T090000", "DTEND;TZID=Europe/Berlin:20260105T170000", "RRULE:FREQ=WEEKLY;BYDAY=MO,TU,WE", "END:AVAILABLE", kind="VAVAILABILITY")
put("people", "DTSTART:20270403T080000Z", "DTEND:20270403T090000Z", "SUMMARY:The same UID elsewhere", calendar="demo")
put("gone", "DTSTART:20270304T080000Z", "DTEND:20270304T090000Z", "SUMMARY:Meeting that is off", "STATUS:CONFIRMED", "SEQUENCE:1")
send("DELETE", "gone")
