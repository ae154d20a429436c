// Package api holds the contract: the OpenAPI description of the HTTP API, which changes before the code does.
package api

import _ "embed"

// OpenAPI is openapi.yaml.
//
//go:embed openapi.yaml
var OpenAPI []byte
