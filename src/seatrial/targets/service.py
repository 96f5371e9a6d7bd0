"""The adapter of a URL, `https://host/path`: any endpoint that takes JSON and gives JSON, like a deployed agent."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from seatrial.core.case import Case
from seatrial.core.output import Request
from seatrial.core.record import Json
from seatrial.core.suite import TargetSpec
from seatrial.errors import Problem
from seatrial.targets.endpoint import Endpoint, Wire
from seatrial.targets.line import FIELDS, TOKEN, Address, line_problems
from seatrial.targets.mapping import Mapped
from seatrial.targets.prices import price_problems
from seatrial.targets.settings import fail, problem, unknown_keys
from seatrial.targets.template import Template, names

ADAPTER = "http/1"
OPTIONS = ("body", "response", "key_header")


class Service(Endpoint):
    """A JSON endpoint: `options.body` is what it is sent, `options.response` says where its answer holds what."""

    reads: ClassVar[frozenset[str]] = FIELDS - {"base_url", "stream"} | {"options"}

    def __init__(self, name: str, spec: TargetSpec, folder: Path, environ: Mapping[str, str]) -> None:
        """Check the settings; nothing is opened. Raises TargetConfigError. `folder` is not used."""
        del folder
        self._template = Template(name, spec.options.get("body"))
        self._mapped = Mapped(name, spec.options.get("response"))
        header = spec.options.get("key_header", "Authorization")
        address = _address(spec.use, header)
        faults = [*line_problems(name, spec, address), *self._option_problems(name, spec, header)]
        fail(name, [*faults, *price_problems(name, spec)])
        template = self._template
        wire = Wire(body=lambda request: template.fill(names(request)), read=self._mapped.read)
        super().__init__(name, spec, environ, address, wire)

    def _option_problems(self, name: str, spec: TargetSpec, header: Json) -> list[Problem]:
        found = unknown_keys(name, "options", spec.options, OPTIONS)
        for key in ("body", "response"):
            if key not in spec.options:
                found.append(problem(name, f"options.{key}", "is needed", hint="see docs/targets.md"))
        if not isinstance(header, str) or not TOKEN.fullmatch(header):
            found.append(problem(name, "options.key_header", "is no header's name"))
        shown = self._mapped.problems if "response" in spec.options else []
        return [*found, *self._template.problems, *shown]

    def identity(self) -> Mapping[str, Json]:
        """The URL, the headers, the body's template and the response's mapping; limits and keys change no answer."""
        return {
            "adapter": ADAPTER,
            "url": self._line.base_url,
            "headers": dict(self._spec.headers),
            "body": self._template.value,
            "response": self._spec.options["response"],
            **({"deadline": self._spec.deadline} if self._spec.deadline is not None else {}),
        }

    def sent(self, case: Case, request: Request) -> Mapping[str, Json]:
        """The filled body beside all that it was made from; bytes of images and files stand by their sha256.

        Raises TemplateError.
        """
        del case
        return {**self.identity(), "sent": self._template.fill(names(request, bytes_as_hash=True))}


def _address(url: str, header: Json) -> Address:
    named = header if isinstance(header, str) else "Authorization"
    prefix = "Bearer " if named.lower() == "authorization" else ""
    return Address(home=url, key_header=named, key_prefix=prefix, setting="use")
