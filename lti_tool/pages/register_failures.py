"""Invitations that are over, and too many tries: pages of their own."""

import math

from flask import Response, make_response, render_template, request
from flask_babel import gettext

from lti_tool.pages.register_invitation import TriesTooFast
from lti_tool.pages.register_words import ProblemWords, problem_words
from lti_tool.pages.staff_words import wait_in_words
from series.lms_invitations import Standing
from series.store.lms_invitations import InvitationOver


def over_page(over: InvitationOver) -> Response:
    return _page(problem_words(over), is_used=over.standing is Standing.USED)


def too_fast_page(fast: TriesTooFast) -> Response:
    wait_s = math.ceil(fast.wait_s)
    words = ProblemWords(
        what=gettext("This link has been tried very often in a short time."),
        next=gettext("Wait %(wait)s, then try again.", wait=wait_in_words(wait_s)),
        status=429,
    )
    response = _page(words)
    response.headers["Retry-After"] = str(wait_s)
    return response


def _page(words: ProblemWords, *, is_used: bool = False) -> Response:
    token = (request.view_args or {}).get("token")
    page = render_template("register_failed.html", token=token, words=words, is_used=is_used)
    return make_response(page, words.status)
