package house

import (
	"testing"
	"time"

	"daybook/api/rest"
)

func TestResources(t *testing.T) {
	p := newPlace(t)
	var list rest.List[Resource]
	p.get("/v1/resources?limit=2").want(200).into(&list)
	if len(list.Items) != 2 || list.Items[0].Name != "ada" || list.Next == "" {
		t.Fatalf("%+v", list)
	}
	p.get("/v1/resources?cursor=" + list.Next).want(200).into(&list)
	if len(list.Items) != 3 || list.Items[0].Name != "desk" || list.Next != "" {
		t.Fatalf("%+v", list)
	}
	if p.as(forAda).get("/v1/resources").want(200).into(&list); len(list.Items) != 1 {
		t.Errorf("%+v", list)
	}
	if p.get("/v1/resources?kind=room").want(200).into(&list); len(list.Items) != 1 || list.Items[0].Name != "room-1" {
		t.Errorf("%+v", list)
	}
	p.get("/v1/resources?kind=user").want(422)

	var one, again Resource
	made := p.with("Idempotency-Key", "1").do("POST", "/v1/resources", `{"kind": "room", "name": "room-2", "color": "#00ff00", "zone": "Europe/Rome"}`).want(201).into(&one)
	if p.get(made.Header().Get("Location")).want(200).into(&again); again.Name != "room-2" || again.Zone != "Europe/Rome" || again.Alias == 0 {
		t.Errorf("%+v", again)
	}
	p.with("Idempotency-Key", "1").do("POST", "/v1/resources", `{"kind": "room", "name": "room-2", "color": "#00ff00", "zone": "Europe/Rome"}`).want(201).into(&again)
	if again.ID != one.ID {
		t.Error("a repeated request made another resource")
	}
	p.with("Idempotency-Key", "1").do("POST", "/v1/resources", `{"kind": "room", "name": "room-3"}`).want(422)
	p.do("POST", "/v1/resources", `{"kind": "room", "name": "room-2"}`).want(409)
	p.do("POST", "/v1/resources", `{"kind": "user", "color": "red", "zone": "x"}`).want(422)
	p.as(writer).do("POST", "/v1/resources", `{"kind": "room", "name": "room-3"}`).want(403)

	tag := p.get("/v1/resources/room-2").Header().Get("ETag")
	p.at(now.Add(time.Hour))
	p.with("If-Match", tag).do("PATCH", "/v1/resources/room-2", `{"color": null, "display_name": "Second"}`).want(200).into(&one)
	if one.Color != nil || one.Title != "Second" || one.Zone != "Europe/Rome" {
		t.Errorf("%+v", one)
	}
	p.with("If-Match", tag).do("PATCH", "/v1/resources/room-2", `{}`).want(412)
	p.with("If-Match", tag).do("DELETE", "/v1/resources/room-2", "").want(412)
	p.as(reader).do("PATCH", "/v1/resources/room-2", `{}`).want(403)
	p.as(reader).do("DELETE", "/v1/resources/room-2", "").want(403)
	p.as(rival).do("DELETE", "/v1/resources/room-2", "").want(404)
	p.do("DELETE", "/v1/resources/room-2", "").want(204)
	p.get("/v1/resources/room-2").want(404)
	p.get("/v1/resources/eve").want(404)
	p.get("/v1/resources/grace").want(404)
}
