"""A thousand Moodles in one process of its own, each under a path; some of them take every call and never answer.

    python -m tests.benchmarks.thousand_moodles PORT HANGING

Only the calendar functions that a mirror needs, with the latencies of a real Moodle; they forget everything, because
what is measured is the worker.
"""

import asyncio
import itertools
import json
import re
import sys
from urllib.parse import parse_qs

LATENCY_S = {"core_calendar_create_calendar_events": 0.014, "core_calendar_submit_create_update_form": 0.034}
OTHER_S = 0.02
_IDS = itertools.count(1)
_EVENT = re.compile(r"events\[(\d+)\]\[(\w+)\]")


async def serve(port: int, hanging: int) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while request := await _read(reader):
                number, fields = request
                if number <= hanging:
                    await asyncio.sleep(3600)
                function = fields["wsfunction"]
                await asyncio.sleep(LATENCY_S.get(function, OTHER_S))
                body = json.dumps(_answer(function, fields)).encode()
                head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
                writer.write(head.encode() + body)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", port, backlog=2048)
    async with server:
        await server.serve_forever()


async def _read(reader: asyncio.StreamReader) -> tuple[int, dict[str, str]] | None:
    """The number in the path, and the form."""
    head = await reader.readuntil(b"\r\n\r\n")
    path = head.split(b" ", 2)[1].decode()
    length = re.search(rb"(?i)content-length: *(\d+)", head)
    body = await reader.readexactly(int(length[1]) if length else 0)
    fields = {name: values[0] for name, values in parse_qs(body.decode(), keep_blank_values=True).items()}
    return int(path.split("/")[1]), fields


def _answer(function: str, fields: dict[str, str]) -> object:
    match function:
        case "core_calendar_create_calendar_events":
            return {"events": [_created(event) for event in _events(fields)], "warnings": []}
        case "core_calendar_get_calendar_events":
            return {"events": [], "warnings": []}
        case _:
            return {"exception": "x", "errorcode": "accessexception", "message": "x"}


def _events(fields: dict[str, str]) -> list[dict[str, str]]:
    found: dict[int, dict[str, str]] = {}
    for name, value in fields.items():
        if match := _EVENT.fullmatch(name):
            found.setdefault(int(match[1]), {})[match[2]] = value
    return [found[number] for number in sorted(found)]


def _created(event: dict[str, str]) -> dict[str, object]:
    return {
        "id": next(_IDS),
        "name": event["name"],
        "description": event["description"],
        "courseid": int(event["courseid"]),
        "userid": 35,
        "timestart": int(event["timestart"]),
        "timeduration": int(event["timeduration"]),
    }


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), int(sys.argv[2])))
