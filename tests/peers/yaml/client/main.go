// What Kubernetes reads in a text, by its own packages. Reads one JSON value a line, {"as": "kubectl" or "server", "text": …}, and
// writes one a line: {"objects": […]}, or {"error": …}.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/yaml"
)

type question struct {
	As   string `json:"as"`
	Text string `json:"text"`
}

type answer struct {
	Objects []any  `json:"objects"`
	Error   string `json:"error,omitempty"`
}

// documents does what the visitor of files in k8s.io/cli-runtime does, which kubectl uses: a text is split, each document becomes
// JSON, and the JSON is decoded as an object or a list of objects, which are visited after those beside the list.
func documents(text string) ([]any, error) {
	stream := transform.NewReader(strings.NewReader(text), unicode.BOMOverride(unicode.UTF8.NewDecoder()))
	decoder := yaml.NewYAMLOrJSONDecoder(stream, 4096)
	found := []any{}
	for {
		raw := runtime.RawExtension{}
		if err := decoder.Decode(&raw); errors.Is(err, io.EOF) {
			return found, nil
		} else if err != nil {
			return nil, err
		}
		data := bytes.TrimSpace(raw.Raw)
		if len(data) == 0 || bytes.Equal(data, []byte("null")) {
			continue
		}
		object, _, err := unstructured.UnstructuredJSONScheme.Decode(data, nil, nil)
		if err != nil {
			return nil, err
		}
		objects := []runtime.Object{object}
		for i := 0; i < len(objects); i++ {
			if !meta.IsListType(objects[i]) {
				found = append(found, objects[i].(*unstructured.Unstructured).Object)
				continue
			}
			items, err := meta.ExtractList(objects[i])
			if err != nil {
				return nil, err
			}
			objects = append(objects, items...)
		}
	}
}

// body does what the API server does with the body of an apply.
func body(text string) ([]any, error) {
	object := map[string]any{}
	if err := yaml.Unmarshal([]byte(text), &object); err != nil {
		return nil, err
	}
	return []any{object}, nil
}

func reply(line []byte) answer {
	var asked question
	if err := json.Unmarshal(line, &asked); err != nil {
		return answer{Error: "not a question: " + err.Error()}
	}
	read := documents
	if asked.As == "server" {
		read = body
	}
	objects, err := read(asked.Text)
	if err != nil {
		return answer{Error: err.Error()}
	}
	return answer{Objects: objects}
}

func main() {
	lines := bufio.NewReaderSize(os.Stdin, 1<<20)
	out := json.NewEncoder(os.Stdout)
	for {
		line, err := lines.ReadBytes('\n')
		if len(bytes.TrimSpace(line)) > 0 {
			if err := out.Encode(reply(line)); err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(1)
			}
		}
		if err != nil {
			return
		}
	}
}
