"""Who has completed which activities of a Moodle course: Moodle tells one person a question, we ask many a call."""

import json
from collections.abc import Iterator, Sequence

import msgspec

from lms.errors import LmsError, MalformedAnswer, NotFound, Refused
from lms.moodle_course import ActivityStatus, UserCompletions, UserProblem
from lms.moodle_protocol import NO_SUCH_PERSON, Function, error_of
from lms.moodle_service import Epoch, MoodleService, instant, reader

PEOPLE_PER_CALL = 20  # some 9 ms each in Moodle: well under its own and our limits of time
_OF_THE_COURSE = {"invalidrecord", "invalidparameter"}  # refusals that the next person would get, too
_DONE = {1, 2}
Outcome = UserCompletions | UserProblem


class _StatusJson(msgspec.Struct):
    cmid: int
    modname: str
    instance: int
    state: int
    timecompleted: Epoch = 0
    overrideby: int | None = None
    istrackeduser: bool = True
    isoverallcomplete: bool | None = None


class _StatusesJson(msgspec.Struct):
    statuses: list[_StatusJson]


class _ResponseJson(msgspec.Struct):
    """`data` and `exception` are JSON within a string."""

    error: bool
    data: str | None = None
    exception: str | None = None


class _ResponsesJson(msgspec.Struct):
    responses: list[_ResponseJson]


class _ExceptionJson(msgspec.Struct):
    errorcode: str = ""


_STATUSES, _RESPONSES, _EXCEPTION = reader(_StatusesJson), reader(_ResponsesJson), reader(_ExceptionJson)


class CompletionCalls(MoodleService):
    """The part of Moodle that tells what people have completed."""

    def completions(self, course_id: int, user_ids: Sequence[str], *, batched: bool) -> Iterator[Outcome]:
        """What each person has completed, or why Moodle does not tell. Lazy: asks while it is read, so that what one
        call has told is known when the next one fails. `batched`: 20 people a call, where the service has
        tool_mobile_call_external_functions.

        Raises what concerns more than one person: a course that is not there or not open to us, a missing capability
        or function (NotAllowed), and all that passes. Activities that the account may not see are silently absent.
        """
        known = [user_id for user_id in user_ids if _is_id(user_id)]
        for user_id in user_ids:
            if not _is_id(user_id):
                yield UserProblem(user_id=user_id, error=NotFound(NO_SUCH_PERSON, status=200, reason="invaliduser"))
        asked = 0
        while asked < len(known):
            people = known[asked : asked + PEOPLE_PER_CALL] if batched else known[asked : asked + 1]
            for outcome in self._ask_for_many(course_id, people) if batched else self._ask_for_one(course_id, *people):
                asked += 1
                yield outcome

    def _ask_for_one(self, course_id: int, user_id: str) -> Iterator[Outcome]:
        arguments = {"courseid": course_id, "userid": int(user_id)}
        try:
            found = self.call(Function.GET_ACTIVITIES_COMPLETION, arguments, _STATUSES)
        except LmsError as error:
            yield _problem(user_id, error)
        else:
            yield _completions(user_id, found)

    def _ask_for_many(self, course_id: int, user_ids: Sequence[str]) -> Iterator[Outcome]:
        """At least one outcome; fewer than people, if Moodle stopped at one who is a problem."""
        requests = [
            {
                "function": Function.GET_ACTIVITIES_COMPLETION,
                "arguments": json.dumps({"courseid": course_id, "userid": int(user_id)}),
            }
            for user_id in user_ids
        ]
        answer = self.call(Function.CALL_EXTERNAL_FUNCTIONS, {"requests": requests}, _RESPONSES)
        for user_id, response in zip(user_ids, answer.responses, strict=False):
            if response.error:
                yield _problem(user_id, self._error(response))
                return  # Moodle has not gone on, either
            yield _completions(user_id, self.read(response.data or "", _STATUSES))
        if len(answer.responses) < len(user_ids):
            raise MalformedAnswer(self.host, "left out some of what we asked, without a word")

    def _error(self, response: _ResponseJson) -> LmsError:
        try:
            code = _EXCEPTION.decode(response.exception or "{}").errorcode
        except msgspec.DecodeError:
            code = ""
        return error_of(self.host, Function.GET_ACTIVITIES_COMPLETION, code)


def _is_id(user_id: str) -> bool:
    """Moodle's are numbers. Another LMS's would come out as somebody else's number, or as 0."""
    return user_id.isascii() and user_id.isdigit() and len(user_id) <= 18


def _problem(user_id: str, error: LmsError) -> UserProblem:
    """Raises `error` again, unless it is about this person alone. A refusal that we do not know counts as that: one
    whom Moodle stumbles over does not hide the others."""
    if isinstance(error, Refused) and error.reason not in _OF_THE_COURSE and not error.of_platform:
        return UserProblem(user_id=user_id, error=error)
    raise error


def _completions(user_id: str, found: _StatusesJson) -> UserCompletions:
    return UserCompletions(user_id=user_id, statuses=tuple(_status(status) for status in found.statuses))


def _status(status: _StatusJson) -> ActivityStatus:
    told = status.isoverallcomplete
    return ActivityStatus(
        cmid=status.cmid,
        module=status.modname,
        instance=status.instance,
        state=status.state,
        is_complete=status.state in _DONE if told is None else told,
        changed_at=instant(status.timecompleted),
        override_by=str(status.overrideby) if status.overrideby else None,
        is_tracked=status.istrackeduser,
    )
