"""The mapping: as it is, as it is proposed, and how a person's decisions become the file."""

from __future__ import annotations

import secrets
import tempfile
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from starlette.exceptions import HTTPException

from node.clock import Clock
from node.console.context import Context
from node.console.grounds import not_answered
from node.console.mapping_form import KIND_WORDS, changes_of, form_of, origin_words, ready
from node.console.quality import import_problem, read_mapping
from node.files import GROUP, put_file
from node.proposals import ChangeError, Proposal, apply, as_mapped, look_at, propose, renew
from node.proposals.today import Loss, Renewed, loss
from node.tables.mapping import Mapping, MappingError, load_mapping
from protocols.catalogue import current_catalogue
from protocols.catalogue.model import Measure
from protocols.operator.errors import InputError

_DRAFTS = 20
_LOSES = "This file leaves out what is mapped today. Put it back, or say below that it is to be left out."


class Drafts:
    """Proposals with a person's decisions so far, by id; kept in memory, the oldest makes room."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, Proposal] = OrderedDict()

    def keep(self, proposal: Proposal) -> str:
        """The id of a draft. A draft never changes: decisions make another one."""
        draft_id = secrets.token_urlsafe(9)
        self._kept[draft_id] = proposal
        while len(self._kept) > _DRAFTS:
            self._kept.popitem(last=False)
        return draft_id

    def get(self, draft_id: str) -> Proposal:
        """The draft; 404 for one that is gone."""
        if draft_id not in self._kept:
            raise HTTPException(404, "This proposal is gone: the console was started again. Ask for a new one.")
        return self._kept[draft_id]


@dataclass(frozen=True)
class Change:
    """What a new file would do to the mapping of today: tables kept, what is lost, and measures no longer answered."""

    kept: tuple[str, ...]
    lost: Loss
    measures: tuple[Measure, ...]

    @property
    def consent(self) -> str:
        """What a person who agrees sends back: it names the loss, so that it holds for no other."""
        return " ".join((*self.lost.tables, *self.lost.columns))


def change_of(path: Path, text: str, kept: tuple[str, ...] = ()) -> Change:
    """What `text` would change in the mapping at `path`; a mapping that cannot be read has nothing to lose."""
    today, _ = read_mapping(path)
    try:
        after = parse_mapping(path.name, text)
    except MappingError:
        after = None
    catalogue, _ = current_catalogue()
    silent = not_answered(_tables(today), catalogue)
    measures = tuple(measure for measure in not_answered(_tables(after), catalogue) if measure not in silent)
    return Change(kept, loss(today, after), measures)


def _tables(mapping: Mapping | None) -> set[str]:
    return {source.table for source in mapping.sources} if mapping else set()


def router(context: Context) -> APIRouter:
    """`/mapping`, `/mapping/drafts/{id}`, `/mapping/drafts/{id}/file` and `/mapping/write`."""
    pages, drafts, paths = APIRouter(), Drafts(), context.config.paths

    def current(request: Request, status_code: int = 200, problem: str = "") -> Response:
        mapping, trouble = read_mapping(paths.mapping)
        values: dict[str, Any] = {"mapping": mapping, "trouble": trouble, "problem": problem, "file": paths.mapping}
        values |= {"origin_words": origin_words, "kind_words": KIND_WORDS}
        return context.render(request, "mapping.html", "mapping", status_code, **values)

    def renewed(proposal: Proposal) -> Renewed:
        return renew(proposal, ready(proposal)[0], paths.mapping)

    def file_page(
        request: Request, draft_id: str, text: str, kept: tuple[str, ...] = (), problem: str = ""
    ) -> Response:
        _, waiting = ready(drafts.get(draft_id)) if draft_id and not problem else (None, ())
        values: dict[str, Any] = {
            "draft_id": draft_id,
            "text": text,
            "problem": problem,
            "waiting": [source for source in waiting if source.table not in kept],
            "change": change_of(paths.mapping, text, kept),
            "file": paths.mapping,
        }
        return context.render(request, "mapping_file.html", "mapping", 409 if problem else 200, **values)

    @pages.get("/mapping")
    def show(request: Request) -> Response:
        return current(request)

    @pages.post("/mapping/propose")
    def suggest() -> Response:
        proposal = as_mapped(propose(look_at(paths.exports)), read_mapping(paths.mapping)[0])
        return RedirectResponse(f"/mapping/drafts/{drafts.keep(proposal)}", 303)

    @pages.get("/mapping/drafts/{draft_id}")
    def edit(request: Request, draft_id: str) -> Response:
        proposal = drafts.get(draft_id)
        file = renewed(proposal)
        values: dict[str, Any] = {"proposal": proposal, "forms": form_of(proposal), "draft_id": draft_id}
        values["change"] = change_of(paths.mapping, file.text, file.kept)
        return context.render(request, "mapping_edit.html", "mapping", **values)

    @pages.post("/mapping/drafts/{draft_id}")
    def decide(request: Request, draft_id: str) -> Response:
        proposal, filled_in = drafts.get(draft_id), request.state.form
        try:
            changed = apply(proposal, changes_of(proposal, filled_in))
        except ChangeError as error:
            raise InputError("mapping", str(error).rstrip("."), "go back and choose again") from error
        then = "/file" if filled_in.get("then") == "see" else ""
        return RedirectResponse(f"/mapping/drafts/{drafts.keep(changed)}{then}", 303)

    @pages.get("/mapping/drafts/{draft_id}/file")
    def see(request: Request, draft_id: str) -> Response:
        file = renewed(drafts.get(draft_id))
        return file_page(request, draft_id, file.text, file.kept)

    @pages.get("/mapping/file")
    def see_current(request: Request) -> Response:
        text = paths.mapping.read_text(encoding="utf-8-sig") if paths.mapping.is_file() else "version = 1\n"
        return file_page(request, "", text)

    @pages.post("/mapping/write")
    def write(request: Request) -> Response:
        form = request.state.form
        text = form.get("text", "").replace("\r\n", "\n")
        draft_id, change = form.get("draft_id", ""), change_of(paths.mapping, text)
        try:
            parse_mapping(paths.mapping.name, text)
            if change.lost and form.get("leave_out", "") != change.consent:
                return file_page(request, draft_id, text, problem=_LOSES)
            write_mapping(paths.mapping, text, context.clock)
        except MappingError as error:
            return file_page(request, draft_id, text, problem=str(error))
        problem = import_problem(paths, context.clock)
        return current(request, 409, problem) if problem else RedirectResponse("/quality", 303)

    return pages


def parse_mapping(name: str, text: str) -> Mapping:
    """The mapping that `text` is; MappingError, which calls the file `name`, if it is none."""
    with tempfile.TemporaryDirectory() as folder:
        tried = Path(folder) / name
        tried.write_text(text, encoding="utf-8")
        return load_mapping(tried)


def write_mapping(path: Path, text: str, clock: Clock) -> None:
    """Replace the mapping and keep the old one under its date; MappingError before anything is written."""
    parse_mapping(path.name, text)
    mode = GROUP
    if path.is_file():
        mode = path.stat().st_mode & 0o777
        at = datetime.fromtimestamp(clock.now_s(), UTC).strftime("%Y%m%dT%H%M%SZ")
        old = path.read_text(encoding="utf-8-sig")
        put_file(path.with_name(f"{path.stem}.{at}{path.suffix}"), old.encode(), mode)
    put_file(path, text.encode(), mode)
