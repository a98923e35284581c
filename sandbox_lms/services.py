"""What every service of an LMS shares: the journal, the switches, and refusals as Moodle writes them."""

from typing import Any

from flask import Blueprint, Response, g, jsonify, request

from sandbox_lms.journal import Entry
from sandbox_lms.products.habits import USUAL_STATUS, Fault
from sandbox_lms.site import the_site
from sandbox_lms.switches import Hold, has_hung_up

UNAUTHORIZED = 401


def service_blueprint(name: str) -> Blueprint:
    """A blueprint whose requests are written down, and answered with 503 or slowly if the switches say so."""
    blueprint = Blueprint(name, __name__)
    blueprint.before_request(_begin)
    blueprint.after_request(_end)
    return blueprint


def the_entry() -> Entry:
    """The journal's entry of the present request."""
    entry: Entry = g.sandbox_entry
    return entry


def hold(name: Hold) -> None:
    """Wait here while the switch says so."""
    switches = the_site().switches
    if getattr(switches.settings, name):
        the_entry().hold = name
        switches.hold(name)


def client_is_gone() -> bool:
    """Whether whoever sent the present request has hung up meanwhile."""
    return has_hung_up(request.environ.get("werkzeug.socket"))


def retry_after() -> dict[str, str]:
    """The header, if the switches want it."""
    seconds = the_site().switches.settings.retry_after_s
    return {} if seconds is None else {"Retry-After": str(seconds)}


def refusal(status: int, reason: str) -> Response:
    """A refusal of an LTI service: in the words of the product where it has some of its own, else in Moodle's shape.

    `reason`: a Fault, or a sentence.
    """
    fault = Fault.BAD_TOKEN if status == UNAUTHORIZED and not isinstance(reason, Fault) else reason
    said = the_site().campus.habits.says.get(fault) if isinstance(fault, Fault) else None
    if said is not None:
        return Response(said.body, said.status, headers=dict(said.headers), content_type="application/json")
    response = jsonify(
        status=status,
        reason="Unauthorized" if status == UNAUTHORIZED else reason,  # and not why
        request={
            "method": request.method,
            "url": request.full_path.rstrip("?"),
            "accept": request.headers.get("Accept", ""),
            "contentType": request.headers.get("Content-Type", ""),
        },
    )
    response.status_code = status
    return response


def fault_refusal(fault: Fault) -> Response:
    return refusal(USUAL_STATUS.get(fault, 400), fault)


def no_handler(path: str | None = None) -> Response:
    """What Moodle says to a media type that it does not know there, and to a path that did not get through to it."""
    if path is None:
        path = request.path.partition("services.php")[2]
    accept, content_type = request.headers.get("Accept", ""), request.headers.get("Content-Type", "")
    return refusal(400, f"No handler found for {path} {accept} {content_type}")


def _begin() -> Response | None:
    site = the_site()
    g.sandbox_entry = Entry(method=request.method, path=request.path, accept=request.headers.get("Accept"))
    site.journal.add(g.sandbox_entry)
    site.switches.be_slow()
    if site.switches.settings.wants_user_agent and _names_no_program():
        return Response("<h1>Forbidden</h1>\n", 403, mimetype="text/html")
    if site.switches.settings.busy and request.blueprint != "token_endpoint":
        return fault_refusal(Fault.BUSY)
    if site.switches.settings.down:
        return Response("<h1>Down</h1>\n", 503, headers=retry_after(), mimetype="text/html")
    if site.switches.settings.drops_path_info and "/services.php/" in request.path:
        return without_path()
    return None


def _names_no_program() -> bool:
    """What libraries say when nobody has told them what to say does not count."""
    return request.headers.get("User-Agent", "python-").startswith("python-")


def without_path() -> Response:
    """A service that accepts anything is found without a path, too, and then does not know what to do."""
    is_found = request.method == "GET" and takes_anything()
    return refusal(405, "Method Not Allowed") if is_found else no_handler(path="")


def takes_anything() -> bool:
    """Whether the client says nothing of the media type that it wants."""
    return request.headers.get("Accept", "*/*") == "*/*"


def _end(response: Response) -> Any:
    the_site().journal.answer(the_entry(), response.status_code)
    return response
