package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"footnote/api"
)

// operation is one of the contract's, with the scope that it says it needs.
type operation struct{ method, path, id, scope string }

// operations reads them from the contract: reads first, deletions last, so that one sees what another needs.
func operations(t *testing.T) []operation {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(api.OpenAPI)
	if err != nil {
		t.Fatal(err)
	}
	var out []operation
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			scope, _ := op.Extensions["x-scope"].(string)
			out = append(out, operation{method, path, op.OperationID, scope})
		}
	}
	order := map[string]int{"GET": 0, "POST": 1, "PUT": 2, "PATCH": 3, "DELETE": 4}
	sort.Slice(out, func(i, j int) bool {
		a, b := out[i], out[j]
		if order[a.method] != order[b.method] {
			return order[a.method] < order[b.method]
		}
		return len(a.path)*1000+int(a.path[len(a.path)-1]) > len(b.path)*1000+int(b.path[len(b.path)-1]) // what is below first
	})
	return out
}

// things are what an operation is pointed at.
type things struct{ collection, document, id, job, citation, key, answer string }

// request makes a request for an operation: its path, and a body that is good for it.
func (o operation) request(at things) (path, body string) {
	path = strings.NewReplacer("{collection}", at.collection, "{external_id}", at.document, "{document}", at.id, "{job}", at.job, "{citation}", at.citation, "{key}", at.key, "{answer}", at.answer, "{model}", "multilingual-e5-small").Replace(o.path)
	marshal := func(v any) string { b, _ := json.Marshal(v); return string(b) }
	switch o.id {
	case "createCollection":
		body = marshal(map[string]any{"name": at.collection})
	case "updateCollection":
		body = marshal(map[string]any{"description": "x"})
	case "addDocuments":
		body = marshal(map[string]any{"external_id": "more", "text": "More text of some length."})
	case "putDocument":
		body = marshal(map[string]any{"text": "Other text of some length."})
	case "search", "query", "renderPrompt":
		body = marshal(map[string]any{"query": "leave", "collections": []string{at.collection}})
	case "ground":
		body = marshal(map[string]any{"text": "Leave is paid.", "collections": []string{at.collection}})
	case "parse":
		body = marshal(map[string]any{"text": "# Leave", "collection": at.collection})
	case "createEmbedding":
		body = marshal(map[string]any{"model": "multilingual-e5-small", "input": "leave"})
	case "createKey":
		body = marshal(map[string]any{"name": "x", "scope": "read"})
	case "deleteDocuments":
		path += `?filter={"type":"eq","key":"k","value":"none"}`
	}
	return strings.ReplaceAll(path, `"`, "%22"), body
}

func (s *service) with(key, method, path, body string) response {
	s.t.Helper()
	var r io.Reader
	contentType := ""
	if body != "" {
		r, contentType = strings.NewReader(body), "application/json"
	}
	if key == "" {
		return s.send(method, path, contentType, r)
	}
	return s.send(method, path, contentType, r, "Authorization", "Bearer "+key)
}

const rootKey = "root-key-0123456789abcdef"

func (s *service) makeKey(body map[string]any) (id, secret string) {
	s.t.Helper()
	b, _ := json.Marshal(body)
	a := s.with(rootKey, "POST", "/v1/keys", string(b))
	if a.status != 201 {
		s.t.Fatalf("make a key: %d %s", a.status, a.body)
	}
	var k struct{ ID, Secret string }
	a.json(s.t, &k)
	return k.ID, k.Secret
}

// TestAccess_Matrix sends every operation of the contract with every kind of credential.
func TestAccess_Matrix(t *testing.T) { bothModes(t, testAccessMatrix) }

func testAccessMatrix(t *testing.T) {
	s := startService(t, "API_KEY="+rootKey)
	mine := things{collection: "mine", document: "d"}
	for _, name := range []string{"mine", "theirs"} {
		if a := s.with(rootKey, "POST", "/v1/collections", `{"name": "`+name+`"}`); a.status != 201 {
			t.Fatalf("%d %s", a.status, a.body)
		}
		a := s.with(rootKey, "POST", "/v1/collections/"+name+"/documents?wait=60s", `{"external_id": "d", "text": "Parental leave lasts sixteen weeks at full pay."}`)
		var got struct {
			Job       struct{ ID string }
			Documents []struct{ ID string }
		}
		a.json(t, &got)
		if name == "mine" {
			mine.job, mine.id = got.Job.ID, got.Documents[0].ID
		}
	}
	var answer answerJSON
	s.with(rootKey, "POST", "/v1/query", `{"query": "How long does parental leave last?", "collections": ["mine"]}`).json(t, &answer)
	if len(answer.Citations) == 0 {
		t.Fatalf("no citation in %+v", answer)
	}
	mine.citation = answer.Citations[0].ID
	mine.key, _ = s.makeKey(map[string]any{"name": "to be revoked by the matrix", "scope": "read"})

	keys := map[string]string{"none": "", "garbage": "fnk_0000000000000000000000", "another scheme": ""}
	scopes := map[string]string{}
	revokedID, revoked := s.makeKey(map[string]any{"name": "revoked", "scope": "admin"})
	if a := s.with(revoked, "GET", "/v1/collections", ""); a.status != 200 {
		t.Fatalf("a key that is to be revoked: %d", a.status) // it is cached as good now
	}
	if a := s.with(rootKey, "DELETE", "/v1/keys/"+revokedID, ""); a.status != 200 {
		t.Fatalf("revoke: %d", a.status)
	}
	keys["revoked"] = revoked
	_, expiring := s.makeKey(map[string]any{"name": "expired", "scope": "admin", "expires_at": time.Now().Add(1200 * time.Millisecond).UTC().Format(time.RFC3339Nano)})
	if a := s.with(expiring, "GET", "/v1/collections", ""); a.status != 200 {
		t.Fatalf("a key before it expires: %d", a.status)
	}
	keys["expired"] = expiring
	add := func(name, scope string, collections ...string) {
		body := map[string]any{"name": name, "scope": scope}
		if len(collections) > 0 {
			body["collections"] = collections
		}
		_, keys[name] = s.makeKey(body)
		scopes[name] = scope
	}
	for _, scope := range []string{"read", "write", "admin"} {
		add(scope, scope)
	}
	add("read of theirs", "read", "theirs")
	add("write of theirs", "write", "theirs")
	add("read of mine", "read", "mine")
	add("write of mine", "write", "mine")
	// A streamed answer is its asker's alone: a key that reaches the collection looks at its own, any other at one that is not.
	streamed := func(key string) string {
		a := s.with(key, "POST", "/v1/query", `{"query": "How long does parental leave last?", "collections": ["mine"], "stream": true}`)
		var created struct{ ID string }
		response{body: eventsOf(t, a.body)[0].data}.json(t, &created)
		return created.ID
	}
	mine.answer = streamed(rootKey)
	own := map[string]string{}
	for name := range scopes {
		if !strings.Contains(name, "theirs") {
			own[name] = streamed(keys[name])
		}
	}
	time.Sleep(1300 * time.Millisecond) // the time that the key has to expire; nothing signals it

	level := map[string]int{"read": 1, "write": 2, "admin": 3}
	cases := 0
	nowhere := things{collection: "nowhere", document: "d", id: "doc_none", job: "job_none", citation: "cit_none", key: "key_none", answer: "ans_none"}
	blank := func(b []byte, at things) string {
		out := regexp.MustCompile(`"request_id":"[^"]*"`).ReplaceAllString(string(b), "")
		return strings.ReplaceAll(out, at.collection, "NAME")
	}
	for _, o := range operations(t) {
		for name, key := range keys {
			if (o.method == "DELETE" || o.id == "createCollection") && scopes[name] != "" && level[scopes[name]] >= level[o.scope] && !strings.Contains(name, "theirs") {
				continue // it would be carried out; the flows do that
			}
			cases++
			at := mine
			if own[name] != "" {
				at.answer = own[name]
			}
			path, body := o.request(at)
			if name == "another scheme" {
				a := s.send(o.method, path, "", nil, "Authorization", "Basic "+rootKey)
				if a.status != 401 && o.scope != "public" {
					t.Errorf("%s with Basic: got %d, want 401", o.id, a.status)
				}
				continue
			}
			a := s.with(key, o.method, path, body)
			switch {
			case o.scope == "public":
				if a.status != 200 {
					t.Errorf("%s with %s: got %d, want 200", o.id, name, a.status)
				}
			case scopes[name] == "":
				if a.status != 401 || a.header.Get("WWW-Authenticate") == "" {
					t.Errorf("%s with %s: got %d, want 401", o.id, name, a.status)
				}
			case level[scopes[name]] < level[o.scope]:
				if a.status != 403 {
					t.Errorf("%s with %s: got %d, want 403", o.id, name, a.status)
				}
			case strings.Contains(name, "theirs"):
				s.foreign(o, name, a, func() response {
					path, body := o.request(nowhere)
					return s.with(keys[scopes[name]], o.method, path, body)
				}, func(b []byte) string { return blank(b, mine) }, func(b []byte) string { return blank(b, nowhere) })
			case a.status == 404 && bytes.Contains(a.body, []byte("is not being re-embedded")): // it may look, and there is none
			case a.status == 401 || a.status == 403 || a.status == 404 || a.status >= 500:
				t.Errorf("%s with %s: got %d: %s", o.id, name, a.status, a.body)
			}
		}
	}
	// Whatever a foreign key tried, nothing of mine has changed.
	var got struct {
		Documents   int
		Description string
	}
	s.with(rootKey, "GET", "/v1/collections/mine", "").json(t, &got)
	if got.Documents == 0 {
		t.Error("the matrix emptied the collection")
	}
	t.Logf("%d cases", cases)
}

// foreign holds the answer to a key that does not reach the thing to the answer about a thing that is not there.
func (s *service) foreign(o operation, name string, got response, absent func() response, blank, blankAbsent func([]byte) string) {
	s.t.Helper()
	switch o.id {
	case "listCollections", "listJobs":
		if got.status != 200 || bytes.Contains(got.body, []byte(`"mine"`)) || !bytes.Contains(got.body, []byte(`"theirs"`)) {
			s.t.Errorf("%s with %s: got %d %s", o.id, name, got.status, got.body)
		}
	case "createEmbedding", "listModels", "getModel": // they are of no collection
		if got.status != 200 {
			s.t.Errorf("%s with %s: got %d %s, want 200", o.id, name, got.status, got.body)
		}
	case "createCollection":
		if got.status != 403 {
			s.t.Errorf("%s with %s: got %d, want 403", o.id, name, got.status)
		}
	default:
		want := absent()
		if got.status != 404 || want.status != 404 || blank(got.body) != blankAbsent(want.body) {
			s.t.Errorf("%s with %s: got %d %s; what is absent gives %d %s", o.id, name, got.status, got.body, want.status, want.body)
		}
	}
}

func TestAccess_KeysAreShownOnceAndLimitedInRate(t *testing.T) { bothModes(t, testAccessKeys) }

func testAccessKeys(t *testing.T) {
	s := startService(t)
	if a := s.with("", "GET", "/v1/collections", ""); a.status != 200 {
		t.Fatalf("without any key: %d", a.status)
	}
	a := s.with("", "POST", "/v1/keys", `{"name": "網站", "scope": "admin"}`)
	var k struct{ ID, Secret, Prefix string }
	a.json(t, &k)
	if a.status != 201 || len(k.Secret) != 36 || !strings.HasPrefix(k.Secret, k.Prefix) || len(k.Prefix) > 10 {
		t.Fatalf("got %d %s", a.status, a.body)
	}
	for start := time.Now(); s.with("", "GET", "/v1/collections", "").status != 401; time.Sleep(50 * time.Millisecond) {
		if time.Since(start) > 10*time.Second {
			t.Fatal("there is a key, and none is asked for")
		}
	}
	list := s.with(k.Secret, "GET", "/v1/keys", "")
	if list.status != 200 || bytes.Contains(list.body, []byte(k.Secret)) || bytes.Contains(list.body, []byte("hash")) {
		t.Errorf("the list: %d %s", list.status, list.body)
	}
	for body, want := range map[string]string{
		`{"name": "", "scope": "read"}`: "/name", `{"name": "x", "scope": "root"}`: "/scope", `{"name": "x", "scope": "read", "collections": ["A B"]}`: "/collections/0",
		`{"name": "x", "scope": "read", "per_minute": -1}`: "/per_minute", `{"name": "x", "scope": "read", "expires_at": "2020-01-01T00:00:00Z"}`: "/expires_at",
		`{"name": "x", "scope": "admin", "collections": ["a"]}`: "/collections", `{"name": "x", "scope": "read", "tenant_id": 1}`: "/tenant_id",
	} {
		if a := s.with(k.Secret, "POST", "/v1/keys", body); a.status != 400 || !bytes.Contains(a.body, []byte(want+`"`)) {
			t.Errorf("%s: got %d %s", body, a.status, a.body)
		}
	}
	a = s.with(k.Secret, "POST", "/v1/keys", `{"name": "limited", "scope": "read", "per_minute": 3}`)
	var limited struct{ Secret string }
	a.json(t, &limited)
	for i := range 5 {
		a := s.with(limited.Secret, "GET", "/v1/collections", "")
		want, left := 200, 2-i
		if i >= 3 {
			want, left = 429, 0
		}
		if a.status != want || a.header.Get("RateLimit") != fmt.Sprintf(`"key";r=%d;t=60`, left) || a.header.Get("RateLimit-Policy") != `"key";q=3;w=60` {
			t.Errorf("request %d: got %d, %q, %q", i, a.status, a.header.Get("RateLimit"), a.header.Get("RateLimit-Policy"))
		}
		if (a.status == 429) != (a.header.Get("Retry-After") != "") {
			t.Errorf("request %d: got %d with Retry-After %q", i, a.status, a.header.Get("Retry-After"))
		}
	}
	if a := s.with(k.Secret, "GET", "/v1/collections", ""); a.status != 200 || a.header.Get("RateLimit") != "" {
		t.Errorf("another key: %d", a.status)
	}
	// One key's idempotent answer is not another's.
	post := func(key string) response {
		return s.send("POST", "/v1/collections", "application/json", strings.NewReader(`{"name": "c"}`), "Authorization", "Bearer "+key, "Idempotency-Key", "same")
	}
	a = s.with(k.Secret, "POST", "/v1/keys", `{"name": "writer", "scope": "write", "collections": ["other"]}`)
	var writer struct{ Secret string }
	a.json(t, &writer)
	if first, second := post(k.Secret), post(writer.Secret); first.status != http.StatusCreated || second.status != http.StatusForbidden {
		t.Errorf("got %d, then %d with another key", first.status, second.status)
	}
}
