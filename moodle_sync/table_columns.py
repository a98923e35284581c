"""The columns of a table, recognised by their names in any order, in the languages of the partners.

Case, accents, spaces and punctuation do not matter: `START-TIME`, `Start time` and `starttime` are one name. What
stands in brackets is no part of the name, but names the zone of the times when it is one: `Start (Europe/Athens)`.
"""

import functools
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from moodle_sync.calendar_lines import plain_text
from moodle_sync.calendar_zones import find_zone
from moodle_sync.errors import NotACalendar
from moodle_sync.table_cells import Cells, Row, Table

HEADER_WITHIN = 20  # rows; a title or a note may stand above
MAX_NAME = 60  # characters of a column's name that we show
IN_BRACKETS = re.compile(r"\(([^()]*)\)|\[([^\[\]]*)\]")


class Column(StrEnum):
    """Each with the name that messages and the help use."""

    DATE = "date"
    START = "start"
    END = "end"
    TITLE = "title"
    HOSTING_UNIVERSITY = "hosting university"
    ABSTRACT = "abstract"
    MATERIALS = "materials"
    JOIN_LINK = "join link"
    STATUS = "status"
    TIME_ZONE = "time zone"


REQUIRED = (Column.DATE, Column.START, Column.TITLE)

# One line for each language: English, German, French, Spanish, Italian, Greek, Polish, Lithuanian.
NAMES = {
    Column.DATE: """
        date, day, session date, start date, date of the session
        Datum, Tag, Termin
        jour, date de la séance
        fecha, día
        data, giorno
        ημερομηνία
        dzień, termin
        diena
    """,
    Column.START: """
        start, start time, starts, starts at, begin, begins, beginning, from, time
        Beginn, Anfang, Startzeit, von, Zeit, Uhrzeit
        début, heure, heure de début, horaire
        inicio, comienzo, hora, hora de inicio
        inizio, ora, orario, ora inizio, ora di inizio
        έναρξη, ώρα, ώρα έναρξης
        początek, rozpoczęcie, godzina, godzina rozpoczęcia
        pradžia, laikas, pradžios laikas
    """,
    Column.END: """
        end, end time, ends, ends at, until, to
        Ende, Endzeit, Schluss, bis
        fin, heure de fin
        final, hora de fin
        fine, ora fine, ora di fine
        λήξη, τέλος, ώρα λήξης
        koniec, zakończenie, godzina zakończenia
        pabaiga, pabaigos laikas
    """,
    Column.TITLE: """
        title, session title, workshop, workshop title, topic, theme, subject
        Titel, Thema
        titre, thème, sujet
        título, tema
        titolo, argomento
        τίτλος, θέμα
        tytuł, temat
        pavadinimas
    """,
    Column.HOSTING_UNIVERSITY: """
        hosting university, host university, host, hosted by, hosting institution, hosting partner
        university, institution
        Gastgebende Hochschule, Gastgebende Universität, Gastgeber, Gastgeberin, Hochschule, Universität
        université hôte, université d'accueil, université, établissement d'accueil
        universidad anfitriona, universidad, anfitrión, anfitriona
        università ospitante, ateneo ospitante, università
        πανεπιστήμιο, πανεπιστήμιο υποδοχής
        uczelnia, uniwersytet, gospodarz
        universitetas
    """,
    Column.ABSTRACT: """
        abstract, description, summary
        Zusammenfassung, Beschreibung, Kurzbeschreibung
        résumé
        resumen, descripción
        riassunto, descrizione
        περίληψη, περιγραφή
        streszczenie, opis
        santrauka, aprašymas
    """,
    Column.MATERIALS: """
        materials, material, links to materials
        Materialien, Unterlagen
        matériel, matériels, supports
        materiales
        materiali
        υλικό, υλικά
        materiały
        medžiaga
    """,
    Column.JOIN_LINK: """
        join link, join, join url, link, url, meeting link, meeting url, video link, zoom, zoom link
        Beitrittslink, Teilnahmelink, Einwahllink, Meeting-Link, Zoom-Link
        lien, lien de connexion, lien de la réunion
        enlace, enlace de conexión, enlace de la reunión
        link di accesso, link di collegamento
        σύνδεσμος, σύνδεσμος σύνδεσης
        link do spotkania
        nuoroda, prisijungimo nuoroda
    """,
    Column.STATUS: """
        status, state
        Stand
        statut, état
        estado
        stato
        κατάσταση
        stan
        būsena
    """,
    Column.TIME_ZONE: """
        time zone, zone, tz
        Zeitzone
        fuseau horaire
        zona horaria, huso horario
        fuso orario
        ζώνη ώρας
        strefa czasowa
        laiko juosta
    """,
}


def normalised(text: object) -> str:
    """Letters and digits alone, without accents and case."""
    apart = unicodedata.normalize("NFKD", str(text).casefold())
    return "".join(sign for sign in apart if sign.isalnum())


@functools.cache
def normalised_names(names: str) -> frozenset[str]:
    """Of a list with commas or lines between them."""
    return frozenset(normalised(name) for name in re.split(r"[,\n]", names) if name.strip())


KNOWN = {name: column for column, names in NAMES.items() for name in normalised_names(names)}

ALIKE = len(Column)


@dataclass(frozen=True, kw_only=True)
class Header:
    """The row that names the columns, and where each of them stands."""

    number: int  # of the row
    places: Mapping[Column, int]
    zone: str | None  # IANA, when the name of a column states it
    remarks: tuple[tuple[str, str, str], ...]  # (column, fact, done)

    def cell(self, row: Row, column: Column) -> object:
        place = self.places.get(column)
        return row.cells[place] if place is not None and place < len(row.cells) else None


def find_header(table: Table) -> Header:
    """The first of the rows at the top that name the most of our columns. Raises NotACalendar without the required."""
    if not table.rows:
        raise NotACalendar("The table is empty.")
    row = max(table.rows[:HEADER_WITHIN], key=lambda row: len(_columns(row.cells)))
    header = _read_header(row)
    missing = [column for column in REQUIRED if column not in header.places]
    if missing:
        found = ", ".join(_shown(cell) for cell in row.cells if _shown(cell))
        raise NotACalendar(
            f"The table has no column for {_in_words(missing)}. Found in row {row.number}: {found[:500]}. "
            f"Needed: {_in_words(REQUIRED)}."
        )
    return header


def likeness(table: Table) -> int:
    """How many of our columns it names. All tables that name the required ones are equally like ours."""
    known = [_columns(row.cells) for row in table.rows[:HEADER_WITHIN]]
    if any(columns.issuperset(REQUIRED) for columns in known):
        return ALIKE
    return max((len(columns) for columns in known), default=0)


def _columns(cells: Cells) -> set[Column]:
    return {column for cell in cells if (column := _column(cell))}


def _column(cell: object) -> Column | None:
    return KNOWN.get(normalised(IN_BRACKETS.sub("", cell))) if isinstance(cell, str) and len(cell) <= 200 else None


def _read_header(row: Row) -> Header:
    places: dict[Column, int] = {}
    zone: str | None = None
    remarks: list[tuple[str, str, str]] = []
    for place, cell in enumerate(row.cells):
        name, column = _shown(cell), _column(cell)
        if column is None:
            if name:
                remarks.append((name, "is a column that we do not know", "left out"))
        elif column in places:
            remarks.append((name, f"is a second column for the {column.value}", "left out"))
        else:
            places[column] = place
            zone = zone or _zone_in(str(cell), column)
    return Header(number=row.number, places=places, zone=zone, remarks=tuple(remarks))


def _zone_in(cell: str, column: Column) -> str | None:
    if column not in {Column.DATE, Column.START, Column.END}:
        return None
    found = IN_BRACKETS.search(cell)
    return find_zone(found[1] or found[2] or "") if found else None


def _shown(cell: object) -> str:
    return "" if cell is None else " ".join(plain_text(cell).split())[:MAX_NAME]


def _in_words(columns: Iterable[Column]) -> str:
    return ", ".join(column.value for column in columns)
