"""A client without an SDK, so that most of the measured time is the server's."""

from __future__ import annotations

import asyncio
import json
from typing import Any

AS_SDKS_DO = (
    "Content-Type: application/x-amz-json-1.0\r\n"
    "Authorization: AWS4-HMAC-SHA256 Credential=x/20260101/us-east-1/swf/aws4_request\r\n"
)


class Wire:
    """One connection to a server; reopened where the server closes it after a request."""

    def __init__(self, port: int) -> None:
        self.refused = 0
        self._port = port
        self._reader: asyncio.StreamReader
        self._writer: asyncio.StreamWriter

    @classmethod
    async def to(cls, port: int) -> Wire:
        """Connect."""
        wire = cls(port)
        await wire.connect()
        return wire

    async def connect(self) -> None:
        """Open the connection, or open it again."""
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)

    async def call(self, operation: str, params: dict[str, Any]) -> Any:
        """One request and its answer."""
        self.send(operation, params)
        return await self.answer()

    def send(self, operation: str, params: dict[str, Any]) -> None:
        """Send one request."""
        body = json.dumps(params).encode()
        head = (
            f"POST / HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\n{AS_SDKS_DO}"
            f"X-Amz-Target: SimpleWorkflowService.{operation}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        self._writer.write(head.encode() + body)

    async def answer(self) -> Any:
        """The next answer."""
        head = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.partition(b"content-length:")[2].partition(b"\r")[0])
        body = await self._reader.readexactly(length)
        self.refused += b" 200 " not in head[:20]
        if b"connection: close" in head:
            self.close()
            await self.connect()
        return json.loads(body or b"{}")

    def close(self) -> None:
        """Close."""
        self._writer.close()
