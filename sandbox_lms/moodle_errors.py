"""Moodle's errors: a class name, a code that a client goes by, and words."""


class MoodleError(Exception):
    """What a web service function raises; HTTP status 200."""

    def __init__(self, exception: str, errorcode: str, message: str) -> None:
        super().__init__(exception, errorcode, message)
        self._exception, self.errorcode, self.message = exception, errorcode, message

    def as_json(self) -> dict[str, str]:
        # No debuginfo: a site in production never says which parameter it was.
        return {"exception": self._exception, "errorcode": self.errorcode, "message": self.message}


def invalid_parameter() -> MoodleError:
    return MoodleError(
        "core\\exception\\invalid_parameter_exception", "invalidparameter", "Invalid parameter value detected"
    )


def missing_record(table: str) -> MoodleError:
    return MoodleError(
        "dml_missing_record_exception", "invalidrecord", f"Can't find data record in database table {table}."
    )


def moodle_exception(errorcode: str, message: str) -> MoodleError:
    return MoodleError("core\\exception\\moodle_exception", errorcode, message)
