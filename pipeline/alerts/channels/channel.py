"""What every channel is, and the options that several kinds share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Protocol

from pydantic import BaseModel, ConfigDict, Field, field_validator

from outgoing import read_allowed_private
from pipeline.alerts.message import Message, Receipt
from pipeline.alerts.wording import Format, Language, Wording
from pipeline.store.pace import Pace

Seconds = Annotated[float, Field(gt=0, le=600, allow_inf_nan=False)]


class Channel(Protocol):
    """A way to people. `name` is the operator's, `kind` says which way it is; `pace` is how many messages it takes."""

    @property
    def name(self) -> str: ...

    @property
    def kind(self) -> str: ...

    @property
    def pace(self) -> Pace | None: ...

    def send(self, message: Message, recipient: str) -> Receipt:
        """Carry one message, or its part, to one recipient; blocks until the outcome is known or time is up."""


class Options(BaseModel, ABC):
    """A channel's keys, as the operator writes them."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    @abstractmethod
    def build(self, name: str, languages: Mapping[str, Language]) -> Channel:
        """The channel of this name. `languages` are those of single recipients. Raises ValueError."""


class WordedOptions(Options):
    """The keys of channels that send a text written for people."""

    language: Language = "en"
    template: Path | None = None

    def wording(
        self, form: Format, languages: Mapping[str, Language], key: str = "template", path: Path | None = None
    ) -> Wording:
        """The wording in this format, after the template that `key` names. Raises ValueError naming it."""
        path = self.template if key == "template" else path
        try:
            source = path.read_text(encoding="utf-8") if path else None
        except (OSError, UnicodeDecodeError) as error:
            raise ValueError(f"{key}: {path} can't be read ({error})") from None
        try:
            return Wording(form, self.language, languages, source)
        except ValueError as error:
            raise ValueError(f"{key}: {path}: {error}") from None


class PrivateOptions(BaseModel):
    """The key of channels that may be told to reach private addresses."""

    allowed_private: frozenset[tuple[str, int]] = frozenset()

    @field_validator("allowed_private", mode="before")
    @classmethod
    def _read_pairs(cls, values: object) -> frozenset[tuple[str, int]]:
        if not isinstance(values, list | tuple) or not all(isinstance(value, str) for value in values):
            raise ValueError("must be a list of texts of the form host:port, such as hooks.lan:8080")
        return read_allowed_private(values)
