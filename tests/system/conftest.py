"""Servers on loopback: two that nobody here wrote, a TLS proxy before them, and one that breaks every rule on demand.

Each is a process (or threads of this one) on a free port and is ended by the fixture that started it. What is not
installed is a skip whose reason says what to install.
"""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from wire import Wire

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".cache"
AIMOCK = "1.43.0"
MOCK_AI_API = "0.1.1"

Behave = Callable[["Visit"], None]


class Server:
    """A started server process: its address, and what it has said so far."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path, port: int) -> None:
        self.process = process
        self.log = log
        self.port = port
        self.url = f"http://127.0.0.1:{port}/v1"

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def start(command: list[str | Path], log: Path, ready: str, environment: dict[str, str] | None = None) -> Server:
    """Starts a server and waits until it has said `ready`, a pattern whose group, if it has one, is the port."""
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, cwd=log.parent, env=environment)
    deadline = time.monotonic() + 60
    while not (said := re.search(ready, log.read_text(errors="replace"))):
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            process.wait()
            pytest.fail(f"{command} did not start:\n{log.read_text(errors='replace')}")
        time.sleep(0.05)
    return Server(process, log, int(said.group(1)) if said.groups() else 0)


def install(command: list[str | Path], what: str) -> None:
    """Fetches a test server into .cache, once per checkout."""
    CACHE.mkdir(exist_ok=True)
    try:
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=240)
        failure = done.stderr.strip()[-300:] if done.returncode else ""
    except subprocess.TimeoutExpired:
        failure = "no answer within 240 s"
    if failure:
        pytest.skip(f"{what} is not in {CACHE} and cannot be fetched; `{' '.join(map(str, command))}` says: {failure}")


@pytest.fixture(scope="session")
def aimock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The npm package @copilotkit/aimock with the answers of aimock.json."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        pytest.skip("node and npm are not installed; `apt-get install nodejs npm` (Node.js 20.15 or newer) brings them")
    folder = CACHE / "node"
    package = folder / "node_modules" / "@copilotkit" / "aimock"
    if not package.exists() or json.loads((package / "package.json").read_text())["version"] != AIMOCK:
        name = f"@copilotkit/aimock@{AIMOCK}"
        install([npm, "install", "--silent", "--no-fund", "--no-audit", "--prefix", folder, name], name)
    answers = Path(__file__).with_name("aimock.json")
    command = [node, package / "dist" / "cli.js", "--port", "0", "--fixtures", answers, "--validate-on-load"]
    server = start(command, tmp_path_factory.mktemp("aimock") / "log", r"listening on http://127\.0\.0\.1:(\d+)")
    yield server
    server.stop()


@pytest.fixture(scope="session")
def mock_ai_api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The PyPI package mock-ai-api: another author, another language, another HTTP implementation (h11)."""
    if sys.version_info < (3, 11):
        pytest.skip("mock-ai-api needs Python 3.11 or newer; run the tests with one")
    python = f"{sys.implementation.cache_tag}{getattr(sys, 'abiflags', '')}"
    folder = CACHE / f"mock-ai-api-{MOCK_AI_API}-{python}"
    if not (folder / "app" / "openai_app.py").exists():
        name = f"mock-ai-api=={MOCK_AI_API}"
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
        install([*pip, "--target", folder, name], name)
    command = [sys.executable, "-m", "uvicorn", "app.openai_app:app", "--host", "127.0.0.1", "--port", "0"]
    log = tmp_path_factory.mktemp("mock-ai-api") / "log"
    server = start(command, log, r"running on http://127\.0\.0\.1:(\d+)", {"PYTHONPATH": str(folder), "PATH": ""})
    yield server
    server.stop()


class Visit:
    """One connection to the hostile server, as its behaviour sees it."""

    def __init__(self, connection: socket.socket, number: int, over: threading.Event) -> None:
        self.connection = connection
        self.number = number  # from 1
        self._received = b""
        self._over = over

    def request(self) -> tuple[str, dict[str, object]]:
        """Reads one request: its header as text, its JSON body. EOFError when the client has left."""
        while b"\r\n\r\n" not in self._received:
            self._more()
        head, _, self._received = self._received.partition(b"\r\n\r\n")
        said = re.search(rb"(?i)\r\ncontent-length: (\d+)", head)
        size = int(said.group(1)) if said else 0
        while len(self._received) < size:
            self._more()
        body, self._received = self._received[:size], self._received[size:]
        return head.decode("latin-1"), json.loads(body) if body else {}

    def send(self, *pieces: bytes, pause: float = 0.0) -> None:
        """Sends every piece in a segment of its own."""
        for piece in pieces:
            self.connection.sendall(piece)
            if pause:
                time.sleep(pause)

    def reset(self) -> None:
        """Closes the connection by a TCP reset."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.connection.close()

    def half_close(self) -> None:
        """Says that no more will be sent, and goes on listening."""
        self.connection.shutdown(socket.SHUT_WR)

    def hold(self) -> None:
        """Neither reads nor writes nor closes, until the test ends."""
        self._over.wait(30)

    def wait_for_leave(self) -> None:
        """Waits until the client closes the connection."""
        while self.connection.recv(65536):
            pass

    def _more(self) -> None:
        piece = self.connection.recv(65536)
        if not piece:
            raise EOFError
        self._received += piece


class Hostile:
    """A TCP server whose behaviour is a function: no HTTP library stands between a test and the wire."""

    def __init__(self, behave: Behave, port: int = 0) -> None:
        self._behave = behave
        self._listener = socket.create_server(("127.0.0.1", port), backlog=1024)
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/v1"
        self.connections = 0
        self.left: list[float] = []  # when each client closed its connection, on the monotonic clock
        self.failures: list[BaseException] = []
        self._open: list[socket.socket] = []
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.connections += 1
            self._open.append(connection)
            visit = threading.Thread(target=self._serve, args=[Visit(connection, self.connections, self._over)])
            self._threads.append(visit)
            visit.start()

    def _serve(self, visit: Visit) -> None:
        try:
            with visit.connection:
                self._behave(visit)
        except (OSError, EOFError):
            pass  # the client, or the end of the test, closed the connection
        except BaseException as failure:  # noqa: BLE001 - reported by the fixture, in the test's own thread
            self.failures.append(failure)
        self.left.append(time.monotonic())

    def stop(self) -> None:
        self._over.set()
        for endpoint in (self._listener, *self._open):
            with contextlib.suppress(OSError):  # it may be closed already
                endpoint.shutdown(socket.SHUT_RDWR)
            endpoint.close()
        for thread in self._threads:
            thread.join(10)
        assert not any(thread.is_alive() for thread in self._threads)


@pytest.fixture
def wire() -> type[Wire]:
    return Wire


@pytest.fixture
def hostile() -> Iterator[Callable[..., Hostile]]:
    """Starts servers that behave as the test says, on any free port; a behaviour that raises fails the test."""
    servers: list[Hostile] = []

    def begin(behave: Behave, port: int = 0) -> Hostile:
        servers.append(Hostile(behave, port))
        return servers[-1]

    yield begin
    for server in servers:
        server.stop()
    assert [failure for server in servers for failure in server.failures] == []


class Authority:
    """A private certificate authority, with a certificate for localhost and one for a client: PEM files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ca = folder / "ca.pem"
        self.server = (folder / "localhost.pem", folder / "localhost.key")
        self.client = (folder / "client.pem", folder / "client.key")
        self._new_key("ca", "/CN=A private authority", "-x509", "-days", "2")
        self._sign("localhost", "subjectAltName=DNS:localhost\nextendedKeyUsage=serverAuth\n")
        self._sign("client", "extendedKeyUsage=clientAuth\n")

    def _new_key(self, name: str, subject: str, *options: str) -> None:
        key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", f"{name}.key"]
        self._openssl("req", *key, "-subj", subject, "-out", f"{name}.pem", *options)

    def _sign(self, name: str, extensions: str) -> None:
        self._new_key(name, f"/CN={name}", "-out", f"{name}.csr")
        (self.folder / f"{name}.ext").write_text(extensions)
        authority = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", f"{name}.ext"]
        self._openssl("x509", "-req", "-in", f"{name}.csr", "-out", f"{name}.pem", *authority)

    def _openssl(self, *arguments: str) -> None:
        done = subprocess.run(["openssl", *arguments], check=False, capture_output=True, text=True, cwd=self.folder)
        assert done.returncode == 0, done.stderr


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    if not shutil.which("openssl"):
        pytest.skip("openssl is not installed; `apt-get install openssl` brings it")
    return Authority(tmp_path_factory.mktemp("authority"))


NGINX = """
daemon off; master_process off; pid nginx.pid; error_log stderr notice;
events {{ worker_connections 256; }}
http {{
    access_log access.log; client_body_temp_path t1; proxy_temp_path t2;
    fastcgi_temp_path t3; uwsgi_temp_path t4; scgi_temp_path t5;
    ssl_certificate {certificate}; ssl_certificate_key {key};
    add_header X-Protocol $server_protocol always; add_header X-Connection $connection always;
    proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off;
    server {{ listen 127.0.0.1:{http1} ssl; location / {{ proxy_pass http://127.0.0.1:{upstream}; }} }}
    server {{ listen 127.0.0.1:{http2} ssl http2; location / {{ proxy_pass http://127.0.0.1:{upstream}; }} }}
    server {{ listen 127.0.0.1:{strict} ssl; ssl_verify_client on; ssl_client_certificate {ca};
              location / {{ proxy_pass http://127.0.0.1:{upstream}; }} }}
}}
"""


class Proxy:
    """nginx: one port for HTTP/1.1, one that also speaks HTTP/2, one that wants a client certificate."""

    def __init__(self, folder: Path, authority: Authority, upstream: int) -> None:
        sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(3)]
        ports = [endpoint.getsockname()[1] for endpoint in sockets]
        for endpoint in sockets:
            endpoint.close()
        certificate, key = authority.server
        self.http1, self.http2, self.strict = (f"https://localhost:{port}/v1" for port in ports)
        self.by_address = f"https://127.0.0.1:{ports[0]}/v1"
        names = dict(zip(("http1", "http2", "strict"), ports))
        content = NGINX.format(certificate=certificate, key=key, ca=authority.ca, upstream=upstream, **names)
        (folder / "nginx.conf").write_text(content)
        nginx = str(shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin"))
        command: list[str | Path] = [nginx, "-p", folder, "-c", folder / "nginx.conf", "-e", "stderr"]
        self.server = start(command, folder / "log", r"getrlimit\(")  # it says so once its ports are open


@pytest.fixture
def tls_proxy(authority: Authority, tmp_path: Path) -> Iterator[Callable[[int], Proxy]]:
    """Starts nginx with certificates of the private authority before the port of an upstream."""
    if not (shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")):
        pytest.skip("nginx is not installed; `apt-get install nginx` brings it")
    proxies: list[Proxy] = []

    def begin(upstream: int) -> Proxy:
        folder = tmp_path / f"nginx{len(proxies)}"
        folder.mkdir()
        proxies.append(Proxy(folder, authority, upstream))
        return proxies[-1]

    yield begin
    for proxy in proxies:
        proxy.server.stop()
