package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// How long a part may take until its socket exists.
const ready = 60 * time.Second

func start(path string) error {
	known, err := read(path)
	if err != nil {
		return err
	}
	if err := enter_groups(known.Groups); err != nil {
		return err
	}
	return in_namespaces("inside", path)
}

// Process 1 of the node.
func inside(path string) error {
	known, err := read(path)
	if err != nil {
		return err
	}
	if err := private(); err != nil {
		return err
	}
	if err := syscall.Sethostname([]byte(known.Name)); err != nil {
		return err
	}
	if err := syscall.Mount("proc", "/proc", "proc", 0, ""); err != nil {
		return fmt.Errorf("cannot mount /proc: %w", err)
	}
	if err := own_groups(); err != nil {
		return err
	}
	if err := folders(known); err != nil {
		return err
	}
	if err := ip(known.Network); err != nil {
		return err
	}
	for _, one := range known.Forwards {
		if err := one.listen(); err != nil {
			return err
		}
	}
	if err := silence(known.Silent); err != nil {
		return err
	}
	if err := dial(); err != nil {
		return err
	}
	if err := serve_sandbox(); err != nil {
		return err
	}
	return run(known.Parts)
}

// Nothing that is mounted from now on shows outside.
func private() error {
	if err := syscall.Mount("", "/", "", syscall.MS_PRIVATE|syscall.MS_REC, ""); err != nil {
		return fmt.Errorf("cannot make the mounts private: %w", err)
	}
	return nil
}

func folders(known *config) error {
	if err := etc(known.Folder); err != nil {
		return err
	}
	// The programs may be below a folder that is covered next.
	programs := filepath.Join(known.Folder, "run", "programs")
	if err := os.MkdirAll(programs, 0o755); err != nil {
		return err
	}
	for name, place := range known.Programs {
		file := filepath.Join(programs, name)
		if err := os.WriteFile(file, nil, 0o755); err != nil {
			return err
		}
		if err := syscall.Mount(place, file, "", syscall.MS_BIND, ""); err != nil {
			return fmt.Errorf("cannot mount %s: %w", place, err)
		}
	}
	// The path of a socket is short, and so its folder has another place outside.
	shown, made := filepath.Join(known.Folder, "run", "emulator"), filepath.Join(known.Folder, "s")
	if err := syscall.Mount(made, shown, "", syscall.MS_BIND, ""); err != nil {
		return fmt.Errorf("cannot mount %s: %w", made, err)
	}
	var sources []int
	for _, name := range []string{"run", "var"} {
		source, err := syscall.Open(filepath.Join(known.Folder, name), syscall.O_RDONLY|syscall.O_DIRECTORY, 0)
		if err != nil {
			return err
		}
		sources = append(sources, source)
	}
	for at, place := range []string{"/run", "/var"} {
		// By its handle: the path may be below the one that was covered before.
		if err := syscall.Mount(fmt.Sprintf("/proc/self/fd/%d", sources[at]), place, "", syscall.MS_BIND|syscall.MS_REC, ""); err != nil {
			return fmt.Errorf("cannot mount %s: %w", place, err)
		}
		_ = syscall.Close(sources[at])
	}
	for _, name := range []string{"/var/lib/kubelet", "/var/log/pods", "/var/lib/cni", "/var/tmp"} {
		if err := os.MkdirAll(name, 0o755); err != nil {
			return err
		}
	}
	// `/var/run` is a link everywhere, and /var/lock is one in places.
	return os.Symlink("/run", "/var/run")
}

// Lays what is in the folder's `etc` over /etc.
func etc(folder string) error {
	upper, work := filepath.Join(folder, "etc"), filepath.Join(folder, "etc.work")
	for _, one := range []string{upper, work} {
		if err := os.MkdirAll(one, 0o755); err != nil {
			return err
		}
	}
	options := fmt.Sprintf("lowerdir=/etc,upperdir=%s,workdir=%s", upper, work)
	if err := syscall.Mount("overlay", "/etc", "overlay", 0, options); err != nil {
		return fmt.Errorf("cannot mount an overlay: %w", err)
	}
	return nil
}

// Runs commands of `ip`.
func ip(commands string) error {
	command := exec.Command("ip", "-batch", "-")
	command.Stdin = strings.NewReader(commands)
	said, err := command.CombinedOutput()
	if err != nil {
		return fmt.Errorf("ip: %w: %s", err, bytes.TrimSpace(said))
	}
	return nil
}

// A part that ends sooner after its start is not started again.
const soon = 10 * time.Second

// A part that runs.
type process struct {
	part
	began time.Time
}

// Starts the parts, one after another, and runs until one has ended that is not started again.
func run(parts []part) error {
	running := map[int]process{}
	for _, one := range parts {
		if err := one.start(running); err != nil {
			return err
		}
		for end := time.Now().Add(ready); one.Ready != ""; {
			if _, err := os.Stat(one.Ready); err == nil {
				break
			}
			if time.Now().After(end) {
				return fmt.Errorf("%s was not ready within %s: %s", one.Name, ready, tail(one.Name))
			}
			if err := reap(running, syscall.WNOHANG); err != nil {
				return err
			}
			time.Sleep(20 * time.Millisecond)
		}
	}
	for {
		if err := reap(running, 0); err != nil {
			return err
		}
	}
}

// Takes note of a process that has ended, if there is one or after a wait for one. Process 1 inherits those that others leave behind.
func reap(running map[int]process, options int) error {
	var status syscall.WaitStatus
	pid, err := syscall.Wait4(-1, &status, options, nil)
	if err == syscall.EINTR || err == nil && pid <= 0 {
		return nil
	}
	if err != nil {
		return err
	}
	one, known := running[pid]
	if !known {
		return nil
	}
	delete(running, pid)
	if one.Restarts && time.Since(one.began) > soon {
		return one.start(running)
	}
	return fmt.Errorf("%s ended with status %d: %s", one.Name, status.ExitStatus(), tail(one.Name))
}

func (one part) start(running map[int]process) error {
	log, err := os.OpenFile("/var/log/"+one.Name+".log", os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	null, err := os.Open(os.DevNull)
	if err != nil {
		return err
	}
	defer null.Close()
	environment := []string{
		"PATH=/run/programs:" + os.Getenv("PATH"), "HOME=/var/lib", "TMPDIR=/var/tmp", "SSL_CERT_FILE=/run/node/ca.pem",
		"LANG=" + os.Getenv("LANG"),
	}
	attributes := &os.ProcAttr{Dir: "/", Env: environment, Files: []*os.File{null, log, log}, Sys: &syscall.SysProcAttr{Setsid: true}}
	started, err := os.StartProcess("/run/programs/"+one.Name, append([]string{one.Name}, one.Arguments...), attributes)
	if err != nil {
		return err
	}
	running[started.Pid] = process{one, time.Now()}
	return nil
}

// The end of the log of a part.
func tail(name string) string {
	data, _ := os.ReadFile("/var/log/" + name + ".log")
	return string(data[max(0, len(data)-1500):])
}
