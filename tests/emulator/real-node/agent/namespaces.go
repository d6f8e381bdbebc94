package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// A node, as the emulator describes it.
type config struct {
	// The name of the node and of its control groups.
	Name   string
	Groups string
	// What the node sees as /etc (changes only), /run and /var is below.
	Folder string
	// The programs by name, each with its place outside.
	Programs map[string]string
	// Commands of `ip`, one a line.
	Network string
	// What listens inside, and the socket in /run/emulator that each connection goes on to.
	Forwards []forward
	// An address that does not respond.
	Silent string
	// Started in this order. The node ends when one of them does.
	Parts []part
}

type part struct {
	Name      string
	Arguments []string
	// A socket that exists once the next part can start.
	Ready string
	// Whether it is started again when it has ended, as the service manager of a node of AKS does.
	Restarts bool
}

func read(path string) (*config, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	known := new(config)
	return known, json.Unmarshal(data, known)
}

// Namespaces of control groups are newer than the package syscall.
const newCgroup = 0x02000000

// Runs this program again in namespaces of its own. All that runs in them ends with this process, however it ends: the kernel ends
// process 1, and with it the others, the mounts and the devices of the network.
func in_namespaces(name string, path string) error {
	command := exec.Command("/proc/self/exe", name, path)
	command.Stdin, command.Stdout, command.Stderr = nil, os.Stdout, os.Stderr
	command.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWNS | syscall.CLONE_NEWPID | syscall.CLONE_NEWUTS | syscall.CLONE_NEWIPC | newCgroup,
		Pdeathsig:  syscall.SIGKILL,
	}
	return command.Run()
}

// Control groups

const cgroups = "/sys/fs/cgroup"

type hierarchy struct{ place, kind, options string }

// The hierarchies of control groups, with the options that say which each is.
func hierarchies() ([]hierarchy, error) {
	data, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		return nil, err
	}
	var found []hierarchy
	for _, line := range strings.Split(strings.TrimSpace(string(data)), "\n") {
		fields := strings.Fields(line)
		if len(fields) < 4 || fields[2] != "cgroup" && fields[2] != "cgroup2" || !strings.HasPrefix(fields[1], cgroups) {
			continue
		}
		var options []string
		for _, option := range strings.Split(fields[3], ",") {
			switch option {
			case "rw", "ro", "nosuid", "nodev", "noexec", "relatime", "nsdelegate", "memory_recursiveprot", "memory_localevents", "xattr",
				"clone_children", "favordynmods":
			default:
				options = append(options, option)
			}
		}
		one := hierarchy{fields[1], fields[2], strings.Join(options, ",")}
		if one.kind == "cgroup2" {
			one.options = ""
		}
		found = append(found, one)
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("no control groups are mounted below %s", cgroups)
	}
	return found, nil
}

// Makes a group with this name in each hierarchy, and goes there. The emulator removes them.
func enter_groups(name string) error {
	known, err := hierarchies()
	if err != nil {
		return err
	}
	for _, one := range known {
		group := filepath.Join(one.place, name)
		if err := os.Mkdir(group, 0o755); err != nil && !os.IsExist(err) {
			return fmt.Errorf("cannot create a control group: %w", err)
		}
		// New groups of the first version have none.
		for _, file := range []string{"cpuset.cpus", "cpuset.mems"} {
			if value, err := os.ReadFile(filepath.Join(one.place, file)); err == nil && one.kind == "cgroup" {
				if err := os.WriteFile(filepath.Join(group, file), value, 0o644); err != nil {
					return err
				}
			}
		}
		if err := os.WriteFile(filepath.Join(group, "cgroup.procs"), []byte(strconv.Itoa(os.Getpid())), 0o644); err != nil {
			return fmt.Errorf("cannot enter a control group: %w", err)
		}
	}
	return nil
}

// Shows the groups of this node alone, as the roots of their hierarchies.
func own_groups() error {
	known, err := hierarchies()
	if err != nil {
		return err
	}
	if len(known) == 1 && known[0].place == cgroups {
		return own_unified_group()
	}
	if err := syscall.Mount("tmpfs", cgroups, "tmpfs", 0, "mode=755"); err != nil {
		return fmt.Errorf("cannot mount %s: %w", cgroups, err)
	}
	for _, one := range known {
		if err := os.MkdirAll(one.place, 0o755); err != nil {
			return err
		}
		if err := syscall.Mount("cgroup", one.place, one.kind, 0, one.options); err != nil {
			return fmt.Errorf("cannot mount %s: %w", one.place, err)
		}
	}
	return nil
}

// In the second version, a group with processes cannot hand on controllers to others below it.
func own_unified_group() error {
	if err := syscall.Mount("cgroup", cgroups, "cgroup2", 0, ""); err != nil {
		return fmt.Errorf("cannot mount %s: %w", cgroups, err)
	}
	below := filepath.Join(cgroups, "init")
	if err := os.Mkdir(below, 0o755); err != nil {
		return err
	}
	processes, err := os.ReadFile(filepath.Join(cgroups, "cgroup.procs"))
	if err != nil {
		return err
	}
	for _, process := range strings.Fields(string(processes)) {
		if err := os.WriteFile(filepath.Join(below, "cgroup.procs"), []byte(process), 0o644); err != nil {
			return err
		}
	}
	controllers, err := os.ReadFile(filepath.Join(cgroups, "cgroup.controllers"))
	if err != nil {
		return err
	}
	for _, controller := range strings.Fields(string(controllers)) {
		if err := os.WriteFile(filepath.Join(cgroups, "cgroup.subtree_control"), []byte("+"+controller), 0o644); err != nil {
			return fmt.Errorf("cannot hand on the controller %s: %w", controller, err)
		}
	}
	return nil
}

// What a kernel has to have

// Makes what a node needs and says what the kernel refuses. Nothing of it is left.
func check(folder string) error {
	if os.Geteuid() != 0 {
		return fmt.Errorf("it needs root")
	}
	known, err := hierarchies()
	if err != nil {
		return err
	}
	for _, one := range known {
		group := filepath.Join(one.place, filepath.Base(folder)+"-check")
		if err := os.Mkdir(group, 0o755); err != nil {
			return fmt.Errorf("cannot create a control group: %w", err)
		}
		if err := syscall.Rmdir(group); err != nil {
			return err
		}
	}
	return in_namespaces("try", folder)
}

const devices = "link set lo up\nlink add node0 type bridge\nlink add one0 type veth peer name other0\n"

func try(folder string) error {
	if err := private(); err != nil {
		return err
	}
	if err := ip(devices); err != nil {
		return err
	}
	return etc(folder)
}
