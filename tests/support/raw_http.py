"""Requests that no well-behaved client sends: straight onto the socket."""

import socket


def open_socket(port, seconds=30):
    return socket.create_connection(("127.0.0.1", port), timeout=seconds)


def send_all_that_is_taken(connection, pieces):
    """Sends until everything is out or the server has hung up; returns how many bytes went out."""
    sent = 0
    try:
        for piece in pieces:
            connection.sendall(piece)
            sent += len(piece)
    except (BrokenPipeError, ConnectionResetError):
        pass
    return sent


def read_status(connection):
    """The status code of the answer; None if there is none."""
    data = b""
    try:
        while b"\r\n" not in data:
            piece = connection.recv(4096)
            if not piece:
                return None
            data += piece
    except ConnectionResetError:
        return None
    return int(data.split(b" ", 2)[1])


def exchange(port, pieces):
    """(status or None, bytes sent) of one request in pieces."""
    with open_socket(port) as connection:
        sent = send_all_that_is_taken(connection, pieces)
        return read_status(connection), sent


def post_head(*headers):
    return "\r\n".join(("POST /v1/images HTTP/1.1", "Host: x", *headers, "", "")).encode()


def chunked(pieces):
    for piece in pieces:
        yield b"%x\r\n" % len(piece) + piece + b"\r\n"
    yield b"0\r\n\r\n"
