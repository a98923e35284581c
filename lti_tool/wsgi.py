"""What a WSGI server loads: `granian --interface wsgi lti_tool.wsgi:app`, or gunicorn."""

import os

from config.logging import configure_logging
from config.settings import read_settings
from lti_tool.app import create_app

configure_logging(for_good=True)
app = create_app(read_settings(os.environ))
