"""What the node's own exceptions mean for an operator."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Callable

from node.ledger.acts import LedgerError
from node.sources.refused import FileRefused
from protocols.keys import KeyFileError
from protocols.operator.errors import BusyError, InputError, OperatorError, RuleError, SignatureError
from protocols.refusals import Refused


def explain(error: Exception) -> OperatorError | None:
    """The operator's error for an exception that is foreseen, or None."""
    if isinstance(error, OperatorError):
        return error
    for kind, words in _WORDS.items():
        if isinstance(error, kind):
            return words(error)
    return _exports(error) if _is_mapping_error(error) else None


def _exports(error: Exception) -> OperatorError:
    remedy = "mend the export or its mapping, then run leadline-node quality"
    return InputError("exports", str(error).rstrip("."), remedy)


def _ledger(error: Exception) -> OperatorError:
    return RuleError("ledger_broken", str(error), "release nothing from this site until the cause is known")


def _key(error: Exception) -> OperatorError:
    return SignatureError("key", str(error), "give the right key file; docs/hospital-it.md names them all")


def _refused(error: Exception) -> OperatorError:
    if not isinstance(error, Refused):
        raise TypeError(f"{type(error).__name__} is no refusal")
    return RuleError(error.code.value, str(error).rstrip("."), error.explanation.remedy.rstrip("."))


def _database(error: Exception) -> OperatorError:
    return BusyError("database", f"a database of the node cannot be used: {error}", "check disk, rights and locks")


def _file(error: Exception) -> OperatorError:
    return InputError("file", f"a file cannot be used: {error}", "check the path and its rights")


_WORDS: dict[type[Exception], Callable[[Exception], OperatorError]] = {
    FileRefused: _exports,
    LedgerError: _ledger,
    KeyFileError: _key,
    Refused: _refused,
    sqlite3.Error: _database,
    OSError: _file,
}


def _is_mapping_error(error: Exception) -> bool:
    """Without importing what reads tables: where nobody has, the error is not of its kind."""
    module = sys.modules.get("node.tables.mapping")
    return module is not None and isinstance(error, module.MappingError)
