"""SQL Server's wire protocol (TDS 7.4) as far as a client needs it that logs in and reads."""

import datetime as dt
import struct
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext
from typing import Any, BinaryIO

PRELOGIN, LOGIN, BATCH, ATTENTION, REPLY = 0x12, 0x10, 0x01, 0x06, 0x04
PACKET = 4096
_LAST = 0x01
_COLLATION = bytes.fromhex("0904d00034")
_NULL_LONG = b"\xff" * 8
_EPOCH = dt.date(1, 1, 1)


@dataclass(frozen=True)
class Login:
    """What a client says of itself."""

    user: str
    password: str
    database: str


@dataclass(frozen=True)
class Field:
    """A column of a result: its name, and its type as DuckDB calls it."""

    name: str
    type: str


def receive(stream: BinaryIO) -> tuple[int, bytes]:
    """The next message's type and content; raises EOFError where the client has gone."""
    content = b""
    while True:
        header = stream.read(8)
        if len(header) < 8:
            raise EOFError
        kind, status, length = struct.unpack(">BBH", header[:4])
        content += stream.read(length - 8)
        if status & _LAST:
            return kind, content


def packets(content: bytes, kind: int = REPLY) -> Iterable[bytes]:
    """A message in packets."""
    size = PACKET - 8
    for number, start in enumerate(range(0, max(len(content), 1), size)):
        part = content[start : start + size]
        last = _LAST if start + size >= len(content) else 0
        yield struct.pack(">BBHHBB", kind, last, len(part) + 8, 0, (number + 1) & 0xFF, 0) + part


def prelogin() -> bytes:
    """The answer to a client's first words: our version, and that we do not encrypt."""
    version = bytes([16, 0, 3, 232, 0, 0])
    options = struct.pack(">BHH", 0, 11, len(version)) + struct.pack(">BHH", 1, 11 + len(version), 1) + b"\xff"
    return options + version + b"\x02"


def read_login(content: bytes) -> Login:
    """The login that a client asks for."""

    def text(place: int) -> bytes:
        offset, length = struct.unpack_from("<HH", content, place)
        return content[offset : offset + 2 * length]

    swapped = bytes(((byte ^ 0xA5) >> 4) | (((byte ^ 0xA5) << 4) & 0xF0) for byte in text(44))
    return Login(text(40).decode("utf-16-le"), swapped.decode("utf-16-le"), text(68).decode("utf-16-le"))


def read_batch(content: bytes) -> str:
    """The SQL of a batch, after its headers."""
    [headers] = struct.unpack_from("<I", content)
    return content[headers:].decode("utf-16-le")


def logged_in(database: str) -> bytes:
    """That the client is in."""
    change = b"\x01" + _short(database) + _short("master")
    size = b"\x04" + _short(str(PACKET)) + _short(str(PACKET))
    program = b"\x01" + bytes([0x74, 0, 0, 4]) + _short("Microsoft SQL Server") + bytes([16, 0, 3, 232])
    changes = b"".join(b"\xe3" + struct.pack("<H", len(part)) + part for part in (change, size))
    return changes + b"\xad" + struct.pack("<H", len(program)) + program + done()


def error(number: int, message: str, severity: int = 16) -> bytes:
    """A refusal with SQL Server's number."""
    text = message.encode("utf-16-le")
    body = struct.pack("<iBBH", number, 1, severity, len(message)) + text + _short("fake") + _short("")
    body += struct.pack("<i", 1)
    return b"\xaa" + struct.pack("<H", len(body)) + body


def done(rows: int = 0, *, failed: bool = False, cancelled: bool = False) -> bytes:
    """The end of an answer."""
    status = (0x10 if rows else 0) | (0x02 if failed else 0) | (0x20 if cancelled else 0)
    return b"\xfd" + struct.pack("<HHQ", status, 0xC1, rows)


def header(fields: Sequence[Field]) -> bytes:
    """The columns of a result."""
    parts = [b"\x81" + struct.pack("<H", len(fields))]
    for field in fields:
        parts += [struct.pack("<IH", 0, 0x09), _type_info(field.type), _short(field.name)]
    return b"".join(parts)


def row(fields: Sequence[Field], values: Sequence[Any]) -> bytes:
    """One row of a result."""
    return b"\xd1" + b"".join(_value(field.type, value) for field, value in zip(fields, values, strict=True))


def _short(text: str) -> bytes:
    return bytes([len(text)]) + text.encode("utf-16-le")


def _decimal(kind: str) -> tuple[int, int]:
    precision, scale = kind[len("DECIMAL(") : -1].split(",")
    return int(precision), int(scale)


def _type_info(kind: str) -> bytes:
    if kind.startswith("DECIMAL"):
        return bytes([0x6C, 17, *_decimal(kind)])
    match kind:
        case "INTEGER" | "SMALLINT" | "BIGINT" | "HUGEINT":
            return bytes([0x26, 8 if kind in ("BIGINT", "HUGEINT") else 4])
        case "BOOLEAN":
            return bytes([0x68, 1])
        case "DOUBLE":
            return bytes([0x6D, 8])
        case "DATE":
            return bytes([0x28])
        case "TIME":
            return bytes([0x29, 7])
        case "TIMESTAMP":
            return bytes([0x2A, 7])
        case "TIMESTAMP WITH TIME ZONE":
            return bytes([0x2B, 7])
        case "UUID":
            return bytes([0x24, 16])
        case "BLOB":
            return bytes([0xA5]) + b"\xff\xff"
    return bytes([0xE7]) + b"\xff\xff" + _COLLATION


def _value(kind: str, value: Any) -> bytes:
    long = kind not in _SHORT_TYPES and not kind.startswith("DECIMAL")
    if value is None:
        return _NULL_LONG if long else b"\x00"
    if long:
        content = value if isinstance(value, bytes) else str(value).encode("utf-16-le")
        chunk = struct.pack("<I", len(content)) + content if content else b""
        return struct.pack("<Q", len(content)) + chunk + struct.pack("<I", 0)
    content = _content(kind, value)
    return bytes([len(content)]) + content


_SHORT_TYPES = {
    *("INTEGER", "SMALLINT", "BIGINT", "HUGEINT", "BOOLEAN", "DOUBLE", "DATE", "TIME", "TIMESTAMP"),
    *("TIMESTAMP WITH TIME ZONE", "UUID"),
}


def _content(kind: str, value: Any) -> bytes:
    if kind.startswith("DECIMAL"):
        _, scale = _decimal(kind)
        with localcontext(prec=50):  # the usual 28 digits are too few
            whole = int(Decimal(value).scaleb(scale).to_integral_exact())
        return bytes([whole >= 0]) + abs(whole).to_bytes(16, "little")
    match kind:
        case "INTEGER" | "SMALLINT":
            return struct.pack("<i", value)
        case "BIGINT" | "HUGEINT":
            return struct.pack("<q", value)
        case "BOOLEAN":
            return bytes([value])
        case "DOUBLE":
            return struct.pack("<d", value)
        case "UUID":
            return uuid.UUID(str(value)).bytes_le
        case "DATE":
            return _days(value)
        case "TIME":
            return _ticks(value)
        case "TIMESTAMP":
            return _ticks(value.time()) + _days(value.date())
    moment = value.astimezone(dt.UTC)
    offset = int((value.utcoffset() or dt.timedelta()).total_seconds() // 60)
    return _ticks(moment.time()) + _days(moment.date()) + struct.pack("<h", offset)


def _days(day: dt.date) -> bytes:
    return (day - _EPOCH).days.to_bytes(3, "little")


def _ticks(time: dt.time) -> bytes:
    micros = ((time.hour * 60 + time.minute) * 60 + time.second) * 1_000_000 + time.microsecond
    return (micros * 10).to_bytes(5, "little")
