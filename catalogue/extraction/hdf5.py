"""Careful access to HDF5 files: bounded walks, no way into other files, no large value read whole.

External links, external raw storage and virtual datasets can reach any file of the server; they are named to the
draft and never opened. What the groups and datasets mean is the business of nexus.py and emd.py.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any, TypeAlias

import h5py
import numpy as np

from catalogue.extraction.draft import Draft

Node: TypeAlias = "h5py.Group | h5py.Dataset"
_LARGEST_VALUE = 65_536  # bytes of a dataset or attribute that is read as metadata
_LARGEST_CHUNK = 1_000_000
_MOST_ATTRIBUTES = 200
# MemoryError: a damaged length of a text can ask for gigabytes; the sandbox's limit then ends the attempt, not the walk.
_FAILURES = (MemoryError, KeyError, OSError, RuntimeError, ValueError, TypeError, UnicodeError)


def walk(root: h5py.Group, draft: Draft) -> Iterator[tuple[str, Node]]:
    """(path, object) of every object, groups before their members, each object once however often it is linked.

    Breadth first, so that a limit on depth, number or time cuts off the deepest parts.
    """
    limits = draft.limits
    waiting: deque[tuple[str, h5py.Group, int]] = deque([("", root, 0)])
    seen = {_address(root)}
    count = 0
    while waiting:
        path, group, depth = waiting.popleft()
        for name, member in _members(group, path, limits.objects - count, draft):
            count += 1
            if count >= limits.objects or draft.is_out_of_time():
                draft.note(
                    "walk-limited", f"The file holds more than {limits.objects} objects; the first ones were read."
                )
                return
            address = _address(member)
            if address in seen:
                continue
            seen.add(address)
            member_path = f"{path}/{name}" if path else name
            yield member_path, member
            if isinstance(member, h5py.Group):
                if depth + 1 < limits.depth:
                    waiting.append((member_path, member, depth + 1))
                else:
                    draft.note("walk-limited", f"Groups nested deeper than {limits.depth} levels were not read.")


def resolve(root: h5py.Group, path: str, base: h5py.Group | None = None, hops: int = 8) -> Node | None:
    """The object at a path, following hard and soft links step by step and never an external one."""
    here: Node = root if path.startswith("/") or base is None else base
    for part in (p for p in path.split("/") if p not in {"", "."}):
        if not isinstance(here, h5py.Group) or hops <= 0:
            return None
        target = _target(root, here, part, hops)
        if target is None:
            return None
        here = target
    return here


def attributes(node: Node) -> dict[str, Any]:
    """The attributes of an object: at most two hundred, only small ones of plain types."""
    found: dict[str, Any] = {}
    names: list[bytes] = []
    try:
        h5py.h5a.iterate(node.id, lambda name: _keep(names, name, _MOST_ATTRIBUTES))
    except _FAILURES:
        return found
    for name in names:
        value = _attribute(node, name)
        if value is not None:
            found[name.decode("utf-8", errors="replace")] = value
    return found


def attribute_text(node: Node, name: str) -> str:
    """One attribute as text, "" when it is missing or no text."""
    key = name.encode()
    try:
        value = _attribute(node, key) if h5py.h5a.exists(node.id, key) else None
    except _FAILURES:
        return ""
    return as_text(value)


def as_text(value: Any) -> str:
    """Text of a string, bytes, or an array holding one of them; "" for anything else."""
    if isinstance(value, np.ndarray):
        value = value.ravel()[0] if value.size == 1 else None
    if isinstance(value, bytes):
        return value.decode("utf-8", errors="replace").strip("\x00 ")
    return value.strip("\x00 ") if isinstance(value, str) else ""


def small_value(dataset: h5py.Dataset, most_items: int = 16) -> Any:
    """The value of a small dataset of numbers or text, or None."""
    try:
        size, dtype = dataset.size, dataset.dtype
        if size is None or not 0 < size <= most_items or not is_self_contained(dataset):
            return None
        if not _is_plain(dtype) or size * dtype.itemsize > _LARGEST_VALUE:
            return None
        chunks = dataset.chunks
        if chunks and int(np.prod(chunks)) * dtype.itemsize > _LARGEST_CHUNK:
            return None
        return dataset[()]
    except _FAILURES:
        return None


def is_self_contained(dataset: h5py.Dataset) -> bool:
    """Whether the data lie in this very file."""
    plan = dataset.id.get_create_plist()
    return plan.get_layout() != h5py.h5d.VIRTUAL and plan.get_external_count() == 0


def _members(group: h5py.Group, path: str, at_most: int, draft: Draft) -> Iterator[tuple[str, Node]]:
    names: list[bytes] = []
    try:
        group.id.links.iterate(lambda name: _keep(names, name, max(at_most, 1)))
    except _FAILURES:
        draft.note("partly-unreadable", "A part of the file cannot be read; it may be cut off or damaged.")
    for raw_name in names:
        name = raw_name.decode("utf-8", errors="replace")
        try:
            kind = group.id.links.get_info(raw_name).type
            if kind == h5py.h5l.TYPE_EXTERNAL:
                draft.refuse_link(f"{path}/{name}".lstrip("/"))
            if kind != h5py.h5l.TYPE_HARD:
                continue
            member = _open(group, raw_name)
        except _FAILURES:
            draft.note("partly-unreadable", "A part of the file cannot be read; it may be cut off or damaged.")
            continue
        if isinstance(member, h5py.Dataset) and not is_self_contained(member):
            draft.refuse_link(f"{path}/{name}".lstrip("/"))
        if member is not None:
            yield name, member


def _open(group: h5py.Group, name: bytes) -> Node | None:
    opened = h5py.h5o.open(group.id, name)
    if isinstance(opened, h5py.h5g.GroupID):
        return h5py.Group(opened)
    return h5py.Dataset(opened) if isinstance(opened, h5py.h5d.DatasetID) else None


def _target(root: h5py.Group, group: h5py.Group, name: str, hops: int) -> Node | None:
    key = name.encode()
    try:
        kind = group.id.links.get_info(key).type
        if kind == h5py.h5l.TYPE_HARD:
            return _open(group, key)
        if kind == h5py.h5l.TYPE_SOFT:
            return resolve(root, group.id.links.get_val(key).decode(), group, hops - 1)
    except _FAILURES:
        return None
    return None


def _attribute(node: Node, name: bytes) -> Any:
    try:
        attribute = h5py.h5a.open(node.id, name)
        if attribute.get_storage_size() > _LARGEST_VALUE or not _is_plain(attribute.dtype):
            return None
        return node.attrs[name.decode()]
    except _FAILURES:
        return None


def _is_plain(dtype: np.dtype[Any]) -> bool:
    if dtype.kind == "O":
        return h5py.check_string_dtype(dtype) is not None
    return dtype.kind in "biufSU"


def _address(node: Node) -> tuple[int, int]:
    info = h5py.h5o.get_info(node.id)
    return info.fileno, info.addr


def _keep(names: list[bytes], name: bytes, at_most: int) -> bool | None:
    """A callback for HDF5's iterations: True ends them."""
    names.append(name)
    return True if len(names) >= at_most else None
