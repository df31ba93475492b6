"""The base of every exception that iprwatch raises on purpose, and the words for what people wrote wrongly."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import ValidationError


class IprwatchError(Exception):
    """Something is wrong that a person can understand from one sentence.

    The message says what is wrong, where, and what to do; the command line prints it as it is and
    ends with an exit code other than 0. Anything else that escapes is a defect of iprwatch.
    """


class ConfigurationError(IprwatchError):
    """A setting, a source entry or a rule can't be used.

    Raised while configuration is loaded, before anything is fetched or written; the message names the
    file and the key.
    """


_WORDS = {
    "extra_forbidden": "there is no such key",
    "missing": "is missing",
    "tuple_type": "must be a list",
    "dict_type": "must be a table",
    "model_type": "must be a table",
}


def first_fault(error: ValidationError) -> str:
    """The first fault of a validation as `key: what is wrong`, in plain words."""
    fault = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(str(part) for part in fault["loc"])
    message = fault["msg"].removeprefix("Value error, ").removesuffix(".")
    # The library says `Input should be …` and `Tuple should have at least 1 item after validation, not 0`.
    message = re.sub(r"^(Input|String|Tuple) should ", "must ", message).replace(" after validation", "")
    message = _WORDS.get(fault["type"], message)
    return f"{place}: {message}" if place else message
