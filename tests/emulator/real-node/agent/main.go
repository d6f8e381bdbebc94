// What makes a node of the machine that the emulator runs on, in one program without other modules. It does what its first argument
// says, or what the name says by which it is called:
//
//	agent check FOLDER           whether this kernel has what a node needs; FOLDER is for files
//	agent start CONFIG           runs a node until it ends
//	agent inside CONFIG          its second half: process 1 of the node
//	acr-credential-provider ...  kubelet's credential provider
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
)

// The start of a child binds its end to that of a thread, which must not end before the process.
func init() { runtime.LockOSThread() }

func main() {
	if filepath.Base(os.Args[0]) == "acr-credential-provider" {
		end(provide(os.Args[1:]))
	}
	if len(os.Args) != 3 {
		end(fmt.Errorf("usage: agent check|start|inside PATH"))
	}
	switch path := os.Args[2]; os.Args[1] {
	case "check":
		end(check(path))
	case "try":
		end(try(path))
	case "start":
		end(start(path))
	case "inside":
		end(inside(path))
	default:
		end(fmt.Errorf("unknown command %s", os.Args[1]))
	}
}

func end(err error) {
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", filepath.Base(os.Args[0]), err)
		os.Exit(1)
	}
	os.Exit(0)
}
