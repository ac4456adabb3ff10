"""Stand-ins that speak the real protocols on 127.0.0.1: an HTTP webhook and a mail server."""

from __future__ import annotations

import socketserver
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Received:
    """One request or mail."""

    headers: dict[str, str]
    body: str
    path: str = ""


class Listening:
    """A server on a free port, in a thread of its own, until it is left."""

    def listen(self, server: socketserver.TCPServer) -> None:
        self._server = server
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])


@dataclass
class Webhook(Listening):
    """Answers with the next of ``answers`` (then 200); 0 means: accept and never answer.

    While ``deaf`` it leaves requests unread: they arrived, and nobody accepted them.
    """

    answers: list[int] = field(default_factory=list)
    seen: list[Received] = field(default_factory=list)
    silence: float = 0.0
    deaf: bool = False
    unread: int = 0

    def __enter__(self) -> Webhook:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                if outer.deaf:
                    outer.unread += 1
                    time.sleep(outer.silence)
                    self.close_connection = True
                    return
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                outer.seen.append(Received(dict(self.headers.items()), body, self.path))
                code = outer.answers.pop(0) if outer.answers else 200
                if code == 0:
                    time.sleep(outer.silence)
                    return
                self.send_response(code)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.listen(ThreadingHTTPServer(("127.0.0.1", 0), Handler))
        return self

    def url(self, secret: str = "hook-path-secret") -> str:
        return f"json://127.0.0.1:{self.port}/{secret}"


class MailServer(Listening):
    """As much of RFC 5321 as a client needs; refuses recipients when ``refusing``."""

    def __init__(self) -> None:
        self.seen: list[Received] = []
        self.refusing = False

    def __enter__(self) -> MailServer:
        outer = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                self._say("220 test ESMTP")
                while line := self.rfile.readline().decode().strip():
                    verb = line.split(" ", 1)[0].upper()
                    if verb == "QUIT":
                        self._say("221 bye")
                        return
                    if verb == "DATA":
                        self._data()
                    elif verb == "RCPT" and outer.refusing:
                        self._say("550 no such user")
                    else:
                        self._say("250 ok")

            def _data(self) -> None:
                self._say("354 go on")
                lines: list[str] = []
                while (line := self.rfile.readline().decode().rstrip("\r\n")) != ".":
                    lines.append(line)
                head, _, body = "\n".join(lines).partition("\n\n")
                fields = (one.partition(": ") for one in head.splitlines())
                outer.seen.append(Received({k: v for k, _, v in fields}, body))
                self._say("250 queued")

            def _say(self, text: str) -> None:
                self.wfile.write(f"{text}\r\n".encode())

        server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        self.listen(server)
        return self

    def url(self) -> str:
        return f"mailto://127.0.0.1:{self.port}?from=steward@example.com&to=ana@example.com"
