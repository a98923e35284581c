"""Every address of the tool, and who may come through it. A new address that is not here fails the test."""

from dataclasses import dataclass
from enum import StrEnum

from tests.integration.staff.desk import PASSWORD


class Who(StrEnum):
    NOBODY = "nobody"
    STUDENT = "student"
    TEST_STUDENT = "test student"  # the LMS's own "student view"
    TEACHER = "teacher"
    OTHER_TEACHER = "teacher of another course"
    ADMINISTRATOR = "administrator by launch"
    HOST = "host"
    LMS_ADMIN = "LMS admin"  # of the university that the address names
    OTHER_LMS_ADMIN = "LMS admin of another university"
    COORDINATOR = "coordinator"


VISITORS = frozenset({Who.STUDENT, Who.TEST_STUDENT, Who.TEACHER, Who.OTHER_TEACHER, Who.ADMINISTRATOR, Who.HOST})
PEOPLE = VISITORS - {Who.TEST_STUDENT}  # about whom something is held
STAFF = frozenset({Who.LMS_ADMIN, Who.OTHER_LMS_ADMIN, Who.COORDINATOR})
EVERYBODY = frozenset(Who)
NO_ONE: frozenset[Who] = frozenset()
LEARNERS = frozenset({Who.STUDENT, Who.HOST})  # the host of this test is a student
TEACHERS = frozenset({Who.TEACHER, Who.OTHER_TEACHER})  # each for the own course
TEACHER = frozenset({Who.TEACHER})  # what is about people of the one course
HOST = frozenset({Who.HOST})
COORDINATOR = frozenset({Who.COORDINATOR})
LMS = frozenset({Who.LMS_ADMIN, Who.COORDINATOR})


@dataclass(frozen=True, kw_only=True)
class Door:
    """`may`: who comes through. `action`: of the form's token, for what is posted. `fields`: what its form has."""

    may: frozenset[Who]
    action: str = ""
    fields: tuple[tuple[str, str], ...] = ()


def door(may: frozenset[Who], action: str = "", **fields: str) -> Door:
    return Door(may=may, action=action, fields=tuple(fields.items()))


PUBLIC = {
    "GET static": door(EVERYBODY),
    "GET bootstrap.static": door(EVERYBODY),
    "GET public.front": door(EVERYBODY),
    "GET public.session": door(EVERYBODY),
    "POST public.join": door(EVERYBODY, passphrase="wrong"),
    "GET privacy.show_notice": door(EVERYBODY),
    "GET privacy.show_data_map": door(EVERYBODY),
    "GET privacy.show_bundle": door(EVERYBODY),
    "GET privacy.show_document": door(EVERYBODY),
    "GET privacy.download": door(EVERYBODY),
    "GET operations.healthz": door(EVERYBODY),
    "GET operations.readyz": door(EVERYBODY),
    "GET operations.jwks": door(EVERYBODY),
    "GET login.login": door(EVERYBODY),
    "POST login.login": door(EVERYBODY),
    "GET login.check": door(EVERYBODY),
    "GET launch.launch_by_get": door(EVERYBODY),
    "POST launch.launch": door(EVERYBODY),
    "GET staff_sign_in.show_sign_in": door(EVERYBODY),
    "POST staff_sign_in.sign_in": door(EVERYBODY),
    "GET register_addresses.canvas": door(EVERYBODY),
}
# The address or the form carries a key: whoever has none does not come through, whatever they are. What the key opens:
KEYED = {
    "GET certificates.show": door(NO_ONE),  # privacy/test_leaving.py
    "GET feeds.feed": door(NO_ONE),  # test_feeds.py
    "GET staff_sign_in.show_set_up": door(NO_ONE),  # staff/test_set_up.py
    "POST staff_sign_in.set_up": door(NO_ONE),
    "POST visit.open_in_own_tab": door(NO_ONE),  # test_platform_storage.py
    "POST bind.begin": door(NO_ONE),  # test_administrator.py, test_administrator_abused.py, test_administrator_ends.py
    "GET bind.ask": door(NO_ONE),
    "POST bind.confirm": door(NO_ONE, "bind {person}", current=PASSWORD),
    "POST bind.open_pages": door(NO_ONE),
    "POST pick.pick": door(NO_ONE),  # test_deep_linking_forms.py
    "GET register.show": door(NO_ONE),  # lms_registration/
    "POST register.register_lms": door(NO_ONE),
    "GET register.done": door(NO_ONE),
    "GET register_manual.show": door(NO_ONE),
    "POST register_manual.send": door(NO_ONE),
}
VISIT = {
    "GET student.this_week": door(VISITORS),
    "GET student_session.show": door(VISITORS),
    "POST student_session.declare": door(LEARNERS, "recording {session}", percent="90"),
    "POST student_session.take_back": door(LEARNERS, "take-back {session}"),
    "POST student_check_in.check_in": door(LEARNERS, "check-in {session}", code="000000"),
    "POST student_check_in.more_time": door(LEARNERS, "more-time {session}"),
    "POST student_objection.to_the_count": door(LEARNERS, "objection", text="It is wrong."),
    "POST student_objection.to_a_session": door(LEARNERS, "objection {session}", text="It is wrong."),
    "POST student_reflection.write": door(LEARNERS, "reflection {session}", text="I was there.", do="save"),
    "POST feeds.renew_own": door(VISITORS, "new-address p 0"),
    "GET my_data.show": door(PEOPLE),
    "GET my_data.as_json": door(PEOPLE),
    "GET my_data.as_pdf_file": door(PEOPLE),
    "POST my_data_rights.say_no": door(PEOPLE, "object"),
    "POST my_data_rights.say_yes": door(PEOPLE, "object-no-more"),
    "GET my_data_rights.ask_to_erase": door(PEOPLE),
    "POST my_data_rights.erase": door(PEOPLE, "erase", sure="yes"),
    "POST my_data_transfer.make_code": door(PEOPLE, "code"),
    "POST my_data_transfer.move": door(PEOPLE, "move", code="wrong"),
    "POST visit.sign_out": door(VISITORS, "sign-out"),
    "GET host.show_code": door(HOST),
    "POST host.open_now": door(HOST, "open-check-in {session}"),
    "POST host.change_link": door(HOST, "join-link {session}", join_url="https://meet.example/new"),
    "GET host_claim.show": door(VISITORS),
    "POST host_claim.enter_code": door(VISITORS - {Who.TEST_STUDENT}, "host code", code="wrong"),
    "POST host_claim.ask": door(TEACHERS, "ask to host {session}"),
    "POST administrator.open_way": door(frozenset({Who.ADMINISTRATOR}), "administrator"),
}
COURSE = {
    "GET instructor.course": door(TEACHERS),
    "GET course_audience.show": door(TEACHERS),
    "POST course_audience.save": door(TEACHERS, "audience", audience="both"),
    "GET pooled.show": door(TEACHERS),
    "GET pooled.download": door(TEACHERS),
    "GET course_activities.show": door(TEACHERS),
    "POST course_activities.save": door(TEACHERS, "map activity"),
    "GET course_activities.show_removal": door(TEACHERS),
    "POST course_activities.remove": door(TEACHERS, "unmap 21"),
    "POST course_activities.decide": door(TEACHERS, "accept completions "),
    "GET course_announcements.show": door(TEACHERS),
    "POST course_announcements.deal_with": door(TEACHERS, "announcement {session}"),
    "POST course_announcements.switch": door(TEACHERS, "announcements switch"),
    "POST feeds.renew_of_course": door(TEACHERS, "new-address c 0"),
    "GET course_count.show": door(TEACHERS),
    "GET course_round.show": door(TEACHERS),
    "POST course_round.choose": door(TEACHERS, "round"),
    "POST course_count.change": door(TEACHERS, "count"),
    "GET course_grades.show": door(TEACHERS),
    "POST course_grades.send_lower": door(TEACHER, "lower {person} {placement} 1/3 0/3", told="1/3", counts="0/3"),
    "POST course_grades.retry": door(TEACHERS, "retry"),
    "GET course_inbox.show": door(TEACHERS),
    "POST course_inbox.answer": door(TEACHER, "answer {objection}", answer="So be it."),
    "GET course_reflection.show": door(TEACHER),
    "POST course_reflection.read": door(TEACHER, "read {person} {session}"),
    "POST course_reflection.give_back": door(TEACHER, "return {person} {session}", comment="More, please."),
    "GET course_person.show": door(TEACHER),
    "GET course_records.show_withdrawal": door(TEACHER),
    "POST course_records.take_back": door(TEACHER, "withdraw {fact}", reason="wrong"),
    "GET course_records.show": door(TEACHER),
    "POST course_records.record": door(TEACHER, "record {person} {session}", reason="seen", do="confirm"),
    "POST roster.accept": door(TEACHERS, "accept_roster "),
    "POST roster.reject": door(TEACHERS, "reject_roster "),
    "GET course_confirm.show": door(TEACHERS),
    "POST course_confirm.confirm": door(TEACHERS, "confirm {session}"),
}
STAFF_PAGES = {
    "GET staff.home": door(STAFF),
    "GET staff.show_password": door(STAFF),
    "POST staff.set_password": door(STAFF, "password"),
    "POST staff.sign_out": door(STAFF, "sign-out"),
    "POST staff.sign_out_everywhere": door(STAFF, "sign-out-everywhere"),
    "POST staff_waiting.choose": door(STAFF, "mail"),
    "GET moodle.show_all": door(STAFF),
    "GET moodle.show": door(LMS),
    "GET moodle.show_runs": door(LMS),
    "POST moodle.run_now": door(LMS, "moodle run {slug} mirror"),
    "GET moodle_connection.show": door(LMS),
    "POST moodle_connection.check_again": door(LMS, "check-moodle {slug}"),
    "GET moodle_connection.show_disconnect": door(LMS),
    "POST moodle_connection.disconnect": door(LMS, "disconnect-moodle {slug}"),
    "GET moodle_connection_set_up.show": door(LMS),
    "POST moodle_connection_set_up.connect": door(LMS, "connect-moodle {slug} calendar"),
    "GET moodle_connection_set_up.role_file": door(LMS),
    "GET moodle_connection_course.show": door(LMS),
    "POST moodle_connection_course.choose": door(LMS, "moodle-course {slug}"),
    "GET moodle_connection_untie.show": door(LMS),
    "POST moodle_connection_untie.untie": door(LMS, "untie-moodle {slug} 42 {series}"),
    "POST moodle_connection_untie.untie_all": door(LMS, "untie-moodle {slug}"),
    "GET lms.show_all": door(STAFF),
    "GET lms.show": door(LMS),
    "GET lms_platform.show": door(LMS),
    "POST lms_platform.check_now": door(LMS, "check-lms malta"),
    "POST lms_deployments.attach": door(LMS, "attach {number}"),
    "GET lms_deployments.show_switch_off": door(LMS),
    "POST lms_deployments.switch_off": door(LMS, "switch-off {number}"),
    "POST lms_keys.rotate": door(LMS, "rotate-keys"),
    "GET connect.show": door(LMS),
    "POST connect.approve": door(COORDINATOR, "approve-lms {slug} malta", do="approve"),
    "POST connect.invite": door(LMS, "invite-lms {slug}"),
    "GET connect_manual.show": door(LMS),
    "POST connect_manual.send": door(LMS, "connect-lms {slug}"),
    "GET connect.show_revoke": door(LMS),
    "POST connect.revoke": door(LMS, "revoke-lms {slug} {number}"),
    "POST bind.undo": door(STAFF, "undo-binding {person}"),
    "GET partners.show_all": door(COORDINATOR),
    "GET partner.show": door(COORDINATOR),
    "POST partner.approve": door(COORDINATOR, "approve-deployment 1"),
    "POST partner.change": door(COORDINATOR, "change-university {slug}"),
    "GET partner_privacy.show": door(COORDINATOR),
    "POST partner_privacy.record": door(COORDINATOR, "instrument {slug}", instrument="Clauses of 1 October 2026"),
    "POST partner_privacy.withdraw": door(COORDINATOR, "withdraw-instrument {slug}"),
    "GET partner_add.show": door(COORDINATOR),
    "POST partner_add.add": door(COORDINATOR, "add-university"),
    "GET audit.show": door(COORDINATOR),
    "GET people.show_all": door(COORDINATOR),
    "GET people.show_invite": door(COORDINATOR),
    "POST people.invite": door(COORDINATOR, "invite-staff"),
    "GET person.show": door(COORDINATOR),
    "POST person.undo": door(COORDINATOR, "undo-binding {person}"),
    "GET person.confirm_disable": door(COORDINATOR),
    "POST person.disable": door(COORDINATOR, "disable-staff {staff_id}"),
    "POST person.enable": door(COORDINATOR, "enable-staff {staff_id}"),
    "POST person.new_link": door(COORDINATOR, "link-staff {staff_id}"),
    "GET person.confirm_reset": door(COORDINATOR),
    "POST person.reset": door(COORDINATOR, "reset-staff {staff_id}"),
    "POST plan.set_places": door(COORDINATOR, "join-hosts {series}"),
    "POST plan_hosts.remove": door(COORDINATOR, "hosts {session}"),
    "POST plan_hosts.revoke": door(COORDINATOR, "hosts {session}"),
    "POST plan_hosts.invite": door(COORDINATOR, "hosts {session}", label="Prof. Borg"),
    "POST plan_hosts.answer": door(COORDINATOR, "hosts {session}"),
    "GET plan_rehearsal.show_add": door(COORDINATOR),
    "POST plan_rehearsal.add": door(COORDINATOR, "rehearse {series}"),
    "POST plan_rehearsal.remove": door(COORDINATOR, "remove {session}"),
    "GET plan.show": door(COORDINATOR),
    "GET plan.show_held": door(COORDINATOR),
    "POST plan.answer_held": door(COORDINATOR, "held {series}"),
    "POST plan.set_fallback": door(COORDINATOR, "passphrase {series}"),
    "GET plan_edit.show": door(COORDINATOR),
    "POST plan_edit.edit": door(COORDINATOR, "edit {session}"),
    "GET plan_edit.show_add": door(COORDINATOR),
    "POST plan_edit.add": door(COORDINATOR, "add {series}"),
    "GET plan_table.show": door(COORDINATOR),
    "POST plan_table.upload": door(COORDINATOR, "table {series}"),
    "GET plan_table.follow": door(NO_ONE),  # there is no such run
    "GET results.show": door(COORDINATOR),
    "GET results.download": door(COORDINATOR),
    "POST results.set_k": door(COORDINATOR, "smallest-group {series}", smallest_group="6"),
    "GET report.show": door(COORDINATOR),
    "GET report.as_pdf": door(COORDINATOR),
    "GET report.as_xlsx": door(COORDINATOR),
    "GET rule.show": door(COORDINATOR),
    "POST rule.answer": door(COORDINATOR, "rule {series}"),
    "GET rule_session.show": door(COORDINATOR),
    "POST rule_session.answer": door(COORDINATOR, "rule {session}"),
}
DOORS = {**PUBLIC, **KEYED, **VISIT, **COURSE, **STAFF_PAGES}
