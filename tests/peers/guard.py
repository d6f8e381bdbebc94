"""A temporary folder and the processes of one group: both end with this process, however it ends.

A guard, a process of its own, makes the folder and waits for the end of its input, which this process keeps open. Then it kills the
group and removes the folder. So nothing is left at any moment, also if this process is killed while it starts.
"""

import contextlib
import os
import pathlib
import shutil
import signal
import subprocess

# What of the environment the processes may see.
KEPT = ("PATH", "LANG", "TERM")

# Its input is the number of the group, if one was started. It kills twice: a process may be joining the group.
GUARD = """
# Its starter may be gone before it reads the name of the folder.
trap '' PIPE
folder=$(mktemp -d "$1XXXXXX") || exit
echo "$folder"
exec >/dev/null
read -r group
cat >/dev/null
if [ -n "$group" ]; then
    kill -s KILL -- "-$group"; sleep 0.1; kill -s KILL -- "-$group"
fi
for _ in 1 2 3 4 5 6 7 8 9 10; do
    rm -rf -- "$folder" && exit
    sleep 0.2
done
"""
# The first process of the group sends its number to the guard before it becomes the program.
LEAD = 'echo $$; exec "$@" >>"$0" 2>&1'


def ended(process):
    """The code with which a process ended, or `None`. It is not reaped: until it is, its group cannot be another's."""
    found = os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    return found and found.si_status


class Guarded:
    """`folder`, and processes that run in it. Only one thread may use it."""

    def __init__(self, prefix):
        self.environment = {name: os.environ[name] for name in KEPT if name in os.environ}
        self.processes, self.group = [], 0
        self.guard = subprocess.Popen(
            ["sh", "-c", GUARD, "guard", os.path.join(os.environ.get("TMPDIR") or "/tmp", prefix)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            env=self.environment,
        )
        made = self.guard.stdout.readline().decode().rstrip("\n")
        if not made:
            raise RuntimeError(f"no temporary folder could be made: mktemp ended with {self.guard.wait(10)}")
        self.folder = pathlib.Path(made)

    def start(self, command, log, environment):
        """Starts a process with this log in the folder. The first one leads the group; it must not be reaped before `stop`."""
        if self.group:
            with open(self.folder / log, "ab") as output:
                return self.join(command, environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        leading = ["sh", "-c", LEAD, str(self.folder / log), *command]
        process = self.join(leading, environment, stdin=subprocess.DEVNULL, stdout=self.guard.stdin, stderr=subprocess.DEVNULL)
        self.group = process.pid
        return process

    def join(self, command, environment, **streams):
        """Starts a process of the group with these streams."""
        group = self.group
        process = subprocess.Popen(
            [str(part) for part in command],
            cwd=self.folder,
            env=self.environment | environment,
            preexec_fn=lambda: os.setpgid(0, group),  # noqa: PLW1509
            **streams,
        )
        self.processes.append(process)
        return process

    def stop(self):
        """Kills the processes and removes the folder."""
        self.guard.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.guard.wait(60)
        self.guard.stdout.close()
        if self.folder.exists():
            # The guard itself was killed.
            if self.group:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(self.group, signal.SIGKILL)
            shutil.rmtree(self.folder, ignore_errors=True)
        for process in self.processes:
            process.wait(10)
