"""The privacy notice, for students, guests and instructors: https://gdpr-info.eu/art-13-gdpr/, art-14"""

from series.documents import Bullets, Document, Section
from series.privacy.facts import Facts
from series.privacy.retention_words import short_retention


def notice(facts: Facts) -> Document:
    _ = facts.words.gettext
    return Document(
        name="notice",
        title=_("Privacy notice"),
        about=_(
            "What is kept about you when you take part in the workshop series, why, for how long, and your rights."
        ),
        sections=(_who(facts), _what(facts), _seen(facts), _long(facts), _rights(facts), _no(facts)),
    )


def _who(facts: Facts) -> Section:
    _ = facts.words.gettext
    return Section(
        title=_("Who is responsible"),
        blocks=(
            _(
                "Your own university and the other partner universities run the series together and are jointly"
                " responsible (Article 26 of the GDPR). Your own university is the one to turn to first: it answers for"
                " everything about you. You may turn to any other partner as well."
            ),
            _("The service is operated for them by: %(operator)s", operator=facts.who_operates),
            _("Questions about your data: %(contact)s", contact=facts.whom_to_ask),
            _("What the universities have agreed is published with the other documents, in the essence."),
        ),
    )


def _what(facts: Facts) -> Section:
    _ = facts.words.gettext
    return Section(
        title=_("What is kept about you, and why"),
        blocks=(
            Bullets(
                items=(
                    _("The number by which your university's LMS knows you. No name, no e-mail address, no photo."),
                    _("From which course you came, and whether you are there as a student or as a teacher."),
                    _(
                        "Which sessions you took part in, and how: check-in, minutes in the meeting, recording,"
                        " reflection, confirmation, an activity of your course."
                    ),
                    _("What you write: reflections, and objections when something is wrong."),
                    _("Which grade was sent to your own course."),
                    _("When somebody looked at your record, or exported it; and what you looked at of others."),
                    _(
                        "If you host or speak: your name, in the plan of the series that everybody can read, and in the"
                        " invitation. If you coordinate or run an LMS: your name and e-mail address, too."
                    ),
                )
            ),
            _(
                "The purpose is to run the series, to tell you and your teachers what counts for you, and to send the"
                " grade to your own course. The legal basis is the universities' task in the public interest (Article 6"
                " (1) (e) of the GDPR), or the contract with you (b), as your university has decided."
            ),
            _(
                "Your data come from your university's LMS (when you open the activity, and from the list of the course"
                " and its activities, also if you have never opened it), from yourself, and from your teachers. If your"
                " LMS sends your name or your address, both are dropped at once and not kept."
            ),
        ),
    )


def _seen(facts: Facts) -> Section:
    _ = facts.words.gettext
    return Section(
        title=_("Who sees it"),
        blocks=(
            Bullets(
                items=(
                    _("You see everything that is kept about you."),
                    _("The teachers of your own course see it, with your name as your LMS tells it at that moment."),
                    _(
                        "Teachers and hosts of other universities and the funder see numbers only. Small numbers are"
                        " hidden, so that nobody can be told from them."
                    ),
                    _(
                        "The coordinators see these numbers, the number in the LMS of who hosts or asks to, and a log"
                        " of who did what, in which you are a number of this service."
                    ),
                    _(
                        "Who completed which session can be exported for the partners; there you are a code, and"
                        " whoever has objected is left out."
                    ),
                    _("The operator can reach the database, and does so only to keep the service running."),
                )
            ),
            _("Your data go to no one else. What is kept is at: %(hosting)s", hosting=facts.where_hosted),
            _(
                "Data that show you never go to another country without the protection of European law, unless a"
                " contract that gives the same protection is recorded first; the transfer register says which."
            ),
        ),
    )


def _long(facts: Facts) -> Section:
    _ = facts.words.gettext
    return Section(title=_("How long"), blocks=(Bullets(items=short_retention(facts.words)),))


def _rights(facts: Facts) -> Section:
    _ = facts.words.gettext
    return Section(
        title=_("Your rights"),
        blocks=(
            _("You open the activity in your LMS and choose “My data”. There you can, without asking anybody:"),
            Bullets(
                items=(
                    _("see everything, and who looked at it, and take it with you as a file;"),
                    _("say that something is wrong: your teachers answer within one month;"),
                    _(
                        "object: then you are not counted any more in what others are shown, and no grade is sent;"
                        " numbers told before become smaller when several people of your university have gone;"
                    ),
                    _(
                        "have everything erased; grades that your own LMS already holds are your university's, and a"
                        " code that only our key can make stays, so that no list of the LMS brings you back;"
                    ),
                    _("move your progress to another account of yours."),
                )
            ),
            _(
                "No decision about you is made by a program alone: your teachers can confirm, excuse or withdraw"
                " whatever was counted, and the reason is shown to you."
            ),
            _(
                "You may complain to the data-protection authority of your country: https://edpb.europa.eu/about-edpb/about-edpb/members_en"
            ),
        ),
    )


def _no(facts: Facts) -> Section:
    _ = facts.words.gettext
    return Section(
        title=_("What is not done"),
        blocks=(
            Bullets(
                items=(
                    _("No trackers, no advertising, no scripts or fonts of other companies."),
                    _(
                        "Your browser stores what opens the page, and nothing else: for each start from the LMS a"
                        " cookie of 10 minutes (or the same in the storage of your LMS), and one of 12 hours."
                    ),
                    _("No address of your computer, no device, no camera, microphone or chat is kept."),
                    _("Nobody's attention is measured, and no profile is made."),
                )
            ),
            _(
                "The meeting itself takes place in a video service of the hosting university, which has its own notice."
                " If a session is recorded, the host says so before. You need neither camera nor name to have it count."
            ),
        ),
    )
