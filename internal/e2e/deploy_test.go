package e2e

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"
)

// No container engine takes part: the compose file is read by the specification's own loader, and the Dockerfile's promises are looked for.
func TestDeploy_ComposeFileIsValidAndHardened(t *testing.T) {
	t.Parallel()
	content, err := os.ReadFile("../../deploy/docker-compose.yml")
	if err != nil {
		t.Fatal(err)
	}
	project, err := loader.LoadWithContext(t.Context(), types.ConfigDetails{
		WorkingDir: "../../deploy", ConfigFiles: []types.ConfigFile{{Filename: "docker-compose.yml", Content: content}}, Environment: types.Mapping{},
	})
	if err != nil {
		t.Fatal(err)
	}
	s, ok := project.Services["footnote"]
	if !ok {
		t.Fatal("there is no service footnote")
	}
	if !s.ReadOnly || len(s.CapDrop) != 1 || s.HealthCheck == nil || len(s.Ports) != 1 || s.Ports[0].HostIP != "127.0.0.1" || s.Ports[0].Target != 8080 {
		t.Errorf("got read_only %t, cap_drop %v, health check %v, ports %v", s.ReadOnly, s.CapDrop, s.HealthCheck, s.Ports)
	}
	if s.Build == nil || s.Build.Dockerfile != "deploy/Dockerfile" {
		t.Errorf("got build %+v", s.Build)
	}
	file, err := os.ReadFile("../../deploy/Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"FROM scratch", "USER 65532:65532", "make build", "HEALTHCHECK", `ENTRYPOINT ["/footnote"]`} {
		if !strings.Contains(string(file), want) {
			t.Errorf("the Dockerfile lacks %q", want)
		}
	}
	module, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	version := regexp.MustCompile(`(?m)^go (\d+\.\d+)`).FindStringSubmatch(string(module))[1]
	if !strings.Contains(string(file), "golang:"+version) {
		t.Errorf("the Dockerfile does not build with Go %s, which go.mod asks for", version)
	}
}
