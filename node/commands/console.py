"""The console: serve it, set its password, give out a one-time token."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from node.commands.common import CLOCK, CONFIG, ConfigOption
from node.config import NodeConfig, load_config
from protocols.operator.console import Format, FormatOption, say
from protocols.operator.errors import EndpointError, InputError

_HOST = "127.0.0.1"


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    app.command()(console)
    app.command("console-token")(console_token)


def console(
    config: ConfigOption = CONFIG,
    new_password: Annotated[
        bool,
        typer.Option("--set-password", help="Ask for a password, keep its hash, and end."),
    ] = False,
) -> None:
    """Serve the pages for people on loopback, until SIGTERM or Ctrl-C. Needs the extra `console`."""
    settings = load_config(config)
    if new_password:
        _set_password(settings)
        return
    _serve(settings)


def console_token(config: ConfigOption = CONFIG, how: FormatOption = Format.TEXT) -> None:
    """Make a one-time link for signing in to the console; it is good for ten minutes and replaces the one before."""
    link = _link(load_config(config))
    say(how, f"Open this within ten minutes; it works once:\n  {link}", {"link": link})


def _serve(settings: NodeConfig) -> None:
    try:
        import uvicorn  # noqa: PLC0415 - the extra `console` may be absent

        from node.console.app import create_console  # noqa: PLC0415 - as above
    except ModuleNotFoundError as error:
        hint = "install leadline with the extra `console`"
        raise InputError("console_missing", f"the console needs {error.name}, which is not installed", hint) from error
    port = settings.console.port
    # The access log would hold addresses with one-time tokens.
    options = uvicorn.Config(
        create_console(settings, CLOCK), _HOST, port, log_level="warning", access_log=False, proxy_headers=False,
        server_header=False, ws="none", lifespan="off",
    )  # fmt: skip
    server = uvicorn.Server(options)
    try:
        listener = options.bind_socket()
    except SystemExit as error:
        hint = "stop what uses it, or set another console.port"
        raise EndpointError("port", f"port {port} on {_HOST} cannot be used", hint) from error
    print(_greeting(settings), flush=True)
    server.run([listener])


def _greeting(settings: NodeConfig) -> str:
    if "JOURNAL_STREAM" in os.environ:  # systemd keeps what is printed, and others may read it
        return f"The console is at http://{_HOST}:{settings.console.port}/; `leadline-node console-token` makes a link."
    return f"The console is open. Sign in within ten minutes; the link works once:\n  {_link(settings)}"


def _link(settings: NodeConfig) -> str:
    from node.console.credentials import TokenFile  # noqa: PLC0415 - only these commands need it

    token = TokenFile.of(settings).issue(CLOCK.now_s())
    return f"http://{_HOST}:{settings.console.port}/login?token={token}"


def _set_password(settings: NodeConfig) -> None:
    from node.console.credentials import set_password  # noqa: PLC0415 - only these commands need it

    file = settings.console.password_file
    if file is None:
        hint = 'add password_file = "keys/console.password" under [console] in node.toml'
        raise InputError("password_file", "the configuration names no console.password_file", hint)
    interactive = sys.stdin.isatty()
    typed = (
        typer.prompt("New password", hide_input=True, confirmation_prompt=True)
        if interactive
        else sys.stdin.readline().rstrip("\n")
    )
    set_password(file, typed)
    print(f"The hash of the password is in {file}.")
