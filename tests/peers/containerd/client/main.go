// Pulls images as kubelet does, with its client of the container runtime.
//
// Its argument is the address of the runtime's socket. It reads a line of JSON for each order:
//
//	{"image": "registry.example/app:v1", "username": "…", "password": "…"}
//
// and answers with a line: {"image": "sha256:…"}, or {"error": "the text that kubelet shows"}. The order {"remove": "sha256:…"} removes an
// image, so that it is pulled again.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"

	runtime "k8s.io/cri-api/pkg/apis"
	types "k8s.io/cri-api/pkg/apis/runtime/v1"
	remote "k8s.io/cri-client/pkg"
)

type order struct {
	Image    string `json:"image"`
	Username string `json:"username"`
	Password string `json:"password"`
	Remove   string `json:"remove"`
}

type answer struct {
	Image string `json:"image,omitempty"`
	Error string `json:"error,omitempty"`
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "it needs the address of a socket")
		os.Exit(2)
	}
	ctx := context.Background()
	service, err := remote.NewRemoteImageService(ctx, os.Args[1], 30*time.Second, nil, false)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	lines, out := bufio.NewScanner(os.Stdin), json.NewEncoder(os.Stdout)
	out.SetEscapeHTML(false)
	for lines.Scan() {
		var wanted order
		if err := json.Unmarshal(lines.Bytes(), &wanted); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
		var done answer
		if done.Image, err = carryOut(ctx, service, wanted); err != nil {
			done = answer{Error: err.Error()}
		}
		if err := out.Encode(done); err != nil {
			os.Exit(1)
		}
	}
}

func carryOut(ctx context.Context, service runtime.ImageManagerService, wanted order) (string, error) {
	if wanted.Remove != "" {
		return "", service.RemoveImage(ctx, &types.ImageSpec{Image: wanted.Remove})
	}
	var auth *types.AuthConfig
	if wanted.Username != "" || wanted.Password != "" {
		auth = &types.AuthConfig{Username: wanted.Username, Password: wanted.Password}
	}
	return service.PullImage(ctx, &types.ImageSpec{Image: wanted.Image}, auth, nil)
}
