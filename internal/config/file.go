package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"gopkg.in/yaml.v3"
)

// readFile flattens the YAML file into setting names: {llm: {base_url: x}} becomes LLM_BASE_URL.
func readFile(path string) (map[string]string, error) {
	named := path != ""
	if !named {
		path = "footnote.yaml"
	}
	b, err := os.ReadFile(filepath.Clean(path))
	if errors.Is(err, os.ErrNotExist) && !named {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("configuration file: %w", err)
	}
	var tree map[string]any
	if err := yaml.Unmarshal(b, &tree); err != nil {
		return nil, fmt.Errorf("configuration file %s: %w", path, err)
	}
	out := map[string]string{}
	flatten(out, "", tree)
	return out, nil
}

func flatten(out map[string]string, at string, tree map[string]any) {
	for k, v := range tree {
		name := at + strings.ToUpper(k)
		switch v := v.(type) {
		case map[string]any:
			flatten(out, name+"_", v)
		case map[any]any: // a key is a number, as in {llm: {2: {model: m}}}
			named := map[string]any{}
			for k, x := range v {
				named[fmt.Sprint(k)] = x
			}
			flatten(out, name+"_", named)
		case []any:
			items := make([]string, len(v))
			for i, x := range v {
				items[i] = fmt.Sprint(x)
			}
			out[name] = strings.Join(items, ",")
		case nil:
		default:
			out[name] = fmt.Sprint(v)
		}
	}
}
