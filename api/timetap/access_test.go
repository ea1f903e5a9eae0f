package timetap

import (
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"daybook/api/apitest"
	"daybook/store"
)

func TestBearer(t *testing.T) {
	p := newPlace(t)
	t.Run("[inferred] Bearer with our key; 401 for none and for a wrong one", func(t *testing.T) {
		for _, path := range []string{"/calendar/range/1?endDate=2027-03-01", "/calendar/CLASS/1", "/staff", "/staffIdList", "/locations", "/services", "/status"} {
			if a := p.in(t).with("").get(path).want(401); !strings.HasPrefix(a.Header.Get("Www-Authenticate"), "Bearer") {
				t.Errorf("%s: %s", path, a.Header)
			}
		}
		for _, auth := range []string{
			"Bearer x", "Bearer admin.wrong-secret-000", "Basic eDp5", "admin.admin" + apitest.SecretPart, "Bearer " + key + "." + key + apitest.SecretPart, "st:api:", "Bearer st:api:key:1:2",
		} {
			p.in(t).with(auth).get("/staff").want(401)
		}
	})
	t.Run("403 without permission to read", func(t *testing.T) {
		for _, path := range []string{"/calendar/range/1?endDate=2027-03-01", "/calendar/CLASS/1", "/staff", "/staff/1", "/staffIdList", "/locations", "/services", "/status"} {
			p.in(t).as(nobody).get(path).want(403)
		}
	})
}

func TestOwnStaff(t *testing.T) {
	p := newPlace(t)
	ada, bob, room := p.id("a", "ada", at(1, 9)...), p.id("b", "bob", at(1, 9)...), p.id("r", "room-1", at(1, 9)...)
	closed := p.id("c", "demo", at(1, 12, "SUMMARY:closed")...)
	both := p.id("s", "bob", at(2, 9, "CATEGORIES:BLOCK")...)
	p.put("ada", "s", at(2, 9, "CATEGORIES:BLOCK")...)
	for _, x := range []struct {
		who      string
		ids      string
		bob      int // status of what is Bob's
		room     int
		closures string // title
	}{
		{admin, "[1,2,3]", 200, 200, "closed"},
		{viewer, "[1,2,3]", 200, 200, "closed"}, // a key that reads all stands for no person
		{forAda, "[1]", 403, 404, "Busy"},
		{grace, "[1]", 403, 200, "closed"}, // the organisation's grant gives her no staff
		{herself, "[1]", 403, 404, "Busy"},
	} {
		t.Run("[docs Staff] who is not an admin sees only his own staff: "+x.who, func(t *testing.T) {
			q := p.in(t).as(x.who)
			if got := strings.TrimSpace(q.get("/staffIdList").want(200).Raw); got != x.ids {
				t.Errorf("staffIdList %s, want %s", got, x.ids)
			}
			var staff []Staff
			q.get("/staff").want(200).Into(&staff)
			if len(staff) != strings.Count(x.ids, ",")+1 {
				t.Errorf("staff %v", staff)
			}
			q.get("/staff/1").want(200)
			q.get("/staff/2").want(x.bob)
			q.get("/calendar/range/1,99?endDate=2027-03-01").want(200)
			q.get("/calendar/range/2?endDate=2027-03-01").want(x.bob)
			q.get("/calendar/range/1,2?endDate=2027-03-01").want(x.bob)
			q.get(fmt.Sprintf("/calendar/event/APPOINTMENT/%d", ada)).want(200)
			q.get(fmt.Sprintf("/calendar/event/APPOINTMENT/%d", bob)).want(x.bob)
			q.get(fmt.Sprintf("/calendar/event/TIME_OFF/%d", both)).want(200)
			q.get(fmt.Sprintf("/calendar/event/APPOINTMENT/%d", room)).want(x.room)
			if e := q.get(fmt.Sprintf("/calendar/event/VACATION/%d", closed)).one(); e.Title != x.closures {
				t.Errorf("%+v", e)
			}
		})
	}
	t.Run("another organisation's integers are its own", func(t *testing.T) {
		q := p.in(t).as(rival)
		if got := q.get("/calendar/range/1,2,3?startDate=2027-03-01&endDate=2027-03-31").events(); len(got) != 0 {
			t.Errorf("%v", got)
		}
		q.get(fmt.Sprintf("/calendar/event/APPOINTMENT/%d", ada)).want(404)
		q.get("/staff/2").want(404)
		var one Staff
		if q.get("/staff/1").want(200).Into(&one); one.FullName != "eve" {
			t.Errorf("%+v", one)
		}
	})
}

// sign gives the query of a sign-in.
func sign(key, private string) string {
	sum := md5.Sum([]byte(key + private)) //nolint:gosec // see above
	return "/sessionToken?" + url.Values{"apiKey": {key}, "timestamp": {"1803106800"}, "signature": {hex.EncodeToString(sum[:])}}.Encode()
}

func TestSession(t *testing.T) {
	var clock atomic.Pointer[time.Time] // the store's own goroutines read it too
	clock.Store(&now)
	p := newPlaceAt(t, func() time.Time { return *clock.Load() })
	at := func(now time.Time) { clock.Store(&now) }
	open := p.with("")
	signIn := func(t *testing.T) string {
		t.Helper()
		var out struct {
			Token string `json:"sessionToken"`
		}
		open.in(t).get(sign(key, key+apitest.SecretPart)).want(200).Into(&out)
		return out.Token
	}
	t.Run("[docs Introduction] a key and an MD5 signature give a session token for the Authorization header", func(t *testing.T) {
		token := signIn(t)
		for _, auth := range []string{token, "Bearer " + token, "bearer  " + token} {
			p.in(t).with(auth).get("/staff").want(200)
		}
		if strings.Contains(token, apitest.SecretPart) {
			t.Error("the token shows the private key")
		}
	})
	t.Run("[docs Introduction] the timestamp is in seconds; clients send fractions of them, and milliseconds", func(t *testing.T) {
		for _, at := range []string{"1803106800", "1803106800.123456", "1803106800123", "0"} {
			open.in(t).get(strings.Replace(sign(key, key+apitest.SecretPart), "1803106800", at, 1)).want(200)
		}
	})
	t.Run("upper-case hex is as good", func(t *testing.T) {
		path := sign(key, key+apitest.SecretPart)
		i := strings.Index(path, "signature=") + len("signature=")
		j := i + 32
		open.in(t).get(path[:i] + strings.ToUpper(path[i:j]) + path[j:]).want(200)
	})
	t.Run("401 for a wrong key or signature, and for keys of other kinds", func(t *testing.T) {
		for _, path := range []string{sign(key, "wrong"), sign("unknown", "x"), sign(admin, admin+apitest.SecretPart), sign("a b", "x"), "/sessionToken?apiKey=key&timestamp=1&signature=zz"} {
			open.in(t).get(path).want(401)
		}
	})
	t.Run("400 when one of the three is missing", func(t *testing.T) {
		for _, q := range []string{"", "?apiKey=x&timestamp=1", "?apiKey=x&signature=1", "?timestamp=1&signature=1", "?apiKey=x&timestamp=now&signature=1"} {
			open.in(t).get("/sessionToken" + q).want(400)
		}
		open.in(t).do("POST", "/sessionToken").want(405)
	})
	t.Run("a token that was changed, has ended or whose key is gone is not accepted", func(t *testing.T) {
		token := signIn(t)
		parts := strings.Split(token, ":")
		longer := strings.Join(append(append([]string{}, parts[:3]...), "9999999999", parts[4]), ":")
		for _, auth := range []string{longer, token[:len(token)-1], token + "0", "st:api:admin:" + parts[3] + ":" + parts[4]} {
			p.in(t).with(auth).get("/staff").want(401)
		}
		at(now.Add(sessionLife - time.Second))
		p.in(t).with(token).get("/staff").want(200)
		at(now.Add(sessionLife))
		p.in(t).with(token).get("/staff").want(401)
		at(now)
		p.in(t).Update(func(tx *store.Tx) error { return tx.DeleteCredential(key) })
		p.in(t).with(token).get("/staff").want(401)
	})
}

func TestSiblings(t *testing.T) {
	p := newPlace(t)
	for path, want := range map[string]string{
		"/staffIdList":              `[1,2,3]`,
		"/staffIdList?serviceId=32": `[1]`,
		"/staff?serviceId=99":       `[]`,
		// [docs Introduction] passing the locationId filters the staff, or the services, at that location
		"/staffIdList?locationId=11":              `[1,2,3]`,
		"/staffIdList?locationId=11&serviceId=32": `[1]`,
		"/staffIdList?locationId=99":              `[]`,
		"/staff?locationId=1":                     `[]`, // no location
		"/staff/1": `{"professionalId":1,"firstName":"Ada","lastName":"Noor","fullName":"Ada Noor",` +
			`"emailAddress":"ada@example.com","color":"#AA0000","status":"ACTIVE"}`,
		"/staff?serviceId=32": `[{"professionalId":1,"firstName":"Ada","lastName":"Noor","fullName":"Ada Noor",` +
			`"emailAddress":"ada@example.com","color":"#AA0000","status":"ACTIVE"}]`,
		"/locations": `[{"locationId":11,"locationName":"Room 1","locationType":"ROOM","timeZone":"Europe/Berlin",` +
			`"locationGroups":[{"locationGroupId":21,"locationGroupName":"Inside"}],"status":"ACTIVE"},` +
			`{"locationId":12,"locationName":"garden","locationType":"AREA","timeZone":"Europe/Berlin","locationGroups":[],"status":"ACTIVE"},` +
			`{"locationId":13,"locationName":"desk","locationType":"SERVICE_POINT","timeZone":"Europe/Berlin","locationGroups":[],"status":"ACTIVE"}]`,
		"/services": `[{"serviceId":31,"reasonId":31,"serviceName":"Yoga","serviceDescription":"","color":"#00AA00","duration":60,` +
			`"bufferBefore":0,"bufferAfter":10,"staffIdList":[1,2,3],"active":true},` +
			`{"serviceId":32,"reasonId":32,"serviceName":"Massage","serviceDescription":"","color":null,"duration":0,` +
			`"bufferBefore":0,"bufferAfter":0,"staffIdList":[1],"active":false}]`,
		"/services?staffId=99": `[]`,
		"/services?staffId=2": `[{"serviceId":31,"reasonId":31,"serviceName":"Yoga","serviceDescription":"","color":"#00AA00","duration":60,` +
			`"bufferBefore":0,"bufferAfter":10,"staffIdList":[1,2,3],"active":true}]`,
		"/status": `[{"status":"OPEN","subStatus":"OPEN"},{"status":"OPEN","subStatus":"PENDING"},{"status":"OPEN","subStatus":"CONFIRMED"},` +
			`{"status":"OPEN","subStatus":"CHECKEDIN"},{"status":"OPEN","subStatus":"INPROGRESS"},{"status":"COMPLETED","subStatus":"COMPLETED"},` +
			`{"status":"CANCELLED","subStatus":"CANCELLED"},{"status":"NOSHOW","subStatus":"NOSHOW"}]`,
	} {
		if got := strings.TrimSpace(p.get(path).want(200).Raw); got != want {
			t.Errorf("%s:\n%s, want\n%s", path, got, want)
		}
	}
	t.Run("one of a list is what the list says of it", func(t *testing.T) {
		for list, ids := range map[string][]string{"/staff": {"1", "2", "3"}, "/locations": {"11", "12", "13"}, "/services": {"31", "32"}} {
			var all []json.RawMessage
			p.in(t).get(list).want(200).Into(&all)
			for i, id := range ids {
				if got := strings.TrimSpace(p.in(t).get(list + "/" + id).want(200).Raw); got != string(all[i]) {
					t.Errorf("%s/%s: %s, want %s", list, id, got, all[i])
				}
			}
			for id, want := range map[string]int{"99": 404, "0": 404, "-1": 404, "14": 404, "21": 404, "99999999999999999999": 404, "x": 400, "1.0": 400} {
				p.in(t).get(list + "/" + id).want(want)
			}
			p.in(t).as(nobody).get(list + "/" + ids[0]).want(403)
			p.in(t).as(rival).get(list + "/31").want(404)
		}
		p.in(t).as(forAda).get("/locations/11").want(404) // not to be read
	})
	t.Run("integers that are none of the kind", func(t *testing.T) {
		for _, id := range []string{"11", "99", "0", "-1", "99999999999999999999"} {
			p.in(t).get("/staff/" + id).want(404)
		}
		p.in(t).get("/staff/ada").want(400)
		p.in(t).get("/services?staffId=x").want(400)
		p.in(t).get("/staff/1/2").want(404)
		p.in(t).get("/calendar/range").want(404)
	})
}
