"""A Redfish BMC over TLS on loopback, with two systems, sessions, and faults."""

import base64
import json
import ssl
import subprocess
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import SHUT_RDWR, socket

from tests.bmcs.machine import PASSWORD, SLOW_S, USER, Fault, Machine

SYSTEMS = "/redfish/v1/Systems"
SESSIONS = "/redfish/v1/SessionService/Sessions"
BASIC = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
RESETS = {"On": True, "ForceOff": False}


@dataclass
class RedfishBmc:
    """A server in a thread. The last of its systems is somebody else's machine."""

    systems: Mapping[str, Machine]
    certificate: Path
    takes_s: float = 0.0  # for each answer
    requests: list[str] = field(default_factory=list[str])
    tokens: set[str] = field(default_factory=set[str])
    reset_of: dict[str, str] = field(default_factory=dict[str, str])  # system: another's action

    def __post_init__(self) -> None:
        self.stopped = threading.Event()
        self.connections: set[socket] = set()
        self._server = _Server(self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    @property
    def port(self) -> int:
        return self._server.server_port

    def stop(self) -> None:
        self.stopped.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def hang_up(self) -> None:
        """End every idle connection, as a BMC does after some seconds, and see it done."""
        while self.connections:
            connection = self.connections.pop()
            with suppress(OSError):
                connection.shutdown(SHUT_RDWR)

    def forget_sessions(self) -> None:
        """Restart, as a BMC does when its firmware is updated: no token is good any more."""
        self.tokens.clear()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, bmc: RedfishBmc) -> None:
        self.bmc = bmc
        super().__init__(("127.0.0.1", 0), _Handler)
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(bmc.certificate)

    def finish_request(
        self, request: socket | tuple[bytes, socket], client_address: object
    ) -> None:
        assert isinstance(request, socket)
        with suppress(OSError), self._context.wrap_socket(request, server_side=True) as secured:
            self.bmc.connections.add(secured)
            super().finish_request(secured, client_address)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hung up is no error here."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        self.bmc.requests.append(f"{self.command} {self.path}")

    @property
    def bmc(self) -> RedfishBmc:
        assert isinstance(self.server, _Server)
        return self.server.bmc

    @property
    def first(self) -> Machine:
        return next(iter(self.bmc.systems.values()))  # who is at fault, is so as a whole

    def do_GET(self) -> None:
        if not self._is_served():
            return
        match self.path.rstrip("/").split("/")[3:]:
            case []:
                names = {"Id": "Root", "Name": "BMC", "RedfishVersion": "1.6.0", "UUID": "bmc"}
                self._reply(200, {**names, "Systems": {"@odata.id": SYSTEMS}})
            case ["Systems"]:
                members = [{"@odata.id": f"{SYSTEMS}/{name}"} for name in self.bmc.systems]
                self._reply(200, {"Members": members})
            case ["Systems", name] if name in self.bmc.systems:
                self._reply(200, self._system(name))
            case _:
                self._reply(404, {"error": {"code": "Base.1.0.ResourceMissing"}})

    def do_POST(self) -> None:
        body: dict[str, str] = json.loads(
            self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}"
        )
        if self.path == SESSIONS and not self.first.has(Fault.SILENT):
            self._log_in(body)
        elif self._is_served():
            self._reset(body.get("ResetType", ""))

    def do_DELETE(self) -> None:
        self.bmc.tokens.discard(self.path.rsplit("/", 1)[-1])
        self._reply(204)

    def _is_served(self) -> bool:
        if self.first.has(Fault.SILENT):
            self.bmc.stopped.wait()
            self.close_connection = True
            return False
        self.bmc.stopped.wait(SLOW_S if self.first.has(Fault.SLOW) else self.bmc.takes_s)
        if self.first.has(Fault.ERROR):
            self._reply(500, {"error": {"code": "Base.1.0.InternalError"}})
            return False
        if self.first.has(Fault.REDIRECTS):
            self._reply(308, None, {"Location": "https://192.0.2.1/"})
            return False
        if self.first.has(Fault.GARBAGE):
            self._reply(200, "<html>log in</html>")
            return False
        is_public = self.path.rstrip("/") == "/redfish/v1"
        is_known = self.headers.get("X-Auth-Token") in self.bmc.tokens
        if is_public or is_known or self.headers.get("Authorization") == BASIC:
            return True
        self._reply(401, {"error": {"code": "Base.1.0.AccessDenied"}})
        return False

    def _log_in(self, body: Mapping[str, str]) -> None:
        if (body.get("UserName"), body.get("Password")) != (USER, PASSWORD):
            self._reply(401, {"error": {"code": "Base.1.0.AccessDenied"}})
            return
        token = f"token-{len(self.bmc.requests)}"
        self.bmc.tokens.add(token)
        self._reply(201, {}, {"X-Auth-Token": token, "Location": f"{SESSIONS}/{token}"})

    def _system(self, name: str) -> dict[str, object]:
        machine = self.bmc.systems[name]
        power = "On" if machine.is_on else "Off"
        for fault, says in (
            (Fault.SAYS_ON, "On"),
            (Fault.SAYS_OFF, "Off"),
            (Fault.POWERING_OFF, "PoweringOff"),
        ):
            power = says if machine.has(fault) else power
        own = f"{SYSTEMS}/{name}/Actions/ComputerSystem.Reset"
        target = self.bmc.reset_of.get(name, own)
        reset = {"target": target, "ResetType@Redfish.AllowableValues": list(RESETS)}
        return {
            "@odata.id": f"{SYSTEMS}/{name}",
            "Id": name,
            "Name": name,
            "Status": {"State": "Enabled", "Health": "OK"},
            "PowerState": None if machine.has(Fault.SAYS_NOTHING) else power,
            "SerialNumber": f"serial-{name}",
            "SKU": f"sku-{name}",
            "UUID": f"uuid-{name}",
            "Actions": {"#ComputerSystem.Reset": reset},
        }

    def _reset(self, kind: str) -> None:
        machine = self.bmc.systems.get(self.path.split("/")[4])
        if machine is None:
            self._reply(404, {"error": {"code": "Base.1.0.ResourceMissing"}})
            return
        if kind not in RESETS or machine.has(Fault.REFUSES_ALL):
            self._reply(400, {"error": {"code": "Base.1.0.ActionParameterNotSupported"}})
            return
        if machine.is_on == RESETS[kind]:
            for fault, code in ((Fault.REFUSES_WHEN_OFF, 409), (Fault.REFUSES_WITH_400, 400)):
                if machine.has(fault):
                    self._reply(code, {"error": {"code": "IDRAC.2.8.PSU501"}})
                    return
        if not machine.has(Fault.STUCK):
            machine.switch(is_on=RESETS[kind])
        self._reply(204)

    def _reply(
        self, code: int, body: object = None, headers: Mapping[str, str] | None = None
    ) -> None:
        text = body if isinstance(body, str) else json.dumps(body)
        content = b"" if body is None else text.encode()
        self.send_response(code)
        for name, value in {**(headers or {}), "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)


def new_certificate(folder: Path) -> Path:
    """Make a self-signed certificate of 127.0.0.1, its key in the same file."""
    path = folder / "bmc.pem"
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-nodes", "-days", "2", "-subj", "/CN=bmc", "-addext", "subjectAltName=IP:127.0.0.1"),
            *("-keyout", str(key), "-out", str(certificate)),
        ],
        check=True,
        capture_output=True,
    )
    path.write_text(key.read_text() + certificate.read_text())
    return path
