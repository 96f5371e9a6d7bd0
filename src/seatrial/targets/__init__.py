"""Systems under test: wire formats, the HTTP client, limits, retries, prices, your own functions, and replay.

`build` makes a target of a suite's entry, `build_embedder` an embedder. `catalogue` knows who serves models where,
`listing` reads what they list, `checks` whether they can be asked. `models` holds a row for each provider's dialect,
whose pure functions are in
`chat`, `anthropic`, `gemini` and `responses`; `service` any JSON endpoint (`template` and
`mapping`), `python` your function, `replay` recorded outputs. Under them:
`endpoint` asks, times and judges, `line` holds key, connections, limits and retries, `eventstream` cuts Amazon's
streams, `strict` reads what strangers wrote, `params` finds each dialect's words. `prompt` renders cases into requests,
`outcome` says when an answer is the model's failure.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seatrial.core.protocols import Embedder, Target
from seatrial.core.suite import HASHING, EmbedderSpec, TargetSpec

if TYPE_CHECKING:
    from seatrial.targets.outcomes import outcome
    from seatrial.targets.prompt import Prompt

__all__ = ["BUILTIN", "EMBEDDERS", "Prompt", "build", "build_embedder", "outcome"]

BUILTIN: dict[str, str] = {
    "anthropic": "seatrial.targets.models:Anthropic",
    "any-llm": "seatrial.targets.anyllm:AnyLLM",
    "azure": "seatrial.targets.clouds:Azure",
    "bedrock": "seatrial.targets.clouds:Bedrock",
    "gemini": "seatrial.targets.models:Gemini",
    "http": "seatrial.targets.service:Service",
    "https": "seatrial.targets.service:Service",
    "openai": "seatrial.targets.models:OpenAI",
    "python": "seatrial.targets.python:PythonFunction",
    "replay": "seatrial.targets.replay:Replay",
    "responses": "seatrial.targets.models:Responses",
    "vertex": "seatrial.targets.clouds:Vertex",
}
"""The adapters that come with Seatrial, as `module:class`. Plug-ins add more by the entry points `seatrial.targets`."""

EMBEDDERS: dict[str, str] = {"openai": "seatrial.targets.embeddings:Embedder"}
"""Formats of embedding endpoints, as `module:class`. Plug-ins add more by the entry points `seatrial.embedders`."""


def build(name: str, spec: TargetSpec, folder: Path, environ: Mapping[str, str]) -> Target:
    """The target that `spec` describes, named `name` in its suite.

    `folder` is the suite's: files and modules are searched there. `environ` is where an adapter may look up its key,
    and SEATRIAL_BASE_URL, which stands in for every provider's own base URL. An adapter is a class called with the
    same four arguments; its attribute `reads` names the fields of TargetSpec that it understands (all, where it has
    none).

    Raises TargetConfigError, RecordingError, UnknownPluginError, BrokenPluginError, DuplicatePluginError.
    """
    from seatrial.core.plugins import find
    from seatrial.targets.catalogue import written_out
    from seatrial.targets.settings import check_fields, check_numbers

    check_numbers(name, spec)
    spec = written_out(name, spec, environ)
    kind = spec.use.partition(":")[0]
    adapter = find("target", kind, BUILTIN)
    check_fields(name, kind, spec, adapter)
    return adapter(name, spec, folder, environ)


def build_embedder(spec: EmbedderSpec, environ: Mapping[str, str]) -> Embedder:
    """The embedder of a suite. Nothing is opened.

    Raises TargetConfigError, UnknownPluginError, BrokenPluginError, DuplicatePluginError.
    """
    if spec.use == HASHING:
        from seatrial.targets.hashing import HashingEmbedder

        return HashingEmbedder()
    from seatrial.core.plugins import find
    from seatrial.targets.catalogue import written_out
    from seatrial.targets.settings import check_numbers

    name = "embedder"
    asked = TargetSpec.model_validate(spec.plain())
    check_numbers(name, asked)
    asked = written_out(name, asked, environ)
    return find("embedder", asked.use.partition(":")[0], EMBEDDERS)(name, asked, environ)


def __getattr__(name: str) -> Any:
    if name == "Prompt":
        from seatrial.targets.prompt import Prompt

        return Prompt
    if name == "outcome":
        from seatrial.targets.outcomes import outcome

        return outcome
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
