"""An image whose program runs, a registry on loopback that has it, and the way into an emulated registry."""

import base64
import gzip
import hashlib
import io
import json
import tarfile
import threading
import urllib.parse
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

MANIFEST = "application/vnd.oci.image.manifest.v1+json"


def sha256(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


class Image:
    """One layer with one program, the same bytes in each run."""

    def __init__(self, program):
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w") as tar:
            member = tarfile.TarInfo("program")
            member.mode = 0o755
            data = program.read_bytes()
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
        layer = gzip.compress(archive.getvalue(), 1, mtime=0)
        config = {
            "architecture": "amd64",
            "os": "linux",
            "config": {"Entrypoint": ["/program"]},
            "rootfs": {"type": "layers", "diff_ids": [sha256(archive.getvalue())]},
        }
        config = json.dumps(config).encode()
        self.blobs = {sha256(data): data for data in (config, layer)}
        described = lambda kind, data: {"mediaType": kind, "digest": sha256(data), "size": len(data)}  # noqa: E731
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": described("application/vnd.oci.image.config.v1+json", config),
            "layers": [described("application/vnd.oci.image.layer.v1.tar+gzip", layer)],
        }
        self.manifest = json.dumps(manifest).encode()

    def push(self, azure, host, repository, tag, user, password):
        """Into an emulated registry, as docker does it."""
        pair = base64.b64encode(f"{user}:{password}".encode()).decode()
        handlers = urllib.request.ProxyHandler({"https": azure.proxy}), urllib.request.HTTPSHandler(context=azure.trust)
        opener = urllib.request.build_opener(*handlers)

        def call(method, path, data=None, kind="application/octet-stream"):
            headers = {"Authorization": f"Basic {pair}", "Content-Type": kind}
            request = urllib.request.Request(urllib.parse.urljoin(f"https://{host}", path), data, headers, method=method)
            with opener.open(request, timeout=60) as answer:
                return answer.headers

        for digest, data in self.blobs.items():
            place = call("POST", f"/v2/{repository}/blobs/uploads/", b"")["Location"]
            joint = "&" if "?" in place else "?"
            call("PUT", f"{place}{joint}{urllib.parse.urlencode({'digest': digest})}", data)
        call("PUT", f"/v2/{repository}/manifests/{tag}", self.manifest, MANIFEST)


class Registry:
    """Serves an image to everybody, by any name: for the program that holds the namespaces of a pod."""

    def __init__(self, image):
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                name = self.path.rsplit("/", 1)[1]
                if "/blobs/" in self.path and name in image.blobs:
                    self._answer(image.blobs[name], "application/octet-stream", name)
                elif "/manifests/" in self.path:
                    self._answer(image.manifest, MANIFEST, sha256(image.manifest))
                else:
                    self._answer(b"{}", "application/json", "")

            do_HEAD = do_GET

            def _answer(self, data, kind, digest):
                self.send_response(200)
                for name, value in (("Content-Type", kind), ("Content-Length", str(len(data))), ("Docker-Content-Digest", digest)):
                    self.send_header(name, value)
                self.end_headers()
                if self.command == "GET":
                    self.wfile.write(data)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.image = f"127.0.0.1:{self.server.server_port}/pause:1"

    def close(self):
        self.server.shutdown()
        self.server.server_close()
