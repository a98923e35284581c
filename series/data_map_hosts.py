"""The data map, second part: about those who host and speak; as series.data_map."""

from series.data_map_kinds import Category as What
from series.data_map_kinds import Holding, Whose
from series.retention import Kept
from series.rule_words import N_

_BY_PERSON = N_("the person")
_HOST_PAGES = N_("the person, and the coordinators")

OF_HOSTS = (
    Holding(
        table="session_host",
        whose=Whose.TEACHES,
        purpose=N_("let those open the check-in who host the session"),
        source=N_("the coordinators"),
        seen_by=_HOST_PAGES,
        kept=Kept.HOSTING,
        columns={What.NUMBER: "participant_id", What.WHERE: "session_id"},
    ),
    Holding(
        table="host_request",
        whose=Whose.TEACHES,
        purpose=N_("let somebody ask to be the host of a session, and answer them"),
        source=_BY_PERSON,
        seen_by=_HOST_PAGES,
        kept=Kept.HOSTING,
        columns={
            What.NUMBER: "participant_id",
            What.WHERE: "session_id course_id",
            What.ACT: "decided_by",
            What.TIME: "asked_at decided_at",
            What.TECHNICAL: "state",
        },
    ),
    Holding(
        table="host_invitation",
        whose=Whose.SPEAKS,
        purpose=N_("invite somebody to host a session, and know who is meant"),
        source=N_("the coordinators"),
        seen_by=N_("the coordinators"),
        kept=Kept.HOSTING,
        columns={
            What.NUMBER: "id participant_id",
            What.NAME: "label",
            What.WHERE: "session_id",
            What.ROLE: "used_as",
            What.ACT: "created_by",
            What.TIME: "created_at expires_at revoked_at used_at",
        },
    ),
    Holding(
        table="check_in",
        whose=Whose.TEACHES,
        purpose=N_("know who has opened a check-in, and why once more"),
        source=_BY_PERSON,
        seen_by=N_("the hosts of the session"),
        kept=Kept.ATTENDANCE,
        columns={What.NUMBER: "opened_by_participant_id", What.WRITING: "reason"},
    ),
    Holding(
        table="session",
        whose=Whose.SPEAKS,
        purpose=N_("tell everybody who hosts and who speaks"),
        source=N_("the calendar of the series, or the coordinators"),
        seen_by=N_("everybody: the page of a session is public"),
        kept=Kept.SET_UP,
        columns={What.NAME: "speakers co_hosts", What.WRITING: "title description"},
    ),
)
