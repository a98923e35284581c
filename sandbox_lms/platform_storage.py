"""The hidden frame that answers for the storage, at an LMS that keeps it beside the tool and not above (as Canvas).

LTI postMessage Storage 0.1: https://www.imsglobal.org/spec/lti-pm-s/v0p1. The answers are in `static/storage.js`.
"""

from flask import Blueprint, abort, render_template

from sandbox_lms.site import the_site

blueprint = Blueprint("platform_storage", __name__)


@blueprint.get("/storage")
def storage_frame() -> str:
    """On the origin of the authorization endpoint: a tool sends its values to no other."""
    if the_site().campus.platform_storage != "frame":
        abort(404)
    return render_template("storage.html")
