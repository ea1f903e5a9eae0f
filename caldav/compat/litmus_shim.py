"""What litmus needs to talk to a server of calendars alone: litmus.sh starts it.

    litmus_shim.py PORT UPSTREAM [collections]

litmus puts arbitrary bytes into plain collections that stand in one another.
A calendar server has calendars, side by side, with iCalendar in them. This
proxy translates between the two, and nothing else; status codes, headers and
properties are the server's own:

  - MKCOL without a body asks for a calendar (RFC 5689);
  - the body of a PUT travels in a property of an event, and comes back by GET;
  - the collection litmus/NAME is the calendar litmus~NAME beside litmus;
  - with the third argument, what is put is made a calendar as well: those can
    be copied to beside where they are.
"""

import base64
import http.client
import re
import sys
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

UPSTREAM = urlsplit(sys.argv[2])
MKCOL = b'<mkcol xmlns="DAV:"><set><prop><resourcetype><collection/><C:calendar xmlns:C="urn:ietf:params:xml:ns:caldav"/></resourcetype></prop></set></mkcol>'
HOPS = {"connection", "transfer-encoding", "content-length", "host", "expect"}
ALL_COLLECTIONS = sys.argv[3:] == ["collections"]
inner = set()  # the names of the collections in litmus/


def wrap(uid, body):
    text = base64.b64encode(body).decode()
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Daybook//litmus//EN\r\nBEGIN:VEVENT\r\nUID:{uid}\r\nDTSTAMP:20270101T000000Z\r\nDTSTART:20270101T000000Z\r\nX-LITMUS:{text}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n".encode()


def field(data, name):
    found = re.search(rf"\r\n{name}:(.*)\r\n".encode(), data)
    return found and found.group(1)


def inward(path):
    """The server's path of litmus's."""
    head, mark, rest = path.partition("/litmus/")
    name, slash, below = rest.partition("/")
    if mark and name in inner:
        return f"{head}/litmus~{name}/{below}"
    return path


def outward(text):
    return re.sub(rb"/litmus~([^/]+)/", rb"/litmus/\1/", text)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # an answer leaves in one write

    def log_message(self, *args):
        pass

    def handle_expect_100(self):
        super().handle_expect_100()
        self.wfile.flush()
        return True

    def upstream(self, method, path, headers, body=None):
        c = http.client.HTTPConnection(UPSTREAM.hostname, UPSTREAM.port, timeout=30)
        c.putrequest(method, path, skip_accept_encoding=True)
        for k, v in headers:
            c.putheader(k, v)
        c.putheader("Content-Length", str(len(body or b"")))
        c.endheaders()
        if body:
            c.send(body)
        r = c.getresponse()
        return r.status, r.reason, r.getheaders(), r.read()

    def collection(self, path):
        """Makes the name of a collection of litmus/ known; gives it, or ""."""
        found = re.fullmatch(r".*/litmus/([^/]+)/?", path)
        return found.group(1) if found else ""

    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = [(k, v) for k, v in self.headers.items() if k.lower() not in HOPS]
        login = [(k, v) for k, v in headers if k.lower() == "authorization"]
        path, method, fresh = self.path, self.command, ""
        if method == "PUT" and ALL_COLLECTIONS:
            method, body = "MKCOL", b""
        if method == "MKCOL":
            if not body:
                body, headers = MKCOL, [*headers, ("Content-Type", "text/xml")]
            status = self.upstream("HEAD", inward(path.rstrip("/")), login)[0]
            if status != 200 and not path.rstrip("/").endswith("/litmus"):
                fresh = self.collection(path)
                inner.add(fresh)
        target = inward(path)
        dest = self.headers.get("Destination")
        source = self.collection(path)
        moved = self.collection(urlsplit(dest).path) if dest else ""
        if dest:
            if source in inner and moved:
                inner.add(moved)
            headers = [(k, v) for k, v in headers if k.lower() != "destination"]
            headers.append(("Destination", f"http://{UPSTREAM.netloc}{inward(urlsplit(dest).path)}"))
        if method == "PUT":
            status, _, _, old = self.upstream("GET", target, login)
            uid = field(old, "UID").decode() if status == 200 else str(uuid.uuid4())
            body = wrap(uid, body)
            headers = [(k, v) for k, v in headers if k.lower() != "content-type"] + [("Content-Type", "text/calendar")]
        if method == "DELETE" and re.fullmatch(r".*/litmus/?", path):
            home = path.rstrip("/").removesuffix("litmus")
            listing = self.upstream("PROPFIND", home, [*login, ("Depth", "1")])[3].decode()
            for href in re.findall(r"href>([^<]*/litmus~[^/<]*/)<", listing):
                self.upstream("DELETE", href, login)
            inner.clear()
        status, reason, got, data = self.upstream(method, target, headers, body)
        if fresh and status != 201:
            inner.discard(fresh)
        if source in inner and status < 300 and (method == "DELETE" or method == "MOVE" and moved):
            inner.discard(source)
        if moved and moved in inner and status >= 300 and status != 412:
            inner.discard(moved)
        if method == "GET" and status == 200 and field(data, "X-LITMUS"):
            data = base64.b64decode(field(data, "X-LITMUS"))
        elif b"multistatus" in data[:400]:
            data = outward(data)
        self.send_response(status, reason)
        for k, v in got:
            if k.lower() not in HOPS:
                self.send_header(k, outward(v.encode()).decode())
        if status >= 200 and status != 204:
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if method != "HEAD" and status != 204:
            self.wfile.write(data)

    do_OPTIONS = do_GET = do_HEAD = do_PUT = do_DELETE = do_MKCOL = answer
    do_COPY = do_MOVE = do_PROPFIND = do_PROPPATCH = do_LOCK = do_UNLOCK = answer


ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
