"""The library as a program: `library.rs` with one kubeconfig."""

import json
import os
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[3]


class Refused(Exception):
    """An error of the library, with `kind`, `text`, `context`, `is_transient`, `status`, `code`, `refusal` and `seconds`."""

    def __init__(self, error, seconds):
        super().__init__(error["text"])
        self.__dict__.update(error, seconds=seconds)


class Library:
    """A client of one cluster. It keeps its connection between calls, as a program would."""

    def __init__(self, kubeconfig):
        named = os.environ.get("AKS_ACR_LIBRARY_BIN")
        program = named or ROOT / "target" / "debug" / "examples" / "library"
        self.process = subprocess.Popen(
            [str(program), str(kubeconfig)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def call(self, operation, on="", **options):
        """The whole response: `value` or `error`, `events`, `seconds`."""
        order = {"operation": operation, "on": on} | options
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, f"the program ended at {operation}: {self.process.poll()}"
        return json.loads(line)

    def __call__(self, operation, on="", **options):
        """The result; an error is raised."""
        response = self.call(operation, on, **options)
        if "error" in response:
            raise Refused(response["error"], response["seconds"])
        return response["value"]

    def apply(self, text, **options):
        return self("apply", text, **options)

    def refused(self, operation, on="", **options):
        """The error; a success fails the test."""
        response = self.call(operation, on, **options)
        assert "error" in response, response
        return Refused(response["error"], response["seconds"])

    def close(self):
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()
