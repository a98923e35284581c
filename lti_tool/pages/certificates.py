"""Whoever has a certificate of deletion can ask here whether it is genuine: its proof is the key to the page."""

import hmac

from flask import Blueprint, abort, render_template

from lti_tool.pages.course_forms import ANY_ID
from lti_tool.pages.words import WORDS
from lti_tool.tool import the_tool
from series.certificates import certificate_text, is_genuine
from series.store.deletion_certificates import find_certificate

blueprint = Blueprint("certificates", __name__, url_prefix="/privacy/certificates")


@blueprint.get(f"/<{ANY_ID}:number>/<proof>/")
def show(number: int, proof: str) -> str:
    tool = the_tool()
    with tool.database.read() as connection:
        found = find_certificate(connection, number)
    if found is None or not hmac.compare_digest(found.proof.encode(), proof.encode()):
        abort(404)
    check_at = f"{tool.settings.public_url}/privacy/certificates/{number}/{proof}/"
    return render_template(
        "certificate.html",
        text=certificate_text(found, check_at=check_at, words=WORDS),
        is_genuine=is_genuine(found, secret_key=tool.settings.secret_key),
    )
