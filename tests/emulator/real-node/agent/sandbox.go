package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"path"
	"runtime"
	"strings"
)

// The registry of the one image that holds the namespaces of each pod. On AKS it is on the node already.
const sandbox_registry = "127.0.0.1:5000"

const manifest_type = "application/vnd.oci.image.manifest.v1+json"

func digest(data []byte) string { return fmt.Sprintf("sha256:%x", sha256.Sum256(data)) }

func serve_sandbox() error {
	blobs, manifest, err := sandbox_image("/run/programs/program")
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", sandbox_registry)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: http.HandlerFunc(func(answer http.ResponseWriter, request *http.Request) {
		data, kind := []byte("{}"), "application/json"
		if strings.Contains(request.URL.Path, "/blobs/") {
			data, kind = blobs[path.Base(request.URL.Path)], "application/octet-stream"
		} else if strings.Contains(request.URL.Path, "/manifests/") {
			data, kind = manifest, manifest_type
		}
		answer.Header().Set("Content-Type", kind)
		answer.Header().Set("Content-Length", fmt.Sprint(len(data)))
		answer.Header().Set("Docker-Content-Digest", digest(data))
		if request.Method != http.MethodHead {
			_, _ = answer.Write(data)
		}
	})}
	go func() { _ = server.Serve(listener) }()
	return nil
}

// An image of one program that waits.
func sandbox_image(program string) (map[string][]byte, []byte, error) {
	data, err := os.ReadFile(program)
	if err != nil {
		return nil, nil, err
	}
	var archive, layer bytes.Buffer
	writer := tar.NewWriter(&archive)
	if err := writer.WriteHeader(&tar.Header{Name: "pause", Mode: 0o755, Size: int64(len(data))}); err != nil {
		return nil, nil, err
	}
	if _, err := writer.Write(data); err != nil {
		return nil, nil, err
	}
	if err := writer.Close(); err != nil {
		return nil, nil, err
	}
	packed, _ := gzip.NewWriterLevel(&layer, gzip.BestSpeed)
	if _, err := packed.Write(archive.Bytes()); err != nil {
		return nil, nil, err
	}
	if err := packed.Close(); err != nil {
		return nil, nil, err
	}
	type object = map[string]any
	described := func(kind string, data []byte) object {
		return object{"mediaType": kind, "digest": digest(data), "size": len(data)}
	}
	config, err := json.Marshal(object{
		"architecture": runtime.GOARCH, "os": "linux", "config": object{"Entrypoint": []string{"/pause"}},
		"rootfs": object{"type": "layers", "diff_ids": []string{digest(archive.Bytes())}},
	})
	if err != nil {
		return nil, nil, err
	}
	manifest, err := json.Marshal(object{
		"schemaVersion": 2, "mediaType": manifest_type, "config": described("application/vnd.oci.image.config.v1+json", config),
		"layers": []object{described("application/vnd.oci.image.layer.v1.tar+gzip", layer.Bytes())},
	})
	blobs := map[string][]byte{digest(config): config, digest(layer.Bytes()): layer.Bytes()}
	return blobs, manifest, err
}
