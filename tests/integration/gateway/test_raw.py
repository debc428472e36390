"""The tests' HTTP client keeps the bytes that it has read ahead."""

from __future__ import annotations

import socket
from contextlib import closing
from threading import Thread

from tests.integration.gateway.raw import connected, read

ANSWERS = (
    b"HTTP/1.1 204 No Content\r\n\r\n"
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab"
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\ncd\r\n0\r\n\r\n"
    b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
    b"the rest"
)


def test_responses_that_arrive_in_one_segment_are_read_one_by_one() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:

        def send_all_at_once() -> None:
            peer, _ = listener.accept()
            with peer:
                peer.sendall(ANSWERS)

        sender = Thread(target=send_all_at_once)
        sender.start()
        with connected(f"http://127.0.0.1:{listener.getsockname()[1]}") as connection:
            # Everything has arrived before the first answer is read.
            sender.join()
            answers = [read(connection) for _ in range(4)]
            assert [(answer.status, answer.body) for answer in answers] == [
                (204, b""),
                (200, b"ab"),
                (200, b"cd"),
                (404, b""),
            ]
            assert connection.recv(100) == b"the rest"
            assert connection.recv(100) == b""
