"""An image whose program runs, and the way into an emulated registry."""

import base64
import gzip
import hashlib
import io
import json
import tarfile
import urllib.parse
import urllib.request

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
