"""Our feed as ical.js reads it, the parser of Thunderbird and Nextcloud.

Skipped without Node or the package: `npm install ical.js` anywhere, and name that folder in NODE_PATH.
https://github.com/kewisch/ical.js
"""

import json
import os
import shutil
import subprocess
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from series.feed import write_feed
from series.sessions import DatedSession, Session, Status
from tests.conftest import NOW
from tests.examples import moved, weekly

READ = """
const ICAL = require("ical.js");
const jcal = ICAL.parse(require("fs").readFileSync(0, "utf8"));
const calendar = new ICAL.Component(jcal);
const events = calendar.getAllSubcomponents("vevent").map((component) => {
  const event = new ICAL.Event(component);
  return {
    uid: event.uid, summary: event.summary, description: event.description, sequence: event.sequence,
    start: event.startDate.toJSDate().toISOString(), end: event.endDate.toJSDate().toISOString(),
    recurs: event.isRecurring(), status: component.getFirstPropertyValue("status"),
    url: component.getFirstPropertyValue("url"),
    changed: component.getFirstPropertyValue("last-modified").toJSDate().toISOString(),
  };
});
const value = (name) => String(calendar.getFirstPropertyValue(name));
console.log(JSON.stringify({ name: value("name"), refresh: value("refresh-interval"), events }));
"""
PLAN = (
    replace(weekly(1)[0], title="Διερεύνηση στην παραλία " * 6, description="Größe; Maß, \\ und\nFüße"),
    replace(moved(weekly(2)[1], timedelta(hours=3)), sequence=2),
    replace(weekly(3)[2], status=Status.CANCELLED, sequence=1),
)


@pytest.fixture
def node() -> list[str]:
    """The command that runs a script which can require ical.js."""
    program = shutil.which("node")
    if program is None:
        pytest.skip("ical.js does not judge our feed here: there is no Node (`node`) on this computer")
    found = subprocess.run([program, "-e", 'require("ical.js")'], check=False, capture_output=True)
    if found.returncode != 0:
        paths = os.environ.get("NODE_PATH") or "not set"
        pytest.skip(f"ical.js does not judge our feed here: Node does not find the package (NODE_PATH is {paths})")
    return [program, "-e", READ]


def test_ical_js_reads_our_plan(node: list[str]) -> None:
    entries = [DatedSession(session=session, changed_at=NOW) for session in PLAN]
    body = write_feed(entries, name="Σεμινάρια", public_url="https://sessions.example", now=NOW)
    done = subprocess.run(node, input=body, capture_output=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr.decode()
    read = json.loads(done.stdout)
    assert (read["name"], read["refresh"]) == ("Σεμινάρια", "PT1H")
    assert read["events"] == [expected(session) for session in PLAN]


def expected(session: Session) -> dict[str, object]:
    url = f"https://sessions.example/s/{session.session_id}"
    return {
        "uid": f"session-{session.session_id}@sessions.example",
        "summary": session.title.strip(),
        "description": f"Hosting university: {session.hosting_university}\n\n{session.description}\n\n{url}",
        "sequence": session.sequence,
        "start": javascript(session.start_at),
        "end": javascript(session.end_at),
        "recurs": False,
        "status": "CANCELLED" if session.is_cancelled else "CONFIRMED",
        "url": url,
        "changed": javascript(NOW),
    }


def javascript(instant: datetime) -> str:
    return instant.isoformat(timespec="milliseconds").replace("+00:00", "Z")
