"""Who has had their data erased and launches again is asked first: nobody is taken in anew without having said so."""

from flask import render_template, request

from lti_tool.pages.visit_proof import is_our_own_form

FIELDS = ("state", "id_token", "proof")  # of the launch: it was not used, and the page sends it once more


def says_start_again() -> bool:
    """By our own page alone."""
    return "start_again" in request.form and is_our_own_form()


def ask_to_start_again(return_url: str | None) -> str:
    fields = {name: request.form[name] for name in FIELDS if name in request.form}
    return render_template("start_again.html", fields=fields, return_url=return_url)
