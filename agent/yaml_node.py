"""YAML that remembers its lines, so that every complaint says where and what was expected."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from agent.errors import Unreadable
from tools.contract import Json


@dataclass(frozen=True, slots=True)
class Node:
    """A value of a YAML file with its place."""

    path: Path
    line: int
    name: str
    """Dotted path of keys, as a person would say it: ``deployments.digits.replicas``."""
    value: object
    """``dict[str, Node]``, ``list[Node]`` or a scalar."""

    def fault(self, expected: str) -> Unreadable:
        """The error for this place."""
        got = "nothing" if self.value is None else _short(self.plain())
        return Unreadable(
            f"{self.path}, line {self.line}: {self.name or 'the file'} should be {expected}, "
            f"but is {got}."
        )

    def items(self) -> Iterator[tuple[str, Node]]:
        """Key and node of a mapping."""
        if self.value is None:
            return
        value = self.value
        if not isinstance(value, dict):
            raise self.fault("a mapping (name: value)")
        yield from cast("dict[str, Node]", value).items()

    def only(self, *known: str) -> Node:
        """Complain about keys nobody reads: a typo must not pass silently."""
        import difflib

        for key, node in self.items():
            if key not in known:
                near = difflib.get_close_matches(key, known, n=1)
                hint = f"; did you mean {near[0]}?" if near else f"; known: {', '.join(known)}"
                raise Unreadable(f"{self.path}, line {node.line}: unknown key {key!r}{hint}.")
        return self

    def get(self, key: str) -> Node:
        """A key of a mapping; an absent one has the value ``None``."""
        name = f"{self.name}.{key}" if self.name else key
        found = dict(self.items()).get(key)
        return found or Node(self.path, self.line, name, None)

    def text(self, default: str | None = None) -> str:
        """A string (numbers are taken as written)."""
        if self.value is None and default is not None:
            return default
        if isinstance(self.value, (str, int, float)) and not isinstance(self.value, bool):
            return str(self.value)
        raise self.fault("a text")

    def optional(self) -> str | None:
        """A string or nothing."""
        return None if self.value is None else self.text()

    def number(self, default: float, low: float = 0, high: float = 1e9) -> float:
        """A number within bounds."""
        if self.value is None:
            return default
        value = self.value
        if isinstance(value, (int, float)) and not isinstance(value, bool) and low <= value <= high:
            return value
        raise self.fault(f"a number from {low:g} to {high:g}")

    def whole(self, default: int, low: int = 0, high: int = 10**9) -> int:
        """A whole number within bounds."""
        value = self.number(default, low, high)
        if value != int(value):
            raise self.fault("a whole number")
        return int(value)

    def flag(self, default: bool) -> bool:
        """``true`` or ``false``."""
        if self.value is None:
            return default
        if isinstance(self.value, bool):
            return self.value
        raise self.fault("true or false")

    def texts(self) -> tuple[str, ...]:
        """A list of strings; a single string is a list of one."""
        if self.value is None:
            return ()
        if isinstance(self.value, list):
            return tuple(node.text() for node in self.nodes())
        return (self.text(),)

    def nodes(self) -> list[Node]:
        """A list."""
        if self.value is None:
            return []
        value = self.value
        if not isinstance(value, list):
            raise self.fault("a list")
        return cast("list[Node]", value)

    def plain(self) -> Json:
        """The value without places."""
        if isinstance(self.value, dict):
            return {k: n.plain() for k, n in self.items()}
        if isinstance(self.value, list):
            return [n.plain() for n in self.nodes()]
        return cast("Json", self.value)


def read(path: Path) -> Node:
    """Parse a file; raises ``Unreadable`` with file, line and what was expected."""
    import yaml

    try:
        text = path.read_text(encoding="utf-8")
        loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(text)
        root = loader.get_single_node()
        return _node(path, loader, root, "", set())
    except OSError as error:
        raise Unreadable(f"{path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise Unreadable(f"{path} is not UTF-8 text.") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise Unreadable(f"{path}, line {line}: this is not YAML: {error.problem}.") from None


def _node(path: Path, loader: Any, node: Any, name: str, above: set[int]) -> Node:
    import yaml

    if node is None:
        return Node(path, 1, name, None)
    line = node.start_mark.line + 1
    if id(node) in above:
        raise Unreadable(f"{path}, line {line}: {name} refers to itself.")
    above = above | {id(node)}
    if isinstance(node, yaml.MappingNode):
        return Node(path, line, name, _mapping(path, loader, node, name, above))
    if isinstance(node, yaml.SequenceNode):
        parts = enumerate(node.value)
        return Node(
            path, line, name, [_node(path, loader, n, f"{name}[{i}]", above) for i, n in parts]
        )
    return Node(path, line, name, loader.construct_object(node))


def _mapping(path: Path, loader: Any, node: Any, name: str, above: set[int]) -> dict[str, Node]:
    found: dict[str, Node] = {}
    for key, value in node.value:
        word = str(loader.construct_object(key))
        if word in found:
            line = key.start_mark.line + 1
            raise Unreadable(f"{path}, line {line}: {word!r} stands here a second time.")
        found[word] = _node(path, loader, value, f"{name}.{word}" if name else word, above)
    return found


def _short(value: Json) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"
