package config

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestLLMs_AreListedInOrder(t *testing.T) {
	t.Chdir(t.TempDir())
	file := filepath.Join(t.TempDir(), "footnote.yaml")
	if err := os.WriteFile(file, []byte("llm:\n  base_url: http://127.0.0.1:9/v1\n  model: 一\n  context: 4096\n  temperature: 0.5\n  seed: -1\n  2: {base_url: 'https://b.example/v1', model: two, api_key: sk-canary}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := Load([]string{"FOOTNOTE_LLM_3_BASE_URL=http://c.example", "FOOTNOTE_LLM_3_MODEL=three", "FOOTNOTE_LLM_3_CONTEXT=1000", "FOOTNOTE_LLM_MAX_TOKENS=100"}, file, nil)
	if err != nil {
		t.Fatal(err)
	}
	settings, endpoints := c.LLMs()
	if !slices.Equal(settings, []string{"FOOTNOTE_LLM", "FOOTNOTE_LLM_2", "FOOTNOTE_LLM_3"}) {
		t.Errorf("got %v", settings)
	}
	want := []LLM{{"http://127.0.0.1:9/v1", "一", "", 4096}, {"https://b.example/v1", "two", "sk-canary", 0}, {"http://c.example", "three", "", 1000}}
	if !slices.Equal(endpoints, want) || c.LLMTemperature != 0.5 || *c.LLMSeed != -1 || c.LLMMaxTokens != 100 {
		t.Errorf("got %+v %+v", endpoints, c)
	}
	if s := fmt.Sprintf("%v %+v %#v", c, endpoints, endpoints); strings.Contains(s, "canary") {
		t.Errorf("a key is printed: %s", s)
	}
}

func TestLLMs_ProblemsAreReported(t *testing.T) {
	t.Chdir(t.TempDir())
	const first = "FOOTNOTE_LLM_BASE_URL=http://a/v1 FOOTNOTE_LLM_MODEL=a "
	for environ, want := range map[string]string{
		"FOOTNOTE_LLM_BASE_URL=http://a/v1":                               "FOOTNOTE_LLM_BASE_URL and FOOTNOTE_LLM_MODEL go together",
		first + "FOOTNOTE_LLM_2_MODEL=b":                                  "FOOTNOTE_LLM_2_BASE_URL and FOOTNOTE_LLM_2_MODEL go together",
		first + "FOOTNOTE_LLM_3_MODEL=b FOOTNOTE_LLM_3_BASE_URL=http://b": "FOOTNOTE_LLM_3 names a language model, and the one before it is not named",
		"FOOTNOTE_LLM_2_MODEL=b FOOTNOTE_LLM_2_BASE_URL=http://b":         "the one before it is not named",
		first + "FOOTNOTE_LLM_2_API_KEY=sk-canary":                        "need FOOTNOTE_LLM_2_BASE_URL",
		first + "FOOTNOTE_LLM_2_MODEL=b FOOTNOTE_LLM_2_BASE_URL=ftp://b":  "FOOTNOTE_LLM_2_BASE_URL must be an http",
		first + "FOOTNOTE_LLM_2_BASE_ULR=b":                               "did you mean FOOTNOTE_LLM_2_BASE_URL?",
		first + "FOOTNOTE_LLM_5_MODEL=b":                                  "unknown setting FOOTNOTE_LLM_5_MODEL",
		first + "FOOTNOTE_LLM_CONTEXT=12":                                 "FOOTNOTE_LLM_CONTEXT must be between 512",
		first + "FOOTNOTE_LLM_TEMPERATURE=3":                              "FOOTNOTE_LLM_TEMPERATURE must be between 0 and 2",
		first + "FOOTNOTE_LLM_MAX_TOKENS=9999":                            "FOOTNOTE_LLM_MAX_TOKENS must be between 1 and 8192",
	} {
		if _, err := Load(strings.Fields(environ), "", nil); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: got %v, want %q", environ, err, want)
		}
	}
}
