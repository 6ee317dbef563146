//go:build tools

// Package tools names the one program this module exists to build, so that `go mod tidy` keeps its versions.
package tools

import _ "github.com/jaegertracing/jaeger/cmd/jaeger"
