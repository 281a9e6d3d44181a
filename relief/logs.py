"""What the processes say of themselves: one event a line, JSON where a machine reads it, words where a person does.

Nothing personal is ever in it: events are names with codes, identifiers and counts. An exception is told by its kind and the places it
passed through; its message is left out, for a driver likes to quote the row it did not like.
"""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from traceback import extract_tb
from types import TracebackType
from typing import Final, Literal

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

Form = Literal["json", "plain"]
_ROOT: Final = str(Path(__file__).resolve().parent.parent) + "/"
_MOST_FRAMES: Final = 20


def set_up(form: Form) -> None:
    """Everything logged by us or by libraries goes to standard error in this form."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        places,
    ]
    last: Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if form == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared, processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, last]
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("relief").setLevel(logging.INFO)


def places(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """An exception becomes its kind, its stable code if it has one, and `file:line function` of each place, innermost last."""
    error = event.pop("exc_info", None)
    if error is True:
        error = sys.exc_info()[1]
    if isinstance(error, tuple):
        error = error[1]
    if isinstance(error, BaseException):
        event["error"] = type(error).__name__
        code = getattr(error, "code", None)
        if isinstance(code, str):
            event["code"] = code
        event["places"] = _frames(error.__traceback__)
    return event


def _frames(trace: TracebackType | None) -> list[str]:
    return [f"{f.filename.removeprefix(_ROOT)}:{f.lineno} {f.name}" for f in extract_tb(trace)][-_MOST_FRAMES:]
