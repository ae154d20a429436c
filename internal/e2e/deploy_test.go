package e2e

import (
	"errors"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"
	"gopkg.in/yaml.v3"

	"footnote/internal/config"
)

// No container engine takes part: the compose file is read by the specification's own loader, and the Dockerfile's promises are looked for.
func TestDeploy_ComposeFileIsValidAndHardened(t *testing.T) {
	t.Parallel()
	content, err := os.ReadFile("../../deploy/docker-compose.yml")
	if err != nil {
		t.Fatal(err)
	}
	for profile, want := range map[string][]string{"embedded": {"footnote"}, "production": {"balancer", "postgres", "qdrant", "replica"}} {
		project, err := loader.LoadWithContext(t.Context(), types.ConfigDetails{
			WorkingDir: "../../deploy", ConfigFiles: []types.ConfigFile{{Filename: "docker-compose.yml", Content: content}},
			Environment: types.Mapping{"POSTGRES_PASSWORD": "pg", "QDRANT_API_KEY": "qd", "FOOTNOTE_API_KEY": "0123456789abcdef0123"},
		}, loader.WithProfiles([]string{profile}))
		if err != nil {
			t.Fatal(err)
		}
		if got := project.ServiceNames(); !slices.Equal(got, want) {
			t.Errorf("%s has services %v, want %v", profile, got, want)
		}
		published := 0
		for name, s := range project.Services {
			if len(s.CapDrop) != 1 || s.CapDrop[0] != "ALL" || s.HealthCheck == nil || len(s.SecurityOpt) == 0 || s.Deploy == nil || s.Deploy.Resources.Limits == nil {
				t.Errorf("%s: cap_drop %v, health check %v, limits %v", name, s.CapDrop, s.HealthCheck, s.Deploy)
			}
			if s.Build == nil && !regexp.MustCompile(`:v?\d+\.\d+`).MatchString(s.Image) {
				t.Errorf("%s: image %q has no pinned version", name, s.Image)
			}
			if s.Build != nil && (!s.ReadOnly || s.Build.Dockerfile != "deploy/Dockerfile") {
				t.Errorf("%s: read_only %t, build %+v", name, s.ReadOnly, s.Build)
			}
			for _, p := range s.Ports {
				published++
				if p.HostIP != "127.0.0.1" || p.Target != 8080 {
					t.Errorf("%s publishes %+v", name, p)
				}
			}
		}
		if published != 1 {
			t.Errorf("%s publishes %d ports", profile, published)
		}
		if profile == "production" {
			r := project.Services["replica"]
			if r.Deploy.Replicas == nil || *r.Deploy.Replicas < 2 || len(r.DependsOn) != 2 {
				t.Errorf("replicas: %+v, depends on %v", r.Deploy.Replicas, r.DependsOn)
			}
			// The service takes these settings as they are.
			var environ []string
			for name, value := range r.Environment {
				if value != nil {
					environ = append(environ, name+"="+*value)
				}
			}
			if c, err := config.Load(append(environ, "FOOTNOTE_LISTEN=0.0.0.0:8080"), "", nil); err != nil || !c.Postgres() || !c.Qdrant() {
				t.Errorf("the replica's settings: %v", err)
			}
		}
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

// The Kubernetes example is well-formed and hardened alike.
func TestDeploy_KubernetesExampleIsWellFormed(t *testing.T) {
	t.Parallel()
	f, err := os.Open("../../deploy/kubernetes.yaml")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	kinds := map[string]int{}
	for d := yaml.NewDecoder(f); ; {
		var object struct {
			APIVersion string `yaml:"apiVersion"`
			Kind       string
			Metadata   struct{ Name string }
			Spec       struct {
				Replicas int
				Template struct {
					Spec struct {
						SecurityContext struct {
							RunAsNonRoot bool `yaml:"runAsNonRoot"`
						} `yaml:"securityContext"`
						Containers []struct {
							Image          string
							ReadinessProbe *yaml.Node `yaml:"readinessProbe"`
							Resources      struct{ Limits map[string]string }
						}
					}
				}
			}
		}
		if err := d.Decode(&object); err != nil {
			if errors.Is(err, io.EOF) {
				break
			}
			t.Fatal(err)
		}
		if object.APIVersion == "" || object.Kind == "" || object.Metadata.Name == "" {
			t.Errorf("an object lacks apiVersion, kind or name: %+v", object)
		}
		kinds[object.Kind]++
		if object.Kind != "Deployment" {
			continue
		}
		pod := object.Spec.Template.Spec
		if object.Spec.Replicas < 2 || !pod.SecurityContext.RunAsNonRoot || len(pod.Containers) != 1 || pod.Containers[0].ReadinessProbe == nil || pod.Containers[0].Resources.Limits["memory"] == "" {
			t.Errorf("the deployment: %+v", object.Spec)
		}
	}
	for _, kind := range []string{"Deployment", "Service", "Secret", "PodDisruptionBudget"} {
		if kinds[kind] != 1 {
			t.Errorf("there are %d objects of kind %s", kinds[kind], kind)
		}
	}
}
