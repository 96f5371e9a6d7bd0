"""`seatrial targets`: what can be asked, and what endpoints list."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from seatrial.cli import options

if TYPE_CHECKING:
    from seatrial.core.suite import TargetSpec
    from seatrial.targets.catalogue import Provider

SHOWN = 20
UNREAD = 4


class Listing(click.Group):
    """A group whose bare call, with or without a word, lists."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put `list` before whatever is no command."""
        if not args or (args[0] not in self.commands and args[0] not in ctx.help_option_names):
            args = ["list", *args]
        return super().parse_args(ctx, args)


@click.group(cls=Listing)
def targets() -> None:
    """List what can be asked: adapters, and the catalogue of endpoints.

    A bare `seatrial targets` lists both; `seatrial targets WORD` shows the endpoints that a word finds.
    """


@targets.command("list")
@click.argument("word", required=False)
@options.as_json
def list_(word: str | None, as_json: bool) -> None:
    """List adapters and endpoints, or the endpoints that a word finds.

    An adapter's name is what stands before the colon of a target's `use`, an endpoint's what stands before the slash.
    """
    from seatrial.core.plugins import find, points
    from seatrial.targets import BUILTIN, catalogue

    found = list(catalogue.search(word)) if word else list(catalogue.providers())
    rows = [] if word else [{"name": name, "summary": _summary(find("target", name, BUILTIN))} for name in BUILTIN]
    rows += [] if word else [{"name": point.name, "summary": f"plug-in {point.value}"} for point in points("target")]
    if as_json:
        click.echo(json.dumps({"targets": rows, "providers": [provider.plain() for provider in found]}))
        return
    for row in rows:
        click.echo(f"{row['name'] + ':':<12} {row['summary']}")
    if rows:
        click.echo()
    for provider in found:
        click.echo(_line(provider) if word is None else _described(provider))
    if not found:
        near = catalogue.near(word or "")
        click.echo(f"no endpoint has {word!r} in it" + (f"; did you mean {near}?" if near else ""))


def _summary(adapter: object) -> str:
    return (adapter.__doc__ or "").strip().partition("\n")[0]


def _line(provider: Provider) -> str:
    return f"{provider.name + '/':<20} {provider.label:<32} {provider.key_env or 'no key'}"


def _described(provider: Provider) -> str:
    facts = {
        "also": ", ".join(provider.aliases),
        "base URL": provider.base_url,
        "key": provider.key_env and f"{provider.key_env}, in {provider.key_header}",
        "format": provider.dialect,
        "calls": ", ".join(f"{key} {own}" for key, own in provider.rename.items()),
        "refuses": ", ".join(provider.refuse),
        "serves": ", ".join(f"{author}/…" for author in provider.authors),
        "docs": provider.docs,
        "source": provider.source,
    }
    lines = [f"  {key:<9} {value}" for key, value in facts.items() if value]
    return "\n".join([f"{provider.name}/MODEL  {provider.label}", *lines])


@targets.command()
@click.argument("providers", nargs=-1)
@click.option(
    "--suite",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Poll the endpoints of this suite's targets.",
)
@options.store
@options.as_json
def poll(providers: tuple[str, ...], suite: Path | None, store_file: Path | None, as_json: bool) -> int:
    """Read endpoints' lists of models, and say what is new, changed or retired since the last time.

    Without names, every endpoint of the catalogue is polled whose key is in the environment. Exits with 4 when a list
    could not be read; what could be is kept all the same.
    """
    from seatrial.store.store import Store
    from seatrial.trials.following.polling import poll as read_lists
    from seatrial.trials.trial import store_path

    if providers and suite:
        raise click.UsageError("name providers or --suite, not both.")
    asked, folder = _asked(providers, suite)
    with Store(store_path(folder, store_file)) as store:
        reports = read_lists(asked, folder, store)
    if as_json:
        click.echo(json.dumps({"polled": reports}))
    else:
        for report in reports:
            click.echo(_told(report))
        if not reports:
            click.echo("nothing to poll: no provider's key is in the environment; name one, or a --suite")
    return UNREAD if any("error" in report for report in reports) else 0


def chosen(names: tuple[str, ...]) -> dict[str, TargetSpec]:
    """Probes of the named endpoints, or of all whose key is in the environment. Raises UsageError."""
    from seatrial.errors import UsageError, safe
    from seatrial.targets import catalogue
    from seatrial.targets.checks import probe

    known = {provider.name: provider for provider in catalogue.providers()}
    if not names:
        keyed = (p for p in known.values() if p.key_env and os.environ.get(p.key_env, "").strip() and not p.variables)
        return {p.name: probe(p) for p in keyed}
    found: dict[str, TargetSpec] = {}
    for name in names:
        provider = catalogue.find(name)
        if provider is None:
            near = catalogue.near(name)
            hint = f"did you mean {near!r}?" if near else "`seatrial targets` lists them"
            raise UsageError(f"The catalogue has no endpoint {safe(name)!r}.", hint=hint)
        if provider.variables:
            needed = ", ".join(provider.variables)
            raise UsageError(f"{provider.label} needs {needed}.", hint="poll the suite that names it: --suite FILE")
        found[provider.name] = probe(provider)
    return found


def _asked(names: tuple[str, ...], suite: Path | None) -> tuple[dict[str, TargetSpec], Path]:
    from seatrial.trials.suite.suitefile import load

    if suite is None:
        return chosen(names), Path()
    loaded = load(suite)
    return {**loaded.suite.targets, **loaded.suite.judges}, loaded.folder


def _told(report: dict[str, Any]) -> str:
    if "error" in report:
        return f"{report['endpoint']}  could not be read: {report['error']}"
    head = f"{report['endpoint']}  {len(report['models']):,} models"
    if "since" not in report:
        return f"{head}, polled for the first time"
    since = f"since {report['since'][:16].replace('T', ' ')}"
    lines = [*_names("new", report["new"]), *_names("retired", report["retired"])]
    lines += _names("changed", [_changed(name, fields) for name, fields in report["changed"].items()])
    return "\n".join([f"{head}, {'no change' if not lines else 'changed'} {since}", *lines])


def _changed(name: str, fields: dict[str, dict[str, Any]]) -> str:
    from seatrial.errors import safe

    said = (f"{key} {safe(both['was'])} → {safe(both['is'])}" for key, both in fields.items())
    return f"{safe(name)} ({', '.join(said)})"


def _names(what: str, names: list[str]) -> list[str]:
    from seatrial.errors import safe

    shown = [f"  {what:<8} {safe(name, 300)}" for name in names[:SHOWN]]
    return [*shown, f"  … and {len(names) - SHOWN:,} more {what}"] if len(names) > SHOWN else shown
