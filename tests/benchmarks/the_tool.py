"""Our tool as an operator sets it up: settings in the environment, a migrated SQLite file, one LMS, one series."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.benchmarks.servers import BIN, ROOT
from tests.conftest import PUBLIC_URL
from tests.integration.lti.lms import Lms
from tests.integration.lti.tool import prepare


def set_up(database: Path, lms: Lms) -> Mapping[str, str]:
    """The environment of a tool with a new database in that file."""
    url = f"sqlite:///{database}"
    environment = {
        "SHARED_SESSIONS_PUBLIC_URL": PUBLIC_URL,
        "SHARED_SESSIONS_DATABASE_URL": url,
        "SHARED_SESSIONS_SECRET_KEY": "a benchmark's secret key, long enough for all",
        "SHARED_SESSIONS_ENCRYPTION_KEY": "a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s=",
    }
    subprocess.run(
        [BIN / "lti-tool", "migrate"], cwd=ROOT, env=os.environ | environment, check=True, capture_output=True
    )
    prepare(url, lms)
    return environment
