"""The base of all records, and the text type that hostile input cannot break."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, cast

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict
from pydantic_core import core_schema


def as_dict(value: Any) -> dict[str, Any] | None:
    """The value when it is an object, else None."""
    held = value  # keeps its type where `value` is narrowed to a dict of who knows what; `cast` would be a call
    return held if isinstance(value, dict) else None


def as_list(value: Any) -> list[Any] | None:
    """The value as a list when it is an array, else None."""
    held = value
    return list(held) if isinstance(value, (list, tuple)) else None


MAX_DEPTH = 100
"""Objects and lists nested deeper than so many levels are refused where people or files give them."""


def too_deep(value: Any, limit: int = MAX_DEPTH) -> bool:
    """Whether objects and lists are nested more than `limit` levels."""
    level: list[Any] = [value]
    for _ in range(limit + 1):
        inner: list[Any] = []
        for node in level:
            if isinstance(node, dict):
                inner += [item for item in cast("dict[str, Any]", node).values() if isinstance(item, dict | list)]
            elif isinstance(node, list):
                inner += [item for item in cast("list[Any]", node) if isinstance(item, dict | list)]
        if not inner:
            return False
        level = inner
    return True


class _AnyText:
    """Checks and writes text without a call of Python; lone surrogates pass, which pydantic's own check refuses."""

    def __get_pydantic_core_schema__(self, *_: object) -> core_schema.CoreSchema:
        held = core_schema.json_or_python_schema(core_schema.str_schema(), core_schema.is_instance_schema(str))
        return core_schema.custom_error_schema(held, "value_error", custom_error_context={"error": "must be text"})

    def __get_pydantic_json_schema__(self, *_: object) -> dict[str, Any]:
        return {"type": "string"}


def _filled(value: str) -> str:
    if not value:
        raise ValueError("must not be empty")
    return value


def _moment(value: Any) -> str:
    try:
        datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise ValueError("must be an ISO 8601 date or time, like 2026-03-01 or 2026-03-01T12:00:00Z") from None
    return value


Text = Annotated[str, _AnyText()]
"""Any text a provider or user can send, lone surrogates included (pydantic's own str refuses those)."""

Filled = Annotated[Text, AfterValidator(_filled)]
"""Text that says something."""

Moment = Annotated[str, BeforeValidator(_moment)]
"""An ISO 8601 date or time, kept as it was written."""

Json = Any
"""A JSON value: None, bool, int, float, text, list or dict of such."""


if TYPE_CHECKING:
    lazy = cached_property
else:

    class lazy(cached_property):  # noqa: N801  # used as `cached_property` is
        """A property of a frozen value that is worked out when it is first asked for.

        `cached_property` without its lock, at half the price: threads that ask at once may each work it out.
        """

        def __get__(self, instance: Any, owner: Any = None) -> Any:
            """The value, which from now on stands in the instance itself."""
            if instance is None:
                return self
            value = vars(instance)[self.attrname] = self.func(instance)
            return value


class Record(BaseModel):
    """A frozen value with named fields; unknown fields are errors."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        allow_inf_nan=False,
        protected_namespaces=(),
        defer_build=True,
        ignored_types=(lazy,),
    )

    def plain(self) -> dict[str, Any]:
        """The fields that differ from their defaults, as plain values: what is hashed and stored."""
        return self.model_dump(exclude_defaults=True)


_SLOTS: Any = vars(BaseModel)
_set_values, _set_given, _set_extra, _set_private = (
    _SLOTS[name].__set__
    for name in ("__dict__", "__pydantic_fields_set__", "__pydantic_extra__", "__pydantic_private__")
)
_new = object.__new__
R = TypeVar("R", bound=Record)


def assembled(kind: type[R], values: dict[str, Any], given: set[str]) -> R:
    """A record of values that are known to be valid, at half the price of its constructor: nothing is checked.

    `values` holds every field, in the order of the class. `given` names those that count as set.
    """
    made = _new(kind)
    _set_values(made, values)
    _set_given(made, given)
    _set_extra(made, None)
    _set_private(made, None)
    return made


def altered(record: R, changes: Mapping[str, Any], *computed: str) -> R:
    """The record with some fields replaced by values that are known to be valid, at half the price of `model_copy`.

    `computed` names what it worked out of itself that no longer holds.
    """
    values = {**vars(record), **changes}
    for name in computed:
        values.pop(name, None)
    return assembled(type(record), values, record.model_fields_set | changes.keys())
