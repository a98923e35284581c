"""What the words of an event say: names and links that the coordinator's page states as a rule."""

import time

import icalendar
import pytest

from moodle_sync.calendar_text import Words, read_words


def words(description: str) -> Words:
    event = icalendar.Event()
    event.add("SUMMARY", "Inquiry at the beach")
    event.add("DESCRIPTION", description)
    return read_words(event)


def test_names_and_link_are_read_and_taken_out_of_the_text() -> None:
    read = words(
        "Bring a ruler.\nHosting university: University of Malta\nCo-hosts: Universität Klagenfurt; Uniwersytet\n"
        "guest speakers:  Dr. Ελένη Παππά \nJoin: https://meet.example/1\nAnd a pen."
    )
    assert read == Words(
        title="Inquiry at the beach",
        description="Bring a ruler.\nAnd a pen.",
        hosting_university="University of Malta",
        co_hosts="Universität Klagenfurt; Uniwersytet",
        speakers="Dr. Ελένη Παππά",
        join_url="https://meet.example/1",
    )


@pytest.mark.parametrize("line", ["Co-host: A", "Cohosts: A", "CO-HOSTS : A"])
def test_co_hosts_are_written_in_several_ways(line: str) -> None:
    assert words(line).co_hosts == "A"


@pytest.mark.parametrize("line", ["Guest speaker: B", "Speakers: B", "Guest lecturer: B"])
def test_guest_speakers_are_written_in_several_ways(line: str) -> None:
    assert words(line).speakers == "B"


@pytest.mark.parametrize("text", ["We thank our co-hosts: they are many.", "Meet the guest speakers: Tuesday."])
def test_a_sentence_about_them_is_no_such_line(text: str) -> None:
    read = words(text)
    assert (read.co_hosts, read.speakers, read.description) == ("", "", text)


@pytest.mark.parametrize("name", ["Hosting university", "Co-hosts", "Guest speakers", "Join"])
def test_a_hostile_line_does_not_keep_us_busy(name: str) -> None:
    begun = time.process_time()
    words(f"{name}: a{' ' * 500_000}b")
    assert time.process_time() - begun < 2


def test_names_are_bounded() -> None:
    assert len(words(f"Co-hosts: {'x' * 5000}").co_hosts) == 500
