"""Web servers on loopback: the product itself, and one that answers as its script says."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from flask import Flask
from werkzeug.serving import WSGIRequestHandler, make_server

HOST = "127.0.0.1"
#: Method and path to the whole answer, as bytes on the wire; None says nothing at all.
Script = Callable[[str, str], bytes | None]


def answer(status: str, body: str = "", *headers: str) -> bytes:
    """An HTTP answer that ends the connection."""
    head = "\r\n".join([f"HTTP/1.1 {status}", *headers, "Connection: close", f"Content-Length: {len(body.encode())}"])
    return f"{head}\r\n\r\n{body}".encode()


@contextmanager
def scripted_web(script: Script, tls: ssl.SSLContext | None = None) -> Iterator[int]:
    """A server that gives the script's answers, one connection after the other; its port."""
    listener = socket.create_server((HOST, 0))
    over = threading.Event()

    def serve() -> None:
        while True:
            client, _ = listener.accept()
            with client:
                if over.is_set():
                    return
                try:
                    _converse(tls.wrap_socket(client, server_side=True) if tls else client, script, over)
                except OSError:
                    continue

    thread = threading.Thread(target=serve, name="scripted-web")
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        over.set()
        socket.create_connection(listener.getsockname()).close()
        thread.join()
        listener.close()


def _converse(client: socket.socket, script: Script, over: threading.Event) -> None:
    with client:
        request = b""
        while b"\r\n\r\n" not in request and (piece := client.recv(65536)):
            request += piece
        method, path, *_ = request.decode("latin-1").split(" ", 2)
        said = script(method, path)
        if said is None:
            over.wait(20)
        else:
            client.sendall(said)


class _Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 - the library's name
        return


@contextmanager
def served(app: Flask, listener: socket.socket, tls: ssl.SSLContext | None = None) -> Iterator[None]:
    """The product behind a listening socket."""
    server = make_server(
        HOST, 0, app, threaded=True, request_handler=_Quiet, ssl_context=tls, fd=listener.detach()
    )  # fmt: skip
    thread = threading.Thread(target=server.serve_forever, name="product")
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
