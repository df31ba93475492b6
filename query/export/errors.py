"""What can't be exported."""

from __future__ import annotations

from errors import IprwatchError


class ExportError(IprwatchError):
    """An export that can't be made, or not as a whole. Raised by `write_export` and by what picks its columns; a file
    that stood under the name before is then as it was."""
