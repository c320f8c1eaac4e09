# SPDX-License-Identifier: MIT
"""`tracemalloc push` to servers that take, refuse, delay and garble what it sends.

The servers are the test's own: no Collector and no Pyroscope.
"""

import email.utils
import gzip
import re
import shutil
import socket
import ssl
import subprocess
import threading
import time
import urllib.parse

import pytest

from otlp_file import Profiles, decode, parse
from profile_server import REQUEST, held, listen, live, run_push  # noqa: F401

PROGRAM = "kept = [bytearray(100001), [bytes(5000 + i) for i in range(100)]]\n"
LIVE = PROGRAM + "print('ready', flush=True)\ninput()\n"


@pytest.fixture
def dump(some_interpreter, trace_code):
    return trace_code(some_interpreter, PROGRAM).dump


@pytest.fixture
def push(run_push, dump):
    """push(URL, OPTION..., VARIABLE=VALUE...): the command's result."""

    def push_dump(url, *options, **variables):
        options = options if url is None else ("--url", url) + options
        return run_push(dump, *options, **variables)

    return push_dump


def refused(result, url, text):
    """One line with the address."""
    assert result.returncode == 1 and result.stdout == ""
    assert result.stderr == "tracemalloc: %s: %s\n" % (url, text)


def test_a_collector_gets_the_profiles(push, listen, ours, dump):
    server = listen()
    result = push(
        None,
        "--label",
        "deployment.environment=test",
        OTEL_EXPORTER_OTLP_ENDPOINT=server.url + "/",
        OTEL_EXPORTER_OTLP_HEADERS="x-tenant=a%20b, authorization=Bearer y",
        OTEL_SERVICE_NAME="orders",
    )
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    (request,) = server.requests
    assert request["path"] == "/v1development/profiles"
    assert request["headers"]["Content-Type"] == "application/x-protobuf"
    assert request["headers"]["x-tenant"] == "a b"
    assert request["headers"]["authorization"] == "Bearer y"
    assert held([request])[0] == ours.json("stats", dump)["total"]["size"]
    ((attributes, _, _),) = Profiles(request["body"], REQUEST).resources()
    assert attributes["service.name"] == "orders"
    assert attributes["deployment.environment"] == "test"


def test_the_address_of_profiles_is_used_as_it_is(push, listen):
    server = listen()
    variables = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"}
    variables["OTEL_EXPORTER_OTLP_PROFILES_ENDPOINT"] = server.url + "/x"
    assert push(None, **variables).returncode == 0
    assert push(server.url + "/y", **variables).returncode == 0
    assert [request["path"] for request in server.requests] == ["/x", "/y"]


def test_pyroscope_gets_a_form(push, listen, ours, dump):
    server = listen()
    options = ("--format", "pprof", "--label", "region.name=eu,1")
    result = push(server.url, *options, OTEL_SERVICE_NAME="orders")
    assert (result.returncode, result.stderr) == (0, "")
    (request,) = server.requests
    url = urllib.parse.urlsplit(request["path"])
    query = urllib.parse.parse_qs(url.query)
    assert url.path == "/ingest" and query["format"] == ["pprof"]
    assert query["name"] == ["orders{region_name=eu_1}"]
    start = int(ours.json("info", dump)["start_time"])
    assert int(query["from"][0]) == start < int(query["until"][0])
    kind = request["headers"]["Content-Type"]
    boundary = re.match("multipart/form-data; boundary=(.*)", kind).group(1)
    parts = request["body"].split(b"--" + boundary.encode())
    assert b'name="profile"' in parts[1]
    profile = parts[1].partition(b"\r\n\r\n")[2][:-2]
    assert b"inuse_space" in gzip.decompress(profile)
    assert b'name="sample_type_config"' in parts[2]


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_server_is_asked_again(push, listen, status):
    answer = {"status": status, "headers": {"Retry-After": "2"}}
    server = listen(answer, {"status": status})
    result = push(server.url)
    assert (result.returncode, result.stderr) == (0, "")
    first, second, third = [request["time"] for request in server.requests]
    assert second - first > 1.9 and third - second > 0.9
    assert len({request["body"] for request in server.requests}) == 1


def test_a_date_to_be_asked_again(push, listen):
    date = email.utils.formatdate(time.time() + 4, usegmt=True)
    server = listen({"status": 503, "headers": {"Retry-After": date}})
    assert push(server.url).returncode == 0
    first, second = [request["time"] for request in server.requests]
    assert 1.9 < second - first < 8


def test_a_server_that_is_busy_for_long_is_given_up(push, listen):
    server = listen({"status": 503, "headers": {"Retry-After": "3600"}})
    text = "busy: HTTP 503, to be asked again in 3600 s"
    refused(push(server.url), server.url, text)
    assert len(server.requests) == 1


@pytest.mark.parametrize("form", ["otlp", "pprof"])
def test_what_is_too_large_is_divided(push, listen, form, ours, dump):
    server = listen()
    assert push(server.url, "--format", form).returncode == 0
    size = len(server.requests[0]["body"])
    whole = held(server.requests) if form == "otlp" else None
    server.requests.clear()
    server.max_size = size * 2 // 3
    result = push(server.url, "--format", form)
    assert (result.returncode, result.stderr) == (0, "")
    assert len(server.accepted()) > 1
    if form == "otlp":
        assert held(server.accepted()) == whole


def test_a_server_that_takes_nothing_is_given_up(push, listen):
    server = listen()
    server.max_size = 1
    refused(push(server.url), server.url, "refused: HTTP 413")


def test_a_refusal_is_a_line(push, listen):
    server = listen({"status": 401, "body": b"no token\nmore"})
    refused(push(server.url), server.url, "refused: HTTP 401: no token")


def test_a_redirection_is_not_followed(push, listen):
    other = listen()
    for status in (301, 302, 307, 308):
        server = listen({"status": status, "headers": {"Location": other.url + "/x"}})
        text = "redirected to %s/x: HTTP %d" % (other.url, status)
        refused(push(server.url), server.url, text)
        assert len(server.requests) == 1
    assert not other.requests


def test_compressed_both_ways(push, listen, ours, dump):
    """The variable asks for it; an answer may always be compressed."""
    body = gzip.compress(b"no such tenant")
    headers = {"Content-Encoding": "gzip"}
    server = listen({}, {"status": 400, "headers": headers, "body": body})
    assert push(server.url, OTEL_EXPORTER_OTLP_COMPRESSION="gzip").returncode == 0
    (request,) = server.requests
    assert request["headers"]["Content-Encoding"] == "gzip"
    request["body"] = gzip.decompress(request["body"])
    assert held([request])[0] == ours.json("stats", dump)["total"]["size"]
    refused(push(server.url), server.url, "refused: HTTP 400: no such tenant")
    assert "Content-Encoding" not in server.requests[1]["headers"]


def test_a_password_is_not_shown(push, listen):
    server = listen({"status": 401})
    url = server.url.replace("http://", "http://user:secret@")
    refused(push(url), server.url, "refused: HTTP 401")
    assert server.requests[0]["headers"]["Authorization"].startswith("Basic ")


def test_garbage_is_no_answer_of_a_collector(push, listen):
    server = listen({"body": b"<html>hello</html>"})
    refused(push(server.url), server.url, "the answer is not that of a Collector")
    rejection = b"\n\x09\x08\x03\x12\x05no \x1b\n"
    server = listen({"body": rejection})
    message = decode(rejection, REQUEST.replace("Request", "Response"))
    assert parse(message)["partial_success"]
    result = push(server.url)
    assert result.returncode == 1 and result.stderr.count("\n") == 1
    assert "3 profiles were rejected: no " in result.stderr
    assert "\x1b" not in result.stderr


def test_a_slow_server_is_not_waited_for(push, listen):
    server = listen({"delay": 5})
    begin = time.time()
    result = push(server.url, OTEL_EXPORTER_OTLP_TIMEOUT="500")
    assert time.time() - begin < 4
    assert result.returncode == 1 and "timed out" in result.stderr
    assert result.stderr.startswith("tracemalloc: %s: " % server.url)


@pytest.mark.parametrize(
    "url, text",
    [
        ("http://127.0.0.1:1", "connect"),
        ("http://no-such-host.invalid", "resolve"),
    ],
)
def test_no_server_is_a_line(push, url, text):
    result = push(url)
    assert result.returncode == 1 and result.stderr.count("\n") == 1
    assert result.stderr.startswith("tracemalloc: %s: " % url)
    assert text in result.stderr


@pytest.mark.parametrize(
    "url",
    ["ftp://127.0.0.1/x", "file:///etc/passwd", "nonsense://x", "http://[", "x", ""],
)
@pytest.mark.parametrize("form", ["otlp", "pprof"])
def test_a_bad_url_is_a_line(push, url, form):
    result = push(url, "--format", form)
    assert result.returncode == 2 and result.stderr.count("\n") == 1
    assert "is not a URL with http:// or https://" in result.stderr


def test_a_bad_url_of_the_environment_is_a_line(push):
    result = push(None, OTEL_EXPORTER_OTLP_ENDPOINT="collector:4318")
    assert result.returncode == 1 and result.stderr.count("\n") == 1
    assert "is not a URL with http:// or https://" in result.stderr


def test_a_server_without_tls_is_a_line(push, listen):
    url = listen().url.replace("http:", "https:")
    result = push(url)
    assert result.returncode == 1 and result.stderr.count("\n") == 1
    assert "SSL" in result.stderr or "TLS" in result.stderr


@pytest.fixture
def certificate(tmp_path):
    """(certificate, key): files of one that signed itself."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not here")
    files = tmp_path / "certificate.pem", tmp_path / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1"]
    command += ["-subj", "/CN=test", "-addext", "subjectAltName=IP:127.0.0.1"]
    command += ["-out", str(files[0]), "-keyout", str(files[1])]
    subprocess.run(command, stderr=subprocess.DEVNULL, check=True)
    return [str(path) for path in files]


def test_a_certificate_must_be_known(push, listen, certificate):
    """Also the client's, where the server asks for one."""
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=certificate[0])
    tls.load_cert_chain(*certificate)
    server = listen(tls=tls)
    result = push(server.url)
    assert result.returncode == 1 and result.stderr.count("\n") == 1
    assert "certificate" in result.stderr and not server.requests
    variables = {"OTEL_EXPORTER_OTLP_CERTIFICATE": certificate[0]}
    assert push(server.url, **variables).returncode == 0
    tls.verify_mode = ssl.CERT_REQUIRED
    assert push(server.url, **variables).returncode == 1
    variables["OTEL_EXPORTER_OTLP_PROFILES_CLIENT_CERTIFICATE"] = certificate[0]
    variables["OTEL_EXPORTER_OTLP_PROFILES_CLIENT_KEY"] = certificate[1]
    assert push(server.url, **variables).returncode == 0
    assert len(server.requests) == 2


def test_a_connection_that_is_cut_is_a_line(push):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        thread = threading.Thread(target=lambda: listener.accept()[0].close())
        thread.start()
        result = push("http://127.0.0.1:%d" % listener.getsockname()[1])
        thread.join()
    assert result.returncode == 1 and result.stderr.count("\n") == 1


def test_an_interrupt_ends_it_and_leaves_the_dump(push, listen, command, dump):
    server = listen({"status": 503, "headers": {"Retry-After": "30"}})
    before = dump.read_bytes()
    process = subprocess.Popen([command, "push", "--url", server.url, str(dump)])
    try:
        while not server.requests:
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(2)
        assert process.wait(10) == -2
    finally:
        process.kill()
        process.wait()
    assert dump.read_bytes() == before
    assert push(server.url).returncode == 0


@pytest.mark.parametrize(
    "arguments",
    [("--format", "json"), ("--label", "x"), ("--label", "=x"), ("--at", "noon")],
)
def test_usage_errors_send_nothing(push, listen, arguments):
    server = listen()
    result = push(server.url, *arguments)
    assert result.returncode == 2 and result.stderr != ""
    assert not server.requests


@pytest.mark.parametrize(
    "variables",
    [
        {"OTEL_EXPORTER_OTLP_TIMEOUT": "soon"},
        {"OTEL_EXPORTER_OTLP_HEADERS": "x"},
        {"OTEL_EXPORTER_OTLP_HEADERS": "x=a%0d%0ay:b"},
        {"OTEL_EXPORTER_OTLP_COMPRESSION": "zstd"},
    ],
)
def test_variables_that_are_wrong_send_nothing(push, listen, variables):
    server = listen()
    result = push(server.url, **variables)
    (name,) = variables
    assert result.returncode == 1 and result.stderr.startswith("tracemalloc: " + name)
    assert result.stderr.count("\n") == 1 and not server.requests


def test_another_protocol_sends_nothing(push, listen):
    """An endpoint of gRPC does not understand what is sent; an option's URL does."""
    server = listen()
    variables = {"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}
    assert push(server.url, **variables).returncode == 0
    variables["OTEL_EXPORTER_OTLP_ENDPOINT"] = server.url
    result = push(None, **variables)
    assert result.returncode == 1 and result.stderr.count("\n") == 1
    assert "OTEL_EXPORTER_OTLP_PROTOCOL is grpc" in result.stderr
    assert len(server.requests) == 1


def test_a_process_is_sent_while_it_runs(run_push, listen, live):
    server = listen()
    process = live(LIVE)
    result = run_push("--url", server.url, str(process.pid))
    assert (result.returncode, result.stderr) == (0, "")
    process.kill()
    (request,) = server.requests
    assert held([request])[0] >= 500000
    ((attributes, profiles, _),) = Profiles(request["body"], REQUEST).resources()
    assert attributes["process.pid"] == process.pid


def test_no_process_is_a_line(run_push, listen):
    server = listen()
    for argument, text in [
        ("999999999", "there is no process 999999999"),
        ("1", "process 1"),
        ("none.dump", "none.dump: No such file or directory"),
        ("/tmp", "/tmp: Is a directory"),
    ]:
        result = run_push("--url", server.url, argument)
        assert result.returncode == 1 and result.stderr.count("\n") == 1
        assert result.stderr.startswith("tracemalloc: " + text)
    result = run_push("--url", server.url)
    assert result.returncode == 2 and "no process id or dump given" in result.stderr
    assert not server.requests
