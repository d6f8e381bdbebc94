"""Bytes that are not HTTP, that are too many, or that are meant for another server."""

import ssl
import time

import pytest

from conftest import is_refusal, received, status, tls_without_trust

BROKEN = {
    "noise": b"\x00\xff\x13\x37" * 64 + b"\r\n\r\n",
    "no method": b" / HTTP/1.1\r\nhost: localhost\r\n\r\n",
    "no version": b"GET /\r\n\r\n",
    "version of its own": b"GET / HTTP/9.9\r\nhost: localhost\r\n\r\n",
    "no host": b"GET /subscriptions HTTP/1.1\r\n\r\n",
    "two hosts in one": b"GET / HTTP/1.1\r\nhost: localhost, management.azure.com\r\n\r\n",
    "a host with a user": b"GET / HTTP/1.1\r\nhost: localhost@management.azure.com\r\n\r\n",
    "a header without a colon": b"GET / HTTP/1.1\r\nhost localhost\r\n\r\n",
    "a zero in a header": b"GET / HTTP/1.1\r\nhost: local\x00host\r\n\r\n",
    "a folded header": b"GET / HTTP/1.1\r\nhost: localhost\r\n x\r\n\r\n",
    "a negative length": b"POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: -1\r\n\r\n",
    "a length in words": b"POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: many\r\n\r\n",
    "two lengths": b"POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
    "a chunk of no size": b"POST / HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n\r\n",
    "a huge chunk": b"POST / HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n" + b"f" * 20 + b"\r\n",
    "many headers": b"GET / HTTP/1.1\r\n" + b"x: y\r\n" * 5000 + b"\r\n",
    "a long header": b"GET / HTTP/1.1\r\nx: " + b"y" * 1_000_000 + b"\r\n\r\n",
    "a long path": b"GET /" + b"y" * 1_000_000 + b" HTTP/1.1\r\nhost: localhost\r\n\r\n",
    "HTTP/2 by halves": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\xff" * 64,
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_http_is_refused_or_cut(target, name):
    for host in ("localhost", target.registry_host, target.cluster_host):
        answer = target.raw(BROKEN[name], host)
        # HTTP/2 has its own frames for closing.
        assert name == "HTTP/2 by halves" or is_refusal(status(answer)), answer[:200]


def test_plain_http_at_the_port_of_tls_is_cut(target):
    with target.plain() as stream:
        stream.sendall(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n")
        assert b"HTTP/1.1 200" not in received(stream)


def test_a_name_that_is_not_emulated_gets_no_certificate(target):
    with target.plain() as raw, pytest.raises((ssl.SSLError, OSError)):
        tls_without_trust().wrap_socket(raw, server_hostname="example.com")


@pytest.mark.parametrize(
    "line",
    [
        b"CONNECT example.com:443 HTTP/1.1\r\n\r\n",
        b"CONNECT management.azure.com:22 HTTP/1.1\r\n\r\n",
        b"CONNECT 127.0.0.1:22 HTTP/1.1\r\n\r\n",
        b"CONNECT 169.254.169.254:80 HTTP/1.1\r\n\r\n",
        b"CONNECT [::1]:443 HTTP/1.1\r\n\r\n",
        b"CONNECT management.azure.com.example.com:443 HTTP/1.1\r\n\r\n",
        b"CONNECT nobodysregistry.azurecr.io:443 HTTP/1.1\r\n\r\n",
        b"CONNECT : HTTP/1.1\r\n\r\n",
        b"GET http://management.azure.com/ HTTP/1.1\r\nhost: management.azure.com\r\n\r\n",
        b"GET http://example.com/ HTTP/1.1\r\nhost: example.com\r\n\r\n",
        b"\x16\x03\x01" + b"\x00" * 64,
    ],
)
def test_the_proxy_leads_nowhere_else(target, line):
    with target.plain(target.proxy_port) as stream:
        stream.sendall(line)
        stream.settimeout(15)
        answer = stream.recv(4096)
    assert status(answer) in (None, 400, 405, 502), answer


def test_bodies_over_the_limit_are_refused_before_they_are_read(target):
    path = target.registry["id"] + "?api-version=2025-11-01"
    begun = time.monotonic()
    code, _ = target.arm_ask("PUT", path, content_length=str(10**12))
    assert code in (413, None)
    code, _ = target.arm_ask("PUT", path, body=b" " * (5 * 1024 * 1024))
    assert code in (413, None)
    code, _ = target.cluster_ask("POST", "/api/v1/namespaces/default/pods", body=b" " * (5 * 1024 * 1024))
    assert code in (413, None)
    assert time.monotonic() - begun < 20


def test_a_body_that_has_no_end_is_refused(target):
    head = (
        f"PUT {target.registry['id']}?api-version=2025-11-01 HTTP/1.1\r\nhost: localhost:{target.port}\r\n"
        f"authorization: Bearer {target.arm.token()}\r\ntransfer-encoding: chunked\r\n\r\n"
    )
    chunk = b"10000\r\n" + b"a" * 0x10000 + b"\r\n"
    answer = target.raw(head.encode() + chunk * 100)
    assert status(answer) in (413, None)


def test_many_silent_connections_keep_nobody_out(target):
    silent = [target.plain() for _ in range(200)]
    try:
        code, _ = target.arm_ask("GET", target.registry["id"] + "?api-version=2025-11-01")
        assert code == 200
    finally:
        for stream in silent:
            stream.close()


def test_connections_that_break_off_leave_nothing_behind(target):
    for _ in range(50):
        stream = target.open()
        stream.sendall(b"PUT /subscriptions HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\n\r\n{")
        stream.close()
