# SPDX-License-Identifier: MIT
"""A server that takes, refuses and delays profiles; fixtures to send them there."""

import http.server
import subprocess
import threading
import time

import pytest

from conftest import clean_environment
from otlp_file import Profiles

REQUEST = "opentelemetry.proto.collector.profiles.v1development.%s" % (
    "ExportProfilesServiceRequest"
)


class Server(http.server.ThreadingHTTPServer):
    """Answers with the next of `answers`, then with 200; keeps what it got."""

    daemon_threads = True

    def __init__(self, *answers, tls=None):
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers = list(answers)
        self.requests = []
        self.max_size = None
        self.url = "http%s://127.0.0.1:%d" % ("s" if tls else "", self.server_port)
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_side=True)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def accepted(self):
        return [r for r in self.requests if r["status"] == 200]


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        answer = self.server.answers.pop(0) if self.server.answers else {}
        status = answer.get("status", 200)
        if self.server.max_size and len(body) > self.server.max_size:
            status = 413
        request = {"path": self.path, "headers": self.headers, "body": body}
        self.server.requests.append(dict(request, status=status, time=time.time()))
        time.sleep(answer.get("delay", 0))
        self.send_response(status)
        for header in answer.get("headers", {}).items():
            self.send_header(*header)
        content = answer.get("body", b"")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args):
        pass


@pytest.fixture
def listen():
    """listen(ANSWER..., tls=CONTEXT): a Server."""
    servers = []

    def start(*answers, **options):
        servers.append(Server(*answers, **options))
        return servers[-1]

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def run_push(ours):
    """run_push(ARGUMENT..., VARIABLE=VALUE...): the command's result."""

    def run(*arguments, **variables):
        variables.setdefault("no_proxy", "*")
        result = ours("push", *arguments, env=variables)
        if "libcurl" in result.stderr:
            pytest.skip(result.stderr)
        return result

    return run


@pytest.fixture
def live(some_interpreter, traced_environment, tmp_path):
    """live(TEXT, VARIABLE=VALUE...): a traced process, when it printed a line."""
    processes = []

    def start(text, **changes):
        program = tmp_path / ("live%d.py" % len(processes))
        program.write_text(text)
        environment = dict(clean_environment(), **traced_environment(**changes))
        process = subprocess.Popen(
            [some_interpreter.path, str(program)],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            universal_newlines=True,
        )
        processes.append(process)
        assert process.stdout.readline() == "ready\n"
        return process

    yield start
    for process in processes:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()


def held(requests):
    """Bytes in use in all requests together, and in how many samples."""
    values = []
    for request in requests:
        for _, profiles, _ in Profiles(request["body"], REQUEST).resources():
            values += [value for value, _, _ in profiles["inuse_space"]]
    return sum(values), len(values)
