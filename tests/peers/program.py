"""kubectl as a program: how it is called and what it said."""

import json
import os
import pathlib
import re
import subprocess


class Kubectl:
    """kubectl with its own home and the administrator's kubeconfig."""

    def __init__(self, emulator, kubeconfig, tools=None):
        self.emulator = emulator
        self.program = pathlib.Path(tools or os.environ["AKS_ACR_PEER_TOOLS"]) / "bin" / "kubectl"
        config = emulator.home / ".kube" / "config"
        config.parent.mkdir(exist_ok=True)
        config.write_text(kubeconfig)
        config.chmod(0o600)
        # Without the variables for proxy and trust: the kubeconfig has to be enough.
        given = emulator.client_environment()
        self.environment = {name: given[name] for name in given if name not in emulator.environment}

    def start(self, *arguments):
        """Starts it and does not wait."""
        return subprocess.Popen(
            [str(self.program), *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self.environment,
            cwd=self.emulator.home,
        )

    def run(self, *arguments, stdin=None):
        """Runs it, however it ends: exit code, output, errors."""
        done = subprocess.run(
            [str(self.program), *arguments],
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            text=True,
            timeout=60,
            env=self.environment,
            cwd=self.emulator.home,
        )
        return done.returncode, done.stdout, done.stderr

    def __call__(self, *arguments, stdin=None):
        """Its output; it has to succeed."""
        code, out, errors = self.run(*arguments, stdin=stdin)
        assert code == 0, f"kubectl {' '.join(arguments)}: {code}\n{out}\n{errors}"
        return out

    def fails(self, *arguments, stdin=None):
        """What it complains of; it has to fail."""
        code, out, errors = self.run(*arguments, stdin=stdin)
        assert code != 0, f"kubectl {' '.join(arguments)} did not fail\n{out}"
        return errors

    def json(self, *arguments):
        return json.loads(self(*arguments, "-o", "json"))

    def rows(self, *arguments):
        """A table, as a dictionary for each row. Three blanks stand between columns."""
        head, *lines = self(*arguments).splitlines()
        starts = [found.start() for found in re.finditer(r"\S+( \S+)*", head)]
        cut = lambda line: [line[a:b].strip() for a, b in zip(starts, [*starts[1:], None])]  # noqa: E731
        return [dict(zip(cut(head), cut(line))) for line in lines]
