"""FastCGI by hand, for requests that no correct web server sends."""
import fcntl
import json
import socket
import struct
import termios

BEGIN, ABORT, END, PARAMS, STDIN, STDOUT, STDERR, DATA, GET_VALUES = range(1, 10)
KEEP = 1


def record(kind, content=b"", number=1, version=1, length=None, padding=0):
    size = len(content) if length is None else length
    return struct.pack("!BBHHBB", version, kind, number, size, padding, 0) + content + b"\0" * padding


def begin(flags=0, role=1, number=1):
    return record(BEGIN, struct.pack("!HB5x", role, flags), number)


def pairs(values):
    def size(n):
        return struct.pack("!B", n) if n < 128 else struct.pack("!I", n | 1 << 31)

    encoded = [(key.encode(), value.encode()) for key, value in values.items()]
    return b"".join(size(len(key)) + size(len(value)) + key + value for key, value in encoded)


def request(method, path, body=None, flags=0, more=()):
    """One complete request, with the parameters that nginx sends; `more`: further ones, or other values of these."""
    content = b"" if body is None else json.dumps(body).encode()
    route, _, query = path.partition("?")
    values = {"REQUEST_METHOD": method, "IMD_PATH": route, "QUERY_STRING": query, "CONTENT_TYPE": "application/json",
              "CONTENT_LENGTH": str(len(content)), "REQUEST_ID": "0123456789abcdef" * 2, "REMOTE_ADDR": "127.0.0.1",
              "SERVER_ADDR": "127.0.0.1", **dict(more)}
    return (begin(flags) + record(PARAMS, pairs(values)) + record(PARAMS)
            + (record(STDIN, content) if content else b"") + record(STDIN))


def connect(path, timeout_s=20):
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(timeout_s)
    connection.connect(str(path))
    return connection


def unread_bytes(connection):
    """Returns how many sent bytes the peer has not read yet."""
    return struct.unpack("i", fcntl.ioctl(connection, termios.TIOCOUTQ, b"\0" * 4))[0]


def read_exactly(connection, size):
    data = b""
    while len(data) < size:
        more = connection.recv(size - len(data))
        if not more:
            raise ConnectionError(f"closed after {len(data)} of {size} bytes")
        data += more
    return data


def answer(connection):
    """Reads to the end of the request, and returns its status and its body."""
    output = b""
    while True:
        _, kind, _, size, padding, _ = struct.unpack("!BBHHBB", read_exactly(connection, 8))
        content = read_exactly(connection, size + padding)[:size]
        if kind == STDOUT:
            output += content
        if kind == END:
            break
    head, _, body = output.partition(b"\r\n\r\n")
    headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
    return int(headers.get("Status", "200").split()[0]), body


def ask(path, method, target, body=None, more=()):
    with connect(path) as connection:
        connection.sendall(request(method, target, body, more=more))
        return answer(connection)
