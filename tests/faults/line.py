"""A line to the database that can be cut: a socket that hands bytes on, or stops."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import sqlalchemy as sa

SOCKET = ".s.PGSQL.5432"
CHUNK = 65536


class DatabaseLine:
    """Where the database is reached through the line; `url` leads there."""

    def __init__(self, url: str, folder: Path) -> None:
        near = sa.make_url(url)
        self._far = f"{near.query['host']}/{SOCKET}"
        self.url = near.update_query_dict({"host": str(folder)}).render_as_string(
            hide_password=False
        )
        self._open = threading.Event()
        self._open.set()
        self.server = socket.socket(socket.AF_UNIX)
        self.server.bind(str(folder / SOCKET))
        self.server.listen()

    def cut(self) -> None:
        """Let nothing through any more; connections stay, and hang."""
        self._open.clear()

    def mend(self) -> None:
        """Let everything through again."""
        self._open.set()

    def serve(self) -> None:
        """Take connections until the server is closed."""
        with suppress(OSError):
            while True:
                near, _ = self.server.accept()
                threading.Thread(target=self._join, args=[near], daemon=True).start()

    def _join(self, near: socket.socket) -> None:
        with near, socket.socket(socket.AF_UNIX) as far:
            far.connect(self._far)
            back = threading.Thread(target=self._hand_on, args=(far, near), daemon=True)
            back.start()
            self._hand_on(near, far)
            back.join()

    def _hand_on(self, one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while data := one.recv(CHUNK):
                self._open.wait()
                other.sendall(data)
        for end in (one, other):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


@contextmanager
def database_line(url: str, folder: Path) -> Iterator[DatabaseLine]:
    """Open a line to a Postgres on a socket, below a folder with a short path."""
    line = DatabaseLine(url, folder)
    threading.Thread(target=line.serve, daemon=True).start()
    try:
        yield line
    finally:
        line.mend()
        # A server that is only closed goes on waiting for connections.
        with suppress(OSError):
            line.server.shutdown(socket.SHUT_RDWR)
        line.server.close()
