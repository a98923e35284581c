"""A Deep Linking request has come in place of a launch: who may pick gets the picker as the answer.

It spends the nonce like every launch, and stores person and course, but opens no visit: that would need a cookie, or a
tab of its own, and the LMS's dialog waits for a form in its own frame.
"""

import structlog
from flask import g
from flask_babel import gettext

from lti_tool.pages.let_in import refusing
from lti_tool.pages.pick import answer, begin
from lti_tool.protocol.claims import Claims
from lti_tool.protocol.constants import NONCE_LIFE
from lti_tool.protocol.deep_linking import DeepLinkingRequest, Picking, read_deep_linking
from lti_tool.protocol.login import LoginState
from lti_tool.protocol.platform import Platform
from lti_tool.protocol.refusals import RefusalCode, Refused
from lti_tool.security_headers import origin
from lti_tool.tool import Tool
from series.people import Picker
from series.permissions import Action, may
from series.store.launch_values import NewArrival
from series.store.launches import NonceSpent, PersonErased
from series.store.picks import Begun, begin_picking

log = structlog.get_logger()


def answer_deep_linking(tool: Tool, platform: Platform, login_state: LoginState, claims: Claims) -> str:
    """The picker; or, where the LMS takes nothing that we have, the way back with our word for it. Raises Refused."""
    wanted = read_deep_linking(claims, login_state, public_url=tool.settings.public_url)
    if origin(wanted.deep_link_return_url) is None:
        raise Refused(RefusalCode.NO_WAY_BACK, return_url=wanted.arrival.return_url)
    g.return_url = wanted.deep_link_return_url
    roles = wanted.arrival.roles
    allowed = may(Picker(builds_course=roles.builds_course, is_test_user=roles.is_test_user), Action.PICK)
    begun = _begin(tool, platform, login_state, wanted, is_allowed=allowed)
    if begun is None:
        raise Refused(RefusalCode.NOT_A_TEACHER, return_url=wanted.arrival.return_url)
    log.info("picks", keeper=login_state.keeper.value)
    picking = Picking(
        platform_id=platform.platform_id,
        deployment_id=wanted.arrival.deployment_id,
        participant_id=begun.participant_id,
        course_id=begun.course_id,
        deep_link_return_url=wanted.deep_link_return_url,
        data=wanted.data,
        accepts_multiple=wanted.accepts_multiple,
        accepts_line_items=wanted.accepts_line_items,
    )
    if wanted.accepts_links:
        return begin(tool, picking)
    return answer(tool, picking, [], error=gettext("At this place your LMS takes no activities of this tool."))


def _begin(
    tool: Tool, platform: Platform, login_state: LoginState, wanted: DeepLinkingRequest, *, is_allowed: bool
) -> Begun | None:
    """In one transaction, or not at all. Raises Refused."""
    back, new = {"return_url": wanted.arrival.return_url}, _arrival(tool, platform, login_state, wanted)
    try:
        with refusing(tool, new, **back), tool.database.write(wait_for_disk=False) as connection:
            now, key = tool.clock.now(), tool.settings.secret_key
            return begin_picking(connection, new, is_allowed=is_allowed, now=now, secret_key=key)
    except NonceSpent as error:
        raise Refused(RefusalCode.NONCE_SPENT, **back) from error
    except PersonErased as error:
        raise Refused(RefusalCode.PERSON_ERASED, **back) from error


def _arrival(tool: Tool, platform: Platform, login_state: LoginState, wanted: DeepLinkingRequest) -> NewArrival:
    arrival = wanted.arrival
    return NewArrival(
        nonce=login_state.nonce,
        nonce_expires_at=tool.clock.now() + NONCE_LIFE,
        platform_id=platform.platform_id,
        university_id=platform.university_id,
        issuer=platform.issuer,
        deployment_id=arrival.deployment_id,
        sub=arrival.sub,
        context_id=arrival.context_id,
        context_title=arrival.context_title,
        context_history=arrival.context_history,
        memberships_url=arrival.memberships_url,
    )
