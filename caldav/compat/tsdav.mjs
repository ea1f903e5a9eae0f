// Questions to a CalDAV server through tsdav; tsdav.sh starts it. Each probe
// prints one line, "ok: …" or "FAILED: …"; the last line is "done".
import assert from "node:assert/strict";
import ICAL from "ical.js";
import { createDAVClient, DAVNamespaceShort, DAVClient } from "tsdav";

const url = process.argv[2];
const connect = (password = "user01", serverUrl = url) =>
  createDAVClient({
    serverUrl,
    credentials: { username: "user01", password },
    authMethod: "Basic",
    defaultAccountType: "caldav",
  });

const stamp = "DTSTAMP:20270101T000000Z\r\n";
const wrap = (kind, body) =>
  `BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Daybook//compat//EN\r\nBEGIN:${kind}\r\n${stamp}${body.trim().replaceAll(/\r?\n/g, "\r\n")}\r\nEND:${kind}\r\nEND:VCALENDAR\r\n`;
const event = (uid, start, more = "") => wrap("VEVENT", `UID:${uid}\nDTSTART:${start}\nDURATION:PT1H\nSUMMARY:${uid}\n${more}`);
const path = (u) => new URL(u, url).pathname;
const january = { start: "2027-01-01T00:00:00Z", end: "2027-02-01T00:00:00Z" };

let client;
let calendar;
const find = async (name) => (await client.fetchCalendars()).find((c) => path(c.url).endsWith(`/${name}/`));
const make = async (name, props = {}) => {
  const answer = await client.makeCalendar({
    url: `${url}/dav/calendars/user01/${name}/`,
    props: { [`${DAVNamespaceShort.DAV}:displayname`]: name, ...props },
  });
  assert.ok(answer[0].ok, `MKCALENDAR: ${answer[0].status}`);
  return find(name);
};
const put = async (cal, filename, iCalString) => client.createCalendarObject({ calendar: cal, filename, iCalString });
const query = (inner, kind = "VEVENT") =>
  client.calendarQuery({
    url: calendar.url,
    depth: "1",
    props: { "d:getetag": {}, "c:calendar-data": {} },
    filters: { "comp-filter": { _attributes: { name: "VCALENDAR" }, "comp-filter": { _attributes: { name: kind }, ...inner } } },
  });
const uids = (answers) =>
  answers
    .map((a) => a.data ?? a.props?.calendarData?._cdata ?? a.props?.calendarData)
    .filter(Boolean)
    .map((data) => new ICAL.Component(ICAL.parse(data)).getAllSubcomponents().find((c) => c.name !== "vtimezone").getFirstPropertyValue("uid"))
    .sort();

const probes = {
  "the account is found from the origin": async () => {
    client = await connect();
    const account = await client.createAccount({ account: { serverUrl: url, accountType: "caldav" } });
    assert.equal(path(account.rootUrl), "/dav/");
    assert.equal(path(account.principalUrl), "/dav/principals/user01/");
    assert.equal(path(account.homeUrl), "/dav/calendars/user01/");
  },
  "the account is found from deeper addresses": async () => {
    for (const deeper of ["/dav/", "/dav/principals/user01/", "/dav/calendars/user01/calendar/"]) {
      const c = await connect("user01", url + deeper);
      assert.ok((await c.fetchCalendars()).length > 0, deeper);
    }
  },
  "a wrong password is told": async () => {
    await assert.rejects(connect("wrong"), /401|credentials/i);
  },
  "a bearer token is no password": async () => {
    const answer = await fetch(`${url}/dav/`, { method: "PROPFIND", headers: { Authorization: "Bearer user01" } });
    assert.equal(answer.status, 401);
    assert.match(answer.headers.get("WWW-Authenticate"), /^Basic /);
    const digest = await fetch(`${url}/dav/`, { method: "PROPFIND", headers: { Authorization: 'Digest username="user01"' } });
    assert.equal(digest.status, 401);
  },
  "the class client logs in": async () => {
    const c = new DAVClient({ serverUrl: url, credentials: { username: "user01", password: "user01" }, authMethod: "Basic", defaultAccountType: "caldav" });
    await c.login();
    assert.ok((await c.fetchCalendars()).length > 0);
  },
  "the addresses of the user are listed": async () => {
    const addresses = await client.fetchCalendarUserAddresses?.();
    if (addresses) assert.ok(addresses.some((a) => a.includes("user01@example.com")), addresses.join());
  },
  "calendars have token, tag, components and reports": async () => {
    const calendars = await client.fetchCalendars();
    for (const c of calendars) {
      assert.ok(c.ctag && c.syncToken, c.url);
      assert.ok(c.components.includes("VEVENT"), c.components.join());
      for (const report of ["calendarQuery", "calendarMultiget", "syncCollection"]) assert.ok(c.reports.includes(report), `${report} of ${c.url}`);
    }
  },
  "a calendar is made with its properties": async () => {
    calendar = await make("tsdav", {
      [`${DAVNamespaceShort.DAV}:displayname`]: "Grün & <blau>",
      [`${DAVNamespaceShort.CALDAV}:calendar-description`]: "described",
      [`${DAVNamespaceShort.CALDAV_APPLE}:calendar-color`]: "#ff00aa",
      [`${DAVNamespaceShort.CALDAV}:supported-calendar-component-set`]: { "c:comp": [{ _attributes: { name: "VEVENT" } }, { _attributes: { name: "VTODO" } }] },
    });
    assert.equal(calendar.displayName, "Grün & <blau>");
    assert.equal(calendar.description, "described");
    assert.equal(calendar.calendarColor, "#ff00aa");
    assert.deepEqual([...calendar.components].sort(), ["VEVENT", "VTODO"]);
  },
  "a calendar is not made twice": async () => {
    const answer = await client.makeCalendar({ url: calendar.url, props: {} });
    assert.ok(answer[0].status >= 400, `${answer[0].status}`);
  },
  "an object is made once": async () => {
    assert.equal((await put(calendar, "one.ics", event("one", "20270105T100000Z"))).status, 201);
    assert.equal((await put(calendar, "one.ics", event("one", "20270105T100000Z"))).status, 412);
  },
  "an object comes back as it was sent": async () => {
    const data = event("bytes", "20270106T100000Z", 'X-KEPT;X-P="a;b,c":as\\, it was\nDESCRIPTION:Straße 𝄞\\nzwei\nRRULE:COUNT=2;FREQ=DAILY');
    await put(calendar, "bytes.ics", data);
    const [got] = await client.fetchCalendarObjects({ calendar, objectUrls: [`${calendar.url}bytes.ics`] });
    assert.equal(got.data.replaceAll("\r", "").trim(), data.replaceAll("\r", "").trim());
    assert.match(got.etag, /^"[^"]*[^0-9"][^"]*"$/);
    const plain = await fetch(got.url, { headers: { Authorization: `Basic ${btoa("user01:user01")}` } });
    assert.equal(plain.headers.get("ETag"), got.etag);
    assert.equal(await plain.text(), data);
  },
  "an object is changed with its tag, and not with an old one": async () => {
    const [before] = await client.fetchCalendarObjects({ calendar, objectUrls: [`${calendar.url}one.ics`] });
    const changed = { ...before, data: event("one", "20270107T100000Z") };
    const first = await client.updateCalendarObject({ calendarObject: changed });
    assert.ok(first.ok, `${first.status}`);
    assert.equal((await client.updateCalendarObject({ calendarObject: changed })).status, 412);
    const [after] = await client.fetchCalendarObjects({ calendar, objectUrls: [`${calendar.url}one.ics`] });
    assert.notEqual(after.etag, before.etag);
    assert.equal((await client.deleteCalendarObject({ calendarObject: before })).status, 412);
  },
  "names that need care are the same everywhere": async () => {
    for (const name of ["with space.ics", "per%25cent.ics", "plus+at@colon:x.ics", "ümlaut.ics", "a%20b.ics"]) {
      const made = await put(calendar, name, event(`odd ${name}`, "20270110T100000Z"));
      assert.ok(made.ok, `${name}: ${made.status}`);
    }
    const objects = await client.fetchCalendarObjects({ calendar, timeRange: { start: "2027-01-10T00:00:00Z", end: "2027-01-11T00:00:00Z" } });
    assert.equal(objects.length, 5, objects.map((o) => o.url).join(" "));
    for (const o of objects) {
      const got = await fetch(o.url, { headers: { Authorization: `Basic ${btoa("user01:user01")}` } });
      assert.equal(got.status, 200, o.url);
      assert.ok((await client.deleteCalendarObject({ calendarObject: o })).ok, o.url);
    }
  },
  "broken objects are refused": async () => {
    for (const data of ["garbage", "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:X\r\nEND:VCARD\r\n", ""]) {
      const answer = await put(calendar, "broken.ics", data);
      assert.ok(answer.status >= 400 && answer.status < 500, `${answer.status}`);
    }
    const gone = await fetch(`${calendar.url}broken.ics`, { headers: { Authorization: `Basic ${btoa("user01:user01")}` } });
    assert.equal(gone.status, 404);
  },
  "objects are found by time, expanded when asked": async () => {
    await put(calendar, "series.ics", event("series", "20270112T100000Z", "RRULE:FREQ=WEEKLY;COUNT=3"));
    await put(calendar, "outside.ics", event("outside", "20270301T100000Z"));
    await put(calendar, "todo.ics", wrap("VTODO", "UID:todo\nDUE:20270115T100000Z\nSUMMARY:todo"));
    assert.deepEqual(uids(await client.fetchCalendarObjects({ calendar, timeRange: january })), ["bytes", "one", "series"]);
    assert.deepEqual(uids(await client.fetchCalendarObjects({ calendar, timeRange: january, useMultiGet: false })), ["bytes", "one", "series"]);
    assert.deepEqual(uids(await client.fetchCalendarObjects({ calendar, timeRange: { start: "2027-01-19T00:00:00Z", end: "2027-01-20T00:00:00Z" } })), ["series"]);
    const expanded = await client.fetchCalendarObjects({ calendar, expand: true, timeRange: january });
    const series = new ICAL.Component(ICAL.parse(expanded.find((o) => o.url.endsWith("series.ics")).data));
    const instances = series.getAllSubcomponents("vevent");
    assert.equal(instances.length, 3);
    for (const i of instances) assert.ok(!i.getFirstProperty("rrule") && i.getFirstProperty("recurrence-id"));
  },
  "texts and what is absent are found": async () => {
    assert.deepEqual(uids(await query({ "prop-filter": { _attributes: { name: "SUMMARY" }, "text-match": { _text: "SERI" } } })), ["series"]);
    assert.deepEqual(uids(await query({ "prop-filter": { _attributes: { name: "RRULE" }, "is-not-defined": {} } })), ["one", "outside"]);
    assert.deepEqual(uids(await query({}, "VTODO")), ["todo"]);
    assert.deepEqual(uids(await query({ "prop-filter": { _attributes: { name: "UID" }, "text-match": { _text: "no such" } } })), []);
  },
  "a missing object of a multiget is a 404 of its own": async () => {
    const ask = (...names) =>
      client.calendarMultiGet({
        url: calendar.url,
        depth: "1",
        props: { "d:getetag": {}, "c:calendar-data": {} },
        objectUrls: names.map((n) => path(calendar.url + n)),
      });
    assert.deepEqual(uids(await ask("one.ics", "bytes.ics")), ["bytes", "one"]);
    // tsdav makes an error of it, which names the answer that it is.
    await assert.rejects(ask("one.ics", "none.ics"), /404 Not Found/);
  },
  "free-busy is told": async () => {
    const answer = await client.freeBusyQuery({ url: calendar.url, timeRange: january, depth: "0" });
    const text = typeof answer.raw === "string" ? answer.raw : JSON.stringify(answer);
    assert.match(text, /VFREEBUSY/);
    assert.match(text, /20270112T100000Z/);
  },
  "sync tells what changed, by token and by tag": async () => {
    const account = await client.createAccount({ account: { serverUrl: url, accountType: "caldav" } });
    for (const method of ["webdav", "basic"]) {
      const cal = await make(`sync-${method}`);
      await put(cal, "a.ics", event("a", "20270101T100000Z"));
      await put(cal, "b.ics", event("b", "20270101T100000Z"));
      const sync = (collection, detailedResult = true) =>
        client.smartCollectionSync({
          collection: { ...collection, objectMultiGet: client.calendarMultiGet, fetchObjects: ({ collection: c }) => client.fetchCalendarObjects({ calendar: c }) },
          method,
          account,
          detailedResult,
        });
      const first = await sync({ ...cal, syncToken: undefined, ctag: "none", objects: [] });
      assert.equal(first.objects.created.length, 2, method);
      let known = { ...first, objects: first.objects.created };
      const none = await sync(known);
      assert.deepEqual([none.objects.created.length, none.objects.updated.length, none.objects.deleted.length], [0, 0, 0], method);
      const a = known.objects.find((o) => o.url.endsWith("a.ics"));
      await client.updateCalendarObject({ calendarObject: { ...a, data: event("a", "20270102T100000Z") } });
      await client.deleteCalendarObject({ calendarObject: known.objects.find((o) => o.url.endsWith("b.ics")) });
      await put(cal, "c.ics", event("c", "20270101T100000Z"));
      const next = await sync(known);
      const names = (list) => list.map((o) => path(o.url).split("/").at(-1)).sort();
      assert.deepEqual([names(next.objects.created), names(next.objects.updated), names(next.objects.deleted)], [["c.ics"], ["a.ics"], ["b.ics"]], method);
    }
  },
  "an unknown token is refused as such": async () => {
    const answer = await fetch(calendar.url, {
      method: "REPORT",
      headers: { Authorization: `Basic ${btoa("user01:user01")}`, "Content-Type": "text/xml" },
      body: '<sync-collection xmlns="DAV:"><sync-token>urn:nobody:knows</sync-token><sync-level>1</sync-level><prop><getetag/></prop></sync-collection>',
    });
    assert.ok(answer.status === 403 || answer.status === 409, `${answer.status}`);
    assert.match(await answer.text(), /valid-sync-token/);
  },
  "calendars made, changed and deleted elsewhere are seen": async () => {
    const before = await client.fetchCalendars();
    const made = await make("elsewhere");
    await put(before.find((c) => c.url === calendar.url), "new.ics", event("new", "20270401T100000Z"));
    const seen = await client.syncCalendarsDetailed({ oldCalendars: before.map((c) => ({ ...c, objects: [] })) });
    assert.deepEqual(seen.created.map((c) => path(c.url)), [path(made.url)]);
    assert.deepEqual(seen.updated.map((c) => path(c.url)), [path(calendar.url)]);
    assert.deepEqual(seen.deleted, []);
    const answer = await client.deleteObject({ url: made.url });
    assert.ok(answer.ok, `${answer.status}`);
    assert.equal(await find("elsewhere"), undefined);
    const gone = await client.syncCalendarsDetailed({ oldCalendars: [made] });
    assert.deepEqual(gone.deleted.map((c) => path(c.url)), [path(made.url)]);
  },
};

for (const [name, probe] of Object.entries(probes)) {
  try {
    await probe();
    console.log(`ok: ${name}`);
  } catch (e) {
    const line = /tsdav\.mjs:(\d+)/.exec(e.stack ?? "")?.[1] ?? "?";
    console.log(`FAILED: ${name}: line ${line}: ${String(e.message).slice(0, 600).replaceAll("\n", " ")}`);
  }
}
console.log("done");
