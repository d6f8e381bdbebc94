"""The fields of a kubeconfig, read without a parser of YAML, and requests to its cluster.

Only the standard library is needed.
"""

import base64
import re
import ssl
import urllib.request

from control_plane import answer_of


def field(text, name):
    return re.search(rf"^\s*{name}: (\S+)$", text, re.MULTILINE)[1]


def decoded(text, name):
    return base64.b64decode(field(text, name)).decode()


def trust(text):
    return ssl.create_default_context(cadata=decoded(text, "certificate-authority-data"))


def sender(text, proxy):
    """Sends requests with the kubeconfig's token through a proxy: gives status, headers and body of the response."""
    handlers = urllib.request.ProxyHandler({"https": proxy}), urllib.request.HTTPSHandler(context=trust(text))
    opener = urllib.request.build_opener(*handlers)
    origin, token = field(text, "server"), field(text, "token")

    def send(method, path, data=None, headers=None):
        sent = (headers or {}) | {"authorization": f"Bearer {token}"}
        return answer_of(opener, urllib.request.Request(origin + path, data=data, method=method, headers=sent))

    return send
