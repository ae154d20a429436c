package httpapi

import (
	"bytes"
	"html/template"
	"net/http"
	"slices"

	"gopkg.in/yaml.v3"

	"footnote/api"
	"footnote/internal/rag"
)

type healthAnswer struct {
	Status  string `json:"status"`
	Version string `json:"version"`
}

func (s *server) health(w http.ResponseWriter, _ *http.Request) {
	_ = reply(w, http.StatusOK, healthAnswer{"ok", s.o.Version})
}

func (s *server) ready(w http.ResponseWriter, r *http.Request) {
	if err := s.o.Ready(r.Context()); err != nil {
		s.problem(w, r, rag.Errorf(rag.Unavailable, "The store cannot be read: %w", err))
		return
	}
	_ = reply(w, http.StatusOK, healthAnswer{"ready", s.o.Version})
}

func (s *server) docsHandler(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
	_, _ = w.Write(s.docs) // the client is gone when this fails
}

// docsPage renders the contract for people, once; it loads nothing from anywhere.
func docsPage() []byte {
	var spec struct {
		Info  struct{ Title, Version, Description string }
		Tags  []struct{ Name string }
		Paths yaml.Node
	}
	if err := yaml.Unmarshal(api.OpenAPI, &spec); err != nil {
		panic("api/openapi.yaml: " + err.Error()) // embedded: a broken one cannot be built past the tests
	}
	type operation struct{ Method, Path, Summary, Description string }
	groups := map[string][]operation{}
	for i := 0; i+1 < len(spec.Paths.Content); i += 2 {
		methods := spec.Paths.Content[i+1]
		for j := 0; j+1 < len(methods.Content); j += 2 {
			var op struct {
				Tags                 []string
				Summary, Description string
			}
			method := methods.Content[j].Value
			if !slices.Contains([]string{"get", "post", "put", "patch", "delete"}, method) || methods.Content[j+1].Decode(&op) != nil || len(op.Tags) == 0 {
				continue
			}
			groups[op.Tags[0]] = append(groups[op.Tags[0]], operation{method, spec.Paths.Content[i].Value, op.Summary, op.Description})
		}
	}
	var b bytes.Buffer
	if err := docsTemplate.Execute(&b, map[string]any{"Info": spec.Info, "Tags": spec.Tags, "Groups": groups}); err != nil {
		panic("docs page: " + err.Error())
	}
	return b.Bytes()
}

var docsTemplate = template.Must(template.New("docs").Parse(`<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>{{.Info.Title}} API</title>
<style>
body{font:16px/1.5 system-ui,sans-serif;max-width:52rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a;background:#fff}
h2{margin-top:2rem;text-transform:capitalize}code{font:14px ui-monospace,monospace}li{margin:.5rem 0}b{display:inline-block;min-width:4.2rem;text-transform:uppercase;color:#0b5}
p{white-space:pre-line;margin:.2rem 0 0}ul{list-style:none;padding:0}@media(prefers-color-scheme:dark){body{color:#ddd;background:#151515}a{color:#8cf}}
</style>
<h1>{{.Info.Title}} {{.Info.Version}}</h1>
<p>{{.Info.Description}}</p>
<p>The whole contract, with every field: <a href="/openapi.yaml">/openapi.yaml</a> (OpenAPI 3.1).</p>
{{$groups := .Groups}}{{range .Tags}}<h2>{{.Name}}</h2><ul>
{{range index $groups .Name}}<li><code><b>{{.Method}}</b>{{.Path}}</code><br>{{.Summary}}{{with .Description}}<p>{{.}}</p>{{end}}</li>
{{end}}</ul>{{end}}</html>
`))
